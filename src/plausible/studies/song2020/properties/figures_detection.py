"""Picture of table 3: which share of prediction phases phi detects."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.style import (
    GREY,
    accuracy_scale,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import draw_range, ordered_looks, power_label

COUNTINGS = {
    "per_neuron_and_sample": "neuron and sample",
    "per_layer_and_sample": "layer and sample",
    "per_layer_and_batch": "layer and batch",
}
STATES = ("initial", "trained")


@in_style
def table3_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table 3: how often phi finds t = l, and how often it fires elsewhere, against t_d."""
    countings = [name for name in COUNTINGS if name in set(table["counting"])]
    states = [name for name in STATES if name in set(table["training_state"])]
    figure = new_figure(height_mm=30 + 50 * (len(states) + 1))
    panels = figure.subplots(
        len(states) + 1, len(countings), sharex=True, sharey="row", squeeze=False
    )
    looks = ordered_looks(sorted(float(value) for value in table["tolerance"].unique()))
    printed = published.values("table3")["success_rate_percent"]
    steps = [int(step) for step in printed]
    lowest = min([*table["success_rate_percent"].dropna(), *printed.values()])
    letters = iter("abcdefghi")
    for row, state in enumerate(states):
        chosen = table[table["training_state"] == state]
        for column, counting in enumerate(countings):
            axes = panels[row, column]
            rows = chosen[chosen["counting"] == counting]
            _draw_rates(axes, rows, "success_rate_percent", looks)
            draw_published(axes, steps, list(printed.values()), linewidth=0.8)
            axes.plot(steps, list(printed.values()), clip_on=False, **published_marker())
            accuracy_scale(axes)
            ticks = [0, 50, 80, 90, 95, 98, 99, 99.5, 99.95]
            # What is drawn at 100 is at least 99.95.
            axes.set_yticks(ticks, [*map(str, ticks[:-1]), "100"])
            axes.set_ylim(max(0.0, lowest - 0.3 * (100.0 - lowest)), 99.955)
            letter(axes, next(letters), f"{state}, by {COUNTINGS[counting]}")
    for column, counting in enumerate(countings):
        axes = panels[-1, column]
        _draw_rates(axes, table[table["counting"] == counting], "false_alarm_rate_percent", looks)
        axes.set_yscale("symlog", linthresh=0.1, linscale=0.4)
        axes.set_yticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
        axes.set_yticks([], minor=True)
        axes.set_ylim(-0.03, 130)
        letter(axes, next(letters), f"both, by {COUNTINGS[counting]}")
        plain_log(axes, "x", [1, 2, 3, 4, 6, 8, 16])
        axes.set_xlabel("detection steps $t_d$")
    for axes in panels[:-1, 0]:
        axes.set_ylabel("detected moments (%),\nmisses on a log scale")
    panels[-1, 0].set_ylabel("moments with a false\nalarm (%)")
    handles = [
        series_handle(look, f"zero test: {_tolerance(value)}", ms=3.2, lw=0.9)
        for value, look in looks.items()
    ]
    handles.append(patch_handle(GREY, "range over seeds and networks", 0.3))
    legend_below(figure, [*handles, published_mark(dataset)], 4)
    return figure


def _tolerance(value: float) -> str:
    return "exact" if value == 0 else rf"|$\varepsilon$| ≤ {power_label(value)}"


def _draw_rates(axes: Axes, rows: pd.DataFrame, column: str, looks: dict) -> None:
    """Median over networks and seeds of each tolerance, and the whole range.

    Tests that agree lie on each other, so markers shrink from one to the next.
    """
    for number, (tolerance, look) in enumerate(looks.items()):
        chosen = rows[rows["tolerance"] == tolerance]
        style = {"marker": look.marker, "ms": 2.4 + 4.8 / 1.8**number, "lw": 0.9}
        draw_range(axes, chosen, "t_d", column, look, clip_on=False, **style)
