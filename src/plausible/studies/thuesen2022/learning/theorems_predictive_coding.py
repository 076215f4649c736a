"""Predictive coding networks, IL and Z-IL of Thuesen 2022 (section 3.5), checked in float64."""

from collections.abc import Iterable, Iterator
from functools import partial
from itertools import pairwise

import torch
from torch import Tensor
from torch.nn import functional

from plausible.learning.backprop import LocalTerms, mean_gradients
from plausible.learning.optimizers import init_optimizer
from plausible.learning.predictive_coding import (
    Relaxation,
    Stage,
    State,
    advance,
    free_energy,
    local_terms,
    move,
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
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    relative_difference,
)
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
        prediction = functional.linear(below, weights[layer].t(), biases[layer])
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


def _random_state(
    generator: torch.Generator, network: Network, inputs: Tensor, labels: Tensor
) -> State:
    """Random value nodes, so that no error node is zero."""
    plan = stages(network)
    state = start(network, inputs, labels, plan)
    moved = [value + 0.3 * normal(generator, *value.shape) for value in state.values[1:-1]]
    return refresh(network, plan, state._replace(values=[inputs, *moved, labels]))


def _autograd_differences(
    network: Network, state: State, sender: Network | None = None
) -> tuple[float, float]:
    """Relative differences of value-node and parameter updates to autograd of the free energy.

    Autograd's gradient is that of F, the updates go the opposite way. ``sender`` is a network whose
    weights and norms carry the messages in the place of the network's own.
    """
    plan = stages(network)
    values = [value.clone().requires_grad_() for value in state.values]
    parameters = [parameter.clone().requires_grad_() for parameter in parameters_of(network)]
    energy = reference_free_energy(network, values, parameters)
    changes = value_node_changes(sender or network, plan, state)
    found_values = [-change for change in changes]
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
    state = _random_state(generator, network, inputs, labels)
    values, parameters = _autograd_differences(network, state)
    slope_of = network.activation.value_and_derivative
    elsewhere = [state.locals[0]]
    for below, view in pairwise(state.locals):
        own = None if view.slope is None else slope_of(below.prediction)[1]
        elsewhere.append(view._replace(slope=own))
    at_predictions, _ = _autograd_differences(network, state._replace(locals=elsewhere))
    rise = partial(_largest_rise, network, inputs, labels)
    energy, descent = "free_energy_never_rises", "updates_descend_the_free_energy"
    text = "against autograd: maximum relative difference"
    return [
        Check(
            energy,
            "largest relative rise of the free energy in 200 inference steps, gamma = 0.01",
            rise(200, 0.01),
        ),
        *controls(energy, {"gamma_of_5": rise(5, 5.0), "feedback_reversed": rise(5, 0.1, -1.0)}),
        *checks(
            descent,
            {
                "value_nodes": (f"value-node update against -dF/dx {text}", values),
                "parameters": (
                    f"updates of weights and biases, -dF/dW and -dF/db, {text}",
                    parameters,
                ),
            },
        ),
        *controls(
            descent,
            {"slope_at_the_prediction": at_predictions},
        ),
    ]


def _largest_rise(
    network: Network,
    inputs: Tensor,
    labels: Tensor,
    steps: int,
    step_size: float,
    feedback: float = 1.0,
) -> float:
    """Largest (F(t+1) - F(t)) / F(t) from the forward pass on; ``feedback`` scales the messages."""
    plan = stages(network)
    state = start(network, inputs, labels, plan)
    energies = [free_energy(plan, state)]
    for _ in range(steps):
        changes = [
            feedback * (change + error) - error
            for change, error in zip(
                value_node_changes(network, plan, state), state.errors, strict=False
            )
        ]
        state = refresh(network, plan, move(state, changes, step_size))
        energies.append(free_energy(plan, state))
    return max((after - before) / before for before, after in pairwise(energies))


def prediction_is_forward_pass(settings: Theorems, seed: int) -> list[Check]:
    """Section 3.5.1: with a free output the network settles at the feed-forward activities."""
    generator, network, inputs, labels = problem("prediction", seed, activation="sigmoid")
    values = tuple(normal(generator, BATCH, units) for units in SIZES[1:])
    settled = _forward_nodes(network, inputs)

    def apart(steps: int, target: Tensor | None = None) -> float:
        record = relax(network, inputs, target, steps, 0.1, node="linear", values=values)
        pairs = zip(record.value_nodes[-1][1:], settled, strict=True)
        return max(float((node - expected).abs().max()) for node, expected in pairs)

    check = "settles_at_the_forward_pass"
    text = f"value nodes after {INFERENCE_STEPS} inference steps from random ones against the "
    return [
        Check(check, text + "forward pass: maximum difference", apart(INFERENCE_STEPS)),
        *controls(
            check,
            {
                "output_clamped_too": apart(INFERENCE_STEPS, labels),
                "stopped_after_2_steps": apart(2),
            },
        ),
    ]


