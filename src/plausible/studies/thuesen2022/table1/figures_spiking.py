"""Thuesen 2022: pictures of converted networks (figure 6, sections 3.4.4 and 4.2)."""

from collections.abc import Mapping

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SERIES,
    apart,
    draw_published,
    in_style,
    legend_below,
    letter,
    look_of,
    new_figure,
    patch_handle,
    plain_log,
    protocol_handles,
    protocols_in,
    published_label,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.thuesen2022.table1.printed import network_labels, printed_accuracy

TIME_TICKS = (10, 30, 100, 300, 1000)
LAYER_NAMES = {1: "hidden 1", 2: "hidden 2", 3: "output"}
PUBLISHED_LAYERS = {"hidden_1": 1, "hidden_2": 2, "output": 3}


def networks_in(table: pd.DataFrame, published: Published) -> dict[str, str]:
    """Networks of a table and their labels, those of table 1 first."""
    found, labels = list(dict.fromkeys(table["network"])), network_labels(published)
    known = {name: label for name, label in labels.items() if name in found}
    return known | {name: name for name in found if name not in labels}


def network_panels(figure: Figure, networks: Mapping[str, str], **options) -> dict[str, Axes]:
    """One panel per network, with letter and title."""
    grid = figure.subplots(1, max(len(networks), 1), squeeze=False, **options)[0]
    panels = dict(zip(networks, grid, strict=False))
    for name, key in zip(networks, "abcdefgh", strict=False):
        letter(panels[name], key, networks[name])
    return panels


def published_time_ms(published: Published) -> float:
    """Simulated time behind the spiking rows of table 1."""
    return published.entry("table1")["settings"]["spiking_simulation_ms"]


@in_style
def spiking_drop(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy drop from rates to spikes against the simulated time, one panel per network."""
    figure = new_figure(height_mm=68)
    panels = network_panels(figure, networks_in(table, published), sharey=True)
    claim = published.bound("claim.spiking_drop", "drop_of_every_network", "points_to")
    for network, axes in panels.items():
        chosen = table[table["network"] == network]
        for protocol in protocols_in(chosen):
            ours = chosen[chosen["protocol"] == protocol]
            ours = ours[ours["images"] == ours["images"].max()]
            ours = ours.assign(at=apart(ours["time_ms"], protocol, protocols_in(chosen)))
            style = {"bars": True, "ms": 3.2, "lw": 1.0}
            draw_mean_line(axes, ours, "at", "drop_percentage_points", look_of(protocol), **style)
        rate, spiking = (printed_accuracy(published, network, kind) for kind in (False, True))
        axes.plot([published_time_ms(published)], [rate - spiking], **published_marker())
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.set_xlabel("simulated time (ms)")
        axes.axhspan(0.0, claim, color=LIGHT_GREY, lw=0, zorder=0)
        axes.set_yscale("symlog", linthresh=1.0, linscale=0.7)
        plain_log(axes, "x", TIME_TICKS)
    first = next(iter(panels.values()), None)
    if first is not None:
        first.set_ylabel("rate − spiking accuracy\n(percentage points)")
        ticks = [-1, 0, 1, 2, 5, 10, 20, 50, 100]
        first.set_yticks(ticks, [f"{tick:d}".replace("-", "−") for tick in ticks])
        first.yaxis.set_ticks([], minor=True)
        low = min(-0.5, table["drop_percentage_points"].min() - 0.3)
        first.set_ylim(low, max(2.2, 1.3 * table["drop_percentage_points"].max()))
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table)),
            *seed_handles(table, bars=True),
            published_mark(dataset),
            patch_handle(LIGHT_GREY, f"claim: 0 to {claim:g} points", 1.0),
        ],
    )
    return figure


@in_style
def readout(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy of the spike-count readout against that of the first spike."""
    networks = networks_in(table, published)
    figure = new_figure(height_mm=26 + 13 * max(len(networks), 1))
    axes = figure.subplots()
    names = protocols_in(table)
    for row, network in enumerate(networks):
        for index, protocol in enumerate(names):
            chosen = table[(table["network"] == network) & (table["protocol"] == protocol)]
            y = row + 0.22 * (index - (len(names) - 1) / 2)
            look = look_of(protocol)
            ends = []
            for kind, filled in (("first_spike", False), ("spike_count", True)):
                ours = chosen[chosen["readout"] == kind]
                if ours.empty:
                    continue
                places = {"horizontal": True, "filled": filled}
                ours = ours.assign(y=y)
                data = draw_mean_points(axes, ours, "y", "accuracy_percent", look, **places)
                ends.append(data["mean"].iloc[0])
            axes.plot(ends, [y] * len(ends), color=look.colour, ls=look.line, lw=0.8, zorder=1)
        printed = printed_accuracy(published, network, True)
        axes.vlines(printed, row - 0.36, row + 0.36, color=PUBLISHED_COLOUR, lw=1.2, zorder=4)
        if row:
            axes.axhline(row - 0.5, color=LIGHT_GREY, lw=0.6)
    axes.set_yticks(range(len(networks)), networks.values())
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(networks) - 0.5, -0.5)
    axes.set(xlabel="spiking test accuracy (%)", ylabel="network")
    dot = {"marker": "o", "ls": "none", "color": GREY}
    legend_below(
        figure,
        [
            *protocol_handles(names),
            *seed_handles(table, dots=True),
            series_handle(SERIES[3], "spike count", **dot),
            series_handle(SERIES[3], "first spike", mfc="white", **dot),
            published_mark(dataset, f"{published_label(dataset)}, spike count", "|"),
        ],
        3,
    )
    return figure


