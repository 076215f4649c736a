"""Feedback weights that are no transposes, beyond O'Connor 2020, chapter 7."""

import pandas as pd
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    SKY,
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

WAYS = {
    "symmetric": Look("symmetric", BLUE, "o", "-"),
    "symmetric_decay": Look("symmetric, decay", SKY, "D", (0, (4.5, 1.5))),
    "fixed": Look("fixed at random", VERMILLION, "s", (0, (1.2, 1.2))),
    "learned": Look("learned", ORANGE, "^", (0, (6, 1.5, 1, 1.5))),
    "learned_decay": Look("learned, decay", GREEN, "v", "-"),
    "none": Look("none", GREY, "X", (0, (3, 1, 1, 1, 1, 1))),
}
RIGHT_ANGLE = 90.0


@in_style
def asymmetric_feedback(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Learning curves of every way, plain and initialised, and how feedback weights align."""
    figure = new_figure(height_mm=80)
    left, middle, right = figure.subplots(1, 3)
    middle.sharey(left)
    learning = table[table["epoch"] > 0]
    for axes, initialised, mark, title in (
        (left, False, "a", "plain, from zero: $s_-$"),
        (middle, True, "b", "initialised, from $s_f$: $s_-$"),
    ):
        for way, look in WAYS.items():
            rows = learning[(learning["way"] == way) & (learning["initialised"] == initialised)]
            draw_mean_line(axes, rows, "epoch", "thesis_error_percent", look)
        plain_log(axes, "y")
        letter(axes, mark, title)
    plain = table[~table["initialised"].astype(bool)]
    for way in ("fixed", "learned", "learned_decay"):
        rows = plain[plain["way"] == way]
        draw_mean_line(right, rows, "epoch", "angle_degrees", WAYS[way], within=(0.0, 180.0))
    right.axhline(RIGHT_ANGLE, color=GREY, lw=0.6, ls=":")
    right.set_ylim(-4.0, 100.0)
    right.set_ylabel("angle between $W$ and $B^T$ (°)")
    letter(right, "c", "alignment, plain")
    middle.tick_params(labelleft=False)
    left.set_ylabel("test error, thesis split (%)")
    for axes in (left, middle, right):
        axes.set_xlabel("epoch")
    handles = [series_handle(look) for look in WAYS.values()]
    legend_below(figure, [*handles, *seed_handles(table)], 4)
    return figure
