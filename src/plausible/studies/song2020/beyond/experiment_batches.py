"""Beyond the paper: Z-IL with Adam and with mini-batches of 1 to 256 images.

Section 3 proves equal updates for a batch; an optimiser is a function of the updates so far, so
equality must survive any optimiser and any batch size, up to rounding. Updates are averaged over
the batch here, which lets one learning rate serve all sizes; at 20 images and SGD it is the rate of
the reading times 20, i.e. the summed updates of figure 3.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.data import Dataset
from plausible.learning.predictive_training import (
    Images,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.learning.readings import make_reading
from plausible.reproduction.inputs import read, require
from plausible.reproduction.shards import part_of, stored

ALGORITHMS = {"bp": "backprop", "zil": "t_equals_l"}


def batches(
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Test error of backprop and Z-IL, and the distance of their weights, after training.

    Settings: ``reading`` (choices of ``Reading``), ``learning_rates`` (optimiser: rate of the mean
    update), ``batch_sizes``, ``l_max``, ``hidden``, ``epochs``, ``weight_limit``, ``train_limit``;
    of the workflow ``shard``, ``shards`` and ``checkpoints``.
    """
    read(
        settings, "batches", "reading", "learning_rates", "batch_sizes", "l_max", "hidden",
        "epochs", "weight_limit", "train_limit",
    )  # fmt: skip
    images = prepare_images(require(dataset, "batches", "data set"), settings["train_limit"])
    pairs = [
        (optimizer, batch_size, l_max, seed)
        for optimizer in settings["learning_rates"]
        for batch_size in settings["batch_sizes"]
        for l_max in settings["l_max"]
        for seed in seeds
    ]
    # Measured: Adam visits every weight of the input matrix once a batch, SGD the active ones.
    costs = [1.0 + (20.0 if pair[0] == "adam" else 2.0) / pair[1] for pair in pairs]
    rows: list[dict[str, Any]] = []
    chosen = part_of(pairs, costs, settings)
    for number, pair in enumerate(chosen, start=1):
        started = time.monotonic()
        rows += stored(
            settings.get("checkpoints"),
            ".".join(map(str, pair)),
            lambda pair=pair: _pair(images, *pair, settings),
        )
        print(
            f"pair {number} of {len(chosen)}: {pair[0]}, batches of {pair[1]}, l_max {pair[2]}, "
            f"seed {pair[3]}, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.DataFrame(rows)


def _pair(
    images: Images,
    optimizer: str,
    batch_size: int,
    l_max: int,
    seed: int,
    settings: Mapping[str, Any],
) -> list[dict[str, Any]]:
    """Rows of backprop and of Z-IL with the same initial weights and batches."""
    reading = make_reading(settings["reading"], "batches")._replace(
        reduction="mean", learning_rate=float(settings["learning_rates"][optimizer])
    )
    trained = {
        algorithm: train_network(
            images,
            reading,
            network_rule(reading, l_max, batch_size, method=method, optimizer=optimizer),
            l_max=l_max,
            hidden=settings["hidden"],
            seed=seed,
            epochs=settings["epochs"],
            batch_size=batch_size,
            weight_limit=settings["weight_limit"],
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
                "optimizer": optimizer,
                "batch_size": batch_size,
                "algorithm": algorithm,
                "l_max": l_max,
                "seed": seed,
                "epochs": settings["epochs"],
                "mean_test_error": float(network.test_errors.mean()),
                "final_test_error": float(network.test_errors[-1]),
                "max_weight_difference_to_bp": apart,
                "relative_weight_difference_to_bp": apart / scale,
            }
        )
    return rows
