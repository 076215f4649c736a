"""O'Connor 2020, chapter 6: the rising rate, the circuit, the kernels, one synapse."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch, Rectangle

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
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

SLOPES = (
    Look("", VERMILLION, "s", (0, (4.5, 1.5))),
    Look("", GREY, "X", (0, (1.2, 1.2))),
    Look("", BLUE, "o", "-"),
)
"""A rate that falls, stays, rises."""
DYNAMICS = Look("dynamics-based, signals", BLUE, "o", "-")
APPROXIMATE = Look("dynamics-based, reconstructions", ORANGE, "s", "-")
STDP = Look("STDP, spikes", GREEN, "^", (0, (3.0, 1.5)))
SPIKES = {"color": GREY, "lw": 0.35}


@in_style
def rising_rate(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 6.2: spikes around a presynaptic spike, and what STDP makes of them."""
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    rates, change = figure.subplots(1, 2, width_ratios=(1.5, 1.0))
    looks = dict(zip(sorted(table["slope_hz_per_s"].unique()), SLOPES, strict=False))
    curves, ones = (table[table["element"] == kind] for kind in ("curve", "mean"))
    for slope, look in looks.items():
        rows = curves[curves["slope_hz_per_s"] == slope]
        mean = rows.groupby("lag_ms")[["rate_hz", "spikes_per_s"]].mean()
        # Ten milliseconds at a time: single ones scatter too much to be seen.
        whole = mean.loc[mean.index < mean.index.max(), "spikes_per_s"]
        counted = whole.groupby(np.floor(whole.index / 10)).mean()
        rates.plot(mean.index, mean["rate_hz"], color=look.colour, linestyle=look.line)
        rates.plot(
            10 * counted.index + 5, counted, color=look.colour, marker=look.marker, ls="none"
        )
    window = curves.drop_duplicates("lag_ms").sort_values("lag_ms")
    twin = rates.twinx()
    twin.fill_between(window["lag_ms"], window["stdp"], color=LIGHT_GREY, lw=0, zorder=0)
    twin.set_ylim(-1.2, 1.2)
    twin.set_ylabel("window of STDP (unitless)", color=GREY)
    rates.set_zorder(twin.get_zorder() + 1)
    rates.patch.set_visible(False)
    rates.axvline(0.0, color=GREY, lw=0.6)
    rates.set_xlabel("time after the presynaptic spike (ms)")
    rates.set_ylabel("postsynaptic rate (Hz)")
    rates.set_ylim(bottom=0.0)
    letter(rates, "a", "Poisson spikes of a rate that changes")
    for slope, look in looks.items():
        values = ones.loc[ones["slope_hz_per_s"] == slope, "weight_change"]
        style = {"color": look.colour, "marker": look.marker, "ls": "none", "ms": 3.5, "alpha": 0.8}
        change.plot(np.full(len(values), slope), values, **style)
    change.axhline(0.0, color=GREY, lw=0.6)
    change.margins(x=0.15)
    change.set_xlabel("slope of the rate (Hz/s)")
    change.set_ylabel("mean change of the weight\n(unitless)")
    letter(change, "b", "what STDP makes of it, single seeds")
    handles = [
        series_handle(look, f"{slope:{'+g' if slope else 'g'}} Hz/s")
        for slope, look in looks.items()
    ]
    handles.append(Line2D([], [], color=LIGHT_GREY, lw=5, label="window of STDP"))
    legend_below(figure, handles, 4)
    return figure


