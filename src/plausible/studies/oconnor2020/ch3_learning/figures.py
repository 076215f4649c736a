"""O'Connor 2020, chapter 3 and section A.5: pictures of the spiking networks that learn MNIST."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import (
    draw_mean_line,
    draw_mean_points,
    over_seeds,
    seed_handles,
)
from plausible.drawing.style import (
    BLUE,
    GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PURPLE,
    SKY,
    VERMILLION,
    WORST_ABOVE,
    Look,
    draw_line,
    in_style,
    legend_below,
    letter,
    look_of,
    new_figure,
    plain_log,
    protocols_in,
    published_label,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_learning.tables import (
    DEPTH_FIRST,
    HELD,
    HELD_LABEL,
    trained_as,
)
from plausible.studies.oconnor2020.ch3_learning.tables import PARTS as PART_NAMES

TRAINED = {
    "sgd": Look(trained_as("sgd"), ORANGE, "s", (0, (4.5, 1.5))),
    "fsgd": Look(trained_as("fsgd"), VERMILLION, "o", "-"),
    "relu": Look(trained_as("relu"), BLUE, "D", "-"),
    "fsgd_regularised": Look(trained_as("fsgd_regularised"), PURPLE, "^", (0, (6, 1.5, 1, 1.5))),
}
RELU_WEIGHTS = Look("spiking with ReLU weights", SKY, "D", (0, (1.2, 1.2)))
PARTS = {part: PART_NAMES[part] for part in ("thesis", "official")}
PASSES = {"dense": "P", "sparse": "X"}
"""Markers of a pass of the ReLU network, with the products of zeros and without them."""
POINTS = (-30, -10, -3, -1, -0.5, 0, 0.5, 1, 3, 10, 30)
"""Ticks of differences in percentage points."""
PUBLISHED_EPOCHS = 50
SHOWN_EPOCHS = 20
TRAINING_LINE = (0, (1.2, 1.2))
BESIDE, APART = 1.05, 0.05
"""Where printed errors stand, at the right of a panel: shares of its width."""


def spiking_look(network: str) -> Look:
    """Look of a network that is tested as a spiking one."""
    return RELU_WEIGHTS if network == "relu" else TRAINED[network]


def networks_of(table: pd.DataFrame, wanted: Sequence[str] = tuple(TRAINED)) -> list[str]:
    """Networks of a table among the wanted ones, in their order."""
    return [name for name in wanted if name in set(table["network"])]


def printed_rows(published: Published, entry: str) -> dict[str, Any]:
    """Rows of a published table by their ids."""
    return {row["id"]: row for row in published.values(entry)["rows"]}


def error_axis(axes: Axes, values: pd.Series, label: str = "error (%)") -> None:
    """Logarithmic error axis; an error of zero lies at its lower edge."""
    found = values[values > 0]
    axes.set_ylabel(label)
    if len(found):
        axes.set_ylim(0.7 * found.min(), 1.3 * found.max())
        plain_log(axes, "y")


def signed_points(axes: Axes, linear: float = 1.0) -> None:
    """Axis of differences in percentage points, logarithmic where they exceed ``linear``."""
    axes.set_yscale("symlog", linthresh=linear, linscale=0.8)
    axes.autoscale_view(scalex=False)
    limits = axes.get_ylim()
    ticks = [tick for tick in POINTS if limits[0] <= tick <= limits[1]]
    axes.set_yticks(ticks, [f"{tick:g}".replace("-", "−") for tick in ticks])
    axes.set_yticks([], minor=True)
    axes.axhline(0.0, color=GREY, lw=0.6)


def mark_beside(axes: Axes, error: float, place: float = BESIDE, **look: Any) -> None:
    """A printed error at the right of a panel, beyond the end of the training."""
    axes.plot(place, error, transform=axes.get_yaxis_transform(), clip_on=False, **look)


@in_style
def ch3_fig3_2(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 3.2: learning curves on both test parts, and the gap of test and training error."""
    figure = new_figure(height_mm=76)
    panels = figure.subplots(1, 3)
    names = networks_of(table, ("relu", "fsgd", "sgd"))
    looks = {name: TRAINED[name]._replace(line="-", marker="") for name in names}
    shown = table[(table["epoch"] > 0) & table["network"].isin(names)]
    for axes, (part, title), name in zip(panels, PARTS.items(), "ab", strict=False):
        for network, look in looks.items():
            rows = shown[shown["network"] == network]
            draw_mean_line(axes, rows[rows["part"] == part], "epoch", "error_percent", look)
            data = over_seeds(rows[rows["part"] == "train"], "epoch", "error_percent")
            look = look._replace(line=TRAINING_LINE)
            draw_line(axes, "epoch", data.assign(low=np.nan), look, edge=WORST_ABOVE)
        printed = _published_errors(axes, published, names)
        error_axis(axes, pd.Series([*shown["error_percent"], *printed]))
        axes.set_xlabel("epoch")
        plain_log(axes, "x")
        letter(axes, name, title)
    _draw_gap(panels[2], shown, looks)
    handles = [series_handle(look) for look in looks.values()]
    mark, at = published_label(dataset), f"epoch {PUBLISHED_EPOCHS}"
    training = _published_training(PUBLISHED_COLOUR)
    handles += [
        Line2D([], [], color=GREY, linestyle="-", label="test"),
        Line2D([], [], color=GREY, linestyle=TRAINING_LINE, label="training"),
        published_mark(dataset, f"{mark}, test, {at}"),
        Line2D([], [], label=f"{mark}, training, {at}", **training),
    ]
    legend_below(figure, [*handles, *seed_handles(shown)], 4)
    return figure


