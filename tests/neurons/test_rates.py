"""LIF rates against mpmath-free closed forms, autograd, limits and monotony."""

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad

from plausible.neurons.rates import (
    LIF,
    lif_rate,
    lif_rate_derivative,
    soft_rate,
    soft_rate_and_derivative,
    soft_rate_derivative,
)

torch.set_num_threads(1)
CURRENTS = torch.linspace(-20.0, 40.0, 601, dtype=torch.float64)
GAMMAS = st.floats(0.005, 0.5)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_lif_rate_is_equation_37_literally():
    current = torch.linspace(1.001, 30.0, 500, dtype=torch.float64)
    expected = 1.0 / (0.004 - 0.02 * torch.log(1.0 - 1.0 / current))
    torch.testing.assert_close(lif_rate(current), expected, rtol=1e-12, atol=0)


def test_lif_rate_values_of_the_thesis_code():
    # Independent evaluation of the analytic rates of the simulated currents.
    rates = lif_rate(tensor(1.1, 1.5, 2.0, 5.0, 10.0))
    torch.testing.assert_close(
        rates, tensor(19.2489, 38.5111, 55.9921, 118.2066, 163.7225), rtol=1e-3, atol=0
    )


def test_rate_is_the_inverse_of_the_time_to_threshold():
    # Time from 0 to the threshold: integral of dv tau / (j - v), done numerically.
    current, lif = 1.7, LIF()
    charging, _ = quad(lambda v: lif.membrane_time_constant_s / (current - v), 0.0, lif.threshold)
    expected = 1.0 / (lif.refractory_period_s + charging)
    assert float(lif_rate(tensor(current))) == pytest.approx(expected, rel=1e-10)


def test_silent_at_and_below_threshold():
    below = tensor(-1e6, -1.0, 0.0, 0.999, 1.0)
    assert torch.equal(lif_rate(below), torch.zeros(5, dtype=torch.float64))
    assert torch.equal(lif_rate_derivative(below), torch.zeros(5, dtype=torch.float64))


def test_offset_leaves_the_floor_of_the_thesis_figure():
    expected = 1.0 / (0.004 + 0.02 * math.log1p(1e12))
    assert float(lif_rate(tensor(0.0), offset=1e-12)) == pytest.approx(expected, rel=1e-12)
    assert expected == pytest.approx(1.8, abs=0.01)
    assert float(soft_rate(tensor(-5.0), 0.05, offset=1e-12)) == pytest.approx(expected, rel=1e-9)


