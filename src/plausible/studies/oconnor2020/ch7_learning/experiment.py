"""Section 7.4 and D.4: trainings on MNIST, with the settings of the author's code.

Trained on the first 50,000 images, tested on the last 10,000 of the training file (thesis) and on
the official test images.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset, intensities
from plausible.data.splits import split_dataset
from plausible.learning.equilibrium_propagation import Recipe, negative_phase
from plausible.learning.equilibrium_training import (
    Images,
    Networks,
    errors,
    fresh_networks,
    train,
)
from plausible.learning.initialiser import global_gradients, local_gradients
from plausible.measure.angles import cosine
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch7_learning.settings import (
    FEWEST,
    MODERATE,
    LambdaScan,
    MnistTraining,
    NetworkSettings,
    Run,
)
from plausible.studies.oconnor2020.equilibrium_protocol import (
    FAILED,
    TESTED_TRAINING,
    checkpoint_epochs,
    training_schedule,
)

generator = partial(numpy_generator, "oconnor2020", "ch7_learning")
"""Random stream of an experiment, a seed and a purpose."""


class Task(NamedTuple):
    """One training of a run."""

    run: str
    seed: int
    cost: float


class Parts(NamedTuple):
    """Images for training, and those of both splits for tests."""

    train: Images
    tests: dict[str, Images]


def images_of(dataset: Dataset) -> Parts:
    """The thesis' training images, its test images, and the official ones."""
    parts = split_dataset(dataset, "thesis")
    return Parts(
        _images(parts, "train"),
        {"thesis": _images(parts, "test"), "official": _images(dataset, "test")},
    )


def _images(dataset: Dataset, part: str) -> Images:
    images, labels = (getattr(dataset, f"{part}_{name}") for name in ("images", "labels"))
    return Images(images, labels.astype(np.int64), float(dataset.white))


def recipe_of(network: NetworkSettings, run: Run) -> Recipe:
    """How a run trains its network."""
    return Recipe(
        run.negative_steps,
        network.positive_steps,
        network.beta,
        network.learning_rates,
        run.step_size,
        run.pull if run.initialised else 0.0,
        forward_loss=run.forward_loss,
        forward_target=run.forward_target,
    )


def fresh(network: NetworkSettings, given: Images, seed: int, initialised: bool) -> Networks:
    """Networks of a seed; trainings of one network begin with the same weights."""
    sizes = (given.images.shape[1], *network.hidden_sizes, int(given.labels.max()) + 1)
    layers = len(network.hidden_sizes)
    return fresh_networks(sizes, generator("weights", layers, seed), initialised)


