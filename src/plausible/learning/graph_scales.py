"""Scales of a convolutional network, one for each sender, by the descent of scale_optimisation.

The same gradients for a graph (``plausible.networks.conv_graph``), by autograd: with kappa = log k
and the quantizer q (rounding, or uniform noise as in O'Connor 2020, section 4.6.3, which keeps the
scales of deep networks from collapsing), the value that is sent is written

    a = x + (q(k x) / k - x)' - (kappa - kappa') (q(k x) / k - x)'

where ' takes no gradient: d a / d x = 1 and d a / d kappa = x - a. A sender pays lambda fan_out
|k x| with all weights that it reaches; unless ``higher_layers``, x counts as constant there, so
that a scale has the gradient of the computation of its own layer only (eq. 4.10).
"""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning.scale_optimisation import (
    Gradients,
    Problem,
    ScaleSettings,
    check_scale_settings,
    descend,
    quantized,
)
from plausible.learning.scale_records import ScaleHistory
from plausible.networks.conv_graph import Graph, geometry, values_of


def optimise_graph_scales(
    graph: Graph,
    frames: Tensor,
    settings: ScaleSettings,
    generator: torch.Generator | None = None,
    checkpoint_path: str | Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> ScaleHistory:
    """Optimise the scales of ``graph`` on ``frames`` [n, ...]; see `optimise_scales`.

    The error compares the softmax of the outputs with that of the original network.
    """
    check_scale_settings(settings, generator)
    if settings.unitwise:
        raise ConfigError("scales of a graph: unitwise is set, there is one scale for each sender.")
    fans = sender_fan_outs(graph, tuple(frames.shape[1:]))

    def gradients(log_scales: Sequence[Tensor], rows: Tensor, wanted: Tensor) -> Gradients:
        return graph_gradients(graph, fans, log_scales, rows, wanted, settings, generator)

    start = frames.new_tensor(settings.initial_scale).log()
    ones = [1] * (frames.ndim - 1)
    log_scales = tuple(start.expand(len(settings.lambdas), 1, *ones).clone() for _ in graph.senders)
    with torch.no_grad():
        targets = torch.cat(
            [original_logarithms(graph, rows) for rows in frames.split(settings.batch_size)]
        )
    problem = Problem(targets, log_scales, gradients)
    return descend(problem, frames, settings, generator, checkpoint_path, progress)


def sender_fan_outs(graph: Graph, frame_shape: Sequence[int]) -> tuple[Tensor, ...]:
    """Weights that each place of a sender's values meets in all linear maps above it."""
    fans = geometry(graph, frame_shape).fan_outs
    return tuple(
        torch.stack([fans[layer] for layer in graph.layers_of(sender)]).sum(dim=0)
        for sender in range(len(graph.senders))
    )


def original_logarithms(graph: Graph, rows: Tensor) -> Tensor:
    """Logarithms of the probabilities of the original network."""
    return torch.log_softmax(values_of(graph, rows)[len(graph.nodes) - 1].flatten(1), dim=1)


def graph_gradients(
    graph: Graph,
    fan_outs: Sequence[Tensor],
    log_scales: Sequence[Tensor],
    rows: Tensor,
    targets: Tensor,
    settings: ScaleSettings,
    generator: torch.Generator | None = None,
) -> Gradients:
    """As `scale_gradients`: ``rows`` [batch, ...], ``targets`` logarithms of probabilities.

    ``log_scales`` hold [lambdas, 1, ...] for each sender, ``fan_outs`` are `sender_fan_outs`.
    """
    count, batch = len(settings.lambdas), len(rows)
    kappas = [each.detach().requires_grad_(True) for each in log_scales]
    values = {0: rows.unsqueeze(0).expand(count, *rows.shape).flatten(0, 1)}
    sent: dict[int, Tensor] = {}
    prices = []
    weight = rows.new_tensor(settings.lambdas) / (1 if settings.computation == "sum" else batch)
    additions = rows.new_zeros(count)
    for number, node in enumerate(graph.nodes):
        if node.layer >= 0:
            layer = graph.layers[node.layer]
            values[number] = layer.apply(sent[layer.sender], layer.flat_bias)
        elif node.function is not None:
            values[number] = node.function(*(values[each] for each in node.inputs))
        if number in graph.senders:
            sender = graph.senders.index(number)
            activity = values[number].unflatten(0, (count, batch))
            kappa = kappas[sender].view(count, *(1,) * (activity.ndim - 1))
            scale = kappa.exp()
            counted = activity if settings.higher_layers else activity.detach()
            each = ((counted.abs() * fan_outs[sender]).flatten(1).sum(dim=1)) * scale.flatten()
            prices.append((weight * each).sum())
            additions = additions + each.detach() / batch
            with torch.no_grad():
                change = (
                    quantized(activity * scale, settings.quantizer, generator) / scale - activity
                )
            received = activity + change - (kappa - kappa.detach()) * change
            sent[sender] = received.flatten(0, 1)
    logarithms = torch.log_softmax(values[len(graph.nodes) - 1].flatten(1), dim=1)
    error = _error(logarithms.unflatten(0, (count, batch)), targets, settings.error)
    gradients = torch.autograd.grad(error.sum() + torch.stack(prices).sum(), kappas)
    return Gradients(gradients, error.detach(), additions)


def _error(logarithms: Tensor, targets: Tensor, name: str) -> Tensor:
    """Mean over the batch, [lambdas]."""
    probabilities = logarithms.exp()
    if name == "kl":
        return (probabilities * (logarithms - targets)).sum(dim=2).mean(dim=1)
    return (probabilities - targets.exp()).square().sum(dim=2).mean(dim=1)
