"""What trained networks do: where settling begins and ends, residuals, dead units, feedback.

Short trainings of the small network, one for each seed and variant; then measured on test images.
"""

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset, intensities
from plausible.learning.equilibrium_propagation import (
    Recipe,
    both_phases,
    contrast,
    negative_phase,
)
from plausible.learning.equilibrium_training import (
    Images,
    Networks,
    errors,
    fresh_networks,
    train,
)
from plausible.learning.initialiser import layer_losses, local_gradients
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    States,
    descent,
    energy,
    fixed_point,
    input_drive,
    settle,
    trajectory,
    zero_states,
)
from plausible.networks.initialiser import forward_pass, make_initialiser
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.studies.oconnor2020.ch7_learning.experiment import generator, images_of
from plausible.studies.oconnor2020.ch7_learning.experiment_feedback import feedback_alignment
from plausible.studies.oconnor2020.ch7_learning.settings import AfterTraining
from plausible.studies.oconnor2020.equilibrium_protocol import TESTED_TRAINING, training_schedule

SMALL_STEP, LONG_STEP, ENERGY_STEPS = 0.05, 2.5, 100
VARIANTS = {
    "initialised": {},
    "no_pull": {"pull": 0.0},
    "strong_pull": {"pull": 1.0},
    "no_leak": {"leak": 0.0},
    "s_plus": {"forward_target": "s_plus"},
}
"""Trainings that are measured, by what they have in the place of the common settings."""