def mnist_training(
    settings: MnistTraining, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Errors of every run at every test; one shard of them.

    Columns: run, network, seed, epoch, training_error_percent and training_forward_error_percent
    (first 10,000 images, on the way fewer; forward: of s_f), the same of the test images of either
    split (thesis_..., official_...), dead_classes (that s_- gives to none of the training images),
    alignment_1 .. (cosine of local and distant gradient of the layer, where asked for),
    ended_epoch (where a run was stopped as failed; -1: nowhere), diverged.
    """
    given = images_of(require(dataset, "mnist_training", "data set"))
    tasks = [
        Task(name, seed, _cost(settings.networks[run.network], run))
        for name, run in settings.runs.items()
        for seed in seeds[: run.seeds]
    ]
    rows: list[dict[str, Any]] = []
    for task in part_of(tasks, [task.cost for task in tasks], settings):
        rows += _trained(task, given, settings)
    return pd.DataFrame(rows)


def _cost(network: NetworkSettings, run: Run) -> float:
    """Estimated: steps times connections between free layers, and the input's."""
    sizes = (*network.hidden_sizes, 10)
    between = sum(low * high for low, high in zip(sizes, sizes[1:], strict=False))
    steps = run.negative_steps + network.positive_steps
    return run.epochs * (steps * between + 400.0 * sizes[0])


def _trained(task: Task, given: Parts, settings: MnistTraining) -> list[dict[str, Any]]:
    run, name = settings.runs[task.run], f"{task.run}.{task.seed}"
    network = settings.networks[run.network]
    recipe, networks = (
        recipe_of(network, run),
        fresh(network, given.train, task.seed, run.initialised),
    )
    short = settings.tested_images
    schedule = training_schedule(
        checkpoint_epochs(run.epochs), settings.batch, signs=run.signs,
        failure=FAILED._replace(after=settings.failed_after),
        tested_training_images=short or TESTED_TRAINING,
    )  # fmt: skip
    tests = {part: images.first(short) if short else images for part, images in given.tests.items()}
    aligned = given.train.first(run.alignment_samples)
    done = train(
        networks, recipe, schedule, given.train, tests, generator("signs", task.seed),
        settings.checkpoints / f"{name}.npz" if settings.checkpoints else None, name,
        (lambda each: _alignments(each, recipe, aligned)) if run.alignment_samples else None,
    )  # fmt: skip
    head = {"run": task.run, "network": run.network, "seed": task.seed}
    rows = [head | row for row in done.rows]
    if short and not done.diverged:
        whole = {"training": given.train.first(TESTED_TRAINING), **given.tests}
        for part, images in whole.items():
            found = errors(networks, recipe, images)
            rows[-1][f"{part}_error_percent"] = found.minus
            rows[-1][f"{part}_forward_error_percent"] = found.forward
    ends = {"ended_epoch": done.ended_epoch, "diverged": done.diverged}
    return [row | ends for row in rows]


def _alignments(networks: Networks, recipe: Recipe, data: Images) -> dict[str, float]:
    """Cosine of flattened local and distant gradient of each layer but the last."""
    inputs = intensities(data.images, data.white)
    minus, passed = negative_phase(*networks, recipe, inputs)
    local, whole = (
        rule(networks.initialiser, inputs, passed, minus).weights
        for rule in (local_gradients, global_gradients)
    )
    return {
        f"alignment_{layer}": cosine(near, both - near)
        for layer, (near, both) in enumerate(zip(local[:-1], whole[:-1], strict=True), start=1)
    }


def lambda_scan(
    settings: LambdaScan, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Figure D.1: errors after training with many lambdas, and with half the step.

    Columns: network, negative_steps, pull (lambda as coded), step_size, seed, epochs,
    training_error_percent, thesis_error_percent, official_error_percent and the same of s_f
    (..._forward_...), dead_classes, diverged. Rows with a ``step_size`` of 0.25, and of 0.5 beside
    them with the same ``epochs``, isolate the step: the largest lambda and 1, small network. With
    `MODERATE` lambda all networks are also trained alike, with `FEWEST` and all numbers of steps
    and the fewest epochs.
    """
    given = images_of(require(dataset, "lambda_scan", "data set"))
    tasks = [
        (name, steps, pull, 0.5, seed, settings.epochs[name])
        for name in settings.networks
        for steps in settings.negative_steps[name]
        for pull in settings.lambdas[name]
        for seed in seeds[: settings.seeds[name]]
    ]
    small = next(iter(settings.networks))
    long, largest = max(settings.negative_steps[small]), max(settings.lambdas[small])
    tasks += [
        (small, long, pull, size, seed, settings.cause_epochs)
        for pull in (1.0, largest)
        for size in (0.5, 0.25)
        for seed in seeds[: settings.cause_seeds]
    ]
    tasks += [
        (name, steps, MODERATE, 0.5, seed, min(settings.epochs.values()))
        for name in settings.networks
        for steps in sorted(
            {*FEWEST, *(one for own in settings.negative_steps.values() for one in own)}
        )
        for seed in seeds[: settings.seeds[name]]
    ]
    tasks = list(dict.fromkeys(tasks))
    costs = [
        _cost(
            settings.networks[name],
            Run(network=name, negative_steps=steps, epochs=epochs, seeds=1),
        )
        for name, steps, _, _, _, epochs in tasks
    ]
    numbered = list(enumerate(tasks))
    return pd.DataFrame(
        [_scanned(*each, given, settings) for each in part_of(numbered, costs, settings)]
    )


def _scanned(number: int, task: tuple, given: Parts, settings: LambdaScan) -> dict[str, Any]:
    name, steps, pull, size, seed, epochs = task
    run = Run(network=name, negative_steps=steps, epochs=epochs, seeds=1, pull=pull, step_size=size)
    network = settings.networks[name]
    networks = fresh(network, given.train, seed, True)
    # A lambda that fails is trained to the end, as the figure shows its final score.
    schedule = training_schedule((float(epochs),), settings.batch, failure=None)
    label = f"{name}, {steps} steps, lambda {pull:g}, step {size:g}, seed {seed}"
    path = settings.checkpoints / f"{number}.npz" if settings.checkpoints else None
    done = train(
        networks, recipe_of(network, run), schedule, given.train, given.tests,
        generator("signs", seed), path, label,
    )  # fmt: skip
    head = {"network": name, "negative_steps": steps, "pull": pull, "step_size": size}
    row = head | {"seed": seed, "epochs": epochs} | dict(done.rows[-1])
    del row["epoch"]
    return row | {"diverged": done.diverged}
