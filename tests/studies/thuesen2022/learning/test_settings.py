"""Settings of the experiments on learning: every rule refuses what breaks it."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("zil_equals_backprop", {"training": {"hidden_size": [3]}}, "training.*hidden_sizes"),
        (
            "zil_equals_backprop",
            {"training": {"learning_rate": 0}},
            "learning_rate: found 0, where",
        ),
        ("zil_equals_backprop", {"dtypes": ["float16"]}, r"dtypes\[0\]: found 'float16'"),
        ("zil_equals_backprop", {"dtypes": []}, "a list of at least 1"),
        ("zil_equals_backprop", {"steps": 99}, "steps is 99, so the published step 100 is never"),
        ("zil_equals_backprop", {"steps": True}, "steps: found True, where a whole number"),
        ("activation_scaling", {"activation_scales": [0.0]}, r"activation_scales\[0\]"),
        ("activation_scaling", {"window_steps": 0}, "window_steps: found 0"),
        ("activation_scaling", {"other_learning_rates": []}, "a list of at least 1"),
        ("il_cost", {"layer_sizes": [10, 10]}, "layer_sizes.*a list of at least 3"),
        ("il_cost", {"equilibrium_change": 0}, "equilibrium_change: found 0"),
        ("il_cost", {"inference_step_size": 0}, "inference_step_size: found 0"),
        ("il_cost", {"warm_up": -1}, "warm_up: found -1, where a number from 0"),
        ("il_cost", {"warmup": 1}, "'warmup' is no setting here.*warm_up"),
        ("theorems", {"without": "he_networks"}, "'he_networks' was not found"),
    ],
)
def test_a_wrong_setting_is_named(sweep, changes, words):
    with pytest.raises(StudyError, match=words):
        read_sweep("thuesen2022.learning", sweep, "demo", **changes)
