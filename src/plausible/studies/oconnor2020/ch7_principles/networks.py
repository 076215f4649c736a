"""Random networks of the theorems, which settle with many units inside (0, 1)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.learning.equilibrium_propagation import Gradients
from plausible.networks.equilibrium import Equilibrium, make_equilibrium
from plausible.networks.initialiser import Initialiser, make_initialiser

SIZES = (8, 10, 9, 5)


class Problem(NamedTuple):
    """Two networks, inputs [samples, features] and one-hot targets [samples, outputs]."""

    network: Equilibrium
    initialiser: Initialiser
    inputs: NDArray
    targets: NDArray


def random_problem(
    rng: np.random.Generator,
    samples: int,
    sizes: tuple[int, ...] = SIZES,
    strength: float = 0.5,
) -> Problem:
    """Glorot uniform weights, those of the settling network times ``strength``, random biases."""
    drawn, initialiser = make_equilibrium(sizes, rng), make_initialiser(sizes, rng)
    network = drawn._replace(
        weights=tuple(strength * each for each in drawn.weights),
        biases=tuple(rng.uniform(0.1, 0.6, size) for size in sizes[1:]),
    )
    inputs = rng.uniform(size=(samples, sizes[0]))
    targets = np.eye(sizes[-1])[rng.integers(sizes[-1], size=samples)]
    return Problem(network, initialiser, inputs, targets)


def flat(gradients: Gradients) -> NDArray[np.float64]:
    """All parameters as one vector."""
    return np.concatenate([part.ravel() for part in (*gradients.weights, *gradients.biases)])
