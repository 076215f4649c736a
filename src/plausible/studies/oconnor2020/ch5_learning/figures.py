"""O'Connor 2020, figure 5.5 and the table of C.6 in pictures: learning curves, cost and depth."""

from itertools import product

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    ORANGE,
    PUBLISHED_LINE,
    PURPLE,
    VERMILLION,
    Look,
    accuracy_limits,
    accuracy_scale,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_label,
    published_line,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch5_learning.claims import DATASETS, chosen, operations
from plausible.studies.oconnor2020.ch5_learning.settings import ADDITION_PJ, ORDERS, READINGS
from plausible.studies.oconnor2020.ch5_learning.tables import TITLES

NETWORKS = {"pdnn": Look("PDNN", BLUE, "o", "-"), "mlp": Look("MLP", VERMILLION, "s", "-")}
PUBLISHED_NAMES = {order: name for name, order in DATASETS.items()}
NAMES = {"mnist": {"file": "MNIST", "temporal": "Temporal MNIST"}}
"""Of the orders, where the images are those of the thesis."""
DASHED = (0, (4.5, 1.5))
PASSES = ("forward", "backward", "update")
SCORE = "test score (%)"


def costs(rows: pd.DataFrame, protocol: str) -> pd.DataFrame:
    """Rows after some training, with operations and energy per image of the data set until then.

    ``operations`` (10^6 per training image) and ``energy_uj``.
    """
    rows = rows.sort_values(["network", "order", "seed", "epoch"])
    counted = rows[list(PASSES)].sum(axis=1) * rows["samples"]
    runs = [rows["network"], rows["order"], rows["seed"]]
    images = rows["samples"].groupby(runs).cumsum() / rows["epoch"].where(rows["epoch"] > 0)
    done = counted.groupby(runs).cumsum() / images / 1e6
    unit = np.where(rows["network"] == "pdnn", ADDITION_PJ, READINGS[protocol].multiply_add_pj)
    rows = rows.assign(operations=done, energy_uj=done * unit)
    return rows[rows["epoch"] > 0]


