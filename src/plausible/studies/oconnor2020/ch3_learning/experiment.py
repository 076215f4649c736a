"""Training runs of chapter 3 as one tidy table: learning curves, both forms of the final weights.

O'Connor 2020, sections 3.5.2, 3.5.3 and A.5. Every trained network is measured as a spiking network
and as the vector network with the same weights, which is what table 3.2 calls spiking with ReLU
weights and the reverse, so that no run needs the weights of another one.
"""

import sys
import time
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.data import Dataset
from plausible.kernels.deep_spiking_types import additions
from plausible.learning.spiking_specs import RECTIFIED, SPIKING, Run, runs
from plausible.learning.spiking_training import (
    THESIS,
    TRAIN,
    Bench,
    Progress,
    begin,
    hidden_spikes,
    image_parts,
    layer_sizes,
    rectified_predictions,
    spiking_predictions,
    train_run,
    training_additions,
)
from plausible.reproduction.inputs import read, require

COLUMNS = (
    "protocol", "network", "seed", "record", "epoch", "form", "part", "step", "layer", "counting",
    "error_percent", "operations", "operations_without_input", "training_operations",
    "silent_percent", "operations_variation", "diverged_epoch",
)  # fmt: skip


def spiking_training(
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Learning curves of all networks, and what the trained ones do; one shard of them.

    Settings: ``hidden_sizes``, ``initial_deviation`` (of the normal weights), ``steps`` (T),
    ``learning_rate`` (eta), ``epochs``; ``variants`` (name of a network: options of ``make_rule``,
    and own values of ``form``, ``steps``, ``learning_rate``, ``epochs``, ``seeds``, the number of
    its seeds, and ``protocols``); ``protocols`` (name: the same for all networks, and
    ``printed_step``); ``further_seeds`` (``variants`` that are trained for ``epochs`` with those
    seeds that they did not have); ``test_epochs``; ``tested_parts`` (of train, thesis, official);
    ``training_images_tested`` at each test point, the first so many; ``anytime_steps`` (of the test
    of a trained network step by step; 0 leaves out what is measured after the training); of the
    workflow ``shard``, ``shards`` and ``checkpoints``.

    Columns: protocol, network, seed, record (what the row is about: ``curve``, ``final``,
    ``anytime``, ``sparsity``), epoch, form (spiking, rectified), part (train, thesis: the author's
    test images, official), step (time steps so far), layer (from 0, the input), counting
    (additions; dense, sparse: multiplications and additions of a vector network with and without
    its zeros), error_percent, operations and operations_without_input (mean per image),
    training_operations (additions since the beginning), silent_percent (of the layer's units, mean
    over images), operations_variation (standard deviation over mean, over images),
    diverged_epoch (-1: never).
    """
    read(
        settings, "spiking_training", "hidden_sizes", "initial_deviation", "steps", "learning_rate",
        "epochs", "variants", "protocols", "test_epochs", "tested_parts", "training_images_tested",
        "anytime_steps",
    )  # fmt: skip
    bench = Bench(image_parts(require(dataset, "spiking_training", "data set")), {})
    listed = runs(settings, seeds)
    chosen = listed[settings.get("shard", 0) :: settings.get("shards", 1)]
    rows: list[dict[str, Any]] = []
    for number, run in enumerate(chosen, start=1):
        started = time.monotonic()
        progress = _train(run, bench, settings)
        found = progress.rows
        if settings["anytime_steps"] and run.measured:
            found = found + measurements(run, progress, bench, settings)
        rows += [
            {
                "protocol": run.protocol,
                "network": run.network,
                "seed": run.seed,
                **row,
                "diverged_epoch": progress.diverged_epoch,
            }
            for row in found
        ]
        print(
            f"network {number} of {len(chosen)}: {run.protocol} {run.network}, seed {run.seed}, "
            f"{run.epochs} epochs, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _train(run: Run, bench: Bench, settings: Mapping[str, Any]) -> Progress:
    """Train with a stop at every epoch and every test point."""
    tests = [float(epoch) for epoch in settings["test_epochs"] if epoch <= run.epochs]

    def measured(progress: Progress, epoch: float, samples: int) -> list[dict[str, Any]]:
        return _curve_rows(run, progress, epoch, bench, settings) if epoch in tests else []

    return train_run(run, bench, settings, {*tests, *map(float, range(run.epochs + 1))}, measured)


def _curve_rows(
    run: Run, progress: Progress, epoch: float, bench: Bench, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """A test point; errors of a network that diverged are not a number."""
    sizes = layer_sizes(bench.parts[TRAIN], settings["hidden_sizes"])
    spiking = run.spec.form == SPIKING
    rows = []
    for name in settings["tested_parts"]:
        part, steps = bench.parts[name], run.spec.steps
        limit = settings["training_images_tested"] if name == TRAIN else len(part.images)
        part = part._replace(images=part.images[:limit], labels=part.labels[:limit])
        error = float("nan")
        if progress.diverged_epoch < 0 and spiking:
            trains = bench.spikes(name, steps)
            trains = trains._replace(start=trains.start[:limit])
            error = spiking_predictions(progress.weights, part, trains)[0][-1]
        elif progress.diverged_epoch < 0:
            error = rectified_predictions(progress.weights, part)[0]
        rows.append(
            {
                "record": "curve",
                "epoch": epoch,
                "form": run.spec.form,
                "part": name,
                "step": steps if spiking else 0,
                "error_percent": float(error),
                "training_operations": training_additions(progress.counts, sizes)
                if spiking
                else float("nan"),
            }
        )
    return rows


def measurements(
    run: Run, progress: Progress, bench: Bench, settings: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Both forms of the trained weights on all images, step by step, and how sparse they are."""
    if progress.diverged_epoch >= 0:
        return []
    rows: list[dict[str, Any]] = []
    for name in bench.parts:
        anytime = 0 if name == TRAIN else settings["anytime_steps"]
        rows += _final_rows(run, progress.weights, name, bench, anytime)
    sizes = layer_sizes(bench.parts[TRAIN], settings["hidden_sizes"])
    first = begin(sizes, run.seed, settings["initial_deviation"])
    for epoch, weights in ((0, first.weights), (run.epochs, progress.weights)):
        rows += _sparsity_rows(run, weights, epoch, bench)
    return rows


def _final_rows(
    run: Run, weights: list[np.ndarray], name: str, bench: Bench, anytime_steps: int
) -> list[dict[str, Any]]:
    """Errors and operations of both forms on one part, and of the spiking one after each step."""
    part = bench.parts[name]
    sizes = (len(weights[0]), *(matrix.shape[1] for matrix in weights))
    steps = max(run.spec.steps, anytime_steps)
    errors, spikes = spiking_predictions(weights, part, bench.spikes(name, steps))
    common = {"epoch": run.epochs, "part": name}

    def spiking(record: str, step: int) -> dict[str, Any]:
        return {
            **common,
            "record": record,
            "form": SPIKING,
            "step": step,
            "counting": "additions",
            "error_percent": float(errors[step - 1]),
            "operations": float(additions(spikes, sizes)[:, step - 1].mean()),
            "operations_without_input": float(additions(spikes, sizes, 1)[:, step - 1].mean()),
        }

    rows = [spiking("final", run.spec.steps)]
    rows += [spiking("anytime", step) for step in range(1, anytime_steps + 1)]
    error, active = rectified_predictions(weights, part)
    products = {
        "dense": np.array(sizes[:-1]) * sizes[1:],
        "sparse": active.mean(axis=0) * sizes[1:],
    }
    for counting, number in products.items():
        rows.append(
            {
                **common,
                "record": "final",
                "form": RECTIFIED,
                "step": 0,
                "counting": counting,
                "error_percent": error,
                "operations": 2.0 * float(number.sum()),
                "operations_without_input": 2.0 * float(number[1:].sum()),
            }
        )
    return rows


def _sparsity_rows(
    run: Run, weights: list[np.ndarray], epoch: int, bench: Bench
) -> list[dict[str, Any]]:
    """Silent units of every hidden layer in both forms, and how much the additions vary."""
    part, trains = bench.parts[THESIS], bench.spikes(THESIS, run.spec.steps)
    sizes = (len(weights[0]), *(matrix.shape[1] for matrix in weights))
    _, spikes = spiking_predictions(weights, part, trains)
    _, active = rectified_predictions(weights, part)
    needed = additions(spikes, sizes)[:, -1]
    rows = []
    for layer in range(1, len(weights)):
        silent = {
            SPIKING: (hidden_spikes(weights, layer, trains) == 0).mean(),
            RECTIFIED: 1.0 - active[:, layer].mean() / sizes[layer],
        }
        rows += [
            {
                "record": "sparsity",
                "epoch": epoch,
                "form": form,
                "part": THESIS,
                "step": run.spec.steps if form == SPIKING else 0,
                "layer": layer,
                "silent_percent": 100.0 * float(share),
                "operations_variation": float(needed.std() / needed.mean())
                if form == SPIKING
                else float("nan"),
            }
            for form, share in silent.items()
        ]
    return rows
