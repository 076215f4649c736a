"""PD codes in both directions: against autograd, and against the dense network of chapter 5."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

from plausible.errors import ModelError
from plausible.kernels import pdnn_reference
from plausible.kernels.pdnn_types import make_network, make_rule
from plausible.learning.pd_backprop import Side, train_frame, with_pd_codes
from plausible.neurons.pd_coding import Tuning

from ..networks.small_graphs import branches, stream

CODES = Tuning(0.9, 0.91)


def gradients(module, frames, label=1):
    """Of every frame, of all parameters in one row."""
    found = []
    for frame in frames:
        loss = nn.functional.cross_entropy(module(frame[None]), torch.tensor([label]))
        each = torch.autograd.grad(loss, list(module.parameters()))
        found.append(torch.cat([one.flatten() for one in each]))
    return torch.stack(found)


def cosine(first, second):
    return float(nn.functional.cosine_similarity(first.flatten(), second.flatten(), dim=0))


def test_fine_codes_bring_the_gradients_of_backprop():
    frames = stream(12)
    plain = gradients(branches(), frames)
    fine = gradients(with_pd_codes(branches(), Tuning(0.9, 1e-7, 0.0)), frames)
    assert (fine - plain).abs().max() < 1e-4 * plain.abs().max()
    coarse = gradients(with_pd_codes(branches(), Tuning(0.9, 0.91, 0.0)), frames)
    assert (coarse - plain).abs().max() > 1e-2 * plain.abs().max()
    medium = gradients(with_pd_codes(branches(), Tuning(0.9, 0.01, 0.0)), frames)
    assert cosine(medium, plain) > 0.99 > cosine(coarse, plain)


def test_is_the_network_of_chapter_5():
    """Two dense layers, trained on a stream: spikes, scales and weights as in its reference."""
    rng = np.random.default_rng(2)
    sizes, steps = (6, 5, 3), 40
    weights = [rng.standard_normal(shape) for shape in ((6, 5), (5, 3))]
    inputs = np.abs(np.cumsum(0.3 * rng.standard_normal((steps, 6)), axis=0)) + 0.1
    labels = rng.integers(0, 3, steps)
    rule = make_rule(0.01, 0.8, 0.5, 0.01, update="reconstruction")
    network = make_network(weights, rule)
    layers = [
        nn.Linear(below, above).double() for below, above in zip(sizes, sizes[1:], strict=False)
    ]
    for layer, weight in zip(layers, weights, strict=True):
        layer.weight.data = torch.from_numpy(weight.T.copy())
        layer.bias.data.zero_()
    module = with_pd_codes(nn.Sequential(layers[0], nn.ReLU(), layers[1]), Tuning(0.8, 0.5, 0.01))
    for coded in (module[0], module[2]):
        for side in (coded.ahead, coded.back):  # there codes begin with a magnitude of 1
            side.magnitude, side.k_beta = 1.0, 0.5
    for frame, label in zip(inputs, labels, strict=True):
        train_frame(module, torch.from_numpy(frame)[None], int(label), 0.01)
    found = pdnn_reference.train(network, rule, inputs, 1.0, labels)
    assert [module[0].ahead.spikes, module[2].ahead.spikes] == found.spikes[:2].tolist()
    assert [module[0].back.spikes, module[2].back.spikes] == found.errors[1:].tolist()
    for coded, matrix in zip((module[0], module[2]), network.matrices, strict=True):
        assert coded.inner.weight.detach().numpy().T == pytest.approx(matrix, abs=1e-12)


def test_learns_a_frame():
    module = with_pd_codes(branches(), CODES)
    before = copy.deepcopy(module.state_dict())
    frame = stream(1)[:1]
    losses = [train_frame(module, frame, 2, 0.002) for _ in range(60)]
    assert np.mean(losses[-6:]) < 0.5 * np.mean(losses[:6])
    moved = [not torch.equal(before[name], now) for name, now in module.state_dict().items()]
    assert all(moved)


def test_takes_one_frame_at_a_time():
    with pytest.raises(ModelError, match="found 2 frames at once"):
        with_pd_codes(branches(), CODES)(stream(2))


def test_scales_begin_with_what_is_sent_first():
    side = Side(Tuning(0.9, 0.5, 0.1))
    assert not side.send(torch.zeros(4)).any()
    side.tune()
    assert side.magnitude is None
    side.send(torch.tensor([0.002, -0.006, 0.0, 0.0]))
    assert (side.magnitude, side.k_beta) == pytest.approx((0.002, 0.001))
    side.send(torch.tensor([0.004, -0.012, 0.0, 0.0]))
    side.tune()
    assert (side.magnitude, side.k_beta) == pytest.approx((0.0022, 0.001))
