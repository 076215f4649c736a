"""The compiled soft rate against the readable one in double precision."""

import math

import pytest
import torch

from plausible.networks.activations import scaled_soft_rate
from plausible.neurons.rates import LIF, soft_rate_and_derivative

SCALE, GAMMA = 0.05, 0.05
CURRENTS = torch.cat(
    [
        torch.linspace(-6.0, 40.0, 40_001),
        torch.linspace(0.9, 1.1, 4_001),
        torch.logspace(0.0, 6.0, 1_001),
        -torch.logspace(0.0, 6.0, 1_001),
    ]
)


def expected(current, offset=0.0, gamma=GAMMA, lif=None):
    both = soft_rate_and_derivative(current.double(), gamma, lif, offset)
    return [SCALE * values for values in both]


def largest_error(found, exact):
    """Relative, of those that single precision can hold as normal numbers."""
    held = exact.abs() > 1e-36
    assert held.sum() > 1000
    return float(((found.double() - exact).abs()[held] / exact.abs()[held]).max())


@pytest.mark.parametrize("offset", [0.0, 1e-12, 1e-3])
@pytest.mark.parametrize("lif", [LIF(), LIF(0.05, 0.001, 0.5)], ids=["thesis", "other"])
def test_rounds_no_worse_than_torch(offset, lif):
    found = scaled_soft_rate(SCALE, GAMMA, offset, lif).value_and_derivative(CURRENTS)
    torchs = [SCALE * part for part in soft_rate_and_derivative(CURRENTS, GAMMA, lif, offset)]
    for ours, single, exact in zip(found, torchs, expected(CURRENTS, offset, lif=lif), strict=True):
        bound = max(1.2 * largest_error(single, exact), 4 * torch.finfo(torch.float32).eps)
        assert largest_error(ours, exact) <= bound


def test_another_width_is_seen():
    value, slope = scaled_soft_rate(SCALE, GAMMA).value_and_derivative(CURRENTS)
    for found, exact in zip((value, slope), expected(CURRENTS, gamma=1.001 * GAMMA), strict=True):
        assert largest_error(found, exact) > 1e-4


def test_value_and_slope_have_one_form_whatever_is_asked_and_however_it_lies():
    activation = scaled_soft_rate(SCALE, GAMMA)
    current = CURRENTS[:4000].view(80, 50)
    value, slope = activation.value_and_derivative(current)
    assert torch.equal(activation.value(current), value)
    assert torch.equal(activation.derivative(current), slope)
    assert torch.equal(activation.value(current.t()), value.t())
    # Alone, without neighbours that would fill a vector.
    assert all(
        torch.equal(activation.value(current[7, k : k + 1]), value[7, k : k + 1]) for k in range(50)
    )


@pytest.mark.parametrize("offset", [0.0, 1e-12])
def test_what_is_not_a_finite_number(offset):
    current = torch.tensor([math.nan, -math.inf, math.inf] * 11)
    found = scaled_soft_rate(SCALE, GAMMA, offset).value_and_derivative(current)
    for ours, exact in zip(found, expected(current, offset), strict=True):
        torch.testing.assert_close(ours.double(), exact, equal_nan=True, rtol=1e-5, atol=0.0)
        assert ours[0].isnan() and ours[1].isfinite()


def test_a_width_of_zero_is_refused():
    with pytest.raises(ValueError, match="softplus_gamma must be positive"):
        scaled_soft_rate(SCALE, 0.0)
