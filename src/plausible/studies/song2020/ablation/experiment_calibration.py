"""Calibration: which initialisation, input and targets did the paper use?

The heat maps of figure 3 are recovered, and two of their columns need no inference at all: at t = l
the network is trained by backprop whose rate in theta^{l+1} is alpha gamma^l (supplement, A.5), at
t = 0 only theta^1 learns. Every candidate reading is trained in these columns and compared with
them.
"""

from collections.abc import Mapping, Sequence
from itertools import product, starmap
from typing import Any, NamedTuple

import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.predictive_training import Images, Trained, comparison, prepare_images
from plausible.reproduction.inputs import require
from plausible.studies.song2020.ablation.settings import Calibration
from plausible.studies.song2020.common import finished
from plausible.studies.song2020.training import train


class Group(NamedTuple):
    """Networks that share initial weights and batches: a candidate at one depth with one seed."""

    candidate: str
    l_max: int
    seed: int


def calibration(
    settings: Calibration, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Columns t = 0 and t = l of figure 3 for every candidate reading; one shard of them.

    Beside each network stands the recovered cell of the published figure.
    """
    images = prepare_images(require(dataset, "calibration", "data set"), settings.train_limit)
    groups = list(starmap(Group, product(settings.candidates, settings.l_max, seeds)))
    costs = [1.0] * len(groups)
    found = finished(groups, costs, settings, lambda group: _columns(images, group, settings))
    return pd.DataFrame([row for _, rows in found for row in rows])


def _columns(images: Images, group: Group, settings: Calibration) -> list[dict[str, Any]]:
    """Rows of one candidate: its backprop network, column t = 0, column t = l."""
    candidate, l_max = settings.candidates[group.candidate], group.l_max

    def trained(**variant: Any) -> Trained:
        return train(images, candidate, settings, l_max, group.seed, settings.batch_size, **variant)

    twin = trained(method="backprop")
    columns = [("bp", 1.0, twin), ("t0", 1.0, trained(method="fixed_t", steps=0))]
    for gamma in settings.gammas:
        rates = tuple(gamma**layer for layer in range(l_max))
        columns.append(("tl", gamma, trained(method="backprop", layer_rates=rates)))
    labels = {"candidate": group.candidate, "description": candidate.description}
    labels |= {"l_max": l_max, "seed": group.seed}
    return [
        labels
        | {"column": column, "gamma": gamma}
        | comparison(network, twin)
        | published_cell(settings.published, l_max, column, gamma)
        for column, gamma, network in columns
    ]


def published_cell(
    published: Mapping[str, Any], l_max: int, column: str, gamma: float
) -> dict[str, float]:
    """Recovered cells of figure 3 beside a network; NaN for the backprop twin or without them."""
    cells = {}
    for ours, theirs in (("test_error", "test_error"), ("weight", "final_weights")):
        value = float("nan")
        if published and column != "bp":
            panel = published[f"divergence_of_{theirs}"][f"l_max_{l_max}"]
            at = panel["t_columns"].index("0" if column == "t0" else "l")
            value = float(panel["rows"][published["gamma_rows"].index(gamma)][at])
        cells[f"published_{ours}_divergence"] = value
    return cells
