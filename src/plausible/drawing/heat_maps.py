"""Heat maps with the look of this house: a number in every cell, one colour bar for many panels."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import seaborn
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from plausible.drawing.style import DIVERGED, LIGHT_GREY, VERMILLION

FRAME_WIDTH = 1.5
# Length of the linear part of a colour scale in decades of the logarithmic one.
LINEAR_SHARE = 0.3


class Scale(NamedTuple):
    """Colours of a quantity: a palette of one hue, which is safe for all kinds of colour blindness.

    Values above ``top`` have the colour of ``top``. ``linear_below`` makes the scale logarithmic
    above that value and linear below it, so that zero has a place.
    """

    palette: str
    top: float
    ticks: tuple[float, ...]
    linear_below: float | None = None
    bottom: float = 0.0

    def norm(self) -> Normalize:
        """Map from values to colours."""
        if self.linear_below is None:
            return Normalize(self.bottom, self.top, clip=True)
        return SymLogNorm(
            self.linear_below, linscale=LINEAR_SHARE, vmin=self.bottom, vmax=self.top, clip=True
        )


def short_number(value: float, digits: int = 2) -> str:
    """Number of few characters for a cell, as 13, 9.5, .28, 0, 2e−13; ``∞`` if it is not finite."""
    if not np.isfinite(value):
        return "∞"
    if value == 0:
        return "0"
    value = float(f"{value:.{digits - 1}e}")
    if abs(value) < 10.0**-digits / 2 or abs(value) >= 10.0 ** max(digits, 3):
        mantissa, exponent = f"{value:.0e}".split("e")
        return f"{mantissa}e{int(exponent)}".replace("-", "−")
    whole = int(np.floor(np.log10(abs(value)))) + 1
    text = f"{value:.{max(0, digits - max(whole, 0))}f}"
    return text.replace("0.", ".", 1) if text.startswith("0.") else text


def draw_heat_map(
    axes: Axes,
    values: pd.DataFrame,
    scale: Scale,
    texts: pd.DataFrame | None = None,
) -> None:
    """Cells of a table (rows downwards, columns to the right), ``texts`` written into them.

    A cell without a value (NaN) is grey; one that is infinite has the colour of the top.
    """
    axes.set_facecolor(LIGHT_GREY)
    seaborn.heatmap(
        values.clip(upper=scale.top),
        ax=axes,
        cmap=scale.palette,
        norm=scale.norm(),
        cbar=False,
        annot=texts if texts is None else texts.to_numpy(),
        fmt="",
        annot_kws={"size": 7.0, "linespacing": 1.05},
        linewidths=0.4,
        linecolor="white",
        xticklabels=False,
        yticklabels=False,
    )
    axes.set_xticks(np.arange(values.shape[1]) + 0.5, [str(name) for name in values.columns])
    axes.set_yticks(
        np.arange(values.shape[0]) + 0.5, [str(name) for name in values.index], rotation=0
    )
    axes.tick_params(length=0)
    axes.set(xlabel="", ylabel="")


def frame_cell(axes: Axes, row: int, column: int) -> None:
    """A thick frame around one cell."""
    axes.add_patch(
        Rectangle(
            (column, row),
            1,
            1,
            fill=False,
            edgecolor=VERMILLION,
            linewidth=FRAME_WIDTH,
            clip_on=False,
            zorder=4,
        )
    )


def frame_handle(label: str) -> Patch:
    """Legend entry of such a frame."""
    return Patch(fill=False, edgecolor=VERMILLION, linewidth=FRAME_WIDTH, label=label)


def sign_handle(sign: str, label: str, width: float = 7.0) -> Line2D:
    """Legend entry of a sign (in mathtext, ``width`` points wide) that stands in cells."""
    look = {"marker": f"${sign}$", "ms": width, "mew": 0.1}
    return Line2D([], [], color="black", ls="none", label=label, **look)


def cross_cells(axes: Axes, cells: Iterable[tuple[int, int]], dark: pd.DataFrame) -> None:
    """A small cross in the corner of cells (row, column) whose run diverged.

    ``dark`` tells for every cell whether its colour is dark, so that the cross is white there.
    """
    cells = list(cells)
    for colour, wanted in (("white", True), ("black", False)):
        chosen = [(row, column) for row, column in cells if bool(dark.iloc[row, column]) is wanted]
        if chosen:
            rows, columns = np.array(chosen, dtype=float).T
            axes.plot(
                columns + 0.87,
                rows + 0.15,
                marker="x",
                markersize=2.0,
                markeredgewidth=0.6,
                color=colour,
                linestyle="none",
                gid=DIVERGED,
            )


def is_dark(values: pd.DataFrame, scale: Scale) -> pd.DataFrame:
    """Whether the colour of a cell is darker than middle grey."""
    norm = scale.norm()
    share = np.nan_to_num(np.asarray(norm(values.clip(upper=scale.top).to_numpy(dtype=float))))
    return pd.DataFrame(share > 0.6, index=values.index, columns=values.columns)


def colour_bar(
    figure: Figure, panels: Sequence[Axes], scale: Scale, label: str, **options: object
) -> Colorbar:
    """Colour bar of a scale beside its panels."""
    bar = figure.colorbar(
        ScalarMappable(scale.norm(), scale.palette),
        ax=list(panels),
        extend="max",
        **{"aspect": 28, "pad": 0.015, **options},
    )
    bar.set_ticks(list(scale.ticks), labels=[f"{tick:g}" for tick in scale.ticks])
    bar.ax.minorticks_off()
    bar.set_label(label)
    bar.outline.set_linewidth(0.5)
    return bar
