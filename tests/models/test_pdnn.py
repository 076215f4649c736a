"""The classifier that learns on a stream."""

import numpy as np
import pytest
import torch

import plausible
from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule


def few(digits, count=600):
    return digits[0][:count], digits[1][:count]


@pytest.mark.parametrize("update", ["reconstruction", "past", "future", "stdp"])
def test_it_learns_the_digits(digits, update):
    images, labels = digits
    network = plausible.PDNN((64, 40, 10), update=update, k_alpha=0.3)
    before = np.mean(network.predict(images[1500:]) == labels[1500:])
    network.fit(images[:1500], labels[:1500], epochs=6)
    after = np.mean(network.predict(images[1500:]) == labels[1500:])
    assert before < 0.3 and after > 0.75


def test_a_later_fit_goes_on_with_the_stream(digits):
    images, labels = few(digits)
    once = plausible.PDNN((64, 20, 10), seed=3).fit(images, labels, epochs=2)
    twice = plausible.PDNN((64, 20, 10), seed=3).fit(images, labels)
    assert not np.array_equal(once.weights[0], twice.weights[0])
    twice.fit(images, labels)
    assert np.array_equal(once.weights[0], twice.weights[0])
    assert np.array_equal(once.biases[1], twice.biases[1])
    other = plausible.PDNN((64, 20, 10), seed=4)
    assert not np.array_equal(other.weights[0], once.weights[0])


def test_k_alpha_may_follow_a_schedule(digits):
    images, labels = few(digits)

    def trained(k_alpha, *epochs):
        network = plausible.PDNN((64, 20, 10), k_alpha=k_alpha, seed=3)
        for number in epochs:
            network.fit(images, labels, epochs=number)
        return network.weights[0]

    schedule = {1: 0.9, 0: 0.5}
    assert np.array_equal(trained(schedule, 1), trained(0.5, 1))
    assert np.array_equal(trained(schedule, 2), trained(schedule, 1, 1))
    assert not np.array_equal(trained(schedule, 2), trained(0.5, 2))
    # The kernel's own rule, changed after the first epoch.
    rule = make_rule(0.01, 0.5, 0.91)
    network = make_network(initial_weights((64, 20, 10), np.random.default_rng(3)), rule)
    for k_alpha in (0.5, 0.9):
        pdnn.train(network, rule._replace(k_alpha=k_alpha), images, 1.0, labels)
    assert np.array_equal(network.matrices[0], trained(schedule, 2))


def test_flush_ends_the_stream(digits):
    images, labels = few(digits)
    network = plausible.PDNN((64, 20, 10), seed=3).fit(images, labels)
    before = network.weights[0]
    assert network.flush() is network
    flushed = network.weights[0]
    assert 0 < np.abs(flushed - before).max() < 0.1
    assert np.array_equal(network.flush().weights[0], flushed)
    network.fit(images, labels)
    assert np.isfinite(network.weights[0]).all()


def test_prediction_changes_nothing(digits):
    images, labels = few(digits)
    network = plausible.PDNN((64, 20, 10)).fit(images, labels)
    first, added = network.predict(images), network.additions(images)
    assert np.array_equal(network.predict(images), first)
    assert np.array_equal(network.additions(images), added)


def test_a_still_stream_costs_what_k_p_sends(digits):
    """k_p x of each unit and sample, once its first change is sent."""
    images, labels = few(digits)
    network = plausible.PDNN((64, 20, 10), k_alpha=0.9).fit(images, labels)
    still = np.repeat(images[:1], 3000, axis=0)
    moving = network.additions(images).mean()
    added = network.additions(still)[1000:].mean()
    assert added < 0.5 * moving


def test_torch_in_torch_out(digits):
    images = torch.from_numpy(digits[0][:5]).reshape(5, 8, 8)
    network = plausible.PDNN((64, 20, 10))
    assert network.predict(images).dtype == torch.int64
    assert network.additions(images).shape == (5,)
    assert repr(network) == "PDNN of 64-20-10 units, k_alpha 0.5"


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x, y: plausible.PDNN((64,)), "at least two numbers"),
        (lambda x, y: plausible.PDNN((64, 10), update="hebb"), "found 'hebb'"),
        (lambda x, y: plausible.PDNN((64, 10), k_alpha=1.0), "from 0 to below 1"),
        (lambda x, y: plausible.PDNN((64, 10), k_alpha="much"), "k_alpha: found 'much'"),
        (lambda x, y: plausible.PDNN((64, 10), k_alpha={1: 0.5}), "beginning with epoch 0"),
        (lambda x, y: plausible.PDNN((64, 10), k_beta_relative=0), "k_beta_relative"),
        (lambda x, y: plausible.PDNN((64, 10)).fit(x[:, 1:], y), "expected \\[n, 64\\]"),
        (lambda x, y: plausible.PDNN((64, 9)).fit(x, y), "labels"),
        (
            lambda x, y: plausible.PDNN((64, 20, 10), learning_rate=1e14).fit(x, y, epochs=3),
            "the training diverged in epoch",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(digits, call, words):
    with pytest.raises(plausible.ModelError, match=words) as caught:
        call(*few(digits))
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
