"""Scales of a graph: gradients against the explicit ones of a chain, and against differences."""

import math

import pytest
import torch
from torch import nn

from plausible.errors import ConfigError
from plausible.learning import graph_scales
from plausible.learning.scale_optimisation import (
    ScaleSettings,
    dense_maps,
    optimise_scales,
    original_outputs,
    scale_gradients,
)
from plausible.networks.conv_graph import read_graph
from plausible.networks.conv_streams import run_stream

from ..networks.small_graphs import FRAME, branches, stream


def chain():
    """The same ReLU network as explicit maps and as a graph."""
    generator = torch.Generator().manual_seed(4)

    def draw(*shape):
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    weights, biases = [draw(6, 5), draw(5, 4), draw(4, 3)], [draw(5), draw(4), draw(3)]
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        layer = nn.Linear(*weight.shape).double()
        layer.weight.data, layer.bias.data = weight.T.contiguous(), bias
        layers += [layer, nn.ReLU()]
    return dense_maps(weights, biases), read_graph(nn.Sequential(*layers[:-1])), draw(8, 6)


def settings(**changes):
    plain = {"lambdas": (1e-4, 1e-2), "batch_size": 4, "epochs": 3, "learning_rate": 0.1}
    return ScaleSettings(**plain | changes)


@pytest.mark.parametrize("error", ["kl", "l2"])
@pytest.mark.parametrize("higher_layers", [False, True])
@pytest.mark.parametrize("quantizer", ["rounding", "noise"])
def test_a_chain_has_the_explicit_gradients(error, higher_layers, quantizer):
    maps, graph, inputs = chain()
    chosen = settings(error=error, higher_layers=higher_layers, quantizer=quantizer)
    log_scales = tuple(
        torch.tensor([0.1, 0.7], dtype=torch.float64).add(0.3 * layer).view(2, 1, 1)
        for layer in range(3)
    )

    def noise():
        return torch.Generator().manual_seed(9)

    expected = scale_gradients(
        maps, log_scales, inputs, original_outputs(maps, inputs, error), chosen, noise()
    )
    fans = graph_scales.sender_fan_outs(graph, (6,))
    targets = graph_scales.original_logarithms(graph, inputs)
    found = graph_scales.graph_gradients(graph, fans, log_scales, inputs, targets, chosen, noise())
    for ours, theirs in zip(found.log_scales, expected.log_scales, strict=True):
        assert ours.flatten().tolist() == pytest.approx(theirs.flatten().tolist(), rel=1e-9)
    assert found.error.tolist() == pytest.approx(expected.error.tolist(), rel=1e-9)
    assert found.computation.tolist() == pytest.approx(expected.computation.tolist(), rel=1e-9)


def test_a_chain_has_the_same_history():
    maps, graph, inputs = chain()
    expected = optimise_scales(maps, inputs, settings())
    found = graph_scales.optimise_graph_scales(graph, inputs, settings())
    for ours, theirs in zip(found.scales, expected.scales, strict=True):
        assert ours == pytest.approx(theirs, rel=1e-9)


def test_gradient_of_the_computation_is_that_of_the_cost():
    """Noise of no size: the price of a scale is its own sum of fan_out |k x|."""
    graph, frames = read_graph(branches()), stream(3)
    fans = graph_scales.sender_fan_outs(graph, FRAME)
    heavy = settings(lambdas=(1e6,), computation="sum")
    log_scales = tuple(torch.full((1, 1, 1, 1, 1), 8.0, dtype=torch.float64) for _ in fans)
    targets = graph_scales.original_logarithms(graph, frames)
    found = graph_scales.graph_gradients(graph, fans, log_scales, frames, targets, heavy)
    sent = []
    run_stream(graph, frames, "original", observe=lambda *seen: sent.append(seen[1]))
    for gradient, values, fan in zip(found.log_scales, sent, fans, strict=True):
        expected = 1e6 * math.exp(8.0) * float((values.abs() * fan).sum())
        assert float(gradient) == pytest.approx(expected, rel=1e-3)


def test_a_larger_weight_of_computation_gives_coarser_scales():
    graph, frames = read_graph(branches()), stream(12)
    chosen = settings(lambdas=(0.0, 1e-6, 1e-4), epochs=20, error="l2", quantizer="noise")
    found = graph_scales.optimise_graph_scales(
        graph, frames, chosen, torch.Generator().manual_seed(0)
    )
    assert not found.diverged.any() and len(found.scales) == len(graph.senders)
    assert found.computation[-1, 0] > found.computation[-1, 1] > found.computation[-1, 2]
    assert found.error[-1, 0] < found.error[-1, 2]


def test_goes_on_from_a_checkpoint(tmp_path):
    graph, frames = read_graph(branches()), stream(8)
    whole = settings(lambdas=(1e-7, 1e-6), quantizer="noise", epochs=4)

    def optimise(chosen, path=None):
        generator = torch.Generator().manual_seed(2)
        return graph_scales.optimise_graph_scales(graph, frames, chosen, generator, path)

    expected = optimise(whole)
    path = tmp_path / "scales.npz"

    class Killed(Exception):
        pass

    def progress(text):
        if text.startswith("epoch 2"):
            raise Killed

    with pytest.raises(Killed):
        graph_scales.optimise_graph_scales(
            graph, frames, whole, torch.Generator().manual_seed(2), path, progress
        )
    found = optimise(whole, path)
    for ours, theirs in zip(found.scales, expected.scales, strict=True):
        assert ours.tolist() == theirs.tolist()


def test_one_scale_for_each_unit_is_refused():
    with pytest.raises(ConfigError, match="unitwise"):
        graph_scales.optimise_graph_scales(
            read_graph(branches()), stream(2), settings(unitwise=True)
        )
