"""Models, derivations and inference of Song et al. 2020 (sections 1, 2, 4, A.2, A.3, A.11)."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from plausible.data.dataset import Dataset
from plausible.networks.mlp import Network
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    relative_difference,
)
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.levels import (
    Updates,
    activity,
    backprop_updates,
    forward,
    il_updates,
    local_update,
    look,
    offsets,
    relax,
    send_back,
    start,
    thetas,
    value_node_changes,
    zil_updates,
)
from plausible.studies.song2020.theorems.problems import (
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
from plausible.studies.song2020.theorems.settings import Theorems

GAMMA = 0.2
"""Small enough for inference to settle with the random networks used here."""
INFERENCE_STEPS = 400
BATCH_SIZE, HIDDEN_NEURONS = 20, 32
APART_STEPS, APART_GAMMA = 60, 0.5
"""Inference on images until it rests."""
COMPARED_NETWORKS = 20


def _disturbed(problem: Problem, clamped: bool = True) -> tuple[Tensor, ...]:
    """Value nodes x^0 .. x^{l_max} with an error at every node; the input stays."""
    values = start(problem.network, problem.inputs, problem.targets if clamped else None).values
    moved = [value + 0.3 * normal(problem.generator, *value.shape) for value in values[:-1]]
    return (problem.targets if clamped else moved[0], *moved[1:], problem.inputs)


def _energy_gradients(problem: Problem, values: Sequence[Tensor]) -> tuple[list[Tensor], ...]:
    """-dF/d of x^0 .. x^{l_max}, of the weights and of the biases, by autograd."""
    network = problem.network
    variables = [value.clone().requires_grad_() for value in values]
    weights = [weight.clone().requires_grad_() for weight in thetas(network)]
    biases = [bias.clone().requires_grad_() for bias in offsets(network)]
    energy = reference_energy(network, variables, weights, biases)
    found = [-g for g in torch.autograd.grad(energy, [*variables, *weights, *biases])]
    cut = len(variables)
    return found[:cut], found[cut : cut + len(weights)], found[cut + len(weights) :]


def _dynamics(seed: int, own: float = 1.0, slope_at_mu: bool = False) -> dict[str, float]:
    """Differences of eq. 7 to -dF/dx, over the largest -dF/dx, in its four cases.

    ``own`` is the factor of the node's own error; with ``slope_at_mu`` f' is taken at mu.
    """
    apart: dict[str, list[float]] = {}
    for l_max, clamped in product(DEPTHS, (True, False)):
        problem = random_problem("eq7", seed, l_max, True)
        network, values = problem.network, _disturbed(problem, clamped)
        state = look(network, values)
        found = list(value_node_changes(network, state, clamped))
        for level in range(1, l_max):
            if slope_at_mu:
                sent = send_back(network, level, state.errors[level - 1], state.predictions[level])
                found[level] = sent - state.errors[level]
            found[level] = found[level] + (1.0 - own) * state.errors[level]
        expected = _energy_gradients(problem, values)[0]
        hidden = relative_difference(found[1:-1], expected[1:-1])
        apart.setdefault("hidden", []).append(hidden)
        size = float(expected[0].abs().max())
        rest = {"input": float(found[-1].abs().max()) / size}
        if clamped:
            rest["clamped_output"] = float(found[0].abs().max()) / size
        else:
            rest["free_output"] = relative_difference([found[0]], [expected[0]])
        for case, value in rest.items():
            apart.setdefault(case, []).append(value)
    return {case: max(values) for case, values in apart.items()}


def value_node_dynamics(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 7, 14-18: value nodes descend the energy; the input and a clamped output rest."""
    text = "relative to the largest -dF/dx by autograd, l_max 2 to 4: maximum"
    words = {
        "hidden": f"change of hidden value nodes minus -dF/dx, {text}",
        "free_output": f"change of a free output (l = 0) minus -dF/dx, {text}",
        "clamped_output": f"change of a clamped output (l = 0), {text}",
        "input": f"change of the input (l = l_max), {text}",
    }
    found = _dynamics(seed)
    problem = random_problem("eq7", seed, DEPTHS[0], True)
    values = _disturbed(problem)
    moving = value_node_changes(problem.network, look(problem.network, values), clamped=False)[0]
    size = float(_energy_gradients(problem, values)[0][0].abs().max())
    broken = {
        "own_error_left_out": _dynamics(seed, own=0.0)["hidden"],
        "slope_at_mu": _dynamics(seed, slope_at_mu=True)["hidden"],
        "clamped_output_moves": float(moving.abs().max()) / size,
    }
    return [
        *checks("equals_autodiff", {case: (words[case], found[case]) for case in words}),
        *controls("equals_autodiff", broken),
    ]


