"""Random networks of theorems and experiments, which settle with many units inside (0, 1)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.learning.equilibrium_propagation import Gradients
from plausible.networks.equilibrium import (
    Equilibrium,
    States,
    descent,
    fixed_point,
    input_drive,
    make_equilibrium,
    zero_states,
)

SIZES = (6, 8, 7, 4)
SAMPLES = 5
MARGIN = 0.025
"""From the nearest kink of rho, of the states and of what presses them against a limit."""


class Problem(NamedTuple):
    """A network, inputs [samples, features] and one-hot targets [samples, outputs]."""

    network: Equilibrium
    inputs: NDArray
    targets: NDArray


def random_problem(
    rng: np.random.Generator,
    sizes: tuple[int, ...] = SIZES,
    samples: int = SAMPLES,
    untied: bool = False,
    strength: float = 0.35,
) -> Problem:
    """Glorot uniform weights times ``strength``, biases from 0.2 to 0.7, inputs from 0 to 1."""
    network = make_equilibrium(sizes, rng, untied)
    network = network._replace(
        weights=tuple(strength * each for each in network.weights),
        biases=tuple(rng.uniform(0.2, 0.7, size) for size in sizes[1:]),
    )
    inputs = rng.uniform(size=(samples, sizes[0]))
    return Problem(network, inputs, np.eye(sizes[-1])[rng.integers(sizes[-1], size=samples)])


def smooth_problem(
    rng: np.random.Generator, sizes: tuple[int, ...] = SIZES, samples: int = 3
) -> tuple[Problem, States]:
    """A problem, and its fixed point, drawn until no unit is near a kink of rho.

    There the loss has no derivative, and beta must be small against the distance from it for a
    derivative to be approached.
    """
    while True:
        problem = random_problem(rng, sizes, samples, strength=0.5)
        start = zero_states(problem.network, samples)
        settled = fixed_point(problem.network, problem.inputs, start).states
        moves = descent(problem.network, input_drive(problem.network, problem.inputs), settled)
        distances = [
            np.where((state > 0) & (state < 1), np.minimum(state, 1 - state), np.abs(move))
            for state, move in zip(settled, moves, strict=True)
        ]
        if min(each.min() for each in distances) > MARGIN:
            return problem, settled


def flat(gradients: Gradients) -> NDArray[np.float64]:
    """All parameters as one vector."""
    return np.concatenate([part.ravel() for part in (*gradients.weights, *gradients.biases)])
