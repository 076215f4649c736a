"""Frames in an order in which neighbours are alike: Temporal MNIST (numba).

The definition is ``temporal_order_reference``. The distance of two frames is at least the
difference of their sums, so that many need not be computed.
"""

import numpy as np

from plausible.data.dataset import Dataset, content_checksum
from plausible.errors import DataError
from plausible.kernels.compiling import copy, inner, kernel

BUFFER_SIZE = 1000
"""Frames among which the next one is chosen, by the author's code."""


@inner
def _distance(first, second, pixels):
    """L1 distance. Each step is cast: numba would go on in 64 bits, at a third of the speed."""
    total = np.int32(0)
    for p in range(pixels):
        difference = np.int32(np.int32(first[p]) - np.int32(second[p]))
        total = np.int32(total + np.int32(abs(difference)))
    return total


@kernel
def _greedy_order(frames, sums, buffer_size):
    number, pixels = frames.shape
    order = np.empty(number, np.int64)
    slots = min(buffer_size, number - 1)
    # Candidates lie side by side in memory, whatever their place in the file.
    waiting = np.empty((slots, pixels), np.uint8)
    waiting_sum = np.empty(slots, np.int64)
    waiting_index = np.empty(slots, np.int64)
    for slot in range(slots):
        copy(frames[slot + 1], waiting[slot], pixels)
        waiting_sum[slot] = sums[slot + 1]
        waiting_index[slot] = slot + 1
    taken = slots + 1
    current = 0
    order[0] = 0
    for position in range(1, number):
        smallest = np.int64(np.iinfo(np.int64).max)
        nearest = -1
        frame, frame_sum = frames[current], sums[current]
        for slot in range(slots):
            # Equal distances do not replace the first one found.
            if waiting_index[slot] < 0 or abs(waiting_sum[slot] - frame_sum) >= smallest:
                continue
            distance = np.int64(_distance(frame, waiting[slot], pixels))
            if distance < smallest:
                smallest, nearest = distance, slot
        current = waiting_index[nearest]
        order[position] = current
        if taken < number:
            copy(frames[taken], waiting[nearest], pixels)
            waiting_sum[nearest] = sums[taken]
            waiting_index[nearest] = taken
            taken += 1
        else:
            waiting_index[nearest] = -1
    return order


def temporal_order(frames: np.ndarray, buffer_size: int = BUFFER_SIZE) -> np.ndarray:
    """Permutation int64 ``[n]`` of grey levels ``frames`` uint8 ``[n, pixels]``.

    Each frame is followed by its nearest neighbour (L1) among the ``buffer_size`` frames that wait;
    see ``temporal_order_reference.greedy_order``. O'Connor 2020, section 4.6.2, appendix B.4.

    Raises
    ------
    DataError
        If the frames are no such array, there is none, or the buffer has no place.
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 2 or not len(frames):
        raise DataError(
            f"temporal order: frames of type {frames.dtype} and shape {frames.shape} were found, "
            "where grey levels (uint8) of shape [frames, pixels] are expected, at least one frame."
        )
    if int(buffer_size) != buffer_size or buffer_size < 1:
        raise DataError(
            f"temporal order: the buffer size is {buffer_size}, where a whole number of 1 or more "
            "is expected."
        )
    frames = np.ascontiguousarray(frames)
    return _greedy_order(frames, frames.sum(axis=1, dtype=np.int64), int(buffer_size))


def temporal_dataset(dataset: Dataset, buffer_size: int = BUFFER_SIZE) -> Dataset:
    """The data set with training and test images in temporal order, each part for itself."""
    train = temporal_order(dataset.train_images, buffer_size)
    test = temporal_order(dataset.test_images, buffer_size)
    parts = (
        dataset.train_images[train],
        dataset.train_labels[train],
        dataset.test_images[test],
        dataset.test_labels[test],
    )
    return Dataset(
        f"temporal_{dataset.name}",
        *parts,
        dataset.image_shape,
        dataset.white,
        content_checksum(*parts, dataset.image_shape, dataset.white),
    )


def frame_distances(frames: np.ndarray) -> np.ndarray:
    """L1 distances of neighbouring frames in grey levels, int64 ``[n - 1]``."""
    frames = np.asarray(frames)
    return np.array(
        [
            np.abs(after.astype(np.int64) - before).sum()
            for before, after in zip(frames, frames[1:], strict=False)
        ],
        np.int64,
    )


def label_change_fraction(labels: np.ndarray) -> float:
    """Fraction of the steps at which the label changes."""
    return float(np.mean(np.diff(labels) != 0))
