"""Values as spikes: encoders for numpy arrays and torch tensors."""

from typing import NamedTuple

import numpy as np

from plausible.errors import ModelError
from plausible.models.data import Data, as_given, as_reals
from plausible.neurons import quantizers, spikes


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
    """
    stream = as_reals(values, "values")
    if steps is not None:
        if steps < 1:
            raise ModelError(f"steps is {steps}, expected a number from 1.")
        stream = np.broadcast_to(stream, (steps, *stream.shape))
    elif not stream.ndim:
        raise ModelError("one number is no stream; say of how many steps.")
    start = None if potential is None else as_reals(potential, "potential")
    if start is not None and start.shape != stream.shape[1:]:
        raise ModelError(
            f"potential has shape {list(start.shape)}, expected {list(stream.shape[1:])}."
        )
    found = quantizers.quantize_stream(stream, rectified, start)
    return SpikeTrain(as_given(found.spikes, values), as_given(found.potential, values))


def poisson_spikes(rates_hz: Data, time_ms: float, *, dt_ms: float = 1.0, seed: int = 0) -> Data:
    """Poisson spike counts, int64 [steps, ...], of rates in Hz [...], from 0.

    The count of a step has mean rate x dt, and may exceed 1. Source: Thuesen 2022, eq. 39.
    """
    rates = as_reals(rates_hz, "rates_hz")
    if rates.size and rates.min() < 0.0:
        raise ModelError(f"rates_hz has {rates.min():g}, expected rates from 0.")
    if not (np.isfinite([time_ms, dt_ms]).all() and 0.0 < dt_ms <= time_ms):
        raise ModelError(f"time_ms is {time_ms} and dt_ms {dt_ms}, expected 0 < dt_ms <= time_ms.")
    counts = spikes.poisson_spike_counts(
        rates, round(time_ms / dt_ms), dt_ms * 1e-3, np.random.default_rng(seed)
    )
    return as_given(counts, rates_hz)
