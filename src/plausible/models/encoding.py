"""Values as spikes: encoders for numpy arrays and torch tensors."""

from typing import NamedTuple

import numpy as np

from plausible.errors import ModelError
from plausible.models.data import Data, as_count, as_given, as_number, as_reals
from plausible.neurons import quantizers, spikes

LARGEST_SUM = 1e15
"""Beyond it float64 has no halves any more."""


class SpikeTrain(NamedTuple):
    """Signed spikes of a stream, and what is not told yet."""

    spikes: Data
    """Whole numbers, int64 [steps, ...]."""
    potential: Data
    """What is left, [...]; start the next piece of the stream with it."""


def quantize(
    values: Data,
    *,
    steps: int | None = None,
    rectified: bool = False,
    potential: Data | None = None,
) -> SpikeTrain:
    """Herding: spikes whose running sum is that of ``values`` to half a spike.

    A potential adds up the values, and emits as many signed spikes as bring it back to 1/2 or less.
    After every step

        |sum of values - sum of spikes| <= 1/2

    so a mean over T steps is right to 1 / (2 T), where random spikes have an error of
    1 / sqrt(T). Source: O'Connor 2020, section 3.4.1, algorithms 1, 2, 11 and 12.

    Parameters
    ----------
    values:
        A stream [steps, ...]; or one array [...] that is repeated ``steps`` times.
    rectified:
        Positive spikes only: their mean approaches max(0, mean of the values) (eq. 3.3).
    potential:
        Where an earlier piece of the stream ended.

    Raises
    ------
    ModelError
        If an argument is not what is expected, or sums are so large that a half is lost in them.
    """
    stream = as_reals(values, "values")
    if steps is not None:
        stream = np.broadcast_to(stream, (as_count(steps, "steps", 1), *stream.shape))
    elif not stream.ndim:
        raise ModelError("values: found one number, which is no stream; say of how many steps.")
    if np.abs(stream).sum(axis=0).max(initial=0.0) > LARGEST_SUM:
        raise ModelError(
            f"values: found sums beyond {LARGEST_SUM:g}, in which a half is lost; use smaller ones."
        )
    start = None if potential is None else as_reals(potential, "potential")
    if start is not None and start.shape != stream.shape[1:]:
        raise ModelError(
            f"potential: found the shape {list(start.shape)}, expected {list(stream.shape[1:])}."
        )
    found = quantizers.quantize_stream(stream, rectified, start)
    return SpikeTrain(as_given(found.spikes, values), as_given(found.potential, values))


def poisson_spikes(rates_hz: Data, time_ms: float, *, dt_ms: float = 1.0, seed: int = 0) -> Data:
    """Poisson spike counts, int64 [steps, ...], of rates in Hz [...], from 0.

    The count of a step of ``dt_ms`` has mean rate x step, and may exceed 1. ``seed`` decides on
    them. Source: Thuesen 2022, eq. 39.

    Raises
    ------
    ModelError
        If a rate is negative or too high to count, or ``time_ms`` no multiple of ``dt_ms``.
    """
    rates = as_reals(rates_hz, "rates_hz")
    time_ms, dt_ms = as_number(time_ms, "time_ms"), as_number(dt_ms, "dt_ms")
    if rates.size and not 0.0 <= rates.min() <= rates.max() * dt_ms <= LARGEST_SUM:
        raise ModelError(
            f"rates_hz: found rates from {rates.min():g} to {rates.max():g}, expected them from 0 "
            f"to less than {LARGEST_SUM:g} spikes a step."
        )
    steps = round(time_ms / dt_ms)
    if steps < 1 or abs(steps - time_ms / dt_ms) > 1e-6:
        raise ModelError(
            f"time_ms: found {time_ms:g}, expected a multiple of dt_ms, which is {dt_ms:g}."
        )
    random = np.random.default_rng(as_count(seed, "seed"))
    counts = spikes.poisson_spike_counts(rates, steps, dt_ms * 1e-3, random)
    return as_given(counts, rates_hz)
