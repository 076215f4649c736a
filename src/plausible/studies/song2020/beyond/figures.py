"""Pictures of what lies beyond the paper."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    SERIES,
    Look,
    draw_points,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import (
    draw_range,
    draw_seeds,
    networks_of,
    ordered_looks,
    over_seeds,
    power_label,
    seeds_handle,
)

# Exact zeros and what underflows are drawn here on logarithmic axes.
SMALLEST = 1e-19
DTYPES = {
    "float64": Look("float64", SERIES[0].colour, "o", "-"),
    "float32": Look("float32", SERIES[1].colour, "s", (0, (4.5, 1.5))),
}
OPTIMIZERS = {
    "sgd": Look("SGD", SERIES[0].colour, "o", "-"),
    "adam": Look("Adam", SERIES[1].colour, "s", "-"),
}


@in_style
def optimizers(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Z-IL and backprop with SGD and Adam for several batch sizes: test error, weight distance."""
    networks = networks_of(table)
    figure = new_figure(height_mm=112)
    panels = figure.subplots(2, max(len(networks), 1), sharex=True, sharey="row", squeeze=False)
    for column, l_max in enumerate(networks):
        error, distance = panels[:, column]
        for name, look in OPTIMIZERS.items():
            chosen = table[(table["l_max"] == l_max) & (table["optimizer"] == name)]
            for algorithm, filled, size in (("bp", False, 6.0), ("zil", True, 3.0)):
                rows = chosen[chosen["algorithm"] == algorithm]
                if rows.empty:
                    continue
                rows = rows.assign(percent=100.0 * rows["final_test_error"])
                data = over_seeds(rows, ["batch_size"], "percent")
                draw_seeds(error, rows["batch_size"], rows, "percent", look)
                data["high"] = data["high"].clip(upper=100.0)
                draw_points(error, data["batch_size"], data, look, filled=filled, markersize=size)
                if algorithm == "zil":
                    error.plot(data["batch_size"], data["mean"], color=look.colour, lw=0.8)
            zil = chosen[chosen["algorithm"] == "zil"]
            if zil.empty:
                continue
            worst = zil.groupby("batch_size")["relative_weight_difference_to_bp"].max()
            distance.plot(
                worst.index,
                worst.clip(lower=SMALLEST),
                color=look.colour,
                marker=look.marker,
                ms=3.2,
                lw=0.9,
            )
        letter(error, "abc"[column % 3], f"$l_{{max}}$ = {l_max}")
        distance.set_xlabel("batch size (images)")
        plain_log(distance, "x", sorted(table["batch_size"].unique()))
    panels[0, 0].set_ylabel(f"test error after {_epochs(table)} (%)")
    panels[1, 0].set_ylabel("Z-IL from backprop: largest\nrelative weight distance (unitless)")
    panels[1, 0].set_yscale("log")
    ring = {"color": GREY, "marker": "o", "ls": "none"}
    legend_below(
        figure,
        [
            *(
                series_handle(look)
                for name, look in OPTIMIZERS.items()
                if name in set(table["optimizer"])
            ),
            series_handle(SERIES[3], "Z-IL", **ring, ms=3.0),
            series_handle(SERIES[3], "backprop", **ring, mfc="white", ms=6.0),
            *seeds_handle(table),
        ],
    )
    return figure


def _epochs(table: pd.DataFrame) -> str:
    found = sorted({int(value) for value in table["epochs"].unique()})
    return f"{found[0]} epochs" if len(found) == 1 else "the last epoch"


