"""Smooth random signals. Numpy and scipy only."""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.signal import butter, lfilter


def low_pass(
    rng: np.random.Generator, steps: int, cutoff: float, count: int | None = None
) -> NDArray[np.float64]:
    """Noise through a Butterworth filter of second order, over its deviation: [steps (, count)].

    ``cutoff`` is in units of half of the sampling rate (O'Connor 2020, signals of chapter 5).
    """
    noise = rng.standard_normal(steps if count is None else (steps, count))
    numerator, denominator = butter(2, cutoff)
    signal = lfilter(numerator, denominator, noise, axis=0)
    return signal / signal.std(axis=0)


def smooth_signals(
    rng: np.random.Generator, count: int, steps: int, width: float, quiet: int = 0
) -> NDArray[np.float64]:
    """Smooth random signals between 0 and 1, [count, steps]: filtered noise, each over its range.

    ``width`` is the standard deviation of the filter in steps. With ``quiet`` that many last steps
    are 0; the signal rises from 0 and falls to it over ``width`` steps.
    """
    noise = gaussian_filter1d(rng.standard_normal((count, steps)), width, mode="wrap")
    low, high = noise.min(axis=1, keepdims=True), noise.max(axis=1, keepdims=True)
    signals = (noise - low) / (high - low)
    if quiet:
        from_an_end = np.minimum(np.arange(steps), steps - quiet - np.arange(steps))
        signals = signals * np.clip(from_an_end / width, 0.0, 1.0)
    return signals
