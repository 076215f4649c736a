"""Learning of Boltzmann machines: exact gradients and contrastive divergence. Numpy.

Source: O'Connor 2020, section 2.1, eq. 2.4 to 2.6. The gradient of the mean log likelihood of data
by a weight is what its two units do together where the visible units are data, less what they do
where the machine runs freely,

    d<log p(v)>/dw_ij = <s_i s_j>_data - <s_i s_j>_model        (positive less negative phase)

and likewise <s_i> for a bias. Contrastive divergence (Hinton 2002) starts the negative phase at the
data and runs k steps of Gibbs sampling, so that its gradient is biased.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.networks.boltzmann import all_states, distribution
from plausible.networks.hopfield import Hopfield
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    gibbs_chain,
    gibbs_kernel,
    hidden_probabilities,
    log_visible,
)


def phase(
    machine: RestrictedMachine, visible: NDArray, share: NDArray | None = None
) -> RestrictedMachine:
    """Means of v_i h_j, v_i and h_j over visible states ``[states, visible]``, h by its mean.

    ``share`` ``[states]`` weighs the states and sums to 1; by default all weigh the same.
    """
    share = np.full(len(visible), 1.0 / len(visible)) if share is None else share
    hidden, weighted = hidden_probabilities(machine, visible), visible * share[:, None]
    return RestrictedMachine(weighted.T @ hidden, weighted.sum(axis=0), share @ hidden)


def phase_difference(machine: RestrictedMachine, data: NDArray, free: NDArray) -> RestrictedMachine:
    """Positive phase of one distribution ``[visible states]`` less negative phase of another."""
    states = all_states(len(machine.visible_biases))
    return _difference(phase(machine, states, data), phase(machine, states, free))


def exact_gradient(machine: RestrictedMachine, data: NDArray) -> RestrictedMachine:
    """Gradient of the mean log likelihood of a distribution ``[visible states]``."""
    return phase_difference(machine, data, np.exp(log_visible(machine)))


def contrastive_gradient(
    machine: RestrictedMachine, visible: NDArray, steps: int, rng: np.random.Generator
) -> RestrictedMachine:
    """CD-k: samples ``[samples, visible]``, and where ``steps`` of Gibbs sampling bring them."""
    sampled = gibbs_chain(machine, visible, steps, rng)
    return _difference(phase(machine, visible), phase(machine, sampled))


def expected_contrastive_gradient(
    machine: RestrictedMachine, data: NDArray, steps: int
) -> RestrictedMachine:
    """Mean of CD-k over its samples, for a distribution ``[visible states]``."""
    reached = data @ np.linalg.matrix_power(gibbs_kernel(machine), steps)
    return phase_difference(machine, data, reached)


def boltzmann_gradient(machine: Hopfield, data: NDArray) -> Hopfield:
    """Gradient of the mean log likelihood of the first units; the others are hidden.

    ``data`` is a distribution over the states of the visible units, ``[2 ** visible]``. A
    connection counts once, so that its gradient stands on both sides of the diagonal.
    """
    states, free = all_states(len(machine.biases)), distribution(machine)
    by_visible = free.reshape(len(data), -1)
    clamped = data[:, None] * by_visible / by_visible.sum(axis=1, keepdims=True)
    change = clamped.ravel() - free
    weights = states.T @ (states * change[:, None])
    np.fill_diagonal(weights, 0.0)
    return Hopfield(weights, change @ states)


def _difference(positive: RestrictedMachine, negative: RestrictedMachine) -> RestrictedMachine:
    return RestrictedMachine(*(one - other for one, other in zip(positive, negative, strict=True)))
