"""Post-training quantization against arithmetic in Python's own integers."""

import numpy as np
import pytest

from plausible.conversion.quantised import best_step, evaluate_quantised, quantise_network
from plausible.errors import StudyError


@pytest.fixture(scope="module")
def network():
    generator = np.random.default_rng(5)
    weights = [generator.normal(0, 0.5, size) for size in ((9, 7), (7, 6), (6, 4))]
    biases = [generator.normal(0, 0.3, weight.shape[1]) for weight in weights]
    frames = generator.integers(0, 17, (50, 9)).astype(np.uint8)
    return weights, biases, frames


def slow_decisions(layers, frames, white):
    """Layer by layer with int, rounding half to even, and a count of products that are not 0."""
    decisions, counts = [], []
    for frame in frames.tolist():
        values, products = [value / white for value in frame], []
        for layer in layers:
            sent = [round(value / layer.input_step) for value in values]
            sent = [min(max(one, 0), layer.last_level) for one in sent]
            products.append(sum(1 for one in sent if one) * len(layer.bias))
            currents = [
                sum(int(w) * x for w, x in zip(column, sent, strict=True))
                * (layer.weight_step * layer.input_step)
                + bias
                for column, bias in zip(layer.weight.T, layer.bias, strict=True)
            ]
            values = [max(current, 0.0) for current in currents]
        decisions.append(currents.index(max(currents)))
        counts.append(products)
    return decisions, counts


@pytest.mark.parametrize("bits", [2, 3, 5, 8])
def test_decisions_and_products_are_those_of_a_slow_loop(network, bits):
    weights, biases, frames = network
    layers = quantise_network(weights, biases, frames / 16, bits)
    found = evaluate_quantised(layers, frames, 16, block=17)
    decisions, counts = slow_decisions(layers, frames, 16)
    assert found.predictions.tolist() == decisions
    np.testing.assert_array_equal(found.nonzero_multiply_adds, counts)


@pytest.mark.parametrize("bits", [2, 4, 8])
def test_weights_are_signed_integers_of_the_width(network, bits):
    weights, biases, frames = network
    for layer in quantise_network(weights, biases, frames / 16, bits):
        np.testing.assert_array_equal(layer.weight, np.rint(layer.weight))
        assert np.abs(layer.weight).max() <= 2 ** (bits - 1) - 1
        assert layer.last_level == 2**bits - 1


def test_many_bits_are_the_original(network):
    weights, biases, frames = network
    layers = quantise_network(weights, biases, frames / 16, 16)
    activity = frames / 16
    for weight, bias in zip(weights, biases, strict=True):
        current = activity @ weight + bias
        activity = np.maximum(current, 0)
    found = evaluate_quantised(layers, frames, 16)
    np.testing.assert_array_equal(found.predictions, current.argmax(axis=1))
    for layer, weight in zip(layers, weights, strict=True):
        # Half a step, unless the best step clips the outermost weights by a little.
        np.testing.assert_allclose(layer.weight * layer.weight_step, weight, atol=1e-3)


def test_best_step_beats_every_other_candidate():
    values = np.concatenate([np.random.default_rng(1).normal(0, 1, 400), [9.0]])

    def error(step):
        return np.square(np.clip(np.rint(values / step), -3, 3) * step - values).sum()

    best = best_step(values, 3)
    assert all(error(best) <= error(share * 9.0 / 3) + 1e-9 for share in np.linspace(0.02, 1, 99))
    assert best < 9.0 / 3  # an outlier is clipped
    assert best_step(np.zeros(4), 3) == 1.0


def test_no_frames():
    layers = quantise_network([np.eye(3)], [np.zeros(3)], np.ones((2, 3)), 4)
    found = evaluate_quantised(layers, np.zeros((0, 3)))
    assert found.predictions.shape == (0,) and found.nonzero_multiply_adds.shape == (0, 1)


@pytest.mark.parametrize(
    ("frames", "bits", "message"),
    [
        (np.ones((2, 3)), 1, r"found 1 bits, expected a whole number from 2 to 16\.$"),
        (np.ones((2, 3)), 17, "found 17 bits"),
        (-np.ones((2, 3)), 8, "found a negative input"),
    ],
)
def test_what_is_refused(frames, bits, message):
    with pytest.raises(StudyError, match=message):
        quantise_network([np.eye(3)], [np.zeros(3)], frames, bits)
