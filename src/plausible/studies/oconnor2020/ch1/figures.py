"""O'Connor 2020, chapter 1: Hopfield networks at work, spiking neurons, windows of STDP.

The thesis draws none of this; where it states numbers (potentials of figure 1.3, recall at a load
of 0.05), they stand beside ours.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    COSINE,
    GREEN,
    GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    PURPLE,
    SERIES,
    SKY,
    VERMILLION,
    Look,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    published_line,
    series_handle,
)
from plausible.reproduction.published import Published

RECALLED_LOAD = 0.05
"""Patterns per unit up to which the published statement demands an overlap of 1."""
LOADS = (
    Look("", BLUE, "o", "-"),
    Look("", VERMILLION, "s", (0, (4.5, 1.5))),
    Look("", GREY, "X", (0, (1.2, 1.2))),
)
GAINS = (
    Look("", SKY, "v", (0, (1.2, 1.2))),
    Look("", GREEN, "D", (0, (4.5, 1.5))),
    Look("", PURPLE, "^", "-"),
)
SIZES = (Look("", SKY, "v", "-"), Look("", ORANGE, "s", "-"), Look("", PURPLE, "o", "-"))
NEURONS = {
    "reset_to_rest": Look("leak, reset to rest", BLUE, "o", "-"),
    "subtract": Look("leak, threshold subtracted", ORANGE, "s", (0, (4.5, 1.5))),
    "subtract_no_leak": Look("no leak, threshold subtracted", GREEN, "^", (0, (1.2, 1.2))),
}
DRAWN = ("reset_to_rest", "subtract_no_leak")
"""Neurons whose potentials are drawn; the third is between them."""
WINDOWS = (Look("", SKY, "o", "-"), Look("", ORANGE, "s", (0, (4.5, 1.5))))
KERNEL = Look("", BLUE, "o", "-")
COMPUTED = {"color": GREY, "marker": "o", "mfc": "white", "ms": 3.0, "mew": 0.7, "ls": "none"}


@in_style
def hopfield_recall(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Energy and overlap over asynchronous updates, binary and continuous states."""
    figure = new_figure(height_mm=112)
    panels = figure.subplots(2, 2, sharex=True)
    table = table.assign(recall=table["seed"].astype(str) + "." + table["pattern"].astype(str))
    handles = []
    for row, (states, name, looks, label) in enumerate(
        (
            ("binary", "load", LOADS, "load {:g} patterns per unit"),
            ("continuous", "gain", GAINS, "gain $g$ = {:g}"),
        )
    ):
        kind = table[table["states"] == states]
        for (value, rows), look in zip(kind.groupby(name), looks, strict=False):
            style = {"color": look.colour, "linestyle": look.line, "lw": 0.8, "alpha": 0.7}
            for axes, quantity in zip(panels[row], ("energy_per_unit", "overlap"), strict=True):
                one_each = {"units": "recall", "estimator": None, "ax": axes}
                seaborn.lineplot(rows, x="updates_per_unit", y=quantity, **one_each, **style)
            handles.append(series_handle(look, label.format(value), marker=None, lw=0.9))
        panels[row, 0].set_ylabel("energy per unit (unitless)")
        panels[row, 1].set_ylabel("overlap with the\nstored pattern (unitless)")
        panels[row, 1].axhline(1.0, color=GREY, lw=0.6)
    low = min(kind["load"], default=RECALLED_LOAD)
    letter(panels[0, 0], "a", "binary states, $s_i$ = ±1: energy")
    letter(panels[0, 1], "b", "binary states: recall")
    letter(panels[1, 0], "c", r"continuous states, $v_i$ = tanh($g\,h_i$): energy")
    letter(panels[1, 1], "d", f"continuous states, load {low:g}: recall")
    for axes, label in zip(panels.T.flat, ["", "time (updates per unit)"] * 2, strict=True):
        axes.set_xlabel(label)
    single = series_handle(SERIES[3], "one pattern and seed", marker=None, ls="-", lw=0.8)
    legend_below(figure, [*handles, single], 3)
    return figure


