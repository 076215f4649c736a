"""Integrate-and-fire neurons: nothing is lost, and what is left is told."""

import numpy as np
import pytest

from plausible.kernels.integrate_and_fire_network import simulate

THRESHOLDS = (0.75, 2.0)


@pytest.mark.parametrize("constant", [True, False])
def test_input_is_spikes_and_what_is_left(constant):
    """theta n(T) + v(T) = sum of all inputs of a neuron; whole 64ths, so to the last bit."""
    random = np.random.default_rng(2)
    weights = [random.integers(-20, 30, shape) / 64 for shape in ((5, 4), (4, 3))]
    biases = [random.integers(-5, 10, units) / 64 for units in (4, 3)]
    steps = 37
    shape = (6, 5) if constant else (6, steps, 5)
    inputs = random.integers(0, 8, shape) / 8
    found = simulate(weights, biases, THRESHOLDS, inputs, (10, steps), constant)
    sent = steps * inputs if constant else inputs.sum(axis=1)
    for layer in range(2):
        spikes = found.layers[layer][:, -1]
        whole = sent @ weights[layer] + steps * biases[layer]
        assert np.array_equal(THRESHOLDS[layer] * spikes + found.potentials[layer], whole)
        assert spikes.sum() > 9 and np.all(found.layers[layer][:, 0] <= spikes)
        sent = THRESHOLDS[layer] * spikes
    # A reset to zero, which forgets the rest, would not balance.
    assert np.any(found.potentials[0] % THRESHOLDS[0] != 0)


def test_a_neuron_fires_at_its_threshold_and_once_in_a_step():
    ((spikes,), (left,)) = simulate(
        [np.eye(3)], [np.zeros(3)], (1.0,), np.array([[1.0, 0.5, 3.0]]), (4,), True
    )
    assert spikes[0, 0].tolist() == [4, 2, 4] and left[0].tolist() == [0.0, 0.0, 8.0]
