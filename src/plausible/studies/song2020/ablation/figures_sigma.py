"""Song et al. 2020: what noise at the start of inference does (C1; supplement figure 2)."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import seed_handles
from plausible.drawing.style import (
    GREY,
    PUBLISHED_LINE,
    SERIES,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    published_label,
    published_marker,
    say_empty,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import (
    QUANTITIES,
    TEST_ERROR,
    Quantity,
    depth_look,
    draw_divergence,
    networks_of,
    power_ticks,
    protocol_label,
    shown_protocol,
    sigma_published,
    sigma_rows,
    zero_and_log,
)

NOISES = {"initial": "noise at $t$ = 0", "persistent": "noise at every $t$"}
# Supplement figure 2 draws the test error logarithmically and does not print the lower end.
SCALED_DECADES = 5.0


def draw_sigma(
    axes: Axes,
    table: pd.DataFrame,
    published: Published,
    protocol: str,
    quantity: Quantity,
    noises: tuple[str, ...] = ("initial",),
    clipped: bool = False,
) -> None:
    """Divergence against sigma; ``clipped`` draws weights as figure 3: linear and at most 50."""
    clipped = clipped and quantity is not TEST_ERROR
    top = quantity.scale.top if clipped else np.inf
    swept = table[(table["panel"] == "sigma") & (table["protocol"] == protocol)]
    printed = sigma_published(published, quantity)
    sigmas = sorted({*printed.index, *swept["sigma"].dropna()})
    networks = networks_of(swept)
    for number, l_max in enumerate(networks):
        look = depth_look(l_max)
        for noise in noises:
            rows = sigma_rows(table, protocol, noise)
            rows = rows[rows["l_max"] == l_max]
            if noise != noises[0] and not (rows["noise"] == noise).any():
                continue
            value = rows[quantity.column].fillna(np.inf).clip(upper=top).replace(np.inf, np.nan)
            aside = 0.13 * (number - (len(networks) - 1) / 2)
            rows = rows.assign(value=value, at=rows["sigma"].map(sigmas.index) + aside)
            style = {"filled": noise == noises[0], "within": (0.0, top)}
            draw_divergence(axes, rows, "at", "value", look, **style)
    if not networks:
        say_empty(axes)
    _draw_their_sweep(axes, printed.clip(upper=top), sigmas)
    axes.set_ylabel(quantity.label)
    if clipped:
        axes.set_ylim(-1.0, 1.04 * top)
        axes.set_yticks(range(0, 51, 10), [*map(str, range(0, 50, 10)), "≥50"])
    else:
        # Weights may leave at the top: those of diverging runs would hide all others.
        highest = 1e6 if quantity is not TEST_ERROR else 1e2
        zero_and_log(axes, "y", 1e-3, [0.0, *power_ticks(1e-3, highest)])
        axes.set_ylim(-2e-4, highest)


def _draw_their_sweep(axes: Axes, theirs: pd.Series, sigmas: list[float]) -> None:
    """The published sweep; powers of ten at equal distances, and zero before them."""
    x = [sigmas.index(sigma) for sigma in theirs.index]
    draw_published(axes, x, theirs, linewidth=0.8)
    axes.plot(x, theirs, **published_marker())
    labels = ["−∞" if not sigma else f"{np.log10(sigma):.3g}" for sigma in sigmas]
    axes.set_xticks(range(len(sigmas)), [label.replace("-", "−") for label in labels])
    axes.set_xlim(-0.5, len(sigmas) - 0.5)
    axes.set_xlabel(r"noise, $\log_{10}\,\sigma$ (unitless)")


@in_style
def supp_fig2(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Supplement figure 2: the sigma sweep, in its own units and scaled to [0, 1]."""
    protocol = shown_protocol(table, "calibrated", "as_coded_elsewhere")
    figure = new_figure(height_mm=146)
    panels = figure.subplots(2, 2)
    for column, quantity in enumerate(QUANTITIES):
        axes = panels[0, column]
        draw_sigma(axes, table, published, protocol, quantity, tuple(NOISES))
        letter(axes, "ab"[column], f"both kinds of noise, {protocol_label(protocol)}")
        _draw_scaled(panels[1, column], table, published, protocol, quantity)
        letter(panels[1, column], "cd"[column], "noise at $t$ = 0, scaled as in the supplement")
    networks = networks_of(table[table["panel"] == "sigma"])
    handles = [series_handle(depth_look(l_max), lw=0.8) for l_max in networks]
    found = set(sigma_rows(table, protocol, "persistent")["noise"])
    for noise, face in (("initial", GREY), ("persistent", "white")):
        if noise == "initial" or noise in found:
            ring = {"color": GREY, "marker": "o", "ls": "none", "mfc": face}
            handles.append(series_handle(SERIES[3], NOISES[noise], **ring))
    handles += [published_handle(dataset), *seed_handles(table, dots=True)]
    legend_below(figure, handles, 3)
    return figure


def published_handle(dataset: str) -> Line2D:
    """Legend entry of the published sweep."""
    label = f"{published_label(dataset)}, $l_{{max}}$ not stated"
    return series_handle(SERIES[3], label, **published_marker() | {"linestyle": PUBLISHED_LINE})


def scaled_divergence(values: pd.Series, quantity: Quantity) -> pd.Series:
    """Divergence scaled to [0, 1] and clipped, as in supplement figure 2.

    Weights: linear from 0 to 50. Test error: logarithmic, over five decades up to its largest
    value.
    """
    if quantity is not TEST_ERROR:
        return (values / quantity.scale.top).clip(0.0, 1.0)
    if not values.max() > 0:
        return 0.0 * values
    decades = np.log10((values / values.max()).clip(lower=10.0**-SCALED_DECADES))
    return 1.0 + decades / SCALED_DECADES


def _draw_scaled(
    axes: Axes, table: pd.DataFrame, published: Published, protocol: str, quantity: Quantity
) -> None:
    """Mean over seeds of every curve, scaled."""
    rows = sigma_rows(table, protocol, "initial")
    theirs = scaled_divergence(sigma_published(published, quantity), quantity)
    sigmas = sorted({*theirs.index, *rows["sigma"].dropna()})
    for l_max in networks_of(rows):
        look = depth_look(l_max)
        means = rows[rows["l_max"] == l_max].fillna({quantity.column: np.inf}).groupby("sigma")
        means = means[quantity.column].mean()
        x = [sigmas.index(sigma) for sigma in means.index]
        scaled = scaled_divergence(means, quantity)
        axes.plot(x, scaled, color=look.colour, marker=look.marker, ls=look.line, ms=3.2, lw=0.8)
    _draw_their_sweep(axes, theirs, sigmas)
    axes.set_ylim(-0.04, 1.04)
    scale = "linear from 0 to 50" if quantity is not TEST_ERROR else "logarithmic, five decades"
    axes.set_ylabel(f"{quantity.label.splitlines()[0]}\n(scaled, {scale})")
