"""Table 3.1 on a few made-up posts: divisions, networks against the gradient, machines."""

import numpy as np
import pandas as pd
import pytest
from plausible.studies.oconnor2020.checks_newsgroups import check_divisions

from plausible.data.dataset import make_dataset
from plausible.errors import StudyError
from plausible.studies.oconnor2020 import newsgroups as ng
from plausible.studies.oconnor2020.ch3_newsgroups.tables import (
    ERRORS,
    IN_FILE_ORDER,
    KERNELS,
    enters_chance,
    kernel_note,
    last_epochs,
    table3_1_markdown,
)

WORDS, POSTS = 20, 60
DIVISIONS = {
    "file_order": {"protocol": "as_published", "order": "file", "training_parts": 7},
    "shuffled_4to1": {"protocol": "corrected", "order": "shuffled", "training_parts": 4},
}
SETTINGS = {
    "divisions": DIVISIONS,
    "steps": 10,
    "learning_rate": 0.02,
    "rectified_learning_rate": 0.01,
    "initial_deviation": 0.01,
    "epochs_tested": [1, 40],
}


@pytest.fixture(scope="module")
def posts():
    """Half of the words are three times as common in one class as in the other."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, POSTS)
    common = np.where((np.arange(WORDS) % 2)[None] == labels[:, None], 0.6, 0.2)
    bags = (rng.random((POSTS, WORDS)) < common).astype(np.uint8)
    parts = (bags[:50], labels[:50], bags[50:], labels[50:])
    return make_dataset("posts", *parts, image_shape=(1, WORDS), white=1, classes=2)


@pytest.fixture(scope="module")
def table(posts):
    return ng.newsgroups(SETTINGS, [0, 1], posts, None)


def test_divisions_hold_every_post_once(posts):
    whole = np.concatenate([posts.train_images, posts.test_images])
    for order, parts, first in (("file", 7, 52), ("shuffled", 4, 48)):
        division = ng.divide(posts, order, parts, seed=3)
        assert len(division.labels["training"]) == first
        together = np.concatenate([division.features[part] for part in ng.PARTS])
        assert sorted(map(bytes, together)) == sorted(map(bytes, whole))
        assert np.array_equal(together, whole) is (order == "file")
    again, other = (ng.divide(posts, "shuffled", 4, seed) for seed in (3, 4))
    assert np.array_equal(division.features["test"], again.features["test"])
    assert not np.array_equal(division.features["test"], other.features["test"])
    with pytest.raises(StudyError, match="leave 0 to test"):
        ng.divide(posts, "file", 200, 0)


def test_one_layer_network_is_gradient_descent(posts):
    learning = ng.Learning(10, 1.0, 0.01, 0.01, (1, 3))
    division = ng.divide(posts, "file", 7, 0)
    found = ng.train_rectified(division, learning, seed=5)
    weights = ng._first_weights(division, learning, 5)[0]
    features, labels = division.features["training"].astype(float), division.labels["training"]
    expected = []
    for epoch in range(1, 4):
        for x, label in zip(features, labels, strict=True):
            y = np.maximum(x @ weights, 0)
            weights -= 0.01 * np.outer(x, 2 * (y - np.eye(2)[label]) * (y > 0))
        classes = np.maximum(features @ weights, 0).argmax(axis=1)
        if epoch in learning.epochs:
            expected.append(100 * np.mean(classes != labels))
    assert [row["training_error_percent"] for row in found] == pytest.approx(expected)
    assert [row["epoch"] for row in found] == [1, 3]


def test_everything_learns_and_is_deterministic(posts, table):
    pd.testing.assert_frame_equal(table, ng.newsgroups(SETTINGS, [0, 1], posts, None))
    last = last_epochs(table)
    assert len(last) == 2 * 2 * 5
    # A network may start with an output that is silent for every post, and then never learns it.
    best = last.groupby(["division", "classifier"])["training_error_percent"].min()
    assert best.max() < 20
    assert set(table["classifier"]) == {ng.RELU, *ng.SPIKING, *ng.MACHINES}
    assert not table["diverged"].any()
    assert set(ng.MACHINES) == set(KERNELS)
    of_machines = table[table["classifier"].isin(ng.MACHINES)]
    assert (of_machines["epoch"] == 0).all()


def test_what_depends_on_the_seed_is_said_so(table):
    """Where no random stream enters, seeds agree; the division's name says how it is ordered."""
    assert DIVISIONS[IN_FILE_ORDER]["order"] == ng.FILE_ORDER
    for (division, kind), rows in last_epochs(table).groupby(["division", "classifier"]):
        if not enters_chance(division, kind):
            assert division == IN_FILE_ORDER and kind in ng.MACHINES
            assert (rows[list(ERRORS)].nunique() == 1).all()
    assert enters_chance("shuffled_4to1", "svm_rbf") and enters_chance(IN_FILE_ORDER, "relu")


