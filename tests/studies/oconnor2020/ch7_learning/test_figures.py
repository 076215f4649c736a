"""Pictures of the trainings of chapter 7, from made-up tables."""

from typing import ClassVar

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch7_learning"
    tables: ClassVar = {
        "ch7.fig7.3": synthetic.training_table,
        "ch7.fig7.4": synthetic.training_table,
        "ch7.starts_in_right_regime": synthetic.after_table,
        "fig_d1": synthetic.scan_table,
        "beyond.asymmetric_feedback": synthetic.asymmetric_table,
    }

    def test_angles_are_those_of_drawn_weights_alone(self, drawn):
        """Of six ways three have an angle that could change, from 90 degrees downwards."""
        left, _, right = drawn["beyond.asymmetric_feedback"].axes
        assert sum(len(line.get_xdata()) > 2 for line in left.lines) == 6
        angles = [line.get_ydata() for line in right.lines if len(line.get_xdata()) > 2]
        assert len(angles) == 3 and all(each[0] == 90.0 > each[-1] for each in angles)

    def test_seeds_that_fail_are_marked(self, drawn):
        few = drawn["ch7.fig7.3"].axes[0]
        crosses = [line for line in few.lines if line.get_marker() == "x" and len(line.get_xdata())]
        assert len(crosses) == 1 and len(crosses[0].get_xdata()) == 5

    def test_scan_leaves_out_the_trainings_that_isolate_the_step(self, drawn):
        for axes in drawn["fig_d1"].axes:
            assert all(1.0 not in list(line.get_xdata()) for line in axes.lines)
