"""Settings of the quantizers and limits: what is refused, in one sentence."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep

PART = "oconnor2020.ch3_quantization"


@pytest.mark.parametrize(
    ("sweep", "settings", "words"),
    [
        ("quantizers", {"steps": 0}, ["steps: found 0", "1"]),
        ("quantizers", {"input_means": [0.1, "much"]}, ["input_means[1]: found 'much'"]),
        ("spiking_limit", {"layer_sizes": [784]}, ["layer_sizes", "at least 2"]),
        ("spiking_limit", {"weight_std": {"as_coded": 0.0}}, ["weight_std.as_coded", "above 0"]),
        ("spiking_limit", {"weight_std": {"coded": 0.1}}, ["coded", "as_coded"]),
        ("spiking_gradient", {"training": {"drawn": -1}}, ["training.drawn: found -1", "from 0"]),
        ("spiking_gradient", {"steps": []}, ["steps", "at least 1"]),
        ("event_graphs", {"layers": [3]}, ["'layers'", "layer_sizes"]),
        ("theorems", {"integer_images": 0.5}, ["integer_images", "0.5", "whole number"]),
    ],
)
def test_settings_that_cannot_be_meant_are_said(sweep, settings, words):
    with pytest.raises(StudyError) as caught:
        read_sweep(PART, sweep, **settings)
    message = str(caught.value)
    assert all(word in message for word in [f"sweep.{sweep}", *words]), message
    assert message.endswith(".") and "\n" not in message


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
def test_the_study_file_is_allowed_and_complete(scale):
    for sweep in ("quantizers", "spiking_limit", "spiking_gradient", "event_graphs", "theorems"):
        assert read_sweep(PART, sweep, scale)
