"""O'Connor 2020, figure E.1: searches in parallel coordinates."""

import pandas as pd
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.parallel_coordinates import draw_parallel
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
