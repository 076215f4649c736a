"""A trained ``torch`` model as a network of spiking neurons, its simulation and its diagnostic.

Two kinds of conversion, told apart by the activation of the model:

- `SoftRate`: *shadow conversion* (Hunsberger and Eliasmith 2015; Thuesen 2022, section 3.4). The
  activation is the firing rate of a leaky integrate-and-fire (LIF) neuron, so the same weights
  drive such neurons, and a rate of 1 Hz is an activity of ``scale``.
- ``ReLU``: *rate conversion* to integrate-and-fire (IF) neurons without leak, with reset by
  subtraction (Diehl et al. 2015; Rueckauer et al. 2017). A neuron fires at most once in a step, and
  one spike in every step is an activity of lambda, the threshold; larger ones saturate, small ones
  take longer to show. So lambda is the largest activity of the layer, or a percentile of it, on
  calibration data. Dividing weights and biases by it (weight normalisation) or setting the
  thresholds (threshold balancing) is the same.

Batch normalisation is folded into the weights, with its running statistics.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from torch import nn

from plausible.errors import ModelError
from plausible.kernels import integrate_and_fire_network, lif_network
from plausible.kernels.events import (
    Events,
    count_events,
    dense_counts,
    events_of_counts,
    poisson_thresholds,
    sample_events,
)
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.measure.accuracy import accuracy_percent
from plausible.measure.conversion_diagnostic import diagnose
from plausible.models.data import (
    Data,
    as_classes,
    as_count,
    as_given,
    as_number,
    as_reals,
    as_samples,
)
from plausible.models.fused_layers import fused_layers
from plausible.models.sequential import read_sequential
from plausible.models.soft_rate import SoftRate
from plausible.neurons.lif_dynamics import LIF, firing_rate_hz, simulate_lif

CODINGS = ("current", "poisson")
READOUTS = ("current", "spikes")
SAMPLES_AT_ONCE = 64
MOST_SPIKES = 500
"""Poisson spikes of an input in one step, on average."""


class Simulation(NamedTuple):
    """What a simulation of n samples found.

    The axis of times is there only if several times were asked for.
    """

    times_ms: tuple[float, ...]
    """When outputs and spikes were taken."""
    predictions: Data
    """Class of the largest output, int64 [n] or [n, times]."""
    outputs: Data
    """[n, classes] or [n, times, classes]: mean input currents of the output units since the
    beginning, which estimate the model's outputs; or the spikes that they emitted, by the
    readout."""
    activities: tuple[Data, ...]
    """Of each hidden layer [n, units]: what its spikes say at the last time, in the model's
    units."""
    spikes: Data
    """Spikes since the beginning of all units of the inputs, of each hidden layer and of the
    outputs, int64 [n, layers] or [n, layers, times]; 0 of the inputs where they are currents, and
    of the outputs where they do not spike."""
    additions: Data
    """Weights that spikes added, int64 [n] or [n, times]. Constant currents are not among them."""

    def __repr__(self) -> str:
        return f"Simulation of {len(self.predictions)} samples at {self.times_ms} ms"


class SpikingModel(NamedTuple):
    """A feed-forward network of spiking neurons; `to_spiking` makes it."""

    weights: tuple[NDArray[np.float64], ...]
    """[inputs, units] of each layer."""
    biases: tuple[NDArray[np.float64], ...]
    neuron: LIF | None
    """Constants of LIF neurons; None for IF neurons."""
    full_activity: tuple[float, ...]
    """Of each layer: activity of one spike in every step (IF: the threshold) or of one hertz (LIF);
    of an IF output layer inf, which never fires, unless calibration data were given."""
    smoothing: float
    """Of the threshold, in training."""

    def __repr__(self) -> str:
        neurons = "IF neurons" if self.neuron is None else str(self.neuron)
        return f"SpikingModel of {'-'.join(map(str, self.layer_sizes))} units, {neurons}"

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Units of each layer, inputs first."""
        return (len(self.weights[0]), *(len(bias) for bias in self.biases))

    def simulate(
        self,
        inputs: Data,
        *,
        time_ms: float | Sequence[float] = 200.0,
        dt_ms: float = 1.0,
        coding: str = "current",
        input_rate_hz: float = 1000.0,
        readout: str = "current",
        seed: int = 0,
    ) -> Simulation:
        """Simulate every sample from rest.

        Parameters
        ----------
        inputs:
            Real numbers [n, features], or [n, ...], which are flattened.
        time_ms:
            How long; or several ascending times, which gives the results an axis of times.
        dt_ms:
            Length of a time step. LIF neurons obey a differential equation, so their rates hardly
            depend on it; it must not exceed the refractory period. IF neurons count steps: half the
            step is twice as many of them in a time, with twice the spikes.
        coding:
            ``current``: inputs are constant currents, times the weights. ``poisson``: inputs are
            spikes, ``input_rate_hz`` a unit of input, so not negative.
        readout:
            ``current``: outputs are mean input currents. ``spikes``: output units fire and are
            counted; LIF neurons do so above their threshold only.
        seed:
            Of Poisson spikes. Those of a sample depend on its row and on nothing else.

        Raises
        ------
        ModelError
            If the inputs or an argument are not what is said here.
        """
        x = as_samples(inputs, self.layer_sizes[0])
        dt_ms, seed = as_number(dt_ms, "dt_ms"), as_count(seed, "seed")
        input_rate_hz = as_number(input_rate_hz, "input_rate_hz")
        run = _Run(dt_ms, _steps(time_ms, dt_ms), coding, input_rate_hz, readout, seed)
        _check(self, run, x)
        parts = [_simulate(self, run, x[chunk], chunk.start) for chunk in _chunks(len(x))]

        axis = {"predictions": 1, "outputs": 1, "spikes": 2, "additions": 1}

        def joined(name: str) -> Data:
            whole = np.concatenate([getattr(part, name) for part in parts])
            if np.ndim(time_ms) == 0:
                whole = whole.squeeze(axis[name])
            return as_given(whole, inputs)

        activities = zip(*(part.activities for part in parts), strict=True)
        return Simulation(
            tuple(step * dt_ms for step in run.steps),
            joined("predictions"),
            joined("outputs"),
            tuple(as_given(np.concatenate(layer), inputs) for layer in activities),
            joined("spikes"),
            joined("additions"),
        )

    def exact(self, inputs: Data) -> tuple[Data, ...]:
        """Activities of hidden layers and outputs [n, units] if rates had no noise and no limit.

        Of LIF neurons, those of their rates at constant currents, without the smoothing of training
        (eq. 37 of Thuesen 2022).
        """
        x = as_samples(inputs, self.layer_sizes[0])
        return tuple(as_given(each, inputs) for each in _exact(self, x))

    def diagnose(self, inputs: Data, labels: Data | None = None, **options) -> pd.DataFrame:
        """Where the conversion loses accuracy: the model, then layer by layer.

        ``options`` are those of `simulate`; of several times, the last one counts.
        ``correlation``, ``slope`` and ``rms_error`` compare the activities that the spikes say with
        the exact ones. ``silent_percent``: of the (sample, unit) pairs that should be active, those
        without a spike. ``saturated_percent``: of all pairs, those that fire at 90 % of the highest
        rate or more. ``dead_percent``: of the units, those that never spike though they should.
        With ``labels``, ``accuracy_percent`` is that of a network of which all layers up to this
        one spike while the rest is exact: where it falls, accuracy is lost. The row ``exact rates``
        stands for LIF neurons, of whose threshold the smoothing of training was taken away.
        """
        x = as_samples(inputs, self.layer_sizes[0])
        truth = None if labels is None else as_classes(labels, len(x), self.layer_sizes[-1])
        options["time_ms"] = np.atleast_1d(options.get("time_ms", 200.0))[-1:]
        run, exact = self.simulate(x, **options), _exact(self, x)
        trained = _exact(self, x, smoothing=self.smoothing)
        rows = [{"layer": "model"} | _accuracy(trained[-1], truth)]
        if self.neuron is not None:
            rows.append({"layer": "exact rates"} | _accuracy(exact[-1], truth))
        # A rate in spikes per step (IF) or per second (LIF), and the shortest time between spikes.
        shortest = 1.0 if self.neuron is None else self.neuron.refractory_period_s
        for layer, seen in enumerate(run.activities):
            full = self.full_activity[layer]
            found = diagnose(exact[layer] / full, seen / full, shortest)
            active, quiet = exact[layer] > 0.0, seen == 0.0
            should = active.any(axis=0)
            rest = _exact(self, seen, first=layer + 1)
            rows.append(
                {
                    "layer": f"hidden {layer + 1}",
                    "correlation": found.correlation,
                    "slope": found.slope,
                    "rms_error": found.rmse_hz * full,
                    "silent_percent": _percent((active & quiet).sum(), active.sum()),
                    "dead_percent": _percent((should & quiet.all(axis=0)).sum(), should.sum()),
                    "saturated_percent": 100.0 * found.saturated_fraction,
                }
                | _accuracy(rest[-1], truth)
            )
        rows.append({"layer": "outputs"} | _accuracy(run.outputs[:, -1], truth))
        return pd.DataFrame(rows)


