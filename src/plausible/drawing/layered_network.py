"""Drawing of a layered network whose units are the darker, the higher their states."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from plausible.drawing.style import BLUE, GREEN, GREY, VERMILLION

SPACING = 1.6
"""Between layers, in units of the distance of two units of one layer."""


def draw_layers(
    axes: Axes, rows: pd.DataFrame, targets: bool = False, arrows: str | None = None
) -> None:
    """Units layer by layer from the input (layer 0, squares) up, every layer joined to the next.

    ``rows`` hold layer, unit, state and, for outputs, target: with ``targets`` these stand above,
    with an arrow. ``arrows``: the style of connections that have a direction, such as ``-|>``.
    """
    layers = [part.sort_values("unit") for _, part in rows.groupby("layer")]
    places = [
        [(number - (len(part) - 1) / 2, SPACING * level) for number in range(len(part))]
        for level, part in enumerate(layers)
    ]
    for low, high in zip(places, places[1:], strict=False):
        _join(axes, low, high, arrows)
    for level, (part, spots) in enumerate(zip(layers, places, strict=True)):
        edge = GREY if level == 0 else BLUE if level < len(layers) - 1 else VERMILLION
        for (x, y), state, target in zip(spots, part["state"], part["target"], strict=True):
            shade = 1.0 - 0.75 * float(np.clip(state, 0, 1))
            axes.plot(
                x, y, marker="s" if level == 0 else "o", ms=8, mec=edge, mew=1.0,
                mfc=(shade, shade, shade), ls="none", zorder=3,
            )  # fmt: skip
            if targets and level == len(layers) - 1:
                arrow = {"arrowstyle": "<-", "color": GREEN, "lw": 1.0}
                axes.annotate(
                    f"{target:.0f}", (x, y + 0.28), (x, y + 1.0), ha="center", va="bottom",
                    color=GREEN, arrowprops=arrow,
                )  # fmt: skip
    axes.set_axis_off()
    axes.set_ylim(-0.6, SPACING * (len(layers) - 1) + 1.8)
    axes.margins(x=0.1)


def _join(axes: Axes, low: Sequence, high: Sequence, arrows: str | None) -> None:
    for x, y in low:
        for other, above in high:
            if arrows is None:
                axes.plot([x, other], [y, above], color=GREY, lw=0.35, alpha=0.6, zorder=1)
            else:
                style = {"arrowstyle": arrows, "color": GREY, "lw": 0.35, "alpha": 0.8}
                style |= {"shrinkA": 5, "shrinkB": 5, "mutation_scale": 4}
                axes.annotate("", (other, above), (x, y), arrowprops=style, zorder=1)


def layer_handles() -> list[Line2D]:
    """Legend entries of such a drawing."""
    shade = {"color": GREY, "marker": "o", "ms": 6, "ls": "none"}
    arrow = {"color": GREEN, "marker": r"$\uparrow$", "ms": 7, "ls": "none"}
    return [
        Line2D([], [], label="unit: the darker, the higher its state", **shade),
        Line2D([], [], color=GREY, lw=0.7, label="symmetric connection"),
        Line2D([], [], label="pull to the target", **arrow),
    ]
