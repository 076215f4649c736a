"""What checks share: protocols of a table, differences seed by seed."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import evidence as ev


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
