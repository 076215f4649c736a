"""What every picture of the thesis must bear under the eyes of a reader who trusts nothing."""

import re
from string import ascii_lowercase, ascii_uppercase

import numpy as np

from plausible.drawing.style import RC

from ...drawing.pictures import legend_texts, visible_texts
from ..figure_harness import FigureTests

LETTER = re.compile(r"^\$\\mathbf\{(\w)\}\$(.*)$")
MOST_PANELS = 6


class PictureRules(FigureTests):
    """Letters, sizes and legends, for every picture of a part."""

    def test_panels_are_few_and_have_letters_and_titles(self, drawn, picture):
        """A network of figure 4.1 is one panel, though it is drawn in three parts."""
        axes = drawn[picture].axes
        found = [LETTER.match(one.get_title(loc="left")) for one in axes]
        names = "".join(match[1] for match in found if match)
        assert len(names) == len(axes) or len(axes) == 1 or picture == "ch4.fig4.1"
        assert len(names) <= MOST_PANELS
        assert names in (ascii_lowercase[: len(names)], ascii_uppercase[: len(names)])
        assert all(len(match[2].strip()) > 3 for match in found if match)

    def test_texts_are_large_enough(self, drawn, picture):
        """Seven points at the width of the column."""
        smallest = min(text.get_fontsize() for text in visible_texts(drawn[picture]))
        assert smallest >= RC["font.size"] >= 7

    def test_the_legend_is_no_footnote(self, drawn, picture):
        """Each entry has a line, a mark or a colour; each is there once."""
        texts = legend_texts(drawn[picture])
        assert len(set(texts)) == len(texts)
        for legend in drawn[picture].legends:
            assert not legend.get_title().get_text()
            for handle in legend.legend_handles:
                drawn_line = getattr(handle, "get_linestyle", lambda: "-")() not in ("None", "none")
                marker = getattr(handle, "get_marker", lambda: "None")() not in ("None", "", None)
                assert drawn_line or marker

    def test_no_mark_is_cut_at_the_edge_of_its_panel(self, drawn, picture):
        """Markers of runs that never spike, say, lie on zero as a whole."""
        for axes in drawn[picture].axes:
            (left, bottom), (right, top) = axes.bbox.get_points()
            for line in axes.lines:
                if line.get_marker() in ("None", "", None, ".") or not line.get_clip_on():
                    continue
                if line.get_transform() != axes.transData or not len(line.get_xdata()):
                    continue
                points = axes.transData.transform(line.get_xydata())
                points = points[np.isfinite(points).all(axis=1)]
                radius = 0.3 * line.get_markersize() * drawn[picture].dpi / 72
                inner = points - (left, bottom), (right, top) - points
                assert np.min(inner) >= radius, (axes.get_title(loc="left"), line)
