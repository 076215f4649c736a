"""Trainings on a stream in which one thing is changed: noise, codes, orders, steps, memory.

O'Connor 2020, sections 5.4.1 and C.5.2; ``settings.WAYS`` lists what is changed.
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset
from plausible.learning.noisy_training import draw_noise, outputs_with_noise, train_with_noise
from plausible.learning.stream_probe import Probe, probe_stream
from plausible.learning.stream_training import (
    Progress,
    Recipe,
    Stream,
    mlp_operations,
    operations_per_sample,
    test_stream,
    train_stream,
)
from plausible.measure.accuracy import accuracy_percent
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_causes.data import fresh_network, recipe_of, say, streams
from plausible.studies.oconnor2020.ch5_causes.settings import MLP, ORDERS, WAYS, StreamCauses

NOISY_SAMPLES = 1000
"""Samples for which noise is drawn at once."""
NOISE_LIKE = ("pdnn", "file")
"""Way and order of the network whose noise the noisy network is given."""


class Task(NamedTuple):
    """One training, or in the order of the file the three that share a measured noise."""

    way: str
    order: str
    number: int
    """Of the network, which is its seed."""

    @property
    def name(self) -> str:
        """Name of its files, ``pdnn.file.0``."""
        return ".".join(map(str, self))

    @property
    def cost(self) -> float:
        """Estimated time, in units of an ordinary network's."""
        if self[:2] == NOISE_LIKE:
            return 20.0
        return 1.0 if WAYS[self.way].network == MLP else 10.0 * WAYS[self.way].fineness ** 0.3


def tasks(settings: StreamCauses, seeds: Sequence[int]) -> list[Task]:
    """Every training by its order, so that images are put in order once."""
    each = settings.networks_per_seed
    return [
        Task(name, order, seed * each + part)
        for order in ORDERS
        for name, way in WAYS.items()
        # What is trained beside the network whose noise is measured is no task of its own.
        if order in way.orders and not (order == "file" and name in ("mlp", "mlp_noise"))
        for seed in seeds
        for part in range(each if way.more_seeds and order == "file" else 1)
    ]


