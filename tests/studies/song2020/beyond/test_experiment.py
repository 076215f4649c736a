"""Beyond the paper: precision, energy, prediction, optimisers; closed forms and broken rules."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.learning.predictive_training import network_rule
from plausible.studies.song2020 import training
from plausible.studies.song2020.beyond import experiment, experiment_batches, experiment_precision
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.levels import forward, zil_updates

from ...part_results import read_sweep

SEEDS = [1482555873, 2283198659]
NETWORKS = {"l_max": [2, 4], "hidden_neurons": 8, "batch_size": 10}
SMALL = {
    "float32": {**NETWORKS, "learning_rate": 0.01, "updates": 40, "recorded_points": 4},
    "energy": {**NETWORKS, "gammas": [0.1, 0.5], "sigmas": [0.0, 0.5], "steps": 30},
    "prediction": {**NETWORKS, "gammas": [0.5, 1.0], "steps": 150},
    "batches": {
        "l_max": [2, 3],
        "batch_sizes": [4, 16],
        "hidden": 8,
        "epochs": 2,
        "train_limit": 130,
    },
}
EXPERIMENTS = {
    "float32": experiment_precision.float32,
    "energy": experiment.energy,
    "prediction": experiment.prediction,
    "batches": experiment_batches.batches,
}
COLUMNS = {
    "float32": "l_max seed dtype update max_weight_difference relative_weight_difference",
    "energy": "phase gamma l_max seed t energy sigma",
    "prediction": "gamma l_max seed t max_distance_to_ann",
    "batches": "optimizer batch_size algorithm l_max seed epochs mean_test_error final_test_error "
    "max_weight_difference_to_bp relative_weight_difference_to_bp",
}


@pytest.fixture(scope="module")
def digits():
    """The embedded digits."""
    return prepare("digits")


@pytest.fixture(scope="module")
def run(digits):
    """Function that runs an experiment with small settings, some of them changed."""

    def call(name, dataset=digits, **changes):
        settings = read_sweep("song2020.beyond", name, **{**SMALL[name], **changes})
        return EXPERIMENTS[name](settings, SEEDS, dataset, None)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    first, second = run(name), run(name)
    assert list(first.columns) == COLUMNS[name].split() and len(first) > 0
    pd.testing.assert_frame_equal(first, second)
    assert set(first["seed"]) == set(SEEDS)


@pytest.mark.parametrize("name", COLUMNS)
def test_no_data_set_is_said(run, name):
    with pytest.raises(StudyError, match=f"sweep {name}: no data set was found"):
        run(name, dataset=None)


def test_float32_stays_at_rounding_errors(run):
    table = run("float32")
    assert set(table["update"]) >= {1, 40}
    largest = table.groupby("dtype")["relative_weight_difference"].max()
    assert largest["float64"] < 1e-14
    assert 1e-9 < largest["float32"] < 1e-5
    assert (table["max_weight_difference"] >= 0).all()


def test_float32_sees_a_rule_that_is_not_backprop(run, monkeypatch):
    def other(network, inputs, targets):
        return zil_updates(network, inputs, targets, gamma=0.5)

    monkeypatch.setattr(experiment_precision, "zil_updates", other)
    table = run("float32", dtypes=["float64"])
    last = table[table["update"] == 40]
    assert last["relative_weight_difference"].min() > 1e-6
    both = table.groupby(["l_max", "seed"])["relative_weight_difference"]
    assert both.apply(lambda values: values.is_monotonic_increasing).all()


def test_energy_starts_at_the_squared_error_and_falls(run, digits):
    table = run("energy")
    start = table[(table["t"] == 0) & (table["sigma"] == 0.0)]
    for l_max in (2, 4):
        generator = torch_generator("energy", SEEDS[0], "network", l_max)
        network = draw_network(sizes_of(l_max, 8, digits), generator)
        (chosen,) = batches(len(digits.train_images), 10, 1, generator)
        images, targets = images_and_targets(digits, chosen)
        loss = 0.5 * float((targets - forward(network, images)[0]).square().sum())
        rows = start[(start["l_max"] == l_max) & (start["seed"] == SEEDS[0])]
        learning = rows[rows["phase"] == "learning"]
        assert np.allclose(learning["energy"], loss, rtol=1e-12)
    undisturbed = table[(table["phase"] == "prediction") & (table["sigma"] == 0.0)]
    assert (undisturbed["energy"] == 0.0).all()
    slow = table[table["gamma"] == 0.1].groupby(["phase", "sigma", "l_max", "seed"])["energy"]
    assert slow.apply(lambda values: values.is_monotonic_decreasing).all()
    noisy = table[(table["phase"] == "prediction") & (table["sigma"] == 0.5)]
    assert noisy.loc[noisy["t"] == 30, "energy"].max() < noisy.loc[noisy["t"] == 0, "energy"].min()


def test_energy_of_noise_alone_is_that_of_the_noise(run):
    table = run("energy", l_max=[2], gammas=[0.5], sigmas=[2.0])
    start = table[(table["t"] == 0) & (table["phase"] == "prediction")]
    # A hidden layer of 8 units, 10 samples: 1/2 sigma^2 chi-squared with 80 degrees of freedom.
    assert start["energy"].between(2.0 * 40, 2.0 * 130).all()


def test_prediction_reaches_the_activity_of_the_ann(run):
    table = run("prediction")
    assert table.loc[table["t"] == 0, "max_distance_to_ann"].min() > 0.5
    assert table.loc[table["t"] == 150, "max_distance_to_ann"].max() < 1e-6
    undisturbed = run("prediction", sigma=0.0)
    assert (undisturbed["max_distance_to_ann"] == 0.0).all()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_zil_is_backprop_with_every_optimiser_and_batch_size(run, optimizer):
    table = run("batches", learning_rates={optimizer: 0.01})
    assert len(table) == 2 * 2 * 2 * 2 and not table.duplicated(list(table.columns[:5])).any()
    zil = table[table["algorithm"] == "zil"].reset_index(drop=True)
    bp = table[table["algorithm"] == "bp"].reset_index(drop=True)
    assert (bp["max_weight_difference_to_bp"] == 0.0).all()
    assert (zil["relative_weight_difference_to_bp"] < 1e-12).all()
    assert (zil["final_test_error"] == bp["final_test_error"]).all()


def test_another_rate_is_another_network(run, monkeypatch):
    """The control: what is compared are networks that learned."""

    def other(reading, l_max, batch_size, method, **options):
        gamma = 1.0 if method == "backprop" else 0.5
        return network_rule(reading, l_max, batch_size, method=method, gamma=gamma, **options)

    monkeypatch.setattr(training, "network_rule", other)
    table = run("batches", learning_rates={"sgd": 0.01})
    zil = table[table["algorithm"] == "zil"]
    assert (zil["relative_weight_difference_to_bp"] > 1e-4).all()
