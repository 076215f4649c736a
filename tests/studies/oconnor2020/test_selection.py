"""Rows that a result shows of an experiment."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.studies.oconnor2020.selection import selected_rows

FRAME = pd.DataFrame({"kind": ["a", "b", "c"], "n": [1, 2, 3], "empty": [None, 1.0, None]})


def test_rows_are_selected_by_their_values():
    found = selected_rows({"sweep.x": FRAME}, {"kind": ["a", "c"], "n": [1, 3]})
    assert found.to_dict("list") == {"kind": ["a", "c"], "n": [1, 3]}
    one = selected_rows({"sweep.x": FRAME}, {"kind": "b"})
    assert one.to_dict("list") == {"kind": ["b"], "n": [2], "empty": [1.0]}


def test_a_value_without_rows_is_said():
    with pytest.raises(StudyError, match=r"options\.where\.kind: no rows of 'd'.*a, b, c"):
        selected_rows({"sweep.x": FRAME}, {"kind": ["a", "d"]})
