"""O'Connor 2020, figures 5.3, 5.4, C.1 and C.2: rules that change a weight by spikes."""

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    PURPLE,
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

SIGNAL, READ = {"color": BLUE, "lw": 1.1}, {"color": ORANGE, "lw": 0.9}
RULES = {
    "reconstruction": Look("product of reconstructions", BLUE, "o", "-"),
    "past": Look("past", ORANGE, "s", "-"),
    "future": Look("future", GREEN, "^", "-"),
    "stdp": Look("STDP", PURPLE, "D", (0, (2.0, 2.0))),
}


def _spikes(axes: Axes, step: pd.Series, spikes: pd.Series, height: float) -> None:
    """Spikes as bars from 0, up or down."""
    there = spikes != 0
    largest = max(1, spikes.abs().max())
    axes.vlines(step[there], 0.0, height * spikes[there] / largest, color=GREY, lw=0.6, zorder=1)


def _side(axes: Axes, rows: pd.DataFrame, side: str, signal: bool) -> None:
    """Spikes and reconstruction of one side, and the signal where there is one."""
    read = rows[f"{side}_reconstruction"]
    _spikes(axes, rows["step"], rows[f"{side}_spikes"], 0.8 * float(read.abs().max()))
    axes.plot(rows["step"], read, **READ)
    if signal:
        axes.plot(rows["step"], rows[side], **SIGNAL)
    axes.axhline(0.0, color=LIGHT_GREY, lw=0.6, zorder=0)


