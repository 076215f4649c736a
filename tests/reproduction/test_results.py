"""Making a result: the options of a table are arguments of the function that makes it."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction.frames import as_they_are
from plausible.reproduction.results import _table

FRAMES = {"sweep.a": pd.DataFrame({"x": [1, 2]}), "sweep.b": pd.DataFrame({"x": [3]})}


def chosen(frames, least, most=9):
    table = as_they_are(frames)
    return table[table["x"].between(least, most)]


def test_options_are_arguments():
    assert _table(as_they_are, FRAMES, {})["x"].tolist() == [1, 2, 3]
    assert _table(chosen, FRAMES, {"least": 2})["x"].tolist() == [2, 3]


@pytest.mark.parametrize(
    ("make", "options", "words"),
    [
        (chosen, {"least": 2, "mots": 3}, "chosen: .*'mots'; its options are least, most"),
        (chosen, {}, "'least'"),
        (as_they_are, {"least": 2}, "its options are none"),
    ],
)
def test_options_that_a_table_does_not_have_are_refused(make, options, words):
    with pytest.raises(StudyError, match=words):
        _table(make, FRAMES, options)
