"""Spike events of many images: sampled from grey levels, or gathered from dense counts (numba).

Random numbers are counter based: the number used for a (seed, image, step, pixel) is a hash of
these four and of nothing else. So the spikes of an image do not depend on which other images are
simulated with it, on the order, on the length of the simulation, or on the other pixels, and two
networks that are given the same seed see the same input spikes.
"""

from typing import NamedTuple

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.compiling import copy, kernel, merged, wide_vectors
from plausible.kernels.vectors import at_least_64, lowest_bit


class Events(NamedTuple):
    """Spikes sorted by image, then step.

    The spikes of image i in step t are entries ``start[i, t]`` to ``start[i, t + 1]`` of ``neuron``
    and ``count``. ``start`` int64 ``[images, steps + 1]``, ``neuron`` and ``count`` int32.
    """

    start: np.ndarray
    neuron: np.ndarray
    count: np.ndarray


# The hash is SplitMix64 (Steele, Lea, Flood 2014) read at an arbitrary position: the state is a key
# plus a multiple of an odd constant, the output its finaliser.
_INCREMENT = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_1, _SHIFT_2, _SHIFT_3 = np.uint64(30), np.uint64(27), np.uint64(31)
_TOP_BITS = np.uint64(56)
_ONE = np.uint64(1)


@merged
def _finalise(state):
    state = (state ^ (state >> _SHIFT_1)) * _MULTIPLIER_1
    state = (state ^ (state >> _SHIFT_2)) * _MULTIPLIER_2
    return state ^ (state >> _SHIFT_3)


@kernel
def image_key(seed, image):
    """Key (uint64) of the random numbers of one image; arguments are uint64."""
    return _finalise(_finalise(seed + _INCREMENT) ^ _finalise((image + _ONE) * _INCREMENT))


@kernel
def random_words(key, first, number):
    """Words first, first + 1, ... of the stream of ``key``: uint64 ``[number]``."""
    words = np.empty(number, np.uint64)
    for i in range(number):
        words[i] = _finalise(key + (first + np.uint64(i) + _ONE) * _INCREMENT)
    return words


def poisson_thresholds(means: np.ndarray) -> np.ndarray:
    """Cumulative Poisson probabilities scaled to 64-bit integers: uint64 ``[means, counts]``.

    The count of a uniformly distributed word u is the number of thresholds that do not exceed u.
    The columns reach so far that what is cut off has a probability below 1e-15 for every mean.
    """
    means = np.asarray(means, dtype=np.float64)
    if not (means.min() >= 0 and means.max() <= 500):
        raise StudyError(
            f"input spikes: means of {means.min():.0f} to {means.max():.0f} spikes per pixel and "
            "step were found; choose input_rate_hz and dt_ms so that they lie between 0 and 500."
        )
    probability = np.exp(-means)
    columns = [probability]
    largest = means.max()
    # The tail beyond k > mean is below p(k) / (1 - mean / k).
    k = 0
    while k <= largest or probability.max() / (1 - largest / k) > 1e-15:
        k += 1
        probability = probability * means / k
        columns.append(probability)
    cumulative = np.cumsum(np.stack(columns, axis=1), axis=1)
    # float64 has no value between 1 - 2**-53 and 1: what rounds to 1 becomes the largest word.
    top = np.nextafter(2.0**64, 0)
    scaled = np.minimum(cumulative * 2.0**64, top).astype(np.uint64)
    scaled[cumulative >= 1] = np.iinfo(np.uint64).max
    scaled[:, -1] = np.iinfo(np.uint64).max
    return scaled


def _search_guide(thresholds: np.ndarray) -> np.ndarray:
    """Where the search for a count may start, by the top 8 bits of a word: int64 ``[means, 256]``.

    Counts below 1 are never searched for, so the smallest entry is 1.
    """
    lowest = np.arange(256, dtype=np.uint64) << _TOP_BITS
    reached = np.zeros((len(thresholds), len(lowest)), np.int64)
    for column in thresholds.T:
        reached += column[:, None] <= lowest
    return np.maximum(reached, 1)


