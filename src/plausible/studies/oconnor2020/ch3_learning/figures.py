"""O'Connor 2020, chapter 3 and section A.5: pictures of the spiking networks that learn MNIST."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import FEWEST
from plausible.drawing.style import (
    BLUE,
    GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    draw_line,
    draw_points,
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
    summary,
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
PUBLISHED_EPOCHS = 50
SHOWN_EPOCHS = 20
TRAINING_LINE = (0, (1.2, 1.2))
ONE_SEED = {"lw": 0.6, "alpha": 0.6}
BAND, BAR = {"alpha": 0.3, "linewidth": 5}, {"marker": "|", "lw": 0.9}
ONE_DOT = {"marker": ".", "markersize": 3.0, "linestyle": "none", "alpha": 0.8}


def spiking_look(network: str) -> Look:
    """Look of a network that is tested as a spiking one."""
    return RELU_WEIGHTS if network == "relu" else TRAINED[network]


def networks_of(table: pd.DataFrame, wanted: Sequence[str] = tuple(TRAINED)) -> list[str]:
    """Networks of a table among the wanted ones, in their order."""
    return [name for name in wanted if name in set(table["network"])]


def draw_curve(
    axes: Axes,
    rows: pd.DataFrame,
    by: str,
    value: str,
    look: Look,
    at: str | None = None,
    percent: bool = True,
    **options: Any,
) -> None:
    """Mean over seeds for each ``by``, with its interval or, of few seeds, a thin line for each.

    Drawn against the column ``at``, by default ``by`` itself. Intervals in ``percent`` stay
    between 0 and 100.
    """
    at = at or by
    data = summary(rows, [by], value, FEWEST, percent)
    data[at] = rows.groupby(by)[at].mean().to_numpy()
    draw_line(axes, at, data, look, **options)
    if 1 < rows["seed"].nunique() < FEWEST:
        for _, run in rows.sort_values(by).groupby("seed"):
            axes.plot(run[at], run[value], color=look.colour, **ONE_SEED)


def printed_rows(published: Published, entry: str) -> dict[str, Any]:
    """Rows of a published table by their ids."""
    return {row["id"]: row for row in published.values(entry)["rows"]}


def error_axis(axes: Axes, values: pd.Series) -> None:
    """Logarithmic error axis; an error of zero lies at its lower edge."""
    found = values[values > 0]
    axes.set_ylabel("error (%)")
    if len(found):
        axes.set_ylim(0.7 * found.min(), 1.3 * found.max())
        plain_log(axes, "y")


@in_style
def ch3_fig3_2(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 3.2: learning curves on both test parts, and the gap of test and training error."""
    figure = new_figure(height_mm=72)
    panels = figure.subplots(1, 3)
    names = networks_of(table, ("relu", "fsgd", "sgd"))
    shown = table[table["epoch"] > 0]
    for axes, (part, title), name in zip(panels, PARTS.items(), "ab", strict=False):
        for network in names:
            rows = shown[shown["network"] == network]
            look = TRAINED[network]._replace(line="-", marker="")
            draw_curve(axes, rows[rows["part"] == part], "epoch", "error_percent", look)
            look = look._replace(line=TRAINING_LINE)
            data = summary(rows[rows["part"] == "train"], ["epoch"], "error_percent")
            draw_line(axes, "epoch", data.assign(low=np.nan), look)
        printed = _published_errors(axes, published, float(shown["epoch"].max()), names)
        whole_numbers(axes, "epoch")
        error_axis(axes, pd.Series([*shown["error_percent"], *printed]))
        letter(axes, name, title)
    _draw_gap(panels[2], shown, names)
    handles = [series_handle(TRAINED[name], marker="", linestyle="-") for name in names]
    mark, at = published_label(dataset), f"epoch {PUBLISHED_EPOCHS}"
    training = _published_training(PUBLISHED_COLOUR)
    handles += [
        Line2D([], [], color=GREY, linestyle="-", label="test"),
        Line2D([], [], color=GREY, linestyle=TRAINING_LINE, label="training"),
        published_mark(dataset, f"{mark}, test, {at}"),
        Line2D([], [], label=f"{mark}, training, {at}", **training),
    ]
    legend_below(figure, [*handles, *interval_handles(table)], 4)
    return figure


def interval_handles(
    table: pd.DataFrame,
    by: str = "epoch",
    band: Mapping[str, Any] = BAND,
    single: Mapping[str, Any] = ONE_SEED,
) -> list[Line2D]:
    """Legend entries of intervals, where there are enough seeds for them, and of single seeds."""
    # Some networks are trained with fewer seeds than others.
    seeds = table.groupby([by, "network"])["seed"].nunique()
    handles = []
    if seeds.max() >= FEWEST:
        label = f"95 % interval over {seeds.max()} seeds"
        handles.append(Line2D([], [], color=GREY, label=label, **band))
    if seeds.between(2, FEWEST - 1).any():
        handles.append(Line2D([], [], color=GREY, label="one seed", **single))
    return handles


def spiking_handles(steps: pd.DataFrame, names: Sequence[str]) -> list[Line2D]:
    """Legend entries of networks that are tested as spiking ones; shorter trainings are named."""
    epochs = steps.groupby("network")["epoch"].max()
    shorter = {name: f" ({n:g} epochs)" if n < epochs.max() else "" for name, n in epochs.items()}
    looks = {name: spiking_look(name) for name in names}
    return [series_handle(look, look.label + shorter[name]) for name, look in looks.items()]


def whole_numbers(axes: Axes, label: str) -> None:
    """Horizontal axis of epochs or time steps."""
    axes.set_xlabel(label)
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))


