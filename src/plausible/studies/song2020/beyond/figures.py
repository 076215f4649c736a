"""Pictures of what lies beyond the paper."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    SERIES,
    Look,
    draw_points,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import (
    depth_look,
    draw_range,
    draw_seeds,
    networks_of,
    ordered_looks,
    over_seeds,
    power_label,
    seeds_handle,
)

# Exact zeros and what underflows are drawn here on logarithmic axes.
SMALLEST = 1e-19
DTYPES = {
    "float64": Look("float64", SERIES[0].colour, "o", "-"),
    "float32": Look("float32", SERIES[1].colour, "s", (0, (4.5, 1.5))),
}
OPTIMIZERS = {
    "sgd": Look("SGD", SERIES[0].colour, "o", "-"),
    "adam": Look("Adam", SERIES[1].colour, "s", "-"),
}


@in_style
def optimizers(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Z-IL and backprop with SGD and Adam for several batch sizes: test error, weight distance."""
    table = table.assign(percent=100.0 * table["final_test_error"])
    figure, panels, networks = _panels(table, 112, 2, sharex=True, sharey="row")
    for (error, distance), l_max in zip(panels.T, networks, strict=False):
        for name, look in OPTIMIZERS.items():
            chosen = table[(table["l_max"] == l_max) & (table["optimizer"] == name)]
            for algorithm, filled, size in (("bp", False, 6.0), ("zil", True, 3.0)):
                rows = chosen[chosen["algorithm"] == algorithm]
                if rows.empty:
                    continue
                data = over_seeds(rows, ["batch_size"], "percent")
                draw_seeds(error, rows["batch_size"], rows, "percent", look)
                data["high"] = data["high"].clip(upper=100.0)
                draw_points(error, data["batch_size"], data, look, filled=filled, markersize=size)
                if algorithm == "zil":
                    error.plot(data["batch_size"], data["mean"], color=look.colour, lw=0.8)
                    worst = rows.groupby("batch_size")["relative_weight_difference_to_bp"].max()
                    style = {"color": look.colour, "marker": look.marker, "ms": 3.2, "lw": 0.9}
                    distance.plot(worst.index, worst.clip(lower=SMALLEST), **style)
        distance.set_xlabel("batch size (images)")
        plain_log(distance, "x", sorted(table["batch_size"].unique()))
    epochs = sorted(table["epochs"].unique())
    after = f"{epochs[0]:g} epochs" if len(epochs) == 1 else "the last epoch"
    panels[0, 0].set_ylabel(f"test error after {after} (%)")
    panels[1, 0].set_ylabel("Z-IL from backprop: largest\nrelative weight distance (unitless)")
    panels[1, 0].set_yscale("log")
    ring = {"color": GREY, "marker": "o", "ls": "none"}
    drawn = set(table["optimizer"])
    handles = [series_handle(look) for name, look in OPTIMIZERS.items() if name in drawn]
    handles.append(series_handle(SERIES[3], "Z-IL", **ring, ms=3.0))
    handles.append(series_handle(SERIES[3], "backprop", **ring, mfc="white", ms=6.0))
    legend_below(figure, [*handles, *seeds_handle(table)])
    return figure


def _panels(
    table: pd.DataFrame, height_mm: float, rows: int = 1, **options: Any
) -> tuple[Figure, np.ndarray, list[int]]:
    """Figure with panels [rows, networks], the upper ones with a letter; the networks' l_max."""
    networks = networks_of(table)
    figure = new_figure(height_mm=height_mm)
    panels = figure.subplots(rows, max(len(networks), 1), squeeze=False, **options)
    for axes, number, l_max in zip(panels[0], "abc" * len(networks), networks, strict=False):
        letter(axes, number, depth_look(l_max).label)
    return figure, panels, networks


