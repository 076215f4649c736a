"""O'Connor 2020, figure 4.4 and beyond: error against computation of networks with scales."""

from collections.abc import Mapping
from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_points, over_seeds, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    PUBLISHED_LINE,
    SERIES,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_label,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch4_scales.settings import DISCRETISED, ORDERS
from plausible.studies.oconnor2020.ch4_scales.tables import TITLES

NETWORKS = {
    "original": Look("original", VERMILLION, "s", "-"),
    "rounding": Look("rounding", BLUE, "o", (0, (4.5, 1.5))),
    "sigma_delta": Look("sigma-delta", GREEN, "^", "-"),
}
ERROR = "test error (%)"
KOPS = "operations (kOps per sample)"
ENERGY = "energy (nJ per sample, 32-bit integers)"


class Cost(NamedTuple):
    """What stands on the horizontal axis."""

    name: str
    """Column, and published cell of a network with scales."""
    sparse: str
    """The same without the products of zeros, of the original network."""
    dense: str
    """Published cell of the original network with these products."""
    label: str


OPERATIONS = Cost("kflops", "kflops_sparse", "kflops_dense", KOPS)
ENERGIES = Cost("energy_nj", "energy_sparse_nj", "energy_dense_nj", ENERGY)


@in_style
def ch4_fig4_4(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 4.4: test error against operations and energy, MNIST and Temporal MNIST.

    Protocol ``as_coded`` on the thesis split; the published points are those of table
    B.1, by the same markers.
    """
    rows = selected(table, "as_coded", "thesis")
    printed = published.values("table_b1")
    figure = new_figure(height_mm=128)
    panels = figure.subplots(2, 2, sharey=True, sharex="row")
    titles = printed["orders"] if dataset == "mnist" else TITLES
    places = product((OPERATIONS, ENERGIES), ORDERS)
    for axes, (cost, order), name in zip(panels.flat, places, "abcd", strict=True):
        chosen = rows[rows["order"] == order]
        draw_original(axes, chosen, cost)
        for network in DISCRETISED:
            draw_frontier(axes, chosen, network, cost)
            _draw_printed(axes, printed, network, order, cost)
            if cost is ENERGIES:
                _draw_other_convention(axes, chosen, network)
        cell = printed["original"][order]
        for dense_or_sparse in (cost.dense, cost.sparse):
            point = cell[dense_or_sparse], cell["test_error_percent"]
            axes.plot(*point, **their_mark(NETWORKS["original"].marker))
        what = "operations" if cost is OPERATIONS else "energy"
        letter(axes, name, f"{what}, {titles[order]}")
        axes.set_xlabel(cost.label)
    for axes in panels[:, 0]:
        plain_log(axes, "x")
    plain_log(panels[0, 0], "y")
    for axes in panels[:, 0]:
        axes.set_ylabel(f"{ERROR}, thesis split")
    handles = [series_handle(look) for look in NETWORKS.values()]
    handles += [
        skipped_handle(),
        start_handle(),
        series_handle(
            SERIES[3], published_label(dataset), **their_mark("o") | {"linestyle": PUBLISHED_LINE}
        ),
        series_handle(SERIES[3], "energy of 2 operations per non-zero message", **_OTHER),
        *seed_handles(rows, dots=True),
    ]
    legend_below(figure, handles, 3)
    return figure


def start_handle() -> Line2D:
    """Legend entry of the networks before their scales are optimised."""
    return series_handle(SERIES[3], "unoptimised ($k$ = 1)", marker="*", ms=7, ls="none")


def skipped_handle() -> Line2D:
    """Legend entry of the original network without the products of zeros."""
    return series_handle(NETWORKS["original"], "original, zeros skipped", mfc="white", ls="none")


_OTHER = {"marker": "", "linestyle": (0, (1.0, 1.0)), "linewidth": 0.9}


def selected(
    table: pd.DataFrame, protocol: str, part: str, granularity: str = "layerwise"
) -> pd.DataFrame:
    """Rows of one protocol, one part of the data and one kind of scales."""
    same = (table["protocol"] == protocol) & (table["part"] == part)
    return table[same & (table["granularity"] == granularity)]


def draw_frontier(
    axes: Axes, rows: pd.DataFrame, network: str, cost: Cost, look: Look | None = None
) -> None:
    """Error against cost over lambda, from the cheapest to the dearest; the start is a star."""
    look = look or NETWORKS[network]
    mine = rows[rows["network"] == network]
    optimised = mine[mine["setting"] == "optimized"]
    if not optimised.empty:
        style = {"at": cost.name, "joined": True, "markersize": 3.2}
        draw_mean_points(axes, optimised, "lambda", "error_percent", look, **style)
    start = mine[mine["setting"] == "unoptimized"]
    if not start.empty:
        mean = start[[cost.name, "error_percent"]].mean()
        axes.plot(*mean, "*", ms=7, color=look.colour, mec="white", mew=0.4, zorder=4)


def _draw_other_convention(axes: Axes, rows: pd.DataFrame, network: str) -> None:
    """The frontier with the energies that the code of the figure computes (2 nnz(s) fan-out)."""
    mine = rows[(rows["network"] == network) & (rows["setting"] == "optimized")]
    means = mine.groupby("lambda")[["energy_nonzero_nj", "error_percent"]].mean()
    axes.plot(*means.to_numpy().T, **{**_OTHER, "color": NETWORKS[network].colour})


def draw_original(axes: Axes, rows: pd.DataFrame, cost: Cost) -> None:
    """A line at the error of the trained network, and its dense and its sparse cost."""
    look = NETWORKS["original"]
    mine = rows[rows["network"] == "original"]
    if mine.empty:
        return
    error, low, high = over_seeds(mine, "network", "error_percent").loc[0, ["mean", "low", "high"]]
    axes.axhline(error, color=look.colour, lw=0.8, zorder=1)
    if np.isfinite(low):
        axes.axhspan(low, high, color=look.colour, alpha=0.12, lw=0, zorder=0)
    axes.plot(mine[cost.name].mean(), error, look.marker, color=look.colour, zorder=4)
    sparse = mine[cost.sparse].mean()
    axes.plot(sparse, error, look.marker, color=look.colour, mfc="white", zorder=4)


def _draw_printed(
    axes: Axes, printed: Mapping[str, Any], network: str, order: str, cost: Cost
) -> None:
    """Rows of table B.1: the lambdas joined by a line, the unoptimised network on its own."""
    cells = {row["id"]: row[network][order] for row in printed["rows"]}
    points = {name: (cell[cost.name], cell["test_error_percent"]) for name, cell in cells.items()}
    axes.plot(*points.pop("unoptimized"), **their_mark("*", 7.0))
    mark = their_mark(NETWORKS[network].marker)
    mark |= {"linestyle": PUBLISHED_LINE, "linewidth": 0.7}
    axes.plot(*zip(*points.values(), strict=True), **mark)


def their_mark(marker: str, size: float = 5.0) -> dict[str, Any]:
    """Drawing options of a published point, thin, so that many of them stay apart."""
    return {**published_marker(marker), "markersize": size, "markeredgewidth": 0.7}
