"""Picture of how large the violation of each condition may be."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import seed_handles
from plausible.drawing.style import (
    LIGHT_GREY,
    SERIES,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    published_label,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import (
    PUBLISHED_EPOCHS,
    QUANTITIES,
    TEST_ERROR,
    Quantity,
    cells_published,
    depth_look,
    draw_divergence,
    grid_rows,
    networks_of,
    power_ticks,
    protocol_label,
    shown_protocol,
    sigma_published,
    sigma_rows,
    zero_and_log,
)

# A test error that differs by less than this on average is taken as unharmed.
HARMLESS_POINTS = 1.0


@in_style
def conditions(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Both divergences against the size of the violation of C1 (sigma), C2 (t) and C3 (gamma)."""
    protocol = shown_protocol(table, "calibrated", "as_coded_elsewhere")
    figure = new_figure(height_mm=132)
    panels = figure.subplots(2, 3, sharex="col", sharey="row")
    grid = grid_rows(table, protocol)
    noise = sigma_rows(table, protocol, "initial")
    networks = networks_of(pd.concat([grid, noise])) or [2, 3, 4]
    for row, quantity in enumerate(QUANTITIES):
        for l_max in networks:
            _draw_violations(panels[row], grid, noise, l_max, quantity)
            _draw_their_violations(panels[row], published, l_max, quantity)
        theirs = sigma_published(published, quantity)
        factor = 100.0 / PUBLISHED_EPOCHS if quantity is TEST_ERROR else 1.0
        panels[row, 0].plot(theirs.index, factor * theirs, **_their_mark("D"))
    for column, (title, label) in enumerate(
        (
            ("C1: start", r"noise $\sigma$ at $t$ = 0 (unitless)"),
            (r"C2: moment, $\gamma$ = 1", "mean |$t$ − $l$| (steps), early: < 0"),
            ("C3: step, $t$ = $l$", r"step size $\gamma$ (unitless)"),
        )
    ):
        for row, letters in enumerate(("abc", "def")):
            letter(panels[row, column], letters[column], title)
        panels[1, column].set_xlabel(label)
    zero_and_log(panels[0, 0], "x", 1e-4, [0.0, 1e-3, 0.1, 10.0])
    zero_and_log(panels[0, 1], "x", 1.0, [-1.0, 0.0, 1.0, 4.0, 16.0, 64.0])
    panels[0, 1].set_xlim(right=80.0)
    plain_log(panels[0, 2], "x", [0.01, 0.1, 1.0, 10.0])
    panels[0, 2].set_xlim(0.008, 12.5)
    zero_and_log(panels[0, 0], "y", 1e-3, [0.0, *power_ticks(1e-3, 100.0)])
    zero_and_log(panels[1, 0], "y", 1e-2, [0.0, *power_ticks(1e-2, 1e4, 2)])
    panels[0, 0].set_ylim(-3e-4, 100.0)
    panels[1, 0].set_ylim(-3e-3, 3e4)
    panels[0, 0].set_ylabel("difference of test error\n(percentage points, mean of epochs)")
    panels[1, 0].set_ylabel(QUANTITIES[1].label)
    for axes in panels[0]:
        axes.axhspan(0.0, HARMLESS_POINTS, color=LIGHT_GREY, lw=0, zorder=0)
    note = published_label(dataset)
    handles = [
        *(series_handle(depth_look(l_max), lw=0.9) for l_max in networks),
        series_handle(SERIES[3], f"ours, {protocol_label(protocol)}", marker="o", ls="-", lw=0.9),
        series_handle(SERIES[3], f"{note}, by $l_{{max}}$", **_their_mark("o")),
        series_handle(SERIES[3], f"{note}, $l_{{max}}$ not stated", **_their_mark("D")),
        patch_handle(LIGHT_GREY, f"below {HARMLESS_POINTS:g} point", 1.0),
        *seed_handles(grid, dots=True),
    ]
    legend_below(figure, handles, 4)
    return figure


def _their_mark(marker: str) -> dict:
    return {**published_marker(marker), "markersize": 4.0, "markeredgewidth": 0.8}


def _measured(rows: pd.DataFrame, quantity: Quantity) -> pd.Series:
    """Difference of test error in percentage points, or divergence of weights."""
    if quantity is TEST_ERROR:
        return 100.0 * rows["test_error_divergence_mean"]
    return rows[quantity.column].replace(np.inf, np.nan)


def moment_distance(times: pd.Series, l_max: int) -> pd.Series:
    """Mean over the matrices of abs(t - l) for one moment t for all, negative where t is early.

    The matrices' own moments are l = 0 .. l_max - 1; at ``l`` itself there is no distance.
    """
    own = np.arange(l_max)
    numbers = pd.to_numeric(times.where(times != "l")).to_numpy(dtype=float)
    size = np.abs(numbers[:, None] - own).mean(axis=1)
    signed = np.where(numbers < own.mean(), -size, size)
    return pd.Series(np.nan_to_num(signed), index=times.index)


def _draw_violations(
    panels: Sequence[Axes], grid: pd.DataFrame, noise: pd.DataFrame, l_max: int, quantity: Quantity
) -> None:
    """One network's curves of the three conditions, each with the other two satisfied."""
    look = depth_look(l_max)
    fixed_gamma = grid[(grid["l_max"] == l_max) & (grid["gamma"] == 1.0)]
    at_l = grid[(grid["l_max"] == l_max) & (grid["t"] == "l")]
    noisy = noise[noise["l_max"] == l_max]
    for axes, rows, x in (
        (panels[0], noisy, noisy["sigma"]),
        (panels[1], fixed_gamma, moment_distance(fixed_gamma["t"], l_max)),
        (panels[2], at_l, at_l["gamma"]),
    ):
        if rows.empty:
            continue
        rows = rows.assign(x=x, y=_measured(rows, quantity))
        draw_divergence(axes, rows, "x", "y", look)


def _draw_their_violations(
    panels: Sequence[Axes], published: Published, l_max: int, quantity: Quantity
) -> None:
    """Recovered cells of the row gamma = 1 and of the column t = l."""
    cells = cells_published(published, l_max, quantity)
    if cells.empty:
        return
    if quantity is TEST_ERROR:
        cells = 100.0 * cells / PUBLISHED_EPOCHS
    mark = _their_mark(depth_look(l_max).marker)
    times = pd.Series(cells.columns)
    panels[1].plot(moment_distance(times, l_max), cells.loc[1.0], **mark)
    panels[2].plot(cells.index, cells["l"], **mark)
