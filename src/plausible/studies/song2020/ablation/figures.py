"""Song et al. 2020: the ablation of C1, C2 and C3 (figure 3, supplement figures 1 and 3)."""

from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.heat_maps import (
    Scale,
    colour_bar,
    cross_cells,
    draw_heat_map,
    frame_cell,
    frame_handle,
    is_dark,
    short_number,
    sign_handle,
)
from plausible.drawing.over_seeds import seed_handles
from plausible.drawing.style import (
    PUBLISHED_COLOUR,
    in_style,
    legend_below,
    letter,
    new_figure,
    published_label,
    published_mark,
    series_handle,
)
from plausible.measure.moments import moment_axis
from plausible.reproduction.published import Published
from plausible.studies.song2020.ablation.figures_sigma import draw_sigma, published_handle
from plausible.studies.song2020.looks import (
    QUANTITIES,
    TEST_ERROR,
    Quantity,
    cells_published,
    depth_look,
    grid_rows,
    networks_of,
    protocol_label,
    shown_protocol,
)
from plausible.studies.song2020.texts import ROUNDING, TOP_READING

GAMMAS = (0.01, 0.1, 0.5, 1.0, 5.0, 10.0)
# Numbers from here on are too long for the cells of figure 3; supplement figure 1 has them all.
LONGEST = 1e3
CELL_SIGNS = {"≫": (r"\gg", f"{LONGEST:g} and more"), "∞": (r"\infty", "beyond all numbers")}
"""Signs that stand for a number in a cell: mathtext and meaning."""


class Cells(NamedTuple):
    """One heat map: means over seeds, gamma downwards and t to the right; the diverged cells."""

    values: pd.DataFrame
    diverged: pd.DataFrame


def cells_of(rows: pd.DataFrame, l_max: int, column: str, like: pd.DataFrame) -> Cells:
    """Means over seeds of one network, on the axes of the published map and of our own cells.

    A mean that is not finite (weights that grew beyond all bounds) is infinite; a cell that was
    not run is NaN.
    """
    ours = rows[rows["l_max"] == l_max]
    measured = ours[column].fillna(np.inf)
    by_cell = ours.assign(measured=measured, gone=ours["diverged_epoch"] >= 0).groupby(
        ["gamma", "t"]
    )
    gammas = sorted({*like.index, *ours["gamma"], *(GAMMAS if like.empty else ())})
    times = moment_axis(l_max, [*like.columns, *ours["t"]])
    values = by_cell["measured"].mean().unstack().reindex(index=gammas, columns=times)
    diverged = by_cell["gone"].any().unstack().reindex(index=gammas, columns=times)
    return Cells(_named(values.astype(float)), _named(diverged.eq(True)))


def _named(cells: pd.DataFrame) -> pd.DataFrame:
    """The same cells, gamma as text."""
    return cells.set_axis([f"{gamma:g}" for gamma in cells.index], axis=0)


def _draw_cells(
    axes: Axes, cells: Cells, scale: Scale, texts: pd.DataFrame, named: bool = True
) -> None:
    """A heat map with its crosses and the frame around the cell that is exactly backprop."""
    draw_heat_map(axes, cells.values, scale, texts)
    crosses = zip(*np.nonzero(cells.diverged.to_numpy()), strict=True)
    cross_cells(axes, crosses, is_dark(cells.values, scale))
    gammas, times = list(cells.values.index), list(cells.values.columns)
    if "l" in times and "1" in gammas:
        frame_cell(axes, gammas.index("1"), times.index("l"))
    # Upright, the letter looks like the number one.
    axes.set_xticklabels([f"${name}$" if name == "l" else name for name in times])
    if named:
        axes.set_xlabel("$t$ of the weight update")


def _our_texts(values: pd.DataFrame, digits: int, exact: bool) -> pd.DataFrame:
    """Numbers of our cells; ``exact`` writes out rounding errors and long ones."""

    def text(value: float) -> str:
        if np.isnan(value):
            return ""
        if not exact and value < ROUNDING:
            return "0"
        if not exact and LONGEST <= value < np.inf:
            return "≫"
        return short_number(value, digits)

    return values.map(text)


def _their_texts(values: pd.DataFrame, quantity: Quantity, digits: int) -> pd.DataFrame:
    """Published numbers; those at the end of the colour scale are lower bounds."""

    def text(value: float) -> str:
        if np.isnan(value):
            return ""
        if value >= TOP_READING[quantity.published]:
            return f"≥{np.floor(value if quantity is TEST_ERROR else quantity.scale.top):.0f}"
        return short_number(value, digits)

    return values.map(text)


