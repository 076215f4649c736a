"""Loops over the spikes of one layer, compiled; see ``plausible.kernels.deep_spiking``.

They take plain arrays: a call that hands over all arrays of a network costs as much as an event.
"""

from numba import njit

from plausible.kernels.spike_emission import add_row, add_row_signed, emit, unit_of


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def smooth_credit(potential, spent, credit, active, rate):
    """Credit (eta / T^2) max(u, 0); returns the number of units that have any."""
    number = 0
    for i in range(len(credit)):
        total = potential[i] + spent[i]
        if total > 0:
            credit[i] = rate * total
            active[number] = i
            number += 1
    return number


@njit(cache=True, nogil=True)
def change_column(weights, transposed, j, positive, credit, active, number):
    """W[:, j] -= credit or += credit, for one error spike."""
    for place in range(number):
        i = active[place]
        if positive:
            weights[i, j] -= credit[i]
        else:
            weights[i, j] += credit[i]
        if len(transposed) > 0:
            transposed[j, i] = weights[i, j]


@njit(cache=True, nogil=True)
def penalise_columns(weights, transposed, queue, end, penalty, credit, active, number):
    """W[:, j] -= penalty * credit, for every spike j in ``queue``."""
    for entry in range(end):
        j = queue[entry]
        for place in range(number):
            i = active[place]
            weights[i, j] -= penalty * credit[i]
            if len(transposed) > 0:
                transposed[j, i] = weights[i, j]


@njit(cache=True, nogil=True)
def filter_errors(queue, end, potential, spent):
    """Keep the error spikes of units whose input so far is not negative; returns how many."""
    number = 0
    for place in range(end):
        j = unit_of(queue[place])
        if potential[j] + spent[j] >= 0:
            queue[number] = queue[place]
            number += 1
    return number


@njit(cache=True, nogil=True)
def add_columns(transposed, above, first, last, back, queue, keys, end, unit, half):
    """Send back error spikes ``first`` to ``last`` of the queue ``above``.

    The error spikes that follow are appended to ``queue``, whose new end is returned.
    """
    limit = unit * len(queue)
    for place in range(first, last):
        code = above[place]
        if add_row_signed(back, transposed[unit_of(code)], code >= 0, half):
            end = emit(back, False, unit, half, limit, queue, keys, end)
            if end < 0:
                break
    return end


@njit(cache=True, nogil=True)
def change_columns(weights, transposed, queue, first, last, credit, active, number):
    """Change the weights to the units of error spikes ``first`` to ``last``."""
    for place in range(first, last):
        code = queue[place]
        change_column(weights, transposed, unit_of(code), code >= 0, credit, active, number)


@njit(cache=True, nogil=True)
def add_rows(weights, below, first, last, potential, queue, keys, unit, half):
    """Spikes ``first`` to ``last`` of ``below`` into the next layer, whose spikes fill ``queue``.

    Returns the number of these, or OVERFLOW.
    """
    limit = unit * len(queue)
    end = 0
    for place in range(first, last):
        code = below[place]
        if add_row(potential, weights[unit_of(code)], code >= 0, half):
            end = emit(potential, True, unit, half, limit, queue, keys, end)
            if end < 0:
                break
    return end


@njit(cache=True, nogil=True)
def sum_rows(weights, queue, end, total, half):
    """Add the rows of ``weights`` that the spikes in ``queue`` select to ``total``."""
    for place in range(end):
        code = queue[place]
        add_row(total, weights[unit_of(code)], code >= 0, half)
