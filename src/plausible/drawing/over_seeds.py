"""Values of several seeds in pictures: their mean, with an interval or, of few, each of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from plausible.drawing.style import GREY, Look, draw_line, draw_points, summary

FEWEST = 5
"""Seeds from which on an interval is drawn; of fewer, each has a thin line or a dot."""
ONE_LINE = {"lw": 0.5, "alpha": 0.6, "zorder": 1}
ONE_DOT = {"marker": "o", "ms": 2.2, "mew": 0, "ls": "none", "alpha": 0.6, "zorder": 2}


def over_seeds(
    rows: pd.DataFrame,
    at: str,
    value: str,
    positive: bool = False,
    highest: float | None = None,
) -> pd.DataFrame:
    """Mean at each place ``at``, with a 95 % interval where there are enough seeds.

    Intervals hold possible values only: a column ``..._percent`` stays between 0 and 100, a
    ``positive`` quantity above 0, its half-width taken to the logarithm by the delta method, and
    all of them below ``highest``, which no value passes.
    """
    data = summary(rows, [at], value, FEWEST, percent=value.endswith("_percent"))
    if positive:
        factor = np.exp((data["high"] - data["mean"]) / data["mean"].where(data["mean"] > 0.0))
        data = data.assign(low=data["mean"] / factor, high=data["mean"] * factor)
    return data.assign(high=data["high"].clip(upper=highest))


def draw_mean_line(
    axes: Axes,
    rows: pd.DataFrame,
    at: str,
    value: str,
    look: Look,
    positive: bool = False,
    highest: float | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Mean over seeds against the column ``at``, and a thin line for each of few seeds."""
    data = over_seeds(rows, at, value, positive, highest)
    if 1 < rows["seed"].nunique() < FEWEST:
        style = {"color": look.colour, "ls": options.get("linestyle", look.line), **ONE_LINE}
        for _, run in rows.sort_values(at).groupby("seed"):
            axes.plot(run[at], run[value], **style)
    draw_line(axes, at, data, look, **options)
    return data


def draw_mean_points(
    axes: Axes,
    rows: pd.DataFrame,
    at: str,
    value: str,
    look: Look,
    horizontal: bool = False,
    positive: bool = False,
    highest: float | None = None,
    **options: Any,
) -> pd.DataFrame:
    """Mean over seeds at each place ``at``, and a dot for each of few seeds."""
    data = over_seeds(rows, at, value, positive, highest)
    if 1 < rows["seed"].nunique() < FEWEST:
        places = (rows[value], rows[at]) if horizontal else (rows[at], rows[value])
        axes.plot(*places, color=look.colour, **ONE_DOT)
    draw_points(axes, data[at], data, look, horizontal, **options)
    return data


def draw_median_line(
    axes: Axes,
    rows: pd.DataFrame,
    at: str,
    value: str,
    look: Look,
    runs: Sequence[str] = ("seed",),
    **options: Any,
) -> None:
    """Median over runs against the column ``at``, and a thin line for each run.

    A run is a combination of the columns ``runs``.
    """
    wide = rows.pivot_table(index=at, columns=list(runs), values=value)
    style = {"color": look.colour, "ls": look.line}
    if wide.shape[1] > 1:
        axes.plot(wide.index, wide, **style, **ONE_LINE)
    axes.plot(wide.index, wide.median(axis=1), **style, **options)


def run_handle(label: str = "one seed") -> Line2D:
    """Legend entry of the thin line of a run."""
    return Line2D([], [], color=GREY, label=label, lw=ONE_LINE["lw"])


def seed_handles(table: pd.DataFrame, dots: bool = False, bars: bool = False) -> list[Line2D]:
    """Legend entries of intervals, where there are enough seeds for them, and of single seeds.

    ``dots``: single seeds are dots and intervals bars. ``bars``: intervals alone are.
    """
    seeds = set(table.groupby("protocol")["seed"].nunique()) if "protocol" in table else None
    seeds = seeds or {table["seed"].nunique()}
    handles = []
    if max(seeds) >= FEWEST:
        label = f"95 % interval over {max(seeds)} seeds"
        thin = dots or bars
        look = {"marker": "|", "ms": 7, "ls": "none"} if thin else {"alpha": 0.4, "lw": 3}
        handles.append(Line2D([], [], color=GREY, label=label, **look))
    if any(1 < number < FEWEST for number in seeds):
        dot = Line2D([], [], color=GREY, label="one seed", **{**ONE_DOT, "alpha": 1.0})
        handles.append(dot if dots else run_handle())
    return handles
