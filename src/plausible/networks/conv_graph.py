"""Convolutional networks as a graph of a few kinds of nodes, read from a ``torch`` module.

A node is the input, a linear map with weights (a convolution or a fully connected layer), or a
function without weights: ReLU, max and average pooling, concatenation, flattening. Batch
normalisation behind a linear map is folded into it, with its running statistics. What enters a
linear map is *sent* to it; values that enter several maps, as in the Fire modules of SqueezeNet,
are sent once to all of them. An input unit's fan-out is the number of weights that it meets, so a
pixel at the border has a smaller one than a pixel in the middle.
"""

import copy
import operator
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor, fx, nn
from torch.nn import functional

from plausible.errors import ModelError

_SKIPPED = (nn.Dropout, nn.Dropout2d, nn.Identity)
_MODULES = (
    *(nn.MaxPool2d, nn.AvgPool2d, nn.AdaptiveMaxPool2d, nn.AdaptiveAvgPool2d),
    nn.Flatten,
)
_FUNCTIONS = (
    *(torch.relu, functional.relu, torch.cat, torch.flatten),
    *(functional.max_pool2d, functional.avg_pool2d, functional.adaptive_avg_pool2d),
)
_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
_KNOWN = (
    "Conv2d, Linear, batch normalisation behind one of them, ReLU, max and average pooling (2d, "
    "adaptive or not), Flatten, Dropout, Identity and torch.cat"
)


class Node(NamedTuple):
    """A value of the network and what makes it."""

    name: str
    inputs: tuple[int, ...]
    """Numbers of the nodes before it that it takes."""
    function: Callable[..., Tensor] | None
    """Of those values; None for the input and for a linear map."""
    layer: int = -1
    """Number of the linear map; -1 for all else."""


class Linear(NamedTuple):
    """A linear map with weights."""

    name: str
    sender: int
    """Number of the sender whose values it receives."""
    apply: Callable[[Tensor, Tensor | None], Tensor]
    """w x + b; without b for None."""
    weight: Tensor
    """[outputs, inputs, ...]."""
    bias: Tensor
    """[outputs, 1, 1] or [outputs], zeros where the module has none."""
    flat_bias: Tensor
    """[outputs]."""


class Graph(NamedTuple):
    """A network: the first node is the input, the last one the output."""

    nodes: tuple[Node, ...]
    layers: tuple[Linear, ...]
    senders: tuple[int, ...]
    """Numbers of the nodes whose values are sent to linear maps, in their order."""

    def layers_of(self, sender: int) -> list[int]:
        """Linear maps that a sender reaches."""
        return [number for number, layer in enumerate(self.layers) if layer.sender == sender]


class Geometry(NamedTuple):
    """What a size of frames makes of a graph."""

    shapes: tuple[tuple[int, ...], ...]
    """Of the values of each sender, without the frames."""
    fan_outs: tuple[Tensor, ...]
    """Weights that an input unit of each linear map meets, [rows, columns] or one number []."""
    multiply_adds: tuple[int, ...]
    """Products of each linear map for a frame."""
    outputs: tuple[int, ...]
    """Output units of each linear map."""


def _traced(module: nn.Module, activations: tuple[type[nn.Module], ...]) -> fx.GraphModule:
    class Tracer(fx.Tracer):
        def is_leaf_module(self, module: nn.Module, name: str) -> bool:
            return isinstance(module, activations) or super().is_leaf_module(module, name)

    tracer = Tracer()
    graph = tracer.trace(module)
    return fx.GraphModule(tracer.root, graph)


