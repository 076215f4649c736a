"""Pictures of update rules, from made-up tables."""

from typing import ClassVar

import numpy as np

from ...figure_harness import FigureTests
from . import synthetic


class TestFigures(FigureTests):
    """All pictures of the part."""

    part = "oconnor2020.ch5_updates"
    tables: ClassVar = {
        "ch5.fig5.3": synthetic.areas_table,
        "ch5.fig5.4": synthetic.kernel_table,
        "fig_c1": synthetic.rules_table,
        "fig_c2": synthetic.approximation_table,
    }

    def test_weights_move_against_the_gradient(self, drawn):
        lines = drawn["fig_c1"].axes[2].lines
        assert np.asarray(lines[0].get_ydata())[-1] == -3.0

    def test_maps_leave_out_the_axes(self, drawn):
        (mesh,) = drawn["fig_c2"].axes[1].collections
        assert mesh.get_array().size == 9
