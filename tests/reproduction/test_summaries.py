"""What the verdicts say together: protocols, explanations, table 1 for people."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import summaries
from plausible.reproduction.published import load_published
from plausible.reproduction.study_report import CAUSES
from plausible.reproduction.summaries import FALLS, OPEN, SURVIVES, Cause
from plausible.reproduction.verdicts import DIFFERS, NOT_COMPARABLE, REPRODUCED, verdict_table

from . import synthetic_thuesen2022 as synthetic
from .conftest import PUBLISHED_FILE

SPOIL = {what: spoil for *_, what, spoil in synthetic.SPOILS}


@pytest.fixture
def published():
    return load_published(PUBLISHED_FILE)


@pytest.fixture
def tables(published):
    return synthetic.good_tables(published)


def shift(table1, row, protocol, by):
    chosen = (table1["row"] == row) & (table1["protocol"] == protocol)
    table1.loc[chosen, "test_accuracy_percent"] += by


def test_which_protocol_yields_a_number(tables, published):
    table1 = tables["table1"]
    for protocol, by in (("as_published", -3.0), ("as_coded", 0.001), ("corrected", 0.7)):
        shift(table1, 5, protocol, by)
    verdicts = verdict_table("thuesen2022", tables, "paper", published)
    summary = summaries.protocol_summary(verdicts, table1)
    row = summary[(summary["id"] == "thuesen2022.table1") & (summary["check"] == "value:row 5")]
    (row,) = row.to_dict("records")
    assert row["label"] == "SPCN, Z-IL, SGD, Soft-rate, spiking"
    assert row["published"] == 95.21
    assert row["as_published"] == pytest.approx(92.21)
    assert row["corrected"] == pytest.approx(95.91)
    assert row["nearest"] == "as_coded"
    assert row["within_tolerance"] == "as_coded, corrected", "0.7 is within the published point"
    assert row["inside_run"] == "as_coded"
    assert summary["id"].str.endswith("table1").sum() == 9


def test_summary_works_at_small_scale_too(tables, published):
    verdicts = verdict_table("thuesen2022", tables, "demo", published)
    summary = summaries.protocol_summary(verdicts, tables["table1"])
    row = summary[summary["check"] == "value:row 1"].iloc[0]
    assert row["within_tolerance"] == "", "accuracies are not compared at this scale"
    assert row["inside_run"] == "as_published, as_coded, corrected"
    assert row["nearest"] == "as_published, as_coded, corrected", "all are equally near"
    assert not row["comparable"] and row["n_seeds"] == 3
    formula = summary[summary["id"] == "thuesen2022.fig2a"]
    assert formula["comparable"].all() and (formula["n_seeds"] == 0).all()


def test_summary_refuses_verdicts_of_other_rows(tables, published):
    verdicts = verdict_table("thuesen2022", tables, "paper", published)
    with pytest.raises(StudyError, match="table 1 has no row 9"):
        summaries.protocol_summary(verdicts, tables["table1"].query("row < 9"))


def verdicts_of(*rows):
    return pd.DataFrame(
        [("s.r", check, protocol, verdict) for check, protocol, verdict in rows],
        columns=["id", "check", "protocol", "verdict"],
    )


TWO = (("r", "expect:0", "corrected", REPRODUCED), ("r", "expect:1", "", DIFFERS))


@pytest.mark.parametrize(
    ("found", "all_needed", "one_enough"),
    [
        ((REPRODUCED, DIFFERS), SURVIVES, SURVIVES),
        ((DIFFERS, DIFFERS), FALLS, SURVIVES),
        ((DIFFERS, REPRODUCED), FALLS, FALLS),
        ((REPRODUCED, NOT_COMPARABLE), OPEN, SURVIVES),
        ((NOT_COMPARABLE, NOT_COMPARABLE), OPEN, OPEN),
        ((DIFFERS, NOT_COMPARABLE), FALLS, OPEN),
    ],
)
def test_explanations_stand_or_fall_by_their_verdicts(found, all_needed, one_enough):
    verdicts = verdicts_of(("expect:0", "corrected", found[0]), ("expect:1", np.nan, found[1]))
    for enough, wanted in ((False, all_needed), (True, one_enough)):
        cause = Cause("1", "text", TWO, "remark", enough)
        (row,) = summaries.surviving_causes(verdicts, "s", [cause]).to_dict("records")
        assert row["outcome"] == wanted
        assert found[0] in row["evidence"] and found[1] in row["evidence"]


def test_explanation_without_its_verdict_is_an_error():
    with pytest.raises(StudyError, match="rests on r, expect:1"):
        summaries.surviving_causes(
            verdicts_of(("expect:0", "corrected", REPRODUCED)), "s", [Cause("1", "t", TWO)]
        )


def test_numerical_precision_falls_with_the_authors_order_of_updates(tables, published):
    def outcome():
        verdicts = verdict_table("thuesen2022", tables, "demo", published)
        causes = summaries.surviving_causes(verdicts, "thuesen2022", CAUSES["thuesen2022"])
        return causes.set_index("explanation")["outcome"]

    name = "The small deviations between Z-IL and backprop come from numerical precision."
    assert outcome()[name] == SURVIVES, "when float64 removes the deviation"
    frame = tables["claim.zil_equals_backprop_training"]
    coded = frame["protocol"] == "as_coded"
    frame.loc[coded, "max_relative_weight_difference"] = 0.01
    outcomes = outcome()
    assert outcomes[name] == FALLS
    assert outcomes[
        "Z-IL is backprop: with updates from the same time step the weights agree."
    ] == (SURVIVES)


def test_table1_for_people(tables, published):
    printed = published.entry("table1")["values"]["rows"]
    own = tables["table1"].copy()
    chosen = (own["row"] == 1) & (own["protocol"] == "corrected")
    own.loc[chosen, "test_accuracy_percent"] = [97.4, 97.5, 97.6]
    frame = summaries.table1_columns(own, printed, tables["table1"])
    assert list(frame["row"]) == list(range(1, 10))
    assert frame.loc[0, "published"] == "97.68"
    # 4.302653 * 0.1 / sqrt(3) = 0.2484
    assert frame.loc[0, "this run: corrected"] == "97.50 ± 0.25"
    assert frame.loc[0, "reference: corrected"].startswith("97.68")
    assert summaries.mean_and_half(np.array([97.0])) == "97.00"
    assert summaries.mean_and_half(np.array([])) == "–"