def shorter_trainings(epochs: pd.Series) -> dict[str, str]:
    """What the legend adds to the names of trainings that end before others."""
    return {name: f" ({n:g} epochs)" if n < epochs.max() else "" for name, n in epochs.items()}


def spiking_handles(steps: pd.DataFrame, names: Sequence[str]) -> list[Line2D]:
    """Legend entries of networks that are tested as spiking ones; shorter trainings are named."""
    shorter = shorter_trainings(steps.groupby("network")["epoch"].max())
    looks = {name: spiking_look(name) for name in names}
    return [series_handle(look, look.label + shorter[name]) for name, look in looks.items()]


def whole_numbers(axes: Axes, label: str) -> None:
    """Horizontal axis of epochs or time steps."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _published_errors(axes: Axes, published: Published, names: Sequence[str]) -> list[float]:
    """Errors of table 3.2, at the right of the curves, in the colours of their networks."""
    printed = printed_rows(published, "ch3.table3.2")
    found = []
    for name in names:
        row, colour = printed[name], TRAINED[name].colour
        # Those of FSGD and ReLU are nearly the same: beside each other.
        place = BESIDE + APART * (name == "relu")
        look = published_marker() | {"markeredgecolor": colour}
        mark_beside(axes, row["test_error_percent"], place, **look)
        mark_beside(axes, row["training_error_percent"], place, **_published_training(colour))
        found += [row["test_error_percent"], row["training_error_percent"]]
    return found


def _published_training(colour: str) -> dict[str, Any]:
    """Drawing options of a published training error: small and filled."""
    filled = {"markerfacecolor": colour, "markeredgecolor": colour, "markersize": 3.2}
    return published_marker() | filled


def _draw_gap(axes: Axes, shown: pd.DataFrame, looks: Mapping[str, Look]) -> None:
    """Test minus training error against the epoch, thesis split, first 20 epochs."""
    # Within the first epoch both errors fall by tens of points.
    shown = shown[shown["epoch"].between(min(1.0, shown["epoch"].max()), SHOWN_EPOCHS)]
    for network, look in looks.items():
        rows = shown[shown["network"] == network]
        wide = rows.pivot_table(index=["epoch", "seed"], columns="part", values="error_percent")
        gap = (wide["thesis"] - wide["train"]).rename("gap").reset_index()
        draw_mean_line(axes, gap, "epoch", "gap", look)
    signed_points(axes, 2.0)
    whole_numbers(axes, "epoch")
    axes.set_ylabel("test − training error (points)")
    letter(axes, "c", f"gap, {PARTS['thesis']}")


@in_style
def ch3_fig3_3(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 3.3: error against the operations spent so far, with and without the input layer."""
    figure = new_figure(height_mm=132)
    panels = figure.subplots(2, 2, sharey=True)
    steps = table[table["record"] == "anytime"]
    columns = {"operations": "all layers", "operations_without_input": "without the input layer"}
    names = networks_of(steps)
    letters = iter("abcd")
    for line, (part, where) in zip(panels, PARTS.items(), strict=True):
        for axes, (column, title) in zip(line, columns.items(), strict=True):
            _draw_guesses(axes, table[table["part"] == part], column, names)
            letter(axes, next(letters), f"{title}, {where}")
    tested = table["record"].isin(["anytime", "final"]) & table["part"].isin(list(PARTS))
    error_axis(panels[0, 0], table.loc[tested, "error_percent"], "test error (%)")
    panels[1, 0].set_ylabel(panels[0, 0].get_ylabel())
    handles = spiking_handles(steps, names)
    for text, marker in zip(("dense", "without zeros"), PASSES.values(), strict=True):
        look = TRAINED["relu"]._replace(marker=marker, line="none")
        handles.append(series_handle(look, f"ReLU network, {text}"))
    legend_below(figure, [*handles, *seed_handles(table)], 3)
    return figure


