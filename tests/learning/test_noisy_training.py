"""Training with noise on what layers receive, against torch and against training without."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from plausible.errors import StudyError
from plausible.kernels import softmax_network
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule
from plausible.learning.noisy_training import draw_noise, outputs_with_noise, train_with_noise

SIZES = (12, 8, 4)


def network(seed=0):
    return make_network(initial_weights(SIZES, np.random.default_rng(seed)), make_rule())


def samples(count=30, seed=1):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (count, 12)).astype(np.uint8), rng.integers(0, 4, count)


def test_steps_are_those_of_torch():
    images, labels = samples()
    order = np.array([3, 0, 3, 7])
    noise = draw_noise(np.random.default_rng(2), len(order), SIZES, [0.5, 0.3])
    found = network()
    weights = [torch.tensor(each, requires_grad=True) for each in found.matrices]
    biases = [torch.zeros(size, dtype=torch.float64, requires_grad=True) for size in SIZES[1:]]
    assert train_with_noise(found, 0.1, images, 255.0, labels, order, noise) == len(order)
    for sample, added in zip(order, torch.from_numpy(noise), strict=True):
        values = torch.from_numpy(images[sample] / 255.0)
        hidden = torch.relu(values @ weights[0] + biases[0] + added[:8])
        logits = hidden @ weights[1] + biases[1] + added[8:]
        loss = functional.cross_entropy(logits[None], torch.tensor([labels[sample]]))
        for each, slope in zip(
            (*weights, *biases), torch.autograd.grad(loss, (*weights, *biases)), strict=True
        ):
            each.data -= 0.1 * slope
    for matrix, weight in zip(found.matrices, weights, strict=True):
        np.testing.assert_allclose(matrix, weight.detach(), atol=1e-13)
    expected = np.concatenate([each.detach() for each in biases])
    np.testing.assert_allclose(found.biases[12:], expected, atol=1e-13)
    assert not found.biases[:12].any()


def test_no_noise_changes_nothing():
    images, labels = samples()
    quiet, plain = network(), network()
    order, none = np.arange(30), np.zeros((30, 12))
    train_with_noise(quiet, 0.1, images, 255.0, labels, order, none)
    softmax_network.train(plain, 0.1, images, 255.0, labels)
    np.testing.assert_array_equal(quiet.weights, plain.weights)
    np.testing.assert_array_equal(quiet.biases, plain.biases)
    found = outputs_with_noise(quiet, images, 255.0, none)
    np.testing.assert_array_equal(found, softmax_network.outputs(plain, images, 255.0)[0])


def test_outputs_with_noise_leave_the_network_alone():
    images, _ = samples()
    trained = network()
    before = trained.biases.copy()
    noise = draw_noise(np.random.default_rng(5), 30, SIZES, [0.5, 0.0])
    found = outputs_with_noise(trained, images, 255.0, noise)
    hidden = np.maximum(images / 255.0 @ trained.matrices[0] + noise[:, :8], 0)
    logits = torch.from_numpy(hidden @ trained.matrices[1])
    np.testing.assert_allclose(found, torch.softmax(logits, dim=1), atol=1e-13)
    np.testing.assert_array_equal(trained.biases, before)


def test_noise_has_the_deviation_of_its_layer():
    noise = draw_noise(np.random.default_rng(6), 20_000, SIZES, [2.0, 0.1])
    assert noise.shape == (20_000, 12)
    np.testing.assert_allclose(noise[:, :8].std(), 2.0, rtol=0.02)
    np.testing.assert_allclose(noise[:, 8:].std(), 0.1, rtol=0.02)


@pytest.mark.parametrize("deviations", [[0.1], [0.1, -1.0], [np.nan, 0.1]])
def test_deviations_that_do_not_fit_are_refused(deviations):
    with pytest.raises(StudyError, match="noise"):
        draw_noise(np.random.default_rng(0), 3, SIZES, deviations)


def test_a_network_that_diverged_stops():
    images, labels = samples()
    broken = network()
    broken.weights[...] = np.inf
    assert train_with_noise(
        broken, 0.1, images, 255.0, labels, np.arange(5), np.zeros((5, 12))
    ) == 0  # fmt: skip
