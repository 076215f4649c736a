"""Beyond O'Connor 2020, section A.5: error spikes and changes of weights where quantizers reset."""

from collections.abc import Mapping
from string import ascii_lowercase
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.style import (
    BLUE,
    GREEN,
    VERMILLION,
    WORST_ABOVE,
    WORST_BELOW,
    Look,
    draw_line,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_label,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_learning.figures import (
    APART,
    BESIDE,
    error_axis,
    mark_beside,
    printed_rows,
)

LOOKS = {
    "none": Look("", BLUE, "o", "-"),
    "random": Look("", GREEN, "^", (0, (4.5, 1.5))),
    "zero": Look("", VERMILLION, "s", "-"),
}
"""What happens to the quantizers of errors at the start of a sample."""
LINEAR_BELOW = {"error_spikes": 0.1, "spikes": 0.1, "relative_change": 0.01}
"""Where an axis that also shows zero turns from linear to logarithmic."""


def layer_names(layers: int) -> dict[int, str]:
    """Name of every layer above the input, from 1 to ``layers``."""
    return {**{layer: f"hidden {layer}" for layer in range(1, layers)}, layers: "output"}


@in_style
def zero_reset_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error spikes of each layer; spikes below the output, change of its weights; test error.

    No means over seeds: with zero reset one network may learn and another one not. Weights of a
    hidden layer change where it has error spikes, and those of the output only if the last hidden
    layer spikes as well.
    """
    names = layer_names(int(table["layer"].max()))
    output = len(names)
    printed = printed_rows(published, "ch3.no_zero_reset")
    figure = new_figure(height_mm=112)
    upper, lower = figure.subplots(2, 3)
    for axes, layer in zip(upper, list(names)[-3:], strict=False):
        _draw_runs(axes, table[table["layer"] == layer], "error_spikes")
    shown = {"spikes": output - 1, "relative_change": output}
    for axes, (column, layer) in zip(lower, shown.items(), strict=False):
        rows = table[table["layer"] == layer]
        _draw_runs(axes, rows, column)
        _from_zero(axes, rows, column)
    for axes in upper:
        _from_zero(axes, table, "error_spikes")
    _draw_errors(lower[-1], table[table["layer"] == 1], printed)
    upper[0].set_ylabel("error spikes per sample")
    lower[0].set_ylabel("spikes per sample")
    lower[1].set_ylabel("relative change of weights")
    titles = [f"errors, {names[layer]}" for layer in list(names)[-3:]]
    titles += [f"spikes, {names[output - 1]}", f"weights to {names[output]}", "test, thesis split"]
    for axes, name, title in zip((*upper, *lower), ascii_lowercase, titles, strict=False):
        letter(axes, name, title)
        axes.set_xlabel("epoch")
    labels = {reset: f"{printed[reset]['label']}, one line a seed" for reset in LOOKS}
    handles = [series_handle(look, labels[reset]) for reset, look in LOOKS.items()]
    handles.append(published_mark(dataset, f"{published_label(dataset)}, one run"))
    legend_below(figure, handles, 2)
    return figure


def _draw_runs(axes: Axes, rows: pd.DataFrame, column: str, edge: float = WORST_BELOW) -> None:
    """One line for each reset and seed."""
    rows = rows[rows["epoch"] > 0]
    for reset, look in LOOKS.items():
        for _, run in rows[rows["reset"] == reset].groupby("seed"):
            data = pd.DataFrame({"epoch": run["epoch"], "mean": run[column], "low": np.nan})
            # A run that stays at zero lies on the edge of the panel.
            style = {"markersize": 2.4, "lw": 0.9, "clip_on": False}
            draw_line(axes, "epoch", data, look, edge=edge, **style)
    plain_log(axes, "x")


def _from_zero(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    """An axis from zero on, logarithmic but near zero."""
    linear, largest = LINEAR_BELOW[column], rows.loc[rows["epoch"] > 0, column].max()
    top = np.nanmax([1.5 * largest, 10 * linear])
    decades = np.arange(np.log10(linear), np.log10(top)).round().astype(int)
    ticks = [0.0, *(10.0**decade for decade in decades)]
    axes.set_yscale("symlog", linthresh=linear, linscale=0.5)
    axes.set_ylim(0.0, top)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([], minor=True)


def _draw_errors(axes: Axes, rows: pd.DataFrame, printed: Mapping[str, Any]) -> None:
    """Test errors by epoch, and those that the thesis prints at the right of the curves."""
    _draw_runs(axes, rows, "thesis_error_percent", WORST_ABOVE)
    for place, (reset, look) in enumerate(LOOKS.items()):
        mark = published_marker() | {"markeredgecolor": look.colour}
        # Two of them are nearly the same: beside each other.
        mark_beside(axes, printed[reset]["error_percent"], BESIDE + APART * (place % 2), **mark)
    errors = rows.loc[rows["epoch"] > 0, "thesis_error_percent"].tolist()
    found = pd.Series([*errors, *(row["error_percent"] for row in printed.values())])
    error_axis(axes, found, "test error (%)")
