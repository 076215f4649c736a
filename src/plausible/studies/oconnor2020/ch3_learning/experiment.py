"""Training runs of chapter 3 as one tidy table: learning curves, both forms of the final weights.

O'Connor 2020, sections 3.5.2, 3.5.3 and A.5. Every trained network is measured as a spiking network
and as the vector network with the same weights, which is what table 3.2 calls spiking with ReLU
weights and the reverse, so that no run needs the weights of another one.
"""

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import CLASSES, Dataset
from plausible.kernels.deep_spiking_types import additions, initial_weights, make_rule
from plausible.learning.spiking_training import (
    RECTIFIED,
    SPIKING,
    THESIS,
    TRAIN,
    Bench,
    Progress,
    Spec,
    hidden_spikes,
    image_parts,
    layer_sizes,
    rectified_predictions,
    spiking_predictions,
    train_run,
    training_additions,
)
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_learning.settings import RULE, SpikingTraining, Trainings

STUDY, NAN = "oconnor2020", float("nan")
COLUMNS = (
    "protocol", "network", "seed", "record", "epoch", "form", "part", "step", "layer", "counting",
    "error_percent", "operations", "operations_without_input", "training_operations",
    "silent_percent", "operations_variation", "diverged_epoch",
)  # fmt: skip


class Run(NamedTuple):
    """One network to train."""

    protocol: str
    network: str
    seed: int
    form: str
    steps: int
    spec: Spec
    epochs: int


Measure = Callable[[Run, Bench, list[np.ndarray], Progress, float, int], list[dict[str, Any]]]
"""Rows of a test point: run, images, first weights, progress, epoch, samples since the last one."""


def runs(settings: Trainings, seeds: Sequence[int]) -> list[Run]:
    """All networks of the sweep, in its order."""
    listed = []
    for protocol in settings.protocols:
        for network, own in settings.variants.items():
            if protocol not in (own.protocols or settings.protocols):
                continue
            chosen = settings.of(protocol, network)
            steps = chosen["steps"]
            rate = chosen["learning_rate"] * (steps if chosen.get("printed_step") else 1)
            form = chosen.get("form", SPIKING)
            options = {key: chosen[key] for key in RULE if key in chosen}
            rule = make_rule(steps, rate, **options) if form == SPIKING else None
            for seed in seeds[: chosen.get("seeds")]:
                spec = Spec(rule, rate)
                listed.append(Run(protocol, network, seed, form, steps, spec, chosen["epochs"]))
    return listed


def first_weights(
    settings: Trainings, pixels: int, seed: int, classes: int = CLASSES
) -> list[np.ndarray]:
    """Initial weights of a seed: the same for every rule and every number of time steps."""
    rng = numpy_generator(STUDY, "mnist weights", seed)
    sizes = (pixels, *settings.hidden_sizes, classes)
    return initial_weights(sizes, rng, settings.initial_deviation)


def trainings(
    settings: Trainings,
    seeds: Sequence[int],
    dataset: Dataset | None,
    measure: Measure,
    at_epochs: bool = False,
) -> Iterator[tuple[Run, Bench, list[np.ndarray], Progress]]:
    """Run, images, first weights and progress of every network of this job, once it is trained.

    Training stops at every test point, and ``at_epochs`` at every epoch too, for a checkpoint.
    Networks of the same name and seed have the same random stream in every sweep.
    """
    dataset = require(dataset, "of trainings", "data set")
    bench = Bench(image_parts(dataset), {})
    chosen = runs(settings, seeds)[settings.shard :: settings.shards]
    for number, run in enumerate(chosen, start=1):
        started = time.monotonic()
        pixels = dataset.train_images.shape[1]
        weights = first_weights(settings, pixels, run.seed, dataset.classes)
        tests = [epoch for epoch in settings.test_epochs if epoch <= run.epochs]
        stops = {*tests, *map(float, range(run.epochs + 1))} if at_epochs else tests

        def measured(progress, epoch, samples, run=run, weights=weights, tests=tests):
            tested = epoch in tests
            return measure(run, bench, weights, progress, epoch, samples) if tested else []

        generator = numpy_generator(STUDY, "back reset", run.network, run.seed)
        checkpoint = f"{run.protocol}.{run.network}.{run.seed}.npz"
        place = settings.checkpoints and settings.checkpoints / checkpoint
        progress = train_run(run.spec, weights, bench, stops, measured, generator, place)
        yield run, bench, weights, progress
        name = f"{run.protocol} {run.network}, seed {run.seed}, {run.epochs} epochs"
        spent = f"{time.monotonic() - started:.0f} s"
        print(f"network {number} of {len(chosen)}: {name}, {spent}", file=sys.stderr, flush=True)


