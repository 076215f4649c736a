"""Picture of table 4: times of a weight update."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SERIES,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_mark,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import ALGORITHMS


@in_style
def table4_figure(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Table 4: time of a weight update and its ratio to our own backprop, ours and published."""
    groups = list(dict.fromkeys(zip(table["network"], table["device"], strict=True)))
    figure = new_figure(height_mm=34 + 32 * len(groups))
    panels = figure.subplots(len(groups), 2, sharex="col", sharey=True, squeeze=False)
    names = [name for name in ALGORITHMS if name in set(table["algorithm"])]
    letters = iter("abcdefgh")
    printed = {row["id"]: row for row in published.values("table4")["rows"]}
    for (times, ratios), (network, device) in zip(panels, groups, strict=True):
        rows = table[(table["network"] == network) & (table["device"] == device)]
        rows = rows.set_index("algorithm")
        printed_here = printed.get(device, {})
        theirs = printed_here if network == "imagenet" else {}
        for y, name in enumerate(names):
            milliseconds = theirs.get(f"{name}_ms", np.nan)
            ratio = milliseconds / theirs.get("bp_ms", np.nan)
            if name in rows.index:
                _draw_time(times, ratios, rows.loc[name], ratio, y)
            for axes, value in ((times, milliseconds), (ratios, ratio)):
                if np.isfinite(value):
                    axes.vlines(value, y - 0.38, y + 0.38, color=PUBLISHED_COLOUR, lw=1.3, zorder=4)
        times.set_yticks(range(len(names)), [ALGORITHMS[name].label for name in names])
        times.set_ylim(len(names) - 0.4, -0.6)
        times.tick_params(axis="y", length=0)
        first = rows.iloc[0]
        shape = f"{first['layer_sizes']}, batch {first['batch_size']}"
        for axes in (times, ratios):
            letter(axes, next(letters), f"{printed_here.get('device', device)}, {shape}")
        ratios.axvline(1.0, color=GREY, lw=0.6)
        for axes in (times, ratios):
            axes.grid(axis="x", color=LIGHT_GREY, lw=0.5)
            axes.set_axisbelow(True)
    labels = ("time of a weight update (ms)", "time over that of BP (unitless)")
    for axes, label in zip(panels[-1], labels, strict=True):
        plain_log(axes, "x")
        axes.set_xlabel(label)
    for axes in panels.flat:
        axes.tick_params(axis="x", labelbottom=True)
    ours = series_handle(SERIES[3], "ours: median, quartiles", marker="o", ls="-")
    label = "published: 50176-4096-2048-1024-27, other machine"
    legend_below(figure, [ours, published_mark(label=label, marker="|")])
    return figure


def _draw_time(times: Axes, ratios: Axes, row: pd.Series, published: float, y: int) -> None:
    """Median with quartiles, and the ratio with its number and the published one in brackets."""
    look = ALGORITHMS[row.name]
    style = {"color": look.colour, "marker": look.marker, "ms": 4.5, "ls": "none", "zorder": 3}
    times.hlines(y, row["milliseconds_low"], row["milliseconds_high"], color=look.colour, lw=1.6)
    times.plot(row["milliseconds_per_update"], y, **style)
    ratios.plot(row["ratio_to_bp"], y, **style)
    text = f"{row['ratio_to_bp']:.2f}" + (f" ({published:.2f})" if np.isfinite(published) else "")
    place = {"xycoords": ("axes fraction", "data"), "textcoords": "offset points"}
    ratios.annotate(text, (1.0, y), (2, 0), **place, va="center")
