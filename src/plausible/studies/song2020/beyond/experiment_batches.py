"""Beyond the paper: Z-IL with Adam and with mini-batches of 1 to 256 images.

Section 3 proves equal updates for a batch; an optimiser is a function of the updates so far, so
equality must survive any optimiser and any batch size, up to rounding. Updates are averaged over
the batch here, which lets one learning rate serve all sizes; at 20 images and SGD it is the rate of
the reading times 20, i.e. the summed updates of figure 3.
"""

from collections.abc import Sequence
from itertools import product, starmap
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.predictive_training import Images, prepare_images
from plausible.reproduction.inputs import require
from plausible.studies.song2020.beyond.settings import Batches
from plausible.studies.song2020.common import finished
from plausible.studies.song2020.training import train

ALGORITHMS = {"bp": "backprop", "zil": "t_equals_l"}


class Pair(NamedTuple):
    """Backprop and Z-IL with the same optimiser, initial weights and batches."""

    optimizer: str
    batch_size: int
    l_max: int
    seed: int


def batches(
    settings: Batches, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Test error of backprop and Z-IL, and the distance of their weights, after training."""
    images = prepare_images(require(dataset, "batches", "data set"), settings.train_limit)
    axes = (settings.learning_rates, settings.batch_sizes, settings.l_max, seeds)
    pairs = list(starmap(Pair, product(*axes)))
    # Measured: Adam visits every weight of the input matrix once a batch, SGD the active ones.
    costs = [1.0 + (20.0 if pair.optimizer == "adam" else 2.0) / pair.batch_size for pair in pairs]
    found = finished(pairs, costs, settings, lambda pair: _rows(images, pair, settings))
    columns = ["optimizer", "batch_size", "algorithm", "l_max", "seed", "epochs"]
    columns += ["mean_test_error", "final_test_error"]
    columns += ["max_weight_difference_to_bp", "relative_weight_difference_to_bp"]
    return pd.DataFrame([row for _, rows in found for row in rows], columns=columns)


def _rows(images: Images, pair: Pair, settings: Batches) -> list[tuple[Any, ...]]:
    """Rows of both algorithms."""
    optimizer, batch_size, l_max, seed = pair
    rate = settings.learning_rates[optimizer]
    reading = settings.reading.changed(reduction="mean", learning_rate=rate)
    given = (images, reading, settings, l_max, seed, batch_size)
    trained = {
        algorithm: train(*given, method=method, optimizer=optimizer)
        for algorithm, method in ALGORITHMS.items()
    }
    twin = trained["bp"].weights
    scale = max(float(np.abs(matrix).max()) for matrix in twin)
    rows = []
    for algorithm, network in trained.items():
        pairs = zip(network.weights, twin, strict=True)
        apart = max(float(np.abs(ours - theirs).max()) for ours, theirs in pairs)
        labels = (optimizer, batch_size, algorithm, l_max, seed, settings.epochs)
        errors = float(network.test_errors.mean()), float(network.test_errors[-1])
        rows.append((*labels, *errors, apart, apart / scale))
    return rows
