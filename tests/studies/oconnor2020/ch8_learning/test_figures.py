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
        "beyond.initialised_and_spiking": synthetic.initialised_table,
    }

    def test_only_a_forward_pass_stands_before_the_first_step(self, drawn):
        """Places 0 to 8 stand for the steps; from zero nothing is known at 0."""
        axes = drawn["beyond.initialised_and_spiking"].axes
        lines = [[list(x) for x in zip(*line.get_data(), strict=True)] for line in axes[0].lines]
        starts = sorted(min(places)[0] for places in lines if len(places) > 2)
        assert starts == [0, 0, 1, 1, 1]
        assert [text.get_text() for text in axes[0].get_xticklabels()][-2:] == ["64", "100"]

    def test_published_errors_are_lines(self, drawn):
        levels = [
            line.get_ydata()[0]
            for line in drawn["ch8.fig8.3"].axes[0].lines
            if list(line.get_xdata()) == [0, 1]
        ]
        assert sorted(levels) == [0.15, 0.25, 2.37, 2.51]
