"""The engine of verdicts on a made-up document: what stands in its files decides."""

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import entries as en
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Measured, Number
from plausible.reproduction.explanations import AWAITED, UNEXPLAINED

from .made_up_document import (
    BROKEN,
    FALLS,
    FINE,
    GOOD,
    HIGH,
    LOW,
    SCHEMA,
    TABLE,
    THEOREM,
    because,
    entry,
    reason_of,
    statement,
    theorems,
)


def test_rows_of_an_entry(judge):
    rows = judge(TABLE, claims=GOOD)
    assert list(rows.columns) == list(vd.COLUMNS)
    assert list(rows["check"]) == [
        "falls",
        "value:rows.a.error_percent",
        "value:rows.b.error_percent",
    ]
    assert set(rows["verdict"]) == {vd.REPRODUCED}
    assert list(rows["resolution"]) == ["< 0", "within 0.5 points", "within 0.5 points"]
    assert rows["published"].iloc[1] == 2.0 and rows["n_seeds"].iloc[1] == 3
    assert vd.not_judged(judge.published, rows) == [], "n is a setting: no resolution, no row"
    assert vd.not_judged(judge.published, rows[:2]) == ["doc.table1: rows.b.error_percent"]


@pytest.mark.parametrize(
    ("values", "verdict", "note"),
    [
        ((2.4, 2.41, 2.39), vd.REPRODUCED, ""),
        ((2.6, 2.61, 2.59), vd.DIFFERS, ""),
        ((2.4, 2.9, 1.9), vd.UNDECIDED, "less well than the resolution; about "),
        ((2.6, 3.6, 1.6), vd.UNDECIDED, "no number of seeds would decide"),
        ((2.0,), vd.UNDECIDED, "one seed decides nothing"),
        ((2.0, np.nan, 2.0), vd.DIFFERS, "1 of 3 runs diverged"),
    ],
)
def test_numbers_are_judged_by_their_resolution(judge, values, verdict, note):
    number = Number("rows.a.error_percent", "corrected", values)
    row = judge(TABLE, claims=GOOD | {"numbers_of_table1": [number]}).iloc[1]
    assert row["verdict"] == verdict and note in row["note"]


def test_a_number_needs_a_resolution_or_is_not_shown(judge):
    claims = GOOD | {"numbers_of_table1": [Number("n", "corrected", (3.0,))]}
    assert len(judge(TABLE, claims=claims)) == 1
    bare = {**TABLE, "resolutions": TABLE["resolutions"][1:]}
    with pytest.raises(StudyError, match=r"doc\.table1: no resolution is declared for rows\.a"):
        judge(bare, claims=GOOD)
    claims = GOOD | {"numbers_of_table1": [Number("rows.c.error_percent", "corrected", (3.0,))]}
    with pytest.raises(StudyError, match=r"no number stands at rows\.c.*nearest: `rows\.[ab]"):
        judge(TABLE, claims=claims)
    claims = GOOD | {"numbers_of_table1": [Number("rows.a.error_percent", "corrected", ())]}
    with pytest.raises(StudyError, match=r"rows\.a\.error_percent has no rows in protocol"):
        judge(TABLE, claims=claims)


@pytest.mark.parametrize(
    ("a", "b", "verdict", "reproduced"),
    [
        ((2.0, 2.02), (5.0, 5.02), vd.REPRODUCED, "2 of 2 cells"),
        ((2.0, 2.02), (7.0, 7.02), vd.DIFFERS, "1 of 2 cells"),
        ((2.0, 3.0), (5.0, 5.02), vd.UNDECIDED, "1 of 2 cells"),
        ((2.0, np.nan), (5.0, 9.0), vd.DIFFERS, "0 of 2 cells"),
    ],
)
def test_a_map_of_numbers_has_one_row(judge, a, b, verdict, reproduced):
    """Each cell is judged by its own resolution; those without one are left out."""
    cells = {"rows.a.error_percent": a, "rows.b.error_percent": b}
    inner = {place.removeprefix("rows."): values for place, values in cells.items()}
    claims = GOOD | {"numbers_of_table1": [Number("rows", "corrected", inner)]}
    rows = judge(TABLE, claims=claims)
    row = rows.iloc[1]
    assert (row["check"], row["verdict"], row["reproduced"]) == ("cells:rows", verdict, reproduced)
    assert row["published"] == "2 cells" and len(rows) == 2
    assert np.isnan(en.entry_verdicts(rows, judge.published)["discrimination"].iloc[0])
    needs = {**TABLE, "needs": ["mnist"]}
    assert judge(needs, claims=claims, scale="demo").iloc[1]["verdict"] == vd.NOT_COMPARABLE
    none = {**TABLE, "resolutions": [{"places": ["*"], "resolution": None, "because": "settings"}]}
    with pytest.raises(StudyError, match="rows has no cell that is judged"):
        judge(none, claims=claims)


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((-1.0, -1.1), vd.REPRODUCED),
        ((-1.0, 1.5), vd.UNDECIDED),
        ((1.0, 1.1), vd.DIFFERS),
        ({"a": (-1.0, -1.1), "b": (-1.0, 1.5)}, vd.UNDECIDED),
        ({"a": (-1.0, 1.5), "b": (1.0, 1.1)}, vd.DIFFERS),
    ],
)
def test_statements_are_judged_by_their_bound(judge, values, verdict):
    row = judge(entry("claim"), claims={"falls": [Measured("corrected", values)]}).iloc[0]
    assert row["verdict"] == verdict


