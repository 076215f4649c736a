"""Thuesen 2022: the registry of its pictures; figures 3 and 4, table 1, section 4.3.

Every function takes the tidy table of a result, what the thesis published, and the name of the
data set of this scale; it returns a figure and keeps no state.
"""

from collections.abc import Callable
from itertools import pairwise
from string import ascii_lowercase

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from plausible.plots.network_graph import draw_graph, graph_handles
from plausible.plots.published import PublishedCurves
from plausible.plots.style import (
    GREY,
    LIGHT_GREY,
    PUBLISHED_COLOUR,
    SINGLE_COLUMN_MM,
    draw_points,
    in_style,
    legend_below,
    look_of,
    new_figure,
    pad_limits,
    patch_handle,
    protocol_handles,
    protocols_in,
    published_label,
    published_mark,
    summary,
)
from plausible.plots.thuesen2022_beyond import (
    conversion_diagnostic,
    energy,
    input_rate,
    noise_dropout,
    simulation_time,
)
from plausible.plots.thuesen2022_learning import (
    activation_scaling,
    fig5,
    il_cost,
    zil_equals_backprop,
)
from plausible.plots.thuesen2022_neurons import (
    alpha_filter_tau,
    fig2a,
    fig2b,
    fig2c,
    poisson_noise,
)
from plausible.plots.thuesen2022_spiking import bn_exception, fig6, readout, spiking_drop

VERDICTS = {
    "satisfied": ("#9ED9C5", "✓"),
    "partly": ("#F7DFA3", "±"),
    "not": ("#EFB08A", "✗"),
    "not discussed": ("#FFFFFF", "?"),
    "other": ("#CFE6F5", "•"),
}


