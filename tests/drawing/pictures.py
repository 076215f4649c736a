"""What the tests of pictures share: texts and lines of a figure, and whether it can be read."""

import re
from itertools import combinations
from pathlib import Path
from string import ascii_lowercase

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.collections import LineCollection
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.text import Text

CURVES = Path(__file__).parents[2] / "workflow" / "published" / "curves"


def legend_texts(figure: Figure) -> list[str]:
    """Words of the legends of the figure, then of its panels."""
    return [text.get_text() for text in _legend_entries(figure)]


def _legend_entries(figure: Figure) -> list[Text]:
    legends = [*figure.legends, *(axes.get_legend() for axes in figure.axes)]
    return [text for legend in legends if legend for text in legend.get_texts()]


def visible_texts(figure: Figure) -> list[Text]:
    """Texts that are drawn: tick labels outside the view are not."""
    texts = _legend_entries(figure)
    for axes in figure.axes:
        texts += [axes.title, axes._left_title, *axes.texts]
        if not axes.axison:
            continue
        texts += [axes.xaxis.label, axes.yaxis.label]
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in axis.get_major_ticks():
                if low <= tick.get_loc() <= high:
                    texts += [tick.label1, tick.label2]
    return [text for text in texts if text.get_visible() and text.get_text().strip()]


def lines_of(axes, colour: str, linestyle: str | None = None) -> list[Line2D]:
    """Lines of one colour, of every style or of one."""
    found = [line for line in axes.lines if to_hex(line.get_color()) == to_hex(colour)]
    return [line for line in found if linestyle in (None, line.get_linestyle())]


def check_for_print(figure: Figure, lettered_together: bool = False) -> None:
    """Fail unless the picture can stand in a journal without words about it.

    At most six panels, each with its letter (a panel may consist of axes that are
    ``lettered_together``); no text below 7 points; no legend entry that is a note without a sign.
    """
    panels = [axes for axes in figure.axes if axes.get_label() != "<colorbar>"]
    panels = [axes for axes in panels if axes.axison or axes.get_title(loc="left")]
    titles = [axes.get_title(loc="left") for axes in panels]
    letters = [found[1] for title in titles if (found := re.match(r"\$\\mathbf{(\w)}", title))]
    assert letters == list(ascii_lowercase[: len(letters)]) and len(letters) <= 6, letters
    assert len(panels) == 1 or letters, "panels without letters"
    assert len(panels) in (1, len(letters)) or lettered_together, "a panel without a letter"
    small = [text.get_text() for text in visible_texts(figure) if text.get_fontsize() < 7.0]
    assert not small, f"{small} are too small"
    for legend in figure.legends:
        for handle in legend.legend_handles:
            note = isinstance(handle, Line2D) and {handle.get_marker(), handle.get_linestyle()}
            if isinstance(handle, Patch):
                note = (
                    handle.get_facecolor()[3] == 0 and handle.get_edgecolor()[3] == 0 and {"None"}
                )
            assert note not in ({"None"}, {None, "None"}), handle.get_label()


def check_nothing_is_cut(figure: Figure) -> None:
    """Fail where a value, a seed or an interval lies outside of its panel."""
    for axes in figure.axes:
        (left, right), (bottom, top) = map(sorted, (axes.get_xlim(), axes.get_ylim()))
        lines = [line.get_xydata() for line in axes.lines if line.get_transform() == axes.transData]
        bars = [bar for one in axes.findobj(LineCollection) for bar in one.get_segments()]
        for x, y in np.concatenate([np.empty((0, 2)), *lines, *bars]):
            shown = left <= x <= right and bottom <= y <= top
            assert shown or not np.isfinite([x, y]).all(), (axes.get_title(loc="left"), x, y)


def check_legibility(figure: Figure) -> None:
    """Fail where a text is below 6 points, leaves the page or covers another."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    texts = visible_texts(figure)
    smallest = min(texts, key=lambda text: text.get_fontsize())
    assert smallest.get_fontsize() >= 6.0, f"{smallest.get_text()!r} is too small"
    boxes = [(text.get_text(), text.get_window_extent(renderer).padded(-1.0)) for text in texts]
    for text, box in boxes:
        inside = box.x0 >= -2 and box.x1 <= figure.bbox.x1 + 2
        inside = inside and box.y0 >= -2 and box.y1 <= figure.bbox.y1 + 2
        assert inside, f"{text!r} leaves the page"
    for (first, one), (second, other) in combinations(boxes, 2):
        assert not one.overlaps(other), f"{first!r} covers {second!r}"
