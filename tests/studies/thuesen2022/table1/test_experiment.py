"""Experiments on converted networks, small: rasters, input rates, conversion diagnostic."""

from pathlib import Path

import numpy as np
import pytest
import torch

from plausible.conversion.shadow import convert
from plausible.errors import StudyError
from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import evaluate, train
from plausible.networks.mlp import Network, network_to_arrays
from plausible.networks.storage import load_networks, save_networks
from plausible.studies.thuesen2022.table1.experiment import input_seed

from ..harness import check_columns_and_determinism, run_experiment

TRAINING = TrainingSettings(
    hidden_sizes=(40, 30),
    epochs=8,
    batch_size=32,
    optimizer="adam",
    learning_rate=3e-3,
    learning_rule="zil",
    dtype="float64",
)
NETWORK = "spcn_adam.corrected"
SIMULATION = {
    name: {"simulation_time_ms": 100, "checkpoints_ms": [50, 100]}
    for name in (NETWORK, "fig6.corrected")
}
SMALL = {
    "fig4": {"images": 10},
    "fig6": {"digit": 7, "simulation": SIMULATION},
    "input_rate": {"images": 150, "input_rates_hz": [10, 5000], "simulation": SIMULATION},
    "simulation_choices": {
        "images": 150,
        "choices": {"printed": {"kernel": "printed"}, "slow": {"input_rate_hz": 10}},
        "simulation": SIMULATION,
    },
    "conversion_diagnostic": {"images": 20, "sampled_points": 50, "simulation": SIMULATION},
}
COLUMNS = {
    "fig4": "image label row column intensity_fraction",
    "fig6": "protocol seed image label layer neuron time_ms",
    "input_rate": "network protocol seed input_rate_hz rate_accuracy_percent "
    "spiking_accuracy_percent first_spike_accuracy_percent",
    "simulation_choices": "network protocol seed choice rate_accuracy_percent "
    "spiking_accuracy_percent first_spike_accuracy_percent",
    "conversion_diagnostic": "network protocol seed layer analytic_rate_hz simulated_rate_hz "
    "correlation silent_fraction saturated_fraction rmse_hz",
}


@pytest.fixture(scope="module")
def trained(digits) -> Network:
    """A soft-rate network that reads the digits."""
    return train(TRAINING, digits, "test", "experiments", 0).network


@pytest.fixture(scope="module")
def spiking(trained, tmp_path_factory) -> SpikingNetwork:
    """The same network, converted by way of its file."""
    path: Path = tmp_path_factory.mktemp("networks") / "network.npz"
    save_networks(path, {0: network_to_arrays(trained)}, TRAINING.model_dump(mode="json"))
    return convert(load_networks(path)[0])


@pytest.fixture
def run(digits, spiking):
    """Function that makes the table of an experiment with its small settings, some changed."""

    def call(name, networks=None, **changes):
        networks = networks or {NETWORK: {0: spiking, 1: spiking}}
        settings = {"dataset": digits, "networks": networks, **SMALL[name], **changes}
        return run_experiment("thuesen2022.table1", name, **settings)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    check_columns_and_determinism(run, name, COLUMNS[name])


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_data_set_is_named(run, name):
    with pytest.raises(StudyError, match=f"sweep {name}: no data set"):
        run(name, dataset=None)


@pytest.mark.parametrize("name", ["fig6", "input_rate", "simulation_choices"])
def test_missing_networks_are_named(digits, name):
    for networks in (None, {}):
        with pytest.raises(StudyError, match=f"sweep {name}: no converted network"):
            run_experiment(
                "thuesen2022.table1", name, dataset=digits, networks=networks, **SMALL[name]
            )


def test_fig4_holds_the_images(run, digits):
    table = run("fig4")
    images = table["intensity_fraction"].to_numpy().reshape(10, 8, 8)
    np.testing.assert_array_equal(images * 16, digits.train_images[:10].reshape(10, 8, 8))
    pixel = table[(table["image"] == 3) & (table["row"] == 2) & (table["column"] == 5)]
    assert pixel["intensity_fraction"].item() == digits.train_images[3, 2 * 8 + 5] / 16
    assert table.groupby("image")["label"].first().tolist() == list(digits.train_labels[:10])


def test_fig6_shows_the_spikes_that_are_counted(run, digits, spiking):
    table = run("fig6", seeds=[1], networks={"fig6.corrected": {1: spiking}})
    image = int(np.flatnonzero(digits.test_labels == 7)[0])
    assert set(table["image"]) == {image} and set(table["label"]) == {7}
    assert set(table["seed"]) == {1} and set(table["protocol"]) == {"corrected"}
    counted = simulate_network(
        digits.test_images[: image + 1],
        digits.white,
        spiking,
        SimulationSettings(simulation_time_ms=100),
        input_seed("fig6", 1),
        record_neurons=True,
    )
    for layer, counts in enumerate(counted.neuron_counts, 1):
        drawn = table[table["layer"] == layer].groupby("neuron").size()
        np.testing.assert_array_equal(drawn, counts[image][counts[image] > 0])
    intervals = table.groupby(["layer", "neuron"])["time_ms"].diff().dropna()
    assert intervals.min() >= 4.0


