"""Pictures of trainings: figures 7.3, 7.4 and D.1, and how trained networks settle."""

from itertools import product

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch7_learning.claims_lambda import scanned

CURVES = {
    ("plain", "thesis_error_percent"): Look("plain: $s_-$", VERMILLION, "s", (0, (4.5, 1.5))),
    ("initialised", "thesis_forward_error_percent"): Look(
        "initialised: $s_f$", SKY, "^", (0, (1.2, 1.2))
    ),
    ("initialised", "thesis_error_percent"): Look("initialised: $s_-$", BLUE, "o", "-"),
}
LOSSES = {
    ("large_local", "thesis_error_percent"): Look("local losses: $s_-$", BLUE, "o", "-"),
    ("large_local", "thesis_forward_error_percent"): Look(
        "local losses: $s_f$", SKY, "^", (0, (1.2, 1.2))
    ),
    ("large_global", "thesis_error_percent"): Look(
        "global loss: $s_-$", VERMILLION, "s", (0, (4.5, 1.5))
    ),
    ("large_global", "thesis_forward_error_percent"): Look(
        "global loss: $s_f$", ORANGE, "v", (0, (6, 1.5, 1, 1.5))
    ),
}
LAYERS = {1: Look("layer 1", PURPLE, "", "-"), 2: Look("layer 2", GREEN, "", (0, (4.5, 1.5))),
          3: Look("layer 3", ORANGE, "", (0, (1.2, 1.2)))}  # fmt: skip
STARTS = {
    "forward": Look("from $s_f$", BLUE, "o", "-"),
    "zero": Look("from zero", VERMILLION, "s", (0, (4.5, 1.5))),
    "untrained": Look("from $s_f$, not trained", GREY, "X", (0, (1.2, 1.2))),
}
STEPS = (
    Look("", VERMILLION, "s", (0, (1.2, 1.2))),
    Look("", ORANGE, "^", (0, (4.5, 1.5))),
    Look("", BLUE, "o", "-"),
)
ERROR = "test error, thesis split (%)"


