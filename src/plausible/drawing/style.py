"""One look for every picture: sizes, fonts, colours, legends, and files with reproducible bytes.

Colours are those of Okabe and Ito (2008), which stay apart for all common kinds of colour
blindness. Every protocol keeps its colour, marker and line style in every picture; whatever a
document published is black. Pictures are plain `Figure` objects: nothing touches pyplot's state.
"""

import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from plausible.drawing.layout import RoundedLayout
from plausible.files import atomic_path, write_text
from plausible.measure.accuracy import mean_interval, possible_percent

SINGLE_COLUMN_MM = 89.0
DOUBLE_COLUMN_MM = 183.0

ORANGE, SKY, GREEN = "#E69F00", "#56B4E9", "#009E73"
BLUE, VERMILLION, PURPLE = "#0072B2", "#D55E00", "#CC79A7"
GREY, LIGHT_GREY, PUBLISHED_COLOUR = "#6E6E6E", "#E4E4E4", "#000000"
PUBLISHED_LINE = (0, (2.6, 1.5))
DIVERGED = "diverged"
APART = "single seeds that fall apart"
WORST_BELOW, WORST_ABOVE = 0.03, 0.97
"""Where on the axis of a panel a run that diverged has its mark: at the end of the bad values."""

RC: dict[str, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib, so every machine draws the same glyphs
    "font.size": 7.0,
    "axes.titlesize": 7.5,
    "axes.labelsize": 7.5,
    "xtick.labelsize": 7.0,
    "ytick.labelsize": 7.0,
    "legend.fontsize": 7.0,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.formatter.useoffset": False,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.minor.width": 0.4,
    "ytick.minor.width": 0.4,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4.0,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.columnspacing": 1.6,
    "savefig.dpi": 300,
    "svg.fonttype": "path",
    "svg.hashsalt": "plausible",
    "path.simplify": True,
    "figure.constrained_layout.h_pad": 0.03,
    "figure.constrained_layout.w_pad": 0.03,
}


class Look(NamedTuple):
    """How one series is drawn in every picture."""

    label: str
    colour: str
    marker: str
    line: Any


PROTOCOLS = {
    "as_published": Look("as published", GREEN, "^", (0, (6, 1.5, 1, 1.5))),
    "as_coded": Look("as coded", VERMILLION, "s", (0, (4.5, 1.5))),
    "as_coded_elsewhere": Look("as coded elsewhere", ORANGE, "P", (0, (3, 1, 1, 1, 1, 1))),
    "calibrated": Look("calibrated", PURPLE, "D", (0, (1.2, 1.2))),
    "corrected": Look("corrected", BLUE, "o", "-"),
}
# Series that are no protocols (kernels, codings, rules) take these, in this order.
SERIES = (
    Look("", PURPLE, "v", "-"),
    Look("", ORANGE, "P", (0, (4.5, 1.5))),
    Look("", SKY, "D", (0, (1.2, 1.2))),
    Look("", GREY, "X", (0, (6, 1.5, 1, 1.5))),
)


def look_of(protocol: str) -> Look:
    """Look of a protocol; one that is not known to this module is drawn in grey."""
    unknown = Look(str(protocol).replace("_", " "), GREY, "X", (0, (1.2, 1.2)))
    return PROTOCOLS.get(protocol, unknown)


def protocols_in(table: pd.DataFrame) -> list[str]:
    """Protocols of a table, known ones first, in the order of the legend."""
    found = list(dict.fromkeys(table["protocol"].dropna())) if "protocol" in table else []
    return [name for name in PROTOCOLS if name in found] + [
        name for name in found if name not in PROTOCOLS
    ]


@contextmanager
def _own_settings() -> Iterator[None]:
    """The settings of this module over matplotlib's own, not over those of the user's matplotlibrc.

    Such as ``text.usetex``, which needs a TeX, or colours of a dark screen.
    """
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(RC)
        yield


def in_style(function: Callable[..., Figure]) -> Callable[..., Figure]:
    """Draw a figure under the settings of this module, whatever the caller's are."""

    @wraps(function)
    def wrapper(*arguments: Any, **options: Any) -> Figure:
        with _own_settings():
            return function(*arguments, **options)

    return wrapper


def new_figure(width_mm: float = DOUBLE_COLUMN_MM, height_mm: float = 70.0) -> Figure:
    """Empty figure of a journal's column width."""
    return Figure(figsize=(width_mm / 25.4, height_mm / 25.4), layout=RoundedLayout())


