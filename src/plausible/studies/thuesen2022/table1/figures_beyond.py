"""Thuesen 2022: pictures of what the thesis leaves open (its sections 4.2 and 5)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    SERIES,
    accuracy_limits,
    accuracy_scale,
    apart,
    in_style,
    legend_below,
    letter,
    look_of,
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
from plausible.studies.thuesen2022.table1.figures_spiking import (
    TIME_TICKS,
    network_panels,
    networks_in,
    published_time_ms,
)
from plausible.studies.thuesen2022.table1.printed import ACCURACY, printed_accuracy, printed_rows

# More points than this are stored as pixels inside the SVG, which would grow too large.
POINTS_AS_PIXELS = 100
# The regularised networks are variants of rows 6 and 7 of table 1.
BASE_NETWORK = "spcn_adam"
SPIKING = "spiking_accuracy_percent"


@in_style
def noise_dropout(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy drop from rates to spikes for networks trained with input noise or dropout."""
    figure = new_figure(height_mm=80)
    drop, accuracy = figure.subplots(1, 2)
    variants = {"none": "none", "input_noise": "noise", "dropout": "dropout"}
    keys = [
        (variant, level)
        for variant in [*variants, *sorted(set(table["variant"]) - set(variants))]
        for level in sorted(table.loc[table["variant"] == variant, "level"].fillna(0.0).unique())
    ]
    labels = [
        variants.get(variant, variant) + ("" if variant == "none" else f"\n{level:g}")
        for variant, level in keys
    ]
    names = protocols_in(table)
    table = table.assign(
        position=[
            keys.index((variant, level))
            for variant, level in zip(table["variant"], table["level"].fillna(0.0), strict=True)
        ]
    )
    for index, protocol in enumerate(names):
        look, chosen = look_of(protocol), table[table["protocol"] == protocol]
        shift = 0.2 * (index - (len(names) - 1) / 2)
        for axes, column, filled, aside in (
            (drop, "drop_percentage_points", True, 0.0),
            (accuracy, "rate_accuracy_percent", False, -0.04),
            (accuracy, SPIKING, True, 0.04),
        ):
            rows = chosen.assign(x=chosen["position"] + shift + aside)
            draw_mean_points(axes, rows, "x", column, look, filled=filled)
    drop.axhline(0.0, color=GREY, lw=0.6)
    base = [printed_accuracy(published, BASE_NETWORK, spiking) for spiking in (False, True)]
    shift = 0.2 * (len(names) + 1) / 2
    drop.plot([shift], [base[0] - base[1]], **published_marker())
    accuracy.plot([shift], base[:1], **published_marker())
    accuracy.plot([shift], base[1:], **{**published_marker(), "markerfacecolor": "black"})
    for axes, label, name, title in (
        (drop, "rate − spiking accuracy (points)", "a", "accuracy drop"),
        (accuracy, "test accuracy (%)", "b", "accuracy"),
    ):
        axes.set_xticks(range(len(keys)), labels)
        axes.set(xlim=(-0.5, len(keys) - 0.5), ylabel=label)
        axes.set_xlabel("regulariser (noise s.d.; dropout probability)")
        letter(axes, name, title)
    marks = {"marker": "o", "ls": "none", "color": GREY}
    legend_below(
        figure,
        [
            *protocol_handles(names, ls="none"),
            *seed_handles(table, dots=True),
            series_handle(SERIES[3], "rates (b)", mfc="white", **marks),
            series_handle(SERIES[3], "spikes (b)", **marks),
            published_mark(dataset),
        ],
        6,
    )
    return figure


