"""O'Connor 2020, chapter 9: forgetting, and the last neuron in discrete and continuous time."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    SINGLE_COLUMN_MM,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    series_handle,
)
from plausible.reproduction.published import Published

STAGES = {"first": "first\nhalf", "second": "then the\nother", "both": "inter-\nleaved"}
NETWORKS = {"pdnn": Look("PDNN", BLUE, "o", "-"), "mlp": Look("MLP", VERMILLION, "s", "-")}
LOOKS = (
    Look("", SKY, "", (0, (1.2, 1.2))),
    Look("", ORANGE, "", (0, (4.5, 1.5))),
    Look("", GREEN, "", (0, (6, 1.5, 1, 1.5))),
)
"""Of step lengths, the longest first."""


@in_style
def forgetting(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error on the classes that were learnt first and on the others, at each stage."""
    figure = new_figure(SINGLE_COLUMN_MM, 66)
    panels = figure.subplots(1, 2, sharey=True)
    place = {stage: number for number, stage in enumerate(STAGES)}
    for axes, column, mark, title in zip(
        panels,
        ("old_error_percent", "new_error_percent"),
        "ab",
        ("first half of the classes", "second half"),
        strict=True,
    ):
        for shift, (network, look) in zip((-0.12, 0.12), NETWORKS.items(), strict=True):
            rows = table[table["network"] == network]
            rows = rows.assign(place=rows["stage"].map(place) + shift)
            draw_mean_points(axes, rows, "place", column, look)
        axes.set_xticks(range(len(STAGES)), list(STAGES.values()))
        axes.set_xlabel("what was learnt")
        axes.set_xlim(-0.5, len(STAGES) - 0.5)
        axes.set_ylim(-4.0, 104.0)
        letter(axes, mark, title)
    panels[0].set_ylabel("test error (%)")
    handles = [series_handle(look, ls="none") for look in NETWORKS.values()]
    legend_below(figure, [*handles, *seed_handles(table, dots=True)], 3)
    return figure


@in_style
def final_neuron(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """One spike train, heard in continuous time and in steps of several lengths."""
    figure = new_figure(DOUBLE_COLUMN_MM, 84)
    heard, states, sent = figure.subplots(3, 1, sharex=True, height_ratios=(0.6, 1.6, 0.9))
    arrivals = table[table["element"] == "arrival"]
    heard.vlines(arrivals["time"], 0.0, arrivals["value"], color=GREY, lw=0.9)
    heard.axhline(0.0, color=GREY, lw=0.6)
    heard.set_ylabel("weight")
    letter(heard, "a", "spikes that arrive")
    steps = sorted((step for step in table["step"].dropna().unique() if step), reverse=True)
    looks = dict(zip(steps, LOOKS, strict=False)) | {0.0: Look("", BLUE, "", "-")}
    handles, names = [], []
    for row, (step, look) in enumerate(looks.items()):
        mine = table[table["step"] == step]
        curve = mine[mine["element"] == "state"]
        width = 1.0 if step else 1.4
        draw = "steps-post" if step else "default"
        options = {"color": look.colour, "ls": look.line, "lw": width, "drawstyle": draw}
        states.plot(curve["time"], curve["value"], **options)
        spikes = mine.loc[mine["element"] == "sent", "time"]
        sent.vlines(spikes, -row - 0.35, -row + 0.35, color=look.colour, lw=1.0)
        label = f"steps of {step:g}" if step else "continuous time"
        names.append(label)
        handles.append(Line2D([], [], color=look.colour, ls=look.line, lw=width, label=label))
    states.set_ylabel("state $s$")
    letter(states, "b", "state")
    sent.set_yticks(-np.arange(len(names)), names)
    sent.set_xlabel("time")
    letter(sent, "c", "spikes that are sent")
    figure.align_ylabels([heard, states])
    legend_below(figure, handles, 4)
    return figure
