"""Equilibrium propagation with binary communication: phases and updates. Numpy only, in float64.

Source: O'Connor 2020, sections 8.4.7, 8.5.2 and E.3, in the form of the author's code. A network
that sends bits settles freely, then with its outputs nudged by beta; encoders, decoders and steps
go on where they were. Weights learn from the real states of both phases by the linearised contrast
(`equilibrium_propagation.contrast`), not from bits.

*From a checkpoint* (section E.3): the nudged phase is compared with a free one of the same number
of steps, both from the saved state of all encoders and decoders, so that what bits leave undecided
is the same on both sides and cancels.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.learning.equilibrium_propagation import LINEARISED, check_phases, contrast
from plausible.networks.binary_equilibrium import Bits, Coding, at_rest, check_coding, settle_binary
from plausible.networks.equilibrium import Equilibrium, States


class BinaryRecipe(NamedTuple):
    """How a binary network settles and learns."""

    coding: Coding
    negative_steps: int
    """T^-, also when tested."""
    positive_steps: int
    """T^+."""
    beta: float
    """Size of the nudge; its sign may be drawn anew for each minibatch."""
    learning_rates: tuple[float, ...]
    """eta of layers 1 .. L."""
    from_checkpoint: bool = False
    """Whether the free states that are compared have made as many further steps as the nudged."""


def check_binary_recipe(recipe: BinaryRecipe, layers: int) -> None:
    """Raises StudyError if the recipe has another number of layers, or means nothing."""
    check_coding(recipe.coding)
    check_phases(recipe, layers)


class BinaryPhases(NamedTuple):
    """The network after the free and after the nudged phase."""

    minus: Bits
    plus: Bits


def binary_phases(
    network: Equilibrium,
    recipe: BinaryRecipe,
    inputs: NDArray,
    targets: NDArray,
    beta: float | None = None,
    start: States | None = None,
    rng: np.random.Generator | None = None,
) -> BinaryPhases:
    """Both phases of a minibatch ``inputs`` [batch, features] with one-hot ``targets``.

    ``beta`` replaces the recipe's; ``start`` are states of layers 1 .. L to begin with, by default
    0; ``rng`` draws the bits of a stochastic encoder.
    """
    beta = recipe.beta if beta is None else beta
    coding, rest = recipe.coding, at_rest(network, len(inputs), start)
    minus = settle_binary(network, coding, inputs, rest, recipe.negative_steps, rng=rng)
    steps = recipe.positive_steps
    plus = settle_binary(network, coding, inputs, minus, steps, targets, beta, rng)
    if recipe.from_checkpoint:
        minus = settle_binary(network, coding, inputs, minus, steps, rng=rng)
    return BinaryPhases(minus, plus)


def learn_binary(
    network: Equilibrium,
    recipe: BinaryRecipe,
    inputs: NDArray,
    targets: NDArray,
    beta: float | None = None,
    start: States | None = None,
    rng: np.random.Generator | None = None,
) -> BinaryPhases:
    """One minibatch: both phases, and the weights and biases changed **in place**.

    Arguments as of `binary_phases`.
    """
    beta = recipe.beta if beta is None else beta
    phases = binary_phases(network, recipe, inputs, targets, beta, start, rng)
    found = contrast(network, inputs, phases.minus.states, phases.plus.states, beta, LINEARISED)
    for layer, rate in enumerate(recipe.learning_rates):
        network.weights[layer][...] -= rate * found.weights[layer]
        network.biases[layer][...] -= rate * found.biases[layer]
    return phases