@in_style
def simulation_time(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the simulated time, with the rate-coded accuracy as its ceiling."""
    figure = new_figure(height_mm=70)
    panels = network_panels(figure, networks_in(table, published), sharey=True)
    _accuracy_against(panels, table, "time_ms", published, published_time_ms(published))
    for axes in panels.values():
        axes.set_xlabel("simulated time (ms)")
        plain_log(axes, "x", TIME_TICKS)
    _finish_accuracy(figure, panels, table, published, dataset)
    return figure


@in_style
def input_rate(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the Poisson rate of a white pixel."""
    figure = new_figure(height_mm=70)
    panels = network_panels(figure, networks_in(table, published), sharey=True)
    # Eq. 39: a white pixel fires at 1 / t_ref = 250 Hz.
    refractory = float(published.entry("eq39.poisson_coding")["settings"]["t_ref_s"])
    _accuracy_against(panels, table, "input_rate_hz", published, 1.0 / refractory)
    for axes in panels.values():
        axes.set_xlabel("rate of a white pixel (Hz)")
        plain_log(axes, "x", (30, 100, 300, 1000, 3000))
    _finish_accuracy(figure, panels, table, published, dataset)
    return figure


def _accuracy_against(
    panels: dict[str, Axes],
    table: pd.DataFrame,
    column: str,
    published: Published,
    published_at: float,
) -> None:
    """Spiking accuracy as a curve, rate-coded accuracy as a thin level, published values black."""
    for network, axes in panels.items():
        chosen = table[table["network"] == network]
        for protocol in protocols_in(chosen):
            look, ours = look_of(protocol), chosen[chosen["protocol"] == protocol]
            ours = ours.assign(at=apart(ours[column], protocol, protocols_in(chosen)))
            draw_mean_line(axes, ours, "at", SPIKING, look, bars=True, ms=3.2, lw=1.0)
            axes.axhline(
                ours["rate_accuracy_percent"].mean(), color=look.colour, ls=look.line, lw=0.6
            )
        rate, spiking = (printed_accuracy(published, network, kind) for kind in (False, True))
        axes.axhline(rate, color=PUBLISHED_COLOUR, ls=PUBLISHED_LINE, lw=0.7)
        axes.plot([published_at], [spiking], **published_marker())


def _finish_accuracy(
    figure: Figure,
    panels: dict[str, Axes],
    table: pd.DataFrame,
    published: Published,
    dataset: str,
) -> None:
    """Common accuracy axis and legend of the pictures above."""
    first = next(iter(panels.values()), None)
    if first is not None:
        first.set_ylabel("test accuracy (%),\nerrors on a log scale")
        _share_accuracy(panels, table, published)
    note = published_label(dataset)
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table)),
            *seed_handles(table, bars=True),
            series_handle(SERIES[3], "thin level: rate-coded", marker=None, ls="-", lw=0.6),
            published_mark(dataset, f"{note}, spiking"),
            published_line(dataset, f"{note}, rate-coded"),
        ],
        3,
    )


def _share_accuracy(panels: dict[str, Axes], table: pd.DataFrame, published: Published) -> None:
    """Logarithmic errors, and limits around ours and the published accuracies."""
    for axes in panels.values():
        accuracy_scale(axes)
    shown = [*table[SPIKING], *printed_rows(published)[ACCURACY]]
    axes.set_ylim(accuracy_limits(shown))