def spiking_training(
    settings: SpikingTraining, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Learning curves of all networks, and what the trained ones do; one shard of them.

    Columns: protocol, network, seed, record (what the row is about: ``curve``, ``final``,
    ``anytime``, ``sparsity``), epoch, form (spiking, rectified), part (train, thesis: the author's
    test images, official), step (time steps so far), layer (from 0, the input), counting
    (additions; dense, sparse: multiplications and additions of a vector network with and without
    its zeros), error_percent, operations and operations_without_input (mean per image),
    training_operations (additions since the beginning), silent_percent (of the layer's units, mean
    over images), operations_variation (standard deviation over mean, over images),
    diverged_epoch (-1: never).
    """
    rows: list[dict[str, Any]] = []
    curve = partial(_curve_rows, settings)
    for run, bench, weights, progress in trainings(settings, seeds, dataset, curve, at_epochs=True):
        found = progress.rows
        if settings.anytime_steps and progress.diverged_epoch < 0:
            found = found + measurements(run, weights, progress, bench, settings.anytime_steps)
        named = {"protocol": run.protocol, "network": run.network, "seed": run.seed}
        rows += [{**named, **row, "diverged_epoch": progress.diverged_epoch} for row in found]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _curve_rows(settings: SpikingTraining, run, bench, first, progress, epoch, samples):
    """`Measure` of a test point; errors of a network that diverged are not a number."""
    spiking, spent, rows = run.form == SPIKING, NAN, []
    if spiking:
        spent = training_additions(progress.counts, layer_sizes(progress.weights))
    for name in settings.tested_parts:
        part, steps = bench.parts[name], run.steps
        limit = settings.training_images_tested if name == TRAIN else len(part.images)
        part = part._replace(images=part.images[:limit], labels=part.labels[:limit])
        error = NAN
        if progress.diverged_epoch < 0 and spiking:
            trains = bench.spikes(name, steps)
            trains = trains._replace(start=trains.start[:limit])
            error = spiking_predictions(progress.weights, part, trains)[0][-1]
        elif progress.diverged_epoch < 0:
            error = rectified_predictions(progress.weights, part)[0]
        row = {"record": "curve", "epoch": epoch, "form": run.form, "part": name}
        row |= {"step": steps if spiking else 0, "error_percent": float(error)}
        rows.append({**row, "training_operations": spent})
    return rows


def measurements(
    run: Run, first: list[np.ndarray], progress: Progress, bench: Bench, anytime_steps: int
) -> list[dict[str, Any]]:
    """Both forms of the trained weights on all images, step by step, and how sparse they are."""
    rows: list[dict[str, Any]] = []
    for name in bench.parts:
        anytime = 0 if name == TRAIN else anytime_steps
        rows += _final_rows(run, progress.weights, name, bench, anytime)
    for epoch, weights in ((0, first), (run.epochs, progress.weights)):
        rows += _sparsity_rows(run, weights, epoch, bench)
    return rows


def _final_rows(
    run: Run, weights: list[np.ndarray], name: str, bench: Bench, anytime_steps: int
) -> list[dict[str, Any]]:
    """Errors and operations of both forms on one part, and of the spiking one after each step."""
    part = bench.parts[name]
    sizes = layer_sizes(weights)
    steps = max(run.steps, anytime_steps)
    errors, spikes = spiking_predictions(weights, part, bench.spikes(name, steps))
    spent, hidden = (additions(spikes, sizes, first).mean(axis=0) for first in (0, 1))
    error, active = rectified_predictions(weights, part)
    dense, sparse = np.array(sizes[:-1]) * sizes[1:], active.mean(axis=0) * sizes[1:]
    tested = [("final", run.steps), *(("anytime", step) for step in range(1, anytime_steps + 1))]
    rows = [
        (record, SPIKING, step, "additions", errors[step - 1], spent[step - 1], hidden[step - 1])
        for record, step in tested
    ]
    rows += [
        ("final", RECTIFIED, 0, counting, error, 2.0 * number.sum(), 2.0 * number[1:].sum())
        for counting, number in (("dense", dense), ("sparse", sparse))
    ]
    columns = ("record", "form", "step", "counting", "error_percent", "operations")
    columns += ("operations_without_input",)
    common = {"epoch": run.epochs, "part": name}
    return [common | dict(zip(columns, row, strict=True)) for row in rows]


def _sparsity_rows(
    run: Run, weights: list[np.ndarray], epoch: int, bench: Bench
) -> list[dict[str, Any]]:
    """Silent units of every hidden layer in both forms, and how much the additions vary."""
    part, trains = bench.parts[THESIS], bench.spikes(THESIS, run.steps)
    sizes = layer_sizes(weights)
    _, spikes = spiking_predictions(weights, part, trains)
    _, active = rectified_predictions(weights, part)
    needed = additions(spikes, sizes)[:, -1]
    steps, variation = {SPIKING: run.steps}, {SPIKING: needed.std() / needed.mean()}
    rows = []
    for layer in range(1, len(weights)):
        silent = {
            SPIKING: (hidden_spikes(weights, layer, trains) == 0).mean(),
            RECTIFIED: 1.0 - active[:, layer].mean() / sizes[layer],
        }
        for form, share in silent.items():
            row = {"record": "sparsity", "epoch": epoch, "form": form, "part": THESIS}
            row |= {"step": steps.get(form, 0), "layer": layer, "silent_percent": 100.0 * share}
            rows.append({**row, "operations_variation": variation.get(form, NAN)})
    return rows
