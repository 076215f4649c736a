"""Section 5.4.1 and C.6: PDNNs and ordinary networks learn MNIST, one sample at a time.

Text and code give the same network with other constants and other images (``settings.READINGS``).
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import (
    LAST,
    TRACE,
    Network,
    fresh_side,
    initial_weights,
    make_network,
    make_rule,
    starts,
)
from plausible.kernels.temporal_order import temporal_order
from plausible.learning.stream_training import (
    MLP,
    NETWORKS,
    PDNN,
    Progress,
    Recipe,
    Stream,
    mlp_operations,
    operations_per_sample,
    plain_test,
    test_stream,
    train_stream,
)
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_learning.settings import (
    CHANGES,
    ORDERS,
    READINGS,
    Reading,
    StreamTraining,
    TextAndCode,
    Trained,
)


class Task(NamedTuple):
    """One training."""

    protocol: str
    order: str
    network: str
    hidden_layers: int
    seed: int

    @property
    def name(self) -> str:
        """Name of its checkpoint, ``as_coded.temporal.pdnn.1.0``."""
        return ".".join(map(str, self))

    @property
    def cost(self) -> float:
        """Estimated time of a sample: the first layer weighs most, a PDNN more."""
        return (4.0 + self.hidden_layers) * (1.0 if self.network == MLP else 2.0)


class Data(NamedTuple):
    """Images of a task, in its order."""

    train: Stream
    test: Stream


def tasks(settings: StreamTraining, seeds: Sequence[int]) -> list[Task]:
    """Every training, the shallow networks with all seeds."""
    return [
        Task(protocol, order, network, depth, seed)
        for depth in settings.hidden_layers
        for protocol in settings.protocols
        for order in ORDERS
        for network in NETWORKS
        for seed in (
            seeds if depth == settings.hidden_layers[0] else seeds[: settings.deeper_seeds]
        )
    ]


def stream_training(
    settings: StreamTraining, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Scores and operations of every network at every test; one shard of them.

    Columns: ``protocol``, ``order`` (file, temporal), ``network`` (pdnn, mlp), ``hidden_layers``,
    ``seed``, ``epoch``, ``test_score_percent``, ``training_score_percent`` (after whole epochs),
    ``plain_score_percent`` (test score of the ordinary network with the same weights), and of the
    samples since the test before: ``samples``, ``forward``, ``backward`` and ``update`` (operations
    per sample: additions of a PDNN, multiplications with their additions of an MLP), ``spikes``
    (sum |s| per sample), ``touched_share`` (of the first matrix, entries that event-based updates
    change); after the training ``noise_first`` and ``noise_last`` (mean |reconstruction - value|
    over mean |value| of the first and last hidden layer); ``diverged_epoch`` (-1: none).
    """
    dataset = require(dataset, "stream_training", "data set")
    listed = tasks(settings, seeds)
    chosen = part_of(listed, [task.cost for task in listed], settings)
    return pd.DataFrame(_all_rows(chosen, READINGS, dataset, settings))


