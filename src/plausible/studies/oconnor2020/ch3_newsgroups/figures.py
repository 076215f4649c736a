"""O'Connor 2020, table 3.1: errors on two newsgroups while the networks learn."""

from string import ascii_lowercase

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    PURPLE,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_newsgroups.tables import (
    MACHINES,
    POSTS,
    division_name,
    readings,
)

LOOKS = {
    "relu": Look("", GREY, "X", "-"),
    "sgd": Look("", BLUE, "o", "-"),
    "fsgd": Look("", ORANGE, "s", (0, (4.5, 1.5))),
    "svm_linear": Look("", PURPLE, "", (0, (6, 1.5, 1, 1.5))),
    "svm_rbf": Look("", GREEN, "", (0, (1.2, 1.2))),
}
PRINTED = {"color": PUBLISHED_COLOUR, "lw": 0.8}
PRINTED_LINES = (PUBLISHED_LINE, (0, (1, 1.2)))
TEST = "test_error_percent"


@in_style
def newsgroups_errors(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test errors of the networks against epochs, for each division: single runs and their mean.

    The support vector machines, which have no epochs, are lines.
    """
    values = published.values("ch3.table3.1")
    known = readings(values)
    printed: dict[float, list[str]] = {}
    for row in values["rows"]:
        printed.setdefault(row[TEST], []).append(row["network"])
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    divisions = list(dict.fromkeys(table["division"]))
    panels = figure.subplots(1, len(divisions), sharey=True, squeeze=False)[0]
    for axes, name, division in zip(panels, ascii_lowercase, divisions, strict=False):
        _division(axes, table[table["division"] == division])
        for error, line in zip(printed, PRINTED_LINES, strict=True):
            axes.axhline(error, ls=line, zorder=0, **PRINTED)
        axes.set_xlabel("epochs")
        letter(axes, name, division_name(division))
    panels[0].set_ylabel("test error (%)")
    panels[0].set_ylim(bottom=0)
    handles = [series_handle(look, known[kind][0]) for kind, look in LOOKS.items()]
    handles += seed_handles(table, each=True)
    data = "" if table["data_set"].str.startswith(POSTS).all() else " (newsgroups)"
    for names, line in zip(printed.values(), PRINTED_LINES, strict=True):
        label = f"published, {' and '.join(names)}{data}"
        handles.append(Line2D([], [], label=label, ls=line, **PRINTED))
    legend_below(figure, handles, columns=3)
    return figure


def _division(axes: Axes, table: pd.DataFrame) -> None:
    for kind, look in LOOKS.items():
        rows = table[table["classifier"] == kind]
        if kind in MACHINES:
            axes.axhline(rows[TEST].mean(), color=look.colour, linestyle=look.line, lw=1.0)
            continue
        # Single runs, not an interval: a run whose output unit fell silent is no normal deviation.
        draw_mean_line(axes, rows, "epoch", TEST, look, each=True)
    plain_log(axes, "x", sorted(table.loc[table["epoch"] > 0, "epoch"].unique()))