def _weights_apart(
    seed: int, source: Callable[[Problem, Sequence[Tensor], int], Tensor] | None = None
) -> dict[str, float]:
    """Differences of eq. 9 to -dF/dtheta; ``source`` stands in the place of f(x^{l+1})."""
    weights, biases = [], []
    for l_max, activate_input in product(DEPTHS, (False, True)):
        problem = random_problem("eq9", seed, l_max, True, activate_input)
        network, values = problem.network, _disturbed(problem)
        found = []
        for level, errors in enumerate(look(network, values).errors):
            change, bias = local_update(network, level, values[level + 1], errors)
            if source is not None:
                change = source(problem, values, level).t() @ errors
            found.append((change, bias))
        _, expected_weights, expected_biases = _energy_gradients(problem, values)
        weights.append(relative_difference([pair[0] for pair in found], expected_weights))
        biases.append(relative_difference([pair[1] for pair in found], expected_biases))
    return {"weights": max(weights), "biases": max(biases)}


def weight_dynamics(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 9, 19-21: the weights descend the energy with what their two nodes know."""

    def of_predictions(problem: Problem, values: Sequence[Tensor], level: int) -> Tensor:
        predictions = (*look(problem.network, values).predictions, values[-1])
        return activity(problem.network, level + 1, predictions[level + 1])

    def of_values(problem: Problem, values: Sequence[Tensor], level: int) -> Tensor:
        return values[level + 1]

    text = "by autograd, l_max 2 to 4: maximum relative difference"
    words = {
        "weights": f"epsilon f(x) against -dF/dtheta {text}",
        "biases": f"bias updates against -dF/dbias {text}",
    }
    found = _weights_apart(seed)
    broken = {
        "f_of_mu": _weights_apart(seed, of_predictions)["weights"],
        "x_in_place_of_f": _weights_apart(seed, of_values)["weights"],
    }
    return [
        *checks("equals_autodiff", {name: (words[name], found[name]) for name in words}),
        *controls("equals_autodiff", broken),
    ]


def _backprop_apart(
    theorem: str, seed: int, sign: float = 1.0, activate_input: bool = False
) -> dict[str, float]:
    """Differences of eq. 3 and 4 to ``-sign`` times the gradient by autograd."""
    errors, updates = [], []
    for l_max in DEPTHS:
        problem = random_problem(theorem, seed, l_max, True, activate_input)
        reference = reference_backprop(problem)
        expected = [sign * each for each in (*reference.weights, *reference.biases)]
        updates.append(relative_difference(parts(backprop_updates(*problem[:3])), expected))
        # The bias updates of a single sample are its deltas.
        samples = zip(problem.inputs.split(1), problem.targets.split(1), strict=True)
        each = [backprop_updates(problem.network, *sample).biases for sample in samples]
        deltas = [torch.stack(level) for level in zip(*each, strict=True)]
        wanted = [sign * delta for delta in reference.deltas]
        errors.append(relative_difference(deltas, wanted))
    return {"errors": max(errors), "updates": max(updates)}


def _activated_sums(seed: int) -> float:
    """Eq. 3 and 4 against the gradient of a network y = f(sum) in place of y = sum of f."""
    apart = []
    for l_max in DEPTHS:
        problem = random_problem("ann_bp", seed, l_max)
        weights = [weight.clone().requires_grad_() for weight in thetas(problem.network)]
        value = problem.inputs
        for weight in reversed(weights):
            value = torch.sigmoid(value @ weight)
        loss = ((problem.targets - value) ** 2).sum() / 2
        expected = [-gradient for gradient in torch.autograd.grad(loss, weights)]
        apart.append(relative_difference(parts(backprop_updates(*problem[:3])), expected))
    return min(apart)


def artificial_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1-4: the recursion gives minus the gradient; read as dE/dy (text) it has no such sign."""
    against = "the gradient by autograd, l_max 2 to 4: maximum relative difference"
    words = {
        "errors": "delta by eq. 4, s_out - y at the output, against",
        "updates": "updates by eq. 3 and 4 against",
    }
    right = _backprop_apart("ann_bp", seed)
    printed = _backprop_apart("ann_bp", seed, -1.0, activate_input=True)
    statement = "gradients_equal_autodiff"
    found = {name: (f"{text} minus {against}", right[name]) for name, text in words.items()}
    read = {
        name: (f"{text} plus {against} (delta = dE/dy, as the text says)", printed[name])
        for name, text in words.items()
    }
    broken = {
        "sign_of_the_text": min(_backprop_apart("ann_bp", seed, -1.0).values()),
        "activation_after_the_sum": _activated_sums(seed),
    }
    return [
        *checks(statement, found),
        *checks(statement, read, "as_published"),
        *controls(statement, broken),
    ]


def _settled(problem: Problem, clamped: bool, steps: int | None = None):
    """Inference from disturbed value nodes until it rests, or for so many steps."""
    values = _disturbed(problem, clamped)[:-1]
    targets = problem.targets if clamped else None
    steps = INFERENCE_STEPS if steps is None else steps
    return relax(problem.network, problem.inputs, targets, steps, GAMMA, values=values)


def _largest_rise(seed: int, gamma: float) -> float:
    """Largest relative increase of F in one of 200 steps, output clamped."""
    rises = []
    for l_max in DEPTHS:
        energy = relax(*random_problem("pcn_il", seed, l_max, True)[:3], 200, gamma).energy
        rises += [(b - a) / a for a, b in zip(energy, energy[1:], strict=False)]
    return max(rises)


def _away_from_forward(seed: int, clamped: bool = False) -> dict[str, float]:
    """Largest errors and distances to the ANN's values of settled networks."""
    errors, distances = [], []
    for l_max in DEPTHS:
        problem = random_problem("pcn_il", seed, l_max, True)
        record = _settled(problem, clamped)
        errors.append(max(float(error.abs().max()) for error in record.errors[-1]))
        expected = forward(problem.network, problem.inputs)
        distances.append(largest_difference(record.values[-1], expected))
    return {"errors": max(errors), "values": max(distances)}


def _backpropagated(problem: Problem, steps: int | None = None) -> float:
    """Largest ``|eps^l - f'(x^l) (eps^{l-1} theta^l^T)|`` of hidden layers, output clamped."""
    record = _settled(problem, True, steps)
    values, errors = record.values[-1], record.errors[-1]
    apart = (
        send_back(problem.network, level, errors[level - 1], values[level]) - errors[level]
        for level in range(1, len(errors))
    )
    return max(float(each.abs().max()) for each in apart)


def predictive_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5-9: inference descends the energy, to zero without and to a rest with a teacher."""

    def problems() -> list[Problem]:
        return [random_problem("pcn_il", seed, l_max, True) for l_max in DEPTHS]

    def smallest_error(clamped: bool) -> float:
        records = (_settled(problem, clamped) for problem in problems())
        return min(float(e.abs().max()) for record in records for e in record.errors[-1])

    after = f"after {INFERENCE_STEPS} steps of gamma = {GAMMA}, l_max 2 to 4"
    away = _away_from_forward(seed)
    clamped = _away_from_forward(seed, clamped=True)
    rises = {
        f"gamma_{gamma}".replace(".", "_"): (
            f"largest relative rise of F in one of 200 steps of gamma = {gamma}, output clamped",
            _largest_rise(seed, gamma),
        )
        for gamma in (0.01, 0.1)
    }
    reached = {
        "errors": (f"output free: largest error node {after}", away["errors"]),
        "values": (
            f"output free: largest distance of a value node to the ANN's {after}",
            away["values"],
        ),
    }
    relation = f"output clamped: largest |eps^l - f'(x^l) sum eps^(l-1) theta^l| {after}"
    kept = f"output clamped: smallest over layers of the largest |eps^l| {after}"
    as_if = "clamped_errors_as_if_backpropagated"
    return [
        *checks("energy_decreases", rises),
        *checks("free_output_reaches_ann", reached),
        Check(as_if, relation, max(map(_backpropagated, problems()))),
        Check("clamped_output_keeps_errors", kept, smallest_error(True)),
        *controls("energy_decreases", {"gamma_5": _largest_rise(seed, 5.0)}),
        *controls("free_output_reaches_ann", {"output_clamped": min(clamped.values())}),
        *controls(as_if, {"three_steps": min(_backpropagated(p, 3) for p in problems())}),
        *controls("clamped_output_keeps_errors", {"output_free": smallest_error(False)}),
    ]


def _cosine(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    one, other = (torch.cat([each.flatten() for each in tensors]) for tensors in (found, expected))
    return float(functional.cosine_similarity(one, other, dim=0))


def approximation(settings: Theorems, seed: int, dataset: Dataset) -> list[Check]:
    """Sections 1, 2.2: at convergence IL is close to backprop and not the same.

    Measured on the first batches of images of the set-up of section 5.1.
    """
    found: dict[str, dict[str, float]] = {}
    broken: dict[str, list[float]] = {}
    for l_max in DEPTHS:
        generator = torch_generator("theorems", seed, "il_approximates_bp", l_max)
        images = len(dataset.train_images)
        network, other = (
            draw_network(sizes_of(l_max, HIDDEN_NEURONS, dataset), generator) for _ in range(2)
        )
        problems = [
            Problem(network, *images_and_targets(dataset, batch), generator)
            for batch in batches(images, BATCH_SIZE, settings.batches, generator)
        ]
        pairs = [
            (parts(_converged(problem)), parts(backprop_updates(*problem[:3])))
            for problem in problems
        ]
        first, (il, bp) = problems[0], pairs[0]
        found[f"l_max_{l_max}"] = {
            "close_to_backprop": min(_smallest_cosine(*pair) for pair in pairs),
            "distance_vanishes_with_the_error": _slope(first, _converged),
            "not_equal_to_backprop": min(relative_difference(*pair) for pair in pairs),
        }
        elsewhere = parts(backprop_updates(other, *first[1:3]))
        for control, value in {
            "backprop_of_another_network": _smallest_cosine(il, elsewhere),
            "stopped_after_one_step": _slope(first, lambda p: il_updates(*p[:3], 1, APART_GAMMA)),
            "zil_in_place_of_il": relative_difference(parts(zil_updates(*first[:3])), bp),
        }.items():
            broken.setdefault(control, []).append(value)
    where = f"the first {settings.batches} batches of {BATCH_SIZE} images, t_c = {APART_STEPS}"
    words = {
        "close_to_backprop": "cosine of the update of a matrix by IL to that by BP, smallest of "
        f"all matrices and {where}",
        "distance_vanishes_with_the_error": "slope of the log relative difference of the updates "
        "against the log output error, the targets moved towards the output",
        "not_equal_to_backprop": f"relative difference of the updates, smallest of {where}",
    }
    measured = []
    for (statement, text), (control, values) in zip(words.items(), broken.items(), strict=True):
        deviations = {
            name: (f"{name}: {text}", values_of[statement]) for name, values_of in found.items()
        }
        measured += checks(statement, deviations, "as_published")
        measured += controls(statement, {control: max(values)})
    return measured


def _smallest_cosine(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Smallest over the matrices."""
    return min(_cosine([one], [other]) for one, other in zip(found, expected, strict=True))


def _converged(problem: Problem) -> Updates:
    """Updates of IL at convergence."""
    return il_updates(*problem[:3], APART_STEPS, APART_GAMMA)


def _slope(problem: Problem, rule: Callable[[Problem], Updates]) -> float:
    """Slope of log relative difference to backprop against log output error."""
    output = forward(problem.network, problem.inputs)[0]
    sizes = (1.0, 0.3, 0.1, 0.03)
    apart = []
    for size in sizes:
        near = problem._replace(targets=output + size * (problem.targets - output))
        apart.append(relative_difference(parts(rule(near)), parts(backprop_updates(*near[:3]))))
    return float(np.polyfit(np.log(sizes), np.log(apart), 1)[0])


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
    text = "updates of Z-IL against autograd, maximum relative difference, smallest of l_max 2 to 4"
    apart = {
        "previous_samples": (
            f"value nodes still where the previous samples left them: {text}",
            min(found["before"]),
        ),
        "hidden_at_zero": (f"value nodes start at zero: {text}", min(found["zero"])),
    }
    settled = {"after_a_prediction_phase": max(found["settled"])}
    statement = "diverges_without_prediction"
    return [*checks(statement, apart), *controls(statement, settled)]


def energy_comparison(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.11: the Hopfield-like energy of eq. 31 teaches other weights than eq. 32.

    Eq. 31 is 1/2 sum x^2 - sum f(x^{l+1}) theta^{l+1} f(x^l) with biases 0, as in Bengio et al.
    2017; both are differentiated by autograd at the same value nodes.
    """
    problems = {
        l_max: [random_problem(f"a11.{n}", seed, l_max) for n in range(COMPARED_NETWORKS)]
        for l_max in DEPTHS
    }
    text = f"cosine of the weight updates of eq. 31 and 32, mean of {COMPARED_NETWORKS} networks"
    found = {
        f"l_max_{l_max}": (
            f"l_max = {l_max}: {text}",
            _mean_cosine(drawn, _hopfield_energy, reference_energy),
        )
        for l_max, drawn in problems.items()
    }
    same = min(
        _mean_cosine(drawn, reference_energy, reference_energy) for drawn in problems.values()
    )
    statement = "learning_rules_differ"
    return [*checks(statement, found), *controls(statement, {"the_same_energy_twice": same})]


def _mean_cosine(problems: Sequence[Problem], *energies: Callable[..., Tensor]) -> float:
    """Mean over networks of the cosine between the weight gradients of two energies."""
    cosines = []
    for problem in problems:
        nodes = _disturbed(problem)
        found = []
        for energy in energies:
            weights = [weight.clone().requires_grad_() for weight in thetas(problem.network)]
            found.append(
                torch.autograd.grad(energy(problem.network, nodes, weights, None), weights)
            )
        cosines.append(_cosine(*found))
    return sum(cosines) / len(cosines)


def _hopfield_energy(
    network: Network, values: Sequence[Tensor], weights: Sequence[Tensor], biases: None
) -> Tensor:
    energy = sum((value**2).sum() for value in values) / 2
    activities = [reference_activity(network, level, value) for level, value in enumerate(values)]
    for level, weight in enumerate(weights):
        energy = energy - ((activities[level + 1] @ weight) * activities[level]).sum()
    return energy


def prediction_equals_forward(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.2: in the prediction phase the value nodes settle at the ANN's activities."""

    def away(clamped: bool = False) -> list[float]:
        found = []
        for l_max in DEPTHS:
            problem = random_problem("prediction_equals_forward", seed, l_max, True)
            record = _settled(problem, clamped)
            expected = forward(problem.network, problem.inputs)
            found.append(largest_difference(record.values[-1], expected))
        return found

    text = "largest distance of a value node to the ANN's, from a random start,"
    settled = f"{text} after {INFERENCE_STEPS} steps, l_max 2 to 4"
    statement = "reaches_forward_activity"
    return [
        Check(statement, settled, max(away())),
        *controls(statement, {"output_clamped": min(away(clamped=True))}),
    ]
