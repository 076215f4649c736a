"""Algorithms of Song et al. 2020: IL, Z-IL, Fa-Z-IL, phi, one fixed moment, two-way weights."""

from collections import Counter
from collections.abc import Callable
from itertools import product, takewhile
from typing import Any

import torch
from torch import Tensor

from plausible.learning.trigger import phi, silent_start
from plausible.networks.mlp import Network
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls, normal
from plausible.studies.song2020.levels import (
    Detections,
    Event,
    Updates,
    activity,
    apply,
    fazil_updates,
    il_updates,
    local_update,
    look,
    make_network,
    move,
    relax,
    start,
    thetas,
    with_parameters,
    zil_updates,
)
from plausible.studies.song2020.theorems.problems import (
    DEPTHS,
    LEARNING_RATE,
    Problem,
    both_readings,
    hidden_noise,
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
LATE_STEPS = 16
"""T of Fa-Z-IL beyond 2 l_max + t_d, where a late firing would show."""
OBSERVED_STEPS = 64
"""T while phi is watched."""
LEARNED = "weight_update"


def _inference_steps(log: list[Event]) -> int:
    """Inference steps before the last update."""
    last = max(position for position, event in enumerate(log) if event.event == LEARNED)
    return len({event.t for event in log[:last] if event.event == "inference"})


def _wrong_updates(log: list[Event], l_max: int) -> int:
    """Updates that are missing or too many, where every matrix learns once, at t_c."""
    learned = Counter((event.t, event.layer) for event in log if event.event == LEARNED)
    wanted = Counter((IL_STEPS, layer) for layer in range(1, l_max + 1))
    return ((learned - wanted) + (wanted - learned)).total()


def inference_learning(settings: ExperimentSettings, seed: int) -> list[Check]:
    """IL updates all weights once per training pair, at t = t_c."""

    def simultaneous(problem: Problem, log: list[Event]) -> None:
        il_updates(*problem[:3], IL_STEPS, GAMMA, log=log)

    def listed(problem: Problem, log: list[Event]) -> None:
        fixed = [IL_STEPS] * len(problem.network.weights)
        zil_updates(*problem[:3], GAMMA, order="listing", moments=fixed, log=log)

    def going_on(problem: Problem, log: list[Event]) -> None:
        for round_ in (1, 2, 3):
            il_updates(*problem[:3], round_ * IL_STEPS, GAMMA, log=log)

    def early(problem: Problem, log: list[Event]) -> None:
        il_updates(*problem[:3], IL_STEPS - 1, GAMMA, log=log)

    def logs(rule: Callable[[Problem, list[Event]], None]) -> list[tuple[int, list[Event]]]:
        found = []
        for l_max in DEPTHS:
            log: list[Event] = []
            rule(random_problem("algorithm1", seed, l_max), log)
            found.append((l_max, log))
        return found

    measured = []
    for protocol, rule, suffix in (
        ("corrected", simultaneous, ""),
        ("as_published", listed, "; value nodes first, as in the listing"),
    ):
        found = logs(rule)
        before = [list(takewhile(lambda event: event.event != LEARNED, log)) for _, log in found]
        steps = [len({event.t for event in log if event.event == "inference"}) for log in before]
        deviations = {
            "updates": (
                "updates that are missing or too many, where each matrix learns once, at "
                f"t_c = {IL_STEPS}, l_max 2 to 4{suffix}",
                sum(_wrong_updates(log, l_max) for l_max, log in found),
            ),
            "steps": (
                f"inference steps before the update, distance to t_c = {IL_STEPS}{suffix}",
                max(abs(each - IL_STEPS) for each in steps),
            ),
        }
        measured += checks("one_update_at_t_c", deviations, protocol)
    broken = {
        name: min(_wrong_updates(log, l_max) for l_max, log in logs(rule))
        for name, rule in (("no_return_after_the_update", going_on), ("one_step_early", early))
    }
    return [*measured, *controls("one_update_at_t_c", broken)]


def zil_algorithm(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Z-IL needs l_max moments, and simultaneous steps make it backprop."""
    orders = {
        "corrected": "all from the state at t",
        "as_published": "value nodes first, as in the listing",
    }
    measured = []
    reversed_, listed, il_steps = [], [], []
    for l_max in DEPTHS:
        name = f"l_max_{l_max}"
        both = both_readings("algorithm2", seed, l_max)
        problem = both[0][1]
        log: list[Event] = []
        zil_updates(*problem[:3], log=log)
        text = f"inference steps of one update of all {l_max} matrices, over l_max"
        ratio = _inference_steps(log) / l_max
        measured += checks("at_most_l_max_steps", {name: (text, ratio)})
        for protocol, problem, rule in both:
            apart = update_difference(rule(problem), problem)
            text = f"Z-IL at l_max = {l_max} against autograd: maximum relative difference"
            text += f" of the updates; {orders[protocol]}"
            measured += checks("updates_from_state_at_t", {name: (text, apart)}, protocol)
        problem = both[0][1]
        il_log: list[Event] = []
        il_updates(*problem[:3], IL_STEPS, GAMMA, log=il_log)
        il_steps.append(_inference_steps(il_log) / l_max)
        backwards = zil_updates(*problem[:3], moments=range(l_max - 1, -1, -1))
        reversed_.append(update_difference(backwards, problem))
        listed.append(update_difference(both[1][2](problem), problem))
    orders = {"matrices_in_reverse_order": min(reversed_), "value_nodes_first": min(listed)}
    return [
        *measured,
        *controls("at_most_l_max_steps", {"inference_learning": min(il_steps)}),
        *controls("updates_from_state_at_t", orders),
    ]


def _always(errors: Tensor, silent: Tensor, detection_steps: int, tolerance: float):
    """phi = 1 at all times."""
    return torch.ones_like(errors, dtype=torch.bool), silent


def _unasked(errors: Tensor, silent: Tensor, detection_steps: int, tolerance: float):
    """phi without a time of silence: fires at every error."""
    return errors.abs() > tolerance, silent


def _delayed(errors: Tensor, silent: Tensor, detection_steps: int, tolerance: float):
    """phi one step late; a count of -1 remembers that it was due."""
    fires, after = phi(errors, silent.clamp(min=0), detection_steps, tolerance)
    return silent == -1, torch.where(fires, -1, after)


def _half_deaf(errors: Tensor, silent: Tensor, detection_steps: int, tolerance: float):
    """phi that takes the errors of every second node for zero."""
    hears = torch.arange(errors.shape[-1]) % 2 == 0
    return phi(errors * hears, silent, detection_steps, tolerance)


def _fazil(
    problem: Problem,
    detection_steps: int = DETECTION_STEPS,
    steps: int = LATE_STEPS,
    sigma: float = 0.0,
    **options: Any,
) -> tuple[Updates, Detections]:
    """Fa-Z-IL with the exact test for zero, until T."""
    noise = hidden_noise(problem, sigma) if sigma else None
    given = (detection_steps, 0.0, steps)
    return fazil_updates(*problem[:3], *given, start_noise=noise, **options)


def _weights_apart(network: Network, found: Updates, expected: Updates) -> float:
    """Sum over matrices of the distance of the weights after one update."""
    one, other = (thetas(apply(network, each, LEARNING_RATE)) for each in (found, expected))
    return sum(float((a - b).norm()) for a, b in zip(one, other, strict=True))


def fazil_algorithm(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Fa-Z-IL with t_d >= 4: its weights are those of Z-IL and of backprop."""
    problems = [random_problem("algorithm3", seed, l_max) for l_max in DEPTHS]

    def apart(detection_steps: int = DETECTION_STEPS, **options: Any) -> list[float]:
        found = []
        for problem in problems:
            steps = 2 * len(problem.network.weights) + detection_steps + LATE_STEPS
            moving = {"learning_rate": LEARNING_RATE, **options}
            updates, _ = _fazil(problem, detection_steps, steps, **moving)
            zil = zil_updates(*problem[:3], learning_rate=LEARNING_RATE)
            found.append(_weights_apart(problem.network, updates, zil))
        return found

    def to_backprop(activate_input: bool, **options: Any) -> float:
        found = []
        for l_max in DEPTHS:
            problem = random_problem("algorithm3", seed, l_max, activate_input=activate_input)
            updates, _ = _fazil(problem, learning_rate=LEARNING_RATE, **options)
            backprop = Updates(tuple(reference_backprop(problem).weights), None)
            found.append(_weights_apart(problem.network, updates, backprop))
        return max(found)

    text = "distance of the weights after one update, summed over matrices, l_max 2 to 4"
    deviations = {
        f"t_d_{steps}": (f"Fa-Z-IL with t_d = {steps} against Z-IL: {text}", max(apart(steps)))
        for steps in (4, 5, 8)
    }
    against = f"Fa-Z-IL with t_d = {DETECTION_STEPS} against autograd: {text}"
    listed = f"{against}; value nodes first, as in the listing"
    printed = to_backprop(True, order="listing")
    broken = {
        "phi_is_always_1": min(apart(trigger=_always)),
        "hidden_nodes_displaced": min(apart(sigma=0.01)),
        "phi_one_step_late": min(apart(trigger=_delayed)),
    }
    return [
        *checks("same_as_zil", {**deviations, "backprop": (against, to_backprop(False))}),
        *checks("same_as_zil", {"backprop": (listed, printed)}, "as_published"),
        *controls("same_as_zil", broken),
    ]


def _found_percent(problem: Problem, detection_steps: int, **options: Any) -> float:
    """Percent of nodes and samples at which phi fires at t = l and at no other time."""
    _, found = _fazil(problem, detection_steps, OBSERVED_STEPS, **options)
    right = [fired[level] & (fired.sum(dim=0) == 1) for level, fired in enumerate(found.fired)]
    return 100.0 * float(torch.cat([each.flatten() for each in right]).double().mean())


def trigger(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4: phi finds t = l; where it finds nothing at t = l there is nothing to learn."""
    problems = [random_problem("model.phi", seed, l_max, True) for l_max in DEPTHS]
    text = "percent of nodes and samples at which phi fires at t = l and at no other time"
    found = {
        f"t_d_{steps}": (
            f"{text}, t_d = {steps}, T = {OBSERVED_STEPS}, smallest of l_max 2 to 4",
            min(_found_percent(problem, steps) for problem in problems),
        )
        for steps in (4, 5, 6, 7, 8, 16)
    }
    wrong = {
        "no_time_of_silence": {"trigger": _unasked},
        "hidden_nodes_displaced": {"sigma": 0.01},
    }
    missed = {
        name: max(_found_percent(problem, DETECTION_STEPS, **options) for problem in problems)
        for name, options in wrong.items()
    }
    silent, late, deaf = [], [], []
    for l_max in DEPTHS:
        # With ReLU about half of the hidden nodes have no error at t = l.
        problem = random_problem("model.phi.relu", seed, l_max)
        network = make_network(thetas(problem.network), activation="relu")
        problem = problem._replace(network=network)
        silent.append(_silent_error(problem))
        late.append(update_difference(_fazil(problem)[0], problem))
        deaf.append(
            update_difference(
                _fazil(problems[l_max - 2], trigger=_half_deaf)[0], problems[l_max - 2]
            )
        )
    harmless = (
        "ReLU networks, nodes without an error at t = l: backprop's largest error there, by "
        "autograd"
    )
    fires_late = (
        "ReLU networks, where a node silent at t = l may get its first error later and then "
        f"fires: Fa-Z-IL until T = {LATE_STEPS} against autograd, maximum relative difference of "
        "the updates"
    )
    whole = {"whole_presentation": (fires_late, max(late))}
    return [
        *checks("fires_at_l_only", found),
        *controls("fires_at_l_only", missed),
        *checks("silent_nodes_harmless", {"at_l": (harmless, max(silent))}),
        *checks("silent_nodes_harmless", whole, "as_published"),
        *controls("silent_nodes_harmless", {"errors_taken_for_zero": min(deaf)}),
    ]


def _silent_error(problem: Problem) -> float:
    """Largest error of backprop at nodes that have none at t = l, where phi finds nothing."""
    record = relax(*problem[:3], len(problem.network.weights), 1.0)
    pairs = zip(moments(record, "errors"), reference_backprop(problem).deltas, strict=True)
    return max(float((delta.abs() * (error == 0)).max()) for error, delta in pairs)


def silent_in_prediction(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4: phi is 1 only for changes that feedback causes, not in the prediction phase.

    As eq. 10 is printed, phi watches the error node alone. Where the prediction phase is inference
    that starts at the state of the previous sample, the new input itself stirs the error nodes;
    where it is the forward pass (C1 at once), they stay at zero.
    """

    def firing(problem: Problem, targets: Tensor | None, forwards: bool) -> float:
        """Percent of the hidden error nodes at which phi fires after an input is presented."""
        values = None
        if not forwards:
            other = normal(problem.generator, *problem.inputs.shape)
            values = start(problem.network, other, None).values[:-1]
        record = relax(problem.network, problem.inputs, targets, OBSERVED_STEPS, 1.0, values=values)
        fired = []
        for level in range(1, len(problem.network.weights)):
            silent = silent_start(record.errors[0][level], DETECTION_STEPS)
            ever = torch.zeros_like(silent, dtype=torch.bool)
            for errors in record.errors:
                fires, silent = phi(errors[level], silent, DETECTION_STEPS)
                ever |= fires
            fired.append(ever.flatten())
        return 100.0 * float(torch.cat(fired).double().mean())

    def problems() -> list[Problem]:
        return [random_problem("phi_in_prediction", seed, l_max, True) for l_max in DEPTHS]

    text = f"percent of the hidden error nodes at which phi (t_d = {DETECTION_STEPS}) fires"
    free = f"{text} in the prediction phase, output free"
    deviations = {
        "corrected": (
            f"{free}; value nodes set by the forward pass",
            max(firing(problem, None, True) for problem in problems()),
        ),
        "as_published": (
            f"{free}; inference from the state of the previous sample",
            max(firing(problem, None, False) for problem in problems()),
        ),
    }
    statement = "phi_needs_feedback"
    taught = min(firing(problem, problem.targets, True) for problem in problems())
    return [
        *(
            check
            for protocol, deviation in deviations.items()
            for check in checks(statement, {"": deviation}, protocol)
        ),
        *controls(statement, {"a_target_is_presented": taught}),
    ]


def fixed_moment(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.1: all matrices at one fixed t is IL with t_c = t."""

    def apart(later: int = 0) -> list[float]:
        differences = []
        for l_max, gamma, t in product(DEPTHS, (0.01, 0.5, 1.0), (0, 1, 2, 3, 4, 16, 64)):
            problem = random_problem("fixed_t", seed, l_max, True)
            ablation = zil_updates(*problem[:3], gamma=gamma, moments=[t] * l_max)
            il = il_updates(*problem[:3], t + later, gamma)
            differences.append(largest_difference(parts(ablation), parts(il)))
        return differences

    text = (
        "Z-IL with every matrix at a fixed t (0, 1, 2, 3, 4, 16, 64; gamma 0.01, 0.5, 1; l_max 2 "
        "to 4) against IL with t_c = t: maximum difference of the updates"
    )
    return [
        Check("same_weights", text, max(apart())),
        *controls("same_weights", {"one_step_more": max(apart(1))}),
    ]


def symmetric_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6: weights back that start equal and learn from the same two nodes stay equal.

    Z-IL, sample by sample; each synapse of the way back multiplies the two activities itself.
    """

    def apart(offset: float = 0.0, learns: bool = True) -> list[float]:
        found = []
        for l_max in DEPTHS:
            problem = random_problem("symmetric", seed, l_max)
            network = problem.network
            back = [weight.t().clone() + offset for weight in thetas(network)]
            for _ in range(100):
                inputs = normal(problem.generator, 1, problem.inputs.shape[1])
                targets = normal(problem.generator, 1, problem.targets.shape[1])
                network, back = _two_ways(network, back, inputs, targets, learns)
            found.append(largest_difference(back, [weight.t() for weight in thetas(network)]))
        return found

    text = "largest difference of the copies after 100 updates at rate 0.01, l_max 2 to 4"
    broken = {
        "copies_start_apart": min(apart(offset=1e-3)),
        "feedback_does_not_learn": min(apart(learns=False)),
    }
    return [
        Check("copies_stay_equal", text, max(apart())),
        *controls("copies_stay_equal", broken),
    ]


def _two_ways(
    network: Network,
    back: list[Tensor],
    inputs: Tensor,
    targets: Tensor,
    back_learns: bool = True,
) -> tuple[Network, list[Tensor]]:
    """One Z-IL update of a network that sends its errors through weights of their own."""
    weights, back = list(thetas(network)), list(back)
    state = start(network, inputs, targets)
    for level in range(len(weights)):
        sender = with_parameters(network, [weight.t() for weight in back])
        values = move(sender, state, 1.0)
        above, errors = state.values[level + 1], state.errors[level]
        source = activity(network, level + 1, above)
        change, _ = local_update(network, level, above, errors)
        weights[level] = weights[level] + LEARNING_RATE * change
        if back_learns:
            back[level] = back[level] + LEARNING_RATE * torch.outer(errors[0], source[0])
        state = look(with_parameters(network, weights), values)
    return with_parameters(network, weights), back
