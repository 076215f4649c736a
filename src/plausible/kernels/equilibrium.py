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


@inlined
def _like(array, number):
    """``number`` in the precision of the array: numba would compute in float64 otherwise."""
    return array.dtype.type(number)


@inlined
def _clip(array, number):
    """To [0, 1], in the precision of the array."""
    return min(max(number, _like(array, 0)), _like(array, 1))


@branchless
def _add(factor, source, first, target, to, size):
    """target[to:] += factor source[first:], for ``size`` numbers."""
    for j in range(size):
        target[to + j] += factor * source[first + j]


@branchless
def _euler(keep, step, old, constant, new, first, last):
    """new = clip(keep old + step (constant + new), 0, 1)."""
    for i in range(first, last):
        new[i] = _clip(new, keep * old[i] + step * (constant[i] + new[i]))


@inner
def _product(left, first, left_width, rows, inner, matrix, place, width, target, to):
    """target += left matrix, for ``rows`` rows of ``width``."""
    for b in range(rows):
        for k in range(inner):
            a = left[first + b * left_width + k]
            if a != 0:
                _add(a, matrix, place + k * width, target, to + b * width, width)


@inner
def _outer(factor, left, first, left_width, rows, right, start, width, batch, matrix, place):
    """matrix += factor left^T right."""
    for k in range(rows):
        for b in range(batch):
            a = left[first + b * left_width + k]
            if a != 0:
                _add(factor * a, right, start + b * width, matrix, place + k * width, width)


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
def _drive(layout, parameters, work, out):
    """x W^0 into the first layer of ``out``."""
    width = layout.widths[1]
    for b in range(len(work.start) - 1):
        for entry in range(work.start[b], work.start[b + 1]):
            place = work.pixel[entry] * width
            _add(work.value[entry], parameters.weights, place, out, b * width, width)


@inner
def _learn_input(factor, layout, parameters, work, change):
    """W^0 += factor x^T change."""
    width = layout.widths[1]
    for b in range(len(work.start) - 1):
        for entry in range(work.start[b], work.start[b + 1]):
            place = work.pixel[entry] * width
            a = factor * work.value[entry]
            _add(a, change, b * width, parameters.weights, place, width)


@inner
def _learn(factor, layer, layout, parameters, left, right, batch):
    """W^layer += factor left^T right, of states [all]."""
    _outer(
        factor, left, layout.states[layer], layout.widths[layer], layout.sizes[layer],
        right, layout.states[layer + 1], layout.widths[layer + 1], batch,
        parameters.weights, layout.matrices[layer],
    )  # fmt: skip


@inner
def _transpose(layout, parameters):
    """The other orientation of the matrices that lead down."""
    for layer in range(1, len(layout.sizes) - 1):
        below, above = layout.widths[layer], layout.widths[layer + 1]
        first, start = layout.matrices[layer], layout.transposed[layer]
        for i in range(layout.sizes[layer + 1]):
            for k in range(layout.sizes[layer]):
                parameters.transposed[start + i * below + k] = parameters.weights[
                    first + k * above + i
                ]


@inner
def _learn_biases(factor, layer, layout, parameters, change, batch):
    """b of the layer += factor sum_batch change."""
    width, start = layout.widths[layer], layout.states[layer]
    for b in range(batch):
        place = start + b * width
        _add(factor, change, place, parameters.biases, layout.biases[layer], width)


@inner
def _set_biases(layout, parameters, batch, out):
    """b of every layer into all samples of ``out``."""
    for layer in range(1, len(layout.sizes)):
        width = layout.widths[layer]
        for b in range(batch):
            for j in range(width):
                bias = parameters.biases[layout.biases[layer] + j]
                out[layout.states[layer] + b * width + j] = bias


@inner
def _up(layout, parameters, states, layer, batch, out):
    """out += s^(layer-1) W^(layer-1)."""
    _product(
        states, layout.states[layer - 1], layout.widths[layer - 1], batch, layout.sizes[layer - 1],
        parameters.weights, layout.matrices[layer - 1], layout.widths[layer],
        out, layout.states[layer],
    )  # fmt: skip


@inner
def _down(layout, parameters, states, layer, batch, out):
    """out += s^(layer+1) W^layer^T."""
    _product(
        states, layout.states[layer + 1], layout.widths[layer + 1], batch, layout.sizes[layer + 1],
        parameters.transposed, layout.transposed[layer], layout.widths[layer],
        out, layout.states[layer],
    )  # fmt: skip


@inner
def _initialise(layout, parameters, numbers, work, batch):
    """u and s_f of the forward network."""
    u, s, leak = work.sums, work.forward, numbers.leak[()]
    _set_biases(layout, parameters, batch, u)
    _drive(layout, parameters, work, u)
    for layer in range(1, len(layout.sizes)):
        if layer > 1:
            _up(layout, parameters, s, layer, batch, u)
        for i in range(layout.states[layer], layout.states[layer + 1]):
            s[i] = _clip(s, u[i]) + leak * u[i]