def save_figure(figure: Figure, svg_path: str | Path, png_path: str | Path) -> None:
    """Write SVG and PNG (300 dpi) atomically; the same figure always gives the same bytes."""
    with _panels_placed(figure):
        write_text(svg_path, svg_text(figure))
        with _own_settings(), atomic_path(png_path) as path:
            figure.savefig(path, format="png", dpi=300, metadata={"Software": None})


@contextmanager
def _panels_placed(figure: Figure) -> Iterator[None]:
    """Panels where saving as SVG puts them, and stay; else each saving would draw twice for it."""
    layout, dpi = figure.get_layout_engine(), figure.dpi
    if layout is not None:
        FigureCanvasSVG(figure)
        figure.dpi = FigureCanvasSVG.fixed_dpi
        with _own_settings():
            layout.execute(figure)
        figure.dpi = dpi
        figure.set_layout_engine(None)
    yield
    figure.set_layout_engine(layout)


def svg_text(figure: Figure) -> str:
    """Figure as SVG; letters are paths, so it looks the same where the font is missing."""
    drawing = io.StringIO()
    with _own_settings(), _panels_placed(figure):
        # The resolution concerns clouds of points only, which are stored as pixels.
        metadata = {"Date": None, "Creator": None}
        figure.savefig(drawing, format="svg", dpi=150, metadata=metadata)
    # Coordinates come with six decimals of 1/72 inch; two are enough and save a third of the file.
    return re.sub(
        r' d="[^"]*"',
        lambda path: re.sub(r"(\.\d\d)\d+", r"\1", path.group()),
        drawing.getvalue(),
    )


def published_label(dataset: str) -> str:
    """Legend entry of what was published, with its data set where ours is another one."""
    return "published" if dataset == "mnist" else "published (MNIST)"


def interval(values: Iterable[float]) -> tuple[float, float, float]:
    """Mean and 95 % t interval over seeds; no interval (NaN) for a single seed.

    A run that diverged (NaN) makes all three NaN, so that it cannot vanish from a mean.
    """
    values = np.asarray(list(values), dtype=np.float64)
    if not (values.size and np.isfinite(values).all()):
        return np.nan, np.nan, np.nan
    mean, low, high = mean_interval(values)
    return mean, low, high


PERCENT, POSITIVE, COSINE = (0.0, 100.0), (0.0, np.inf), (-1.0, 1.0)
"""Values that are possible, of which no interval may leave the range."""


def possible(
    mean: float, low: float, high: float, within: tuple[float, float]
) -> tuple[float, float]:
    """Ends of an interval of a quantity that lies ``within`` a range, whose top may be infinite.

    The half-width is taken by the delta method to the logarithm, or to the logit of a range that
    has a top, and the ends back; without effect where the mean itself is at an end or beyond it.
    """
    bottom, top = within
    if np.isfinite(top):
        unit = 100.0 / (top - bottom)
        shares = ((value - bottom) * unit for value in (mean, low, high))
        low, high = (bottom + share / unit for share in possible_percent(*shares))
    elif mean > bottom:
        factor = np.exp((high - low) / 2 / (mean - bottom))
        low, high = bottom + (mean - bottom) / factor, bottom + (mean - bottom) * factor
    return low, high


def summary(
    table: pd.DataFrame,
    by: Sequence[str],
    value: str,
    fewest: int = 1,
    within: tuple[float, float] | None = None,
) -> pd.DataFrame:
    """One row per combination of ``by`` with columns mean, low, high over the seeds.

    Of fewer than ``fewest`` seeds there is a mean alone; single seeds may be drawn beside it. An
    interval stays ``within`` the values that are possible.
    """
    rows = []
    for key, group in table.groupby(list(by), sort=True, dropna=False):
        mean, *bounds = interval(group[value])
        bounds = possible(mean, *bounds, within) if within else bounds
        bounds = bounds if len(group) >= fewest else (np.nan, np.nan)
        rows.append((*(key if isinstance(key, tuple) else (key,)), mean, *bounds))
    return pd.DataFrame(rows, columns=[*by, "mean", "low", "high"])


