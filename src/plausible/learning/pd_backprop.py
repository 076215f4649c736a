"""Training of all layers of a convolutional network in which every message is a PD code.

O'Connor 2020, section 5.3.5, for linear maps of any kind, one frame at a time: forward a map
receives the spikes of its values, s = Q(enc(x)), and z = dec(w(s)) + b goes on; backward it
receives those of the gradient by z, e = Q(enc(d)), and dec(w^T(e)) goes on. The weights move by the
product of what both sides have read so far (the reconstruction rule), biases by d itself. Scales of
the codes follow what is sent (eq. C.8), of each side its own, from the mean size of its first
values that are not all 0; before them it sends nothing. (``plausible.kernels.pdnn`` begins with a
size of 1, which gradients are far below.) Everything between the maps is left to autograd.
"""

from typing import Any

import torch
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.networks.conv_graph import linear_map
from plausible.neurons.pd_coding import Tuning


class Side:
    """What one direction of a linear map remembers: its encoder, its reader, and its decoder."""

    def __init__(self, codes: Tuning) -> None:
        self.codes = codes
        self.magnitude: float | None = None
        """Running mean size of what is sent; None: nothing was."""
        self.k_beta = 0.0
        self.last: Tensor | float = 0.0
        self.potential: Tensor | float = 0.0
        self.trace: Tensor | float = 0.0
        self.decoded: Tensor | float = 0.0
        self.spikes = 0.0

    def send(self, values: Tensor) -> Tensor:
        """Spikes of ``values``; their reconstruction stands in ``trace`` afterwards."""
        codes = self.codes
        size = float(values.abs().mean())
        if self.magnitude is None:
            if size == 0.0:
                return torch.zeros_like(values)
            self.magnitude, self.k_beta = size, codes.k_beta_relative * size
        encoded = (values - codes.k_alpha * self.last) / self.k_beta
        self.last = values
        potential = self.potential + encoded
        spikes = torch.round(potential)
        self.potential = potential - spikes
        self.trace = codes.k_alpha * self.trace + self.k_beta * spikes
        self.spikes += float(spikes.abs().sum())
        return spikes

    def receive(self, sums: Tensor) -> Tensor:
        """Decode what a linear map made of the spikes; then the scale follows what was sent."""
        codes = self.codes
        self.decoded = self.k_beta * sums + codes.k_alpha * self.decoded
        return self.decoded

    def tune(self) -> None:
        """The scale follows the mean size of what was sent."""
        if self.magnitude is None:
            return
        codes, size = self.codes, float(torch.as_tensor(self.last).abs().mean())
        self.k_beta += codes.rate * (codes.k_beta_relative * self.magnitude - self.k_beta)
        self.magnitude += codes.rate * (size - self.magnitude)


class _Coded(torch.autograd.Function):
    """A linear map without bias between codes."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, weight: Tensor, module: "PDLinear") -> Tensor:
        ctx.module, ctx.shape = module, values.shape
        spikes = module.ahead.send(values)
        ctx.save_for_backward(weight, torch.as_tensor(module.ahead.trace) + 0.0 * values)
        sums = linear_map(module.inner, spikes, weight)
        found = module.ahead.receive(sums)
        module.ahead.tune()
        return found.clone()

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, Tensor, None]:
        module, (weight, read) = ctx.module, ctx.saved_tensors
        spikes = module.back.send(gradient)
        trace = torch.as_tensor(module.back.trace) + 0.0 * gradient
        with torch.enable_grad():
            values = torch.zeros_like(read).requires_grad_(True)
            (sums,) = torch.autograd.grad(
                linear_map(module.inner, values, weight.detach()), values, spikes
            )
            variable = weight.detach().requires_grad_(True)
            (change,) = torch.autograd.grad(
                linear_map(module.inner, read, variable), variable, trace
            )
        below = module.back.receive(sums)
        module.back.tune()
        return below.clone(), change, None


class PDLinear(nn.Module):
    """A convolution or fully connected layer that is sent PD codes from both sides."""

    def __init__(self, module: nn.Conv2d | nn.Linear, codes: Tuning) -> None:
        super().__init__()
        self.inner, self.ahead, self.back = module, Side(codes), Side(codes)

    def forward(self, values: Tensor) -> Tensor:
        """One frame, [1, ...]."""
        if len(values) != 1:
            raise ModelError(f"PD codes: found {len(values)} frames at once, expected one.")
        current = _Coded.apply(values, self.inner.weight, self)
        if self.inner.bias is None:
            return current
        return current + self.inner.bias.view(-1, *(1,) * (current.ndim - 2))


def with_pd_codes(module: nn.Module, codes: Tuning) -> nn.Module:
    """Put PD codes around every convolution and fully connected layer of ``module``, in place."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Conv2d | nn.Linear):
            setattr(module, name, PDLinear(child, codes))
        else:
            with_pd_codes(child, codes)
    return module


def train_frame(module: nn.Module, frame: Tensor, label: int, learning_rate: float) -> float:
    """One step on ``frame`` [1, ...]: the loss (negative log likelihood) before it.

    Every parameter moves by plain gradient descent along what the codes brought it.
    """
    parameters = [each for each in module.parameters() if each.requires_grad]
    outputs = module(frame)
    loss = nn.functional.cross_entropy(outputs, torch.tensor([label]))
    gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
    with torch.no_grad():
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is not None:
                parameter -= learning_rate * gradient
    return float(loss.detach())
