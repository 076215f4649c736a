"""Activation functions with their exact derivatives."""

from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.kernels.soft_rate import soft_rate_and_slope
from plausible.neurons.rates import LIF, check_gamma, lowest_excess, soft_rate_and_derivative


class ActivationSettings(Protocol):
    """The settings that choose an activation (see ``plausible.learning.settings``)."""

    activation: str
    activation_scale: float
    softplus_gamma: float
    rate_offset: float


class Activation(NamedTuple):
    """An element-wise function f, its derivative f', and both at the price of one."""

    name: str
    value: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]
    value_and_derivative: Callable[[Tensor], tuple[Tensor, Tensor]]


def make_activation(settings: ActivationSettings) -> Activation:
    """Activation named by ``settings.activation``.

    - ``relu``: max(z, 0);
    - ``soft_rate``: ``activation_scale`` times the soft LIF rate in Hz (Thuesen 2022, eq. 38 and
      section 3.4.1; the thesis scales by 0.05 so that it has about the slope of a ReLU);
    - ``sigmoid`` (Song et al. 2020, section 5.1), ``tanh``;
    - ``identity``: used where a derivation is checked.

    Raises ConfigError for another name.
    """
    name = settings.activation
    if name == "soft_rate":
        return scaled_soft_rate(
            settings.activation_scale, settings.softplus_gamma, settings.rate_offset
        )
    if name in _PLAIN:
        return _PLAIN[name]
    known = ", ".join(["soft_rate", *_PLAIN])
    raise ConfigError(f"activation: found {name!r}, expected one of {known}.")


def scaled_soft_rate(
    scale: float, softplus_gamma: float, offset: float = 0.0, lif: LIF | None = None
) -> Activation:
    """f(j) = ``scale`` times the soft rate in Hz of a LIF neuron at current j.

    Single precision without autograd takes the compiled loop.
    """
    check_gamma(softplus_gamma)
    lif = lif or LIF()
    constants = tuple(
        np.float32(number)
        for number in (
            scale, softplus_gamma, offset, lif.threshold, lif.membrane_time_constant_s,
            lif.refractory_period_s, lowest_excess(offset),
        )
    )  # fmt: skip

    def both(current: Tensor) -> tuple[Tensor, Tensor]:
        recorded = torch.is_grad_enabled() and current.requires_grad
        if current.dtype != torch.float32 or current.device.type != "cpu" or recorded:
            rate, slope = soft_rate_and_derivative(current, softplus_gamma, lif, offset)
            return rate.mul_(scale), slope.mul_(scale)
        current = current.detach().contiguous()
        results = torch.empty_like(current), torch.empty_like(current)
        arrays = (tensor.view(-1).numpy() for tensor in (current, *results))
        soft_rate_and_slope(*arrays, *constants)
        return results

    return Activation(
        "soft_rate", lambda current: both(current)[0], lambda current: both(current)[1], both
    )


def _relu_slope(z: Tensor) -> Tensor:
    return (z > 0).to(z.dtype)


def _sigmoid_both(z: Tensor) -> tuple[Tensor, Tensor]:
    value = torch.sigmoid(z)
    return value, value * (1.0 - value)


def _tanh_both(z: Tensor) -> tuple[Tensor, Tensor]:
    value = torch.tanh(z)
    return value, 1.0 - value * value


_PLAIN = {
    "relu": Activation("relu", torch.relu, _relu_slope, lambda z: (torch.relu(z), _relu_slope(z))),
    "sigmoid": Activation("sigmoid", torch.sigmoid, lambda z: _sigmoid_both(z)[1], _sigmoid_both),
    "tanh": Activation("tanh", torch.tanh, lambda z: _tanh_both(z)[1], _tanh_both),
    "identity": Activation(
        "identity", torch.clone, torch.ones_like, lambda z: (z.clone(), torch.ones_like(z))
    ),
}
