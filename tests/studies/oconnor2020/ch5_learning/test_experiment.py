"""Trainings on a stream as an experiment: small real runs, against what is known of them."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.splits import split_dataset
from plausible.errors import PlausibleError
from plausible.kernels import pdnn_reference
from plausible.kernels.pdnn_types import fresh_side, initial_weights, make_network, make_rule
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_learning import experiment
from plausible.studies.oconnor2020.ch5_learning.settings import CHANGES as ALL_CHANGES
from plausible.studies.oconnor2020.ch5_learning.settings import READINGS

from ...part_results import read_sweep

CHANGES = {
    "width": 8,
    "hidden_layers": [1, 3],
    "epochs": 2,
    "buffer_size": 30,
    "noise_samples": 20,
}
SETTINGS = read_sweep("oconnor2020.ch5_learning", "stream_training", **CHANGES)
KEYS = ["protocol", "order", "network", "hidden_layers", "seed", "epoch"]


@pytest.fixture(scope="module")
def few(digits):
    """The first 240 training images and 50 test images."""
    return digits._replace(
        train_images=digits.train_images[:240],
        train_labels=digits.train_labels[:240],
        test_images=digits.test_images[:50],
        test_labels=digits.test_labels[:50],
    )


@pytest.fixture(scope="module")
def table(few):
    return experiment.stream_training(SETTINGS, [0, 1], few)


def test_rows_of_every_network_and_test(table):
    assert not table.duplicated(KEYS).any()
    shallow, deep = (table[table["hidden_layers"] == depth] for depth in (1, 3))
    assert len(shallow) == 2 * 2 * 2 * 2 * 5 and len(deep) == 2 * 2 * 2 * 5
    assert set(deep["seed"]) == {0}
    whole = table["epoch"] % 1 == 0
    assert table.loc[whole, "training_score_percent"].notna().all()
    assert table.loc[~whole, "training_score_percent"].isna().all()
    images = table.groupby(["protocol", "epoch"])["samples"].unique().map(list).to_dict()
    assert images["as_published", 0.5] == [120] and images["as_coded", 2.0] == [125]
    assert (table["diverged_epoch"] == -1).all()


def test_learns(table):
    last = table[table["epoch"] == 2.0]
    first = table[table["epoch"] == 0.0]
    shallow = [rows[rows["hidden_layers"] == 1] for rows in (first, last)]
    before, after = (rows["training_score_percent"].mean() for rows in shallow)
    assert after > before + 20


@pytest.mark.parametrize("protocol", ["as_published", "as_coded"])
def test_counts_and_score_are_those_of_the_vectors(table, few, protocol):
    """All tests and the first epoch once more, with the reference implementation."""
    reading = READINGS[protocol]
    data, white = split_dataset(few, reading.split), float(few.white)
    images, labels = data.train_images, data.train_labels.astype(np.int64)
    rng = numpy_generator("oconnor2020", "stream_training", 1, 0)
    rule = make_rule(0.01, reading.k_alphas[0.0], reading.k_beta_relative, 0.001)
    network = make_network(initial_weights((64, 8, 10), rng), rule)

    def tested(epoch, parts):
        """Scores; as coded, a test moves the scales of the codes."""
        due = rule._replace(k_alpha=reading.k_alphas.get(epoch, rule.k_alpha))
        scores = []
        for shown, known in parts:
            scales = network.forward.scales
            scales = scales if reading.share_scales else scales.copy()
            side = fresh_side(network.sizes, due)._replace(scales=scales)
            found = pdnn_reference.predict(network, due, shown, white, side)
            scores.append(100.0 * float(np.mean(found.classes == known)))
        return scores

    test, training = (data.test_images, data.test_labels), (images, labels)
    expected = [tested(0.0, [test, training])]
    half = len(images) // 2
    found = []
    for part, order in ((0.5, range(half)), (1.0, range(half, len(images)))):
        order = np.array(order)
        found.append(pdnn_reference.train(network, rule, images, white, labels, order))
        expected.append(tested(part, [test, training] if part == 1.0 else [test]))
    rows = table.query(
        "protocol == @protocol and order == 'file' and network == 'pdnn' and hidden_layers == 1 "
        "and seed == 0 and epoch <= 1"
    )
    assert rows["test_score_percent"].tolist() == pytest.approx([each[0] for each in expected])
    trained = rows["training_score_percent"].dropna().tolist()
    assert trained == pytest.approx([expected[0][1], expected[2][1]])
    for column, counted in (
        ("forward", [each.spikes[0] * 8 + each.spikes[1] * 10 for each in found]),
        ("backward", [each.errors[2] * 8 for each in found]),
        ("spikes", [each.spikes.sum() for each in found]),
        ("touched_share", [each.touched[0] / (64 * 8) for each in found]),
    ):
        assert (rows[column] * rows["samples"]).tolist()[1:] == pytest.approx(counted), column


def test_operations_of_the_ordinary_network(table):
    mlp = table[(table["network"] == "mlp") & (table["hidden_layers"] == 3)]
    sums = mlp[["forward", "backward", "update"]].sum(axis=1).groupby(mlp["protocol"]).unique()
    layers = 64 * 8 + 2 * 8 * 8
    assert list(sums["as_published"]) == [3 * (layers + 80) - 64 * 8]
    # One output unit is counted, as in the thesis: 2 * 784 * 200 + 3 * 200 * 200 (n - 1) + 3 * 200.
    assert list(sums["as_coded"]) == [2 * 64 * 8 + 3 * 8 * 8 * 2 + 3 * 8]


def test_noise_falls_with_finer_codes(few, table, monkeypatch):
    fine = {name: one._replace(k_beta_relative=0.01) for name, one in READINGS.items()}
    monkeypatch.setattr(experiment, "READINGS", fine)
    finer = experiment.stream_training(SETTINGS, [0], few)
    keys = ["order", "hidden_layers"]
    coarse, found = (rows.groupby(keys)["noise_last"].mean() for rows in (table, finer))
    assert (found < 0.1 * coarse).all() and (found > 0).all()


@pytest.mark.parametrize("wrong", [{"hidden_layers": [1]}, {"deeper_seeds": 0}])
def test_a_run_without_deeper_networks_is_refused(wrong):
    """The deepest are compared with the shallowest."""
    with pytest.raises(PlausibleError, match=next(iter(wrong))):
        read_sweep("oconnor2020.ch5_learning", "stream_training", **CHANGES | wrong)


def test_shards_share_the_networks_and_change_nothing(few, table):
    parts = [
        experiment.stream_training(
            SETTINGS.model_copy(update={"shard": shard, "shards": 3}), [0, 1], few
        )
        for shard in range(3)
    ]
    assert all(len(part) for part in parts)
    together = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(together, table, check_exact=True)


def test_a_killed_job_goes_on(few, table, tmp_path, monkeypatch):
    settings = SETTINGS.model_copy(update={"checkpoints": tmp_path})
    calls, test_stream = [], experiment.test_stream

    def killed(*arguments):
        calls.append(arguments)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return test_stream(*arguments)

    monkeypatch.setattr(experiment, "test_stream", killed)
    with pytest.raises(KeyboardInterrupt):
        experiment.stream_training(settings, [0, 1], few)
    monkeypatch.setattr(experiment, "test_stream", test_stream)
    again = experiment.stream_training(settings, [0, 1], few)
    pd.testing.assert_frame_equal(again, table, check_exact=True)


def test_from_the_text_to_the_code(few, table):
    """Both ends are the networks of the table; changes are made one at a time."""
    changes = {key: value for key, value in CHANGES.items() if key in ("width", "buffer_size")}
    settings = read_sweep("oconnor2020.ch5_learning", "text_and_code", epochs=2, **changes)
    found = experiment.text_and_code(settings, [0, 1], few).set_index(["reading", "seed", "epoch"])
    score = found["test_score_percent"]
    rows = table[(table["network"] == "pdnn") & (table["order"] == "temporal")]
    rows = rows[rows["hidden_layers"] == 1].set_index(["protocol", "seed", "epoch"])
    for end, protocol in (("text", "as_published"), ("code", "as_coded")):
        for key, value in score[end].items():
            # Scales of the code follow in tests, which the table has twice as many of.
            if end == "text" or key[1] <= 0:
                assert value == rows.loc[(protocol, *key), "test_score_percent"]
    assert set(found.index.unique("reading")) == set(ALL_CHANGES)
    text, code = READINGS["as_published"], READINGS["as_coded"]
    for name, reading in ALL_CHANGES.items():
        parts = {
            "memory": reading.k_alphas == code.k_alphas,
            "images": reading.split == code.split,
            "scales": reading.share_scales == code.share_scales,
        }
        wanted = {"text": [], "code": list(parts)}.get(name, [name])
        assert [part for part, changed in parts.items() if changed] == wanted
        assert reading.counted_outputs == (code if name == "code" else text).counted_outputs
