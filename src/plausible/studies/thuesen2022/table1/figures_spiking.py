"""Thuesen 2022: pictures of converted networks (figure 6, sections 3.4.4 and 4.2)."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SERIES,
    Look,
    draw_published,
    in_style,
    legend_below,
    letter,
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
from plausible.studies.thuesen2022.pictures import DOT, each_protocol, note_at_edge
from plausible.studies.thuesen2022.table1.printed import (
    DROP,
    RATE,
    SPIKING,
    network_labels,
    printed_accuracies,
)

# Places on a logarithmic axis are moved by this, so that the bars of protocols stay apart.
APART = 1.05
TIME_TICKS = (10, 30, 100, 300, 1000)
LAYER_NAMES = {1: "hidden 1", 2: "hidden 2", 3: "output"}
PUBLISHED_LAYERS = {"hidden_1": 1, "hidden_2": 2, "output": 3}


def networks_in(table: pd.DataFrame, published: Published) -> dict[str, str]:
    """Networks of a table and their labels, those of table 1 first."""
    found, labels = list(dict.fromkeys(table["network"])), network_labels(published)
    known = {name: label for name, label in labels.items() if name in found}
    return known | {name: name for name in found if name not in labels}


def network_panels(
    figure: Figure, table: pd.DataFrame, published: Published, **options
) -> list[tuple[str, Axes, pd.DataFrame]]:
    """Name, panel with letter and title, and rows of every network; the panels share an axis."""
    networks = networks_in(table, published)
    grid = figure.subplots(1, len(networks), squeeze=False, sharey=True, **options)[0]
    for axes, key, label in zip(grid, "abcdefgh", networks.values(), strict=False):
        letter(axes, key, label)
    rows = [table[table["network"] == name] for name in networks]
    return list(zip(networks, grid, rows, strict=True))


def draw_mean_and_bars(axes: Axes, rows: pd.DataFrame, value: str, look: Look) -> None:
    """Mean over seeds of ``value`` against the column ``at``, with bars."""
    draw_mean_line(axes, rows, "at", value, look, bars=True, ms=3.2, lw=1.0)


def published_time_ms(published: Published) -> float:
    """Simulated time behind the spiking rows of table 1."""
    return published.entry("table1")["settings"]["spiking_simulation_ms"]


@in_style
def spiking_drop(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy drop from rates to spikes against the simulated time, one panel per network."""
    figure = new_figure(height_mm=68)
    statements = published.entry("table1")["expect"]
    claim = next(one["bound"] for one in statements if one["id"] == "drop_is_small")
    for network, axes, chosen in network_panels(figure, table, published):
        for look, ours, place in each_protocol(chosen):
            ours = ours[ours["images"] == ours["images"].max()]
            draw_mean_and_bars(axes, ours.assign(at=ours["time_ms"] * APART**place), DROP, look)
        rate, spiking = printed_accuracies(published, network)
        axes.plot([published_time_ms(published)], [rate - spiking], **published_marker())
        axes.axhline(0.0, color=GREY, lw=0.6)
        axes.set_xlabel("simulated time (ms)")
        axes.axhspan(0.0, claim, color=LIGHT_GREY, lw=0, zorder=0)
        axes.set_yscale("symlog", linthresh=1.0, linscale=0.7)
        plain_log(axes, "x", TIME_TICKS)
    first = figure.axes[0]
    first.set_ylabel("rate − spiking accuracy\n(percentage points)")
    ticks = [-1, 0, 1, 2, 5, 10, 20, 50, 100]
    first.set_yticks(ticks, [f"{tick:d}".replace("-", "−") for tick in ticks])
    first.yaxis.set_ticks([], minor=True)
    first.set_ylim(min(-0.5, table[DROP].min() - 0.3), max(2.2, 1.3 * table[DROP].max()))
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
    figure = new_figure(height_mm=26 + 13 * len(networks))
    axes = figure.subplots()
    for row, network in enumerate(networks):
        for look, chosen, place in each_protocol(table):
            y, ends = row + 0.22 * place, []
            chosen = chosen[chosen["network"] == network].assign(y=y)
            for kind, filled in (("first_spike", False), ("spike_count", True)):
                ours = chosen[chosen["readout"] == kind]
                if len(ours):
                    style = {"horizontal": True, "filled": filled}
                    data = draw_mean_points(axes, ours, "y", "accuracy_percent", look, **style)
                    ends.append(data["mean"].iloc[0])
            axes.plot(ends, [y] * len(ends), color=look.colour, ls=look.line, lw=0.8, zorder=1)
        _, printed = printed_accuracies(published, network)
        axes.vlines(printed, row - 0.36, row + 0.36, color=PUBLISHED_COLOUR, lw=1.2, zorder=4)
        if row:
            axes.axhline(row - 0.5, color=LIGHT_GREY, lw=0.6)
    axes.set_yticks(range(len(networks)), networks.values())
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(len(networks) - 0.5, -0.5)
    axes.set(xlabel="spiking test accuracy (%)", ylabel="network")
    legend_below(
        figure,
        [
            *protocol_handles(protocols_in(table)),
            *seed_handles(table, dots=True),
            series_handle(SERIES[3], "spike count", **DOT),
            series_handle(SERIES[3], "first spike", mfc="white", **DOT),
            published_mark(dataset, f"{published_label(dataset)}, spike count", "|"),
        ],
        3,
    )
    return figure


