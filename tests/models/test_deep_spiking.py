"""The classifier of spiking neurons."""

import numpy as np
import pytest
import torch

import plausible

Network = plausible.DeepSpikingClassifier


@pytest.mark.parametrize("update", ["fsgd", "sgd"])
def test_it_learns_the_digits(digits, update):
    images, labels = digits
    network = Network((64, 60, 10), update=update)
    before = np.mean(network.predict(images[1500:]) == labels[1500:])
    network.fit(images[:1500], labels[:1500], epochs=4)
    after = np.mean(network.predict(images[1500:]) == labels[1500:])
    assert before < 0.3 and after > 0.75


def test_its_outputs_approach_those_of_the_relu_network(digits):
    images, labels = digits[0][:600], digits[1][:600]
    errors = []
    for steps in (5, 500):
        network = Network((64, 30, 10), steps=steps)
        trained = Network((64, 30, 10)).fit(images, labels, epochs=3)
        network._network = trained._network
        first, second = trained.weights
        expected = np.maximum(images @ first, 0.0) @ second
        found = network.outputs(images)[:, -1]
        errors.append(np.abs(found - expected).max() / np.abs(expected).max())
    assert errors[0] > 0.1 and errors[1] < 0.03


def test_a_later_fit_goes_on(digits):
    images, labels = digits[0][:300], digits[1][:300]
    once = Network((64, 20, 10), seed=3).fit(images, labels, epochs=2)
    twice = Network((64, 20, 10), seed=3).fit(images, labels)
    assert not np.array_equal(once.weights[0], twice.weights[0])
    twice.fit(images, labels)
    assert np.array_equal(once.weights[0], twice.weights[0])
    other = Network((64, 20, 10), seed=4)
    assert not np.array_equal(other.weights[0], once.weights[0])


def test_torch_in_torch_out_and_additions(digits):
    images = torch.from_numpy(digits[0][:4])
    network = Network((64, 20, 10), steps=7)
    assert network.outputs(images).shape == (4, 7, 10)
    assert network.predict(images).dtype == torch.int64
    additions = network.additions(images)
    assert additions.shape == (4, 7) and bool((additions.diff(dim=1) >= 0).all())
    # Herding: an input of value x has emitted T x spikes, to half a spike.
    spikes = np.floor(7 * digits[0][:4] + 0.5 - 1e-9).sum(axis=1)
    assert np.all(additions[:, -1].numpy() >= 20 * spikes)


def wild():
    return Network((64, 90, 90, 10), initial_std=1.0, learning_rate=9.0)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda x, y: Network((64,)), ["(64,)", "at least two"]),
        (lambda x, y: Network(5), ["layer_sizes: found 5"]),
        (lambda x, y: Network((64, 10.5)), ["layer_sizes: found 10.5"]),
        (lambda x, y: Network((64, 10), steps=1.5), ["steps: found 1.5"]),
        (lambda x, y: Network((64, 10), update="adam"), ["'adam'", "sgd, fsgd"]),
        (lambda x, y: Network((64, 10), learning_rate=-1), ["learning_rate: found -1"]),
        (lambda x, y: Network((64, 10), initial_std=-1), ["initial_std: found -1"]),
        (lambda x, y: Network((64, 10), seed=-1), ["seed: found -1"]),
        (lambda x, y: Network((64, 10)).fit(x, y, epochs=-1), ["epochs: found -1"]),
        (lambda x, y: Network((64, 10)).fit(-x, y), ["from 0"]),
        (lambda x, y: Network((64, 10)).predict(255 * x), ["divide them by the largest"]),
        (lambda x, y: Network((64, 10)).fit(x, y[1:]), ["integers [50]"]),
        (lambda x, y: Network((64, 5)).fit(x, y), ["from 0 to 4"]),
        (lambda x, y: Network((63, 10)).predict(x), ["[n, 63]"]),
        (lambda x, y: wild().fit(x, y, epochs=50), ["diverged", "smaller learning_rate"]),
    ],
)  # fmt: skip
def test_what_does_not_fit(function, words, digits, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        function(digits[0][:50], digits[1][:50])
    sentence(caught, *words)
