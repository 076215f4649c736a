"""Convolutional networks on a stream of frames: what the linear maps are sent, and what it costs.

The networks of ``plausible.networks.sigma_delta`` (O'Connor 2020, chapter 4) for a graph of nodes,
in torch and for frames that come in windows, and beside them that of chapter 5. With the values x
that a sender has at time t, its scale k and the linear map w of a layer above it:

    original              w(x) + b
    temporal_difference   Sigma(w(Delta(x))) + b                   = original
    rounding              w(round(k x) / k) + b
    sigma_delta           Sigma(w(Delta(round(k x)) / k)) + b      = rounding
    pd                    dec(w(Q(enc(x)))) + b,  y_t = w(s_t) / k + k_alpha y_(t-1)

with enc(x)_t = k (x_t - k_alpha x_(t-1)) and the quantizer Q that keeps its remainder, so 1 / k is
k_beta of ``plausible.neurons.pd_coding``. Halves are rounded to even.
"""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plausible.errors import StudyError
from plausible.kernels.sent_counts import add_magnitudes, add_nonzero
from plausible.networks.conv_graph import Geometry, Graph, Linear

KINDS = ("original", "temporal_difference", "rounding", "sigma_delta", "pd")

Observer = Callable[[int, Tensor, Tensor], None]
"""Is told the number of a sender, its values and its messages, [frames, ...] each."""


class StreamState(NamedTuple):
    """What a network remembers of the frames so far."""

    encoders: tuple[Any, ...]
    """Of each sender: last values or messages; of PD codes last values and potential."""
    sums: tuple[Tensor | None, ...]
    """Of each linear map: the integrated or decoded sums."""


class StreamRun(NamedTuple):
    """Outputs [frames, ...], and where the next frames go on."""

    outputs: Tensor
    state: StreamState


@torch.no_grad()
def run_stream(
    graph: Graph,
    frames: Tensor,
    kind: str,
    scales: Sequence[float] | None = None,
    state: StreamState | None = None,
    *,
    k_alpha: float = 0.9,
    observe: Observer | None = None,
) -> StreamRun:
    """Send ``frames`` [frames, ...], the next of a stream, through a network of a ``kind``.

    Parameters
    ----------
    scales:
        k of each sender (None: all 1); unused by the first two kinds.
    state:
        That of the frames before (None: there were none).
    k_alpha:
        Memory of PD codes, from 0 to 1.
    observe:
        Sees what is sent; nothing of it is kept.

    Raises
    ------
    StudyError
        For an unknown kind, or scales that are not one positive number for each sender.
    """
    _check(graph, kind, scales, k_alpha)
    scales = [1.0] * len(graph.senders) if scales is None else [float(each) for each in scales]
    if state is None:
        state = StreamState((None,) * len(graph.senders), (None,) * len(graph.layers))
    encoders, sums = list(state.encoders), list(state.sums)
    remaining = _uses(graph)
    values: dict[int, Tensor] = {0: frames}
    messages: dict[int, Tensor] = {}
    for number, node in enumerate(graph.nodes):
        if node.layer >= 0:
            sender = graph.layers[node.layer].sender
            values[number], sums[node.layer] = _receive(
                graph, node.layer, messages[sender], kind, scales[sender], k_alpha, sums[node.layer]
            )
        elif node.function is not None:
            values[number] = node.function(*(values[each] for each in node.inputs))
        if number in graph.senders:
            sender = graph.senders.index(number)
            messages[sender], encoders[sender] = _encode(
                values[number], kind, scales[sender], k_alpha, encoders[sender]
            )
            if observe is not None:
                observe(sender, values[number], messages[sender])
        for each in node.inputs:
            remaining[each] -= 1
            if not remaining[each] and each != len(graph.nodes) - 1:
                values.pop(each, None)  # so that memory is that of the widest place
                if each in graph.senders:
                    messages.pop(graph.senders.index(each), None)
    return StreamRun(values[len(graph.nodes) - 1], StreamState(tuple(encoders), tuple(sums)))


def _uses(graph: Graph) -> list[int]:
    found = [0] * len(graph.nodes)
    for node in graph.nodes:
        for each in node.inputs:
            found[each] += 1
    return found


def _encode(
    values: Tensor, kind: str, scale: float, k_alpha: float, memory: Any
) -> tuple[Tensor, Any]:
    """Messages of a sender, and what it remembers."""
    if kind == "original":
        return values, None
    if kind == "temporal_difference":
        return _difference(values, memory)
    if kind == "pd":
        return _pd_spikes(values, scale, k_alpha, memory)
    rounded = torch.round(values * scale)
    return (rounded, None) if kind == "rounding" else _difference(rounded, memory)


def _difference(values: Tensor, last: Tensor | None) -> tuple[Tensor, Tensor]:
    found = torch.empty_like(values)
    torch.sub(values[1:], values[:-1], out=found[1:])
    found[0] = values[0] if last is None else values[0] - last[0]
    return found, values[-1:].clone()