@in_style
def fig6(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spike raster of both hidden layers and the output layer for one image, ours and published."""
    settings, theirs = published.values("fig6"), published.curve("fig6")
    drawn = []
    for look, spikes, _ in each_protocol(table):
        spikes = spikes[spikes["seed"] == spikes["seed"].min()]
        drawn.append((look.label, look.colour, spikes, int(spikes["label"].iloc[0])))
    theirs = theirs.assign(layer=theirs["layer"].map(PUBLISHED_LAYERS))
    drawn.append((published_label(dataset), PUBLISHED_COLOUR, theirs, settings["digit"]))
    figure = new_figure(height_mm=132)
    shape = {"sharex": True, "sharey": "row", "squeeze": False}
    grid = figure.subplots(len(LAYER_NAMES), len(drawn), **shape)
    for column, name, one in zip(grid.T, "abcdefg", drawn, strict=False):
        label, colour, spikes, digit = one
        letter(column[0], name, f"{label}, digit {digit}")
        for axes, layer in zip(column, LAYER_NAMES, strict=True):
            fired = spikes[spikes["layer"] == layer]
            low, high = fired["neuron"] - 0.42, fired["neuron"] + 0.42
            axes.vlines(fired["time_ms"], low, high, color=colour, lw=0.7)
        _count_outputs(column[-1], fired, digit)
        column[-1].set_xlabel("time (ms)")
    hidden = settings["hidden_neurons_per_layer"]
    outputs = 1 + max(9, int(table.loc[table["layer"] == list(LAYER_NAMES)[-1], "neuron"].max()))
    for axes, layer, neurons in zip(
        grid[:, 0], LAYER_NAMES.values(), (hidden, hidden, outputs), strict=True
    ):
        axes.set_ylabel(f"{layer}\n(neuron)")
        axes.set_ylim(neurons - 0.4, -0.6)
        axes.set_yticks(range(10) if neurons == 10 else range(0, neurons, 8))
    grid[0, 0].set_xlim(-2, max(float(settings["duration_ms"]), table["time_ms"].max()))
    style = {"marker": "|", "ms": 7, "mew": 1.3, "ls": "none"}
    handles = [
        series_handle(SERIES[3], label, color=colour, **style) for label, colour, _, _ in drawn
    ]
    note = "neuron of the shown digit; spikes counted on the right"
    legend_below(figure, [*handles, patch_handle(LIGHT_GREY, note, 1.0)], 4)
    return figure


def _count_outputs(axes: Axes, spikes: pd.DataFrame, digit: int) -> None:
    """Shade the neuron of the shown digit and write the number of spikes of every active one."""
    axes.axhspan(digit - 0.5, digit + 0.5, color=LIGHT_GREY, zorder=0, lw=0)
    for neuron, count in spikes["neuron"].value_counts().items():
        weight = "bold" if neuron == digit else "normal"
        style = {"va": "center", "fontweight": weight}
        note_at_edge(axes, str(count), 1.0, neuron, (2, 0), **style)


@in_style
def bn_exception(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Accuracy of the SPCN with and without batch norm, and the volatility of its curve."""
    figure = new_figure(height_mm=76)
    panels = figure.subplots(1, 3)
    panels[1].sharey(panels[0])
    printed = [printed_accuracies(published, name) for name in ("spcn_adam", "spcn_adam_bn")]
    rates, spikes = zip(*printed, strict=True)
    quantities = (
        (RATE, "test accuracy (%)", "rates", rates),
        (SPIKING, "test accuracy (%)", "spikes", spikes),
        ("accuracy_step_std_percent", "s.d. of accuracy steps (points)", "volatility", None),
    )
    for axes, (column, label, title, values), name in zip(panels, quantities, "abc", strict=True):
        for look, ours, place in each_protocol(table):
            ours = ours.assign(x=ours["batch_norm"].astype(int) + 0.14 * place)
            data = draw_mean_points(axes, ours, "x", column, look)
            axes.plot(data["x"], data["mean"], color=look.colour, ls=look.line, lw=0.8)
        if values is not None:
            draw_published(axes, [0.28, 1.28], values, linewidth=0.7)
            axes.plot([0.28, 1.28], values, **published_marker())
        axes.set_xticks([0, 1], ["without", "with"])
        axes.set(xlim=(-0.4, 1.5), xlabel="batch norm (SPCN, Adam)", ylabel=label)
        letter(axes, name, title)
    panels[2].set_ylim(bottom=0)
    handles = [*protocol_handles(protocols_in(table)), *seed_handles(table, dots=True)]
    legend_below(figure, [*handles, published_mark(dataset)])
    return figure
