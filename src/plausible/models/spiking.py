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
)
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.models.convolutional import is_convolutional
from plausible.models.data import (
    Data,
    as_classes,
    as_given,
    as_number,
    as_samples,
)
from plausible.models.fused_layers import fused_layers
from plausible.models.sequential import read_sequential
from plausible.models.simulation import (
    Run,
    Simulation,
    conversion_table,
    joined,
    make_run,
    poisson_events,
)
from plausible.models.soft_rate import SoftRate
from plausible.models.spiking_convolutional import SpikingGraph, read_spiking_graph
from plausible.neurons.lif_dynamics import LIF, firing_rate_hz, simulate_lif

SAMPLES_AT_ONCE = 64


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
        x = self.as_inputs(inputs)
        run = make_run(
            self.neuron, x, time_ms, dt_ms=dt_ms, coding=coding, input_rate_hz=input_rate_hz,
            readout=readout, seed=seed,
        )  # fmt: skip
        parts = [_simulate(self, run, x[chunk], chunk.start) for chunk in _chunks(len(x))]
        return joined(parts, run, inputs, several=np.ndim(time_ms) > 0)

    def exact(self, inputs: Data) -> tuple[Data, ...]:
        """Activities of hidden layers and outputs [n, units] if rates had no noise and no limit.

        Of LIF neurons, those of their rates at constant currents, without the smoothing of training
        (eq. 37 of Thuesen 2022).
        """
        found = self.activities(self.as_inputs(inputs))
        return tuple(as_given(each, inputs) for each in found)

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
        x = self.as_inputs(inputs)
        truth = None if labels is None else as_classes(labels, len(x), self.layer_sizes[-1])
        options["time_ms"] = np.atleast_1d(options.get("time_ms", 200.0))[-1:]
        run, exact = self.simulate(x, **options), self.activities(x)
        trained = self.activities(x, smoothing=self.smoothing)
        return conversion_table(
            run, exact, trained[-1], self.full_activity, self.neuron, truth,
            lambda layer, seen: self.activities(seen, first=layer + 1)[-1],
        )  # fmt: skip

    def activities(
        self, inputs: NDArray, *, first: int = 0, smoothing: float = 0.0
    ) -> list[NDArray[np.float64]]:
        """`exact` of an array, of the layers from ``first`` on; ``inputs`` go to the first."""
        found, activity = [], inputs
        for layer in range(first, len(self.weights)):
            current = activity @ self.weights[layer] + self.biases[layer]
            if layer == len(self.weights) - 1:
                return [*found, current]
            if self.neuron is None:
                activity = np.maximum(current, 0.0)
            else:
                rate = firing_rate_hz(current, smoothing, lif=self.neuron)
                activity = self.full_activity[layer] * rate
            found.append(activity)
        return found

    def as_inputs(self, inputs: Data, name: str = "inputs") -> NDArray[np.float64]:
        """Samples [n, features] of this network; ``name`` stands in errors."""
        return as_samples(inputs, self.layer_sizes[0], name)


def to_spiking(
    model: nn.Module,
    calibration: Data | None = None,
    *,
    normalisation: str = "percentile",
    percentile: float = 99.9,
) -> SpikingModel | SpikingGraph:
    """Spiking network of a trained model, with the same weights.

    A model of ``ReLU`` becomes integrate-and-fire neurons, whose thresholds ``calibration`` inputs
    set (Diehl et al. 2015; Rueckauer et al. 2017). One of `SoftRate` becomes leaky
    integrate-and-fire neurons as it is (Hunsberger and Eliasmith 2015; Thuesen 2022, section 3.4).
    Batch normalisation is folded into the weights, with its running statistics.

    Parameters
    ----------
    model:
        Linear layers with ``SoftRate`` or ``ReLU`` between them, and perhaps batch normalisation;
        or any module with a Conv2d, made of these layers, pooling, flattening and concatenation.
    calibration:
        For ``ReLU``: inputs [n, features] or [n, channels, rows, columns], some hundred of the
        training data, whose activities set the thresholds.
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
    spiking = read_spiking_graph(model) if is_convolutional(model) else _read_dense(model)
    if spiking.neuron is not None:
        if calibration is not None:
            raise ModelError(
                "calibration was given for a model whose rates are those of LIF neurons already; "
                "leave it out."
            )
        return spiking
    if normalisation == "none":
        return spiking
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
    exact = spiking.activities(spiking.as_inputs(calibration, "calibration inputs"))
    full = tuple(float(np.percentile(np.maximum(layer, 0.0), part)) for layer in exact)
    for layer, largest in enumerate(full[:-1], 1):
        if not largest > 0.0:
            raise ModelError(
                f"hidden layer {layer} is silent on the calibration inputs (percentile {part} of "
                "its activities is 0); use inputs as in training, or a higher percentile."
            )
    if isinstance(spiking, SpikingGraph):
        return spiking._replace(full_activity=full[:-1])
    return spiking._replace(full_activity=(*full[:-1], full[-1] if full[-1] > 0.0 else np.inf))


def _read_dense(model: nn.Sequential) -> SpikingModel:
    """The spiking network of a model of linear layers; IF neurons with thresholds of 1."""
    reading = read_sequential(model)
    weights, biases = zip(*fused_layers(reading), strict=True)
    hidden = len(weights) - 1
    if not hidden:
        raise ModelError("the model has no hidden layer, expected one or more, which spike.")
    rate = reading.activation
    if isinstance(rate, SoftRate):
        full = (rate.scale,) * (hidden + 1)
        return SpikingModel(weights, biases, rate.lif, full, rate.smoothing)
    if not isinstance(rate, nn.ReLU):
        raise ModelError(
            f"the activation is {type(rate).__name__}, expected SoftRate or ReLU, the activations "
            "that have a spiking neuron."
        )
    return SpikingModel(weights, biases, None, (1.0,) * (hidden + 1), 0.0)


class _Layers(NamedTuple):
    """Spikes up to each checkpoint: of the inputs (None: currents), of hidden and output units."""

    inputs: NDArray | None
    """[samples, checkpoints, units]."""
    others: list[NDArray]


def _simulate(model: SpikingModel, run: Run, inputs: NDArray, first_sample: int) -> Simulation:
    """One chunk of samples."""
    layers = len(model.weights) if run.readout == "spikes" else len(model.weights) - 1
    events = poisson_events(run, inputs, first_sample) if run.coding == "poisson" else None
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


def _integrate_and_fire(
    model: SpikingModel, run: Run, inputs: NDArray, events: Events | None, layers: int
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
    model: SpikingModel, run: Run, inputs: NDArray, events: Events | None, layers: int
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


def _chunks(samples: int) -> Iterator[slice]:
    for first in range(0, samples, SAMPLES_AT_ONCE):
        yield slice(first, min(first + SAMPLES_AT_ONCE, samples))