def _pd_spikes(
    values: Tensor, scale: float, k_alpha: float, memory: tuple[Tensor, Tensor] | None
) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    zeros = torch.zeros_like(values[:1])
    last, potential = (zeros, zeros[0]) if memory is None else memory
    before = torch.cat([last, values[:-1]])
    encoded = scale * (values - k_alpha * before)
    spikes = torch.empty_like(values)
    for time, value in enumerate(encoded):
        potential = potential + value
        spikes[time] = torch.round(potential)
        potential = potential - spikes[time]
    return spikes, (values[-1:].clone(), potential)


def _receive(
    graph: Graph,
    number: int,
    messages: Tensor,
    kind: str,
    scale: float,
    k_alpha: float,
    total: Tensor | None,
) -> tuple[Tensor, Tensor | None]:
    """Output of a linear map, and what it sums up."""
    layer = graph.layers[number]
    if kind in ("original", "rounding"):
        received = messages if kind == "original" else messages / scale
        return layer.apply(received, layer.flat_bias), None
    sums = _mapped(layer, messages if kind == "temporal_difference" else messages / scale, total)
    if kind == "pd":
        decoded = torch.zeros_like(sums[0]) if total is None else total
        for time in range(len(sums)):
            decoded = sums[time] + k_alpha * decoded
            sums[time] = decoded
        return sums + layer.bias, decoded
    if total is not None:
        sums[0] += total
    sums = torch.cumsum(sums, dim=0)
    return sums + layer.bias, sums[-1].clone()


def _mapped(layer: Linear, messages: Tensor, total: Tensor | None) -> Tensor:
    """w of messages; frames in which nothing is sent cost no product."""
    active = messages.flatten(1).any(dim=1)
    if total is None or bool(active.all()):
        return layer.apply(messages, None)
    sums = total.new_zeros((len(messages), *total.shape))
    if bool(active.any()):
        sums[active] = layer.apply(messages[active], None)
    return sums


def _check(graph: Graph, kind: str, scales: Sequence[float] | None, k_alpha: float) -> None:
    if kind not in KINDS or not 0 <= k_alpha <= 1:
        raise StudyError(
            f"network on a stream: found the kind {kind!r} and k_alpha {k_alpha}, expected one of "
            f"{', '.join(KINDS)} and a number from 0 to 1."
        )
    if scales is None:
        return
    good = len(scales) == len(graph.senders) and all(
        0 < float(scale) < float("inf") for scale in scales
    )
    if not good:
        raise StudyError(
            f"network on a stream: found the scales {[float(scale) for scale in scales]}, expected "
            f"a positive number for each of {len(graph.senders)} senders."
        )


class Costs:
    """Operations of each frame and linear map, as an observer of `run_stream`.

    Of the original network multiply-adds that are left when zeros are skipped, nnz(s) fan-out; of
    networks that send whole numbers additions, sum |s| fan-out (O'Connor 2020, eq. 4.3, B.13 to
    B.15). Messages of ``temporal_difference`` are real numbers: their sum |s| fan-out weighs the
    changes that are sent, and counts no operations.
    ``differences``: the messages are those of a rounding network, and what the sigma-delta network
    with the same scales sends in their place, their differences, is counted beside them; both have
    the same outputs.
    """

    def __init__(self, graph: Graph, sizes: Geometry, kind: str, differences: bool = False) -> None:
        self._graph, self._fans = graph, sizes.fan_outs
        self._nonzero, self._differences = kind == "original", differences
        self._last: dict[int, Tensor] = {}
        self._found: list[list[Tensor]] = [[] for _ in graph.layers]
        self._changes: list[list[Tensor]] = [[] for _ in graph.layers]

    def __call__(self, sender: int, values: Tensor, messages: Tensor) -> None:
        """Count the messages of a sender."""
        self._count(self._found, sender, messages)
        if self._differences:
            change, self._last[sender] = _difference(messages, self._last.get(sender))
            self._count(self._changes, sender, change)

    def _count(self, found: list[list[Tensor]], sender: int, messages: Tensor) -> None:
        places = messages.shape[2:].numel() if messages.ndim == 4 else 1
        sent = messages.contiguous().view(len(messages), -1, places)
        sizes = torch.zeros((len(messages), places), dtype=torch.float64)
        count = add_nonzero if self._nonzero else add_magnitudes
        count(sent.numpy(), sizes.numpy())
        for layer in self._graph.layers_of(sender):
            fan = self._fans[layer].double()
            each = sizes.sum(dim=1) * fan if fan.ndim == 0 else sizes @ fan.flatten()
            found[layer].append(each)

    def per_frame(self) -> Tensor:
        """Float64 [frames, layers]."""
        return torch.stack([torch.cat(each) for each in self._found], dim=1)

    def changes_per_frame(self) -> Tensor:
        """The same of the differences."""
        return torch.stack([torch.cat(each) for each in self._changes], dim=1)
