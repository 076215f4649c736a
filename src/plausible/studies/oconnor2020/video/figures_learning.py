"""O'Connor 2020, figure 5.7: top layers that learn labelled clips, PD-coded and ordinary."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREY,
    SINGLE_COLUMN_MM,
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
from plausible.studies.oconnor2020.video.figures import nearest
from plausible.studies.oconnor2020.video.tables import MATERIALS, materials

NETWORKS = {
    "pdnn": Look("PD-coded network", BLUE, "", "-"),
    "mlp": Look("ordinary network", VERMILLION, "", (0, (4.5, 1.5))),
}
SMOOTHED = 20
"""Frames of a moving mean of the loss."""


@in_style
def curves(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.7: score on the test clips against epochs, and against energy."""
    name = materials(table)[0]
    rows = table[table["material"] == name]
    figure = new_figure(height_mm=66)
    panels = figure.subplots(1, 2, sharey=True)
    chance = 100.0 / rows["classes"].iloc[0]
    for axes, column in zip(panels, ("epoch", "energy_mj"), strict=True):
        for network, look in NETWORKS.items():
            mine = rows[rows["network"] == network]
            mine = mine[mine[column] > 0] if column == "energy_mj" else mine
            draw_mean_line(axes, mine, "epoch", "test_score_percent", look, at=column)
        axes.axhline(chance, color=GREY, lw=0.7, ls=(0, (1.2, 1.2)), zorder=0)
    panels[0].set(xlabel="epoch", ylabel="score on test clips (%)", ylim=(0.0, 103.0))
    panels[0].xaxis.set_major_locator(MaxNLocator(integer=True))
    panels[1].set_xlabel("energy of the training (mJ)")
    plain_log(panels[1], "x")
    letter(panels[0], "a", MATERIALS[name])
    letter(panels[1], "b", "trunk and top layers")
    handles = [series_handle(look) for look in NETWORKS.values()]
    guess = series_handle(Look("guessing", GREY, "", (0, (1.2, 1.2))), linewidth=0.7)
    legend_below(figure, [*handles, guess, *seed_handles(rows)], 4)
    return figure


@in_style
def end_to_end(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Section 5.4.2: training loss when all layers learn with PD codes."""
    name, _ = nearest(table)
    rows = table[table["material"] == name]
    figure = new_figure(SINGLE_COLUMN_MM, 56)
    axes = figure.subplots()
    _draw_losses(axes, rows)
    axes.set(xlabel="frame", ylabel="training loss (nats)", ylim=(0.0, None))
    axes.set_title(MATERIALS[name])
    label = f"mean of {SMOOTHED} frames, each seed"
    handles = [series_handle(Look(label, BLUE, "", "-"), linewidth=1.1)]
    if rows["seed"].nunique() == 1:
        handles.append(series_handle(Look("each frame", GREY, "", "-"), linewidth=0.4))
    legend_below(figure, handles)
    return figure


def _draw_losses(axes: Axes, rows: pd.DataFrame) -> None:
    """A moving mean of each seed, and its frames in grey where there is one."""
    for _, mine in rows.groupby("seed"):
        mine = mine.sort_values("step")
        if rows["seed"].nunique() == 1:
            axes.plot(mine["step"], mine["loss"], color=GREY, lw=0.4)
        mean = mine["loss"].rolling(SMOOTHED, min_periods=SMOOTHED).mean()
        axes.plot(mine["step"], mean, color=BLUE, lw=1.1)
