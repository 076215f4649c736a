"""O'Connor 2020, section 4.6.2 and beyond: integers of a few bits, both test parts, the scales."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator

from plausible.drawing.over_seeds import draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    ORANGE,
    POSITIVE,
    PURPLE,
    SERIES,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    look_of,
    new_figure,
    plain_log,
    published_label,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch4_scales.figures import (
    ENERGIES,
    ERROR,
    KOPS,
    NETWORKS,
    OPERATIONS,
    Cost,
    draw_frontier,
    draw_original,
    selected,
    skipped_handle,
    start_handle,
    their_mark,
)
from plausible.studies.oconnor2020.ch4_scales.settings import ORDERS, READINGS, TENTH

LAYERS = ("input", "hidden layer 1", "hidden layer 2")
TEST_PARTS = {"thesis": "thesis split", "official": "official split"}
_UNITWISE = Look("a scale per unit", PURPLE, "v", (0, (1.2, 1.2)))
_DENSE_BITS = Look("integers of $b$ bits, dense", GREY, "X", (0, (6, 1.5, 1, 1.5)))
_SPARSE_BITS = Look("integers of $b$ bits, zeros skipped", ORANGE, "D", (0, (1.2, 1.2)))
_LABELLED_BITS = 3
_PARTS = {
    "thesis": Look(TEST_PARTS["thesis"], VERMILLION, "o", "-"),
    "official": Look(TEST_PARTS["official"], SKY, "o", (0, (4.5, 1.5))),
}
_ORIGINAL = {"ls": (0, (1.2, 1.2)), "lw": 0.8}
_UNOPTIMISED = {"color": GREY, "ls": "-", "lw": 0.6, "zorder": 0}
_TENTH = {
    ("as_coded", "layerwise"): look_of("as_coded")._replace(label="as coded, thesis split"),
    ("as_coded", TENTH): Look("as coded, a tenth of λ", SKY, "s", (0, (1.2, 1.2))),
    ("as_published", "layerwise"): look_of("as_published")._replace(
        label="as published, official split"
    ),
}
_SCALES = {
    ("as_coded", "layerwise"): look_of("as_coded")._replace(label="as coded (sum over the batch)"),
    ("as_published", "layerwise"): look_of("as_published")._replace(
        label="as published (mean over the batch)"
    ),
    ("as_coded", "unitwise"): _UNITWISE._replace(label="as coded, per unit (geometric mean)"),
}


@in_style
def quantisation_frontier(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Error against operations and energy: sigma-delta, rounding, integers of a few bits."""
    rows = selected(table, "as_coded", "official")
    units = selected(table, "as_coded", "official", "unitwise")
    figure = new_figure(height_mm=86)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, cost, name in zip(panels, (OPERATIONS, ENERGIES), "ab", strict=True):
        in_file, temporal = (rows[rows["order"] == order] for order in ORDERS)
        draw_original(axes, in_file, cost)
        draw_frontier(axes, in_file, "rounding", cost)
        draw_frontier(axes, temporal, "sigma_delta", cost)
        draw_frontier(axes, units[units["order"] == "temporal"], "sigma_delta", cost, _UNITWISE)
        _draw_bits(axes, in_file, cost)
        letter(axes, name, "operations" if cost is OPERATIONS else "energy")
        axes.set_xlabel(cost.label if cost is OPERATIONS else "energy (nJ per sample)")
        plain_log(axes, "x")
    plain_log(panels[0], "y")
    panels[0].set_ylabel(f"{ERROR}, {TEST_PARTS['official']}")
    handles = [
        series_handle(NETWORKS["original"], "original, 32 bits"),
        skipped_handle(),
        series_handle(NETWORKS["rounding"]),
        series_handle(NETWORKS["sigma_delta"], "sigma-delta, temporal order"),
        series_handle(_UNITWISE, "sigma-delta, a scale per unit"),
        *(series_handle(look) for look in (_DENSE_BITS, _SPARSE_BITS)),
        start_handle(),
    ]
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 3)
    return figure


