"""Theorems, lemmas and conditions of exactness (Song et al. 2020, sections 3, A.1, A.4, A.5)."""

from collections.abc import Callable, Iterator, Sequence
from itertools import product
from typing import Any

import torch
from torch import Tensor

from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import (
    Check,
    checks,
    controls,
    normal,
    relative_difference,
)
from plausible.studies.song2020.levels import (
    Relaxation,
    Updates,
    apply,
    backprop_updates,
    look,
    move,
    relax,
    start,
    thetas,
    zil_updates,
)
from plausible.studies.song2020.theorems.problems import (
    DEPTHS,
    LEARNING_RATE,
    Problem,
    both_readings,
    hidden_noise,
    largest_difference,
    listed_zil,
    moments,
    parts,
    random_problem,
    reference_backprop,
    update_difference,
    zil,
)

GAMMAS = (0.01, 0.1, 0.5, 1.0, 5.0, 10.0)
TRAINING_UPDATES = 200
SMALL_RATE = 0.001
"""alpha of the paper."""
READINGS = {
    "corrected": "",
    "as_published": "; value nodes first, then weights, as in the listings",
}


def by_gamma(gamma: float) -> str:
    """Variant of a value of gamma: ``gamma_0_01``."""
    return f"gamma_{gamma:g}".replace(".", "_")


def _varied_networks(seed: int) -> Iterator[Problem]:
    """Random networks of depth 1 to 5, layers of 3 to 64 units, f on the input or not."""
    for activate_input, l_max, attempt in product((False, True), range(1, 6), range(4)):
        name = f"theorem3.1.{attempt}"
        draw = random_problem(name, seed, l_max).generator
        sizes = torch.randint(3, 65, (l_max + 1,), generator=draw).tolist()
        yield random_problem(name, seed, l_max, True, activate_input, sizes)


def _errors_apart(
    seed: int, gamma: float = 1.0, sigma: float = 0.0, late: int = 0, sign: float = 1.0
) -> float:
    """Largest ``|epsilon - delta|`` at t = l (+ ``late``) over the varied networks."""
    apart = []
    for problem in _varied_networks(seed):
        noise = hidden_noise(problem, sigma) if sigma else None
        record = relax(*problem[:3], len(problem.network.weights), gamma, noise)
        deltas = [sign * delta for delta in reference_backprop(problem).deltas]
        apart.append(largest_difference(moments(record, "errors", late), deltas))
    return max(apart)


