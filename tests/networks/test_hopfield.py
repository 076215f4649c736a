"""Hopfield networks: energy never rises, patterns come back, updates are minima of the energy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import erfinv

from plausible.errors import StudyError
from plausible.networks.hopfield import (
    continuous_energy,
    energy,
    flow,
    make_hopfield,
    overlap,
    overlaps,
    recall,
    recall_continuous,
    retrieval_overlap,
    store,
)

ROUNDING = 1e-12


def random_network(seed: int, units: int = 30, biased: bool = True):
    rng = np.random.default_rng(seed)
    weights = rng.normal(size=(units, units))
    weights = (weights + weights.T) / 2
    np.fill_diagonal(weights, 0.0)
    return make_hopfield(weights, rng.normal(size=units) if biased else None), rng


def energy_by_pairs(network, state):
    """Each pair of units once, then the biases: a loop as slow as the definition."""
    units = range(len(state))
    pairs = sum(network.weights[i, j] * state[i] * state[j] for i in units for j in units if i < j)
    return -pairs - sum(network.biases[i] * state[i] for i in units)


def test_energy_is_the_sum_over_pairs() -> None:
    network, rng = random_network(1, units=8)
    states = rng.choice([-1.0, 1.0], (5, 8))
    expected = [energy_by_pairs(network, state) for state in states]
    np.testing.assert_allclose(energy(network, states), expected, rtol=0, atol=1e-12)


@given(seed=st.integers(0, 10_000))
def test_energy_never_rises_and_is_that_of_the_state(seed) -> None:
    network, rng = random_network(seed)
    result = recall(network, rng.choice([-1.0, 1.0], 30), rng)
    assert result.settled and (np.diff(result.energies) <= 0).all()
    assert result.energies[-1] == pytest.approx(float(energy(network, result.state)), abs=1e-10)
    assert len(result.energies) == 1 + 30 * result.sweeps


def test_a_settled_state_is_a_minimum_in_every_unit() -> None:
    for seed in range(20):
        network, rng = random_network(seed, units=12)
        state = recall(network, rng.choice([-1.0, 1.0], 12), rng).state
        for unit in range(12):
            flipped = state.copy()
            flipped[unit] *= -1
            assert energy_by_pairs(network, flipped) >= energy_by_pairs(network, state) - ROUNDING


def test_each_update_is_the_arg_min_over_its_unit() -> None:
    """One sweep, replayed with both values of each unit tried out."""
    network, rng = random_network(3, units=15)
    start = rng.choice([-1.0, 1.0], 15)
    result = recall(network, start, np.random.default_rng(9), max_sweeps=1)
    state = start.copy()
    for unit in np.random.default_rng(9).permutation(15):
        energies = []
        for value in (-1.0, 1.0):
            state[unit] = value
            energies.append(energy_by_pairs(network, state))
        state[unit] = (-1.0, 1.0)[int(np.argmin(energies))]
    assert np.array_equal(result.state, state)


def test_at_equal_energies_a_unit_stays() -> None:
    network = make_hopfield(np.zeros((4, 4)))
    start = np.array([1.0, -1.0, -1.0, 1.0])
    result = recall(network, start, np.random.default_rng(0))
    assert np.array_equal(result.state, start) and result.sweeps == 1 and result.settled


def test_patterns_come_back_from_partial_input_at_low_load() -> None:
    """10 patterns in 200 units (0.05 N), a fifth of the units turned over."""
    rng = np.random.default_rng(7)
    patterns = rng.choice([-1.0, 1.0], (10, 200))
    network = store(patterns)
    for pattern in patterns:
        damaged = pattern.copy()
        damaged[rng.permutation(200)[:40]] *= -1
        assert overlap(damaged, pattern) == pytest.approx(0.6)
        assert overlap(recall(network, damaged, rng).state, pattern) == 1.0


def test_too_many_patterns_are_forgotten() -> None:
    """Far above 0.138 N patterns are no fixed points: the test above can fail."""
    rng = np.random.default_rng(7)
    patterns = rng.choice([-1.0, 1.0], (100, 200))
    network = store(patterns)
    overlaps = [overlap(recall(network, pattern, rng).state, pattern) for pattern in patterns]
    assert np.mean(overlaps) < 0.7


def test_hebbian_weights_by_hand() -> None:
    network = store(np.array([[1.0, -1.0, 1.0], [1.0, 1.0, 1.0]]))
    assert network.weights.tolist() == [[0, 0, 2 / 3], [0, 0, 0], [2 / 3, 0, 0]]


@given(seed=st.integers(0, 10_000), gain=st.floats(0.1, 20))
def test_continuous_energy_never_rises(seed, gain) -> None:
    network, rng = random_network(seed, units=12)
    result = recall_continuous(network, rng.uniform(-1, 1, 12), gain, rng, max_sweeps=20)
    scale = np.abs(result.energies).max()
    assert (np.diff(result.energies) <= ROUNDING * scale).all()


def test_continuous_energy_against_quadrature() -> None:
    from scipy.integrate import quad

    network, rng = random_network(4, units=6)
    state = rng.uniform(-0.99, 0.99, 6)
    cost = sum(quad(np.arctanh, 0, value)[0] for value in state) / 2.5
    expected = energy_by_pairs(network, state) + cost
    assert continuous_energy(network, state, 2.5) == pytest.approx(expected, abs=1e-10)
    corner = np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0])
    assert np.isfinite(continuous_energy(network, corner, 2.5))


def test_continuous_network_settles_where_the_flow_ends() -> None:
    network, rng = random_network(5, units=10)
    start = rng.uniform(-0.5, 0.5, 10)
    states, energies = flow(network, start, gain=0.15, step=0.05, steps=2000)
    settled = recall_continuous(network, start, 0.15, rng)
    assert settled.settled
    np.testing.assert_allclose(states[-1], settled.state, rtol=0, atol=1e-10)
    assert (np.diff(energies) <= ROUNDING).all()
    drive = network.weights @ states[-1] + network.biases
    np.testing.assert_allclose(states[-1], np.tanh(0.15 * drive), rtol=0, atol=1e-10)


def test_continuous_memories_are_recalled() -> None:
    rng = np.random.default_rng(8)
    patterns = rng.choice([-1.0, 1.0], (5, 200))
    network = store(patterns)
    for pattern in patterns:
        damaged = pattern * np.where(rng.permutation(200) < 40, -0.5, 0.5)
        asynchronous = recall_continuous(network, damaged, 4.0, rng)
        states, energies = flow(network, damaged, 4.0, step=0.1, steps=300)
        assert asynchronous.settled and (np.diff(energies) <= ROUNDING * 200).all()
        for state in (asynchronous.state, states[-1]):
            assert overlap(np.sign(state), pattern) == 1.0 and overlap(state, pattern) > 0.9


def test_high_gain_gives_the_binary_network() -> None:
    network, _ = random_network(6, units=20)
    start = np.random.default_rng(1).choice([-1.0, 1.0], 20)
    binary = recall(network, start, np.random.default_rng(2))
    continuous = recall_continuous(network, start, 1e6, np.random.default_rng(2))
    assert np.array_equal(np.sign(continuous.state), binary.state)


@pytest.mark.parametrize("gain", [None, 3.0])
def test_updates_are_recorded(gain) -> None:
    """Replaying units and values gives the energies, the last state and the overlaps."""
    network, rng = random_network(9, units=20)
    start, pattern = rng.choice([-0.5, 0.5], 20), rng.choice([-1.0, 1.0], 20)
    if gain is None:
        start *= 2
        result = recall(network, start, rng)
    else:
        result = recall_continuous(network, start, gain, rng, max_sweeps=5)
    assert len(result.units) == len(result.values) == 20 * result.sweeps
    state, energies, along = start.copy(), [], []
    for unit, value in [(0, start[0]), *zip(result.units, result.values, strict=True)]:
        state[unit] = value
        one = energy(network, state) if gain is None else continuous_energy(network, state, gain)
        energies.append(float(one))
        along.append(np.mean(state * pattern))
    np.testing.assert_allclose(result.energies, energies, rtol=0, atol=1e-10)
    np.testing.assert_allclose(overlaps(result, start, pattern), along, rtol=0, atol=1e-12)
    assert np.array_equal(state, result.state)
    assert not recall(network, np.sign(start), rng, max_sweeps=0).units.size


def test_capacity_of_infinitely_many_units() -> None:
    """Amit, Gutfreund and Sompolinsky 1985: 0.138 patterns per unit, overlap 0.967 there."""
    assert retrieval_overlap(0.1379) == pytest.approx(0.967, abs=2e-3)
    assert retrieval_overlap(0.139) == retrieval_overlap(1.0) == 0.0
    assert retrieval_overlap(0.001) == 1.0
    # Both equations of the theory at once: m = erf(y) with y^2 = m^2 / (2 load r).
    for load in (0.03, 0.08, 0.13):
        m = retrieval_overlap(load)
        y = erfinv(m)
        susceptibility = 2 * y / (np.sqrt(np.pi) * m) * np.exp(-(y**2))
        noise = 1 / (1 - susceptibility) ** 2
        assert m / np.sqrt(2 * load * noise) == pytest.approx(y, rel=1e-6)
    with pytest.raises(StudyError, match="positive number"):
        retrieval_overlap(0.0)


def test_a_large_network_recalls_as_the_theory_says() -> None:
    rng = np.random.default_rng(11)
    patterns = rng.choice([-1.0, 1.0], (100, 1000))
    network = store(patterns)
    found = [overlap(recall(network, pattern, rng).state, pattern) for pattern in patterns[:10]]
    assert np.mean(found) == pytest.approx(retrieval_overlap(0.1), abs=0.005)


def test_what_would_break_the_theorem_is_refused() -> None:
    with pytest.raises(StudyError, match="symmetric with a zero diagonal"):
        make_hopfield(np.array([[0.0, 1.0], [2.0, 0.0]]))
    with pytest.raises(StudyError, match="symmetric with a zero diagonal"):
        make_hopfield(np.eye(3))
    with pytest.raises(StudyError, match=r"\[units, units\]"):
        make_hopfield(np.zeros((2, 3)))
    with pytest.raises(StudyError, match="finite"):
        make_hopfield(np.array([[0.0, np.nan], [np.nan, 0.0]]))
    with pytest.raises(StudyError, match="-1 and"):
        store(np.array([[0.0, 1.0]]))
    network, rng = random_network(1, units=4)
    with pytest.raises(StudyError, match="gain is 0"):
        recall_continuous(network, np.zeros(4), 0, rng)
    with pytest.raises(StudyError, match="inside"):
        flow(network, np.ones(4), 1.0, 0.1, 3)
