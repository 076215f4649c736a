"""Error spikes by layer and reset: against the readable twin, table A.1, resumed, diverged."""

import numpy as np
import pandas as pd
import pytest
from plausible.studies.oconnor2020.tables import zero_reset_markdown

from plausible.data.splits import split_dataset
from plausible.errors import StudyError
from plausible.kernels import deep_spiking_reference as reference
from plausible.kernels.deep_spiking_types import make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.reproduction.published import load_published
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020 import error_spikes, spiking_runs
from plausible.studies.oconnor2020.ch3_learning.experiment import spiking_training

from ..plots.pictures import CURVES
from ..reproduction.synthetic_oconnor2020_spiking import zero_reset_table
from .small_images import WHITE, chosen, small_images

RESETS = {"baseline": "none", "zero_reset": "zero", "random_reset": "random"}
SETTINGS = {
    "hidden_sizes": [9, 8],
    "initial_deviation": 0.3,
    "steps": 4,
    "learning_rate": 0.05,
    "epochs": 2,
    "protocols": {"as_coded": {}},
    "variants": {
        name: {"update": "sgd", "back_reset": reset} for name, reset in RESETS.items()
    },
    "test_epochs": [0, 0.5, 1, 2],
}  # fmt: skip


@pytest.fixture(scope="module")
def images():
    return small_images()


def experiment(images, seeds=(0,), **changes):
    return error_spikes.error_spikes({**SETTINGS, **changes}, list(seeds), images)


@pytest.fixture(scope="module")
def table(images):
    return experiment(images)


@pytest.mark.parametrize("name", RESETS)
def test_counts_and_changes_are_those_of_the_readable_twin(images, table, name):
    divided = split_dataset(images, "thesis")
    rule = make_rule(4, 0.05, update="sgd", back_reset=RESETS[name])
    first = spiking_runs.first_weights((12, 9, 8, 10), 0, 0.3)
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
    runs = spiking_training(SETTINGS | further | {"anytime_steps": 0}, [0], images)
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


class Killed(Exception):
    pass


@pytest.mark.parametrize("stop", [1, 3])
def test_a_killed_run_goes_on_where_it_was(images, table, tmp_path, monkeypatch, stop):
    settings = {
        "variants": {"random_reset": SETTINGS["variants"]["random_reset"]},
        "checkpoints": str(tmp_path / "checkpoints"),
    }
    save, calls = spiking_runs.save_progress, []

    def save_and_die(*arguments):
        save(*arguments)
        calls.append(1)
        if len(calls) == stop:
            raise Killed

    monkeypatch.setattr(spiking_runs, "save_progress", save_and_die)
    with pytest.raises(Killed):
        experiment(images, **settings)
    trained = []
    stretch = spiking_runs.train_stretch
    monkeypatch.setattr(
        spiking_runs,
        "train_stretch",
        lambda *arguments: trained.append(len(arguments[4])) or stretch(*arguments),
    )
    resumed = experiment(images, **settings)
    pd.testing.assert_frame_equal(resumed, chosen(table, reset="random").reset_index(drop=True))
    # Stops are at epochs 0, 1/2, 1 and 2 of 30 images.
    assert sum(trained) == 60 - {1: 0, 3: 30}[stop]


def test_divergence_is_recorded(images):
    table = experiment(images, learning_rate=1e9, test_epochs=[0, 1, 2])
    assert table["diverged_epoch"].between(0, 1, inclusive="right").all()
    assert table["thesis_error_percent"].notna().equals(table["epoch"] == 0)
    assert table["relative_change"].notna().equals(table["epoch"] == 0)


def test_a_vector_network_is_refused(images):
    with pytest.raises(StudyError, match="variants.a is rectified"):
        experiment(images, variants={"a": {"form": "rectified"}})
    with pytest.raises(StudyError, match="data set"):
        experiment(None)


# ----------------------------------------------------------------- readable table


@pytest.fixture(scope="module")
def text():
    published = load_published(CURVES.parent / "oconnor2020.yaml")
    return zero_reset_markdown(
        zero_reset_table(), published.entry("ch3.no_zero_reset")["values"]
    )  # fmt: skip


def test_readable_table_has_one_row_for_each_reset_and_seed(text):
    rows = [line for line in text.splitlines() if "(published " in line][1:]
    assert len(rows) == 9
    cells = [cell.strip() for cell in rows[-1].strip("|").split("|")]
    assert cells[:2] == ["zero reset (published 87.87)", "2"]
    assert cells[3:6] == ["0", "0", "10"] and cells[6:] == [
        "0",
        "0",
        "0.1",
        "never",
        "89.00 / 90.00",
    ]


def test_means_are_weighted_with_the_samples_between_test_points(text):
    """Without a reset layer 1 has 4 error spikes in the first half epoch, 8 afterwards."""
    row = next(line for line in text.splitlines() if line.startswith("| no reset (published 3.38)"))
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert float(cells[3]) == pytest.approx((0.5 * 4 + 3.5 * 8) / 4)
    assert cells[6:] == ["2", "2", "2", "epoch 0.5", "3.38 / 4.38"]


def test_a_diverged_network_has_no_numbers():
    table = zero_reset_table()
    lost = (table["reset"] == "random") & (table["seed"] == 1)
    columns = ["spikes", "error_spikes", "passed", "relative_change"]
    columns += ["thesis_error_percent", "official_error_percent"]
    table.loc[lost & (table["epoch"] > 1), columns] = np.nan
    text = zero_reset_markdown(table, {"no_reset": 3.38, "random": 3.15, "zero_reset": 87.87})
    row = next(
        line for line in text.splitlines() if line.startswith("| random") and "| 1 |" in line
    )
    assert row.count("n/a") == 5
