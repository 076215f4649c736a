"""Every check on the optimised scales, on a table that passes and on tables that fail."""

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd

from ...claim_harness import ClaimTests, Spoil
from ...part_results import published_of
from . import synthetic

TABLE, FIGURE = "table_b1", "ch4.fig4.4"
ORDERS, REACHED = "ch4.same_error_both_orders", "ch4.reaches_original_error"
SMALLEST = "original_error_at_the_smallest_lambda"
SIGMA_DELTA = "network == 'sigma_delta'"


def changed(table, condition, **columns):
    """The table with columns replaced where ``condition`` holds; functions get the old values."""
    table = table.copy()
    chosen = table.eval(condition)
    assert chosen.any(), condition
    for name, value in columns.items():
        old = table.loc[chosen, name]
        table.loc[chosen, name] = value(old) if callable(value) else value
    return table


def spoil(result, statement, what, condition, **columns):
    """A table of table B.1 in which the statement fails in both protocols."""

    def change(tables):
        return {**tables, TABLE: changed(tables[TABLE], condition, **columns)}

    return Spoil(result, statement, what, change)


SPOILS = [
    spoil(FIGURE, "same_errors", "one", SIGMA_DELTA, error_percent=lambda old: old + 0.01),
    spoil(
        FIGURE, "fewer_operations_in_temporal_order", "more",
        f"{SIGMA_DELTA} and order == 'temporal'", kflops=300.0,
    ),
    spoil(
        FIGURE, "more_operations_in_file_order", "fewer",
        f"{SIGMA_DELTA} and order == 'file'", kflops=20.0,
    ),
    spoil(
        FIGURE, "reach_the_original_error", "errors", "network == 'rounding'", error_percent=4.0
    ),
    spoil(FIGURE, "reach_the_original_error", "cost", SIGMA_DELTA, kflops=500.0),
    spoil(
        TABLE, "errors_agree", "orders", "order == 'temporal' and part != 'training'",
        error_percent=lambda old: old + 0.03,
    ),
    spoil(
        TABLE, "monotone_in_lambda", "cost", "`lambda` == 2.15e-7 and order == 'file'",
        kflops=lambda old: old + 100,
    ),
    spoil(
        TABLE, "monotone_in_lambda", "error", "`lambda` == 2.15e-7 and order == 'file'",
        error_percent=9.0,
    ),
    spoil(TABLE, "dense_original", "operations", "network == 'original'", kflops=398.2),
    spoil(TABLE, "dense_original", "energy", "network == 'original'", energy_nj=500.0),
    spoil(
        TABLE, "temporal_over_file", "half", f"{SIGMA_DELTA} and order == 'temporal'",
        kflops=lambda old: old / 2,
    ),
    spoil(
        ORDERS, "errors_do_not_depend_on_the_order", "training",
        "order == 'temporal' and part == 'training'", error_percent=lambda old: old + 0.05,
    ),
    spoil(
        ORDERS, "errors_do_not_depend_on_the_order", "test",
        "order == 'temporal' and part != 'training'", error_percent=lambda old: old + 0.01,
    ),
    spoil(REACHED, SMALLEST, "errors", "`lambda` == 1e-10", error_percent=lambda old: old + 0.4),
    spoil(REACHED, SMALLEST, "cost", "`lambda` == 1e-10", kflops=400.0),
]  # fmt: skip


