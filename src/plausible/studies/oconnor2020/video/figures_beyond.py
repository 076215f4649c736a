"""A camera that stands still: what an hour of video costs in each network."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    SINGLE_COLUMN_MM,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.video.tables import MATERIALS, materials

NETWORKS = {
    "rounding": Look("rounding", BLUE, "s", (0, (4.5, 1.5))),
    "sigma_delta": Look("sigma-delta", GREEN, "o", "-"),
}
DENSE = {"color": VERMILLION, "lw": 1.2}
SPARSE = {"color": VERMILLION, "lw": 0.9, "ls": (0, (1.2, 1.2))}


@in_style
def static_camera(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Operations of an hour against agreement with the original network, scales fine to coarse."""
    name = materials(table)[0]
    rows = table[table["material"] == name]
    figure = new_figure(SINGLE_COLUMN_MM, 72)
    axes = figure.subplots()
    for network, look in NETWORKS.items():
        mine = rows.assign(cost=rows[network] / 1e12)
        means = mine.groupby("multiple")[["cost", "agreement_percent"]].mean()
        axes.plot(
            means["agreement_percent"], means["cost"], color=look.colour, ls=look.line, lw=0.9
        )
        draw_mean_points(axes, mine, "multiple", "cost", look, at="agreement_percent")
    axes.axhline(rows["original"].mean() / 1e12, **DENSE)
    axes.axhline(rows["sparse"].mean() / 1e12, **SPARSE)
    plain_log(axes, "y")
    axes.set(xlabel="same guess as the original (%)", ylabel="operations (10¹² per hour)")
    axes.set_title(MATERIALS[name])
    handles = [series_handle(look) for look in NETWORKS.values()]
    handles += [Line2D([], [], label="original", **DENSE)]
    handles += [Line2D([], [], label="original without zeros", **SPARSE)]
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 2)
    return figure
