"""Fused updates against autograd and against the readable form, in float64."""

from types import SimpleNamespace

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from plausible.errors import ConfigError
from plausible.learning import fused
from plausible.learning.backprop import backward, summed_gradients
from plausible.learning.predictive_coding import (
    fazil_terms,
    il_terms,
    relax,
    stages,
    start,
    zil_terms,
)
from plausible.networks.activations import make_activation
from plausible.networks.mlp import Network, clone_network, forward, forward_pass

torch.set_num_threads(1)
RATE = 0.3
SIZES = {2: (9, 7, 4), 3: (9, 7, 6, 4), 4: (9, 7, 6, 5, 4)}
DEPTHS, BATCHES = tuple(SIZES), (1, 5)


def make(l_max, batch, biases=False, activation="sigmoid", activate_input=False, seed=8):
    """Network, inputs and targets in float64; every call gives the same ones."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    sizes = SIZES[l_max]
    pairs = list(zip(sizes, sizes[1:], strict=False))[::-1]  # drawn from the output to the input
    weights = [draw(*pair) for pair in pairs][::-1]
    offsets = [draw(units) for _, units in pairs][::-1] if biases else None
    network = network_of(weights, offsets, activation, activate_input)
    return network, draw(batch, sizes[0]), draw(batch, sizes[-1])


def network_of(weights, biases=None, activation="sigmoid", activate_input=False) -> Network:
    function = make_activation(SimpleNamespace(activation=activation))
    biases = None if biases is None else tuple(biases)
    norms = (None,) * len(weights)
    return Network(tuple(weights), biases, norms, function, "linear", activate_input)


def readable(rule, network, inputs, targets, *rest, moving=False, **more) -> Network:
    """A copy of ``network`` after one update by the readable ``rule``.

    Weights move at once if ``moving``, and otherwise at the end.
    """
    plan, changed = stages(network, "linear"), clone_network(network)
    taught = changed if moving else network
    if rule is backward:
        record = forward_pass(network, inputs)
        terms = backward(network, record, record.logits - targets)
    else:
        terms = rule(taught, plan, start(taught, inputs, targets, plan), *rest, **more)
    for term in terms:
        weight, bias = summed_gradients(term)
        changed.weights[term.layer].sub_(weight, alpha=RATE)
        if network.biases is not None:
            changed.biases[term.layer].sub_(bias, alpha=RATE)
    return changed


def after(rule, network, inputs, targets, *rest, **more) -> Network:
    """A copy of ``network`` after one fused update."""
    changed = clone_network(network)
    rule(changed, fused.make_workspace(changed, len(inputs)), inputs, targets, RATE, *rest, **more)
    return changed


def distance(one: Network, other: Network, before: Network) -> float:
    """Largest difference of parameters over the largest change of the second network."""

    def parameters(network):
        return [*network.weights, *(network.biases or ())]

    triples = zip(parameters(one), parameters(other), parameters(before), strict=True)
    differences, changes = zip(
        *((float((a - b).abs().max()), float((b - c).abs().max())) for a, b, c in triples),
        strict=True,
    )
    assert min(changes) > 0, "a parameter that does not move compares nothing"
    return max(differences) / max(changes)


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("activate_input", [False, True])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("l_max", DEPTHS)
def test_backprop_is_the_gradient_of_autograd(l_max, batch, activate_input, biases):
    network, inputs, targets = make(l_max, batch, biases, activate_input=activate_input)
    leaves = [p.clone().requires_grad_() for p in (*network.weights, *(network.biases or ()))]
    values = torch.sigmoid(inputs) if activate_input else inputs
    for layer in range(l_max):
        values = values @ leaves[layer] + (leaves[l_max + layer] if biases else 0.0)
        values = torch.sigmoid(values) if layer < l_max - 1 else values
    gradients = torch.autograd.grad(0.5 * (targets - values).square().sum(), leaves)
    stepped = [leaf.detach() - RATE * g for leaf, g in zip(leaves, gradients, strict=True)]
    expected = network._replace(
        weights=tuple(stepped[:l_max]), biases=tuple(stepped[l_max:]) if biases else None
    )
    found = after(fused.backprop, network, inputs, targets)
    assert distance(found, expected, network) < 1e-13


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("activation", ["sigmoid", "identity", "relu"])
@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("l_max", DEPTHS)
def test_every_rule_equals_its_readable_form(l_max, batch, activation, biases):
    network, inputs, targets = make(l_max, batch, biases, activation, activate_input=True)
    given = (network, inputs, targets)
    detections, steps = 2, l_max + 2
    # In Fa-Z-IL the weights move at once: a node without error when its layer is reached (a silent
    # relu) may get one from the new weights below, and fire then.
    moving = {"moving": True}
    pairs = {
        "bp": (after(fused.backprop, *given), readable(backward, *given)),
        "il": (after(fused.il, *given, 7, 0.2), readable(il_terms, *given, 7, 0.2)),
        "zil": (after(fused.zil, *given), readable(zil_terms, *given)),
        "zil, gamma": (
            after(fused.zil, *given, gamma=0.4),
            readable(zil_terms, *given, step_size=0.4),
        ),
        "fazil": (
            after(fused.fazil, *given, detections),
            readable(fazil_terms, *given, detections, **moving),
        ),
        "fazil, longer": (
            after(fused.fazil, *given, detections, 1e-12, steps),
            readable(fazil_terms, *given, detections, 1e-12, steps=steps, **moving),
        ),
    }
    found = {name: distance(ours, wanted, network) for name, (ours, wanted) in pairs.items()}
    assert {name: d for name, d in found.items() if not d < 1e-12} == {}


@pytest.mark.parametrize("batch", BATCHES)
@pytest.mark.parametrize("l_max", DEPTHS)
def test_zil_and_fazil_equal_backprop_and_il_does_not(l_max, batch):
    given = make(l_max, batch)
    expected = after(fused.backprop, *given)
    assert distance(after(fused.zil, *given), expected, given[0]) < 1e-13
    assert distance(after(fused.fazil, *given, 4), expected, given[0]) < 1e-13
    assert distance(after(fused.il, *given, 20, 0.1), expected, given[0]) > 1e-3
    assert distance(after(fused.zil, *given, gamma=0.9), expected, given[0]) > 1e-3


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("batch", [1, 20])
def test_an_undisturbed_layer_has_error_zero_to_the_last_bit(batch, dtype):
    """Condition C1 at the sizes of the paper: the wave of errors moves on by a layer a step."""
    sizes = (784, 32, 32, 10)
    generator = torch.Generator().manual_seed(0)
    weights = [
        torch.randn(*pair, generator=generator, dtype=dtype) / 9
        for pair in zip(sizes, sizes[1:], strict=False)
    ]
    network = network_of(weights, activate_input=True)
    inputs = torch.rand(batch, 784, generator=generator, dtype=dtype)
    targets = torch.rand(batch, 10, generator=generator, dtype=dtype)
    for steps in range(3):
        work = fused.make_workspace(network, batch)
        fused.il(clone_network(network), work, inputs, targets, 0.0, steps, 10.0)
        quiet = [not bool(errors.any()) for errors in work.errors.layers]
        assert quiet == [layer < 2 - steps for layer in range(3)]


@pytest.mark.parametrize("batch", BATCHES)
def test_a_large_step_does_not_blow_up_rounding(batch):
    """gamma = 10, 16 steps, l_max = 3: a residue of 1e-16 at the start would end near 1."""
    given = make(3, batch, activate_input=True)
    network, inputs, targets = given
    work = fused.make_workspace(network, batch)
    fused.il(clone_network(network), work, inputs, targets, 0.0, 16, 10.0)
    record = relax(network, inputs, targets, 16, 10.0, "linear")
    for ours, theirs in zip(work.errors.layers, record.error_nodes[-1], strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-9, atol=0.0)
    growth = [float(record.error_nodes[t][0].abs().max()) for t in (2, 16)]
    assert growth[1] > 1e6 * growth[0] > 0.0  # it does blow up what is there
    expected = readable(il_terms, *given, 16, 10.0)
    assert distance(after(fused.il, *given, 16, 10.0), expected, network) < 1e-9


def test_fazil_learns_only_where_phi_fires():
    """Before a layer is reached, nothing of its matrix changes; and every neuron counts alone."""
    network, inputs, targets = make(4, 5)
    full = after(fused.backprop, network, inputs, targets)
    for steps in range(4):
        early = after(fused.fazil, network, inputs, targets, 3, 0.0, steps)
        for layer in range(4):
            reached = layer >= 3 - steps
            expected = full if reached else network
            assert torch.allclose(early.weights[layer], expected.weights[layer], 0.0, 1e-13)
            assert reached or torch.equal(early.weights[layer], network.weights[layer])
    # A tolerance above every error: phi never fires.
    never = after(fused.fazil, network, inputs, targets, 3, 1e6)
    assert all(map(torch.equal, never.weights, network.weights))
    # Samples already on their target have no error to fire with; the other one teaches alone.
    met = targets.clone()
    met[1:] = forward(network, inputs)[1:]
    together = after(fused.fazil, network, inputs, met, 3, 0.0, 0)
    alone = after(fused.fazil, network, inputs[:1], targets[:1], 3, 0.0, 0)
    assert torch.allclose(together.weights[-1], alone.weights[-1], 0.0, 1e-13)
    assert not torch.equal(alone.weights[-1], network.weights[-1])


class _LargestResult(TorchDispatchMode):
    """Largest tensor that any operation makes anew, in numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.numbers = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        old = {
            a.untyped_storage().data_ptr()
            for a in (*args, *(kwargs or {}).values())
            if isinstance(a, torch.Tensor)
        }
        if isinstance(result, torch.Tensor) and result.untyped_storage().data_ptr() not in old:
            self.numbers = max(self.numbers, result.numel())
        return result


