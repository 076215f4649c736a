"""Gradients of Boltzmann machines against finite differences of the likelihood."""

import numpy as np
import pytest

from plausible.learning.contrastive_divergence import (
    boltzmann_gradient,
    contrastive_gradient,
    exact_gradient,
    expected_contrastive_gradient,
)
from plausible.networks.boltzmann import all_states, distribution
from plausible.networks.hopfield import Hopfield
from plausible.networks.restricted_boltzmann import (
    RestrictedMachine,
    as_boltzmann,
    log_visible,
    random_restricted,
)

VISIBLE, HIDDEN, STEP = 4, 3, 1e-5
DATA = np.random.default_rng(5).dirichlet(np.ones(2**VISIBLE))


def machine(seed: int = 0) -> RestrictedMachine:
    return random_restricted(np.random.default_rng(seed), VISIBLE, HIDDEN, 0.7)


def differences(likelihood, parts):
    """Central differences by every number of every part."""
    found = []
    for number, part in enumerate(parts):
        slopes = np.zeros_like(part)
        for place in np.ndindex(part.shape):
            ends = []
            for sign in (1.0, -1.0):
                moved = [each.copy() for each in parts]
                moved[number][place] += sign * STEP
                ends.append(likelihood(moved))
            slopes[place] = (ends[0] - ends[1]) / (2 * STEP)
        found.append(slopes)
    return found


def test_exact_gradient_of_a_restricted_machine():
    one = machine()
    expected = differences(lambda parts: DATA @ log_visible(RestrictedMachine(*parts)), list(one))
    for found, slopes in zip(exact_gradient(one, DATA), expected, strict=True):
        np.testing.assert_allclose(found, slopes, rtol=0, atol=1e-9)


def test_exact_gradient_with_hidden_units():
    """One side of the diagonal moves both, as a connection has one weight."""
    whole = as_boltzmann(machine(1))
    connected = whole.weights.copy()
    connected[0, 1] = connected[1, 0] = 0.4
    whole = Hopfield(connected, whole.biases)

    def likelihood(parts):
        upper = np.triu(parts[0], 1)
        free = distribution(Hopfield(upper + upper.T, parts[1])).reshape(2**VISIBLE, -1)
        return DATA @ np.log(free.sum(axis=1))

    weights, biases = differences(likelihood, list(whole))
    found = boltzmann_gradient(whole, DATA)
    np.testing.assert_allclose(np.triu(found.weights, 1), np.triu(weights, 1), rtol=0, atol=1e-9)
    np.testing.assert_array_equal(found.weights, found.weights.T)
    np.testing.assert_allclose(found.biases, biases, rtol=0, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 3])
def test_samples_of_contrastive_divergence_have_the_expected_gradient(steps):
    one, rng = machine(2), np.random.default_rng(6)
    visible = all_states(VISIBLE)[rng.choice(len(DATA), 200_000, p=DATA)]
    found = contrastive_gradient(one, visible, steps, rng)
    for part, expected in zip(found, expected_contrastive_gradient(one, DATA, steps), strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=0.01)


def test_many_steps_end_at_the_gradient():
    one = machine(3)
    exact = exact_gradient(one, DATA)
    for part, expected in zip(expected_contrastive_gradient(one, DATA, 2000), exact, strict=True):
        np.testing.assert_allclose(part, expected, rtol=0, atol=1e-10)
    first = expected_contrastive_gradient(one, DATA, 1)
    assert np.abs(first.weights - exact.weights).max() > 1e-3
