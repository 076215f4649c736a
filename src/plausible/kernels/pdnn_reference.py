"""What ``plausible.kernels.pdnn`` computes, layer by layer and in vectors.

Both give the same numbers up to the order of sums; see there for the equations.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.kernels.pdnn_types import (
    DECODED,
    LARGEST,
    LAST,
    POTENTIAL,
    SMALLEST,
    TRACE,
    UPDATES,
    Network,
    Predictions,
    Rule,
    Side,
    Training,
    as_matrices,
    check_samples,
    starts,
)
from plausible.neurons.quantizers import spike_numbers


class Diverged(Exception):
    """A value is too large to be encoded, or no number."""


def _flushed(values: NDArray) -> NDArray:
    return np.where(np.abs(values) < SMALLEST, 0.0, values)


def _send(side: Side, part: slice, layer: int, values: NDArray, rule: Rule) -> NDArray:
    """Encode and quantize the values of a layer; then its scale follows them."""
    k_beta, magnitude = side.scales[:, layer]
    if not (np.abs(values) <= LARGEST * k_beta).all():
        raise Diverged
    encoded = (values - rule.k_alpha * side.units[LAST, part]) / k_beta
    side.units[LAST, part] = values
    if rule.quantized:
        potential = side.units[POTENTIAL, part] + encoded
        spikes = spike_numbers(potential).astype(np.float64)
        side.units[POTENTIAL, part] = potential - spikes
    else:
        spikes = encoded
    trace = rule.k_alpha * side.units[TRACE, part] + k_beta * spikes
    side.units[TRACE, part] = _flushed(trace)
    side.scales[0, layer] += rule.tuning_rate * (rule.k_beta_relative * magnitude - k_beta)
    side.scales[1, layer] += rule.tuning_rate * (np.abs(values).mean() - magnitude)
    return spikes


def _receive(side: Side, part: slice, sums: NDArray, k_beta: float, rule: Rule) -> NDArray:
    """Decode the weighted sums that reach a layer."""
    decoded = _flushed(k_beta * sums + rule.k_alpha * side.units[DECODED, part])
    side.units[DECODED, part] = decoded
    return decoded


def _softmax(values: NDArray) -> NDArray:
    exponentials = np.exp(values - values.max())
    return exponentials / exponentials.sum()


def _forward(network: Network, side: Side, values: NDArray, rule: Rule) -> tuple[list, list]:
    """Spikes of each layer below the output, and the inputs z of each layer above the input."""
    first, top = starts(network.sizes), len(network.sizes) - 1
    spikes, inputs = [], []
    for layer, matrix in enumerate(network.matrices):
        part, above = (slice(first[k], first[k + 1]) for k in (layer, layer + 1))
        k_beta = side.scales[0, layer]
        spikes.append(_send(side, part, layer, values, rule))
        z = _receive(side, above, spikes[-1] @ matrix, k_beta, rule) + network.biases[above]
        inputs.append(z)
        values = np.maximum(z, 0.0) if layer + 1 < top else _softmax(z)
    return spikes, [*inputs, values]


def _train_sample(network: Network, rule: Rule, values: NDArray, label: int) -> tuple[list, ...]:
    first, top = starts(network.sizes), len(network.sizes) - 1
    parts = [slice(first[k], first[k + 1]) for k in range(top + 1)]
    before = [network.forward.units[TRACE, part] * rule.k_alpha for part in parts]
    spikes, (*inputs, outputs) = _forward(network, network.forward, values, rule)
    error = outputs.copy()
    error[label] -= 1.0
    errors: list[NDArray] = [np.zeros(0)] * (top + 1)
    behind = [network.backward.units[TRACE, part] * rule.k_alpha for part in parts]
    gradients = {}
    for layer in range(top, 0, -1):
        gradients[layer] = error
        k_beta = network.backward.scales[0, layer]
        errors[layer] = _send(network.backward, parts[layer], layer, error, rule)
        if layer > 1:
            sums = network.matrices[layer - 1] @ errors[layer]
            decoded = _receive(network.backward, parts[layer - 1], sums, k_beta, rule)
            error = decoded * (inputs[layer - 2] > 0)
    touched = []
    for layer, (matrix, area) in enumerate(
        zip(network.matrices, as_matrices(network.areas, network.sizes), strict=True)
    ):
        pre = network.forward.units[TRACE, parts[layer]]
        post = network.backward.units[TRACE, parts[layer + 1]]
        old = np.outer(_flushed(before[layer]), _flushed(behind[layer + 1]))
        new = np.outer(pre, post)
        x, e = spikes[layer] != 0, errors[layer + 1] != 0
        touched.append(x.sum() * len(e) + e.sum() * len(x) - x.sum() * e.sum())
        rest = 1.0 - rule.k_alpha**2
        match UPDATES[rule.update]:
            case "reconstruction":
                change = new
            case "future":
                change = (new - old) / rest
            case "stdp":
                early, late = _flushed(before[layer]), _flushed(behind[layer + 1])
                pairs = np.outer(early, post - late) + np.outer(pre - early, late)
                change = (pairs + np.outer(pre - early, post - late)) / rest
            case _:
                event = x[:, None] | e
                change = np.where(event, (area - old) / rest, 0.0)
                area[...] = np.where(event, new, area)
        matrix -= rule.learning_rate * change
    for layer, gradient in gradients.items():
        network.biases[parts[layer]] -= rule.learning_rate * gradient
    return spikes, errors, touched


def train(
    network: Network,
    rule: Rule,
    inputs: NDArray,
    white: float,
    labels: NDArray,
    order: NDArray | None = None,
) -> Training:
    """As `pdnn.train`."""
    check_samples(network, inputs, white, labels)
    order = np.arange(len(inputs)) if order is None else order
    top = len(network.sizes) - 1
    counts = np.zeros((3, top + 1))
    for done, sample in enumerate(order):
        values = inputs[sample].astype(np.float64) / white
        try:
            spikes, errors, touched = _train_sample(network, rule, values, labels[sample])
        except Diverged:
            return Training(done, True, *counts.astype(np.int64))
        counts[0, :top] += [np.abs(sent).sum() for sent in spikes]
        counts[1] += [np.abs(sent).sum() for sent in errors]
        counts[2, :top] += touched
    return Training(len(order), False, *counts.astype(np.int64))


def predict(
    network: Network, rule: Rule, inputs: NDArray, white: float, side: Side | None = None
) -> Predictions:
    """As `pdnn.predict`."""
    check_samples(network, inputs, white, None)
    side = network.forward if side is None else side
    classes = np.full(len(inputs), -1)
    counts = np.zeros((len(inputs), len(network.sizes)), np.int64)
    for sample, image in enumerate(inputs):
        try:
            spikes, (*_, outputs) = _forward(network, side, image.astype(np.float64) / white, rule)
        except Diverged:
            break
        classes[sample] = outputs.argmax() if np.isfinite(outputs).all() else -1
        counts[sample, :-1] = [np.abs(sent).sum() for sent in spikes]
    return Predictions(classes, counts)
