"""Solvers against closed forms, the adjoint system against automatic differentiation."""

import math

import pytest
import torch

from plausible.errors import ConfigError
from plausible.measure.slopes import log_slope
from plausible.networks.neural_ode import (
    adjoint_gradients,
    euler_step,
    runge_kutta_step,
    solve,
)

STEPS = [8, 16, 32, 64]


def growth(state: torch.Tensor, time: float) -> torch.Tensor:
    """dz/dt = z cos t, whose solution is z_0 exp(sin t)."""
    return state * math.cos(time)


@pytest.mark.parametrize(("step", "order"), [(euler_step, 1.0), (runge_kutta_step, 4.0)])
def test_orders(step, order):
    start = torch.tensor([1.0, -2.0], dtype=torch.float64)
    exact = start * math.exp(math.sin(2.0))
    errors = [float((solve(growth, start, (0.0, 2.0), n, step) - exact).abs().max()) for n in STEPS]
    assert log_slope([1 / n for n in STEPS], errors) == pytest.approx(order, abs=0.15)


def test_backwards_returns_to_the_start():
    start = torch.tensor([1.5], dtype=torch.float64)
    end = solve(growth, start, (0.0, 2.0), 200, runge_kutta_step)
    back = solve(growth, end, (2.0, 0.0), 200, runge_kutta_step)
    torch.testing.assert_close(back, start, rtol=0, atol=1e-9)


def test_adjoint_of_a_known_solution():
    """z(t) = z_0 exp(a t): dL/dz_0 = e exp(a t), dL/da = e t z(t)."""
    rate = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    end = 2.0 * torch.exp(0.7 * torch.tensor([1.5], dtype=torch.float64))
    error = torch.tensor([3.0], dtype=torch.float64)
    found = adjoint_gradients(lambda z, _: rate * z, [rate], end, error, (0.0, 1.5), 100)
    torch.testing.assert_close(found.start, error * math.exp(0.7 * 1.5), rtol=1e-8, atol=0)
    torch.testing.assert_close(found.parameters[0], (error * 1.5 * end)[0], rtol=1e-8, atol=0)


def test_adjoint_against_autograd_through_the_solver():
    own = torch.Generator().manual_seed(3)
    weights = torch.randn(4, 4, generator=own, dtype=torch.float64, requires_grad=True)
    start = torch.randn(2, 4, generator=own, dtype=torch.float64, requires_grad=True)
    error = torch.randn(2, 4, generator=own, dtype=torch.float64)

    def field(state, time):
        return torch.tanh(state @ weights + time)

    end = solve(field, start, (0.0, 1.0), 100, runge_kutta_step)
    expected = torch.autograd.grad((end * error).sum(), [start, weights])
    found = adjoint_gradients(field, [weights], end.detach(), error, (0.0, 1.0), 100)
    torch.testing.assert_close(found.start, expected[0], rtol=0, atol=1e-7)
    torch.testing.assert_close(found.parameters[0], expected[1], rtol=0, atol=1e-7)


def test_no_step_is_no_solution():
    with pytest.raises(ConfigError, match="0 steps"):
        solve(growth, torch.ones(1), (0.0, 1.0), 0)
