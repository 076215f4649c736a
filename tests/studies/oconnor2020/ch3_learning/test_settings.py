"""Settings of chapter 3's trainings: what the study file states, and what is refused."""

from typing import get_args

import pytest

from plausible.errors import StudyError
from plausible.kernels.deep_spiking_types import BACK_RESETS, ROUTINGS_AS_CODED, UPDATES
from plausible.settings import read_settings
from plausible.studies.oconnor2020.ch3_learning.experiment import runs
from plausible.studies.oconnor2020.ch3_learning.settings import ErrorSpikes, Rule, SpikingTraining
from plausible.yaml_files import read_yaml

from ...part_results import published_of, read_sweep
from .small_images import SETTINGS, SHARED

PART = "oconnor2020.ch3_learning"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"learning_rate": 0}, ["learning_rate", "found 0", "above 0"]),
        ({"learning_rate": float("inf")}, ["learning_rate", "finite"]),
        ({"initial_deviation": -0.1}, ["initial_deviation", "-0.1"]),
        ({"test_epochs": [0, -1]}, ["test_epochs[1]", "-1"]),
        ({"tested_parts": ["tset"]}, ["tested_parts", "tset", "thesis"]),
        ({"anytime_steps": 2.5}, ["anytime_steps", "2.5"]),
        ({"hidden_sizes": [0]}, ["hidden_sizes[0]", "found 0"]),
        ({"variants": {"a": {"update": "sdg"}}}, ["variants.a.update", "sdg", "fsgd"]),
        ({"variants": {"a": {"form": "vector"}}}, ["variants.a.form", "rectified"]),
        ({"variants": {"a": {"smoth": True}}}, ["variants.a", "smoth", "smooth"]),
        (
            {"variants": {"a": {"form": "rectified", "back_reset": "zero"}}},
            ["variants.a", "'back_reset'", "'rectified'", "no error spikes"],
        ),
        (
            {"variants": {"a": {"protocols": ["as_published"]}}},
            ["variants.a.protocols", "as_published", "one of as_coded"],
        ),
        ({"protocols": {"as_told": {}}}, ["protocols", "as_told", "as_coded"]),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(change, words):
    with pytest.raises(StudyError) as caught:
        read_settings(SpikingTraining, SETTINGS | change, "sweep.test")
    message = str(caught.value)
    assert message.startswith("sweep.test") and message.endswith(".") and "\n" not in message
    for word in words:
        assert word in message, message


def test_a_missing_setting_is_one_sentence():
    few = {key: value for key, value in SETTINGS.items() if key != "anytime_steps"}
    with pytest.raises(StudyError, match="'anytime_steps' was not found"):
        read_settings(SpikingTraining, few, "sweep.test")


def test_error_spikes_are_counted_in_spiking_networks_alone():
    read_settings(ErrorSpikes, SHARED, "sweep.test")
    with pytest.raises(StudyError, match=r"variants\.a: 'form' is no setting here"):
        read_settings(ErrorSpikes, SHARED | {"variants": {"a": {"form": "rectified"}}}, "sweep.x")


@pytest.mark.parametrize(
    ("key", "known"),
    [("update", UPDATES), ("routing", ROUTINGS_AS_CODED), ("back_reset", BACK_RESETS)],
)
def test_every_option_of_the_rule_can_be_stated(key, known):
    """And none that the rule does not have: each makes a rule of its own."""
    assert set(get_args(Rule.model_fields[key].annotation)) == set(known)
    variants = {name: {"update": "fsgd", key: name} for name in known}
    stated = read_settings(SpikingTraining, SETTINGS | {"variants": variants}, "sweep.test")
    rules = [run.spec.rule for run in runs(stated, [0])]
    assert len(set(rules)) == len(known)


def test_a_networks_own_values_beat_those_of_its_protocol():
    settings = read_settings(
        SpikingTraining,
        SETTINGS
        | {
            "protocols": {"as_coded": {"epochs": 3, "steps": 7}},
            "variants": {"a": {"steps": 5, "learning_rate": None}},
        },
        "sweep.test",
    )
    assert settings.of("as_coded", "a") == {"steps": 5, "learning_rate": 0.05, "epochs": 3}


def test_a_job_of_the_paper_scale_is_one_run(project_root):
    listed = runs(read_sweep(PART, "mnist_training"), range(5))
    part = read_yaml(project_root / "workflow/studies/oconnor2020/ch3_learning.yaml")
    assert part["sweep"]["mnist_training"]["shards"]["paper"] == len(listed) == 18
    # Every network of table 3.2 has all five seeds.
    for name in ("sgd", "fsgd", "relu"):
        seeds = [run.seed for run in listed if run.network == name]
        assert sorted(seeds) == [0, 1, 2, 3, 4]


def test_table_a1_has_all_ten_settings_in_both_readings():
    listed = runs(read_sweep(PART, "hyperparameters"), [0])
    coded, published = (
        {run.network for run in listed if run.protocol == name}
        for name in ("as_coded", "as_published")
    )
    assert len(coded) == 10 and coded - published == {"depth_first"}
    # Every row that is printed is a network here.
    printed = {row["id"] for row in published_of(PART).values("table_a1")["rows"]}
    assert coded - printed == {"depth_first_held"}