def read_graph(module: nn.Module, activations: tuple[type[nn.Module], ...] = ()) -> Graph:
    """The graph of a ``module`` in evaluation, by symbolic tracing (torch.fx).

    Parameters are shared with the module, not copied, but for those of linear maps that take up a
    batch normalisation. ``activations``: further classes of modules that are functions without
    weights.

    Raises
    ------
    ModelError
        If it cannot be traced, takes more than one input, or holds another kind of layer.
    """
    try:
        traced = _traced(module.eval(), activations)
    except Exception as error:  # whatever the code of a module raises
        text = str(error).splitlines()
        reason = text[0] if text else type(error).__name__
        raise ModelError(f"the network cannot be read as a graph: {reason.rstrip('.')}.") from None
    nodes: list[Node] = []
    layers: list[Linear] = []
    senders: list[int] = []
    numbers: dict[fx.Node, int] = {}
    modules = dict(traced.named_modules())
    for node in traced.graph.nodes:
        if node.op == "output":
            last = numbers.get(node.args[0])
            if last != len(nodes) - 1 or not layers:
                raise ModelError(
                    "the network must return one value, its last one, and hold a linear map."
                )
            continue
        if node.op == "placeholder":
            if nodes:
                raise ModelError("the network takes several inputs, expected one.")
            numbers[node] = 0
            nodes.append(Node("input", (), None))
            continue
        module_here = modules.get(node.target) if node.op == "call_module" else None
        if isinstance(module_here, _SKIPPED):
            numbers[node] = numbers[node.args[0]]
            continue
        if isinstance(module_here, _NORMS):
            number = numbers[node] = numbers[node.args[0]]
            _fold(layers, nodes[number].layer, node, module_here)
            continue
        # Of inputs in a list each counts as often as it stands there, as in a concatenation.
        listed = node.args[0] if node.target is torch.cat else node.all_input_nodes
        sources = tuple(numbers[each] for each in listed)
        numbers[node] = len(nodes)
        name = str(node.target) if module_here is not None else node.name
        if isinstance(module_here, nn.Conv2d | nn.Linear):
            if sources[0] not in senders:
                senders.append(sources[0])
            layer = _linear(name, senders.index(sources[0]), module_here)
            nodes.append(Node(name, sources, None, len(layers)))
            layers.append(layer)
        else:
            known = isinstance(module_here, activations)
            function = module_here if known else _function(node, module_here, name)
            nodes.append(Node(name, sources, function))
    return Graph(tuple(nodes), tuple(layers), tuple(senders))


def _fold(layers: list[Linear], number: int, node: fx.Node, norm: nn.Module) -> None:
    """Put a batch normalisation, (y - mean) gain + shift, into the linear map right before it."""
    before = node.args[0]
    if number < 0 or before.op != "call_module" or len(before.users) > 1:
        raise ModelError(
            f"the batch normalisation {node.target} does not directly follow a convolution or "
            "linear layer whose output nothing else takes, as expected."
        )
    if norm.running_mean is None:
        raise ModelError(
            f"the batch normalisation {node.target} has no running statistics, expected those of "
            "training; leave track_running_stats on."
        )
    layer = layers[number]
    old = layer.apply.module
    gain = torch.rsqrt(norm.running_var + norm.eps)
    gain = gain if norm.weight is None else gain * norm.weight.detach()
    shift = layer.flat_bias - norm.running_mean
    bias = shift * gain if norm.bias is None else shift * gain + norm.bias.detach()
    module = copy.deepcopy(old)
    weight = layer.weight * gain.view(-1, *(1,) * (layer.weight.ndim - 1))
    module.weight, module.bias = (nn.Parameter(each, False) for each in (weight, bias))
    layers[number] = _linear(layer.name, layer.sender, module)


def _linear(name: str, sender: int, module: nn.Conv2d | nn.Linear) -> Linear:
    weight = module.weight.detach()
    flat = weight.new_zeros(len(weight)) if module.bias is None else module.bias.detach()
    if isinstance(module, nn.Linear):
        return Linear(name, sender, _LinearCall(module), weight, flat, flat)
    if module.padding_mode != "zeros":
        raise ModelError(
            f"the layer {name} pads with {module.padding_mode!r}, expected is 'zeros'."
        )
    return Linear(name, sender, _LinearCall(module), weight, flat.view(-1, 1, 1), flat)


def linear_map(
    module: nn.Conv2d | nn.Linear, values: Tensor, weight: Tensor, bias: Tensor | None = None
) -> Tensor:
    """w x + b of a module, with ``weight`` and ``bias`` in the place of its own."""
    if isinstance(module, nn.Linear):
        return functional.linear(values, weight, bias)
    return module._conv_forward(values, weight, bias)


