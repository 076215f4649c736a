"""Verdicts of chapter 9 of O'Connor 2020: they hold, and each of them can fail."""

import pytest

from plausible.reproduction import verdicts as vd

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
