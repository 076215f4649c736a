"""Predictive coding networks, IL and Z-IL of Thuesen 2022 (section 3.5), checked in float64."""

from collections.abc import Iterable
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from plausible.learning.backprop import LocalTerms, mean_gradients
from plausible.learning.optimizers import init_optimizer
from plausible.learning.predictive_coding import (
    local_terms,
    refresh,
    relax,
    stages,
    start,
    value_node_changes,
    zil_terms,
)
from plausible.learning.settings import TrainingSettings
from plausible.learning.update import update
from plausible.measure.slopes import log_slope
from plausible.networks.mlp import Network, clone_network, forward
from plausible.reproduction.theorem_checks import Check, checks, normal, relative_difference
from plausible.studies.thuesen2022.learning.settings import Theorems
from plausible.studies.thuesen2022.learning.theorems_backprop import (
    BATCH,
    SIZES,
    parameters_of,
    problem,
    reference_activation,
    reference_gradients,
)

# Enough to settle to 1e-12 with the random networks used here.
INFERENCE_STEPS = 800


def reference_free_energy(
    network: Network, values: list[Tensor], parameters: list[Tensor]
) -> Tensor:
    """F for autograd: half the squared errors, and the cross entropy of the softmax node.

    ``values`` are x(0)..x(K), one node per weight matrix and per batch norm, and the one-hot
    target; ``parameters`` in the order of ``parameters_of``.
    """
    count = len(network.weights)
    weights, biases = parameters[:count], parameters[count : 2 * count]
    norms = iter(parameters[2 * count :])
    energy, node = torch.zeros((), dtype=torch.float64), 0
    for layer, norm in enumerate(network.batch_norms):
        below = values[node]
        if layer > 0:
            below = reference_activation(network.activation.name, below)
        prediction = functional.linear(below, weights[layer], biases[layer])
        energy = energy + 0.5 * ((values[node + 1] - prediction) ** 2).sum()
        node += 1
        if norm is not None:
            gain, shift = next(norms), next(norms)
            prediction = functional.batch_norm(
                values[node], None, None, gain, shift, training=True, eps=norm.epsilon
            )
            energy = energy + 0.5 * ((values[node + 1] - prediction) ** 2).sum()
            node += 1
    return energy + functional.cross_entropy(values[node], values[node + 1], reduction="sum")


def _autograd_differences(
    generator: torch.Generator, network: Network, inputs: Tensor, labels: Tensor
) -> tuple[float, float]:
    """Relative differences of value-node and parameter updates to autograd of the free energy.

    The value nodes are random, so that no error node is zero. Autograd's gradient is that of F,
    the updates go the opposite way.
    """
    plan = stages(network)
    state = start(network, inputs, labels, plan)
    moved = [value + 0.3 * normal(generator, *value.shape) for value in state.values[1:-1]]
    state = refresh(network, plan, state._replace(values=[inputs, *moved, labels]))
    values = [value.clone().requires_grad_() for value in state.values]
    parameters = [parameter.clone().requires_grad_() for parameter in parameters_of(network)]
    energy = reference_free_energy(network, values, parameters)
    found_values = [-change for change in value_node_changes(network, plan, state)]
    automatic_values = torch.autograd.grad(energy, values[1:-1], retain_graph=True)
    automatic = torch.autograd.grad(energy, parameters)
    terms = [local_terms(plan, state, k) for k in range(len(plan) - 1)]
    found = [BATCH * each for each in _in_order(terms)]
    return (
        relative_difference(found_values, list(automatic_values)),
        relative_difference(found, list(automatic)),
    )


def _in_order(terms: Iterable[LocalTerms]) -> list[Tensor]:
    """Mean gradients of the stages of a network, in the order of ``parameters_of``."""
    pairs = {(one.kind, one.layer): mean_gradients(one) for one in terms}
    linear, normed = (
        [pairs[key] for key in sorted(pairs) if key[0] == kind] for kind in ("linear", "batch_norm")
    )
    weights, biases = zip(*linear, strict=True)
    return [*weights, *biases, *(gradient for pair in normed for gradient in pair)]


