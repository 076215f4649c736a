"""Settings of the drawings, of the properties and of the detection: what is refused."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep

PART = "song2020.properties"
SWEEPS = ("fig1", "fig2", "notation", "properties", "detection")


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
@pytest.mark.parametrize("sweep", SWEEPS)
def test_the_study_file_is_read(sweep, scale):
    assert read_sweep(PART, sweep, scale).shards == 1


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("fig1", {"layer_sizes": [3]}, "layer_sizes: .*at least 2"),
        ("fig1", {"layer_sizes": [3, 0]}, r"layer_sizes\[1\]: found 0"),
        ("fig2", {"gamma": 0}, "sweep.fig2.gamma: found 0, where a number above 0"),
        ("fig2", {"il_steps": 9}, "sweep.fig2: .*after 9 inference steps, .*T = 8"),
        ("fig2", {"layer_sizes": [4] * 12}, "sweep.fig2: .*10 at l_max = 11, .*T = 8"),
        ("properties", {"il_gamma": float("nan")}, "il_gamma: found nan, where a finite number"),
        ("properties", {"steps": 2}, "sweep.properties: .*T = 2"),
        ("properties", {"il_steps": 3, "steps": 3}, r"the last moment t = l is 4.*T = 3"),
        ("properties", {"detection_steps": 0}, "detection_steps: found 0"),
        ("detection", {"tolerances": [-1.0e-6]}, r"tolerances\[0\]: found -1e-06"),
        ("detection", {"l_max": [1]}, r"l_max\[0\]: found 1, where a number from 2"),
        ("detection", {"steps": 2}, "sweep.detection: the last moment t = l is 3 .*T = 2"),
        ("detection", {"detection_steps": [0, 1]}, r"detection_steps\[0\]: found 0"),
        ("detection", {"images": 0}, "images: found 0"),
        ("detection", {"images": 25}, "images is 25, where a multiple of batch_size = 20"),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(sweep, changes, words):
    with pytest.raises(StudyError, match=words) as caught:
        read_sweep(PART, sweep, **changes)
    message = str(caught.value)
    assert message.startswith(f"sweep.{sweep}") and message.endswith(".") and "\n" not in message


@pytest.mark.parametrize(
    ("sweep", "name"), [("fig2", "il_steps"), ("detection", "tolerances"), ("properties", "steps")]
)
def test_a_missing_setting_is_named(sweep, name):
    with pytest.raises(StudyError, match=f"the setting '{name}' was not found"):
        read_sweep(PART, sweep, without=name)
