"""Verdicts on the theorems: by the table of their deviations and of their controls."""

import pytest

from plausible.reproduction import verdicts as vd

from ...claim_harness import theorem_rows
from ...part_results import published_of

PART = "song2020.theorems"


@pytest.fixture(scope="module")
def published():
    return published_of(PART)


@pytest.mark.parametrize(
    ("spoilt", "deviation", "verdict"),
    [
        ("", None, vd.REPRODUCED),
        ("statements", float("nan"), vd.DIFFERS),
        ("controls", float("nan"), vd.UNDECIDED),
    ],
)
def test_every_statement_is_judged_by_its_rows(published, spoilt, deviation, verdict):
    rows = theorem_rows(PART, published)
    chosen = (rows["control"] != "") == (spoilt == "controls")
    rows["deviation"] = rows["deviation"].mask(chosen & bool(spoilt), deviation)
    verdicts = vd.verdict_table("song2020", {"theorems": rows}, "demo", published)
    stated = {(name, one["id"]) for name, e in published.entries.items() for one in e["expect"]}
    assert set(zip(verdicts["id"], verdicts["check"], strict=True)) == stated
    assert len(published.entries) == 22 and set(verdicts["verdict"]) == {verdict}
    assert vd.not_judged(published, verdicts) == []
