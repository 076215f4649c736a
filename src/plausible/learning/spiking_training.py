"""Training of a deep spiking network, or of the vector network that it approaches, with stops.

At each stop, given in epochs, a checkpoint is written, from which a killed run goes on. Samples are
taken in their order, without shuffling, as O'Connor 2020 does in chapter 3: he trained on the first
50,000 images of MNIST's training file and tested on its last 10,000 (``thesis``), beside which the
official test images stand (``official``).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels import deep_spiking, rectified_network
from plausible.kernels.deep_spiking_types import (
    Predictions,
    Rule,
    SpikeTrains,
    make_network,
    make_rule,
    network_from_arrays,
)
from plausible.kernels.spike_emission import input_trains
from plausible.learning.checkpoint import load_checkpoint, save_checkpoint
from plausible.measure.accuracy import accuracy_percent

SPIKING, RECTIFIED = "spiking", "rectified"
TRAIN, THESIS, OFFICIAL = "train", "thesis", "official"
TESTS = (THESIS, OFFICIAL)
IMAGES_AT_ONCE = 5000
_IDENTITY = "spiking training"
"""Of checkpoints, whose names and folder say all the rest."""


class Spec(NamedTuple):
    """How a network is trained: by error spikes after a ``rule``.

    Where there is none, by gradient descent with ``learning_rate`` on the vector network.
    """

    rule: Rule | None
    learning_rate: float


class Part(NamedTuple):
    """Images ``[n, pixels]`` as grey levels up to ``white``, and their labels int64 ``[n]``."""

    images: np.ndarray
    labels: np.ndarray
    white: int


class Progress(NamedTuple):
    """A run between two of its stops: what changes, and the rows so far.

    ``weights`` ``[n_l, n_(l+1)]`` per layer; ``back`` the quantizers of errors; ``counts`` int64
    ``[3, L + 1]`` spikes, error spikes and those that passed, since the beginning.
    ``diverged_epoch`` is -1 as long as everything is finite.
    """

    weights: list[np.ndarray]
    back: list[np.ndarray]
    counts: np.ndarray
    stops_done: int
    diverged_epoch: float
    rows: list[dict[str, Any]]


def image_parts(dataset: Dataset) -> dict[str, Part]:
    """Training images, test images of the author, official test images."""
    divided = split_dataset(dataset, "thesis")
    return {
        TRAIN: Part(divided.train_images, divided.train_labels, dataset.white),
        THESIS: Part(divided.test_images, divided.test_labels, dataset.white),
        OFFICIAL: Part(dataset.test_images, dataset.test_labels, dataset.white),
    }


def spike_trains(part: Part, steps: int) -> SpikeTrains:
    """Input spikes of all images, encoded some at a time because encoding needs much memory."""
    pieces = [
        input_trains(part.images[first : first + IMAGES_AT_ONCE], steps, part.white)
        for first in range(0, len(part.images), IMAGES_AT_ONCE)
    ]
    offsets = np.cumsum([0, *(len(piece.code) for piece in pieces[:-1])])
    start = [piece.start + offset for piece, offset in zip(pieces, offsets, strict=True)]
    code = np.concatenate([piece.code for piece in pieces])
    return SpikeTrains(np.concatenate(start), code, part.images, part.white)


class Bench(NamedTuple):
    """Images and their input spikes, which all runs of a job share."""

    parts: Mapping[str, Part]
    trains: dict[tuple[str, int], SpikeTrains]

    def spikes(self, part: str, steps: int) -> SpikeTrains:
        """Input spikes of a part, encoded once for each number of steps."""
        if (part, steps) not in self.trains:
            self.trains[part, steps] = spike_trains(self.parts[part], steps)
        return self.trains[part, steps]


def layer_sizes(weights: Sequence[np.ndarray]) -> tuple[int, ...]:
    """Units per layer, the input first."""
    return (len(weights[0]), *(matrix.shape[1] for matrix in weights))


def spiking_predictions(
    weights: list[np.ndarray], part: Part, trains: SpikeTrains
) -> tuple[np.ndarray, np.ndarray]:
    """Error percent after each time step ``[steps]``, spikes int64 ``[images, steps, L]``.

    An image without a spike of the last hidden layer has no largest output and counts as class 0,
    as an arg max of equals does.
    """
    steps = trains.start.shape[1] - 1
    rule = make_rule(steps)
    found: Predictions = deep_spiking.predict(make_network(weights, rule), rule, trains)
    errors = [100.0 - accuracy_percent(classes, part.labels) for classes in found.classes.T]
    return np.array(errors), found.spikes


def rectified_predictions(weights: list[np.ndarray], part: Part) -> tuple[float, np.ndarray]:
    """Error percent of the vector network, and its non-zero units int64 ``[images, L]``."""
    outputs, active = rectified_network.outputs(weights, part.images, part.white)
    return 100.0 - accuracy_percent(outputs.argmax(axis=1), part.labels), active


def hidden_spikes(weights: list[np.ndarray], layer: int, trains: SpikeTrains) -> np.ndarray:
    """Spikes of every unit of hidden layer ``layer`` (from 1), int64 ``[images, units]``.

    Read from the kernel by giving that layer an output of identity: its running output then
    counts the layer's spikes.
    """
    rule = make_rule(trains.start.shape[1] - 1)
    counted = [*weights[:layer], np.eye(weights[layer - 1].shape[1])]
    return deep_spiking.predict(make_network(counted, rule), rule, trains).outputs[:, -1].round()


def train_stretch(
    progress: Progress,
    spec: Spec,
    part: Part,
    trains: SpikeTrains | None,
    samples: range,
    generator: np.random.Generator,
) -> tuple[Progress, int]:
    """Train on ``samples``, numbered since the beginning of the run; data wrap around.

    Returns the progress and how many samples were done before the network diverged, if it did.
    """
    order = np.arange(samples.start, samples.stop) % len(part.images)
    if spec.rule is None:
        weights = [matrix.copy() for matrix in progress.weights]
        done = rectified_network.train(
            weights, spec.learning_rate, part.images, part.white, part.labels, order
        )
        return progress._replace(weights=weights), done
    network = network_from_arrays(_arrays(progress), spec.rule)
    result = deep_spiking.train(network, spec.rule, trains, part.labels, order, generator)
    counts = progress.counts + np.array([result.spikes, result.errors, result.passed])
    progress = progress._replace(
        weights=list(network.weights), back=list(network.back), counts=counts
    )
    return progress, result.samples if result.diverged else len(order)


def train_run(
    spec: Spec,
    weights: list[np.ndarray],
    bench: Bench,
    stops: Iterable[float],
    measure: Callable[[Progress, float, int], list[dict[str, Any]]],
    generator: np.random.Generator,
    checkpoint: Path | None = None,
) -> Progress:
    """Train a network from ``weights`` on; a ``checkpoint`` file at each of ``stops`` (epochs).

    ``measure`` is given the progress, the epoch and the number of samples since the stop before,
    and gives the rows of this stop; the rule may draw from ``generator``. A network that diverged
    is trained no further.
    """
    part = bench.parts[TRAIN]
    progress = begin(weights)
    if checkpoint is not None:
        checkpoint.parent.mkdir(parents=True, exist_ok=True)
        progress = load_progress(checkpoint, progress, generator)
    stops = sorted(set(stops))
    images = len(part.images)
    for position in range(progress.stops_done, len(stops)):
        before = round(stops[position - 1] * images) if position else 0
        samples, done = range(before, round(stops[position] * images)), 0
        if len(samples) and progress.diverged_epoch < 0:
            trains = bench.spikes(TRAIN, spec.rule.steps) if spec.rule else None
            progress, done = train_stretch(progress, spec, part, trains, samples, generator)
            if done < len(samples):
                progress = progress._replace(diverged_epoch=(before + done) / images)
        rows = measure(progress, stops[position], done)
        progress = progress._replace(stops_done=position + 1, rows=[*progress.rows, *rows])
        if checkpoint is not None:
            save_progress(checkpoint, progress, generator)
    return progress


def training_additions(counts: np.ndarray, sizes: Sequence[int]) -> float:
    """Additions of a training so far, forward, backward and of its updates.

    A spike of layer l adds n_(l+1) weights; an error spike that passes the gate of layer l adds a
    column of n_(l-1) weights to the layer below (not below the first) and changes as many.
    """
    spikes, _, passed = counts.astype(np.float64)
    below = np.array(sizes[:-1], dtype=np.float64)
    forward = spikes[:-1] @ np.array(sizes[1:], dtype=np.float64)
    return float(forward + 2.0 * (passed[1:] @ below) - passed[1] * below[0])


def _arrays(progress: Progress) -> dict[str, np.ndarray]:
    named = {f"weights_{layer}": matrix for layer, matrix in enumerate(progress.weights)}
    return named | {f"back_{layer}": phi for layer, phi in enumerate(progress.back)}


def begin(weights: list[np.ndarray]) -> Progress:
    """A run before its first sample."""
    back = [np.zeros(len(matrix)) for matrix in weights]
    return Progress(weights, back, np.zeros((3, len(weights) + 1), np.int64), 0, -1.0, [])


def save_progress(path: Path, progress: Progress, generator: np.random.Generator) -> None:
    """Write ``progress`` and the state of ``generator``."""
    words = {
        "stops_done": progress.stops_done,
        "diverged_epoch": progress.diverged_epoch,
        "rows": progress.rows,
    }
    arrays = _arrays(progress) | {"counts": progress.counts}
    save_checkpoint(path, _IDENTITY, words, arrays, {"rule": generator})


def load_progress(path: Path, fresh: Progress, generator: np.random.Generator) -> Progress:
    """What a killed job had saved, or ``fresh``; ``generator`` is set to where it stood."""
    found = load_checkpoint(path, _IDENTITY, {"rule": generator})
    if found is None:
        return fresh
    layers = range(len(fresh.weights))
    return Progress(
        [found.arrays[f"weights_{layer}"] for layer in layers],
        [found.arrays[f"back_{layer}"] for layer in layers],
        found.arrays["counts"],
        **found.words,
    )
