"""Accuracy and t intervals."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from plausible.measure.accuracy import accuracy_percent, mean_interval, possible_percent


def test_accuracy_counts_hits():
    assert accuracy_percent([1, 2, 3, -1], [1, 2, 0, 3]) == 50.0
    assert accuracy_percent(np.array([math.nan, 1.0]), np.array([0, 1])) == 50.0


@pytest.mark.parametrize(("predicted", "labels"), [([], []), ([1], [1, 2]), ([[1]], [[1]])])
def test_accuracy_refuses_what_has_none(predicted, labels):
    with pytest.raises(ValueError):
        accuracy_percent(predicted, labels)


def test_interval_against_a_table_of_student_t():
    # Quantile t(0.975, 4 degrees of freedom) = 2.7764 from printed tables.
    values = [1.0, 2.0, 3.0, 4.0, 5.0]
    interval = mean_interval(values)
    half = 2.7764 * math.sqrt(2.5) / math.sqrt(5.0)
    assert interval.mean == 3.0
    assert interval.low == pytest.approx(3.0 - half, abs=1e-4)
    assert interval.high == pytest.approx(3.0 + half, abs=1e-4)


def test_interval_of_one_value_has_no_bounds():
    interval = mean_interval([7.5])
    assert interval.mean == 7.5
    assert math.isnan(interval.low) and math.isnan(interval.high)


def test_nan_does_not_vanish_from_the_mean():
    assert all(math.isnan(part) for part in mean_interval([1.0, math.nan, 2.0]))


@pytest.mark.parametrize("confidence", [0.0, 1.0, -1.0])
def test_interval_refuses_impossible_confidence(confidence):
    with pytest.raises(ValueError, match="confidence"):
        mean_interval([1.0, 2.0], confidence)


def test_interval_refuses_nothing():
    with pytest.raises(ValueError):
        mean_interval([])


@settings(deadline=None)  # a loaded machine is no failure
@given(values=st.lists(st.floats(-100.0, 100.0), min_size=2, max_size=8), shift=st.floats(-50, 50))
def test_interval_contains_the_mean_and_moves_with_it(values, shift):
    here, there = mean_interval(values), mean_interval(np.array(values) + shift)
    assert here.low <= here.mean <= here.high
    assert there.low == pytest.approx(here.low + shift, abs=1e-9)
    wide = mean_interval(values, 0.99)
    assert wide.low <= here.low and wide.high >= here.high


def test_an_interval_of_a_percentage_stays_possible():
    """Around 5 % of error, -5 to 15 %; a narrow one hardly moves, one around nothing not at all."""
    low, high = possible_percent(5.0, -5.0, 15.0)
    # Half-width 0.1 / (0.05 * 0.95) on the logit of 1 / 19.
    factor = np.exp(0.1 / (0.05 * 0.95))
    assert low == pytest.approx(100 / (1 + 19 * factor))
    assert high == pytest.approx(100 / (1 + 19 / factor))
    assert possible_percent(50.0, 49.9, 50.1) == pytest.approx((49.9, 50.1), abs=1e-6)
    assert possible_percent(100.0, 99.0, 101.0) == (99.0, 101.0)
