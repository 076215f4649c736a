"""Beyond O'Connor 2020, chapter 9: what one inference costs in the systems of all chapters."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    LIGHT_GREY,
    ORANGE,
    POSITIVE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch9.tables import SYSTEMS

LOOKS = {
    "mlp": (GREY, "s"),
    "deep_spiking": (GREEN, "^"),
    "rounding": (BLUE, "D"),
    "sigma_delta": (BLUE, "o"),
    "pdnn": (PURPLE, "v"),
    "eqprop": (ORANGE, "P"),
    "initialised_forward": (VERMILLION, "<"),
    "initialised_eqprop": (VERMILLION, "X"),
    "binary_eqprop": (SKY, "p"),
}
"""Colour and marker of every system; in temporal order markers are open."""


@in_style
def energy_per_inference(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Error against energy of an image, and the energy by what is counted."""
    table = table.assign(with_units_nj=table["energy_nj"] + table["unit_energy_nj"])
    figure = new_figure(height_mm=88)
    frontier, shares = figure.subplots(1, 2, width_ratios=(1.0, 1.0))
    for place, ((system, order), title) in enumerate(SYSTEMS.items()):
        rows = table[(table["system"] == system) & (table["order"] == order)]
        rows = rows.assign(place=-place)
        look = Look(title, *LOOKS[system], "")
        filled = order == "file"
        style = {"within": POSITIVE, "filled": filled, "ms": 5.0}
        draw_mean_points(frontier, rows, "system", "error_percent", look, at="energy_nj", **style)
        shares.axhline(-place, color=LIGHT_GREY, lw=0.6, zorder=0)
        mean = rows[["energy_nj", "with_units_nj", "nonzero_energy_nj"]].mean()
        shares.plot(mean[:2], [-place, -place], color=look.colour, lw=1.6, solid_capstyle="butt")
        shares.plot(mean.iloc[2:], [-place], color=look.colour, marker="*", ms=5, mew=0)
        draw_mean_points(shares, rows, "place", "energy_nj", look, horizontal=True, **style)
    for axes in (frontier, shares):
        plain_log(axes, "x")
        axes.set_xlabel("energy (nJ per image)")
    plain_log(frontier, "y")
    frontier.set_ylabel("test error (%)")
    letter(frontier, "a", "error and energy")
    shares.set_yticks([-place for place in range(len(SYSTEMS))], list(SYSTEMS.values()))
    shares.tick_params(axis="y", length=0)
    letter(shares, "b", "what is counted")
    handles = [
        Line2D([], [], color=GREY, marker="o", ls="none", label="what weights cost"),
        Line2D(
            [], [], color=GREY, marker="*", ms=5, mew=0, ls="none", label="without products by 0"
        ),
        Line2D([], [], color=GREY, lw=1.6, label="with products of units"),
    ]
    legend_below(figure, [*handles, *seed_handles(table.drop(columns="order"), dots=True)], 3)
    return figure