def _published_errors(
    axes: Axes, published: Published, last_epoch: float, names: Sequence[str]
) -> list[float]:
    """Errors of table 3.2, at the right of the curves, in the colours of their networks."""
    printed = printed_rows(published, "ch3.table3.2")
    found = []
    for name in names:
        row, colour = printed[name], TRAINED[name].colour
        look = published_marker() | {"markeredgecolor": colour}
        axes.plot(1.06 * last_epoch, row["test_error_percent"], **look)
        # Beside each other: those of FSGD and ReLU are nearly the same.
        place = 1.09 if name == "relu" else 1.04
        axes.plot(place * last_epoch, row["training_error_percent"], **_published_training(colour))
        found += [row["test_error_percent"], row["training_error_percent"]]
    axes.set_xlim(0.0, 1.12 * last_epoch)
    return found


def _published_training(colour: str) -> dict[str, Any]:
    """Drawing options of a published training error: small and filled."""
    filled = {"markerfacecolor": colour, "markeredgecolor": colour, "markersize": 3.2}
    return published_marker() | filled


def _draw_gap(axes: Axes, shown: pd.DataFrame, names: Sequence[str]) -> None:
    """Test minus training error against the epoch, thesis split, first 20 epochs."""
    for network in names:
        rows = shown[(shown["network"] == network) & (shown["epoch"] <= SHOWN_EPOCHS)]
        wide = rows.pivot_table(index=["epoch", "seed"], columns="part", values="error_percent")
        gap = (wide["thesis"] - wide["train"]).rename("gap").reset_index()
        look = TRAINED[network]._replace(line="-", marker="")
        draw_curve(axes, gap, "epoch", "gap", look, percent=False)
    axes.axhline(0.0, color=GREY, lw=0.6)
    low, high = axes.get_ylim()
    # The first epoch, in which both errors fall by tens of points, must not set the scale.
    axes.set_ylim(max(low, -2.0), min(high, 6.0))
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
    error_axis(panels[0, 0], table.loc[tested, "error_percent"])
    panels[1, 0].set_ylabel(panels[0, 0].get_ylabel())
    handles = spiking_handles(steps, names)
    for text, marker in zip(("dense", "without zeros"), PASSES.values(), strict=True):
        look = TRAINED["relu"]._replace(marker=marker, line="none")
        handles.append(series_handle(look, f"ReLU network, {text}"))
    legend_below(figure, [*handles, *interval_handles(table)], 3)
    return figure


def _draw_guesses(axes: Axes, part: pd.DataFrame, column: str, names: Sequence[str]) -> None:
    """Error after each time step and of the ReLU network by its cost, on one test part."""
    steps = part[part["record"] == "anytime"]
    for network in names:
        rows = steps[steps["network"] == network].assign(cost=steps[column] / 1e3)
        look = spiking_look(network)
        draw_curve(axes, rows, "step", "error_percent", look, "cost", markersize=2.6)
    relu = part.query("record == 'final' and form == 'rectified' and network == 'relu'")
    for counting, rows in relu.groupby("counting"):
        data = summary(rows, ["counting"], "error_percent", FEWEST)
        look = TRAINED["relu"]._replace(marker=PASSES[counting])
        draw_points(axes, [rows[column].mean() / 1e3], data, look, markersize=5.5, zorder=4)
        axes.plot(rows[column] / 1e3, rows["error_percent"], color=look.colour, **ONE_DOT)
    axes.set_xlabel("operations per image so far (thousands)")
    plain_log(axes, "x")


@in_style
def table_a1_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table A.1: error of every variant in both readings of the updates, beside the printed one."""
    figure = new_figure(height_mm=88)
    panels = figure.subplots(1, 2, sharey=True)
    printed = printed_rows(published, "table_a1")
    labels = {name: row["variant"] for name, row in printed.items()} | {HELD: HELD_LABEL}
    names = networks_of(table, tuple(labels))
    protocols = protocols_in(table)
    last = table[table["epoch"] == table.groupby(["protocol", "network"])["epoch"].transform("max")]
    held = (last["network"] == HELD) & (last["protocol"] == "as_published")
    last = last.assign(network=last["network"].mask(held, DEPTH_FIRST))
    for axes, (part, title), letters in zip(panels, PARTS.items(), "ab", strict=False):
        for position, protocol in enumerate(protocols):
            rows = last[(last["protocol"] == protocol) & (last["part"] == part)]
            data = summary(rows, ["network"], "error_percent", FEWEST, percent=True)
            data = data.set_index("network")
            offset = 0.18 * (position - (len(protocols) - 1) / 2)
            places = pd.Series({name: place + offset for place, name in enumerate(names)})
            look = look_of(protocol)
            draw_points(axes, places[data.index], data, look, horizontal=True)
            few = rows[rows.groupby("network")["seed"].transform("nunique").between(2, FEWEST - 1)]
            lower = places[few["network"]] + 0.22
            axes.plot(few["error_percent"], lower, color=look.colour, **ONE_DOT)
        places = [place for place, name in enumerate(names) if name in printed]
        errors = [printed[names[place]]["error_percent"] for place in places]
        axes.plot(errors, places, **published_marker())
        axes.set_xlabel("error (%)")
        # Room at the left edge for the crosses of networks that diverged.
        axes.set_xlim(left=0.6 * min(errors), right=100.0)
        plain_log(axes, "x")
        axes.grid(axis="y", color=GREY, alpha=0.2, lw=0.5)
        letter(axes, letters, title)
    panels[0].set_yticks(range(len(names)), [labels[name] for name in names])
    panels[0].invert_yaxis()
    looks = map(look_of, protocols)
    handles = [series_handle(look, f"ours, {look.label}", linestyle="none") for look in looks]
    seeds = interval_handles(last, "protocol", BAR, ONE_DOT)
    legend_below(figure, [*handles, published_mark(dataset), *seeds], 5)
    return figure
