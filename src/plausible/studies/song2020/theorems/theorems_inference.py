"""Models, derivations and inference of Song et al. 2020 (sections 1, 2, 4, A.2, A.3, A.11)."""

from collections.abc import Sequence
from itertools import product

import torch
from torch import Tensor
from torch.nn import functional

from plausible.learning.layered import (
    LayeredNetwork,
    backprop_updates,
    forward,
    local_update,
    look,
    relax,
    start,
    value_node_changes,
)
from plausible.learning.layered_rules import il_updates
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, normal, relative_difference
from plausible.studies.song2020.theorems.problems import (
    BROKEN,
    DEPTHS,
    Problem,
    largest_difference,
    moments,
    parts,
    random_problem,
    reference_activity,
    reference_backprop,
    reference_energy,
)

GAMMA = 0.2
"""Small enough for inference to settle with the random networks used here."""
INFERENCE_STEPS = 400


def _disturbed(problem: Problem, clamped: bool = True) -> tuple[Tensor, ...]:
    """Value nodes x^0 .. x^{l_max} with an error at every node; the input stays."""
    values = start(problem.network, problem.inputs, problem.targets if clamped else None).values
    moved = [value + 0.3 * normal(problem.generator, *value.shape) for value in values[:-1]]
    return (problem.targets if clamped else moved[0], *moved[1:], problem.inputs)


def _energy_gradients(problem: Problem, values: Sequence[Tensor]) -> tuple[list[Tensor], ...]:
    """-dF/d of x^0 .. x^{l_max}, of the weights and of the biases, by autograd."""
    network = problem.network
    variables = [value.clone().requires_grad_() for value in values]
    weights = [weight.clone().requires_grad_() for weight in network.weights]
    biases = [bias.clone().requires_grad_() for bias in network.biases]
    energy = reference_energy(network, variables, weights, biases)
    found = [-g for g in torch.autograd.grad(energy, [*variables, *weights, *biases])]
    cut = len(variables)
    return found[:cut], found[cut : cut + len(weights)], found[cut + len(weights) :]