@pytest.mark.parametrize("batch", BATCHES)
def test_nothing_like_a_weight_matrix_is_allocated(batch):
    network, inputs, targets = make(4, batch, activate_input=True)
    work = fused.make_workspace(network, batch)
    places = [weight.data_ptr() for weight in network.weights]
    with _LargestResult() as largest:
        fused.backprop(network, work, inputs, targets, RATE)
        fused.il(network, work, inputs, targets, RATE, 3, 0.1)
        fused.zil(network, work, inputs, targets, RATE)
        fused.fazil(network, work, inputs, targets, RATE, 4)
    assert 0 < largest.numbers <= inputs.numel()
    assert [weight.data_ptr() for weight in network.weights] == places
    with _LargestResult() as plain:  # the readable form does allocate them: the check can fail
        readable(backward, network, inputs, targets)
    assert plain.numbers >= network.weights[0].numel()


def test_the_input_drive_is_computed_once():
    """Of the matrix at the input, only the prediction phase and the weight update read or write."""
    network, inputs, targets = make(4, 1)
    seen = []

    class Reads(TorchDispatchMode):
        def __torch_dispatch__(self, func, types, args=(), kwargs=None):
            place = network.weights[0].data_ptr()
            tensors = [a for a in args if isinstance(a, torch.Tensor)]
            computes = func.overloadpacket.__name__ in ("mv", "mm", "addr_", "addmm_")
            if computes and any(a.data_ptr() == place for a in tensors):
                seen.append(func.overloadpacket.__name__)
            return func(*args, **(kwargs or {}))

    with Reads():
        fused.il(network, fused.make_workspace(network, 1), inputs, targets, RATE, 20, 0.1)
    assert seen == ["mv", "addr_"]


@pytest.mark.parametrize(
    ("rule", "rest", "words"),
    [
        (fused.il, (-1, 0.1), "t_c: found -1"),
        (fused.il, (3, 0.0), "gamma: found 0.0"),
        (fused.zil, (float("nan"),), "gamma: found nan"),
        (fused.fazil, (0,), "t_d: found 0"),
        (fused.fazil, (4, -1.0), "tolerance: found -1.0"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(rule, rest, words):
    with pytest.raises(ConfigError, match=words):
        after(rule, *make(2, 1), *rest)
