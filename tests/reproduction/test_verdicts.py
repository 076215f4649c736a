"""The engine of verdicts, and every check of Thuesen 2022 on tables that pass and that fail."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import evidence as ev
from plausible.reproduction import verdicts as vd
from plausible.reproduction.published import load_published
from plausible.reproduction.theorems import THEOREM_COLUMNS

from . import synthetic_thuesen2022 as synthetic

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "published"
REGISTRY = vd.STUDIES["thuesen2022"].registry


@pytest.fixture(scope="module")
def published():
    return load_published(FOLDER / "thuesen2022.yaml")


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


# ----------------------------------------------------------------- completeness


def test_every_entry_and_every_statement_has_a_row(good, published):
    assert list(good.columns) == list(vd.COLUMNS)
    assert list(dict.fromkeys(good["id"])) == list(published.entries)
    assert len(published.entries) == 54
    for identifier, entry in published.entries.items():
        checks = set(good.loc[good["id"] == identifier, "check"].str.split(" ").str[0])
        assert {f"expect:{i}" for i in range(len(entry["expect"]))} <= checks, identifier
    assert set(good["verdict"]) <= set(vd.VERDICTS)
    assert not good.duplicated(["id", "check", "protocol"]).any()


def test_registry_covers_every_statement_of_every_full_entry(published):
    wanted = {
        (vd.result_name(identifier), index)
        for identifier, entry in published.entries.items()
        if entry["reproducible"] == "full" and entry["kind"] != "theorem" and "same_as" not in entry
        for index in range(len(entry["expect"]))
    }
    assert set(REGISTRY.checks) == wanted


def test_every_published_number_is_compared_or_left_out_with_a_reason(published):
    for identifier, entry in published.entries.items():
        if entry["reproducible"] != "full" or "same_as" in entry:
            continue
        name = vd.result_name(identifier)
        keys = {*entry["values"], *entry.get("derived", {})}
        covered = set(REGISTRY.covered.get(name, ()))
        left_out = {key for result, key in REGISTRY.not_compared if result == name}
        assert covered | left_out == keys, name
        assert not covered & left_out


def test_table1_has_27_numbers(good):
    rows = rows_of(good, "table1", "value:row")
    assert len(rows) == 27
    assert set(rows["protocol"]) == set(synthetic.PROTOCOLS)
    assert rows.groupby("check")["published"].first().to_dict() == {
        f"value:row {number}": row[-1] for number, row in enumerate(synthetic.TABLE1_ROWS, start=1)
    }


def test_illustrations_say_so(good, published):
    names = [e["id"] for e in published.entries.values() if e["reproducible"] != "full"]
    rows = good[good["id"].isin(names)]
    assert set(rows["verdict"]) == {vd.ILLUSTRATION}
    numbers = rows_of(good, "claim.biology_numbers", "value:")
    assert dict(zip(numbers["check"], numbers["published"], strict=True)) == {
        "value:resting_potential_mv": -70,
        "value:threshold_mv": -55,
    }


# ----------------------------------------------------------- each check, both ways


def test_everything_is_reproduced_by_the_good_tables(good):
    judged = good[good["verdict"] != vd.ILLUSTRATION]
    wrong = judged[judged["verdict"] != vd.REPRODUCED]
    assert wrong.empty, wrong[["id", "check", "protocol", "reproduced", "note"]].to_string()


@pytest.mark.parametrize("scale", ["demo", "quick", "paper"])
@pytest.mark.parametrize(
    ("name", "index", "spoil"),
    [pytest.param(n, i, s, id=f"{n}:{i} {what}") for n, i, what, s in synthetic.SPOILS],
)
def test_each_statement_fails_where_it_must(tables, published, name, index, spoil, scale):
    spoil(tables)
    check = REGISTRY.checks[name, index]
    evidence = ev.Evidence(tables, published.entry(name), published, scale == "paper")
    outcomes = check(evidence)
    failing = [outcome for outcome in outcomes if not outcome.holds]
    assert failing
    assert all(outcome.decided for outcome in failing)


@pytest.mark.parametrize(
    ("name", "index", "spoil"),
    [pytest.param(n, i, s, id=f"{n}:{i} {what}") for n, i, what, s in synthetic.SPOILS[::8]],
)
def test_a_failing_statement_becomes_a_difference(tables, published, name, index, spoil):
    spoil(tables)
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    assert vd.DIFFERS in set(rows_of(verdicts, name, f"expect:{index}")["verdict"])


def test_every_check_is_exercised_both_ways():
    assert {(name, index) for name, index, _, _ in synthetic.SPOILS} == set(REGISTRY.checks)


@pytest.mark.parametrize("result", sorted(REGISTRY.numbers))
def test_every_number_differs_where_it_must(tables, published, result):
    shifted = {
        "fig2a": ("fig2a", "rate_hz", 1.01),
        "fig2c": ("fig2c", "value", 1.01),
        "fig5": ("fig5", "value", 0.99),
        "table1": ("table1", "test_accuracy_percent", 0.98),
        "claim.zil_final_accuracy": ("claim.zil_final_accuracy", "test_accuracy_percent", 0.99),
        "claim.spiking_drop": ("table1", "test_accuracy_percent", 1.5),
        "claim.spcn_near_snn": ("claim.spcn_near_snn", "gap_percentage_points", 1.5),
        "claim.bn_spiking_exception": (
            "claim.bn_spiking_exception",
            "spiking_accuracy_percent",
            0.98,
        ),
        "claim.alpha_filter_tau": ("claim.alpha_filter_tau", "tau_s", 1.2),
    }
    if result == "fig3":
        tables["fig3"] = pd.concat([tables["fig3"], tables["fig3"]], ignore_index=True)
    elif result == "fig4":
        tables["fig4"] = tables["fig4"][tables["fig4"]["image"] != 0]
    else:
        name, column, factor = shifted[result]
        tables[name] = tables[name].assign(**{column: tables[name][column] * factor})
        if result == "fig2a":  # its rates beyond j = 2 are read from figure 2b
            theory = tables["fig2b"]["theoretical_rate_hz"]
            tables["fig2b"] = tables["fig2b"].assign(theoretical_rate_hz=theory * factor)
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    rows = rows_of(verdicts, result, "value:")
    for _, row in rows.iterrows():
        if row["check"].startswith("value:interval"):
            continue  # the drawn interval, tested below
        assert row["verdict"] == vd.DIFFERS, row.to_dict()


def test_drawn_interval(tables, published):
    frame = tables["fig2c"]
    tables["fig2c"] = frame[(frame["protocol"] != "as_coded") | (frame["input"] >= 1.0)]
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    rows = rows_of(verdicts, "fig2c", "value:interval from").set_index("protocol")["verdict"]
    assert rows.to_dict() == {"as_coded": vd.DIFFERS, "corrected": vd.REPRODUCED}


# ------------------------------------------------------------------- the engine


def test_small_scale_does_not_compare_accuracies(tables, published):
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    numbers = rows_of(verdicts, "table1", "value:")
    assert set(numbers["verdict"]) == {vd.NOT_COMPARABLE}
    assert numbers["reproduced"].notna().all(), "the number is shown all the same"
    assert set(rows_of(verdicts, "table1", "expect:0")["verdict"]) == {vd.NOT_COMPARABLE}
    assert set(rows_of(verdicts, "table1", "expect:1 sign")["verdict"]) == {vd.REPRODUCED}
    assert set(rows_of(verdicts, "table1", "expect:1 size")["verdict"]) == {vd.NOT_COMPARABLE}
    assert set(rows_of(verdicts, "fig2a")["verdict"]) == {vd.REPRODUCED}, "formulas hold anywhere"


def test_comparable_can_be_denied_at_the_paper_scale(tables, published):
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published, comparable=False)
    assert set(rows_of(verdicts, "table1", "value:")["verdict"]) == {vd.NOT_COMPARABLE}


@pytest.mark.parametrize(("adam", "verdict"), [(96.25, vd.DIFFERS), (96.35, vd.REPRODUCED)])
def test_undecided_statements(tables, published, adam, verdict):
    """SGD (96.3) a little better or worse than Adam, within the scatter of the seeds."""
    rows = synthetic.row_of_table1(6)(tables["table1"])
    noisy = adam + np.array([-0.5, 0.0, 0.5])
    tables["table1"].loc[rows, "test_accuracy_percent"] = noisy
    for scale, expected in (("demo", vd.NOT_COMPARABLE), ("paper", verdict)):
        verdicts = vd.verdict_table("thuesen2022", tables, scale, published)
        row = rows_of(verdicts, "table1", "expect:2").set_index("protocol").loc["corrected"]
        assert row["verdict"] == expected
        assert "reaches across the bound" in row["note"]


def test_intervals_and_single_runs_in_the_note(tables, published):
    rows = synthetic.row_of_table1(1)(tables["table1"])
    tables["table1"].loc[rows, "test_accuracy_percent"] = [97.4, 97.5, 97.6]
    row = (
        rows_of(
            vd.verdict_table("thuesen2022", tables, "paper", published), "table1", "value:row 1"
        )
        .set_index("protocol")
        .loc["corrected"]
    )
    # Student's t with 2 degrees of freedom, 97.5 %: 4.302653; s = 0.1.
    half = 4.302652729911275 * 0.1 / np.sqrt(3)
    assert row["reproduced"] == pytest.approx(97.5)
    assert row["ci_low"] == pytest.approx(97.5 - half)
    assert row["ci_high"] == pytest.approx(97.5 + half)
    assert row["n_seeds"] == 3
    assert row["verdict"] == vd.REPRODUCED, "within the published point, whatever the interval"
    assert "inside the 95 % interval of our mean" in row["note"]
    assert vd.INSIDE_RUN in row["note"]
    tables["table1"].loc[rows, "test_accuracy_percent"] = [97.49, 97.5, 97.51]
    row = (
        rows_of(
            vd.verdict_table("thuesen2022", tables, "paper", published), "table1", "value:row 1"
        )
        .set_index("protocol")
        .loc["corrected"]
    )
    assert "outside the 95 % interval of our mean" in row["note"]
    assert vd.OUTSIDE_RUN in row["note"]


def test_tolerance_is_the_published_one_to_the_digit(tables, published):
    rows = synthetic.row_of_table1(6)(tables["table1"])
    for shift, verdict in ((1.0, vd.REPRODUCED), (1.0001, vd.DIFFERS)):
        tables["table1"].loc[rows, "test_accuracy_percent"] = 96.94 - shift
        verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
        row = rows_of(verdicts, "table1", "value:row 6").set_index("protocol").loc["corrected"]
        assert row["verdict"] == verdict


def test_number_without_tolerance_needs_several_seeds(tables, published):
    one = {
        name: frame[frame["seed"] == 0] if "seed" in frame else frame
        for name, frame in tables.items()
    }
    verdicts = vd.verdict_table("thuesen2022", one, "paper", published)
    rows = rows_of(verdicts, "claim.spcn_near_snn", "value:")
    assert set(rows["verdict"]) == {vd.NOT_COMPARABLE}
    assert rows_of(verdicts, "table1", "value:row 2")["verdict"].eq(vd.REPRODUCED).all()
    assert rows_of(verdicts, "table1", "value:row 2")["ci_low"].isna().all()


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
    rows = synthetic.row_of_table1(4)(tables["table1"]) & (tables["table1"]["seed"] == 1)
    tables["table1"].loc[rows, "test_accuracy_percent"] = np.nan
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    row = rows_of(verdicts, "table1", "value:row 4").set_index("protocol").loc["corrected"]
    assert row["verdict"] == vd.DIFFERS
    assert "1 of 3 runs diverged" in row["note"]
    statement = rows_of(verdicts, "table1", "expect:0").set_index("protocol").loc["corrected"]
    assert statement["verdict"] == vd.DIFFERS


def test_missing_tables_and_columns_are_errors(tables, published):
    for name in ("fig2a", "table1", "claim.constraints", "theorems"):
        without = {**tables, name: None}
        with pytest.raises(StudyError, match=f"thuesen2022.{name} is missing"):
            vd.verdict_table("thuesen2022", without, "demo", published)
    tables["fig5"] = tables["fig5"].drop(columns="quantity")
    with pytest.raises(StudyError, match="fig5 lacks the column 'quantity'"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_missing_rows_are_errors(tables, published):
    tables["table1"] = tables["table1"][tables["table1"]["row"] != 7]
    with pytest.raises(StudyError, match="row 7 of the thesis.*is missing from our"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_rows_of_ones_own_do_not_disturb_table1(tables, published, good):
    """A further row that looks like a printed one, and one that looks like none."""
    table = tables["table1"]
    twin = table[table["row"] == 1].assign(row=10, test_accuracy_percent=50.0)
    other = twin.assign(row=11, model="own")
    tables["table1"] = pd.concat([twin, other, table], ignore_index=True)
    verdicts = vd.verdict_table("thuesen2022", tables, "paper", published)
    pd.testing.assert_frame_equal(verdicts, good)
    tables["table1"] = pd.concat([twin, twin.assign(row=12), table[table["row"] != 1]])
    with pytest.raises(StudyError, match="row 1 of the thesis"):
        vd.verdict_table("thuesen2022", tables, "paper", published)


def test_unknown_study_and_statement_without_check(tables, published, monkeypatch):
    with pytest.raises(StudyError, match="no checks for the study 'unknown2020'"):
        vd.verdict_table("unknown2020", tables, "demo", published)
    monkeypatch.delitem(REGISTRY.checks, ("fig3", 0))
    with pytest.raises(StudyError, match=r"thuesen2022.fig3: statement 0 has no check"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_theorems(tables, published):
    theorems = tables["theorems"]
    name = "thuesen2022.eq54.pcn_batch_norm"
    hit = (theorems["id"] == name) & (theorems["check"] == 1) & (theorems["seed"] == 2)
    theorems.loc[hit, "deviation"] = 2e-10
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    row = rows_of(verdicts, "eq54.pcn_batch_norm", "expect:1").iloc[0]
    assert row["verdict"] == vd.DIFFERS
    assert row["reproduced"] == 2e-10, "the largest deviation over the seeds"
    assert row["n_seeds"] == 3
    assert rows_of(verdicts, "eq54.pcn_batch_norm", "expect:0")["verdict"].iloc[0] == vd.REPRODUCED
    tables["theorems"] = theorems[~((theorems["id"] == name) & (theorems["check"] == 1))]
    with pytest.raises(StudyError, match="eq54.*no row for statement 1"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


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
    name = "thuesen2022.eq29.adam"
    frame = pd.DataFrame(
        {
            "id": name,
            "check": 0,
            "statement": "s",
            "protocol": "corrected",
            "seed": range(len(deviations)),
            "deviation": deviations,
            "bound": bound,
            "comparison": comparison,
        }
    )
    evidence = ev.Evidence({"theorems": frame}, published.entry(name), published, False)
    (outcome,) = vd.theorem_outcomes(evidence, 0)
    assert outcome.holds is holds
    assert outcome.reproduced == pytest.approx(worst, nan_ok=True)


@pytest.mark.parametrize(
    ("bound", "text"),
    [(397600.0, "397600"), (1000.0, "1000"), (999.4, "999"), (0.69315, "0.693"), (1e-10, "1e-10")],
)
def test_bounds_of_theorems_are_printed_for_people(published, bound, text):
    row = {"id": "thuesen2022.eq29.adam", "check": 0, "statement": "s", "protocol": "corrected"}
    frame = pd.DataFrame(
        [row | {"seed": 0, "deviation": bound, "bound": bound, "comparison": "=="}]
    )
    evidence = ev.Evidence({"theorems": frame}, published.entry(row["id"]), published, False)
    assert vd.theorem_outcomes(evidence, 0)[0].note == f"s; must be == {text}"


def test_theorem_with_two_measurements_and_two_protocols(published):
    frame = pd.DataFrame(
        [
            ("thuesen2022.eq38.soft_rate", 0, "right sign", "corrected", 0, 0.5, 1.0, "<"),
            ("thuesen2022.eq38.soft_rate", 0, "printed sign", "as_published", 0, 50.0, 1.0, "<"),
        ],
        columns=list(THEOREM_COLUMNS),
    )
    entry = published.entry("eq38.soft_rate")
    outcomes = vd.theorem_outcomes(ev.Evidence({"theorems": frame}, entry, published, False), 0)
    assert [(o.protocol, o.holds) for o in outcomes] == [
        ("corrected", True),
        ("as_published", False),
    ]


def test_unknown_comparison_is_an_error(published, tables):
    tables["theorems"]["comparison"] = "~"
    with pytest.raises(StudyError, match="compares by '~'"):
        vd.verdict_table("thuesen2022", tables, "demo", published)


def test_references_follow_their_original(tables, published):
    good = vd.verdict_table("thuesen2022", tables, "paper", published)
    assert set(rows_of(good, "draft.fig3")["verdict"]) == {vd.REPRODUCED}
    dict((what, s) for *_, what, s in synthetic.SPOILS)["the floor of 1.8 Hz of the author's code"](
        tables
    )
    tables["fig4"] = synthetic.fig4(8)
    bad = vd.verdict_table("thuesen2022", tables, "demo", published)
    rows = rows_of(bad, "draft.fig3", "expect:0").set_index("protocol")
    assert set(rows["verdict"]) == {vd.DIFFERS}
    assert set(rows_of(bad, "draft.fig1", "expect:0")["verdict"]) == {vd.NOT_COMPARABLE}
    assert set(rows_of(bad, "draft.fig2")["verdict"]) == {vd.ILLUSTRATION}


def test_numbers_of_a_reference_are_those_of_its_original(published, good):
    original = rows_of(good, "table1").to_dict("records")
    entry = {**published.entry("draft.fig1"), "same_as": "thuesen2022.table1", "values": {"row": 1}}
    rows = list(vd._rows_of_reference(entry, original))
    numbers = [row for row in rows if row["check"].startswith("value:row")]
    assert len(numbers) == 27
    assert {row["id"] for row in rows} == {"thuesen2022.draft.fig1"}
    assert numbers[0]["published"] == 97.68


def test_differences_are_explained(tables, published):
    dict((what, s) for *_, what, s in synthetic.SPOILS)["the floor of 1.8 Hz of the author's code"](
        tables
    )
    verdicts = vd.verdict_table("thuesen2022", tables, "demo", published)
    rows = rows_of(verdicts, "fig2a", "expect:0").set_index("protocol")
    assert "Why: The author's code adds 1e-12" in rows.loc["as_coded", "note"]
    assert "Why" not in rows.loc["corrected", "note"], (
        "that explanation is not for our own protocol"
    )


def test_explanations_name_existing_results_and_the_most_specific_wins(published):
    explanations = vd.STUDIES["thuesen2022"].explanations
    for explanation in explanations:
        entry = published.entry(explanation.result)
        assert explanation.protocol in (*ev.PROTOCOLS, "*")
        if explanation.check.startswith("expect:"):
            index = int(explanation.check.removeprefix("expect:").split(" ")[0])
            assert index < len(entry["expect"])
    general = vd.Explanation("r", "*", "*", "general")
    statement = vd.Explanation("r", "expect:0", "*", "statement")
    exact = vd.Explanation("r", "expect:0 weights", "as_coded", "exact")
    known = (general, statement, exact)
    assert vd.explain(known, "r", "expect:0 weights", "as_coded") == "exact"
    assert vd.explain(known, "r", "expect:0 weights", "corrected") == "statement"
    assert vd.explain(known, "r", "expect:1", "corrected") == "general"
    assert vd.explain(known, "other", "expect:1", "corrected") is None


def test_counts(good, published):
    counts = vd.verdict_counts(good)
    assert list(counts.index) == list(vd.VERDICTS)
    assert counts.sum() == len(good)
    entries = vd.entry_verdicts(good)
    assert len(entries) == 54
    assert entries[list(vd.VERDICTS)].to_numpy().sum() == len(good)


def test_verdicts_are_the_same_bytes_every_time(tables, published):
    once, again = (
        vd.verdict_table("thuesen2022", tables, "paper", published).to_csv() for _ in range(2)
    )
    assert once == again


# ------------------------------------------------------------- reference runs


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
