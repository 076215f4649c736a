"""Beyond O'Connor 2020, chapter 3: FSGD against SGD, early guesses, the first weights."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    PURPLE,
    SINGLE_COLUMN_MM,
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
    say_empty,
    series_handle,
)
from plausible.measure.budget import gain_over
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_learning.figures import (
    PARTS,
    TRAINED,
    error_axis,
    networks_of,
    printed_rows,
    signed_points,
    spiking_handles,
    spiking_look,
    whole_numbers,
)

EPOCHS, OPERATIONS = "epoch", "training_operations"
TEST_ERROR = f"test error (%), {PARTS['thesis']}"
EQUAL = {
    EPOCHS: Look("at equal epochs", BLUE, "", "-"),
    OPERATIONS: Look("at equal operations", GREEN, "", (0, (4.5, 1.5))),
}
"""What is held equal in a comparison of two trainings."""
VECTOR = {"lw": 0.7, "ls": (0, (6, 2))}
SPARSE = {"lw": 0.9, "ls": (0, (1.2, 1.2))}


@in_style
def fsgd_and_sgd(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Both trainings against epochs and against operations, and what FSGD gains over SGD."""
    figure = new_figure(height_mm=74)
    panels = figure.subplots(1, 3)
    panels[1].sharey(panels[0])
    names = networks_of(table, ("sgd", "fsgd"))
    looks = {name: TRAINED[name]._replace(marker="") for name in names}
    test = table[(table["part"] == "thesis") & (table["epoch"] > 0) & table["network"].isin(names)]
    test = test.assign(spent=test[OPERATIONS] / 1e9)
    titles = {
        "epoch": ("by epochs", "epoch"),
        "spent": ("by operations", "additions so far (billions)"),
    }
    for axes, name, (at, (title, label)) in zip(panels, "ab", titles.items(), strict=False):
        for network, look in looks.items():
            rows = test[test["network"] == network]
            draw_mean_line(axes, rows, "epoch", "error_percent", look, at)
        plain_log(axes, "x")
        axes.set_xlabel(label)
        letter(axes, name, title)
    error_axis(panels[0], test["error_percent"], TEST_ERROR)
    panels[1].tick_params(labelleft=False)
    _draw_advantage(panels[2], test)
    handles = [series_handle(look, marker="") for look in (*looks.values(), *EQUAL.values())]
    legend_below(figure, [*handles, *seed_handles(test)], 5)
    return figure


def _draw_advantage(axes: Axes, test: pd.DataFrame) -> None:
    gains = {equal: gain_over(test, "fsgd", "sgd", equal) for equal in EQUAL}
    for equal, found in gains.items():
        if len(found):
            # The first epoch, in which errors fall by tens of points, must not set the scale.
            found = found[found["epoch"] >= min(1.0, found["epoch"].max())]
            draw_mean_line(axes, found, "epoch", "points", EQUAL[equal])
    if not any(map(len, gains.values())):
        say_empty(axes)
    signed_points(axes)
    whole_numbers(axes, "epoch of FSGD")
    axes.set_ylabel("error, SGD − FSGD (points)")
    letter(axes, "c", "gain of FSGD")


