"""Temporal MNIST: figure 4.3 of O'Connor 2020 and the generator of appendix B.4."""

from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels.temporal_order import label_change_fraction, temporal_order
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles.settings import TemporalMnist

SHOWN = "thesis test"
"""The sequence of figure 4.3."""


def _sequences(dataset: Dataset) -> list[tuple[str, str, NDArray, NDArray]]:
    """Sequences that are ordered, each for itself: name, protocol that takes it, images, labels."""
    thesis = split_dataset(dataset, "thesis")
    return [
        ("thesis test", "as_coded", thesis.test_images, thesis.test_labels),
        ("official test", "as_published", dataset.test_images, dataset.test_labels),
        ("thesis training", "as_coded", thesis.train_images, thesis.train_labels),
    ]


def _distances(images: NDArray, white: int) -> tuple[float, float]:
    """Mean L1 and mean L2 distance of neighbouring images in intensities from 0 to 1."""
    first = second = 0.0
    for before, after in pairwise(images):
        change = (after.astype(np.float64) - before) / white
        first += float(np.abs(change).sum())
        second += float(np.sqrt(np.square(change).sum()))
    return first / (len(images) - 1), second / (len(images) - 1)


def _lost(
    images: NDArray, labels: NDArray, order: NDArray, shown: NDArray | None = None
) -> tuple[int, int]:
    """Images of the file that the sequence lacks, and images that it shows under another label.

    Labels are ``shown`` beside the images, by default those of the file. Found from the images
    themselves: equal ones are told apart by how many of them there are.
    """
    pairs = list(zip(map(bytes, images), labels.tolist(), strict=True))
    shown = labels[order] if shown is None else shown
    found = list(zip(map(bytes, images[order]), shown.tolist(), strict=True))
    missing = Counter(image for image, _ in pairs) - Counter(image for image, _ in found)
    lost = missing.total()
    return lost, (Counter(pairs) - Counter(found)).total() - lost


