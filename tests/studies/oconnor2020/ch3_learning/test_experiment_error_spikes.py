"""Error spikes by layer and reset: against the readable twin, table A.1, resumed, diverged."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.splits import split_dataset
from plausible.kernels import deep_spiking_reference as reference
from plausible.kernels.deep_spiking_types import make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.seeds import numpy_generator
from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_learning.experiment import first_weights, spiking_training
from plausible.studies.oconnor2020.ch3_learning.experiment_error_spikes import error_spikes
from plausible.studies.oconnor2020.ch3_learning.settings import ErrorSpikes, SpikingTraining

from .small_images import SHARED, WHITE, chosen, killed_and_resumed, small_images

RESETS = {"baseline": "none", "zero_reset": "zero", "random_reset": "random"}
SETTINGS = SHARED | {
    "variants": {name: {"update": "sgd", "back_reset": reset} for name, reset in RESETS.items()}
}


@pytest.fixture(scope="module")
def images():
    return small_images()


def settings(**changes):
    return read_settings(ErrorSpikes, {**SETTINGS, **changes}, "sweep.test")


def experiment(images, seeds=(0,), **changes):
    return error_spikes(settings(**changes), list(seeds), images)


@pytest.fixture(scope="module")
def table(images):
    return experiment(images)


@pytest.mark.parametrize("name", RESETS)
def test_counts_and_changes_are_those_of_the_readable_twin(images, table, name):
    divided = split_dataset(images, "thesis")
    rule = make_rule(4, 0.05, update="sgd", back_reset=RESETS[name])
    first = first_weights(settings(), 12, 0)
    network = make_network(first, rule)
    trains = input_trains(divided.train_images, 4, WHITE)
    generator = numpy_generator("oconnor2020", "back reset", name, 0)
    official = input_trains(images.test_images, 4, WHITE)
    for begin, end in ((0, 0.5), (0.5, 1), (1, 2)):
        order = np.arange(round(30 * begin), round(30 * end)) % 30
        found = reference.train(network, rule, trains, divided.train_labels, order, generator)
        rows = chosen(table, reset=RESETS[name], epoch=end).set_index("layer")
        assert list(rows.index) == [1, 2, 3]
        wanted = {"spikes": found.spikes, "error_spikes": found.errors, "passed": found.passed}
        for column, counts in wanted.items():
            assert np.allclose(rows[column], counts[1:] / len(order))
        changes = [
            np.sqrt(((now - then) ** 2).sum() / (then**2).sum())
            for now, then in zip(network.weights, first, strict=True)
        ]
        assert np.allclose(rows["relative_change"], changes)
        classes = reference.predict(network, rule, official).classes[:, -1]
        error = 100.0 * np.mean(classes != images.test_labels)
        assert np.allclose(rows["official_error_percent"], error)
    # Not a comparison of zeros: all three send errors back to the first layer here.
    assert rows["error_spikes"].min() > 0 and rows["passed"].min() > 0


def test_the_three_resets_differ_and_start_alike(table):
    start = chosen(table, epoch=0)
    assert len(start) == 9 and (start["relative_change"] == 0).all()
    assert start[["spikes", "error_spikes", "passed"]].isna().all(axis=None)
    assert start["thesis_error_percent"].nunique() == 1
    assert chosen(table, epoch=2, layer=1)["error_spikes"].nunique() == 3


def test_networks_are_those_of_table_a1(images, table):
    """Same weights, same random resets, same training: the same errors at every test point."""
    further = {"tested_parts": ["thesis", "official"], "training_images_tested": 1}
    both = read_settings(SpikingTraining, SETTINGS | further | {"anytime_steps": 0}, "sweep.test")
    runs = spiking_training(both, [0], images)
    for name, reset in RESETS.items():
        for part in ("thesis", "official"):
            wanted = chosen(runs, network=name, part=part)["error_percent"]
            found = chosen(table, reset=reset, layer=1)[f"{part}_error_percent"]
            assert found.tolist() == wanted.tolist()


def test_small_weights_and_zero_reset_change_nothing_below_the_output(images):
    """Ten error spikes do not reach 1/2 through small weights, unless what is left is kept."""
    table = experiment(images, initial_deviation=0.05, learning_rate=0.2, epochs=4,
                       test_epochs=[4])  # fmt: skip
    below = table[table["layer"] < 3]
    zero = chosen(below, reset="zero")
    assert (zero["error_spikes"] == 0).all() and (zero["relative_change"] == 0).all()
    for reset in ("none", "random"):
        others = chosen(below, reset=reset)
        assert (others["error_spikes"] > 0).all() and (others["relative_change"] > 0).all()


def test_jobs_have_every_run_once(images, table):
    parts = [experiment(images, shard=shard, shards=2) for shard in range(2)]
    keys = ["reset", "epoch", "layer"]
    together, whole = (
        one.sort_values(keys, ignore_index=True) for one in (pd.concat(parts), table)
    )
    pd.testing.assert_frame_equal(together, whole)


@pytest.mark.parametrize("stop", [1, 3])
def test_a_killed_run_goes_on_where_it_was(images, table, tmp_path, monkeypatch, stop):
    some = {
        "variants": {"random_reset": SETTINGS["variants"]["random_reset"]},
        "checkpoints": str(tmp_path / "checkpoints"),
    }
    resumed, trained = killed_and_resumed(lambda: experiment(images, **some), stop, monkeypatch)
    pd.testing.assert_frame_equal(resumed, chosen(table, reset="random").reset_index(drop=True))
    # Stops are at epochs 0, 1/2, 1 and 2 of 30 images.
    assert trained == 60 - {1: 0, 3: 30}[stop]


def test_divergence_is_recorded(images):
    table = experiment(images, learning_rate=1e9, test_epochs=[0, 1, 2])
    assert table["diverged_epoch"].between(0, 1, inclusive="right").all()
    assert table["thesis_error_percent"].notna().equals(table["epoch"] == 0)
    assert table["relative_change"].notna().equals(table["epoch"] == 0)