def errors_equal_deltas(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Theorem 3.1: under C1 and C3 the error nodes of layer l are backprop's errors at t = l."""
    text = (
        "max |epsilon - delta| at t = l over random networks of depth 1 to 5 and widths 3 to 64, "
        "with biases, f on the input or not, delta by autograd"
    )
    printed = f"{text}; value nodes moved before the errors are read, as in the listings"
    late = _errors_apart(seed, late=1)
    return [
        Check("errors_equal_deltas", text, _errors_apart(seed)),
        Check("errors_equal_deltas", printed, late, protocol="as_published"),
        *controls(
            "errors_equal_deltas",
            {
                "gamma_0_5": _errors_apart(seed, gamma=0.5),
                "hidden_nodes_displaced": _errors_apart(seed, sigma=0.01),
                "one_step_late": late,
                "sign_of_the_text": _errors_apart(seed, sign=-1.0),
            },
        ),
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
    pairs = zip(thetas(ours), thetas(theirs), strict=True)
    return sum(float((a - b).norm()) for a, b in pairs)


def broken_zil(**broken: Any) -> Callable[[Problem], Updates]:
    """Z-IL with something changed; ``sigma`` is that of noise at the start."""
    sigma = broken.pop("sigma", 0.0)

    def rule(problem: Problem) -> Updates:
        noise = {"start_noise": hidden_noise(problem, sigma)} if sigma else {}
        return zil_updates(*problem[:3], **broken, **noise)

    return rule


def updates_equal_backprop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Theorem 3.2: under C1 and C3 the update at t = l is backprop's."""
    measured = []
    for l_max in DEPTHS:
        for protocol, problem, rule in both_readings("theorem3.2", seed, l_max, True):
            words = {
                "updates_equal_backprop": (
                    "updates of Z-IL against autograd: maximum relative difference",
                    update_difference(rule(problem), problem),
                ),
                "weights_stay_equal": (
                    "distance of the final weights of Z-IL and backprop after "
                    f"{TRAINING_UPDATES} updates, summed over matrices",
                    _trained_apart(problem, rule),
                ),
            }
            for statement, (text, apart) in words.items():
                text = f"l_max = {l_max}: {text}{READINGS[protocol]}"
                measured += checks(statement, {f"l_max_{l_max}": (text, apart)}, protocol)

    def at_once(problem: Problem) -> Updates:
        depth = len(problem.network.weights)
        return zil_updates(*problem[:3], moments=[depth - 1] * depth)

    def broken(rule: Callable[[Problem], Updates]) -> float:
        problems = (random_problem("theorem3.2", seed, l_max, True) for l_max in DEPTHS)
        return min(update_difference(rule(problem), problem) for problem in problems)

    noisy = (random_problem("theorem3.2", seed, l_max, True) for l_max in DEPTHS)
    noise = broken_zil(sigma=1e-4)
    return [
        *measured,
        *controls(
            "updates_equal_backprop",
            {
                "gamma_0_5": broken(broken_zil(gamma=0.5)),
                "all_at_one_moment": broken(at_once),
                "value_nodes_first": broken(listed_zil),
            },
        ),
        *controls(
            "weights_stay_equal",
            {"noise_at_the_start": min(_trained_apart(problem, noise) for problem in noisy)},
        ),
    ]


def _disturbance(record: Relaxation, past: int = 0) -> float:
    """Largest change of x^l, mu^{l-1} and size of eps^l over l > 0 and t < l (+ ``past``)."""
    found = [torch.zeros(1)]
    for level in range(1, len(record.errors[0])):
        for t in range(level + past):
            found += [
                record.values[t][level] - record.values[0][level],
                record.predictions[t][level - 1] - record.predictions[0][level - 1],
                record.errors[t][level],
            ]
    return max(float(each.abs().max()) for each in found)


def _skipping(problem: Problem) -> Relaxation:
    """Inference in which layer 2, where there is one, hears the errors of layer 0 as well."""
    network, weights = problem.network, thetas(problem.network)
    state = start(*problem[:3])
    record = Relaxation([], [], [], [])
    for _ in range(len(weights) + 1):
        record.values.append(state.values)
        record.predictions.append(state.predictions)
        record.errors.append(state.errors)
        values = move(network, state, 1.0)
        if len(weights) > 2:
            values[2] = values[2] + state.errors[0] @ (weights[1] @ weights[0]).t()
        state = look(network, values)
    return record


def layers_rest(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Lemma A.3: under C1 layer l stays as it was until t = l, whatever gamma."""
    networks = product(DEPTHS, (False, True))
    problems = [random_problem("lemma_a3", seed, l_max, biases) for l_max, biases in networks]

    def records(gamma: float, sigma: float = 0.0) -> list[Relaxation]:
        noises = (hidden_noise(p, sigma) if sigma else None for p in problems)
        return [
            relax(*p[:3], len(p.network.weights), gamma, noise)
            for p, noise in zip(problems, noises, strict=True)
        ]

    def disturbance(found: Sequence[Relaxation], past: int = 0) -> float:
        return max(_disturbance(record, past) for record in found)

    def smallest_error(early: int = 0) -> float:
        """Over the layers, of the largest error at t = l (- ``early``, where there is that t)."""
        layers = (enumerate(moments(record, "errors")) for record in records(1.0))
        if early:
            layers = (
                [(level, record.errors[level - early][level]) for level in range(early, depth)]
                for record in records(1.0)
                for depth in [len(record.errors[0])]
            )
        return min(float(error.abs().max()) for layer in layers for _, error in layer)

    text = "largest change of x and mu and size of epsilon over all t < l, l_max 2 to 4"
    rest = {by_gamma(gamma): (f"{text}, gamma = {gamma:g}", gamma) for gamma in GAMMAS}
    at_any = {name: (words, disturbance(records(gamma))) for name, (words, gamma) in rest.items()}
    return [
        Check("rests_until_l", f"{text}, gamma = 1", disturbance(records(1.0))),
        *checks("rests_for_every_gamma", at_any),
        Check(
            "wakes_at_l", "smallest over layers of the largest |epsilon| at t = l", smallest_error()
        ),
        *controls(
            "rests_until_l",
            {
                "hidden_nodes_displaced": disturbance(records(1.0, 0.01)),
                "a_layer_is_skipped": disturbance([_skipping(problem) for problem in problems]),
                "at_l_instead_of_before": disturbance(records(1.0), 1),
            },
        ),
        *controls(
            "rests_for_every_gamma",
            {
                "hidden_nodes_displaced_at_every_gamma": min(
                    disturbance(records(gamma, 0.01)) for gamma in GAMMAS
                )
            },
        ),
        *controls("wakes_at_l", {"one_step_early": smallest_error(1)}),
    ]


def _recursion_apart(
    seed: int, gamma: float = 1.0, below_late: int = 0, learning_rate: float = 0.0
) -> float:
    """Largest difference of both sides of lemma A.4.

    ``below_late`` reads eps^(l-1) so many steps later, ``learning_rate`` updates theta^l before it
    is used.
    """
    differences = []
    for l_max in DEPTHS:
        problem = random_problem("lemma_a4", seed, l_max, True)
        record = relax(*problem[:3], l_max, gamma)
        errors, below = moments(record, "errors"), moments(record, "errors", below_late)
        updates = zil(problem).weights
        for level in range(1, l_max):
            weight = thetas(problem.network)[level - 1] + learning_rate * updates[level - 1]
            before = record.predictions[0][level].clone().requires_grad_()
            activity = 1.0 / (1.0 + torch.exp(-before))
            sent = below[level - 1] @ weight.t()
            (expected,) = torch.autograd.grad(activity, before, sent)
            differences.append(float((errors[level] - expected).abs().max()))
    return max(differences)


def recursion_of_errors(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Lemma A.4: the error nodes at t = l follow backprop's recursion."""
    text = "epsilon at t = l against f'(mu) times the errors sent down, l_max 2 to 4: maximum"
    broken = {
        "gamma_0_5": _recursion_apart(seed, gamma=0.5),
        "errors_below_one_step_late": _recursion_apart(seed, below_late=1),
        "weights_updated_before_use": _recursion_apart(seed, learning_rate=SMALL_RATE),
    }
    return [
        Check("both_sides_agree", f"{text} difference", _recursion_apart(seed)),
        *controls("both_sides_agree", broken),
    ]


def _power_apart(
    seed: int, gamma: float, power: int = 0, moments_of: Callable[[int], list[int]] | None = None
) -> float:
    """Largest difference to gamma^l (+ ``power``) times backprop's errors and updates.

    In units of 1 + the largest |x|, whose rounding limits epsilon = x - mu.
    """
    apart = []
    for l_max in DEPTHS:
        problem = random_problem("gamma_power", seed, l_max)
        times = list(range(l_max)) if moments_of is None else moments_of(l_max)
        record = relax(*problem[:3], l_max, gamma)
        backprop = reference_backprop(problem)
        errors = [record.errors[t][level] for level, t in enumerate(times)]
        updates = parts(zil_updates(*problem[:3], gamma=gamma, moments=times))
        scale = 1.0 + max(float(x.abs().max()) for values in record.values for x in values)
        for found, expected in ((errors, backprop.deltas), (updates, backprop.weights)):
            powers = [gamma ** (level + power) * each for level, each in enumerate(expected)]
            apart.append(largest_difference(found, powers) / scale)
    return max(apart)


def gamma_to_the_power(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.5: without C3 errors and updates of theta^{l+1} are gamma^l times backprop's."""
    text = "epsilon^l at t = l and its update against gamma^l times backprop's, l_max 2 to 4"
    unit = "maximum difference over 1 + max |x|"
    found = {
        by_gamma(gamma): (f"{text}, gamma = {gamma:g}: {unit}", _power_apart(seed, gamma))
        for gamma in GAMMAS
    }
    others = [gamma for gamma in GAMMAS if gamma != 1.0]
    broken = {
        "one_power_more": min(_power_apart(seed, gamma, 1) for gamma in others),
        "all_at_one_moment": min(
            _power_apart(seed, gamma, moments_of=lambda l_max: [l_max - 1] * l_max)
            for gamma in others
        ),
    }
    statement = "ratio_is_gamma_power"
    return [*checks(statement, found), *controls(statement, broken)]


def biases(settings: ExperimentSettings, seed: int) -> list[Check]:
    """A.1: with biases everything holds as before; their updates are alpha epsilon."""
    found = []
    different, sloped = [], []
    for l_max in DEPTHS:
        for protocol, problem, rule in both_readings("bias_extension", seed, l_max, True):
            reference = reference_backprop(problem)
            apart = update_difference(rule(problem), problem)
            if protocol == "corrected":
                record = relax(*problem[:3], l_max, 1.0)
                errors = relative_difference(moments(record, "errors"), reference.deltas)
                apart = max(apart, errors)
                network = problem.network
                moved = tuple(bias + 1e-3 for bias in network.biases)
                other = problem._replace(network=network._replace(biases=moved))
                different.append(update_difference(zil(other), problem))
                sloped.append(relative_difference(_sloped(problem, record), reference.biases))
            text = (
                f"l_max = {l_max}: updates of weights and biases (and errors) of Z-IL against "
                f"autograd: maximum relative difference{READINGS[protocol]}"
            )
            found += checks("bias_updates_equal", {f"l_max_{l_max}": (text, apart)}, protocol)
    broken = {"biases_differ_at_the_start": min(different), "bias_update_with_slope": min(sloped)}
    return [*found, *controls("bias_updates_equal", broken)]


def _sloped(problem: Problem, record: Relaxation) -> list[Tensor]:
    """Bias updates epsilon f'(x) in the place of epsilon."""
    slope = problem.network.activation.derivative
    pairs = zip(moments(record, "errors"), moments(record, "values"), strict=True)
    return [(error * slope(x)).sum(dim=0) for error, x in pairs]


def conditions(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 3: without any one of C1, C2 and C3 the updates are not backprop's."""
    dropped: dict[str, tuple[str, Callable[[int], dict[str, Any]]]] = {
        "c1_noise": ("C1 (value nodes start 0.01 N(0, 1) away)", lambda depth: {"sigma": 0.01}),
        "c2_one_step_late": (
            "C2 (t = l + 1)",
            lambda depth: {"moments": [level + 1 for level in range(depth)]},
        ),
        "c2_at_once": ("C2 (all matrices at t = 0)", lambda depth: {"moments": [0] * depth}),
        "c3_gamma_0_5": ("C3 (gamma = 0.5)", lambda depth: {"gamma": 0.5}),
        "c3_gamma_2": ("C3 (gamma = 2)", lambda depth: {"gamma": 2.0}),
    }
    intact = {
        "no_condition_dropped": lambda depth: {},
        "dropped_below_rounding": lambda depth: {"sigma": 1e-15, "gamma": 1.0 + 1e-15},
    }

    def apart(broken: Callable[[int], dict[str, Any]]) -> list[float]:
        problems = (random_problem("conditions", seed, l_max) for l_max in DEPTHS)
        return [
            update_difference(broken_zil(**broken(len(p.network.weights)))(p), p) for p in problems
        ]

    text = "updates against autograd, maximum relative difference, smallest of l_max 2 to 4"
    found = {
        name: (f"dropped {words}: {text}", min(apart(broken)))
        for name, (words, broken) in dropped.items()
    }
    return [
        *checks("each_is_needed", found),
        *controls("each_is_needed", {name: max(apart(kept)) for name, kept in intact.items()}),
    ]
