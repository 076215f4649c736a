"""One compiled predictive network: test errors, divergence, distance to its backprop twin."""

import numpy as np
import pytest
import torch

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.learning.predictive_training import (
    Trained,
    comparison,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.learning.readings import Reading
from plausible.studies.song2020.levels import forward, make_network

torch.set_num_threads(1)


@pytest.fixture(scope="module")
def dataset():
    return prepare("digits")


@pytest.fixture(scope="module")
def images(dataset):
    return prepare_images(dataset, 130)


def test_test_errors_are_those_of_the_weights(dataset, images):
    reading = Reading(biases=True, gain=4.0, low=0.1, high=0.9, learning_rate=0.005)
    rule = network_rule(reading, 3, 20, method="fixed_t", steps=2, gamma=0.5)
    chosen = {"l_max": 3, "hidden": 12, "stream": "test", "seed": 5, "batch_size": 20}
    network = train_network(images, reading, rule, epochs=30, **chosen)
    assert network.diverged_epoch == -1 and len(network.test_errors) == 30
    twin = make_network(*([torch.from_numpy(p) for p in group] for group in network[1:3]))
    outputs = forward(twin, torch.from_numpy(dataset.test_images / 16))[0].argmax(dim=1).numpy()
    assert network.test_errors[-1] == (outputs != dataset.test_labels).mean()
    assert len(set(network.test_errors)) > 5
    shorter = train_network(images, reading, rule, epochs=3, **chosen)
    assert np.array_equal(shorter.test_errors, network.test_errors[:3])


@pytest.mark.parametrize(
    ("rate", "limit"), [(0.001, 1e-3), (10.0, 1e6), (10.0, 1e300), (1e300, 1e6), (1e300, 1e308)]
)
def test_a_diverging_network_ends_with_a_recorded_epoch(images, rate, limit):
    reading = Reading(learning_rate=rate, biases=True)
    rule = network_rule(reading, 3, 20, method="fixed_t", steps=16, gamma=10.0)
    chosen = {
        "l_max": 3,
        "hidden": 12,
        "stream": "test",
        "seed": 5,
        "batch_size": 20,
        "weight_limit": limit,
    }
    network = train_network(images, reading, rule, epochs=60, **chosen)
    epoch = network.diverged_epoch
    assert 1 <= epoch <= 59 and len(network.test_errors) == 60
    assert np.isfinite(network.test_errors).all()
    assert (network.test_errors[epoch - 1 :] == network.test_errors[epoch - 1]).all()
    largest = max(np.abs(matrix).max() for matrix in network.weights)
    assert not largest < limit
    if epoch > 1:
        before = train_network(images, reading, rule, epochs=epoch - 1, **chosen)
        assert before.diverged_epoch == -1
        assert np.array_equal(before.test_errors, network.test_errors[: epoch - 1])
    metrics = comparison(network, network)
    assert metrics["diverged_epoch"] == epoch and metrics["test_error_divergence_sum"] == 0


def test_batches_larger_than_the_data_set_are_refused(images):
    with pytest.raises(StudyError, match="batch_size 131 was found, but there are 130"):
        train_network(
            images, Reading(), network_rule(Reading(), 2, 131),
            stream="test", seed=0, l_max=2, hidden=4, epochs=1, batch_size=131,
        )  # fmt: skip


def test_comparison_by_hand():
    ours = Trained(
        np.array([0.5, 0.25, 0.125]),
        [np.array([[1.0, 2.0], [3.0, -7.0]]), np.array([[2.0], [0.0]])],
        [],
        -1,
    )
    theirs = Trained(
        np.array([0.75, 0.25, 0.0]),
        [np.array([[1.0, 5.0], [3.0, -3.0]]), np.array([[2.0], [12.0]])],
        [],
        -1,
    )
    metrics = comparison(ours, theirs)
    unused = [metrics.pop(f"weight_distance_{matrix}") for matrix in (3, 4)]
    assert np.isnan(unused).all()
    assert metrics == {
        "mean_test_error": pytest.approx(0.875 / 3),
        "final_test_error": 0.125,
        "test_error_divergence_sum": 0.375,
        "test_error_divergence_mean": 0.125,
        "weight_divergence_sum": 17.0,
        "weight_divergence_norm": 13.0,
        "weight_distance_1": 5.0,
        "weight_distance_2": 12.0,
        "largest_weight": 7.0,
        "diverged_epoch": -1,
    }
