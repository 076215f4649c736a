"""Networks that are initialised and send bits, beyond O'Connor 2020, chapters 7 and 8."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published

DASHED = (0, (4.5, 1.5))
SHORT = {
    "real_zero": Look("real numbers, from zero", SKY, "D", DASHED),
    "real_forward": Look("real numbers, from $s_f$", BLUE, "o", "-"),
    "bits_zero": Look("bits, from zero", ORANGE, "s", DASHED),
    "bits_told": Look("bits, from zero, input known", GREEN, "^", (0, (1.2, 1.2))),
    "bits_forward": Look("bits, from $s_f$, input known", VERMILLION, "v", "-"),
}
LONG = {f"{run}_long": look for run, look in SHORT.items() if run.startswith("bits")}
STARTED = (
    ("real_forward", "real_forward_free", Look("real numbers", BLUE, "o", "-")),
    ("bits_forward", "bits_forward_free", Look("bits", VERMILLION, "v", "-")),
    ("bits_forward_long", "bits_forward_free_long", Look("bits, 100 + 50", PURPLE, "P", "-")),
)


def _places(table: pd.DataFrame) -> pd.DataFrame:
    """The table with ``place``, at which equal distances stand for the numbers of steps."""
    steps = sorted({0, *table["steps"]})
    return table.assign(place=table["steps"].map(steps.index))


def _panel(axes: Axes, table: pd.DataFrame, looks: Mapping[str, Look], mark: str, title: str):
    for run, look in looks.items():
        draw_mean_line(axes, table[table["run"] == run], "place", "test_error_percent", look)
    _finish(axes, table, mark, title)


def _finish(axes: Axes, table: pd.DataFrame, mark: str, title: str) -> None:
    ticks = table[["place", "steps"]].drop_duplicates().sort_values("place")
    axes.set_xticks(ticks["place"], [f"{steps:g}" for steps in ticks["steps"]])
    axes.set_xlim(-0.4, ticks["place"].max() + 0.4)
    plain_log(axes, "y")
    axes.set_xlabel("settling steps (0: $s_f$ alone)")
    letter(axes, mark, title)


@in_style
def initialised_and_spiking(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Test error against settling steps, from zero and from s_f, by bits and by real numbers."""
    rows = _places(table)
    epochs = f"{rows['epochs'].max():g} epochs"
    figure = new_figure(height_mm=84)
    panels = figure.subplots(1, 3, sharey=True)
    _panel(panels[0], rows, SHORT, "a", "trained with 20 + 4 steps")
    _panel(panels[1], rows, LONG, "b", "trained with 100 + 50 steps")
    for pulled, free, look in STARTED:
        for run, line in ((pulled, "-"), (free, DASHED)):
            mine = look._replace(line=line)
            draw_mean_line(panels[2], rows[rows["run"] == run], "place", "test_error_percent", mine)
    _finish(panels[2], rows, "c", "from $s_f$, with and without λ")
    panels[0].set_ylabel(f"test error after {epochs} (%)")
    handles = [series_handle(look) for look in SHORT.values()]
    handles += [
        series_handle(STARTED[2][2], "c: bits, trained with 100 + 50"),
        series_handle(Look("c: λ = 0", BLUE, "o", DASHED)),
    ]
    legend_below(figure, [*handles, *seed_handles(rows)], 3)
    return figure
