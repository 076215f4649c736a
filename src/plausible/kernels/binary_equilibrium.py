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
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.kernels.binary_lanes import COLUMNS, ROWS, S
from plausible.kernels.binary_units import (
    EPSILON,
    LAMBDA,
    LEVELS,
    RATE,
    add_scaled,
    begin_sample,
    input_sums,
    sample_steps,
)
from plausible.kernels.compiling import inner, kernel
from plausible.kernels.equilibrium_layers import finite
from plausible.kernels.equilibrium_types import (
    all_finite,
    check_batches,
    check_networks,
    check_phases,
)
from plausible.kernels.vectors import BLOCK
from plausible.neurons.step_sizes import Adaptive, Schedule


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


def timetable(coding: Any, steps: int, white: int, dtype: Any, informed: bool = False) -> Timetable:
    """Values of all steps for a ``Coding`` of ``networks.binary_equilibrium``.

    ``informed``: whether all units know the input before the first step.

    Raises
    ------
    StudyError
        If the coding needs another form: encoders that draw, Kesten's rule, matched decoders.
    """
    if coding.encoder != "sigma_delta" or coding.matched:
        raise StudyError("Binary kernel: encoders are sigma-delta, decoders as the text prints.")
    if not isinstance(coding.step, Schedule | Adaptive):
        raise StudyError("Binary kernel: steps are those of a schedule or of OSA.")
    if not 0 < white < LEVELS:
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
    levels, phi = np.arange(LEVELS) / white, np.zeros(LEVELS)
    bits = np.zeros((LEVELS, steps), bool)
    before = np.zeros(LEVELS)
    if informed:
        before, bits[:, 0] = levels, levels > 0.5
        phi = levels - bits[:, 0]
    for step, decay in enumerate(values[LAMBDA, :-1]):
        phi += (levels - (1.0 - decay) * before) / decay
        bits[:, step + 1] = phi > 0.5
        phi -= bits[:, step + 1]
        before = levels
    mostly = bits.mean(axis=1) > 0.5
    level, exceptions = np.nonzero(bits != mostly[:, None])
    edges = np.searchsorted(level, np.arange(LEVELS + 1))
    constant = np.dtype(dtype).type(coding.step.constant if adaptive else 0.0)
    return Timetable(values.astype(dtype), mostly, exceptions, edges, adaptive, constant)


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
    batch, top, width = len(chosen), len(first) - 2, up.itemsize
    row, matrices, zero = width * plus.shape[1], up.ctypes.data, up.dtype.type(0)
    for n in range(batch):
        for j in range(first[1], first[top + 1]):
            plus[n, j] -= minus[n, j]
    for layer in range(top):
        a, b, size = first[layer], first[layer + 1], first[layer + 2] - first[layer + 1]
        factor = rates[layer] / (beta * batch)
        for n in range(batch):
            change = plus.ctypes.data + n * row + width * b
            before = minus.ctypes.data + n * row + width * b
            add_scaled(biases.ctypes.data + width * b, change, factor, size, width, zero)
            if layer == 0:
                for i in range(images.shape[1]):
                    level = images[chosen[n], i]
                    if level != 0:
                        to = matrices + width * i * size
                        add_scaled(to, change, factor * level / white, size, width, zero)
                continue
            for i in range(a, b):
                to = matrices + width * (edges[layer] + (i - a) * size)
                if minus[n, i] != 0:
                    add_scaled(to, change, factor * minus[n, i], size, width, zero)
                if plus[n, i] != 0:
                    add_scaled(to, before, factor * plus[n, i], size, width, zero)


