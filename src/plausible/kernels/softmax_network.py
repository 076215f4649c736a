"""The ordinary network beside the PDNN: ReLU layers and a softmax, trained one sample at a time.

O'Connor 2020, section 5.4.1: h^(l+1) = max(0, h^l W^l + b^(l+1)), the output softmax(h W + b), loss
the negative log likelihood, plain gradient descent, batch of one, data in the given order. Compiled
for one core: rows of units that are 0 are visited neither forward nor backward. Weights and biases
stand as those of a PDNN do (``pdnn_types``).
"""

import numpy as np
from numpy.typing import NDArray

from plausible.kernels.compiling import inner, kernel
from plausible.kernels.deep_spiking_types import check_order
from plausible.kernels.pdnn_types import Network, check_samples, starts, weight_starts


@inner
def _forward(first, edges, weights, biases, values, active, numbers):
    """Values of all layers from those of the input; False if the output is no number."""
    top = len(first) - 2
    for layer in range(top):
        begin, end, beyond = first[layer], first[layer + 1], first[layer + 2]
        width, number = beyond - end, 0
        for i in range(begin, end):
            if values[i] != 0.0:
                active[begin + number] = i
                number += 1
        numbers[layer] = number
        above = values[end:beyond]
        for j in range(width):
            above[j] = biases[end + j]
        for place in range(begin, begin + number):
            i = active[place]
            value, low = values[i], edges[layer] + (i - begin) * width
            row = weights[low : low + width]
            for j in range(width):
                above[j] += value * row[j]
        if layer + 1 < top:
            for j in range(width):
                above[j] = above[j] if above[j] > 0.0 else 0.0
    begin, end = first[top], first[top + 1]
    largest, total = values[begin], 0.0
    for j in range(begin, end):
        largest = max(largest, values[j])
    for j in range(begin, end):
        values[j] = np.exp(values[j] - largest)
        total += values[j]
    for j in range(begin, end):
        values[j] /= total
    return np.isfinite(total)


@inner
def _backward(first, edges, weights, biases, rate, values, deltas, active, numbers):
    """Gradients from the output down, each matrix changed after it was read."""
    for layer in range(len(first) - 3, -1, -1):
        begin, end, beyond = first[layer], first[layer + 1], first[layer + 2]
        width = beyond - end
        errors = deltas[end:beyond]
        for i in range(begin, end):
            deltas[i] = 0.0
        for place in range(begin, begin + numbers[layer]):
            i = active[place]
            low = edges[layer] + (i - begin) * width
            row = weights[low : low + width]
            if layer > 0:
                total = 0.0
                for j in range(width):
                    total += row[j] * errors[j]
                deltas[i] = total
            step = rate * values[i]
            for j in range(width):
                row[j] -= step * errors[j]
        for j in range(width):
            biases[end + j] -= rate * errors[j]


@kernel
def _train(first, edges, weights, biases, rate, inputs, white, labels, order, active, numbers):
    top = len(first) - 2
    values, deltas = np.zeros(first[-1]), np.zeros(first[-1])
    for done in range(len(order)):
        sample = order[done]
        for i in range(first[1]):
            values[i] = inputs[sample, i] / white
        if not _forward(first, edges, weights, biases, values, active, numbers):
            return done
        for j in range(first[top], first[top + 1]):
            deltas[j] = values[j]
        deltas[first[top] + labels[sample]] -= 1.0
        _backward(first, edges, weights, biases, rate, values, deltas, active, numbers)
    return len(order)


@kernel
def _outputs(first, edges, weights, biases, inputs, white, active, numbers, outputs, nonzero):
    top = len(first) - 2
    values = np.zeros(first[-1])
    for sample in range(len(inputs)):
        for i in range(first[1]):
            values[i] = inputs[sample, i] / white
        _forward(first, edges, weights, biases, values, active, numbers)
        for j in range(outputs.shape[1]):
            outputs[sample, j] = values[first[top] + j]
        for layer in range(top):
            nonzero[sample, layer] = numbers[layer]


def train(
    network: Network,
    learning_rate: float,
    inputs: NDArray,
    white: float,
    labels: NDArray,
    order: NDArray | None = None,
) -> int:
    """Train weights and biases of ``network`` in place; the number of samples that were done.

    They are fewer than asked for if the network diverged. Samples, ``white``, labels and order as
    for `pdnn.train`; raises StudyError if they do not fit.
    """
    check_samples(network, inputs, white, labels)
    order = np.arange(len(inputs)) if order is None else check_order(order, len(inputs))
    return _train(
        *_layout(network), network.weights, network.biases, float(learning_rate), inputs,
        float(white), labels.astype(np.int64), order, *_work(network),
    )  # fmt: skip


def outputs(network: Network, inputs: NDArray, white: float) -> tuple[NDArray, NDArray]:
    """Probabilities [samples, classes]; units that are not 0, int64 [samples, layers but the last].

    Raises StudyError if the samples do not fit.
    """
    check_samples(network, inputs, white, None)
    found = np.zeros((len(inputs), network.sizes[-1]))
    nonzero = np.zeros((len(inputs), len(network.sizes) - 1), np.int64)
    _outputs(
        *_layout(network), network.weights, network.biases, inputs, float(white), *_work(network),
        found, nonzero,
    )  # fmt: skip
    return found, nonzero


def _layout(network: Network) -> tuple[NDArray, NDArray]:
    return starts(network.sizes), weight_starts(network.sizes)


def _work(network: Network) -> tuple[NDArray, NDArray]:
    return np.zeros(sum(network.sizes), np.int64), np.zeros(len(network.sizes), np.int64)
