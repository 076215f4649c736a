"""O'Connor 2020, figures 8.3, E.2 and E.3: networks that learn with real numbers and with bits."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogFormatter

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.parallel_coordinates import draw_parallel
from plausible.drawing.style import (
    BLUE,
    COSINE,
    GREEN,
    GREY,
    ORANGE,
    POSITIVE,
    PUBLISHED_LINE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_line,
    series_handle,
)
from plausible.reproduction.published import Published

CONTINUOUS, BINARY = Look("continuous", BLUE, "", "-"), Look("binary, OSA", ORANGE, "", "-")
OTHERS = {
    "binary_checkpoint": Look("binary, checkpoint, 20 + 4 steps", GREEN, "", "-"),
    "binary_short": Look("binary, 20 + 4 steps", VERMILLION, "", (0, (4.5, 1.5))),
    "binary_short_tuned": Look("binary, tuned for 20 + 4", PURPLE, "", (0, (1.2, 1.2))),
    "continuous_keeping": Look("continuous, states kept", SKY, "", (0, (6, 1.5, 1, 1.5))),
}
DEEP = {
    "continuous_deep": CONTINUOUS,
    "binary_deep": Look(r"binary, $\bar\nu$ of the code", ORANGE, "", "-"),
    "binary_deep_printed": Look(r"binary, $\bar\nu$ as printed", VERMILLION, "", (0, (4.5, 1.5))),
    "binary_deep_long": Look("binary, 400 + 200 steps", GREEN, "", (0, (6, 1.5, 1, 1.5))),
}
DASHED = (0, (2.5, 1.2))
TEST, TRAINING = "test_error_percent", "training_error_percent"
LEAST = 0.02
"""Errors below it, in percent, are drawn there."""


def _curve(axes: Axes, table: pd.DataFrame, variant: str, column: str, look: Look) -> None:
    rows = table[(table["variant"] == variant) & (table["epoch"] > 0)]
    if len(rows):
        rows = rows.assign(**{column: rows[column].clip(lower=LEAST)})
        draw_mean_line(axes, rows, "epoch", column, look, lw=1.1)


@in_style
def learning_curves(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 8.3: error against epochs; and of other forms of the network."""
    figure = new_figure(height_mm=86)
    panels = figure.subplots(1, 2, sharey=True)
    printed = published.values("ch8.fig8.3")
    for variant, look in (("continuous", CONTINUOUS), ("binary", BINARY)):
        _curve(panels[0], table, variant, TEST, look)
        _curve(panels[0], table, variant, TRAINING, look._replace(line=DASHED))
        _curve(panels[1], table, variant, TEST, look)
        for part in ("test", "training"):
            level = printed[f"{variant}_{part}_error_percent"]
            style = {"color": look.colour, "lw": 0.8, "ls": PUBLISHED_LINE, "zorder": 0}
            panels[0].axhline(level, **style)
    if dataset == "mnist":
        poster = published.curve("ch8.fig8.3-poster")
        for _, theirs in poster[poster["subset"] == "test"].groupby("network"):
            draw_published(panels[0], theirs["epoch"], theirs["error_percent"], lw=0.6)
    for variant, look in OTHERS.items():
        _curve(panels[1], table, variant, TEST, look)
    for axes, mark, title in zip(
        panels, "ab", ("tests (solid), training (dashed)", "other forms, tests"), strict=True
    ):
        plain_log(axes, "y")
        axes.set_xlabel("epoch")
        letter(axes, mark, title)
    panels[0].set_ylabel("error (%)")
    handles = [series_handle(look) for look in (CONTINUOUS, BINARY, *OTHERS.values())]
    level = Line2D([], [], color=GREY, lw=0.8, ls=PUBLISHED_LINE, label="published, at the end")
    handles.append(level)
    if dataset == "mnist":
        handles.append(published_line(dataset, "poster, tests"))
    legend_below(figure, [*handles, *_seeds(table)], 4)
    return figure


def _seeds(table: pd.DataFrame) -> list[Line2D]:
    """Legend entries of seeds, of which shallow networks have more than deep ones."""
    named = table.rename(columns={"variant": "network"}).drop(columns="protocol")
    return seed_handles(named)


