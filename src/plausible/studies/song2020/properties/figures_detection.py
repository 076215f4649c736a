"""Picture of table 3: which share of prediction phases phi detects."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_median_line, run_handle
from plausible.drawing.style import (
    accuracy_scale,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import ordered_looks, power_label

COLUMNS = {
    "by neuron, initial": ("per_neuron_and_sample", "initial"),
    "by neuron, trained": ("per_neuron_and_sample", "trained"),
    "by layer, initial and trained": ("per_layer", ""),
}
"""Beginnings of the countings and of the training states that a column of panels shows."""
RUNS = ("seed", "l_max", "training_state", "counting")


@in_style
def table3_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table 3: how often phi finds t = l, and how often it fires elsewhere, against t_d."""
    figure = new_figure(height_mm=132)
    panels = figure.subplots(2, len(COLUMNS), sharex=True, sharey="row")
    looks = ordered_looks(sorted(float(value) for value in table["tolerance"].unique()))
    printed = published.values("table3")["success_rate_percent"]
    steps = [int(step) for step in printed]
    lowest = min([*table["success_rate_percent"].dropna(), *printed.values()])
    for number, (title, (counting, state)) in enumerate(COLUMNS.items()):
        found, alarms = panels[:, number]
        rows = table[table["counting"].str.startswith(counting)]
        rows = rows[rows["training_state"].str.startswith(state)]
        _draw_rates(found, rows, "success_rate_percent", looks)
        _draw_rates(alarms, rows, "false_alarm_rate_percent", looks)
        draw_published(found, steps, list(printed.values()), linewidth=0.8)
        found.plot(steps, list(printed.values()), clip_on=False, **published_marker())
        accuracy_scale(found)
        for axes, letters in ((found, "abc"), (alarms, "def")):
            letter(axes, letters[number], title)
        plain_log(alarms, "x", [1, 2, 3, 4, 6, 8, 16])
        alarms.set_xlabel("detection steps $t_d$ (steps)")
    found, alarms = panels[:, 0]
    ticks = [0, 50, 80, 90, 95, 98, 99, 99.5, 99.95]
    found.set_yticks(ticks, [*map(str, ticks[:-1]), "≥ 99.95"])
    found.set_ylim(max(0.0, lowest - 0.3 * (100.0 - lowest)), 99.955)
    found.set_ylabel("detected moments (%),\nmisses on a log scale")
    alarms.set_yscale("symlog", linthresh=0.1, linscale=0.4)
    alarms.set_yticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
    alarms.set_yticks([], minor=True)
    alarms.set_ylim(-0.03, 130)
    alarms.set_ylabel("moments with a false\nalarm (%)")
    handles = [
        series_handle(look, f"zero test: {_tolerance(value)}", ms=3.2, lw=0.9)
        for value, look in looks.items()
    ]
    handles += [run_handle("one seed and network (thick: median)"), published_mark(dataset)]
    legend_below(figure, handles, 4)
    return figure


def _tolerance(value: float) -> str:
    return "exact" if value == 0 else rf"|$\varepsilon$| ≤ {power_label(value)}"


def _draw_rates(axes: Axes, rows: pd.DataFrame, column: str, looks: dict) -> None:
    """Median over networks and seeds of each tolerance, and each of them.

    Tests that agree lie on each other, so markers shrink from one to the next.
    """
    for number, (tolerance, look) in enumerate(looks.items()):
        chosen = rows[rows["tolerance"] == tolerance]
        style = {"marker": look.marker, "ms": 2.4 + 4.8 / 1.8**number, "lw": 0.9, "clip_on": False}
        if len(chosen):
            draw_median_line(axes, chosen, "t_d", column, look, RUNS, **style)
