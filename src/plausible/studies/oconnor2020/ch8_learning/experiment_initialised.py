"""Chapters 7 and 8 in one: networks that settle by bits from the state of a forward pass.

Beyond the thesis, which initialises networks of real numbers (chapter 7) and lets networks of bits
begin at 0 (chapter 8).
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_propagation import Recipe
from plausible.learning.equilibrium_training import errors, fresh_networks, train
from plausible.networks.binary_equilibrium import Coding
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.shards import part_of
from plausible.studies.oconnor2020.ch8_learning.experiment import (
    Data,
    generator,
    prepared,
    sizes_of,
)
from plausible.studies.oconnor2020.ch8_learning.settings import InitialisedBits, InitialisedRun
from plausible.studies.oconnor2020.equilibrium_protocol import training_schedule


class Task(NamedTuple):
    """One training."""

    run: str
    seed: int


def initialised_bits(
    settings: InitialisedBits, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Test error against settling steps, from zero and from s_f, by bits and real numbers.

    Columns: run, communication (real, bits), start (zero, told, forward), negative_steps,
    positive_steps (of the training), pull (lambda), seed, epochs, steps (after which the trained
    network is tested; 0: the forward pass alone), test_error_percent (thesis split),
    official_error_percent, ended_epoch (where a training was stopped as failed; -1: nowhere).
    """
    data = prepared(dataset, "initialised_bits")
    tasks = [Task(name, seed) for name in settings.runs for seed in seeds]
    costs = [_cost(settings.runs[task.run]) for task in tasks]
    rows: list[dict[str, Any]] = []
    for task in part_of(tasks, costs, settings):
        rows += _tested(task, settings, data)
    return pd.DataFrame(rows)


def _cost(run: InitialisedRun) -> float:
    """Milliseconds of a minibatch, estimated: phases, and the forward pass beside bits."""
    bits = run.communication == "bits"
    return 0.6 + bits * (0.04 * sum(run.steps) + 4.0 * (run.start == "forward"))


def recipe_of(settings: InitialisedBits, run: InitialisedRun) -> Recipe | BinaryRecipe:
    """How a network of the run settles and learns."""
    common = (*run.steps, settings.beta, settings.learning_rates)
    if run.communication == "real":
        return Recipe(*common, settings.step_size, run.pull)
    coding = Coding(Adaptive(settings.nu_bar, settings.constant), Schedule(settings.decay))
    return BinaryRecipe(coding, *common, informed=run.start != "zero", pull=run.pull)


def _tested(task: Task, settings: InitialisedBits, data: Data) -> list[dict[str, Any]]:
    """Rows of one training; those of a seed begin with the same weights and signs of beta."""
    run, (weights, signs) = (
        settings.runs[task.run],
        (generator(purpose, task.seed) for purpose in ("weights", "signs")),
    )
    made = fresh_networks(sizes_of(settings, False, data), weights, run.start == "forward")
    recipe, name = recipe_of(settings, run), f"{task.run}.{task.seed}"
    stops = tuple(float(epoch) for epoch in range(1, settings.epochs + 1))
    schedule = training_schedule(
        stops, settings.batch, tested_training_images=settings.tested_images
    )
    path = settings.checkpoints / f"{name}.npz" if settings.checkpoints else None
    done = train(made, recipe, schedule, data.train, {}, signs, path, name)
    head = {
        "run": task.run,
        "communication": run.communication,
        "start": run.start,
        "negative_steps": run.steps[0],
        "positive_steps": run.steps[1],
        "pull": run.pull,
        "seed": task.seed,
        "epochs": settings.epochs,
    }
    rows = []
    for steps in settings.tested_after:
        longer = recipe._replace(negative_steps=steps)
        found = {part: errors(made, longer, images) for part, images in data.tests.items()}
        if not rows and run.start == "forward":
            rows.append({"steps": 0, **_percents(found, "forward")})
        rows.append({"steps": steps, **_percents(found, "minus")})
    return [head | row | {"ended_epoch": done.ended_epoch} for row in rows]


def _percents(found: dict[str, Any], state: str) -> dict[str, float]:
    return {f"{part}_error_percent": getattr(each, state) for part, each in found.items()}
