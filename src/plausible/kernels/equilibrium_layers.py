"""Layers of a network for a minibatch: products by register tiles, updates, lists of active units.

Addresses are handed to the tiles in bytes; arrays and places are those of ``equilibrium_types``.
"""

import numpy as np

from plausible.kernels.compiling import branchless, inlined, inner
from plausible.kernels.equilibrium_tiles import (
    INPUT,
    NARROW,
    ROWS,
    gather,
    move_narrow,
    move_wide,
    outer_narrow,
    outer_wide,
    scatter,
    wide,
)

_wide = inlined(wide)


@inlined
def like(array, number):
    """``number`` in the precision of the array: numba would compute in float64 otherwise."""
    return array.dtype.type(number)


@inlined
def clip(array, number):
    """To [0, 1], in the precision of the array."""
    return min(max(number, like(array, 0)), like(array, 1))


@branchless
def finite(numbers):
    """Whether all are."""
    wrong = np.int32(0)
    for i in range(len(numbers)):
        wrong |= np.int32(numbers[i] - numbers[i] != 0)  # of what is infinite it is no number
    return wrong == 0


@inner
def list_pixels(images, order, numbers, work):
    """List the pixels of a minibatch that are not black."""
    entry = 0
    for b in range(len(order)):
        work.start[b] = entry
        for pixel in range(images.shape[1]):
            level = images[order[b], pixel]
            if level:
                work.pixel[entry], work.value[entry] = pixel, numbers.table[level]
                entry += 1
    work.start[len(order)] = entry


@inner
def drive(layout, parameters, work, out):
    """x W^0 as the first layer of ``out``."""
    item, row = out.itemsize, out.itemsize * layout.widths[1]
    panel, to = parameters.weights.ctypes.data, out.ctypes.data
    for _ in range(layout.input_panels):
        for b in range(len(work.start) - 1):
            first, number = work.start[b], work.start[b + 1] - work.start[b]
            gather(
                out[0], work.pixel.ctypes.data + 4 * first, work.value.ctypes.data + item * first,
                number, panel, to + b * row,
            )  # fmt: skip
        panel += item * INPUT * layout.heights[0]
        to += item * INPUT


@inner
def learn_input(factor, layout, parameters, work, change):
    """W^0 += factor x^T change."""
    item, row = change.itemsize, change.itemsize * layout.widths[1]
    panel, of = parameters.weights.ctypes.data, change.ctypes.data
    for _ in range(layout.input_panels):
        for b in range(len(work.start) - 1):
            first, number = work.start[b], work.start[b + 1] - work.start[b]
            scatter(
                factor, work.pixel.ctypes.data + 4 * first, work.value.ctypes.data + item * first,
                number, panel, of + b * row,
            )  # fmt: skip
        panel += item * INPUT * layout.heights[0]
        of += item * INPUT


@inner
def list_active(layout, layer, work):
    """List the units of a layer that are not zero in all samples of a tile, by its marks."""
    width = layout.widths[layer]
    for group in range(work.lengths.shape[1]):
        place = layout.states[layer] // ROWS + group * width
        marks = work.marks[place : place + layout.sizes[layer]]
        active = work.active[place : place + layout.sizes[layer]]
        number = 0
        for k in range(len(marks)):
            active[number] = k
            number += marks[k] != 0
        work.lengths[layer, group] = number


@inner
def list_all(layout, layer, work):
    """List all units of a layer."""
    for group in range(work.lengths.shape[1]):
        place = layout.states[layer] // ROWS + group * layout.widths[layer]
        for k in range(layout.sizes[layer]):
            work.active[place + k] = k
        work.lengths[layer, group] = layout.sizes[layer]


