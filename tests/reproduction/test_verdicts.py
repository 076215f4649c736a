"""The engine of verdicts, on made-up tables of Thuesen 2022 in which every statement holds."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import PROTOCOLS, Evidence
from plausible.reproduction.published import load_published
from plausible.reproduction.reasons import Reasons, load_reasons
from plausible.reproduction.theorem_rows import THEOREM_COLUMNS
from plausible.reproduction.theorems import theorem_outcomes

from ..studies.thuesen2022 import synthetic
from ..studies.thuesen2022.table1.synthetic import fig4, row_of_table1

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "published"
ACCURACY = "test_accuracy_percent"


@pytest.fixture(scope="module")
def published():
    return load_published(FOLDER / "thuesen2022", synthetic.PARTS)


@pytest.fixture(scope="module")
def all_good(published):
    return synthetic.good_tables(published)


@pytest.fixture
def tables(all_good):
    return {name: frame.copy() for name, frame in all_good.items()}


@pytest.fixture(scope="module")
def good(published, all_good):
    return vd.verdict_table("thuesen2022", all_good, "paper", published)


def rows_of(verdicts, name, check=""):
    rows = verdicts[verdicts["id"] == f"thuesen2022.{name}"]
    return rows[rows["check"].str.startswith(check)]


def verdict_of_row(tables, published, row, values=None):
    """Verdict row on a printed row of table 1, protocol corrected, whose accuracies are given."""
    if values is not None:
        rows = row_of_table1(row)(tables["table1"])
        tables["table1"].loc[rows, ACCURACY] = values
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    numbers = rows_of(verdicts, "table1", f"value:rows.row{row}.").set_index("protocol")
    return numbers.loc["corrected"]


def test_every_entry_has_a_row_in_the_order_of_the_files(good, published):
    assert list(good.columns) == list(vd.COLUMNS)
    assert list(dict.fromkeys(good["id"])) == list(published.entries)
    assert len(published.entries) == 54
    assert set(good["verdict"]) == {vd.REPRODUCED, vd.ILLUSTRATION}
    assert not good.duplicated(["id", "check", "variant", "protocol"]).any()
    reasons = load_reasons("thuesen2022", synthetic.PARTS)
    assert vd.not_judged(published, good, reasons) == []
    judged = good[good["check"] != "value:rows.row5.test_accuracy_percent"]
    assert vd.not_judged(published, judged, reasons) == [
        "thuesen2022.table1: rows.row5.test_accuracy_percent"
    ]


def test_illustrations_say_so(good, published):
    names = [e["id"] for e in published.entries.values() if e["reproducible"] != "full"]
    assert set(good.loc[good["id"].isin(names), "verdict"]) == {vd.ILLUSTRATION}
    numbers = rows_of(good, "claim.biology_numbers", "value:")
    assert dict(zip(numbers["check"], numbers["published"], strict=True)) == {
        "value:resting_potential_mv": -70,
        "value:threshold_mv": -55,
    }


@pytest.mark.parametrize("statement", ["zero_below_threshold", "order_of_costs", "same_verdicts"])
def test_a_failing_statement_becomes_a_difference(tables, published, statement):
    spoilt = synthetic.spoilt(tables, statement)
    verdicts = vd.verdict_table("thuesen2022", spoilt, "paper", published)
    assert vd.DIFFERS in set(verdicts.loc[verdicts["check"] == statement, "verdict"])


def test_small_scale_does_not_compare_accuracies(tables, published):
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    numbers = rows_of(verdicts, "table1", "value:")
    assert set(numbers["verdict"]) == {vd.NOT_COMPARABLE}
    assert numbers["reproduced"].notna().all(), "the number is shown all the same"
    assert set(rows_of(verdicts, "fig2a")["verdict"]) == {vd.REPRODUCED}, "formulas hold anywhere"


def test_comparable_can_be_denied_at_the_paper_scale(tables, published):
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published, comparable=False)
    assert set(rows_of(verdicts, "table1", "value:")["verdict"]) == {vd.NOT_COMPARABLE}


def test_intervals_and_single_runs_in_the_note(tables, published):
    row = verdict_of_row(tables, published, 1, [97.4, 97.5, 97.6])
    # Student's t with 2 degrees of freedom, 97.5 %: 4.302653; s = 0.1.
    half = 4.302652729911275 * 0.1 / np.sqrt(3)
    assert row["reproduced"] == pytest.approx(97.5)
    assert row["ci_low"] == pytest.approx(97.5 - half)
    assert row["ci_high"] == pytest.approx(97.5 + half)
    assert row["n_seeds"] == 3
    assert row["verdict"] == vd.REPRODUCED, "within the published point, whatever the interval"
    assert "inside the 95 % interval of our mean" in row["note"]
    assert vd.INSIDE_RUN in row["note"]
    row = verdict_of_row(tables, published, 1, [97.49, 97.5, 97.51])
    assert "outside the 95 % interval of our mean" in row["note"]
    assert vd.OUTSIDE_RUN in row["note"]


@pytest.mark.parametrize(("shift", "verdict"), [(1.0, vd.REPRODUCED), (1.0001, vd.DIFFERS)])
def test_tolerance_is_the_published_one_to_the_digit(tables, published, shift, verdict):
    assert verdict_of_row(tables, published, 6, 96.94 - shift)["verdict"] == verdict


def test_number_without_tolerance_needs_several_seeds(tables, published):
    one = {
        name: frame[frame["seed"] == 0] if "seed" in frame else frame
        for name, frame in tables.items()
    }
    verdicts = vd.verdict_table("thuesen2022", one, "paper", published)
    rows = rows_of(verdicts, "claim.spcn_near_snn", "value:")
    assert set(rows["verdict"]) == {vd.NOT_COMPARABLE}
    rows = rows_of(verdicts, "table1", "value:rows.row2.")
    assert rows["verdict"].eq(vd.REPRODUCED).all() and rows["ci_low"].isna().all()


@pytest.mark.parametrize(
    ("low", "high", "possible", "nothing"),
    [
        (-58.0, 183.0, (0.0, 100.0), True),
        (28.0, 131.0, (0.0, 100.0), True),
        (78.0, 84.0, (0.0, 100.0), False),
        (-500.0, 20.0, (0.0, 100.0), False),
        (-1e9, 1e9, (-np.inf, np.inf), False),
        (np.nan, np.nan, (0.0, 100.0), False),
    ],
)
def test_an_interval_of_most_possible_values_says_nothing(low, high, possible, nothing):
    assert vd._says_nothing(low, high, possible) is nothing


def test_diverged_runs_are_not_hidden(tables, published):
    row = verdict_of_row(tables, published, 4, [96.3, np.nan, 96.3])
    assert row["verdict"] == vd.DIFFERS and "1 of 3 runs diverged" in row["note"]
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    statement = rows_of(verdicts, "table1", "every_row_near").set_index("protocol")
    assert statement.loc["corrected", "verdict"] == vd.DIFFERS


def test_missing_tables_and_columns_are_errors(tables, published):
    for name in ("fig2a", "table1", "claim.constraints", "theorems"):
        with pytest.raises(StudyError, match=f"thuesen2022.{name} is missing"):
            vd.verdict_table("thuesen2022", {**tables, name: None}, "demo", published)
    tables["fig5"] = tables["fig5"].drop(columns="quantity")
    with pytest.raises(StudyError, match="fig5 lacks the column 'quantity'"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def theorem_frame(result, check, **columns):
    """Rows of the table of theorems about one statement."""
    row = {"id": f"thuesen2022.{result}", "check": check, "statement": "s", "seed": 0}
    row |= {"protocol": "corrected", "comparison": "<=", "bound": 1.0, "deviation": 0.0}
    return pd.DataFrame({**row, **columns}, index=range(len(columns.get("deviation", [0]))))


def outcomes_of(published, frame, result, statement):
    evidence = Evidence({"theorems": frame}, published.entry(result), published, False)
    return theorem_outcomes(evidence, statement)


def test_theorems(tables, published):
    theorems, name = tables["theorems"], "thuesen2022.eq54.pcn_batch_norm"
    one = (theorems["id"] == name) & (theorems["check"] == "equals_backprop")
    theorems.loc[one & (theorems["seed"] == 2), "deviation"] = 2e-10
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    rows = rows_of(verdicts, "eq54.pcn_batch_norm").set_index("check")
    failing = rows.loc["equals_backprop"]
    assert failing["verdict"] == vd.DIFFERS
    assert failing["reproduced"] == 2e-10, "the largest deviation over the seeds"
    assert failing["n_seeds"] == 3
    assert rows.loc["updates_descend_the_free_energy", "verdict"] == vd.REPRODUCED
    tables["theorems"] = theorems[~one]
    with pytest.raises(StudyError, match="eq54.*nothing judges the statement 'equals_backprop'"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_numbers_of_a_misspelt_result_are_not_left_out_in_silence(tables, published, monkeypatch):
    def misspelt(document, part):
        return {
            name.replace("table1", "tabel1"): place
            for name, place in original(document, part).items()
        }

    original = vd.claims_of
    monkeypatch.setattr(vd, "claims_of", misspelt)
    with pytest.raises(StudyError, match="numbers_of_tabel1 .*nearest: `numbers_of_table1`"):
        vd.verdict_table("thuesen2022", tables, "paper", published)


@pytest.mark.parametrize(
    ("comparison", "deviations", "bound", "holds", "worst"),
    [
        ("<=", [1.0, 2.0], 2.0, True, 2.0),
        ("<", [1.0, 2.0], 2.0, False, 2.0),
        (">=", [2.0, 3.0], 2.0, True, 2.0),
        (">", [2.0, 3.0], 2.0, False, 2.0),
        ("==", [0.0, 0.0], 0.0, True, 0.0),
        ("==", [0.0, 1.0], 0.0, False, 1.0),
        ("<=", [1.0, np.nan], 2.0, False, np.nan),
    ],
)
def test_comparisons_of_theorems(published, comparison, deviations, bound, holds, worst):
    name, statement = "eq29.adam", "equals_reference_adam"
    frame = theorem_frame(
        name,
        statement,
        deviation=deviations,
        seed=range(len(deviations)),
        comparison=comparison,
        bound=bound,
    )
    (outcome,) = outcomes_of(published, frame, name, statement)
    assert outcome.holds is holds
    assert outcome.reproduced == pytest.approx(worst, nan_ok=True)


@pytest.mark.parametrize(
    ("bound", "text"),
    [(397600.0, "397600"), (1000.0, "1000"), (999.4, "999"), (0.69315, "0.693"), (1e-10, "1e-10")],
)
def test_bounds_of_theorems_are_printed_for_people(published, bound, text):
    name, statement = "eq29.adam", "equals_reference_adam"
    frame = theorem_frame(name, statement, deviation=[bound], bound=bound, comparison="==")
    (outcome,) = outcomes_of(published, frame, name, statement)
    assert outcome.note == f"s; must be == {text}"


def test_theorem_with_two_measurements_and_two_protocols(published):
    name, statement = "eq38.soft_rate", "tends_to_the_hard_rate"
    frame = theorem_frame(
        name,
        statement,
        statement=["right sign", "printed sign"],
        protocol=["corrected", "as_published"],
        deviation=[0.5, 50.0],
    )
    assert set(frame.columns) == set(THEOREM_COLUMNS)
    outcomes = outcomes_of(published, frame, name, statement)
    assert [(outcome.protocol, outcome.holds, outcome.variant) for outcome in outcomes] == [
        ("corrected", True, "#1"),
        ("as_published", False, "#2"),
    ]


def test_unknown_comparison_is_an_error(published, tables):
    tables["theorems"]["comparison"] = "~"
    with pytest.raises(StudyError, match="compares by '~'"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_references_follow_their_original(tables, published, good):
    assert set(rows_of(good, "draft.fig3")["verdict"]) == {vd.REPRODUCED}
    bad = synthetic.spoilt(tables, "zero_below_threshold") | {"fig4": fig4(side=8)}
    verdicts = vd.verdict_table("thuesen2022", bad, "demo", published)
    assert set(rows_of(verdicts, "draft.fig3", "same_curves")["verdict"]) == {vd.DIFFERS}
    assert set(rows_of(verdicts, "draft.fig1", "same_picture")["verdict"]) == {vd.NOT_COMPARABLE}
    assert set(rows_of(verdicts, "draft.fig2")["verdict"]) == {vd.ILLUSTRATION}


def test_numbers_of_a_reference_are_those_of_its_original(published, good):
    original = rows_of(good, "table1").to_dict("records")
    entry = {
        **published.entry("draft.fig1"),
        "same_as": "thuesen2022.table1",
        "values": {"rows": 1},
    }
    rows = list(vd._rows_of_reference(entry, original))
    numbers = [row for row in rows if row["check"].startswith("value:rows.")]
    assert len(numbers) == 27
    assert {row["id"] for row in rows} == {"thuesen2022.draft.fig1"}
    assert numbers[0]["published"] == 97.68


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
    assert reasons.why("r", "s", "weights", "as_coded") == "exact"
    assert reasons.why("r", "s", "accuracy", "as_coded") == "protocol"
    assert reasons.why("r", "s", "weights", "corrected") == "statement, in two parts"
    assert reasons.why("r", "t", "", "corrected") == "general"
    assert reasons.why("other", "t", "", "corrected") is None


def test_counts(good):
    counts = vd.verdict_counts(good)
    assert list(counts.index) == list(vd.VERDICTS)
    assert counts.sum() == len(good)


def test_verdicts_are_the_same_bytes_every_time(tables, published, good):
    again = vd.verdict_table("thuesen2022", tables, "paper", published)
    assert again.to_csv() == good.to_csv()


def test_protocols_of_the_tables_are_known(good):
    assert set(good["protocol"]) - {""} <= set(PROTOCOLS)


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.parent.name)
        for path in sorted((FOLDER.parents[1] / "results" / "reference").glob("*/verdicts.csv"))
    ],
)
def test_every_difference_of_a_reference_run_is_explained(path):
    verdicts = pd.read_csv(path)
    # An entry that repeats another one refers to it, and the reason stands there.
    verdicts = verdicts[~verdicts["note"].fillna("").str.startswith("same content as ")]
    unexplained = verdicts[
        (verdicts["verdict"] == vd.DIFFERS) & ~verdicts["note"].fillna("").str.contains("Why: ")
    ]
    assert unexplained.empty, unexplained[["id", "check", "protocol", "note"]].to_string()
