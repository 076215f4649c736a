"""Thuesen 2022: pictures of learning (figure 5, sections 3.4.1, 4.1, 4.2 and 5)."""

from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    POSITIVE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    SERIES,
    SINGLE_COLUMN_MM,
    Look,
    accuracy_limits,
    accuracy_scale,
    draw_published,
    in_style,
    legend_below,
    letter,
    mark_diverged,
    new_figure,
    plain_log,
    protocol_handles,
    protocols_in,
    published_label,
    published_line,
    say_empty,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.thuesen2022.pictures import each_protocol, note_at_edge

ALGORITHMS = {"backprop": "backprop", "zil": "Z-IL", "il": "IL"}
FORMATS = ("float64", "float32")
# What is exactly zero has no place on a logarithmic axis; it is drawn here, below all rounding.
SMALLEST = 1e-20
# Published extremes are exact per epoch only (curves/README.md); 20 windows cover one epoch each.
MAX_WINDOWS = 20
# Windows on a logarithmic axis.
PER_DECADE = 6
DOTS = (0, (1, 1))
# Backprop lies below Z-IL and is drawn thicker.
OUR_LINES = (("backprop", DOTS, 2.2), ("zil", "-", 1.0))
PUBLISHED_LINES = {"backprop": PUBLISHED_LINE, "zil": DOTS}


