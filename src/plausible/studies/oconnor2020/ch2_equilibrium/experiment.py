"""Equilibrium propagation at work: trajectories, its error, bits, weights without symmetry.

Source: O'Connor 2020, section 2.7; settings of the training are those of chapter 7, which the
section does not state.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset, intensities
from plausible.data.splits import split_dataset
from plausible.learning.equilibrium_gradient import fixed_point_gradient
from plausible.learning.equilibrium_propagation import CONTRASTS, Recipe, contrast
from plausible.learning.equilibrium_training import (
    Images,
    Networks,
    fresh_networks,
    train,
)
from plausible.measure.angles import cosine
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    fixed_point,
    input_drive,
    settle,
    step,
    trajectory,
    zero_states,
)
from plausible.networks.leaky_clip import HARD_SIGMOID
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch2_equilibrium.networks import (
    flat,
    random_problem,
    smooth_problem,
)
from plausible.studies.oconnor2020.ch2_equilibrium.settings import (
    TIED,
    UNTIED,
    GradientError,
    RoundedStates,
    TwoPhases,
    UntiedTraining,
)
from plausible.studies.oconnor2020.equilibrium_protocol import checkpoint_epochs, training_schedule

generator = partial(numpy_generator, "oconnor2020", "ch2_equilibrium")
"""Random stream of an experiment, a seed and a purpose."""


def two_phases(settings: TwoPhases, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2.3: states of a small network through both phases, one sample.

    Columns: seed, phase (negative, positive), step (from 0, through both phases), layer (0: the
    clamped input), unit, state, target (of outputs).
    """
    rows = []
    for seed in seeds:
        network, inputs, targets = random_problem(
            generator("two_phases", seed), settings.sizes, 1, strength=0.6
        )
        start, size = zero_states(network, 1), settings.step_size
        first = trajectory(network, inputs, start, settings.negative_steps, step_size=size)
        forces = Forces(target=targets, beta=settings.beta)
        middle = tuple(layer[-1] for layer in first)
        second = trajectory(network, inputs, middle, settings.positive_steps, forces, size)
        steps = settings.negative_steps
        for phase, passed, begin in (("negative", first, 0), ("positive", second, steps)):
            clamped = np.repeat(inputs[None], len(passed[0]), axis=0)
            for layer, states in enumerate((clamped, *passed)):
                for (time, _, unit), state in np.ndenumerate(states):
                    goal = targets[0, unit] if layer == len(passed) else None
                    rows.append((seed, phase, begin + time, layer, unit, state, goal))
    columns = ["seed", "phase", "step", "layer", "unit", "state", "target"]
    return pd.DataFrame(rows, columns=columns)


def gradient_error(settings: GradientError, seeds, dataset, networks) -> pd.DataFrame:
    """Relative error of the update against the true gradient, and their cosine, against beta.

    Columns: seed, phases (settled, unsettled: a negative phase of a few steps), contrast (energy,
    linearised), beta, relative_error, cosine.
    """
    rows = []
    for seed in seeds:
        rng = generator("gradient_error", seed)
        (network, inputs, targets), rest = smooth_problem(rng, settings.sizes)
        start = zero_states(network, len(inputs))
        expected = flat(fixed_point_gradient(network, inputs, rest, targets))
        early = settle(network, inputs, start, settings.unsettled_steps)
        for phases, minus in (("settled", rest), ("unsettled", early)):
            for beta in settings.betas:
                forces = Forces(target=targets, beta=beta)
                plus = fixed_point(network, inputs, minus, forces).states
                for form in CONTRASTS:
                    found = flat(contrast(network, inputs, minus, plus, beta, form))
                    off = np.linalg.norm(found - expected) / np.linalg.norm(expected)
                    rows.append((seed, phases, form, beta, off, cosine(found, expected)))
    columns = ["seed", "phases", "contrast", "beta", "relative_error", "cosine"]
    return pd.DataFrame(rows, columns=columns)


def rounded_states(settings: RoundedStates, seeds, dataset, networks) -> pd.DataFrame:
    """What is left of the contrast if neurons send one bit.

    Columns: network, states (real, bits), unchanged_share (of hidden units and samples, states
    that both phases leave the same), cosine (of the update and the gradient with real states).
    """
    rows = []
    for number in range(settings.networks):
        rng = generator("rounded_states", number)
        network, inputs, targets = random_problem(rng, settings.sizes, settings.samples)
        start = zero_states(network, len(inputs))
        rest = fixed_point(network, inputs, start).states
        gradient = flat(fixed_point_gradient(network, inputs, rest, targets))
        forces = Forces(target=targets, beta=settings.beta)
        for states, rho in (("real", HARD_SIGMOID), ("bits", HARD_SIGMOID._replace(levels=1))):
            sends = network._replace(rho=rho)
            minus = settle(sends, inputs, start, settings.steps)
            plus = settle(sends, inputs, minus, settings.steps, forces)
            pairs = zip(minus[:-1], plus[:-1], strict=True)
            same = np.concatenate([(a == b).ravel() for a, b in pairs])
            update = flat(contrast(sends, inputs, minus, plus, settings.beta))
            rows.append((number, states, same.mean(), cosine(update, gradient)))
    return pd.DataFrame(rows, columns=["network", "states", "unchanged_share", "cosine"])


