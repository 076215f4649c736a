"""O'Connor 2020, chapter 3 and appendix A: rates of convergence and the limit of large T."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    COSINE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    POSITIVE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    PURPLE,
    SINGLE_COLUMN_MM,
    VERMILLION,
    Look,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_line,
    say_empty,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_quantization.tables import (
    FIRST,
    FIRST_STEP,
    READINGS,
    exponents,
)

DOTS = (0, (1, 1.2))
CLOSED_FORM = {"label": "closed form", "color": GREY, "ls": DOTS, "lw": 1.0}
TIME = "number of steps $T$"
QUANTIZERS = {
    "vector": Look("spiking vector quantization", BLUE, "o", "-"),
    "sampling": Look("stochastic sampling", VERMILLION, "s", "-"),
    "stream": Look("spiking stream quantization", PURPLE, "v", "-"),
}
MEANS = (
    Look("below zero", ORANGE, "P", (0, (4.5, 1.5))),
    Look("zero", BLUE, "o", "-"),
    Look("above zero", GREEN, "^", (0, (1.2, 1.2))),
)
LAYERS = (
    Look("first hidden layer", BLUE, "o", "-"),
    Look("second hidden layer", ORANGE, "s", "-"),
    Look("output layer", GREEN, "^", "-"),
)
UPDATES = {"sgd": Look("SGD", BLUE, "o", "-"), "fsgd": Look("FSGD", VERMILLION, "s", "-")}
STATES = {"drawn": "random weights", "trained": "trained weights"}
SINGLE = {"label": "single images", "ls": (0, (4.5, 1.5)), "lw": 0.9}
LIMIT = {"label": "gradient, and half of it", "color": GREY, "ls": DOTS, "lw": 0.7}
PUBLISHED_STEPS = 10
PRINTED = {"label": "$T$ of the thesis", "color": PUBLISHED_COLOUR, "ls": PUBLISHED_LINE, "lw": 0.9}
PUBLISHED_EXPONENTS = {"vector": -1.0, "sampling": -0.5}
"""Of T, for the error of each quantizer (section 3.4.1)."""


def slope_text(part: pd.DataFrame, value: str, first: int) -> str:
    """Mean over seeds of the slope on logarithmic axes from T = ``first`` on, such as ``−0.50``."""
    return f"{exponents(part, value, first).mean(skipna=False):.2f}".replace("-", "−")


def _errors(axes: Axes, part: pd.DataFrame, look: Look, value: str = "error_rms") -> None:
    """Measured errors, and their closed form where there is one."""
    draw_mean_line(axes, part, "steps", value, look, within=POSITIVE, marker=False)
    if "expected_rms" in part:
        known = part.dropna(subset=["expected_rms"]).groupby("steps")["expected_rms"].mean()
        axes.plot(known.index, known, zorder=3, **CLOSED_FORM)


def _slope_guide(axes: Axes, part: pd.DataFrame, value: str, slope: float, shift: float) -> None:
    """A line of the published slope, ``shift`` times as high as the first point of ``part``."""
    means = part.groupby("steps")[value].mean()
    steps = np.array([means.index[0], means.index[-1]], dtype=float)
    draw_published(axes, steps, shift * means.iloc[0] * (steps / steps[0]) ** slope)


def _error_axes(axes: Axes, label: str) -> None:
    axes.set(xscale="log", yscale="log", xlabel=TIME, ylabel=label)
    axes.grid(True, which="major", color="#E4E4E4", lw=0.4)
    axes.set_axisbelow(True)


@in_style
def fig3_1(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 3.1: error of the running estimate, with measured, exact and published slopes."""
    figure = new_figure(SINGLE_COLUMN_MM, 78)
    axes = figure.subplots()
    handles = []
    for name, exponent in PUBLISHED_EXPONENTS.items():
        part, look = table[table["quantizer"] == name], QUANTIZERS[name]
        if part.empty:
            continue
        _errors(axes, part, look)
        _slope_guide(axes, part, "error_rms", exponent, 2.2)
        label = f"{look.label}, slope {slope_text(part, 'error_rms', FIRST_STEP)}"
        handles.append(series_handle(look, label, marker=None))
    if not handles:
        say_empty(axes)
    _error_axes(axes, "error of the estimate\n(root mean square over units)")
    shifted = published_line(label="published slopes, −1 and −1/2 (shifted up)")
    handles += [Line2D([], [], **CLOSED_FORM), shifted]
    legend_below(figure, [*handles, *seed_handles(table)], 1)
    return figure


