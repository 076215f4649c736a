"""O'Connor 2020, chapter 2: the systems that it reviews, at work.

The thesis draws none of this but the unrolled graph (figure 2.2).
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import (
    draw_mean_line,
    seed_handles,
)
from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SERIES,
    SINGLE_COLUMN_MM,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    plain_log,
    published_mark,
    published_marker,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch2_systems.settings import FROZEN, LEARNS, SIGNS

KINDS = {
    "theta": ("parameters, the same at every step", ORANGE),
    "x": ("input", SKY),
    "z": ("state", "white"),
    "loss": ("loss", PURPLE),
}
NAMES = {
    "theta": r"$\theta$",
    "x": "$x_{{{}}}$",
    "z": "$z_{{{}}}$",
    "loss": r"$\mathcal{{L}}_{{{}}}$",
}


@in_style
def unrolled_graph(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 2.2: nodes and arrows of the graph that was run."""
    figure = new_figure(SINGLE_COLUMN_MM, 62)
    axes = figure.subplots()
    nodes = {row.node: row for row in table.drop_duplicates("node").itertuples()}
    for node in nodes.values():
        for source in filter(None, str(node.inputs).replace("nan", "").split("; ")):
            _arrow(axes, nodes[source], node)
    for node in nodes.values():
        _, colour = KINDS[node.kind]
        axes.plot(
            node.x, node.y, marker="o", ms=15, mfc=colour, mec=GREY, mew=0.8, ls="none", zorder=3
        )
        name = NAMES[node.kind].format(node.step)
        axes.text(node.x, node.y, name, ha="center", va="center", zorder=4)
    axes.set_axis_off()
    axes.margins(0.12)
    dot = {"marker": "o", "ls": "none", "ms": 7, "mec": GREY, "mew": 0.8}
    handles = [Line2D([], [], mfc=colour, label=text, **dot) for text, colour in KINDS.values()]
    legend_below(figure, handles, 2)
    return figure


BESIDE = 0.42
"""How far to the left of a state the line of the parameters comes down."""


def _arrow(axes: Axes, source, target) -> None:
    """A straight arrow; that of the parameters runs above all losses, and down beside each."""
    start, thin = (source.x, source.y), source.kind == "theta"
    colour = ORANGE if thin else GREY
    if thin:
        side = target.x - BESIDE
        corners = [start, (side, source.y), (side, target.y + BESIDE)]
        axes.plot(*zip(*corners, strict=True), color=colour, lw=0.9, zorder=1)
        start = corners[-1]
    axes.add_patch(
        FancyArrowPatch(
            start,
            (target.x, target.y),
            arrowstyle="-|>",
            mutation_scale=6,
            shrinkA=0 if thin else 8,
            shrinkB=8,
            lw=0.9,
            color=colour,
            zorder=1,
        )
    )


DEVIATIONS = (
    Look("", SKY, "v", (0, (1.2, 1.2))),
    Look("", BLUE, "o", (0, (4.5, 1.5))),
    Look("", VERMILLION, "s", "-"),
)


