"""Calibration: which initialisation, input and targets did the paper use?

The heat maps of figure 3 are recovered, and two of their columns need no inference at all: at t = l
the network is trained by backprop whose rate in theta^{l+1} is alpha gamma^l (supplement, A.5), at
t = 0 only theta^1 learns. Every candidate reading is trained in these columns and compared with
them.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from plausible.data import Dataset
from plausible.learning.predictive_training import (
    Images,
    Trained,
    comparison,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.learning.readings import make_reading
from plausible.reproduction.inputs import read, require
from plausible.reproduction.shards import part_of, stored

NOT_CHOICES = ("description",)


class Group(NamedTuple):
    """Networks that share initial weights and batches: a candidate at one depth with one seed."""

    candidate: str
    l_max: int
    seed: int


def calibration(
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Columns t = 0 and t = l of figure 3 for every candidate reading; one shard of them.

    Settings: ``candidates`` (name: choices of ``Reading`` and a ``description``), ``l_max``,
    ``gammas`` (of the column t = l), ``hidden``, ``epochs``, ``batch_size``, ``weight_limit``,
    ``train_limit``; of the workflow ``published`` (the recovered cells, on the paper's data),
    ``shard``, ``shards`` and ``checkpoints``.
    """
    read(
        settings, "calibration", "candidates", "l_max", "gammas", "hidden", "epochs", "batch_size",
        "weight_limit", "train_limit",
    )  # fmt: skip
    images = prepare_images(require(dataset, "calibration", "data set"), settings["train_limit"])
    groups = [
        Group(candidate, l_max, seed)
        for candidate in settings["candidates"]
        for l_max in settings["l_max"]
        for seed in seeds
    ]
    chosen = part_of(groups, [1.0] * len(groups), settings)
    rows: list[dict[str, Any]] = []
    for number, group in enumerate(chosen, start=1):
        started = time.monotonic()
        rows += stored(
            settings.get("checkpoints"),
            ".".join(map(str, group)),
            lambda group=group: _columns(images, group, settings),
        )
        print(
            f"candidate {number} of {len(chosen)}: {group.candidate}, l_max {group.l_max}, seed "
            f"{group.seed}, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.DataFrame(rows)


def _columns(images: Images, group: Group, settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Rows of one candidate: its backprop network, column t = 0, column t = l."""
    declared = settings["candidates"][group.candidate]
    twin = _train(images, group, settings, method="backprop")
    columns = [
        ("bp", 1.0, twin),
        ("t0", 1.0, _train(images, group, settings, method="fixed_t", steps=0)),
    ]
    for gamma in settings["gammas"]:
        rates = tuple(float(gamma) ** layer for layer in range(group.l_max))
        network = _train(images, group, settings, method="backprop", layer_rates=rates)
        columns.append(("tl", float(gamma), network))
    return [
        {
            "candidate": group.candidate,
            "description": declared["description"],
            "l_max": group.l_max,
            "seed": group.seed,
            "column": column,
            "gamma": gamma,
            **comparison(network, twin),
            **published_cell(settings.get("published"), group.l_max, column, gamma),
        }
        for column, gamma, network in columns
    ]


def _train(images: Images, group: Group, settings: Mapping[str, Any], **variant: Any) -> Trained:
    declared = settings["candidates"][group.candidate]
    choices = {key: value for key, value in declared.items() if key not in NOT_CHOICES}
    reading = make_reading(choices, group.candidate)
    return train_network(
        images,
        reading,
        network_rule(reading, group.l_max, settings["batch_size"], **variant),
        l_max=group.l_max,
        hidden=settings["hidden"],
        seed=group.seed,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        weight_limit=settings["weight_limit"],
    )


def published_cell(
    published: Mapping[str, Any] | None, l_max: int, column: str, gamma: float
) -> dict[str, float]:
    """Recovered cells of figure 3 beside a network; NaN for the backprop twin or without them."""
    cells = {}
    for ours, theirs in (("test_error", "test_error"), ("weight", "final_weights")):
        value = float("nan")
        if published is not None and column != "bp":
            panel = published[f"divergence_of_{theirs}"][f"l_max_{l_max}"]
            at = panel["t_columns"].index("0" if column == "t0" else "l")
            value = float(panel["rows"][published["gamma_rows"].index(gamma)][at])
        cells[f"published_{ours}_divergence"] = value
    return cells
