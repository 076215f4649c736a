"""Pictures of chapter 2's systems, from made-up tables."""

from typing import ClassVar

import numpy as np
from matplotlib.patches import FancyArrowPatch

from ..picture_rules import PictureRules
from . import synthetic


class TestFigures(PictureRules):
    """All pictures of the part."""

    part = "oconnor2020.ch2_systems"
    tables: ClassVar = {
        "ch2.fig2.2": synthetic.graph_table,
        "ch2.cd_closer_to_model": synthetic.divergence_table,
        "ch2.rtrl_cost": synthetic.costs_table,
        "ch2.uoro_pseudorandom": synthetic.projections_table,
        "ch2.target_prop_discrete": synthetic.target_table,
    }

    def test_the_graph_has_a_node_and_an_arrow_for_each(self, drawn):
        table = synthetic.graph_table(1)
        (axes,) = drawn["ch2.fig2.2"].axes
        arrows = [each for each in axes.patches if isinstance(each, FancyArrowPatch)]
        sources = table["inputs"].str.split("; ").explode()
        assert len(arrows) == (sources != "").sum()
        texts = {text.get_text() for text in axes.texts}
        assert {"$x_{1}$", "$z_{0}$", r"$\theta$", r"$\mathcal{L}_{2}$"} <= texts

    def test_the_published_factor_stands_above_the_forward_pass(self, drawn):
        axes = drawn["ch2.rtrl_cost"].axes[0]
        (mark,) = [line for line in axes.lines if line.get_markerfacecolor() == "none"]
        assert mark.get_xdata()[0] == 100
        assert mark.get_ydata()[0] == 20000 * 2 * 100**2

    def test_every_network_has_a_mark_in_ascending_order(self, drawn):
        axes = drawn["ch2.uoro_pseudorandom"].axes[3]
        marks = [line for line in axes.lines if line.get_linestyle() == "None"]
        assert [len(line.get_xdata()) for line in marks] == [30, 30]
        assert all((np.diff(line.get_ydata()) >= 0).all() for line in marks)
