"""Beyond the paper: Z-IL with Adam and with mini-batches of 1 to 256 images.

Section 3 proves equal updates for a batch; an optimiser is a function of the updates so far, so
equality must survive any optimiser and any batch size, up to rounding. Updates are averaged over
the batch here, which lets one learning rate serve all sizes; at 20 images and SGD it is the rate of
the reading times 20, i.e. the summed updates of figure 3.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.predictive_training import (
    Images,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.reproduction.inputs import require
from plausible.studies.song2020.beyond.settings import Batches
from plausible.studies.song2020.common import STUDY, finished

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
    pairs = [
        Pair(optimizer, batch_size, l_max, seed)
        for optimizer in settings.learning_rates
        for batch_size in settings.batch_sizes
        for l_max in settings.l_max
        for seed in seeds
    ]
    # Measured: Adam visits every weight of the input matrix once a batch, SGD the active ones.
    costs = [1.0 + (20.0 if pair.optimizer == "adam" else 2.0) / pair.batch_size for pair in pairs]
    found = finished(pairs, costs, settings, lambda pair: _rows(images, pair, settings))
    return pd.DataFrame([row for _, rows in found for row in rows])


def _rows(images: Images, pair: Pair, settings: Batches) -> list[dict[str, Any]]:
    """Rows of both algorithms."""
    rate = settings.learning_rates[pair.optimizer]
    reading = settings.reading.changed(reduction="mean", learning_rate=rate)
    trained = {
        algorithm: train_network(
            images,
            reading,
            network_rule(
                reading, pair.l_max, pair.batch_size, method=method, optimizer=pair.optimizer
            ),
            stream=STUDY,
            seed=pair.seed,
            l_max=pair.l_max,
            hidden=settings.hidden,
            epochs=settings.epochs,
            batch_size=pair.batch_size,
            weight_limit=settings.weight_limit,
        )
        for algorithm, method in ALGORITHMS.items()
    }
    twin = trained["bp"]
    scale = max(float(np.abs(matrix).max()) for matrix in twin.weights)
    rows = []
    for algorithm, network in trained.items():
        apart = max(
            float(np.abs(ours - theirs).max())
            for ours, theirs in zip(network.weights, twin.weights, strict=True)
        )
        rows.append(
            {
                "optimizer": pair.optimizer,
                "batch_size": pair.batch_size,
                "algorithm": algorithm,
                "l_max": pair.l_max,
                "seed": pair.seed,
                "epochs": settings.epochs,
                "mean_test_error": float(network.test_errors.mean()),
                "final_test_error": float(network.test_errors[-1]),
                "max_weight_difference_to_bp": apart,
                "relative_weight_difference_to_bp": apart / scale,
            }
        )
    return rows
