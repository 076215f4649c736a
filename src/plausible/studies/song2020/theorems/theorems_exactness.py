"""Theorems, lemmas and conditions of exactness (Song et al. 2020, sections 3, A.1, A.4, A.5)."""

from collections.abc import Callable
from itertools import product

import torch

from plausible.learning.layered import Relaxation, Updates, apply, backprop_updates, relax
from plausible.learning.layered_rules import zil_updates
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, normal, relative_difference
from plausible.studies.song2020.theorems.problems import (
    BATCH,
    BROKEN,
    DEPTHS,
    HIDDEN,
    LEARNING_RATE,
    Problem,
    both_readings,
    largest_difference,
    moments,
    parts,
    random_problem,
    reference_backprop,
    update_difference,
    zil,
)

GAMMAS = (0.01, 0.1, 0.5, 5.0, 10.0)
TRAINING_UPDATES = 200


def _varied_networks(seed: int, activate_input: bool):
    """Random networks of depth 1 to 5 whose layers have 3 to 64 units."""
    for l_max in range(1, 6):
        for attempt in range(4):
            name = f"theorem3.1.{attempt}"
            draw = random_problem(name, seed, l_max).generator
            sizes = torch.randint(3, 65, (l_max + 1,), generator=draw).tolist()
            yield l_max, random_problem(name, seed, l_max, True, activate_input, sizes)