@in_style
def float32(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Distance of the weights of Z-IL from those of backprop in both number formats."""
    distance = table["relative_weight_difference"]
    shown = table.assign(distance=distance.clip(lower=SMALLEST))
    figure, (panels,), networks = _panels(table, 74, sharey=True)
    dotted = {"ls": (0, (1, 1)), "lw": 0.6}
    for axes, l_max in zip(panels, networks, strict=False):
        for name, look in DTYPES.items():
            rows = shown[(shown["l_max"] == l_max) & (shown["dtype"] == name)]
            draw_range(axes, rows, "update", "distance", look, marker=look.marker, ms=3.2, lw=0.9)
            axes.axhline(float(np.finfo(name).eps), color=look.colour, **dotted)
        plain_log(axes, "x")
        axes.set_xlabel("weight updates")
    panels[0].set_yscale("log")
    panels[0].set_ylabel("relative distance of Z-IL's weights\nfrom backprop's (unitless)")
    drawn = set(table["dtype"])
    handles = [series_handle(look) for name, look in DTYPES.items() if name in drawn]
    handles.append(patch_handle(GREY, "range over seeds", 0.3))
    handles.append(series_handle(SERIES[3], "rounding unit of the format", marker=None, **dotted))
    if (distance <= 0.0).any():
        handles.append(patch_handle("none", f"exact zeros at {power_label(SMALLEST)}"))
    legend_below(figure, handles)
    return figure


PHASES = {"learning": "output clamped", "prediction": "output free"}


def _gammas(table: pd.DataFrame) -> tuple[dict[object, Look], list[Line2D]]:
    """Looks of the integration steps, and their legend entries."""
    looks = ordered_looks(sorted(table["gamma"].unique()))
    return looks, [
        series_handle(look, rf"$\gamma$ = {gamma:g}", marker=None) for gamma, look in looks.items()
    ]


@in_style
def energy(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Energy F_t over inference time in the learning and in the prediction phase."""
    # Without noise the feed-forward activity is the rest of a network with a free output: F_t = 0.
    largest = table.groupby(["phase", "sigma"])["energy"].max()
    kinds = largest.index[largest > 0.0]
    height = 22 + 48 * max(len(kinds), 1)
    figure, panels, networks = _panels(table, height, max(len(kinds), 1), sharex=True, sharey="row")
    looks, handles = _gammas(table)
    letters = iter("abcdefghijklmnopqrst")
    for row, (phase, sigma) in zip(panels, kinds, strict=False):
        rows = table[(table["phase"] == phase) & (table["sigma"] == sigma)]
        for axes, l_max in zip(row, networks, strict=True):
            chosen = rows[rows["l_max"] == l_max]
            for gamma, look in looks.items():
                # Seeds differ in the batch and so in the level: bands would hide the course.
                for _, one in chosen[chosen["gamma"] == gamma].groupby("seed"):
                    axes.plot(one["t"], one["energy"], color=look.colour, lw=0.8)
            title = rf"{depth_look(l_max).label}, {PHASES[phase]}, $\sigma$ = {sigma:g}"
            letter(axes, next(letters), title)
        _energy_axis(row[0], rows)
    for axes in panels[-1]:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        last = table["t"].max()
        axes.set_xticks([t for t in (0, 1, 4, 16, 64, 256) if t <= last])
        axes.set_xlim(-0.2, 1.1 * last)
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("inference time $t$ (steps)")
    handles.append(patch_handle("none", "a line per seed"))
    if len(kinds) < len(largest):
        handles.append(patch_handle("none", r"output free, $\sigma$ = 0: $F_t$ = 0"))
    legend_below(figure, handles)
    return figure


def _energy_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic where the energy falls far; what explodes (gamma > 2) leaves at the top."""
    start = rows.loc[rows["t"] == 0, "energy"].max()
    shown = rows.loc[rows["energy"].between(1e-12, 2.0 * start), "energy"]
    axes.set_ylabel("energy $F_t$ of the\nbatch (unitless)")
    if shown.empty:
        return
    low, high = shown.min(), shown.max()
    if high > 20.0 * low:
        axes.set_yscale("log")
        axes.set_ylim(0.5 * low, 2.0 * high)
    else:
        margin = 0.08 * (high - low)
        axes.set_ylim(low - margin, high + margin)


@in_style
def prediction(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Largest distance of a value node from the activity of the ANN during the prediction phase."""
    distance = table["max_distance_to_ann"]
    drawn = table.assign(distance=distance.replace(np.inf, np.nan).clip(lower=SMALLEST))
    figure, (panels,), networks = _panels(table, 74, sharey=True)
    looks, handles = _gammas(table)
    equal = ("claim.prediction_equals_forward", "reaches_forward_activity")
    bound = published.bound(*equal)
    for axes, l_max in zip(panels, networks, strict=False):
        axes.axhspan(SMALLEST, bound, color=LIGHT_GREY, lw=0, zorder=0)
        for gamma, look in looks.items():
            rows = drawn[(drawn["l_max"] == l_max) & (drawn["gamma"] == gamma)]
            draw_range(axes, rows, "t", "distance", look, lw=1.0)
        axes.set_xlabel("inference time $t$ (steps)")
    shown = distance.replace([np.inf, 0.0], np.nan).clip(upper=1e3)
    panels[0].set_yscale("log")
    panels[0].set_ylim(0.3 * shown.min(), 3.0 * shown.max())
    panels[0].set_ylabel("largest distance of a value node\nfrom the ANN's activity (unitless)")
    handles.append(patch_handle(GREY, "range over seeds", 0.3))
    label = f"counts as equal: below {power_label(bound)}"
    legend_below(figure, [*handles, patch_handle(LIGHT_GREY, label, 1.0)])
    return figure
