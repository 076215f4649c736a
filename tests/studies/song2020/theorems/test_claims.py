"""Verdicts on the theorems: by the table of their deviations, with reasons where it differs."""

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.summaries import SURVIVES, surviving_causes

from ...claim_harness import theorem_rows
from ...part_results import REFERENCE, published_of

PART = "song2020.theorems"


@pytest.fixture(scope="module")
def published():
    return published_of(PART)


@pytest.mark.parametrize(("deviation", "verdict"), [(0.0, vd.REPRODUCED), (1.0, vd.DIFFERS)])
def test_every_statement_is_judged_by_its_rows(published, deviation, verdict):
    rows = theorem_rows(PART, published).assign(deviation=deviation)
    verdicts = vd.verdict_table("song2020", {"theorems": rows}, "demo", published)
    stated = {(name, one["id"]) for name, e in published.entries.items() for one in e["expect"]}
    assert set(zip(verdicts["id"], verdicts["check"], strict=True)) == stated
    assert len(published.entries) == 21 and set(verdicts["verdict"]) == {verdict}
    assert vd.not_judged(published, verdicts, load_reasons("song2020", ["theorems"])) == []


def test_what_the_listings_give_differs_for_a_stated_reason(published):
    """In the reference run; the mathematics holds."""
    table = pd.read_csv(REFERENCE / "song2020" / "theorems.csv")
    verdicts = vd.verdict_table("song2020", {"theorems": table}, "paper", published)
    differing = verdicts[verdicts["verdict"] == vd.DIFFERS]
    assert set(differing["protocol"]) == {"as_published"} and len(differing) > 10
    assert differing["note"].str.contains("Why: ").all()
    assert set(verdicts.loc[verdicts["protocol"] == "corrected", "verdict"]) == {vd.REPRODUCED}
    causes = load_reasons("song2020", ["theorems"]).causes
    outcomes = surviving_causes(verdicts, "song2020", causes)
    assert list(outcomes["outcome"]) == [SURVIVES] * 2
