"""Settings of the ablation: what is refused, and in which words."""

import pytest

from plausible.errors import StudyError
from plausible.kernels import predictive_types
from plausible.learning.readings import Reading

from ...part_results import read_sweep

PART = "song2020.ablation"


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
@pytest.mark.parametrize("sweep", ["grid_as_coded_elsewhere", "grid_calibrated", "calibration"])
def test_the_study_file_is_read(sweep, scale):
    settings = read_sweep(PART, sweep, scale)
    assert settings.l_max == (2, 3, 4) and (settings.epochs == 64) is (scale == "paper")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"times": ["l", 65]}, "after 65 inference steps, where there are T = 64"),
        ({"times": ["k"]}, r"times\[0\]: found 'k', where .*l.* or a whole number"),
        ({"noises": ["intial"]}, r"noises\[0\]: found 'intial'.*initial"),
        ({"gammas": [0.1, -0.5]}, r"gammas\[1\]: found -0.5, where a number above 0"),
        ({"gammas": []}, "gammas: found .*at least 1"),
        ({"l_max": [1]}, r"l_max\[0\]: found 1, where a number from 2"),
        ({"batch_size": 2.5}, "batch_size: found 2.5, where a whole number"),
        ({"batch_size": True}, "batch_size: found True, where a whole number"),
        ({"fazil_steps": -1}, "fazil_steps: found -1"),
        ({"readings": {}}, "readings"),
        ({"readings": {"one": {"activation": "sigmoyd"}}}, "one.activation: .*sigmoid"),
        ({"readings": {"one": {"activation": "relu"}}}, "one.activation: found 'relu'.*tanh"),
        ({"readings": {"one": {"gian": 2.0}}}, r"readings.one: 'gian' is no .*gain"),
        ({"readings": {"one": {"init": "he"}}}, "one.init: found 'he'.*xavier_uniform"),
        ({"readings": {"one": {"inputs": "inverted"}}}, "one.inputs: .*raw, sigmoid"),
        ({"readings": {"one": {"reduction": "max"}}}, "one.reduction: .*sum, mean"),
        ({"readings": {"one": {"learning_rate": 0}}}, "one.learning_rate: found 0"),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(changes, words):
    with pytest.raises(StudyError, match=words) as caught:
        read_sweep(PART, "grid_as_coded_elsewhere", **changes)
    message = str(caught.value)
    assert message.startswith("sweep.grid_as_coded_elsewhere") and message.endswith(".")
    assert "\n" not in message


@pytest.mark.parametrize("name", ["readings", "times", "epochs", "train_limit", "steps"])
def test_a_missing_setting_is_named(name):
    with pytest.raises(StudyError, match=f"the setting '{name}' was not found"):
        read_sweep(PART, "grid_as_coded_elsewhere", without=name)


def test_a_candidate_is_a_reading_and_its_description():
    settings = read_sweep(
        PART, "calibration", candidates={"one": {"description": "biases", "biases": True}}
    )
    candidate = settings.candidates["one"]
    assert candidate.model_dump() == {**Reading(biases=True).model_dump(), "description": "biases"}
    with pytest.raises(StudyError, match="'description' was not found"):
        read_sweep(PART, "calibration", candidates={"one": {"biases": True}})
    with pytest.raises(StudyError, match="'description' is no setting here"):
        read_sweep(PART, "grid_as_coded_elsewhere", readings={"one": {"description": "biases"}})


def test_the_names_are_those_of_the_compiled_network():
    for activation in predictive_types.ACTIVATIONS:
        assert Reading(activation=activation).activation == activation
    noises = [name for name in predictive_types.NOISES if name != "none"]
    assert list(read_sweep(PART, "grid_as_coded_elsewhere", noises=noises).noises) == noises
