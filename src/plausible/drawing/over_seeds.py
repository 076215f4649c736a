"""Values of several seeds in pictures: their mean, with an interval or, of few, each of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from plausible.drawing.style import (
    APART,
    GREY,
    PERCENT,
    WORST_ABOVE,
    WORST_BELOW,
    Look,
    draw_line,
    draw_points,
    summary,
)

FEWEST = 5
"""Seeds from which on an interval is drawn; of fewer, each has a thin line or a dot."""
GAP, TRIFLE, POINTS = 0.9, 0.2, 2.0
"""Share of the range of seeds without a seed; range from which on that counts, in shares of the
largest value or, of percentages, in points."""
ONE_LINE = {"lw": 0.5, "alpha": 0.6, "zorder": 1}
ONE_DOT = {"marker": "o", "ms": 2.2, "mew": 0, "ls": "none", "alpha": 0.6, "zorder": 2}


def over_seeds(
    rows: pd.DataFrame,
    by: str,
    value: str,
    at: str | None = None,
    within: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """Mean for each ``by`` and of the column ``at``, with a 95 % interval of enough seeds.

    Intervals stay ``within`` the values that are possible, percentages always.
    """
    within = PERCENT if value.endswith("_percent") else within
    data = summary(rows, [by], value, FEWEST, within)
    if at and at != by:
        data[at] = rows.groupby(by, dropna=False)[at].mean().to_numpy()
    return data


def are_few(rows: pd.DataFrame) -> bool:
    """Whether seeds are drawn one by one."""
    return 1 < rows["seed"].nunique() < FEWEST


def fall_apart(rows: pd.DataFrame, by: str, value: str) -> bool:
    """Whether enough seeds stand in two places somewhere, with hardly anything between them.

    Then mean and interval describe neither, and each seed is drawn. The gap is `GAP` of the range
    (of five uniform values in one of 250 cases), and the range no trifle. One such place is enough.
    """
    for _, group in rows.groupby(by, dropna=False):
        values = np.sort(group[value].to_numpy(dtype=float))
        if len(values) >= FEWEST and np.isfinite(values).all():
            wide = values[-1] - values[0]
            least = POINTS if value.endswith("_percent") else TRIFLE * np.abs(values).max()
            if wide > least and np.diff(values).max() > GAP * wide:
                return True
    return False


def _medians(rows: pd.DataFrame, by: str, value: str, data: pd.DataFrame) -> pd.DataFrame:
    """``data`` of `over_seeds` with medians for means, and without intervals."""
    medians = rows.groupby(by, dropna=False)[value].median().to_numpy()
    return data.assign(mean=medians, low=np.nan, high=np.nan)


def draw_mean_line(
    axes: Axes,
    rows: pd.DataFrame,
    by: str,
    value: str,
    look: Look,
    at: str | None = None,
    within: tuple[float, float] | None = None,
    each: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Mean over seeds for each ``by``, and a thin line for each of few seeds.

    Drawn against the column ``at``, by default ``by`` itself. ``each``: however many seeds there
    are, each has its line, because some fail and others do not, and there is no interval. Seeds
    that `fall_apart` have their lines too, with the median.
    """
    at, data = at or by, over_seeds(rows, by, value, at, within)
    apart = not each and fall_apart(rows, by, value)
    if each:
        data["low"] = np.nan
    if apart:
        data = _medians(rows, by, value, data)
    if are_few(rows) or each or apart:
        style = {"color": look.colour, "ls": options.get("linestyle", look.line), **ONE_LINE}
        for _, run in rows.sort_values(by).groupby("seed"):
            axes.plot(run[at], run[value], **style, gid=APART if apart else None)
    draw_line(axes, at, data, look, **{"edge": _worst(value), **options})
    return data


def draw_mean_points(
    axes: Axes,
    rows: pd.DataFrame,
    by: str,
    value: str,
    look: Look,
    horizontal: bool = False,
    at: str | None = None,
    within: tuple[float, float] | None = None,
    joined: bool = False,
    **options: Any,
) -> pd.DataFrame:
    """Mean over seeds for each ``by``, and a dot for each of few seeds; a line may join means.

    Drawn against the column ``at``, by default ``by`` itself. Of seeds that `fall_apart` the median
    stands for the mean, with a dot for each.
    """
    at, data = at or by, over_seeds(rows, by, value, at, within)
    apart = fall_apart(rows, by, value)
    if apart:
        data = _medians(rows, by, value, data)
    if are_few(rows) or apart:
        places = (rows[value], rows[at]) if horizontal else (rows[at], rows[value])
        axes.plot(*places, color=look.colour, **ONE_DOT, gid=APART if apart else None)
    draw_points(axes, data[at], data, look, horizontal, **{"edge": _worst(value), **options})
    if joined:
        axes.plot(data[at], data["mean"], color=look.colour, ls=look.line, lw=0.9)
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


def _worst(value: str) -> float:
    """Where the marks of runs that diverged stand: the largest errors are the worst."""
    return WORST_ABOVE if "error" in value else WORST_BELOW


def seed_handles(
    table: pd.DataFrame,
    dots: bool = False,
    bars: bool = False,
    each: bool = False,
    horizontal: bool = False,
) -> list[Line2D]:
    """Legend entries of intervals, where there are enough seeds for them, and of single seeds.

    ``dots``: single seeds are dots and intervals bars, ``horizontal`` ones if so. ``bars``:
    intervals alone are. ``each``: of however many seeds each is drawn.
    """
    # Some networks are trained with fewer seeds than others.
    by = [name for name in ("protocol", "network") if name in table]
    seeds = set(table.groupby(by)["seed"].nunique()) if by else {table["seed"].nunique()}
    handles = []
    if max(seeds) >= FEWEST and not each:
        label = f"95 % interval over {max(seeds)} seeds"
        thin = dots or bars
        bar = {"marker": "_" if horizontal else "|", "ms": 9 if horizontal else 7, "ls": "none"}
        look = bar if thin else {"alpha": 0.4, "lw": 3}
        handles.append(Line2D([], [], color=GREY, label=label, **look))
    if any(1 < number < (np.inf if each else FEWEST) for number in seeds):
        dot = Line2D([], [], color=GREY, label="one seed", **{**ONE_DOT, "alpha": 1.0})
        handles.append(dot if dots else run_handle())
    return handles
