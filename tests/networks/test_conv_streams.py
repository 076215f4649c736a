"""Networks on a stream: which are equal, and what their messages cost, against the slow forms."""

import numpy as np
import pytest
import torch
from torch import nn

from plausible.errors import StudyError
from plausible.measure.operations import event_additions, nonzero_multiply_adds
from plausible.networks import sigma_delta
from plausible.networks.conv_graph import geometry, read_graph
from plausible.networks.conv_streams import Costs, run_stream
from plausible.neurons.pd_coding import decode, pd_code_of, transmit

from .small_graphs import FRAME, branches, stream

SCALES = [0.5, 2.0, 0.25, 1.0, 4.0]


def outputs(graph, frames, kind, **options):
    return run_stream(graph, frames, kind, **options).outputs


@pytest.mark.parametrize("seed", range(4))
def test_sigma_delta_is_rounding_in_whole_numbers(seed):
    """Exactly: every sum is one of whole numbers, scales are powers of two."""
    graph = read_graph(branches(seed, whole=True))
    frames = stream(20, seed, whole=True)
    rounding = outputs(graph, frames, "rounding", scales=SCALES)
    assert torch.equal(outputs(graph, frames, "sigma_delta", scales=SCALES), rounding)
    # Control: rounding decides something, and one frame forgotten is noticed ever after.
    assert (rounding - outputs(graph, frames, "original")).abs().max() > 1
    late = outputs(graph, frames[1:], "sigma_delta", scales=SCALES)
    assert torch.equal(late, rounding[1:])
    state = run_stream(graph, frames[:5], "sigma_delta", SCALES).state
    missed = run_stream(graph, frames[6:], "sigma_delta", SCALES, state._replace(
        encoders=run_stream(graph, frames[:6], "sigma_delta", SCALES).state.encoders
    )).outputs  # fmt: skip
    assert (missed - rounding[6:]).abs().flatten(1).max(dim=1).values.min() > 1e-3


def test_sigma_delta_is_rounding_and_differences_are_the_original():
    graph, frames = read_graph(branches()), stream(30)
    scales = [0.7, 1.3, 0.9, 3.1, 2.2]
    rounding = outputs(graph, frames, "rounding", scales=scales)
    found = outputs(graph, frames, "sigma_delta", scales=scales)
    assert (found - rounding).abs().max() < 1e-10
    original = outputs(graph, frames, "original")
    assert (outputs(graph, frames, "temporal_difference") - original).abs().max() < 1e-10
    assert (rounding - original).abs().max() > 1e-2


@pytest.mark.parametrize("kind", ["temporal_difference", "rounding", "sigma_delta", "pd"])
def test_a_stream_may_come_in_pieces(kind):
    graph, frames = read_graph(branches()), stream(12)
    whole = outputs(graph, frames, kind, scales=SCALES)
    state, parts = None, []
    for part in frames.split([1, 4, 7]):
        run = run_stream(graph, part, kind, SCALES, state)
        state = run.state
        parts.append(run.outputs)
    assert (torch.cat(parts) - whole).abs().max() < 1e-10


@pytest.mark.parametrize("kind", ["original", "temporal_difference", "rounding", "sigma_delta"])
def test_a_dense_network_is_that_of_chapter_4(kind):
    """The same network in numpy, written for itself: outputs and costs."""
    rng = np.random.default_rng(3)
    weights = [rng.standard_normal(shape) for shape in ((6, 5), (5, 4), (4, 3))]
    biases = [rng.standard_normal(size) for size in (5, 4, 3)]
    frames = np.cumsum(rng.standard_normal((15, 6)), axis=0)
    scales = [0.8, 2.5, 1.1]
    slow = sigma_delta.dense_network(weights, biases, output="identity")
    expected = sigma_delta.run(slow, frames, kind, scales)
    layers = []
    for weight, bias in zip(weights, biases, strict=True):
        layer = nn.Linear(*weight.shape).double()
        layer.weight.data, layer.bias.data = torch.from_numpy(weight.T), torch.from_numpy(bias)
        layers += [layer, nn.ReLU()]
    graph = read_graph(nn.Sequential(*layers[:-1]))
    costs = Costs(graph, geometry(graph, (6,)), kind)
    run = run_stream(graph, torch.from_numpy(frames), kind, scales, observe=costs)
    unscaled = sigma_delta.run(slow, frames, kind) if kind in ("original",) else expected
    assert np.abs(run.outputs.numpy() - expected.outputs).max() < 1e-10
    count = nonzero_multiply_adds if kind == "original" else event_additions
    messages = unscaled.messages
    if kind == "temporal_difference":  # the chain multiplies them by their scales
        messages = [each / scale for each, scale in zip(messages, scales, strict=True)]
    slow_costs = [count(each, layer.fan_out) for each, layer in zip(messages, slow, strict=True)]
    assert costs.per_frame().numpy() == pytest.approx(np.stack(slow_costs, axis=1), abs=1e-9)


