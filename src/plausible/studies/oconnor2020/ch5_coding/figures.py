"""O'Connor 2020, figures 5.1 and 5.2: what coefficients do to a code, and the drift without k_p."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREY,
    LIGHT_GREY,
    ORANGE,
    VERMILLION,
    in_style,
    legend_below,
    letter,
    new_figure,
)
from plausible.reproduction.published import Published


@in_style
def coding_grid(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.1: one signal, its spikes and its reconstruction for all coefficients."""
    rows, cells = (table[table["element"] == kind] for kind in ("trace", "cell"))
    cells = cells[cells["seed"] == rows["seed"].min()]
    # As in the thesis, k_p = 0 is the last row.
    k_ps, k_ds = sorted(rows["k_p"].unique(), reverse=True), sorted(rows["k_d"].unique())
    figure = new_figure(DOUBLE_COLUMN_MM, 26 * len(k_ps) + 12)
    panels = figure.subplots(len(k_ps), len(k_ds), sharex=True, squeeze=False)
    top = 1.5 * float(rows["signal"].abs().max())
    for across, k_p in zip(panels, k_ps, strict=True):
        for axes, k_d in zip(across, k_ds, strict=True):
            cell = rows[(rows["k_p"] == k_p) & (rows["k_d"] == k_d)]
            if cell.empty:
                axes.set_axis_off()
                axes.text(
                    0.5, 0.5, "not defined", transform=axes.transAxes, ha="center", color=GREY
                )
                continue
            spikes = cell[cell["spikes"] != 0]
            height = cell["spikes"].abs().max()
            axes.vlines(
                spikes["step"], 0.0, top * spikes["spikes"] / max(height, 3), color=GREY, lw=0.5
            )
            axes.plot(cell["step"], cell["reconstruction"], color=ORANGE, lw=0.9)
            axes.plot(cell["step"], cell["signal"], color=BLUE, lw=0.9)
            axes.set_ylim(-top, top)
            own = cells[(cells["k_p"] == k_p) & (cells["k_d"] == k_d)].iloc[0]
            error, count = own["mean_error"], own["number_of_spikes"]
            axes.set_title(f"error {error:.3f}, N = {count:.0f}", color=GREY)
    for column, k_d in zip(panels.T, k_ds, strict=True):
        lowest = [axes for axes in column if axes.axison][-1]
        lowest.set_xlabel(f"step ($k_d$ = {k_d:g})")
        lowest.tick_params(labelbottom=True)
    for axes, k_p in zip(panels[:, -1], k_ps, strict=True):
        axes.set_ylabel(f"$k_p$ = {k_p:g}")
        axes.yaxis.set_label_position("right")
    handles = [
        Line2D([], [], color=BLUE, label="signal"),
        Line2D([], [], color=ORANGE, label="reconstruction"),
        Line2D([], [], color=GREY, marker="|", ls="none", ms=6, label="spikes"),
    ]
    legend_below(figure, handles, 3)
    return figure


@in_style
def drift(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.2: a signal and its weight, and their product as it is estimated."""
    rows = table[table["element"] == "trace"]
    rows = rows.assign(quantized=rows["quantized"].astype(bool))
    k_ps = sorted(rows["k_p"].unique())
    figure = new_figure(DOUBLE_COLUMN_MM, 24 * (len(k_ps) + 1) + 14)
    first, *others = figure.subplots(len(k_ps) + 1, 1, sharex=True)
    known = rows[(rows["k_p"] == k_ps[0]) & rows["quantized"]]
    first.plot(known["step"], known["signal"], color=BLUE, lw=0.8)
    first.plot(known["step"], known["weight"], color=VERMILLION, lw=1.2)
    first.set_ylabel("signal, weight")
    letter(first, "a", "a random signal $x$ and a weight $w$ that changes")
    for axes, k_p, mark in zip(others, k_ps, "bcdefg", strict=False):
        part = rows[rows["k_p"] == k_p]
        rounded, plain = part[part["quantized"]], part[~part["quantized"]]
        axes.plot(rounded["step"], rounded["estimate"], color=LIGHT_GREY, lw=2.0)
        axes.plot(plain["step"], plain["product"], color=BLUE, lw=0.8)
        axes.plot(plain["step"], plain["estimate"], color=ORANGE, lw=0.9)
        axes.set_ylabel("$x\\,w$")
        letter(axes, mark, f"product and its estimate, $k_p$ = {k_p:g}")
    others[-1].set_xlabel("time (steps)")
    figure.align_ylabels([first, *others])
    handles = [
        Line2D([], [], color=BLUE, label="signal, true product"),
        Line2D([], [], color=VERMILLION, label="weight"),
        Line2D([], [], color=ORANGE, label="estimate"),
        Line2D([], [], color=LIGHT_GREY, lw=2.0, label="estimate from whole numbers"),
    ]
    legend_below(figure, handles, 4)
    return figure
