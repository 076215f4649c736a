"""Units that hear and send bits, one sample in time: the loops of the binary network.

The equations stand in ``plausible.networks.binary_equilibrium``. What units remember are rows of
one array ``units`` [rows, units], all free layers one after the other; ``first`` says where each
begins, ``edges`` where each matrix begins in ``up`` and, transposed, in ``down``.

Numbers are compared with those of arrays of their own type, since a literal would make float64 of
all.
"""

import numpy as np

from plausible.kernels.binary_lanes import (
    ANCHOR,
    BELOW,
    BITS,
    COLUMNS,
    HEARD,
    PHI,
    S,
    V,
    adapting_step,
    add_block,
    add_rows,
    plain_step,
)
from plausible.kernels.compiling import inner, summing
from plausible.kernels.vectors import BLOCK, lowest_bit

LEVELS = 256
_NARROW = 32
"""Units of a layer to which products with all bits of the layer below are cheap."""
LAMBDA, EPSILON, RATE = 0, 1, 2
"""Rows of the values of a step."""


@inner
def add_scaled(target, row, factor, number, width, like):
    """target += factor row: ``number`` numbers of the type of ``like``, ``width`` bytes each."""
    for j in range(0, number, BLOCK):
        add_block(target + j * width, row + j * width, factor, number - j, like)


@summing
def _product(one, other):
    total = one[0] * other[0]
    for j in range(1, len(one)):
        total += one[j] * other[j]
    return total


@inner
def _products(bits, down, low, out):
    """out[k] = sum_j bits[j] down[low + k n + j], with n bits."""
    size = len(bits)
    for k in range(len(out)):
        out[k] = _product(bits, down[low : low + size])
        low += size


@inner
def _narrow(first, layer):
    """Whether the layer above is so narrow that products with all bits are cheaper."""
    top = len(first) - 2
    return layer < top and first[layer + 2] - first[layer + 1] <= _NARROW


@inner
def _tell(units, layer, unit, first, edges, up, down, one):
    """A unit's row is added to what its neighbours hear, or taken away."""
    begin, end, top = first[layer], first[layer + 1], len(first) - 2
    width, heard = units.itemsize, units[HEARD].ctypes.data
    sign = one if units[BITS, begin + unit] != 0 else -one
    if layer < top and not _narrow(first, layer):
        size = first[layer + 2] - end
        row = up.ctypes.data + width * (edges[layer] + unit * size)
        add_scaled(heard + width * end, row, sign, size, width, one)
    if layer > 1:
        below = first[layer - 1]
        size = begin - below
        row = down.ctypes.data + width * (edges[layer - 1] + unit * size)
        add_scaled(heard + width * below, row, sign, size, width, one)


@inner
def _send(units, changed, first, edges, up, down, one):
    """Everything that changed bits tell the layers next to them."""
    top, word = len(first) - 2, 0
    for below in range(1, top):
        if not _narrow(first, below):
            continue
        # A narrow layer hears all bits anew; it is not the first one, so nothing is in the sum
        # but what the layer above it sends by its changes.
        a, b, c = first[below], first[below + 1], first[below + 2]
        _products(units[BITS, a:b], down, edges[below], units[BELOW, b:c])
    for layer in range(1, top + 1):
        size = first[layer + 1] - first[layer]
        silent = layer == 1 and _narrow(first, 1)
        for unit in range(0, size, BLOCK):
            if not silent:
                bits = changed[word]
                while bits != 0:
                    place = unit + lowest_bit(bits)
                    bits &= bits - np.uint64(1)
                    _tell(units, layer, place, first, edges, up, down, one)
            word += 1


@inner
def sample_steps(
    units, changed, drive, time, until, first, edges, up, down, biases, values, adaptive, constant,
    numbers, target, nudge, known, strength,
):  # fmt: skip
    """Steps ``time`` to ``until`` of one sample; ``nudge`` is 2 beta, 0 without a target.

    ``strength`` is that of the anchors, ``known`` whether neighbours know the start. Layer 0 is the
    input, whose units are not kept; those of the others begin at ``first[1]``.
    """
    zero, one = numbers[0], numbers[2]
    top, width = len(first) - 2, units.itemsize
    row, at_units, at_drive = width * units.shape[1], units.ctypes.data, drive.ctypes.data
    at_biases, at_target = biases.ctypes.data, target.ctypes.data
    while time < until:
        decay = values[LAMBDA, time]
        keep, unit = one - decay, one / decay
        # Before the first step nothing is known of a unit, not even of a state that was kept,
        # unless its neighbours were told.
        kept = keep if time > 0 or known else zero
        rate = values[RATE, time] if adaptive else values[EPSILON, time]
        word = 0
        for layer in range(1, top + 1):
            begin, size = first[layer], first[layer + 1] - first[layer]
            for j in range(0, size, BLOCK):
                at = at_units + width * (begin + j)
                below = at + BELOW * row
                if layer == 1:
                    below = at_drive + width * (time * drive.shape[1] + j)
                bias = at_biases + width * (begin + j)
                # What is not nudged has a target all the same, which counts for nothing.
                wanted, pull = at + ANCHOR * row, zero
                if layer == top:
                    wanted, pull = at_target + width * j, nudge
                if adaptive:
                    changed[word] = adapting_step(
                        at, row, below, bias, wanted, size - j, time > 0, keep, kept, decay, unit,
                        pull, strength, rate, one - rate, constant,
                    )  # fmt: skip
                else:
                    changed[word] = plain_step(
                        at, row, below, bias, wanted, size - j, time > 0, keep, kept, decay, unit,
                        pull, strength, rate, zero, zero,
                    )  # fmt: skip
                word += 1
        _send(units, changed, first, edges, up, down, one)
        time += 1


