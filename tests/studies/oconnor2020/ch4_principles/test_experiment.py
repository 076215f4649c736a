"""Experiments on the principles of O'Connor 2020, chapter 4, by small settings and slow oracles."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.dataset import intensities
from plausible.data.splits import split_dataset
from plausible.errors import StudyError
from plausible.kernels.temporal_order_reference import greedy_order
from plausible.networks import sigma_delta
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles import experiment_random_scales as module
from plausible.studies.oconnor2020.ch4_principles.experiment import four_networks, trace
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    _with_unit_factors,
    correlated_frames,
    random_scales,
    random_weights,
)
from plausible.studies.oconnor2020.ch4_principles.experiment_small_networks import (
    higher_layers,
    small_networks,
)
from plausible.studies.oconnor2020.ch4_principles.experiment_temporal_mnist import (
    _checked,
    _followed,
    _lost,
    temporal_mnist,
)

from ...part_results import read_sweep

PART = "oconnor2020.ch4_principles"
SEEDS = [0, 3]
FOUR_NETWORKS = read_sweep(PART, "four_networks", frames=20)
RANDOM_SCALES = read_sweep(
    PART,
    "random_scales",
    layer_sizes=[12, 12, 12, 12],
    samples=20,
    random_triples=30,
    rescalings=200,
    lambdas=[1e-4, 1e-3, 1e-2],
    epochs=20,
    recorded_epochs=[1, 5],
    unitwise_learning_rate=0.03,
)
SMALL_NETWORKS = read_sweep(
    PART,
    "small_networks",
    change_rate={
        "layer_sizes": [20, 20, 20],
        "frames": 200,
        "correlations": [0.0, 0.99],
        "scales": [4.0],
    },
    noise_training={
        "layer_sizes": [20, 20, 20],
        "samples": 40,
        "initial_scales": [0.05, 1.0],
        "lambda": 1e-6,
        "learning_rate": 0.003,
        "epochs": 5,
        "batch_size": 10,
    },
    higher_layers={
        "layer_sizes": [20, 20, 20],
        "samples": 40,
        "lambdas": [1e-6, 1e-2],
        "learning_rate": 0.003,
        "epochs": 30,
        "batch_size": 10,
    },
)
TEMPORAL_MNIST = read_sweep(
    PART, "temporal_mnist", published_buffer=50, buffer_sizes=[1, 8], snippets=4, snippet_frames=3
)
EXPERIMENTS = {
    "four_networks": (four_networks, FOUR_NETWORKS),
    "random_scales": (random_scales, RANDOM_SCALES),
    "small_networks": (small_networks, SMALL_NETWORKS),
    "temporal_mnist": (temporal_mnist, TEMPORAL_MNIST),
}


@pytest.fixture(scope="module")
def tables(digits) -> dict[str, pd.DataFrame]:
    return {
        name: experiment(settings, SEEDS, digits, None)
        for name, (experiment, settings) in EXPERIMENTS.items()
    }


@pytest.mark.parametrize("name", EXPERIMENTS)
def test_the_same_settings_give_the_same_table(name, tables, digits):
    experiment, settings = EXPERIMENTS[name]
    again = experiment(settings, SEEDS, digits, None)
    pd.testing.assert_frame_equal(tables[name], again)
    if name != "four_networks":
        assert set(SEEDS) <= set(again["seed"])


# ------------------------------------------------------------------------------- figure 4.1


def test_modules_are_those_of_the_four_networks(tables):
    steps = tables["four_networks"].drop_duplicates(["network", "layer", "position"])
    found = {
        key: " ".join(rows.sort_values("position")["module"])
        for key, rows in steps.groupby(["network", "layer"])
    }
    for layer in (0, 1):
        assert found["original", layer] == "x w h"
        assert found["temporal_difference", layer] == "x Δ w Σ h"
        assert found["rounding", layer] == "x round w h"
        assert found["sigma_delta", layer] == "x Δ herd w Σ h"


def test_signals_are_those_of_the_modules(tables):
    table = tables["four_networks"]
    rows = table[(table["network"] == "sigma_delta") & (table["layer"] == 0) & (table["unit"] == 0)]
    signals = {name: each["value"].to_numpy() for name, each in rows.groupby("module")}
    differences = np.diff(signals["x"], prepend=0.0)
    np.testing.assert_array_equal(signals["Δ"], differences)
    assert np.array_equal(signals["herd"], np.diff(np.rint(signals["x"]), prepend=0.0))
    np.testing.assert_allclose(signals["Σ"], np.cumsum(signals["w"]), atol=1e-12)
    assert (signals["h"] >= 0).all()


def test_another_module_is_drawn_or_refused(monkeypatch):
    """What is drawn follows the code: with rounding B becomes D, a factor fits nothing."""

    def rounded(inputs, memory):
        return sigma_delta.delta_herding(inputs, memory)

    monkeypatch.setitem(sigma_delta._ENCODERS, "temporal_difference", rounded)
    table = four_networks(FOUR_NETWORKS, SEEDS, None, None)
    assert set(table.loc[table["network"] == "temporal_difference", "module"]) > {"herd"}
    monkeypatch.setitem(
        sigma_delta._ENCODERS, "temporal_difference", lambda inputs, memory: (inputs / 3, None)
    )
    with pytest.raises(StudyError, match="temporal_difference: 0 of the known chains"):
        four_networks(FOUR_NETWORKS, SEEDS, None, None)


def test_a_signal_that_proves_nothing_is_refused():
    layers = sigma_delta.dense_network([np.zeros((3, 2))], output="relu")
    with pytest.raises(StudyError, match="4 of the known chains of modules before"):
        trace(layers, np.zeros((5, 3)), "original")


# ------------------------------------------------------------------------------- figure 4.2


def test_start_and_random_points_are_the_rounding_networks(tables):
    """Computed here without the network under test; the start has k = 1 everywhere."""
    settings = RANDOM_SCALES
    table = tables["random_scales"]
    generator = numpy_generator("oconnor2020", "random_scales", SEEDS[0])
    weights = random_weights(settings.layer_sizes, generator, settings.weight_factors)
    inputs = generator.standard_normal((settings.samples, settings.layer_sizes[0]))
    exact = rounded = inputs
    additions = 0.0
    for weight in weights:
        exact = np.maximum(exact @ weight, 0)
        sent = np.rint(rounded)
        additions += np.abs(sent).sum() * weight.shape[1]
        rounded = np.maximum(sent @ weight, 0)
    start = table[(table["kind"] == "start") & (table["seed"] == SEEDS[0])].iloc[0]
    error = np.abs(rounded - exact).mean() / np.abs(exact).mean()
    assert start["error_fraction"] == pytest.approx(error, rel=1e-5)
    assert start["kops_per_sample"] == pytest.approx(additions / len(inputs) / 1000, rel=1e-5)
    random = table[(table["kind"] == "random") & (table["seed"] == SEEDS[0])]
    assert len(random) == settings.random_triples and (random["scale_1"] >= 0).all()
    assert random[["scale_0", "scale_1", "scale_2"]].stack().nunique() == 90


def test_ends_are_compared_with_many_rescalings(tables):
    """With those of the table's own random points as a second sample of the same distribution."""
    table = tables["random_scales"]
    ends = table[(table["kind"] == "end") & (table["network"] == "layers") & ~table["unitwise"]]
    assert ends["dominating_fraction"].between(0, 1).all()
    assert table.drop(index=ends.index)["dominating_fraction"].isna().all()
    bad = ends.assign(dominating_fraction=[
        module._dominating(row._replace(error_fraction=9.0, kops_per_sample=9e9), CLOUD)
        for row in ends.itertuples()
    ])  # fmt: skip
    assert (bad["dominating_fraction"] == 0.5).all()


