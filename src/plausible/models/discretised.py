"""Rounding and sigma-delta networks of a trained ``torch`` model, and the choice of their scales.

A trained model becomes a network whose layers send whole numbers: what enters layer l is multiplied
by its scale k_l, rounded, and divided by it again. Finer scales mean smaller errors and more
operations. A rounding network sends every rounded value, a sigma-delta network only what has
changed since the frame before, so that it is the cheaper the less its inputs change; both have the
same outputs. A message s costs |s| additions for each unit that it reaches, and no multiplication.

Source: O'Connor 2020, chapter 4 (O'Connor and Welling 2017, *Sigma delta quantized networks*).
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike
from torch import nn

from plausible.errors import ModelError
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps
from plausible.learning.scale_optimisation import optimise_scales as descend
from plausible.learning.scale_records import ScaleHistory
from plausible.measure.operations import discretised_additions, event_additions
from plausible.models.convolutional import (
    GraphState,
    is_convolutional,
    optimise_convolutional,
    run_convolutional,
)
from plausible.models.data import Data, as_count, as_given, as_number, as_reals, as_samples
from plausible.models.fused_layers import FusedLayer, fused_layers
from plausible.models.sequential import read_sequential
from plausible.networks import sigma_delta as networks

NONLINEARITIES = {nn.ReLU: "relu", nn.Tanh: "tanh", nn.Identity: "identity"}


class Frames(NamedTuple):
    """What a network of whole numbers made of a sequence of frames."""

    outputs: Data
    """[frames, outputs]."""
    additions: Data
    """Additions of each frame, [frames]."""
    messages: tuple[Data, ...]
    """Whole numbers that entered each layer, int64 [frames, inputs]; of a convolutional model that
    each sender sent, to one layer or several."""
    state: "StreamState | GraphState"
    """With it the next call of `sigma_delta` goes on where this one ended."""


class StreamState(NamedTuple):
    """What a network remembers of the frames so far."""

    layers: tuple[networks.LayerState, ...]
    scales: tuple[np.ndarray, ...]
    sizes: tuple[int, ...]


class ScaleChoice(NamedTuple):
    """Scales that minimise error + ``trade_off`` x additions."""

    trade_off: float
    scales: tuple[np.ndarray, ...]
    """k of each layer: one number, or one for each of its inputs."""
    error: float
    """Mean error of a frame in the last epoch, so an estimate: scales still moved in it."""
    additions: float
    """Mean of the sum of ``fan_out`` times the magnitude of k x in the last epoch: the additions of
    a rounding network but for rounding and for biases."""


Scales = float | Sequence[ArrayLike] | None


def rounding(model: nn.Module, frames: Data, scales: Scales = None) -> Frames:
    """Run the rounding network of ``model`` (O'Connor 2020, eq. 4.4, figure 4.1 C).

    Parameters
    ----------
    model:
        Linear layers with ReLU, Tanh or Identity between them, and perhaps batch normalisation. Or
        any module with a convolution, of Conv2d, Linear, ReLU, pooling, Flatten and ``torch.cat``.
    frames:
        Real numbers [frames, features], or [frames, ...], which are flattened; of a convolutional
        model [frames, channels, rows, columns].
    scales:
        k of the inputs of each layer, one number or [inputs] each; or one number for all of them;
        None: 1. Of a convolutional model one number for each sender: values that enter several
        layers are sent once.

    Raises
    ------
    ModelError
        If the model, the frames or the scales are not what is expected.
    """
    return _run(model, frames, "rounding", scales, None)


def sigma_delta(
    model: nn.Module,
    frames: Data,
    scales: Scales = None,
    *,
    state: StreamState | GraphState | None = None,
) -> Frames:
    """Run the sigma-delta network of ``model`` on successive frames (eq. 4.5, figure 4.1 D).

    Its outputs are those of `rounding`; the first frame costs as much, the others what changes.

    Parameters
    ----------
    model, frames, scales:
        As in `rounding`.
    state:
        That of the frames before, so that a stream may come in pieces.

    Raises
    ------
    ModelError
        If an argument is not what is expected, or the state belongs to other scales or layers.
    """
    return _run(model, frames, "sigma_delta", scales, state)


def optimise_scales(
    model: nn.Module,
    frames: Data,
    trade_offs: Sequence[float],
    *,
    error: str = "kl",
    unitwise: bool = False,
    epochs: int = 10,
    learning_rate: float = 0.05,
    batch_size: int = 10,
) -> list[ScaleChoice]:
    """Scales for each of ``trade_offs`` (lambda, error per addition), by gradient descent.

    Minimises error + lambda x additions over the logarithms of the scales (O'Connor 2020, section
    4.5, eq. 4.7-4.10): the smaller lambda, the finer the scales. No labels are needed: the error
    compares with the model itself.

    Parameters
    ----------
    model, frames:
        As in `rounding`, without Tanh; frames of the training data.
    error:
        ``kl``: Kullback-Leibler divergence of the softmax of the outputs, in nats. ``l2``: squared
        distance of the outputs, of a convolutional model of their softmax.
    unitwise:
        A scale for every input of a layer in place of one.
    epochs:
        Passes over the frames, which are taken in their order.
    learning_rate:
        Of the descent on the logarithms of the scales.
    batch_size:
        Frames of a step of the descent.

    Raises
    ------
    ModelError
        If an argument is not what is expected, or the descent diverges.
    """
    lambdas = [trade_offs] if np.ndim(trade_offs) == 0 else list(trade_offs)
    lambdas = tuple(as_number(each, "trade_offs", zero=True) for each in lambdas)
    if not lambdas:
        raise ModelError("trade_offs: found none, expected at least one number.")
    if error not in ("kl", "l2"):
        raise ModelError(f"error: found {error!r}, expected 'kl' or 'l2'.")
    epochs, batch_size = as_count(epochs, "epochs", 1), as_count(batch_size, "batch_size", 1)
    learning_rate = as_number(learning_rate, "learning_rate")
    settings = ScaleSettings(
        lambdas=lambdas,
        unitwise=unitwise,
        error=error,
        computation="mean",
        learning_rate=learning_rate,
        epochs=epochs,
        batch_size=batch_size,
        record_every_epochs=1.0,
    )
    found = (
        optimise_convolutional(model, frames, settings)
        if is_convolutional(model)
        else _optimise_dense(model, frames, settings)
    )
    for trade_off, diverged in zip(settings.lambdas, found.diverged, strict=True):
        if diverged:
            raise ModelError(
                f"the scales for the trade-off {trade_off:g} diverged; choose a smaller one, or a "
                f"learning rate below {learning_rate:g}."
            )
    return [
        ScaleChoice(
            trade_off,
            tuple(np.asarray(scales[-1, index]) for scales in found.scales),
            float(found.error[-1, index]),
            float(found.computation[-1, index]),
        )
        for index, trade_off in enumerate(settings.lambdas)
    ]


def _optimise_dense(model: nn.Sequential, frames: Data, settings: ScaleSettings) -> ScaleHistory:
    layers, nonlinearity = _read(model)
    if nonlinearity == "tanh":
        raise ModelError(
            "the activation is Tanh, expected ReLU: Tanh has no optimised scales here."
        )
    x = torch.from_numpy(as_samples(frames, len(layers[0].weight), "frames"))
    maps = dense_maps(
        [torch.from_numpy(layer.weight) for layer in layers],
        [torch.from_numpy(layer.bias) for layer in layers],
        nonlinearity,
        "softmax" if settings.error == "kl" else "identity",
    )
    return descend(maps, x, settings)


def _run(
    model: nn.Module,
    frames: Data,
    kind: str,
    scales: Scales,
    state: StreamState | GraphState | None,
) -> Frames:
    if is_convolutional(model):
        run = run_convolutional(model, frames, kind, scales, state)
        given = (as_given(each, frames) for each in (run.outputs, run.additions))
        sent = tuple(as_given(each, frames) for each in run.messages)
        return Frames(*given, sent, run.state)
    layers, nonlinearity = _read(model)
    x = as_samples(frames, len(layers[0].weight), "frames")
    dense = networks.dense_network(
        [layer.weight for layer in layers],
        [layer.bias for layer in layers],
        nonlinearity,
        "identity",
    )
    chosen = _scales(scales, layers)
    sizes = (*(len(layer.weight) for layer in layers), len(layers[-1].bias))
    if state is not None and not _belongs(state, chosen, sizes):
        raise ModelError(
            "state: found that of other scales or layers, or none, expected what the call for the "
            "frames before returned; begin a stream without a state."
        )
    found = networks.run(dense, x, kind, chosen, None if state is None else state.layers)
    counts = [
        event_additions(message, layer.fan_out)
        for message, layer in zip(found.messages, dense, strict=True)
    ]
    units = [len(layer.bias) for layer in layers]
    additions = discretised_additions(np.stack(counts, axis=1), units, kind == "rounding")
    return Frames(
        as_given(found.outputs, frames),
        as_given(additions, frames),
        tuple(as_given(message.astype(np.int64), frames) for message in found.messages),
        StreamState(found.state, chosen, sizes),
    )


def _scales(scales: Scales, layers: Sequence[FusedLayer]) -> tuple[np.ndarray, ...]:
    """k of each layer, one number or [inputs]."""
    if scales is None:
        scales = 1.0
    if not isinstance(scales, Sequence) and np.ndim(scales) == 0:
        scales = [scales] * len(layers)
    if len(scales) != len(layers):
        raise ModelError(
            f"scales: found {len(scales)}, expected one number, or one entry for each of the "
            f"{len(layers)} layers."
        )
    found = tuple(as_reals(scale, "scales") for scale in scales)
    for number, (scale, layer) in enumerate(zip(found, layers, strict=True), 1):
        if scale.shape not in ((), (len(layer.weight),)) or not (scale > 0.0).all():
            raise ModelError(
                f"scales: found an entry of shape {list(scale.shape)} for layer {number}, with "
                f"{scale.min(initial=np.inf):g} in it, expected numbers above 0, one or "
                f"[{len(layer.weight)}], one for each input of the layer."
            )
    return found


def _belongs(state: StreamState, scales: tuple[np.ndarray, ...], sizes: tuple[int, ...]) -> bool:
    return (
        isinstance(state, StreamState)
        and state.sizes == sizes
        and all(map(np.array_equal, state.scales, scales))
    )


def _read(model: nn.Sequential) -> tuple[list[FusedLayer], str]:
    """Layers of a model, and the name of its activation."""
    reading = read_sequential(model)
    kind = type(reading.activation)
    if kind not in NONLINEARITIES:
        names = ", ".join(known.__name__ for known in NONLINEARITIES)
        raise ModelError(f"the activation is {kind.__name__}, expected one of {names}.")
    return list(fused_layers(reading)), NONLINEARITIES[kind]
