"""Hopfield networks with binary and with continuous states. Numpy and scipy.

Source: O'Connor 2020, section 1.1.2, eq. 1.6 (binary; after Hopfield 1982), and Hopfield 1984 for
continuous states, of which the binary ones are the limit of infinite gain. Weights are symmetric
with a zero diagonal, so that changing one unit s_i, others fixed, changes the energy

    E(s) = -1/2 sum_ij w_ij s_i s_j - sum_i b_i s_i        (each connection counted once)

by -(change of s_i) * h_i with the unit's input h_i = sum_j w_ij s_j + b_i.
"""

from typing import NamedTuple

import numpy as np
from scipy.optimize import brentq
from scipy.special import erf

from plausible.errors import StudyError


class Hopfield(NamedTuple):
    """Weights w ``[units, units]`` and biases b ``[units]``."""

    weights: np.ndarray
    biases: np.ndarray


class Recall(NamedTuple):
    """What asynchronous updates did to one state."""

    state: np.ndarray
    """Last state, ``[units]``."""
    energies: np.ndarray
    """Energy at the start and after each update of a unit, ``[updates + 1]``."""
    sweeps: int
    """Sweeps over all units that were made."""
    settled: bool
    """Whether the last sweep changed nothing (continuous: nothing by more than the tolerance)."""
    units: np.ndarray
    """Unit that each update set, ``[updates]``."""
    values: np.ndarray
    """State that it set it to, ``[updates]``."""


def make_hopfield(weights: np.ndarray, biases: np.ndarray | None = None) -> Hopfield:
    """Network of given weights.

    Raises
    ------
    StudyError
        If the weights are not square, finite, symmetric and zero on the diagonal, or the biases do
        not fit: without these conditions the energy may rise.
    """
    weights = np.asarray(weights, np.float64)
    biases = np.zeros(len(weights)) if biases is None else np.asarray(biases, np.float64)
    if (
        weights.ndim != 2
        or weights.shape[0] != weights.shape[1]
        or biases.shape != weights.shape[:1]
    ):
        raise StudyError(
            f"Hopfield network: weights of shape {weights.shape} and biases of shape "
            f"{biases.shape} were found, where [units, units] and [units] are expected."
        )
    if not (np.isfinite(weights).all() and np.isfinite(biases).all()):
        raise StudyError("Hopfield network: weights and biases must be finite numbers.")
    if not np.array_equal(weights, weights.T) or np.diag(weights).any():
        raise StudyError(
            "Hopfield network: the weights must be symmetric with a zero diagonal, or the energy "
            "may rise; use (W + W.T) / 2 and set the diagonal to 0."
        )
    return Hopfield(weights, biases)


def store(patterns: np.ndarray) -> Hopfield:
    """Hebbian storage of ``patterns`` ``[patterns, units]`` of -1 and +1.

    w_ij = mean over patterns p and divided by units: sum_p s_i^p s_j^p / units, w_ii = 0, b = 0.

    Raises
    ------
    StudyError
        If a pattern holds anything but -1 and +1.
    """
    patterns = np.asarray(patterns, np.float64)
    if patterns.ndim != 2 or not np.isin(patterns, (-1.0, 1.0)).all():
        raise StudyError(
            f"Hopfield network: patterns of shape {patterns.shape} were found, where -1 and +1 of "
            "shape [patterns, units] are expected."
        )
    weights = patterns.T @ patterns / patterns.shape[1]
    np.fill_diagonal(weights, 0.0)
    return make_hopfield(weights)


def imprint(network: Hopfield, state: np.ndarray) -> Hopfield:
    """Network after one more Hebbian update as section 1.1.2 prints it, dw = s s^T and db = s.

    The diagonal stays 0. The energy of ``state`` falls by N (N - 1) / 2 + N for N units.
    """
    state = np.asarray(state, np.float64)
    change = np.outer(state, state)
    np.fill_diagonal(change, 0.0)
    return make_hopfield(network.weights + change, network.biases + state)