@in_style
def stream_quantization(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Stream quantization and its bound; rectified quantization of three kinds of streams."""
    figure = new_figure(DOUBLE_COLUMN_MM, 72)
    left, right = figure.subplots(1, 2)
    stream, look = table[table["quantizer"] == "stream"], QUANTIZERS["stream"]
    _errors(left, stream, look)
    steps = np.array(sorted(stream["steps"].unique()), dtype=float)
    draw_published(left, steps, 0.5 / steps)
    _error_axes(left, "distance from the running mean\n(root mean square over units)")
    letter(left, "a", "spiking stream quantization (eq. 3.2)")
    label = f"stream, slope {slope_text(stream, 'error_rms', FIRST_STEP)}"
    handles = [series_handle(look, label, marker=None)]
    rectified = table[table["quantizer"] == "rectified"]
    for (mean, part), look in zip(rectified.groupby("input_mean"), MEANS, strict=False):
        _errors(right, part, look)
        slope = slope_text(part, "error_rms", FIRST_STEP)
        label = f"mean {mean:g}, slope ".replace("-", "−") + slope
        handles.append(series_handle(look, label, marker=None))
    _error_axes(right, "distance from the rectified mean\n(root mean square over units)")
    letter(right, "b", f"rectified (eq. 3.3); slopes from $T$ = {FIRST_STEP} on")
    handles += [Line2D([], [], **CLOSED_FORM), published_line(label="published bound 1/(2T)")]
    legend_below(figure, [*handles, *seed_handles(table)], 4)
    return figure


@in_style
def fig_a1(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure A.1: spike counts over T against the activations of the ReLU network, per layer."""
    names = [name for name in READINGS if name in set(table["protocol"])]
    figure = new_figure(DOUBLE_COLUMN_MM, 82)
    panels = figure.subplots(1, max(len(names), 1), sharex=True, squeeze=False)[0]
    for axes, name, number in zip(panels, names, "abc", strict=False):
        rows = table[table["protocol"] == name]
        for layer, look in enumerate(LAYERS, start=1):
            part = rows[rows["layer"] == layer]
            if part.empty:
                continue
            _errors(axes, part, look, "error")
            place = part["steps"].max()
            height = part.loc[part["steps"] == place, "error"].mean()
            axes.annotate(
                f"slope {slope_text(part, 'error', FIRST)}", (place, height), xytext=(3, 0),
                textcoords="offset points", color=look.colour, va="center", annotation_clip=False,
            )  # fmt: skip
        first = rows[rows["layer"] == 1]
        if first["error"].notna().any():
            _slope_guide(axes, first, "error", -1.0, 0.4)
        _error_axes(axes, "|spikes / $T$ − ReLU activation|\n(mean over the units of a layer)")
        letter(axes, number, rf"weights $\mathcal{{N}}(0, 0.1)$: {READINGS[name]} 0.1")
    if not names:
        say_empty(panels[0])
    handles = [series_handle(look, marker=None) for look in LAYERS]
    handles += [
        published_line(label="slope −1, published for the first layer (shifted down)"),
    ]
    legend_below(figure, [*handles, *seed_handles(table)], 2)
    return figure


@in_style
def spiking_gradient(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Cosine and size of the spiking update of the whole network against the gradient, over T."""
    whole = table[table["layer"] == 0]
    figure = new_figure(DOUBLE_COLUMN_MM, 112)
    panels = figure.subplots(2, 2, sharex=True, sharey="row")
    for (cosines, sizes), state in zip(panels.T, STATES, strict=True):
        for name, look in UPDATES.items():
            part = whole[(whole["update"] == name) & (whole["weights"] == state)]
            if part.empty:
                continue
            style = {"within": COSINE, "linestyle": "-"}
            draw_mean_line(cosines, part, "steps", "cosine_of_sum", look, **style)
            single = part.groupby("steps")["cosine"].mean()
            cosines.plot(single.index, single, color=look.colour, marker=look.marker, **SINGLE)
            style["within"] = POSITIVE
            draw_mean_line(sizes, part, "steps", "relative_step", look, **style)
        for level in (1.0, 0.5):
            sizes.axhline(level, **LIMIT)
        for axes in (cosines, sizes):
            axes.axvline(PUBLISHED_STEPS, zorder=1, **{**PRINTED, "label": None})
    panels[0, 0].set(ylim=(-0.02, 1.03), ylabel="cosine of update and gradient")
    panels[1, 0].set_ylim(bottom=0)
    panels[1, 0].set_ylabel(r"size of update / ($\eta$ × gradient)")
    titles = [f"{what}, {text}" for what in ("direction", "size") for text in STATES.values()]
    for axes, number, title in zip(panels.flat, "abcd", titles, strict=True):
        letter(axes, number, title)
    for axes in panels[1]:
        axes.set_xlabel("time steps per sample $T$")
    if len(whole):
        plain_log(panels[0, 0], "x")
    handles = [series_handle(look) for look in UPDATES.values()]
    kinds = ({"label": "sum over images", "ls": "-"}, SINGLE, LIMIT, PRINTED)
    handles += [Line2D([], [], **{"color": GREY, **style}) for style in kinds]
    legend_below(figure, handles + seed_handles(table), 4)
    return figure
