"""Restricted Boltzmann machines: connections between visible and hidden units alone. Numpy, scipy.

Source: O'Connor 2020, section 2.1 (after Smolensky 1986 and Hinton 2002). With weights w between
visible units v and hidden units h, biases b and c,

    E(v, h) = -v w h - b v - c h
    p(h_j = 1 | v) = sigmoid(sum_i v_i w_ij + c_j)
    p(v_i = 1 | h) = sigmoid(sum_j w_ij h_j + b_i)

so that all units of a side are independent, given the other side, and are sampled at once. States
are 0 and 1; enumerations are in the order of `plausible.networks.boltzmann.all_states`.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import expit, log_softmax

from plausible.errors import StudyError
from plausible.networks.boltzmann import all_states
from plausible.networks.hopfield import Hopfield, make_hopfield


class RestrictedMachine(NamedTuple):
    """Weights and biases, or gradients by them."""

    weights: NDArray[np.float64]
    """w, ``[visible, hidden]``."""
    visible_biases: NDArray[np.float64]
    """b, ``[visible]``."""
    hidden_biases: NDArray[np.float64]
    """c, ``[hidden]``."""


def make_restricted(
    weights: ArrayLike, visible_biases: ArrayLike, hidden_biases: ArrayLike
) -> RestrictedMachine:
    """Machine of given weights; StudyError if the biases do not fit them."""
    machine = RestrictedMachine(
        *(np.asarray(each, np.float64) for each in (weights, visible_biases, hidden_biases))
    )
    biases = *machine.visible_biases.shape, *machine.hidden_biases.shape
    if machine.weights.ndim != 2 or machine.weights.shape != biases:
        raise StudyError(
            f"restricted Boltzmann machine: weights of shape {machine.weights.shape} and biases "
            f"of shapes {machine.visible_biases.shape} and {machine.hidden_biases.shape} were "
            "found, where [visible, hidden], [visible] and [hidden] are expected."
        )
    return machine


def random_restricted(
    rng: np.random.Generator, visible: int, hidden: int, deviation: float = 1.0
) -> RestrictedMachine:
    """Normal weights and biases of a standard deviation."""
    shapes = (visible, hidden), visible, hidden
    return RestrictedMachine(*(deviation * rng.standard_normal(shape) for shape in shapes))


def turned(machine: RestrictedMachine) -> RestrictedMachine:
    """The same machine with the names of its sides exchanged."""
    return RestrictedMachine(machine.weights.T, machine.hidden_biases, machine.visible_biases)


def hidden_probabilities(machine: RestrictedMachine, visible: NDArray) -> NDArray[np.float64]:
    """p(h_j = 1 | v) for each ``[..., visible]``, ``[..., hidden]``."""
    return expit(visible @ machine.weights + machine.hidden_biases)


def visible_probabilities(machine: RestrictedMachine, hidden: NDArray) -> NDArray[np.float64]:
    """p(v_i = 1 | h) for each ``[..., hidden]``, ``[..., visible]``."""
    return hidden_probabilities(turned(machine), hidden)


def as_boltzmann(machine: RestrictedMachine) -> Hopfield:
    """The Boltzmann machine of all units, the visible ones first."""
    visible, hidden = machine.weights.shape
    weights = np.zeros((visible + hidden,) * 2)
    weights[:visible, visible:] = machine.weights
    weights += weights.T
    return make_hopfield(weights, np.concatenate([machine.visible_biases, machine.hidden_biases]))


def log_visible(machine: RestrictedMachine) -> NDArray[np.float64]:
    """log p(v) of all visible states, ``[states]``: hidden units are summed out."""
    visible = all_states(len(machine.visible_biases))
    inputs = visible @ machine.weights + machine.hidden_biases
    return log_softmax(visible @ machine.visible_biases + np.logaddexp(0.0, inputs).sum(axis=1))


def log_hidden_given_visible(machine: RestrictedMachine) -> NDArray[np.float64]:
    """log p(h | v) of all states of both sides, ``[visible states, hidden states]``."""
    inputs = all_states(len(machine.visible_biases)) @ machine.weights + machine.hidden_biases
    hidden = all_states(len(machine.hidden_biases))
    return inputs @ hidden.T - np.logaddexp(0.0, inputs).sum(axis=1)[:, None]


def gibbs_kernel(machine: RestrictedMachine) -> NDArray[np.float64]:
    """Probabilities of a step from visible to hidden to visible, ``[states, states]``."""
    there, back = (log_hidden_given_visible(each) for each in (machine, turned(machine)))
    return np.exp(there) @ np.exp(back)


def gibbs_chain(
    machine: RestrictedMachine, visible: NDArray, steps: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Visible states ``[samples, visible]`` after so many steps of sampling, all at once."""
    for _ in range(steps):
        hidden = _sampled(hidden_probabilities(machine, visible), rng)
        visible = _sampled(visible_probabilities(machine, hidden), rng)
    return visible


def _sampled(probabilities: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    return (rng.random(probabilities.shape) < probabilities).astype(np.float64)
