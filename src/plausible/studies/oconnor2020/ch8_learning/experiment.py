"""Sections 8.5.2 and E.3: equilibrium propagation learns images, with real numbers or bits."""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset, intensities
from plausible.data.splits import split_dataset
from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_propagation import LINEARISED, Recipe, contrast
from plausible.learning.equilibrium_training import (
    Images,
    Networks,
    Progress,
    TrainingSchedule,
    errors,
    fresh_networks,
    train,
)
from plausible.networks.binary_equilibrium import Coding
from plausible.networks.equilibrium import Forces, settle
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch8_learning.settings import Trainings, Variant
from plausible.studies.oconnor2020.equilibrium_protocol import checkpoint_epochs, training_schedule

generator = partial(numpy_generator, "oconnor2020", "ch8_learning")
"""Random stream of an experiment, a seed and a purpose."""


class Task(NamedTuple):
    """One training."""

    variant: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its checkpoint, ``binary.0``."""
        return ".".join(map(str, self))


class Data(NamedTuple):
    """Images to learn and to test with."""

    train: Images
    tests: dict[str, Images]
    """``test``: the last images of the training file, as in the thesis; ``official``."""


def prepared(dataset: Dataset | None, what: str) -> Data:
    """First 5/6 of the training images, and both sets of test images."""
    dataset = require(dataset, what, "data set")
    parts, white = split_dataset(dataset, "thesis"), float(dataset.white)

    def images(pixels: NDArray, labels: NDArray) -> Images:
        return Images(pixels, labels.astype(np.int64), white)

    tests = {
        "test": images(parts.test_images, parts.test_labels),
        "official": images(dataset.test_images, dataset.test_labels),
    }
    return Data(images(parts.train_images, parts.train_labels), tests)


def tasks(settings: Trainings, seeds: Sequence[int]) -> list[tuple[Task, float]]:
    """Every training with its estimated cost; deep networks with fewer seeds."""
    found = []
    for name, variant in settings.variants.items():
        chosen = seeds[: settings.deep_seeds] if variant.deep else seeds
        cost = epochs_of(settings, variant) * (0.5 + sum(variant.steps) / 30.0)
        cost *= 6.0 if variant.deep else 1.0
        found += [(Task(name, seed), cost) for seed in chosen]
    return found


def epochs_of(settings: Trainings, variant: Variant) -> int:
    """Epochs of a variant."""
    return getattr(settings, f"{variant.epochs}_epochs")


def trainings(
    settings: Trainings, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Figures 8.3 and E.3: errors of every variant at every checkpoint; one shard of them.

    Columns: protocol, variant, seed, epoch, training_error_percent (first training images),
    test_error_percent (thesis split), official_error_percent, dead_classes, ended_epoch (-1: none),
    last_epoch (that the variant was to reach), thesis_epochs (that it had in the thesis).
    """
    data = prepared(dataset, "trainings")
    listed = tasks(settings, seeds)
    rows: list[dict[str, Any]] = []
    for task in part_of([task for task, _ in listed], [cost for _, cost in listed], settings):
        variant = settings.variants[task.variant]
        progress = _trained(settings, variant, task, data)
        last = epochs_of(settings, variant)
        more = {
            "ended_epoch": progress.ended_epoch,
            "last_epoch": last,
            "thesis_epochs": settings.thesis_deep_epochs if variant.deep else last,
        }
        for row in progress.rows:
            kept = {name: value for name, value in row.items() if "forward" not in name}
            rows.append({"protocol": variant.protocol, **task._asdict(), **kept, **more})
    return pd.DataFrame(rows)


def sizes_of(settings: Any, deep: bool, data: Data) -> tuple[int, ...]:
    """Units per layer of a shallow or a deep network."""
    outputs = int(data.train.labels.max()) + 1
    hidden = [settings.width] * (3 if deep else 1)
    return (data.train.images.shape[1], *hidden, outputs)