@in_style
def learning_curves(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.5: test score against epochs, operations and energy, as coded."""
    protocol = "as_coded" if "as_coded" in set(table["protocol"]) else "as_published"
    rows = table[table["protocol"] == protocol]
    rows = costs(rows[rows["hidden_layers"] == rows["hidden_layers"].min()], protocol)
    printed = published.values("ch5.fig5.5")
    figure = new_figure(height_mm=112)
    panels = figure.subplots(2, 3, sharey=True, sharex="col")
    axes_labels = {
        "epoch": "epoch",
        "operations": "operations (10⁶ per training image)",
        "energy_uj": "energy (µJ per training image)",
    }
    known = [printed[f"{name}_{data}_test_percent"] for name in NETWORKS for data in DATASETS]
    shown = rows.loc[rows["epoch"] >= 1, "test_score_percent"]
    for (axes, (order, column)), mark in zip(
        zip(panels.flat, product(ORDERS, axes_labels), strict=True), "abcdef", strict=True
    ):
        for network, look in NETWORKS.items():
            mine = rows[(rows["network"] == network) & (rows["order"] == order)]
            style = look._replace(marker="")
            draw_mean_line(axes, mine, "epoch", "test_score_percent", style, at=column)
            score = printed[f"{network}_{PUBLISHED_NAMES[order]}_test_percent"]
            axes.axhline(score, color=look.colour, lw=0.8, ls=PUBLISHED_LINE, zorder=0)
        accuracy_scale(axes)
        axes.set_ylim(accuracy_limits([*shown, *known]))
        plain_log(axes, "x")
        letter(axes, mark, NAMES.get(dataset, TITLES)[order])
    for axes, label in zip(panels[1], axes_labels.values(), strict=True):
        axes.set_xlabel(label)
    for axes in panels[:, 0]:
        axes.set_ylabel(SCORE)
    handles = [series_handle(look, marker="") for look in NETWORKS.values()]
    legend_below(figure, [*handles, published_line(dataset), *seed_handles(rows)], 4)
    return figure


@in_style
def depths(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """The table of C.6: best test score and operations against the number of hidden layers."""
    printed = published.values("table_c6")["rows"]
    protocols = list(dict.fromkeys(table["protocol"]))
    figure = new_figure(height_mm=52 * len(protocols) + 12)
    panels = figure.subplots(len(protocols), 4, squeeze=False, sharex=True)
    letters = iter("abcdefgh")
    for across, protocol in zip(panels, protocols, strict=True):
        rows = table[table["protocol"] == protocol]
        for axes, (quantity, order) in zip(
            across, product(("score", "operations"), ORDERS), strict=True
        ):
            for network, look in NETWORKS.items():
                best = _over_depths(rows, network, order, quantity)
                draw_mean_points(axes, best, "hidden_layers", quantity, look, joined=True)
                _draw_printed(axes, printed, network, order, quantity)
            if quantity == "score":
                axes.set_ylabel(SCORE)
            else:
                axes.set_ylabel("operations (10³ per sample)")
                plain_log(axes, "y")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
            name = NAMES.get(dataset, TITLES)[order]
            letter(axes, next(letters), f"{protocol.replace('_', ' ')},\n{name}")
        for pair in (across[:2], across[2:]):
            low = min(axes.get_ylim()[0] for axes in pair)
            high = max(axes.get_ylim()[1] for axes in pair)
            for axes in pair:
                axes.set_ylim(low, high)
    for axes in panels[-1]:
        axes.set_xlabel("hidden layers")
    mark = published_label(dataset)
    handles = [series_handle(look) for look in NETWORKS.values()]
    handles += [
        published_mark(dataset, f"PDNN, {mark}", "o"),
        published_mark(dataset, f"MLP, {mark}", "s"),
    ]
    legend_below(figure, [*handles, *seed_handles(table, dots=True)], 4)
    return figure


LOOKS = {
    "text": Look("as the text says", BLUE, "o", "-"),
    "memory": Look("constants of the code", VERMILLION, "s", DASHED),
    "scales": Look("scales follow in tests", GREEN, "^", DASHED),
    "images": Look("images of the code", ORANGE, "P", DASHED),
    "code": Look("as the code does", PURPLE, "D", "-"),
}


@in_style
def text_and_code(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Score on Temporal MNIST over a training, and after it, with one change at a time."""
    figure = new_figure(height_mm=72)
    course, end = figure.subplots(1, 2, width_ratios=(3, 2))
    rows = table[table["epoch"] >= 1]
    last = rows[rows["epoch"] == rows["epoch"].max()]
    for place, (reading, look) in enumerate(LOOKS.items()):
        mine = rows[rows["reading"] == reading]
        draw_mean_line(course, mine, "epoch", "test_score_percent", look._replace(marker=""))
        ends = last[last["reading"] == reading].assign(place=place)
        draw_mean_points(end, ends, "place", "test_score_percent", look)
    for axes, shown in ((course, rows), (end, last)):
        accuracy_scale(axes)
        axes.set(ylabel=SCORE, ylim=accuracy_limits(shown["test_score_percent"]))
    course.xaxis.set_major_locator(MaxNLocator(integer=True))
    course.set_xlabel("epoch")
    end.set_xticks(range(len(LOOKS)), list(LOOKS))
    end.set_xlabel("what is changed")
    letter(course, "a", NAMES.get(dataset, TITLES)["temporal"])
    letter(end, "b", f"after epoch {last['epoch'].max():g}")
    handles = [series_handle(look) for look in LOOKS.values()]
    legend_below(figure, [*handles, *seed_handles(table, dots=True)], 3)
    return figure


def _over_depths(rows: pd.DataFrame, network: str, order: str, quantity: str) -> pd.DataFrame:
    """Best score, or thousand operations of a sample, of every seed and depth."""
    found = []
    for depth in sorted(rows["hidden_layers"].unique()):
        mine = chosen(rows, network, order, depth)
        if mine.empty:
            continue
        if quantity == "score":
            values = mine.groupby("seed")["test_score_percent"].max()
        else:
            values = operations(mine) / 1e3
        found.append(values.rename(quantity).reset_index().assign(hidden_layers=depth))
    return pd.concat(found, ignore_index=True)


def _draw_printed(axes: Axes, printed: list[dict], network: str, order: str, quantity: str) -> None:
    mine = [
        row
        for row in printed
        if row["network"].lower() == network and DATASETS[row["dataset"]] == order
    ]
    column, unit = "test_score_percent", 1.0
    if quantity == "operations":
        column, unit = "ops_per_sample_column", 1e-3
    depth = [len(row["hidden_sizes"]) for row in mine]
    axes.plot(
        depth, [unit * row[column] for row in mine], **published_marker(NETWORKS[network].marker)
    )
