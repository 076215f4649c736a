"""What the pictures of this document share beyond those of every document."""

from collections.abc import Iterator

import pandas as pd
from matplotlib.axes import Axes

from plausible.drawing.style import GREY, Look, look_of, protocols_in

DOT = {"marker": "o", "ls": "none", "color": GREY}


def each_protocol(table: pd.DataFrame) -> Iterator[tuple[Look, pd.DataFrame, float]]:
    """Look and rows of each protocol of a table, and its place, counted from their middle."""
    names = protocols_in(table)
    for index, name in enumerate(names):
        yield look_of(name), table[table["protocol"] == name], index - (len(names) - 1) / 2


def note_at_edge(axes: Axes, text: str, x: float, y: float, by: tuple[float, float], **options):
    """Words ``by`` points beside a place: ``x`` a fraction of the panel's width, ``y`` data."""
    places = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    axes.annotate(text, (x, y), by, **places, **options)
