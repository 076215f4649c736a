"""Every check on the optimised scales, on a table that passes and on tables that fail."""

from fnmatch import fnmatch
from pathlib import Path

import pandas as pd
import pytest
from plausible.reproduction.oconnor2020 import causes, scales

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.published import load_published

from .synthetic_oconnor2020_scales import good_table

FOLDER = Path(__file__).resolve().parents[2] / "workflow" / "published"
COVERED = ("ch4.fig4.4", "table_b1", "ch4.same_error_both_orders", "ch4.reaches_original_error")
TABLE = "table_b1"


@pytest.fixture(scope="module")
def published():
    return load_published(FOLDER / "oconnor2020.yaml", covers=COVERED)


@pytest.fixture(scope="module")
def good(published):
    return good_table(published)


def judged(table, published, scale="paper"):
    """Verdicts of these entries alone."""
    known = vd.StudyChecks(scales.REGISTRY, scales.EXPLANATIONS)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(vd.STUDIES, "oconnor2020", known)
        return vd.verdict_table("oconnor2020", {TABLE: table}, scale, published)


@pytest.fixture(scope="module")
def verdicts(good, published):
    return judged(good, published)


def outcomes(table, published, name, index):
    evidence = Evidence({TABLE: table}, published.entry(name), published, True)
    return scales.REGISTRY.checks[name, index](evidence)


def test_the_study_has_these_checks(published):
    registry = vd.STUDIES["oconnor2020"].registry
    for identifier, entry in published.entries.items():
        name = vd.result_name(identifier)
        assert any(fnmatch(name, pattern) for pattern in COVERED)
        for index in range(len(entry["expect"])):
            assert (name, index) in registry.checks


def test_every_cell_is_compared_by_the_code(verdicts, published):
    cells = verdicts[verdicts["check"].str.startswith("value:")]
    rows = published.entry(TABLE)["values"]["rows"]
    own = [row for row in rows if row["network"] != "Original" or row["lambda"] is None]
    count = sum(len(row[key]) for row in own for key in ("mnist", "temporal_mnist"))
    assert (cells["protocol"] == "as_coded").sum() == count
    shown = cells[cells["check"] == "value:lambda 1e-10, SigmaDelta, temporal_mnist: energy_nj"]
    assert shown["published"].tolist() == [11] and shown["reproduced"].tolist() == [11.0]
    assert not verdicts.duplicated(["id", "check", "protocol"]).any()


def test_the_good_table_reproduces_everything(verdicts):
    assert verdicts.loc[verdicts["verdict"] != vd.REPRODUCED, ["id", "check"]].empty


def changed(table, condition, **columns):
    """The table with columns replaced where ``condition`` holds; functions get the old values."""
    table = table.copy()
    chosen = table.eval(condition)
    assert chosen.any(), condition
    for name, value in columns.items():
        old = table.loc[chosen, name]
        table.loc[chosen, name] = value(old) if callable(value) else value
    return table


SPOILED = [
    ("ch4.fig4.4", 0, "network == 'sigma_delta'", {"error_percent": lambda old: old + 0.01}),
    ("ch4.fig4.4", 1, "network == 'sigma_delta' and order == 'temporal'", {"kflops": 300.0}),
    ("ch4.fig4.4", 2, "network == 'sigma_delta' and order == 'file'", {"kflops": 20.0}),
    ("ch4.fig4.4", 3, "network == 'rounding'", {"error_percent": 4.0}),
    ("ch4.fig4.4", 3, "network == 'sigma_delta'", {"kflops": 500.0}),
    (TABLE, 0, "order == 'temporal' and part != 'training'", {"error_percent": lambda e: e + 0.03}),
    (TABLE, 1, "`lambda` == 2.15e-7 and order == 'file'", {"kflops": lambda old: old + 100}),
    (TABLE, 1, "`lambda` == 2.15e-7 and order == 'file'", {"error_percent": 9.0}),
    (TABLE, 2, "network == 'original'", {"kflops": 398.2}),
    (TABLE, 2, "network == 'original'", {"energy_nj": 500.0}),
    (TABLE, 3, "network == 'sigma_delta' and order == 'temporal'", {"kflops": lambda old: old / 2}),
    ("ch4.same_error_both_orders", 0, "order == 'temporal' and part == 'training'",
     {"error_percent": lambda old: old + 0.05}),
    ("ch4.same_error_both_orders", 0, "order == 'temporal' and part != 'training'",
     {"error_percent": lambda old: old + 0.01}),
    ("ch4.reaches_original_error", 0, "`lambda` == 1e-10", {"error_percent": lambda e: e + 0.4}),
    ("ch4.reaches_original_error", 0, "`lambda` == 1e-10", {"kflops": 400.0}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "index", "condition", "columns"), SPOILED)
def test_each_statement_fails_where_it_must(good, published, name, index, condition, columns):
    assert all(one.holds for one in outcomes(good, published, name, index))
    table = changed(good, condition, **columns)
    for protocol in ("as_coded", "as_published"):
        found = outcomes(table, published, name, index)
        assert any(not one.holds for one in found if one.protocol == protocol)