def text_and_code(
    settings: TextAndCode, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Scores on Temporal MNIST as the text trains a PDNN, as the code does, and in between.

    Columns: ``reading`` (see ``settings.CHANGES``), ``seed``, ``epoch``, ``test_score_percent``
    (each reading's own test images), ``diverged_epoch`` (-1: none).
    """
    dataset = require(dataset, "text_and_code", "data set")
    listed = [Task(name, "temporal", PDNN, 1, seed) for name in CHANGES for seed in seeds]
    chosen = part_of(listed, [task.cost for task in listed], settings)
    found = pd.DataFrame(_all_rows(chosen, CHANGES, dataset, settings))
    if found.empty:
        return found
    columns = ["reading", "seed", "epoch", "test_score_percent", "diverged_epoch"]
    return found.rename(columns={"protocol": "reading"})[columns]


def _all_rows(
    chosen: Sequence[Task], readings: Mapping[str, Reading], dataset: Dataset, settings: Trained
) -> list[dict[str, Any]]:
    """Rows of networks, one after the other; ``readings`` by the protocols of tasks."""
    prepared: dict[tuple[str, str], Data] = {}
    rows: list[dict[str, Any]] = []
    for number, task in enumerate(chosen, start=1):
        key, reading = (task.protocol, task.order), readings[task.protocol]
        if key not in prepared:
            prepared = {key: _data(dataset, reading, task.order, settings.buffer_size)}
        _say(f"network {number} of {len(chosen)}: {task.name}")
        rows += _trained(task, reading, prepared[key], dataset, settings)
    return rows


def _data(dataset: Dataset, reading: Reading, order: str, buffer_size: int) -> Data:
    parts = split_dataset(dataset, reading.split)
    streams = []
    for images, labels in (
        (parts.train_images, parts.train_labels),
        (parts.test_images, parts.test_labels),
    ):
        places = np.arange(len(images))
        if order == "temporal":
            places = temporal_order(images, buffer_size)
        streams.append(Stream(images[places], labels[places].astype(np.int64), float(parts.white)))
    return Data(*streams)


def _trained(
    task: Task, reading: Reading, data: Data, dataset: Dataset, settings: Trained
) -> list[dict[str, Any]]:
    """Rows of one network, which begins with the same weights whatever its protocol and order."""
    inputs = data.train.images.shape[1]
    sizes = (inputs, *[settings.width] * task.hidden_layers, dataset.classes)
    rng = numpy_generator("oconnor2020", "stream_training", task.hidden_layers, task.seed)
    rule = make_rule(
        settings.learning_rate,
        reading.k_alphas[0.0],
        reading.k_beta_relative,
        settings.tuning_rate,
    )
    recipe = Recipe(
        task.network,
        rule,
        reading.k_alphas if task.network == PDNN else {},
        reading.share_scales,
    )
    network = make_network(initial_weights(sizes, rng), rule)
    first_matrix = sizes[0] * sizes[1]

    def measured(progress: Progress, epoch: float) -> list[dict[str, Any]]:
        tested = test_stream(recipe, progress.network, data.test, epoch)
        row = task._asdict() | {"epoch": epoch, "test_score_percent": tested.score_percent}
        row["training_score_percent"] = None
        if epoch == int(epoch):
            trained = test_stream(recipe, progress.network, data.train, epoch)
            row["training_score_percent"] = trained.score_percent
        plain = plain_test(progress.network, data.test) if task.network == PDNN else tested
        row["plain_score_percent"] = plain.score_percent
        row["samples"] = progress.samples
        if task.network == MLP:
            row |= mlp_operations((*sizes[:-1], reading.counted_outputs or sizes[-1]))
            row |= {"spikes": None, "touched_share": None}
        else:
            row |= operations_per_sample(progress)
            spikes, _, touched = progress.counts / max(progress.samples, 1)
            row |= {"spikes": float(spikes.sum())}
            row |= {"touched_share": float(touched[0] / first_matrix)}
        ends = epoch == settings.epochs and task.network == PDNN
        noise = _noise(recipe, progress.network, data.test, settings) if ends else (None, None)
        row |= dict(zip(("noise_first", "noise_last"), noise, strict=True))
        score = tested.score_percent
        _say(f"{task.name}, epoch {epoch:g}/{settings.epochs}: test score {score:.2f} %")
        return [row | {"diverged_epoch": progress.diverged_epoch}]

    parts = settings.tests_per_epoch
    stops = [part / parts for part in range(parts * settings.epochs + 1)]
    folder = settings.checkpoints
    path = folder / f"{task.name}.npz" if folder else None
    return train_stream(recipe, network, data.train, stops, measured, path).rows


def _noise(
    recipe: Recipe, network: Network, stream: Stream, settings: Trained
) -> tuple[float, float]:
    """Mean |reconstruction - value| over mean |value|, of the first and of the last hidden layer.

    The first half of the samples is not counted: neurons that have seen nothing know nothing.
    """
    rule, first = recipe.at(settings.epochs), starts(network.sizes)
    side = fresh_side(network.sizes, rule)
    side = side._replace(scales=network.forward.scales.copy())
    images = stream.images[: settings.noise_samples]
    sums = np.zeros((2, 2))
    for number in range(len(images)):
        pdnn.predict(network, rule, images[number : number + 1], stream.white, side)
        if number >= len(images) // 2:
            for place, layer in enumerate((1, len(network.sizes) - 2)):
                units = side.units[:, first[layer] : first[layer + 1]]
                sums[place] += np.abs(units[TRACE] - units[LAST]).sum(), np.abs(units[LAST]).sum()
    off: NDArray = sums[:, 0] / sums[:, 1]
    return float(off[0]), float(off[1])


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
