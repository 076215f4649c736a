"""Training of one network by equilibrium propagation, compiled for one core.

O'Connor 2020, section 2.7 and chapter 7, layers from the clamped input s^0 = x to the output L. All
layers move at once, from the states before the step:

    F^l = rho'(s^l) (s^(l-1) W^(l-1) + s^(l+1) W^l^T + b^l) - s^l + lambda (s_f^l - s^l)
    F^L = ... + 2 beta (y - s^L)                                  in the nudged phase alone
    s^l <- clip(s^l + epsilon F^l, 0, 1)                          (eq. 2.9, 2.10; lambda: eq. 7.5)
    W^l += eta_l / (beta B) sum_batch (s^l+^T s^(l+1)+ - s^l-^T s^(l+1)-)             (eq. 2.12)

from zero, or from the states s_f of a forward network of the same shape, for T- steps (s-), then
T+ nudged steps (s+). The forward network has h(u) = clip(u, 0, 1) + 0.01 u and learns t = s- or s+
by the loss 1/2 sum_l ||s_f^l - t^l||^2 from the same minibatch, afterwards (algorithm 6). rho clips
to [0, 1], rho' is 1 there, its ends included: only s_f can be outside, before the first step.

``plausible.learning.equilibrium_propagation`` has the same in numpy, a minibatch at a time.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from plausible.kernels.compiling import branchless, inlined, inner, kernel
from plausible.kernels.equilibrium_tiles import (
    INPUT,
    NARROW,
    ROWS,
    gather_narrow,
    gather_wide,
    move_narrow,
    move_wide,
    outer_narrow,
    outer_wide,
    scatter_narrow,
    scatter_wide,
    wide,
)
from plausible.kernels.equilibrium_types import (
    check_batches,
    check_networks,
    layer_sizes,
    make_layout,
    make_numbers,
    make_rule,
    make_work,
    pack,
    unpack,
)

_TEST_BATCH = 20
_wide = inlined(wide)


@inlined
def _like(array, number):
    """``number`` in the precision of the array: numba would compute in float64 otherwise."""
    return array.dtype.type(number)


@inlined
def _clip(array, number):
    """To [0, 1], in the precision of the array."""
    return min(max(number, _like(array, 0)), _like(array, 1))


@inner
def _gather(images, order, numbers, work):
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
def _drive(layout, parameters, numbers, work, out):
    """x W^0 as the first layer of ``out``."""
    item, width = out.itemsize, layout.widths[1]
    panel, to, one = parameters.weights.ctypes.data, out.ctypes.data, numbers.step_size[()]
    for p in range(layout.input_panels[0] + layout.input_panels[1]):
        wide = p < layout.input_panels[0]
        for b in range(len(work.start) - 1):
            first, number = work.start[b], work.start[b + 1] - work.start[b]
            pixels = work.pixel.ctypes.data + 4 * first
            values = work.value.ctypes.data + item * first
            if wide:
                gather_wide(one, pixels, values, number, panel, to + item * b * width)
            else:
                gather_narrow(one, pixels, values, number, panel, to + item * b * width)
        columns = INPUT if wide else NARROW
        panel += item * columns * layout.heights[0]
        to += item * columns


@inner
def _learn_input(factor, layout, parameters, work, change):
    """W^0 += factor x^T change."""
    item, width = change.itemsize, layout.widths[1]
    panel, row = parameters.weights.ctypes.data, change.ctypes.data
    for p in range(layout.input_panels[0] + layout.input_panels[1]):
        wide = p < layout.input_panels[0]
        for b in range(len(work.start) - 1):
            first, number = work.start[b], work.start[b + 1] - work.start[b]
            pixels = work.pixel.ctypes.data + 4 * first
            values = work.value.ctypes.data + item * first
            if wide:
                scatter_wide(factor, pixels, values, number, panel, row + item * b * width)
            else:
                scatter_narrow(factor, pixels, values, number, panel, row + item * b * width)
        columns = INPUT if wide else NARROW
        panel += item * columns * layout.heights[0]
        row += item * columns


@inner
def _list_active(layout, layer, work):
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
def _list_all(layout, layer, work):
    """List all units of a layer."""
    for group in range(work.lengths.shape[1]):
        place = layout.states[layer] // ROWS + group * layout.widths[layer]
        for k in range(layout.sizes[layer]):
            work.active[place + k] = k
        work.lengths[layer, group] = layout.sizes[layer]


@inner
def _move(keep, step, low, high, layout, parameters, states, work, layer, up, down, constant, new):
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
def _products(layout, parameters, states, work, layer, up, out):
    """out += s^(layer-1) W^(layer-1), if ``up``, else s^(layer+1) W^layer^T."""
    zero, one, limit = _like(out, 0), _like(out, 1), _like(out, np.inf)
    _list_all(layout, layer - 1 if up else layer + 1, work)
    _move(
        zero, one, -limit, limit, layout, parameters, states, work, layer, up, not up, out, out
    )  # fmt: skip


@inner
def _outer(factor, sign, layout, panel, counts, inner, outer, samples, two, one1, one2, two1, two2):
    """Matrix of layers ``inner`` and ``outer`` at ``panel`` += factor (sum of both products)."""
    item, height = one1.itemsize, layout.heights[inner]
    row1, row2 = item * layout.widths[inner], item * layout.widths[outer]
    first, place = item * layout.states[inner], item * layout.states[outer]
    left1, right1 = one1.ctypes.data + first, one2.ctypes.data + place
    left2, right2 = two1.ctypes.data + first, two2.ctypes.data + place
    more = samples if two else 0
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
def _learn(factor, sign, layer, layout, parameters, samples, two, below1, above1, below2, above2):
    """W^layer += factor (below1^T above1 + sign below2^T above2), the latter if ``two``.

    The same in the other orientation, entry by entry in the same order, so to the same bits.
    """
    item = below1.itemsize
    _outer(
        factor, sign, layout, parameters.weights.ctypes.data + item * layout.matrices[layer],
        layout.panels[:, layer + 1], layer, layer + 1, samples, two, below1, above1, below2, above2,
    )  # fmt: skip
    _outer(
        factor, sign, layout, parameters.transposed.ctypes.data + item * layout.transposed[layer],
        layout.panels[:, layer], layer + 1, layer, samples, two, above1, below1, above2, below2,
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
def _learn_biases(factor, layer, layout, parameters, change, samples):
    """b of the layer += factor sum_batch change."""
    first = layout.biases[layer]
    biases = parameters.biases[first : first + layout.widths[layer]]
    for b in range(samples):
        _add(factor, _row(layout, layer, b, change), biases)


@inner
def _add_biases(layout, parameters, layer, samples, out):
    """out += b, in all samples of a layer."""
    first = layout.biases[layer]
    biases = parameters.biases[first : first + layout.widths[layer]]
    for b in range(samples):
        _add(_like(out, 1), biases, _row(layout, layer, b, out))


@branchless
def _squash(leak, u, s):
    """s = h(u)."""
    for i in range(len(s)):
        s[i] = _clip(s, u[i]) + leak * u[i]


@inner
def _initialise(layout, parameters, numbers, work, samples):
    """u and s_f of the forward network."""
    u, s, leak = work.sums, work.forward, numbers.leak[()]
    u[layout.states[2] :] = 0
    _drive(layout, parameters, numbers, work, u)
    for layer in range(1, len(layout.sizes)):
        _add_biases(layout, parameters, layer, samples, u)
        if layer > 1:
            _products(layout, parameters, s, work, layer, True, u)
        first, last = layout.states[layer], layout.states[layer + 1]
        _squash(leak, u[first:last], s[first:last])


@inner
def _settle(layout, parameters, steps, keep, last_keep, step, work, now):
    """Take steps from states[now], of which lists are made; index of the states that result."""
    top, zero, one = len(layout.sizes) - 1, _like(work.free, 0), _like(work.free, 1)
    for _ in range(steps):
        for layer in range(1, top + 1):
            _move(
                last_keep if layer == top else keep, step, zero, one, layout, parameters,
                work.states[now], work, layer, layer > 1, layer < top, work.constant,
                work.states[1 - now],
            )  # fmt: skip
        for layer in range(1, top + 1):
            _list_active(layout, layer, work)
        now = 1 - now
    return now


@branchless
def _begin(pull, forward, constant, start):
    """rho(s_f) as the states, and its pull."""
    for i in range(len(start)):
        constant[i] += pull * forward[i]
        start[i] = _clip(start, forward[i])


@branchless
def _outside(rest, forward, states):
    """Where rho' was 0 in the first step there was no pressure; the pull was 0 as well."""
    for i in range(len(states)):
        if not 0 <= forward[i] <= 1:
            states[i] = _clip(states, rest * forward[i])


