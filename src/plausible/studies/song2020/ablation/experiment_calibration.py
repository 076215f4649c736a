"""Calibration: which initialisation, input and targets did the paper use?

The heat maps of figure 3 are recovered, and two of their columns need no inference at all: at t = l
the network is trained by backprop whose rate in theta^{l+1} is alpha gamma^l (supplement, A.5), at
t = 0 only theta^1 learns. Every candidate reading is trained in these columns and compared with
them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.predictive_training import (
    Images,
    Trained,
    comparison,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.reproduction.inputs import require
from plausible.studies.song2020.ablation.settings import Calibration
from plausible.studies.song2020.common import STUDY, finished


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
    groups = [
        Group(candidate, l_max, seed)
        for candidate in settings.candidates
        for l_max in settings.l_max
        for seed in seeds
    ]

    def columns(group: Group) -> list[dict[str, Any]]:
        return _columns(images, group, settings)

    found = finished(groups, [1.0] * len(groups), settings, columns)
    return pd.DataFrame([row for _, rows in found for row in rows])


def _columns(images: Images, group: Group, settings: Calibration) -> list[dict[str, Any]]:
    """Rows of one candidate: its backprop network, column t = 0, column t = l."""
    twin = _train(images, group, settings, method="backprop")
    columns = [
        ("bp", 1.0, twin),
        ("t0", 1.0, _train(images, group, settings, method="fixed_t", steps=0)),
    ]
    for gamma in settings.gammas:
        rates = tuple(gamma**layer for layer in range(group.l_max))
        network = _train(images, group, settings, method="backprop", layer_rates=rates)
        columns.append(("tl", gamma, network))
    return [
        {
            "candidate": group.candidate,
            "description": settings.candidates[group.candidate].description,
            "l_max": group.l_max,
            "seed": group.seed,
            "column": column,
            "gamma": gamma,
            **comparison(network, twin),
            **published_cell(settings.published, group.l_max, column, gamma),
        }
        for column, gamma, network in columns
    ]


def _train(images: Images, group: Group, settings: Calibration, **variant: Any) -> Trained:
    reading = settings.candidates[group.candidate].reading()
    return train_network(
        images,
        reading,
        network_rule(reading, group.l_max, settings.batch_size, **variant),
        stream=STUDY,
        seed=group.seed,
        l_max=group.l_max,
        hidden=settings.hidden,
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        weight_limit=settings.weight_limit,
    )


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