@in_style
def areas(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.3: two coded signals, their product, and the areas at one spike (first seed)."""
    rows = table[table["element"] == "trace"].sort_values("step")
    areas = table[(table["element"] == "area") & (table["seed"] == rows["seed"].min())].iloc[0]
    last, now = int(areas["last_event"]), int(areas["event"])
    figure = new_figure(DOUBLE_COLUMN_MM, 100)
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1, 1.4))
    for axes, side, mark in zip(panels, "xe", "ab", strict=False):
        _side(axes, rows, side, signal=True)
        axes.set_ylabel(f"${side}_t$")
        letter(axes, mark, f"{'input' if side == 'x' else 'error'} signal, spikes, reconstruction")
    axes = panels[2]
    product = rows["product_of_reconstructions"].to_numpy()
    step = rows["step"].to_numpy()
    axes.fill_between(step[last : now + 1], product[last : now + 1], color=SKY, lw=0, step="post")
    decay = float(areas["future_formula"])
    rate = 1.0 - product[now] / decay if decay else 0.0
    future = product[now] * rate ** np.arange(len(step) - now)
    axes.fill_between(step[now:], future, color=ORANGE, alpha=0.35, lw=0, step="post")
    axes.plot(step, product, color=ORANGE, lw=0.9, drawstyle="steps-post")
    axes.plot(step, rows["product"], **SIGNAL)
    axes.axhline(0.0, color=LIGHT_GREY, lw=0.6, zorder=0)
    axes.set_ylabel(r"$x_t\,e_t$")
    axes.set_xlabel("time (steps)")
    letter(axes, "c", "product, and the areas that the highlighted spike accounts for")
    for axes in panels:
        axes.axvline(now, color=VERMILLION, lw=0.8, zorder=0)
    figure.align_ylabels(panels)
    handles = [
        Line2D([], [], label="signal, product", **SIGNAL),
        Line2D([], [], label="of reconstructions", **READ),
        Line2D([], [], color=GREY, marker="|", ls="none", ms=6, label="spikes"),
        Line2D([], [], color=VERMILLION, lw=0.8, label="highlighted spike"),
        Patch(color=SKY, lw=0, label="past update"),
        Patch(color=ORANGE, alpha=0.35, lw=0, label="future update"),
    ]
    legend_below(figure, handles, 3)
    return figure


@in_style
def kernels(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.4: change of a weight by a pair of spikes, by their time difference."""
    figure = new_figure(DOUBLE_COLUMN_MM, 58)
    panels = figure.subplots(1, 3)
    titles = {
        "same_sign": "spikes of the same sign",
        "opposite_sign": "spikes of opposite signs",
        "classic": "classic STDP",
    }
    coded = table[table["panel"] != "classic"]["change"].abs().max()
    for axes, (panel, title), mark in zip(panels, titles.items(), "abc", strict=True):
        rows = table[table["panel"] == panel].sort_values("lag_steps")
        axes.plot(rows["lag_steps"], rows["change"], color=BLUE, lw=1.2)
        axes.fill_between(rows["lag_steps"], rows["change"], color=BLUE, alpha=0.15, lw=0)
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.axvline(0.0, color=GREY, lw=0.6)
        top = coded if panel != "classic" else rows["change"].abs().max()
        axes.set_ylim(-1.15 * top, 1.15 * top)
        axes.set_xlabel(r"$t_\mathrm{post} - t_\mathrm{pre}$ (steps)")
        letter(axes, mark, title)
    panels[0].set_ylabel("change of the weight (unitless)")
    return figure


@in_style
def four_rules(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure C.1: two trains, and the weight by the four rules (first seed)."""
    rows = table[table["element"] == "trace"].sort_values("step")
    figure = new_figure(DOUBLE_COLUMN_MM, 104)
    panels = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1, 1.8))
    for axes, side, mark in zip(panels, "xe", "ab", strict=False):
        _side(axes, rows, side, signal=False)
        axes.set_ylabel(rf"${side}_t$, $\hat{{{side}}}_t$")
        name = "presynaptic signal" if side == "x" else "postsynaptic error"
        letter(axes, mark, f"{name}: spikes and reconstruction")
    for rule, look in RULES.items():
        width = 1.6 if rule == "future" else 0.9
        # Weights move against the gradient.
        panels[2].plot(rows["step"], -rows[rule], color=look.colour, ls=look.line, lw=width)
    panels[2].axhline(0.0, color=LIGHT_GREY, lw=0.6, zorder=0)
    panels[2].set_ylabel("change of the weight")
    panels[2].set_xlabel("time (steps)")
    letter(panels[2], "c", "cumulative change of the weight by the four rules")
    figure.align_ylabels(panels)
    handles = [series_handle(look, marker=None, ls=look.line, lw=1.2) for look in RULES.values()]
    handles.append(Line2D([], [], color=GREY, marker="|", ls="none", ms=6, label="spikes"))
    handles.append(Line2D([], [], label="reconstruction", **READ))
    legend_below(figure, handles, 3)
    return figure


def _logarithmic(grid: pd.DataFrame) -> LogNorm:
    """Whole decades around the numbers of spikes."""
    counts = grid.to_numpy()[grid.to_numpy() > 0]
    low, high = counts.min(), max(counts.max(), 1.1 * counts.min())
    return LogNorm(10.0 ** np.floor(np.log10(low)), 10.0 ** np.ceil(np.log10(high)))


@in_style
def approximation(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure C.2: an example, and maps of similarity and spikes over both coefficients."""
    figure = new_figure(DOUBLE_COLUMN_MM, 104)
    panels = figure.subplots(2, 3)
    rows = table[table["element"] == "trace"].sort_values("step")
    axes = panels[0, 0]
    axes.plot(rows["step"], rows["signal"], **SIGNAL)
    axes.plot(rows["step"], rows["weight"], color=VERMILLION, lw=1.1)
    axes.set_ylabel("signal, weight")
    letter(axes, "a", "example, its last steps")
    axes = panels[1, 0]
    axes.plot(rows["step"], rows["product"], **SIGNAL)
    axes.plot(rows["step"], rows["estimate"], **READ)
    axes.set_ylabel("product, estimate")
    axes.set_xlabel("time (steps)")
    letter(axes, "d", "its product")
    cells = table[(table["element"] == "cell") & (table["k_p"] > 0) & (table["k_d"] > 0)]
    means = cells.groupby(["k_p", "k_d"]).mean(numeric_only=True)
    maps = (
        (panels[0, 1], "weight_similarity", "b", "a weight that changes"),
        (panels[0, 2], "quantization_similarity", "c", "quantization"),
        (panels[1, 1], "both_similarity", "e", "both"),
        (panels[1, 2], "number_of_spikes", "f", "number of spikes"),
    )
    similarity = Normalize(0.0, 1.0)
    for axes, column, mark, title in maps:
        grid = means[column].unstack("k_d")
        spikes = column == "number_of_spikes"
        norm = _logarithmic(grid) if spikes else similarity
        palette = seaborn.color_palette("flare" if spikes else "mako", as_cmap=True)
        axes.pcolormesh(
            grid.columns, grid.index, grid.to_numpy(), norm=norm, cmap=palette, shading="nearest",
            rasterized=True,
        )  # fmt: skip
        axes.set(xscale="log", yscale="log")
        axes.minorticks_off()
        axes.spines[["left", "bottom"]].set_visible(False)
        letter(axes, mark, title)
        if mark in "ef":
            axes.set_xlabel("$k_d$")
        if mark in "be":
            axes.set_ylabel("$k_p$")
        if column in ("quantization_similarity", "number_of_spikes"):
            label = "spikes" if spikes else "cosine similarity"
            bar = figure.colorbar(ScalarMappable(norm, palette), ax=axes, label=label)
            bar.outline.set_linewidth(0.5)
    handles = [
        Line2D([], [], label="signal, true product", **SIGNAL),
        Line2D([], [], color=VERMILLION, lw=1.1, label="weight"),
        Line2D([], [], label="estimate", **READ),
    ]
    legend_below(figure, handles, 3)
    return figure
