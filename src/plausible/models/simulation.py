"""What simulations of dense and of convolutional spiking networks have in common."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.errors import ModelError
from plausible.kernels.events import Events, poisson_thresholds, sample_events
from plausible.measure.accuracy import accuracy_percent
from plausible.measure.conversion_diagnostic import diagnose
from plausible.models.data import Data, as_count, as_given, as_number, as_reals
from plausible.neurons.lif_dynamics import LIF

CODINGS = ("current", "poisson")
READOUTS = ("current", "spikes")
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
    """Of each layer of neurons, [n, units] or [n, channels, rows, columns]: what its spikes say at
    the last time, in the model's units."""
    spikes: Data
    """Spikes since the beginning of all units of the inputs, of each hidden layer and of the
    outputs, int64 [n, layers] or [n, layers, times]; 0 of the inputs where they are currents, and
    of the outputs where they do not spike."""
    additions: Data
    """Weights that spikes added, int64 [n] or [n, times]. Constant currents are not among them."""

    def __repr__(self) -> str:
        return f"Simulation of {len(self.predictions)} samples at {self.times_ms} ms"


class Run(NamedTuple):
    """Arguments of a simulation."""

    dt_ms: float
    steps: tuple[int, ...]
    """Number of steps up to each checkpoint."""
    coding: str
    input_rate_hz: float
    readout: str
    seed: int


def joined(parts: Sequence[Simulation], run: Run, like: Any, *, several: bool) -> Simulation:
    """Chunks of samples one after the other, in the form of ``like``; ``several``: times."""
    axis = {"predictions": 1, "outputs": 1, "spikes": 2, "additions": 1}

    def whole(name: str) -> Data:
        array = np.concatenate([getattr(part, name) for part in parts])
        return as_given(array if several else array.squeeze(axis[name]), like)

    activities = zip(*(part.activities for part in parts), strict=True)
    return Simulation(
        tuple(step * run.dt_ms for step in run.steps),
        whole("predictions"),
        whole("outputs"),
        tuple(as_given(np.concatenate(layer), like) for layer in activities),
        whole("spikes"),
        whole("additions"),
    )


def make_run(
    neuron: LIF | None, inputs: NDArray, time_ms: float | Sequence[float], **arguments: Any
) -> Run:
    """The arguments of ``simulate``, checked against neurons (None: IF) and inputs.

    Raises ModelError for what is not expected.
    """
    dt_ms = as_number(arguments["dt_ms"], "dt_ms")
    rate = as_number(arguments["input_rate_hz"], "input_rate_hz")
    seed, steps = as_count(arguments["seed"], "seed"), _steps(time_ms, dt_ms)
    run = Run(dt_ms, steps, arguments["coding"], rate, arguments["readout"], seed)
    _check_run(run, neuron, inputs)
    return run


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


def _check_run(run: Run, neuron: LIF | None, inputs: NDArray) -> None:
    if run.coding not in CODINGS or run.readout not in READOUTS:
        raise ModelError(
            f"coding is {run.coding!r} and readout {run.readout!r}, expected one of "
            f"{', '.join(CODINGS)} and of {', '.join(READOUTS)}."
        )
    if neuron is not None and run.dt_ms * 1e-3 > neuron.refractory_period_s:
        raise ModelError(
            f"dt_ms: found {run.dt_ms}, expected a step up to the refractory period of the "
            f"neurons, {1e3 * neuron.refractory_period_s:g} ms."
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


def poisson_events(run: Run, inputs: NDArray, first_sample: int) -> Events:
    """Input spikes [samples, features]; equal values share a row of the table of probabilities."""
    levels, rows = np.unique(np.append(0.0, inputs), return_inverse=True)
    thresholds = poisson_thresholds(levels * (run.input_rate_hz * run.dt_ms * 1e-3))
    images = rows[1:].reshape(inputs.shape).astype(np.int32)
    return sample_events(images, thresholds, run.steps[-1], run.seed, first_sample)


def conversion_table(
    run: Simulation,
    exact: Sequence[NDArray],
    trained: NDArray,
    full_activity: Sequence[float],
    neuron: LIF | None,
    truth: NDArray | None,
    rest: Callable[[int, NDArray], NDArray],
) -> pd.DataFrame:
    """The table of ``diagnose``.

    ``run`` is a simulation of one time, with an axis of times; ``exact`` are the activities of its
    layers, [n, ...], and the outputs [n, classes], ``trained`` the outputs of the model, ``rest``
    gives those for the activity of a layer whose own layers above are exact.
    """
    rows = [{"layer": "model"} | _accuracy(trained, truth)]
    if neuron is not None:
        rows.append({"layer": "exact rates"} | _accuracy(exact[-1], truth))
    # A rate in spikes per step (IF) or per second (LIF), and the shortest time between spikes.
    shortest = 1.0 if neuron is None else neuron.refractory_period_s
    for layer, activity in enumerate(run.activities):
        full = full_activity[layer]
        seen, wanted = (
            np.asarray(each).reshape(len(each), -1) for each in (activity, exact[layer])
        )
        found = diagnose(wanted / full, seen / full, shortest)
        active, quiet = wanted > 0.0, seen == 0.0
        should = active.any(axis=0)
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
            | _accuracy(rest(layer, activity), truth)
        )
    rows.append({"layer": "outputs"} | _accuracy(np.asarray(run.outputs)[:, -1], truth))
    return pd.DataFrame(rows)


def _percent(part: int, whole: int) -> float:
    return 100.0 * float(part) / float(whole) if whole else float("nan")


def _accuracy(outputs: NDArray, labels: NDArray | None) -> dict[str, float]:
    if labels is None:
        return {}
    return {"accuracy_percent": accuracy_percent(outputs.argmax(axis=1), labels)}
