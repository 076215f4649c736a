"""Codes with fitted coefficients, against what is known of autoregressive signals and PD codes."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.neurons.linear_prediction import fitted_coefficients, transmit_predicted
from plausible.neurons.pd_coding import pd_code_of, transmit


def autoregressive(coefficients, steps=40_000, units=3, seed=0):
    noise = np.random.default_rng(seed).standard_normal((steps, units))
    signal = np.zeros_like(noise)
    for time in range(steps):
        signal[time] = noise[time]
        for lag, weight in enumerate(coefficients[:time], start=1):
            signal[time] += weight * signal[time - lag]
    return signal


@pytest.mark.parametrize("known", [[0.8], [1.5, -0.7]])
def test_coefficients_of_an_autoregressive_signal(known):
    found = fitted_coefficients(autoregressive(known), len(known))
    np.testing.assert_allclose(found, known, atol=0.02)


def test_fitted_coefficients_have_the_smallest_error():
    """Of a signal that is 0 before and after, which is what the normal equations are those of."""
    signal = np.zeros((400, 2))
    signal[50:350] = np.random.default_rng(3).standard_normal((300, 2)).cumsum(axis=0)

    best = fitted_coefficients(signal, 2)
    predicted = best[0] * signal[1:-1] + best[1] * signal[:-2]
    rest = np.square(signal[2:] - predicted).sum()
    for change in ([0.01, 0.0], [-0.01, 0.0], [0.0, 0.01], [0.0, -0.01]):
        omega = best + np.array(change)
        other = omega[0] * signal[1:-1] + omega[1] * signal[:-2]
        assert np.square(signal[2:] - other).sum() > rest


def test_a_decoder_with_fitted_coefficients_forgets():
    signal = np.random.default_rng(4).standard_normal((300, 4)).cumsum(axis=0)
    omega = fitted_coefficients(signal, 2)
    assert np.abs(np.roots([1.0, *-omega])).max() < 1.0


def test_one_coefficient_is_a_pd_code():
    signal = np.random.default_rng(5).standard_normal((200, 3)).cumsum(axis=0)
    found, expected = transmit_predicted(signal, [0.9], 0.3), transmit(signal, pd_code_of(0.9, 0.3))
    np.testing.assert_array_equal(found.spikes, expected.spikes)
    np.testing.assert_allclose(found.reconstruction, expected.reconstruction, atol=1e-10)


def test_a_ramp_needs_a_second_order():
    """Two coefficients 2 and -1 predict a straight line; its steps are then no news."""
    ramp = np.arange(500.0)[:, None]
    one, two = (transmit_predicted(ramp, omega, 1.0) for omega in ([1.0], [2.0, -1.0]))
    assert np.abs(one.spikes).sum() == 499 and np.abs(two.spikes).sum() == 1
    np.testing.assert_array_equal(two.reconstruction, ramp)


@pytest.mark.parametrize("order", [0, 1.5, 10])
def test_an_order_that_cannot_be_is_refused(order):
    with pytest.raises(StudyError, match="order"):
        fitted_coefficients(np.ones((10, 2)), order)


def test_a_signal_of_zeros_and_a_step_of_zero_are_refused():
    with pytest.raises(StudyError, match="not 0 throughout"):
        fitted_coefficients(np.zeros((10, 2)), 1)
    with pytest.raises(StudyError, match="step"):
        transmit_predicted(np.ones((10, 2)), [0.5], 0.0)