@in_style
def official_split(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error and operations over lambda on both test parts, and the published values."""
    rows = table[(table["protocol"] == "as_coded") & (table["granularity"] == "layerwise")]
    figure = new_figure(height_mm=82)
    error, cost = figure.subplots(1, 2, sharex=True)
    printed = [row for row in published.values("table_b1")["rows"] if "lambda" in row]
    shown = (
        # Sigma-delta networks have the errors of rounding ones.
        (error, "error_percent", "test_error_percent", "rounding"),
        (cost, "kflops", "kflops", "rounding"),
        (cost, "kflops", "kflops", "sigma_delta"),
    )
    for part, look in _PARTS.items():
        tested = rows[rows["part"] == part]
        original = tested[tested["network"] == "original"]
        error.axhline(original["error_percent"].mean(), color=look.colour, **_ORIGINAL)
        chosen = tested[(tested["setting"] == "optimized") & (tested["order"] == "temporal")]
        for axes, value, _, network in shown:
            mine = chosen[chosen["network"] == network]
            shape = look._replace(marker=NETWORKS[network].marker)
            style = {"joined": True, "within": POSITIVE, "filled": network == "rounding"}
            draw_mean_points(axes, mine, "lambda", value, shape, **style)
    for axes, _, cell, network in shown:
        _draw_printed(axes, printed, network, "temporal", cell)
    for axes in (error, cost):
        _lambda_axis(axes)
        plain_log(axes, "y")
    letter(error, "a", "error of rounding")
    letter(cost, "b", "operations in temporal order")
    error.set_ylabel(ERROR)
    cost.set_ylabel(KOPS)
    theirs = published_label(dataset)
    handles = [
        *(series_handle(look) for look in _PARTS.values()),
        series_handle(SERIES[3], "rounding", marker="o", ls="none"),
        series_handle(SERIES[3], "sigma-delta", marker="^", mfc="white", ls="none"),
        series_handle(SERIES[3], f"{theirs}, rounding", **their_mark("o")),
        series_handle(SERIES[3], f"{theirs}, sigma-delta", **their_mark("^")),
        series_handle(SERIES[3], "original network", marker="", **_ORIGINAL),
    ]
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 4)
    return figure


def _draw_printed(
    axes: Axes, printed: Sequence[Mapping[str, Any]], network: str, order: str, cell: str
) -> None:
    """Cells of table B.1 over lambda, by the marker of their network."""
    points = [(row["lambda"], row[network][order][cell]) for row in printed]
    axes.plot(*zip(*points, strict=True), **their_mark(NETWORKS[network].marker))


def _lambda_axis(axes: Axes) -> None:
    axes.set_xscale("log")
    axes.set_xlabel(r"weight of the computation $\lambda$ (per addition)")


@in_style
def tenth_of_lambda(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error and operations of rounding over lambda: as coded, with a tenth of it, as published."""
    rows = table[(table["network"] == "rounding") & (table["order"] == "file")]
    rows = rows[rows["setting"] == "optimized"]
    printed = [row for row in published.values("table_b1")["rows"] if "lambda" in row]
    figure = new_figure(height_mm=78)
    panels = figure.subplots(1, 2, sharex=True)
    found = {}
    cells = (
        ("error_percent", "test_error_percent", ERROR, "error"),
        ("kflops", "kflops", KOPS, "operations"),
    )
    for axes, (column, cell, label, title), name in zip(panels, cells, "ab", strict=True):
        for (protocol, granularity), look in _TENTH.items():
            part = READINGS[protocol].test_part
            mine = selected(rows, protocol, part, granularity)
            if not mine.empty:
                style = {"joined": True, "within": POSITIVE}
                draw_mean_points(axes, mine, "lambda", column, look, **style)
                found[protocol, granularity] = series_handle(look)
        _draw_printed(axes, printed, "rounding", "file", cell)
        _lambda_axis(axes)
        plain_log(axes, "y")
        axes.set_ylabel(label)
        letter(axes, name, title)
    handles = list(found.values())
    handles.append(series_handle(SERIES[3], published_label(dataset), **their_mark("o")))
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 2)
    return figure


@in_style
def optimised_scales(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Scales of the three layers over lambda, in both readings and unitwise."""
    one = table[(table["network"] == "rounding") & (table["part"] == "thesis")]
    one = one[(one["setting"] == "optimized") & (one["order"] == "file")]
    figure = new_figure(height_mm=72)
    panels = figure.subplots(1, 3, sharex=True, sharey=True)
    for index, (axes, name) in enumerate(zip(panels, LAYERS, strict=True)):
        column = f"scale_{index}"
        for (protocol, granularity), look in _SCALES.items():
            same = (one["protocol"] == protocol) & (one["granularity"] == granularity)
            if column in one and same.any():
                style = {"joined": True, "within": POSITIVE}
                draw_mean_points(axes, one[same], "lambda", column, look, **style)
        axes.axhline(1.0, **_UNOPTIMISED)
        axes.set_xscale("log")
        axes.xaxis.set_major_locator(LogLocator(numticks=4))
        axes.set_xlabel(r"$\lambda$ (per addition)")
        letter(axes, "abc"[index], name)
    plain_log(panels[0], "y")
    panels[0].set_ylabel("scale $k$ (steps per unit)")
    handles = [series_handle(look) for look in _SCALES.values()]
    handles.append(series_handle(SERIES[3], "unoptimised ($k$ = 1)", marker="", **_UNOPTIMISED))
    legend_below(figure, [*handles, *seed_handles(one, dots=True)], 2)
    return figure


def _draw_bits(axes: Axes, rows: pd.DataFrame, cost: Cost) -> None:
    """The network in integers of a few bits, by its dense cost and by that without zeros."""
    mine = rows[rows["network"] == "quantised"]
    if mine.empty:
        return
    # Dense operations are as many for every width, so they would be one vertical line.
    series = [(_SPARSE_BITS, cost.sparse)]
    if cost is ENERGIES:
        series.insert(0, (_DENSE_BITS, cost.name))
    for look, column in series:
        style = {"at": column, "joined": True, "markersize": 3.2}
        draw_mean_points(axes, mine, "bits", "error_percent", look, **style)
    # The rightmost series has room on its right, and no other points there.
    means = mine.groupby("bits")[[series[0][1], "error_percent"]].mean()
    for bits, x, y in means.itertuples():
        if bits <= _LABELLED_BITS:
            axes.annotate(
                f"{bits:.0f} bits", (x, y), xytext=(5, 0), textcoords="offset points",
                ha="left", va="center", color=GREY, zorder=5,
            )  # fmt: skip
