"""The compiled PDNN against its form in vectors, and against networks without codes."""

import numpy as np
import pytest
import torch

from plausible.errors import StudyError
from plausible.kernels import pdnn, pdnn_reference
from plausible.kernels.pdnn_late import block_length
from plausible.kernels.pdnn_types import (
    TRACE,
    UPDATES,
    as_matrices,
    flush,
    fresh_side,
    initial_weights,
    make_network,
    make_rule,
)
from plausible.learning.pd_updates import weight_updates
from plausible.neurons.pd_coding import pd_code_of

WHITE = 255.0


def samples(count, size, classes, seed=0):
    """Slow grey levels, of which some units are always black."""
    rng = np.random.default_rng(seed)
    waves = np.cumsum(rng.standard_normal((count, size)), axis=0)
    images = (127 + 120 * np.sin(waves / 3)).astype(np.uint8)
    images[:, :3] = 0
    return images, rng.integers(0, classes, count)


def network(sizes, rule, seed=0):
    rng = np.random.default_rng(seed)
    biases = [0.1 * rng.standard_normal(size) for size in sizes[1:]]
    return make_network(initial_weights(sizes, rng), rule, biases)


def _arrays(found):
    """All that training changes."""
    return [found.weights, found.biases, found.areas, *found.forward, *found.backward]


@pytest.mark.parametrize("sizes", [(20, 6), (20, 15, 7), (20, 12, 11, 9, 5)])
@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("quantized", [True, False])
def test_compiled_and_in_vectors(sizes, update, quantized):
    rule = make_rule(0.02, 0.8, 0.5, 0.01, update=update, quantized=quantized)
    images, labels = samples(300, sizes[0], sizes[-1])
    order = np.random.default_rng(1).permutation(300)
    one, other = network(sizes, rule), network(sizes, rule)
    found = pdnn.train(one, rule, images, WHITE, labels, order)
    expected = pdnn_reference.train(other, rule, images, WHITE, labels, order)
    assert found.samples == expected.samples == 300 and not found.diverged
    for mine, theirs in zip(_arrays(one), _arrays(other), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-12)
    if quantized:
        for name in ("spikes", "errors", "touched"):
            np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
        assert found.spikes[0] > 0 and found.errors[-1] > 0
    mine, theirs = (
        form.predict(each, rule, images[:50], WHITE)
        for form, each in ((pdnn, one), (pdnn_reference, other))
    )
    np.testing.assert_array_equal(mine.classes, theirs.classes)
    if quantized:
        np.testing.assert_array_equal(mine.spikes, theirs.spikes)


@pytest.mark.parametrize("update", ["reconstruction", "future"])
def test_without_codes_it_is_gradient_descent(update):
    """k_alpha = 0 and no quantization: what is sent is the value itself, as autograd has it."""
    sizes = (20, 9, 8, 4)
    rule = make_rule(0.05, 0.0, 1.0, 0.0, update=update, quantized=False)
    images, labels = samples(40, 20, 4)
    found = network(sizes, rule)
    parameters = [torch.tensor(m, requires_grad=True) for m in found.matrices]
    biases = np.split(found.biases, np.cumsum(sizes)[:-1])[1:]
    parameters += [torch.tensor(bias, requires_grad=True) for bias in biases]
    pdnn.train(found, rule, images, WHITE, labels)
    for image, label in zip(images, labels, strict=True):
        value = torch.tensor(image / WHITE)
        for layer in range(3):
            value = value @ parameters[layer] + parameters[3 + layer]
            value = torch.relu(value) if layer < 2 else value
        loss = torch.nn.functional.cross_entropy(value[None], torch.tensor([label]))
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            for parameter, gradient in zip(parameters, gradients, strict=True):
                parameter -= 0.05 * gradient
    for matrix, parameter in zip(found.matrices, parameters[:3], strict=True):
        np.testing.assert_allclose(matrix, parameter.detach(), rtol=0, atol=1e-12)


