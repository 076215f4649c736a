"""The vector network beside the spiking one: rectified linear units, trained one sample at a time.

O'Connor 2020, section 3.5.2: y^l = max(0, y^(l-1) W^(l-1)) in every layer, the output included, no
biases; loss sum (y^L - target)^2 without a factor 1/2, so that the step is twice that of the
spiking network at the same learning rate. Plain gradient descent, batch of one, data in the given
order. Compiled for one core: rows of silent units are visited neither forward nor backward.
"""

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.compiling import copy, inner, kernel
from plausible.kernels.deep_spiking_types import check_order


@inner
def _forward(weights, inputs, white, sample, active, numbers, values):
    """Values of all layers; units above zero are listed in ``active``."""
    for layer in range(len(weights) + 1):
        value = values[layer]
        if layer == 0:
            for i in range(len(value)):
                value[i] = inputs[sample, i] / white
        else:
            value[:] = 0
            below, matrix = values[layer - 1], weights[layer - 1]
            for place in range(numbers[layer - 1]):
                i = active[layer - 1][place]
                x, row = below[i], matrix[i]
                for j in range(len(value)):
                    value[j] += x * row[j]
        number = 0
        for j in range(len(value)):
            if layer > 0 and value[j] <= 0:  # what is not a number goes on and is found
                value[j] = 0.0
            elif value[j] != 0:
                active[layer][number] = j
                number += 1
        numbers[layer] = number


@inner
def _dot(a, b):
    """Sum of products in eight partial sums, so that it becomes vector instructions."""
    parts = np.zeros(8)
    whole = len(a) // 8 * 8
    for start in range(0, whole, 8):
        for k in range(8):
            parts[k] += a[start + k] * b[start + k]
    total = 0.0
    for k in range(whole, len(a)):
        total += a[k] * b[k]
    for k in range(8):
        total += parts[k]
    return total


@inner
def _backward(weights, rate, active, numbers, values, deltas):
    """Gradients from the top, each matrix changed after it was read."""
    for layer in range(len(weights) - 1, -1, -1):
        matrix, above, below = weights[layer], deltas[layer + 1], deltas[layer]
        below[:] = 0
        for place in range(numbers[layer]):
            i = active[layer][place]
            row = matrix[i]
            if layer > 0:
                below[i] = _dot(row, above)
            step = rate * values[layer][i]
            for j in range(len(row)):
                row[j] -= step * above[j]


@kernel
def _train(weights, rate, inputs, white, labels, order, active, numbers, values, deltas):
    top = len(weights)
    for place in range(len(order)):
        sample = order[place]
        _forward(weights, inputs, white, sample, active, numbers, values)
        for j in range(len(values[top])):
            target = 1.0 if j == labels[sample] else 0.0
            value = values[top][j]
            deltas[top][j] = 2.0 * (value - target) if value > 0 else 0.0
            if not np.isfinite(value):
                return place
        _backward(weights, rate, active, numbers, values, deltas)
    return len(order)


@kernel
def _outputs(weights, inputs, white, active, numbers, values, outputs, nonzero):
    for sample in range(len(inputs)):
        _forward(weights, inputs, white, sample, active, numbers, values)
        copy(values[len(weights)], outputs[sample], outputs.shape[1])
        for layer in range(len(weights)):
            nonzero[sample, layer] = numbers[layer]


def _work(weights):
    sizes = (len(weights[0]), *(matrix.shape[1] for matrix in weights))
    active = tuple(np.zeros(size, np.int64) for size in sizes)
    return active, np.zeros(len(sizes), np.int64), tuple(np.zeros(size) for size in sizes)


def _check(weights, inputs, white) -> tuple[np.ndarray, ...]:
    matrices = tuple(weights)
    fits = bool(matrices) and all(
        matrix.dtype == np.float64 and matrix.flags.c_contiguous and matrix.ndim == 2
        for matrix in matrices
    )
    chained = fits and all(
        a.shape[1] == b.shape[0] for a, b in zip(matrices[:-1], matrices[1:], strict=True)
    )
    if not chained or inputs.ndim != 2 or inputs.shape[1] != len(matrices[0]) or not white > 0:
        raise StudyError(
            "rectified network: expected float64 matrices [n_in, n_out] that follow each other, "
            f"inputs [samples, n_0] and a positive white, found inputs {inputs.shape}, white "
            f"{white} and {[getattr(m, 'shape', None) for m in matrices]}."
        )
    if not np.isfinite(inputs).all():
        raise StudyError("rectified network: an input is not finite, expected finite numbers.")
    return matrices


def train(
    weights: list[np.ndarray],
    learning_rate: float,
    inputs: np.ndarray,
    white: float,
    labels: np.ndarray,
    order: np.ndarray,
) -> int:
    """Train on the samples ``order``, ``weights`` float64 ``[n_l, n_(l+1)]`` in place.

    ``inputs`` ``[samples, n_0]`` are divided by ``white``; ``labels`` int64. Returns the number of
    samples done, fewer than asked for if an output was not finite. Raises StudyError for arrays
    that do not fit.
    """
    matrices = _check(weights, inputs, white)
    classes = matrices[-1].shape[1]
    labels = np.asarray(labels, np.int64)
    if labels.shape != (len(inputs),) or (
        labels.size and not (0 <= labels.min() and labels.max() < classes)
    ):
        raise StudyError(
            f"rectified network: expected {len(inputs)} labels between 0 and {classes - 1}."
        )
    active, numbers, values = _work(matrices)
    deltas = tuple(np.zeros_like(value) for value in values)
    order = check_order(order, len(inputs))
    return _train(
        matrices, float(learning_rate), inputs, float(white), labels, order, active, numbers,
        values, deltas,
    )  # fmt: skip


def outputs(
    weights: list[np.ndarray], inputs: np.ndarray, white: float = 1.0
) -> tuple[np.ndarray, np.ndarray]:
    """Outputs ``[samples, n_L]`` and numbers of non-zero units int64 ``[samples, L]``.

    The numbers are those of the input and the hidden layers; times the fan-out they are the
    multiply-adds of a pass that leaves out zeros (figure 3.3).
    """
    matrices = _check(weights, inputs, white)
    result = np.empty((len(inputs), matrices[-1].shape[1]))
    nonzero = np.empty((len(inputs), len(matrices)), np.int64)
    active, numbers, values = _work(matrices)
    _outputs(matrices, inputs, float(white), active, numbers, values, result, nonzero)
    return result, nonzero
