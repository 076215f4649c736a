"""Theorems, lemmas and conditions of exactness (Song et al. 2020, sections 3, A.1, A.4, A.5)."""

from collections.abc import Callable

import torch

from plausible.learning.layered import Relaxation, Updates, apply, backprop_updates, relax
from plausible.learning.layered_rules import zil_updates
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, normal, relative_difference
from plausible.studies.song2020.theorems.problems import (
    BATCH,
    DEPTHS,
    HIDDEN,
    LEARNING_RATE,
    Problem,
    largest_difference,
    listed_zil,
    moments,
    parts,
    random_problem,
    reference_backprop,
    update_difference,
    zil,
)

GAMMAS = (0.01, 0.1, 0.5, 5.0, 10.0)
TRAINING_UPDATES = 200
BROKEN = 1e-6
"""A relative difference above this is no rounding error."""


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
    return [
        Check("errors_equal_deltas", text, max(simultaneous), 1e-12, "<"),
        Check(
            "errors_equal_deltas",
            f"{text}; value nodes moved before the errors are read, as in the listings",
            max(listed),
            1e-12,
            "<",
            "as_published",
        ),
    ]


def _trained_apart(problem: Problem, rule: Callable[[Problem], Updates]) -> float:
    """Sum over matrices of the distance of weights trained by ``rule`` and by backprop."""
    networks = [problem.network, problem.network]
    for _ in range(TRAINING_UPDATES):
        batch = problem._replace(
            inputs=normal(problem.generator, *problem.inputs.shape),
            targets=normal(problem.generator, *problem.targets.shape),
        )
        updates = [rule(batch._replace(network=networks[0]))]
        updates.append(backprop_updates(networks[1], batch.inputs, batch.targets))
        networks = [
            apply(network, update, LEARNING_RATE)
            for network, update in zip(networks, updates, strict=True)
        ]
    pairs = zip(networks[0].weights, networks[1].weights, strict=True)
    return sum(float((a - b).norm()) for a, b in pairs)


def updates_equal_backprop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Theorem 3.2: under C1 and C3 the update at t = l is backprop's."""
    checks = []
    for l_max in DEPTHS:
        problem = random_problem("theorem3.2", seed, l_max, True)
        printed = random_problem("theorem3.2", seed, l_max, True, activate_input=True)
        text = f"updates of Z-IL at l_max = {l_max} against autograd: maximum relative difference"
        divergence = (
            f"distance of the final weights of Z-IL and backprop after {TRAINING_UPDATES} updates "
            f"of a network of l_max = {l_max}, summed over matrices"
        )
        checks += [
            Check(
                "updates_equal_backprop", text, update_difference(zil(problem), problem), 1e-12, "<"
            ),
            Check(
                "updates_equal_backprop",
                f"{text}; value nodes first, then weights, as in the listings",
                update_difference(listed_zil(printed), printed),
                1e-12,
                "<",
                "as_published",
            ),
            Check("weights_stay_equal", divergence, _trained_apart(problem, zil), 1e-12, "<"),
            Check(
                "weights_stay_equal",
                f"{divergence}; value nodes first, then weights, as in the listings",
                _trained_apart(printed, listed_zil),
                1e-12,
                "<",
                "as_published",
            ),
        ]
    return checks


def _disturbance(record: Relaxation) -> float:
    """Largest change of x^l, mu^{l-1} and size of eps^l over all l > 0 and t < l (lemma A.3)."""
    found = [0.0]
    for level in range(1, len(record.errors[0])):
        for t in range(level):
            found += [
                float((record.values[t][level] - record.values[0][level]).abs().max()),
                float(
                    (record.predictions[t][level - 1] - record.predictions[0][level - 1])
                    .abs()
                    .max()
                ),
                float(record.errors[t][level].abs().max()),
            ]
    return max(found)


def layers_rest(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Lemma A.3: under C1 layer l stays as it was until t = l, whatever gamma."""
    problems = [
        random_problem("lemma_a3", seed, l_max, biases)
        for l_max in DEPTHS
        for biases in (False, True)
    ]

    def records(gamma: float) -> list[Relaxation]:
        return [relax(*p[:3], len(p.network.weights), gamma) for p in problems]

    text = "largest change of x and mu and size of epsilon over all t < l, l_max 2 to 4"
    woken = [
        float(error.abs().min()) for record in records(1.0) for error in moments(record, "errors")
    ]
    checks = []
    for gamma in (1.0, *GAMMAS):
        statement = "rests_until_l" if gamma == 1.0 else "rests_for_every_gamma"
        moved = max(map(_disturbance, records(gamma)))
        checks.append(Check(statement, f"{text}, gamma = {gamma:g}", moved, 0.0, "=="))
    checks.append(
        Check("wakes_at_l", "smallest |epsilon| of any node at t = l", min(woken), 0.0, ">")
    )
    return checks


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
            expected = [
                gamma**level * update
                for level, update in enumerate(reference_backprop(problem).weights)
            ]
            found = zil_updates(*problem[:3], gamma=gamma)
            differences.append(relative_difference(parts(found), expected))
        checks.append(
            Check(
                "ratio_is_gamma_power",
                f"update of theta^(l+1) over gamma^l times backprop's at gamma = {gamma:g}, l_max "
                "2 to 4: maximum relative difference",
                max(differences),
                1e-10,
            )
        )
    return checks


def biases(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.1: with biases everything holds as before; their updates are alpha epsilon."""
    checks = []
    for l_max in DEPTHS:
        problem = random_problem("bias_extension", seed, l_max, True)
        printed = random_problem("bias_extension", seed, l_max, True, activate_input=True)
        text = f"bias updates of Z-IL at l_max = {l_max} against autograd: maximum difference"
        for each, rule, suffix, protocol in (
            (problem, zil, "", "corrected"),
            (printed, listed_zil, "; value nodes first, as in the listings", "as_published"),
        ):
            expected = reference_backprop(each).biases
            deviation = largest_difference(rule(each).biases, expected)
            checks.append(
                Check("bias_updates_equal", f"{text}{suffix}", deviation, 1e-12, "<=", protocol)
            )
    return checks


def conditions(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 3: without any one of C1, C2 and C3 the updates are not backprop's."""
    broken: dict[str, list[float]] = {}
    for l_max in DEPTHS:
        problem = random_problem("conditions", seed, l_max)
        noise = [0.1 * normal(problem.generator, BATCH, HIDDEN) for _ in range(l_max - 1)]
        for name, updates in (
            (
                "C1 (value nodes start 0.1 N(0, 1) away)",
                zil_updates(*problem[:3], start_noise=noise),
            ),
            ("C2 (all matrices at t = l_max - 1)", _together(problem, l_max - 1)),
            ("C2 (all matrices at t = 16)", _together(problem, 16)),
            ("C3 (gamma = 0.5)", zil_updates(*problem[:3], gamma=0.5)),
            ("none", zil(problem)),
        ):
            broken.setdefault(name, []).append(update_difference(updates, problem))
    kept = broken.pop("none")
    text = "updates against autograd, maximum relative difference"
    return [
        *(
            Check(
                "each_is_needed",
                f"dropped {name}: {text}, smallest of l_max 2 to 4",
                min(found),
                BROKEN,
                ">",
            )
            for name, found in broken.items()
        ),
        Check(
            "each_is_needed",
            f"dropped none: {text}, largest of l_max 2 to 4",
            max(kept),
            1e-12,
            "<",
        ),
    ]


def _together(problem: Problem, moment: int) -> Updates:
    fixed = [moment] * len(problem.network.weights)
    return zil_updates(*problem[:3], moments=fixed)