def value_node_dynamics(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 7, 14-18: value nodes descend the energy; the input and a clamped output rest."""
    hidden, output, fixed = [], [], []
    for l_max, clamped in product(DEPTHS, (True, False)):
        problem = random_problem("eq7", seed, l_max, True)
        values = _disturbed(problem, clamped)
        found = value_node_changes(problem.network, look(problem.network, values), clamped)
        expected = _energy_gradients(problem, values)[0]
        hidden.append(relative_difference(list(found[1:-1]), expected[1:-1]))
        fixed.append(float(found[-1].abs().max()))
        if clamped:
            fixed.append(float(found[0].abs().max()))
        else:
            output.append(relative_difference([found[0]], [expected[0]]))
    text = "against -dF/dx by autograd, l_max 2 to 4: maximum relative difference"
    rest = "change of the input (l = l_max) and of a clamped output"
    return [
        Check("equals_autodiff", f"change of hidden value nodes {text}", max(hidden), 1e-12),
        Check("equals_autodiff", f"change of a free output (l = 0) {text}", max(output), 1e-12),
        Check("equals_autodiff", rest, max(fixed), 0.0, "=="),
    ]


def weight_dynamics(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 9, 19-21: the weights descend the energy with what their two nodes know."""
    weights, biases = [], []
    for l_max, activate_input in product(DEPTHS, (False, True)):
        problem = random_problem("eq9", seed, l_max, True, activate_input)
        network, values = problem.network, _disturbed(problem)
        found = [
            local_update(network, level, values[level + 1], errors)
            for level, errors in enumerate(look(network, values).errors)
        ]
        _, expected_weights, expected_biases = _energy_gradients(problem, values)
        weights.append(relative_difference([pair[0] for pair in found], expected_weights))
        biases.append(relative_difference([pair[1] for pair in found], expected_biases))
    text = "by autograd, l_max 2 to 4: maximum relative difference"
    return [
        Check("equals_autodiff", f"epsilon f(x) against -dF/dtheta {text}", max(weights), 1e-12),
        Check("equals_autodiff", f"bias updates against -dF/dbias {text}", max(biases), 1e-12),
    ]


def artificial_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1-4: the recursion gives minus the gradient; read as dE/dy (text) it has no such sign."""
    measured = []
    for protocol, sign, text in (
        (
            "corrected",
            1.0,
            "updates by eq. 3 and 4, delta = s_out - y at the output, against minus",
        ),
        ("as_published", -1.0, "the same with delta = dE/dy as the text says, against plus"),
    ):
        differences = []
        for l_max in DEPTHS:
            problem = random_problem("ann_bp", seed, l_max, True, protocol == "as_published")
            reference = reference_backprop(problem)
            expected = [sign * each for each in (*reference.weights, *reference.biases)]
            found = parts(backprop_updates(*problem[:3]))
            differences.append(relative_difference(found, expected))
        text += " the gradient by autograd, l_max 2 to 4: maximum relative difference"
        apart = {text: max(differences)}
        measured += checks("gradients_equal_autodiff", 1e-12, apart, "<=", protocol)
    return measured


def _settled(problem: Problem, clamped: bool):
    """Inference from disturbed value nodes until it rests."""
    values = _disturbed(problem, clamped)[:-1]
    targets = problem.targets if clamped else None
    return relax(problem.network, problem.inputs, targets, INFERENCE_STEPS, GAMMA, values=values)


def predictive_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5-9: inference descends the energy, to zero without and to a rest with a teacher."""
    rises, free, distance, last, remaining = [], [], [], [], []
    for l_max in DEPTHS:
        problem = random_problem("pcn_il", seed, l_max, True)
        learning = relax(*problem[:3], 200, 0.01)
        rises += [b - a for a, b in zip(learning.energy, learning.energy[1:], strict=False)]
        prediction, learning = _settled(problem, False), _settled(problem, True)
        free += [float(error.abs().max()) for error in prediction.errors[-1]]
        expected = forward(problem.network, problem.inputs)
        distance.append(largest_difference(prediction.values[-1], expected))
        last.append(largest_difference(learning.values[-1], learning.values[-2]))
        remaining += [float(error.norm()) for error in learning.errors[-1]]
    after = f"after {INFERENCE_STEPS} steps of gamma = {GAMMA}"
    rise = "largest rise of F in 200 steps of gamma = 0.01, output clamped"
    reached = {
        f"output free: largest error node {after}": max(free),
        f"output free: largest distance of a value node to the ANN's {after}": max(distance),
    }
    resting = f"output clamped: last change of a value node {after}"
    kept = f"output clamped: smallest norm of a layer's errors {after}"
    return [
        Check("energy_decreases", rise, max(rises), 0.0),
        *checks("free_output_reaches_ann", 1e-6, reached),
        Check("clamped_output_keeps_errors", resting, max(last), 1e-10),
        Check("clamped_output_keeps_errors", kept, min(remaining), 1e-3, ">"),
    ]


def _cosine(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    one, other = (torch.cat([each.flatten() for each in tensors]) for tensors in (found, expected))
    return float(functional.cosine_similarity(one, other, dim=0))


def approximation(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Sections 1, 2.2: at convergence IL is close to backprop and not the same.

    The error is moderate: targets are normal around the output with standard deviation 0.1.
    """
    found = []
    for l_max in DEPTHS:
        problem = random_problem("il_approximates_bp", seed, l_max)
        output = forward(problem.network, problem.inputs)[0]
        problem = problem._replace(targets=output + 0.1 * problem.targets)
        il = il_updates(*problem[:3], INFERENCE_STEPS, GAMMA)
        found.append(_cosine(parts(il), parts(backprop_updates(*problem[:3]))))
    text = f"cosine of the updates of IL (t_c = {INFERENCE_STEPS}) and backprop, l_max 2 to 4"
    return [
        Check("close_not_equal", f"{text}: smallest", min(found), 0.9, ">"),
        Check("close_not_equal", f"{text}: largest", max(found), 1.0 - 1e-9, "<"),
    ]


def _zil_from(problem: Problem, values: Sequence[Tensor]) -> list[Tensor]:
    """Weight updates of Z-IL whose value nodes x^0 .. x^{l_max-1} start at ``values``."""
    record = relax(*problem[:3], len(problem.network.weights) - 1, 1.0, values=values)
    return [
        local_update(problem.network, level, record.values[level][level + 1], errors)[0]
        for level, errors in enumerate(moments(record, "errors"))
    ]


def prediction_phase(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4: C1 needs the input before the teacher, until the network has settled."""
    found: dict[str, list[float]] = {"before": [], "zero": [], "settled": []}
    for l_max in DEPTHS:
        problem = random_problem("c1_prediction_phase", seed, l_max)
        expected = reference_backprop(problem).weights
        other = problem._replace(inputs=normal(problem.generator, *problem.inputs.shape))
        previous = relax(*other[:3], l_max, 1.0).values[-1][:-1]
        free = (problem.network, problem.inputs, None, INFERENCE_STEPS, GAMMA)
        starts = {
            "before": previous,
            "zero": [torch.zeros_like(value) for value in previous],
            "settled": relax(*free, values=previous).values[-1][:-1],
        }
        for name, values in starts.items():
            found[name].append(relative_difference(_zil_from(problem, values), expected))
    text = "updates of Z-IL against autograd, maximum relative difference"
    least, most = f"{text}, smallest of l_max 2 to 4", f"{text}, largest of l_max 2 to 4"
    apart = {
        f"value nodes still where the previous samples left them: {least}": min(found["before"]),
        f"value nodes start at zero: {least}": min(found["zero"]),
    }
    settled = {
        f"after a prediction phase of {INFERENCE_STEPS} steps: {most}": max(found["settled"])
    }
    return [
        *checks("diverges_without_prediction", BROKEN, apart, ">"),
        *checks("diverges_without_prediction", 1e-9, settled),
    ]


def energy_comparison(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.11: the Hopfield-like energy of eq. 31 teaches other weights than eq. 32.

    Eq. 31 is 1/2 sum x^2 - sum f(x^{l+1}) theta^{l+1} f(x^l) with biases 0, as in Bengio et al.
    2017; both are differentiated by autograd at the same value nodes.
    """
    by_values, by_weights = [], []
    for l_max in DEPTHS:
        problem = random_problem("a11", seed, l_max)
        network, nodes = problem.network, _disturbed(problem)
        pairs = []
        for energy in (_hopfield_energy, reference_energy):
            values = [value.clone().requires_grad_() for value in nodes]
            weights = [weight.clone().requires_grad_() for weight in network.weights]
            total = energy(network, values, weights, None)
            found = torch.autograd.grad(total, [*values[1:-1], *weights])
            pairs.append((found[: l_max - 1], found[l_max - 1 :]))
        by_values.append(_cosine(pairs[0][0], pairs[1][0]))
        by_weights.append(_cosine(pairs[0][1], pairs[1][1]))
    text = "cosine of the gradients of eq. 31 and 32 by the"
    cosines = {
        f"{text} weights, largest of l_max 2 to 4": max(by_weights),
        f"{text} hidden value nodes, largest of l_max 2 to 4": max(by_values),
    }
    return checks("gradients_differ", 1.0 - 1e-6, cosines, "<")


def _hopfield_energy(
    network: LayeredNetwork, values: Sequence[Tensor], weights: Sequence[Tensor], biases: None
) -> Tensor:
    energy = sum((value**2).sum() for value in values) / 2
    activities = [reference_activity(network, level, value) for level, value in enumerate(values)]
    for level, weight in enumerate(weights):
        energy = energy - ((activities[level + 1] @ weight) * activities[level]).sum()
    return energy


def prediction_equals_forward(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.2: in the prediction phase the value nodes settle at the ANN's activities."""
    before, after = [], []
    for l_max in DEPTHS:
        problem = random_problem("prediction_equals_forward", seed, l_max, True)
        expected = forward(problem.network, problem.inputs)
        record = _settled(problem, False)
        before.append(largest_difference(record.values[0], expected))
        after.append(largest_difference(record.values[-1], expected))
    text = "largest distance of a value node to the ANN's"
    settled = f"{text} after {INFERENCE_STEPS} steps, l_max 2 to 4"
    started = f"{text} before inference (the check is not empty)"
    return [
        Check("reaches_forward_activity", settled, max(after), 1e-6),
        Check("reaches_forward_activity", started, min(before), 0.1, ">"),
    ]
