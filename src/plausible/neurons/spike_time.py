"""Spike times of neurons that spike once, and their derivatives: SpikeProp. Numpy and scipy.

Source: O'Connor 2020, section 2.2 (after Bohte, Kok and La Poutre 2002). Every input reaches a
neuron through several synapses with delays d_k. Its potential, time in units of the time constant,

    u_j(t) = sum_ik w_ikj eps(t - t_i - d_k),        eps(s) = s exp(-s) for s > 0, else 0

makes it spike at the first t_j with u_j(t_j) = theta. Near that time the potential is linear, so

    dt_j/dw_ikj = -eps(t_j - t_i - d_k) / u_j'(t_j)
    dt_j/dt_i = sum_k w_ikj eps'(t_j - t_i - d_k) / u_j'(t_j)

A neuron that never reaches the threshold has the spike time infinity, and no derivative: it is
given 0. A silent neuron does not learn.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import brentq

from plausible.errors import StudyError


class Synapses(NamedTuple):
    """Connections of one layer to the next."""

    weights: NDArray[np.float64]
    """w, ``[inputs, delays, outputs]``."""
    delays: NDArray[np.float64]
    """d_k, ``[delays]``, in time constants."""


def kernel(time: NDArray) -> NDArray[np.float64]:
    """eps(s)."""
    late = np.maximum(time, 0.0)
    return late * np.exp(-late)


def kernel_slope(time: NDArray) -> NDArray[np.float64]:
    """eps'(s), 0 before the spike arrives."""
    return np.where(time > 0.0, (1.0 - time) * np.exp(-np.maximum(time, 0.0)), 0.0)


def spike_times(synapses: Synapses, inputs: NDArray, threshold: float = 1.0) -> NDArray[np.float64]:
    """Spike times of a layer, ``[outputs]``, for spikes of its ``inputs`` ``[inputs]``.

    Infinity stands for a neuron that does not spike, on either side.

    Raises
    ------
    StudyError
        If inputs, delays and weights do not fit together, or the threshold is not positive.
    """
    shape = (len(inputs), len(synapses.delays))
    if synapses.weights.ndim != 3 or synapses.weights.shape[:2] != shape:
        raise StudyError(
            f"spike times: weights of shape {synapses.weights.shape} were found, where "
            f"[{shape[0]} inputs, {shape[1]} delays, outputs] are expected."
        )
    if not threshold > 0.0:
        raise StudyError(f"spike times: the threshold is {threshold}, expected a positive number.")
    arrivals = (np.asarray(inputs, np.float64)[:, None] + synapses.delays).ravel()
    reached = np.flatnonzero(np.isfinite(arrivals))
    order = reached[np.argsort(arrivals[reached], kind="stable")]
    weights = synapses.weights.reshape(len(arrivals), -1)[order]
    return np.array([_first_crossing(arrivals[order], each, threshold) for each in weights.T])


def _first_crossing(arrivals: NDArray, weights: NDArray, threshold: float) -> float:
    """First time at which the potential of one neuron is the threshold; arrivals ascend.

    Between two arrivals the potential is exp(-t) (b t - a), which has one extremum, t = 1 + a / b:
    on either side of it, it crosses the threshold once at most.
    """
    if not len(arrivals):
        return np.inf

    def above(time: float) -> float:
        return float(weights @ kernel(time - arrivals)) - threshold

    start = arrivals[0]
    growth = weights * np.exp(arrivals - start)
    slopes, offsets = np.cumsum(growth), np.cumsum(growth * (arrivals - start))
    for number, low in enumerate(arrivals):
        high = arrivals[number + 1] if number + 1 < len(arrivals) else np.inf
        with np.errstate(divide="ignore", invalid="ignore"):
            extremum = start + 1.0 + offsets[number] / slopes[number]
        # Beyond the last arrival and the extremum the potential goes to 0 without another turn.
        points = [point for point in (extremum, high) if low < point <= high < np.inf]
        points += [extremum] if high == np.inf and low < extremum < np.inf else []
        for left, right in zip([low, *points], points, strict=False):
            if above(left) < 0.0 <= above(right):
                return float(brentq(above, left, right, xtol=1e-15, rtol=1e-15))
    return np.inf


class TimeSlopes(NamedTuple):
    """Derivatives of the spike times of a layer; 0 where a neuron of either side is silent."""

    by_weight: NDArray[np.float64]
    """dt_j/dw_ikj, ``[inputs, delays, outputs]``."""
    by_input: NDArray[np.float64]
    """dt_j/dt_i, ``[inputs, outputs]``."""


def time_slopes(synapses: Synapses, inputs: NDArray, outputs: NDArray) -> TimeSlopes:
    """Derivatives of spike times ``outputs`` ``[outputs]`` that ``inputs`` ``[inputs]`` caused."""
    spiking = np.isfinite(inputs)[:, None, None] & np.isfinite(outputs)
    early, late = (np.where(np.isfinite(each), each, 0.0) for each in (inputs, outputs))
    since = late - (early[:, None] + synapses.delays)[:, :, None]
    rises = np.where(spiking, synapses.weights * kernel_slope(since), 0.0)
    rise = rises.sum(axis=(0, 1))
    steepness = np.where(np.isfinite(outputs), rise, 1.0)
    by_weight = np.where(spiking, -kernel(since) / steepness, 0.0)
    return TimeSlopes(by_weight, rises.sum(axis=1) / steepness)


def loss_gradients(
    layers: Sequence[Synapses], inputs: NDArray, targets: NDArray, threshold: float = 1.0
) -> tuple[float, list[NDArray[np.float64]]]:
    """Loss 1/2 sum_j (t_j - target_j)^2 of the last layer, and its gradient by all weights.

    Outputs that do not spike, which have no spike time to be compared, add nothing.
    """
    times = [np.asarray(inputs, np.float64)]
    for synapses in layers:
        times.append(spike_times(synapses, times[-1], threshold))
    late = times[-1] - targets
    error = np.where(np.isfinite(late), late, 0.0)
    loss, gradients = float(0.5 * (error**2).sum()), []
    for synapses, before, after in zip(layers[::-1], times[-2::-1], times[:0:-1], strict=True):
        slopes = time_slopes(synapses, before, after)
        gradients.append(slopes.by_weight * error)
        error = slopes.by_input @ error
    return loss, gradients[::-1]