@in_style
def early_guesses(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Anytime error: after each time step, and above that of the vector network, by its cost."""
    figure = new_figure(height_mm=76)
    left, right = figure.subplots(1, 2)
    part = table[table["part"] == "thesis"]
    steps = part[part["record"] == "anytime"]
    vector = part[(part["record"] == "final") & (part["counting"] == "dense")]
    names = networks_of(steps, tuple(TRAINED))
    for network in names:
        rows = steps[steps["network"] == network]
        look = spiking_look(network)
        draw_mean_line(left, rows, "step", "error_percent", look, markersize=2.6)
        limits = vector[vector["network"] == network].set_index("seed")
        left.axhline(limits["error_percent"].mean(), color=look.colour, **VECTOR)
        above = rows["error_percent"] - rows["seed"].map(limits["error_percent"])
        share = 100.0 * rows["operations"] / limits["operations"].mean()
        rows = rows.assign(above=above, share=share)
        draw_mean_line(right, rows, "step", "above", look, "share", markersize=2.6)
    _mark_sparse(right, part)
    shown = pd.concat([steps["error_percent"], vector["error_percent"]])
    error_axis(left, shown, TEST_ERROR)
    whole_numbers(left, "time steps so far")
    letter(left, "a", "error of a guess")
    signed_points(right)
    right.set_xlabel("additions so far (% of a dense pass)")
    right.set_ylabel("error − vector network's (points)")
    plain_log(right, "x")
    letter(right, "b", "what a guess costs")
    handles = spiking_handles(steps, names)
    handles.append(Line2D([], [], color=GREY, label="vector network, same weights", **VECTOR))
    handles.append(Line2D([], [], color=GREY, label="ReLU network, without zeros", **SPARSE))
    legend_below(figure, [*handles, *seed_handles(table)], 3)
    return figure


def _mark_sparse(axes: Axes, part: pd.DataFrame) -> None:
    """Cost of a pass of the trained ReLU network that leaves out zeros, in the same unit."""
    relu = part[(part["record"] == "final") & (part["network"] == "relu")]
    cost = relu[relu["form"] == "rectified"].groupby("counting")["operations"].mean()
    if {"sparse", "dense"} <= set(cost.index) and np.isfinite(cost["dense"]):
        share = 100.0 * cost["sparse"] / cost["dense"]
        axes.axvline(share, color=GREY, **SPARSE)


READINGS = {
    "": Look("0.01 is the standard deviation (author's code)", BLUE, "o", "-"),
    "_variance": Look("0.01 is the variance", VERMILLION, "s", (0, (4.5, 1.5))),
}
"""What the second number of normal(0, 0.01) means, by the ending of a network's name."""


@in_style
def initial_weights(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Learning curves of two rows of table A.1 by both readings of their initial weights."""
    figure = new_figure(height_mm=68)
    panels = figure.subplots(1, 2, sharey=True)
    printed = printed_rows(published, "table_a1")
    table = table[table["part"] == "thesis"]
    for axes, network, name in zip(panels, ("baseline", "fractional"), "ab", strict=True):
        for ending, look in READINGS.items():
            rows = table[table["network"] == network + ending]
            draw_mean_line(axes, rows, "epoch", "error_percent", look)
        draw_published(axes, [0, table["epoch"].max()], [printed[network]["error_percent"]] * 2)
        whole_numbers(axes, "epoch")
        letter(axes, name, printed[network]["variant"].lower())
    lowest = printed["fractional"]["error_percent"]
    error_axis(panels[0], pd.Series([*table["error_percent"], lowest]), TEST_ERROR)
    panels[0].set_ylim(top=100.0)
    handles = [series_handle(look, f"{look.label}, mean") for look in READINGS.values()]
    legend_below(figure, [*handles, published_line(dataset), *seed_handles(table)], 2)
    return figure


TOLD = {
    "fan_out": Look("spikes × size of the layer above", BLUE, "o", "none"),
    "own_size": Look("spikes × size of their own layer (control)", VERMILLION, "x", "none"),
}
"""Sums over layers that may tell the additions."""
SAME = {"color": GREY, "lw": 0.6}


@in_style
def counted_additions(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Additions of every image, counted one by one, against both sums over its spikes."""
    figure = new_figure(SINGLE_COLUMN_MM, 96)
    axes = figure.subplots()
    shown = table[["counted", *TOLD]].to_numpy() / 1e3
    ends = 0.9 * shown.min(), 1.1 * shown.max()
    axes.plot(ends, ends, **SAME)
    for told, look in TOLD.items():
        points = {"color": look.colour, "marker": look.marker, "ls": "none", "ms": 2.6}
        axes.plot(table[told] / 1e3, table["counted"] / 1e3, **points)
    axes.set(xlim=ends, ylim=ends, aspect="equal")
    for which in "xy":
        plain_log(axes, which)
    axes.set_xlabel("sum over layers (thousands)")
    axes.set_ylabel("additions counted (thousands)")
    axes.set_title("each point an image")
    handles = [*map(series_handle, TOLD.values()), Line2D([], [], label="both equal", **SAME)]
    legend_below(figure, handles, 1)
    return figure


RATES = {
    "relu": Look("of the author's code", BLUE, "D", "-"),
    "half": Look("1/2 of it", SKY, "o", (0, (4.5, 1.5))),
    "quarter": Look("1/4 of it", GREEN, "s", (0, (6, 1.5, 1, 1.5))),
    "eighth": Look("1/8 of it", VERMILLION, "^", (0, (1.2, 1.2))),
    "sixteenth": Look("1/16 of it", PURPLE, "v", (0, (4.5, 1.5, 1, 1.5, 1, 1.5))),
}
"""Learning rates of the ReLU network."""


@in_style
def relu_learning_rates(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Training and test error of the ReLU network by epoch and learning rate."""
    figure = new_figure(height_mm=68)
    panels = figure.subplots(1, 2, sharey=True)
    printed = printed_rows(published, "ch3.table3.2")["relu"]
    curves = table[(table["record"] == "curve") & (table["epoch"] > 0)]
    names = networks_of(curves, tuple(RATES))
    shown = {"training": ("train", "training images"), "test": ("thesis", "test, thesis split")}
    for axes, name, (kind, (part, title)) in zip(panels, "ab", shown.items(), strict=True):
        rows, error = curves[curves["part"] == part], printed[f"{kind}_error_percent"]
        for network in names:
            mine = rows[rows["network"] == network]
            draw_mean_line(axes, mine, "epoch", "error_percent", RATES[network], markersize=2.6)
        draw_published(axes, [0, rows["epoch"].max()], [error] * 2)
        whole_numbers(axes, "epoch")
        letter(axes, name, title)
    shown = curves.loc[curves["part"].isin(["train", "thesis"]), "error_percent"]
    error_axis(panels[0], pd.Series([*shown, printed["training_error_percent"]]))
    handles = [series_handle(RATES[name], f"learning rate {RATES[name].label}") for name in names]
    legend_below(figure, [*handles, published_line(dataset), *seed_handles(curves)], 3)
    return figure