def energy(network: Hopfield, state: np.ndarray) -> np.ndarray:
    """E of one or many binary states ``[..., units]`` (eq. 1.6)."""
    state = np.asarray(state, np.float64)
    interaction = ((state @ network.weights) * state).sum(axis=-1)
    return -0.5 * interaction - state @ network.biases


def overlap(state: np.ndarray, pattern: np.ndarray) -> float:
    """Mean of s_i p_i over the units: 1 if equal, -1 if opposite, near 0 by chance."""
    return float(np.mean(np.asarray(state) * np.asarray(pattern)))


def overlaps(result: Recall, start: np.ndarray, pattern: np.ndarray) -> np.ndarray:
    """Overlap with ``pattern`` at the start and after each update of a recall, ``[updates + 1]``.

    ``start`` is the state that the recall began with.
    """
    states = np.array(start, np.float64)
    changes = np.empty(len(result.units))
    for step, (unit, value) in enumerate(zip(result.units, result.values, strict=True)):
        changes[step] = (value - states[unit]) * pattern[unit]
        states[unit] = value
    first = overlap(start, pattern)
    return np.concatenate([[first], first + np.cumsum(changes) / len(states)])


def retrieval_overlap(load: float) -> float:
    """Overlap of the retrieval state in infinitely many units, 0 above the capacity of 0.138.

    ``load`` is patterns per unit. Source: Amit, Gutfreund and Sompolinsky 1985, no temperature:
    the overlap is erf(y) with the largest root y of erf(y) = y (sqrt(2 load) + 2 exp(-y^2) /
    sqrt(pi)).

    Raises
    ------
    StudyError
        If the load is not positive.
    """
    if not load > 0:
        raise StudyError(f"Hopfield network: the load is {load}, expected a positive number.")

    def excess(y: np.ndarray) -> np.ndarray:
        return erf(y) - y * (np.sqrt(2 * load) + 2 * np.exp(-(y**2)) / np.sqrt(np.pi))

    # Between the two roots the excess is positive. The larger one is below 6 for loads from 0.014
    # on; below that, erf(y) is 1 in float64.
    grid = np.linspace(0.2, 6.0, 5801)
    (positive,) = np.nonzero(excess(grid) > 0)
    if not len(positive):
        return 0.0
    if positive[-1] == len(grid) - 1:
        return 1.0
    return float(erf(brentq(excess, *grid[positive[-1] :][:2])))


def recall(
    network: Hopfield,
    start: np.ndarray,
    rng: np.random.Generator,
    max_sweeps: int = 100,
    free: np.ndarray | None = None,
) -> Recall:
    """Asynchronous threshold updates of a binary state until a sweep changes nothing.

    s_i <- +1 if h_i > 0, -1 if h_i < 0; at h_i = 0 both have the same energy and s_i stays. Each
    update is the arg min of E over s_i. Every sweep visits once, in a new random order, all units
    or those that are ``free``; the others are clamped.
    """
    state = np.array(start, np.float64)
    energies = [float(energy(network, state))]
    units, values = [], []
    sweeps, settled = 0, False
    while not settled and sweeps < max_sweeps:
        settled = True
        order = rng.permutation(len(state) if free is None else free)
        for unit in order:
            drive = network.weights[unit] @ state + network.biases[unit]
            new = np.sign(drive) if drive != 0 else state[unit]
            energies.append(energies[-1] - (new - state[unit]) * drive)
            settled &= new == state[unit]
            state[unit] = new
            values.append(new)
        units.append(order)
        sweeps += 1
    return _record(state, energies, sweeps, settled, units, values)


