"""What happens in a PDNN while it is trained on a stream, looked at sample by sample.

A probe goes on with a copy of a network: its neurons remember what they remember, weights move or
stay. z is what a layer would receive without codes, h W + b from the values h that the layer below
has; z_hat is what it does receive. Gradients are those of the ordinary network with the weights of
the moment.

Source: O'Connor 2020, sections 5.4.1 and C.5.2.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import DECODED, LAST, Network, Rule, Side, starts
from plausible.learning.stream_training import Stream


class Probe(NamedTuple):
    """Means over samples and units, one for each layer above the input, [L]; NaN once diverged."""

    noise_square: NDArray[np.float64]
    """Mean (z_hat - z)^2."""
    tracking_error: NDArray[np.float64]
    """Sum of |z_hat - z| over sum of |z|."""
    gradient_size: NDArray[np.float64]
    """Mean |d| of what is sent back; NaN where weights stay."""
    gradient_cosine: NDArray[np.float64]
    """Mean cosine of the gradients of two successive samples, of the matrix below the layer."""


def copied(network: Network) -> Network:
    """A network of its own in the same state."""
    sides = (Side(*(each.copy() for each in side)) for side in (network.forward, network.backward))
    flat = (network.weights.copy(), network.biases.copy())
    return Network(network.sizes, *flat, *sides, network.areas.copy())


def probe_stream(
    network: Network, rule: Rule, stream: Stream, samples: int, *, learns: bool
) -> Probe:
    """Show the first ``samples`` of a stream to a copy of ``network``, which may learn from them.

    Training in single samples is the same as in one stretch, up to rounding.
    """
    network = copied(network)
    layers = len(network.sizes) - 1
    first = starts(network.sizes)
    parts = [slice(first[k], first[k + 1]) for k in range(layers + 1)]
    squares, errors, sizes, gradients = (np.zeros(layers) for _ in range(4))
    cosines: list[NDArray] = []
    before: list[tuple[NDArray, NDArray]] = []
    count = min(samples, len(stream.images))
    for number in range(count):
        one = slice(number, number + 1)
        image, labels = stream.images[one], stream.labels[one]
        matrices, biases = network.matrices, network.biases.copy()
        if learns:
            matrices = [matrix.copy() for matrix in matrices]
            lost = not pdnn.train(network, rule, image, stream.white, labels).samples
        else:
            lost = pdnn.predict(network, rule, image, stream.white).classes[0] < 0
        if lost:
            return Probe(*(np.full(layers, np.nan) for _ in range(4)))
        units = network.forward.units
        for layer, matrix in enumerate(matrices):
            below, above = parts[layer], parts[layer + 1]
            plain = units[LAST, below] @ matrix
            off = units[DECODED, above] - plain
            squares[layer] += np.square(off).mean()
            errors[layer] += np.abs(off).sum()
            sizes[layer] += np.abs(plain + biases[above]).sum()
            gradients[layer] += np.abs(network.backward.units[LAST, above]).mean()
        shifts = [biases[part] for part in parts[1:]]
        factors = gradient_factors(matrices, shifts, image[0] / stream.white, int(labels[0]))
        if before:
            cosines.append(factor_cosines(before, factors))
        before = factors
    return Probe(
        squares / count,
        errors / sizes,
        gradients / count if learns else np.full(layers, np.nan),
        _means(np.array(cosines).reshape(-1, layers)),
    )


def gradient_factors(
    matrices: Sequence[NDArray], biases: Sequence[NDArray], values: NDArray, label: int
) -> list[tuple[NDArray, NDArray]]:
    """h^l and d^(l+1), whose outer product is the gradient of matrix l, for one sample.

    Of the negative log likelihood of ReLU layers and a softmax; ``values`` [n_0] is the input.
    """
    heights = [values]
    for matrix, bias in zip(matrices, biases, strict=True):
        inputs = heights[-1] @ matrix + bias
        heights.append(np.maximum(inputs, 0.0))
    delta = np.exp(inputs - inputs.max())
    delta /= delta.sum()
    delta[label] -= 1.0
    found = []
    for layer in range(len(matrices) - 1, -1, -1):
        found.append((heights[layer], delta))
        delta = (matrices[layer] @ delta) * (heights[layer] > 0)
    return found[::-1]


def factor_cosines(
    first: Sequence[tuple[NDArray, NDArray]], second: Sequence[tuple[NDArray, NDArray]]
) -> NDArray[np.float64]:
    """Cosines of the outer products of two lists of factors, [matrices]; NaN where one is 0."""
    found = []
    for (height, delta), (other_height, other_delta) in zip(first, second, strict=True):
        sizes = [np.linalg.norm(each) for each in (height, delta, other_height, other_delta)]
        product = (height @ other_height) * (delta @ other_delta)
        found.append(product / np.prod(sizes) if np.prod(sizes) > 0 else np.nan)
    return np.array(found)


def _means(values: NDArray) -> NDArray[np.float64]:
    """Means of columns over what is a number; NaN where nothing is."""
    known = np.isfinite(values)
    numbers = known.sum(axis=0)
    sums = np.where(known, values, 0.0).sum(axis=0)
    return np.where(numbers > 0, sums / np.maximum(numbers, 1), np.nan)