@in_style
def fig3(table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist") -> Figure:
    """Predictive coding network: value nodes, error nodes between them, and their connections."""
    figure = new_figure(SINGLE_COLUMN_MM, 82)
    axes = figure.subplots()
    draw_graph(axes, table)
    legend_below(figure, graph_handles(), 2)
    return figure


@in_style
def fig4(table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist") -> Figure:
    """First ten training images."""
    images = sorted(table["image"].unique())
    columns = 5
    rows = max(1, -(-len(images) // columns))
    figure = new_figure(SINGLE_COLUMN_MM, 14 + 21 * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    shown = None
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, image in zip(grid.flat, images, strict=False):
        one = table[table["image"] == image]
        pixels = one.pivot(index="row", columns="column", values="intensity_fraction")
        shown = axes.imshow(pixels, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
        axes.set_title(f"label {one['label'].iloc[0]}", loc="center", pad=2)
    if shown is not None:
        bar = figure.colorbar(shown, ax=grid, orientation="horizontal", aspect=40, pad=0.03)
        bar.set_label("intensity (fraction of white)")
        bar.outline.set_linewidth(0.5)
    return figure


@in_style
def table1_figure(
    table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist"
) -> Figure:
    """Table 1 as a picture: accuracy of every row and protocol, intervals over seeds."""
    figure = new_figure(height_mm=104)
    axes = figure.subplots()
    printed = published.table1().set_index("row")
    rows, names = list(printed.index), protocols_in(table)
    data = summary(table, ["row", "protocol"], "test_accuracy_percent")
    low, high = _accuracy_limits(printed["test_accuracy_percent"], data)
    width = _tolerance(published) if dataset == "mnist" else 0.0
    for row in rows:
        value = printed.loc[row, "test_accuracy_percent"]
        axes.vlines(value, row - 0.4, row + 0.4, color=PUBLISHED_COLOUR, lw=1.3, zorder=4)
        if width:
            axes.add_patch(
                Rectangle((value - width, row - 0.4), 2 * width, 0.8, fc=LIGHT_GREY, lw=0, zorder=0)
            )
        if row != rows[-1]:
            axes.axhline(row + 0.5, color=LIGHT_GREY, lw=0.5, zorder=0)
        for index, protocol in enumerate(names):
            y = row + 0.24 * (index - (len(names) - 1) / 2)
            _accuracy_point(
                axes,
                data[(data["row"] == row) & (data["protocol"] == protocol)],
                protocol,
                y,
                low,
            )
    axes.set_yticks(rows, [_row_name(row, printed.loc[row]) for row in rows])
    axes.tick_params(axis="y", length=0)
    axes.set_ylim(rows[-1] + 0.5, rows[0] - 0.5)
    axes.set_xlim(low, high)
    axes.set(xlabel="test accuracy (%)", ylabel="row of table 1")
    mark = published_mark(
        dataset, published_label(dataset).replace("published", "published value"), marker="|"
    )
    handles = [*protocol_handles(names, ls="none"), mark]
    if width:
        handles.append(patch_handle(LIGHT_GREY, f"published ± {width:g} percentage point", 1.0))
    legend_below(figure, handles)
    return figure


def _tolerance(published: PublishedCurves) -> float:
    """Tolerance of the rows of table 1 in percentage points."""
    return float(published.entries["table1"]["expect"][0]["tolerance"].split()[0])


def _row_name(row: int, entry: pd.Series) -> str:
    parts = [entry["model"], entry["algorithm"], entry["optimizer"]]
    if entry["activation"] == "ReLU":
        parts.append("ReLU")
    if entry["batch_norm"]:
        parts.append("BN")
    return f"{row}  {', '.join(parts)}, {'spikes' if entry['spiking'] else 'rates'}"


def _accuracy_limits(printed: pd.Series, data: pd.DataFrame) -> tuple[float, float]:
    """Limits that hold the published values and all of ours that are not far off."""
    means = data["mean"][np.isfinite(data["mean"])]
    floor = min(printed.min() - 6.0, means.median() - 20.0) if len(means) else 0.0
    near = means[means > floor]
    ends = data[["low", "high"]].to_numpy(dtype=float).ravel()
    # Intervals of few seeds can be wide; a little of them is enough to see that they are.
    ends = ends[np.isfinite(ends) & (ends > min([*printed, *near]) - 1.0)]
    low, high = pad_limits([*printed, *near, *ends], 0.04, 0.3)
    return low, min(high, 100.0)


def _accuracy_point(axes: Axes, data: pd.DataFrame, protocol: str, y: float, low: float) -> None:
    """One mean with its interval; an arrow with the number where it lies left of the axis."""
    if data.empty:
        return
    look, mean = look_of(protocol), data["mean"].iloc[0]
    if np.isfinite(mean) and mean >= low:
        draw_points(axes, y, data, look, horizontal=True)
        return
    text = f"{mean:.1f}" if np.isfinite(mean) else "diverged"
    axes.annotate(
        f"◂ {text}",
        (0.0, y),
        (3, 0),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        va="center",
        color=look.colour,
        fontsize=6.0,
    )


@in_style
def constraints(table: pd.DataFrame, published: PublishedCurves, dataset: str = "mnist") -> Figure:
    """Section 4.3: which constraint of biology each method meets, and what was measured."""
    groups = list(dict.fromkeys(table["group"]))
    ordered = table.sort_values("group", key=lambda column: column.map(groups.index), kind="stable")
    rows = list(dict.fromkeys(ordered["constraint"]))
    methods = list(dict.fromkeys(table["method"]))
    notes = _measurements(ordered)
    figure = new_figure(height_mm=34 + 6.5 * len(rows) + 3.5 * len(notes))
    axes = figure.subplots()
    for entry in ordered.itertuples(index=False):
        x, y = methods.index(entry.method), rows.index(entry.constraint)
        colour, sign = VERDICTS[_verdict_kind(entry.verdict)]
        axes.add_patch(Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, fc=colour, ec=GREY, lw=0.4))
        mark = notes.get((entry.constraint, entry.method), ("",))[0]
        axes.text(x, y, f"{sign} $^{{{mark}}}$" if mark else sign, ha="center", va="center")
    axes.set_xticks(range(len(methods)), [_wrap(_short(method), 11) for method in methods])
    axes.set_yticks(range(len(rows)), [str(row).replace("_", " ") for row in rows])
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(-0.5, len(methods) - 0.5), ylim=(len(rows) - 0.5, -0.5), ylabel="constraint")
    axes.spines[:].set_visible(False)
    for first, second in pairwise(ordered.drop_duplicates("constraint").itertuples()):
        if first.group != second.group:
            axes.axhline(rows.index(second.constraint) - 0.5, color=PUBLISHED_COLOUR, lw=0.8)
    text = "\n".join(f"$^{{{mark}}}$ {note}" for mark, note in notes.values())
    axes.set_xlabel(text, loc="left", fontsize=7.0, linespacing=1.4)
    names = {
        "satisfied": "✓ satisfied",
        "partly": "± partly",
        "not": "✗ not",
        "not discussed": "? not discussed",
        "other": "• other verdict",
    }
    found = {_verdict_kind(verdict) for verdict in table["verdict"]}
    handles = [
        Patch(fc=VERDICTS[kind][0], ec=GREY, lw=0.4, label=name)
        for kind, name in names.items()
        if kind in found
    ]
    legend_below(figure, [*handles, Patch(fc="none", ec="none", label="empty: not stated")], 6)
    return figure


def _measurements(table: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Letter and text of each measured verdict, by constraint and method."""
    measured = table[table["measured_value"].notna()]
    return {
        (entry.constraint, entry.method): (
            letter_of,
            f"{entry.measurement}: {entry.measured_value:.3g}",
        )
        for letter_of, entry in zip(ascii_lowercase, measured.itertuples(index=False), strict=False)
    }


def _short(method: str) -> str:
    """``continual vector field (C-VF)`` becomes C-VF; a longer explanation in brackets is cut."""
    name, _, bracket = str(method).partition(" (")
    bracket = bracket.rstrip(")")
    return bracket if 0 < len(bracket) <= 6 else name


def _verdict_kind(verdict: str) -> str:
    """Class of a verdict such as ``partly (inference only)``."""
    text = str(verdict).lower()
    if text.startswith("not discussed") or text.startswith("not stated"):
        return "not discussed"
    return next((kind for kind in ("satisfied", "partly", "not") if text.startswith(kind)), "other")


def _wrap(text: str, width: int) -> str:
    """Break a label at spaces."""
    lines = [""]
    for word in str(text).replace("-trained", "- trained").split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return "\n".join(lines)


FIGURES: dict[str, Callable[..., Figure]] = {
    "fig2a": fig2a,
    "fig2b": fig2b,
    "fig2c": fig2c,
    "fig3": fig3,
    "fig4": fig4,
    "fig5": fig5,
    "fig6": fig6,
    "table1_figure": table1_figure,
    "zil_equals_backprop": zil_equals_backprop,
    "spiking_drop": spiking_drop,
    "noise_dropout": noise_dropout,
    "bn_exception": bn_exception,
    "activation_scaling": activation_scaling,
    "alpha_filter_tau": alpha_filter_tau,
    "readout": readout,
    "poisson_noise": poisson_noise,
    "il_cost": il_cost,
    "constraints": constraints,
    "simulation_time": simulation_time,
    "input_rate": input_rate,
    "energy": energy,
    "conversion_diagnostic": conversion_diagnostic,
}
