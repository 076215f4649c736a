"""Rounding and sigma-delta networks of convolutional ``torch`` models.

Any module of convolutions, fully connected layers, ReLU, pooling, flattening and concatenation; it
is read by tracing (``plausible.networks.conv_graph``), computed in float64 on a copy. There is one
scale for each *sender*: for what enters a layer, or several that are given the same values.
"""

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.learning.graph_scales import optimise_graph_scales
from plausible.learning.scale_optimisation import ScaleSettings
from plausible.learning.scale_records import ScaleHistory
from plausible.measure.operations import discretised_additions
from plausible.models.data import Data, as_reals
from plausible.networks.conv_graph import Graph, geometry, read_graph
from plausible.networks.conv_streams import Costs, StreamState, run_stream


class GraphState(NamedTuple):
    """What a network remembers of the frames so far."""

    stream: StreamState
    scales: tuple[NDArray, ...]
    frame: tuple[int, ...]
    """Shape of a frame."""


class GraphFrames(NamedTuple):
    """Outputs [frames, ...], additions [frames], messages int64 of each sender, and the state."""

    outputs: NDArray[np.float64]
    additions: NDArray[np.float64]
    messages: tuple[NDArray[np.int64], ...]
    state: GraphState


def is_convolutional(model: Any) -> bool:
    """Whether a model has a convolution."""
    return isinstance(model, nn.Module) and any(
        isinstance(each, nn.Conv2d) for each in model.modules()
    )


def _read(model: nn.Module) -> Graph:
    return read_graph(copy.deepcopy(model).cpu().double())


def as_frames(frames: Any, name: str = "frames") -> NDArray[np.float64]:
    """Real numbers [n, channels, rows, columns]. Raises ModelError for anything else."""
    x = as_reals(frames, name)
    if x.ndim != 4 or not len(x):
        raise ModelError(
            f"{name}: found the shape {list(x.shape)}, expected [n, channels, rows, columns] with "
            "at least one sample."
        )
    return x


def _frames(frames: Data) -> Tensor:
    return torch.from_numpy(as_frames(frames))


def run_convolutional(
    model: nn.Module, frames: Data, kind: str, scales: Any, state: Any
) -> GraphFrames:
    """``rounding`` or ``sigma_delta`` of a convolutional model; see `plausible.rounding`.

    Raises
    ------
    ModelError
        If the model, the frames, the scales or the state are not what is expected.
    """
    graph, x = _read(model), _frames(frames)
    sizes = geometry(graph, x.shape[1:])
    chosen = _scales(scales, len(graph.senders))
    shape = tuple(x.shape[1:])
    if state is not None and not _belongs(state, chosen, shape):
        raise ModelError(
            "state: found that of other scales or layers, or none, expected what the call for the "
            "frames before returned; begin a stream without a state."
        )
    costs, messages = Costs(graph, sizes, kind), {}

    def observe(sender: int, values: Tensor, sent: Tensor) -> None:
        costs(sender, values, sent)
        messages[sender] = sent.numpy().astype(np.int64)

    before = None if state is None else state.stream
    found = run_stream(graph, x, kind, chosen, before, observe=observe)
    additions = discretised_additions(costs.per_frame().numpy(), sizes.outputs, kind == "rounding")
    after = GraphState(found.state, tuple(map(np.asarray, chosen)), shape)
    sent = tuple(messages[sender] for sender in range(len(graph.senders)))
    return GraphFrames(found.outputs.numpy(), additions, sent, after)


def _scales(scales: float | Sequence[ArrayLike] | None, senders: int) -> list[float]:
    values = as_reals(1.0 if scales is None else scales, "scales")
    values = np.full(senders, float(values)) if values.ndim == 0 else values
    if values.shape != (senders,) or not (values > 0.0).all():
        raise ModelError(
            f"scales: found {values.tolist()}, expected one number above 0, or one for each of the "
            f"{senders} senders of the model."
        )
    return values.tolist()


def _belongs(state: Any, scales: list[float], shape: tuple[int, ...]) -> bool:
    return (
        isinstance(state, GraphState)
        and state.frame == shape
        and len(state.scales) == len(scales)
        and all(map(np.array_equal, state.scales, scales))
    )


def optimise_convolutional(model: nn.Module, frames: Data, settings: ScaleSettings) -> ScaleHistory:
    """The descent of `plausible.optimise_scales` for a convolutional model.

    Raises ModelError for what is not expected; scales of single units are not there.
    """
    if settings.unitwise:
        raise ModelError("unitwise: found True, a convolutional model has one scale a sender.")
    return optimise_graph_scales(_read(model), _frames(frames), settings)
