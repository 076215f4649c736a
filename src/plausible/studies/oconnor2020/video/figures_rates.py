"""O'Connor 2020, figures 5.8 and C.4: computation and change of layers against the frame rate."""

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
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
from plausible.studies.oconnor2020.video.tables import MATERIALS

CODED = Look("PD-coded network", BLUE, "o", "-")
PLAIN = Look("ordinary network", VERMILLION, "", "-")
STILL = {"color": GREY, "lw": 0.9, "ls": (0, (1.2, 1.2))}
SHALLOW_TO_DEEP = "plasma"


@in_style
def computation(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 5.8: operations of a frame against the frame rate, a thin line for each scene."""
    name, rows = nearest(table)
    moving = rows[rows["element"] == "rate"]
    figure = new_figure(SINGLE_COLUMN_MM, 68)
    axes = figure.subplots()
    for _, mine in moving.groupby("scene"):
        mine = mine.sort_values("rate_hz")
        axes.plot(mine["rate_hz"], mine["pd"] / 1e6, color=CODED.colour, lw=0.5, alpha=0.6)
    means = moving.groupby("every")[["rate_hz", "pd", "original"]].mean().sort_values("rate_hz")
    for look, column in ((CODED, "pd"), (PLAIN, "original")):
        axes.plot(
            means["rate_hz"],
            means[column] / 1e6,
            color=look.colour,
            marker=look.marker,
            ls=look.line,
        )
    axes.axhline(rows.loc[rows["element"] == "still", "pd"].mean() / 1e6, **STILL)
    plain_log(axes, "x")
    plain_log(axes, "y")
    axes.set(xlabel="frame rate (Hz)", ylabel="operations (10⁶ per frame)")
    axes.set_title(MATERIALS[name])
    still = Line2D([], [], label="PD-coded, still picture", **STILL)
    one = Line2D([], [], color=CODED.colour, lw=0.5, alpha=0.6, label="one scene")
    legend_below(figure, [series_handle(CODED), series_handle(PLAIN), one, still], 2)
    return figure


@in_style
def layer_change(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure C.4: relative change of each layer against the frame rate, shallow to deep."""
    name, rows = nearest(table)
    means = rows.groupby(["layer", "every"])[["rate_hz", "relative_change"]].mean().reset_index()
    layers = sorted(means["layer"].unique())
    norm = Normalize(0, 1.15 * max(layers))  # the palest colours are left out
    colours = matplotlib.colormaps[SHALLOW_TO_DEEP]
    figure = new_figure(DOUBLE_COLUMN_MM, 70)
    panels = figure.subplots(1, 2)
    for layer in layers:
        mine = means[means["layer"] == layer].sort_values("rate_hz")
        style = {"color": colours(norm(layer)), "lw": 1.0, "marker": "o", "ms": 2.5}
        panels[0].plot(mine["rate_hz"], mine["relative_change"], **style)
        share = mine["relative_change"] / mine["relative_change"].iloc[0]
        panels[1].plot(mine["rate_hz"], share, **style)
    for axes in panels:
        plain_log(axes, "x")
        axes.set_ylim(bottom=0.0)
        axes.set_xlabel("frame rate (Hz)")
    panels[0].set_ylabel("relative change")
    panels[1].set_ylabel("of that at the lowest rate")
    letter(panels[0], "a", MATERIALS[name])
    letter(panels[1], "b", "the same, from 1 at the lowest rate")
    shown = ScalarMappable(Normalize(0, max(layers)), _cut(colours))
    bar = figure.colorbar(shown, ax=list(panels), pad=0.015, aspect=28)
    bar.set_label("layer (0: pixels)")
    bar.locator = MaxNLocator(integer=True)
    bar.update_ticks()
    bar.outline.set_linewidth(0.5)
    return figure


def _cut(colours):
    """The part of a palette that is drawn."""
    values = colours(np.linspace(0.0, 1.0 / 1.15, 64))
    return matplotlib.colors.ListedColormap(values)