def _draw_guesses(axes: Axes, part: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """Error after each time step and of the ReLU network by its cost, on one test part."""
    part = part.assign(cost=part[column] / 1e3)
    steps = part[part["record"] == "anytime"]
    for network in names:
        rows = steps[steps["network"] == network]
        look = spiking_look(network)
        draw_mean_line(axes, rows, "step", "error_percent", look, "cost", markersize=2.6)
    relu = part.query("record == 'final' and form == 'rectified' and network == 'relu'")
    for counting, rows in relu.groupby("counting"):
        look = TRAINED["relu"]._replace(marker=PASSES[counting])
        style = {"at": "cost", "markersize": 5.5, "zorder": 4}
        draw_mean_points(axes, rows, "counting", "error_percent", look, **style)
    axes.set_xlabel("operations per image so far (thousands)")
    plain_log(axes, "x")


@in_style
def table_a1_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table A.1: error of every variant in both readings of the updates, beside the printed one."""
    figure = new_figure(height_mm=98)
    panels = figure.subplots(1, 2, sharex=True, sharey=True)
    printed = printed_rows(published, "table_a1")
    labels = {name: row["variant"] for name, row in printed.items()} | {HELD: HELD_LABEL}
    names = networks_of(table, tuple(labels))
    places = {name: place for place, name in enumerate(names)}
    protocols = protocols_in(table)
    last = table[table["epoch"] == table.groupby(["protocol", "network"])["epoch"].transform("max")]
    held = (last["network"] == HELD) & (last["protocol"] == "as_published")
    last = last.assign(network=last["network"].mask(held, DEPTH_FIRST))
    last = last.assign(place=last["network"].map(places))
    errors = [printed[name]["error_percent"] for name in names if name in printed]
    for axes, (part, title), letters in zip(panels, PARTS.items(), "ab", strict=False):
        # Ours stand above and below what is printed.
        for offset, protocol in zip((-0.28, 0.28), protocols, strict=False):
            rows = last[(last["protocol"] == protocol) & (last["part"] == part)]
            rows = rows.assign(place=rows["place"] + offset)
            look = look_of(protocol)
            for _, row in rows.groupby("network"):
                alone = row["seed"].nunique() == 1
                style = {"horizontal": True, "filled": not alone}
                draw_mean_points(axes, row, "place", "error_percent", look, **style)
        axes.plot(errors, [places[name] for name in names if name in printed], **published_marker())
        axes.set_xlabel("test error (%)")
        axes.set_xlim(left=0.6 * min(errors), right=100.0)
        plain_log(axes, "x")
        axes.grid(axis="y", color=GREY, alpha=0.2, lw=0.5)
        letter(axes, letters, title)
    panels[0].set_yticks(range(len(names)), [labels[name] for name in names])
    panels[0].invert_yaxis()
    epochs = last.groupby("protocol")["epoch"].max()
    handles = [
        series_handle(look_of(name), f"ours, {look_of(name).label}{text}", linestyle="none")
        for name, text in shorter_trainings(epochs[protocols]).items()
    ]
    handles += [published_mark(dataset), *seed_handles(last, dots=True, horizontal=True)]
    if (last.groupby(["protocol", "network"])["seed"].nunique() == 1).any():
        alone = {"marker": "o", "mfc": "white", "ls": "none"}
        handles.append(Line2D([], [], color=GREY, label="one seed alone", **alone))
    legend_below(figure, handles, 4)
    return figure
