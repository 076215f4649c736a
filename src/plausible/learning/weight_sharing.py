"""Backprop as a pair of networks that share their weights (O'Connor 2020, section 1.1.3; eq. 1.3).

The forward network computes a(l+1) = f(a(l) W(l) + b(l)). The error network runs the other way: its
weights are the transposes of the same matrices, and instead of a nonlinearity each unit has a gate,
the slope f' that the forward pass left behind,

    e(l) = (e(l+1) * gate(l+1)) W(l)^T        with e(L) = dLoss/da(L)

so that e(l) = dLoss/da(l). That two networks have the same weights is what a brain cannot arrange.
Weights are shared over space (convolution) and over time (recurrence) in the same sense: the
gradient of a shared parameter is the sum of the gradients of its copies.
"""

from collections.abc import Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.networks.activations import Activation


class ForwardNetwork(NamedTuple):
    """Layers with the same activation."""

    weights: tuple[Tensor, ...]
    """W(l), [inputs, units]."""
    biases: tuple[Tensor, ...]
    activation: Activation


class ErrorNetwork(NamedTuple):
    """The network that carries errors back, as a network of its own, output first."""

    weights: tuple[Tensor, ...]
    """Transposed matrices from the last layer to the first, each from units to inputs: views of the
    forward weights, not copies."""
    gates: tuple[Tensor, ...]
    """f' of the layer that each matrix starts from, [batch, units]."""


def run_forward(network: ForwardNetwork, inputs: Tensor) -> tuple[list[Tensor], list[Tensor]]:
    """Activities a(0) .. a(L), input first, and the slopes f' of layers 1 .. L."""
    activities, slopes = [inputs], []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        value, slope = network.activation.value_and_derivative(activities[-1] @ weight + bias)
        activities.append(value)
        slopes.append(slope)
    return activities, slopes


def error_network(network: ForwardNetwork, slopes: Sequence[Tensor]) -> ErrorNetwork:
    """The error network of a forward pass; it shares the memory of the forward weights."""
    return ErrorNetwork(
        tuple(weight.T for weight in reversed(network.weights)), tuple(reversed(slopes))
    )


def run_errors(network: ErrorNetwork, output_error: Tensor) -> list[Tensor]:
    """Errors e(0) .. e(L), input first, for e(L) = dLoss/da(L), [batch, outputs]."""
    errors = [output_error]
    for weight, gate in zip(network.weights, network.gates, strict=True):
        errors.append((errors[-1] * gate) @ weight)
    return errors[::-1]


def local_gradients(
    activities: Sequence[Tensor], slopes: Sequence[Tensor], errors: Sequence[Tensor]
) -> tuple[list[Tensor], list[Tensor]]:
    """Gradients by weights and biases, summed over the batch: an error times an activity (eq. 1.3).

    dLoss/dW(l) = a(l)^T (e(l+1) * f'(l+1)), of what stands on both sides of the connection.
    """
    weights, biases = [], []
    for below, slope, error in zip(activities[:-1], slopes, errors[1:], strict=True):
        delta = error * slope
        weights.append((delta.T @ below).T)
        biases.append(delta.sum(dim=0))
    return weights, biases


def tie(parameters: Tensor, index: Tensor) -> Tensor:
    """Matrix whose entry is ``parameters[index]``, or 0 where the index is -1 (no connection).

    Raises
    ------
    ConfigError
        If an index names no parameter.
    """
    if len(index.flatten()) and not -1 <= int(index.min()) <= int(index.max()) < len(parameters):
        raise ConfigError(
            f"weight sharing: an index from {int(index.min())} to {int(index.max())} was found, "
            f"expected -1 (no connection) to {len(parameters) - 1}."
        )
    return torch.where(index >= 0, parameters[index.clamp(min=0)], parameters.new_zeros(()))


def tied_gradient(gradient: Tensor, index: Tensor, parameters: int) -> Tensor:
    """Gradient by the shared parameters: for each the sum over its copies in the matrix."""
    used = index >= 0
    total = gradient.new_zeros(parameters)
    return total.index_add_(0, index[used], gradient[used])


def convolution_index(length: int, taps: int) -> Tensor:
    """Which parameter stands where if a matrix is a convolution: [length, length - taps + 1].

    Column c holds parameter k at row c + k: one kernel shared by all places (spatial sharing).
    """
    offset = torch.arange(length)[:, None] - torch.arange(length - taps + 1)[None, :]
    return torch.where((offset >= 0) & (offset < taps), offset, -1)


def sgd_step(
    parameters: Sequence[Tensor], gradients: Sequence[Tensor], learning_rate: float
) -> list[Tensor]:
    """Parameters after one step of gradient descent, theta - eta dLoss/dtheta (eq. 1.5)."""
    return [
        value - learning_rate * gradient
        for value, gradient in zip(parameters, gradients, strict=True)
    ]