def draw_line(
    axes: Axes,
    x: str,
    data: pd.DataFrame,
    look: Look,
    marker: bool = True,
    bars: bool = False,
    edge: float = WORST_BELOW,
    **options: Any,
) -> None:
    """Mean over seeds as a line, the interval as a band (or bars) where there is one."""
    settings = {
        "color": look.colour,
        "linestyle": look.line,
        "marker": look.marker if marker else None,
        **options,
    }
    axes.plot(data[x], data["mean"], **settings)
    mark_diverged(axes, data.loc[data["mean"].isna(), x], look, edge=edge)
    known = data[data["low"].notna()]
    if known.empty:
        return
    if bars:
        axes.vlines(known[x], known["low"], known["high"], color=look.colour, lw=0.6, alpha=0.7)
    else:
        axes.fill_between(
            known[x], known["low"], known["high"], color=look.colour, alpha=0.2, linewidth=0
        )


def draw_points(
    axes: Axes,
    x: Any,
    data: pd.DataFrame,
    look: Look,
    horizontal: bool = False,
    filled: bool = True,
    edge: float = WORST_BELOW,
    **options: Any,
) -> None:
    """Means as markers, intervals as bars where there are any; ``x`` holds the positions."""
    mean = data["mean"].to_numpy(dtype=float)
    errors = np.vstack([mean - data["low"], data["high"] - mean]).astype(float)
    errors = errors.clip(min=0.0)  # ends of an interval of no width are rounded
    positions = np.broadcast_to(np.asarray(x, dtype=float), mean.shape)
    known = np.isfinite(errors).all(axis=0)
    first, second = (mean, positions) if horizontal else (positions, mean)
    axes.plot(
        first,
        second,
        color=look.colour,
        marker=look.marker,
        markerfacecolor=look.colour if filled else "white",
        markeredgecolor=look.colour,
        linestyle="none",
        zorder=options.pop("zorder", 3),
        **options,
    )
    mark_diverged(axes, positions[~np.isfinite(mean)], look, horizontal, edge)
    if known.any():
        axes.errorbar(
            first[known],
            second[known],
            **{"xerr" if horizontal else "yerr": errors[:, known]},
            fmt="none",
            ecolor=look.colour,
            elinewidth=0.9,
            capsize=1.6,
            capthick=0.9,
            zorder=2,
        )


def mark_diverged(
    axes: Axes, positions: Any, look: Look, horizontal: bool = False, edge: float = WORST_BELOW
) -> None:
    """A cross at the edge of the panel for every mean that does not exist; the legend says so."""
    positions = np.atleast_1d(np.asarray(positions, dtype=float))
    if not positions.size:
        return
    edges = np.full(positions.shape, edge)
    axes.plot(
        *((edges, positions) if horizontal else (positions, edges)),
        marker="x",
        color=look.colour,
        linestyle="none",
        transform=axes.get_yaxis_transform() if horizontal else axes.get_xaxis_transform(),
        gid=DIVERGED,
    )


def protocol_handles(names: Iterable[str], **options: Any) -> list[Line2D]:
    """Legend entries of protocols."""
    return [series_handle(look_of(name), **options) for name in names]


def series_handle(look: Look, label: str | None = None, **options: Any) -> Line2D:
    """Legend entry of one series."""
    settings = {"color": look.colour, "marker": look.marker, "linestyle": look.line, **options}
    return Line2D([], [], label=look.label if label is None else label, **settings)


def published_line(
    dataset: str = "mnist", label: str | None = None, linestyle: Any = PUBLISHED_LINE
) -> Line2D:
    """Legend entry of a published curve: thin, dashed, black."""
    label = published_label(dataset) if label is None else label
    return Line2D([], [], color=PUBLISHED_COLOUR, linewidth=0.9, linestyle=linestyle, label=label)


def published_mark(dataset: str = "mnist", label: str | None = None, marker: str = "D") -> Line2D:
    """Legend entry of a published value: an open black marker."""
    return Line2D([], [], label=label or published_label(dataset), **published_marker(marker))


def published_marker(marker: str = "D") -> dict[str, Any]:
    """Drawing options of a published value."""
    return {
        "color": PUBLISHED_COLOUR,
        "marker": marker,
        "markerfacecolor": "none",
        "markersize": 5.0 if marker in "Dos^" else 9.0,
        "markeredgewidth": 0.9 if marker in "Dos^" else 1.4,
        "linestyle": "none",
        "zorder": 5,
    }