@pytest.mark.parametrize("kind", ["temporal_difference", "sigma_delta"])
def test_frames_that_change_nothing_cost_no_product(kind):
    """And the outputs are those of a network that does every product."""
    graph = read_graph(branches())
    frames = stream(4).repeat_interleave(3, dim=0)[:11]
    products = []

    def counting(layer):
        def apply(values, bias):
            products.append(len(values))
            return layer.apply(values, bias)

        return layer._replace(apply=apply)

    watched = graph._replace(layers=tuple(map(counting, graph.layers)))
    state, found = None, []
    for part in frames.split([1, 4, 6]):
        run = run_stream(watched, part, kind, SCALES, state)
        state = run.state
        found.append(run.outputs)
    assert sum(products) == 4 * len(graph.layers)
    alike = {"temporal_difference": "original", "sigma_delta": "rounding"}[kind]
    expected = outputs(graph, frames, alike, scales=SCALES)
    assert (torch.cat(found) - expected).abs().max() < 1e-10


def test_costs_of_both_networks_from_the_messages_of_one():
    graph, frames = read_graph(branches()), stream(14)
    sizes = geometry(graph, FRAME)
    both = Costs(graph, sizes, "rounding", differences=True)
    own = Costs(graph, sizes, "sigma_delta")
    state = None
    for part in frames.split(5):
        state = run_stream(graph, part, "rounding", SCALES, state, observe=both).state
    run_stream(graph, frames, "sigma_delta", SCALES, observe=own)
    assert torch.equal(both.changes_per_frame(), own.per_frame())
    assert torch.equal(both.changes_per_frame()[0], both.per_frame()[0])


def test_costs_are_those_of_a_slow_count():
    """One message at a time and every weight that it meets, of all branches."""
    graph = read_graph(branches())
    sizes = geometry(graph, FRAME)
    sent = {}
    costs = Costs(graph, sizes, "rounding")

    def observe(sender, values, messages):
        sent[sender] = messages.clone()
        costs(sender, values, messages)

    run_stream(graph, stream(2), "rounding", SCALES, observe=observe)
    for number, layer in enumerate(graph.layers):
        fan = sizes.fan_outs[number].expand(sizes.shapes[layer.sender])
        slow = sum(
            int(abs(message)) * int(weights)
            for message, weights in zip(sent[layer.sender][1].flatten(), fan.flatten(), strict=True)
        )
        assert costs.per_frame()[1, number] == slow


def test_pd_codes_are_those_of_the_signal(k_alpha=0.8, scale=3.0):
    """One linear map: its decoded sums are the map of the decoded signal."""
    graph = read_graph(nn.Sequential(nn.Conv2d(2, 3, 3, bias=False).double()))
    frames, sent = stream(25), []
    run = run_stream(
        graph, frames, "pd", [scale], k_alpha=k_alpha, observe=lambda *seen: sent.append(seen[2])
    )
    code = pd_code_of(k_alpha, 1 / scale)
    expected = transmit(frames.numpy(), code)
    assert np.array_equal(sent[0].numpy(), expected.spikes)
    decoded = torch.from_numpy(decode(expected.spikes, code))
    assert (run.outputs - outputs(graph, decoded, "original")).abs().max() < 1e-10


def test_pd_codes_in_their_limits():
    """With memory for ever they are sigma-delta; with fine steps they lose nothing."""
    graph, frames = read_graph(branches()), stream(20)
    scales = [0.7, 1.3, 0.9, 3.1, 2.2]
    found = outputs(graph, frames, "pd", scales=scales, k_alpha=1.0)
    expected = outputs(graph, frames, "sigma_delta", scales=scales)
    assert (found - expected).abs().max() < 1e-9
    fine = outputs(graph, frames, "pd", scales=[1e6] * 5, k_alpha=0.9)
    coarse = outputs(graph, frames, "pd", scales=[1.0] * 5, k_alpha=0.9)
    original = outputs(graph, frames, "original")
    assert (fine - original).abs().max() < 1e-3 < 1e-1 < (coarse - original).abs().max()


def test_what_is_no_network():
    graph = read_graph(branches())
    for options in (
        {"kind": "delta"},
        {"kind": "pd", "k_alpha": 1.5},
        {"kind": "rounding", "scales": [1.0]},
        {"kind": "rounding", "scales": [1.0, 1.0, 1.0, 1.0, 0.0]},
    ):
        with pytest.raises(StudyError, match="network on a stream: found"):
            run_stream(graph, stream(2), **options)