@in_style
def deep_curves(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure E.3: error of the deep networks against epochs."""
    figure = new_figure(height_mm=76)
    panels = figure.subplots(1, 2, sharey=True)
    deep = table[table["variant"].isin(list(DEEP))]
    for axes, column, mark, title in zip(
        panels, (TEST, TRAINING), "ab", ("tests", "first training images"), strict=True
    ):
        for variant, look in DEEP.items():
            _curve(axes, deep, variant, column, look)
        plain_log(axes, "y")
        axes.set_xlabel("epoch")
        letter(axes, mark, title)
    panels[0].set_ylabel("error (%)")
    handles = [series_handle(look) for look in DEEP.values()]
    legend_below(figure, [*handles, *_seeds(deep)], 4)
    return figure


NAMES = {
    "trial": "trial",
    "epsilon0": r"$\epsilon_0$",
    "eta_epsilon": r"$\eta_\epsilon$",
    "nu_bar": r"$\bar\nu$",
    "lambda0": r"$\lambda_0$",
    "eta_lambda": r"$\eta_\lambda$",
    "error": "error (%)",
}


@in_style
def searches(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure E.2: trials of both searches, coloured by their error, the best one dashed."""
    rows = table[table["element"] == "trial"]
    titles = {
        "scheduled": r"$\epsilon_0/t^{\eta_\epsilon}$, $\lambda_0/t^{\eta_\lambda}$",
        "osa": r"OSA($\bar\nu$), $\lambda$",
    }
    figure = new_figure(height_mm=84)
    panels = figure.subplots(1, 2, width_ratios=(1.4, 1.0))
    colours = LogNorm(rows["error"].min(), rows["error"].max())
    for axes, (name, title), mark in zip(panels, titles.items(), "ab", strict=True):
        mine = rows[rows["search"] == name]
        draw_parallel(axes, mine, NAMES, ("nu_bar", "error"), colours)
        letter(axes, mark, title)
    bar = figure.colorbar(ScalarMappable(colours, "viridis"), ax=panels, shrink=0.8, pad=0.01)
    bar.set_label("error after one epoch (%)")
    # Percents as numbers, not as powers of ten.
    bar.ax.yaxis.set_major_formatter(LogFormatter())
    bar.ax.yaxis.set_minor_formatter(LogFormatter())
    best = Line2D([], [], color="black", ls=(0, (2.6, 1.5)), lw=1.1, label="best trial")
    legend_below(figure, [best], 1)
    return figure


@in_style
def contrasts(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Variance of updates, and cosine with the update of the continuous network."""
    figure = new_figure(height_mm=66)
    panels = figure.subplots(1, 2)
    variance = table[table["element"] == "variance"]
    pairs = {"without_checkpoint": ("without", VERMILLION), "with_checkpoint": ("with", GREEN)}
    for place, (column, (_, colour)) in enumerate(pairs.items()):
        rows = variance.assign(place=place)
        look = Look("", colour, "s", "")
        draw_mean_points(panels[0], rows, "place", column, look, within=POSITIVE)
    panels[0].set_xticks(range(2), [f"{name}\ncheckpoint" for name, _ in pairs.values()])
    panels[0].set_xlim(-0.5, 1.5)
    panels[0].set_yscale("log")
    panels[0].set_ylabel("relative variance of the update")
    letter(panels[0], "a", "one hidden layer, 20 + 4 steps")
    rows = table[table["element"] == "cosine"]
    look = Look("", ORANGE, "o", "-")
    draw_mean_line(panels[1], rows, "factor", "cosine", look, within=COSINE)
    panels[1].axhline(0.9, color=GREY, lw=0.7, ls=(0, (2, 2)))
    panels[1].set_xticks(sorted(rows["factor"].unique()))
    panels[1].set_ylim(min(0.0, 1.1 * rows["cosine"].min()), 1.04)
    panels[1].set_xlabel("steps over (100, 50)")
    panels[1].set_ylabel("cosine with the continuous update")
    letter(panels[1], "b", "three hidden layers")
    legend_below(figure, seed_handles(table), 2)
    return figure