def stream_causes(
    settings: StreamCauses, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Scores, operations and, sample by sample, what codes do; one shard of the trainings.

    Columns: ``element`` (test, probe), ``way`` (see ``settings.WAYS``), ``order`` (file, temporal),
    ``seed``, ``epoch``; of ``test``: ``test_score_percent``, ``training_score_percent`` (after
    whole epochs, first training images), ``samples`` since the test before, and of these
    ``forward``, ``backward`` and ``update`` (operations per sample: additions of a PDNN,
    multiplications with their additions of an ordinary network), ``noisy_score_percent`` (of the
    last test of ``mlp`` in the order of the file: with the noise of ``mlp_noise`` at test time
    alone), ``diverged_epoch`` (-1: none); of ``probe``, the first samples of an epoch: ``layer``
    (hidden, output), ``noise_square``, ``gradient_size`` and ``gradient_cosine`` while the network
    learns (see `plausible.learning.stream_probe.Probe`), ``tracking_error`` and
    ``frozen_tracking_error`` (weights that stay).
    """
    dataset = require(dataset, "stream_causes", "data set")
    listed = tasks(settings, seeds)
    chosen = part_of(listed, [task.cost for task in listed], settings)

    @lru_cache(maxsize=1)
    def data(order: str) -> tuple[Stream, Stream]:
        return streams(dataset, order, settings.buffer_size)

    rows: list[dict[str, Any]] = []
    for number, task in enumerate(chosen, start=1):
        say(f"training {number} of {len(chosen)}: {task.name}")
        rows += stored(
            settings.checkpoints,
            task.name,
            lambda task=task: list(_rows(task, *data(task.order), dataset, settings)),
        )
    return pd.DataFrame(rows)


def _rows(
    task: Task, train: Stream, test: Stream, dataset: Dataset, settings: StreamCauses
) -> Iterator[dict[str, Any]]:
    rows = _trained(task, train, test, dataset, settings)
    yield from rows
    if task[:2] != NOISE_LIKE:
        return
    noises = _noises(rows, settings)
    yield from _trained(task._replace(way="mlp"), train, test, dataset, settings, noises)
    if noises:
        yield from _noisy(task._replace(way="mlp_noise"), train, test, dataset, settings, noises)


def _noises(rows: list[dict[str, Any]], settings: StreamCauses) -> dict[int, NDArray]:
    """Deviations of the noise of each layer from an epoch on; none of a network that diverged."""
    probes = [row for row in rows if row["element"] == "probe" and row["epoch"] < settings.epochs]
    squares: dict[int, list[float]] = {}
    for row in probes:
        squares.setdefault(int(row["epoch"]), []).append(row["noise_square"])
    if not np.isfinite(list(squares.values())).all():
        return {}
    return {epoch: np.sqrt(each) for epoch, each in squares.items()}


def _stops(settings: StreamCauses) -> list[float]:
    return sorted({0.0, *settings.first_stops, *map(float, range(1, settings.epochs + 1))})


def _first(train: Stream, settings: StreamCauses) -> Stream:
    """Training images that are tested."""
    part = slice(settings.training_images_tested)
    return train._replace(images=train.images[part], labels=train.labels[part])


def _trained(
    task: Task,
    train: Stream,
    test: Stream,
    dataset: Dataset,
    settings: StreamCauses,
    noises: dict[int, NDArray] | None = None,
) -> list[dict[str, Any]]:
    """Rows of one network."""
    recipe = recipe_of(WAYS[task.way], settings, settings.smaller_steps)
    network = fresh_network(dataset, settings, recipe.rule, task.number)
    seen = _first(train, settings)
    probed = set(settings.probed_epochs) if task.way == "pdnn" else set()

    def measured(progress: Progress, epoch: float) -> list[dict[str, Any]]:
        tested = test_stream(recipe, progress.network, test, epoch)
        row = _row(task, epoch, tested.score_percent) | {"samples": progress.samples}
        if epoch == int(epoch):
            row["training_score_percent"] = test_stream(
                recipe, progress.network, seen, epoch
            ).score_percent
        if recipe.network == MLP:
            row |= mlp_operations(network.sizes)
        else:
            row |= operations_per_sample(progress)
        if noises and epoch == settings.epochs:
            row["noisy_score_percent"] = _noisy_score(progress, test, task.number, noises)
        rows = [row | {"diverged_epoch": progress.diverged_epoch}]
        if epoch in probed:
            rows += _probes(task, recipe, progress, train, int(epoch), settings)
        say(f"{task.name}, epoch {epoch:g}/{settings.epochs}: {tested.score_percent:.2f} %")
        return rows

    folder = settings.checkpoints
    path = Path(folder) / f"{task.name}.npz" if folder else None
    return train_stream(recipe, network, train, _stops(settings), measured, path).rows


def _row(task: Task, epoch: float, score: float) -> dict[str, Any]:
    row = {"element": "test", "way": task.way, "order": task.order, "seed": task.number}
    return row | {"epoch": epoch, "test_score_percent": score, "training_score_percent": None}


def _probes(
    task: Task,
    recipe: Recipe,
    progress: Progress,
    train: Stream,
    epoch: int,
    settings: StreamCauses,
) -> list[dict[str, Any]]:
    """What the next samples do in a copy of the network, one row for each layer."""
    if progress.diverged_epoch >= 0:
        nothing = np.full(len(progress.network.sizes) - 1, np.nan)
        moving = frozen = Probe(nothing, nothing, nothing, nothing)
    else:
        rule, samples = recipe.at(epoch), settings.probed_samples
        given = (progress.network, rule, train, samples)
        moving = probe_stream(*given, learns=True)
        frozen = probe_stream(*given, learns=False)
    row = {"element": "probe", "way": task.way, "order": task.order, "seed": task.number}
    return [
        row
        | {
            "epoch": float(epoch),
            "layer": layer,
            "noise_square": float(moving.noise_square[place]),
            "gradient_size": float(moving.gradient_size[place]),
            "gradient_cosine": float(moving.gradient_cosine[place]),
            "tracking_error": float(moving.tracking_error[place]),
            "frozen_tracking_error": float(frozen.tracking_error[place]),
        }
        for place, layer in enumerate(("hidden", "output"))
    ]


# ------------------------------------------------------------- noise as large as that of the codes


def _noisy(
    task: Task,
    train: Stream,
    test: Stream,
    dataset: Dataset,
    settings: StreamCauses,
    noises: dict[int, NDArray],
) -> Iterator[dict[str, Any]]:
    """Rows of the ordinary network that is trained with noise, and tested without."""
    recipe = recipe_of(WAYS["mlp"], settings)
    network = fresh_network(dataset, settings, recipe.rule, task.number)
    rng = numpy_generator("oconnor2020", "ch5_causes", "noise", task.number)
    seen = _first(train, settings)
    images, done, diverged = len(train.images), 0, -1.0
    for stop in _stops(settings):
        before, last = done, round(stop * images)
        while done < last and diverged < 0:
            begin, end = done, min(last, done + NOISY_SAMPLES, (done // images + 1) * images)
            due = max(epoch for epoch in noises if epoch <= done // images)
            noise = draw_noise(rng, end - begin, network.sizes, noises[due])
            order = np.arange(begin, end) % images
            done += train_with_noise(
                network, recipe.rule.learning_rate, train.images, train.white, train.labels,
                order, noise,
            )  # fmt: skip
            if done < end:
                diverged = done / images
        row = _row(task, stop, test_stream(recipe, network, test, stop).score_percent)
        if stop == int(stop):
            row["training_score_percent"] = test_stream(recipe, network, seen, stop).score_percent
        say(f"{task.name}, epoch {stop:g}/{settings.epochs}: {row['test_score_percent']:.2f} %")
        yield (
            row
            | {"samples": done - before}
            | mlp_operations(network.sizes)
            | {"diverged_epoch": diverged}
        )


def _noisy_score(
    progress: Progress, test: Stream, number: int, noises: dict[int, NDArray]
) -> float:
    """Test score of the ordinary network with noise at test time alone."""
    rng = numpy_generator("oconnor2020", "ch5_causes", "noise at test time", number)
    network = progress.network
    noise = draw_noise(rng, len(test.images), network.sizes, noises[max(noises)])
    found = outputs_with_noise(network, test.images, test.white, noise)
    return accuracy_percent(found.argmax(axis=1), test.labels)