@in_style
def hopfield_capacity(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Overlap after recall against load, from the pattern itself and from a damaged one."""
    theory = table[np.isinf(table["units"])]
    measured = table[np.isfinite(table["units"])]
    fractions = sorted(measured["turned_fraction"].unique())
    sizes = dict(zip(sorted(measured["units"].unique()), SIZES, strict=False))
    figure = new_figure(height_mm=76)
    panels = figure.subplots(1, max(len(fractions), 1), sharey=True, squeeze=False)[0]
    for axes, fraction, number in zip(panels, fractions, "abcd", strict=False):
        draw_published(axes, [0.0, RECALLED_LOAD], [1.0, 1.0])
        axes.plot(theory["load"], theory["overlap"], color=GREY, lw=0.9, ls="--", zorder=1)
        rows = measured[measured["turned_fraction"] == fraction]
        for place, (units, look) in enumerate(sizes.items()):
            # A little apart, so that the bars of all sizes can be told.
            moved = rows.assign(load=rows["load"] + 0.0012 * (place - (len(sizes) - 1) / 2))
            moved = moved[moved["units"] == units]
            draw_mean_line(axes, moved, "load", "overlap", look, within=COSINE, bars=True)
        start = "the pattern itself" if fraction == 0 else f"{100 * fraction:g} % of it turned over"
        letter(axes, number, f"start: {start}")
        axes.set_xlabel("load (patterns per unit)")
        axes.set_xlim(0.0, 1.04 * float(table["load"].max()))
        axes.set_ylim(-0.03, 1.04)
    panels[0].set_ylabel("overlap after recall (unitless)")
    handles = [series_handle(look, f"{units:g} units") for units, look in sizes.items()]
    handles += [
        series_handle(LOADS[2], "theory, infinitely many units", marker=None, ls="--", lw=0.9),
        published_line(label="published"),
    ]
    legend_below(figure, [*handles, *seed_handles(measured, bars=True)], 3)
    return figure


@in_style
def integrate_and_fire(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Potentials of one input by three neurons, in mV and in units of the threshold; rates."""
    figure = new_figure(height_mm=118)
    grid = figure.add_gridspec(3, 2, width_ratios=(1.5, 1.0), height_ratios=(0.28, 1.0, 1.0))
    inputs, cell, unitless = (figure.add_subplot(grid[row, 0]) for row in range(3))
    rates = figure.add_subplot(grid[:, 1])
    trace = table[table["panel"] == "potential"]
    times = 1e3 * trace.loc[trace["event"] == "input", "time_s"].unique()
    inputs.eventplot(times, colors=GREY, linewidths=0.4)
    inputs.set_yticks([])
    inputs.set_ylabel("input")
    letter(inputs, "a", "input spikes")
    _draw_cell(cell, trace[trace["neuron"] == "reset_to_rest"], published.values("ch1.fig1.3"))
    letter(cell, "b", "leak, reset to rest, on the scale of figure 1.3")
    for name in DRAWN:
        mine, look = trace[trace["neuron"] == name], NEURONS[name]
        for event, value, style in (
            ("sample", "potential", {"lw": 0.8}),
            ("input", "event_potential", {"ls": "none", "marker": ".", "ms": 2.5}),
        ):
            rows = mine[mine["event"] == event]
            unitless.plot(1e3 * rows["time_s"], rows[value], color=look.colour, **style)
    unitless.axhline(1.0, color=GREY, lw=0.6)
    letter(unitless, "c", "sum of kernels (eq. 1.10), and event by event")
    unitless.set_ylabel("potential\n(units of the threshold)")
    unitless.set_xlabel("time (ms)")
    for axes in (inputs, cell, unitless):
        axes.set_xlim(0.0, 1e3 * float(trace["time_s"].max()))
    for axes in (inputs, cell):
        axes.set_xticklabels([])
    _draw_rates(rates, table[table["panel"] == "rate"])
    letter(rates, "d", "rate against input")
    handles = [
        *map(series_handle, NEURONS.values()),
        series_handle(SERIES[3], "max(0, drive)", marker=None, ls="-", lw=0.9),
        published_line(label="published levels (figure 1.3)"),
        series_handle(SERIES[3], "event by event (c)", ls="none", marker=".", ms=2.5),
    ]
    legend_below(figure, [*handles, *seed_handles(table, bars=True)], 4)
    return figure


def _draw_cell(axes: Axes, trace: pd.DataFrame, values: Mapping[str, float]) -> None:
    """Potential with rest and threshold put at the published levels, spikes up to the peak."""
    levels = {name: values[f"{name}_mv"] for name in ("resting", "threshold", "peak")}
    rest, threshold, peak = levels.values()
    samples = trace[trace["event"] == "sample"]
    potential = rest + (threshold - rest) * samples["potential"]
    axes.plot(1e3 * samples["time_s"], potential, color=BLUE, lw=0.8)
    spikes = 1e3 * trace.loc[trace["event"] == "spike", "time_s"]
    axes.vlines(spikes, threshold, peak, color=BLUE, lw=0.9)
    for name, level in levels.items():
        axes.axhline(level, color=PUBLISHED_COLOUR, lw=0.7, ls=PUBLISHED_LINE, zorder=0)
        right = axes.get_yaxis_transform()
        axes.text(1.01, level, name, transform=right, va="center")
    axes.set_ylabel("potential (mV)")


def _draw_rates(axes: Axes, table: pd.DataFrame) -> None:
    drives = np.array(sorted(table["drive_hz"].unique()))
    axes.plot(drives, np.maximum(drives, 0.0), color=GREY, lw=0.9, zorder=1)
    for name, look in NEURONS.items():
        rows = table[table["neuron"] == name]
        draw_mean_line(axes, rows, "drive_hz", "rate_hz", look, bars=True, lw=0.8)
    axes.set_xlabel("drive (thresholds per s)")
    axes.set_ylabel("firing rate (Hz)")


@in_style
def stdp_windows(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Eq. 1.11 by formula and by two traces; the windows of chapters 5 and 6."""
    figure = new_figure(height_mm=74)
    panels = figure.subplots(1, 3)
    windows = table[table["panel"] == "window"]
    at, computed = 1e3 * windows["dt_s"], windows["weight_change_online"]
    windows = windows.assign(at=at, computed=computed, kernel=windows["weight_change"])
    handles = []
    for (name, rows), look in zip(windows.groupby("rule", sort=False), WINDOWS, strict=False):
        _draw_window(panels[0], rows, look)
        handles.append(series_handle(look, f"formula, {name.replace('_', ' ')}", marker=None))
    kernels = table[table["panel"] == "kernel"]
    kernels = kernels.assign(at=kernels["dt_steps"], computed=kernels["correlation"])
    for axes, rule in zip(panels[1:], ("chapter5", "chapter6"), strict=True):
        rows = kernels[kernels["rule"] == rule]
        _draw_window(axes, rows[rows["protocol"] == "corrected"], KERNEL, rule == "chapter6")
        printed = rows[rows["protocol"] == "as_published"]
        if len(printed):
            draw_published(axes, printed["at"], printed["kernel"])
        axes.set_xlabel("$t_{post}$ − $t_{pre}$ (steps)")
    panels[0].set_xlabel("$t_{post}$ − $t_{pre}$ (ms)")
    panels[0].set_ylabel("weight change (unitless)")
    titles = ("chapter 1, eq. 1.11", "chapter 5, eq. 5.13", "chapter 6, eq. 6.12")
    for axes, name, title in zip(panels, "abc", titles, strict=True):
        letter(axes, name, title)
        axes.axhline(0.0, color=GREY, lw=0.6, zorder=0)
        axes.axvline(0.0, color=GREY, lw=0.6, zorder=0)
    handles += [
        series_handle(KERNEL, "formula, corrected", marker=None),
        published_line(label="formula, as printed"),
        series_handle(SERIES[3], "computed from spikes", **COMPUTED),
    ]
    legend_below(figure, handles, 5)
    return figure


def _draw_window(axes: Axes, rows: pd.DataFrame, look: Look, jumps: bool = True) -> None:
    """Formula as a line, which may jump at 0; values computed from spikes as open circles."""
    sides = (rows["at"] < 0, rows["at"] > 0) if jumps else (rows["at"].notna(),)
    for side in sides:
        axes.plot(rows.loc[side, "at"], rows.loc[side, "kernel"], color=look.colour, ls=look.line)
    shown = rows.iloc[len(rows) // 2 % 4 :: 4]
    axes.plot(shown["at"], shown["computed"], **COMPUTED, zorder=3)
