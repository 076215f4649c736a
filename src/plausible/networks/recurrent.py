"""Networks over time: recurrent and temporal convolutional form (O'Connor 2020, section 1.1.1).

    s_t = f(s_{t-1} W_s + x_t W_x + b)                       (recurrent)
    s_t = f(sum_{k=0..T} x_{t-k} W_k + b)                    (temporal convolution)

The weights are the same at every time. Sequences are ``[steps, batch, units]``; the thesis writes
column vectors, on whose left the weights stand.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.networks.activations import Activation


class Recurrent(NamedTuple):
    """A recurrent layer."""

    input_weights: Tensor
    """W_x, [features, units]."""
    state_weights: Tensor
    """W_s, [units before, units now]."""
    biases: Tensor
    """b, [units]."""
    activation: Activation


class TemporalConvolution(NamedTuple):
    """A layer that sees the present input and the T inputs before it."""

    weights: Tensor
    """``weights[k]`` is W_k for the input k steps ago, [T + 1, features, units]."""
    biases: Tensor
    """b, [units]."""
    activation: Activation


class Unrolled(NamedTuple):
    """The computational graph of a recurrent layer over time, forward part."""

    inputs: Tensor
    """x_1 .. x_steps, [steps, batch, features]."""
    states: Tensor
    """s_0 (the start) .. s_steps, [steps + 1, batch, units]."""
    slopes: Tensor
    """f' at steps 1 .. steps, [steps, batch, units]."""


def unroll(network: Recurrent, inputs: Tensor, start: Tensor | None = None) -> Unrolled:
    """States at all times; the start is zero unless given, [batch, units].

    Raises
    ------
    ConfigError
        If there is no step, or the shapes do not fit together.
    """
    features, units = network.input_weights.shape
    if inputs.ndim != 3 or not len(inputs) or inputs.shape[2] != features:
        raise ConfigError(
            f"recurrent network: inputs of shape {tuple(inputs.shape)} were found, expected "
            f"[steps, batch, {features}] with one step or more."
        )
    state = inputs.new_zeros(inputs.shape[1], units) if start is None else start
    states, slopes = [state], []
    for values in inputs:
        drive = values @ network.input_weights + state @ network.state_weights + network.biases
        state, slope = network.activation.value_and_derivative(drive)
        states.append(state)
        slopes.append(slope)
    return Unrolled(inputs, torch.stack(states), torch.stack(slopes))


def convolution_drive(network: TemporalConvolution, inputs: Tensor) -> Tensor:
    """sum_k x_{t-k} W_k + b at every time, [steps, batch, units]; x before the start is zero."""
    drive = network.biases.expand(*inputs.shape[:2], -1).clone()
    for lag, weight in enumerate(network.weights[: len(inputs)]):
        drive[lag:] += inputs[: len(inputs) - lag] @ weight
    return drive


def convolve(network: TemporalConvolution, inputs: Tensor) -> Tensor:
    """States of a temporal convolutional layer, [steps, batch, units]."""
    return network.activation.value(convolution_drive(network, inputs))


def as_convolution(network: Recurrent, taps: int) -> TemporalConvolution:
    """The temporal convolution with W_k = W_x W_s^k and bias sum_k b W_s^k, for ``taps`` lags.

    For a linear layer without biases that starts at zero it gives the same states during the first
    ``taps`` steps; later the effect of older inputs is cut off. A bias it adds in full at once,
    which in the recurrent layer builds up over time.
    """
    weights, biases = [network.input_weights], [network.biases]
    for _ in range(taps - 1):
        weights.append(weights[-1] @ network.state_weights)
        biases.append(biases[-1] @ network.state_weights)
    return TemporalConvolution(torch.stack(weights), sum(biases), network.activation)
