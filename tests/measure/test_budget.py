"""Error against cost: values of curves whose crossing is known."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.measure.budget import cost_to_reach, error_at

COSTS, ERRORS = [1.0, 2.0, 4.0, 8.0], [50.0, 10.0, 20.0, 4.0]


def test_error_between_points_lies_on_a_straight_line():
    found = error_at(COSTS, ERRORS, [1.0, 1.25, 3.0, 8.0])
    assert np.array_equal(found, [50.0, 40.0, 15.0, 4.0])


def test_a_budget_outside_of_the_curve_has_no_error():
    assert np.isnan(error_at(COSTS, ERRORS, [0.5, 9.0])).all()


@pytest.mark.parametrize(
    ("level", "cost"),
    # The first crossing counts, although the curve rises again after it.
    [(30.0, 1.5), (10.0, 2.0), (12.0, 1.95), (8.0, 7.0), (50.0, 1.0), (60.0, 1.0)],
)
def test_cost_of_the_first_crossing(level, cost):
    assert cost_to_reach(COSTS, ERRORS, level) == pytest.approx(cost, rel=1e-12)


def test_a_level_that_is_never_reached_has_no_cost():
    assert np.isnan(cost_to_reach(COSTS, ERRORS, 3.9))


def test_what_is_not_a_number_is_never_low_enough():
    assert cost_to_reach([1, 2, 3], [np.nan, np.nan, 5.0], 6.0) == 3.0
    assert np.isnan(cost_to_reach([1, 2], [np.nan, np.nan], 6.0))


@pytest.mark.parametrize("curve", [([1, 2], [1]), ([], []), ([2, 1], [1, 1]), ([1, 1], [1, 1])])
def test_what_is_no_curve_is_refused(curve):
    with pytest.raises(StudyError):
        cost_to_reach(*curve, 1.0)
