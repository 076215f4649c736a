"""Hopfield networks of chapter 1 as measured deviations (O'Connor 2020, section 1.1.2, eq. 1.6).

Against brute force: energies as sums over all pairs, both values of a unit tried out.
"""

import numpy as np

from plausible.networks.hopfield import (
    Hopfield,
    Recall,
    flow,
    make_hopfield,
    overlap,
    recall,
    recall_continuous,
    store,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks
from plausible.seeds import numpy_generator

NETWORKS = 20
"""Random Hopfield networks for each seed."""
UNITS, PATTERNS, TURNED = 200, 10, 40
"""Recall at the published load of 0.05 N patterns, from a fifth of the units turned over."""
GAINS = (0.5, 2.0, 8.0)
ROUNDING = 1e-12


def generator(entry: str, seed: int) -> np.random.Generator:
    """Random stream of one entry and seed."""
    return numpy_generator("oconnor2020", "theorems_chapter1", seed, entry)


def _random_network(rng: np.random.Generator, units: int, whole: bool = False) -> Hopfield:
    """Symmetric weights and biases; whole numbers make every energy exact."""
    draw = rng.integers(-3, 4, (units, units)) if whole else rng.normal(size=(units, units))
    upper = np.triu(draw, 1).astype(np.float64)
    biases = rng.integers(-3, 4, units) if whole else rng.normal(size=units)
    return make_hopfield(upper + upper.T, biases)


def _energy_by_pairs(network: Hopfield, state: np.ndarray) -> float:
    """Each pair of units once, then the biases."""
    first, second = np.triu_indices(len(state), 1)
    pairs = network.weights[first, second] * state[first] * state[second]
    return float(-pairs.sum() - network.biases @ state)


def _replayed_energies(network: Hopfield, start: np.ndarray, result: Recall) -> np.ndarray:
    """Energies of all states of a recall, each by the sum over pairs, ``[updates + 1]``."""
    state = start.copy()
    energies = [_energy_by_pairs(network, state)]
    for unit, value in zip(result.units, result.values, strict=True):
        state[unit] = value
        energies.append(_energy_by_pairs(network, state))
    return np.array(energies)


def _rises(seed: int) -> tuple[float, float, float, float]:
    """Largest rise in one update (binary, continuous, flow); error of the recorded energies."""
    rng = generator("eq1.6.energy", seed)
    binary, kept, continuous, flowing = [], [], [], []
    for _ in range(NETWORKS):
        network = _random_network(rng, 30, whole=True)
        start = rng.choice([-1.0, 1.0], 30)
        result = recall(network, start, rng)
        energies = _replayed_energies(network, start, result)
        binary.append(np.diff(energies).max())
        kept.append(np.abs(result.energies - energies).max())
        start = rng.uniform(-0.9, 0.9, 30)
        for gain in GAINS:
            energies = recall_continuous(network, start, gain, rng, max_sweeps=20).energies
            continuous.append(np.diff(energies).max() / np.abs(energies).max())
            energies = flow(network, start, gain, step=0.002, steps=500)[1]
            flowing.append(np.diff(energies).max() / np.abs(energies).max())
    return max(binary), max(kept), max(continuous), max(flowing)


def _recovered(seed: int) -> tuple[float, float]:
    """Smallest overlap with a stored pattern after recall, of binary and continuous states."""
    rng = generator("eq1.6.recall", seed)
    patterns = rng.choice([-1.0, 1.0], (PATTERNS, UNITS))
    network = store(patterns)
    binary, continuous = [], []
    for pattern in patterns:
        damaged = pattern.copy()
        damaged[rng.permutation(UNITS)[:TURNED]] *= -1
        binary.append(overlap(recall(network, damaged, rng).state, pattern))
        settled = recall_continuous(network, 0.5 * damaged, 4.0, rng, tolerance=1e-9)
        continuous.append(overlap(np.sign(settled.state), pattern))
    return min(binary), min(continuous)


def _wrong_updates(seed: int) -> int:
    """Units that one sweep left in another state than brute force over both values does."""
    rng = generator("eq1.6.update", seed)
    wrong = 0
    for trial in range(NETWORKS):
        network = _random_network(rng, 25, whole=True)
        start = rng.choice([-1.0, 1.0], 25)
        order = generator(f"eq1.6.order.{trial}", seed)
        found = recall(network, start, order, max_sweeps=1).state
        state = start.copy()
        for unit in generator(f"eq1.6.order.{trial}", seed).permutation(25):
            energies = {}
            for value in (-1.0, 1.0):
                state[unit] = value
                energies[value] = _energy_by_pairs(network, state)
            # At equal energies the unit stays; it has not been visited before in this sweep.
            tie = energies[-1.0] == energies[1.0]
            state[unit] = start[unit] if tie else min(energies, key=energies.get)
        wrong += int((found != state).sum())
    return wrong


def hopfield(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 1.6: the energy falls, patterns come back, every update is the best for its unit."""
    binary, kept, continuous, flowing = _rises(seed)
    overlaps = _recovered(seed)
    scope = f"over {NETWORKS} random networks of 30 units with whole-number weights"
    exact = {
        "largest rise of the energy, summed over pairs, in one asynchronous update "
        f"{scope}": binary,
        f"recorded energies against these sums, {scope}": kept,
    }
    rounded = {
        "continuous states, v_i = tanh(gain h_i): largest rise relative to the energy, "
        f"{scope}, gains {', '.join(f'{gain:g}' for gain in GAINS)}": continuous,
        "continuous states in continuous time: largest rise relative to the energy, "
        f"{scope}": flowing,
    }
    recalled = {
        f"smallest overlap with the stored pattern, {PATTERNS} patterns in {UNITS} units "
        f"(0.05 N), {TURNED} units turned over": overlaps[0],
        f"the same with continuous states (gain 4), by their signs; {PATTERNS} patterns "
        f"in {UNITS} units": overlaps[1],
    }
    arg_min = (
        f"units left in a state that is not the arg min of the energy, {NETWORKS} networks of "
        "25 units with whole-number weights, by brute force"
    )
    return [
        *checks("energy_never_rises", 0.0, exact),
        *checks("energy_never_rises", ROUNDING, rounded),
        *checks("pattern_recovered", 1.0, recalled, ">="),
        Check("update_is_arg_min", arg_min, _wrong_updates(seed), 0.0, "=="),
    ]
