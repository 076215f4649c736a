"""Pictures of PD coding, from made-up tables."""

from typing import ClassVar

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """Figures 5.1 and 5.2."""

    part = "oconnor2020.ch5_coding"
    tables: ClassVar = {"ch5.fig5.1": synthetic.grid_table, "ch5.fig5.2": synthetic.drift_table}

    def test_the_cell_without_coefficients_is_empty(self, drawn):
        axes = drawn["ch5.fig5.1"].axes
        assert [not one.axison for one in axes].count(True) == 1 and len(axes) == 9
        titles = {one.get_title(loc) for one in axes for loc in ("left", "center")}
        assert any("N = 55" in title for title in titles)

    def test_every_k_p_has_a_panel(self, drawn):
        titles = [one.get_title("left") for one in drawn["ch5.fig5.2"].axes]
        assert sum("$k_p$" in title for title in titles) == 3
