"""Spike times against a fine scan of the potential, their derivatives against differences."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.spike_time import (
    Synapses,
    kernel,
    kernel_slope,
    loss_gradients,
    spike_times,
    time_slopes,
)

DELAYS = np.array([0.0, 0.7, 2.0])


def synapses(seed: int, inputs: int = 4, outputs: int = 6, mean: float = 0.3) -> Synapses:
    rng = np.random.default_rng(seed)
    return Synapses(mean + 0.8 * rng.normal(size=(inputs, len(DELAYS), outputs)), DELAYS)


def scanned(one: Synapses, inputs, threshold: float = 1.0):
    """First time on a fine grid at which a potential, synapse by synapse, has the threshold."""
    time = np.arange(0.0, 30.0, 1e-3)
    potential = np.zeros((len(time), one.weights.shape[2]))
    for i, start in enumerate(inputs):
        for k, delay in enumerate(one.delays):
            since = time - start - delay
            on = since > 0
            potential[on] += np.outer(since[on] * np.exp(-since[on]), one.weights[i, k])
    reached = potential >= threshold
    return np.where(reached.any(axis=0), time[reached.argmax(axis=0)], np.inf)


@pytest.mark.parametrize("seed", range(6))
def test_spike_times_by_scanning(seed):
    one, inputs = synapses(seed), np.random.default_rng(seed).uniform(0, 2, 4)
    found, expected = spike_times(one, inputs), scanned(one, inputs)
    assert np.isfinite(expected).any()
    assert (np.isfinite(found) == np.isfinite(expected)).all()
    on = np.isfinite(expected)
    # The grid is late by a step at most.
    assert ((expected[on] - found[on] >= -1e-12) & (expected[on] - found[on] <= 1e-3)).all()


def test_the_potential_at_the_spike_is_the_threshold():
    one, inputs = synapses(3), np.array([0.0, 0.5, 1.0, 1.5])
    times = spike_times(one, inputs, threshold=0.6)
    for neuron in np.flatnonzero(np.isfinite(times)):
        since = times[neuron] - inputs[:, None] - one.delays
        potential = (one.weights[:, :, neuron] * kernel(since)).sum()
        assert potential == pytest.approx(0.6, abs=1e-12)


def test_one_input_with_a_known_time():
    """w t exp(-t) = w / e is reached at t = 1 at the latest; w = e reaches it exactly there."""
    touching = Synapses(np.full((1, 1, 1), 1.000001 * np.e), np.zeros(1))
    assert spike_times(touching, np.array([2.0]))[0] == pytest.approx(3.0, abs=2e-3)
    below = Synapses(np.full((1, 1, 1), 0.99 * np.e), np.zeros(1))
    assert spike_times(below, np.array([2.0]))[0] == np.inf


def test_silent_inputs_and_late_arrivals_do_not_count():
    one, inputs = synapses(4, mean=1.0), np.array([0.0, 0.3, 0.6, 0.9])
    first = spike_times(one, inputs)
    silent = inputs.copy()
    silent[3] = np.inf
    alone = Synapses(one.weights[:3], DELAYS)
    np.testing.assert_array_equal(spike_times(one, silent), spike_times(alone, inputs[:3]))
    assert (spike_times(one, np.full(4, np.inf)) == np.inf).all()
    late = inputs.copy()
    late[3] = first[np.isfinite(first)].max() + 1.0
    on = spike_times(alone, inputs[:3]) < late[3]
    np.testing.assert_allclose(
        spike_times(one, late)[on], spike_times(alone, inputs[:3])[on], rtol=1e-14
    )


def test_kernel_slope_by_difference():
    time = np.array([-1.0, 0.3, 1.0, 4.0])
    expected = (kernel(time + 1e-6) - kernel(time - 1e-6)) / 2e-6
    np.testing.assert_allclose(kernel_slope(time), expected, rtol=0, atol=1e-9)


def differences(values, times):
    """Central differences of spike times by every number of an array."""
    slopes = np.zeros((*values.shape, len(times(values))))
    for place in np.ndindex(values.shape):
        ends = []
        for sign in (1.0, -1.0):
            moved = values.copy()
            moved[place] += sign * 1e-6
            ends.append(times(moved))
        slopes[place] = (ends[0] - ends[1]) / 2e-6
    return slopes


def test_derivatives_by_differences():
    one, inputs = synapses(5, mean=0.8), np.array([0.0, 0.4, 0.8, 1.3])
    times = spike_times(one, inputs)
    assert np.isfinite(times).all()
    slopes = time_slopes(one, inputs, times)
    by_input = differences(inputs, lambda moved: spike_times(one, moved))
    np.testing.assert_allclose(slopes.by_input, by_input, rtol=1e-5, atol=1e-7)
    by_weight = differences(
        one.weights, lambda moved: spike_times(one._replace(weights=moved), inputs)
    )
    own = np.einsum("ikjj->ikj", by_weight)
    np.testing.assert_allclose(slopes.by_weight, own, rtol=1e-5, atol=1e-7)


def test_gradients_of_two_layers_by_differences():
    layers = [synapses(6, 3, 4, mean=1.0), synapses(7, 4, 2, mean=1.0)]
    inputs, targets = np.array([0.0, 0.5, 1.0]), np.array([2.0, 3.0])
    loss, gradients = loss_gradients(layers, inputs, targets)
    outputs = spike_times(layers[1], spike_times(layers[0], inputs))
    assert np.isfinite(outputs).all() and loss == pytest.approx(
        0.5 * ((outputs - targets) ** 2).sum()
    )
    for number in range(2):

        def of(weights, number=number):
            moved = list(layers)
            moved[number] = layers[number]._replace(weights=weights)
            return np.array([loss_gradients(moved, inputs, targets)[0]])

        expected = differences(layers[number].weights, of)[..., 0]
        np.testing.assert_allclose(gradients[number], expected, rtol=1e-4, atol=1e-6)


def test_a_silent_neuron_has_no_gradient():
    layers = [synapses(8, 3, 4, mean=1.0)]
    weak = [layers[0]._replace(weights=0.01 * layers[0].weights)]
    loss, (gradient,) = loss_gradients(weak, np.zeros(3), np.full(4, 2.0))
    assert loss == 0.0 and not gradient.any()


def test_shapes_and_threshold_are_checked():
    with pytest.raises(StudyError, match="2 inputs, 3 delays"):
        spike_times(synapses(0), np.zeros(2))
    with pytest.raises(StudyError, match="positive"):
        spike_times(synapses(0), np.zeros(4), threshold=0.0)
