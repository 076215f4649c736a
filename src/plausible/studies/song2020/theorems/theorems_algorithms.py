"""Algorithms of Song et al. 2020: IL, Z-IL, Fa-Z-IL, phi, one fixed moment, two-way weights."""

from itertools import product, takewhile
from typing import Any

import torch
from torch import Tensor

from plausible.learning.layered import (
    Event,
    LayeredNetwork,
    State,
    Updates,
    activity,
    local_update,
    look,
    make_network,
    move,
    relax,
    start,
)
from plausible.learning.layered_rules import Detections, fazil_updates, il_updates, zil_updates
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, normal
from plausible.studies.song2020.theorems.problems import (
    DEPTHS,
    LEARNING_RATE,
    Problem,
    both_readings,
    largest_difference,
    moments,
    parts,
    random_problem,
    reference_backprop,
    update_difference,
)

GAMMA = 0.1
IL_STEPS = 20
"""t_c of the paper's run-time test."""
DETECTION_STEPS = 4
AUTONOMOUS_STEPS = 16
"""T of Fa-Z-IL."""
LEARNED = "weight_update"


def inference_learning(settings: ExperimentSettings, seed: int) -> list[Check]:
    """IL updates all weights once per training pair, at t = t_c."""
    measured = []
    for protocol, suffix in (
        ("corrected", ""),
        ("as_published", "; value nodes first, as in the listing"),
    ):
        wrong, early = 0, []
        for l_max in DEPTHS:
            problem = random_problem("algorithm1", seed, l_max)
            log: list[Event] = []
            if protocol == "corrected":
                il_updates(*problem[:3], IL_STEPS, GAMMA, log=log)
            else:
                fixed = [IL_STEPS] * l_max
                zil_updates(*problem[:3], GAMMA, order="listing", moments=fixed, log=log)
            learned = sorted((event.t, event.layer) for event in log if event.event == LEARNED)
            wrong += learned != [(IL_STEPS, layer) for layer in range(1, l_max + 1)]
            before = takewhile(lambda event: event.event != LEARNED, log)
            steps = {event.t for event in before if event.event == "inference"}
            early.append(abs(len(steps) - IL_STEPS))
        deviations = {
            f"networks (l_max 2 to 4) whose matrices do not all learn once, at t_c = {IL_STEPS}"
            + suffix: wrong,
            f"inference steps before the update, distance to t_c = {IL_STEPS}{suffix}": max(early),
        }
        measured += checks("one_update_at_t_c", 0.0, deviations, "==", protocol)
    return measured


