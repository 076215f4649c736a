"""What the verdicts say together: protocols and explanations."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import summaries
from plausible.reproduction.published import load_published
from plausible.reproduction.reasons import Cause, load_reasons
from plausible.reproduction.summaries import FALLS, OPEN, SURVIVES
from plausible.reproduction.verdicts import DIFFERS, NOT_COMPARABLE, REPRODUCED, verdict_table

from . import synthetic_thuesen2022 as synthetic
from .conftest import WORKFLOW

SPOIL = {what: spoil for *_, what, spoil in synthetic.SPOILS}


@pytest.fixture
def published():
    return load_published(WORKFLOW / "published" / "thuesen2022")


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
    label = "SPCN, Z-IL, SGD, Soft-rate, spiking"
    labels = {("thuesen2022.table1", "value:row 5"): label}
    summary = summaries.protocol_summary(verdicts, labels)
    row = summary[(summary["id"] == "thuesen2022.table1") & (summary["check"] == "value:row 5")]
    (row,) = row.to_dict("records")
    assert row["label"] == label and (summary["label"] != "").sum() == 1
    assert row["published"] == 95.21
    assert row["as_published"] == pytest.approx(92.21)
    assert row["corrected"] == pytest.approx(95.91)
    assert row["nearest"] == "as_coded"
    assert row["within_tolerance"] == "as_coded, corrected", "0.7 is within the published point"
    assert row["inside_run"] == "as_coded"
    assert summary["id"].str.endswith("table1").sum() == 9


def test_summary_works_at_small_scale_too(tables, published):
    verdicts = verdict_table("thuesen2022", tables, "demo", published)
    summary = summaries.protocol_summary(verdicts)
    row = summary[summary["check"] == "value:row 1"].iloc[0]
    assert row["within_tolerance"] == "", "accuracies are not compared at this scale"
    assert row["inside_run"] == "as_published, as_coded, corrected"
    assert row["nearest"] == "as_published, as_coded, corrected", "all are equally near"
    assert not row["comparable"] and row["n_seeds"] == 3
    formula = summary[summary["id"] == "thuesen2022.fig2a"]
    assert formula["comparable"].all() and (formula["n_seeds"] == 0).all()


def verdicts_of(*rows):
    return pd.DataFrame(
        [("s.r", check, "", protocol, verdict) for check, protocol, verdict in rows],
        columns=["id", "check", "variant", "protocol", "verdict"],
    )


TWO = [
    {"result": "r", "check": "first", "protocol": "corrected"},
    {"result": "r", "check": "second", "protocol": "", "verdict": DIFFERS},
]


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
    verdicts = verdicts_of(("first", "corrected", found[0]), ("second", np.nan, found[1]))
    for enough, wanted in ((False, all_needed), (True, one_enough)):
        cause = Cause(section="1", text="text", needs=TWO, one_is_enough=enough)
        (row,) = summaries.surviving_causes(verdicts, "s", [cause]).to_dict("records")
        assert row["outcome"] == wanted
        assert found[0] in row["evidence"] and found[1] in row["evidence"]


def test_explanation_without_its_verdict_is_an_error():
    verdicts = verdicts_of(("first", "corrected", REPRODUCED))
    with pytest.raises(StudyError, match="rests on r, second"):
        summaries.surviving_causes(verdicts, "s", [Cause(section="1", text="t", needs=TWO)])


def test_numerical_precision_falls_with_the_authors_order_of_updates(tables, published):
    def outcome():
        verdicts = verdict_table("thuesen2022", tables, "demo", published)
        given = load_reasons("thuesen2022", ["learning"]).causes
        causes = summaries.surviving_causes(verdicts, "thuesen2022", given)
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
