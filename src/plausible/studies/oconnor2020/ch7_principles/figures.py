"""Pictures of chapter 7 without images: three panes, the toy network, its learning rates."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap
from matplotlib.figure import Figure

from plausible.drawing.layered_network import draw_layers, layer_handles
from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch7_principles.settings import GLOBAL, LOCAL, PANES

TRAININGS = {
    LOCAL: Look("local losses", BLUE, "o", "-"),
    GLOBAL: Look("global loss", VERMILLION, "s", (0, (4.5, 1.5))),
}
TITLES = {
    "forward": "forward pass: $s_f$",
    "negative": "negative phase: $s_-$",
    "positive": "positive phase: $s_+$",
}


@in_style
def three_panes(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 7.1: guess of the initialising network, settling, settling with a target."""
    rows = table[table["seed"] == table["seed"].min()]
    figure = new_figure(height_mm=72)
    for axes, pane, mark in zip(figure.subplots(1, 3), PANES, "abc", strict=True):
        mine = rows[rows["pane"] == pane]
        # Of the input there is one row a unit, at step 0.
        last = mine.sort_values("step").groupby(["layer", "unit"], as_index=False).tail(1)
        draw_layers(
            axes, last, targets=pane == "positive", arrows="-|>" if pane == "forward" else None
        )
        letter(axes, mark, TITLES[pane])
    arrow = series_handle(
        Look("feed-forward connection", GREY, r"$\rightarrow$", "none"), markersize=8
    )
    legend_below(figure, [*layer_handles(), arrow], 2)
    return figure


@in_style
def local_and_global(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 7.2: global loss of both trainings, and alignment of the gradients of each layer."""
    figure = new_figure(height_mm=72)
    left, *right = figure.subplots(1, 3)
    losses = table[table["layer"] == 1]
    for training, look in TRAININGS.items():
        rows = losses[losses["training"] == training]
        draw_mean_line(left, rows, "iteration", "loss", look, marker=False)
    left.set(yscale="log", xlabel="iteration", ylabel="global loss (sum of squares per sample)")
    letter(left, "a", "loss")
    layers = sorted(table.loc[table["alignment"].notna(), "layer"].unique())
    palette = ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.88, len(layers))))
    for axes, (training, look), mark in zip(right, TRAININGS.items(), "bc", strict=True):
        rows = table[(table["training"] == training) & table["alignment"].notna()]
        for number, layer in enumerate(layers):
            means = rows[rows["layer"] == layer].groupby("iteration")["alignment"].mean()
            axes.plot(means.index, means, color=palette(number), lw=1.0)
        axes.axhline(0.0, color=GREY, lw=0.5)
        axes.set(xlabel="iteration")
        letter(axes, mark, f"alignment, {look.label}")
    low = min(axes.get_ylim()[0] for axes in right)
    high = max(axes.get_ylim()[1] for axes in right)
    for axes in right:
        axes.set_ylim(low, high)
    right[0].set_ylabel("cosine of local and distant\ngradient, mean over seeds (unitless)")
    norm = BoundaryNorm([layer - 0.5 for layer in (*layers, layers[-1] + 1)], len(layers))
    bar = figure.colorbar(ScalarMappable(norm, palette), ax=right[1], ticks=layers, label="layer")
    bar.outline.set_linewidth(0.5)
    handles = [series_handle(look, marker="") for look in TRAININGS.values()]
    legend_below(figure, [*handles, *seed_handles(losses)], 4)
    return figure


@in_style
def best_rates(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Iterations to the same share of the first loss, against the learning rate."""
    rows = table[table["comparison"] == "all_layers"]
    figure = new_figure(width_mm=89.0, height_mm=76)
    axes = figure.subplots()
    for training, look in TRAININGS.items():
        mine = rows[rows["training"] == training]
        draw_mean_points(axes, mine, "learning_rate", "iterations", look, joined=True)
    last = rows["iterations"].max()
    if not rows["reached"].all():
        axes.axhline(last, color=GREY, lw=0.6, ls=":")
        axes.annotate(
            "not reached", (rows["learning_rate"].min(), last), (0, -2),
            textcoords="offset points", va="top", color=GREY,
        )  # fmt: skip
    axes.set(xscale="log", xlabel="learning rate (unitless)")
    axes.set(ylabel="iterations to the share\nof the first loss", ylim=(0, 1.08 * last))
    handles = [series_handle(look) for look in TRAININGS.values()]
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 2)
    return figure
