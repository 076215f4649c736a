"""Feed-forward networks that guess where an equilibrium network settles. Numpy only.

Source: O'Connor 2020, section 7.3.2, eq. 7.1: s_f of layer l is f(s_f of layer l - 1 times W_l +
b_l) with f(x) = rho(x) + 0.01 x (section 7.4), the input being the image itself.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.networks.equilibrium import States, make_equilibrium
from plausible.networks.leaky_clip import LEAKY_HARD_SIGMOID, LeakyClip


class Initialiser(NamedTuple):
    """A feed-forward network with the layers of the network that it initialises."""

    weights: tuple[NDArray, ...]
    """W_1 .. W_L, each [units below, units]; called phi or omega in the thesis."""
    biases: tuple[NDArray, ...]
    """b_1 .. b_L, each [units]."""
    squash: LeakyClip = LEAKY_HARD_SIGMOID


class ForwardPass(NamedTuple):
    """States of a feed-forward pass."""

    states: States
    """s_f of layers 1 .. L, [batch, units]; with a leak they may lie slightly outside [0, 1]."""
    sums: States
    """What each unit was given, x W + b, [batch, units]."""


def make_initialiser(
    sizes: tuple[int, ...], rng: np.random.Generator, squash: LeakyClip = LEAKY_HARD_SIGMOID
) -> Initialiser:
    """Initialiser with Glorot uniform weights and biases of 0, drawn like `make_equilibrium`'s."""
    drawn = make_equilibrium(sizes, rng)
    return Initialiser(drawn.weights, drawn.biases, squash)


def forward_pass(network: Initialiser, inputs: NDArray) -> ForwardPass:
    """s_f of ``inputs`` [batch, features] (eq. 7.1, algorithm 7)."""
    states, sums, below = [], [], inputs
    for weight, bias in zip(network.weights, network.biases, strict=True):
        sums.append(below @ weight + bias)
        below = network.squash.value(sums[-1])
        states.append(below)
    return ForwardPass(tuple(states), tuple(sums))
