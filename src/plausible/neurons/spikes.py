"""Spike trains: Poisson coding, synapse filters, readouts. Numpy only.

A spike train is an array of counts ``[steps, ...]``. Source: Thuesen 2022, sections 3.3.3, 3.3.4,
3.4.4, and the notebook of the thesis for the filter as it was used.
"""

from typing import Literal

import numpy as np

from plausible.errors import StudyError

Normalisation = Literal["unit_area", "printed"]
KernelOrder = Literal["causal", "author"]
KERNEL_ORDERS = ("causal", "author")

SYNAPSE_TIME_CONSTANT_S = 0.00118
"""tau_s of Thuesen 2022, section 3.4.2."""

# An alpha kernel is cut where 5e-6 of its area is left.
_KERNEL_LENGTH_IN_TIME_CONSTANTS = 15.0


def poisson_spike_counts(
    rate_hz: np.ndarray, steps: int, dt_s: float, rng: np.random.Generator
) -> np.ndarray:
    """Independent counts ``[steps, *rate_hz.shape]``, mean ``rate_hz * dt_s`` (eq. 39).

    Several spikes in one step are allowed, so the coded rate is not limited by 1 / dt. (The thesis
    writes the mean as x dt / t_ref, which is the special case rate = x * 250 Hz.) Raises StudyError
    for rates that are negative or not finite.
    """
    rate_hz = np.asarray(rate_hz, dtype=np.float64)
    if not ((rate_hz >= 0) & np.isfinite(rate_hz)).all():
        raise StudyError("poisson_spike_counts: a rate is negative or not finite, in Hz.")
    return rng.poisson(rate_hz * dt_s, size=(steps, *rate_hz.shape))


def alpha_kernel_steps(tau_s: float, dt_s: float) -> int:
    """Number of samples after which less than 1e-5 of an alpha kernel is left."""
    return int(np.ceil(_KERNEL_LENGTH_IN_TIME_CONSTANTS * tau_s / dt_s)) + 1


def alpha_kernel(
    tau_s: float = SYNAPSE_TIME_CONSTANT_S,
    dt_s: float = 0.001,
    steps: int | None = None,
    normalise: Normalisation = "unit_area",
) -> np.ndarray:
    """Alpha synapse filter sampled at 0, dt, 2 dt, ...: ``[steps]`` (Thuesen 2022, eq. 40).

    ``printed`` is the equation as printed, (t / tau) exp(-t / tau). Its sum depends on the step: it
    is 1.112 at dt = 1 ms and tau = 1.18 ms, so a filtered spike train overestimates its rate by
    11 %. ``unit_area`` divides by the sum, so that sum(filtered) = sum(spikes). (The equation names
    two constants, tau_s and tau_a, for what is one.) ``steps`` defaults to 15 tau.
    """
    if not (tau_s > 0 and dt_s > 0):
        raise StudyError(f"alpha_kernel: tau = {tau_s} s and dt = {dt_s} s must both be positive.")
    steps = alpha_kernel_steps(tau_s, dt_s) if steps is None else steps
    ratio = np.arange(steps) * (dt_s / tau_s)
    kernel = ratio * np.exp(-ratio)
    if normalise == "printed":
        return kernel
    if normalise != "unit_area":
        raise StudyError(
            f"alpha_kernel: normalise is {normalise!r}, expected 'unit_area' or 'printed'."
        )
    total = kernel.sum()
    if not total > 0:
        raise StudyError(
            f"alpha_kernel: {steps} samples of {dt_s} s hold nothing of a kernel with tau = {tau_s}"
            " s; take more samples, a smaller step or a longer time constant."
        )
    return kernel / total


def author_kernel(tau_s: float = SYNAPSE_TIME_CONSTANT_S) -> np.ndarray:
    """The 11 filter taps of the thesis's notebook.

    The alpha function of eq. 40 is sampled at 11 points from 0 to 11 ms, that is every 1.1 ms, and
    then used at a spacing of 1 ms. The time constant tau = 1.18 ms is what brings the sum of these
    samples near 1 (0.9977).
    """
    ratio = np.linspace(0.0, 0.011, 11) / tau_s
    return ratio * np.exp(-ratio)


def kernel_taps(kernel: np.ndarray, order: KernelOrder) -> tuple[np.ndarray, int]:
    """Taps and first lag of a filter: a spike at step s adds ``taps[k]`` at s + first_lag + k.

    ``causal`` is a convolution: first lag 0. ``author`` is what the notebook of the thesis does by
    a cross-correlation (torch's conv1d does not flip its kernel) with as many zeros of padding on
    either side as half the kernel: time reversed and centred, with response before the spike. For
    11 taps it runs from lag -5 (the last tap) to lag 5 (the first, which is 0); the largest
    response comes 4 steps after the spike.
    """
    kernel = np.asarray(kernel, dtype=np.float64)
    if order == "causal":
        return kernel, 0
    if order != "author":
        raise StudyError(f"kernel order is {order!r}, expected one of {', '.join(KERNEL_ORDERS)}.")
    if len(kernel) % 2 == 0:
        raise StudyError(
            f"kernel order 'author' centres the kernel, so it needs an odd number of taps, "
            f"found {len(kernel)}."
        )
    return kernel[::-1].copy(), -(len(kernel) // 2)


def apply_kernel(
    spikes: np.ndarray, kernel: np.ndarray, order: KernelOrder = "causal"
) -> np.ndarray:
    """Filter spike trains ``[steps, ...]`` in time, with silence before and after.

    ``filtered[t] = sum_k taps[k] spikes[t - first_lag - k]`` with the taps of ``kernel_taps``.
    """
    taps, first_lag = kernel_taps(kernel, order)
    spikes = np.asarray(spikes, dtype=np.float64)
    filtered = np.zeros_like(spikes)
    for k, tap in enumerate(taps):
        lag = first_lag + k
        if abs(lag) >= len(spikes):
            continue
        if lag >= 0:
            filtered[lag:] += tap * spikes[: len(spikes) - lag]
        else:
            filtered[:lag] += tap * spikes[-lag:]
    return filtered


def spike_count_readout(counts: np.ndarray) -> np.ndarray:
    """Class of ``counts`` ``[..., classes]``: the neuron with most spikes, the first one of a tie.

    Thuesen 2022, section 3.4.4.
    """
    return np.argmax(counts, axis=-1)


def first_spike_readout(first_spike_step: np.ndarray) -> np.ndarray:
    """Class of ``first_spike_step`` ``[..., classes]``: the neuron that spikes first.

    A step of -1 means that the neuron never spiked. Ties, and images for which no neuron spikes, go
    to the first class. Thuesen 2022, section 3.4.4.
    """
    step = np.asarray(first_spike_step)
    return np.argmin(np.where(step < 0, np.iinfo(step.dtype).max, step), axis=-1)
