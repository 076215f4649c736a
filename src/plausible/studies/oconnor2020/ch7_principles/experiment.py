"""Chapter 7 without images: three states, settling times, a forward pass with tied weights."""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.stats import spearmanr

from plausible.learning.equilibrium_propagation import Recipe, both_phases, learn
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    States,
    fixed_point,
    make_equilibrium,
    settle,
    trajectory,
    zero_states,
)
from plausible.networks.initialiser import Initialiser, forward_pass
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch7_principles.networks import random_problem
from plausible.studies.oconnor2020.ch7_principles.settings import (
    PANES,
    SettlingSteps,
    ThreeStates,
    TiedForwardPass,
)

generator = partial(numpy_generator, "oconnor2020", "ch7_principles")
"""Random stream of an experiment, a seed and a purpose."""


def three_states(settings: ThreeStates, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 7.1: states of both networks on one sample, pane by pane, as they are drawn.

    Columns: seed, pane (forward, negative, positive), step (within the pane, from 0), layer (0: the
    input), unit, state, deviation (at the last step of a pane, |state - that of algorithm 6 at the
    pane's end|), zero_start_deviation (the same of a run that begins with zero states), target (of
    outputs).
    """
    rows = []
    for seed in seeds:
        rng = generator("three_states", seed)
        network, initialiser, inputs, targets = random_problem(rng, 1, settings.sizes)
        rates = (settings.learning_rate,) * len(network.weights)
        recipe = Recipe(
            settings.negative_steps, settings.positive_steps, settings.beta, rates,
            pull=settings.pull,
        )  # fmt: skip
        for _ in range(settings.updates):
            learn(network, initialiser, recipe, inputs, targets)
        panes = _panes(network, initialiser, recipe, inputs, targets)
        phases = both_phases(network, initialiser, recipe, inputs, targets)
        ends = (phases.forward.states, phases.minus, phases.plus)
        zeros = _from_zero(network, recipe, inputs, targets)
        for pane, passed, end, zero in zip(PANES, panes, ends, zeros, strict=True):
            for layer, states in enumerate((inputs[None], *passed)):
                top, free = layer == len(passed), layer > 0
                for (step, _, unit), state in np.ndenumerate(states):
                    last = free and step == len(states) - 1
                    rows.append(
                        (
                            *(seed, pane, step, layer, unit, state),
                            abs(state - end[layer - 1][0, unit]) if last else None,
                            abs(state - zero[layer - 1][0, unit]) if last else None,
                            targets[0, unit] if top else None,
                        )
                    )
    columns = ["seed", "pane", "step", "layer", "unit", "state"]
    # Of columns that are written with eight digits a difference would have none.
    return pd.DataFrame(rows, columns=[*columns, "deviation", "zero_start_deviation", "target"])


def _panes(
    network: Equilibrium,
    initialiser: Initialiser,
    recipe: Recipe,
    inputs: NDArray,
    targets: NDArray,
) -> list[States]:
    """States step by step as the figure draws them: guess, settle, settle with a target."""
    guess = forward_pass(initialiser, inputs).states
    forces = Forces(anchors=guess, pull=recipe.pull)
    first = trajectory(network, inputs, guess, recipe.negative_steps, forces, recipe.step_size)
    nudged = forces._replace(target=targets, beta=recipe.beta)
    middle = tuple(layer[-1] for layer in first)
    second = trajectory(network, inputs, middle, recipe.positive_steps, nudged, recipe.step_size)
    return [tuple(layer[None] for layer in guess), first, second]


def _from_zero(
    network: Equilibrium, recipe: Recipe, inputs: NDArray, targets: NDArray
) -> list[States]:
    """Ends of the panes of plain equilibrium propagation."""
    start = zero_states(network, 1)
    minus = settle(network, inputs, start, recipe.negative_steps)
    forces = Forces(target=targets, beta=recipe.beta)
    return [start, minus, settle(network, inputs, minus, recipe.positive_steps, forces)]


def settling_steps(settings: SettlingSteps, seeds, dataset, networks) -> pd.DataFrame:
    """Steps until no unit changes by more than a tolerance, random networks, from zero states.

    Columns: seed, hidden_layers, network, steps (mean over samples), unsettled_share (of samples
    that have not settled at the last step; they count with it).
    """
    rows = []
    for seed in seeds:
        for depth in settings.hidden_layers:
            for number in range(settings.networks):
                rng = generator("settling_steps", seed, depth, number)
                sizes = (settings.width,) * (depth + 1) + (10,)
                network = make_equilibrium(sizes, rng)
                inputs = rng.uniform(size=(settings.samples, settings.width))
                start = zero_states(network, settings.samples)
                found = fixed_point(
                    network, inputs, start, tolerance=settings.tolerance,
                    max_steps=settings.max_steps,
                )  # fmt: skip
                never = found.steps < 0
                steps = np.where(never, settings.max_steps, found.steps)
                rows.append((seed, depth, number, steps.mean(), never.mean()))
    columns = ["seed", "hidden_layers", "network", "steps", "unsettled_share"]
    return pd.DataFrame(rows, columns=columns)


def tied_forward_pass(settings: TiedForwardPass, seeds, dataset, networks) -> pd.DataFrame:
    """How well consecutive layers reconstruct each other, and how far the forward pass is off.

    Random networks between independent and orthogonal weights. Columns: seed,
    network, reconstruction_error (|s - rho(rho(s W) W^T)| over |s|, of states s on the forward
    pass, mean over layers), forward_error (|forward pass - s_minus| over |s_minus|),
    rank_correlation (of the two over the networks of the seed).
    """
    rows = []
    for seed in seeds:
        found = [_tied(settings, generator("tied", seed, k)) for k in range(settings.networks)]
        correlation = float(spearmanr(*zip(*found, strict=True)).statistic)
        rows += [(seed, k, *each, correlation) for k, each in enumerate(found)]
    columns = ["seed", "network", "reconstruction_error", "forward_error", "rank_correlation"]
    return pd.DataFrame(rows, columns=columns)


def _tied(settings: TiedForwardPass, rng: np.random.Generator) -> tuple[float, float]:
    mix = rng.uniform()
    weights = []
    for below, above in zip(settings.sizes, settings.sizes[1:], strict=False):
        noise = rng.normal(size=(below, above)) / np.sqrt(max(below, above))
        orthogonal = np.linalg.qr(rng.normal(size=(max(below, above),) * 2))[0][:below, :above]
        weights.append(mix * orthogonal + (1.0 - mix) * noise)
    biases = tuple(np.zeros(size) for size in settings.sizes[1:])
    network = Equilibrium(tuple(weights), biases)
    inputs = rng.uniform(size=(settings.samples, settings.sizes[0]))
    forward = forward_pass(Initialiser(network.weights, biases, network.rho), inputs).states
    settled = settle(network, inputs, forward, settings.steps)
    below, errors = inputs, []
    for weight, state in zip(weights, forward, strict=True):
        errors.append(_relative(network.rho.value(state @ weight.T), below))
        below = state
    whole, guess = (np.concatenate(each, axis=1) for each in (settled, forward))
    return float(np.mean(errors)), _relative(guess, whole)


def _relative(found: NDArray, expected: NDArray) -> float:
    size = float(np.linalg.norm(expected))
    return float(np.linalg.norm(found - expected)) / size if size else 0.0
