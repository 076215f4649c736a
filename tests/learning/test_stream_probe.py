"""Probes of a PDNN: gradients against torch, noise against a network without codes."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule
from plausible.learning.stream_probe import (
    copied,
    factor_cosines,
    gradient_factors,
    probe_stream,
)
from plausible.learning.stream_training import Stream

SIZES = (16, 10, 8, 4)


def stream(count=60, seed=0):
    rng = np.random.default_rng(seed)
    return Stream(
        rng.integers(0, 256, (count, 16)).astype(np.uint8), rng.integers(0, 4, count), 255.0
    )


def fresh(rule, seed=1):
    return make_network(initial_weights(SIZES, np.random.default_rng(seed)), rule)


def torch_gradients(matrices, biases, values, label):
    weights = [torch.tensor(each, requires_grad=True) for each in matrices]
    found = torch.from_numpy(values)
    for weight, bias in zip(weights, biases, strict=True):
        inputs = found @ weight + torch.from_numpy(bias)
        found = torch.relu(inputs)
    loss = functional.cross_entropy(inputs[None], torch.tensor([label]))
    return [each.numpy() for each in torch.autograd.grad(loss, weights)]


def test_factors_and_their_cosines_are_those_of_the_gradients():
    rng = np.random.default_rng(2)
    matrices = initial_weights(SIZES, rng)
    biases = [rng.random(size) for size in SIZES[1:]]
    both = []
    for _ in range(2):
        values, label = rng.random(16), int(rng.integers(4))
        factors = gradient_factors(matrices, biases, values, label)
        gradients = torch_gradients(matrices, biases, values, label)
        for (height, delta), gradient in zip(factors, gradients, strict=True):
            np.testing.assert_allclose(np.outer(height, delta), gradient, atol=1e-14)
        both.append((factors, gradients))
    (first, slopes), (second, other_slopes) = both
    expected = [
        (one * two).sum() / np.linalg.norm(one) / np.linalg.norm(two)
        for one, two in zip(slopes, other_slopes, strict=True)
    ]
    np.testing.assert_allclose(factor_cosines(first, second), expected, atol=1e-13)


def test_the_same_sample_again_has_the_same_gradient():
    data = stream(1)
    same = Stream(np.repeat(data.images, 5, axis=0), np.repeat(data.labels, 5), 255.0)
    found = probe_stream(fresh(make_rule()), make_rule(), same, 5, learns=False)
    np.testing.assert_allclose(found.gradient_cosine, 1.0, atol=1e-12)


def test_the_probed_network_is_left_alone_and_its_copy_trained_as_in_one_stretch(monkeypatch):
    rule, data = make_rule(0.02, 0.8, 0.8), stream()
    network = fresh(rule)
    pdnn.train(network, rule, data.images, 255.0, data.labels)
    before = copied(network)
    trained = []
    train = pdnn.train

    def seen(copy, *rest):
        trained.append(copy)
        return train(copy, *rest)

    monkeypatch.setattr(pdnn, "train", seen)
    probe_stream(network, rule, data, 40, learns=True)
    np.testing.assert_array_equal(network.weights, before.weights)
    np.testing.assert_array_equal(network.forward.units, before.forward.units)
    train(before, rule, data.images[:40], 255.0, data.labels[:40])
    np.testing.assert_allclose(trained[-1].weights, before.weights, rtol=0, atol=1e-12)
    np.testing.assert_allclose(trained[-1].biases, before.biases, rtol=0, atol=1e-12)


def test_without_codes_only_moving_weights_make_errors():
    """Nothing is lost, but what was received from weights that were others (eq. 5.10)."""
    rule, data = make_rule(0.05, 0.9, quantized=False), stream()
    network = fresh(rule)
    frozen = probe_stream(network, rule, data, 50, learns=False)
    moving = probe_stream(network, rule, data, 50, learns=True)
    assert frozen.tracking_error.max() < 1e-12 and frozen.noise_square.max() < 1e-24
    assert moving.tracking_error.min() > 1e-3
    assert np.isnan(frozen.gradient_size).all()


def test_noise_is_that_of_a_rounded_input():
    """Without memory and with one layer, z_hat - z is (s k_beta - x) W."""
    rule = make_rule(0.01, 0.0, 0.3, tuning_rate=0.0)
    weights = initial_weights((16, 4), np.random.default_rng(3))
    data, network = stream(20), make_network(weights, rule)
    found = probe_stream(network, rule, data, 20, learns=False)
    phi, squares, errors, sizes = np.zeros(16), [], [], []
    for image in data.images / 255.0:
        phi += image / 0.3
        spikes = np.sign(phi) * np.maximum(np.ceil(np.abs(phi) - 0.5), 0)
        phi -= spikes
        off = (0.3 * spikes - image) @ weights[0]
        squares.append(np.square(off).mean())
        errors.append(np.abs(off).sum())
        sizes.append(np.abs(image @ weights[0]).sum())
    np.testing.assert_allclose(found.noise_square, np.mean(squares), rtol=1e-10)
    np.testing.assert_allclose(found.tracking_error, sum(errors) / sum(sizes), rtol=1e-10)


@pytest.mark.parametrize("learns", [True, False])
def test_a_network_that_diverged_has_no_values(learns):
    rule = make_rule()
    network = fresh(rule)
    network.weights[...] = np.inf
    found = probe_stream(network, rule, stream(), 5, learns=learns)
    assert all(np.isnan(each).all() for each in found)