class Task(NamedTuple):
    """One training."""

    weights: str
    seed: int


def untied_training(
    settings: UntiedTraining, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Plain equilibrium propagation with feedback weights of their own, and with transposes.

    Trained on the first 50,000 images, tested on the rest of the file (thesis) and on the official
    test images. Columns: weights (tied, untied), seed, epoch, training_error_percent,
    thesis_error_percent, official_error_percent, symmetry (cosine of all W and transposed feedback
    matrices above the first), settled_share, random_settled_share (after the training: of test
    images whose states have come to rest; with random weights of a larger scale instead),
    ended_epoch (-1: nowhere).
    """
    dataset = require(dataset, "untied_training", "data set")
    tasks = [Task(weights, seed) for seed in seeds for weights in (TIED, UNTIED)]
    parts = split_dataset(dataset, "thesis")
    given = _images(parts, "train")
    tests = {"thesis": _images(parts, "test"), "official": _images(dataset, "test")}
    rows: list[dict[str, Any]] = []
    for task in part_of(tasks, [1.0] * len(tasks), settings):
        rows += _trained(task, given, tests, settings)
    return pd.DataFrame(rows)


def _images(dataset: Dataset, part: str) -> Images:
    images, labels = (getattr(dataset, f"{part}_{name}") for name in ("images", "labels"))
    return Images(images, labels.astype(np.int64), float(dataset.white))


def _trained(task: Task, given: Images, tests, settings: UntiedTraining) -> list[dict[str, Any]]:
    """Rows of one network; tied and untied ones begin with the same forward weights."""
    sizes = (given.images.shape[1], *settings.hidden_sizes, int(given.labels.max()) + 1)
    rng = generator("untied_training", task.seed)
    networks = fresh_networks(sizes, rng, False, task.weights == UNTIED, dtype="float32")
    recipe = Recipe(
        settings.negative_steps, settings.positive_steps, settings.beta, settings.learning_rates
    )
    schedule = training_schedule(checkpoint_epochs(settings.epochs), settings.batch)
    name = f"{task.weights}.{task.seed}"
    path = settings.checkpoints / f"{name}.npz" if settings.checkpoints else None
    signs = generator("untied_training", "signs", task.seed)
    done = train(
        networks, recipe, schedule, given, tests, signs, path, name,
        lambda trained: {"symmetry": _symmetry(trained.equilibrium)},
    )  # fmt: skip
    last = done.rows[-1] | {"ended_epoch": done.ended_epoch}
    if task.weights == UNTIED and not done.diverged:
        last |= _settling(networks, tests["thesis"], settings, task.seed)
    return [task._asdict() | row for row in (*done.rows[:-1], last)]


def _symmetry(network: Equilibrium) -> float | None:
    """Cosine of all W and transposed feedback matrices; None of a tied network."""
    if network.feedback is None:
        return None
    forward = np.concatenate([weight.ravel() for weight in network.weights[1:]])
    return cosine(forward, np.concatenate([matrix.T.ravel() for matrix in network.feedback]))


def _settling(
    networks: Networks, test: Images, settings: UntiedTraining, seed: int
) -> dict[str, float]:
    """Share of images that come to rest, with the weights and with random ones in their place."""
    trained, rng = networks.equilibrium, generator("untied_training", "random", seed)

    def scrambled(matrices: Sequence[NDArray]) -> tuple[NDArray, ...]:
        return tuple(
            settings.random_scale * rng.permutation(each.ravel()).reshape(each.shape)
            for each in matrices
        )

    random = trained._replace(
        weights=scrambled(trained.weights), feedback=scrambled(trained.feedback)
    )
    inputs = intensities(test.images[: settings.settling_images], test.white)
    shares = []
    for network in (trained, random):
        start, drive = zero_states(network, len(inputs)), input_drive(network, inputs)
        before = settle(network, inputs, start, settings.settling_steps - 1)
        after = step(network, drive, before)
        pairs = zip(before, after, strict=True)
        moved = np.max([np.abs(a - b).max(axis=1) for a, b in pairs], axis=0)
        shares.append(float((moved < settings.settled_change).mean()))
    return {"settled_share": shares[0], "random_settled_share": shares[1]}