def draw_published(axes: Axes, x: Any, y: Any, **options: Any) -> None:
    """Published curve: thin, dashed, black, above everything else."""
    settings = {"color": PUBLISHED_COLOUR, "linewidth": 0.9, "linestyle": PUBLISHED_LINE}
    axes.plot(x, y, **{**settings, "zorder": 4, **options})


def patch_handle(colour: str, label: str, alpha: float = 0.25, **options: Any) -> Patch:
    """Legend entry of a band."""
    return Patch(facecolor=colour, alpha=alpha, linewidth=0, label=label, **options)


def legend_below(figure: Figure, handles: Sequence[Artist], columns: int | None = None) -> Legend:
    """Legend of the whole figure, under the panels, where it can cover no data."""
    handles = list(handles)
    if figure.findobj(lambda artist: artist.get_gid() == DIVERGED):
        cross = Line2D([], [], color=GREY, marker="x", linestyle="none", label="diverged")
        handles.append(cross)
    if figure.findobj(lambda artist: artist.get_gid() == APART):
        label = "one run (with a median)"
        handles.append(Line2D([], [], color=GREY, lw=0.5, marker=".", ms=3, mew=0, label=label))
    columns = columns or min(len(handles), 5)
    return figure.legend(handles=handles, loc="outside lower center", ncols=columns)


def letter(axes: Axes, name: str, title: str = "") -> None:
    """Panel letter in bold, followed by a short title."""
    axes.set_title(rf"$\mathbf{{{name}}}$  {title}".rstrip())


def plain_log(axes: Axes, which: str, ticks: Sequence[float] | None = None) -> None:
    """Logarithmic axis with plain numbers (10, 100, 1000) instead of powers.

    An axis of few decades has labels between the powers of ten as well. Call it when the data
    are drawn.
    """
    axis = axes.xaxis if which == "x" else axes.yaxis
    (axes.set_xscale if which == "x" else axes.set_yscale)("log")
    low, high = axes.get_xlim() if which == "x" else axes.get_ylim()
    if ticks is not None:
        axis.set_ticks(list(ticks))
        axis.set_ticks([], minor=True)
    else:
        narrow, wide = (1.0, 1.5, 2.0, 3.0, 4.0, 6.0, 8.0), (1.0, 2.0, 5.0)
        subs = narrow if high < 8 * low else wide if high < 300 * low else (1.0,)
        axis.set_major_locator(LogLocator(subs=subs))
        axis.set_minor_locator(LogLocator(subs=range(1, 10), numticks=50))
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(NullFormatter())


def accuracy_scale(axes: Axes) -> None:
    """Accuracy axis in percent on which the errors are logarithmic, so that 98 and 99 stay apart.

    Errors below 0.05 % are drawn at 0.05 %.
    """
    axes.set_yscale(
        "function",
        functions=(
            lambda accuracy: -np.log10(np.maximum(100.0 - accuracy, 0.05)),
            lambda drawn: 100.0 - 10.0 ** (-drawn),
        ),
    )
    ticks = (0, 50, 80, 90, 95, 97, 98, 99, 99.5, 99.9)
    axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
    axes.set_yticks([*range(10, 90, 10), *range(91, 99)], minor=True)
    axes.yaxis.set_minor_formatter(NullFormatter())


def accuracy_limits(values: Iterable[float]) -> tuple[float, float] | None:
    """Limits of such an axis around finite values; None where nothing is finite."""
    errors = [100.0 - value for value in values if np.isfinite(value)]
    if not errors:
        return None
    return max(0.0, 100.0 - 1.15 * max(errors)), 100.0 - 0.8 * max(min(errors), 0.2)


def pad_limits(values: Iterable[float], share: float = 0.08, least: float = 0.0) -> Any:
    """Axis limits around finite values, with a margin; None where nothing is finite."""
    finite = np.asarray([value for value in values if np.isfinite(value)], dtype=float)
    if finite.size == 0:
        return None
    low, high = float(finite.min()), float(finite.max())
    margin = max(share * (high - low), least, 1e-9 * max(abs(high), 1.0))
    return low - margin, high + margin


def say_empty(axes: Axes, what: str = "no data") -> None:
    """Say in the middle of a panel that there is nothing to draw."""
    axes.text(0.5, 0.5, what, transform=axes.transAxes, ha="center", va="center", color=GREY)
