"""Backpropagation through time as an explicit recursion; no autograd (O'Connor 2020, 1.1.1).

The unrolled network is a deep one whose layers share their weights, so the gradient of a weight is
the sum of the gradients of its copies. With the error e_t = dLoss/ds_t coming from outside at each
time and f' the slope at time t,

    delta_t = f'_t * (e_t + delta_{t+1} W_s^T)
    dLoss/dW_x = sum_t x_t^T delta_t
    dLoss/dW_s = sum_t s_{t-1}^T delta_t
    dLoss/db   = sum_t delta_t

Truncated: the sequence is cut into windows, and no error passes from one to the window before it.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.networks.recurrent import (
    Recurrent,
    TemporalConvolution,
    Unrolled,
    convolution_drive,
)


class RecurrentGradients(NamedTuple):
    """Gradients of the loss, summed over batch and time."""

    input_weights: Tensor
    state_weights: Tensor
    biases: Tensor
    start: Tensor
    """By the start state s_0, [batch, units]; zero if truncation keeps errors from reaching it."""


def backprop_through_time(
    network: Recurrent, record: Unrolled, errors: Tensor, window: int | None = None
) -> RecurrentGradients:
    """Gradients for ``errors`` dLoss/ds_t of t = 1 .. steps, [steps, batch, units].

    ``window`` None is the exact gradient; otherwise errors stay within windows of that many steps,
    counted from the first step (truncated backpropagation through time). The error that would enter
    s_0 counts as inside the first window.

    Raises
    ------
    ConfigError
        If the errors do not fit the record or the window is shorter than one step.
    """
    if errors.shape != record.slopes.shape:
        raise ConfigError(
            f"backprop through time: errors of shape {tuple(errors.shape)} were found, expected "
            f"{tuple(record.slopes.shape)} as the states have it."
        )
    if window is not None and window < 1:
        raise ConfigError(
            f"backprop through time: the window is {window} steps, expected 1 or more."
        )
    input_gradient = torch.zeros_like(network.input_weights)
    state_gradient = torch.zeros_like(network.state_weights)
    bias_gradient = torch.zeros_like(network.biases)
    carried = torch.zeros_like(record.states[0])
    for step in reversed(range(len(errors))):
        delta = record.slopes[step] * (errors[step] + carried)
        input_gradient += (delta.T @ record.inputs[step]).T
        state_gradient += (delta.T @ record.states[step]).T
        bias_gradient += delta.sum(dim=0)
        carried = delta @ network.state_weights.T
        if window is not None and step and step % window == 0:
            carried = torch.zeros_like(carried)
    return RecurrentGradients(input_gradient, state_gradient, bias_gradient, carried)


def convolution_gradients(
    network: TemporalConvolution, inputs: Tensor, errors: Tensor
) -> tuple[Tensor, Tensor]:
    """Gradients by weights and biases for ``errors`` dLoss/ds_t, [steps, batch, units].

    dLoss/dW_k = sum_t x_{t-k}^T delta_t with delta_t = f'_t * e_t: one sum over all copies in time.
    """
    delta = errors * network.activation.derivative(convolution_drive(network, inputs))
    gradient = torch.zeros_like(network.weights)
    for lag in range(min(len(network.weights), len(inputs))):
        gradient[lag] = torch.einsum("sbu,sbf->uf", delta[lag:], inputs[: len(inputs) - lag]).T
    return gradient, delta.sum(dim=(0, 1))
