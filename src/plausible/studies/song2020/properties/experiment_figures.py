"""Figures 1 and 2 of Song et al. 2020 as tidy tables: the two graphs, the events of learning."""

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from plausible.networks.mlp import Network
from plausible.studies.song2020.common import draw_network, random_batch, torch_generator
from plausible.studies.song2020.levels import (
    Event,
    backprop_updates,
    depth,
    fazil_updates,
    forward,
    il_updates,
    predict,
    send_back,
    thetas,
    zil_updates,
)
from plausible.studies.song2020.properties.settings import Fig1, Fig2


def fig1(settings: Fig1, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 1: graphs of an ANN and of a PCN with the same weights, read from the implementation.

    An edge is drawn where a derivative of the implemented equations is not zero: of the prediction
    mu^l (in the ANN y^l) by the layer above it (eq. 1 and 5), and of what arrives at layer l by the
    errors of layer l-1 (eq. 4 and 7). The ANN has no error nodes: both run between value nodes. In
    the PCN an error node acts on its own value node as well.

    Columns: network (ann, pcn), element (value_node,
    error_node, edge), kind (nodes: input, hidden, output; edges: prediction from a value node,
    error to a value node), layer (0 is the output), index (from 0), target_layer, target_index
    (edges; -1 for nodes), x, y (nodes; NaN for edges).
    """
    sizes = settings.layer_sizes
    generator = torch_generator("fig1", seeds[0], "network")
    network = draw_network(sizes, generator)
    values = forward(network, torch.rand(1, sizes[0], generator=generator, dtype=torch.float64))
    rows: list[tuple] = []
    for name in ("ann", "pcn"):
        rows += _nodes(name, values)
        for layer in range(depth(network)):
            down = _edges(_prediction_slopes(network, layer, values[layer + 1]))
            rows += [_edge(name, "prediction", layer + 1, of, layer, to) for to, of in down]
            if name == "pcn":
                own = range(values[layer].shape[1])
                rows += [_edge(name, "error", layer, index, layer, index) for index in own]
            if layer > 0:
                up = _edges(_message_slopes(network, layer, values[layer]))
                rows += [_edge(name, "error", layer - 1, of, layer, to) for to, of in up]
    columns = ["network", "element", "kind", "layer", "index", "target_layer", "target_index"]
    return pd.DataFrame(rows, columns=[*columns, "x", "y"])


def _nodes(name: str, values: list[Tensor]) -> list[tuple]:
    """Rows of the nodes, input on the left; each PCN layer but the input has error nodes."""
    last = len(values) - 1
    kinds = ["output", *["hidden"] * (last - 1), "input"]
    height = max(value.shape[1] for value in values)
    rows = []
    for layer in reversed(range(len(values))):
        units = values[layer].shape[1]
        for index in range(units):
            x, y = 2.0 * (last - layer), (height - 1) / 2 + (units - 1) / 2 - index
            rows.append((name, "value_node", kinds[layer], layer, index, -1, -1, x, y))
            if name == "pcn" and layer < last:
                rows.append((name, "error_node", kinds[layer], layer, index, -1, -1, x - 1.0, y))
    return rows


def _prediction_slopes(network: Network, layer: int, above: Tensor) -> Tensor:
    """Derivatives of mu^l by x^{l+1}, [n^l, n^{l+1}]."""
    slopes = torch.autograd.functional.jacobian(lambda x: predict(network, layer, x), above)
    return slopes[0, :, 0]


def _message_slopes(network: Network, layer: int, values: Tensor) -> Tensor:
    """Derivatives of what x^l receives by eps^{l-1}, [n^l, n^{l-1}]."""
    errors = values.new_ones(1, thetas(network)[layer - 1].shape[1])
    slopes = torch.autograd.functional.jacobian(
        lambda error: send_back(network, layer, error, values), errors
    )
    return slopes[0, :, 0]


def _edges(slopes: Tensor) -> list[list[int]]:
    """(target, source) wherever a derivative is not zero."""
    return torch.nonzero(slopes).tolist()


def _edge(name: str, kind: str, layer: int, index: int, target_layer: int, target: int) -> tuple:
    return (name, "edge", kind, layer, index, target_layer, target, np.nan, np.nan)


def fig2(settings: Fig2, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2: what happens when in one weight update; every row was logged by a real run.

    Columns: algorithm (bp, il, zil, fazil), t (-1 is the forward pass or the prediction phase),
    element (value_nodes, weights), layer (l of x^l, l+1 of theta^{l+1}), event (prediction,
    inference, weight_update, forward, backward).
    """
    sizes = settings.layer_sizes
    generator = torch_generator("fig2", seeds[0], "network")
    network = draw_network(sizes, generator)
    inputs, targets = random_batch(settings.batch_size, sizes, generator)
    logs: dict[str, list[Event]] = {"bp": [], "il": [], "zil": [], "fazil": []}
    backprop_updates(network, inputs, targets, log=logs["bp"])
    il_updates(network, inputs, targets, settings.il_steps, settings.gamma, log=logs["il"])
    zil_updates(network, inputs, targets, log=logs["zil"])
    limits = (settings.detection_steps, 0.0, settings.steps)
    fazil_updates(network, inputs, targets, *limits, log=logs["fazil"])
    rows = [(algorithm, *event) for algorithm, log in logs.items() for event in log]
    return pd.DataFrame(rows, columns=["algorithm", "t", "element", "layer", "event"])