class TestClaims(ClaimTests):
    """Figure 4.4 and table B.1."""

    part = "oconnor2020.ch4_scales"
    scale = "paper"
    spoils = SPOILS

    @staticmethod
    def good_tables():
        """The one table that everything is read from."""
        return {TABLE: synthetic.table_b1(published_of(TestClaims.part))}

    @pytest.fixture(scope="class")
    @classmethod
    def table(cls, tables):
        """Good rows of table B.1."""
        return tables[TABLE]

    def cells(self, table, published, scale="paper"):
        """Verdicts on the cells of table B.1, without the check's ``value:``."""
        verdicts = self.judged({TABLE: table}, published, scale)
        cells = verdicts[(verdicts["id"] == f"oconnor2020.{TABLE}")]
        cells = cells[cells["check"].str.startswith("value:")]
        return cells.assign(check=cells["check"].str.removeprefix("value:"))

    @pytest.mark.parametrize("protocol", ["as_coded", "as_published"])
    @pytest.mark.parametrize("one", SPOILS, ids=lambda one: f"{one.statement}: {one.what}")
    def test_each_statement_fails_in_both_protocols(self, tables, published, one, protocol):
        found = self.outcomes(one.spoil(tables), published, one.result, one.statement)
        assert any(not each.holds for each in found if each.protocol == protocol)

    def test_every_cell_is_compared_by_the_code(self, table, published):
        cells = self.cells(table, published)
        values = published.values(TABLE)
        count = sum(map(len, values["original"].values()))
        count += sum(
            len(printed)
            for row in values["rows"]
            for network in ("rounding", "sigma_delta")
            for printed in row[network].values()
        )
        assert (cells["protocol"] == "as_coded").sum() == count == 2 * 6 + 11 * 2 * 2 * 4
        shown = cells[cells["check"] == "rows.lambda_1e-10.sigma_delta.temporal.energy_nj"]
        assert shown["published"].tolist() == [11] and shown["reproduced"].tolist() == [11.0]
        label = "published value of lambda 1e-10, sigma-delta, Temporal MNIST: energy in nJ"
        assert shown["statement"].tolist() == [label]

    def test_protocols_have_their_own_test_part(self, table, published):
        """An error on the official images concerns the reading by the text alone."""
        other = changed(table, "part == 'official'", error_percent=lambda old: old + 5)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.endswith("test_error_percent")]
        assert (cells.loc[cells["protocol"] == "as_coded", "verdict"] == vd.REPRODUCED).all()
        mine = cells[cells["protocol"] == "as_published"]
        assert (mine["verdict"] == vd.DIFFERS).all()
        assert mine["note"].str.contains("official test images").all()

    def test_a_cell_that_differs_says_why(self, table, published):
        other = changed(table, "network == 'rounding'", kflops=lambda old: 1.5 * old)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.match(r"rows\.lambda_.*\.rounding\..*\.kflops")]
        assert len(cells) == 40 and (cells["verdict"] == vd.DIFFERS).all()
        assert cells["note"].str.contains("Why: ").all()

    def test_the_worst_ratio_is_the_largest(self, tables, published):
        """A ratio near 0 is far inside of 'fewer', however near that is to a bound."""
        in_time = f"{SIGMA_DELTA} and order == 'temporal' and `lambda` == 1e-5"
        other = {TABLE: changed(tables[TABLE], in_time, kflops=0.1)}
        found = self.outcomes(other, published, FIGURE, "fewer_operations_in_temporal_order")
        found = [one for one in found if one.variant == "fewer"]
        assert len(found) == 2 and all(one.holds and one.reproduced > 0.4 for one in found)

    def test_each_cell_has_its_own_cause(self, table, published):
        """Costs at one lambda, errors at two, and one column at another; all else has the start."""
        other = changed(
            table,
            "network != 'original'",
            kflops=lambda old: 3 * old,
            energy_nj=lambda old: 3 * old,
            error_percent=lambda old: old + 3,
        )
        cells = self.cells(other, published)
        cells = cells[(cells["protocol"] == "as_coded") & (cells["verdict"] == vd.DIFFERS)]
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

    def test_a_diverged_optimisation_is_no_crash_and_no_success(self, tables, published):
        nothing = dict.fromkeys(["error_percent", "kflops", "energy_nj"], float("nan"))
        other = changed(tables[TABLE], "`lambda` == 1e-5", **nothing, diverged=True)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.startswith("rows.lambda_1e-05")]
        assert len(cells) and (cells["verdict"] == vd.DIFFERS).all()
        assert cells["note"].str.contains("3 of 3 runs diverged").all()
        found = self.outcomes({TABLE: other}, published, TABLE, "monotone_in_lambda")
        assert found and not any(one.holds for one in found)

    def test_a_small_scale_compares_no_cells(self, table, published):
        cells = self.cells(table, published, "demo")
        assert (cells["verdict"] == vd.NOT_COMPARABLE).all()

    def test_one_seed_one_protocol_and_other_lambdas(self, published):
        table = synthetic.table_b1(published, ("as_coded",), (0,))
        table["lambda"] = 3 * table["lambda"]
        cells = self.cells(table, published, "quick")
        assert set(cells["protocol"]) == {"as_coded"}
        names = cells["check"]
        assert not names.str.contains("lambda").any() and names.str.contains("unoptimized").any()

    def test_verdicts_are_the_same_every_time(self, tables, published, good):
        pd.testing.assert_frame_equal(self.judged(tables, published), good)
