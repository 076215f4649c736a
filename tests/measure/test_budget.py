"""Error against cost: values of curves whose crossing is known."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.measure.budget import cost_to_reach, error_at, gain_over

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


def curves(**changed):
    """One rule learns faster by epochs, at twice the price."""
    rows = {
        ("fast", 0): ([1, 2, 3], [2, 4, 6], [20.0, 8.0, 4.0]),
        ("slow", 0): ([1, 2, 3], [1, 2, 3], [30.0, 20.0, 12.0]),
        ("fast", 1): ([1, 2, 3], [2, 4, 6], [22.0, 9.0, 5.0]),
        ("slow", 1): ([1, 2, 3, 4, 5], [1, 2, 3, 4, 5], [30.0, 20.0, 10.0, 6.0, 4.0]),
        ("slow", 2): ([1], [1], [30.0]),
    } | changed
    return pd.concat(
        pd.DataFrame({"network": name, "seed": seed, "epoch": epoch, "cost": cost,
                      "error_percent": error})
        for (name, seed), (epoch, cost, error) in rows.items()
    )  # fmt: skip


def points(found):
    return {(row.seed, row.epoch): row.points for row in found.itertuples()}


def test_gain_is_taken_seed_by_seed_at_the_same_epoch_or_cost():
    equal = points(gain_over(curves(), "fast", "slow", "epoch"))
    assert equal == {
        (0, 1): 10, (0, 2): 12, (0, 3): 8, (1, 1): 8, (1, 2): 11, (1, 3): 5,
    }  # fmt: skip
    # A slow training that ends before it has cost as much has no error there.
    assert points(gain_over(curves(), "fast", "slow", "cost")) == {
        (0, 1): 0, (1, 1): -2, (1, 2): -3,
    }  # fmt: skip
    reversed_gain = points(gain_over(curves(), "slow", "fast", "epoch"))
    assert reversed_gain == {key: -value for key, value in equal.items()}


def test_the_error_of_the_rival_lies_on_its_curve():
    table = curves().astype({"cost": float})
    table.loc[table["network"] == "fast", "cost"] -= 0.75
    found = points(gain_over(table, "fast", "slow", "cost"))
    assert found[0, 1] == 27.5 - 20.0 and found[1, 2] == 9.0 - 9.0


def test_a_run_without_errors_gains_nothing():
    table = curves()
    lost = (table["network"] == "fast") & (table["seed"] == 0) & (table["epoch"] > 1)
    table.loc[lost, "error_percent"] = np.nan
    assert set(points(gain_over(table, "fast", "slow", "epoch"))) == {
        (0, 1), (1, 1), (1, 2), (1, 3),
    }  # fmt: skip
    alone = gain_over(table[table["network"] == "fast"], "fast", "slow", "epoch")
    assert alone.empty and list(alone.columns) == ["epoch", "seed", "points"]