def zil_algorithm(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Z-IL needs l_max moments, and simultaneous steps make it backprop."""
    orders = {
        "corrected": "all from the state at t",
        "as_published": "value nodes first, as in the listing",
    }
    measured = []
    for l_max in DEPTHS:
        both = both_readings("algorithm2", seed, l_max)
        log: list[Event] = []
        zil_updates(*both[0][1][:3], log=log)
        steps = len({event.t for event in log if event.event == "inference"})
        text = f"inference steps of one update of all {l_max} matrices"
        measured.append(Check("at_most_l_max_steps", text, steps, l_max))
        text = (
            f"Z-IL at l_max = {l_max} against autograd: maximum relative difference of the updates"
        )
        for protocol, problem, rule in both:
            apart = update_difference(rule(problem), problem)
            statement = f"{text}; {orders[protocol]}"
            measured.append(
                Check("updates_from_state_at_t", statement, apart, 1e-12, "<=", protocol)
            )
    return measured


def _fazil(
    problem: Problem, detection_steps: int = DETECTION_STEPS, **options: Any
) -> tuple[Updates, Detections]:
    """Fa-Z-IL with the exact test for zero, until T."""
    return fazil_updates(*problem[:3], detection_steps, 0.0, AUTONOMOUS_STEPS, **options)


def fazil_algorithm(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Fa-Z-IL with t_d = 4: its updates are those of Z-IL and of backprop."""
    measured = []
    where = f"T = {AUTONOMOUS_STEPS}, t_d = {DETECTION_STEPS}, weights moving during inference"
    for l_max in DEPTHS:
        problem = random_problem("algorithm3", seed, l_max)
        printed = random_problem("algorithm3", seed, l_max, activate_input=True)
        found, _ = _fazil(problem, learning_rate=LEARNING_RATE)
        listed, _ = _fazil(printed, learning_rate=LEARNING_RATE, order="listing")
        zil = zil_updates(*problem[:3], learning_rate=LEARNING_RATE)
        text = f"Fa-Z-IL at l_max = {l_max} ({where}) against"
        equal = f"{text} Z-IL: maximum difference of the updates"
        right = f"{text} autograd: maximum relative difference of the updates"
        wrong = f"{text} autograd; value nodes first, as in the listing"
        apart = update_difference(listed, printed)
        measured += [
            Check("same_as_zil", equal, largest_difference(parts(found), parts(zil)), 0.0, "=="),
            Check("same_as_zil", right, update_difference(found, problem), 1e-12),
            Check("same_as_zil", wrong, apart, 1e-12, "<=", "as_published"),
        ]
    return measured


def _missed(problem: Problem, detection_steps: int) -> float:
    """Share of the nodes with an error at t = l at which phi does not fire just once, at t = l."""
    wrong = nodes = 0
    record = relax(*problem[:3], len(problem.network.weights), 1.0)
    _, found = _fazil(problem, detection_steps)
    for level, errors in enumerate(moments(record, "errors")):
        due = errors != 0
        right = found.fired[level][level] & (found.fired[level].sum(dim=0) == 1)
        wrong, nodes = wrong + int((due & ~right).sum()), nodes + int(due.sum())
    return wrong / nodes


def trigger(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4: phi finds t = l; where it finds nothing at t = l there is nothing to learn."""
    problems = [random_problem("model.phi", seed, l_max, True) for l_max in DEPTHS]
    missed = {
        f"share of nodes with an error at t = l where phi with t_d = {steps} does not fire "
        f"once and at t = l, T = {AUTONOMOUS_STEPS}, l_max 2 to 4": max(
            _missed(problem, steps) for problem in problems
        )
        for steps in (4, 5, 6, 7, 8, 16)
    }
    silent, late = [], []
    for l_max in DEPTHS:
        # With ReLU about half of the hidden nodes have no error at t = l.
        problem = random_problem("model.phi.relu", seed, l_max)
        network = make_network(problem.network.weights, activation="relu")
        problem = problem._replace(network=network)
        silent.append(_silent_error(problem))
        late.append(update_difference(_fazil(problem)[0], problem))
    harmless = (
        "ReLU networks, nodes without an error at t = l: backprop's largest error there, by "
        "autograd"
    )
    fires_late = (
        "ReLU networks, where a node silent at t = l may get its first error later and then "
        f"fires: Fa-Z-IL until T = {AUTONOMOUS_STEPS} against autograd, maximum relative "
        "difference of the updates"
    )
    return [
        *checks("fires_at_l_only", 0.0, missed, "=="),
        Check("silent_nodes_harmless", harmless, max(silent), 0.0, "=="),
        Check("silent_nodes_harmless", fires_late, max(late), 1e-12, "<=", "as_published"),
    ]


def _silent_error(problem: Problem) -> float:
    """Largest error of backprop at nodes that have none at t = l, where phi finds nothing."""
    record = relax(*problem[:3], len(problem.network.weights), 1.0)
    pairs = zip(moments(record, "errors"), reference_backprop(problem).deltas, strict=True)
    return max(float((delta.abs() * (error == 0)).max()) for error, delta in pairs)


def fixed_moment(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.1: all matrices at one fixed t is IL with t_c = t."""
    differences = []
    for l_max, gamma, t in product(DEPTHS, (0.01, 0.5, 1.0), (0, 1, 2, 3, 4, 16, 64)):
        problem = random_problem("fixed_t", seed, l_max, True)
        ablation = zil_updates(*problem[:3], gamma=gamma, moments=[t] * l_max)
        il = il_updates(*problem[:3], t, gamma)
        differences.append(largest_difference(parts(ablation), parts(il)))
    text = (
        "Z-IL with every matrix at a fixed t (0, 1, 2, 3, 4, 16, 64; gamma 0.01, 0.5, 1; l_max 2 "
        "to 4) against IL with t_c = t: maximum difference of the updates"
    )
    return [Check("same_weights", text, max(differences), 0.0, "==")]


def symmetric_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6: weights back that start equal and learn from the same two nodes stay equal.

    Z-IL, sample by sample; each synapse of the way back multiplies the two activities itself.
    """
    apart, moved = [], []
    for l_max in DEPTHS:
        problem = random_problem("symmetric", seed, l_max)
        network = problem.network
        back = [weight.t().clone() for weight in network.weights]
        for _ in range(100):
            inputs = normal(problem.generator, 1, problem.inputs.shape[1])
            targets = normal(problem.generator, 1, problem.targets.shape[1])
            network, back = _two_ways(network, back, inputs, targets)
        apart.append(largest_difference(back, [weight.t() for weight in network.weights]))
        moved.append(largest_difference(network.weights, problem.network.weights))
    text = "after 100 samples of Z-IL with two copies of the weights, l_max 2 to 4"
    equal = f"largest difference of the copies {text}"
    travelled = f"largest distance travelled by a weight {text}"
    return [
        Check("copies_stay_equal", equal, max(apart), 0.0, "=="),
        Check("copies_stay_equal", travelled, min(moved), 0.01, ">"),
    ]


def _two_ways(
    network: LayeredNetwork, back: list[Tensor], inputs: Tensor, targets: Tensor
) -> tuple[LayeredNetwork, list[Tensor]]:
    """One Z-IL update of a network that sends its errors through weights of their own."""
    weights, back = list(network.weights), list(back)
    state: State = start(network, inputs, targets)
    for level in range(len(weights)):
        forth = network._replace(weights=tuple(weights))
        sender = network._replace(weights=tuple(weight.t() for weight in back))
        values = move(sender, state, 1.0)
        above, errors = state.values[level + 1], state.errors[level]
        source = activity(network, level + 1, above)
        change, _ = local_update(network, level, above, errors)
        weights[level] = weights[level] + LEARNING_RATE * change
        back[level] = back[level] + LEARNING_RATE * torch.outer(errors[0], source[0])
        state = look(forth._replace(weights=tuple(weights)), values)
    return network._replace(weights=tuple(weights)), back
