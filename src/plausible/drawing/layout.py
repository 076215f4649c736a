"""Placement of panels that is the same in every run."""

import numpy as np
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.transforms import Bbox

DIGITS = 9


class RoundedLayout(ConstrainedLayoutEngine):
    """Constrained layout with positions rounded to nine digits of the figure's size.

    Its solver orders its equations by memory addresses, so that positions may differ in their last
    bit from run to run; names of clipping paths in an SVG are digests of all bits.
    """

    def execute(self, fig: Figure) -> dict | None:
        """Place the panels of ``fig`` and of its subfigures."""
        result = super().execute(fig)
        for part in fig.subfigs:
            part.bbox_relative.set_points(np.round(part.bbox_relative.get_points(), DIGITS))
        for axes in fig.axes:
            corners = axes.get_position(original=True).get_points()
            axes.set_position(Bbox(np.round(corners, DIGITS)))
            # Setting a position takes panels out of the layout, which may be asked for again.
            axes.set_in_layout(True)
        return result