def inference_learning(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 43-46: the dynamics descend the free energy, whose gradients are the updates."""
    generator, network, inputs, labels = problem("inference_learning", seed)
    record = relax(network, inputs, labels, 200, 0.01)
    rise = max(after - before for before, after in pairwise(record.free_energy))
    values, parameters = _autograd_differences(generator, network, inputs, labels)
    text = "largest rise of the free energy in 200 inference steps of gamma = 0.01, relative to "
    deviations = {
        "value-node update against -dF/dx by autograd: maximum relative difference": values,
        "weight and bias updates against -dF/dW, -dF/db by autograd: maximum relative "
        "difference": parameters,
    }
    return [
        Check("free_energy_never_rises", text + "its start", rise / record.free_energy[0], 1e-12),
        *checks("updates_descend_the_free_energy", 1e-10, deviations),
    ]


def prediction_is_forward_pass(settings: Theorems, seed: int) -> list[Check]:
    """Section 3.5.1: with a free output the network settles at the feed-forward activities."""
    generator, network, inputs, _ = problem("prediction", seed, activation="sigmoid")
    shapes = [(BATCH, units) for units in SIZES[1:]]
    values = tuple(normal(generator, *shape) for shape in shapes)
    record = relax(network, inputs, None, INFERENCE_STEPS, 0.1, node="linear", values=values)
    before, after = (
        float((record.value_nodes[index][-1] - forward(network, inputs)).abs().max())
        for index in (0, -1)
    )
    errors = max(float(error.abs().max()) for error in record.error_nodes[-1])
    text = f"output after {INFERENCE_STEPS} inference steps from random value nodes against the "
    settled = {text + "forward pass: maximum difference": after, "largest error node then": errors}
    text = "maximum difference before inference (the check is not empty)"
    check = "settles_at_the_forward_pass"
    return [*checks(check, 1e-6, settled), Check(check, text, before, 0.1, ">")]


def _deltas(network: Network, values: list[Tensor], top: Tensor) -> list[Tensor]:
    """Backprop recursion d(l) = f'(x(l)) d(l+1) W(l+1) from d(L) = ``top``.

    ``values`` are x(1)..x(L); returned in the order of the layers, with f' by autograd.
    """
    deltas = [top]
    for layer in reversed(range(1, len(network.weights))):
        below = values[layer - 1].clone().requires_grad_()
        activity = torch.sigmoid(below)
        (delta,) = torch.autograd.grad(activity, below, deltas[0] @ network.weights[layer])
        deltas.insert(0, delta)
    return deltas


def errors_match_backprop(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 47: at equilibrium the error nodes follow backprop's recursion with x in place of z.

    They approach backprop's errors as the output error e(L) vanishes, provided that the recursion
    starts from e(L) itself: the equilibrium spreads the difference between target and output over
    all layers, so e(L) stays smaller than that difference by a factor that does not tend to 1.
    """
    generator, network, inputs, _ = problem("errors_match_backprop", seed, activation="sigmoid")
    output = forward(network, inputs)
    direction = normal(generator, *output.shape)
    free = relax(network, inputs, None, 0, 0.1, node="linear").value_nodes[0][1:]
    scales = (1.0, 0.1, 0.01, 0.001)
    relation, own_error, target_error = [], [], []
    for scale in scales:
        record = relax(
            network, inputs, output + scale * direction, INFERENCE_STEPS, 0.1, node="linear"
        )
        values, errors = list(record.value_nodes[-1][1:]), list(record.error_nodes[-1])
        expected = _deltas(network, values, errors[-1])
        relation.append(
            max(float((a - b).abs().max()) for a, b in zip(errors, expected, strict=True))
        )
        for found, top in ((own_error, errors[-1]), (target_error, scale * direction)):
            deltas = _deltas(network, list(free), top)
            found.append(relative_difference(errors[:-1], deltas[:-1]))
    text = f"error nodes after {INFERENCE_STEPS} inference steps against f'(x) (e W): maximum "
    slope = "distance from 1 of the log-log slope of the relative difference over the output error"
    own = "hidden error nodes against backprop's recursion started from the output's error node"
    target = "hidden error nodes against backprop's errors for the same target"
    own_apart, target_apart = (
        abs(log_slope(scales, error) - 1.0) for error in (own_error, target_error)
    )
    check = "errors_approach_backprop_deltas"
    return [
        Check("recursion_holds_at_equilibrium", text + "difference", max(relation), 1e-6),
        Check(check, f"{own}: {slope}", own_apart, 0.1),
        Check(check, f"{target}: {slope}", target_apart, 0.1, protocol="as_published"),
    ]


def _update_difference(network: Network, inputs: Tensor, labels: Tensor, rule: str) -> float:
    """Relative difference of one SGD update of all parameters by ``rule`` and by backprop."""
    changes = []
    for name in (rule, "backprop"):
        trained = clone_network(network)
        settings = TrainingSettings(dtype="float64", learning_rule=name, learning_rate=0.01)
        update(trained, init_optimizer(trained, settings), inputs, labels, settings)
        both = zip(parameters_of(trained), parameters_of(network), strict=True)
        changes.append([after - before for after, before in both])
    return relative_difference(*changes)


def zil_algorithm(settings: Theorems, seed: int) -> list[Check]:
    """Section 3.5.2: Z-IL makes exactly backprop's update.

    Value nodes and weights have to move from the values of the same instant.
    """
    _, network, inputs, labels = problem("zil_algorithm", seed)
    orders = {
        "zil": ("corrected", "Z-IL, simultaneous updates"),
        "zil_sequential": (
            "as_coded",
            "Z-IL in the author's order (weights first, learning rate 0.01)",
        ),
    }
    found = []
    for rule, (protocol, order) in orders.items():
        text = f"{order}: update of all weights and biases against backprop, maximum relative "
        text += "difference"
        apart = _update_difference(network, inputs, labels, rule)
        found.append(Check("update_equals_backprop", text, apart, 1e-10, protocol=protocol))
    return found


def _zil_gradients(network: Network, inputs: Tensor, labels: Tensor) -> list[Tensor]:
    """Gradients that Z-IL finds, in the order of ``parameters_of``."""
    plan = stages(network)
    return _in_order(zil_terms(network, plan, start(network, inputs, labels, plan)))


def softmax_node(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 48-50: the softmax node moves the logits along the cross entropy's negative gradient."""
    _, network, inputs, labels = problem("softmax_node", seed)
    plan = stages(network)
    state = start(network, inputs, labels, plan)
    logits_change = value_node_changes(network, plan, state)[-1]
    expected = labels - torch.softmax(forward(network, inputs), dim=1)
    moved = float((logits_change - expected).abs().max())
    zil = _zil_gradients(network, inputs, labels)
    apart = relative_difference(zil, reference_gradients(network, inputs, labels))
    change = "change of the logits' value node with zero error node against target minus softmax: "
    text = "gradients of Z-IL with a softmax node against autograd of the cross entropy: maximum "
    return [
        Check("logits_move_along_the_residual", change + "maximum difference", moved, 1e-12),
        Check("equals_backprop", text + "relative difference", apart, 1e-10),
    ]


def batch_norm_nodes(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 51-54: batch norm as a stage of the network, with updates of gamma and beta."""
    generator, network, inputs, labels = problem("batch_norm_nodes", seed, batch_norm=True)
    values, parameters = _autograd_differences(generator, network, inputs, labels)
    descent = {
        "value-node updates of a network with batch norm against -dF/dx by autograd: maximum "
        "relative difference": values,
        "updates of weights, biases, gamma and beta against autograd of F: maximum relative "
        "difference": parameters,
    }
    zil = _zil_gradients(network, inputs, labels)
    apart = relative_difference(zil, reference_gradients(network, inputs, labels))
    text = "gradients of Z-IL with batch norm against autograd of the cross entropy: maximum "
    coded = (
        "Z-IL with batch norm in the author's order (weights first, learning rate 0.01): "
        "update of all parameters against backprop, maximum relative difference"
    )
    sequential = _update_difference(network, inputs, labels, "zil_sequential")
    return [
        *checks("updates_descend_the_free_energy", 1e-8, descent),
        Check("equals_backprop", text + "relative difference", apart, 1e-6),
        Check("equals_backprop", coded, sequential, 1e-6, protocol="as_coded"),
    ]
