"""Pictures of chapter 7 without images, from made-up tables."""

from typing import ClassVar

import numpy as np

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch7_principles"
    tables: ClassVar = {
        "ch7.fig7.1": synthetic.panes_table,
        "ch7.fig7.2": synthetic.toy_table,
        "ch7.cause_confusing_distant": synthetic.rates_table,
    }

    def test_each_layer_has_an_alignment(self, drawn):
        for axes in drawn["ch7.fig7.2"].axes[1:3]:
            assert sum(len(line.get_xdata()) == 9 for line in axes.lines) == 3

    def test_targets_stand_above_the_positive_phase_alone(self, drawn):
        texts = [
            [text.get_text() for text in axes.texts if text.get_text()]
            for axes in drawn["ch7.fig7.1"].axes
        ]
        assert texts == [[], [], ["0", "1"]]

    def test_rates_that_fail_stand_at_the_last_iteration(self, drawn):
        line = drawn["ch7.cause_confusing_distant"].axes[0].lines
        assert max(np.max(each.get_ydata()) for each in line) == 1000
