"""Song et al. 2020: tables 3 and 4 as pictures, and how far each reading is from the heat maps."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.measure.cell_distance import cell_distance
from plausible.plots.heat_maps import Scale, colour_bar, draw_heat_map
from plausible.plots.published import PublishedCurves
from plausible.plots.song2020_common import (
    ALGORITHMS,
    TEST_ERROR,
    WEIGHTS_AS_ONE,
    networks_of,
    ordered_looks,
    power_label,
)
from plausible.plots.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SERIES,
    accuracy_scale,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    published_label,
    published_mark,
    published_marker,
    series_handle,
)

COUNTINGS = {
    "per_neuron_and_sample": "neuron and sample",
    "per_layer_and_sample": "layer and sample",
    "per_layer_and_batch": "layer and batch",
}
STATES = {"initial": "initial", "trained": "trained"}


@in_style
def table3_figure(
    table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist"
) -> Figure:
    """Table 3: how often phi finds t = l, and how often it fires elsewhere, against t_d."""
    countings = [name for name in COUNTINGS if name in set(table["counting"])]
    states = [name for name in STATES if name in set(table["training_state"])]
    figure = new_figure(height_mm=30 + 50 * (len(states) + 1))
    panels = figure.subplots(
        len(states) + 1, len(countings), sharex=True, sharey="row", squeeze=False
    )
    looks = ordered_looks(sorted(float(value) for value in table["tolerance"].unique()))
    printed = published.values("table3")["success_rate_percent"]
    steps = [int(step) for step in printed]
    lowest = min([*table["success_rate_percent"].dropna(), *printed.values()])
    letters = iter("abcdefghi")
    for row, state in enumerate(states):
        chosen = table[table["training_state"] == state]
        for column, counting in enumerate(countings):
            axes = panels[row, column]
            rows = chosen[chosen["counting"] == counting]
            _draw_rates(axes, rows, "success_rate_percent", looks)
            draw_published(axes, steps, list(printed.values()), linewidth=0.8)
            axes.plot(steps, list(printed.values()), clip_on=False, **published_marker())
            accuracy_scale(axes)
            # What is drawn at 100 is at least 99.95.
            axes.set_yticks(
                [0, 50, 80, 90, 95, 98, 99, 99.5, 99.95],
                ["0", "50", "80", "90", "95", "98", "99", "99.5", "100"],
            )
            axes.set_ylim(max(0.0, lowest - 0.3 * (100.0 - lowest)), 99.955)
            letter(axes, next(letters), f"{STATES[state]}, by {COUNTINGS[counting]}")
    for column, counting in enumerate(countings):
        axes = panels[-1, column]
        _draw_rates(axes, table[table["counting"] == counting], "false_alarm_rate_percent", looks)
        axes.set_yscale("symlog", linthresh=0.1, linscale=0.4)
        axes.set_yticks([0, 0.1, 1, 10, 100], ["0", "0.1", "1", "10", "100"])
        axes.set_yticks([], minor=True)
        axes.set_ylim(-0.03, 130)
        letter(axes, next(letters), f"both, by {COUNTINGS[counting]}")
        plain_log(axes, "x", [1, 2, 3, 4, 6, 8, 16])
        axes.set_xlabel("detection steps $t_d$")
    for axes in panels[:-1, 0]:
        axes.set_ylabel("detected moments (%),\nmisses on a log scale")
    panels[-1, 0].set_ylabel("moments with a false\nalarm (%)")
    legend_below(
        figure,
        [
            *(
                series_handle(look, f"zero test: {_tolerance(value)}", ms=3.2, lw=0.9)
                for value, look in looks.items()
            ),
            patch_handle(GREY, "range over seeds and networks", 0.3),
            series_handle(SERIES[3], published_label(dataset), **published_marker()),
        ],
        4,
    )
    return figure


def _tolerance(value: float) -> str:
    return "exact" if value == 0 else rf"|$\varepsilon$| ≤ {power_label(value)}"


def _draw_rates(axes: Axes, rows: pd.DataFrame, column: str, looks: dict) -> None:
    """Median over networks and seeds of each tolerance, and the whole range.

    Tests that agree lie on each other, so markers shrink from one to the next.
    """
    for number, (tolerance, look) in enumerate(looks.items()):
        by_step = rows[rows["tolerance"] == tolerance].groupby("t_d")[column]
        data = by_step.agg(["median", "min", "max"]).dropna()
        style = {"color": look.colour, "marker": look.marker, "lw": 0.9}
        size = 2.4 + 4.8 / 1.8**number
        axes.plot(data.index, data["median"], ms=size, clip_on=False, **style)
        axes.fill_between(data.index, data["min"], data["max"], color=look.colour, alpha=0.2, lw=0)


DEVICES = {"cpu": "CPU", "cuda": "GPU"}


@in_style
def table4_figure(
    table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist"
) -> Figure:
    """Table 4: time of a weight update and its ratio to our own backprop, ours and published."""
    groups = list(dict.fromkeys(zip(table["network"], table["device"], strict=True)))
    figure = new_figure(height_mm=34 + 32 * len(groups))
    panels = figure.subplots(len(groups), 2, sharex="col", sharey=True, squeeze=False)
    names = [name for name in ALGORITHMS if name in set(table["algorithm"])]
    letters = iter("abcdefgh")
    printed = {row["device"]: row for row in published.values("table4")["rows"]}
    for (times, ratios), (network, device) in zip(panels, groups, strict=True):
        rows = table[(table["network"] == network) & (table["device"] == device)]
        rows = rows.set_index("algorithm")
        theirs = printed.get(DEVICES.get(device, device), {}) if network == "imagenet" else {}
        for y, name in enumerate(names):
            if name in rows.index:
                ratio = theirs.get(f"{name}_ms", np.nan) / theirs.get("bp_ms", np.nan)
                _draw_time(times, ratios, rows.loc[name], ratio, y)
            milliseconds = theirs.get(f"{name}_ms")
            if milliseconds is not None:
                for axes, value in (
                    (times, milliseconds),
                    (ratios, milliseconds / theirs["bp_ms"]),
                ):
                    axes.vlines(value, y - 0.38, y + 0.38, color=PUBLISHED_COLOUR, lw=1.3, zorder=4)
        times.set_yticks(range(len(names)), [ALGORITHMS[name].label for name in names])
        times.set_ylim(len(names) - 0.4, -0.6)
        times.tick_params(axis="y", length=0)
        first = rows.iloc[0]
        title = (
            f"{DEVICES.get(device, device)}, {first['layer_sizes']}, batch {first['batch_size']}"
        )
        letter(times, next(letters), title)
        ratios.axvline(1.0, color=GREY, lw=0.6)
        for axes in (times, ratios):
            axes.grid(axis="x", color=LIGHT_GREY, lw=0.5)
            axes.set_axisbelow(True)
    for axes, label in zip(
        panels[-1], ("time of a weight update (ms)", "time over that of BP (unitless)"), strict=True
    ):
        plain_log(axes, "x")
        axes.set_xlabel(label)
    for axes in panels.flat:
        axes.tick_params(axis="x", labelbottom=True)
    legend_below(
        figure,
        [
            series_handle(SERIES[3], "ours: median, quartiles", marker="o", ls="-"),
            published_mark(label="published: 50176-4096-2048-1024-27, other machine", marker="|"),
        ],
    )
    return figure


def _draw_time(times: Axes, ratios: Axes, row: pd.Series, published: float, y: int) -> None:
    """Median with quartiles, and the ratio with its number and the published one in brackets."""
    look = ALGORITHMS[row.name]
    style = {"color": look.colour, "marker": look.marker, "ms": 4.5, "ls": "none", "zorder": 3}
    times.hlines(y, row["milliseconds_low"], row["milliseconds_high"], color=look.colour, lw=1.6)
    times.plot(row["milliseconds_per_update"], y, **style)
    ratios.plot(row["ratio_to_bp"], y, **style)
    ratios.annotate(
        f"{row['ratio_to_bp']:.2f}" + (f" ({published:.2f})" if np.isfinite(published) else ""),
        (1.0, y),
        (2, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        fontsize=6.5,
    )


# Distance of a cell from the published one, as a share of it; from 1.5 on all is equally wrong.
DISTANCE = Scale("Purples", 1.5, (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5))
MOST_CANDIDATES = 48
COLUMNS = {
    "bp": "BP error",
    "t0_test": "$t$ = 0, test",
    "t0_weights": "$t$ = 0, weights",
    "tl_test": "$t$ = $l$, test",
    "tl_weights": "$t$ = $l$, weights",
}


@in_style
def calibration(table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist") -> Figure:
    """How far every reading of the settings is from the published maps, by column and network."""
    scores = calibration_scores(table, published)
    hidden = len(scores) - MOST_CANDIDATES
    scores = scores.head(MOST_CANDIDATES)
    networks = networks_of(table)
    figure = new_figure(height_mm=46 + 4.1 * max(len(scores), 4))
    titles = {"all": "all", **{l_max: f"$l_{{max}}$ = {l_max}" for l_max in networks}}
    columns = [[("all", "mean")], *([(l_max, name) for name in COLUMNS] for l_max in networks)]
    panels = figure.subplots(
        1, len(columns), sharey=True, width_ratios=[len(names) for names in columns], squeeze=False
    )[0]
    for axes, names in zip(panels, columns, strict=True):
        values = scores[names]
        texts = values.map(lambda value: "" if np.isnan(value) else f"{min(value, 99.0):.2f}")
        draw_heat_map(axes, values, DISTANCE, texts)
        labels = [COLUMNS.get(name, name) for _, name in names]
        axes.set_xticks(np.arange(len(names)) + 0.5, labels, rotation=90)
        axes.set_title(titles[names[0][0]])
    panels[0].set_yticks(np.arange(len(scores)) + 0.5, scores.index)
    panels[0].set_ylabel("reading, best first")
    label = "Σ |ours − published| / Σ published, over the cells (fraction)"
    colour_bar(figure, panels, DISTANCE, label, location="bottom", shrink=0.6, aspect=50, pad=0.01)
    error = 100 * _baseline_error(published)
    note = f"{published_label(dataset)}: figure 3; BP {error:.2f} %, $l_{{max}}$ not stated"
    notes = [patch_handle("none", note)]
    if hidden > 0:
        notes.append(patch_handle("none", f"{hidden} more readings are further off"))
    legend_below(figure, notes, 2)
    return figure


def _baseline_error(published: PublishedCurves) -> float:
    """Mean test error of backprop in supplement table 2 (fraction)."""
    return float(published.values("supp.table2")["test_error_fraction"][0])


def calibration_scores(table: pd.DataFrame, published: PublishedCurves) -> pd.DataFrame:
    """Distances from the published cells, by candidate (best first) and (l_max, column).

    Means over seeds are compared (`cell_distance`); a published cell at the end of its colour scale
    counts as met by everything beyond. ``(all, mean)`` is the mean over networks of three distances
    each: of the cells of the test error, of those of the weights, and of the mean test error of
    backprop from that of supplement table 2, whose depth is not stated.
    """
    keys = ["candidate", "l_max", "column", "gamma"]
    means = table.groupby(keys, sort=False, dropna=False).mean(numeric_only=True).reset_index()
    printed = _baseline_error(published)
    scores, counted = {}, []
    for l_max in networks_of(table):
        here = means[means["l_max"] == l_max]
        error = here[here["column"] == "bp"].set_index("candidate")["mean_test_error"]
        scores[(l_max, "bp")] = (error - printed).abs() / printed
        counted.append(scores[(l_max, "bp")])
        for name, quantity, column in (
            ("test", TEST_ERROR, "published_test_error_divergence"),
            ("weights", WEIGHTS_AS_ONE, "published_weight_divergence"),
        ):
            rows = here[here[column] > 0]
            for moments in (("t0",), ("tl",), ("t0", "tl")):
                chosen = rows[rows["column"].isin(moments)]
                off = cell_distance(
                    chosen[quantity.column],
                    chosen[column],
                    quantity.top_reading,
                    chosen["candidate"],
                )
                if len(moments) > 1:
                    counted.append(off)
                else:
                    scores[(l_max, f"{moments[0]}_{name}")] = off
    table_of = pd.DataFrame(scores, index=pd.Index(table["candidate"].unique()))
    table_of[("all", "mean")] = pd.concat(counted, axis=1).mean(axis=1)
    return table_of.sort_values(("all", "mean"), kind="stable", na_position="last")