@inner
def _free_phase(layout, parameters, rule, numbers, work, samples):
    """From zero or from s_f to s-; index of it among the states."""
    step, pull = numbers.step_size[()], numbers.pull[()]
    start, constant = work.states[0], work.constant
    constant[layout.states[2] :] = 0
    _drive(layout, parameters, numbers, work, constant)
    for layer in range(1, len(layout.sizes)):
        _add_biases(layout, parameters, layer, samples, constant)
        _list_all(layout, layer, work)  # for a start from s_f
    rest = _like(start, 1) - step
    keep = rest - step * pull
    if not rule.initialised:
        start[:] = 0
        work.lengths[:] = 0
        return _settle(layout, parameters, rule.free_steps, keep, keep, step, work, 0)
    _begin(pull, work.forward, constant, start)
    _settle(layout, parameters, 1, keep, keep, step, work, 0)
    _outside(rest, work.forward, work.states[1])
    for layer in range(1, len(layout.sizes)):
        _list_all(layout, layer, work)
    return _settle(layout, parameters, rule.free_steps - 1, keep, keep, step, work, 1)


@inner
def _nudged_phase(layout, parameters, rule, numbers, work, labels, order, beta, now):
    """From s- to s+; index of it among the states."""
    step, top = numbers.step_size[()], len(layout.sizes) - 1
    place, width = layout.states[top], layout.widths[top]
    for b in range(len(order)):
        work.constant[place + b * width + labels[order[b]]] += beta + beta
    keep = _like(work.free, 1) - step - step * numbers.pull[()]
    last_keep = keep - step * (beta + beta)
    return _settle(layout, parameters, rule.nudged_steps, keep, last_keep, step, work, now)


