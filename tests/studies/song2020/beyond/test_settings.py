"""Settings of what lies beyond the paper: what is refused."""

import pytest

from plausible.errors import StudyError
from plausible.kernels import predictive_types

from ...part_results import read_sweep

PART = "song2020.beyond"


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
@pytest.mark.parametrize("sweep", ["float32", "energy", "prediction", "batches"])
def test_the_study_file_is_read(sweep, scale):
    assert read_sweep(PART, sweep, scale).l_max == (2, 3, 4)


@pytest.mark.parametrize(
    ("sweep", "changes", "words"),
    [
        ("energy", {"gammas": [0.1, -0.5]}, r"gammas\[1\]: found -0.5, where a number above 0"),
        ("energy", {"sigmas": [0.0, "big"]}, r"sigmas\[1\]: found 'big', where a number"),
        ("energy", {"steps": 0}, "steps: found 0"),
        ("prediction", {"gammas": [-0.5]}, r"gammas\[0\]: found -0.5"),
        ("prediction", {"sigma": -1.0}, "sigma: found -1"),
        ("float32", {"dtypes": ["float46"]}, r"dtypes\[0\]: found 'float46'.*float64"),
        ("float32", {"dtypes": []}, "dtypes: .*at least 1"),
        ("batches", {"learning_rates": {"sgd": 0.02, "adam": 0}}, "rates.adam: found 0"),
        ("batches", {"learning_rates": {"smd": 0.02}}, "smd"),
        ("batches", {"reading": {"gian": 2.0}}, "reading: 'gian' is no .*gain"),
    ],
)
def test_a_value_that_cannot_be_meant_is_one_sentence(sweep, changes, words):
    with pytest.raises(StudyError, match=words) as caught:
        read_sweep(PART, sweep, **changes)
    message = str(caught.value)
    assert message.startswith(f"sweep.{sweep}") and message.endswith(".") and "\n" not in message


def test_the_optimisers_are_those_of_the_compiled_network():
    rates = dict.fromkeys(predictive_types.OPTIMIZERS, 0.01)
    assert dict(read_sweep(PART, "batches", learning_rates=rates).learning_rates) == rates