def test_what_a_run_lacks_is_not_comparable(judge):
    found = [Measured("", (), absent="this run had no GPU")]
    row = judge(entry("claim"), claims={"falls": found}).iloc[0]
    assert (row["verdict"], row["note"]) == (vd.NOT_COMPARABLE, "this run had no GPU")


def test_one_of_several_variants_is_enough_at_a_smaller_level(judge):
    found = [Measured("corrected", (-0.8, -1.0, -1.3), variant="sgd")]
    tried = entry("claim", expect=[statement(one_is_enough=4)])
    assert judge(tried, claims={"falls": found}).iloc[0]["verdict"] == vd.UNDECIDED
    assert judge(entry("claim"), claims={"falls": found}).iloc[0]["verdict"] == vd.REPRODUCED


def test_a_statement_without_bound_or_check_is_an_error(judge):
    bare = entry("claim", expect=[{"id": "falls", "test": "it falls"}])
    with pytest.raises(StudyError, match="'falls' has no op and bound"):
        judge(bare, claims=FALLS)
    with pytest.raises(StudyError, match="the check of 'falls' found nothing"):
        judge(entry("claim"), claims={"falls": []})
    with pytest.raises(StudyError, match="table of doc.theorems is missing"):
        judge(entry("claim"))
    with pytest.raises(StudyError, match="numbers_of_tabel1 .*nearest: `numbers_of_table1`"):
        judge(TABLE, claims=GOOD | {"numbers_of_tabel1": []})


def test_a_run_that_is_older_than_a_measurement_says_so(judge):
    claims = {"falls": lambda evidence: [Measured("", evidence.table("new", "x")["x"])]}
    tables = {"new": pd.DataFrame({"y": [1.0]})}
    with pytest.raises(StudyError, match="lacks the column 'x'"):
        judge(entry("claim"), claims=claims, tables=tables)
    row = judge(entry("claim"), claims=claims, tables=tables, partial=True).iloc[0]
    assert row["verdict"] == vd.NOT_IN_RUN
    assert row["note"] == vd.NOT_MEASURED
    reasons = because("{{ mean('new', 'x') }}", evidence=["claim"])
    assert reason_of(judge, HIGH, reasons, tables=tables, partial=True) == AWAITED


def test_data_and_scale_that_cannot_compare(judge):
    table = {**TABLE, "needs": ["mnist"]}
    found = [Measured("corrected", (1.0, 1.1), full_scale=True)]
    rows = judge(table, claims=GOOD | {"falls": found}, scale="demo")
    assert set(rows["verdict"]) == {vd.NOT_COMPARABLE}
    assert list(rows["reproduced"]) == pytest.approx([1.05, 2.0, 5.0]), "shown all the same"
    rows = judge(table, claims=GOOD, scale="paper", comparable=False)
    assert set(rows["verdict"][1:]) == {vd.NOT_COMPARABLE}
    assert set(judge(TABLE, claims=GOOD, scale="demo")["verdict"]) == {vd.REPRODUCED}


