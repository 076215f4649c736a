"""Trials of a search in parallel coordinates: one vertical axis for each parameter."""

from collections.abc import Collection, Mapping

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize

SHADES = 12
"""Of the lines; those of one shade are one path in the file."""


def draw_parallel(
    axes: Axes,
    rows: pd.DataFrame,
    names: Mapping[str, str],
    logarithmic: Collection[str],
    colours: Normalize,
) -> None:
    """One line for each row over the columns ``names`` that it has, each axis over its own range.

    Lines are coloured by the column ``error``, for which ``colours`` gives shares from 0 to 1; the
    row with the least one is dashed. Axes of ``logarithmic`` columns are so.
    """
    columns = [name for name in names if name in rows and rows[name].notna().all()]
    shares = []
    for place, name in enumerate(columns):
        values = np.log10(rows[name]) if name in logarithmic else rows[name].astype(float)
        low, high = values.min(), values.max()
        shares.append((values - low) / (high - low if high > low else 1.0))
        axes.plot([place, place], [0.0, 1.0], color="black", lw=0.6, zorder=1)
        for at, end, edge in ((0.0, "min", "top"), (1.0, "max", "bottom")):
            text = f"{getattr(rows[name], end)():.3g}"
            shift = -0.03 if edge == "top" else 0.03
            axes.text(place, at + shift, text, ha="center", va=edge, fontsize=6.5)
    lines = np.stack(shares, axis=1)
    errors, across = rows["error"].to_numpy(), np.arange(len(columns))
    shades = np.clip(SHADES * np.asarray(colours(errors)), 0, SHADES - 1).astype(int)
    for shade in range(SHADES - 1, -1, -1):  # the best ones last
        path = [np.append(line, np.nan) for line in lines[shades == shade]]
        if path:
            colour = colormaps["viridis"]((shade + 0.5) / SHADES)
            style = {"color": colour, "lw": 0.6, "alpha": 0.7, "gid": "trials"}
            axes.plot(np.tile(np.append(across, np.nan), len(path)), np.concatenate(path), **style)
    axes.plot(across, lines[errors.argmin()], color="black", ls=(0, (2.6, 1.5)), lw=1.1)
    axes.set_xlim(-0.35, len(columns) - 0.65)
    axes.set_ylim(-0.16, 1.14)
    axes.set_xticks(across, [names[name] for name in columns])
    axes.tick_params(axis="x", length=0)
    axes.set_yticks([])
    axes.spines[["left", "bottom"]].set_visible(False)
