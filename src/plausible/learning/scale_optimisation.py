"""Scales of rounding networks that trade error against computation, by gradient descent.

Source: O'Connor 2020, section 4.5 (eq. 4.7-4.10) and its code. The layer with input x sends
s = round(k x) and its linear map receives a = s / k. With kappa = log k and straight-through
rounding the gradients are explicit:

    d a / d x = 1,   d a / d kappa = x - a
    d computation / d kappa = fan_out |k x|     (of its own layer only: x counts as constant;
                                                with ``higher_layers`` of those above it, too)

and the descent is on error + lambda * computation. The error (Kullback-Leibler divergence or L2) is
averaged over a batch. The computation is summed over it (``sum``: the code, which makes the
effective lambda of a sample batch_size times the printed one) or averaged (``mean``: eq. 4.8-4.10).

All lambdas are optimised together: activities are `[lambdas, batch, *features]`, and a linear map
sees the rows of all of them at once. Every lambda sees the same batches in file order, and the same
noise, so that what one does depends on no other.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning.checkpoint import identity_of, load_checkpoint, save_checkpoint
from plausible.learning.scale_records import (
    ScaleHistory,
    Window,
    history_of,
    records_as_arrays,
    records_from_arrays,
)

_CHOICES = {
    "error": ("kl", "l2"),
    "computation": ("sum", "mean"),
    "quantizer": ("rounding", "noise"),
}
_POSITIVE = ("learning_rate", "epochs", "batch_size", "initial_scale", "record_every_epochs")
_TARGET_ROWS = 1000


class ScaleSettings(NamedTuple):
    """Settings of an optimisation; the defaults are those of table B.1."""

    lambdas: tuple[float, ...] = tuple(10.0 ** (-10 + 5 * index / 9) for index in range(10))
    """Weight of the computation, error per addition."""
    unitwise: bool = False
    """A scale for each unit instead of one for each layer."""
    error: str = "kl"
    """kl: KL(discretised || original) of softmax outputs in nats. l2: sum of squared
    differences of the outputs."""
    computation: str = "sum"
    quantizer: str = "rounding"
    """noise: k x + U(-1/2, 1/2) in place of round(k x) (section 4.6.3)."""
    higher_layers: bool = False
    """Whether a scale has the gradient of the computation of all layers above it as well."""
    learning_rate: float = 0.001
    epochs: int = 30
    batch_size: int = 10
    initial_scale: float = 1.0
    record_every_epochs: float = 0.5


class LinearMap(NamedTuple):
    """A layer h(w(x) + b), with what gradients need of it."""

    forward: Callable[[Tensor], Tensor]
    """w, without bias: [n, *inputs] to [n, *outputs]."""
    adjoint: Callable[[Tensor], Tensor]
    """Its transpose: [n, *outputs] to [n, *inputs]."""
    bias: Tensor
    nonlinearity: str
    """relu | identity; softmax on the last layer only."""
    fan_out: float | Tensor
    """Weights to which an input unit sends, one number or [*inputs]."""


class Gradients(NamedTuple):
    """Of one batch: gradients of the loss, and its two terms per sample."""

    log_scales: tuple[Tensor, ...]
    error: Tensor
    """[lambdas]."""
    computation: Tensor
    """sum fan_out |k x| per sample, without lambda, [lambdas]."""


def dense_maps(
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    nonlinearity: str = "relu",
    output: str = "softmax",
) -> tuple[LinearMap, ...]:
    """Fully connected layers from ``weights`` [inputs, units] and ``biases`` (None: zeros)."""
    if biases is None:
        biases = [weight.new_zeros(weight.shape[1]) for weight in weights]
    names = [nonlinearity] * (len(weights) - 1) + [output]

    def dense(weight: Tensor, bias: Tensor, name: str) -> LinearMap:
        return LinearMap(
            lambda rows: rows @ weight, lambda rows: rows @ weight.t(), bias, name, weight.shape[1]
        )

    return tuple(dense(*each) for each in zip(weights, biases, names, strict=True))


def original_outputs(maps: Sequence[LinearMap], inputs: Tensor, error: str) -> Tensor:
    """What the discretised network is compared with, [n, *outputs].

    Logarithms of the output probabilities for the error ``kl``, outputs for ``l2``.
    """
    found = []
    for rows in inputs.split(_TARGET_ROWS):
        for layer in maps:
            current = layer.forward(rows) + layer.bias
            rows = _activity(current, layer.nonlinearity)
        found.append(torch.log_softmax(current, dim=1) if error == "kl" else rows)
    return torch.cat(found)


def initial_log_scales(
    maps: Sequence[LinearMap], inputs: Tensor, settings: ScaleSettings
) -> tuple[Tensor, ...]:
    """kappa of every layer, [lambdas, 1, *features], where features are 1 for layerwise scales."""
    activity, found = inputs[:1], []
    for layer in maps:
        features = activity.shape[1:]
        shape = features if settings.unitwise else (1,) * len(features)
        size = (len(settings.lambdas), 1, *shape)
        found.append(activity.new_full(size, math.log(settings.initial_scale)))
        activity = _activity(layer.forward(activity) + layer.bias, layer.nonlinearity)
    return tuple(found)


def scale_gradients(
    maps: Sequence[LinearMap],
    log_scales: Sequence[Tensor],
    inputs: Tensor,
    targets: Tensor,
    settings: ScaleSettings,
    generator: torch.Generator | None = None,
) -> Gradients:
    """Gradients of error + lambda * computation for one batch (eq. 4.7-4.10).

    ``inputs`` [batch, *features], ``targets`` the rows of ``original_outputs`` that belong to them,
    ``generator`` the source of the noise if the quantizer is ``noise``.
    """
    batch, count = len(inputs), len(settings.lambdas)
    activity, residuals, additions, slopes = inputs.unsqueeze(0), [], [], []
    weight = inputs.new_tensor(settings.lambdas) / (1 if settings.computation == "sum" else batch)
    prices: list[Tensor] = []
    for layer, log_scale in zip(maps, log_scales, strict=True):
        scale = log_scale.exp()
        scaled = activity * scale
        additions.append(_sum_to(scaled.abs().mul_(layer.fan_out), log_scale))
        if settings.higher_layers:
            price = weight.view(-1, *(1,) * (scaled.ndim - 1)) * layer.fan_out * scale
            prices.append(price * scaled.sign())
        received = quantized(scaled, settings.quantizer, generator).div_(scale)
        residuals.append(activity - received)
        current = layer.forward(received.flatten(0, 1)) + layer.bias
        activity = _activity(current, layer.nonlinearity)
        slopes.append(activity > 0 if layer.nonlinearity == "relu" else None)
        activity = activity.unflatten(0, (count, batch))

    error, back = _output_error(activity, current, targets, settings.error, maps[-1].nonlinearity)
    found = []
    for index in reversed(range(len(maps))):
        if slopes[index] is not None:
            back = back * slopes[index]
        back = maps[index].adjoint(back)
        through = back.unflatten(0, (count, batch)) * residuals[index]
        price = weight.view(-1, *(1,) * (through.ndim - 1)) * additions[index]
        found.append(_sum_to(through, log_scales[index]).add_(price))
        if settings.higher_layers:
            back = back + prices[index].flatten(0, 1)
    per_sample = sum(each.flatten(1).sum(dim=1) for each in additions) / batch
    return Gradients(tuple(reversed(found)), error, per_sample)


class Problem(NamedTuple):
    """What the descent needs of a network, dense or not."""

    targets: Tensor
    """What its outputs are compared with, a row for each input."""
    log_scales: tuple[Tensor, ...]
    """kappa at the beginning."""
    gradients: Callable[[Sequence[Tensor], Tensor, Tensor], Gradients]
    """Of the loss, from the present kappa, a batch of inputs and its targets."""


def optimise_scales(
    maps: Sequence[LinearMap],
    inputs: Tensor,
    settings: ScaleSettings,
    generator: torch.Generator | None = None,
    checkpoint_path: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ScaleHistory:
    """Optimise the scales of a network on ``inputs`` [n, *features] by plain gradient descent.

    Parameters of the network are left alone. Samples come in their order, in every epoch the same;
    the last batch may be smaller. dtype and device are those of ``inputs`` and ``maps``. With
    ``checkpoint_path`` the state is saved after every epoch and a later call goes on from it with
    the same bits. Raises ConfigError for settings that are not allowed.

    A lambda whose scales are no longer positive and finite is marked as diverged and disturbs no
    other.
    """
    check_scale_settings(settings, generator)
    _check_maps(maps, settings.error)

    def gradients(log_scales: Sequence[Tensor], rows: Tensor, wanted: Tensor) -> Gradients:
        return scale_gradients(maps, log_scales, rows, wanted, settings, generator)

    problem = Problem(
        original_outputs(maps, inputs, settings.error),
        initial_log_scales(maps, inputs, settings),
        gradients,
    )
    return descend(problem, inputs, settings, generator, checkpoint_path, progress)


def descend(
    problem: Problem,
    inputs: Tensor,
    settings: ScaleSettings,
    generator: torch.Generator | None = None,
    checkpoint_path: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ScaleHistory:
    """The descent of `optimise_scales` for any network."""
    targets, log_scales = problem.targets, problem.log_scales
    window = Window(len(settings.lambdas), inputs)
    records = [window.record(0.0, log_scales)]
    epochs_done, streams = 0, {} if generator is None else {"noise": generator}
    if checkpoint_path is not None:
        place = (settings, inputs.device.type)
        identity = identity_of(place, inputs.cpu().numpy(), targets.cpu().numpy())
        stored = load_checkpoint(checkpoint_path, identity, streams)
        if stored is not None:
            epochs_done, arrays = stored.words["epochs_done"], stored.arrays
            records = records_from_arrays(arrays, len(log_scales))
            log_scales = tuple(
                torch.from_numpy(arrays[f"log_scales.{layer}"]).to(inputs.device)
                for layer in range(len(log_scales))
            )
            window.restore(arrays["window"], stored.words["samples"])
    batches = math.ceil(len(inputs) / settings.batch_size)
    for epoch in range(epochs_done, settings.epochs):
        pairs = zip(
            inputs.split(settings.batch_size), targets.split(settings.batch_size), strict=True
        )
        for index, (rows, wanted) in enumerate(pairs, start=1):
            found = problem.gradients(log_scales, rows, wanted)
            for log_scale, gradient in zip(log_scales, found.log_scales, strict=True):
                log_scale.add_(gradient, alpha=-settings.learning_rate)
            window.add(found.error, found.computation, len(rows))
            if _is_due(epoch * batches + index, batches, settings):
                records.append(window.record(epoch + index / batches, log_scales))
        if checkpoint_path is not None:
            sums, samples = window.state()
            arrays = records_as_arrays(records) | {"window": sums}
            for layer, each in enumerate(log_scales):
                arrays[f"log_scales.{layer}"] = each.cpu().numpy()
            words = {"epochs_done": epoch + 1, "samples": samples}
            save_checkpoint(checkpoint_path, identity, words, arrays, streams)
        if progress is not None:
            errors = " ".join(f"{error:.3g}" for error in records[-1]["error"].tolist())
            progress(f"epoch {epoch + 1}/{settings.epochs}: error by lambda {errors}")
    return history_of(records)


def check_scale_settings(settings: ScaleSettings, generator: torch.Generator | None = None) -> None:
    """Raise ConfigError if a value is not allowed, or noise is asked for without its source."""
    for name, allowed in _CHOICES.items():
        value = getattr(settings, name)
        if value not in allowed:
            raise ConfigError(
                f"scale optimisation: {name} is {value!r}, expected one of {', '.join(allowed)}."
            )
    for name in _POSITIVE:
        value = getattr(settings, name)
        if not 0 < value < math.inf:
            raise ConfigError(
                f"scale optimisation: {name} is {value!r}, expected a finite number above 0."
            )
    if not settings.lambdas or not all(0 <= each < math.inf for each in settings.lambdas):
        raise ConfigError(
            f"scale optimisation: lambdas is {settings.lambdas!r}, expected at least one, each a "
            "finite number from 0."
        )
    if settings.quantizer == "noise" and generator is None:
        raise ConfigError(
            "scale optimisation: quantizer is 'noise' and there is no generator, expected one."
        )


def _check_maps(maps: Sequence[LinearMap], error: str) -> None:
    """A softmax may only come last, and KL compares softmax outputs."""
    names = [layer.nonlinearity for layer in maps]
    if "softmax" in names[:-1]:
        raise ConfigError(
            "scale optimisation: found a softmax below the last layer, expected none."
        )
    if error == "kl" and names[-1] != "softmax":
        raise ConfigError(
            f"scale optimisation: error is 'kl' and the outputs are {names[-1]!r}, expected "
            "softmax outputs or the error 'l2'."
        )


def _activity(current: Tensor, nonlinearity: str) -> Tensor:
    if nonlinearity == "relu":
        return torch.relu(current)
    if nonlinearity == "softmax":
        return torch.softmax(current, dim=1)
    if nonlinearity == "identity":
        return current
    raise ConfigError(
        f"scale optimisation: found the nonlinearity {nonlinearity!r}, expected one of relu, "
        "identity, softmax."
    )


def quantized(scaled: Tensor, quantizer: str, generator: torch.Generator | None) -> Tensor:
    """Rounded, or with noise in place of it, the same for every lambda; [lambdas, batch, ...]."""
    if quantizer == "rounding":
        return scaled.round()
    noise = torch.rand(
        scaled.shape[1:], generator=generator, dtype=scaled.dtype, device=scaled.device
    )
    return scaled + (noise - 0.5)


def _output_error(
    outputs: Tensor, currents: Tensor, targets: Tensor, error: str, nonlinearity: str
) -> tuple[Tensor, Tensor]:
    """Mean error per lambda, and its gradient by what the last slope multiplies, as rows.

    ``outputs`` [lambdas, batch, *out], ``currents`` the same as rows before the nonlinearity.
    """
    batch = outputs.shape[1]
    if error == "kl":
        log_probabilities = torch.log_softmax(currents, dim=1).view_as(outputs)
        ratio = log_probabilities - targets
        probabilities = log_probabilities.exp()
        divergence = (probabilities * ratio).sum(dim=2, keepdim=True)
        slope = probabilities * (ratio - divergence) / batch
        return divergence.flatten(1).mean(dim=1), slope.flatten(0, 1)
    difference = outputs - targets
    slope = difference * (2.0 / batch)
    if nonlinearity == "softmax":
        slope = outputs * (slope - (outputs * slope).sum(dim=2, keepdim=True))
    return difference.square().flatten(1).sum(dim=1) / batch, slope.flatten(0, 1)


def _sum_to(values: Tensor, log_scale: Tensor) -> Tensor:
    """Sum over the batch, and over the units that share a scale; the shape of ``log_scale``."""
    if log_scale.numel() == len(log_scale):
        return values.flatten(1).sum(dim=1).view_as(log_scale)
    return values.sum_to_size(log_scale.shape)


def _is_due(steps: int, batches: int, settings: ScaleSettings) -> bool:
    """Whether a record is made after so many steps in all: at the multiples, and at the end."""
    interval = settings.record_every_epochs * batches
    crossed = math.floor(steps / interval) > math.floor((steps - 1) / interval)
    return crossed or steps == settings.epochs * batches