@inner
def input_sums(
    image, slots, levels, sums, signs, mostly, exceptions, begins, ends, chosen, up, width, steps,
    drive, one,
):  # fmt: skip
    """What layer 1 hears of the input at each step; the number of grey levels of the image.

    ``levels`` and ``sums`` hold them, and the sum of the rows of each; ``signs``, ``ends`` and
    ``chosen`` are memory for the sums of a step, whose entries ``chosen`` holds one step after the
    other. Rows of ``sums`` and ``drive`` are ``width`` rounded up to whole ``COLUMNS``.
    """
    number, size, length = 0, up.itemsize, up.itemsize * sums.shape[1]
    at_sums, at_up, at_signs = sums.ctypes.data, up.ctypes.data, signs.ctypes.data
    slots[:] = -1
    ends[:] = 0
    for i in range(len(image)):
        level = image[i]
        if level == 0:
            continue
        slot = slots[level]
        if slot < 0:
            slots[level] = slot = number
            levels[slot], signs[slot] = level, -one if mostly[level] else one
            sums[slot] = 0
            for place in range(begins[level], begins[level + 1]):
                ends[exceptions[place] + 1] += 1
            number += 1
        add_scaled(at_sums + slot * length, at_up + size * i * width, one, width, size, one)
    base = at_sums + LEVELS * length
    sums[LEVELS] = 0
    for slot in range(number):
        if mostly[levels[slot]]:
            add_scaled(base, at_sums + slot * length, one, width, size, one)
    for time in range(steps):
        ends[time + 1] += ends[time]
    for slot in range(number):
        level = levels[slot]
        for place in range(begins[level], begins[level + 1]):
            time = exceptions[place]
            chosen[ends[time]] = slot
            ends[time] += 1
    at_chosen, at_drive = chosen.ctypes.data, drive.ctypes.data
    for column in range(0, length, COLUMNS * size):
        entry = 0
        for time in range(steps):
            add_rows(
                base + column, at_drive + time * length + column, at_sums + column, length,
                at_signs, at_chosen, entry, ends[time], one,
            )  # fmt: skip
            entry = ends[time]
    return number


@inner
def _inform(units, changed, levels, sums, white, numbers, first, edges, up, down):
    """All units know the states of all neighbours and of the input, and have sent one bit."""
    top, width = len(first) - 2, units.itemsize
    at_v, at_sums = units[V].ctypes.data, sums.ctypes.data
    for slot in range(len(levels)):
        row = at_sums + slot * width * sums.shape[1]
        add_scaled(at_v, row, levels[slot] / white, first[2] - first[1], width, numbers[0])
    for layer in range(1, top):
        a, b, c = first[layer], first[layer + 1], first[layer + 2]
        for i in range(a, b):
            row = up.ctypes.data + width * (edges[layer] + (i - a) * (c - b))
            add_scaled(at_v + width * b, row, units[S, i], c - b, width, numbers[0])
        for k in range(b, c):
            row = down.ctypes.data + width * (edges[layer] + (k - b) * (b - a))
            add_scaled(at_v + width * a, row, units[S, k], b - a, width, numbers[0])
    word = 0
    for layer in range(1, top + 1):
        for begin in range(first[layer], first[layer + 1], BLOCK):
            changed[word] = 0
            for j in range(begin, min(begin + BLOCK, first[layer + 1])):
                sent = units[S, j] > numbers[1]
                units[BITS, j] = sent
                units[PHI, j] = units[S, j] - units[BITS, j]
                changed[word] |= np.uint64(sent) << np.uint64(j - begin)
            word += 1
    _send(units, changed, first, edges, up, down, numbers[2])


@inner
def begin_sample(
    units, changed, start, known, levels, sums, white, numbers, first, edges, up, down
):  # fmt: skip
    """States are those of ``start``, clipped; nothing heard or sent yet, unless they are known.

    ``levels`` are those of the image, ``sums`` the sums of the rows of each.
    """
    units[:] = 0
    for j in range(len(start)):
        units[ANCHOR, j] = start[j]
        units[S, j] = min(numbers[2], max(numbers[0], start[j]))
    if known:
        _inform(units, changed, levels, sums, white, numbers, first, edges, up, down)
