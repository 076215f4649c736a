"""Beyond O'Connor 2020, chapter 8: error to the fixed point against the spikes that it costs."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    POSITIVE,
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
from plausible.studies.oconnor2020.ch8_principles.figures import ERROR, SCHEMES, as_networks
from plausible.studies.oconnor2020.ch8_principles.tables import LEVELS, spikes_needed

LOOKS = {
    **dict(list(SCHEMES.items())[:4]),
    "osa_same_steps": Look(r"OSA, $\bar\nu$ as with $\lambda$", VERMILLION, "", (0, (2.5, 1.2))),
    **SCHEMES,
}
"""Lines of figure 8.2 and, behind OSA, the same with the step sizes of the next one."""
MARKERS = dict(zip(LEVELS, "os^", strict=True))


@in_style
def spikes_for_an_error(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Error against spikes so far, and the spikes until an error, where all networks reach it."""
    # Nothing has arrived at the first step, so that no free neuron has sent anything.
    rows = table[table["step"] > 1].rename(columns={"network": "seed"})
    needed = spikes_needed(table).rename(columns={"network": "seed"})
    figure = new_figure(height_mm=84)
    frontier, levels = figure.subplots(1, 2, width_ratios=(1.2, 1.0))
    for place, name in enumerate(LOOKS):
        look, mine = LOOKS[name]._replace(marker=""), rows[rows["scheme"] == name]
        style = {"at": "free_spikes", "within": POSITIVE, "lw": 1.1}
        draw_mean_line(frontier, mine, "step", "error", look, **style)
        levels.axhline(-place, color=LIGHT_GREY, lw=0.6, zorder=0)
        for level, marker in MARKERS.items():
            own = needed[(needed["scheme"] == name) & (needed["level"] == level)]
            if own["free_spikes"].notna().all():
                own = own.assign(place=-place)
                draw_mean_points(
                    levels, own, "place", "free_spikes", look._replace(marker=marker),
                    horizontal=True, within=POSITIVE,
                )  # fmt: skip
    for level in LEVELS:
        frontier.axhline(level, color=LIGHT_GREY, lw=0.6, zorder=0)
    plain_log(frontier, "x")
    frontier.set_yscale("log")
    frontier.set_ylabel(ERROR)
    letter(frontier, "a", "error")
    plain_log(levels, "x")
    levels.set_yticks(
        [-place for place in range(len(LOOKS))], [look.label for look in LOOKS.values()]
    )
    levels.tick_params(axis="y", length=0)
    letter(levels, "b", "spikes until an error, where all reach it")
    for axes in (frontier, levels):
        axes.set_xlabel("spikes of a hidden or output neuron")
    handles = [series_handle(look, marker="") for look in LOOKS.values()]
    marks = [
        Line2D([], [], color=GREY, marker=marker, ls="none", label=f"error {level:g}")
        for level, marker in MARKERS.items()
    ]
    legend_below(figure, [*handles, *marks, *as_networks(seed_handles(rows))], 4)
    return figure