def test_fig6_says_which_digits_there_are(run, digits):
    without = digits._replace(test_labels=np.where(digits.test_labels == 7, 1, digits.test_labels))
    with pytest.raises(StudyError, match="no test image of the digit 7"):
        run("fig6", dataset=without)


def test_input_rate_removes_the_noise(run, trained, digits):
    table = run("input_rate").set_index(["seed", "input_rate_hz"])
    images = torch.from_numpy(digits.test_images[:150]).double() / 16
    expected = evaluate(trained, images, torch.from_numpy(digits.test_labels[:150]))
    assert table["rate_accuracy_percent"].eq(expected).all()
    for seed in (0, 1):
        accuracy = table.loc[seed, "spiking_accuracy_percent"]
        assert accuracy[10.0] < accuracy[5000.0] - 10
        assert accuracy[5000.0] > expected - 5
    assert set(table["network"]) == {"spcn_adam"} and set(table["protocol"]) == {"corrected"}


def test_choices_replace_single_settings_of_the_simulation(run):
    """The others stay those of the network: one choice gives what all of them with it gives."""
    own = {"integration": "euler", "idle_steps": 3}
    with_own = {NETWORK: {**SIMULATION[NETWORK], **own}}
    choices = {"printed": {"kernel": "printed"}, "both": {"kernel": "printed", **own}}
    columns = ["spiking_accuracy_percent", "first_spike_accuracy_percent"]

    def accuracies(simulation):
        found = run("simulation_choices", seeds=[0], simulation=simulation, choices=choices)
        return found.set_index("choice")[columns].T.to_dict("list")

    plain, euler = accuracies(SIMULATION), accuracies(with_own)
    assert list(plain) == ["none", "printed", "both"]
    assert euler["printed"] == plain["both"] == euler["both"]
    assert plain["printed"] != plain["both"] and plain["none"] != plain["printed"]


def test_diverged_networks_stay_in_the_tables(run, spiking):
    """Their numbers are empty; they do not stop the sweep and do not vanish."""
    biases = (np.full_like(spiking.biases[0], np.nan), *spiking.biases[1:])
    networks = {NETWORK: {0: spiking._replace(biases=biases), 1: spiking}}
    rates = run("input_rate", networks=networks).set_index("seed")
    assert rates.groupby(level=0).size().tolist() == [2, 2]
    assert rates.loc[0, ["rate_accuracy_percent", "spiking_accuracy_percent"]].isna().all(axis=None)
    assert rates.loc[1].notna().all(axis=None)
    layers = run("conversion_diagnostic", networks=networks).set_index("seed")
    assert layers.loc[0, "layer"].tolist() == [1, 2, 3]
    assert layers.loc[0, ["correlation", "analytic_rate_hz"]].isna().all(axis=None)
    assert layers.loc[1].notna().all(axis=None)


def test_networks_of_other_seeds_are_left_out(run, spiking):
    assert set(run("input_rate", seeds=[1])["seed"]) == {1}


def test_each_network_has_its_own_simulation(run, spiking):
    slow = {**SIMULATION, NETWORK: {"simulation_time_ms": 10}}
    table = run("conversion_diagnostic", seeds=[0], simulation=slow)
    # Rates from 10 ms come in steps of 100 Hz.
    assert np.all(table["simulated_rate_hz"] % 100 == 0)


def test_simulation_settings_are_checked(run):
    with pytest.raises(StudyError, match=f"no settings were found for {NETWORK}"):
        run("input_rate", simulation={"spcn_adam.as_published": {}})
    with pytest.raises(StudyError, match="'simulation_time' is no setting.*simulation_time_ms"):
        run("input_rate", simulation={NETWORK: {"simulation_time": 5}})


def test_conversion_diagnostic_summarises_all_pairs(run, digits, spiking):
    sample, whole = (run("conversion_diagnostic", seeds=[0], sampled_points=n) for n in (50, 10**6))
    assert sample.groupby("layer").size().tolist() == [50, 50, 50]
    assert whole.groupby("layer").size().tolist() == [20 * 40, 20 * 30, 20 * 10]
    for layer, rows in whole.groupby("layer"):
        simulated, analytic = rows["simulated_rate_hz"], rows["analytic_rate_hz"]
        summary = rows.iloc[0]
        assert summary["correlation"] == pytest.approx(np.corrcoef(analytic, simulated)[0, 1])
        assert summary["silent_fraction"] == (simulated == 0).mean()
        assert summary["saturated_fraction"] == (simulated >= 0.9 * 250).mean()
        assert summary["rmse_hz"] == pytest.approx(np.sqrt(np.mean((simulated - analytic) ** 2)))
        assert summary["correlation"] > 0.8
        drawn = sample[sample["layer"] == layer]
        assert set(drawn["analytic_rate_hz"]) <= set(analytic)
        assert drawn["rmse_hz"].eq(summary["rmse_hz"]).all()
