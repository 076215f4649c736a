"""Training runs of chapter 3: against the readable twin, resumed, divided, diverged."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.splits import split_dataset
from plausible.errors import StudyError
from plausible.kernels import deep_spiking_reference as reference
from plausible.kernels.deep_spiking_types import make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.seeds import numpy_generator
from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_learning.experiment import (
    first_weights,
    runs,
    spiking_training,
)
from plausible.studies.oconnor2020.ch3_learning.settings import SpikingTraining

from .small_images import SETTINGS, WHITE, chosen, killed_and_resumed, small_images


@pytest.fixture(scope="module")
def images():
    return small_images()


def settings(**changes):
    return read_settings(SpikingTraining, {**SETTINGS, **changes}, "sweep.test")


def experiment(images, seeds=(0,), **changes):
    return spiking_training(settings(**changes), list(seeds), images)


@pytest.fixture(scope="module")
def table(images):
    return experiment(images)


def error_of(classes, labels):
    return pytest.approx(100.0 * np.mean(classes != labels), abs=1e-9)


# ----------------------------------------------------------------- against independent forms


def by_hand(images, update, epochs):
    """The same run, made of the readable twin sample by sample."""
    divided = split_dataset(images, "thesis")
    rule = make_rule(4, 0.05, update=update)
    network = make_network(first_weights(settings(), 12, 0), rule)
    trains = input_trains(divided.train_images, 4, WHITE)
    order = np.arange(round(epochs * 30)) % 30
    training = reference.train(
        network, rule, trains, divided.train_labels, order, np.random.default_rng(0)
    )
    return network, training, divided


@pytest.mark.parametrize("update", ["sgd", "fsgd"])
@pytest.mark.parametrize("epoch", [0, 0.5, 1, 2])
def test_curve_is_that_of_the_readable_twin(images, update, epoch):
    table = experiment(images, variants={update: {"update": update}}, anytime_steps=0)
    network, training, divided = by_hand(images, update, epoch)
    rule = make_rule(4)
    tests = {
        "train": (divided.train_images[:10], divided.train_labels[:10]),
        "thesis": (divided.test_images, divided.test_labels),
        "official": (images.test_images, images.test_labels),
    }
    for part, (grey, labels) in tests.items():
        predictions = reference.predict(network, rule, input_trains(grey, 4, WHITE))
        row = chosen(table, record="curve", part=part, epoch=epoch)
        assert row["error_percent"].item() == error_of(predictions.classes[:, -1], labels)
    # Forward, backward through the upper two matrices, and one column for each update.
    spikes, passed = training.spikes, training.passed
    wanted = spikes[0] * 9 + spikes[1] * 8 + spikes[2] * 10
    wanted += passed[2] * 9 + passed[3] * 8
    wanted += passed[1] * 12 + passed[2] * 9 + passed[3] * 8
    assert set(chosen(table, record="curve", epoch=epoch)["training_operations"]) == {wanted}


def test_both_forms_of_the_trained_weights(images, table):
    network, _, _ = by_hand(images, "sgd", 2)
    grey, labels = images.test_images, images.test_labels
    rule = make_rule(6)
    predictions = reference.predict(network, rule, input_trains(grey, 6, WHITE))
    for step in range(1, 7):
        row = chosen(table, network="sgd", record="anytime", part="official", step=step)
        assert row["error_percent"].item() == error_of(predictions.classes[:, step - 1], labels)
        spikes = predictions.spikes[:, :step].sum(axis=1)
        hidden = (spikes[:, 1] * 8 + spikes[:, 2] * 10).mean()
        assert row["operations"].item() == pytest.approx(hidden + (spikes[:, 0] * 9).mean())
        assert row["operations_without_input"].item() == pytest.approx(hidden)
    final = chosen(table, network="sgd", record="final", part="official")
    assert chosen(final, form="spiking")["error_percent"].item() == error_of(
        predictions.classes[:, 3], labels
    )  # tested with as many steps as trained
    values = [grey / WHITE]
    for matrix in network.weights:
        values.append(np.maximum(values[-1] @ matrix, 0))
    vector = chosen(final, form="rectified")
    wanted = error_of(values[-1].argmax(axis=1), labels)
    assert len(vector) == 2 and all(error == wanted for error in vector["error_percent"])
    dense, sparse = (chosen(vector, counting=name) for name in ("dense", "sparse"))
    assert dense["operations"].item() == 2 * (12 * 9 + 9 * 8 + 8 * 10)
    assert dense["operations_without_input"].item() == 2 * (9 * 8 + 8 * 10)
    active = [(value != 0).sum(axis=1).mean() for value in values[:3]]
    assert sparse["operations"].item() == pytest.approx(
        2 * (active[0] * 9 + active[1] * 8 + active[2] * 10)
    )


def test_silent_units_are_those_without_a_spike(images, table):
    network, _, divided = by_hand(images, "sgd", 2)
    rule = make_rule(4)
    silent = np.zeros((6, 2))
    for sample in range(6):
        # The readable twin of a single image tells the spikes of layers only; the modules' own
        # counts are read off a network of which the layer is the last hidden one.
        grey = divided.test_images[sample : sample + 1]
        trains = input_trains(grey, 4, WHITE)
        for layer, size in ((1, 9), (2, 8)):
            counted = [*network.weights[:layer], np.eye(size)]
            found = reference.predict(make_network(counted, rule), rule, trains)
            silent[sample, layer - 1] = (found.outputs[0, -1] == 0).mean()
    rows = chosen(table, network="sgd", record="sparsity", epoch=2, form="spiking")
    assert np.allclose(rows.sort_values("layer")["silent_percent"], 100 * silent.mean(axis=0))
    # Before training, the vector network has what its weights give.
    weights = first_weights(settings(), 12, 0)
    first = np.maximum(divided.test_images / WHITE @ weights[0], 0)
    second = np.maximum(first @ weights[1], 0)
    rows = chosen(table, network="sgd", record="sparsity", epoch=0, form="rectified")
    assert np.allclose(
        rows.sort_values("layer")["silent_percent"],
        [100 * (first == 0).mean(), 100 * (second == 0).mean()],
    )


def test_vector_network_is_trained_by_gradient_descent(images):
    """One pass of plain stochastic gradients of the sum of squares, by the chain rule."""
    table = experiment(images, variants={"relu": {"form": "rectified"}}, epochs=1)
    divided = split_dataset(images, "thesis")
    weights = first_weights(settings(), 12, 0)
    for grey, label in zip(divided.train_images, divided.train_labels, strict=True):
        values = [grey / WHITE]
        for matrix in weights:
            values.append(np.maximum(values[-1] @ matrix, 0))
        delta = 2 * (values[-1] - np.eye(10)[label]) * (values[-1] > 0)
        for layer in (2, 1, 0):
            sent = (weights[layer] @ delta) * (values[layer] > 0)
            weights[layer] = weights[layer] - 0.05 * np.outer(values[layer], delta)
            delta = sent
    outputs = images.test_images / WHITE
    for matrix in weights:
        outputs = np.maximum(outputs @ matrix, 0)
    row = chosen(table, record="curve", epoch=1, part="official")
    assert row["error_percent"].item() == error_of(outputs.argmax(axis=1), images.test_labels)


# ----------------------------------------------------------------- which networks are trained


def test_all_networks_of_a_seed_start_from_the_same_weights(images):
    table = experiment(images, variants={"sgd": {"update": "sgd"}, "fsgd": {"update": "fsgd"}})
    start = chosen(table, record="curve", epoch=0)
    assert start.groupby("part")["error_percent"].nunique().max() == 1


def test_protocols_seeds_and_printed_step():
    some = {
        "protocols": {"as_coded": {}, "as_published": {"printed_step": True, "epochs": 1}},
        "variants": {
            "baseline": {"update": "sgd"},
            "few": {"update": "sgd", "steps": 2, "seeds": 1},
            "loose": {"update": "sgd", "hold_error": False, "protocols": ["as_coded"]},
        },
    }
    listed = runs(settings(**some), [5, 6])
    assert [(run.protocol, run.network, run.seed) for run in listed] == [
        ("as_coded", "baseline", 5),
        ("as_coded", "baseline", 6),
        ("as_coded", "few", 5),
        ("as_coded", "loose", 5),
        ("as_coded", "loose", 6),
        ("as_published", "baseline", 5),
        ("as_published", "baseline", 6),
        ("as_published", "few", 5),
    ]
    # A pair of spikes moves a weight by eta / T^2, by eta / T as printed.
    rates = {(run.protocol, run.network): run.spec.rule.rate for run in listed}
    assert rates["as_coded", "baseline"] == pytest.approx(0.05 / 16)
    assert rates["as_coded", "few"] == pytest.approx(0.05 / 4)
    assert rates["as_published", "baseline"] == pytest.approx(0.05 / 4)
    assert rates["as_published", "few"] == pytest.approx(0.05 / 2)
    assert [run.epochs for run in listed] == [2] * 5 + [1] * 3
    assert not listed[3].spec.rule.hold_error


def test_shards_have_every_run_once(images, table):
    parts = [experiment(images, shard=shard, shards=3) for shard in range(3)]
    together = pd.concat(parts).sort_values(["network", "record"], kind="stable")
    whole = table.sort_values(["network", "record"], kind="stable")
    pd.testing.assert_frame_equal(
        together.reset_index(drop=True), whole.reset_index(drop=True), check_dtype=False
    )
    assert parts[2].empty and list(parts[2].columns) == list(table.columns)


# ----------------------------------------------------------------- killed, diverged, refused


@pytest.mark.parametrize("stop", [1, 2, 3])
def test_a_killed_run_goes_on_where_it_was(images, tmp_path, monkeypatch, stop):
    """Random reset reads a generator, smooth updates and quantizers of errors have a memory."""
    some = {
        "variants": {"random": {"update": "fsgd", "back_reset": "random", "smooth": True}},
        "checkpoints": str(tmp_path / "checkpoints"),
    }
    whole = experiment(images, **(some | {"checkpoints": str(tmp_path / "other")}))
    resumed, trained = killed_and_resumed(lambda: experiment(images, **some), stop, monkeypatch)
    pd.testing.assert_frame_equal(resumed, whole)
    # Stops are at epochs 0, 1/2, 1 and 2 of 30 images.
    assert trained == 60 - [0, 15, 30][stop - 1]


@pytest.mark.parametrize("damage", [b"", b"no archive", None])
def test_a_damaged_checkpoint_starts_anew(images, tmp_path, damage, table):
    experiment(images, checkpoints=str(tmp_path))
    for path in tmp_path.glob("*.npz"):
        path.write_bytes(path.read_bytes()[:200] if damage is None else damage)
    pd.testing.assert_frame_equal(experiment(images, checkpoints=str(tmp_path)), table)


@pytest.mark.parametrize(("form", "rate"), [("spiking", 1e9), ("rectified", 1e200)])
def test_divergence_is_recorded(images, form, rate):
    own = {"form": form, "learning_rate": rate}
    own |= {"update": "sgd"} if form == "spiking" else {}
    table = experiment(images, variants={"wild": own})
    curve = chosen(table, record="curve", part="thesis")
    assert (curve["diverged_epoch"] > 0).all() and (curve["diverged_epoch"] <= 0.5).all()
    assert curve.set_index("epoch")["error_percent"].notna().to_dict() == {
        0.0: True, 0.5: False, 1.0: False, 2.0: False,
    }  # fmt: skip
    assert set(table["record"]) == {"curve"}


def test_no_divergence_is_minus_one(table):
    assert set(table["diverged_epoch"]) == {-1.0}


def test_a_missing_data_set_is_one_sentence():
    with pytest.raises(StudyError, match="data set"):
        spiking_training(settings(), [0], None)


def test_the_stream_of_random_resets_is_named_by_network_and_seed(images):
    random = {"random": {"update": "fsgd", "back_reset": "random"}}
    first, again = (experiment(images, variants=random) for _ in range(2))
    pd.testing.assert_frame_equal(first, again)
    drawn = [numpy_generator("oconnor2020", "back reset", "random", s).random() for s in (0, 1)]
    assert drawn[0] != drawn[1]
