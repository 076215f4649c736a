"""Judging a quantity, or several, by its values over seeds."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import evidence as ev
from plausible.reproduction.published import Published


@pytest.mark.parametrize(
    ("values", "low", "high", "holds", "decided"),
    [
        ([0.9, 1.0, 1.1], 0.0, 2.0, True, True),
        ([-1.1, -1.0, -0.9], 0.0, 2.0, False, True),
        ([-0.5, 0.1, 0.7], 0.0, 2.0, True, False),
        ([-0.7, -0.1, 0.5], 0.0, 2.0, False, False),
        ([1.0], 0.0, 2.0, True, True),
        ([3.0], 0.0, 2.0, False, True),
        ([1.0, np.nan], 0.0, 2.0, False, True),
    ],
)
def test_judge(values, low, high, holds, decided):
    judged = ev.judge(values, low, high)
    assert (judged.holds, judged.decided) == (holds, decided)


def test_judge_strictness():
    assert not ev.judge([0.0, 0.0], low=0.0).holds
    assert ev.judge([0.0, 0.0], low=0.0, strict=False) == (0, 0, 0, 2, True, True, 0)


def test_several_quantities_the_worst_is_reported():
    judged = {
        "a": ev.judge([1.0, 1.1], 0.0, 2.0),
        "b": ev.judge([1.9, 1.91], 0.0, 2.0),
        "c": ev.judge([2.2, 2.21], 0.0, 2.0),
    }
    outcome = ev.outcome_of_all(judged, "corrected")
    assert not outcome.holds and outcome.decided
    assert outcome.reproduced == pytest.approx(2.205)
    assert "a 1.05" in outcome.note
    outcome = ev.outcome_of_all({key: judged[key] for key in "ab"}, "corrected")
    assert outcome.holds and outcome.reproduced == pytest.approx(1.905)


def test_prediction_interval_covers_a_further_run():
    """Monte Carlo: of many sets of five runs, the interval holds a sixth in 95 % of the cases."""
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(4000):
        runs = rng.normal(97.0, 0.3, 6)
        low, high = ev.prediction_interval(runs[:5])
        inside += low <= runs[5] <= high
    assert inside / 4000 == pytest.approx(0.95, abs=0.015)
    assert np.isnan(ev.prediction_interval([1.0])).all()


def test_paired_difference_refuses_unequal_seeds():
    frame = pd.DataFrame({"seed": [0, 1, 0], "key": ["a", "a", "b"], "value": [1.0, 2.0, 0.5]})
    with pytest.raises(StudyError, match="same seeds"):
        ev.paired_difference(frame, "value", "key", "a", "b")
    with pytest.raises(StudyError, match="no rows with key = 'c'"):
        ev.paired_difference(frame, "value", "key", "a", "c")
    with pytest.raises(StudyError, match="twice"):
        ev.paired_difference(frame.assign(seed=0), "value", "key", "a", "b")


def test_unknown_protocol_is_an_error():
    with pytest.raises(StudyError, match="'as_codde'"):
        ev.by_protocol(pd.DataFrame({"protocol": ["corrected", "as_codde"]}))


STATEMENT = {"id": "falls", "test": "it falls", "tolerance": None, "bounds": {"points": 0.3}}
ENTRY = {"id": "doc.fig1", "expect": [STATEMENT]}
PUBLISHED = Published("doc", {}, (), {"doc.fig1": ENTRY}, {"doc.fig1": "one"})


def test_bounds_are_data_of_a_statement():
    found = ev.Evidence({}, ENTRY, PUBLISHED, True)
    assert found.bound("falls", "points") == 0.3
    with pytest.raises(StudyError, match="no bound 'point' .nearest: `points`."):
        found.bound("falls", "point")
    with pytest.raises(StudyError, match="no statement 'fall' .nearest: `falls`."):
        found.bound("fall", "points")
    with pytest.raises(StudyError, match="no result 'fig2'"):
        found.bound("falls", "points", of="fig2")
