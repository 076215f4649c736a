"""Rounding and sigma-delta networks of convolutional models, by the names that users call."""

import numpy as np
import pytest
import torch
from torch import nn

import plausible

from ..networks.small_graphs import branches, stream

SCALES = [0.7, 1.3, 0.9, 3.1, 2.2]


def rounding_by_hand(network, frames, scales):
    """The network of the tests, layer by layer; additions by unfolding every window."""
    additions = torch.zeros(len(frames), dtype=torch.float64)

    def send(values, scale, *layers):
        nonlocal additions
        sent = torch.round(values * scale)
        for layer in layers:
            ones = nn.Conv2d if isinstance(layer, nn.Conv2d) else nn.Linear
            copy = (
                ones(layer.in_channels, layer.out_channels, layer.kernel_size,
                     layer.stride, layer.padding, bias=False)
                if ones is nn.Conv2d
                else ones(layer.in_features, layer.out_features, bias=False)
            ).double()  # fmt: skip
            copy.weight.data.fill_(1.0)
            reached = copy(sent.abs())
            additions = additions + reached.flatten(1).sum(1) + reached[0].numel()
        return sent / scale

    with torch.no_grad():
        values = network.first(send(frames, scales[0], network.first)).relu()
        values = network.squeeze(send(network.pool(values), scales[1], network.squeeze)).relu()
        values = send(values, scales[2], network.one, network.three)
        values = torch.cat([network.one(values).relu(), network.three(values).relu()], 1)
        values = network.top(send(network.mean(values).flatten(1), scales[3], network.top))
        return network.out(send(values.relu(), scales[4], network.out)), additions


def test_rounding_is_its_definition():
    network, frames = branches(), stream(6)
    found = plausible.rounding(network, frames, SCALES)
    outputs, additions = rounding_by_hand(network, frames, SCALES)
    assert (found.outputs - outputs).abs().max() < 1e-11
    assert torch.equal(found.additions, additions)
    assert [tuple(each.shape[1:]) for each in found.messages][2] == (3, 4, 4)
    one = plausible.rounding(network, frames.numpy().astype(np.float32), 3.0)
    assert one.outputs.dtype == np.float32 and one.messages[0].dtype == np.int64


def test_sigma_delta_is_rounding_at_the_price_of_changes():
    network = branches()
    frames = stream(4).repeat_interleave(3, dim=0)
    rounding = plausible.rounding(network, frames, SCALES)
    found = plausible.sigma_delta(network, frames, SCALES)
    assert (found.outputs - rounding.outputs).abs().max() < 1e-10
    still = found.additions.view(4, 3)[:, 1:]
    assert not still.any() and (found.additions.view(4, 3)[:, 0] > 0).all()
    first = plausible.sigma_delta(network, frames[:5], SCALES)
    rest = plausible.sigma_delta(network, frames[5:], SCALES, state=first.state)
    assert torch.equal(torch.cat([first.additions, rest.additions]), found.additions)


def test_the_model_is_left_alone():
    network = branches().float().train()
    before = {name: values.clone() for name, values in network.state_dict().items()}
    plausible.rounding(network, stream(2), 2.0)
    assert network.training
    after = network.state_dict()
    assert all(torch.equal(values, after[name]) for name, values in before.items())


def test_scales_trade_error_for_additions():
    network, frames = branches(), stream(8)
    coarse, fine = plausible.optimise_scales(network, frames, [1e-4, 1e-7], epochs=15)
    assert coarse.additions < fine.additions and len(fine.scales) == 5
    original = network(frames).detach()
    apart = [
        float((plausible.rounding(network, frames, each.scales).outputs - original).abs().max())
        for each in (coarse, fine)
    ]
    assert apart[1] < apart[0]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda network: plausible.rounding(network, stream(2), [1.0, 2.0]), "5 senders"),
        (lambda network: plausible.rounding(network, stream(2), [1.0] * 4 + [-1.0]), "above 0"),
        (lambda network: plausible.rounding(network, np.zeros((2, 12))), "rows, columns"),
        (lambda network: plausible.rounding(network, np.zeros((2, 3, 4, 4))), "do not fit"),
        (lambda network: plausible.sigma_delta(network, stream(2), state="no"), "state: found"),
        (
            lambda network: plausible.optimise_scales(network, stream(2), [1e-3], unitwise=True),
            "unitwise",
        ),
        (
            lambda network: plausible.rounding(
                nn.Sequential(nn.Conv2d(1, 1, 1), nn.Sigmoid()), np.zeros((1, 1, 2, 2))
            ),
            "holds Sigmoid",
        ),
    ],
)
def test_what_does_not_fit(call, words):
    with pytest.raises(plausible.ModelError, match=words):
        call(branches())