@in_style
def learning_curves(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 7.3: test error against epochs; single seeds, since some fail."""
    figure = new_figure(height_mm=118)
    panels = figure.subplots(2, 2, sharex="col")
    for axes, (steps, depth), mark in zip(
        panels.flat, product(("few", "many"), ("small", "large")), "abcd", strict=True
    ):
        for (version, column), look in CURVES.items():
            rows = table[(table["run"] == f"{depth}_{version}_{steps}") & (table["epoch"] > 0)]
            # No means: those of the seeds that are left would hide the ones that failed.
            for _, way in rows.groupby("seed"):
                axes.plot(way["epoch"], way[column], color=look.colour, ls=look.line, lw=0.9)
            _mark_ends(axes, rows, column, look)
        axes.set(yscale="log")
        plain_log(axes, "y")
        number = "few" if steps == "few" else "more"
        letter(axes, mark, f"{depth} network, {number} negative steps")
    for axes in panels[1]:
        axes.set_xlabel("epoch")
    for axes in panels[:, 0]:
        axes.set_ylabel(ERROR)
    handles = [series_handle(look, marker="") for look in CURVES.values()]
    ended = Line2D([], [], color=GREY, marker="x", ls="none", label="stopped as failed")
    legend_below(figure, [*handles, ended], 4)
    return figure


def _mark_ends(axes: Axes, rows: pd.DataFrame, column: str, look: Look) -> None:
    """A cross where a seed was stopped."""
    stopped = rows[rows["ended_epoch"] >= 0].sort_values("epoch").groupby("seed").tail(1)
    axes.plot(stopped["epoch"], stopped[column], color=look.colour, marker="x", ls="none", ms=4)


@in_style
def local_and_global(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 7.4: errors with local and global loss, and alignment of the gradients."""
    figure = new_figure(height_mm=74)
    left, *right = figure.subplots(1, 3)
    for (run, column), look in LOSSES.items():
        rows = table[(table["run"] == run) & (table["epoch"] > 0)]
        draw_mean_line(left, rows, "epoch", column, look._replace(marker=""), marker=False)
    left.set(yscale="log", xlabel="epoch", ylabel=ERROR)
    plain_log(left, "y")
    letter(left, "a", "errors")
    for axes, run, mark in zip(right, ("large_local", "large_global"), "bc", strict=True):
        rows = table[table["run"] == run]
        for layer, look in LAYERS.items():
            draw_mean_line(axes, rows, "epoch", f"alignment_{layer}", look, marker=False)
        axes.axhline(0.0, color=GREY, lw=0.5)
        axes.set(xlabel="epoch", ylim=(-1.05, 1.05))
        letter(axes, mark, f"alignment, {run.removeprefix('large_')} loss")
    right[0].set_ylabel("cosine of local and\ndistant gradient (unitless)")
    handles = [series_handle(look, marker="") for look in (*LOSSES.values(), *LAYERS.values())]
    shown = table[table["run"].isin(["large_local", "large_global"])]
    legend_below(figure, [*handles, *seed_handles(shown)], 4)
    return figure


@in_style
def effect_of_lambda(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure D.1: test error of s_- and s_f against lambda, for each number of steps."""
    rows = scanned(table)
    figure = new_figure(height_mm=112)
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    states = {"thesis_error_percent": "$s_-$", "thesis_forward_error_percent": "$s_f$"}
    for axes, (network, column), mark in zip(
        panels.flat, product(("small", "large"), states), "abcd", strict=True
    ):
        mine = rows[rows["network"] == network]
        for steps, look in zip(sorted(mine["negative_steps"].unique()), STEPS, strict=False):
            part = mine[mine["negative_steps"] == steps]
            draw_mean_points(axes, part, "pull", column, look, joined=True)
        axes.axvline(3.0, color=GREY, lw=0.6, ls=":")
        axes.set(yscale="log")
        axes.set_xscale("symlog", linthresh=0.125, linscale=0.4)
        axes.set_xticks([0, 0.125, 0.5, 1, 2, 4.8], ["0", "0.125", "0.5", "1", "2", "4.8"])
        axes.minorticks_off()
        plain_log(axes, "y")
        letter(axes, mark, f"{network} network, {states[column]}")
    for axes in panels[1]:
        axes.set_xlabel(r"$\lambda$ as coded (unitless)")
    for axes in panels[:, 0]:
        axes.set_ylabel(ERROR)
    numbers = [
        sorted(rows.loc[rows["network"] == network, "negative_steps"].unique())
        for network in ("small", "large")
    ]
    names = [
        series_handle(look, "{:g} and {:g} steps".format(*pair))
        for look, pair in zip(STEPS, zip(*numbers, strict=False), strict=False)
    ]
    limit = Line2D([], [], color=GREY, lw=0.6, ls=":", label=r"Euler steps of 0.5 unstable beyond")
    legend_below(figure, [*names, limit, *seed_handles(rows, dots=True)], 3)
    return figure


@in_style
def settling(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """How far states are from where they settle, and how long settling takes with lambda."""
    figure = new_figure(height_mm=70)
    left, right = figure.subplots(1, 2)
    for start, look in STARTS.items():
        rows = table[(table["measure"] == "distance") & (table["variant"] == start)]
        draw_mean_line(left, rows, "steps", "value", look)
    left.set(yscale="log", xlabel="steps", ylabel="distance from the converged\nstate (unitless)")
    plain_log(left, "y")
    letter(left, "a", "on the way")
    for start in ("forward", "zero"):
        rows = table[(table["measure"] == "settling_steps") & (table["variant"] == start)]
        draw_mean_line(right, rows, "steps", "value", STARTS[start])
    right.set(xlabel=r"$\lambda$ as coded (unitless)", ylabel="steps to settle", ylim=(0, None))
    letter(right, "b", "with lambda")
    handles = [series_handle(look) for look in STARTS.values()]
    legend_below(figure, [*handles, *seed_handles(table)], 4)
    return figure