@inner
def move(keep, step, low, high, layout, parameters, states, work, layer, up, down, constant, new):
    """new = clip(keep states + step (constant + sum), low, high) of a layer.

    The sum is s^(layer-1) W^(layer-1), if ``up``, + s^(layer+1) W^layer^T, if ``down``.
    """
    item, groups = new.itemsize, work.lengths.shape[1]
    one, two, tiles = layer - 1, min(layer + 1, len(layout.sizes) - 1), layout.panels[0, layer]
    width, width1, width2 = layout.widths[layer], layout.widths[one], layout.widths[two]
    weights = parameters.weights.ctypes.data + item * layout.matrices[one]
    transposed = parameters.transposed.ctypes.data + item * layout.transposed[layer]
    left1 = states.ctypes.data + item * layout.states[one]
    left2 = states.ctypes.data + item * layout.states[two]
    list1 = work.active.ctypes.data + layout.states[one]
    list2 = work.active.ctypes.data + layout.states[two]
    first, marks = item * layout.states[layer], item * layout.states[layer] // ROWS
    for p in range(tiles + layout.panels[1, layer]):
        wide = p < tiles
        for group in range(groups):
            length1 = work.lengths[one, group] if up else 0
            length2 = work.lengths[two, group] if down else 0
            to, mark = first + group * ROWS * item * width, marks + group * item * width
            rows1, rows2 = group * ROWS * item * width1, group * ROWS * item * width2
            if wide:
                move_wide(
                    keep, step, low, high, new.ctypes.data + to, states.ctypes.data + to,
                    constant.ctypes.data + to, item * width, work.marks.ctypes.data + mark,
                    list1 + 4 * group * width1, length1, left1 + rows1, weights, item * width1,
                    list2 + 4 * group * width2, length2, left2 + rows2, transposed, item * width2,
                )  # fmt: skip
            else:
                move_narrow(
                    keep, step, low, high, new.ctypes.data + to, states.ctypes.data + to,
                    constant.ctypes.data + to, item * width, work.marks.ctypes.data + mark,
                    list1 + 4 * group * width1, length1, left1 + rows1, weights, item * width1,
                    list2 + 4 * group * width2, length2, left2 + rows2, transposed, item * width2,
                )  # fmt: skip
        columns = item * (_wide(item) if wide else NARROW)
        weights += columns * layout.heights[one]
        transposed += columns * layout.heights[two]
        first += columns
        marks += columns


@inner
def products(layout, parameters, states, work, source, layer, out):
    """out += states of the layer ``source``, below or above, times the matrix to ``layer``."""
    zero, one, limit = like(out, 0), like(out, 1), like(out, np.inf)
    list_all(layout, source, work)
    move(
        zero, one, -limit, limit, layout, parameters, states, work, layer, source < layer,
        source > layer, out, out,
    )  # fmt: skip


@inner
def _outer(
    factor, sign, layout, panel, counts, inner, outer, samples, more, one1, one2, two1, two2
):
    """Matrix of layers ``inner`` and ``outer`` at ``panel`` += factor (sum of both products)."""
    item, height = one1.itemsize, layout.heights[inner]
    row1, row2 = item * layout.widths[inner], item * layout.widths[outer]
    first, place = item * layout.states[inner], item * layout.states[outer]
    left1, right1 = one1.ctypes.data + first, one2.ctypes.data + place
    left2, right2 = two1.ctypes.data + first, two2.ctypes.data + place
    for p in range(counts[0] + counts[1]):
        wide = p < counts[0]
        columns = item * (_wide(item) if wide else NARROW)
        for k in range(0, height, ROWS):
            to, unit = panel + k * columns, k * item
            if wide:
                outer_wide(
                    factor, sign, to, samples, more, left1 + unit, right1, left2 + unit, right2,
                    row1, row2,
                )  # fmt: skip
            else:
                outer_narrow(
                    factor, sign, to, samples, more, left1 + unit, right1, left2 + unit, right2,
                    row1, row2,
                )  # fmt: skip
        panel += columns * height
        right1 += columns
        right2 += columns


@inner
def learn(factor, sign, layer, layout, parameters, samples, more, below1, above1, below2, above2):
    """W^layer += factor (below1^T above1 + sign below2^T above2), of so many samples each.

    In both orientations if there are, entry by entry in the same order, so to the same bits.
    """
    item = below1.itemsize
    _outer(
        factor, sign, layout, parameters.weights.ctypes.data + item * layout.matrices[layer],
        layout.panels[:, layer + 1], layer, layer + 1, samples, more, below1, above1, below2,
        above2,
    )  # fmt: skip
    if len(parameters.transposed) > 0:
        down = parameters.transposed.ctypes.data + item * layout.transposed[layer]
        _outer(
            factor, sign, layout, down, layout.panels[:, layer], layer + 1, layer, samples, more,
            above1, below1, above2, below2,
        )  # fmt: skip


@branchless
def _add(factor, source, target):
    """target += factor source."""
    for j in range(len(target)):
        target[j] += factor * source[j]


@inner
def _row(layout, layer, sample, states):
    """States of a sample."""
    first = layout.states[layer] + sample * layout.widths[layer]
    return states[first : first + layout.widths[layer]]


@inner
def learn_biases(factor, layer, layout, parameters, change, samples):
    """b of the layer += factor sum_batch change."""
    first = layout.biases[layer]
    biases = parameters.biases[first : first + layout.widths[layer]]
    for b in range(samples):
        _add(factor, _row(layout, layer, b, change), biases)


@inner
def add_biases(layout, parameters, layer, samples, out):
    """out += b, in all samples of a layer."""
    first = layout.biases[layer]
    biases = parameters.biases[first : first + layout.widths[layer]]
    for b in range(samples):
        _add(like(out, 1), biases, _row(layout, layer, b, out))
