"""Additions of a forward pass, counted one by one and told by the spikes."""

import pytest

from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_learning.experiment_additions import (
    COLUMNS,
    counted_additions,
)
from plausible.studies.oconnor2020.ch3_learning.settings import CountedAdditions

from .small_images import SHARED, small_images


@pytest.fixture(scope="module")
def images():
    return small_images()


def experiment(images, **changes):
    settings = read_settings(CountedAdditions, {**SHARED, "images": 4, **changes}, "sweep.test")
    return counted_additions(settings, [0, 1], images)


def test_every_image_adds_a_row_for_each_spike(images):
    """And the size of the layer itself in its place gives another number."""
    table = experiment(images)
    assert list(table.columns) == list(COLUMNS)
    assert list(table["image"]) == 2 * [0, 1, 2, 3] and list(table["seed"]) == 4 * [0] + 4 * [1]
    assert (table["counted"] == table["fan_out"]).all() and table["counted"].min() > 0
    assert (table["counted"] != table["own_size"]).all()


def test_the_network_is_trained_before(images):
    longer = experiment(images, learning_rate=0.5)
    assert longer["counted"].tolist() != experiment(images)["counted"].tolist()
