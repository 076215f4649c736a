"""O'Connor 2020, section 4.6.1: pictures of scales of random networks, and of when they pay."""

from collections.abc import Mapping, Sequence
from itertools import cycle

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREY,
    LIGHT_GREY,
    ORANGE,
    POSITIVE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    SERIES,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    look_of,
    new_figure,
    plain_log,
    protocol_handles,
    protocols_in,
    published_line,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published

SHOWN = "as_coded"
"""Protocol whose trajectories are drawn; the lambdas are those of the author's code."""
ERROR = "relative error of the outputs"
OPERATIONS = "computation (kOps per sample)"
POINT = ["kops_per_sample", "error_fraction"]
DASHED = (0, (4.5, 1.5))
START = {"color": ORANGE, "marker": "o", "lw": 0.9, "ls": DASHED, "zorder": 3}
SILENT_BELOW = 2.0
"""Thousands of additions below which the axis is linear, so that silent networks have a place."""


def _lambda_colours(weights: Sequence[float]) -> dict[float, tuple]:
    """A colour for every lambda, dark for small ones; readable for all kinds of colour vision."""
    found = colormaps["viridis"](np.linspace(0.0, 0.88, max(len(weights), 2)))
    return dict(zip(weights, map(tuple, found), strict=False))


@in_style
def random_scales(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 4.2: random and optimised scales; what they cost in error and in computation."""
    layerwise = table[~table["unitwise"] & (table["network"] == "layers")]
    seed = layerwise["seed"].min()
    first = layerwise[layerwise["seed"] == seed]
    random, start = (first[first["kind"] == kind] for kind in ("random", "start"))
    paths = first[first["protocol"] == SHOWN]
    paths = paths[paths["kind"].isin(["trajectory", "end"])]
    colours = _lambda_colours(sorted(paths["lambda"].unique()))
    protocol_text = SHOWN.replace("_", " ")
    figure = new_figure(DOUBLE_COLUMN_MM, 78)
    left, middle, right = figure.subplots(1, 3, width_ratios=(0.85, 1.2, 1))

    columns = [name for name in table.columns if name.startswith("scale_")]
    places = np.arange(len(columns))
    left.plot(places, random[columns].to_numpy().T, color=GREY, lw=0.3, alpha=0.12, rasterized=True)
    for weight, colour in colours.items():
        end = paths[(paths["lambda"] == weight) & (paths["kind"] == "end")]
        left.plot(places, end[columns].to_numpy()[0], color=colour, marker="o", ms=3)
    left.plot(places, start[columns].to_numpy()[0], **START)
    plain_log(left, "y")
    left.set_xticks(places, ["input", *(f"hidden {n}" for n in places[1:])])
    left.set_xlim(-0.25, len(columns) - 0.75)
    left.set_xlabel("layer that sends")
    left.set_ylabel("scale $k$")
    letter(left, "a", f"scales, {protocol_text}")

    cloud = {"ls": "none", "marker": ".", "ms": 2.5, "mew": 0, "alpha": 0.45}
    middle.plot(*random[POINT].to_numpy().T, color=GREY, rasterized=True, **cloud)
    for weight, colour in colours.items():
        path = pd.concat([start, paths[paths["lambda"] == weight].sort_values("epoch")])
        middle.plot(*path[POINT].to_numpy().T, color=colour, lw=1.0)
        middle.plot(*path[POINT].iloc[-1], marker="X", color=colour, ms=5.5, mec="white", mew=0.4)
    middle.plot(*start[POINT].iloc[0], **START)
    letter(middle, "b", f"start to end, one network, {protocol_text}")

    ends = layerwise[layerwise["kind"] == "end"]
    for _, points in layerwise[layerwise["kind"] == "random"].groupby("seed", sort=False):
        front = pareto_front(points)[POINT].to_numpy().T
        right.step(*front, where="post", color=GREY, lw=0.8, alpha=0.8)
    protocols = [name for name in protocols_in(ends) if name in ("as_coded", "as_published")]
    hollow = {"mfc": "none", "ls": "none"}
    for protocol in protocols:
        look, rows = look_of(protocol), ends[ends["protocol"] == protocol]
        points = rows[POINT].to_numpy().T
        right.plot(*points, color=look.colour, marker=look.marker, mew=0.9, **hollow)
    letter(right, "c", f"ends of {layerwise['seed'].nunique()} networks")
    for axes in (middle, right):
        _error_axes(axes, layerwise, axes is middle)
    right.set_ylabel("")
    powers = [round(np.log10(weight)) for weight in colours]
    handles = [
        *(
            Line2D([], [], color=colour, marker="X", ms=5, label=rf"$\lambda$ = $10^{{{power}}}$")
            for power, colour in zip(powers, colours.values(), strict=True)
        ),
        series_handle(SERIES[3], "random scales", color=GREY, marker=".", ls="none"),
        Line2D([], [], label="start", **START),
        Line2D([], [], color=GREY, lw=0.8, label="best random scales (c)"),
        *protocol_handles(protocols, **hollow),
    ]
    legend_below(figure, handles, 6)
    return figure


def _error_axes(axes: Axes, table: pd.DataFrame, wide: bool = True) -> None:
    """Error over computation, linear near 0 so that a silent network has its place."""
    axes.set_xscale("symlog", linthresh=SILENT_BELOW, linscale=0.4)
    ticks = [0, 2, 5, 10, 20, 50, 100, 200, 500] if wide else [0, 5, 20, 100, 500]
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(-0.3, 1.15 * table["kops_per_sample"].max())
    axes.set_yscale("log")
    plain_log(axes, "y", [0.02, 0.05, 0.1, 0.2, 0.5, 1.0])
    axes.set_ylim(0.8 * table["error_fraction"].min(), 1.6)
    axes.set_xlabel(OPERATIONS)
    axes.set_ylabel(ERROR)


def pareto_front(points: pd.DataFrame) -> pd.DataFrame:
    """Points that no other beats in both error and computation, by rising computation."""
    ordered = points.sort_values(POINT)
    best = ordered["error_fraction"].cummin().shift(fill_value=np.inf)
    return ordered[ordered["error_fraction"] < best]


UNITS = {
    False: Look("a scale for each layer", BLUE, "o", "-"),
    True: Look("a scale for each unit", VERMILLION, "s", DASHED),
}
ORDERS = {
    "file": ("published, MNIST", "D", PUBLISHED_LINE),
    "temporal": ("published, Temporal MNIST", "s", (0, (1, 1.2))),
}
PROBLEMS = {"layers": "layers differ in size (figure 4.2)", "units": "units differ in size, too"}


@in_style
def unitwise_scales(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Ends of the optimisation with a scale for each unit, beside those for each layer."""
    ends = table[(table["kind"] == "end") & (table["protocol"] == SHOWN)]
    figure = new_figure(DOUBLE_COLUMN_MM, 70)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, (problem, title), mark in zip(panels, PROBLEMS.items(), "ab", strict=True):
        for unitwise, look in UNITS.items():
            rows = ends[(ends["unitwise"] == unitwise) & (ends["network"] == problem)]
            style = {"marker": look.marker, "mfc": "none", "ls": look.line, "lw": 0.9, "ms": 3.5}
            for _, run in rows.sort_values(POINT[0]).groupby("seed"):
                axes.plot(*run[POINT].to_numpy().T, color=look.colour, **style)
        _error_axes(axes, ends)
        letter(axes, mark, title)
    panels[1].set_ylabel("")
    labels = [(look, f"{look.label}, one line a network") for look in UNITS.values()]
    legend_below(figure, [series_handle(look, label, mfc="none") for look, label in labels])
    return figure


@in_style
def change_rate(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Additions of the sigma-delta network over those of the rounding network."""
    figure = new_figure(DOUBLE_COLUMN_MM, 72)
    left, right = figure.subplots(1, 2, sharey=True)
    images = table[table["source"] != "random"].set_index("source")["change_fraction"]
    table = table[table["source"] == "random"]
    scales = sorted(table["scale"].unique())
    whole = table[table["layer"] == -1]
    handles = []
    for (scale, colour), look in zip(_lambda_colours(scales).items(), cycle(SERIES), strict=False):
        look = look._replace(label=f"$k$ = {scale:g} (a)", colour=colour)
        _draw_ratio(left, whole[whole["scale"] == scale], look)
        handles.append(series_handle(look))
    largest = table[(table["scale"] == scales[-1]) & (table["layer"] >= 0)]
    for (layer, rows), look in zip(largest.groupby("layer"), cycle(SERIES), strict=False):
        _draw_ratio(right, rows, look)
        handles.append(series_handle(look, f"hidden {layer} (b)" if layer else "input (b)"))
    for order, value in _published_ratios(published).items():
        label, marker, line = ORDERS[order]
        # Where our images are not those of the thesis, how fast its own change is not known.
        if dataset == "mnist":
            left.plot(images[order], value, **published_marker(marker))
            handles.append(published_mark(dataset, label, marker))
        else:
            left.axhline(value, color=PUBLISHED_COLOUR, lw=0.9, ls=line, zorder=1)
            handles.append(published_line(dataset, label, line))
    handles += seed_handles(table)
    letter(left, "a", "all layers")
    letter(right, "b", f"by layer, $k$ = {scales[-1]:g}")
    for axes in (left, right):
        axes.axhline(1.0, color=LIGHT_GREY, lw=0.8, zorder=0)
        axes.set_yscale("log")
        plain_log(axes, "x", [0.05, 0.1, 0.2, 0.5, 1.0])
        plain_log(axes, "y", [0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0])
        axes.set_xlabel("change from frame to frame: mean |$x_t$ − $x_{t−1}$| / mean |$x_t$|")
    left.set_ylabel("additions, sigma-delta / rounding")
    legend_below(figure, handles, 4)
    return figure


def _draw_ratio(axes: Axes, rows: pd.DataFrame, look: Look) -> None:
    """Means over seeds against the mean change of a correlation."""
    style = {"at": "change_fraction", "within": POSITIVE}
    draw_mean_line(axes, rows, "correlation", "ratio", look, **style)


def _published_ratios(published: Published) -> dict[str, float]:
    """Sigma-delta over rounding at the smallest lambda of table B.1, by the order of images."""
    chosen = min(published.values("table_b1")["rows"], key=lambda row: row.get("lambda", np.inf))
    return {
        order: cells["kflops"] / chosen["rounding"][order]["kflops"]
        for order, cells in chosen["sigma_delta"].items()
    }


QUANTIZERS = {
    "rounding": Look("scales optimised with rounding", BLUE, "o", "-"),
    "noise": Look("scales optimised with noise in place of rounding", VERMILLION, "s", DASHED),
}
COMPUTATION_OF = {
    "own layer": Look("gradient of the computation of the own layer", BLUE, "o", "-"),
    "higher layers": Look("of all higher layers, too", VERMILLION, "s", DASHED),
}


@in_style
def noise_training(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error and computation of the rounding network by how its scales were optimised."""
    place = "initial_scale", "scale $k$ of all layers at the start"
    figure, panels = _outcomes(table, "quantizer", QUANTIZERS, *place)
    for axes in panels:
        plain_log(axes, "x", sorted(table["initial_scale"].unique()))
    return figure


@in_style
def higher_layers(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """The same by whose computation the gradient of a scale holds."""
    place = "lambda", r"weight of the computation $\lambda$ (per addition)"
    figure, panels = _outcomes(table, "computation_of", COMPUTATION_OF, *place)
    for axes in panels:
        axes.set_xscale("log")
    return figure


def _outcomes(
    table: pd.DataFrame, by: str, looks: Mapping[str, Look], place: str, label: str
) -> tuple[Figure, Sequence[Axes]]:
    """Error and computation over ``place``, every network thin and their means."""
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    panels = figure.subplots(1, 2)
    columns = {"error_fraction": ("error", ERROR), "kops_per_sample": ("computation", OPERATIONS)}
    for axes, (column, (title, text)), mark in zip(panels, columns.items(), "ab", strict=True):
        for name, look in looks.items():
            # Single networks: between good and bad some fail and others do not.
            draw_mean_line(axes, table[table[by] == name], place, column, look, each=True)
        # Whole markers of silent networks.
        axes.set_ylim(bottom=-0.03 * axes.get_ylim()[1])
        axes.set_xlabel(label)
        axes.set_ylabel(text)
        letter(axes, mark, title)
    handles = [series_handle(look) for look in looks.values()]
    legend_below(figure, [*handles, *seed_handles(table, each=True)])
    return figure, panels
