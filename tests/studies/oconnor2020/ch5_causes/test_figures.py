"""Pictures of causes of chapter 5, from made-up tables."""

from typing import ClassVar

import pytest

from plausible.studies.oconnor2020.ch5_causes.figures_beyond import since_the_beginning

from ..picture_rules import PictureRules
from . import synthetic

TABLES = synthetic.good_tables()


def table(name):
    """A maker of a table."""
    return lambda: TABLES[name]


class TestFigures(PictureRules):
    """Nine pictures."""

    part = "oconnor2020.ch5_causes"
    tables: ClassVar = {name: table(name) for name in TABLES} | {
        "beyond.break_even": table("ch5.computation_follows_change")
    }

    def test_the_price_at_which_both_cost_the_same_is_drawn(self, drawn):
        """Additions over multiply-adds, at every rate and in both orders, and where they meet."""
        axes, _ = drawn["beyond.break_even"].axes
        ratios = [line.get_ydata() for line in axes.lines if len(line.get_ydata()) == 7]
        expected = (160e3 + 3e3) * 1.02 / 159e3
        assert any(ys[0] == pytest.approx(expected) for ys in ratios)
        assert any(set(line.get_ydata()) == {1.0} for line in axes.lines)


def test_operations_are_those_since_the_beginning():
    rows = since_the_beginning(TABLES["beyond.one_pass"])
    mine = rows.query("way == 'mlp' and order == 'file' and seed == 1")
    assert list(mine["epoch"]) == [0.1, 0.5, 1.0]
    whole = sum(synthetic.SIZES.values()) / 1e6
    assert list(mine["million_operations"]) == pytest.approx(
        [100 * whole, 500 * whole, 1e3 * whole]
    )
