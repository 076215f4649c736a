"""Pictures of chapter 8 without training, from made-up tables."""

from typing import ClassVar

import numpy as np

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch8_principles"
    tables: ClassVar = {
        "ch8.fig8.1": synthetic.signal_table,
        "ch8.fig8.2": synthetic.convergence_table,
        "ch8.lambda_annealing": synthetic.long_table,
        "ch8.exponent_range": synthetic.exponent_table,
        "fig_e1": synthetic.search_table,
        "beyond.spikes_for_an_error": synthetic.frontier_table,
    }

    def test_every_bit_has_a_tick(self, drawn):
        table = synthetic.signal_table()
        ticks = drawn["ch8.fig8.1"].axes[0].collections
        for number, bits in enumerate(ticks, start=1):
            assert len(bits.get_segments()) == table[f"bit_{number}"].sum()

    def test_the_perturbation_of_either_protocol_is_marked(self, drawn):
        places = [
            line.get_xdata()[0]
            for axes in drawn["ch8.fig8.2"].axes
            for line in axes.lines
            if len(set(np.atleast_1d(line.get_xdata()))) == 1
        ]
        assert places == [100.5, 250.5]

    def test_every_trial_is_a_line(self, drawn):
        counts = [
            sum(
                np.isnan(line.get_ydata()).sum()
                for line in axes.lines
                if line.get_gid() == "trials"
            )
            for axes in drawn["fig_e1"].axes
        ]
        assert counts == [20, 20, 20, 20, 0]

    def test_every_code_has_a_line_and_the_levels_that_it_reaches(self, drawn):
        frontier, levels = drawn["beyond.spikes_for_an_error"].axes
        lines = [line for line in frontier.lines if len(line.get_xdata()) == 7]
        assert len(lines) == len(synthetic.RATES)
        marks = [
            line
            for line in levels.lines
            if line.get_marker() in ("o", "s", "^") and line.get_linestyle() == "None"
        ]
        # The slowest one ends at 0.3 * 1000^-0.4, above 0.01, and of the worst network at 0.024.
        assert len(marks) == 3 * len(synthetic.RATES) - 1