def errors_equal_deltas(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Theorem 3.1: under C1 and C3 the error nodes of layer l are backprop's errors at t = l."""
    simultaneous, listed = [], []
    for activate_input in (False, True):
        for l_max, problem in _varied_networks(seed, activate_input):
            record = relax(*problem[:3], l_max, 1.0)
            deltas = reference_backprop(problem).deltas
            simultaneous.append(largest_difference(moments(record, "errors"), deltas))
            listed.append(largest_difference(moments(record, "errors", 1), deltas))
    text = (
        "max |epsilon - delta| at t = l over random networks of depth 1 to 5 and widths 3 to 64, "
        "with biases, f on the input or not, delta by autograd"
    )
    printed = f"{text}; value nodes moved before the errors are read, as in the listings"
    return [
        Check("errors_equal_deltas", text, max(simultaneous), 1e-12, "<"),
        Check("errors_equal_deltas", printed, max(listed), 1e-12, "<", "as_published"),
    ]


def _trained_apart(problem: Problem, rule: Callable[[Problem], Updates]) -> float:
    """Sum over matrices of the distance of weights trained by ``rule`` and by backprop."""
    ours = theirs = problem.network
    for _ in range(TRAINING_UPDATES):
        inputs = normal(problem.generator, *problem.inputs.shape)
        targets = normal(problem.generator, *problem.targets.shape)
        updates = rule(problem._replace(network=ours, inputs=inputs, targets=targets))
        ours = apply(ours, updates, LEARNING_RATE)
        theirs = apply(theirs, backprop_updates(theirs, inputs, targets), LEARNING_RATE)
    pairs = zip(ours.weights, theirs.weights, strict=True)
    return sum(float((a - b).norm()) for a, b in pairs)


def updates_equal_backprop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Theorem 3.2: under C1 and C3 the update at t = l is backprop's."""
    suffix = {
        "corrected": "",
        "as_published": "; value nodes first, then weights, as in the listings",
    }
    checks = []
    for l_max in DEPTHS:
        both = both_readings("theorem3.2", seed, l_max, True)
        updates = (
            f"updates of Z-IL at l_max = {l_max} against autograd: maximum relative difference"
        )
        divergence = (
            f"distance of the final weights of Z-IL and backprop after {TRAINING_UPDATES} updates "
            f"of a network of l_max = {l_max}, summed over matrices"
        )
        checks += [
            Check(statement, text + suffix[protocol], measure(problem, rule), 1e-12, "<", protocol)
            for statement, text, measure in (
                ("updates_equal_backprop", updates, lambda p, rule: update_difference(rule(p), p)),
                ("weights_stay_equal", divergence, _trained_apart),
            )
            for protocol, problem, rule in both
        ]
    return checks


def _disturbance(record: Relaxation) -> float:
    """Largest change of x^l, mu^{l-1} and size of eps^l over all l > 0 and t < l (lemma A.3)."""
    found = [torch.zeros(1)]
    for level in range(1, len(record.errors[0])):
        for t in range(level):
            found += [
                record.values[t][level] - record.values[0][level],
                record.predictions[t][level - 1] - record.predictions[0][level - 1],
                record.errors[t][level],
            ]
    return max(float(each.abs().max()) for each in found)


def layers_rest(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Lemma A.3: under C1 layer l stays as it was until t = l, whatever gamma."""
    networks = product(DEPTHS, (False, True))
    problems = [random_problem("lemma_a3", seed, l_max, biases) for l_max, biases in networks]

    def records(gamma: float) -> list[Relaxation]:
        return [relax(*p[:3], len(p.network.weights), gamma) for p in problems]

    text = "largest change of x and mu and size of epsilon over all t < l, l_max 2 to 4"
    checks = []
    for gamma in (1.0, *GAMMAS):
        statement = "rests_until_l" if gamma == 1.0 else "rests_for_every_gamma"
        moved = max(map(_disturbance, records(gamma)))
        checks.append(Check(statement, f"{text}, gamma = {gamma:g}", moved, 0.0, "=="))
    woken = min(
        float(error.abs().min()) for record in records(1.0) for error in moments(record, "errors")
    )
    text = "smallest |epsilon| of any node at t = l"
    return [*checks, Check("wakes_at_l", text, woken, 0.0, ">")]


def recursion_of_errors(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Lemma A.4: the error nodes at t = l follow backprop's recursion."""
    differences = []
    for l_max in DEPTHS:
        problem = random_problem("lemma_a4", seed, l_max, True)
        record = relax(*problem[:3], l_max, 1.0)
        errors = moments(record, "errors")
        for level in range(1, l_max):
            start = record.predictions[0][level].clone().requires_grad_()
            activity = 1.0 / (1.0 + torch.exp(-start))
            sent = errors[level - 1] @ problem.network.weights[level - 1].t()
            (expected,) = torch.autograd.grad(activity, start, sent)
            differences.append(float((errors[level] - expected).abs().max()))
    text = "epsilon at t = l against f'(mu) times the errors sent down, l_max 2 to 4: maximum"
    return [Check("both_sides_agree", f"{text} difference", max(differences), 1e-12)]


def gamma_to_the_power(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.5: without C3 the update of theta^{l+1} is gamma^l times backprop's.

    Rounding of x^l (of order 1) limits eps^l to about 1e-16 in absolute size; targets of size 1e5
    keep gamma^l delta^l far above that for the smallest gamma.
    """
    checks = []
    for gamma in GAMMAS:
        differences = []
        for l_max in DEPTHS:
            problem = random_problem("gamma_power", seed, l_max)
            problem = problem._replace(targets=1e5 * problem.targets)
            backprop = reference_backprop(problem).weights
            expected = [gamma**level * update for level, update in enumerate(backprop)]
            found = zil_updates(*problem[:3], gamma=gamma)
            differences.append(relative_difference(parts(found), expected))
        text = (
            f"update of theta^(l+1) over gamma^l times backprop's at gamma = {gamma:g}, l_max "
            "2 to 4: maximum relative difference"
        )
        checks.append(Check("ratio_is_gamma_power", text, max(differences), 1e-10))
    return checks


def biases(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.1: with biases everything holds as before; their updates are alpha epsilon."""
    checks = []
    for l_max in DEPTHS:
        text = f"bias updates of Z-IL at l_max = {l_max} against autograd: maximum difference"
        for protocol, problem, rule in both_readings("bias_extension", seed, l_max, True):
            apart = largest_difference(rule(problem).biases, reference_backprop(problem).biases)
            text += "" if protocol == "corrected" else "; value nodes first, as in the listings"
            checks.append(Check("bias_updates_equal", text, apart, 1e-12, "<=", protocol))
    return checks


def conditions(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 3: without any one of C1, C2 and C3 the updates are not backprop's."""
    dropped: dict[str, list[float]] = {}
    kept = []
    for l_max in DEPTHS:
        problem = random_problem("conditions", seed, l_max)
        noise = [0.1 * normal(problem.generator, BATCH, HIDDEN) for _ in range(l_max - 1)]
        for name, broken in {
            "C1 (value nodes start 0.1 N(0, 1) away)": {"start_noise": noise},
            "C2 (all matrices at t = l_max - 1)": {"moments": [l_max - 1] * l_max},
            "C2 (all matrices at t = 16)": {"moments": [16] * l_max},
            "C3 (gamma = 0.5)": {"gamma": 0.5},
        }.items():
            updates = zil_updates(*problem[:3], **broken)
            dropped.setdefault(name, []).append(update_difference(updates, problem))
        kept.append(update_difference(zil(problem), problem))
    text = "updates against autograd, maximum relative difference"
    least, most = f"{text}, smallest of l_max 2 to 4", f"{text}, largest of l_max 2 to 4"
    return [
        *(
            Check("each_is_needed", f"dropped {name}: {least}", min(apart), BROKEN, ">")
            for name, apart in dropped.items()
        ),
        Check("each_is_needed", f"dropped none: {most}", max(kept), 1e-12, "<"),
    ]
