"""Compiled loops over time of a layer of LIF neurons; see ``neurons.lif_dynamics`` (numba)."""

from typing import NamedTuple

import numpy as np

from plausible.kernels.compiling import inner, kernel
from plausible.kernels.lif_lanes import add_four_rows, add_row, advance_block
from plausible.kernels.types import SimulationSettings
from plausible.kernels.vectors import BLOCK, lowest_bit


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
def _since_crossing(current, potential, threshold, tau_steps):
    """Part of a step since the threshold was crossed: tau ln((J - V_th) / (J - v)), by eq. 36."""
    gap = np.float64(current) - np.float64(potential)
    # A current just above the threshold can be reached exactly, by rounding.
    if gap <= 0:
        return 1.0
    return min(tau_steps * np.log((np.float64(current) - np.float64(threshold)) / gap), 1.0)


@inner
def _add_weights(drive, weights, neuron, count, start):
    """Rows ``count * weights[neuron]`` of each step added to its row of ``drive``, in fours.

    ``drive`` is the address of the row of the first step.
    """
    kind, width = weights.dtype.type, weights.itemsize
    matrix, row = weights.ctypes.data, width * weights.shape[1]
    for t in range(len(start) - 1):
        e, last = start[t], start[t + 1]
        while e + 4 <= last:
            a, b = matrix + row * neuron[e], matrix + row * neuron[e + 1]
            c, d = matrix + row * neuron[e + 2], matrix + row * neuron[e + 3]
            na, nb, nc, nd = (
                kind(count[e]), kind(count[e + 1]), kind(count[e + 2]), kind(count[e + 3])
            )  # fmt: skip
            for j in range(0, row, BLOCK * width):
                add_four_rows(drive + j, a + j, b + j, c + j, d + j, na, nb, nc, nd)
            e += 4
        while e < last:
            a, na = matrix + row * neuron[e], kind(count[e])
            for j in range(0, row, BLOCK * width):
                add_row(drive + j, a + j, na)
            e += 1
        drive += row


@inner
def _spikes(
    newest, bias, taps, constants, current, potential, above, rest, resting, out_start, out_neuron,
    used,
):  # fmt: skip
    """Spikes of one image, from entry ``used`` of ``out_neuron`` on; returns their end.

    ``newest`` is the address of the newest row of the drive that the first step sees. ``resting``
    lists the neurons in their refractory period and ``rest`` holds what is left of it. They are
    few, so all neurons take the same step first and the resting ones are put right afterwards.

    One function: to hand its arrays to another one would cost more than a step of a small layer.
    """
    size, width, groups = len(current), current.itemsize, len(taps) // 4
    at_bias, at_taps = bias.ctypes.data, taps.ctypes.data
    at_current, at_potential = current.ctypes.data, potential.ctypes.data
    threshold, exact = constants.threshold, constants.exact
    one, number = np.uint64(1), 0
    for t in range(len(out_start) - 1):
        out_start[t] = used
        for block in range(len(above)):
            j = block * BLOCK * width
            above[block] = advance_block(
                newest + j, size * width, at_taps, groups, at_bias + j, at_current + j,
                at_potential + j, constants.leak, threshold,
            )  # fmt: skip
        newest += size * width
        kept = 0
        for r in range(number):
            j = resting[r]
            potential[j] = 0
            remains = rest[j] >= 1 if exact else rest[j] > 1
            if exact and not remains:  # it wakes within the step and integrates its end
                potential[j] = current[j] * -np.expm1((rest[j] - 1) / constants.tau_steps)
            rest[j] = rest[j] - 1 if remains else 0
            if remains:
                resting[kept] = j
                kept += 1
            bit = one << np.uint64(j % BLOCK)
            above[j // BLOCK] &= ~bit
            if potential[j] > threshold:
                above[j // BLOCK] |= bit
        number = kept
        for block in range(len(above)):
            word = above[block]
            while word != 0:
                j = block * BLOCK + lowest_bit(word)
                word &= word - one
                rest[j] = constants.rest_steps
                if exact:
                    rest[j] -= _since_crossing(
                        current[j], potential[j], threshold, constants.tau_steps
                    )
                potential[j] = 0
                out_neuron[used] = j
                used += 1
                if rest[j] > 0:
                    resting[number] = j
                    number += 1
    out_start[-1] = used
    return used


@kernel
def run_layer(
    start, neuron, count, weights, bias, taps, first_lag, constants, drive, current, potential,
    out_start, out_neuron,
):  # fmt: skip
    """Spikes of one layer for all images; returns their number.

    ``drive``, flat, holds a row for each step, with rows of silence before the first and after the
    last one for the filter to read; it, ``current`` and ``potential`` are memory for the work.
    """
    steps, size = start.shape[1] - 1, weights.shape[1]
    before = taps.shape[0] - 1 + max(first_lag, 0)
    rows, row = drive.ctypes.data, weights.itemsize * size
    above = np.empty(size // BLOCK, np.uint64)
    rest = np.empty(size, np.float64)
    resting = np.empty(size, np.int32)
    used = 0
    for i in range(start.shape[0]):
        for j in range(before * size, (before + steps) * size):
            drive[j] = 0
        _add_weights(rows + row * before, weights, neuron, count, start[i])
        potential[:] = 0
        used = _spikes(
            rows + row * (before - first_lag), bias, taps, constants, current, potential, above,
            rest, resting, out_start[i], out_neuron, used,
        )  # fmt: skip
    return used


def work_rows(steps: int, taps: int, first_lag: int) -> int:
    """Rows of ``run_layer``'s drive."""
    return taps - 1 + steps + abs(first_lag)
