"""Verdicts of chapter 9 of O'Connor 2020: they hold, and each of them can fail."""

from copy import deepcopy

import pytest

from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.studies.oconnor2020.ch9 import claims

from ...claim_harness import ClaimTests, Spoil
from . import synthetic


def change(table, column, rows, value):
    """Tables in which a column is another where ``rows`` is true."""

    def spoil(tables):
        frame = tables[table].copy()
        chosen = frame.eval(rows)
        assert chosen.any()
        frame.loc[chosen, column] = value
        return {**tables, table: frame}

    return spoil


class TestClaims(ClaimTests):
    """Marks and forgetting; theorems have tests of their own."""

    part = "oconnor2020.ch9"
    good_tables = staticmethod(synthetic.good_tables)
    spoils = [
        Spoil(
            "ch9.catastrophic_forgetting", "old_digits_forgotten", "they are kept",
            change("ch9.catastrophic_forgetting", "old_error_percent", "stage == 'second'", 9.0),
        ),
    ]  # fmt: skip

    def test_every_claim_has_a_table_that_fails(self, published):
        """That no row has all marks is read from the published table, of which a copy is spoilt."""
        spoilt = deepcopy(published)
        rows = spoilt.values("ch9.table9.1")["rows"]
        rows[0] |= dict.fromkeys(claims.MARKS, "yes")
        entry = spoilt.entry("ch9.no_algorithm_meets_all")
        (found,) = claims.no_row_has_all_marks(Evidence({}, entry, spoilt, True))
        assert found.values == [1] and found.controls == {"with_the_brain": [2]}

    @pytest.mark.parametrize(
        ("system", "column", "value", "mark"),
        [
            ("spiking_eqprop", "whole_share", 0.99, "QC"),
            ("eqprop", "whole_share", 1.0, "QC"),
            ("sigma_delta", "partial_cost", 0.9, "ADP"),
            ("backprop", "partial_cost", 0.2, "ADP"),
        ],
    )
    def test_a_mark_follows_from_what_was_measured(
        self, tables, published, system, column, value, mark
    ):
        spoilt = change("ch9.table9.1", column, f"system == '{system}'", value)(dict(tables))
        judged = self.judged(spoilt, published)
        row = judged[judged["check"] == f"value:rows.{system}.{mark}"]
        assert row["verdict"].tolist() == [vd.DIFFERS]
