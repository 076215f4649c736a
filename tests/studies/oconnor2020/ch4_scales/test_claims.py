"""Every check on the optimised scales, on a table that passes and on tables that fail."""

import pandas as pd
import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.explanations import UNEXPLAINED

from ...claim_harness import ClaimTests, Spoil
from ...part_results import published_of
from . import synthetic

TABLE, FIGURE, BOTH_ORDERS = "table_b1", "ch4.fig4.4", "ch4.same_error_both_orders"
SIGMA_DELTA = "network == 'sigma_delta'"
IN_TIME, IN_FILE = (f"{SIGMA_DELTA} and order == '{order}'" for order in ("temporal", "file"))
SMALLEST = "setting == 'optimized' and `lambda` < 2e-10"


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
    spoil(FIGURE, "same_errors", "networks", SIGMA_DELTA, differing_predictions=1),
    spoil(FIGURE, "same_errors", "orders", "order == 'temporal'", differing_predictions=1),
    spoil(FIGURE, "fewer_operations_in_temporal_order", "more", IN_TIME, kflops=300.0),
    spoil(
        FIGURE, "fewer_operations_in_temporal_order", "unoptimized",
        f"{IN_TIME} and setting == 'unoptimized'", kflops=lambda old: 2 * old,
    ),
    spoil(FIGURE, "more_operations_in_file_order", "fewer", IN_FILE, kflops=20.0),
    spoil(FIGURE, "reach_the_original_error", "rounding", SMALLEST, error_percent=2.5),
    spoil(
        FIGURE, "reach_the_original_error", "sigma-delta", f"{SMALLEST} and {SIGMA_DELTA}",
        error_percent=2.5,
    ),
    spoil(FIGURE, "fewer_operations_than_a_dense_pass", "cost", SMALLEST, kflops=400.0),
    spoil(
        TABLE, "operations_fall_with_lambda", "cost", "`lambda` == 2.15e-7 and order == 'file'",
        kflops=lambda old: old + 100,
    ),
    spoil(TABLE, "errors_rise_with_lambda", "error", "`lambda` == 2.15e-7", error_percent=9.0),
    spoil(TABLE, "dense_original", "operations", "network == 'original'", kflops=397.601),
    spoil(TABLE, "temporal_over_file", "more", IN_TIME, kflops=lambda old: 3 * old),
    *(
        spoil(
            BOTH_ORDERS, "errors_do_not_depend_on_the_order", part,
            f"order == 'temporal' and part {'==' if part == 'training' else '!='} 'training'",
            differing_predictions=1,
        )
        for part in ("training", "test")
    ),
    spoil(
        BOTH_ORDERS, "errors_do_not_depend_on_the_order", "original", "network == 'original'",
        differing_predictions=1,
    ),
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
        rows = self.judged(one.spoil(tables), published).set_index(["check", "protocol"])
        assert rows.loc[(one.statement, protocol), "verdict"] == vd.DIFFERS

    def test_every_cell_is_compared_once(self, table, published):
        """Six of the original, and of every row three of rounding and two of sigma-delta."""
        cells = self.cells(table, published)
        assert (cells["protocol"].value_counts() == 6 + 11 * 5).all()
        shown = cells[cells["check"] == "rows.lambda_1e-10.sigma_delta.temporal.kflops"]
        assert shown["published"].tolist() == [110, 110] == shown["reproduced"].tolist()
        label = "published value of lambda 1e-10, sigma-delta, Temporal MNIST: kOps"
        assert shown["statement"].iloc[0] == f"{label}, cut to whole ones as printed"

    def test_thousands_of_operations_are_cut_off_as_printed(self, table, published):
        cells = self.cells(table, published).set_index(["check", "protocol"])
        dense = cells.loc[("original.file.kflops_dense", "as_published")]
        assert (dense["reproduced"], dense["published"]) == (397, 397)

    def test_protocols_have_their_own_test_part(self, table, published):
        """An error on the official images concerns the reading by the text alone."""
        other = changed(table, "part == 'official'", error_percent=lambda old: old + 5)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.endswith("test_error_percent")]
        assert (cells.loc[cells["protocol"] == "as_coded", "verdict"] == vd.REPRODUCED).all()
        mine = cells[cells["protocol"] == "as_published"]
        assert (mine["verdict"] == vd.DIFFERS).all()
        assert mine["reason"].str.contains("official test images").all()

    def test_the_trained_network_is_judged_by_its_accuracy(self, tables, published):
        worse = changed(tables[TABLE], "network == 'original'", error_percent=2.5)
        rows = self.judged({TABLE: worse}, published).set_index("check")
        assert (rows.loc["value:pretrained_test_accuracy_percent", "verdict"] == vd.DIFFERS).all()

    def test_what_goes_beyond_the_table_is_not_judged(self, table, published, good):
        layerwise = table[table["granularity"] == "layerwise"]
        pd.testing.assert_frame_equal(self.judged({TABLE: layerwise}, published), good)

    def test_a_cell_that_differs_says_why(self, table, published):
        other = changed(table, "network == 'rounding'", kflops=lambda old: 1.5 * old)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.match(r"rows\.lambda_.*\.rounding\..*\.kflops")]
        assert len(cells) == 20 and (cells["verdict"] == vd.DIFFERS).all()
        assert (cells["reason"] != UNEXPLAINED).all()

    def test_the_largest_ratio_decides(self, tables, published):
        """A ratio near 0 is far inside of 'fewer', however near that is to a bound."""
        cheap = changed(tables[TABLE], f"{IN_TIME} and `lambda` == 1e-5", kflops=0.1)
        found = self.verdicts_on(
            {TABLE: cheap}, published, FIGURE, "fewer_operations_in_temporal_order"
        )
        assert found == [vd.REPRODUCED] * 2

    def test_a_diverged_optimisation_is_no_crash_and_no_success(self, tables, published):
        nothing = ["error_percent", "kflops", "energy_nj", "differing_predictions"]
        nothing = dict.fromkeys(nothing, float("nan"))
        other = changed(tables[TABLE], "`lambda` == 1e-5", **nothing, diverged=True)
        cells = self.cells(other, published)
        cells = cells[cells["check"].str.startswith("rows.lambda_1e-05")]
        assert len(cells) and (cells["verdict"] == vd.DIFFERS).all()
        assert cells["note"].str.contains("3 of 3 runs diverged").all()
        for statement in ("operations_fall_with_lambda", "errors_rise_with_lambda"):
            found = self.verdicts_on({TABLE: other}, published, TABLE, statement)
            assert found == [vd.DIFFERS] * 2

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
