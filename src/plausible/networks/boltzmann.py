"""Boltzmann machines: units of 0 and 1 that take their states at random. Numpy and scipy.

Source: O'Connor 2020, section 2.1, eq. 2.1 to 2.3. A machine is a Hopfield network
(`plausible.networks.hopfield`: symmetric weights w, zero diagonal, biases b) whose states s have
the probability of their energy,

    E(s) = -1/2 sum_ij w_ij s_i s_j - sum_i b_i s_i        (each connection counted once)
    p(s) = exp(-E(s)) / Z
    p(s_i = 1 | others) = sigmoid(sum_j w_ij s_j + b_i)

Eq. 2.1 is printed without the factor 1/2; eq. 2.3, the last line, follows only with it. Everything
but the samples is exact, by enumeration of all states.
"""

from functools import reduce

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, softmax

from plausible.errors import StudyError
from plausible.networks.hopfield import Hopfield, energy

MOST_UNITS = 16
"""Units of which all states are enumerated."""


def all_states(units: int) -> NDArray[np.float64]:
    """Every state of so many units, ``[2 ** units, units]``, in the order of binary numbers.

    Raises
    ------
    StudyError
        If there are more than `MOST_UNITS`.
    """
    if not 1 <= units <= MOST_UNITS:
        raise StudyError(
            f"enumeration: {units} units were found, where 1 to {MOST_UNITS} can be enumerated."
        )
    return (np.arange(2**units)[:, None] >> np.arange(units)[::-1] & 1).astype(np.float64)


def state_numbers(states: NDArray) -> NDArray[np.int64]:
    """Row of `all_states` in which each state ``[..., units]`` stands."""
    return states.astype(np.int64) @ (2 ** np.arange(states.shape[-1])[::-1])


def distribution(machine: Hopfield) -> NDArray[np.float64]:
    """p(s) of `all_states`, ``[states]`` (eq. 2.2)."""
    return softmax(-energy(machine, all_states(len(machine.biases))))


def on_probability(machine: Hopfield, states: NDArray, unit: int) -> NDArray[np.float64]:
    """p(s_unit = 1 | the other units) for each state ``[..., units]`` (eq. 2.3)."""
    return expit(states @ machine.weights[:, unit] + machine.biases[unit])


def gibbs_sweep(machine: Hopfield, states: NDArray, rng: np.random.Generator) -> None:
    """Set the units of all chains ``[chains, units]`` one after another, in place."""
    for unit in range(states.shape[1]):
        states[:, unit] = rng.random(len(states)) < on_probability(machine, states, unit)


def gibbs_samples(
    machine: Hopfield, rng: np.random.Generator, chains: int, kept: int, burn_in: int, every: int
) -> NDArray[np.float64]:
    """States of independent chains from random starts, ``[kept * chains, units]``.

    Of each chain the state after ``burn_in`` sweeps and ``kept - 1`` further ones, ``every`` so
    many sweeps.
    """
    states = rng.integers(0, 2, (chains, len(machine.biases))).astype(np.float64)
    samples = []
    for number in range(kept):
        for _ in range(every if number else burn_in):
            gibbs_sweep(machine, states, rng)
        samples.append(states.copy())
    return np.concatenate(samples)


def sweep_kernel(machine: Hopfield) -> NDArray[np.float64]:
    """Probabilities of going from one state to another in a sweep, ``[states, states]``."""
    states = all_states(len(machine.biases))
    rows = np.arange(len(states))

    def of_unit(unit: int) -> NDArray:
        on, kernel = on_probability(machine, states, unit), np.zeros((len(states),) * 2)
        for value, probability in ((0.0, 1.0 - on), (1.0, on)):
            after = states.copy()
            after[:, unit] = value
            kernel[rows, state_numbers(after)] = probability
        return kernel

    return reduce(np.matmul, map(of_unit, range(states.shape[1])))


def relaxation_time(kernel: NDArray) -> float:
    """Steps in which the slowest deviation from the limit falls by e: -1 / log|eigenvalue|.

    The eigenvalue is the second largest in size of a kernel ``[states, states]`` that has one
    limit.
    """
    sizes = np.sort(np.abs(np.linalg.eigvals(kernel)))
    return float(-1.0 / np.log(sizes[-2]))


def total_variation(one: NDArray, other: NDArray) -> float:
    """Half of the sum of |p - q|: the largest difference of the probabilities of an event."""
    return float(np.abs(one - other).sum() / 2.0)
