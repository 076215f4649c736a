"""Beyond the paper: how far Z-IL and backprop drift apart in single and in double precision."""

from itertools import product

import numpy as np
import pandas as pd
import torch

from plausible.data.dataset import Dataset
from plausible.networks.mlp import Network
from plausible.reproduction.inputs import require
from plausible.studies.song2020.beyond.settings import Float32
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.levels import apply, backprop_updates, thetas, zil_updates

DTYPES = {"float64": torch.float64, "float32": torch.float32}


def float32(settings: Float32, seeds: list[int], dataset: Dataset | None, networks) -> pd.DataFrame:
    """Distance between the weights of Z-IL and of backprop in the course of training.

    Both see the same batches from the same start, each in the same precision.

    Columns: l_max, seed, dtype, update (number of updates made), max_weight_difference (largest
    absolute difference), relative_weight_difference (Frobenius distance of all matrices over the
    Frobenius norm of backprop's).
    """
    dataset = require(dataset, "float32", "data set")
    count = len(dataset.train_images)
    spaced = np.geomspace(1, settings.updates, settings.recorded_points)
    recorded = set(spaced.round().astype(int).tolist())
    rows = []
    for l_max, seed, name in product(settings.l_max, seeds, settings.dtypes):
        generator = torch_generator("float32", seed, "network", l_max)
        sizes = sizes_of(l_max, settings.hidden_neurons, dataset)
        bp = zil = draw_network(sizes, generator, dtype=DTYPES[name])
        order = batches(count, settings.batch_size, settings.updates, generator)
        for update, chosen in enumerate(order, 1):
            pair = images_and_targets(dataset, chosen, DTYPES[name])
            bp = apply(bp, backprop_updates(bp, *pair), settings.learning_rate)
            zil = apply(zil, zil_updates(zil, *pair), settings.learning_rate)
            if update in recorded:
                rows.append((l_max, seed, name, update, *_distances(zil, bp)))
    columns = ["l_max", "seed", "dtype", "update"]
    columns += ["max_weight_difference", "relative_weight_difference"]
    return pd.DataFrame(rows, columns=columns)


def _distances(network: Network, reference: Network) -> tuple[float, float]:
    """Largest absolute and relative Frobenius distance of all weights, taken in float64."""
    ours, theirs = (
        torch.cat([weight.ravel() for weight in thetas(each)]).to(torch.float64)
        for each in (network, reference)
    )
    difference = ours - theirs
    return float(difference.abs().max()), float(difference.norm() / theirs.norm())