CLOUD = np.array([[1.0, 1.0], [10.0, 1.0], [1.0, 1e10], [8.0, 8e9]])


def test_readings_differ_by_the_batch_size(tables):
    """Summing the computation of ten samples is averaging it with ten times the lambda."""
    table = tables["random_scales"]
    ends = table[(table["kind"] == "end") & ~table["unitwise"] & (table["network"] == "layers")]
    coded, published = (
        ends[ends["protocol"] == name].set_index(["seed", "lambda"])
        for name in ("as_coded", "as_published")
    )
    for seed in SEEDS:
        for ours, theirs in ((1e-4, 1e-3), (1e-3, 1e-2)):
            for column in ("scale_0", "scale_1", "scale_2"):
                one, other = coded.loc[(seed, ours)], published.loc[(seed, theirs)]
                assert one[column] == pytest.approx(other[column], rel=1e-5)


def test_trajectories_have_the_recorded_epochs(tables):
    table = tables["random_scales"]
    paths = table[table["kind"].isin(["trajectory", "end"])]
    assert sorted(paths["epoch"].unique()) == [1, 5, 20]
    assert set(paths.loc[paths["kind"] == "end", "epoch"]) == {20}
    combinations = paths.drop_duplicates(["protocol", "network", "unitwise"])
    assert len(combinations) == 5
    assert not table["diverged"].any()


