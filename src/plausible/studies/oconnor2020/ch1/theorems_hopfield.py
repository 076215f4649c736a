"""Hopfield networks of chapter 1 as measured deviations (O'Connor 2020, section 1.1.2, eq. 1.6).

Energies are double sums over the pairs of units. Eq. 1.6 prints them without the factor 1/2, which
counts every pair twice but every bias once (``as_published``); weights and biases are whole
numbers, so that every energy is exact.
"""

from collections.abc import Callable
from itertools import product

import numpy as np

from plausible.measure.shares import share_limit
from plausible.networks.hopfield import Hopfield, Recall, imprint, make_hopfield, period, recall
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, controls
from plausible.seeds import numpy_generator

NETWORKS, UNITS = 20, 30
"""Random networks for each seed, and their units."""
SWEEPS = 10
MEMORY_UNITS, LOAD, RECALLS = 100, 0.05, 5
"""Recall of stored patterns: units, patterns per unit, patterns of a network that are tried."""
FEW_UNITS = 15
"""Units of which every state can be tried."""
HALF, PRINTED = 0.5, 1.0
"""Factor of the double sum over pairs: the right one, and the printed one."""
CHAOTIC_UNITS, GAIN, STEPS = 200, 4.0, 2000


def generator(entry: str, seed: int) -> np.random.Generator:
    """Random stream of one entry and seed."""
    return numpy_generator("oconnor2020", "theorems_chapter1", seed, entry)


def random_network(rng: np.random.Generator, units: int = UNITS) -> Hopfield:
    """Symmetric weights and biases of whole numbers."""
    upper = np.triu(rng.integers(-3, 4, (units, units)), 1).astype(np.float64)
    return make_hopfield(upper + upper.T, rng.integers(-3, 4, units))


def energy_by_pairs(network: Hopfield, state: np.ndarray, factor: float) -> float:
    """-factor * sum over i != j of w_ij s_i s_j - sum_i b_i s_i."""
    weights = network.weights - np.diag(np.diag(network.weights))
    return float(-factor * (state @ weights @ state) - network.biases @ state)


def _same(rng: np.random.Generator, network: Hopfield) -> Hopfield:
    return network


def _asymmetric(rng: np.random.Generator, network: Hopfield) -> Hopfield:
    upper = np.triu(rng.integers(-3, 4, network.weights.shape), 1)
    return network._replace(weights=network.weights + upper - upper.T)


def _negative_diagonal(rng: np.random.Generator, network: Hopfield) -> Hopfield:
    return network._replace(weights=network.weights - len(network.biases) * np.eye(UNITS))


