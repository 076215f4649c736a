"""Settings of chapter 1: what is refused, in one sentence."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep

PART = "oconnor2020.ch1"
WINDOW = {"a_plus": 1.0, "a_minus": 0.5, "tau_plus_s": 0, "tau_minus_s": 0.04}


@pytest.mark.parametrize(
    ("sweep", "settings", "words"),
    [
        ("hopfield_recall", {"loads": [0.05, 0.0]}, ["loads[1]", "0.0", "above 0"]),
        ("hopfield_recall", {"loads": []}, ["loads", "at least 1"]),
        ("hopfield_recall", {"turned_fraction": 1.2}, ["turned_fraction", "1.2", "up to 1"]),
        ("hopfield_recall", {"swepes": 3}, ["'swepes'", "nearest: `sweeps`"]),
        ("hopfield_capacity", {"networks": 2.5}, ["networks", "2.5", "whole number"]),
        ("spiking_neurons", {"alpha": 1.0}, ["alpha", "1.0", "below 1"]),
        ("spiking_neurons", {"windows": {"one": WINDOW}}, ["windows.one.tau_plus_s", "above 0"]),
        ("spiking_neurons", {"weight_mean": "big"}, ["weight_mean", "big", "a number"]),
        ("gaps", {"units": 3}, ["'units'"]),
    ],
)
def test_settings_that_cannot_be_meant(sweep, settings, words):
    with pytest.raises(StudyError) as caught:
        read_sweep(PART, sweep, **settings)
    message = str(caught.value)
    assert all(word in message for word in [f"sweep.{sweep}", *words]), message
    assert message.endswith(".") and "\n" not in message


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
def test_the_study_file_is_allowed_and_complete(scale):
    for sweep in ("gaps", "hopfield_recall", "hopfield_capacity", "spiking_neurons"):
        read_sweep(PART, sweep, scale)
    assert read_sweep(PART, "spiking_neurons", "paper").windows["example"].tau_minus_s == 0.034


def test_a_missing_setting_is_named():
    with pytest.raises(StudyError, match="'loads' was not found"):
        read_sweep(PART, "hopfield_recall", without="loads")
