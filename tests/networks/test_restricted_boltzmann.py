"""Restricted Boltzmann machines against the Boltzmann machine of all their units."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.networks.boltzmann import (
    all_states,
    distribution,
    state_numbers,
    total_variation,
)
from plausible.networks.restricted_boltzmann import (
    as_boltzmann,
    gibbs_chain,
    gibbs_kernel,
    hidden_probabilities,
    log_hidden_given_visible,
    log_visible,
    make_restricted,
    random_restricted,
    turned,
    visible_probabilities,
)

VISIBLE, HIDDEN = 4, 3


def restricted():
    return random_restricted(np.random.default_rng(2), VISIBLE, HIDDEN)


def joint() -> np.ndarray:
    """Probabilities of all states of both sides, [visible states, hidden states]."""
    return distribution(as_boltzmann(restricted())).reshape(2**VISIBLE, 2**HIDDEN)


def test_marginal_and_conditional_distributions():
    one, both = restricted(), joint()
    np.testing.assert_allclose(np.exp(log_visible(one)), both.sum(axis=1), rtol=1e-12)
    given = both / both.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(np.exp(log_hidden_given_visible(one)), given, rtol=1e-12)
    means = given @ all_states(HIDDEN)
    np.testing.assert_allclose(hidden_probabilities(one, all_states(VISIBLE)), means, rtol=1e-12)
    back = (both / both.sum(axis=0)).T @ all_states(VISIBLE)
    np.testing.assert_allclose(visible_probabilities(one, all_states(HIDDEN)), back, rtol=1e-12)
    np.testing.assert_allclose(np.exp(log_visible(turned(one))), both.sum(axis=0), rtol=1e-12)


def test_kernel_of_a_step_keeps_the_distribution_and_is_that_of_the_samples():
    one, rng = restricted(), np.random.default_rng(3)
    kernel, model = gibbs_kernel(one), np.exp(log_visible(one))
    np.testing.assert_allclose(model @ kernel, model, rtol=0, atol=1e-14)
    start = np.tile(all_states(VISIBLE)[5], (100_000, 1))
    reached = gibbs_chain(one, start, 2, rng)
    found = np.bincount(state_numbers(reached), minlength=2**VISIBLE) / len(reached)
    assert total_variation(found, (kernel @ kernel)[5]) < 0.01


def test_biases_must_fit():
    with pytest.raises(StudyError, match=r"\[visible, hidden\]"):
        make_restricted(np.zeros((3, 2)), np.zeros(2), np.zeros(2))
    assert make_restricted([[1, 2]], [0], [0, 0]).weights.dtype == np.float64
