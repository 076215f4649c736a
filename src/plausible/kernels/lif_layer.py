"""Compiled loops over time of a layer of LIF neurons; see ``neurons.lif_dynamics`` (numba)."""

from typing import NamedTuple

import numpy as np

from plausible.kernels.compiling import copy, inner, kernel
from plausible.kernels.types import SimulationSettings

BLOCK = 16
"""Layers are padded to a multiple of this many neurons (zero current, so they never fire): loops
of a fixed multiple of the vector width leave no remainder, and a block is searched for spikes only
if it holds one."""


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


@inner
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


@inner
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


@inner
def _since_crossing(current, potential, threshold, tau_steps):
    """Part of a step since the threshold was crossed: tau ln((J - V_th) / (J - v)), by eq. 36."""
    gap = np.float64(current) - np.float64(potential)
    # A current just above the threshold can be reached exactly, by rounding.
    if gap <= 0:
        return 1.0
    return min(tau_steps * np.log((np.float64(current) - np.float64(threshold)) / gap), 1.0)


@inner
def _step_neurons(current, constants, potential, rest, resting, resting_number, fired):
    """Advance all neurons, a multiple of BLOCK, by one step; returns (number resting, fired).

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
    for first in range(0, size, BLOCK):
        above_threshold = 0
        for j in range(first, first + BLOCK):
            above_threshold += potential[j] > threshold
        if above_threshold == 0:
            continue
        for j in range(first, first + BLOCK):
            if not potential[j] > threshold:
                continue
            rest[j] = constants.rest_steps
            if constants.exact:
                rest[j] -= _since_crossing(current[j], potential[j], threshold, constants.tau_steps)
            potential[j] = 0
            fired[fired_number] = j
            fired_number += 1
            if rest[j] > 0:
                resting[resting_number] = j
                resting_number += 1
    return resting_number, fired_number


@inner
def _add_weights(drive, weights, neuron, count, first, last):
    """Add rows ``count * weights[neuron]`` to ``drive``, four at a time to touch it less often."""
    size = drive.shape[0]
    e = first
    while e + 4 <= last:
        a, b, c, d = neuron[e], neuron[e + 1], neuron[e + 2], neuron[e + 3]
        na = weights.dtype.type(count[e])
        nb = weights.dtype.type(count[e + 1])
        nc = weights.dtype.type(count[e + 2])
        nd = weights.dtype.type(count[e + 3])
        for j in range(size):
            drive[j] += (na * weights[a, j] + nb * weights[b, j]) + (
                nc * weights[c, j] + nd * weights[d, j]
            )
        e += 4
    while e < last:
        a = neuron[e]
        na = weights.dtype.type(count[e])
        for j in range(size):
            drive[j] += na * weights[a, j]
        e += 1


@inner
def _filter(drive, taps, row, bias, current):
    """Write ``current = bias + sum_k taps[k] drive[row - k]``, four taps at a time."""
    size = current.shape[0]
    copy(bias, current, size)
    for k in range(0, taps.shape[0], 4):
        a, b, c, d = taps[k], taps[k + 1], taps[k + 2], taps[k + 3]
        r = row - k
        for j in range(size):
            current[j] += (a * drive[r, j] + b * drive[r - 1, j]) + (
                c * drive[r - 2, j] + d * drive[r - 3, j]
            )


@kernel
def run_layer(
    start, neuron, count, weights, bias, taps, first_lag, constants, out_start, out_neuron
):
    """Spikes of one layer for all images; returns their number."""
    images, steps = start.shape[0], start.shape[1] - 1
    size = weights.shape[1]
    # Rows of silence before the first and after the last step, for the filter to read.
    before = taps.shape[0] - 1 + max(first_lag, 0)
    drive = np.zeros((before + steps + max(-first_lag, 0), size), weights.dtype)
    current = np.empty(size, weights.dtype)
    potential = np.empty(size, weights.dtype)
    rest = np.empty(size, np.float64)
    resting = np.empty(size, np.int32)
    used = 0
    for i in range(images):
        for t in range(steps):
            drive[before + t, :] = 0
            _add_weights(drive[before + t], weights, neuron, count, start[i, t], start[i, t + 1])
        potential[:] = 0
        rest[:] = 0
        # For a literal integer numba would compile the functions once more.
        resting_number = np.int64(0)
        for t in range(steps):
            out_start[i, t] = used
            _filter(drive, taps, before + t - first_lag, bias, current)
            resting_number, fired_number = _step_neurons(
                current, constants, potential, rest, resting, resting_number, out_neuron[used:]
            )
            used += fired_number
        out_start[i, steps] = used
    return used
