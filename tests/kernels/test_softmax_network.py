"""The ordinary network of chapter 5, compiled, against autograd."""

import numpy as np
import pytest
import torch

from plausible.errors import StudyError
from plausible.kernels import softmax_network
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule

SIZES = (20, 9, 8, 4)


def problem(count=60, seed=0):
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 20), dtype=np.uint8)
    images[:, ::3] = 0
    biases = [0.1 * rng.standard_normal(size) for size in SIZES[1:]]
    network = make_network(initial_weights(SIZES, rng), make_rule(), biases)
    return network, images, rng.integers(0, 4, count)


def test_steps_are_those_of_autograd():
    network, images, labels = problem()
    parameters = [torch.tensor(m, requires_grad=True) for m in network.matrices]
    biases = np.split(network.biases, np.cumsum(SIZES)[:-1])[1:]
    parameters += [torch.tensor(bias, requires_grad=True) for bias in biases]
    order = np.random.default_rng(1).permutation(60)
    assert softmax_network.train(network, 0.05, images, 255, labels, order) == 60
    for sample in order:
        value = torch.tensor(images[sample] / 255.0)
        for layer in range(3):
            value = value @ parameters[layer] + parameters[3 + layer]
            value = torch.relu(value) if layer < 2 else value
        loss = torch.nn.functional.cross_entropy(value[None], torch.tensor([labels[sample]]))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.05 * gradient
    for matrix, parameter in zip(network.matrices, parameters[:3], strict=True):
        np.testing.assert_allclose(matrix, parameter.detach(), rtol=0, atol=1e-13)
    found = np.split(network.biases, np.cumsum(SIZES)[:-1])[1:]
    for bias, parameter in zip(found, parameters[3:], strict=True):
        np.testing.assert_allclose(bias, parameter.detach(), rtol=0, atol=1e-13)


def test_outputs_and_units_that_are_not_silent():
    network, images, _ = problem()
    probabilities, nonzero = softmax_network.outputs(network, images, 255)
    value, counts = images / 255.0, []
    biases = np.split(network.biases, np.cumsum(SIZES)[:-1])[1:]
    for layer, (matrix, bias) in enumerate(zip(network.matrices, biases, strict=True)):
        counts.append((value != 0).sum(axis=1))
        value = value @ matrix + bias
        value = np.maximum(value, 0) if layer < 2 else value
    expected = np.exp(value) / np.exp(value).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(probabilities, expected, rtol=1e-12)
    np.testing.assert_array_equal(nonzero, np.stack(counts, axis=1))


def test_divergence_is_a_result():
    network, images, labels = problem()
    assert softmax_network.train(network, 1e200, images, 255, labels) < 60


def test_samples_that_do_not_fit_are_refused():
    network, images, labels = problem()
    with pytest.raises(StudyError, match=r"found inputs of the shape \(60, 19\)"):
        softmax_network.train(network, 0.1, images[:, 1:], 255, labels)
