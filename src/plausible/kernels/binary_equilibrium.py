"""Equilibrium propagation with binary communication, minibatch by minibatch, for one core.

The equations stand in ``plausible.networks.binary_equilibrium``, phases and updates in
``plausible.learning.binary_propagation``; this is what they give, in float32 or float64, with what
makes it fast:

- The input is clamped, so its bits depend on the grey level and on lambda alone: one table of
  levels and steps serves a whole training. Rows of W_1 are summed by level; levels that are mostly
  on enter the sum of every step, and only exceptions are added or taken away.
- A sample goes through all of its steps by itself; what its units remember fits the first cache.
- Between free layers, a unit that changes its bit sends its row of weights, added or subtracted;
  a narrow layer, such as the output, takes products with all bits.
- Both divisions of optimal step-size adaptation are one:
  eps = (delta lambda_bar + beta^2) / ((1 + lambda_bar)(delta + c)).
- W_1 changes in the rows of pixels that are not 0.

Loops over units are split so that each has few arrays: the compiler vectorises only what it can
check for overlap. Numbers are compared with those of arrays of their own type, since a literal
would make float64 of all.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.kernels.compiling import branchless, inner, kernel, summing
from plausible.neurons.step_sizes import Adaptive, Schedule

_LEVELS = 256
_NARROW = 32
"""Units of a layer to which products with all bits of the layer below are cheap."""
S, PHI, V, AVERAGE, BIAS, SQUARE, SPREAD, HEARD, BELOW, BITS, PRESSURE, STEP = range(12)
_ROWS = 12
"""Of what units remember; the last two only within a step."""
LAMBDA, EPSILON, RATE = 0, 1, 2
"""Rows of the values of a step."""


class Timetable(NamedTuple):
    """What depends on time alone, or on time and the grey level."""

    values: NDArray
    """[3, steps]: lambda, eps of a schedule, nu of optimal step-size adaptation."""
    mostly: NDArray[np.bool_]
    """Whether the bits of a level that arrive, sent a step before, are mostly 1, [levels]."""
    exceptions: NDArray[np.int64]
    """Steps at which they are otherwise, level after level."""
    edges: NDArray[np.int64]
    """Where those of each level begin, [levels + 1]."""
    adaptive: bool
    constant: Any
    """c, a number of the same type."""


def timetable(coding: Any, steps: int, white: int, dtype: Any) -> Timetable:
    """Values of all steps for a ``Coding`` of ``networks.binary_equilibrium``.

    Raises
    ------
    StudyError
        If the coding needs another form: encoders that draw, Kesten's rule, matched decoders.
    """
    if coding.encoder != "sigma_delta" or coding.matched:
        raise StudyError("Binary kernel: encoders are sigma-delta, decoders as the text prints.")
    if not isinstance(coding.step, Schedule | Adaptive):
        raise StudyError("Binary kernel: steps are those of a schedule or of OSA.")
    if not 0 < white < _LEVELS:
        raise StudyError(f"Binary kernel: the white level is {white}, expected 1 to 255.")
    time = np.arange(1, steps + 1)
    values = np.zeros((3, steps))
    values[LAMBDA] = coding.decay.at(time)
    adaptive, rate = isinstance(coding.step, Adaptive), 1.0
    if adaptive:
        for step in range(steps):
            rate = rate / (1.0 + rate - coding.step.target)
            values[RATE, step] = rate
    else:
        values[EPSILON] = coding.step.at(time)
    levels, phi = np.arange(_LEVELS) / white, np.zeros(_LEVELS)
    bits = np.zeros((_LEVELS, steps), bool)
    before = np.zeros(_LEVELS)
    for step, decay in enumerate(values[LAMBDA, :-1]):
        phi += (levels - (1.0 - decay) * before) / decay
        bits[:, step + 1] = phi > 0.5
        phi -= bits[:, step + 1]
        before = levels
    mostly = bits.mean(axis=1) > 0.5
    level, exceptions = np.nonzero(bits != mostly[:, None])
    edges = np.searchsorted(level, np.arange(_LEVELS + 1))
    constant = np.dtype(dtype).type(coding.step.constant if adaptive else 0.0)
    return Timetable(values.astype(dtype), mostly, exceptions, edges, adaptive, constant)


@branchless
def _hear_both(v, pressure, below, above, bias, keep, decay):
    for j in range(len(v)):
        new = keep * v[j] + decay * (below[j] + above[j])
        v[j] = new
        pressure[j] = new + bias[j]


@branchless
def _hear(v, pressure, heard, bias, keep, decay):
    for j in range(len(v)):
        new = keep * v[j] + decay * heard[j]
        v[j] = new
        pressure[j] = new + bias[j]


@branchless
def _estimate(pressure, average, bias, square, rate, rest):
    for j in range(len(pressure)):
        error = pressure[j] - average[j]
        bias[j] = rest * bias[j] + rate * error
        square[j] = rest * square[j] + rate * error * error


@branchless
def _adapt(bias, square, spread, step, one, constant):
    for j in range(len(step)):
        lam = spread[j]
        new = (square[j] * lam + bias[j] * bias[j]) / ((one + lam) * (square[j] + constant))
        step[j] = new
        spread[j] = (one - new) * (one - new) * lam + new * new


@branchless
def _average(average, pressure, step):
    for j in range(len(step)):
        average[j] += step[j] * (pressure[j] - average[j])


@branchless
def _move(s, phi, pressure, step, keep, unit, zero, one):
    for j in range(len(s)):
        old = s[j]
        new = min(one, max(zero, old + step[j] * (pressure[j] - old)))
        s[j] = new
        phi[j] += (new - keep * old) * unit


@branchless
def _fire(phi, bits, changed, half, zero, one):
    for j in range(len(phi)):
        bit = one if phi[j] > half else zero
        phi[j] -= bit
        changed[j] = bit != bits[j]
        bits[j] = bit


@branchless
def _add(target, row):
    for j in range(len(target)):
        target[j] += row[j]


@branchless
def _subtract(target, row):
    for j in range(len(target)):
        target[j] -= row[j]


@branchless
def _scaled(target, row, factor):
    for j in range(len(target)):
        target[j] += factor * row[j]


@summing
def _product(one, other):
    total = one[0] * other[0]
    for j in range(1, len(one)):
        total += one[j] * other[j]
    return total


@inner
def _narrow(first, layer):
    """Whether the layer above is so narrow that products with all bits are cheaper."""
    top = len(first) - 2
    return layer < top and first[layer + 2] - first[layer + 1] <= _NARROW


@inner
def _tell(units, layer, unit, first, edges, up, down):
    """A unit's row is added to what its neighbours hear, or taken away."""
    begin, end, top = first[layer], first[layer + 1], len(first) - 2
    sent = units[BITS, begin + unit] != 0
    if layer < top and not _narrow(first, layer):
        beyond = first[layer + 2]
        low = edges[layer] + unit * (beyond - end)
        row = up[low : low + beyond - end]
        if sent:
            _add(units[HEARD, end:beyond], row)
        else:
            _subtract(units[HEARD, end:beyond], row)
    if layer > 1:
        below = first[layer - 1]
        low = edges[layer - 1] + unit * (begin - below)
        row = down[low : low + begin - below]
        if sent:
            _add(units[HEARD, below:begin], row)
        else:
            _subtract(units[HEARD, below:begin], row)