@in_style
def energy(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spiking accuracy against the energy of the spike operations of one image."""
    time_ms = published_time_ms(published)
    figure = new_figure(height_mm=70)
    panels = network_panels(figure, networks_in(table, published), sharey=True, sharex=True)
    for network, axes in panels.items():
        chosen = table[table["network"] == network]
        for protocol in protocols_in(chosen):
            look, ours = look_of(protocol), chosen[chosen["protocol"] == protocol]
            spent = ours.groupby("time_ms")["energy_spiking_nj"].transform("mean") / 1e3
            ours = ours.assign(energy=spent)
            draw_mean_line(axes, ours, "energy", SPIKING, look, bars=True, ms=3.2, lw=1.0)
            at = ours.loc[ours["time_ms"] == time_ms, ["energy", SPIKING]].mean(skipna=False)
            axes.plot(*at, marker="o", ms=7, mfc="none", color=GREY, ls="none")
        dense = chosen["energy_dense_nj"].mean() / 1e3
        axes.axvline(dense, color=GREY, lw=0.9, ls=(0, (1, 1)))
        spiking = printed_accuracy(published, network, True)
        axes.axhline(spiking, color=PUBLISHED_COLOUR, ls=PUBLISHED_LINE, lw=0.7)
        plain_log(axes, "x")
        axes.set_xlabel("energy per image (µJ)")
    first = next(iter(panels.values()), None)
    if first is not None:
        first.set_ylabel("spiking test accuracy (%),\nerrors on a log scale")
        _share_accuracy(panels, table, published)
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table)),
            *seed_handles(table, bars=True),
            series_handle(SERIES[3], f"{time_ms} ms", marker="o", ms=7, mfc="none", ls="none"),
            series_handle(
                SERIES[3], "dense network, one pass", marker=None, ls=(0, (1, 1)), lw=0.9
            ),
            published_line(dataset, f"{published_label(dataset)}, spiking accuracy"),
        ],
        3,
    )
    return figure


@in_style
def conversion_diagnostic(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Simulated against analytic rate of single neurons, and a summary of each layer."""
    networks, layers = networks_in(table, published), sorted(table["layer"].unique())
    figure = new_figure(height_mm=24 + 34 * max(len(networks), 1))
    grid = figure.subplots(
        len(networks),
        len(layers) + 2,
        squeeze=False,
        sharex="col",
        width_ratios=[1] * len(layers) + [0.9, 0.9],
    )
    for row, (network, label) in enumerate(networks.items()):
        chosen = table[table["network"] == network]
        for column, layer in enumerate(layers):
            _draw_rates(grid[row, column], chosen[chosen["layer"] == layer])
            if row == 0:
                grid[row, column].set_title(f"layer {layer}")
            if row == len(networks) - 1:
                grid[row, column].set_xlabel("analytic (Hz)")
        grid[row, 0].set_ylabel(f"{label}\nsimulated (Hz)")
        _draw_layer_summary(grid[row, -2], chosen, layers, {"correlation": True})
        _draw_layer_summary(
            grid[row, -1], chosen, layers, {"silent_fraction": True, "saturated_fraction": False}
        )
    grid[0, -2].set_title("correlation")
    grid[0, -1].set_title("silent, saturated")
    grid[-1, -2].set_xlabel("correlation")
    grid[-1, -1].set_xlabel("fraction of neurons")
    dot = {"marker": "o", "ls": "none", "color": GREY}
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table), ls="none"),
            series_handle(SERIES[3], "simulated = analytic", marker=None, ls="-", lw=0.7),
            series_handle(SERIES[3], "silent", **dot),
            series_handle(SERIES[3], "saturated", mfc="white", **dot),
        ],
        6,
    )
    return figure


def _draw_rates(axes: Axes, table: pd.DataFrame) -> None:
    rates = table[["analytic_rate_hz", "simulated_rate_hz"]].to_numpy(dtype=float)
    top = np.nanmax(rates, initial=1.0)
    if len(table) > POINTS_AS_PIXELS:
        axes.set_rasterization_zorder(0)
        axes.patch.set_visible(False)
    axes.plot([0, top], [0, top], color=GREY, lw=0.7, zorder=3)
    for protocol in protocols_in(table):
        look, ours = look_of(protocol), table[table["protocol"] == protocol]
        axes.plot(
            ours["analytic_rate_hz"],
            ours["simulated_rate_hz"],
            marker=look.marker,
            ms=1.8,
            mew=0,
            alpha=0.5,
            ls="none",
            color=look.colour,
            zorder=-1,
        )


def _draw_layer_summary(
    axes: Axes, table: pd.DataFrame, layers: Sequence[int], columns: dict[str, bool]
) -> None:
    """Layer by layer, one row per layer; filled or open markers by quantity."""
    names = protocols_in(table)
    for index, protocol in enumerate(names):
        ours = table[table["protocol"] == protocol]
        for column, filled in columns.items():
            per_seed = ours.groupby(["layer", "seed"])[column].first().reset_index()
            shift = 0.24 * (index - (len(names) - 1) / 2)
            rows = per_seed.assign(y=per_seed["layer"].map(layers.index) + shift)
            style = {"horizontal": True, "filled": filled, "markersize": 3.2}
            draw_mean_points(axes, rows, "y", column, look_of(protocol), **style)
    axes.set_yticks(range(len(layers)), [str(layer) for layer in layers])
    axes.set_ylim(len(layers) - 0.5, -0.5)
    axes.set_ylabel("layer")
    for edge in range(1, len(layers)):
        axes.axhline(edge - 0.5, color=LIGHT_GREY, lw=0.5, zorder=0)
