"""Loops over the spikes of one layer, compiled; see ``plausible.kernels.deep_spiking``.

They take plain arrays: a call that hands over all arrays of a network costs as much as an event.
Arrays of units may be longer than the layer, whose ``size`` is then given. Matrices are flat, row
after row; places in them are unsigned, which spares the look whether they count from the end.
"""

import numpy as np

from plausible.kernels.compiling import inner
from plausible.kernels.spike_emission import OVERFLOW, spike, unit_of
from plausible.kernels.spike_lanes import (
    add_above_1,
    add_above_8,
    add_above_64,
    add_beyond_1,
    add_beyond_8,
    add_beyond_64,
)
from plausible.kernels.vectors import lowest_bit


@inner
def note_spikes(queue, end, spent, credit, active, numbers, layer, unit, rate):
    """Count the spikes in the queue of a layer; rate 0 leaves the credit alone."""
    for place in range(end):
        i = unit_of(queue[place])
        if queue[place] < 0:
            spent[i] -= unit
            continue
        spent[i] += unit
        if rate > 0:
            if credit[i] == 0:
                active[numbers[layer]] = i
                numbers[layer] += 1
            credit[i] += rate


@inner
def add_credit(i, credit, active, numbers, layer, rate):
    """Credit for one more spike of unit i, as above (where a call for it would cost a quarter)."""
    if credit[i] == 0:
        active[numbers[layer]] = i
        numbers[layer] += 1
    credit[i] += rate


@inner
def smooth_credit(potential, spent, credit, active, rate, size):
    """Credit (eta / T^2) max(u, 0); returns the number of units that have any."""
    number = 0
    for i in range(size):
        total = potential[i] + spent[i]
        credit[i] = 0
        if total > 0:
            credit[i] = rate * total
            active[number] = i
            number += 1
    return number


@inner
def change_transposed(transposed, queue, first, last, credit, size):
    """W[:, j] -= credit or += credit in the transposed matrix, for some error spikes."""
    for place in range(first, last):
        code = queue[place]
        start = size * unit_of(code)
        column = transposed[start : start + size]
        if code >= 0:
            for i in range(size):
                column[i] -= credit[i]
        else:
            for i in range(size):
                column[i] += credit[i]


@inner
def change_rows(weights, columns, due, end, credit, active, number):
    """W[:, j] -= credit or += credit, for the error spikes ``due``, one after the other.

    Row by row, so that a row is fetched once for all of them.
    """
    for place in range(number):
        i = active[place]
        start = np.uint64(i) * np.uint64(columns)
        step = credit[i]
        for entry in range(end):
            code = due[entry]
            if code >= 0:
                weights[start + np.uint64(code)] -= step
            else:
                weights[start + np.uint64(-1 - code)] += step


@inner
def count_errors(queue, end, net_errors):
    """Add the signs of error spikes to those of their units."""
    for place in range(end):
        net_errors[unit_of(queue[place])] += 1 if queue[place] >= 0 else -1


@inner
def append_spikes(queue, first, last, target, end):
    """Copy some spikes to the end of ``target``; returns its new end."""
    for place in range(first, last):
        target[end] = queue[place]
        end += 1
    return end


@inner
def penalise_columns(
    weights, columns, transposed, rows, queue, end, penalty, credit, active, number
):
    """W[:, j] -= penalty * credit, for every spike j in ``queue``."""
    for entry in range(end):
        j = queue[entry]
        for place in range(number):
            i = active[place]
            weights[i * columns + j] -= penalty * credit[i]
            if len(transposed) > 0:
                transposed[j * rows + i] = weights[i * columns + j]


@inner
def filter_errors(queue, end, potential, spent):
    """Keep the error spikes of units whose input so far is not negative; returns how many."""
    number = 0
    for place in range(end):
        j = unit_of(queue[place])
        if potential[j] + spent[j] >= 0:
            queue[number] = queue[place]
            number += 1
    return number


@inner
def add_rows(
    rows, source, first, last, rectified, unit, half, below, potential, size, queue, capacity, keys,
    end,
):  # fmt: skip
    """Add the rows that spikes ``first`` to ``last`` of ``source`` select, one after the other.

    The spikes of ``potential`` that follow, of both signs unless ``rectified``, are appended to
    ``queue`` from entry ``end`` on; those of one row stand in the order of decreasing |phi|, equals
    by unit. The threshold of negative spikes is ``below``, at most ``half``. Returns the new end,
    or OVERFLOW.
    """
    looked_for = half if rectified else below
    limit = unit * capacity
    start, matrix = potential.ctypes.data, rows.ctypes.data
    for place in range(first, last):
        code = source[place]
        positive = code >= 0
        row = matrix + 8 * size * unit_of(code)
        begin = end
        j = 0
        while j < size:
            to, change = start + 8 * j, row + 8 * j
            if size - j >= 64:
                width = 64
                if rectified:
                    word = add_above_64(to, change, positive, looked_for)
                else:
                    word = add_beyond_64(to, change, positive, looked_for)
            elif size - j >= 8:
                width = 8
                if rectified:
                    word = add_above_8(to, change, positive, looked_for)
                else:
                    word = add_beyond_8(to, change, positive, looked_for)
            else:
                width = 1
                if rectified:
                    word = add_above_1(to, change, positive, looked_for)
                else:
                    word = add_beyond_1(to, change, positive, looked_for)
            while word != 0:
                i = j + lowest_bit(word)
                word &= word - np.uint64(1)
                end = spike(
                    i,
                    potential,
                    rectified,
                    unit,
                    half,
                    below,
                    limit,
                    queue,
                    capacity,
                    keys,
                    begin,
                    end,
                )
                if end < 0:
                    return OVERFLOW
            j += width
    return end


@inner
def sum_rows(weights, queue, end, total, size):
    """Add the rows of ``weights`` that the spikes in ``queue`` select to ``total``."""
    for place in range(end):
        code = queue[place]
        start = size * unit_of(code)
        row = weights[start : start + size]
        for j in range(size):
            total[j] = total[j] + row[j] if code >= 0 else total[j] - row[j]
