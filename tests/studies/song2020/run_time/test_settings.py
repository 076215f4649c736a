"""Settings of the run times: what is refused."""

import pytest

from plausible.errors import StudyError

from ...part_results import read_sweep

PART = "song2020.run_time"


def test_the_study_file_is_read():
    assert read_sweep(PART, "run_time").networks["imagenet"].layer_sizes[0] == 224**2
    assert read_sweep(PART, "run_time", "demo").networks["imagenet"].layer_sizes[0] == 112**2


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"repetitions": 0}, "repetitions: found 0, where a number from 5"),
        ({"warm_up": 0}, "warm_up: found 0"),
        ({"networks": {}}, "networks"),
        ({"networks": {"one": {"layer_sizes": [3, 2]}}}, "one: .*'batch_size' was not found"),
        ({"il_gamma": 0.0}, "il_gamma: found 0"),
        ({"tolerance": -0.1}, "tolerance: found -0.1"),
        ({"repetition": 5}, "'repetition' is no setting here.*repetitions"),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(changes, words):
    with pytest.raises(StudyError, match=words) as caught:
        read_sweep(PART, "run_time", **changes)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)