def to_spiking(
    model: nn.Sequential,
    calibration: Data | None = None,
    *,
    normalisation: str = "percentile",
    percentile: float = 99.9,
) -> SpikingModel:
    """Spiking network of a trained model, with the same weights.

    A model of ``ReLU`` becomes integrate-and-fire neurons, whose thresholds ``calibration`` inputs
    set (Diehl et al. 2015; Rueckauer et al. 2017). One of `SoftRate` becomes leaky
    integrate-and-fire neurons as it is (Hunsberger and Eliasmith 2015; Thuesen 2022, section 3.4).
    Batch normalisation is folded into the weights, with its running statistics.

    Parameters
    ----------
    model:
        Linear layers with ``SoftRate`` or ``ReLU`` between them, and perhaps batch normalisation.
    calibration:
        For ``ReLU``: inputs [n, features], some hundred of the training data, whose activities set
        the thresholds.
    normalisation:
        For ``ReLU``, the threshold of a layer: ``percentile``, that of its activities; ``max``, the
        largest one; ``none``, 1 (no calibration needed).
    percentile:
        Above 0, up to 100. Below 100, few activities saturate, and the others are told sooner.

    Raises
    ------
    ModelError
        If the model has another activation or module, calibration is missing, not needed or does
        not fit, or no unit of a layer is ever active on it.
    """
    reading = read_sequential(model)
    weights, biases = zip(*fused_layers(reading), strict=True)
    hidden = len(weights) - 1
    if not hidden:
        raise ModelError("the model has no hidden layer, expected one or more, which spike.")
    if isinstance(reading.activation, SoftRate):
        if calibration is not None:
            raise ModelError(
                "calibration was given for a model whose rates are those of LIF neurons already; "
                "leave it out."
            )
        rate = reading.activation
        full = (rate.scale,) * (hidden + 1)
        return SpikingModel(weights, biases, rate.lif, full, rate.smoothing)
    if not isinstance(reading.activation, nn.ReLU):
        raise ModelError(
            f"the activation is {type(reading.activation).__name__}, expected SoftRate or ReLU, "
            "the activations that have a spiking neuron."
        )
    model = SpikingModel(weights, biases, None, (1.0,) * (hidden + 1), 0.0)
    if normalisation == "none":
        return model
    if normalisation not in ("percentile", "max"):
        raise ModelError(
            f"normalisation: found {normalisation!r}, expected 'percentile', 'max' or 'none'."
        )
    if as_number(percentile, "percentile") > 100.0:
        raise ModelError(f"percentile: found {percentile}, expected a number up to 100.")
    if calibration is None:
        raise ModelError(
            "a ReLU network needs calibration inputs, whose activities set the thresholds; give "
            "some hundred training inputs, or normalisation='none'."
        )
    part = 100.0 if normalisation == "max" else percentile
    exact = _exact(model, as_samples(calibration, model.layer_sizes[0], "calibration inputs"))
    full = tuple(float(np.percentile(np.maximum(layer, 0.0), part)) for layer in exact)
    for layer, largest in enumerate(full[:-1], 1):
        if not largest > 0.0:
            raise ModelError(
                f"hidden layer {layer} is silent on the calibration inputs (percentile {part} of "
                "its activities is 0); use inputs as in training, or a higher percentile."
            )
    return model._replace(full_activity=(*full[:-1], full[-1] if full[-1] > 0.0 else np.inf))


