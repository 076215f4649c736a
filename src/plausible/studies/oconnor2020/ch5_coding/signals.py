"""Random signals of chapter 5, as the author draws them."""

from functools import partial

import numpy as np
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from plausible.seeds import numpy_generator

generator = partial(numpy_generator, "oconnor2020", "ch5_coding")
"""Random stream of an experiment, a seed and a purpose."""


def low_pass(
    rng: np.random.Generator, steps: int, cutoff: float, count: int | None = None
) -> NDArray[np.float64]:
    """Noise through a Butterworth filter of second order, over its deviation: [steps (, count)].

    ``cutoff`` is in units of half of the sampling rate.
    """
    noise = rng.standard_normal(steps if count is None else (steps, count))
    numerator, denominator = butter(2, cutoff)
    signal = lfilter(numerator, denominator, noise, axis=0)
    return signal / signal.std(axis=0)