@in_style
def contrastive_divergence(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Distance from the model, and bias of the update, over Gibbs steps."""
    figure = new_figure(DOUBLE_COLUMN_MM, 70)
    panels = figure.subplots(1, 2)
    looks = dict(zip(sorted(table["weight_deviation"].unique()), DEVIATIONS, strict=False))
    for deviation, look in looks.items():
        rows = table[table["weight_deviation"] == deviation]
        for axes, value in zip(panels, ("distance", "bias"), strict=True):
            _quartiles(axes, rows.dropna(subset=[value]), value, look)
    panels[0].set_ylabel("total variation distance\nfrom the model")
    panels[1].set_ylabel("relative deviation of the\nupdate from the gradient")
    letter(panels[0], "a", "samples that start at the data")
    letter(panels[1], "b", "contrastive divergence, on average")
    for axes in panels:
        axes.set_xlabel("Gibbs steps $k$")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
        axes.set_yscale("log")
        axes.set_ylim(1e-5, 2.0)
        axes.set_xlim(left=0.0)
    handles = [
        series_handle(look, f"weights of deviation {deviation:g}, median", marker=None)
        for deviation, look in looks.items()
    ]
    handles.append(patch_handle(GREY, "middle half of the machines"))
    legend_below(figure, handles, 2)
    return figure


def _quartiles(axes: Axes, rows: pd.DataFrame, value: str, look: Look) -> None:
    """Median over machines and seeds, and their middle half as a band."""
    low, middle, high = (rows.groupby("gibbs_steps")[value].quantile(q) for q in (0.25, 0.5, 0.75))
    axes.plot(middle.index, middle, color=look.colour, ls=look.line)
    axes.fill_between(low.index, low, high, color=look.colour, alpha=0.2, lw=0)


RULES = {
    "rtrl": Look("RTRL", VERMILLION, "s", "-"),
    "uoro": Look("UORO", BLUE, "o", "-"),
    "forward": Look("forward pass", GREY, "v", (0, (1.2, 1.2))),
}
HORIZONS = {
    "bptt": Look("BPTT, horizon $T$, each step", GREEN, "D", (0, (4.5, 1.5))),
    "bptt_each_horizon": Look("BPTT, once in $T$ steps", PURPLE, "^", (0, (6, 1.5, 1, 1.5))),
}


@in_style
def recurrent_costs(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Multiplications per step against width, and against the horizon."""
    figure = new_figure(DOUBLE_COLUMN_MM, 70)
    panels = figure.subplots(1, 2)
    for axes, looks, at in zip(panels, (RULES, HORIZONS), ("units", "horizon"), strict=True):
        for rule, look in looks.items():
            rows = table[table["rule"] == rule].sort_values(at)
            style = {"color": look.colour, "marker": look.marker, "ls": look.line}
            axes.plot(rows[at], rows["multiplications"], **style)
        axes.set_yscale("log")
        plain_log(axes, "x", sorted(table.loc[table["rule"].isin(looks), at].unique()))
    width = int(table.loc[table["rule"] == "bptt", "units"].iloc[0])
    known = published.entry("ch2.rtrl_cost")
    stated, factor = known["settings"]["neurons"], known["values"]["cost_factor"]
    forward = table[(table["rule"] == "forward") & (table["units"] == stated)]
    panels[0].plot(stated, factor * forward["multiplications"].iloc[0], **published_marker())
    panels[0].set_xlabel("units, and as many inputs")
    panels[1].set_xlabel("horizon $T$ (steps)")
    panels[0].set_ylabel("multiplications per step")
    letter(panels[0], "a", "width of the network")
    letter(panels[1], "b", f"horizon, {width} units")
    handles = [series_handle(look) for look in (*RULES.values(), *HORIZONS.values())]
    label = f"published: {factor:,} times the forward pass"
    legend_below(figure, [*handles, published_mark(dataset, label)], 3)
    return figure


SIGN_LOOKS = dict(
    zip(SIGNS, (Look("", ORANGE, "o", "-"), Look("", PURPLE, "v", (0, (4.5, 1.5)))), strict=True)
)


@in_style
def random_projections(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Estimates of UORO around the gradient, their scatter, and the choice of their signs."""
    figure = new_figure(DOUBLE_COLUMN_MM, 118)
    (first, second), (third, fourth) = figure.subplots(2, 2)
    _estimates(first, table[table["element"] == "weight"])
    scatter = Look("", BLUE, "o", "-")
    rows = table[table["element"] == "mean"]
    draw_mean_line(second, rows, "estimates", "error", scatter)
    means = rows.groupby("estimates")["error"].mean()
    expected = means.iloc[0] * (means.index / means.index[0]) ** -0.5
    second.plot(means.index, expected, color=GREY, ls=(0, (1.2, 1.2)), lw=0.9)
    plain_log(second, "x", sorted(means.index))
    plain_log(second, "y")
    second.set(
        xlabel="number of estimates $n$", ylabel="error of their mean\n(size of the gradient)"
    )
    letter(second, "b", "mean of $n$ estimates")
    rows = table[table["element"] == "horizon"]
    draw_mean_line(third, rows, "horizon", "deviation", scatter)
    third.axhline(1.0, color=GREY, lw=0.6)
    third.set_ylim(bottom=0.0)
    plain_log(third, "x", sorted(rows["horizon"].unique()))
    third.set(xlabel="steps", ylabel="standard deviation of an\nestimate (size of the gradient)")
    letter(third, "c", "single estimates, by the length of the sequence")
    _ratios(fourth, table[table["element"] == "signs"])
    handles = [
        Line2D([], [], label="one estimate", **ESTIMATE),
        Line2D([], [], label="mean of all, standard error", **MEAN),
        series_handle(
            SERIES[3], "exact, or $1/\\sqrt{n}$", marker=None, ls=(0, (1.2, 1.2)), lw=0.9
        ),
        *(series_handle(look, SIGNS[name], ls="none") for name, look in SIGN_LOOKS.items()),
        *seed_handles(table[table["element"] == "horizon"].dropna(axis=1)),
    ]
    legend_below(figure, handles, 3)
    return figure


ESTIMATE = {"color": SKY, "marker": "o", "ms": 2.4, "mew": 0, "ls": "none"}
MEAN = {"color": VERMILLION, "marker": "D", "ms": 2.4, "mew": 0, "ls": "none"}


def _estimates(axes: Axes, rows: pd.DataFrame) -> None:
    ends = [rows["gradient"].min(), rows["gradient"].max()]
    axes.plot(ends, ends, color=GREY, ls=(0, (1.2, 1.2)), lw=0.9, zorder=1)
    axes.plot(rows["gradient"], rows["estimate"], **ESTIMATE)
    axes.errorbar(
        rows["gradient"], rows["mean"], rows["standard_error"], elinewidth=0.5, zorder=3, **MEAN
    )
    axes.set(xlabel="gradient by RTRL", ylabel="estimate by UORO")
    letter(axes, "a", "each weight of a network")


def _ratios(axes: Axes, rows: pd.DataFrame) -> None:
    """A mark for each network, in ascending order, and the mean of all."""
    share = (np.arange(len(rows)) + 0.5) / max(len(rows), 1)
    for name, look in SIGN_LOOKS.items():
        style = {"color": look.colour, "marker": look.marker, "ms": 3.0, "mew": 0, "ls": "none"}
        axes.plot(share, np.sort(rows[name]), **style)
        axes.axhline(rows[name].mean(), color=look.colour, ls=look.line, lw=1.2, zorder=1)
    axes.axhline(0.0, color=GREY, lw=0.6, zorder=0)
    axes.set_xlabel("share of the networks")
    axes.set_ylabel("log of the mean squared error\nover that of random signs")
    letter(axes, "d", "rows of a Hadamard matrix as signs")


NETWORKS = {
    LEARNS: Look("difference target propagation", BLUE, "o", "-"),
    FROZEN: Look("frozen hidden layer", GREY, "v", (0, (4.5, 1.5))),
}


@in_style
def target_propagation(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test error and alignment of the feedback weights over epochs."""
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    panels = figure.subplots(1, 2)
    for name, look in NETWORKS.items():
        rows = table[table["network"] == name]
        later = rows[rows["epoch"] > 0]
        draw_mean_line(panels[0], later, "epoch", "test_error_percent", look, marker=False)
        draw_mean_line(
            panels[1], rows, "epoch", "feedback_cosine", look, marker=False, within=(0.0, 1.0)
        )
    plain_log(panels[0], "y")
    panels[0].set_ylabel("test error (%)")
    panels[1].set_ylabel("mean |cosine|")
    panels[1].set_ylim(0.0, 1.0)
    letter(panels[0], "a", "network whose hidden units send signs")
    letter(panels[1], "b", "feedback and forward weights of a unit")
    for axes in panels:
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    handles = [series_handle(look, marker=None) for look in NETWORKS.values()]
    legend_below(figure, [*handles, *seed_handles(table)], 4)
    return figure