class _LinearCall:
    """w x + b of a module, b given or left out."""

    def __init__(self, module: nn.Conv2d | nn.Linear) -> None:
        self.module, self.weight = module, module.weight.detach()

    def __call__(self, values: Tensor, bias: Tensor | None) -> Tensor:
        return linear_map(self.module, values, self.weight, bias)


def _function(node: fx.Node, module: nn.Module | None, name: str) -> Callable[..., Tensor]:
    """A node without weights as a function of the values that it takes."""
    if isinstance(module, nn.ReLU):
        return torch.relu  # not in place
    if isinstance(module, _MODULES):
        return module
    target = node.target
    if node.op == "call_method" and target == "relu":
        return torch.relu
    if node.op == "call_method" and target == "flatten":
        return operator.methodcaller(target, *node.args[1:], **node.kwargs)
    if node.op != "call_function" or target not in _FUNCTIONS:
        what = type(module).__name__ if module is not None else f"{node.op} {target}"
        raise ModelError(f"the network holds {what} ({name}); known are {_KNOWN}.")
    options = {key: value for key, value in node.kwargs.items() if key != "inplace"}
    if target is torch.cat:
        dimension = options.get("dim", node.args[1] if len(node.args) > 1 else 0)
        return lambda *values: torch.cat(values, dimension)
    if target in (torch.relu, functional.relu):
        return torch.relu
    return lambda value: target(value, *node.args[1:], **options)


def values_of(graph: Graph, frames: Tensor) -> dict[int, Tensor]:
    """Value of every node of the original network for ``frames`` [frames, ...]."""
    found = {0: frames}
    for number, node in enumerate(graph.nodes[1:], start=1):
        taken = [found[each] for each in node.inputs]
        if node.function is None:
            layer = graph.layers[node.layer]
            found[number] = layer.apply(taken[0], layer.flat_bias)
        else:
            found[number] = node.function(*taken)
    return found


def geometry(graph: Graph, frame_shape: Sequence[int]) -> Geometry:
    """Shapes, fan-outs and operations for frames of a shape (without the number of frames).

    Raises
    ------
    ModelError
        If frames of this shape do not fit the network.
    """
    first = graph.layers[0].weight
    frame = torch.zeros((1, *frame_shape), dtype=first.dtype, device=first.device)
    try:
        with torch.no_grad():
            values = values_of(graph, frame)
        shapes = tuple(tuple(values[node].shape[1:]) for node in graph.senders)
        fan_outs = tuple(_fan_out(layer, shapes[layer.sender]) for layer in graph.layers)
    except RuntimeError as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise ModelError(
            f"frames of the shape {tuple(frame_shape)} do not fit the network: {reason}."
        ) from None
    products = tuple(
        round(float(fan.double().sum()) * _units_per_place(fan, shapes[layer.sender]))
        for fan, layer in zip(fan_outs, graph.layers, strict=True)
    )
    outputs = [
        values[number][0].numel() for number, node in enumerate(graph.nodes) if node.layer >= 0
    ]
    return Geometry(shapes, fan_outs, products, tuple(outputs))


def _units_per_place(fan_out: Tensor, shape: tuple[int, ...]) -> int:
    """Input units that share one number of the fan-out."""
    units = 1
    for side in shape[: len(shape) - fan_out.ndim]:
        units *= side
    return units


def _fan_out(layer: Linear, shape: tuple[int, ...]) -> Tensor:
    """Weights that each place of an input of ``shape`` meets."""
    module: Any = layer.apply.module
    if isinstance(module, nn.Linear):
        return layer.weight.new_tensor(float(len(layer.weight)))
    # The gradient of the sum of all outputs, for weights of one: how many windows hold a place.
    place = layer.weight.new_zeros((1, 1, *shape[1:])).requires_grad_(True)
    taps = layer.weight.new_ones((1, 1, *layer.weight.shape[2:]))
    with torch.enable_grad():
        windows = functional.conv2d(
            place, taps, None, module.stride, module.padding, module.dilation
        )
        (counted,) = torch.autograd.grad(windows.sum(), place)
    return counted[0, 0] * (module.out_channels // module.groups)
