"""Networks of continuous depth, dz/dt = f(z, t; theta), and their gradients by the adjoint system.

Source: O'Connor 2020, section 2.4 (after Chen et al. 2018). A residual layer z_l = z_(l-1) +
f(z_(l-1)) is an Euler step of size 1; the thesis prints f(z_t), the state after the step, for the
Euler step. With the adjoint a(t) = dLoss/dz(t),

    da/dt = -a df/dz,    dLoss/dtheta = integral of a df/dtheta over time,

so that gradients come from a solution backwards in time, together with that of z, and no state of
the way needs to be kept.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError

Field = Callable[[Tensor, float], Tensor]
"""f of a state and a time; its parameters are tensors that it holds."""
Step = Callable[[Field, Tensor, float, float], Tensor]
"""State after a step, from f, the state, the time and the size of the step."""


def euler_step(field: Field, state: Tensor, time: float, size: float) -> Tensor:
    """z + size f(z, t), of order 1."""
    return state + size * field(state, time)


def runge_kutta_step(field: Field, state: Tensor, time: float, size: float) -> Tensor:
    """The classic step of order 4."""
    half = size / 2.0
    first = field(state, time)
    second = field(state + half * first, time + half)
    third = field(state + half * second, time + half)
    fourth = field(state + size * third, time + size)
    return state + size / 6.0 * (first + 2.0 * second + 2.0 * third + fourth)


def solve(
    field: Field, state: Tensor, span: tuple[float, float], steps: int, step: Step = euler_step
) -> Tensor:
    """State at the end of ``span``, which may run backwards, in equal steps.

    Raises
    ------
    ConfigError
        If there is no step.
    """
    if steps < 1:
        raise ConfigError(f"neural ODE: {steps} steps were found, expected 1 or more.")
    start, end = span
    size = (end - start) / steps
    for number in range(steps):
        state = step(field, state, start + number * size, size)
    return state


class AdjointGradients(NamedTuple):
    """Gradients of a loss of the last state."""

    start: Tensor
    """By the state at the beginning."""
    parameters: tuple[Tensor, ...]


def adjoint_gradients(
    field: Field,
    parameters: Sequence[Tensor],
    end_state: Tensor,
    error: Tensor,
    span: tuple[float, float],
    steps: int,
    step: Step = runge_kutta_step,
) -> AdjointGradients:
    """Gradients from the state at the end of ``span`` and ``error`` dLoss/dz there.

    ``parameters`` are those of the field that are wanted; they must require gradients.
    """
    shapes = [end_state.shape, end_state.shape, *(each.shape for each in parameters)]

    def packed(parts: Sequence[Tensor]) -> Tensor:
        return torch.cat([part.reshape(-1) for part in parts])

    def unpacked(values: Tensor) -> list[Tensor]:
        parts = values.split([shape.numel() for shape in shapes])
        return [part.reshape(shape) for part, shape in zip(parts, shapes, strict=True)]

    def augmented(values: Tensor, time: float) -> Tensor:
        state, adjoint, *_ = unpacked(values)
        with torch.enable_grad():
            state = state.detach().requires_grad_()
            flow = field(state, time)
            slopes = torch.autograd.grad(flow, [state, *parameters], adjoint)
        return packed([flow.detach(), *(-slope for slope in slopes)])

    # On the way back the integral is taken from the end, so that its sign turns as well.
    zeros = [torch.zeros_like(each) for each in parameters]
    values = packed([end_state, error, *zeros]).detach()
    _, adjoint, *found = unpacked(solve(augmented, values, span[::-1], steps, step))
    return AdjointGradients(adjoint, tuple(found))