@pytest.mark.parametrize(
    ("rows", "verdict", "note"),
    [
        ([FINE, BROKEN], vd.REPRODUCED, "what was measured"),
        ([("", "", "corrected", (1e-13, 2e-12)), BROKEN], vd.DIFFERS, ""),
        ([("", "", "corrected", (1e-13, np.nan)), BROKEN], vd.DIFFERS, ""),
        ([FINE, ("", "sign", "corrected", (0.5, 1e-6))], vd.UNDECIDED, "'sign' is not > 0.001"),
        ([FINE], vd.UNDECIDED, "the control 'sign' was not run"),
    ],
)
def test_theorems_need_a_control_that_fails(judge, rows, verdict, note):
    row = judge(THEOREM, tables=theorems(*rows)).iloc[0]
    assert row["verdict"] == verdict and note in row["note"]
    assert row["n_seeds"] == 2 and row["protocol"] == ""


def test_a_theorem_without_a_declared_control_is_undecided(judge):
    bare = {key: value for key, value in THEOREM.items() if key != "controls"}
    row = judge(bare, tables=theorems(FINE)).iloc[0]
    assert row["verdict"] == vd.UNDECIDED and vd.UNCONTROLLED in row["note"]
    with pytest.raises(StudyError, match="sign is no control of the statement 'agrees'"):
        judge(bare, tables=theorems(FINE, BROKEN))


def test_variants_and_protocols_of_theorems(judge):
    """What only the corrected form measures is that of every protocol."""
    rows = [
        ("weights", "", "corrected", (1e-13,)),
        ("order", "", "corrected", (1e-13,)),
        ("order", "", "as_published", (0.1,)),
        BROKEN,
    ]
    found = judge(THEOREM, tables=theorems(*rows))
    assert list(zip(found["variant"], found["protocol"], found["verdict"], strict=True)) == [
        ("weights", "", vd.REPRODUCED),
        ("order", "corrected", vd.REPRODUCED),
        ("order", "as_published", vd.DIFFERS),
    ]
    entries = en.entry_verdicts(found, judge.published)
    assert entries["verdict"].iloc[0] == "holds after correction"


def test_a_theorem_that_only_the_code_breaks_holds_as_published(judge):
    """Where text and mathematics agree, the author's code is a row of its own."""
    rows = [("", "", "corrected", (1e-13,)), ("", "", "as_coded", (0.1,)), BROKEN]
    found = judge(THEOREM, tables=theorems(*rows))
    assert list(zip(found["protocol"], found["verdict"], strict=True)) == [
        ("as_published", vd.REPRODUCED),
        ("as_coded", vd.DIFFERS),
    ]
    entries = en.entry_verdicts(found, judge.published)
    assert entries["verdict"].iloc[0] == "holds as published"


def test_controls_of_measured_statements(judge):
    control = {"id": "other", "statement": "falls", "broken": "other seed", "op": ">", "bound": 1}
    controlled = entry("claim", controls=[control])
    for values, verdict in (((2.0, 3.0), vd.REPRODUCED), ((2.0, 0.5), vd.UNDECIDED)):
        found = [Measured("corrected", (-1.0, -1.1), controls={"other": values})]
        assert judge(controlled, claims={"falls": found}).iloc[0]["verdict"] == verdict


def test_a_control_without_effect_may_scatter_but_not_hold(judge):
    control = {"id": "other", "statement": "falls", "broken": "no effect", "op": ">", "bound": -0.5}
    falls = statement(unit="points")
    ruled = {name: control[name] for name in ("id", "statement", "broken")}
    for values, verdict in (((-0.2, 0.1, 0.1), vd.REPRODUCED), ((-0.3, -0.31), vd.UNDECIDED)):
        found = [Measured("corrected", (-1.0, -1.1), controls={"other": values})]
        for unit, expected in (("points", verdict), ("another", vd.REPRODUCED)):
            stated = entry("claim", expect=[falls], controls=[{**control, "unit": unit}])
            assert judge(stated, claims={"falls": found}).iloc[0]["verdict"] == expected
        stated = entry("claim", expect=[falls], controls=[ruled])
        assert judge(stated, claims={"falls": found}).iloc[0]["verdict"] == verdict
    # Of a ratio the logarithms are judged, so that one large value does not hide that it falls.
    shrinks = entry("claim", expect=[statement(bound=1.0, unit="ratio")], controls=[ruled])
    found = [Measured("corrected", (0.1, 0.11), controls={"other": (0.01, 0.01, 0.01, 0.01, 1.6)})]
    row = judge(shrinks, claims={"falls": found}).iloc[0]
    assert row["verdict"] == vd.UNDECIDED and "holds as well" in row["note"]