@kernel
def _sample(images, thresholds, guide, seed, first_image, steps, start, neuron, count):
    wide_vectors()
    pixels = images.shape[1]
    padded = (pixels + 63) // 64 * 64
    active = np.empty(padded, np.int32)
    offset = np.empty(padded, np.uint64)
    silence = np.empty(padded, np.uint64)
    words = np.empty(padded, np.uint64)
    used = 0
    for i in range(images.shape[0]):
        key = image_key(seed, first_image + np.uint64(i))
        number = 0
        for p in range(pixels):
            if images[i, p] > 0:
                active[number] = p
                offset[number] = np.uint64(p) * _INCREMENT
                silence[number] = thresholds[images[i, p], 0]
                number += 1
        words[number:] = 0  # the padding of the last 64 never spikes
        silence[number:] = _ONE
        for t in range(steps):
            start[i, t] = used
            base = key + (np.uint64(t) * np.uint64(pixels) + _ONE) * _INCREMENT
            for a in range(number):
                words[a] = _finalise(base + offset[a])
            for first in range(0, number, 64):
                spiking = at_least_64(
                    words.ctypes.data + 8 * first, silence.ctypes.data + 8 * first
                )
                while spiking != 0:
                    a = first + lowest_bit(spiking)
                    spiking &= spiking - _ONE
                    word, grey = words[a], images[i, active[a]]
                    n = guide[grey, word >> _TOP_BITS]
                    while n < thresholds.shape[1] and word >= thresholds[grey, n]:
                        n += 1
                    neuron[used] = active[a]
                    count[used] = n
                    used += 1
        start[i, steps] = used
    return used


def sample_events(
    images: np.ndarray,
    thresholds: np.ndarray,
    steps: int,
    rng_seed: int,
    first_image: int,
) -> Events:
    """Poisson spikes of grey levels ``images`` ``[n, pixels]`` for ``steps`` time steps.

    Row g of ``thresholds`` belongs to grey level g; black pixels are silent. ``first_image`` is the
    number of the first image within its data set.
    """
    start = np.empty((len(images), steps + 1), np.int64)
    capacity = steps * int(np.count_nonzero(images))
    neuron = np.empty(capacity, np.int32)
    count = np.empty(capacity, np.int32)
    used = _sample(
        images,
        thresholds,
        _search_guide(thresholds),
        np.uint64(rng_seed),
        np.uint64(first_image),
        steps,
        start,
        neuron,
        count,
    )
    return Events(start, neuron[:used], count[:used])


def events_of_counts(counts: np.ndarray) -> Events:
    """Events of dense spike counts ``[images, steps, neurons]``."""
    images, steps, _ = counts.shape
    image, step, neuron = np.nonzero(counts)
    per_step = np.bincount(image * steps + step, minlength=images * steps).reshape(images, steps)
    ends = np.cumsum(per_step).reshape(images, steps)
    start = np.concatenate([(ends[:, :1] - per_step[:, :1]), ends], axis=1)
    return Events(
        np.ascontiguousarray(start, np.int64),
        neuron.astype(np.int32),
        counts[image, step, neuron].astype(np.int32),
    )


def dense_counts(events: Events, neurons: int) -> np.ndarray:
    """Spike counts int32 ``[images, steps, neurons]`` of ``events``."""
    images, steps = events.start.shape[0], events.start.shape[1] - 1
    dense = np.zeros((images * steps, neurons), np.int32)
    row = np.repeat(np.arange(images * steps), np.diff(events.start, axis=1).ravel())
    dense[row, events.neuron] = events.count
    return dense.reshape(images, steps, neurons)


@kernel
def _count(start, neuron, count, checkpoint_steps, totals, first_step):
    for i in range(start.shape[0]):
        t = 0
        for c in range(checkpoint_steps.shape[0]):
            if c > 0:
                copy(totals[i, c - 1], totals[i, c], totals.shape[2])
            while t < checkpoint_steps[c]:
                for e in range(start[i, t], start[i, t + 1]):
                    totals[i, c, neuron[e]] += count[e]
                    if first_step[i, neuron[e]] < 0:
                        first_step[i, neuron[e]] = t
                t += 1


def count_events(
    events: Events, checkpoint_steps: np.ndarray, neurons: int
) -> tuple[np.ndarray, np.ndarray]:
    """Cumulative counts int32 ``[images, checkpoints, neurons]`` and first steps int32 (-1: none).

    A checkpoint of s steps counts steps 0 .. s - 1.
    """
    images = len(events.start)
    totals = np.zeros((images, len(checkpoint_steps), neurons), np.int32)
    first_step = np.full((images, neurons), -1, np.int32)
    _count(events.start, events.neuron, events.count, checkpoint_steps, totals, first_step)
    return totals, first_step


@kernel
def _total(start, count, checkpoint_steps, totals):
    for i in range(start.shape[0]):
        t, total = 0, 0
        for c in range(checkpoint_steps.shape[0]):
            for e in range(start[i, t], start[i, checkpoint_steps[c]]):
                total += count[e]
            t = checkpoint_steps[c]
            totals[i, c] = total


def total_events(events: Events, checkpoint_steps: np.ndarray) -> np.ndarray:
    """Cumulative spikes of all neurons together: int64 ``[images, checkpoints]``."""
    totals = np.empty((len(events.start), len(checkpoint_steps)), np.int64)
    _total(events.start, events.count, checkpoint_steps, totals)
    return totals
