"""O'Connor 2020, table 3.1: errors on two newsgroups while the networks learn."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

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
    draw_line,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
    summary,
)
from plausible.reproduction.published import Published

NETWORKS = {
    "relu": Look("one-layer network", GREY, "X", "-"),
    "sgd": Look("spiking, SGD", BLUE, "o", "-"),
    "fsgd": Look("spiking, FSGD", ORANGE, "s", (0, (4.5, 1.5))),
}
MACHINES = {
    "svm_linear": Look("SVM, linear kernel", PURPLE, "", (0, (6, 1.5, 1, 1.5))),
    "svm_rbf": Look("SVM, Gaussian kernel", GREEN, "", (0, (1.2, 1.2))),
}
PUBLISHED = {
    "Spiking Regressor": "published, spiking and one-layer network",
    "SVM": "published, SVM",
}
DOTTED = (0, (1, 1.2))
SINGLE_RUN = {"lw": 0.5, "alpha": 0.4}
TEST = "test_error_percent"
TITLES = {
    "file_order": "7 : 1 in the order of the file",
    "shuffled": "7 : 1 shuffled",
    "shuffled_4to1": "4 : 1 shuffled",
}


@in_style
def newsgroups_errors(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test errors of the networks against epochs, for each division: single runs and their mean.

    The support vector machines, which have no epochs, are lines.
    """
    printed = {row["network"]: row[TEST] for row in published.values("ch3.table3.1")["rows"]}
    stand_in = not table["data_set"].str.startswith("newsgroups").all()
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    divisions = list(dict.fromkeys(table["division"]))
    panels = figure.subplots(1, len(divisions), sharey=True, squeeze=False)[0]
    for number, (axes, name) in enumerate(zip(panels, divisions, strict=True)):
        _division(axes, table[table["division"] == name])
        for row, line in zip(PUBLISHED, (PUBLISHED_LINE, DOTTED), strict=True):
            axes.axhline(printed[row], color=PUBLISHED_COLOUR, lw=0.8, ls=line, zorder=0)
        axes.set_xlabel("epochs")
        letter(axes, "abcdefgh"[number], TITLES.get(name, name))
    panels[0].set_ylabel("test error (%)")
    panels[0].set_ylim(bottom=0)
    handles = [series_handle(look) for look in (*NETWORKS.values(), *MACHINES.values())]
    handles.append(Line2D([], [], color=GREY, label="one seed (thin)", **SINGLE_RUN))
    data = " (newsgroups)" if stand_in else ""
    for row, line in zip(PUBLISHED, (PUBLISHED_LINE, DOTTED), strict=True):
        label = PUBLISHED[row] + data
        handles.append(Line2D([], [], color=PUBLISHED_COLOUR, lw=0.8, ls=line, label=label))
    legend_below(figure, handles, columns=3)
    return figure


def _division(axes: Axes, table: pd.DataFrame) -> None:
    for name, look in NETWORKS.items():
        rows = table[table["classifier"] == name]
        # Single runs, not an interval: a run whose output unit fell silent is no normal deviation.
        for _, run in rows.groupby("seed"):
            axes.plot(run["epoch"], run[TEST], color=look.colour, **SINGLE_RUN)
        draw_line(axes, "epoch", summary(rows, ["epoch"], TEST).assign(low=np.nan), look)
    for name, look in MACHINES.items():
        machine = table[table["classifier"] == name][TEST].mean()
        axes.axhline(machine, color=look.colour, linestyle=look.line, lw=1.0)
    epochs = sorted(table.loc[table["epoch"] > 0, "epoch"].unique())
    plain_log(axes, "x", epochs)
