"""Convolutional networks as graphs: read rightly, with fan-outs that a slow count gives as well."""

import pytest
import torch
from torch import nn

from plausible.errors import ModelError
from plausible.networks.conv_graph import geometry, read_graph, values_of

from .small_graphs import FRAME, branches, stream


def test_gives_what_the_module_gives():
    network = branches()
    graph = read_graph(network)
    with torch.no_grad():
        found = values_of(graph, stream(3))[len(graph.nodes) - 1]
        assert torch.equal(found, network(stream(3)))
    assert [layer.name for layer in graph.layers] == "first squeeze one three top out".split()
    # Both branches receive what one sender sends.
    assert [layer.sender for layer in graph.layers] == [0, 1, 2, 2, 3, 4]


class Repeated(nn.Module):
    """A concatenation in which one value stands twice."""

    def __init__(self):
        super().__init__()
        self.one, self.out = nn.Conv2d(1, 2, 1), nn.Conv2d(5, 1, 1)

    def forward(self, frames):
        found = torch.relu(self.one(frames))
        return self.out(torch.cat([found, frames, found], 1))


def test_a_value_may_stand_twice_in_a_concatenation():
    network, frames = Repeated(), torch.randn(2, 1, 4, 4)
    graph = read_graph(network)
    with torch.no_grad():
        found = values_of(graph, frames)[len(graph.nodes) - 1]
        assert torch.equal(found, network(frames))


def test_a_module_that_works_in_place_keeps_what_it_sends():
    network = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(8, 2)
    )
    graph = read_graph(network)
    frames = torch.randn(2, 1, 4, 4)
    with torch.no_grad():
        values = values_of(graph, frames)
        assert values[1].min() < 0 and torch.equal(values[len(graph.nodes) - 1], network(frames))


def counted(module, shape):
    """Weights that each input unit meets: output units that change with it."""
    with torch.no_grad():
        ones = [nn.Parameter(torch.ones_like(each)) for each in module.parameters()]
        for (name, _), each in zip(list(module.named_parameters()), ones, strict=True):
            setattr(module, name, each)
        found = torch.zeros(shape)
        still = module(torch.zeros((1, *shape)))
        for place in torch.ones(shape).nonzero().tolist():
            frame = torch.zeros((1, *shape))
            frame[(0, *place)] = 1.0
            found[tuple(place)] = torch.count_nonzero(module(frame) - still)
    return found


@pytest.mark.parametrize(
    "module",
    [
        nn.Conv2d(2, 6, 3, stride=2, padding=1),
        nn.Conv2d(2, 3, 1, padding=1),
        nn.Conv2d(2, 4, 3, dilation=2),
        nn.Conv2d(2, 4, (3, 2), stride=(1, 3), groups=2),
        nn.Conv2d(2, 4, 7, stride=2),
    ],
)
def test_fan_out_is_the_number_of_weights_that_a_unit_meets(module):
    shape = (2, 9, 8)
    sizes = geometry(read_graph(nn.Sequential(module)), shape)
    slow = counted(module, shape)
    assert torch.equal(sizes.fan_outs[0].expand(shape), slow)
    assert sizes.multiply_adds == (int(slow.sum()),)
    assert sizes.shapes == (shape,)


def test_sizes_of_a_network():
    sizes = geometry(read_graph(branches()), FRAME)
    assert sizes.shapes == (FRAME, (6, 4, 4), (3, 4, 4), (32,), (5,))
    assert sizes.multiply_adds[1:] == (6 * 16 * 3, 3 * 16 * 4, 3 * 4 * (2 * 4 + 2) ** 2, 160, 20)
    assert sizes.outputs == (6 * 64, 48, 64, 64, 5, 4)


class Twice(nn.Module):
    def __init__(self, what):
        super().__init__()
        self.what, self.map = what, nn.Linear(3, 3)

    def forward(self, frames):
        return self.what(self.map(frames))


@pytest.mark.parametrize(
    ("module", "words"),
    [
        (nn.Sequential(nn.Linear(3, 3), nn.Sigmoid()), "holds Sigmoid"),
        (Twice(torch.tanh), "holds call_function"),
        (Twice(lambda values: values if values.sum() > 0 else -values), "cannot be read"),
        (nn.Sequential(nn.ReLU()), "hold a linear map"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="circular")), "'circular'"),
    ],
)
def test_what_is_no_such_network(module, words):
    with pytest.raises(ModelError, match=words):
        read_graph(module)


def test_frames_that_do_not_fit():
    with pytest.raises(ModelError, match="do not fit the network"):
        geometry(read_graph(branches()), (3, 16, 16))
