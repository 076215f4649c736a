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
from plausible.studies.oconnor2020.ch3_learning.figures import error_axis, printed_rows

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
    """Error spikes of each layer and change of the weights to it; spikes; test error; single runs.

    No means over seeds: with zero reset one network may learn and another one not. The spikes are
    those of the last hidden layer, without which the weights to the output cannot change.
    """
    names = layer_names(int(table["layer"].max()))
    printed = printed_rows(published, "ch3.no_zero_reset")
    hidden = table[table["layer"] == len(names) - 1]
    figure = new_figure(height_mm=112)
    upper, lower = figure.subplots(2, len(names) + 1)
    titles = [f"errors, {name}" for name in names.values()]
    titles += [f"spikes, {names[len(names) - 1]}"]
    titles += [f"weights to {name}" for name in names.values()] + ["test, thesis split"]
    for line, column in ((upper, "error_spikes"), (lower, "relative_change")):
        for axes, layer in zip(line, names, strict=False):
            _draw_runs(axes, table[table["layer"] == layer], column)
        _from_zero(line[:-1], table, column)
    _draw_runs(upper[-1], hidden, "spikes")
    _from_zero(upper[-1:], hidden, "spikes")
    _draw_errors(lower[-1], table[table["layer"] == 1], printed)
    upper[0].set_ylabel("error spikes per sample")
    upper[-1].set_ylabel("spikes per sample")
    lower[0].set_ylabel("relative change of weights")
    for axes, name, title in zip((*upper, *lower), ascii_lowercase, titles, strict=False):
        letter(axes, name, title)
        axes.set_xlabel("epoch" if axes in lower else "")
    labels = {reset: f"{printed[reset]['label']}, one line a seed" for reset in LOOKS}
    handles = [series_handle(look, labels[reset]) for reset, look in LOOKS.items()]
    handles.append(published_mark(dataset, f"{published_label(dataset)}, one run"))
    legend_below(figure, handles, 2)
    return figure


def _draw_runs(axes: Axes, rows: pd.DataFrame, column: str) -> None:
    """One line for each reset and seed."""
    rows = rows[rows["epoch"] > 0]
    for reset, look in LOOKS.items():
        for _, run in rows[rows["reset"] == reset].groupby("seed"):
            data = pd.DataFrame({"epoch": run["epoch"], "mean": run[column], "low": np.nan})
            # A run that stays at zero lies on the edge of the panel.
            draw_line(axes, "epoch", data, look, markersize=2.4, lw=0.9, clip_on=False)
    plain_log(axes, "x")


def _from_zero(panels: np.ndarray, rows: pd.DataFrame, column: str) -> None:
    """The same axis from zero on in all panels, logarithmic but near zero."""
    linear, largest = LINEAR_BELOW[column], rows.loc[rows["epoch"] > 0, column].max()
    top = np.nanmax([1.5 * largest, 10 * linear])
    decades = np.arange(np.log10(linear), np.log10(top)).round().astype(int)
    ticks = [0.0, *(10.0**decade for decade in decades)]
    for position, axes in enumerate(panels):
        axes.set_yscale("symlog", linthresh=linear, linscale=0.5)
        axes.set_ylim(0.0, top)
        axes.set_yticks(ticks, [f"{tick:g}" if position == 0 else "" for tick in ticks])
        axes.set_yticks([], minor=True)


def _draw_errors(axes: Axes, rows: pd.DataFrame, printed: Mapping[str, Any]) -> None:
    """Test errors by epoch, and those that the thesis prints at the right of the curves."""
    _draw_runs(axes, rows, "thesis_error_percent")
    last = rows["epoch"].max()
    for reset, look in LOOKS.items():
        mark = published_marker() | {"markeredgecolor": look.colour}
        axes.plot(1.35 * last, printed[reset]["error_percent"], **mark)
    axes.set_xlim(right=1.2 * 1.35 * last)
    plain_log(axes, "x")
    _end_at(axes, last)
    errors = rows.loc[rows["epoch"] > 0, "thesis_error_percent"].tolist()
    error_axis(axes, pd.Series([*errors, *(row["error_percent"] for row in printed.values())]))


def _end_at(axes: Axes, last: float) -> None:
    """No tick and no line of the horizontal axis where the training has ended."""
    first, right = axes.get_xlim()
    for minor in (False, True):
        ticks = axes.get_xticks(minor=minor)
        axes.set_xticks([tick for tick in ticks if first <= tick <= last], minor=minor)
    axes.set_xlim(first, right)
    axes.spines["bottom"].set_bounds(first, last)