def _forward_nodes(network: Network, inputs: Tensor) -> list[Tensor]:
    """x(1)..x(L) of the forward pass of a network of sigmoids, written out."""
    nodes, below = [], inputs
    for weight, bias in zip(network.weights, network.biases, strict=True):
        nodes.append(functional.linear(below, weight.t(), bias))
        below = torch.sigmoid(nodes[-1])
    return nodes


def _deltas(
    network: Network, values: list[Tensor], top: Tensor, last_weights: bool = True
) -> list[Tensor]:
    """Backprop recursion d(l) = f'(x(l)) d(l+1) W(l+1)^T from d(L) = ``top``.

    ``values`` are x(1)..x(L); returned in the order of the layers, with f' by autograd. Without
    ``last_weights`` it is the first case of eq. 47 as printed, which lacks W(L).
    """
    deltas = [top]
    for layer in reversed(range(1, len(network.weights))):
        below = values[layer - 1].clone().requires_grad_()
        activity = torch.sigmoid(below)
        printed = layer == len(network.weights) - 1 and not last_weights
        sent = deltas[0] if printed else deltas[0] @ network.weights[layer].t()
        (delta,) = torch.autograd.grad(activity, below, sent)
        deltas.insert(0, delta)
    return deltas


def errors_match_backprop(settings: Theorems, seed: int) -> list[Check]:
    """Eq. 47: at equilibrium the error nodes follow backprop's recursion with x in place of z.

    They approach backprop's errors as the output error e(L) vanishes, provided that the recursion
    starts from e(L) itself: the equilibrium spreads the difference between target and output over
    all layers, so e(L) stays smaller than that difference by a factor that does not tend to 1.
    """
    # The last matrix is square, so that eq. 47 as printed, without it, has a meaning.
    generator, network, inputs, _ = problem(
        "errors_match_backprop", seed, (20, 16, 10, 10), activation="sigmoid"
    )
    free = _forward_nodes(network, inputs)
    direction = normal(generator, *free[-1].shape)
    elsewhere = [normal(generator, *node.shape) for node in free]

    def relaxed(scale: float, steps: int = INFERENCE_STEPS) -> Relaxation:
        target = free[-1] + scale * direction
        return relax(network, inputs, target, steps, 0.1, node="linear")

    def recursion_apart(record: Relaxation, last_weights: bool = True) -> float:
        errors = list(record.error_nodes[-1])
        values = list(record.value_nodes[-1][1:])
        return relative_difference(errors, _deltas(network, values, errors[-1], last_weights))

    scales = (1e-1, 1e-2, 1e-3, 1e-4, 1e-5)
    equilibria = [list(relaxed(scale).error_nodes[-1]) for scale in scales]

    def order(values: list[Tensor], own: bool) -> float:
        """Order in which the hidden errors approach backprop's at ``values``."""
        apart = []
        for scale, errors in zip(scales, equilibria, strict=True):
            deltas = _deltas(network, values, errors[-1] if own else scale * direction)
            apart.append(relative_difference(errors[:-1], deltas[:-1]))
        return log_slope(scales, apart)

    whole = relaxed(1.0)
    recursion, approach = "recursion_holds_at_equilibrium", "errors_approach_backprop_deltas"
    text = f"error nodes after {INFERENCE_STEPS} inference steps against f'(x) (e W): maximum "
    text += "relative difference"
    slope = "order of their relative difference in the output error"
    target = "hidden error nodes and backprop's errors for the same target"
    own = "hidden error nodes and backprop's recursion from the output's error node"
    return [
        Check(recursion, text, recursion_apart(whole)),
        Check(
            recursion,
            f"without W(L) in the first case, as printed: {text}",
            recursion_apart(whole, last_weights=False),
            protocol="as_published",
        ),
        *controls(
            recursion,
            {
                "checked_after_3_steps": recursion_apart(relaxed(1.0, 3)),
                "last_weights_omitted": recursion_apart(whole, last_weights=False),
            },
        ),
        Check(approach, f"{own}: {slope}", order(free, own=True)),
        Check(approach, f"{target}: {slope}", order(free, own=False), protocol="as_published"),
        *controls(approach, {"slopes_at_another_point": abs(order(elsewhere, own=True) - 1.0)}),
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
    generator, network, inputs, labels = problem("zil_algorithm", seed)
    reference = reference_gradients(network, inputs, labels)
    plan = stages(network)
    first = start(network, inputs, labels, plan)
    shaken = [value + 0.01 * normal(generator, *value.shape) for value in first.values[1:-1]]
    displaced = refresh(network, plan, first._replace(values=[inputs, *shaken, labels]))

    def apart(terms: Iterable[LocalTerms]) -> float:
        return relative_difference(_in_order(terms), reference)

    check, text = "update_equals_backprop", "update of all weights and biases, maximum relative "
    author = "Z-IL in the author's order (weights first, learning rate 0.01) against backprop: "
    return [
        *checks(
            check,
            {
                "update": (
                    f"Z-IL, simultaneous updates, against backprop: {text}difference",
                    _update_difference(network, inputs, labels, "zil"),
                ),
                "gradient": (
                    "gradients of Z-IL against autograd: maximum relative difference",
                    apart(zil_terms(network, plan, first)),
                ),
            },
        ),
        *checks(
            check,
            {
                "update": (
                    f"{author}{text}difference",
                    _update_difference(network, inputs, labels, "zil_sequential"),
                )
            },
            "as_coded",
        ),
        *controls(
            check,
            {
                "gamma_one_half": apart(zil_terms(network, plan, first, step_size=0.5)),
                "one_step_late": apart(_late_terms(network, plan, first)),
                "start_beside_the_forward_pass": apart(zil_terms(network, plan, displaced)),
            },
        ),
    ]


def _late_terms(network: Network, plan: tuple[Stage, ...], state: State) -> Iterator[LocalTerms]:
    """Z-IL whose stages learn at t = L - l + 1, one inference step later than they should."""
    for k in reversed(range(len(plan))):
        state = refresh(network, plan, advance(network, plan, state, 1.0))
        if plan[k].kind != "softmax":
            yield local_terms(plan, state, k)


def softmax_node(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 48-50: the softmax node moves the logits along the cross entropy's negative gradient."""
    generator, network, inputs, labels = problem("softmax_node", seed)
    plan = stages(network)
    state = start(network, inputs, labels, plan)
    probabilities = torch.softmax(forward(network, inputs), dim=1)
    reference = reference_gradients(network, inputs, labels)

    def moved_apart(errors: list[Tensor]) -> float:
        """Distance of the logits' change to target minus softmax, for these error nodes."""
        change = value_node_changes(network, plan, state._replace(errors=errors))[-1]
        return float((change - (labels - probabilities)).abs().max())

    def zil_apart(errors: list[Tensor]) -> float:
        """Distance of Z-IL's gradients to autograd's, for these error nodes at its start."""
        terms = zil_terms(network, plan, state._replace(errors=errors))
        return relative_difference(_in_order(terms), reference)

    *below, top = state.errors
    jacobian = probabilities * (top - (probabilities * top).sum(dim=1, keepdim=True))
    weights = torch.eye(SIZES[-1]) + 0.3 * normal(generator, SIZES[-1], SIZES[-1])
    squared = labels - forward(network, inputs)
    moves, equals = "logits_move_along_the_residual", "equals_backprop"
    change = "change of the logits' value node with zero error node against target minus softmax: "
    text = "gradients of Z-IL with a softmax node against autograd of the cross entropy: maximum "
    return [
        Check(moves, change + "maximum difference", moved_apart(state.errors)),
        *controls(
            moves,
            {
                "jacobian_of_the_softmax": moved_apart([*below, jacobian]),
                "last_weights_not_the_identity": moved_apart([*below, top @ weights]),
            },
        ),
        Check(equals, text + "relative difference", zil_apart(state.errors)),
        *controls(equals, {"squared_error_output": zil_apart([*below, squared])}),
    ]


def batch_norm_nodes(settings: Theorems, seed: int) -> list[Check]:
    """Eqs. 51-54: batch norm as a stage of the network, with updates of gamma and beta."""
    generator, network, inputs, labels = problem("batch_norm_nodes", seed, batch_norm=True)
    state = _random_state(generator, network, inputs, labels)
    values, parameters = _autograd_differences(network, state)
    opposite = network._replace(
        batch_norms=tuple(
            norm if norm is None else norm._replace(gain=-norm.gain) for norm in network.batch_norms
        )
    )
    plan = stages(network)
    first = start(network, inputs, labels, plan)
    reference = reference_gradients(network, inputs, labels)

    def zil_apart(own: State) -> float:
        return relative_difference(_in_order(zil_terms(network, plan, own)), reference)

    descent, equals = "updates_descend_the_free_energy", "equals_backprop"
    text = "against autograd: maximum relative difference"
    coded = "Z-IL with batch norm in the author's order (weights first, learning rate 0.01): "
    coded += "update of all parameters against backprop, maximum relative difference"
    return [
        *checks(
            descent,
            {
                "value_nodes": (f"value-node updates with batch norm, -dF/dx, {text}", values),
                "parameters": (f"updates of weights, biases, gamma and beta {text}", parameters),
            },
        ),
        *controls(
            descent,
            {
                "statistics_constant": _autograd_differences(network, _constant(state))[0],
                "sign_of_the_norms_message": _autograd_differences(network, state, opposite)[0],
            },
        ),
        Check(equals, f"gradients of Z-IL with batch norm {text}", zil_apart(first)),
        Check(
            equals,
            coded,
            _update_difference(network, inputs, labels, "zil_sequential"),
            protocol="as_coded",
        ),
        *controls(equals, {"messages_through_constant_statistics": zil_apart(_constant(first))}),
    ]


def _constant(state: State) -> State:
    """The state with batch statistics taken as constants by the derivative."""
    views = [
        view
        if view.normalised is None
        else view._replace(normalised=view.normalised._replace(batch_statistics=False))
        for view in state.locals
    ]
    return state._replace(locals=views)
