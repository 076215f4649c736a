"""Leaky integrate-and-fire neuron driven by spikes: events, and the sum of kernels. Numpy only.

Source: O'Connor 2020, section 1.4, eq. 1.9-1.10. Between events the potential decays to rest,

    s(t) = s_rest + (s(t_0) - s_rest) exp(-(t - t_0) / tau)               (eq. 1.9)

an input spike adds its weight, and a neuron that reaches the threshold fires and is reset. Since
all this is linear, the potential is also a sum of kernels over all input spikes and all own spikes
so far (eq. 1.10); with s_rest = s_reset = 0 and threshold 1 (the simplification of the thesis)

    s(t) = sum_in w exp(-(t - t_in) / tau) - sum_out drop exp(-(t - t_out) / tau).
"""

from typing import Literal, NamedTuple

import numpy as np

from plausible.errors import StudyError

Reset = Literal["value", "subtract"]
RESETS = ("value", "subtract")
MOST_SPIKES = 1_000_000
"""Spikes that one input may cause; more means that weights and threshold do not fit."""


class IntegrateAndFire(NamedTuple):
    """Constants of the neuron; potentials have no unit."""

    time_constant_s: float = 0.02
    """tau."""
    rest: float = 0.0
    reset: float = 0.0
    threshold: float = 1.0
    reset_mode: Reset = "value"
    """``value``: a spike sets the potential to ``reset``, whatever it was. ``subtract``: it lowers
    the potential by threshold - reset, and the excess over the threshold is kept, so that one input
    may cause several spikes."""


class Trace(NamedTuple):
    """What a neuron did."""

    event_potentials: np.ndarray
    """Potential just after each input spike and the resets that it caused, ``[inputs]``."""
    spike_times_s: np.ndarray
    """Own spikes, one entry each, ``[spikes]``."""
    drops: np.ndarray
    """By how much each own spike lowered the potential, ``[spikes]``."""


def check_neuron(neuron: IntegrateAndFire) -> None:
    """Raise StudyError for constants with which there is no such neuron."""
    if neuron.reset_mode not in RESETS:
        raise StudyError(
            f"integrate-and-fire: the reset is {neuron.reset_mode!r}, expected one of "
            f"{', '.join(RESETS)}."
        )
    if not neuron.time_constant_s > 0:
        raise StudyError(
            f"integrate-and-fire: the time constant is {neuron.time_constant_s} s, expected a "
            "positive number."
        )
    if not neuron.threshold > max(neuron.rest, neuron.reset):
        raise StudyError(
            f"integrate-and-fire: the threshold {neuron.threshold} must lie above rest "
            f"{neuron.rest} and reset {neuron.reset}, or the neuron never stops firing."
        )


def decay(neuron: IntegrateAndFire, potential: np.ndarray, time_s: np.ndarray) -> np.ndarray:
    """Potential after ``time_s`` seconds without input (eq. 1.9)."""
    remaining = np.exp(-np.asarray(time_s) / neuron.time_constant_s)
    return neuron.rest + (np.asarray(potential) - neuron.rest) * remaining


def simulate(
    neuron: IntegrateAndFire, input_times_s: np.ndarray, input_weights: np.ndarray
) -> Trace:
    """Event-by-event simulation, starting at rest; exact, whatever the distances of the events.

    Input spike k adds ``input_weights[k]`` at ``input_times_s[k]`` (ascending, ties in order).
    The neuron fires when its potential reaches the threshold, at the time of the input.

    Raises
    ------
    StudyError
        If the constants contradict themselves, or times and weights are not finite, of one length
        and in order.
    """
    check_neuron(neuron)
    times, weights = np.asarray(input_times_s, np.float64), np.asarray(input_weights, np.float64)
    if times.ndim != 1 or times.shape != weights.shape or (np.diff(times) < 0).any():
        raise StudyError(
            f"integrate-and-fire: times of shape {times.shape} and weights of shape "
            f"{weights.shape} were found, where two vectors of one length are expected, the times "
            "ascending."
        )
    if not (np.isfinite(times).all() and np.isfinite(weights).all()):
        raise StudyError("integrate-and-fire: times and weights must be finite numbers.")
    potential, now = neuron.rest, times[0] if len(times) else 0.0
    potentials, spikes, drops = [], [], []
    for time, weight in zip(times, weights, strict=True):
        potential = float(decay(neuron, potential, time - now)) + weight
        now = time
        if potential >= neuron.threshold:
            number, drop = 1, potential - neuron.reset
            if neuron.reset_mode == "subtract":
                drop = neuron.threshold - neuron.reset
                # In closed form: a loop would not end once the potential is too large to change.
                number = int((potential - neuron.threshold) // drop) + 1
                if number > MOST_SPIKES:
                    raise StudyError(
                        f"integrate-and-fire: an input of {weight} would cause {number} spikes at "
                        f"once, where {MOST_SPIKES} are allowed; use smaller weights."
                    )
            potential -= number * drop
            spikes += [time] * number
            drops += [drop] * number
        potentials.append(potential)
    return Trace(np.array(potentials), np.array(spikes), np.array(drops))


def kernel_sum(
    neuron: IntegrateAndFire,
    time_s: np.ndarray,
    input_times_s: np.ndarray,
    input_weights: np.ndarray,
    spike_times_s: np.ndarray,
    drops: np.ndarray,
) -> np.ndarray:
    """Potential at ``time_s`` as the sum of input and reset kernels (eq. 1.10).

    Events at ``time_s`` itself count. With reset by ``subtract`` every drop is threshold - reset,
    so the reset kernel has one shape; with reset to a value it depends on the excess.
    """
    time_s = np.asarray(time_s, np.float64)
    events = np.concatenate([np.asarray(input_times_s), np.asarray(spike_times_s)])
    jumps = np.concatenate([np.asarray(input_weights), -np.asarray(drops)])
    elapsed = time_s[..., None] - events
    past = elapsed >= 0
    kernel = np.exp(-np.where(past, elapsed, 0.0) / neuron.time_constant_s) * past
    return neuron.rest + kernel @ jumps
