"""Quantizers that turn real values into spikes. Numpy only.

A quantizer adds its input to a potential phi and emits spikes until no |phi_i| exceeds 1/2; a spike
takes its sign off phi. Within a step, spikes leave in the order of decreasing |phi|, as if the
largest were looked for again after each. How many they are has a closed form, which is used here:
a loop `while phi > 1/2` does not end once phi is too large to change by 1.

Source: O'Connor 2020, sections 3.4.1 to 3.4.4 and A.1, algorithms 1, 2, 10, 11 and 12.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plausible.errors import StudyError


class Quantized(NamedTuple):
    """Spikes of a stream: ``spikes`` int64 ``[steps, ...]``, ``potential`` phi after the last."""

    spikes: np.ndarray
    potential: np.ndarray


def spike_numbers(
    potential: np.ndarray,
    rectified: bool = False,
    unit: float = 1,
    half: float = 0.5,
    half_below: float | None = None,
) -> np.ndarray:
    """Signed number of spikes int64 that bring |phi| down to 1/2 or less (phi <= 1/2 if rectified).

    n = ceil(|phi| - 1/2) with the sign of phi, 0 if that is negative: the threshold is strict, so
    phi = 1/2 is silent. ``unit`` is what one spike takes off and ``half`` the threshold, of
    negative spikes ``half_below`` if it is another; integers give integer arithmetic throughout.
    """
    size = np.maximum(potential, 0) if rectified else np.abs(potential)
    limit = half if half_below is None else np.where(potential < 0, half_below, half)
    # Floor division of the negative rounds up, for integers as well; half comes off exactly.
    numbers = np.where(size > limit, -((limit - size) // unit), 0).astype(np.int64)
    return np.where(potential < 0, -numbers, numbers)


def spike_codes(
    potential: np.ndarray,
    rectified: bool = False,
    unit: float = 1,
    half: float = 0.5,
    half_below: float | None = None,
) -> np.ndarray:
    """Spikes of one step in their order: int64, i for a positive spike of unit i, -1 - i otherwise.

    Decreasing |phi| at the time of the spike; the lower unit first among equals. ``potential``
    ``[units]`` is changed in place (algorithm 1: the arg max is emitted and its sign taken off).
    """
    numbers = spike_numbers(potential, rectified, unit, half, half_below)
    units = np.repeat(np.arange(len(potential)), np.abs(numbers))
    earlier = np.concatenate([np.arange(n) for n in np.abs(numbers)] or [np.empty(0, int)])
    keys = np.abs(potential[units]) - earlier * unit
    order = np.lexsort((units, -keys))
    codes = np.where(potential[units] > 0, units, -1 - units)[order]
    potential -= numbers * unit
    return codes.astype(np.int64)


def herd(values: ArrayLike, potential: np.ndarray) -> np.ndarray:
    """One step of signed quantization: spikes int64; ``potential`` is changed in place."""
    potential += np.asarray(values, dtype=np.float64)
    _check_finite(potential)
    spikes = spike_numbers(potential)
    potential -= spikes
    return spikes


def quantize_stream(
    values: ArrayLike, rectified: bool = False, potential: ArrayLike | None = None
) -> Quantized:
    """Spikes of a stream ``values`` ``[steps, ...]``: algorithm 11, or 2 and 12 if ``rectified``.

    Unrectified, the sum of the spikes differs from the sum of the values by what is left in phi, at
    most 1/2 per element (eq. 3.2). Rectified, only positive spikes are emitted, and the mean spike
    number approaches max(0, mean of the values) (eq. 3.3).

    ``potential`` is phi before the first step, default 0. Raises StudyError for values that are not
    finite.
    """
    values = np.asarray(values, dtype=np.float64)
    _check_finite(values)
    phi = np.zeros(values.shape[1:]) if potential is None else np.array(potential, np.float64)
    spikes = np.empty(values.shape, np.int64)
    for step, value in enumerate(values):
        phi += value
        spikes[step] = spike_numbers(phi, rectified)
        phi -= spikes[step]
    return Quantized(spikes, phi)


def quantize_vector(vector: ArrayLike, steps: int) -> Quantized:
    """Spiking vector quantization: the stream of a constant ``vector`` (algorithm 1)."""
    vector = np.asarray(vector, dtype=np.float64)
    return quantize_stream(np.broadcast_to(vector, (_positive(steps), *vector.shape)))


def vector_counts(vector: ArrayLike, steps: ArrayLike) -> np.ndarray:
    """Closed form of algorithm 1: spikes up to step t, int64 ``[*steps.shape, *vector.shape]``.

    The count is t v rounded to the nearest integer, a half towards zero, since then |phi| = 1/2 is
    within the threshold. Rounding errors of the running sum aside, this is what `quantize_vector`
    counts.
    """
    vector = np.asarray(vector, dtype=np.float64)
    _check_finite(vector)
    return spike_numbers(np.multiply.outer(np.asarray(steps), vector))


def rectified_counts(values: ArrayLike) -> np.ndarray:
    """Closed form of algorithm 2: spikes up to each step, int64 like ``values`` ``[steps, ...]``.

    N_T = max(0, ceil(max_{T' <= T} sum_{t <= T'} v_t - 1/2)). Eq. A.5 prints floor(... + 1/2),
    which is one too many where the largest sum lies exactly half-way between integers: the
    threshold is strict.
    """
    values = np.asarray(values, dtype=np.float64)
    _check_finite(values)
    highest = np.maximum.accumulate(np.cumsum(values, axis=0), axis=0)
    return spike_numbers(highest, rectified=True)


def sampled_events(vector: ArrayLike, steps: int, rng: np.random.Generator) -> np.ndarray:
    """Stochastic sampling of ``vector`` ``[units]``: signed event counts int64 ``[steps, units]``.

    Algorithm 10: a Poisson number of events per step with mean sum |v|, each at unit i with
    probability |v_i| / sum |v|, with the sign of v_i. The mean over the steps is an unbiased
    estimate of v with an error that falls as 1 / sqrt(T).
    """
    vector = np.asarray(vector, dtype=np.float64)
    _check_finite(vector)
    size = np.abs(vector)
    total = size.sum()
    if total == 0:
        return np.zeros((_positive(steps), len(vector)), np.int64)
    numbers = rng.poisson(total, _positive(steps))
    return rng.multinomial(numbers, size / total) * np.sign(vector).astype(np.int64)


def residual_bound(units: int) -> float:
    """Bound of the L1 norm of phi after any step of algorithm 1: units / 2 (eq. A.2)."""
    return units / 2


def running_product(spikes: ArrayLike, weights: ArrayLike) -> np.ndarray:
    """Incremental dot product ``[steps, outputs]`` of ``spikes`` ``[steps, units]`` (eq. 3.4).

    Row t is (1 / t) times the signed sum of the rows of ``weights`` ``[units, outputs]`` that the
    spikes of the first t steps select; it approaches v W as 1 / t.
    """
    spikes = np.asarray(spikes)
    times = np.arange(1, len(spikes) + 1)[:, None]
    return np.cumsum(spikes, axis=0) @ np.asarray(weights) / times


def _check_finite(values: np.ndarray) -> None:
    if not np.isfinite(values).all():
        raise StudyError("quantizer: a value is not finite; spikes of it are not defined.")


def _positive(steps: int) -> int:
    if steps < 1:
        raise StudyError(f"quantizer: {steps} steps were asked for, expected at least 1.")
    return steps
