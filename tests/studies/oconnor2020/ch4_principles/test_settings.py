"""Settings of chapter 4's principles: those of the thesis, and those that are refused."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.reproduction.settings import ExperimentSettings

from ...part_results import read_sweep

PART = "oconnor2020.ch4_principles"
SWEEPS = ("four_networks", "random_scales", "small_networks", "temporal_mnist")
CHANGES = {"layer_sizes": [2, 2], "frames": 9, "scales": [1.0]}


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
@pytest.mark.parametrize("sweep", SWEEPS)
def test_settings_of_the_study_file_are_allowed(sweep, scale):
    assert read_sweep(PART, sweep, scale).shards == 1


def test_published_settings():
    figure = read_sweep(PART, "random_scales")
    assert figure.layer_sizes == (100,) * 4 and np.prod(figure.weight_factors) == 1.0
    assert figure.random_triples == 1000 and len(figure.lambdas) == 6
    temporal = read_sweep(PART, "temporal_mnist")
    assert (temporal.published_buffer, temporal.snippets) == (1000, 8)


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("four_networks", {"layer_sizes": [3, 0]}, ["layer_sizes[1]", "0", "from 1"]),
        ("four_networks", {"layer_sizes": [3]}, ["layer_sizes", "at least 2"]),
        ("four_networks", {"frame": 3}, ["'frame' is no setting", "frames"]),
        ("random_scales", {"weight_factors": [1.0, -8.0, 1.0]}, ["weight_factors[1]", "above 0"]),
        ("random_scales", {"weight_factors": [1.0, 8.0]}, ["2 weight_factors", "3 matrices"]),
        ("random_scales", {"triple_mean": "three"}, ["triple_mean", "three", "a number"]),
        ("random_scales", {"triple_mean": float("inf")}, ["triple_mean", "inf", "finite"]),
        ("random_scales", {"lambdas": []}, ["lambdas", "at least 1"]),
        (
            "small_networks",
            {"change_rate": {**CHANGES, "correlations": [1.5]}},
            ["change_rate.correlations[0]", "1.5", "up to 1"],
        ),
        (
            "small_networks",
            {"change_rate": CHANGES},
            ["change_rate", "'correlations' was not found"],
        ),
        ("small_networks", {"noise_training": {"lambda": -1.0}}, ["noise_training"]),
        ("temporal_mnist", {"buffer_sizes": [10.5]}, ["buffer_sizes[0]", "10.5", "whole number"]),
    ],
)
def test_settings_that_cannot_be_meant(sweep, changes, words):
    with pytest.raises(StudyError) as caught:
        read_sweep(PART, sweep, **changes)
    message = str(caught.value)
    assert message.endswith(".") and "\n" not in message
    for word in (f"sweep.{sweep}", *words):
        assert word in message, message


@pytest.mark.parametrize("sweep", SWEEPS)
def test_a_setting_that_is_missing(sweep):
    own = set(type(read_sweep(PART, sweep)).model_fields) - set(ExperimentSettings.model_fields)
    name = min(own)
    with pytest.raises(StudyError, match=f"the setting '{name}' was not found"):
        read_sweep(PART, sweep, without=name)
