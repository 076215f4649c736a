"""Training jobs of any study: the seeds of one shard, one after another."""

import logging
import math
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

from plausible.data.dataset import Dataset
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import TrainingResult, train
from plausible.networks.mlp import network_to_arrays
from plausible.settings import read_settings

HISTORY_COLUMNS = [
    "run",
    "protocol",
    "seed",
    "quantity",
    "step",
    "value",
    "value_low",
    "value_high",
    "diverged_epoch",
]


def train_shard(
    settings: Mapping[str, Any],
    study: str,
    seed_group: str,
    labels: Mapping[str, str],
    seeds: Sequence[int],
    dataset: Dataset,
    device: str,
    checkpoints: str | Path,
    log: logging.Logger,
) -> tuple[dict[int, dict[str, np.ndarray]], pd.DataFrame]:
    """Train one network a seed; return their arrays by seed and the tidy history.

    ``study``, ``seed_group`` and the seed name the random streams, ``labels`` become columns of the
    history. Each epoch is kept in the folder ``checkpoints`` until the shard is finished, so that a
    killed job goes on where it stopped.

    History columns: ``HISTORY_COLUMNS``; ``quantity`` is ``test_accuracy_percent`` (value alone) or
    ``training_loss_nats`` (mean, lowest and highest of a window of updates); ``diverged_epoch`` is
    empty unless the run went to infinity.
    """
    torch.set_num_threads(1)
    parsed = read_settings(TrainingSettings, settings, "training settings")
    networks, histories = {}, []
    folder = Path(checkpoints)
    for seed in seeds:
        result = train(
            parsed,
            dataset,
            study,
            seed_group,
            seed,
            device,
            checkpoint_path=folder / f"seed{seed}.npz",
            progress=log.info,
        )
        networks[seed] = network_to_arrays(result.network)
        histories.append(history_table(result, {**labels, "seed": seed}))
    shutil.rmtree(folder, ignore_errors=True)
    return networks, pd.concat(histories, ignore_index=True)


def history_table(result: TrainingResult, labels: Mapping[str, Any]) -> pd.DataFrame:
    """Tidy history of one training run."""
    history = result.history
    accuracy = history["test_accuracy_percent"]
    tests = pd.DataFrame(
        {
            "quantity": "test_accuracy_percent",
            "step": history["accuracy_step"],
            "value": accuracy,
            "value_low": accuracy,
            "value_high": accuracy,
        }
    )
    losses = pd.DataFrame(
        {
            "quantity": "training_loss_nats",
            "step": history["loss_step"],
            "value": history["loss_mean"],
            "value_low": history["loss_min"],
            "value_high": history["loss_max"],
        }
    )
    epoch = history["diverged_epoch"]
    table = pd.concat([tests, losses], ignore_index=True)
    return table.assign(**labels, diverged_epoch=math.nan if epoch is None else epoch)[
        HISTORY_COLUMNS
    ]