@inner
def _contrast(layout, parameters, rule, numbers, work, samples, beta, nudged):
    """Update of the equilibrium network, from ``nudged`` (s+) and s-."""
    free, change = work.free, work.change
    for i in range(len(free)):
        change[i] = nudged[i] - free[i]
    one, other, sign, last = nudged, nudged, _like(free, -1), free
    if rule.linearised:
        one, other, sign, last = free, change, _like(free, 1), change
    for layer in range(len(layout.sizes) - 1):
        factor = numbers.rates[layer] / (beta * _like(change, samples))
        _learn_biases(factor, layer + 1, layout, parameters, change, samples)
        if layer == 0:
            _learn_input(factor, layout, parameters, work, change)
        else:
            _learn(factor, sign, layer, layout, parameters, samples, True, one, other, last, free)


@inner
def _learn_forward(layout, parameters, rule, numbers, work, samples, target):
    """Update of the forward network, from u, s_f and ``target``."""
    errors, forward, leak = work.sums, work.forward, numbers.leak[()]
    work.change[:] = 0
    for layer in range(len(layout.sizes) - 1, 0, -1):
        if rule.backward and layer < len(layout.sizes) - 1:
            _products(layout, parameters, errors, work, layer, False, work.change)
        for i in range(layout.states[layer], layout.states[layer + 1]):
            slope = leak + _like(errors, 1) if 0 <= errors[i] <= 1 else leak
            errors[i] = slope * (forward[i] - target[i] + work.change[i])
    for layer in range(len(layout.sizes) - 1):
        factor = -numbers.rates[layer] / _like(errors, samples)
        _learn_biases(factor, layer + 1, layout, parameters, errors, samples)
        if layer == 0:
            _learn_input(factor, layout, parameters, work, errors)
        else:
            _learn(
                factor, factor, layer, layout, parameters, samples, False, forward, errors,
                forward, errors,
            )  # fmt: skip


@inner
def _finite(numbers):
    total = _like(numbers, 0)
    for i in range(len(numbers)):
        total += numbers[i]
    return np.isfinite(total)