def _figure3(table: pd.DataFrame, published: Published, dataset: str, protocol: str) -> Figure:
    """Figure 3 of one protocol: two divergences, ours above published, and the sigma sweep."""
    rows = grid_rows(table, protocol)
    networks = networks_of(rows) or [2, 3, 4]
    figure = new_figure(height_mm=222)
    upper, lower = figure.subfigures(2, 1, height_ratios=(2.5, 1.0))
    kinds = ("ours0", "theirs0", "ours1", "theirs1")
    panels = upper.subplot_mosaic([[f"{kind}{l_max}" for l_max in networks] for kind in kinds])
    panels |= lower.subplot_mosaic([["sigma0", "sigma1"]])
    signs = set()
    for number, quantity in enumerate(QUANTITIES):
        for l_max in networks:
            like = cells_published(published, l_max, quantity)
            cells = cells_of(rows, l_max, quantity.column, like)
            ours, theirs = panels[f"ours{number}{l_max}"], panels[f"theirs{number}{l_max}"]
            texts = _our_texts(cells.values, 2, False)
            signs |= set(texts.stack())
            _draw_cells(ours, cells, quantity.scale, texts, named=False)
            same = _named(like).reindex_like(cells.values)
            texts = _their_texts(same, quantity, 2)
            _draw_cells(theirs, Cells(same, same.isna()), quantity.scale, texts)
            ours.set_xticks([])
            for axes, whose in (
                (ours, protocol_label(protocol)),
                (theirs, published_label(dataset)),
            ):
                if l_max == networks[0]:
                    axes.set_ylabel(f"{whose}\n" r"$\gamma$ (unitless)")
                else:
                    axes.set_yticks([])
            ours.set_title(f"$l_{{max}}$ = {l_max}")
        letter(panels[f"ours{number}{networks[0]}"], "ab"[number], f"$l_{{max}}$ = {networks[0]}")
        maps = [panels[f"{row}{number}{l_max}"] for row in ("ours", "theirs") for l_max in networks]
        colour_bar(upper, maps, quantity.scale, quantity.label)
        axes = panels[f"sigma{number}"]
        draw_sigma(axes, table, published, protocol, quantity, clipped=True)
        letter(axes, "cd"[number], "noise at $t$ = 0")
    handles = [
        *(series_handle(depth_look(l_max), lw=0.8) for l_max in networks),
        published_handle(dataset),
        frame_handle(r"$t$ = $l$ and $\gamma$ = 1: Z-IL, 0 up to rounding"),
        *(sign_handle(*CELL_SIGNS[sign]) for sign in CELL_SIGNS if sign in signs),
        *seed_handles(rows, dots=True),
    ]
    legend_below(figure, handles, 3)
    return figure


@in_style
def fig3(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 3 under the calibrated reading, or as coded where there is none."""
    protocol = shown_protocol(table, "calibrated", "as_coded_elsewhere")
    return _figure3(table, published, dataset, protocol)


@in_style
def fig3_as_coded_elsewhere(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Figure 3 under the settings of the sibling code."""
    return _figure3(table, published, dataset, shown_protocol(table, "as_coded_elsewhere"))


@in_style
def supp_fig1(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Supplement figure 1: heat maps of figure 3, ours and the published number in each cell."""
    protocol = shown_protocol(table, "calibrated", "as_coded_elsewhere")
    rows = grid_rows(table, protocol)
    networks = networks_of(rows) or [2, 3, 4]
    figure = new_figure(height_mm=22 + 74 * len(networks))
    grid = figure.subplots(len(networks), 2, squeeze=False)
    for column, quantity in enumerate(QUANTITIES):
        for row, l_max in enumerate(networks):
            axes = grid[row, column]
            like = cells_published(published, l_max, quantity)
            cells = cells_of(rows, l_max, quantity.column, like)
            ours = _our_texts(cells.values, 3, exact=True)
            theirs = _their_texts(_named(like), quantity, 3).reindex_like(ours).fillna("")
            _draw_cells(axes, cells, quantity.scale, ours + "\n(" + theirs + ")")
            letter(axes, "abcdef"[2 * row + column], f"$l_{{max}}$ = {l_max}")
            axes.set_ylabel(r"$\gamma$ (unitless)")
        label = quantity.label.replace("\n", " ")
        colour_bar(figure, grid[:, column], quantity.scale, label, location="top", aspect=40)
    handles = [
        sign_handle("1.5", f"ours, {protocol_label(protocol)}", 11.0),
        sign_handle("(1.5)", published_label(dataset), 17.0),
        frame_handle(r"$t$ = $l$ and $\gamma$ = 1: Z-IL"),
    ]
    legend_below(figure, handles, 4)
    return figure


# Mean test errors of the maps lie between that of backprop and chance.
ERROR_PERCENT = Scale("Blues", 90.0, (0, 5, 10, 20, 40, 90), linear_below=5.0)


@in_style
def supp_fig3(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Supplement figure 3: test error over t and gamma, mean over the epochs."""
    protocol = shown_protocol(table, "calibrated", "as_coded_elsewhere")
    rows = grid_rows(table, protocol)
    networks = networks_of(rows) or [2, 3, 4]
    figure = new_figure(height_mm=76)
    grid = figure.subplots(1, len(networks), squeeze=False)[0]
    baseline = table[(table["panel"] == "bp") & (table["protocol"] == protocol)]
    for number, (axes, l_max) in enumerate(zip(grid, networks, strict=True)):
        cells = cells_of(rows, l_max, "mean_test_error", pd.DataFrame())
        cells = cells._replace(values=100.0 * cells.values)
        texts = cells.values.map(_percent)
        _draw_cells(axes, cells, ERROR_PERCENT, texts)
        error = 100 * baseline.loc[baseline["l_max"] == l_max, "mean_test_error"].mean()
        note = f", backprop {error:.2f} %" if np.isfinite(error) else ""
        letter(axes, "abcdefgh"[number], f"$l_{{max}}$ = {l_max}{note}")
    grid[0].set_ylabel(r"$\gamma$ (unitless)")
    label = f"mean test error over the\nepochs (%), {protocol_label(protocol)}"
    bar = colour_bar(figure, grid, ERROR_PERCENT, label)
    printed = 100 * published.values("supp.table2")["test_error_fraction"]["sigma_0"]
    bar.ax.axhline(printed, color=PUBLISHED_COLOUR, lw=2.0)
    handles = [
        frame_handle(r"$t$ = $l$ and $\gamma$ = 1: Z-IL, equal to backprop"),
        published_mark(
            dataset, f"{published_label(dataset)}, backprop, $l_{{max}}$ not stated", "_"
        ),
    ]
    legend_below(figure, handles, 3)
    return figure


def _percent(value: float) -> str:
    if np.isnan(value):
        return ""
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
