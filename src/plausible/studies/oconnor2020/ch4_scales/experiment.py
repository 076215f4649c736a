"""Chapter 4, figure 4.4 and table B.1: scales of a trained network, and what they buy.

A ReLU network is trained, its layers are given scales k by ``plausible.learning.
scale_optimisation``, and the original, the rounding and the sigma-delta network are run over every
part of the data in the order of the file and in temporal order. Beside them stands the same network
in integers of a few bits, which costs no training.
"""

import math
import sys
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels.temporal_order import temporal_order
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.learning.scale_records import ScaleHistory
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import train
from plausible.networks.mlp import Network
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.studies.oconnor2020.ch4_scales.evaluation import (
    Part,
    original_rows,
    quantised_rows,
    scaled_rows,
)
from plausible.studies.oconnor2020.ch4_scales.settings import (
    READINGS,
    TENTH,
    Optimisation,
    ScaleOptimisation,
)

STUDY = "oconnor2020"
EXPERIMENT = "scale_optimisation"
CALIBRATION_FRAMES = 2000
"""Training images on which the steps of the quantized networks are found."""
UNITS = {False: "layerwise", True: "unitwise"}


class Task(NamedTuple):
    """One optimisation of the scales of the network of one seed."""

    seed: int
    way: Optimisation

    @property
    def name(self) -> str:
        """Name of its files, ``as_coded.layerwise.0``."""
        return f"{self.way.protocol}.{UNITS[self.way.unitwise]}.{self.seed}"


def scale_optimisation(
    settings: ScaleOptimisation, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Error, operations and energy of every network, data part and order; one shard of them.

    Networks train on the first 5/6 of the training images. Columns: ``protocol``, ``granularity``
    (layerwise, unitwise, or TENTH), ``seed``, ``setting`` (unoptimized, optimized, post_training),
    ``lambda``, ``network``, ``bits`` (of quantized networks), ``order`` (file, temporal), ``part``
    (training, thesis, official), ``samples``, ``error_percent``, ``kflops`` and ``kflops_sparse``
    per sample, energies in nJ, ``diverged``, ``differing_predictions``, ``scale_0`` .. (geometric
    mean over units). A diverged optimisation has rows without values.
    """
    dataset = require(dataset, EXPERIMENT, "data set")
    listed = [Task(seed, way) for seed in seeds for way in settings.optimisations.values()]
    chosen = part_of(listed, [1.0] * len(listed), settings)
    data = split_dataset(dataset, "thesis")
    parts = _parts(dataset, data, settings.buffer_size) if chosen else []
    folder = settings.checkpoints

    @lru_cache(maxsize=1)
    def network(seed: int) -> Network:
        """The ReLU network of a seed (4.6.2), the same for all readings."""
        path = folder / f"network.{seed}.npz" if folder else None
        chosen = _training_settings(settings, len(data.train_images))
        return train(chosen, data, STUDY, EXPERIMENT, seed, "cpu", path, _say).network

    rows: list[dict[str, Any]] = []
    for number, task in enumerate(chosen, start=1):
        started = time.monotonic()
        rows += stored(
            folder,
            task.name,
            lambda task=task: list(_task_rows(task, network(task.seed), data, parts, settings)),
        )
        took = f"{time.monotonic() - started:.0f} s"
        _say(f"optimisation {number} of {len(chosen)}: {task.name}, {took}")
    return pd.DataFrame(rows)


def _parts(dataset: Dataset, data: Dataset, buffer_size: int) -> list[Part]:
    """Training part, test part of the thesis and official test part, each in both orders."""
    parts = []
    for name, frames, labels in (
        ("training", data.train_images, data.train_labels),
        ("thesis", data.test_images, data.test_labels),
        ("official", dataset.test_images, dataset.test_labels),
    ):
        orders = {"file": np.arange(len(frames)), "temporal": temporal_order(frames, buffer_size)}
        parts += [
            Part(name, kind, frames[order], labels[order], order, dataset.white)
            for kind, order in orders.items()
        ]
    return parts


def _training_settings(settings: ScaleOptimisation, images: int) -> TrainingSettings:
    """Tested once an epoch."""
    return TrainingSettings(
        hidden_sizes=settings.hidden_sizes,
        activation="relu",
        init="glorot_normal",
        optimizer="sgd",
        shuffle=False,
        test_every_steps=math.ceil(images / settings.pretraining.batch_size),
        dtype="float64",
        **settings.pretraining.model_dump(),
    )


def _task_rows(
    task: Task, network: Network, data: Dataset, parts: Sequence[Part], settings: ScaleOptimisation
) -> Iterator[dict[str, Any]]:
    reading = READINGS[task.way.protocol]
    weights = [weight.numpy() for weight in network.weights]
    parameters = weights, [bias.numpy() for bias in network.biases]
    common = {"protocol": task.way.protocol, "granularity": UNITS[task.way.unitwise]}
    common["seed"] = task.seed
    if not task.way.unitwise:
        # What has no scales is the same for both granularities, and is listed once.
        yield from original_rows(common, reading, parameters, parts)
        start = common | {"setting": "unoptimized"}
        yield from scaled_rows(start, reading, parameters, [1.0] * len(weights), parts)
        if task.way.protocol == "as_coded":
            frames = data.train_images[:CALIBRATION_FRAMES] / data.white
            for bits in settings.bits:
                yield from quantised_rows(common, parameters, frames, bits, parts)
    history = _optimise(task, network, data, settings)
    readings = [(common, reading)]
    if task.way.protocol == "as_published" and not task.way.unitwise:
        # The mean of the computation is the sum with a tenth of lambda: all else as in the code.
        tenth = common | {"protocol": "as_coded", "granularity": TENTH}
        readings.append((tenth, READINGS["as_coded"]))
    for labels, read in readings:
        for strength, scales in _scales(history, read.record, settings.lambdas):
            ends = labels | {"setting": "optimized", "lambda": strength}
            yield from scaled_rows(ends, read, parameters, scales, parts)


def _scales(
    history: ScaleHistory, record: int, lambdas: Sequence[float]
) -> Iterator[tuple[float, list[NDArray] | None]]:
    """Scales of every layer's input for every lambda; None where the optimisation diverged."""
    record = record if len(history.epoch) >= -record else -1
    for index, strength in enumerate(lambdas):
        scales = [layer[record, index] for layer in history.scales]
        good = all(np.all(np.isfinite(scale) & (scale > 0)) for scale in scales)
        yield strength, scales if good and not history.diverged[index] else None


def _optimise(
    task: Task, network: Network, data: Dataset, settings: ScaleOptimisation
) -> ScaleHistory:
    """The optimisation of all lambdas."""
    # float64: at the smallest lambda a step of log k is smaller than the float32 spacing at 1.
    inputs = torch.from_numpy(data.train_images.astype(np.float64)).div_(data.white)
    folder = settings.checkpoints
    chosen = ScaleSettings(
        lambdas=settings.lambdas,
        unitwise=task.way.unitwise,
        computation=READINGS[task.way.protocol].computation,
        learning_rate=task.way.learning_rate,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        record_every_epochs=settings.record_every_epochs,
    )
    return optimise_scales(
        dense_maps(network.weights, network.biases),
        inputs,
        chosen,
        checkpoint_path=folder / f"{task.name}.npz" if folder else None,
        progress=lambda line: _say(f"{task.name}, {line}"),
    )


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