def test_factors_of_units_leave_the_function(tables):
    generator = np.random.default_rng(0)
    weights = random_weights((5, 6, 7, 4), generator)
    changed = _with_unit_factors(weights, 1.0, generator)
    frames = generator.standard_normal((10, 5))
    outputs = [
        sigma_delta.run(sigma_delta.dense_network(each, output="relu"), frames, "original").outputs
        for each in (weights, changed)
    ]
    np.testing.assert_allclose(*outputs, rtol=1e-10)
    assert all(np.abs(a / b - 1).max() > 0.1 for a, b in zip(weights, changed, strict=True))


def test_a_diverged_optimisation_is_recorded():
    table = random_scales(RANDOM_SCALES.changed(lambdas=[1e9]), [0], None, None)
    ends = table[table["kind"] == "end"]
    assert ends["diverged"].all() and ends["error_fraction"].isna().all()
    assert not table.loc[table["kind"] == "random", "diverged"].any()


# ----------------------------------------------------------------------------- small networks


def test_frames_change_as_their_correlation_says():
    noise = np.random.default_rng(1).standard_normal((4000, 20))
    for correlation in (0.0, 0.5, 0.99):
        frames = correlated_frames(noise, correlation)
        assert frames.std() == pytest.approx(1.0, abs=0.06)
        apart = np.diff(frames, axis=0).std()
        assert apart == pytest.approx(np.sqrt(2 - 2 * correlation), rel=0.03)


def test_differences_pay_for_slow_frames_only(tables):
    table = tables["small_networks"]
    rows = table[(table["experiment"] == "change_rate") & (table["layer"] == -1)]
    slow = rows[rows["correlation"] == 0.99]
    fast = rows[rows["correlation"] == 0.0]
    assert (slow["ratio"] < 0.5).all() and (fast["ratio"] > 1.0).all()
    layers = table[(table["experiment"] == "change_rate") & (table["layer"] >= 0)]
    sums = layers.groupby(["seed", "correlation"])["sigma_delta_kops"].sum()
    whole = rows.set_index(["seed", "correlation"])["sigma_delta_kops"]
    np.testing.assert_allclose(sums.sort_index(), whole.sort_index(), rtol=1e-12)


def test_noise_saves_a_start_that_rounding_loses(tables):
    table = tables["small_networks"].query("experiment == 'noise_training'")
    low = table[table["initial_scale"] == 0.05].set_index("quantizer")
    assert (low.loc["rounding", "silent_layers"] > 0).all()
    assert (low.loc["rounding", "error_fraction"] == 1.0).all()
    assert (low.loc["noise", "silent_layers"] == 0).all()
    assert (low.loc["noise", "error_fraction"] < 0.9).all()
    high = table[table["initial_scale"] == 1.0]
    assert (high["silent_layers"] == 0).all()


def test_runs_with_the_computation_of_higher_layers(tables):
    """Both start alike, and a run is unstable if it ends silent or with a larger loss."""
    table = tables["small_networks"].query("experiment == 'higher_layers'")
    assert len(table) == 2 * 2 * len(SEEDS) and not table["diverged"].any()
    ends = table.pivot(index=["lambda", "seed"], columns="computation_of", values="error_fraction")
    assert (ends["own layer"] != ends["higher layers"]).any()
    bad = (table["silent_layers"] > 0) | (table["loss_change"] > 0)
    assert (table["unstable"].astype(bool) == bad).all()


