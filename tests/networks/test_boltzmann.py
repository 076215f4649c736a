"""Boltzmann machines against sums over states written down as the definition has them."""

from itertools import product

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.networks.boltzmann import (
    all_states,
    distribution,
    gibbs_samples,
    on_probability,
    relaxation_time,
    state_numbers,
    sweep_kernel,
    total_variation,
)
from plausible.networks.hopfield import make_hopfield

UNITS = 5


def machine(units: int = UNITS, seed: int = 0):
    rng = np.random.default_rng(seed)
    upper = np.triu(rng.normal(size=(units, units)), 1)
    return make_hopfield(upper + upper.T, rng.normal(size=units))


def by_definition(network) -> dict[tuple[int, ...], float]:
    """Probability of each state, pair by pair."""
    units = range(len(network.biases))
    weights = {}
    for state in product((0, 1), repeat=len(units)):
        energy = -sum(network.weights[i, j] * state[i] * state[j] for i in units for j in range(i))
        energy -= sum(network.biases[i] * state[i] for i in units)
        weights[state] = np.exp(-energy)
    total = sum(weights.values())
    return {state: weight / total for state, weight in weights.items()}


def test_states_are_numbered():
    states = all_states(3)
    assert [tuple(state) for state in states] == list(product((0, 1), repeat=3))
    assert list(state_numbers(states)) == list(range(8))
    with pytest.raises(StudyError, match="17 units"):
        all_states(17)


def test_distribution_is_that_of_the_energy():
    found = distribution(machine())
    np.testing.assert_allclose(found, list(by_definition(machine()).values()), rtol=1e-12)


def test_conditional_probabilities():
    network, exact = machine(), by_definition(machine())
    for state in exact:
        for unit in range(UNITS):
            on, off = ((*state[:unit], value, *state[unit + 1 :]) for value in (1, 0))
            expected = exact[on] / (exact[on] + exact[off])
            found = on_probability(network, np.array(state, float), unit)
            assert found == pytest.approx(expected, abs=1e-14)


def test_a_sweep_keeps_the_distribution_and_forgets_the_start():
    network = machine()
    kernel, model = sweep_kernel(network), distribution(network)
    np.testing.assert_allclose(kernel.sum(axis=1), 1.0, rtol=1e-12)
    np.testing.assert_allclose(model @ kernel, model, rtol=0, atol=1e-14)
    far = np.linalg.matrix_power(kernel, 500)
    np.testing.assert_allclose(far, np.broadcast_to(model, far.shape), rtol=0, atol=1e-10)


def test_samples_follow_the_kernel():
    """One sweep from a random start: uniform start times kernel."""
    network, rng = machine(3), np.random.default_rng(1)
    samples = gibbs_samples(network, rng, chains=100_000, kept=1, burn_in=1, every=1)
    found = np.bincount(state_numbers(samples), minlength=8) / len(samples)
    expected = np.full(8, 1 / 8) @ sweep_kernel(network)
    assert total_variation(found, expected) < 0.01
    again = gibbs_samples(network, rng, chains=10, kept=7, burn_in=2, every=3)
    assert again.shape == (70, 3)


def test_relaxation_time_of_two_states():
    """A chain of two states that stays with probability 0.9 has the eigenvalues 1 and 0.8."""
    kernel = np.array([[0.9, 0.1], [0.1, 0.9]])
    assert relaxation_time(kernel) == pytest.approx(-1.0 / np.log(0.8))


def test_total_variation():
    assert total_variation(np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.5, 0.5])) == 0.5