@in_style
def fig6(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spike raster of both hidden layers and the output layer for one image, ours and published."""
    names = protocols_in(table)
    settings = published.values("fig6")
    columns = [(look_of(name).label, look_of(name).colour, name) for name in names]
    columns.append((published_label(dataset), PUBLISHED_COLOUR, None))
    figure = new_figure(height_mm=118)
    layers = sorted(LAYER_NAMES)
    grid = figure.subplots(
        len(layers),
        len(columns),
        sharex=True,
        sharey="row",
        height_ratios=(3, 3, 2.3),
        squeeze=False,
    )
    theirs = published.curve("fig6").assign(layer=lambda data: data["layer"].map(PUBLISHED_LAYERS))
    for column, (label, colour, name) in enumerate(columns):
        if name is None:
            spikes, digit = theirs, settings["digit"]
        else:
            spikes = table[table["protocol"] == name]
            spikes = spikes[spikes["seed"] == spikes["seed"].min()]
            digit = int(spikes["label"].iloc[0])
        for row, layer in enumerate(layers):
            _raster(grid[row, column], spikes[spikes["layer"] == layer], colour)
            if column == 0:
                grid[row, column].set_ylabel(f"{LAYER_NAMES[layer]}\n(neuron)")
        letter(grid[0, column], "abcdefg"[column], f"{label}, digit {digit}")
        _count_outputs(grid[-1, column], spikes[spikes["layer"] == layers[-1]], int(digit))
        grid[-1, column].set_xlabel("time (ms)")
    hidden = settings["hidden_neurons_per_layer"]
    for axes, neurons in zip(grid[:, 0], (hidden, hidden, 10), strict=True):
        axes.set_ylim(neurons - 0.4, -0.6)
        axes.set_yticks(range(10) if neurons == 10 else range(0, neurons, 8))
    end = max(float(settings["duration_ms"]), table["time_ms"].max() if len(table) else 0.0)
    grid[0, 0].set_xlim(-2, end)
    legend_below(
        figure,
        [series_handle(look_of(name), marker="|", ms=7, mew=1.3, ls="none") for name in names]
        + [
            series_handle(
                SERIES[3],
                published_label(dataset),
                color=PUBLISHED_COLOUR,
                marker="|",
                ms=7,
                mew=1.3,
                ls="none",
            ),
            patch_handle(LIGHT_GREY, "neuron of the shown digit; spikes counted on the right", 1.0),
        ],
        4,
    )
    return figure


def _raster(axes: Axes, spikes: pd.DataFrame, colour: str) -> None:
    axes.vlines(
        spikes["time_ms"], spikes["neuron"] - 0.42, spikes["neuron"] + 0.42, color=colour, lw=0.7
    )


def _count_outputs(axes: Axes, spikes: pd.DataFrame, digit: int) -> None:
    """Shade the neuron of the shown digit and write the number of spikes of every active one."""
    axes.axhspan(digit - 0.5, digit + 0.5, color=LIGHT_GREY, zorder=0, lw=0)
    for neuron, count in spikes["neuron"].value_counts().items():
        axes.annotate(
            str(count),
            (1.0, neuron),
            (2, 0),
            xycoords=("axes fraction", "data"),
            textcoords="offset points",
            va="center",
            fontsize=6.5,
            fontweight="bold" if neuron == digit else "normal",
        )


@in_style
def bn_exception(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy of the SPCN with and without batch norm, and the volatility of its curve."""
    figure = new_figure(height_mm=76)
    panels = figure.subplots(1, 3)
    panels[1].sharey(panels[0])
    names = protocols_in(table)
    quantities = (
        ("rate_accuracy_percent", "test accuracy (%)", "rates", False),
        ("spiking_accuracy_percent", "test accuracy (%)", "spikes", True),
        ("accuracy_step_std_percent", "s.d. of accuracy steps (points)", "volatility", None),
    )
    for axes, (column, label, title, spiking), name in zip(panels, quantities, "abc", strict=True):
        for index, protocol in enumerate(names):
            shift = 0.14 * (index - (len(names) - 1) / 2)
            ours = table[table["protocol"] == protocol]
            ours = ours.assign(x=ours["batch_norm"].astype(int) + shift)
            look = look_of(protocol)
            data = draw_mean_points(axes, ours, "x", column, look)
            axes.plot(data["x"], data["mean"], color=look.colour, ls=look.line, lw=0.8)
        if spiking is not None:
            values = [
                printed_accuracy(published, n, spiking) for n in ("spcn_adam", "spcn_adam_bn")
            ]
            x = np.array([0.0, 1.0]) + 0.28
            draw_published(axes, x, values, linewidth=0.7)
            axes.plot(x, values, **published_marker())
        axes.set_xticks([0, 1], ["without", "with"])
        axes.set(xlim=(-0.4, 1.5), xlabel="batch norm (SPCN, Adam)", ylabel=label)
        letter(axes, name, title)
    panels[2].set_ylim(bottom=0)
    handles = [*protocol_handles(names), *seed_handles(table, dots=True), published_mark(dataset)]
    legend_below(figure, handles)
    return figure