def test_every_statement_is_spoiled(published):
    wanted = {
        (vd.result_name(identifier), index)
        for identifier, entry in published.entries.items()
        for index in range(len(entry["expect"]))
    }
    assert {(name, index) for name, index, *_ in SPOILED} == wanted


def test_protocols_have_their_own_test_part(good, published):
    """An error on the official images concerns the reading by the text alone."""
    table = changed(good, "part == 'official'", error_percent=lambda old: old + 5)
    verdicts = judged(table, published)
    cells = verdicts[verdicts["check"].str.endswith("test_error_percent")]
    assert (cells.loc[cells["protocol"] == "as_coded", "verdict"] == vd.REPRODUCED).all()
    mine = cells[cells["protocol"] == "as_published"]
    assert (mine["verdict"] == vd.DIFFERS).all()
    assert mine["note"].str.contains("official test images").all()


def test_a_cell_that_differs_says_why(good, published):
    table = changed(good, "network == 'rounding'", kflops=lambda old: 1.5 * old)
    verdicts = judged(table, published)
    cells = verdicts[verdicts["check"].str.match(r"value:lambda .*Round.*: kflops$")]
    assert len(cells) == 40 and (cells["verdict"] == vd.DIFFERS).all()
    assert cells["note"].str.contains("Why: ").all()


def test_the_worst_ratio_is_the_largest(good, published):
    """A ratio near 0 is far inside of 'fewer', however near that is to a bound."""
    in_time = "network == 'sigma_delta' and order == 'temporal'"
    table = changed(good, f"{in_time} and `lambda` == 1e-5", kflops=0.1)
    found = [one for one in outcomes(table, published, "ch4.fig4.4", 1) if one.aspect == "fewer"]
    assert len(found) == 2 and all(one.holds and one.reproduced > 0.4 for one in found)


def test_each_cell_has_its_own_cause(good, published):
    """Costs at one lambda, errors at two, and one column at another; all else has the start."""
    table = changed(good, "network != 'original'", kflops=lambda old: 3 * old)
    table = changed(table, "network != 'original'", energy_nj=lambda old: 3 * old)
    table = changed(table, "network != 'original'", error_percent=lambda old: old + 3)
    verdicts = judged(table, published)
    mine = verdicts[(verdicts["protocol"] == "as_coded") & (verdicts["verdict"] == vd.DIFFERS)]
    cells = mine[mine["check"].str.startswith("value:")]
    for words, count in (
        ("input scale passes 4.5", 8),
        ("is that of the original network", 8),
        ("published energies are", 2),
    ):
        rows = cells[cells["note"].str.contains(words)]
        assert len(rows) == count, words
        assert rows["note"].str.contains("paper scale").all()
    others = cells[~cells["note"].str.contains("paper scale")]
    assert len(others) > 100
    assert others["note"].str.contains("random start is not stated").all()


def test_a_diverged_optimisation_is_no_crash_and_no_success(good, published):
    table = changed(
        good, "`lambda` == 1e-5", error_percent=float("nan"), kflops=float("nan"),
        energy_nj=float("nan"), diverged=True,
    )  # fmt: skip
    verdicts = judged(table, published)
    cells = verdicts[verdicts["check"].str.startswith("value:lambda 1e-05")]
    assert (cells["verdict"] == vd.DIFFERS).all()
    assert cells["note"].str.contains("3 of 3 runs diverged").all()
    monotone = verdicts[(verdicts["id"] == "oconnor2020.table_b1")]
    monotone = monotone[monotone["check"].str.startswith("expect:1")]
    assert (monotone["verdict"] == vd.DIFFERS).all()


def test_a_small_scale_compares_no_cells(good, published):
    verdicts = judged(good, published, "demo")
    cells = verdicts["check"].str.startswith("value:")
    assert (verdicts.loc[cells, "verdict"] == vd.NOT_COMPARABLE).all()


def test_one_seed_one_protocol_and_other_lambdas(published):
    table = good_table(published, ("as_coded",), (0,))
    table["lambda"] = 3 * table["lambda"]
    verdicts = judged(table, published, "quick")
    assert set(verdicts["protocol"]) == {"as_coded"}
    named = verdicts.loc[verdicts["check"].str.startswith("value:"), "check"]
    assert not named.str.contains("lambda").any() and named.str.contains("unoptimized").any()


def test_explanations_and_causes_name_checks_that_exist(verdicts):
    known = set(zip(verdicts["id"], verdicts["check"], verdicts["protocol"], strict=True))
    for one in scales.EXPLANATIONS:
        assert f"oconnor2020.{one.result}" in set(verdicts["id"])
    mine = [need for cause in causes.CAUSES for need in cause.needs if need[0] in COVERED]
    assert mine
    for result, check, protocol, _ in mine:
        assert (f"oconnor2020.{result}", check, protocol) in known


def test_verdicts_are_the_same_every_time(good, published, verdicts):
    pd.testing.assert_frame_equal(judged(good, published), verdicts)