def test_a_diverged_run_is_unstable():
    settings = SMALL_NETWORKS.higher_layers.model_copy(update={"lambdas": (1e9,)})
    table = higher_layers(settings, [0])
    assert table["diverged"].all() and table["unstable"].all()


# ------------------------------------------------------------------------------ Temporal MNIST


def test_sequences_are_in_the_order_of_the_definition(tables, digits):
    thesis = split_dataset(digits, "thesis")
    table = tables["temporal_mnist"]
    rows = table[(table["part"] == "thesis test") & (table["element"] == "sequence")]
    for buffer in (1, 8, 50):
        order = greedy_order(thesis.test_images, buffer)
        images = intensities(thesis.test_images[order], digits.white, np.float64)
        changes = np.diff(images, axis=0)
        (row,) = rows[rows["buffer_size"] == buffer].to_dict("records")
        assert row["mean_l1"] == pytest.approx(np.abs(changes).sum(axis=1).mean(), rel=1e-12)
        assert row["mean_l2"] == pytest.approx(np.linalg.norm(changes, axis=1).mean(), rel=1e-12)
        labels = thesis.test_labels[order]
        assert row["label_change_fraction"] == np.mean(labels[1:] != labels[:-1])
        assert row["change_fraction"] == pytest.approx(
            row["mean_l1"] / images.sum(axis=1).mean(), rel=1e-12
        )
        assert (row["lost_frames"], row["wrong_labels"], row["frames"]) == (0, 0, len(images))
        assert row["farther_steps"] == 0
        assert row["unmoved_labels_fraction"] == pytest.approx(
            np.mean(labels != thesis.test_labels), abs=0.01
        )
        assert (row["random_farther_fraction"] > 0.5) == (buffer > 1)


def test_parts_and_orders(tables):
    table = tables["temporal_mnist"]
    rows = table[table["element"] == "sequence"]
    counts = rows.groupby(["part", "order"]).size().to_dict()
    assert counts["thesis training", "temporal"] == 1
    assert counts["official test", "temporal"] == 3 and counts["official test", "shuffled"] == 2
    assert set(zip(rows["part"], rows["protocol"], strict=True)) == {
        ("thesis test", "as_coded"),
        ("official test", "as_published"),
        ("thesis training", "as_coded"),
    }


def test_snippets_hold_the_images(tables, digits):
    thesis = split_dataset(digits, "thesis")
    frames = tables["temporal_mnist"].query("element == 'frame'")
    assert len(frames) == 12 and set(frames["part"]) == {"thesis test"}
    order = greedy_order(thesis.test_images, 50)
    for row in frames.itertuples():
        place = int(row.snippet) * (len(order) // 4) + int(row.frame)
        assert row.file_index == order[place]
        assert bytes.fromhex(row.pixels) == thesis.test_images[order[place]].tobytes()
        assert row.label == thesis.test_labels[order[place]]


def test_lost_and_mislabelled_images_are_counted():
    images = np.array([[1, 2], [1, 2], [3, 4], [5, 6]], np.uint8)
    labels = np.array([0, 1, 2, 2])
    assert _lost(images, labels, np.array([3, 2, 1, 0])) == (0, 0)
    assert _lost(images, labels, np.array([3, 2, 1, 1])) == (0, 1)
    assert _lost(images, labels, np.array([3, 3, 1, 0])) == (1, 0)


def test_brute_force_notices_an_order_that_is_not_greedy():
    images = np.arange(12, dtype=np.uint8).reshape(-1, 1)
    assert _checked(images, greedy_order(images, 3), 3) == {"farther_steps": 0}
    order = np.array([0, 3, *range(1, 3), *range(4, 12)])
    assert _checked(images, order, 3)["farther_steps"] > 0
    farthest, farther = _followed(images, 3, lambda distances, _: distances.argmax())
    assert sorted(farthest) == list(range(12)) and farther > 5


def test_images_are_needed():
    with pytest.raises(StudyError, match="no data set was found"):
        temporal_mnist(TEMPORAL_MNIST, SEEDS, None, None)
