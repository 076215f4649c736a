"""Training of a deep spiking network with stops: samples, spikes, additions, first weights."""

import numpy as np
import pytest

from plausible.data.dataset import make_dataset
from plausible.kernels import deep_spiking_reference as reference
from plausible.kernels.deep_spiking_types import initial_weights, make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.learning import spiking_training as learning

STEPS, WHITE, SIZES = 4, 16, (12, 9, 8, 10)


@pytest.fixture(scope="module")
def bench():
    rng = np.random.default_rng(3)
    parts = ((rng.integers(0, WHITE + 1, (n, 12)), np.arange(n) % 10) for n in (36, 12))
    images = [array for part in parts for array in part]
    dataset = make_dataset("small", *images, image_shape=(3, 4), white=WHITE)
    return learning.Bench(learning.image_parts(dataset), {})


def first_weights():
    return initial_weights(SIZES, np.random.default_rng(0), 0.3)


def trained(bench, rule, stops, rate=0.05, weights=None):
    """Progress of a run, and what was measured at each stop: epoch, samples, spikes."""
    seen = []

    def measure(progress, epoch, samples):
        seen.append((epoch, samples, progress.counts.copy()))
        return [{"epoch": epoch}]

    spec = learning.Spec(rule, rate)
    weights = first_weights() if weights is None else weights
    generator = np.random.default_rng(1)
    return learning.train_run(spec, weights, bench, stops, measure, generator), seen


def test_input_spikes_do_not_depend_on_how_many_are_encoded_at_once(bench, monkeypatch):
    part = bench.parts[learning.TRAIN]
    whole = input_trains(part.images, 5, WHITE)
    monkeypatch.setattr(learning, "IMAGES_AT_ONCE", 7)
    pieces = learning.spike_trains(part, 5)
    assert np.array_equal(pieces.start, whole.start) and np.array_equal(pieces.code, whole.code)


@pytest.mark.parametrize("spiking", [True, False])
def test_stops_come_in_order_and_first_weights_stay(bench, spiking):
    weights = first_weights()
    rule = make_rule(STEPS, 0.05) if spiking else None
    progress, seen = trained(bench, rule, [2, 0, 0.5, 2], weights=weights)
    # Of 30 images; a stop that is named twice is one.
    assert [one[:2] for one in seen] == [(0, 0), (0.5, 15), (2, 45)]
    assert [row["epoch"] for row in progress.rows] == [0, 0.5, 2]
    for mine, fresh, now in zip(weights, first_weights(), progress.weights, strict=True):
        assert np.array_equal(mine, fresh) and not np.array_equal(mine, now)
    assert progress.diverged_epoch == -1.0


def test_vector_and_spiking_training_start_alike_and_part(bench):
    ends = [trained(bench, rule, [1])[0].weights for rule in (make_rule(STEPS, 0.05), None)]
    assert not np.allclose(ends[0][0], ends[1][0])


def test_additions_of_a_training_are_those_of_its_spikes(bench):
    """Counted spike by spike, with the counts of the readable twin."""
    rule = make_rule(STEPS, 0.05, update="sgd")
    progress, _ = trained(bench, rule, [1])
    part = bench.parts[learning.TRAIN]
    trains = input_trains(part.images, STEPS, WHITE)
    network = make_network(first_weights(), rule)
    order = np.arange(len(part.images))
    counted = reference.train(network, rule, trains, part.labels, order, np.random.default_rng(1))
    wanted = sum(counted.spikes[layer] * SIZES[layer + 1] for layer in range(3))
    for layer in (1, 2, 3):
        sent_back = SIZES[layer - 1] if layer > 1 else 0
        wanted += counted.passed[layer] * (sent_back + SIZES[layer - 1])
    found = learning.training_additions(progress.counts, SIZES)
    assert found == wanted > 0
    assert learning.layer_sizes(progress.weights) == SIZES


def test_a_network_that_diverged_is_trained_no_further(bench):
    progress, seen = trained(bench, make_rule(STEPS, 1e9), [0, 1, 2])
    assert 0 < progress.diverged_epoch <= 1
    samples = [one[1] for one in seen]
    assert samples[1] == round(30 * progress.diverged_epoch) and samples[2] == 0