@pytest.mark.parametrize("update", UPDATES)
@pytest.mark.parametrize("k_alpha", [0.5, 0.9])
def test_in_pieces_it_goes_on_where_it_was(update, k_alpha):
    """The past rule adds up what a row has missed by blocks, which begin with each piece."""
    sizes, rule = (20, 9, 4), make_rule(0.02, k_alpha, 0.9, update=update)
    images, labels = samples(200, 20, 4)
    whole, pieces = network(sizes, rule), network(sizes, rule)
    pdnn.train(whole, rule, images, WHITE, labels)
    for part in (slice(0, 1), slice(1, 70), slice(70, 200)):
        pdnn.train(pieces, rule, images[part], WHITE, labels[part])
    atol = 1e-12 if update == "past" else 0
    np.testing.assert_allclose(pieces.weights, whole.weights, rtol=0, atol=atol)
    np.testing.assert_allclose(pieces.areas, whole.areas, rtol=0, atol=atol)


def signed_spikes(images, labels):
    """A network without learning, and what its units send forward and backward, [steps, units]."""
    rule = make_rule(1e-300, 0.8, 0.5, 0.0)
    silent, sent, errors = network((20, 9, 4), rule), [], []
    for image, label in zip(images, labels, strict=True):
        spikes, failed, _ = pdnn_reference._train_sample(silent, rule, image / WHITE, label)
        sent.append(np.concatenate(spikes))
        errors.append(np.concatenate(failed[1:]))
    return np.array(sent), np.array(errors)


@pytest.mark.parametrize("update", UPDATES)
def test_after_the_end_of_a_stream_all_rules_have_the_same_sum(update):
    """That of `learning.pd_updates`; learning is so slow that spikes are those of fixed weights."""
    images, labels = samples(200, 20, 4)
    x, e = signed_spikes(images, labels)
    code = pd_code_of(0.8, 0.5)
    rate = 2.0**-26
    rule = make_rule(rate, 0.8, 0.5, 0.0, update=update)
    found = network((20, 9, 4), rule)
    start = [matrix.copy() for matrix in found.matrices]
    pdnn.train(found, rule, images, WHITE, labels)
    before = [matrix.copy() for matrix in found.matrices]
    flush(found, rule)
    expected = [
        weight_updates("reconstruction", x[:, :20], e[:, :9], code).total,
        weight_updates("reconstruction", x[:, 20:], e[:, 9:], code).total,
    ]
    for old, early, new, total in zip(start, before, found.matrices, expected, strict=True):
        np.testing.assert_allclose((old - new) / rate, total, rtol=0, atol=1e-6)
        apart = np.abs((old - early) / rate - total).max()
        assert apart > 0.01 if update in ("reconstruction", "past") else apart < 1e-6
    assert not found.areas.any() and not found.forward.units.any()
    assert not found.backward.units.any() and found.forward.scales.any()
    still = found.weights.copy()
    flush(found, rule)
    np.testing.assert_array_equal(found.weights, still)


@pytest.mark.parametrize("form", [pdnn, pdnn_reference])
@pytest.mark.parametrize("update", UPDATES)
def test_no_number_becomes_denormal(form, update):
    """A stream that ends in darkness, where 0.5^1100 of what was known would be left."""
    rule = make_rule(0.01, 0.5, 0.5, 0.01, update=update)
    images, labels = samples(1200, 20, 4)
    images[60:] = 0
    found = network((20, 9, 4), rule)
    form.train(found, rule, images, WHITE, labels)
    tiny = np.finfo(np.float64).tiny
    for array in _arrays(found):
        assert not ((array != 0) & (np.abs(array) < tiny)).any()
    decayed = found.forward.units[TRACE, 3:20]
    assert (decayed == 0).all() and 0 < 0.5**1070 < tiny


@pytest.mark.parametrize(
    ("k_alpha", "block"), [(0.0, 0), (0.2, 0), (0.5, 9), (0.9, 64), (0.99, 64)]
)
def test_blocks_are_as_long_as_their_terms_keep_digits(k_alpha, block):
    assert block_length(make_rule(k_alpha=k_alpha), 400) == block


