"""O'Connor 2020, figure E.1: searches in parallel coordinates."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.style import in_style, legend_below, letter, new_figure
from plausible.reproduction.published import Published

TITLES = {
    "scheduled": r"$\epsilon_0/t^{\eta_\epsilon}$, $\lambda_0/t^{\eta_\lambda}$",
    "osa": r"OSA($\bar\nu$)",
    "osa_lambda": r"OSA($\bar\nu$), $\lambda$",
    "osa_scheduled_lambda": r"OSA($\bar\nu$), $\lambda_0/t^{\eta_\lambda}$",
}
NAMES = {
    "trial": "trial",
    "epsilon0": r"$\epsilon_0$",
    "eta_epsilon": r"$\eta_\epsilon$",
    "nu_bar": r"$\bar\nu$",
    "lambda0": r"$\lambda_0$",
    "eta_lambda": r"$\eta_\lambda$",
    "error": "error",
}
LOGARITHMIC = ("nu_bar", "error")
SHADES = 12
"""Of the lines; those of one shade are one path in the file."""


@in_style
def searches(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Trials of each search by a Gaussian process, coloured by their error, the best one dashed."""
    rows = table[table["sampler"] == "gaussian_process"]
    found = [name for name in TITLES if name in set(rows["search"])]
    figure = new_figure(height_mm=128)
    panels = figure.subplots(2, 2)
    colours = LogNorm(rows["error"].min(), rows["error"].max())
    for axes, name, mark in zip(panels.flat, found, "abcd", strict=False):
        draw_parallel(axes, rows[rows["search"] == name], NAMES, LOGARITHMIC, colours)
        letter(axes, mark, TITLES[name])
    bar = figure.colorbar(
        ScalarMappable(colours, "viridis"), ax=panels, shrink=0.7, aspect=30, pad=0.01
    )
    bar.set_label("mean error to both fixed points")
    best = Line2D([], [], color="black", ls=(0, (2.6, 1.5)), lw=1.1, label="best trial")
    legend_below(figure, [best], 1)
    return figure


def draw_parallel(
    axes: Axes,
    rows: pd.DataFrame,
    names: dict[str, str],
    logarithmic: tuple[str, ...],
    colours: LogNorm,
) -> None:
    """One line for each row over the columns that it has, each axis over its own range."""
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