@kernel
def _train(layout, settling, forward, rule, numbers, work, images, labels, order, betas):
    """Minibatches done; fewer than there are if numbers are not finite any more."""
    batch = order.shape[1]
    for m in range(len(order)):
        _gather(images, order[m], numbers, work)
        if rule.initialised:
            _initialise(layout, forward, numbers, work, batch)
        now = _free_phase(layout, settling, rule, numbers, work, batch)
        work.free[:] = work.states[now]
        if not (_finite(work.constant) and _finite(work.sums)):
            return m
        now = _nudged_phase(
            layout, settling, rule, numbers, work, labels, order[m], betas[m], now
        )  # fmt: skip
        nudged = work.states[now]
        _contrast(layout, settling, rule, numbers, work, batch, betas[m], nudged)
        if rule.initialised:
            target = nudged if rule.nudged_target else work.free
            _learn_forward(layout, forward, rule, numbers, work, batch, target)
    return len(order)


@kernel
def _predict(layout, settling, forward, rule, numbers, work, images, classes):
    top, batch = len(layout.sizes) - 1, len(work.start) - 1
    place, width = layout.states[top], layout.widths[top]
    for first in range(0, len(images), batch):
        order = np.arange(first, first + batch) % len(images)
        _gather(images, order, numbers, work)
        if rule.initialised:
            _initialise(layout, forward, numbers, work, batch)
        now = _free_phase(layout, settling, rule, numbers, work, batch)
        for b in range(min(batch, len(images) - first)):
            row = place + b * width
            for which, states in enumerate((work.states[now], work.forward)):
                best = 0
                for j in range(1, layout.sizes[top]):
                    if states[row + j] > states[row + best]:
                        best = j
                classes[which, first + b] = best


def train(
    network: Any,
    initialiser: Any | None,
    recipe: Any,
    images: NDArray[np.uint8],
    white: float,
    labels: NDArray[np.integer],
    order: NDArray[np.integer],
    betas: NDArray[np.floating],
) -> int:
    """Train both networks on minibatches; their arrays change in place.

    Parameters
    ----------
    network, initialiser:
        ``weights`` [units below, units] and ``biases`` [units], in float32 or in float64, in which
        all is computed; None: states start from zero.
    recipe:
        As `plausible.learning.equilibrium_propagation.Recipe`.
    images, white:
        Grey levels [images, inputs]; white is intensity 1.
    labels:
        Class of each image.
    order:
        Indices of the images of each minibatch, [minibatches, samples].
    betas:
        beta of each minibatch, with its sign.

    Returns
    -------
    Minibatches done; fewer than asked for if numbers were not finite any more.

    Raises
    ------
    StudyError
        If arrays do not fit each other, or the recipe asks for what the loops cannot do.
    """
    check_networks(network, initialiser, images, white)
    sizes, dtype = layer_sizes(network), network.weights[0].dtype
    check_batches(images, labels, order, betas, sizes[-1])
    layout = make_layout(sizes, order.shape[1], dtype)
    forward = network if initialiser is None else initialiser
    packed = pack(network, layout), pack(forward, layout)
    done = _train(
        layout, *packed, make_rule(recipe, network, initialiser),
        make_numbers(recipe, initialiser, white, dtype), make_work(layout, order.shape[1], dtype),
        np.ascontiguousarray(images), np.asarray(labels, np.int64),
        np.ascontiguousarray(order, np.int64), np.asarray(betas, dtype),
    )  # fmt: skip
    for each, trained in zip((network, initialiser), packed, strict=True):
        if each is not None:
            unpack(trained, layout, each)
            if not all(np.isfinite(array).all() for array in (*each.weights, *each.biases)):
                done = min(done, len(order) - 1)
    return done


def predict(
    network: Any, initialiser: Any | None, recipe: Any, images: NDArray[np.uint8], white: float
) -> tuple[NDArray[np.int64], NDArray[np.int64] | None]:
    """Classes of the largest output in s- and, if there is an initialiser, in s_f, [images].

    Parameters, types and errors as for `train`.
    """
    check_networks(network, initialiser, images, white)
    sizes, dtype = layer_sizes(network), network.weights[0].dtype
    layout = make_layout(sizes, _TEST_BATCH, dtype)
    forward = network if initialiser is None else initialiser
    classes = np.zeros((2, len(images)), np.int64)
    _predict(
        layout, pack(network, layout), pack(forward, layout),
        make_rule(recipe, network, initialiser),
        make_numbers(recipe, initialiser, white, dtype), make_work(layout, _TEST_BATCH, dtype),
        np.ascontiguousarray(images), classes,
    )  # fmt: skip
    return classes[0], classes[1] if initialiser is not None else None