def test_what_is_only_shown_has_no_row(judge):
    shown = entry("fig1", expect=[{"id": "drawn", "test": "a drawing", "shown_only": "a drawing"}])
    rows = judge(shown, entry("claim"), claims=FALLS)
    assert list(rows["id"]) == ["doc.claim"]
    entries = en.entry_verdicts(rows, judge.published).set_index("id")
    assert entries.loc["doc.fig1", "verdict"] == vd.ILLUSTRATION


def test_duplicates_have_the_rows_of_what_they_repeat_and_are_not_counted(judge):
    again = entry(
        "claim",
        values={"a": 2.0},
        resolutions=[
            {
                "places": ["a"],
                "because": "same number",
                "duplicate_of": "doc.table1: rows.a.error_percent",
            }
        ],
        expect=[{"id": "again", "test": "it falls", "duplicate_of": "doc.table1: falls"}],
    )
    rows = judge(TABLE, again, claims=GOOD)
    copied = rows[rows["id"] == "doc.claim"]
    assert list(copied["check"]) == ["again", "value:a"]
    assert set(copied["verdict"]) == {vd.REPRODUCED} and (copied["duplicate_of"] != "").all()
    assert vd.verdict_counts(rows).sum() == 3
    assert set(en.entry_verdicts(rows, judge.published)["verdict"]) == {"holds after correction"}
    again["expect"][0]["duplicate_of"] = "doc.table1: fals"
    with pytest.raises(StudyError, match="again is a duplicate of doc.table1: fals.*`falls`"):
        judge(TABLE, again, claims=GOOD)


def test_references_follow_their_original(judge):
    rows = judge(TABLE, entry("draft", same_as="doc.table1"), claims=GOOD)
    copied = rows[rows["id"] == "doc.draft"]
    assert list(copied["verdict"]) == [vd.REPRODUCED] and copied["duplicate_of"].iloc[0]
    worse = GOOD | {"falls": [Measured("corrected", (1.0, 1.1))]}
    rows = judge(TABLE, entry("draft", same_as="doc.table1"), claims=worse)
    assert list(rows.loc[rows["id"] == "doc.draft", "verdict"]) == [vd.DIFFERS]


def test_a_reference_has_no_row_beside_those_of_the_protocols(judge):
    """A statement that all protocols share must not carry it in a protocol that was not run."""
    two = entry("claim", expect=[statement(), statement("rises", op=">")])
    found = [Measured("as_coded", HIGH), Measured("corrected", LOW)]
    claims = {"falls": found, "rises": [Measured("", HIGH)]}
    rows = judge(two, entry("draft", same_as="doc.claim"), claims=claims)
    copied = rows[rows["id"] == "doc.draft"]
    assert dict(zip(copied["protocol"], copied["verdict"], strict=True)) == {
        "as_coded": vd.DIFFERS,
        "corrected": vd.REPRODUCED,
    }
    verdicts = en.entry_verdicts(rows, judge.published)["verdict"]
    assert list(verdicts) == ["holds after correction", "holds after correction"]


def test_external_data_and_illustrations(judge):
    entries = [
        entry("video", reproducible="needs_external_data"),
        entry("photo", reproducible="illustration_only"),
    ]
    rows = judge(*entries)
    assert list(rows["verdict"]) == [vd.NEEDS_DATA, vd.ILLUSTRATION]
    assert list(en.entry_verdicts(rows, judge.published)["verdict"]) == list(rows["verdict"])


def test_verdicts_are_the_same_bytes_every_time(judge):
    assert judge(TABLE, claims=GOOD).to_csv() == judge(TABLE, claims=GOOD).to_csv()


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.parent.name)
        for path in sorted((SCHEMA.parents[2] / "results" / "reference").glob("*/verdicts.csv"))
    ],
)
def test_every_difference_of_a_reference_run_is_explained(path):
    verdicts = pd.read_csv(path, keep_default_na=False)
    # An entry that repeats another one refers to it, and the reason stands there.
    differs = verdicts[(verdicts["verdict"] == vd.DIFFERS) & (verdicts["duplicate_of"] == "")]
    unexplained = differs[differs["reason"] == UNEXPLAINED]
    assert unexplained.empty, unexplained[["id", "check", "protocol", "note"]].to_string()
