"""What the tests of pictures share: texts and lines of a figure, and whether it can be read."""

from itertools import combinations
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
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
