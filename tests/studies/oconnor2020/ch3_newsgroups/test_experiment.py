"""Table 3.1 on a few made-up posts: divisions, networks against the gradient, machines."""

import numpy as np
import pandas as pd
import pytest

from plausible.data.dataset import make_dataset
from plausible.errors import StudyError
from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_newsgroups import experiment as ng
from plausible.studies.oconnor2020.ch3_newsgroups.settings import Newsgroups
from plausible.studies.oconnor2020.ch3_newsgroups.tables import (
    ERRORS,
    IN_FILE_ORDER,
    MACHINES,
    enters_chance,
    last_epochs,
)

from .synthetic import DIVISIONS, SETTINGS

WORDS, POSTS = 20, 60


def settings(**changes):
    return read_settings(Newsgroups, SETTINGS | changes, "sweep.newsgroups")


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
    return ng.newsgroups(settings(), [0, 1], posts)


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
    learning = settings(learning_rate=1.0, epochs_tested=[1, 3])
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
        if epoch in learning.epochs_tested:
            expected.append(100 * np.mean(classes != labels))
    assert [row["training_error_percent"] for row in found] == pytest.approx(expected)
    assert [row["epoch"] for row in found] == [1, 3]


def test_everything_learns_and_is_deterministic(posts, table):
    pd.testing.assert_frame_equal(table, ng.newsgroups(settings(), [0, 1], posts))
    last = last_epochs(table)
    assert len(last) == 2 * 2 * 5
    # A network may start with an output that is silent for every post, and then never learns it.
    best = last.groupby(["division", "classifier"])["training_error_percent"].min()
    assert best.max() < 20
    assert set(table["classifier"]) == {ng.RELU, *ng.SPIKING, *ng.MACHINES}
    assert not table["diverged"].any()
    assert ng.MACHINES == MACHINES
    of_machines = table[table["classifier"].isin(ng.MACHINES)]
    assert (of_machines["epoch"] == 0).all()


def test_what_depends_on_the_seed_is_said_so(table):
    """Where no random stream enters, seeds agree; the division's name says how it is ordered."""
    assert DIVISIONS[IN_FILE_ORDER]["order"] == "file"
    for (division, kind), rows in last_epochs(table).groupby(["division", "classifier"]):
        if not enters_chance(division, kind):
            assert division == IN_FILE_ORDER and kind in ng.MACHINES
            assert (rows[list(ERRORS)].nunique() == 1).all()
    assert enters_chance("shuffled_4to1", "svm_rbf") and enters_chance(IN_FILE_ORDER, "relu")


def test_a_network_that_diverges_is_a_row(posts):
    wild = settings(
        learning_rate=1e9,
        rectified_learning_rate=1e9,
        divisions={"a": DIVISIONS["file_order"]},
    )
    table = ng.newsgroups(wild, [0], posts)
    networks = table[table["classifier"].isin(ng.SPIKING)]
    assert networks["diverged"].all() and networks["test_error_percent"].isna().all()
    assert list(networks["epoch"]) == [1, 1]


def test_without_a_data_set_nothing_is_trained():
    with pytest.raises(StudyError, match="no data set was found"):
        ng.newsgroups(settings(), [0], None)