@in_style
def circuit(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 6.3: sender and receiver, drawn from the blocks that were run."""
    figure = new_figure(DOUBLE_COLUMN_MM, 62)
    axes = figure.subplots()
    blocks = {row.block: row for row in table.drop_duplicates("block").itertuples()}
    colours = {"Q": ORANGE, "P": SKY, "Δt": SKY, "−": LIGHT_GREY, "+": LIGHT_GREY}
    for block in blocks.values():
        for source in filter(None, str(block.inputs).split("; ")):
            if source in blocks:
                _arrow(axes, blocks[source], block)
    for block in blocks.values():
        ends = block.label in ("x", "x^R")
        if not ends:
            corner = (block.x - WIDE, block.y - HIGH)
            colour = colours.get(block.label, "white")
            box = {"fc": colour, "ec": GREY, "lw": 0.7, "zorder": 2}
            axes.add_patch(Rectangle(corner, 2 * WIDE, 2 * HIGH, **box))
        label = {"x": "$x(t)$", "x^R": "$x^R(t)$", "P": r"$\alpha\,\cdot$"}.get(
            block.label, block.label
        )
        axes.text(block.x, block.y, label, ha="center", va="center", zorder=3)
    axes.text(3.7, 0.16, "bits $x^Q(t)$", ha="center", color=GREY)
    axes.text(1.75, 0.16, "$x^E(t)$", ha="center", va="bottom", color=GREY)
    for x, name in ((1.9, "sender"), (5.6, "receiver")):
        axes.text(x, 0.75, name, ha="center", weight="bold")
    axes.set_xlim(-0.5, 7.3)
    axes.set_ylim(-2.2, 1.0)
    axes.set_axis_off()
    meanings = {
        ORANGE: "quantizer to bits",
        SKY: r"delay of a step, prediction $\alpha\,x^R$",
        LIGHT_GREY: "difference, sum",
    }
    square = {"marker": "s", "ls": "none", "ms": 6, "color": GREY, "mew": 0.5}
    legend_below(figure, [Line2D([], [], mfc=c, label=m, **square) for c, m in meanings.items()], 3)
    return figure


WIDE, HIGH = 0.26, 0.24
"""Half of the width and of the height of a box."""
DOWN = (("quantizer", "sum"), ("receiver_sum", "receiver_delay"))
"""Connections that leave sideways and arrive from above."""


def _arrow(axes: Axes, source, target) -> None:
    """A connection of straight pieces, from box to box."""
    x, y, end_x, end_y = (
        source.x + (0.25 if source.label == "x" else 0.0),
        source.y,
        target.x,
        target.y,
    )
    if (source.block, target.block) in DOWN:
        points = [(x, y), (end_x, y), (end_x, end_y + HIGH)]
    elif (source.block, target.block) == ("sum", "delay"):
        points = [(x, y), (x, end_y), (end_x + WIDE, end_y)]
    elif (source.block, target.block) == ("delay", "prediction"):
        points = [(x, y), (end_x, y), (end_x, end_y - HIGH)]
    elif x == end_x:
        points = [(x, y), (x, end_y - HIGH if end_y > y else end_y + HIGH)]
    else:
        points = [(x, y), (end_x - WIDE if end_x > x else end_x + WIDE, y)]
    axes.plot(*zip(*points, strict=True), color=GREY, lw=0.8, zorder=1)
    style = {"arrowstyle": "-|>", "mutation_scale": 6, "lw": 0.8, "color": GREY, "zorder": 1}
    axes.add_patch(FancyArrowPatch(*points[-2:], shrinkA=0, shrinkB=0, **style))


@in_style
def kernels(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 6.4: four kernels by formula (bars) and by a numerical form (dots)."""
    figure = new_figure(DOUBLE_COLUMN_MM, 58)
    panels = figure.subplots(1, 4, sharex=True)
    titles = {
        "decoding": "decoding kernel",
        "symmetric": "symmetric STDP kernel",
        "difference": "central difference",
        "stdp": "STDP kernel",
    }
    for axes, (name, title), mark in zip(panels, titles.items(), "abcd", strict=True):
        rows = table[table["kernel"] == name].sort_values("lag_steps")
        axes.vlines(rows["lag_steps"], 0.0, rows["formula"], color=BLUE, lw=1.0)
        dots = {
            "marker": "o",
            "ms": 1.8,
            "mfc": "white",
            "mec": VERMILLION,
            "mew": 0.5,
            "ls": "none",
        }
        axes.plot(rows["lag_steps"], rows["numerical"], **dots)
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.set_xlabel("time difference (steps)")
        letter(axes, mark, title)
    panels[0].set_ylabel("kernel (unitless)")
    handles = [
        Line2D([], [], color=BLUE, lw=1.0, label="formula"),
        Line2D([], [], label="numerical recursion, correlation or difference", **dots),
    ]
    legend_below(figure, handles, 2)
    return figure


@in_style
def synapse(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 6.5: signals, codes, rates of change and weight of one synapse (first seed)."""
    rows = table[table["element"] == "trace"].sort_values("step")
    figure = new_figure(DOUBLE_COLUMN_MM, 128)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(1, 1, 1, 1.4))
    step = rows["step"]
    for axes, side, name, mark in zip(panels, ("pre", "post"), "ij", "ab", strict=False):
        height = rows[f"{side}_reconstruction"].max()
        spikes = step[rows[f"{side}_spike"] > 0]
        axes.vlines(spikes, -0.16 * height, -0.04 * height, **SPIKES)
        axes.plot(step, rows[f"{side}_reconstruction"], color=ORANGE, lw=0.6)
        axes.plot(step, rows[side], color=BLUE, lw=1.2)
        axes.set_ylabel(f"$h_{name}$")
        letter(axes, mark, f"{side}synaptic signal, its bits and its reconstruction")
    panels[2].plot(step, rows["post_reconstruction_rate"], color=ORANGE, lw=0.4, alpha=0.7)
    panels[2].plot(step, rows["post_rate"], color=BLUE, lw=1.2)
    panels[2].set_ylabel("change per step")
    letter(panels[2], "c", "rate of change of the postsynaptic signal and of its reconstruction")
    for column, look in (
        ("approximate_dynamics", APPROXIMATE),
        ("dynamics", DYNAMICS),
        ("stdp", STDP),
    ):
        width = 1.3 if column == "dynamics" else 0.8
        panels[3].plot(step, rows[column], color=look.colour, linestyle=look.line, lw=width)
    panels[3].set_ylabel("change of the weight")
    panels[3].set_xlabel("time (steps)")
    letter(panels[3], "d", "cumulative change of the weight")
    figure.align_ylabels(panels)
    looks = (DYNAMICS, APPROXIMATE, STDP)
    handles = [series_handle(look, marker=None, ls=look.line, lw=1.2) for look in looks]
    handles.append(Line2D([], [], marker="|", ls="none", color=GREY, ms=6, label="bit"))
    legend_below(figure, handles, 4)
    return figure
