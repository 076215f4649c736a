"""Pictures of quantizers, limits and event graphs, from tables that follow their contracts."""

import numpy as np
import pytest
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch

from plausible.drawing import style

from ....drawing.pictures import legend_texts, lines_of, visible_texts
from ..picture_rules import PictureRules
from . import synthetic


class TestFigures(PictureRules):
    """Rates on logarithmic axes, and graphs of modules."""

    part = "oconnor2020.ch3_quantization"
    tables = {
        "ch3.fig3.1": synthetic.fig3_1,
        "beyond.stream_quantization": lambda: synthetic.fig3_1(("stream", "rectified")),
        "fig_a1": synthetic.fig_a1,
        "beyond.spiking_gradient": synthetic.spiking_gradient,
        "fig_a2": synthetic.fig_a2,
        "fig_a3": synthetic.table_a2,
    }

    def test_axes_have_labels(self, drawn):
        for name in set(self.tables) - {"fig_a2", "fig_a3"}:
            panels = [(axes, axes.get_subplotspec()) for axes in drawn[name].axes]
            shared = name == "beyond.spiking_gradient"
            assert all(axes.get_xlabel() for axes, at in panels if at.is_last_row() or not shared)
            assert all(axes.get_ylabel() for axes, at in panels if at.is_first_col() or not shared)

    def test_published_slopes_stand_beside_the_measured(self, drawn):
        (axes,) = drawn["ch3.fig3.1"].axes
        guides = lines_of(axes, style.PUBLISHED_COLOUR)
        slopes = [np.diff(np.log(line.get_ydata()))[0] / np.diff(np.log(line.get_xdata()))[0]
                  for line in guides]  # fmt: skip
        assert slopes == pytest.approx([-1.0, -0.5])
        legend = " ".join(legend_texts(drawn["ch3.fig3.1"]))
        assert "slope −1.00" in legend and "slope −0.50" in legend

    def test_bound_of_streams_is_that_of_the_thesis(self, drawn):
        line, *_ = lines_of(drawn["beyond.stream_quantization"].axes[0], style.PUBLISHED_COLOUR)
        assert line.get_ydata() == pytest.approx(0.5 / line.get_xdata())

    def test_layers_have_their_slopes(self, drawn):
        for axes in drawn["fig_a1"].axes:
            assert [text.get_text() for text in axes.texts] == ["slope −0.99"] * 3

    def test_a_layer_that_diverged_is_no_obstacle(self, published):
        table = synthetic.fig_a1()
        table.loc[table["layer"] == 3, "error"] = np.nan
        assert self.functions()["fig_a1"](table, published, "digits").axes

    def test_every_module_and_connection_is_drawn(self, drawn):
        table = synthetic.fig_a2()
        for axes, network in zip(drawn["fig_a2"].axes, ("relu", "spiking"), strict=True):
            rows = table[table["network"] == network]
            arrows = [patch for patch in axes.patches if isinstance(patch, FancyArrowPatch)]
            boxes = [patch for patch in axes.patches if isinstance(patch, FancyBboxPatch)]
            assert len(boxes) == (rows["element"] == "module").sum()
            assert len(arrows) == (rows["element"] != "module").sum()
            for index, one in enumerate(boxes):
                for other in boxes[:index]:
                    assert not one.get_extents().overlaps(other.get_extents())

    def test_orders_are_drawn_beside_the_published(self, drawn, published):
        words = [text.get_text() for text in visible_texts(drawn["fig_a3"])]
        for name in ("breadth_first", "depth_first"):
            for event in published.values("table_a2")[name]:
                assert words.count(event) == 4  # ours and the published, in both orders

    def test_published_events_look_published_and_ours_do_not(self, drawn):
        _, order = drawn["fig_a3"].axes
        names = [text.get_text() for text in order.get_yticklabels()]
        assert names == ["breadth first, ours", "published", "depth first, ours", "published"]
        boxes = [patch for patch in order.patches if isinstance(patch, FancyBboxPatch)]
        for height, theirs in zip(order.get_yticks(), [False, True] * 2, strict=True):
            row = [box for box in boxes if box.get_y() < height < box.get_y() + box.get_height()]
            assert len(row) == 7 and {box.get_fill() for box in row} == {not theirs}
        assert "published (table A.2)" in legend_texts(drawn["fig_a3"])

    def test_intervals_of_cosines_end_at_one(self, published):
        """Those of sizes above zero; and both kinds of weights stand on the same axes."""
        figure = self.functions()["beyond.spiking_gradient"](
            synthetic.spiking_gradient(range(5)), published, "digits"
        )
        assert "95 % interval over 5 seeds" in legend_texts(figure)
        direction, size = figure.axes[:2], figure.axes[2:]
        for panels, top in ((direction, 1.0), (size, np.inf)):
            bands = [path.vertices[:, 1] for axes in panels for band in axes.collections
                     for path in band.get_paths()]  # fmt: skip
            assert np.min(np.concatenate(bands)) > 0
            assert np.max(np.concatenate(bands)) <= top
            assert len({axes.get_ylim() for axes in panels}) == 1

    def test_empty_tables_are_said(self, published):
        figure = self.functions()["ch3.fig3.1"](synthetic.fig3_1().iloc[:0], published, "digits")
        assert "no data" in [text.get_text() for text in visible_texts(figure)]