@pytest.mark.parametrize("k_alpha", [0.2, 0.5, 0.9, 0.99])
@pytest.mark.parametrize("sizes", [(20, 9, 7, 4), (20, 4), (20, 1, 3), (1, 5, 3)])
@pytest.mark.parametrize("quantized", [True, False])
def test_past_rule_by_blocks_and_at_once(k_alpha, sizes, quantized):
    """Weights that move late are those of the twin, whose weights all move at once."""
    rule = make_rule(0.02, k_alpha, 0.9, 0.01, quantized=quantized)
    images, labels = samples(400, sizes[0], sizes[-1])
    images[:, 10:] //= 30  # inputs that hardly ever spike, and some that never do
    images[:200, 9:10] = 0
    one, other = network(sizes, rule), network(sizes, rule)
    for part in (slice(0, 37), slice(37, 400)):
        pdnn.train(one, rule, images[part], WHITE, labels[part])
        pdnn_reference.train(other, rule, images[part], WHITE, labels[part])
        for mine, theirs in zip(_arrays(one), _arrays(other), strict=True):
            np.testing.assert_allclose(mine, theirs, rtol=0, atol=1e-11)


@pytest.mark.parametrize("rate", [500.0, 1e4])
def test_weights_of_a_network_that_diverged_are_those_of_the_sample_before(rate):
    rule, sizes = make_rule(rate, 0.9, 0.9), (20, 9, 7, 4)
    images, labels = samples(300, 20, 4)
    one, other = network(sizes, rule), network(sizes, rule)
    found = pdnn.train(one, rule, images, WHITE, labels)
    expected = pdnn_reference.train(other, rule, images, WHITE, labels)
    assert found.diverged and found.samples == expected.samples
    np.testing.assert_allclose(one.weights, other.weights, rtol=1e-9, atol=1e-9 * rate)


def test_only_the_past_rule_is_late():
    assert block_length(make_rule(), 20) == 20
    assert not block_length(make_rule(), 1)
    assert not block_length(make_rule(update="future"), 20)
    assert not block_length(make_rule(update="reconstruction"), 20)


def test_neurons_of_a_test_leave_those_of_the_training_alone():
    sizes, rule = (20, 9, 4), make_rule(0.02, 0.9, 0.9, 0.01)
    images, labels = samples(100, 20, 4)
    found = network(sizes, rule)
    pdnn.train(found, rule, images, WHITE, labels)
    before = found.forward.units.copy(), found.forward.scales.copy(), found.weights.copy()
    side = fresh_side(sizes, rule)._replace(scales=found.forward.scales)
    pdnn.predict(found, rule, images, WHITE, side)
    np.testing.assert_array_equal(found.forward.units, before[0])
    np.testing.assert_array_equal(found.weights, before[2])
    assert (found.forward.scales != before[1]).any()  # shared scales go on following


@pytest.mark.parametrize("form", [pdnn, pdnn_reference])
def test_divergence_is_a_result(form):
    rule = make_rule(1e4, 0.9, 0.9)
    images, labels = samples(300, 20, 4)
    found = form.train(network((20, 9, 4), rule), rule, images, WHITE, labels)
    assert found.diverged and found.samples < 300


def test_weights_are_views_of_one_row():
    rule = make_rule()
    found = network((5, 4, 3), rule)
    found.matrices[1][0, 0] = 7.0
    assert as_matrices(found.weights, found.sizes)[1][0, 0] == 7.0 == found.weights[20]


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: make_rule(update="hebb"), "found the update 'hebb'"),
        (lambda: make_rule(k_alpha=1.0), "k_alpha from 0 to below 1"),
        (lambda: make_rule(learning_rate=np.nan), "expected are finite numbers"),
        (lambda: make_network([np.ones((3, 2)), np.ones((3, 2))], make_rule()), "in a chain"),
        (lambda: make_network([], make_rule()), "found matrices none"),
        (lambda: make_network([np.ones((3, 2))], make_rule(), [np.ones(3)]), "found biases"),
        (
            lambda: pdnn.train(
                network((5, 3), make_rule()), make_rule(), np.ones((2, 4)), 1, np.zeros(2, int)
            ),
            r"found inputs of the shape \(2, 4\)",
        ),
        (
            lambda: pdnn.train(
                network((5, 3), make_rule()), make_rule(), np.ones((2, 5)), 1, np.array([0, 3])
            ),
            "whole number from 0 to 2",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(call, words):
    with pytest.raises(StudyError, match=words) as caught:
        call()
    assert "\n" not in str(caught.value) and str(caught.value).endswith(".")
