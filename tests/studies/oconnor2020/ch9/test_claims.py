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
        ("system", "share"), [("spiking_eqprop", 0.99), ("eqprop", 1.0), ("pdnn", 0.5)]
    )
    def test_a_mark_follows_from_what_was_measured(self, tables, published, system, share):
        spoil = change("ch9.table9.1", "whole_share", f"system == '{system}'", share)
        spoilt = spoil(dict(tables))
        judged = self.judged(spoilt, published)
        row = judged[judged["check"] == f"value:rows.{system}.QC"]
        assert row["verdict"].tolist() == [vd.DIFFERS]