class _Run(NamedTuple):
    """Arguments of a simulation."""

    dt_ms: float
    steps: tuple[int, ...]
    """Number of steps up to each checkpoint."""
    coding: str
    input_rate_hz: float
    readout: str
    seed: int


class _Layers(NamedTuple):
    """Spikes up to each checkpoint: of the inputs (None: currents), of hidden and output units."""

    inputs: NDArray | None
    """[samples, checkpoints, units]."""
    others: list[NDArray]


def _steps(time_ms: float | Sequence[float], dt_ms: float) -> tuple[int, ...]:
    """Number of steps up to each time."""
    steps = np.atleast_1d(as_reals(time_ms, "time_ms")) / dt_ms
    whole = np.rint(steps)
    ascending = len(whole) and (np.diff(whole, prepend=0.0) >= 1).all()
    if not (ascending and (abs(whole - steps) < 1e-6).all()):
        raise ModelError(
            f"time_ms: found {time_ms}, expected one number or ascending ones, above 0 and "
            f"multiples of dt_ms, which is {dt_ms}."
        )
    return tuple(int(each) for each in whole)


def _check(model: SpikingModel, run: _Run, inputs: NDArray) -> None:
    if run.coding not in CODINGS or run.readout not in READOUTS:
        raise ModelError(
            f"coding is {run.coding!r} and readout {run.readout!r}, expected one of "
            f"{', '.join(CODINGS)} and of {', '.join(READOUTS)}."
        )
    if model.neuron is not None and run.dt_ms * 1e-3 > model.neuron.refractory_period_s:
        raise ModelError(
            f"dt_ms: found {run.dt_ms}, expected a step up to the refractory period of the "
            f"neurons, {1e3 * model.neuron.refractory_period_s:g} ms."
        )
    if run.coding == "poisson":
        if inputs.min() < 0.0:
            raise ModelError(
                f"inputs: found {inputs.min():g}, expected numbers from 0, which Poisson spikes "
                "can code."
            )
        most = inputs.max() * run.input_rate_hz * run.dt_ms * 1e-3
        if most > MOST_SPIKES:
            raise ModelError(
                f"inputs: up to {most:g} Poisson spikes in a step were found, expected up to "
                f"{MOST_SPIKES}; use a lower input_rate_hz, or divide the inputs."
            )


