"""Post-training quantization: a ReLU network in integers of a few bits, the usual competitor.

Weights of a layer become signed integers of b bits and its inputs, which are never negative,
unsigned ones, each with one step for the whole layer:

    W = step_w W_q,  |W_q| <= 2^(b-1) - 1        x = step_x x_q,  0 <= x_q <= 2^b - 1

so that a layer computes step_w step_x (x_q W_q) + b with integer products alone. The steps minimise
the squared error of weights and of calibration inputs, values beyond the last level being clipped.
Nothing is trained again. This is no method of O'Connor 2020, whose chapter 4 compares its networks
with 32-bit arithmetic only.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError

MOST_BITS = 16
_CANDIDATES = np.linspace(0.02, 1.0, 99)
"""Tried places of the last level, as fractions of the largest magnitude."""


class QuantisedLayer(NamedTuple):
    """One layer in integers."""

    weight: NDArray[np.float64]
    """W_q, whole numbers [inputs, units]; float64 holds them and their sums exactly."""
    weight_step: float
    bias: NDArray[np.float64]
    input_step: float
    last_level: int
    """Largest input x_q."""


class QuantisedRun(NamedTuple):
    """Decisions and products of a quantized network."""

    predictions: NDArray[np.int64]
    """Largest output, [frames]."""
    nonzero_multiply_adds: NDArray[np.float64]
    """Products left when zero inputs are skipped, [frames, layers]."""


def best_step(values: NDArray, last_level: int) -> float:
    """Step that minimises the squared error of ``values`` on the levels up to ``last_level``.

    Levels are whole multiples of the step, down to -``last_level`` for negative values. A step of 1
    is returned where all values are zero.
    """
    largest = float(np.abs(values).max(initial=0.0))
    if largest == 0.0:
        return 1.0
    steps = _CANDIDATES * (largest / last_level)
    errors = [
        np.square(np.clip(np.rint(values / step), -last_level, last_level) * step - values).sum()
        for step in steps
    ]
    return float(steps[int(np.argmin(errors))])


def quantise_network(
    weights: Sequence[NDArray], biases: Sequence[NDArray], frames: NDArray, bits: int
) -> tuple[QuantisedLayer, ...]:
    """Integers of ``bits`` bits (2 to 16) in place of the weights and inputs of a ReLU network.

    ``weights`` [inputs, units]; the steps of the inputs are found on what calibration ``frames``
    [n, inputs], not negative, cause in the original network. Raises StudyError if the number of
    bits is not allowed or a frame is negative.
    """
    if bits != int(bits) or not 2 <= bits <= MOST_BITS:
        raise StudyError(
            f"quantised network: found {bits!r} bits, expected a whole number from 2 to "
            f"{MOST_BITS}."
        )
    if frames.min(initial=0.0) < 0:
        raise StudyError(
            "quantised network: found a negative input, expected intensities from 0 (the integers "
            "of the inputs have no sign)."
        )
    layers, activity = [], np.asarray(frames, np.float64)
    inputs_last, weights_last = 2**bits - 1, 2 ** (bits - 1) - 1
    for weight, bias in zip(weights, biases, strict=True):
        step = best_step(weight, weights_last)
        whole = np.clip(np.rint(weight / step), -weights_last, weights_last)
        layers.append(
            QuantisedLayer(whole, step, bias, best_step(activity, inputs_last), inputs_last)
        )
        activity = np.maximum(activity @ weight + bias, 0.0)
    return tuple(layers)


def evaluate_quantised(
    layers: Sequence[QuantisedLayer], frames: NDArray, white: float = 1.0, block: int = 1000
) -> QuantisedRun:
    """Decisions and products over all ``frames`` (stored intensities, divided by ``white``)."""
    predictions, products = [], []
    for begin in range(0, len(frames), block):
        activity = frames[begin : begin + block].astype(np.float64) / white
        counts = []
        for layer in layers:
            sent = np.clip(np.rint(activity / layer.input_step), 0, layer.last_level)
            counts.append(np.count_nonzero(sent, axis=1) * float(layer.weight.shape[1]))
            # The sum is over integers and exact; only the two steps and the bias are real.
            current = (sent @ layer.weight) * (layer.weight_step * layer.input_step)
            current += layer.bias
            activity = np.maximum(current, 0.0)
        predictions.append(current.argmax(axis=1))
        products.append(np.stack(counts, axis=1))
    if not predictions:
        return QuantisedRun(np.zeros(0, np.int64), np.zeros((0, len(layers))))
    return QuantisedRun(np.concatenate(predictions), np.concatenate(products))
