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
from plausible.learning.spiking_training import TESTS, Progress, spiking_predictions
from plausible.studies.oconnor2020.ch3_learning.experiment import NAN, Run, trainings
from plausible.studies.oconnor2020.ch3_learning.settings import ErrorSpikes

COUNTED = ("spikes", "error_spikes", "passed")
COLUMNS = (
    "protocol", "reset", "seed", "epoch", "layer", *COUNTED, "relative_change",
    *(f"{part}_error_percent" for part in TESTS), "diverged_epoch",
)  # fmt: skip


def error_spikes(
    settings: ErrorSpikes, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
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
    trained = trainings(settings, seeds, dataset, _measured)
    rows = [row for run, _, _, progress in trained for row in _rows(run, progress)]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _measured(run, bench, weights, progress, epoch, samples) -> list[dict[str, Any]]:
    """`Measure` of counts so far, change of every matrix, and errors of both test parts.

    NaN, but for the counts, for a network that diverged.
    """
    healthy = progress.diverged_epoch < 0
    changes, errors = [NAN] * len(weights), dict.fromkeys(TESTS, NAN)
    if healthy:
        pairs = zip(progress.weights, weights, strict=True)
        changes = [float(np.linalg.norm(a - b) / np.linalg.norm(b)) for a, b in pairs]
        for name in TESTS:
            trains, part = bench.spikes(name, run.steps), bench.parts[name]
            errors[name] = float(spiking_predictions(progress.weights, part, trains)[0][-1])
    found = {"epoch": epoch, "samples": samples, "counts": progress.counts.tolist()}
    errors = {f"{name}_error_percent": error for name, error in errors.items()}
    return [found | {"changes": changes} | errors]


def _rows(run: Run, progress: Progress) -> list[dict[str, Any]]:
    """One row for each test epoch and layer, counts per sample since the test epoch before."""
    reset = {code: name for name, code in BACK_RESETS.items()}[run.spec.rule.back_reset]
    named = {"protocol": run.protocol, "reset": reset, "seed": run.seed}
    named["diverged_epoch"] = progress.diverged_epoch
    rows, before = [], np.zeros_like(progress.counts)
    for state in progress.rows:
        counts = np.array(state["counts"])
        means = (counts - before) / (state["samples"] or NAN)
        before = counts
        # What is the same in all layers: epoch and errors.
        shared = named | {key: state[key] for key in COLUMNS if key in state}
        for layer, change in enumerate(state["changes"], start=1):
            counted = dict(zip(COUNTED, means[:, layer].tolist(), strict=True))
            rows.append({**shared, "layer": layer, **counted, "relative_change": change})
    return rows
