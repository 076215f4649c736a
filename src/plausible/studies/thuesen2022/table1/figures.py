"""Pictures of table 1 and of the first training images."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from plausible.drawing.over_seeds import (
    FEWEST,
    draw_mean_points,
    fall_apart,
    over_seeds,
    seed_handles,
)
from plausible.drawing.style import (
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SINGLE_COLUMN_MM,
    Look,
    in_style,
    legend_below,
    new_figure,
    pad_limits,
    patch_handle,
    protocol_handles,
    protocols_in,
    published_label,
    published_mark,
)
from plausible.reproduction.published import Published
from plausible.studies.thuesen2022.pictures import each_protocol, note_at_edge
from plausible.studies.thuesen2022.table1.printed import ACCURACY, printed_rows, row_label


@in_style
def fig4(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """First ten training images."""
    images, columns = table["image"].nunique(), 5
    rows = -(-images // columns)
    figure = new_figure(SINGLE_COLUMN_MM, 14 + 21 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, (_, one) in zip(grid.flat, table.groupby("image"), strict=False):
        pixels = one.pivot(index="row", columns="column", values="intensity_fraction")
        shown = axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(f"label {one['label'].iloc[0]}", loc="center", pad=2)
    bar = figure.colorbar(shown, ax=grid, orientation="horizontal", aspect=40, pad=0.03)
    bar.set_label("intensity (fraction of white)")
    bar.outline.set_linewidth(0.5)
    return figure


@in_style
def table1_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table 1 as a picture: accuracy of every row and protocol, intervals over seeds."""
    figure = new_figure(height_mm=104)
    axes = figure.subplots()
    printed = printed_rows(published).set_index("row")
    rows = list(printed.index)
    low, high = _accuracy_limits(printed[ACCURACY], table)
    for row in rows:
        value = printed.loc[row, ACCURACY]
        axes.vlines(value, row - 0.4, row + 0.4, color=PUBLISHED_COLOUR, lw=1.3, zorder=4)
        if dataset == "mnist":
            place = f"rows.{printed.loc[row, 'id']}.{ACCURACY}"
            width = published.number("table1", place).resolution.delta
            axes.add_patch(
                Rectangle((value - width, row - 0.4), 2 * width, 0.8, fc=LIGHT_GREY, lw=0, zorder=0)
            )
        if row != rows[-1]:
            axes.axhline(row + 0.5, color=LIGHT_GREY, lw=0.5, zorder=0)
        for look, ours, aside in each_protocol(table):
            ours = ours[ours["row"] == row].assign(y=row + 0.24 * aside)
            _accuracy_point(axes, ours, look, low)
    axes.set_yticks(rows, [f"{row}  {row_label(printed.loc[row])}" for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(rows[-1] + 0.5, rows[0] - 0.5)
    axes.set_xlim(low, high)
    axes.set(xlabel="test accuracy (%)", ylabel="row of table 1")
    label = published_label(dataset).replace("published", "published value")
    mark = published_mark(dataset, label, marker="|")
    handles = protocol_handles(protocols_in(table), ls="none")
    handles += [*seed_handles(table, dots=True, horizontal=True), mark]
    if dataset == "mnist":
        handles.append(patch_handle(LIGHT_GREY, "published ± resolution", 1.0))
    legend_below(figure, handles, 4)
    return figure


def _accuracy_limits(printed: pd.Series, table: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold the published values and all of ours that are not far off."""
    table = table.assign(at=table["row"].astype(str) + table["protocol"])
    data = over_seeds(table, "at", ACCURACY)
    floor = min(printed.min() - 6.0, np.nan_to_num(data["mean"].median()) - 20.0)
    near = data[data["mean"] > floor]
    runs = table[table["at"].isin(near["at"])]
    few = runs.groupby("at")[ACCURACY].transform("size") < FEWEST
    apart = {at for at, own in table.groupby("at") if fall_apart(own, "at", ACCURACY)}
    single = runs.loc[few | runs["at"].isin(apart), ACCURACY]
    shown = [*printed, *near["mean"], *near["low"], *near["high"], *single]
    low, high = pad_limits(shown, 0.04, 0.3)
    return low, min(high, 100.0)


def _accuracy_point(axes: Axes, rows: pd.DataFrame, look: Look, low: float) -> None:
    """One mean over seeds; an arrow with the number where it lies left of the axis."""
    if rows.empty:
        return
    mean = rows[ACCURACY].mean(skipna=False)
    if np.isfinite(mean) and mean >= low:
        draw_mean_points(axes, rows, "y", ACCURACY, look, horizontal=True)
        return
    text = f"{mean:.1f}" if np.isfinite(mean) else "diverged"
    style = {"va": "center", "color": look.colour}
    note_at_edge(axes, f"◂ {text}", 0.0, rows["y"].iloc[0], (3, 0), **style)
