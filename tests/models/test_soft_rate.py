"""The activation SoftRate against the numpy form of the rate and against autograd."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import plausible
from plausible.neurons.lif_dynamics import LIF, firing_rate_hz

CURRENTS = torch.linspace(-30.0, 40.0, 281, dtype=torch.float64)
NEURON = {"membrane_time_constant_s": 0.01, "refractory_period_s": 0.002, "threshold": 2.0}


@pytest.mark.parametrize("options", [{}, NEURON])
def test_value_is_the_scaled_rate(options):
    rate = plausible.SoftRate(0.1, 0.3, **options)
    expected = 0.1 * firing_rate_hz(CURRENTS.numpy(), 0.3, lif=LIF(*options.values()))
    assert np.allclose(rate(CURRENTS).numpy(), expected, rtol=1e-12, atol=1e-300)
    sharper = 0.1 * firing_rate_hz(CURRENTS.numpy(), 0.2, lif=LIF(*options.values()))
    assert not np.allclose(sharper, expected, rtol=1e-3)


@pytest.mark.parametrize("options", [{}, NEURON])
def test_slope_is_that_of_finite_differences(options):
    rate = plausible.SoftRate(**options)
    currents = torch.linspace(-1.0, 6.0, 41, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(rate, (currents,))


def test_slope_stays_finite_far_from_the_threshold():
    """Far below, rho = gamma exp(j / gamma), so r = gamma / (tau |j|) and its slope r / |j|."""
    currents = torch.tensor([-1e4, 1e4], requires_grad=True)
    plausible.SoftRate()(currents).sum().backward()
    below, above = currents.grad.tolist()
    assert below == pytest.approx(0.05 * (0.05 / 0.02) / 1e4**2, rel=1e-3)
    assert above == pytest.approx(0.05 * 0.02 / (0.004 * 1e4) ** 2, rel=1e-3)


def test_without_gradient_the_same_value():
    rate, currents = plausible.SoftRate(), CURRENTS.float()
    assert torch.equal(rate(currents), rate(currents.clone().requires_grad_()).detach())


@pytest.mark.parametrize("rule", [plausible.backprop, plausible.zil, plausible.fazil])
def test_every_exact_rule_trains_it_as_autograd_does(rule):
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Linear(5, 8), plausible.SoftRate(0.2, 0.5, **NEURON), nn.Linear(8, 3)
    ).double()
    inputs, labels = 5.0 * torch.randn(6, 5, dtype=torch.float64), torch.arange(6) % 3
    other = copy.deepcopy(model)
    nn.functional.cross_entropy(other(inputs), labels).backward()
    rule(model, inputs, labels)
    for ours, theirs in zip(model.parameters(), other.parameters(), strict=True):
        assert theirs.grad.abs().max() > 1e-6
        assert torch.allclose(ours.grad, theirs.grad, rtol=1e-11, atol=1e-16)


def test_two_different_rates_in_a_model_are_refused(sentence):
    model = nn.Sequential(
        nn.Linear(2, 2), plausible.SoftRate(), nn.Linear(2, 2), plausible.SoftRate(0.1),
        nn.Linear(2, 2),
    )  # fmt: skip
    with pytest.raises(plausible.ModelError) as caught:
        plausible.zil(model, torch.ones(1, 2), torch.zeros(1, dtype=torch.int64))
    sentence(caught, "scale=0.05", "scale=0.1", "one and the same")


@pytest.mark.parametrize("name", ["scale", "smoothing", "threshold"])
@pytest.mark.parametrize("number", [0.0, -1.0, float("inf"), float("nan")])
def test_impossible_constants_are_refused(name, number, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        plausible.SoftRate(**{name: number})
    sentence(caught, name, str(number), "above 0")
