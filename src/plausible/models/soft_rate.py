"""The firing rate of a spiking neuron as the activation of a ``torch`` model."""

import math

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from plausible.errors import ModelError
from plausible.networks.activations import Activation, scaled_soft_rate
from plausible.neurons.rates import LIF


class SoftRate(nn.Module):
    """Activation f(j) = ``scale`` r(j): the firing rate of a leaky integrate-and-fire neuron.

    A model that is trained with it needs no rescaling when `to_spiking` puts spiking neurons in its
    place. With rho(x) = ``smoothing`` log(1 + exp(x / ``smoothing``)), which makes the slope finite
    at the threshold,

        r(j) = 1 / (t_ref + tau_RC log(1 + V_th / rho(j - V_th)))   in Hz

    Source: Thuesen 2022, section 3.4.1, eq. 38, after Hunsberger and Eliasmith 2015.

    Parameters
    ----------
    scale:
        Activity of 1 Hz. The default makes activities about as large as those of a ReLU.
    smoothing:
        Width of the smoothed threshold in units of the current; spiking neurons have 0.
    membrane_time_constant_s:
        tau_RC, with which the membrane potential decays.
    refractory_period_s:
        t_ref, during which a neuron that has fired rests: it fires at most 1 / t_ref times a
        second.
    threshold:
        V_th, in the unit of the current.

    Raises
    ------
    ModelError
        If one of them is not a finite positive number.
    """

    def __init__(
        self,
        scale: float = 0.05,
        smoothing: float = 0.05,
        *,
        membrane_time_constant_s: float = 0.02,
        refractory_period_s: float = 0.004,
        threshold: float = 1.0,
    ) -> None:
        super().__init__()
        self.scale, self.smoothing = scale, smoothing
        self.lif = LIF(membrane_time_constant_s, refractory_period_s, threshold)
        for name, number in {"scale": scale, "smoothing": smoothing, **self.lif._asdict()}.items():
            if not 0.0 < number < math.inf:
                raise ModelError(f"SoftRate: {name} is {number}, expected a finite number above 0.")

    def forward(self, current: Tensor) -> Tensor:
        """f of every current."""
        return _SoftRate.apply(current, self.scale, self.smoothing, self.lif)

    def extra_repr(self) -> str:
        """Parameters in the representation of the module."""
        return f"scale={self.scale}, smoothing={self.smoothing}, {self.lif}"

    @property
    def identity(self) -> tuple:
        """What tells two of them apart."""
        return self.scale, self.smoothing, self.lif

    def activation(self) -> Activation:
        """The same function with its derivative, as the learning rules of this library take it."""
        return scaled_soft_rate(self.scale, self.smoothing, lif=self.lif)


class _SoftRate(torch.autograd.Function):
    """By the closed form of the slope, which is finite where autograd would divide 0 by 0."""

    @staticmethod
    def forward(ctx, current, scale, smoothing, lif):
        rate, slope = scaled_soft_rate(scale, smoothing, lif=lif).value_and_derivative(current)
        ctx.save_for_backward(slope)
        return rate

    @staticmethod
    @once_differentiable
    def backward(ctx, gradient):
        (slope,) = ctx.saved_tensors
        return gradient * slope, None, None, None
