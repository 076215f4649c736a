"""RTRL against autograd, a horizon against a cut graph, UORO against the mean over all signs."""

from itertools import product
from types import SimpleNamespace

import pytest
import torch

from plausible.errors import ConfigError
from plausible.learning.recurrent_gradients import (
    influence_step,
    parameter_matrix,
    rtrl_gradient,
    sources,
    truncated_gradient,
    uoro_gradients,
)
from plausible.networks.activations import make_activation
from plausible.networks.recurrent import Recurrent, unroll

FEATURES, UNITS, STEPS = 2, 3, 4


def normal(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.8 * torch.randn(*shape, generator=generator, dtype=torch.float64)


def network() -> Recurrent:
    return Recurrent(
        normal(1, FEATURES, UNITS),
        normal(2, UNITS, UNITS),
        normal(3, UNITS),
        make_activation(SimpleNamespace(activation="tanh")),
    )


INPUTS, ERRORS = normal(4, STEPS, 1, FEATURES), normal(5, STEPS, 1, UNITS)
START = normal(6, 1, UNITS)


def record():
    return unroll(network(), INPUTS, START)


def by_autograd(loss, state_of=lambda state: state) -> torch.Tensor:
    """Gradient by all parameters of a loss of the states, [sources, units]."""
    parts = [each.clone().requires_grad_() for each in network()[:3]]
    theta = torch.cat([parts[0], parts[1], parts[2][None]])
    state, states = START, []
    for step, values in enumerate(INPUTS):
        source = torch.cat(
            [values, state_of(state, step) if step else state, state.new_ones(1, 1)], 1
        )
        state = torch.tanh(source @ theta)
        states.append(state)
    gradients = torch.autograd.grad(loss(states), parts)
    return torch.cat([gradients[0], gradients[1], gradients[2][None]])


def test_rtrl_is_the_gradient():
    expected = by_autograd(
        lambda states: sum((e * s).sum() for e, s in zip(ERRORS, states, strict=True)),
        lambda state, _: state,
    )
    found = rtrl_gradient(network(), record(), ERRORS)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


def test_influence_of_a_step_by_autograd():
    """From any influence before: the Jacobian of the state times it, plus the direct term."""
    own, kept = network(), record()
    before = normal(7, UNITS, FEATURES + UNITS + 1, UNITS)
    theta = parameter_matrix(own)

    def of(parameters, state):
        source = torch.cat([INPUTS[1], state, state.new_ones(1, 1)], 1)
        return torch.tanh(source @ parameters)[0]

    direct, through = torch.autograd.functional.jacobian(of, (theta, kept.states[1]))
    expected = direct + torch.tensordot(through[:, 0], before, dims=1)
    found = influence_step(own, sources(kept, 1), kept.slopes[1, 0], before)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("horizon", range(1, STEPS + 1))
def test_a_horizon_cuts_the_graph(horizon):
    error = ERRORS[-1]
    expected = by_autograd(
        lambda states: (error * states[-1]).sum(),
        lambda state, step: state.detach() if step == STEPS - horizon else state,
    )
    found = truncated_gradient(network(), record(), error, horizon)
    torch.testing.assert_close(found, expected, rtol=0, atol=1e-13)


@pytest.mark.parametrize("horizon", [0, STEPS + 1])
def test_a_horizon_fits_the_record(horizon):
    with pytest.raises(ConfigError, match="horizon"):
        truncated_gradient(network(), record(), ERRORS[-1], horizon)


def test_uoro_is_exact_on_average_over_all_signs():
    """Every choice of signs once: the mean is the gradient, not only near it."""
    choices = list(product((-1.0, 1.0), repeat=STEPS * UNITS))
    signs = torch.tensor(choices, dtype=torch.float64).reshape(-1, STEPS, UNITS).transpose(0, 1)
    found = uoro_gradients(network(), record(), ERRORS, signs)
    expected = rtrl_gradient(network(), record(), ERRORS)
    torch.testing.assert_close(found.mean(dim=0), expected, rtol=0, atol=1e-12)
    assert (found[0] - expected).abs().max() > 0.1


def test_other_signs_for_the_parameters_are_biased():
    generator = torch.Generator().manual_seed(8)
    signs, other = (
        2.0 * torch.randint(2, (STEPS, 20_000, UNITS), generator=generator).double() - 1.0
        for _ in range(2)
    )
    found = uoro_gradients(network(), record(), ERRORS, signs, other).mean(dim=0)
    expected = rtrl_gradient(network(), record(), ERRORS)
    assert found.norm() < 0.2 * expected.norm()


def test_shapes_are_checked():
    with pytest.raises(ConfigError, match="signs"):
        uoro_gradients(network(), record(), ERRORS, torch.ones(STEPS, 2, UNITS + 1))
    with pytest.raises(ConfigError, match=r"\[steps, 1, units\]"):
        rtrl_gradient(network(), record(), ERRORS[1:])