def recipe_of(settings: Trainings, variant: Variant) -> Recipe | BinaryRecipe:
    """How a variant settles and learns."""
    beta, rates = settings.betas[variant.deep], settings.learning_rates[variant.deep]
    if variant.communication == "real":
        form = {"step_size": settings.step_size, "contrast": LINEARISED}
        return Recipe(*variant.steps, beta, rates, **form)
    rule = Schedule(*variant.epsilon) if variant.epsilon else None
    rule = rule or Adaptive(variant.nu_bar, settings.constant)
    coding = Coding(rule, Schedule(*variant.decay))
    return BinaryRecipe(coding, *variant.steps, beta, rates, variant.from_checkpoint)


def _trained(settings: Trainings, variant: Variant, task: Task, data: Data) -> Progress:
    """Networks of one seed begin with the same weights and have the same signs of beta."""
    weights, signs = (generator(purpose, task.seed) for purpose in ("weights", "signs"))
    made = fresh_networks(sizes_of(settings, variant.deep, data), weights, False)
    recipe, last = recipe_of(settings, variant), epochs_of(settings, variant)
    folder = settings.checkpoints
    path = folder / f"{task.name}.npz" if folder else None
    stops = checkpoint_epochs(last)
    tested = {"tested_training_images": settings.tested_images}
    schedule = training_schedule(stops, settings.batch, **tested)
    if variant.keeps_states:
        return _keeping(made, recipe, schedule, data, signs)
    return train(made, recipe, schedule, data.train, data.tests, signs, path, task.name)


def _keeping(
    networks: Networks,
    recipe: Recipe,
    schedule: TrainingSchedule,
    data: Data,
    rng: np.random.Generator,
) -> Progress:
    """The same where each training sample begins with the states it had after its free phase.

    Of a network with real numbers. One with bits and OSA would forget them at once: its first step
    is 1, and its neighbours have told it nothing yet.
    """
    network, images, batch = networks.equilibrium, data.train, schedule.batch
    units = [len(bias) for bias in network.biases]
    kept = np.zeros((len(images.images), sum(units)), network.biases[0].dtype)
    whole, done, rows = len(images.images) // batch, 0, []
    for stop in schedule.stops:
        until = round(stop * whole)
        order = np.arange(done * batch, until * batch).reshape(-1, batch) % (whole * batch)
        betas = recipe.beta * rng.choice((-1.0, 1.0), len(order))
        done += _learn_from_kept(network, recipe, images, order, betas, kept)
        parts = {"training": images.first(schedule.tested_training_images), **data.tests}
        row = {"epoch": stop}
        for name, part in parts.items():
            found = errors(networks, recipe, part)
            row[f"{name}_error_percent"] = found.minus
            row |= {"dead_classes": found.dead_classes} if name == "training" else {}
        rows.append(row)
        if done < until:
            return Progress(networks, done, len(rows), stop, True, tuple(rows))
    return Progress(networks, done, len(rows), rows=tuple(rows))


def _learn_from_kept(network, recipe: Recipe, images: Images, order, betas, kept: NDArray) -> int:
    """Continuous networks in the readable form: both phases from states that were kept.

    The number of minibatches that were done: as many as asked for, or until the network diverged.
    """
    edges = np.cumsum([len(bias) for bias in network.biases])[:-1]
    outputs = np.eye(len(network.biases[-1]), dtype=kept.dtype)
    for number, (chosen, beta) in enumerate(zip(order, betas, strict=True)):
        inputs = intensities(images.images[chosen], images.white, kept.dtype)
        start = tuple(np.split(kept[chosen], edges, axis=1))
        size = {"step_size": recipe.step_size}
        minus = settle(network, inputs, start, recipe.negative_steps, **size)
        nudge = Forces(target=outputs[images.labels[chosen]], beta=float(beta))
        plus = settle(network, inputs, minus, recipe.positive_steps, nudge, **size)
        found = contrast(network, inputs, minus, plus, float(beta), recipe.contrast)
        for layer, rate in enumerate(recipe.learning_rates):
            network.weights[layer][...] -= rate * found.weights[layer]
            network.biases[layer][...] -= rate * found.biases[layer]
        if not all(np.isfinite(array).all() for array in (*network.weights, *network.biases)):
            return number
        kept[chosen] = np.concatenate(minus, axis=1)
    return len(order)
