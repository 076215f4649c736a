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
    outer_narrow,
    outer_wide,
    product_narrow,
    product_wide,
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


@branchless
def _euler(keep, step, old, constant, new, first, last):
    """new = clip(keep old + step (constant + new), 0, 1)."""
    for i in range(first, last):
        new[i] = _clip(new, keep * old[i] + step * (constant[i] + new[i]))


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
def _list_active(layout, states, work):
    """List the units of each layer that are not zero in all samples of a tile."""
    for layer in range(1, len(layout.sizes)):
        width = layout.widths[layer]
        for group in range(work.lengths.shape[1]):
            first = layout.states[layer] + group * ROWS * width
            place = layout.states[layer] // ROWS + group * width
            work.lengths[layer, group] = _list_rows(
                states[first : first + ROWS * width], width, layout.sizes[layer],
                work.active[place : place + width],
            )  # fmt: skip


@branchless
def _list_rows(states, width, size, active):
    number = 0
    for k in range(size):
        active[number] = k
        total = abs(states[k]) + abs(states[k + width])
        total += abs(states[k + 2 * width]) + abs(states[k + 3 * width])
        number += total != 0
    return number


@inner
def _products(like, layout, parameters, states, work, layer, up, down, out):
    """s^(layer-1) W^(layer-1), if ``up``, + s^(layer+1) W^layer^T, if ``down``, into ``out``."""
    item, groups = out.itemsize, work.lengths.shape[1]
    one, two, tiles = layer - 1, min(layer + 1, len(layout.sizes) - 1), layout.panels[0, layer]
    width, width1, width2 = layout.widths[layer], layout.widths[one], layout.widths[two]
    weights = parameters.weights.ctypes.data + item * layout.matrices[one]
    transposed = parameters.transposed.ctypes.data + item * layout.transposed[layer]
    to = out.ctypes.data + item * layout.states[layer]
    from1 = states.ctypes.data + item * layout.states[one]
    from2 = states.ctypes.data + item * layout.states[two]
    list1 = work.active.ctypes.data + layout.states[one]
    list2 = work.active.ctypes.data + layout.states[two]
    for p in range(tiles + layout.panels[1, layer]):
        wide = p < tiles
        for group in range(groups):
            length1 = work.lengths[one, group] if up else 0
            length2 = work.lengths[two, group] if down else 0
            target = to + group * ROWS * item * width
            active1, left1 = list1 + 4 * group * width1, from1 + group * ROWS * item * width1
            active2, left2 = list2 + 4 * group * width2, from2 + group * ROWS * item * width2
            if wide:
                product_wide(
                    like, target, item * width, active1, length1, left1, weights, item * width1,
                    active2, length2, left2, transposed, item * width2,
                )  # fmt: skip
            else:
                product_narrow(
                    like, target, item * width, active1, length1, left1, weights, item * width1,
                    active2, length2, left2, transposed, item * width2,
                )  # fmt: skip
        columns = item * (_wide(item) if wide else NARROW)
        weights += columns * layout.heights[one]
        transposed += columns * layout.heights[two]
        to += columns


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
def _add(factor, source, first, target, to, size):
    """target[to:] += factor source[first:], for ``size`` numbers."""
    for j in range(size):
        target[to + j] += factor * source[first + j]


@inner
def _learn_biases(factor, layer, layout, parameters, change, samples):
    """b of the layer += factor sum_batch change."""
    width = layout.widths[layer]
    for b in range(samples):
        place = layout.states[layer] + b * width
        _add(factor, change, place, parameters.biases, layout.biases[layer], width)


@inner
def _add_biases(layout, parameters, numbers, layer, samples, out):
    """out += b, in all samples of a layer."""
    width, one = layout.widths[layer], _like(out, 1)
    for b in range(samples):
        place = layout.states[layer] + b * width
        _add(one, parameters.biases, layout.biases[layer], out, place, width)


@inner
def _initialise(layout, parameters, numbers, work, samples):
    """u and s_f of the forward network."""
    u, s, leak = work.sums, work.forward, numbers.leak[()]
    _drive(layout, parameters, numbers, work, u)
    for layer in range(1, len(layout.sizes)):
        if layer > 1:
            _list_active(layout, s, work)
            _products(leak, layout, parameters, s, work, layer, True, False, u)
        _add_biases(layout, parameters, numbers, layer, samples, u)
        for i in range(layout.states[layer], layout.states[layer + 1]):
            s[i] = _clip(s, u[i]) + leak * u[i]


@inner
def _settle(layout, parameters, steps, keep, last_keep, step, work, now):
    """Take steps from states[now]; index of the states that result."""
    top = len(layout.sizes) - 1
    for _ in range(steps):
        old, new = work.states[now], work.states[1 - now]
        _list_active(layout, old, work)
        for layer in range(1, top + 1):
            _products(step, layout, parameters, old, work, layer, layer > 1, layer < top, new)
            _euler(
                last_keep if layer == top else keep, step, old, work.constant, new,
                layout.states[layer], layout.states[layer + 1],
            )  # fmt: skip
        now = 1 - now
    return now


@inner
def _free_phase(layout, parameters, rule, numbers, work, samples):
    """From zero or from s_f to s-; index of it among the states."""
    step, pull = numbers.step_size[()], numbers.pull[()]
    start, forward, constant = work.states[0], work.forward, work.constant
    constant[layout.states[2] :] = 0
    _drive(layout, parameters, numbers, work, constant)
    for layer in range(1, len(layout.sizes)):
        _add_biases(layout, parameters, numbers, layer, samples, constant)
    rest = _like(forward, 1) - step
    keep = rest - step * pull
    if not rule.initialised:
        start[:] = 0
        return _settle(layout, parameters, rule.free_steps, keep, keep, step, work, 0)
    for i in range(len(forward)):
        constant[i] += pull * forward[i]
        start[i] = _clip(start, forward[i])
    _settle(layout, parameters, 1, keep, keep, step, work, 0)
    for i in range(len(forward)):
        if not 0 <= forward[i] <= 1:  # rho' is 0 there: no pressure, and the pull is 0 as well
            work.states[1, i] = _clip(forward, rest * forward[i])
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
            _list_active(layout, errors, work)
            _products(leak, layout, parameters, errors, work, layer, False, True, work.change)
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