@inner
def _send(units, changed, words, first, edges, up, down):
    """Everything that changed bits tell the layers next to them."""
    top, layer = len(first) - 2, 1
    for below in range(1, top):
        if not _narrow(first, below):
            continue
        # A narrow layer hears all bits anew; it is not the first one, so nothing is in the sum
        # but what the layer above it sends by its changes.
        a, b = first[below], first[below + 1]
        bits = units[BITS, a:b]
        for k in range(first[below + 2] - b):
            low = edges[below] + k * (b - a)
            units[BELOW, b + k] = _product(bits, down[low : low + b - a])
    for word in range(first[2] // 8 if _narrow(first, 1) else 0, len(words)):
        if words[word] != 0:
            for place in range(8 * word, min(8 * word + 8, first[top + 1])):
                if changed[place]:
                    while place >= first[layer + 1]:
                        layer += 1
                    _tell(units, layer, place - first[layer], first, edges, up, down)


@inner
def _steps(
    units, changed, words, drive, time, until, first, edges, up, down, biases, values, adaptive,
    constant, numbers, target, pull,
):  # fmt: skip
    """Steps ``time`` to ``until`` of one sample; ``pull`` is 2 beta, 0 without a target.

    Layer 0 is the input, whose units are not kept; those of the others begin at ``first[1]``.
    """
    zero, half, one = numbers[0], numbers[1], numbers[2]
    top = len(first) - 2
    while time < until:
        decay = values[LAMBDA, time]
        keep = one - decay
        for layer in range(1, top + 1):
            a, b = first[layer], first[layer + 1]
            pressure, step, s = units[PRESSURE, a:b], units[STEP, a:b], units[S, a:b]
            if layer == 1:
                _hear_both(
                    units[V, a:b], pressure, drive[time], units[HEARD, a:b], biases[a:b], keep,
                    decay,
                )  # fmt: skip
            elif _narrow(first, layer - 1):
                _hear_both(
                    units[V, a:b], pressure, units[BELOW, a:b], units[HEARD, a:b], biases[a:b],
                    keep, decay,
                )  # fmt: skip
            else:
                _hear(units[V, a:b], pressure, units[HEARD, a:b], biases[a:b], keep, decay)
            if layer == top and pull != zero:
                for j in range(b - a):
                    pressure[j] += pull * (target[j] - s[j])
            if adaptive:
                rate = values[RATE, time]
                _estimate(
                    pressure, units[AVERAGE, a:b], units[BIAS, a:b], units[SQUARE, a:b], rate,
                    one - rate,
                )  # fmt: skip
                if time > 0:
                    _adapt(
                        units[BIAS, a:b],
                        units[SQUARE, a:b],
                        units[SPREAD, a:b],
                        step,
                        one,
                        constant,
                    )
                else:
                    for j in range(b - a):
                        step[j] = one
                        units[SPREAD, a + j] = one
                _average(units[AVERAGE, a:b], pressure, step)
            else:
                for j in range(b - a):
                    step[j] = values[EPSILON, time]
            # Nothing is known of a unit before the first step, not even of a state that was kept.
            known = keep if time > 0 else zero
            _move(s, units[PHI, a:b], pressure, step, known, one / decay, zero, one)
        a = first[1]
        _fire(units[PHI, a:], units[BITS, a:], changed[a:], half, zero, one)
        _send(units, changed, words, first, edges, up, down)
        time += 1


@inner
def _drive(image, slots, levels, sums, mostly, exceptions, begins, up, width, steps, drive):
    """What layer 1 hears of the input at each step."""
    number = 0
    slots[:] = -1
    for i in range(len(image)):
        level = image[i]
        if level == 0:
            continue
        slot = slots[level]
        if slot < 0:
            slots[level] = slot = number
            levels[slot] = level
            sums[slot] = 0
            number += 1
        _add(sums[slot], up[i * width : (i + 1) * width])
    base = sums[_LEVELS]
    base[:] = 0
    for slot in range(number):
        if mostly[levels[slot]]:
            _add(base, sums[slot])
    for time in range(steps):
        drive[time] = base
    for slot in range(number):
        level = levels[slot]
        for place in range(begins[level], begins[level + 1]):
            if mostly[level]:
                _subtract(drive[exceptions[place]], sums[slot])
            else:
                _add(drive[exceptions[place]], sums[slot])


@inner
def _begin(units, start):
    """Nothing heard or sent yet; states are those of ``start``."""
    units[:] = 0
    for j in range(len(start)):
        units[S, j] = start[j]


@inner
def _copy(target, source):
    for row in range(target.shape[0]):
        for j in range(target.shape[1]):
            target[row, j] = source[row, j]


@inner
def _turn(up, down, first, edges):
    """``down`` holds the transposes of all matrices but the first."""
    for layer in range(1, len(first) - 2):
        height, width = first[layer + 1] - first[layer], first[layer + 2] - first[layer + 1]
        low = edges[layer]
        for i in range(height):
            for j in range(width):
                down[low + j * height + i] = up[low + i * width + j]


@inner
def _update(images, chosen, minus, plus, up, biases, first, edges, white, rates, beta):
    """Linearised contrast of a minibatch; ``minus`` and ``plus`` are states [batch, units]."""
    batch, top = len(chosen), len(first) - 2
    width = first[2] - first[1]
    for n in range(batch):
        for j in range(first[1], first[top + 1]):
            plus[n, j] -= minus[n, j]
    for layer in range(top):
        a, b, c = first[layer], first[layer + 1], first[layer + 2]
        factor = rates[layer] / (beta * batch)
        for n in range(batch):
            _scaled(biases[b:c], plus[n, b:c], factor)
            if layer == 0:
                image = images[chosen[n]]
                for i in range(len(image)):
                    if image[i] != 0:
                        row = up[i * width : (i + 1) * width]
                        _scaled(row, plus[n, b:c], factor * image[i] / white)
                continue
            for i in range(a, b):
                low = edges[layer] + (i - a) * (c - b)
                row = up[low : low + c - b]
                if minus[n, i] != 0:
                    _scaled(row, plus[n, b:c], factor * minus[n, i])
                if plus[n, i] != 0:
                    _scaled(row, minus[n, b:c], factor * plus[n, i])


@kernel
def _train(
    up, down, biases, first, edges, images, white, labels, order, betas, values, mostly, exceptions,
    begins, adaptive, constant, numbers, rates, negative, positive, checkpoint, starts,
):  # fmt: skip
    top, units_number = len(first) - 2, first[-1]
    batch, width, outputs = order.shape[1], first[2] - first[1], first[-1] - first[-2]
    steps = negative + positive
    units = np.zeros((_ROWS, units_number), up.dtype)
    saved = np.zeros_like(units)
    words = np.zeros((units_number + 7) // 8, np.uint64)
    changed = words.view(np.uint8)
    slots, levels = np.empty(_LEVELS, np.int64), np.empty(_LEVELS, np.int64)
    sums = np.empty((_LEVELS + 1, width), up.dtype)
    drive = np.empty((steps, width), up.dtype)
    minus, plus = (
        np.zeros((batch, units_number), up.dtype),
        np.zeros((batch, units_number), up.dtype),
    )
    target = np.zeros(outputs, up.dtype)
    nothing = np.zeros(units_number, up.dtype)
    for done in range(len(order)):
        _turn(up, down, first, edges)
        pull = numbers[3] * betas[done]
        for n in range(batch):
            sample = order[done, n]
            _drive(
                images[sample], slots, levels, sums, mostly, exceptions, begins, up, width, steps,
                drive,
            )  # fmt: skip
            _begin(units, starts[sample] if len(starts) else nothing)
            changed[:] = 0
            target[:] = 0
            target[labels[sample]] = numbers[2]
            _steps(
                units, changed, words, drive, 0, negative, first, edges, up, down, biases, values,
                adaptive, constant, numbers, target, numbers[0],
            )  # fmt: skip
            minus[n] = units[S]
            if len(starts):
                starts[sample] = units[S]
            if checkpoint:
                _copy(saved, units)
            _steps(
                units, changed, words, drive, negative, steps, first, edges, up, down, biases,
                values, adaptive, constant, numbers, target, pull,
            )  # fmt: skip
            plus[n] = units[S]
            if checkpoint:
                _copy(units, saved)
                _steps(
                    units, changed, words, drive, negative, steps, first, edges, up, down, biases,
                    values, adaptive, constant, numbers, target, numbers[0],
                )  # fmt: skip
                minus[n] = units[S]
        _update(
            images, order[done], minus, plus, up, biases, first, edges, white, rates, betas[done]
        )
        if not np.isfinite(biases[first[top]]):
            return done
    return len(order)


@kernel
def _settle(
    up, down, biases, first, edges, images, values, mostly, exceptions, begins, adaptive, constant,
    numbers, steps, starts, states,
):  # fmt: skip
    """States of all free units after ``steps`` without a target, [samples, units]."""
    units_number, width = first[-1], first[2] - first[1]
    units = np.zeros((_ROWS, units_number), up.dtype)
    words = np.zeros((units_number + 7) // 8, np.uint64)
    changed = words.view(np.uint8)
    slots, levels = np.empty(_LEVELS, np.int64), np.empty(_LEVELS, np.int64)
    sums = np.empty((_LEVELS + 1, width), up.dtype)
    drive = np.empty((steps, width), up.dtype)
    target, nothing = np.zeros(1, up.dtype), np.zeros(units_number, up.dtype)
    _turn(up, down, first, edges)
    for sample in range(len(images)):
        _drive(
                images[sample], slots, levels, sums, mostly, exceptions, begins, up, width, steps,
                drive,
            )  # fmt: skip
        _begin(units, starts[sample] if len(starts) else nothing)
        changed[:] = 0
        _steps(
            units, changed, words, drive, 0, steps, first, edges, up, down, biases, values,
            adaptive, constant, numbers, target, numbers[0],
        )  # fmt: skip
        states[sample] = units[S]


class _Flat(NamedTuple):
    """A network as the kernel has it: matrices one after the other, units of free layers too."""

    up: NDArray
    down: NDArray
    biases: NDArray
    first: NDArray[np.int64]
    """Where the units of each layer begin; the input has none, [layers + 1]."""
    edges: NDArray[np.int64]
    """Where each matrix begins."""


def _flat(network: Any, images: NDArray) -> _Flat:
    if network.feedback is not None:
        raise StudyError(
            "Binary kernel: found feedback matrices, expected a symmetric network, in which the "
            "transposed weights send what comes from above."
        )
    sizes = [0, *(len(bias) for bias in network.biases)]
    if images.dtype != np.uint8 or images.shape[1] != len(network.weights[0]):
        raise StudyError(
            f"Binary kernel: images are {images.dtype} {images.shape}, expected uint8 with "
            f"{len(network.weights[0])} pixels."
        )
    up = np.concatenate([weight.ravel() for weight in network.weights])
    edges = np.cumsum([0, *(weight.size for weight in network.weights)])
    first = np.cumsum([0, *sizes])
    return _Flat(up, np.zeros_like(up), np.concatenate(network.biases), first, edges)


def train(
    network: Any,
    recipe: Any,
    images: NDArray[np.uint8],
    white: int,
    labels: NDArray,
    order: NDArray,
    betas: NDArray,
    starts: NDArray | None = None,
) -> int:
    """Train ``network`` (weights and biases, arrays of one type) **in place**; minibatches done.

    Parameters
    ----------
    network:
        `networks.equilibrium.Equilibrium`, or anything with its ``weights`` and ``biases``.
    recipe:
        `learning.binary_propagation.BinaryRecipe`.
    images:
        uint8 [samples, pixels]; divided by ``white`` they are the input.
    labels:
        Classes of the samples, whole numbers.
    order:
        Samples of each minibatch, [minibatches, batch].
    betas:
        Nudge of each minibatch, with its sign.
    starts:
        States with which each sample begins, [samples, free units]; changed in place to those
        after the free phase. None: 0 each time.

    Fewer minibatches than asked for are done if the network diverges.

    Raises
    ------
    StudyError
        If the coding needs another form, or arrays do not fit.
    """
    flat, dtype = _flat(network, images), network.weights[0].dtype
    steps = recipe.negative_steps + recipe.positive_steps
    plan = timetable(recipe.coding, steps, white, dtype)
    kept = np.zeros((0, 0), dtype) if starts is None else starts
    done = _train(
        *flat, images, dtype.type(white), np.asarray(labels, np.int64), np.asarray(order, np.int64),
        np.asarray(betas, dtype), *plan, np.array([0.0, 0.5, 1.0, 2.0], dtype),
        np.array(recipe.learning_rates, dtype), recipe.negative_steps, recipe.positive_steps,
        recipe.from_checkpoint, kept,
    )  # fmt: skip
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        weight[...] = flat.up[flat.edges[layer] : flat.edges[layer + 1]].reshape(weight.shape)
        bias[...] = flat.biases[flat.first[layer + 1] : flat.first[layer + 2]]
    return done


def settled(
    network: Any,
    coding: Any,
    steps: int,
    images: NDArray[np.uint8],
    white: int,
    starts: NDArray | None = None,
) -> NDArray:
    """States of all free units after ``steps`` of the free phase, [samples, units].

    Arguments and errors as of `train`.
    """
    flat, dtype = _flat(network, images), network.weights[0].dtype
    plan = timetable(coding, steps, white, dtype)
    states = np.zeros((len(images), flat.first[-1]), dtype)
    numbers = np.array([0.0, 0.5, 1.0, 2.0], dtype)
    kept = np.zeros((0, 0), dtype) if starts is None else starts
    _settle(*flat, images, *plan, numbers, steps, kept, states)
    return states


def predict(network: Any, recipe: Any, images: NDArray[np.uint8], white: int) -> NDArray[np.int64]:
    """Class of the largest output after the free phase from 0, [samples].

    Arguments and errors as of `train`.
    """
    states = settled(network, recipe.coding, recipe.negative_steps, images, white)
    return states[:, -len(network.biases[-1]) :].argmax(axis=1)
