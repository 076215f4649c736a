"""Pictures of networks that learn with bits, from made-up tables."""

from typing import ClassVar

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch8_learning"
    tables: ClassVar = {
        "ch8.fig8.3": synthetic.trainings_table,
        "fig_e3": synthetic.trainings_table,
        "fig_e2": synthetic.search_table,
        "appE.splitstream": synthetic.contrasts_table,
    }

    def test_published_errors_are_lines(self, drawn):
        levels = [
            line.get_ydata()[0]
            for line in drawn["ch8.fig8.3"].axes[0].lines
            if list(line.get_xdata()) == [0, 1]
        ]
        assert sorted(levels) == [0.15, 0.25, 2.37, 2.51]
