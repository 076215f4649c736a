"""Training on a stream: in pieces as in one, changes of the rule, tests, operations."""

import numpy as np
import pytest

from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import initial_weights, make_network, make_rule
from plausible.learning import stream_training as st

SIZES = (16, 10, 4)


def stream(count=120, seed=0):
    """Slow images whose brightest quarter is their class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(rng.integers(0, 4, count // 6), 6)
    images = rng.integers(0, 60, (count, 16))
    for image, label in zip(images, labels, strict=True):
        image[4 * label : 4 * label + 4] += 150
    return st.Stream(images.astype(np.uint8), labels, 255.0)


def fresh(rule, seed=1):
    return make_network(initial_weights(SIZES, np.random.default_rng(seed)), rule)


def nothing(progress, epoch):
    return [{"epoch": epoch, "samples": progress.samples, "spikes": int(progress.counts[0, 0])}]


@pytest.mark.parametrize("network", st.NETWORKS)
def test_a_killed_run_goes_on_where_it_was(network, tmp_path):
    rule = make_rule(0.02, 0.8, 0.8)
    recipe = st.Recipe(network, rule, {0: 0.5, 1: 0.8})
    stops = [0, 0.5, 1, 1.5, 2]
    whole = st.train_stream(recipe, fresh(rule), stream(), stops, nothing)
    path = tmp_path / "run.npz"
    st.train_stream(recipe, fresh(rule), stream(), stops[:3], nothing, path)
    again = st.train_stream(recipe, fresh(rule), stream(), stops, nothing, path)
    np.testing.assert_array_equal(whole.network.weights, again.network.weights)
    assert whole.rows == again.rows and [row["epoch"] for row in whole.rows] == stops
    assert [row["samples"] for row in whole.rows] == [0, 60, 60, 60, 60]


def test_the_rule_changes_where_it_is_due():
    rule, data = make_rule(0.02, 0.9, 0.8), stream()
    recipe = st.Recipe(st.PDNN, rule, {0: 0.5, 0.75: 0.7})
    assert [recipe.at(epoch).k_alpha for epoch in (0, 0.7, 0.75, 3)] == [0.5, 0.5, 0.7, 0.7]
    found = st.train_stream(recipe, fresh(rule), data, [0.5, 1], nothing).network
    expected = fresh(rule)
    for k_alpha, part in ((0.5, slice(0, 90)), (0.7, slice(90, 120))):
        own = rule._replace(k_alpha=k_alpha)
        pdnn.train(expected, own, data.images[part], 255.0, data.labels[part])
    np.testing.assert_allclose(found.weights, expected.weights, rtol=0, atol=1e-12)


@pytest.mark.parametrize("network", st.NETWORKS)
def test_it_learns_and_is_tested_by_neurons_of_their_own(network):
    rule, data = make_rule(0.02, 0.5, 0.8), stream(600)
    recipe = st.Recipe(network, rule, share_scales=False)
    trained = st.train_stream(recipe, fresh(rule), data, [0, 4], nothing).network
    before = trained.forward.units.copy(), trained.forward.scales.copy()
    found = st.test_stream(recipe, trained, stream(240, seed=5), 4)
    assert found.score_percent > 60
    assert st.plain_test(trained, stream(240, seed=5)).score_percent > 60
    assert found.spikes[0] > 1 and found.spikes[-1] == 0
    np.testing.assert_array_equal(trained.forward.units, before[0])
    np.testing.assert_array_equal(trained.forward.scales, before[1])


def test_divergence_ends_the_training():
    rule = make_rule(1e14, 0.8, 0.8)
    found = st.train_stream(st.Recipe(st.PDNN, rule), fresh(rule), stream(), [0, 1, 2], nothing)
    assert 0 < found.diverged_epoch < 1 and found.rows[-1]["samples"] == 0


def test_operations_of_a_sample():
    rule = make_rule()
    progress = st.Progress(fresh(rule), np.array([[30, 20, 0], [0, 8, 4], [0, 0, 0]]), 2, 1, -1, [])
    assert st.operations_per_sample(progress) == {
        "forward": 15 * 10 + 10 * 4,
        "backward": 2 * 10,
        "update": 15 * 10 + 10 * 4 + 4 * 16 + 2 * 10,
    }
    assert st.mlp_operations(SIZES) == {"forward": 200.0, "backward": 40.0, "update": 200.0}