def _simulate(model: SpikingModel, run: _Run, inputs: NDArray, first_sample: int) -> Simulation:
    """One chunk of samples."""
    layers = len(model.weights) if run.readout == "spikes" else len(model.weights) - 1
    events = _poisson(run, inputs, first_sample) if run.coding == "poisson" else None
    simulate = _integrate_and_fire if model.neuron is None else _leaky
    found = simulate(model, run, inputs, events, layers)
    outputs = found.others.pop().astype(np.float64) if run.readout == "spikes" else None
    # Of a rate in spikes per step (IF) or in hertz (LIF).
    time = np.array(run.steps)[:, None] * (1.0 if model.neuron is None else run.dt_ms * 1e-3)
    activities = [
        full * (counts / time)
        for full, counts in zip(model.full_activity, found.others, strict=False)
    ]
    if outputs is None:
        outputs = activities[-1] @ model.weights[-1] + model.biases[-1]
    silent = np.zeros((len(inputs), len(run.steps), 1), np.int64)
    spiking = [silent if found.inputs is None else found.inputs, *found.others]
    spiking.append(outputs if run.readout == "spikes" else silent)
    spikes = np.stack([counts.sum(axis=2, dtype=np.int64) for counts in spiking], axis=1)
    additions = np.einsum("nlt,l->nt", spikes[:, :-1], np.array(model.layer_sizes[1:]))
    ends = tuple(activity[:, -1] for activity in activities)
    return Simulation((), outputs.argmax(axis=2), outputs, ends, spikes, additions)


