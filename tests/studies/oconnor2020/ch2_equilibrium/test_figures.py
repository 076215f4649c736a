"""Pictures of equilibrium propagation, from made-up tables."""

from typing import ClassVar

import numpy as np

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch2_equilibrium"
    tables: ClassVar = {
        "ch2.fig2.3": synthetic.phases_table,
        "beyond.gradient_error": synthetic.error_table,
        "ch2.asymmetric_still_settles": synthetic.training_table,
    }

    def test_states_run_through_both_phases(self, drawn):
        lines = drawn["ch2.fig2.3"].axes[2].lines
        ends = {float(np.asarray(line.get_xdata())[-1]) for line in lines[:-1]}
        assert ends == {20.0} and len(lines) == 3 + 2 + 1

    def test_symmetry_is_that_of_the_untied_weights(self, drawn):
        axes = drawn["ch2.asymmetric_still_settles"].axes[1]
        assert np.asarray(axes.lines[0].get_ydata())[-1] > 0.5