def test_a_network_that_diverges_is_a_row(posts):
    wild = SETTINGS | {
        "learning_rate": 1e9,
        "rectified_learning_rate": 1e9,
        "divisions": {"a": DIVISIONS["file_order"]},
    }
    table = ng.newsgroups(wild, [0], posts, None)
    networks = table[table["classifier"].isin(ng.SPIKING)]
    assert networks["diverged"].all() and networks["test_error_percent"].isna().all()
    assert list(networks["epoch"]) == [1, 1]


def test_markdown_has_both_numbers(table):
    printed = {
        "rows": [
            {"network": name, "test_error_percent": test, "training_error_percent": training}
            for name, test, training in (
                ("1 Layer NN", 2.278, 0.127),
                ("Spiking Regressor", 2.278, 0.82),
                ("SVM", 4.82, 0),
            )
        ]
    }
    text = table3_1_markdown(table, printed)
    lines = text.splitlines()
    assert len([line for line in lines if line.startswith("|")]) == 2 + 2 * 5
    assert "7 : 1 in the order of the file (52 : 8 of posts)" in lines[2] and "2.278" in lines[2]
    assert "0.82" in text and "4.82" in text and "Gaussian" in text
    # In the order of the file a machine is the same for every seed: no interval.
    machines = [line for line in lines if "support vector machine," in line]
    assert ["±" in line for line in machines] == [False, False, True, True]
    assert "kernel of its machine" not in text, "made-up posts say nothing about the thesis"


def test_kernel_that_is_nearer_to_the_printed_errors():
    printed = {"SVM": {"test_error_percent": 4.82, "training_error_percent": 0}}
    rows = [
        ("file_order", "svm_linear", 9.7, 0.0),
        ("file_order", "svm_rbf", 6.9, 0.5),
        ("shuffled", "svm_linear", 4.6, 0.0),
        ("shuffled", "svm_rbf", 3.8, 0.0),
    ]
    table = pd.DataFrame(rows, columns=["division", "classifier", *ERRORS])
    text = kernel_note(table.assign(data_set="newsgroups"), printed)
    assert "in the order of the file: Gaussian (test), linear (training);" in text
    assert "shuffled: linear (test), linear and Gaussian (training)." in text
    assert kernel_note(table.assign(data_set="breast_cancer"), printed) == ""


def test_settings_that_cannot_be_meant_are_refused():
    check_divisions("sweep.newsgroups", SETTINGS)
    for change, message in (
        ({"order": "random"}, "divisions.a.order: found 'random'"),
        ({"training_parts": 0}, "divisions.a.training_parts: found 0"),
        ({"protocol": "as_told"}, "divisions.a.protocol: found 'as_told'"),
        ({"parts": 7}, "expected protocol, order, training_parts"),
    ):
        with pytest.raises(StudyError, match=message):
            divisions = {"a": DIVISIONS["file_order"] | change}
            check_divisions("sweep.newsgroups", {"divisions": divisions})
    with pytest.raises(StudyError, match="expected increasing"):
        check_divisions("sweep.newsgroups", {"epochs_tested": [5, 2]})
    with pytest.raises(StudyError, match="'divisions' was not found"):
        ng.newsgroups({}, [0], None, None)
    with pytest.raises(StudyError, match="no data set was found"):
        ng.newsgroups(SETTINGS, [0], None, None)