def _poisson(run: _Run, inputs: NDArray, first_sample: int) -> Events:
    """Input spikes; equal values share a row of the table of probabilities."""
    levels, rows = np.unique(np.append(0.0, inputs), return_inverse=True)
    thresholds = poisson_thresholds(levels * (run.input_rate_hz * run.dt_ms * 1e-3))
    images = rows[1:].reshape(inputs.shape).astype(np.int32)
    return sample_events(images, thresholds, run.steps[-1], run.seed, first_sample)


def _integrate_and_fire(
    model: SpikingModel, run: _Run, inputs: NDArray, events: Events | None, layers: int
) -> _Layers:
    counted, spikes = None, inputs
    if events is not None:
        counted = count_events(events, np.array(run.steps), inputs.shape[1])[0]
        spikes = dense_counts(events, inputs.shape[1]) / (run.input_rate_hz * run.dt_ms * 1e-3)
    found = integrate_and_fire_network.simulate(
        model.weights[:layers],
        model.biases[:layers],
        model.full_activity[:layers],
        spikes,
        run.steps,
        constant=events is None,
    )
    return _Layers(counted, found.layers)


def _leaky(
    model: SpikingModel, run: _Run, inputs: NDArray, events: Events | None, layers: int
) -> _Layers:
    """LIF neurons, integrated exactly, with an alpha synapse of unit area between layers."""
    at, dt_s, steps = np.array(run.steps), run.dt_ms * 1e-3, run.steps[-1]
    weights, biases = model.weights[:layers], model.biases[:layers]
    counted, others, scale = None, [], 1.0
    if events is not None:
        counted = count_events(events, at, inputs.shape[1])[0]
    elif layers:
        current = np.broadcast_to(
            inputs @ weights[0] + biases[0], (steps, len(inputs), len(biases[0]))
        )
        fired = np.moveaxis(simulate_lif(current, dt_s, model.neuron), 0, 1)
        events = events_of_counts(fired.astype(np.int32))
        others.append(count_events(events, at, len(biases[0]))[0])
        weights, biases, scale = weights[1:], biases[1:], model.full_activity[0] * run.input_rate_hz
    if weights:
        network = SpikingNetwork(weights, biases, scale, model.full_activity[0])
        settings = SimulationSettings(
            simulation_time_ms=steps * run.dt_ms,
            dt_ms=run.dt_ms,
            input_rate_hz=run.input_rate_hz,
            lif=model.neuron,
        )
        trains = lif_network.spike_trains(events, network, settings)[1:]
        others += [
            count_events(train, at, len(bias))[0]
            for train, bias in zip(trains, biases, strict=True)
        ]
    return _Layers(counted, others)


def _exact(
    model: SpikingModel, activity: NDArray, *, first: int = 0, smoothing: float = 0.0
) -> list[NDArray]:
    """Activities of the layers from ``first`` on, and the outputs, for ``activity`` below them."""
    found = []
    for layer in range(first, len(model.weights)):
        current = activity @ model.weights[layer] + model.biases[layer]
        if layer == len(model.weights) - 1:
            return [*found, current]
        if model.neuron is None:
            activity = np.maximum(current, 0.0)
        else:
            rate = firing_rate_hz(current, smoothing, lif=model.neuron)
            activity = model.full_activity[layer] * rate
        found.append(activity)
    return found


def _percent(part: int, whole: int) -> float:
    return 100.0 * float(part) / float(whole) if whole else float("nan")


def _accuracy(outputs: NDArray, labels: NDArray | None) -> dict[str, float]:
    if labels is None:
        return {}
    return {"accuracy_percent": accuracy_percent(outputs.argmax(axis=1), labels)}


def _chunks(samples: int) -> Iterator[slice]:
    for first in range(0, samples, SAMPLES_AT_ONCE):
        yield slice(first, min(first + SAMPLES_AT_ONCE, samples))
