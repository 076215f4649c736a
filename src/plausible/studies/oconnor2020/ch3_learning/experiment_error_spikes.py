"""How far error spikes get in a spiking network that learns, by what resets their quantizers.

O'Connor 2020, section A.5, states that quantizers of errors must keep what did not become a spike:
reset to zero at every sample, the network errs at random (table A.1). This counts what happens
there. The networks are those of table A.1, trained by the same functions.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.kernels.deep_spiking_types import BACK_RESETS
from plausible.learning.spiking_training import TESTS, Bench, Progress, spiking_predictions
from plausible.studies.oconnor2020.ch3_learning.experiment import Run, trainings
from plausible.studies.oconnor2020.ch3_learning.settings import ErrorSpikes

COUNTED = ("spikes", "error_spikes", "passed")
COLUMNS = (
    "protocol", "reset", "seed", "epoch", "layer", *COUNTED, "relative_change",
    *(f"{part}_error_percent" for part in TESTS), "diverged_epoch",
)  # fmt: skip


def error_spikes(
    settings: ErrorSpikes,
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Spikes, error spikes and change of the weights by layer in the course of the training.

    Columns: protocol; reset (``back_reset`` of the rule: none, where quantizers keep what did not
    become a spike, zero, random); seed; epoch; layer l (1 is the first hidden one, the last one the
    output). Three means per training sample since the previous test epoch, NaN at epoch 0: spikes
    of the layer; error_spikes, those that the quantizer of errors of layer l sends to the filter of
    its layer (of the output layer: output less target spikes of each time step); passed, those of
    units whose input so far is not negative (eq. 3.5). Each of the latter is one column of weights
    that arrives at the quantizer of errors of layer l - 1, and one change of the weights to its
    unit, by the spikes of layer l - 1. relative_change: Frobenius norm of what the matrix that
    leads to the layer has changed by since the beginning, over its initial norm. By test part, the
    same in all layers: thesis_error_percent, official_error_percent. diverged_epoch (-1: never);
    what follows it is NaN.
    """
    rows: list[dict[str, Any]] = []
    for run, _, _, progress in trainings(settings, seeds, dataset, _measured):
        rows += _rows(run, progress)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measured(
    run: Run,
    bench: Bench,
    weights: list[np.ndarray],
    progress: Progress,
    epoch: float,
    samples: int,
) -> list[dict[str, Any]]:
    """Counts so far, change of every matrix, and errors of both test parts.

    NaN, but for the counts, for a network that diverged.
    """
    healthy = progress.diverged_epoch < 0
    found: dict[str, Any] = {
        "epoch": epoch,
        "samples": samples,
        "counts": progress.counts.tolist(),
        "changes": [
            float(np.linalg.norm(now - then) / np.linalg.norm(then)) if healthy else float("nan")
            for now, then in zip(progress.weights, weights, strict=True)
        ],
    }
    for name in TESTS:
        error = float("nan")
        if healthy:
            trains = bench.spikes(name, run.steps)
            error = float(spiking_predictions(progress.weights, bench.parts[name], trains)[0][-1])
        found[f"{name}_error_percent"] = error
    return [found]


def _rows(run: Run, progress: Progress) -> list[dict[str, Any]]:
    """One row for each test epoch and layer, counts per sample since the test epoch before."""
    reset = {code: name for name, code in BACK_RESETS.items()}[run.spec.rule.back_reset]
    rows = []
    before = np.zeros_like(progress.counts)
    for state in progress.rows:
        counts = np.array(state["counts"])
        means = (counts - before) / (state["samples"] or float("nan"))
        before = counts
        for layer in range(1, counts.shape[1]):
            rows.append(
                {
                    "protocol": run.protocol,
                    "reset": reset,
                    "seed": run.seed,
                    "epoch": state["epoch"],
                    "layer": layer,
                    **dict(zip(COUNTED, means[:, layer].tolist(), strict=True)),
                    "relative_change": state["changes"][layer - 1],
                    **{key: state[key] for key in COLUMNS if key.endswith("_error_percent")},
                    "diverged_epoch": progress.diverged_epoch,
                }
            )
    return rows
