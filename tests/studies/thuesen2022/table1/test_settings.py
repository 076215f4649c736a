"""Settings of the experiments on spiking networks: every rule refuses what breaks it."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("fig4", {"images": 0}, "images: found 0, where a number from 1"),
        ("fig6", {"digit": 10}, "digit: found 10, where a number up to 9"),
        ("fig6", {"digits": 7}, "'digits' is no setting here.*digit"),
        ("input_rate", {"input_rates_hz": []}, "input_rates_hz.*a list of at least 1"),
        ("input_rate", {"input_rates_hz": [0]}, r"input_rates_hz\[0\]: found 0"),
        ("input_rate", {"softplus_gamma": "0.05"}, "softplus_gamma: found '0.05', where a number"),
        ("conversion_diagnostic", {"sampled_points": 0}, "sampled_points: found 0"),
        ("conversion_diagnostic", {"without": "images"}, "'images' was not found"),
    ],
)
def test_a_wrong_setting_is_named(sweep, changes, words):
    with pytest.raises(StudyError, match=words):
        read_sweep("thuesen2022.table1", sweep, "demo", **changes)