@kernel
def _train(
    up, down, biases, first, edges, images, white, labels, order, betas, values, mostly, exceptions,
    begins, adaptive, constant, numbers, rates, negative, positive, checkpoint, starts,
    strength, known,
):  # fmt: skip
    units_number = first[-1]
    batch, width, outputs = order.shape[1], first[2] - first[1], first[-1] - first[-2]
    steps = negative + positive
    units = np.zeros((ROWS, units_number), up.dtype)
    saved = np.zeros_like(units)
    changed = np.zeros(units_number // BLOCK + len(first), np.uint64)
    slots, levels = np.empty(LEVELS, np.int64), np.empty(LEVELS, np.int64)
    ends, chosen = np.empty(steps + 1, np.int64), np.empty(LEVELS * steps, np.int64)
    columns = (width + COLUMNS - 1) // COLUMNS * COLUMNS
    sums = np.empty((LEVELS + 1, columns), up.dtype)
    drive, signs = np.empty((steps, columns), up.dtype), np.empty(LEVELS, up.dtype)
    minus, plus = (
        np.zeros((batch, units_number), up.dtype),
        np.zeros((batch, units_number), up.dtype),
    )
    target = np.zeros(outputs, up.dtype)
    nothing = np.zeros(units_number, up.dtype)
    for done in range(len(order)):
        _turn(up, down, first, edges)
        nudge = numbers[3] * betas[done]
        for n in range(batch):
            sample = order[done, n]
            drawn = input_sums(
                images[sample], slots, levels, sums, signs, mostly, exceptions, begins, ends,
                chosen, up, width, steps, drive, numbers[2],
            )  # fmt: skip
            begin_sample(
                units, changed, starts[sample] if len(starts) else nothing, known,
                levels[:drawn], sums, white, numbers, first, edges, up, down,
            )  # fmt: skip
            target[:] = 0
            target[labels[sample]] = numbers[2]
            sample_steps(
                units, changed, drive, 0, negative, first, edges, up, down, biases, values,
                adaptive, constant, numbers, target, numbers[0], known, strength,
            )  # fmt: skip
            minus[n] = units[S]
            if len(starts):
                starts[sample] = units[S]
            if checkpoint:
                _copy(saved, units)
            sample_steps(
                units, changed, drive, negative, steps, first, edges, up, down, biases,
                values, adaptive, constant, numbers, target, nudge, known, strength,
            )  # fmt: skip
            plus[n] = units[S]
            if checkpoint:
                _copy(units, saved)
                sample_steps(
                    units, changed, drive, negative, steps, first, edges, up, down, biases,
                    values, adaptive, constant, numbers, target, numbers[0], known, strength,
                )  # fmt: skip
                minus[n] = units[S]
        _update(
            images, order[done], minus, plus, up, biases, first, edges, white, rates, betas[done]
        )
        if not finite(biases):
            return done
    return len(order)


@kernel
def _settle(
    up, down, biases, first, edges, images, white, values, mostly, exceptions, begins, adaptive,
    constant, numbers, steps, starts, strength, known, states,
):  # fmt: skip
    """States of all free units after ``steps`` without a target, [samples, units]."""
    units_number, width = first[-1], first[2] - first[1]
    units = np.zeros((ROWS, units_number), up.dtype)
    changed = np.zeros(units_number // BLOCK + len(first), np.uint64)
    slots, levels = np.empty(LEVELS, np.int64), np.empty(LEVELS, np.int64)
    ends, chosen = np.empty(steps + 1, np.int64), np.empty(LEVELS * steps, np.int64)
    columns = (width + COLUMNS - 1) // COLUMNS * COLUMNS
    sums = np.empty((LEVELS + 1, columns), up.dtype)
    drive, signs = np.empty((steps, columns), up.dtype), np.empty(LEVELS, up.dtype)
    target = np.zeros(first[-1] - first[-2], up.dtype)
    nothing = np.zeros(units_number, up.dtype)
    _turn(up, down, first, edges)
    for sample in range(len(images)):
        drawn = input_sums(
            images[sample], slots, levels, sums, signs, mostly, exceptions, begins, ends, chosen,
            up, width, steps, drive, numbers[2],
        )  # fmt: skip
        begin_sample(
            units, changed, starts[sample] if len(starts) else nothing, known,
            levels[:drawn], sums, white, numbers, first, edges, up, down,
        )  # fmt: skip
        sample_steps(
            units, changed, drive, 0, steps, first, edges, up, down, biases, values,
            adaptive, constant, numbers, target, numbers[0], known, strength,
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


def _flat(network: Any, images: NDArray, white: float, starts: NDArray | None) -> _Flat:
    if network.feedback is not None:
        raise StudyError(
            "Binary kernel: found feedback matrices, expected a symmetric network, in which the "
            "transposed weights send what comes from above."
        )
    check_networks(network, None, images, white)
    sizes, dtype = [0, *(len(bias) for bias in network.biases)], network.weights[0].dtype
    wanted = len(images), sum(sizes)
    if starts is not None and (starts.shape, starts.dtype) != (wanted, dtype):
        raise StudyError(
            f"Binary kernel: states to begin with are {starts.dtype} {starts.shape}, expected "
            f"{dtype} {wanted}, all free units of each image."
        )
    up = np.concatenate([weight.ravel() for weight in network.weights])
    edges = np.cumsum([0, *(weight.size for weight in network.weights)])
    first = np.cumsum([0, *sizes])
    return _Flat(up, np.zeros_like(up), np.concatenate(network.biases), first, edges)


def _begun(starts: NDArray | None, pull: float, dtype: Any) -> tuple[NDArray, Any]:
    """States to begin with, which may be none, and the strength that pulls towards them."""
    if starts is None:
        return np.zeros((0, 0), dtype), dtype.type(0.0)
    return starts, dtype.type(pull)


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
        States with which each sample begins, [samples, free units], also the anchors of the
        recipe's ``pull``; changed in place to those after the free phase. None: 0 each time.

    Fewer minibatches than asked for are done if the network diverges.

    Raises
    ------
    StudyError
        If the coding needs another form, or arrays or recipe do not fit.
    """
    flat, dtype = _flat(network, images, white, starts), network.weights[0].dtype
    check_batches(images, labels, order, betas, len(network.biases[-1]))
    steps = sum(check_phases(recipe, network))
    plan = timetable(recipe.coding, steps, white, dtype, recipe.informed)
    kept, pull = _begun(starts, recipe.pull, dtype)
    done = _train(
        *flat, images, dtype.type(white), np.asarray(labels, np.int64), np.asarray(order, np.int64),
        np.asarray(betas, dtype), *plan, np.array([0.0, 0.5, 1.0, 2.0], dtype),
        np.array(recipe.learning_rates, dtype), recipe.negative_steps, recipe.positive_steps,
        recipe.from_checkpoint, kept, pull, recipe.informed,
    )  # fmt: skip
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        weight[...] = flat.up[flat.edges[layer] : flat.edges[layer + 1]].reshape(weight.shape)
        bias[...] = flat.biases[flat.first[layer + 1] : flat.first[layer + 2]]
    return done if all_finite(network) else min(done, max(len(order) - 1, 0))


def settled(
    network: Any,
    coding: Any,
    steps: int,
    images: NDArray[np.uint8],
    white: int,
    starts: NDArray | None = None,
    informed: bool = False,
    pull: float = 0.0,
) -> NDArray:
    """States of all free units after ``steps`` of the free phase, [samples, units].

    Arguments and errors as of `train`.
    """
    flat, dtype = _flat(network, images, white, starts), network.weights[0].dtype
    plan = timetable(coding, steps, white, dtype, informed)
    states = np.zeros((len(images), flat.first[-1]), dtype)
    numbers = np.array([0.0, 0.5, 1.0, 2.0], dtype)
    kept = _begun(starts, pull, dtype)
    _settle(*flat, images, dtype.type(white), *plan, numbers, steps, *kept, informed, states)
    return states


def predict(
    network: Any,
    recipe: Any,
    images: NDArray[np.uint8],
    white: int,
    starts: NDArray | None = None,
) -> NDArray[np.int64]:
    """Class of the largest output after the free phase, from 0 or ``starts``, [samples].

    Arguments and errors as of `train`.
    """
    coding, steps = recipe.coding, recipe.negative_steps
    more = starts, recipe.informed, recipe.pull
    states = settled(network, coding, steps, images, white, *more)
    return states[:, -len(network.biases[-1]) :].argmax(axis=1)
