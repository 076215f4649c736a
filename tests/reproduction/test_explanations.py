"""Reasons beside the differences of a made-up document."""

import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.explanations import UNEXPLAINED
from plausible.reproduction.reasons import Reasons

from .made_up_document import HIGH, LOW, WIDE, because, reason_of


def test_the_most_specific_reason_wins():
    def difference(because, **row):
        return {"rows": [{"result": "r", **row}], "because": because}

    reasons = Reasons(
        differences=(
            difference("general"),
            difference(("statement,", "in two parts"), check="s"),
            difference("protocol", check="s", protocol="as_coded"),
            difference("exact", check="s", variant="weights", protocol="as_coded"),
        )
    )

    def texts(*row):
        return [one.text for one in reasons.of(*row)]

    assert texts("r", "s", "weights", "as_coded") == [
        "exact",
        "protocol",
        "statement, in two parts",
        "general",
    ]
    assert texts("r", "s", "accuracy", "as_coded")[0] == "protocol"
    assert texts("r", "s", "weights", "corrected")[0] == "statement, in two parts"
    assert texts("r", "t", "", "corrected") == ["general"]
    assert texts("other", "t", "", "corrected") == []


def test_a_reason_stands_beside_a_difference_and_nothing_else(judge):
    reasons = because("the cause", evidence=["claim: falls"])
    assert reason_of(judge, HIGH, reasons) == "the cause"
    assert reason_of(judge, LOW, reasons) == reason_of(judge, WIDE, reasons) == ""
    assert reason_of(judge, HIGH, Reasons()) == UNEXPLAINED
    assert reason_of(judge, HIGH, because("noise")) == "cause not known; candidates: noise"
    with pytest.raises(StudyError, match="its evidence 'clam' names no result"):
        reason_of(judge, HIGH, because("noise", evidence=["clam"]))


def test_a_reason_whose_condition_no_longer_holds_disappears(judge):
    reasons = because("too high", when="reproduced > 1 and low > 0", evidence=["claim"])
    assert reason_of(judge, (1.0, 1.1), reasons) == "too high"
    assert reason_of(judge, (0.9, 0.91), reasons) == UNEXPLAINED


def test_numbers_of_a_reason_are_computed(judge):
    text = "{{ reproduced | g(3) }}, {{ mean('ablation', 'error', factor='init') | g(2) }} by it"
    tables = {"ablation": pd.DataFrame({"factor": ["init", "init", "adam"], "error": [1, 2, 9.0]})}
    reasons = because(text, evidence=["ablation"])
    assert reason_of(judge, HIGH, reasons, tables=tables) == "1.05, 1.5 by it"
    other = because("{{ verdict('claim', 'falls', 'corrected') }}", evidence=["claim"])
    assert reason_of(judge, HIGH, other) == vd.DIFFERS
    for wrong in ("{{ nothing }}", "{{ mean('ablation', 'eror') }}", "{{ value('claim', 'x') }}"):
        with pytest.raises(StudyError, match="the reason of claim, falls, corrected"):
            reason_of(judge, HIGH, because(wrong, evidence=["claim"]), tables=tables)
