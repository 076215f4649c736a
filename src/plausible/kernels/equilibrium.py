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

from plausible.kernels.compiling import branchless, inner, kernel, merged
from plausible.kernels.equilibrium_layers import (
    add_biases,
    clip,
    drive,
    finite,
    learn,
    learn_biases,
    learn_input,
    like,
    list_active,
    list_all,
    list_pixels,
    move,
    products,
)
from plausible.kernels.equilibrium_types import (
    all_finite,
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


@branchless
def _squash(leak, u, s):
    """s = h(u)."""
    for i in range(len(s)):
        s[i] = clip(s, u[i]) + leak * u[i]


@inner
def _initialise(layout, parameters, numbers, work, samples):
    """u and s_f of the forward network."""
    u, s, leak = work.sums, work.forward, numbers.leak[()]
    u[layout.states[2] :] = 0
    drive(layout, parameters, work, u)
    for layer in range(1, len(layout.sizes)):
        add_biases(layout, parameters, layer, samples, u)
        if layer > 1:
            products(layout, parameters, s, work, layer - 1, layer, u)
        first, last = layout.states[layer], layout.states[layer + 1]
        _squash(leak, u[first:last], s[first:last])


@inner
def _settle(layout, parameters, steps, keep, last_keep, step, work, now):
    """Take steps from states[now], of which lists are made; index of the states that result."""
    top, zero, one = len(layout.sizes) - 1, like(work.free, 0), like(work.free, 1)
    for _ in range(steps):
        for layer in range(1, top + 1):
            move(
                last_keep if layer == top else keep, step, zero, one, layout, parameters,
                work.states[now], work, layer, layer > 1, layer < top, work.constant,
                work.states[1 - now],
            )  # fmt: skip
        for layer in range(1, top + 1):
            list_active(layout, layer, work)
        now = 1 - now
    return now


@branchless
def _begin(pull, forward, constant, start):
    """rho(s_f) as the states, and its pull."""
    for i in range(len(start)):
        constant[i] += pull * forward[i]
        start[i] = clip(start, forward[i])


@branchless
def _outside(rest, forward, states):
    """Where rho' was 0 in the first step there was no pressure; the pull was 0 as well."""
    for i in range(len(states)):
        if not 0 <= forward[i] <= 1:
            states[i] = clip(states, rest * forward[i])


@inner
def _free_phase(layout, parameters, rule, numbers, work, samples):
    """From zero or from s_f to s-; index of it among the states."""
    step, pull = numbers.step_size[()], numbers.pull[()]
    start, constant = work.states[0], work.constant
    constant[layout.states[2] :] = 0
    drive(layout, parameters, work, constant)
    for layer in range(1, len(layout.sizes)):
        add_biases(layout, parameters, layer, samples, constant)
        list_all(layout, layer, work)  # for a start from s_f
    # np.int64: of every literal, numba would compile a version of its own.
    rest = like(start, 1) - step
    keep = rest - step * pull
    if not rule.initialised:
        start[:] = 0
        work.lengths[:] = 0
        return _settle(layout, parameters, rule.free_steps, keep, keep, step, work, np.int64(0))
    _begin(pull, work.forward, constant, start)
    _settle(layout, parameters, np.int64(1), keep, keep, step, work, np.int64(0))
    _outside(rest, work.forward, work.states[1])
    for layer in range(1, len(layout.sizes)):
        list_all(layout, layer, work)
    return _settle(layout, parameters, rule.free_steps - 1, keep, keep, step, work, np.int64(1))


@merged
def _nudged_phase(layout, parameters, rule, numbers, work, labels, order, beta, now):
    """From s- to s+; index of it among the states."""
    step, top = numbers.step_size[()], len(layout.sizes) - 1
    place, width = layout.states[top], layout.widths[top]
    for b in range(len(order)):
        work.constant[place + b * width + labels[order[b]]] += beta + beta
    keep = like(work.free, 1) - step - step * numbers.pull[()]
    last_keep = keep - step * (beta + beta)
    return _settle(layout, parameters, rule.nudged_steps, keep, last_keep, step, work, now)


@merged
def _contrast(layout, parameters, rule, numbers, work, samples, beta, nudged):
    """Update of the equilibrium network, from ``nudged`` (s+) and s-."""
    free, change = work.free, work.change
    for i in range(len(free)):
        change[i] = nudged[i] - free[i]
    one, other, sign, last = nudged, nudged, like(free, -1), free
    if rule.linearised:
        one, other, sign, last = free, change, like(free, 1), change
    for layer in range(len(layout.sizes) - 1):
        factor = numbers.rates[layer] / (beta * like(change, samples))
        learn_biases(factor, layer + 1, layout, parameters, change, samples)
        if layer == 0:
            learn_input(factor, layout, parameters, work, change)
        else:
            learn(factor, sign, layer, layout, parameters, samples, samples, one, other, last, free)


@branchless
def _set_errors(leak, forward, target, above, errors):
    """Gradient by u of the forward network's loss, in the place of u."""
    inside = like(errors, 1) + leak
    for i in range(len(errors)):
        slope = inside if 0 <= errors[i] <= 1 else leak
        errors[i] = slope * (forward[i] - target[i] + above[i])


@merged
def _learn_forward(layout, parameters, rule, numbers, work, samples, target):
    """Update of the forward network, from u, s_f and ``target``."""
    errors, forward, leak = work.sums, work.forward, numbers.leak[()]
    work.change[:] = 0
    for layer in range(len(layout.sizes) - 1, 0, -1):
        if rule.backward and layer < len(layout.sizes) - 1:
            products(layout, parameters, errors, work, layer + 1, layer, work.change)
        first, last = layout.states[layer], layout.states[layer + 1]
        _set_errors(
            leak, forward[first:last], target[first:last], work.change[first:last],
            errors[first:last],
        )  # fmt: skip
    for layer in range(len(layout.sizes) - 1):
        factor = -numbers.rates[layer] / like(errors, samples)
        learn_biases(factor, layer + 1, layout, parameters, errors, samples)
        if layer == 0:
            learn_input(factor, layout, parameters, work, errors)
        else:
            learn(
                factor, factor, layer, layout, parameters, samples, np.int64(0), forward, errors,
                forward, errors,
            )  # fmt: skip


@kernel
def _train(layout, settling, forward, rule, numbers, work, images, labels, order, betas):
    """Minibatches done; fewer than there are if numbers are not finite any more."""
    batch = order.shape[1]
    for m in range(len(order)):
        list_pixels(images, order[m], numbers, work)
        if rule.initialised:
            _initialise(layout, forward, numbers, work, batch)
        now = _free_phase(layout, settling, rule, numbers, work, batch)
        work.free[:] = work.states[now]
        if not (finite(work.constant) and finite(work.sums)):
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
        list_pixels(images, order, numbers, work)
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
    rule = make_rule(recipe, network, initialiser)
    packed = pack(network, layout, True), pack(forward, layout, rule.backward)
    done = _train(
        layout, *packed, rule,
        make_numbers(recipe, initialiser, white, dtype), make_work(layout, order.shape[1], dtype),
        np.ascontiguousarray(images), np.asarray(labels, np.int64),
        np.ascontiguousarray(order, np.int64), np.asarray(betas, dtype),
    )  # fmt: skip
    for each, trained in zip((network, initialiser), packed, strict=True):
        if each is not None:
            unpack(trained, layout, each)
    return done if all_finite(network, initialiser) else min(done, max(len(order) - 1, 0))


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
        layout, pack(network, layout, True), pack(forward, layout, False),
        make_rule(recipe, network, initialiser),
        make_numbers(recipe, initialiser, white, dtype), make_work(layout, _TEST_BATCH, dtype),
        np.ascontiguousarray(images), classes,
    )  # fmt: skip
    return classes[0], classes[1] if initialiser is not None else None