@in_style
def float32(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Distance of the weights of Z-IL from those of backprop in both number formats."""
    networks = networks_of(table)
    figure = new_figure(height_mm=74)
    panels = figure.subplots(1, max(len(networks), 1), sharey=True, squeeze=False)[0]
    zeros = (table["relative_weight_difference"] <= 0.0).any()
    for column, (axes, l_max) in enumerate(zip(panels, networks, strict=False)):
        for name, look in DTYPES.items():
            rows = table[(table["l_max"] == l_max) & (table["dtype"] == name)]
            distance = rows["relative_weight_difference"].clip(lower=SMALLEST)
            shown = rows.assign(distance=distance)
            draw_range(axes, shown, "update", "distance", look, marker=look.marker, ms=3.2, lw=0.9)
            epsilon = float(np.finfo(name).eps)
            axes.axhline(epsilon, color=look.colour, lw=0.6, ls=(0, (1, 1)))
        plain_log(axes, "x")
        letter(axes, "abc"[column % 3], f"$l_{{max}}$ = {l_max}")
        axes.set_xlabel("weight updates")
    panels[0].set_yscale("log")
    panels[0].set_ylabel("relative distance of Z-IL's weights\nfrom backprop's (unitless)")
    note = [patch_handle("none", f"exact zeros at {power_label(SMALLEST)}")] if zeros else []
    legend_below(
        figure,
        [
            *(series_handle(look) for name, look in DTYPES.items() if name in set(table["dtype"])),
            patch_handle(GREY, "range over seeds", 0.3),
            series_handle(
                SERIES[3], "rounding unit of the format", marker=None, ls=(0, (1, 1)), lw=0.6
            ),
            *note,
        ],
    )
    return figure


PHASES = {"learning": "output clamped", "prediction": "output free"}


@in_style
def energy(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Energy F_t over inference time in the learning and in the prediction phase."""
    networks = networks_of(table)
    kinds, resting = _energy_rows(table)
    figure = new_figure(height_mm=22 + 48 * max(len(kinds), 1))
    panels = figure.subplots(
        max(len(kinds), 1), max(len(networks), 1), sharex=True, sharey="row", squeeze=False
    )
    looks = ordered_looks(sorted(table["gamma"].unique()))
    letters = iter("abcdefghijklmnopqrst")
    for row, (phase, sigma) in enumerate(kinds):
        rows = table[(table["phase"] == phase) & (table["sigma"] == sigma)]
        for axes, l_max in zip(panels[row], networks, strict=True):
            chosen = rows[rows["l_max"] == l_max]
            for gamma, look in looks.items():
                # Seeds differ in the batch and so in the level: bands would hide the course.
                for _, one in chosen[chosen["gamma"] == gamma].groupby("seed"):
                    axes.plot(one["t"], one["energy"], color=look.colour, lw=0.8)
            title = rf"$l_{{max}}$ = {l_max}, {PHASES[phase]}, $\sigma$ = {sigma:g}"
            letter(axes, next(letters), title)
        _energy_axis(panels[row, 0], rows)
    for axes in panels[-1]:
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.4)
        last = table["t"].max()
        axes.set_xticks([t for t in (0, 1, 4, 16, 64, 256) if t <= last])
        axes.set_xlim(-0.2, 1.1 * last)
        axes.set_xticks([], minor=True)
        axes.xaxis.set_major_formatter("{x:g}")
        axes.set_xlabel("inference time $t$ (steps)")
    legend_below(
        figure,
        [
            *(
                series_handle(look, rf"$\gamma$ = {gamma:g}", marker=None)
                for gamma, look in looks.items()
            ),
            patch_handle("none", "a line per seed"),
            *([patch_handle("none", r"output free, $\sigma$ = 0: $F_t$ = 0")] if resting else []),
        ],
    )
    return figure


def _energy_rows(table: pd.DataFrame) -> tuple[list[tuple[str, float]], bool]:
    """Phases and noises whose energy is not zero; whether there is one that rests from the start.

    Without noise the feed-forward activity is the rest of a network with a free output.
    """
    largest = table.groupby(["phase", "sigma"])["energy"].max()
    kinds = [(phase, sigma) for phase, sigma in largest.index if largest[(phase, sigma)] > 0.0]
    return kinds, len(kinds) < len(largest)


def _energy_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic where the energy falls far; what explodes (gamma > 2) leaves at the top."""
    start = rows.loc[rows["t"] == 0, "energy"].max()
    shown = rows.loc[rows["energy"].between(1e-12, 2.0 * start), "energy"]
    axes.set_ylabel("energy $F_t$ of the\nbatch (unitless)")
    if shown.empty:
        return
    low, high = shown.min(), shown.max()
    if high > 20.0 * low:
        axes.set_yscale("log")
        axes.set_ylim(0.5 * low, 2.0 * high)
    else:
        margin = 0.08 * (high - low)
        axes.set_ylim(low - margin, high + margin)


@in_style
def prediction(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Largest distance of a value node from the activity of the ANN during the prediction phase."""
    networks = networks_of(table)
    figure = new_figure(height_mm=74)
    panels = figure.subplots(1, max(len(networks), 1), sharey=True, squeeze=False)[0]
    looks = ordered_looks(sorted(table["gamma"].unique()))
    bound = published.bound(
        "claim.prediction_equals_forward", "reaches_forward_activity", "distance"
    )
    for column, (axes, l_max) in enumerate(zip(panels, networks, strict=False)):
        axes.axhspan(SMALLEST, bound, color=LIGHT_GREY, lw=0, zorder=0)
        for gamma, look in looks.items():
            rows = table[(table["l_max"] == l_max) & (table["gamma"] == gamma)]
            distance = rows["max_distance_to_ann"].replace(np.inf, np.nan).clip(lower=SMALLEST)
            draw_range(axes, rows.assign(distance=distance), "t", "distance", look, lw=1.0)
        letter(axes, "abc"[column % 3], f"$l_{{max}}$ = {l_max}")
        axes.set_xlabel("inference time $t$ (steps)")
    shown = table["max_distance_to_ann"].replace([np.inf, 0.0], np.nan).clip(upper=1e3)
    panels[0].set_yscale("log")
    panels[0].set_ylim(0.3 * shown.min(), 3.0 * shown.max())
    panels[0].set_ylabel("largest distance of a value node\nfrom the ANN's activity (unitless)")
    legend_below(
        figure,
        [
            *(
                series_handle(look, rf"$\gamma$ = {gamma:g}", marker=None)
                for gamma, look in looks.items()
            ),
            patch_handle(GREY, "range over seeds", 0.3),
            patch_handle(LIGHT_GREY, f"counts as equal: below {power_label(bound)}", 1.0),
        ],
    )
    return figure