@inner
def _settle(layout, parameters, steps, keep, last_keep, step, work, batch, now):
    """Take steps from states[now]; index of the states that result."""
    top = len(layout.sizes) - 1
    for _ in range(steps):
        old, new = work.states[now], work.states[1 - now]
        new[:] = 0
        for layer in range(1, top + 1):
            if layer > 1:
                _up(layout, parameters, old, layer, batch, new)
            if layer < top:
                _down(layout, parameters, old, layer, batch, new)
            _euler(
                last_keep if layer == top else keep, step, old, work.constant, new,
                layout.states[layer], layout.states[layer + 1],
            )  # fmt: skip
        now = 1 - now
    return now


@inner
def _free_phase(layout, parameters, rule, numbers, work, batch):
    """From zero or from s_f to s-; index of it among the states."""
    step, pull = numbers.step_size[()], numbers.pull[()]
    start, forward = work.states[0], work.forward
    _set_biases(layout, parameters, batch, work.constant)
    _drive(layout, parameters, work, work.constant)
    rest = _like(forward, 1) - step
    keep = rest - step * pull
    if not rule.initialised:
        start[:] = 0
        return _settle(
            layout, parameters, rule.free_steps, keep, keep, step, work, batch, 0
        )  # fmt: skip
    for i in range(len(forward)):
        work.constant[i] += pull * forward[i]
        start[i] = _clip(start, forward[i])
    _settle(layout, parameters, 1, keep, keep, step, work, batch, 0)
    for i in range(len(forward)):
        if not 0 <= forward[i] <= 1:  # rho' is 0 there: no pressure, and the pull is 0 as well
            work.states[1, i] = _clip(forward, rest * forward[i])
    return _settle(layout, parameters, rule.free_steps - 1, keep, keep, step, work, batch, 1)


@inner
def _nudged_phase(layout, parameters, rule, numbers, work, labels, order, beta, now):
    """From s- to s+; index of it among the states."""
    step, top, batch = numbers.step_size[()], len(layout.sizes) - 1, len(order)
    place, width = layout.states[top], layout.widths[top]
    for b in range(batch):
        work.constant[place + b * width + labels[order[b]]] += beta + beta
    keep = _like(work.free, 1) - step - step * numbers.pull[()]
    last_keep = keep - step * (beta + beta)
    return _settle(layout, parameters, rule.nudged_steps, keep, last_keep, step, work, batch, now)


@inner
def _contrast(layout, parameters, rule, numbers, work, batch, beta, nudged):
    """Update of the equilibrium network, from ``nudged`` (s+) and s-."""
    free, change = work.free, work.change
    for i in range(len(free)):
        change[i] = nudged[i] - free[i]
    for layer in range(len(layout.sizes) - 1):
        factor = numbers.rates[layer] / (beta * _like(change, batch))
        _learn_biases(factor, layer + 1, layout, parameters, change, batch)
        if layer == 0:
            _learn_input(factor, layout, parameters, work, change)
        elif rule.linearised:
            _learn(factor, layer, layout, parameters, free, change, batch)
            _learn(factor, layer, layout, parameters, change, free, batch)
        else:
            _learn(factor, layer, layout, parameters, nudged, nudged, batch)
            _learn(-factor, layer, layout, parameters, free, free, batch)
    _transpose(layout, parameters)


@inner
def _learn_forward(layout, parameters, rule, numbers, work, batch, target):
    """Update of the forward network, from u, s_f and ``target``."""
    errors, forward, leak = work.sums, work.forward, numbers.leak[()]
    work.change[:] = 0
    for layer in range(len(layout.sizes) - 1, 0, -1):
        if rule.backward and layer < len(layout.sizes) - 1:
            _down(layout, parameters, errors, layer, batch, work.change)
        for i in range(layout.states[layer], layout.states[layer + 1]):
            slope = leak + _like(errors, 1) if 0 <= errors[i] <= 1 else leak
            errors[i] = slope * (forward[i] - target[i] + work.change[i])
    for layer in range(len(layout.sizes) - 1):
        factor = -numbers.rates[layer] / _like(errors, batch)
        _learn_biases(factor, layer + 1, layout, parameters, errors, batch)
        if layer == 0:
            _learn_input(factor, layout, parameters, work, errors)
        else:
            _learn(factor, layer, layout, parameters, forward, errors, batch)
    if rule.backward:
        _transpose(layout, parameters)


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
    layout = make_layout(sizes, order.shape[1])
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
    layout = make_layout(sizes, _TEST_BATCH)
    forward = network if initialiser is None else initialiser
    classes = np.zeros((2, len(images)), np.int64)
    _predict(
        layout, pack(network, layout), pack(forward, layout),
        make_rule(recipe, network, initialiser),
        make_numbers(recipe, initialiser, white, dtype), make_work(layout, _TEST_BATCH, dtype),
        np.ascontiguousarray(images), classes,
    )  # fmt: skip
    return classes[0], classes[1] if initialiser is not None else None
