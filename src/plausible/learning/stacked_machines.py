"""Deep belief nets: restricted Boltzmann machines on top of each other, by enumeration. Numpy.

Source: O'Connor 2020, section 2.1 (after Hinton, Osindero and Teh 2006). Of a stack, the machine at
the top gives the distribution of its visible units, and each one below turns that of its hidden
units into one of its visible units, p(v) = sum_h p(v|h) p(h). With the posterior q(h|v) of the
machine itself,

    log p(v) >= sum_h q(h|v) (log p(v|h) + log p(h) - log q(h|v)),

a bound that no training of the layers above by exact gradient can lower, and that is the likelihood
itself where the machine above starts tied: the same machine upside down, whose visible units have
the distribution that the hidden units of the lower one have. The thesis, which speaks of the
likelihood, leaves out both the bound and the start.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from plausible.learning.contrastive_divergence import exact_gradient
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    log_hidden_given_visible,
    log_visible,
    turned,
)

Stack = Sequence[RestrictedMachine]
"""Machines from the bottom to the top; hidden units of one are the visible ones of the next."""


def log_likelihood(stack: Stack) -> NDArray[np.float64]:
    """log p(v) of all visible states of a stack, ``[states]``."""
    first, *above = stack
    if not above:
        return log_visible(first)
    given = log_hidden_given_visible(turned(first))
    return logsumexp(given + log_likelihood(above)[:, None], axis=0)


def lower_bound(stack: Stack) -> NDArray[np.float64]:
    """The bound of log p(v), every layer with the posterior of its own machine, ``[states]``."""
    first, *above = stack
    if not above:
        return log_visible(first)
    posterior, given = log_hidden_given_visible(first), log_hidden_given_visible(turned(first)).T
    return (np.exp(posterior) * (given + lower_bound(above) - posterior)).sum(axis=1)


def hidden_distribution(machine: RestrictedMachine, data: NDArray) -> NDArray[np.float64]:
    """Distribution of the hidden states where visible ones have that of ``data``, ``[states]``."""
    return data @ np.exp(log_hidden_given_visible(machine))


def climb(machine: RestrictedMachine, data: NDArray, steps: int, rate: float) -> RestrictedMachine:
    """Machine after so many steps along the exact gradient of the log likelihood of ``data``."""
    for _ in range(steps):
        gradient = exact_gradient(machine, data)
        machine = RestrictedMachine(
            *(each + rate * slope for each, slope in zip(machine, gradient, strict=True))
        )
    return machine