@in_style
def fig5(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Learning curves of backprop and Z-IL: test accuracy, its difference, training loss."""
    figure = new_figure(height_mm=150)
    shape = {"sharex": True, "sharey": "row", "squeeze": False, "height_ratios": (1.25, 0.9, 1.25)}
    panels = figure.subplots(3, len(protocols_in(table)), **shape)
    theirs, losses = _fig5_curve(published, "accuracy"), _fig5_curve(published, "loss")
    theirs = theirs.assign(percent=100 * theirs["accuracy_fraction"])
    # A short run and the published 18,760 steps share a picture only on a logarithmic axis.
    short = theirs["step"].max() > 3 * table["step"].max()
    if short:
        table = table[table["step"] > 0]
    reach = [0.5]
    for column, (look, ours, _) in zip(panels.T, each_protocol(table), strict=True):
        top, middle, bottom = column
        accuracy = ours[ours["quantity"] == "test_accuracy_percent"]
        _draw_accuracy(top, accuracy, theirs, look)
        reach.append(_draw_difference(middle, accuracy, theirs, look))
        ours = ours[ours["quantity"] == "training_loss_nats"]
        _draw_loss(bottom, ours, losses, look, logarithmic=short)
        for axes, what in zip(column, ("accuracy", "difference", "loss"), strict=True):
            letter(axes, ascii_lowercase[list(panels.flat).index(axes)], f"{what}, {look.label}")
        bottom.set_xlabel("update step")
    panels[1, 0].set_ylim(-np.nanmax(reach), np.nanmax(reach))
    panels[0, 0].set_ylabel("test accuracy (%),\nerrors on a log scale")
    panels[1, 0].set_ylabel("Z-IL − backprop\n(percentage points)")
    panels[2, 0].set_ylabel("training loss (nats),\nextremes per window")
    if short:
        plain_log(panels[2, 0], "x")
    accuracies = table.loc[table["quantity"] == "test_accuracy_percent", "value"]
    panels[0, 0].set_ylim(accuracy_limits([*accuracies, *theirs["percent"]]))
    panels[2, 0].set_yscale("log")
    note = published_label(dataset)
    plain = {"color": GREY, "marker": None}
    legend_below(
        figure,
        [
            series_handle(SERIES[3], "ours, backprop", **plain, linestyle=DOTS, linewidth=2.0),
            series_handle(SERIES[3], "ours, Z-IL", **plain, linestyle="-", linewidth=1.0),
            published_line(label=f"{note}, backprop"),
            published_line(label=f"{note}, Z-IL", linestyle=DOTS),
            *seed_handles(table),
            series_handle(SERIES[3], f"{note}, difference", color="black", marker=".", ls="none"),
        ],
        3,
    )
    return figure


def _fig5_curve(published: Published, panel: str) -> pd.DataFrame:
    """Published curves of figure 5, the algorithms named as in our tables."""
    table = published.curve(f"fig5.{panel}")
    return table.assign(curve=table["curve"].replace("z-il", "zil"))


def _draw_accuracy(axes: Axes, ours: pd.DataFrame, theirs: pd.DataFrame, look: Look) -> None:
    """Test accuracy; backprop dotted and thick, Z-IL solid and thin on top of it."""
    accuracy_scale(axes)
    for algorithm, line, width in OUR_LINES:
        runs = ours[ours["algorithm"] == algorithm]
        if len(runs):
            style = {"marker": False, "linestyle": line, "linewidth": width}
            draw_mean_line(axes, runs, "step", "value", look, **style)
    for algorithm, line in PUBLISHED_LINES.items():
        curve = theirs[theirs["curve"] == algorithm]
        draw_published(axes, curve["step"], curve["percent"], linestyle=line, linewidth=0.8)


def _draw_difference(axes: Axes, ours: pd.DataFrame, theirs: pd.DataFrame, look: Look) -> float:
    """Accuracy of Z-IL minus that of backprop at the same step and seed; returns the range."""
    both = theirs.pivot_table(index="step", columns="curve", values="percent").dropna()
    published_gap = both["zil"] - both["backprop"]
    axes.axhline(0.0, color=GREY, lw=0.5)
    axes.plot(both.index, published_gap, ".", color=PUBLISHED_COLOUR, ms=2.0)
    largest = published_gap.abs().max()
    pairs = ours.pivot_table(index=["step", "seed"], columns="algorithm", values="value")
    if {"zil", "backprop"} <= set(pairs.columns):
        gap = (pairs["zil"] - pairs["backprop"]).dropna().rename("gap").reset_index()
        style = {"marker": False, "linestyle": "-", "linewidth": 1.0}
        data = draw_mean_line(axes, gap, "step", "gap", look, **style)
        shown = pd.concat([gap["gap"], data["low"], data["high"]])
        largest = max(largest, shown.abs().max())
    return 1.05 * float(largest)


def _draw_loss(
    axes: Axes, ours: pd.DataFrame, theirs: pd.DataFrame, look: Look, logarithmic: bool
) -> None:
    """Extremes of the training loss in windows of equal length on the axis, ours and published.

    The published vertices are the extremes of a noisy curve, so only extremes compare.
    """
    steps = np.sort(ours["step"].unique())
    if not len(steps):
        say_empty(axes)
        return
    length = int(np.diff(steps).max()) if len(steps) > 1 else 100
    length *= max(1, -(-len(steps) // MAX_WINDOWS))

    def middle(step: pd.Series) -> pd.Series:
        """Middle of the window of a step."""
        if logarithmic:
            return 10.0 ** ((np.floor(PER_DECADE * np.log10(step)) + 0.5) / PER_DECADE)
        return ((step - 1) // length + 0.5) * length

    finite = ours[np.isfinite(ours["value_high"])]
    ranges = finite.groupby(["algorithm", middle(finite["step"])]).agg(
        low=("value_low", "min"), high=("value_high", "max")
    )
    for algorithm, line, width in OUR_LINES:
        if algorithm not in ranges.index.get_level_values(0):
            continue
        for _, edge in ranges.loc[algorithm].items():
            axes.plot(edge.index, edge, color=look.colour, ls=line, lw=width)
    for algorithm, line in PUBLISHED_LINES.items():
        curve = theirs[theirs["curve"] == algorithm]
        windows = curve.groupby(middle(curve["step"]))["cross_entropy_nats"]
        for edge in (windows.min(), windows.max()):
            draw_published(axes, edge.index, edge, linestyle=line, linewidth=0.8)


@in_style
def zil_equals_backprop(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Relative distance of the weights of Z-IL and backprop, and of their losses, over steps."""
    figure = new_figure(height_mm=82)
    weights, losses = figure.subplots(1, 2)
    table = table[table["control"].fillna("") == ""]
    exact = set()
    formats = [name for name in FORMATS if name in set(table["dtype"])]
    for look, ours, _ in each_protocol(table):
        for kind, (face, size) in zip(FORMATS, ((look.colour, 4.5), ("white", 3.0)), strict=True):
            by_step = ours[ours["dtype"] == kind].groupby("step")
            if not len(by_step):
                continue
            style = {"color": look.colour, "marker": look.marker, "mfc": face, "ms": size}
            for axes, column in (
                (weights, "max_relative_weight_difference"),
                (losses, "loss_difference_nats"),
            ):
                worst = by_step[column].agg(lambda values: values.abs().max(skipna=False))
                # A line would jump to the bottom and back at every exact zero.
                axes.plot(worst.index, worst.where(worst > SMALLEST), ls=look.line, lw=1.0, **style)
                zero = worst[worst <= SMALLEST]
                axes.plot(zero.index, zero + SMALLEST, ls="none", **style)
                if len(zero):
                    exact.add(axes)
    bound = published.bound("claim.zil_equals_backprop_training", "weights_stay_equal")
    weights.axhline(bound, color=GREY, lw=0.7, zorder=1)
    note_at_edge(weights, "bound, float64", 0.0, bound, (3, 2), color=GREY)
    curve = _fig5_curve(published, "loss").pivot_table(
        index="step", columns="curve", values="cross_entropy_nats"
    )
    gap = (curve["zil"] - curve["backprop"]).abs().dropna()
    gap = gap[(gap.index <= max(table["step"].max(), 10)) & (gap > 0.0)]
    losses.plot(gap.index, gap, "k.", ms=2.0, alpha=0.5, zorder=1)
    for axes, name, what, title in (
        (weights, "a", "largest relative difference (unitless)", "weights"),
        (losses, "b", "difference of the training loss (nats)", "loss of the same batch"),
    ):
        axes.set_yscale("log")
        plain_log(axes, "x")
        axes.set(xlabel="update step", ylabel=what)
        if axes in exact:
            axes.axhline(SMALLEST, color=GREY, lw=0.7, ls=DOTS, zorder=1)
            ticks = {10.0**power: f"$10^{{{power}}}$" for power in range(-17, 2, 3)}
            axes.set_yticks([SMALLEST, *ticks], ["0", *ticks.values()])
            axes.yaxis.set_ticks([], minor=True)
        letter(axes, name, title)
    handles = protocol_handles(protocols_in(table))
    for kind in formats:
        face = GREY if kind == "float64" else "white"
        handles.append(series_handle(SERIES[3], kind, marker="o", mfc=face, ls="none"))
    dot = {"color": PUBLISHED_COLOUR, "marker": ".", "ls": "none"}
    handles.append(series_handle(SERIES[3], f"{published_label(dataset)}, figure 5", **dot))
    legend_below(figure, handles, 3)
    return figure


@in_style
def activation_scaling(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Training loss in the first epoch with and without scaling of the rate function."""
    figure = new_figure(SINGLE_COLUMN_MM, 78)
    axes = figure.subplots()
    settings = published.entry("claim.activation_scaling")["settings"]
    scale, stated = settings["scale"], settings["learning_rate"]
    table = table[table["learning_rate"] == stated]
    handles = []
    for index, (value, group) in enumerate(table.groupby("activation_scale")):
        look = SERIES[index % len(SERIES)]
        seeds = group["seed"].nunique()
        broken = set(group.loc[group["diverged"].astype(bool), "seed"])
        sound = group[~group["seed"].isin(broken)]
        if len(sound):
            style = {"marker": False, "within": POSITIVE}
            draw_mean_line(axes, sound, "step", "training_loss_nats", look, **style)
        label = f"scale {value:g}" + (" (published)" if np.isclose(value, scale) else "")
        handles.append(series_handle(look, label, marker=None))
        for seed in sorted(broken):
            run = group[(group["seed"] == seed) & np.isfinite(group["training_loss_nats"])]
            style = {"color": look.colour, "ls": look.line, "lw": 0.7, "marker": "x", "ms": 5.0}
            last = [len(run) - 1] if len(run) else None
            axes.plot(run["step"], run["training_loss_nats"], markevery=last, **style)
            if run.empty:
                mark_diverged(axes, group.loc[group["seed"] == seed, "step"].max(), look)
        if broken:
            label = f"scale {value:g}: {len(broken)} of {seeds} seeds diverged"
            handles.append(series_handle(look, label, marker="x", lw=0.7))
    handles += seed_handles(table)
    plain_log(axes, "y")
    axes.set(xlabel="update step (one epoch)", ylabel="training loss (nats)")
    legend_below(figure, handles, 2)
    return figure


@in_style
def il_cost(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Time and multiply-adds of one weight update with backprop, Z-IL and inference learning."""
    table = table.assign(
        multiply_adds=table["multiply_adds"] / 1e6,
        rank=table["algorithm"].map(list(ALGORITHMS).index),
        label=[
            ALGORITHMS[name] + (f", {steps} steps" if name != "backprop" else "")
            for name, steps in zip(table["algorithm"], table["inference_steps"], strict=True)
        ],
    ).sort_values(["rank", "inference_steps"], kind="stable")
    labels = list(dict.fromkeys(table["label"]))
    figure = new_figure(height_mm=30 + 5 * len(labels))
    panels = figure.subplots(1, 2, sharey=True)
    networks = table.groupby(["layer_sizes", "batch_size"], sort=False)
    handles = []
    for index, ((sizes, batch), chosen) in enumerate(networks):
        look = SERIES[index % len(SERIES)]
        shift = 0.22 * (index - (len(networks) - 1) / 2)
        chosen = chosen.assign(y=chosen["label"].map(labels.index) + shift)
        for axes, column in zip(panels, ("milliseconds_per_update", "multiply_adds"), strict=True):
            data = draw_mean_points(
                axes, chosen, "y", column, look, horizontal=True, within=POSITIVE
            )
            for height, value in zip(data["y"], data["mean"], strict=True):
                style = {"textcoords": "offset points", "ha": "center"}
                ratio = f"{value / data['mean'].iloc[0]:.3g}×"
                axes.annotate(ratio, (value, height), (0, 5), **style)
        handles.append(series_handle(look, f"{sizes}, batch {batch}", ls="none"))
    time, count = panels
    for axes, column in ((time, "milliseconds_per_update"), (count, "multiply_adds")):
        low, high = table[column].min(), table[column].max()
        axes.set(xscale="log", xlim=(low / 1.8, 1.8 * high))
        plain_log(axes, "x")
        axes.grid(axis="x", color=LIGHT_GREY, lw=0.5)
        axes.set_axisbelow(True)
    time.set_xlabel("time per update (ms)")
    count.set_xlabel("multiply-adds per update (millions)")
    letter(time, "a", "measured time")
    letter(count, "b", "counted operations")
    time.set_yticks(range(len(labels)), labels)
    time.set(ylim=(len(labels) - 0.5, -0.8), ylabel="learning rule")
    # Only networks that rest after equally many steps share a row.
    handles += seed_handles(table.assign(protocol=table["label"]), dots=True)
    legend_below(figure, handles, 3)
    return figure
