"""One time step of a layer of LIF neurons, compiled; see ``neurons.lif_dynamics`` (numba)."""

from typing import NamedTuple

import numpy as np
from numba import njit

from plausible.kernels.types import SimulationSettings


class StepConstants(NamedTuple):
    """Constants of a step, times in steps.

    ``leak``: fraction of (J - v) that a neuron gains in a step, dt / tau_RC for Euler steps and
    1 - exp(-dt / tau_RC) for exact ones. ``rest_steps``: idle steps or refractory period.
    """

    exact: bool
    leak: np.floating
    tau_steps: float
    rest_steps: float
    threshold: np.floating


def step_constants(settings: SimulationSettings, dtype: np.dtype) -> StepConstants:
    """Constants of ``settings``; leak and threshold in the precision of the potentials."""
    lif = settings.lif
    ratio = settings.dt_s / lif.membrane_time_constant_s
    exact = settings.integration == "exact"
    return StepConstants(
        exact=exact,
        leak=dtype.type(-np.expm1(-ratio) if exact else ratio),
        tau_steps=float(1 / ratio),
        rest_steps=float(lif.refractory_period_s / settings.dt_s if exact else settings.idle_steps),
        threshold=dtype.type(lif.threshold),
    )


@njit(cache=True, nogil=True)
def _step_idle(potential, resting, rest, resting_number):
    """Hold idle neurons at 0 and count down; return how many stay idle after this step."""
    kept = 0
    for r in range(resting_number):
        j = resting[r]
        potential[j] = 0
        rest[j] -= 1
        if rest[j] > 0:
            resting[kept] = j
            kept += 1
    return kept


@njit(cache=True, nogil=True)
def _step_refractory(potential, current, resting, rest, resting_number, tau_steps):
    """Like ``_step_idle`` with real-valued rests: who wakes within the step integrates its end."""
    kept = 0
    for r in range(resting_number):
        j = resting[r]
        if rest[j] >= 1:
            potential[j] = 0
            rest[j] -= 1
            resting[kept] = j
            kept += 1
        else:
            potential[j] = current[j] * -np.expm1((rest[j] - 1) / tau_steps)
            rest[j] = 0
    return kept


@njit(cache=True, nogil=True)
def step_neurons(current, constants, potential, rest, resting, resting_number, fired):
    """Advance all neurons by one step; returns (number resting, number fired).

    ``resting`` lists the neurons in their refractory period and ``rest`` holds what is left of it;
    ``fired`` receives the neurons that spike in this step. Resting neurons are few, so all neurons
    take the same vectorised step first and the resting ones are put right afterwards.
    """
    size = current.shape[0]
    leak, threshold = constants.leak, constants.threshold
    for j in range(size):
        potential[j] += leak * (current[j] - potential[j])
    if constants.exact:
        resting_number = _step_refractory(
            potential, current, resting, rest, resting_number, constants.tau_steps
        )
    else:
        resting_number = _step_idle(potential, resting, rest, resting_number)
    fired_number = 0
    for j in range(size):
        if potential[j] > threshold:
            rest[j] = constants.rest_steps
            if constants.exact:
                # Minus the time from the crossing to the end of the step, which by eq. 36 is
                # tau ln((J - V_th) / (J - v)).
                above = (current[j] - threshold) / (current[j] - potential[j])
                rest[j] -= constants.tau_steps * np.log(np.float64(above))
            potential[j] = 0
            fired[fired_number] = j
            fired_number += 1
            if rest[j] > 0:
                resting[resting_number] = j
                resting_number += 1
    return resting_number, fired_number


@njit(cache=True, nogil=True)
def _constant_counts(current, constants, steps):
    size = current.shape[0]
    potential = np.zeros(size)
    rest = np.zeros(size)
    resting = np.empty(size, np.int32)
    fired = np.empty(size, np.int32)
    counts = np.zeros(size, np.int64)
    resting_number = 0
    for _ in range(steps):
        resting_number, number = step_neurons(
            current, constants, potential, rest, resting, resting_number, fired
        )
        for f in range(number):
            counts[fired[f]] += 1
    return counts


def constant_current_counts(currents: np.ndarray, settings: SimulationSettings) -> np.ndarray:
    """Spikes of neurons at constant ``currents`` (float64) over the window of ``settings``."""
    constants = step_constants(settings, np.dtype(np.float64))
    return _constant_counts(np.ascontiguousarray(currents), constants, settings.steps)
