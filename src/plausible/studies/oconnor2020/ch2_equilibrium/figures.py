"""Pictures of equilibrium propagation: both phases, the error of its update, untied weights."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.layered_network import draw_layers, layer_handles
from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREY,
    ORANGE,
    PURPLE,
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
from plausible.studies.oconnor2020.ch2_equilibrium.settings import TIED, UNTIED

HIDDEN = Look("hidden unit", BLUE, "", "-")
OUTPUTS = (
    Look("output whose target is 1", VERMILLION, "", "-"),
    Look("output whose target is 0", ORANGE, "", (0, (4.5, 1.5))),
)
CONTRASTS = {
    ("settled", "energy"): Look("settled, contrast of products", BLUE, "o", "-"),
    ("settled", "linearised"): Look("settled, linearised contrast", ORANGE, "s", (0, (4.5, 1.5))),
    ("unsettled", "energy"): Look("negative phase of few steps", PURPLE, "v", (0, (1.2, 1.2))),
}
WEIGHTS = {
    TIED: Look("tied weights", BLUE, "", "-"),
    UNTIED: Look("feedback weights of their own", VERMILLION, "", (0, (4.5, 1.5))),
}


@in_style
def two_phases(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 2.3: the network in either phase, its units filled by their states, and their way."""
    rows = table[table["seed"] == table["seed"].min()]
    phases = [rows[rows["phase"] == name] for name in ("negative", "positive")]
    figure = new_figure(height_mm=78)
    panels = figure.subplots(1, 3, width_ratios=[1, 1, 1.5])
    titles = ("negative phase", "positive phase")
    for axes, phase, mark, title in zip(panels, phases, "ab", titles, strict=False):
        last = phase[phase["step"] == phase["step"].max()]
        draw_layers(axes, last, targets=title.startswith("positive"))
        letter(axes, mark, title)
    axes, top = panels[2], rows["layer"].max()
    for (layer, _), way in rows[rows["layer"] > 0].groupby(["layer", "unit"]):
        look = HIDDEN if layer < top else OUTPUTS[0 if way["target"].iloc[0] == 1 else 1]
        width = 0.7 if layer < top else 1.3
        axes.plot(way["step"], way["state"], color=look.colour, ls=look.line, lw=width)
    axes.axvline(phases[1]["step"].min(), color=GREY, lw=0.6)
    axes.set(xlabel="step", ylabel="state (unitless)", ylim=(-0.03, 1.03))
    letter(axes, "c", "states through both phases")
    handles = [series_handle(look) for look in (HIDDEN, *OUTPUTS)]
    legend_below(figure, [*handles, *layer_handles()], 3)
    return figure


@in_style
def gradient_error(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Relative error of the update against beta, settled and not."""
    figure = new_figure(width_mm=89.0, height_mm=80)
    axes = figure.subplots()
    for (phases, form), look in CONTRASTS.items():
        rows = table[(table["phases"] == phases) & (table["contrast"] == form)]
        draw_mean_line(axes, rows, "beta", "relative_error", look)
    betas = np.sort(table["beta"].unique())
    settled = table[(table["phases"] == "settled") & (table["beta"] == betas[0])]
    start = settled["relative_error"].mean() / 3.0
    axes.plot(betas, start * betas / betas[0], color=GREY, lw=0.7, ls=":")
    axes.set(xscale="log", yscale="log", xlabel=r"$\beta$ (unitless)")
    axes.set_ylabel("relative error of the update (unitless)")
    handles = [series_handle(look) for look in CONTRASTS.values()]
    slope = Line2D([], [], color=GREY, lw=0.7, ls=":", label="slope 1")
    legend_below(figure, [*handles, slope, *seed_handles(table)], 1)
    return figure


@in_style
def untied_weights(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test error with tied and untied weights, and how symmetric the untied ones become."""
    figure = new_figure(height_mm=70)
    left, right = figure.subplots(1, 2)
    for weights, look in WEIGHTS.items():
        rows = table[(table["weights"] == weights) & (table["epoch"] > 0)]
        draw_mean_line(left, rows, "epoch", "thesis_error_percent", look, marker=False)
    untied = table[table["weights"] == UNTIED]
    draw_mean_line(right, untied, "epoch", "symmetry", WEIGHTS[UNTIED], marker=False)
    left.set(xlabel="epoch", ylabel="test error, thesis split (%)", yscale="log")
    plain_log(left, "y")
    right.set(xlabel="epoch", ylabel=r"cosine of $W$ and transposed feedback" "\n(unitless)")
    right.axhline(0.0, color=GREY, lw=0.5)
    letter(left, "a", "learning")
    letter(right, "b", "symmetry")
    handles = [series_handle(look) for look in WEIGHTS.values()]
    legend_below(figure, [*handles, *seed_handles(table)], 4)
    return figure
