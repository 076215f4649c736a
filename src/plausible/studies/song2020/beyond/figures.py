"""Pictures of what lies beyond the paper."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_median_line, run_handle, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    SERIES,
    Look,
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
    draw_divergence,
    networks_of,
    ordered_looks,
    power_label,
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
    table = table.assign(error_percent=100.0 * table["final_test_error"])
    figure, panels, networks = _panels(table, 112, 2, sharex=True, sharey="row")
    for axes, name, l_max in zip(panels[1], "def", networks, strict=False):
        letter(axes, name, depth_look(l_max).label)
    for (error, distance), l_max in zip(panels.T, networks, strict=False):
        for name, look in OPTIMIZERS.items():
            chosen = table[(table["l_max"] == l_max) & (table["optimizer"] == name)]
            for algorithm, filled, size in (("bp", False, 6.0), ("zil", True, 3.0)):
                rows = chosen[chosen["algorithm"] == algorithm]
                if rows.empty:
                    continue
                style = {"filled": filled, "markersize": size}
                draw_divergence(error, rows, "batch_size", "error_percent", look, **style)
                if algorithm == "zil":
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
    legend_below(figure, [*handles, *seed_handles(table, dots=True)])
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
            style = {"marker": look.marker, "ms": 3.2, "lw": 0.9}
            draw_median_line(axes, rows, "update", "distance", look, **style)
            axes.axhline(float(np.finfo(name).eps), color=look.colour, **dotted)
        plain_log(axes, "x")
        axes.set_xlabel("weight updates")
    panels[0].set_yscale("log")
    panels[0].set_ylabel("relative distance of Z-IL's weights\nfrom backprop's (unitless)")
    drawn = set(table["dtype"])
    handles = [series_handle(look) for name, look in DTYPES.items() if name in drawn]
    handles.append(series_handle(SERIES[3], "rounding unit of the format", marker=None, **dotted))
    handles.append(run_handle())
    if (distance <= 0.0).any():
        ticks = {SMALLEST: "0", **{10.0**power: f"$10^{{{power}}}$" for power in range(-16, 0, 4)}}
        panels[0].set_yticks(list(ticks), list(ticks.values()))
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
    moving = table.groupby(["phase", "sigma"])["energy"].transform("max") > 0.0
    table = table[moving]
    phases = [phase for phase in PHASES if phase in set(table["phase"])]
    height, rows = 26 + 52 * max(len(phases), 1), max(len(phases), 1)
    figure, panels, networks = _panels(table, height, rows, sharex=True, sharey="row")
    looks, handles = _gammas(table)
    noises = dict(zip(sorted(table["sigma"].unique()), ((0, (1.2, 1.2)), "-"), strict=False))
    letters = iter("abcdefghi")
    for row, phase in zip(panels, phases, strict=False):
        chosen = table[table["phase"] == phase]
        for axes, l_max in zip(row, networks, strict=True):
            letter(axes, next(letters), f"{depth_look(l_max).label}, {PHASES[phase]}")
            # Seeds differ in the batch and so in the level: a mean would hide the course.
            keys = ["gamma", "sigma", "seed"]
            for (gamma, sigma, _), one in chosen[chosen["l_max"] == l_max].groupby(keys):
                style = {"color": looks[gamma].colour, "ls": noises[sigma], "lw": 0.8}
                axes.plot(one["t"], one["energy"], **style)
        _energy_axis(row[0], chosen)
    for axes in panels[-1]:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        last = table["t"].max()
        axes.set_xticks([t for t in (0, 1, 4, 16, 64, 256) if t <= last])
        axes.set_xlim(-0.2, 1.1 * last)
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("inference time $t$ (steps)")
    handles += [
        series_handle(SERIES[3], rf"one seed, $\sigma$ = {sigma:g}", marker=None, ls=line, lw=0.8)
        for sigma, line in noises.items()
    ]
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
            draw_median_line(axes, rows, "t", "distance", look, lw=1.0)
        axes.set_xlabel("inference time $t$ (steps)")
    shown = distance.replace([np.inf, 0.0], np.nan).clip(upper=1e3)
    panels[0].set_yscale("log")
    panels[0].set_ylim(0.3 * shown.min(), 3.0 * shown.max())
    panels[0].set_ylabel("largest distance of a value node\nfrom the ANN's activity (unitless)")
    handles.append(run_handle())
    label = f"counts as equal: below {power_label(bound)}"
    legend_below(figure, [*handles, patch_handle(LIGHT_GREY, label, 1.0)])
    return figure
