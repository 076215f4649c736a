"""Thuesen 2022: pictures of what the thesis leaves open (its sections 4.2 and 5)."""

from collections.abc import Sequence
from itertools import product

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    SERIES,
    accuracy_limits,
    accuracy_scale,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    protocol_handles,
    protocols_in,
    published_label,
    published_line,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.thuesen2022.pictures import DOT, each_protocol
from plausible.studies.thuesen2022.table1.figures_spiking import (
    APART,
    TIME_TICKS,
    draw_mean_and_bars,
    network_panels,
    networks_in,
    published_time_ms,
)
from plausible.studies.thuesen2022.table1.printed import (
    ACCURACY,
    DROP,
    RATE,
    SPIKING,
    network_labels,
    printed_accuracies,
    printed_rows,
)

# More points than this are stored as pixels inside the SVG, which would grow too large.
POINTS_AS_PIXELS = 100
# The regularised networks are variants of rows 6 and 7 of table 1.
BASE_NETWORK = "spcn_adam"


@in_style
def noise_dropout(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy drop from rates to spikes for networks trained with input noise or dropout."""
    figure = new_figure(height_mm=80)
    drop, accuracy = figure.subplots(1, 2)
    variants = {"none": "none", "input_noise": "noise", "dropout": "dropout"}
    order = [*variants, *sorted(set(table["variant"]) - set(variants))]
    found = list(zip(table["variant"], table["level"].fillna(0.0), strict=True))
    keys = sorted(set(found), key=lambda key: (order.index(key[0]), key[1]))
    labels = [
        variants.get(variant, variant) + ("" if variant == "none" else f"\n{level:g}")
        for variant, level in keys
    ]
    names = protocols_in(table)
    table = table.assign(position=[keys.index(key) for key in found])
    for look, chosen, place in each_protocol(table):
        for axes, column, filled, aside in (
            (drop, DROP, True, 0.0),
            (accuracy, RATE, False, -0.04),
            (accuracy, SPIKING, True, 0.04),
        ):
            rows = chosen.assign(x=chosen["position"] + 0.2 * place + aside)
            draw_mean_points(axes, rows, "x", column, look, filled=filled)
    drop.axhline(0.0, color=GREY, lw=0.6)
    rate, spiking = printed_accuracies(published, BASE_NETWORK)
    shift = 0.2 * (len(names) + 1) / 2
    drop.plot([shift], [rate - spiking], **published_marker())
    accuracy.plot([shift], [rate], **published_marker())
    accuracy.plot([shift], [spiking], **{**published_marker(), "markerfacecolor": "black"})
    for axes, label, name, title in (
        (drop, "rate − spiking accuracy (points)", "a", "accuracy drop"),
        (accuracy, "test accuracy (%)", "b", "accuracy"),
    ):
        axes.set_xticks(range(len(keys)), labels)
        axes.set(xlim=(-0.5, len(keys) - 0.5), ylabel=label)
        axes.set_xlabel("regulariser (noise s.d.; dropout probability)")
        letter(axes, name, title)
    handles = [*protocol_handles(names, ls="none"), *seed_handles(table, dots=True)]
    rates = series_handle(SERIES[3], "rates (b)", mfc="white", **DOT)
    spikes = series_handle(SERIES[3], "spikes (b)", **DOT)
    legend_below(figure, [*handles, rates, spikes, published_mark(dataset)], 6)
    return figure


@in_style
def simulation_time(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the simulated time, with the rate-coded accuracy as its ceiling."""
    at = published_time_ms(published)
    figure = _accuracy_against("time_ms", at, TIME_TICKS, table, published, dataset)
    for axes in figure.axes:
        axes.set_xlabel("simulated time (ms)")
    return figure


@in_style
def input_rate(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the Poisson rate of a white pixel."""
    # Eq. 39: a white pixel fires at 1 / t_ref = 250 Hz.
    at = 1.0 / float(published.entry("eq39.poisson_coding")["settings"]["t_ref_s"])
    ticks = (30, 100, 300, 1000, 3000)
    figure = _accuracy_against("input_rate_hz", at, ticks, table, published, dataset)
    for axes in figure.axes:
        axes.set_xlabel("rate of a white pixel (Hz)")
    return figure


def _accuracy_against(
    column: str,
    published_at: float,
    ticks: Sequence[float],
    table: pd.DataFrame,
    published: Published,
    dataset: str,
) -> Figure:
    """Spiking accuracy as a curve, rate-coded accuracy as a thin level, published values black."""
    figure = new_figure(height_mm=70)
    for network, axes, chosen in network_panels(figure, table, published):
        for look, ours, place in each_protocol(chosen):
            draw_mean_and_bars(axes, ours.assign(at=ours[column] * APART**place), SPIKING, look)
            rate = ours[RATE].mean()
            axes.axhline(rate, color=look.colour, ls=look.line, lw=0.6)
        rate, spiking = printed_accuracies(published, network)
        axes.axhline(rate, color=PUBLISHED_COLOUR, ls=PUBLISHED_LINE, lw=0.7)
        axes.plot([published_at], [spiking], **published_marker())
        plain_log(axes, "x", ticks)
    note = published_label(dataset)
    handles = [
        series_handle(SERIES[3], "thin level: rate-coded", marker=None, ls="-", lw=0.6),
        published_mark(dataset, f"{note}, spiking"),
        published_line(dataset, f"{note}, rate-coded"),
    ]
    _finish_accuracy(figure, "test accuracy (%)", handles, table, published)
    return figure


def _finish_accuracy(
    figure: Figure, label: str, handles: list[Artist], table: pd.DataFrame, published: Published
) -> None:
    """Common axis with logarithmic errors, around ours and the published accuracies; legend."""
    figure.axes[0].set_ylabel(f"{label},\nerrors on a log scale")
    for axes in figure.axes:
        accuracy_scale(axes)
    axes.set_ylim(accuracy_limits([*table[SPIKING], *printed_rows(published)[ACCURACY]]))
    ours = [*protocol_handles(protocols_in(table)), *seed_handles(table, bars=True)]
    legend_below(figure, [*ours, *handles], 3)


@in_style
def energy(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the energy of the spike operations of one image."""
    time_ms = published_time_ms(published)
    figure = new_figure(height_mm=70)
    for network, axes, chosen in network_panels(figure, table, published, sharex=True):
        for look, ours, _ in each_protocol(chosen):
            spent = ours.groupby("time_ms")["energy_spiking_nj"].transform("mean") / 1e3
            ours = ours.assign(at=spent)
            draw_mean_and_bars(axes, ours, SPIKING, look)
            place = ours.loc[ours["time_ms"] == time_ms, ["at", SPIKING]].mean(skipna=False)
            axes.plot(*place, marker="o", ms=7, mfc="none", color=GREY, ls="none")
        axes.axvline(chosen["energy_dense_nj"].mean() / 1e3, color=GREY, lw=0.9, ls=(0, (1, 1)))
        _, spiking = printed_accuracies(published, network)
        axes.axhline(spiking, color=PUBLISHED_COLOUR, ls=PUBLISHED_LINE, lw=0.7)
        plain_log(axes, "x")
        axes.set_xlabel("energy per image (µJ)")
    dense = {"marker": None, "ls": (0, (1, 1)), "lw": 0.9}
    handles = [
        series_handle(SERIES[3], f"{time_ms} ms", marker="o", ms=7, mfc="none", ls="none"),
        series_handle(SERIES[3], "dense network, one pass", **dense),
        published_line(dataset, f"{published_label(dataset)}, spiking accuracy"),
    ]
    _finish_accuracy(figure, "spiking test accuracy (%)", handles, table, published)
    return figure


@in_style
def conversion_diagnostic(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Simulated against analytic rate of single neurons, and a summary of each layer."""
    networks = networks_in(table, published)
    table = table.assign(
        silent_percent=100.0 * table["silent_fraction"],
        saturated_percent=100.0 * table["saturated_fraction"],
    )
    figure = new_figure(height_mm=52 + 6 * len(table.groupby(["network", "layer"])))
    summaries = ["correlation", "shares"]
    panels = figure.subplot_mosaic(
        [np.repeat(list(networks), 2), np.repeat(summaries, len(networks))], height_ratios=(1, 1.6)
    )
    top = 1.04 * np.nanmax(table[["analytic_rate_hz", "simulated_rate_hz"]])
    for (network, label), name in zip(networks.items(), "abcdefgh", strict=False):
        axes = panels[network]
        _draw_rates(axes, table[table["network"] == network], top)
        letter(axes, name, label)
    panels[next(iter(networks))].set_ylabel("simulated rate (Hz)")
    shares = {"silent_percent": True, "saturated_percent": False}
    for axes, columns, title, label in zip(
        (panels[name] for name in summaries),
        ({"correlation": True}, shares),
        ("simulated with analytic rates", "silent and saturated neurons"),
        ("correlation (unitless)", "share of neurons (%)"),
        strict=True,
    ):
        name = "abcdefgh"[len(networks) + (columns is shares)]
        letter(axes, name, title)
        axes.set_xlabel(label)
        _draw_layer_summary(axes, table, networks, columns)
    panels["shares"].set_yticklabels([])
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table), ls="none"),
            series_handle(SERIES[3], "simulated = analytic", marker=None, ls="-", lw=0.7),
            series_handle(SERIES[3], "silent", **DOT),
            series_handle(SERIES[3], "saturated", mfc="white", **DOT),
        ],
        6,
    )
    return figure


def _draw_rates(axes: Axes, table: pd.DataFrame, top: float) -> None:
    """One network's neurons around the identity, on the same axes up to ``top``."""
    if len(table) > POINTS_AS_PIXELS:
        axes.set_rasterization_zorder(0)
        axes.patch.set_visible(False)
    axes.plot([0, top], [0, top], color=GREY, lw=0.7, zorder=3)
    points = {"ms": 1.8, "mew": 0, "alpha": 0.5, "ls": "none", "zorder": -1}
    for look, ours, _ in each_protocol(table):
        x, y = ours["analytic_rate_hz"], ours["simulated_rate_hz"]
        axes.plot(x, y, marker=look.marker, color=look.colour, **points)
    axes.set(xlim=(-0.04 * top, top), ylim=(-0.04 * top, top), box_aspect=1)
    axes.set_xlabel("analytic rate (Hz)")


def _draw_layer_summary(
    axes: Axes, table: pd.DataFrame, networks: dict[str, str], columns: dict[str, bool]
) -> None:
    """One row for each layer of each network; filled or open markers by quantity."""
    layers = sorted(table["layer"].unique())
    row_of = {(name, layer): row for row, (name, layer) in enumerate(product(networks, layers))}
    for look, ours, place in each_protocol(table):
        keys = ["network", "layer", "seed"]
        rows = ours.groupby(keys)[list(columns)].first().reset_index()
        at = [row_of[key] for key in zip(rows["network"], rows["layer"], strict=True)]
        rows = rows.assign(y=np.array(at) + 0.24 * place)
        for column, filled in columns.items():
            style = {"horizontal": True, "filled": filled, "markersize": 3.2}
            draw_mean_points(axes, rows, "y", column, look, **style)
    labels = [f"{networks[name]}, layer {layer}" for name, layer in row_of]
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    for row in range(1, len(labels)):
        axes.axhline(row - 0.5, color=LIGHT_GREY, lw=0.5 if row % len(layers) else 1.2, zorder=0)


@in_style
def ablations(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy of networks of table 1 with one choice of training or simulation at a time."""
    spikes = SPIKING in table
    accuracy = SPIKING if spikes else ACCURACY
    networks = list(dict.fromkeys(table["network"]))
    figure = new_figure(height_mm=48 * -(-len(networks) // 2) + 14)
    shape = {"sharex": True, "squeeze": False}
    grid = figure.subplots(-(-len(networks) // 2), min(2, len(networks)), **shape).ravel()
    labels = {"ffnn": "FFNN, Adam, BN", **network_labels(published)}
    for axes, network, name in zip(grid, networks, "abcdefgh", strict=False):
        ours = table[table["network"] == network]
        factors = list(dict.fromkeys(ours["factor"]))
        ours = ours.assign(y=ours["factor"].map(factors.index))
        for look, rows, _ in each_protocol(ours):
            draw_mean_points(axes, rows, "y", accuracy, look, horizontal=True)
        without = ours.loc[ours["factor"] == factors[0], accuracy].mean()
        axes.axvline(without, color=GREY, lw=0.6, zorder=0)
        printed = printed_accuracies(published, network)[spikes]
        axes.axvline(printed, color=PUBLISHED_COLOUR, ls=PUBLISHED_LINE, lw=0.9)
        axes.set_yticks(range(len(factors)), factors)
        axes.set_ylim(len(factors) - 0.5, -0.5)
        axes.tick_params(labelbottom=True)
        label = "spiking test accuracy (%)" if spikes else "test accuracy (%)"
        axes.set(xlabel=label, ylabel="choice")
        letter(axes, name, labels.get(network, network))
    for axes in grid[len(networks) :]:
        axes.set_axis_off()
    handles = [*protocol_handles(protocols_in(table), ls="none"), *seed_handles(table, dots=True)]
    level = series_handle(SERIES[3], "mean with none of them", marker=None, ls="-", lw=0.6)
    legend_below(figure, [*handles, level, published_line(dataset)], 3)
    return figure