def temporal_mnist(settings: TemporalMnist, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Figure 4.3 and appendix B.4: how alike neighbours are, and the snippets that are shown.

    The training part is ordered with the published buffer only.

    Columns: element (sequence, frame), protocol, part (thesis test, official test, thesis
    training), order (file, shuffled, temporal), buffer_size (0 if there is none), seed (-1 where no
    random stream enters), frames, lost_frames, wrong_labels, mean_l1, mean_l2 (of neighbours, in
    intensities), change_fraction (mean_l1 over the mean sum of an image's intensities),
    label_change_fraction; of the temporal orders farther_steps (at which a nearer image waited),
    and of those of test images, with a condition broken, random_farther_fraction (such steps if a
    random one follows of those that wait), farthest_mean_l1 (if the farthest follows) and
    unmoved_labels_fraction (with another label if labels stay in the order of the file); of the
    snippets snippet, frame, label, file_index, rows, columns, white, pixels (grey levels in
    hexadecimal digits, two each, row by row).
    """
    dataset = require(dataset, "temporal_mnist", "data set")
    rows: list[dict] = []
    for part, protocol, images, labels in _sequences(dataset):
        mean_sum = float(images.sum(dtype=np.int64)) / dataset.white / len(images)
        for kind, buffer, seed, order in _orders(part, images, seeds, settings):
            first, second = _distances(images[order], dataset.white)
            lost, wrong = _lost(images, labels, order)
            base = {"protocol": protocol, "part": part, "order": kind, "buffer_size": buffer}
            rows.append(
                {"element": "sequence", **base, "seed": seed, "frames": len(images)}
                | {"lost_frames": lost, "wrong_labels": wrong, "mean_l1": first, "mean_l2": second}
                | {"change_fraction": first / mean_sum}
                | {"label_change_fraction": label_change_fraction(labels[order])}
            )
            if kind == "temporal":
                rows[-1] |= _checked(images, order, buffer)
                if part != "thesis training":
                    rows[-1] |= _broken(images, labels, order, buffer, dataset.white)
            if part == SHOWN and kind == "temporal" and buffer == settings.published_buffer:
                rows += [
                    {"element": "frame", **base, "seed": seed, **frame}
                    for frame in _snippets(order, images, labels, dataset, settings)
                ]
    return pd.DataFrame(rows)


def _checked(images: NDArray, order: NDArray, buffer: int) -> dict[str, float]:
    """Steps of a temporal order at which a nearer image waited, by brute force."""
    steps = iter(order[1:])

    def as_ordered(distances: NDArray, waiting: NDArray) -> int:
        places = np.flatnonzero(waiting == next(steps))
        # What does not wait is as wrong as what is farthest.
        return int(places[0]) if len(places) else int(distances.argmax())

    return {"farther_steps": _followed(images, buffer, as_ordered)[1]}


def _broken(
    images: NDArray, labels: NDArray, order: NDArray, buffer: int, white: int
) -> dict[str, float]:
    """Sequences of a random and of the farthest candidate; labels in the order of the file."""
    generator = numpy_generator("oconnor2020", "temporal_mnist", "random candidate", buffer)
    _, farther = _followed(images, buffer, lambda _, waiting: generator.integers(len(waiting)))
    farthest, _ = _followed(images, buffer, lambda distances, _: distances.argmax())
    return {
        "random_farther_fraction": farther / (len(images) - 1),
        "farthest_mean_l1": _distances(images[farthest], white)[0],
        "unmoved_labels_fraction": _lost(images, labels, order, labels)[1] / len(images),
    }


def _followed(
    images: NDArray, buffer: int, choose: Callable[[NDArray, NDArray], int]
) -> tuple[NDArray, int]:
    """Order in which ``choose`` takes images from the buffer, and steps with a nearer one in it.

    ``choose`` is given the L1 distances of the images that wait, and their places in the file.
    """
    waiting = np.arange(1, min(buffer + 1, len(images)))
    pool, taken = images[waiting].astype(np.int16), len(waiting) + 1
    order, farther = [0], 0
    while len(waiting):
        distances = np.abs(pool - images[order[-1]]).sum(axis=1)
        place = choose(distances, waiting)
        farther += int(distances[place] > distances.min())
        order.append(int(waiting[place]))
        if taken < len(images):
            waiting[place], pool[place] = taken, images[taken]
            taken += 1
        else:
            waiting, pool = np.delete(waiting, place), np.delete(pool, place, axis=0)
    return np.array(order), farther


def _orders(
    part: str, images: NDArray, seeds: list[int], settings: TemporalMnist
) -> Iterator[tuple[str, int, int, NDArray]]:
    """Order, buffer, seed and permutation of every sequence of a part."""
    count = len(images)
    yield "file", 0, -1, np.arange(count)
    for seed in seeds:
        generator = numpy_generator("oconnor2020", "temporal_mnist", part, seed)
        yield "shuffled", 0, seed, generator.permutation(count)
    sizes = {settings.published_buffer}
    if part != "thesis training":
        sizes.update(settings.buffer_sizes)
    for buffer in sorted(sizes):
        yield "temporal", buffer, -1, temporal_order(images, buffer)


def _snippets(
    order: NDArray, images: NDArray, labels: NDArray, dataset: Dataset, settings: TemporalMnist
) -> Iterator[dict]:
    """Frames of snippets that start at equal distances, as in the author's figure."""
    rows, columns = dataset.image_shape
    for snippet in range(settings.snippets):
        start = snippet * (len(order) // settings.snippets)
        for frame, index in enumerate(order[start : start + settings.snippet_frames]):
            base = {"snippet": snippet, "frame": frame, "label": labels[index]}
            base |= {"file_index": index, "rows": rows, "columns": columns, "white": dataset.white}
            yield base | {"pixels": images[index].tobytes().hex()}