def after_training(
    settings: AfterTraining, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Measurements on trained networks, one a row; one shard of the seeds.

    Columns: seed, measure, variant, steps, value. Measures: distance (of states from the converged
    s_-, after ``steps``, from ``variant``), settling_steps (``steps`` is lambda), residual,
    frozen_residual, error, training_error, first_training_error, forward_error, dead_share and
    energy_gradient of every training, energy_rise (``steps`` is the step's length),
    printed_training_error, feedback_angle and feedback_cosine (``steps``
    is the epoch).
    """
    given = images_of(require(dataset, "after_training", "data set"))
    rows: list[list[Any]] = []
    for seed in part_of(list(seeds), [1.0] * len(seeds), settings):
        compute = partial(_measured, settings, seed, given.train, given.tests["thesis"])
        rows += stored(settings.checkpoints, f"seed_{seed}", compute)
    return pd.DataFrame(rows, columns=["seed", "measure", "variant", "steps", "value"])


def _measured(settings: AfterTraining, seed: int, given: Images, test: Images) -> list[list[Any]]:
    inputs = intensities(test.images[: settings.samples], test.white, np.float64)
    trained = {name: _train(settings, seed, given, name) for name in VARIANTS}
    plain = trained["initialised"]
    found = [
        *_distances(settings, plain[0], inputs, seed),
        *_settling(settings, plain[0], inputs),
        *_residuals(settings, trained, inputs, seed),
        *_energies(plain, inputs),
        *feedback_alignment(settings, given, test, seed),
    ]
    for name, (networks, recipe, first) in trained.items():
        tested = errors(networks, recipe, test)
        found += [
            ("training_error", name, 0, _training_error(networks, recipe, given)),
            ("error", name, 0, tested.minus),
            ("forward_error", name, 0, tested.forward),
            ("energy_gradient", name, 0, _gradient_size(networks, recipe, inputs)),
            ("dead_share", name, 0, _dead_share(networks, recipe, inputs)),
            ("first_training_error", name, 0, first),
        ]
    found.append(("printed_training_error", "initialised", 0, _printed(settings, given, seed)))
    return [[seed, *row] for row in found]


Row = tuple[str, str, float, float]


def _recipe(settings: AfterTraining, **changes: Any) -> Recipe:
    network = settings.network
    recipe = Recipe(
        settings.negative_steps,
        network.positive_steps,
        network.beta,
        network.learning_rates,
        pull=settings.pull,
    )
    return recipe._replace(**changes)


def _train(
    settings: AfterTraining, seed: int, given: Images, variant: str
) -> tuple[Networks, Recipe, float]:
    """A trained pair of networks, its recipe, and its training error before."""
    changes = dict(VARIANTS[variant])
    leak = changes.pop("leak", 0.01)
    recipe = _recipe(settings, **changes)
    networks = fresh_networks(
        _sizes(settings, given), generator("weights", 1, seed), True, leak=leak
    )
    schedule = training_schedule((0.0, float(settings.epochs)), settings.batch)
    done = train(
        networks, recipe, schedule, given, {}, generator("signs", seed), None, f"{variant}.{seed}"
    )
    return networks, recipe, float(done.rows[0]["training_error_percent"])


def _training_error(networks: Networks, recipe: Recipe, given: Images) -> float:
    return errors(networks, recipe, given.first(TESTED_TRAINING)).minus


def _sizes(settings: AfterTraining, given: Images) -> tuple[int, ...]:
    hidden = settings.network.hidden_sizes
    return (given.images.shape[1], *hidden, int(given.labels.max()) + 1)


def _double(network):
    """The same in float64."""
    return network._replace(
        **{
            name: tuple(each.astype(np.float64) for each in getattr(network, name))
            for name in ("weights", "biases")
        }
    )


def _distance(first: States, second: States) -> float:
    """Mean over samples of the root of the sum of squares."""
    squares = sum(((a - b) ** 2).sum(axis=1) for a, b in zip(first, second, strict=True))
    return float(np.sqrt(squares).mean())


def _distances(
    settings: AfterTraining, networks: Networks, inputs: NDArray, seed: int
) -> list[Row]:
    """Distance from the converged s_- on the way from s_f, from zero, and from an untrained s_f.

    Without lambda, which would move the state that is converged to.
    """
    network = _double(networks.equilibrium)
    sizes = (inputs.shape[1], *(len(bias) for bias in network.biases))
    untrained = make_initialiser(sizes, generator("untrained", seed))
    starts = {
        "forward": forward_pass(_double(networks.initialiser), inputs).states,
        "zero": zero_states(network, len(inputs)),
        "untrained": forward_pass(untrained, inputs).states,
    }
    rest = settle(network, inputs, starts["zero"], settings.settled_steps)
    return [
        ("distance", start, steps, _distance(settle(network, inputs, states, steps), rest))
        for start, states in starts.items()
        for steps in settings.distances_after
    ]


def _settling(settings: AfterTraining, networks: Networks, inputs: NDArray) -> list[Row]:
    """Mean steps until the state changes by less, with several lambdas, from s_f and from zero."""
    network = _double(networks.equilibrium)
    guess = forward_pass(_double(networks.initialiser), inputs).states
    rows: list[Row] = []
    for start, states in (("forward", guess), ("zero", zero_states(network, len(inputs)))):
        for pull in settings.pulls:
            found = fixed_point(
                network, inputs, states, Forces(guess, pull), settings.settled_change,
                settings.settled_steps,
            )  # fmt: skip
            steps = np.where(found.steps < 0, settings.settled_steps, found.steps)
            rows.append(("settling_steps", start, pull, float(steps.mean())))
    return rows


def _residuals(settings: AfterTraining, trained: dict, inputs: NDArray, seed: int) -> list[Row]:
    """|s_f - s_-|^2 per unit after training; and after training on frozen s_- to convergence."""
    rows: list[Row] = []
    for name in ("initialised", "no_pull"):
        networks, recipe, _ = trained[name]
        minus, passed = negative_phase(*networks, recipe, inputs)
        rows.append(("residual", name, 0, _per_unit(passed.states, minus)))
    networks, recipe, _ = trained["no_pull"]
    initialiser = _double(networks.initialiser)
    minus, _ = negative_phase(_double(networks.equilibrium), initialiser, recipe, inputs)
    rng = generator("frozen", seed)
    rates = np.array(recipe.learning_rates)
    for number in range(settings.convergence_passes):
        # The last half with a tenth of the rate, so that what remains is no noise of the steps.
        share = 1.0 if number < settings.convergence_passes // 2 else 0.1
        for pick in np.array_split(rng.permutation(len(inputs)), max(len(inputs) // 20, 1)):
            passed = forward_pass(initialiser, inputs[pick])
            targets = tuple(layer[pick] for layer in minus)
            found = local_gradients(initialiser, inputs[pick], passed, targets)
            for layer, rate in enumerate(rates):
                initialiser.weights[layer][...] -= share * rate * found.weights[layer]
                initialiser.biases[layer][...] -= share * rate * found.biases[layer]
    left = _per_unit(forward_pass(initialiser, inputs).states, minus)
    return [*rows, ("frozen_residual", "no_pull", 0, left)]


def _per_unit(states: States, targets: States) -> float:
    units = sum(layer.shape[1] for layer in targets)
    return 2.0 * float(layer_losses(states, targets).sum()) / units


def _gradient_size(networks: Networks, recipe: Recipe, inputs: NDArray) -> float:
    """Mean size of the energy's gradient at s_- after the negative phase, free units alone."""
    network = _double(networks.equilibrium)
    minus, passed = negative_phase(network, _double(networks.initialiser), recipe, inputs)
    moves = descent(
        network, input_drive(network, inputs), minus, Forces(passed.states, recipe.pull)
    )
    squares = 0.0
    for state, move in zip(minus, moves, strict=True):
        held = ((state <= 0) & (move < 0)) | ((state >= 1) & (move > 0))
        squares = squares + (np.where(held, 0.0, move) ** 2).sum(axis=1)
    return float(np.sqrt(squares).mean())


def _dead_share(networks: Networks, recipe: Recipe, inputs: NDArray) -> float:
    """Share of forward units whose gradient is 0 on every sample."""
    initialiser = _double(networks.initialiser)
    minus, passed = negative_phase(_double(networks.equilibrium), initialiser, recipe, inputs)
    dead = [
        (((state - goal) * initialiser.squash.slope(total)) == 0).all(axis=0)
        for state, goal, total in zip(passed.states, minus, passed.sums, strict=True)
    ]
    return float(np.concatenate(dead).mean())


def _energies(trained: tuple[Networks, Recipe, float], inputs: NDArray) -> list[Row]:
    """Largest rise of the energy in a step of the negative phase from s_f, small and long steps."""
    networks, recipe, _ = trained
    network = _double(networks.equilibrium)
    guess = forward_pass(_double(networks.initialiser), inputs).states
    forces = Forces(guess, recipe.pull)
    # The forward state may lie outside of [0, 1]; the first clip may raise the energy.
    start = tuple(np.clip(layer, 0.0, 1.0) for layer in guess)
    return [
        ("energy_rise", name, size, _largest_rise(network, inputs, start, forces, size))
        for name, size in (("small", SMALL_STEP), ("long", LONG_STEP))
    ]


def _largest_rise(
    network: Equilibrium, inputs: NDArray, start: States, forces: Forces, size: float
) -> float:
    passed = trajectory(network, inputs, start, ENERGY_STEPS, forces, size)
    energies = [energy(network, inputs, states, forces) for states in zip(*passed, strict=True)]
    return float(np.diff(energies, axis=0).max())


def _printed(settings: AfterTraining, given: Images, seed: int) -> float:
    """Training error after one minibatch's update as line 15 of algorithm 6 prints it.

    theta <- (eta / beta) (dE/dtheta(s_+) - dE/dtheta(s_-)) theta.
    """
    networks = fresh_networks(_sizes(settings, given), generator("weights", 1, seed), True)
    recipe, network = _recipe(settings), networks.equilibrium
    outputs = len(network.biases[-1])
    first = given.first(settings.batch)
    inputs = intensities(first.images, first.white)
    phases = both_phases(*networks, recipe, inputs, np.eye(outputs, dtype=np.float32)[first.labels])
    found = contrast(network, inputs, phases.minus, phases.plus, recipe.beta)
    for layer, rate in enumerate(recipe.learning_rates):
        network.weights[layer][...] *= rate * found.weights[layer]
        network.biases[layer][...] *= rate * found.biases[layer]
    return _training_error(networks, recipe, given)