def test_hard_derivative_against_autograd():
    current = torch.linspace(1.01, 30.0, 300, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(lif_rate(current).sum(), current)
    torch.testing.assert_close(lif_rate_derivative(current.detach()), slope, rtol=1e-10, atol=0)


@pytest.mark.parametrize("gamma", [0.02, 0.05, 0.3])
@pytest.mark.parametrize("offset", [0.0, 1e-12])
def test_soft_derivative_against_autograd(gamma, offset):
    current = torch.linspace(-1.0, 15.0, 801, dtype=torch.float64, requires_grad=True)
    rho = gamma * torch.nn.functional.softplus((current - 1.0) / gamma, threshold=50.0) + offset
    rate = 1.0 / (0.004 + 0.02 * torch.log1p(1.0 / rho))
    (slope,) = torch.autograd.grad(rate.sum(), current)
    value, derivative = soft_rate_and_derivative(current.detach(), gamma, offset=offset)
    torch.testing.assert_close(value, rate.detach(), rtol=1e-12, atol=0)
    # Far below threshold the offset alone makes the rate, and the slope is 0 to 1e-20.
    torch.testing.assert_close(derivative, slope, rtol=1e-9, atol=1e-20)
    assert torch.equal(value, soft_rate(current.detach(), gamma, offset=offset))
    assert torch.equal(derivative, soft_rate_derivative(current.detach(), gamma, offset=offset))


def test_other_constants_and_threshold():
    lif = LIF(membrane_time_constant_s=0.01, refractory_period_s=0.002, threshold=0.5)
    current = tensor(0.3, 0.5, 0.7, 4.0)
    rho = 0.1 * torch.log(1.0 + torch.exp((current - 0.5) / 0.1))
    expected = 1.0 / (0.002 + 0.01 * torch.log(1.0 + 0.5 / rho))
    torch.testing.assert_close(soft_rate(current, 0.1, lif), expected, rtol=1e-12, atol=0)
    hard = 1.0 / (0.002 - 0.01 * math.log(1.0 - 0.5 / 0.7))
    assert float(lif_rate(tensor(0.7), lif)) == pytest.approx(hard, rel=1e-12)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_asymptote_far_below_threshold(dtype):
    # rho = gamma exp(y) there: r = 1 / (t_ref + tau (log(V / gamma) - y)), slope r^2 tau / gamma.
    gamma, current = 0.05, torch.tensor([-3.0, -50.0, -1e4], dtype=dtype)
    y = (current.double() - 1.0) / gamma
    rate = 1.0 / (0.004 + 0.02 * (math.log(1.0 / gamma) - y))
    value, slope = soft_rate_and_derivative(current, gamma)
    tolerance = 1e-12 if dtype == torch.float64 else 2e-6
    torch.testing.assert_close(value.double(), rate, rtol=tolerance, atol=0)
    torch.testing.assert_close(slope.double(), rate**2 * 0.02 / gamma, rtol=tolerance, atol=0)


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("offset", [0.0, 1e-12])
def test_finite_for_extreme_currents(dtype, offset):
    current = torch.tensor([-1e30, -1e8, -1.0, 1.0, 1e8, 1e30], dtype=dtype)
    for value in soft_rate_and_derivative(current, 0.02, offset=offset):
        assert torch.isfinite(value).all()
        assert (value >= 0).all()


def test_soft_rate_tends_to_the_hard_rate():
    current = torch.cat([CURRENTS[CURRENTS < 0.9], CURRENTS[CURRENTS > 1.1]])
    errors = [
        float((soft_rate(current, gamma) - lif_rate(current)).abs().max())
        for gamma in (0.1, 0.01, 0.001, 0.0001)
    ]
    assert all(later < 0.35 * earlier for earlier, later in zip(errors, errors[1:], strict=False))


@pytest.mark.parametrize("gamma", [0.0, -0.1, math.nan, math.inf])
def test_bad_gamma_is_refused(gamma):
    with pytest.raises(ValueError, match="softplus_gamma"):
        soft_rate(CURRENTS, gamma)


@settings(deadline=None)  # a loaded machine is no failure
@given(gamma=GAMMAS, low=st.floats(-50.0, 60.0), gap=st.floats(1e-6, 20.0))
def test_rates_rise_with_the_current(gamma, low, gap):
    pair = tensor(low, low + gap)
    for rates in (lif_rate(pair), soft_rate(pair, gamma)):
        assert rates[0] <= rates[1] * (1 + 1e-14)


@settings(deadline=None)  # a loaded machine is no failure
@given(gamma=GAMMAS, current=st.floats(-50.0, 1e6))
def test_rates_stay_below_the_inverse_refractory_period(gamma, current):
    limit = 1.0 / LIF().refractory_period_s
    assert float(lif_rate(tensor(current))) < limit
    assert float(soft_rate(tensor(current), gamma)) < limit


@settings(deadline=None)  # a loaded machine is no failure
@given(gamma=GAMMAS, current=st.floats(-50.0, 60.0))
def test_soft_rate_exceeds_the_hard_rate(gamma, current):
    hard, soft = lif_rate(tensor(current)), soft_rate(tensor(current), gamma)
    assert float(soft) >= float(hard) * (1 - 1e-14)
    assert float(soft) > 0.0


@settings(deadline=None)  # a loaded machine is no failure
@given(gamma=GAMMAS, offset=st.sampled_from([0.0, 1e-12]))
def test_slope_is_bounded(gamma, offset):
    # r^2 tau / (b (b + V)) sigmoid <= r^2 tau / (gamma V) as sigmoid <= b / gamma; r < 1 / t_ref.
    slope = soft_rate_derivative(CURRENTS, gamma, offset=offset)
    assert float(slope.max()) < 250.0**2 * 0.02 / gamma
    assert float(slope.min()) >= 0.0


def test_inputs_are_not_changed():
    current = CURRENTS.clone()
    soft_rate_and_derivative(current, 0.05)
    lif_rate_derivative(current)
    np.testing.assert_array_equal(current.numpy(), CURRENTS.numpy())
