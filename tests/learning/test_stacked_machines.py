"""Stacks of restricted Boltzmann machines: likelihood by all states, the bound below it."""

import numpy as np
import pytest

from plausible.learning.stacked_machines import (
    climb,
    hidden_distribution,
    log_likelihood,
    lower_bound,
)
from plausible.networks.boltzmann import distribution
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    as_boltzmann,
    log_visible,
    random_restricted,
    turned,
)

VISIBLE, HIDDEN = 4, 3
DATA = np.random.default_rng(5).dirichlet(np.ones(2**VISIBLE))


def machine(seed: int) -> RestrictedMachine:
    return random_restricted(np.random.default_rng(seed), VISIBLE, HIDDEN, 0.7)


def test_likelihood_of_a_stack_by_all_states():
    """p(v) = sum over h of p(v|h) times the visible distribution of the machine above."""
    first, second = machine(4), random_restricted(np.random.default_rng(7), HIDDEN, 2)
    joint = distribution(as_boltzmann(first)).reshape(2**VISIBLE, -1)
    given = joint / joint.sum(axis=0)
    expected = given @ np.exp(log_visible(second))
    np.testing.assert_allclose(np.exp(log_likelihood([first, second])), expected, rtol=1e-12)
    assert np.exp(log_likelihood([first, second])).sum() == pytest.approx(1.0)


def test_the_bound_is_below_the_likelihood_and_touches_it_where_the_layer_is_tied():
    first, other = machine(8), random_restricted(np.random.default_rng(9), HIDDEN, 3)
    bound, exact = (each([first, other]) for each in (lower_bound, log_likelihood))
    assert (bound < exact).all() and (exact - bound).max() > 1e-3
    tied = [first, turned(first)]
    np.testing.assert_allclose(lower_bound(tied), log_visible(first), rtol=0, atol=1e-12)
    np.testing.assert_allclose(log_likelihood(tied), log_visible(first), rtol=0, atol=1e-12)


def test_climbing_raises_the_likelihood_of_what_it_is_given():
    first = climb(machine(10), DATA, 50, 0.2)
    assert DATA @ log_visible(first) > DATA @ log_visible(machine(10)) + 0.01
    hidden = hidden_distribution(first, DATA)
    assert hidden.sum() == pytest.approx(1.0)
    second = climb(turned(first), hidden, 50, 0.2)
    assert DATA @ lower_bound([first, second]) >= DATA @ log_visible(first)