def updates(
    seed: int, factor: float = HALF, broken: Callable[..., Hopfield] = _same
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All updates of random networks: change of the energy, its size, whether the worse state won.

    The size is that of the energy before the update.
    """
    rng, found = generator("eq1.6.energy", seed), []
    for _ in range(NETWORKS):
        network = broken(rng, random_network(rng))
        start = rng.choice([-1.0, 1.0], UNITS)
        found += _replayed(network, start, recall(network, start, rng, SWEEPS), factor)
    return tuple(map(np.array, zip(*found, strict=True)))


def _replayed(network: Hopfield, start: np.ndarray, result: Recall, factor: float):
    state, found = start.copy(), []
    for unit, value in zip(result.units, result.values, strict=True):
        before, energies = state[unit], {}
        for state[unit] in (-1.0, 1.0):
            energies[state[unit]] = energy_by_pairs(network, state, factor)
        state[unit] = value
        worse = energies[value] > energies[-value]
        found.append((energies[value] - energies[before], abs(energies[before]), worse))
    return found


def hopfield(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.6: the energy falls, every update is the best for its unit, patterns come back."""
    scope = f"{NETWORKS} random networks of {UNITS} units"
    rows = []
    for protocol, factor in (("corrected", HALF), ("as_published", PRINTED)):
        change, _, worse = updates(seed, factor)
        rows += [
            Check(
                "energy_never_rises",
                f"largest change of the energy in one update, {scope}",
                change.max(),
                protocol=protocol,
            ),
            Check(
                "update_is_arg_min",
                f"updates to the state of higher energy, by trying both, {scope}",
                worse.sum(),
                protocol=protocol,
            ),
        ]
    rising = {}
    for name, broken in (
        ("antisymmetric_part", _asymmetric),
        ("negative_diagonal", _negative_diagonal),
    ):
        change, size, worse = updates(seed, broken=broken)
        rising[name] = (change > 0.01 * size).mean()
    own = {"own_state_included": worse.mean()}
    return [
        *rows,
        *controls("energy_never_rises", rising),
        *controls("update_is_arg_min", own),
        *_storage(seed),
        *_recall(seed),
        *_arg_min(seed),
    ]


def _reversed(network: Hopfield) -> Hopfield:
    return Hopfield(-network.weights, -network.biases)


def _storage(seed: int) -> list[Check]:
    """Change of the energy of a state by storing it, in whole numbers."""
    rng = generator("eq1.6.storage", seed)
    network, state = random_network(rng), rng.choice([-1.0, 1.0], UNITS)
    stored, unlearnt = imprint(network, state), _reversed(imprint(_reversed(network), state))

    def off(after: Hopfield, factor: float) -> float:
        change = energy_by_pairs(after, state, factor) - energy_by_pairs(network, state, factor)
        return abs(change + 2 * factor * UNITS * (UNITS - 1) / 2 + UNITS)

    text = f"|change of the energy of a stored state + N (N - 1) {{}}+ N|, N = {UNITS}"
    name = "storing_lowers_energy"
    return [
        Check(name, text.format("/ 2 "), off(stored, HALF)),
        Check(name, text.format(""), off(stored, PRINTED), protocol="as_published"),
        *controls(name, {"learning_reversed": off(unlearnt, HALF)}),
    ]


def _memory(patterns: np.ndarray) -> Hopfield:
    units = patterns.shape[1]
    network = make_hopfield(np.zeros((units, units)))
    for pattern in patterns:
        network = imprint(network, pattern)
    return network


def _half_seen(rng: np.random.Generator, pattern: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A start of which half of the units are those of a pattern, and the other, free units."""
    free = rng.permutation(len(pattern))[: len(pattern) // 2]
    start = pattern.copy()
    start[free] = rng.choice([-1.0, 1.0], len(free))
    return start, free


def recovered(seed: int, load: float, broken: Callable[[Hopfield], Hopfield] = lambda n: n):
    """Draws in which clamping half of the units of a memory brings back the rest, and all draws."""
    rng, found = generator("eq1.6.recall", seed), []
    for _ in range(NETWORKS):
        patterns = rng.choice([-1.0, 1.0], (round(load * MEMORY_UNITS), MEMORY_UNITS))
        network = broken(_memory(patterns))
        for pattern in patterns[:RECALLS]:
            start, free = _half_seen(rng, pattern)
            state = recall(network, start, rng, free=free).state
            found.append(np.array_equal(state, pattern))
    return sum(found), len(found)


def _recall(seed: int) -> list[Check]:
    name = "pattern_recovered"
    number, of = recovered(seed, LOAD)
    text = (
        f"lower 95 % limit of the share of {of} draws in which half of the units, clamped, bring "
        f"back the other half of a memory; {MEMORY_UNITS} units, {LOAD:g} patterns per unit"
    )
    broken = {
        "ten_times_the_load": share_limit(*recovered(seed, 10 * LOAD), side=1),
        "learning_reversed": share_limit(*recovered(seed, LOAD, _reversed), side=1),
    }
    return [Check(name, text, share_limit(number, of)), *controls(name, broken)]


def _arg_min(seed: int) -> list[Check]:
    """Against all states of the free units: the energy of none is lower than the one found."""
    name, draws = "recall_is_the_arg_min", 5 * NETWORKS

    def best(broken: Callable[[Hopfield], Hopfield]) -> int:
        rng, found = generator("eq1.6.arg_min", seed), 0
        for _ in range(draws):
            pattern = rng.choice([-1.0, 1.0], FEW_UNITS)
            network = _memory(pattern[None])
            start, free = _half_seen(rng, pattern)
            reached = recall(broken(network), start, rng, free=free).state
            state, energies = start.copy(), []
            for values in product((-1.0, 1.0), repeat=len(free)):
                state[free] = values
                energies.append(energy_by_pairs(network, state, HALF))
            found += energy_by_pairs(network, reached, HALF) == min(energies)
        return found

    text = (
        f"lower 95 % limit of the share of {draws} draws in which the state found is the arg min "
        f"of the energy given the clamped units; {FEW_UNITS} units, one pattern"
    )
    broken = {"higher_energy_taken": share_limit(best(_reversed), draws, side=1)}
    return [Check(name, text, share_limit(best(lambda n: n), draws)), *controls(name, broken)]


def asymmetric_weights(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Without symmetry the network may run in cycles, or, with continuous states, into chaos."""
    draws = 5 * NETWORKS

    def cycles(broken: Callable[..., Hopfield]) -> int:
        rng = generator("asymmetric_weights", seed)
        networks = [broken(rng, random_network(rng)) for _ in range(draws)]
        return sum(period(one, rng.choice([-1.0, 1.0], UNITS)) != 1 for one in networks)

    text = (
        f"lower 95 % limit of the share of {draws} networks of {UNITS} units with an antisymmetric "
        "part that do not settle, updated unit by unit in a fixed order"
    )
    name, chaotic = "may_cycle", "may_be_chaotic"
    exponent = (
        f"largest Lyapunov exponent per step of v <- tanh(gain W v), {CHAOTIC_UNITS} units, W "
        f"independent normal of variance 1/N, gain {GAIN:g}"
    )
    return [
        Check(name, text, share_limit(cycles(_asymmetric), draws)),
        *controls(name, {"symmetric": share_limit(cycles(_same), draws, side=1)}),
        Check(chaotic, exponent, _lyapunov(seed, symmetric=False)),
        *controls(chaotic, {"symmetric": _lyapunov(seed, symmetric=True)}),
    ]


def _lyapunov(seed: int, symmetric: bool) -> float:
    """Mean logarithmic growth of a small difference, after half of the steps."""
    rng = generator("lyapunov", seed)
    weights = rng.normal(size=(CHAOTIC_UNITS, CHAOTIC_UNITS)) / np.sqrt(CHAOTIC_UNITS)
    if symmetric:
        weights = (weights + weights.T) / np.sqrt(2.0)
    state, apart = rng.uniform(-1.0, 1.0, (2, CHAOTIC_UNITS))
    growth = []
    for _ in range(STEPS):
        state = np.tanh(GAIN * weights @ state)
        apart = GAIN * (1.0 - state**2) * (weights @ (apart / np.linalg.norm(apart)))
        growth.append(np.log(np.linalg.norm(apart)))
    return float(np.mean(growth[STEPS // 2 :]))
