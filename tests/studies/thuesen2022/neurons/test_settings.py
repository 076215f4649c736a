"""Settings of the experiments on single neurons: every rule refuses what breaks it."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("fig2a", {"without": "points"}, "'points' was not found"),
        ("fig2a", {"point": 3}, "'point' is no setting.*points"),
        ("fig2a", {"points": 5}, "points: found 5, where a number from 20"),
        ("fig2a", {"current_max": 1.0}, "current_max: found 1.0, where a number above 1"),
        ("fig2a", {"softplus_gammas": []}, "a list of at least 1"),
        ("fig2a", {"softplus_gammas": [0.1, 0.0]}, r"softplus_gammas\[1\]: found 0.0"),
        ("fig2a", {"as_coded_rate_offset": -1e-12}, "a number from 0"),
        ("fig2b", {"lif_repetitions": 1.5}, "lif_repetitions: found 1.5, where a whole number"),
        ("fig2b", {"lif_duration_s": 0.0005}, "lif_duration_s is 0.0005 s, shorter than one"),
        ("fig2c", {"activation_scale": 0}, "activation_scale: found 0, where a number above 0"),
        ("alpha_filter_tau", {"published_time_constant_s": 0.1}, "do not enclose the published"),
        ("alpha_filter_tau", {"duration_s": 1e-4}, "duration_s is 0.0001 s, shorter than one"),
        ("poisson_noise", {"durations_s": [1.0]}, "a list of at least 2"),
        ("poisson_noise", {"durations_s": [1.0, 1e-4]}, "durations_s is 0.0001 s, shorter than"),
        ("poisson_noise", {"repetitions": 1}, "repetitions: found 1, where a number from 2"),
        ("theorems", {"euler_time_steps_s": [1e-4]}, "a list of at least 2"),
        ("theorems", {"poisson_steps": 0}, "poisson_steps: found 0"),
    ],
)
def test_a_wrong_setting_is_named(sweep, changes, words):
    with pytest.raises(StudyError, match=words):
        read_sweep("thuesen2022.neurons", sweep, "demo", **changes)
