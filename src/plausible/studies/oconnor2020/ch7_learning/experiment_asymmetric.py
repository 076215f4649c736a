"""Weight transport: equilibrium propagation whose feedback weights are no transposes.

The thesis names parameters that are shared as its fifth gap between biology and deep learning; a
symmetric network shares each weight between the two directions of a connection. Here what comes
down goes through matrices of its own, so that settling descends no energy
(`plausible.networks.equilibrium`); the network of chapter 7, plain and initialised.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.equilibrium_propagation import FIXED, HEBBIAN, Recipe
from plausible.learning.equilibrium_training import Networks, errors, train
from plausible.measure.angles import cosine
from plausible.networks.equilibrium import Equilibrium, make_equilibrium
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of
from plausible.studies.oconnor2020.ch7_learning.experiment import (
    Parts,
    fresh,
    generator,
    images_of,
)
from plausible.studies.oconnor2020.ch7_learning.settings import AsymmetricFeedback, FeedbackWay
from plausible.studies.oconnor2020.equilibrium_protocol import training_schedule

FIRST_STOPS = (0.0, 0.25, 0.5)
"""Epochs of the first tests; further ones follow after each epoch."""


class Task(NamedTuple):
    """One training."""

    way: str
    initialised: bool
    seed: int


def asymmetric_feedback(
    settings: AsymmetricFeedback,
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Errors and alignment of every way, plain and initialised; one shard of them.

    Columns: way, initialised, seed, epoch, training_error_percent, thesis_error_percent,
    official_error_percent (first images; at the end all test images), the same of s_f
    (..._forward_...), dead_classes, angle_degrees (between all W above the first and the transposes
    of the matrices that carry states down; none without such), ended_epoch, diverged.
    """
    given = images_of(require(dataset, "asymmetric_feedback", "data set"))
    tasks = [
        Task(name, initialised, seed)
        for name in settings.ways
        for initialised in (False, True)
        for seed in seeds
    ]
    # Symmetric networks are compiled.
    costs = [0.2 if _is_symmetric(settings.ways[task.way]) else 1.0 for task in tasks]
    rows: list[dict[str, Any]] = []
    for task in part_of(tasks, costs, settings):
        rows += _trained(task, given, settings)
    return pd.DataFrame(rows)


def _is_symmetric(way: FeedbackWay) -> bool:
    return way.feedback == "symmetric" and not way.decays


def with_feedback(network: Equilibrium, way: FeedbackWay, rng: np.random.Generator) -> Equilibrium:
    """The network with matrices of its own for what comes down, unless it stays symmetric."""
    if _is_symmetric(way):
        return network
    matrices = tuple(weight.T.copy() for weight in network.weights[1:])
    if way.feedback == "drawn":
        sizes = tuple(len(bias) for bias in network.biases)
        drawn = make_equilibrium((len(network.weights[0]), *sizes), rng, untied=True).feedback
        matrices = tuple(each.astype(network.biases[0].dtype) for each in drawn)
    elif way.feedback == "none":
        matrices = tuple(np.zeros_like(each) for each in matrices)
    return network._replace(feedback=matrices)


def recipe_of(settings: AsymmetricFeedback, task: Task) -> Recipe:
    """How a way trains its network."""
    network, way = settings.network, settings.ways[task.way]
    return Recipe(
        settings.negative_steps,
        network.positive_steps,
        network.beta,
        network.learning_rates,
        pull=settings.pull if task.initialised else 0.0,
        feedback_rule=HEBBIAN if way.learns or way.feedback == "symmetric" else FIXED,
        decay=settings.decay if way.decays else 0.0,
    )


def _trained(task: Task, given: Parts, settings: AsymmetricFeedback) -> list[dict[str, Any]]:
    """Rows of one training; all of a seed begin with the same forward weights."""
    made, recipe = (
        fresh(settings.network, given.train, task.seed, task.initialised),
        recipe_of(settings, task),
    )
    drawn = generator("asymmetric_feedback", task.seed)
    network = with_feedback(made.equilibrium, settings.ways[task.way], drawn)
    networks, short = Networks(network, made.initialiser), settings.tested_images
    stops = (*FIRST_STOPS, *(float(epoch) for epoch in range(1, settings.epochs + 1)))
    schedule = training_schedule(stops, settings.batch, tested_training_images=short)
    tests = {part: images.first(short) for part, images in given.tests.items()}
    name = f"{task.way}.{'initialised' if task.initialised else 'plain'}.{task.seed}"
    path = settings.checkpoints / f"{name}.npz" if settings.checkpoints else None
    done = train(
        networks, recipe, schedule, given.train, tests, generator("signs", task.seed), path, name,
        lambda each: {"angle_degrees": angle(each.equilibrium)},
    )  # fmt: skip
    rows = [task._asdict() | row for row in done.rows]
    if not done.diverged:
        for part, images in given.tests.items():
            found = errors(networks, recipe, images)
            rows[-1][f"{part}_error_percent"] = found.minus
            rows[-1][f"{part}_forward_error_percent"] = found.forward
    ends = {"ended_epoch": done.ended_epoch, "diverged": done.diverged}
    return [row | ends for row in rows]


def angle(network: Equilibrium) -> float | None:
    """Degrees between W and B^T, all connections of free layers as one vector; None: B is 0."""
    if network.feedback is None:
        return 0.0
    up, down = (
        np.concatenate([each.ravel() for each in matrices]).astype(np.float64)
        for matrices in (network.weights[1:], [each.T for each in network.feedback])
    )
    if not down.any():
        return None
    return float(np.degrees(np.arccos(np.clip(cosine(up, down), -1.0, 1.0))))