def period(network: Hopfield, start: np.ndarray, max_sweeps: int = 1000) -> int:
    """Sweeps after which a state comes back if units are updated in their order; 0 if none does.

    Threshold updates as in `recall`. 1 means that it has settled, as it must where weights are
    symmetric; a longer period is a cycle.
    """
    state, seen = np.array(start, np.float64), {}
    for sweep in range(max_sweeps):
        if (before := seen.setdefault(state.tobytes(), sweep)) != sweep:
            return sweep - before
        for unit, weights in enumerate(network.weights):
            drive = weights @ state + network.biases[unit]
            state[unit] = np.sign(drive) if drive != 0 else state[unit]
    return 0


def continuous_energy(network: Hopfield, state: np.ndarray, gain: float) -> np.ndarray:
    """Energy of continuous states v ``[..., units]`` in [-1, 1] (Hopfield 1984).

    E(v) + (1 / gain) sum_i integral from 0 to v_i of artanh, which is
    ((1 + v) ln(1 + v) + (1 - v) ln(1 - v)) / 2.
    """
    state = np.asarray(state, np.float64)
    cost = np.zeros(state.shape)
    for side in (1.0 + state, 1.0 - state):
        cost += 0.5 * side * np.log(side, out=np.zeros(state.shape), where=side > 0)
    return energy(network, state) + cost.sum(axis=-1) / gain


def recall_continuous(
    network: Hopfield,
    start: np.ndarray,
    gain: float,
    rng: np.random.Generator,
    max_sweeps: int = 1000,
    tolerance: float = 1e-12,
) -> Recall:
    """Asynchronous updates v_i <- tanh(gain h_i) until none changes v_i by more than ``tolerance``.

    Since w_ii = 0, the energy is convex in v_i alone, and this is its minimum: it never rises.

    Raises
    ------
    StudyError
        If the gain is not positive.
    """
    _check_gain(gain)
    state = np.array(start, np.float64)
    energies = [float(continuous_energy(network, state, gain))]
    units, values = [], []
    sweeps, settled = 0, False
    while not settled and sweeps < max_sweeps:
        settled = True
        order = rng.permutation(len(state))
        for unit in order:
            new = np.tanh(gain * (network.weights[unit] @ state + network.biases[unit]))
            settled &= abs(new - state[unit]) <= tolerance
            state[unit] = new
            values.append(new)
            energies.append(float(continuous_energy(network, state, gain)))
        units.append(order)
        sweeps += 1
    return _record(state, energies, sweeps, settled, units, values)


def _record(state, energies, sweeps, settled, units, values) -> Recall:
    visited = np.concatenate(units) if units else np.zeros(0, np.int64)
    return Recall(state, np.array(energies), sweeps, bool(settled), visited, np.array(values))


def flow(
    network: Hopfield, start: np.ndarray, gain: float, step: float, steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """All units at once, in continuous time: states and energies, ``[steps + 1, units]``, ``[..]``.

    du/dt = -u + W v + b with v = tanh(gain u), from v = ``start`` inside (-1, 1), by Euler steps of
    ``step`` (in time constants). dE/dt = -sum_i v'(u_i) (du_i/dt)^2 <= 0; a step that is too long
    may still raise the energy.

    Raises
    ------
    StudyError
        If the gain is not positive, the step not in (0, 1], or a start value not inside (-1, 1).
    """
    _check_gain(gain)
    start = np.asarray(start, np.float64)
    if not 0 < step <= 1 or not (np.abs(start) < 1).all():
        raise StudyError(
            f"Hopfield flow: a step of {step} and start values up to {np.abs(start).max()} were "
            "found, where a step in (0, 1] and values inside (-1, 1) are expected."
        )
    potential = np.arctanh(start) / gain
    states = [start]
    for _ in range(steps):
        potential = potential + step * (network.weights @ states[-1] + network.biases - potential)
        states.append(np.tanh(gain * potential))
    states = np.stack(states)
    return states, continuous_energy(network, states, gain)


def _check_gain(gain: float) -> None:
    if not gain > 0:
        raise StudyError(f"Hopfield network: the gain is {gain}, expected a positive number.")
