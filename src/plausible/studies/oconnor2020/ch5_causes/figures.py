"""O'Connor 2020, causes of chapter 5 in pictures."""

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    SKY,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    pad_limits,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch5_causes.claims import SCORE, score
from plausible.studies.oconnor2020.ch5_causes.settings import MLP, ORDERS, PDNN

DASHED, DOTTED = (0, (4.5, 1.5)), (0, (1.2, 1.2))
NETWORKS = {
    PDNN: Look("PDNN", BLUE, "o", "-"),
    "memoryless": Look("PDNN, k_d = 0", SKY, "D", DOTTED),
    "differences": Look("PDNN, k_p = 0", GREEN, "^", DASHED),
    MLP: Look("MLP", VERMILLION, "s", "-"),
}
WAYS = {
    PDNN: NETWORKS[PDNN],
    MLP: NETWORKS[MLP],
    "pdnn_memoryless": NETWORKS["memoryless"],
    "pdnn_fine": Look("PDNN, ten times finer", GREEN, "^", DASHED),
    "mlp_noise": Look("MLP with the noise of codes", ORANGE, "P", DASHED),
    "pdnn_fixed": Look("scales fixed", PURPLE, "v", DASHED),
}
LAYERS = {
    "hidden": Look("hidden layer", BLUE, "o", "-"),
    "output": Look("output", ORANGE, "P", "-"),
}
ORDER_LOOKS = {
    "file": Look("order of the file", GREY, "X", DASHED),
    "temporal": Look("temporal order", GREEN, "^", "-"),
}
NAMES = {"mnist": {"file": "MNIST", "temporal": "Temporal MNIST"}}
"""Of the orders, where the images are those of the thesis."""
SUB_FRAMES = "sub-frames of an image"


def order_name(order: str, dataset: str) -> str:
    """Name of an order of the images."""
    return NAMES.get(dataset, {}).get(order, ORDER_LOOKS[order].label)


def rates_axis(axes: Axes, rows: pd.DataFrame) -> None:
    """Logarithmic axis of the number of sub-frames."""
    plain_log(axes, "x", sorted(rows["sub_frames"].unique()))
    axes.set_xlabel(SUB_FRAMES)


def epochs_axis(axes: Axes) -> None:
    """Axis of whole epochs."""
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("epoch")


def tests(table: pd.DataFrame) -> pd.DataFrame:
    """Tests after whole epochs, with errors in percent."""
    rows = table[(table["element"] == "test") & (table["epoch"] % 1 == 0)]
    return rows.assign(
        test_error_percent=100.0 - rows[SCORE],
        training_error_percent=100.0 - rows["training_score_percent"],
    )


@in_style
def frame_rates(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Operations of a unit of time, one image, against the number of its sub-frames."""
    rows = table.assign(of_time=table["sub_frames"] * table["forward"] / 1e3)
    figure = new_figure(height_mm=68)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, order, mark in zip(panels, ORDERS, "ab", strict=True):
        for network, look in NETWORKS.items():
            mine = rows[(rows["network"] == network) & (rows["order"] == order)]
            draw_mean_line(axes, mine, "sub_frames", "of_time", look)
        plain_log(axes, "y")
        rates_axis(axes, rows)
        letter(axes, mark, order_name(order, dataset))
    panels[0].set_ylabel("operations (10³ per image)")
    handles = [series_handle(look) for look in NETWORKS.values()]
    legend_below(figure, [*handles, *seed_handles(rows)])
    return figure


@in_style
def regularisation(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test errors with noise and with fine codes, and how far they are from the MLP's."""
    rows, shown = tests(table), (MLP, "mlp_noise", PDNN, "pdnn_fine")
    figure = new_figure(height_mm=72)
    left, right = figure.subplots(1, 2)
    for way in shown:
        mine = rows[(rows["way"] == way) & (rows["epoch"] > 0)]
        draw_mean_line(left, mine, "epoch", "test_error_percent", WAYS[way], marker=False)
    plain_log(left, "y")
    left.set_ylabel("test error (%)")
    epochs_axis(left)
    letter(left, "a", "learning")
    plain = score(table, MLP, "file")
    apart = {way: plain - score(table, way, "file") for way in shown[1:]}
    noisy = rows.dropna(subset=["noisy_score_percent"]).set_index("seed")
    apart["at test time"] = noisy[SCORE] - noisy["noisy_score_percent"]
    looks = {**WAYS, "at test time": Look("MLP, noise at test time alone", GREY, "X", "none")}
    for place, (way, values) in enumerate(apart.items()):
        points = values.rename("apart").reset_index().assign(place=place)
        draw_mean_points(right, points, "place", "apart", looks[way])
    right.axhline(0.0, color=GREY, lw=0.8)
    right.set_xlim(-0.6, len(apart) - 0.4)
    right.set_xticks([])
    right.set_ylabel("test error less the MLP's (points)")
    letter(right, "b", "after the last epoch")
    handles = [series_handle(WAYS[way]) for way in shown]
    handles.append(series_handle(looks["at test time"]))
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 3)
    return figure


@in_style
def correlated_gradients(
    table: pd.DataFrame, published: Published, dataset: str = "mnist"
) -> Figure:
    """Cosines of successive gradients, tracking errors, and the gap to the MLP."""
    probes = table[table["element"] == "probe"]
    figure = new_figure(height_mm=72)
    first, second, third = figure.subplots(1, 3)
    for order, look in ORDER_LOOKS.items():
        for layer, line in (("hidden", "-"), ("output", DOTTED)):
            mine = probes[(probes["order"] == order) & (probes["layer"] == layer)]
            shown = look._replace(line=line)
            draw_mean_line(first, mine, "epoch", "gradient_cosine", shown)
    first.set_ylabel("cosine of successive gradients")
    letter(first, "a", "gradients")
    mine = probes[probes["order"] == "temporal"]
    mine = mine.groupby(["seed", "epoch"], as_index=False)[
        ["tracking_error", "frozen_tracking_error"]
    ].mean()
    moving = Look("weights move", BLUE, "o", "-")
    frozen = Look("weights stay", ORANGE, "P", DASHED)
    draw_mean_line(second, mine, "epoch", "tracking_error", moving)
    draw_mean_line(second, mine, "epoch", "frozen_tracking_error", frozen)
    plain_log(second, "y")
    second.set_ylabel("Σ|ẑ − z| / Σ|z|")
    letter(second, "b", f"tracking, {order_name('temporal', dataset)}")
    gaps = tests(table)
    gaps = gaps[(gaps["order"] == "temporal") & (gaps["epoch"] > 0)]
    wide = gaps.pivot(index=["seed", "epoch"], columns="way", values=SCORE)
    whole = Look("learning rate of the text", VERMILLION, "s", "-")
    quarter = Look("smaller learning rate", PURPLE, "v", DASHED)
    for look, (mlp, pdnn) in ((whole, (MLP, PDNN)), (quarter, ("mlp_slow", "pdnn_slow"))):
        gap = (wide[mlp] - wide[pdnn]).rename("gap").dropna().reset_index()
        draw_mean_line(third, gap, "epoch", "gap", look, marker=False)
    third.axhline(0.0, color=GREY, lw=0.8)
    third.set_ylabel("test score, MLP − PDNN (points)")
    letter(third, "c", f"gap, {order_name('temporal', dataset)}")
    for axes in (first, second, third):
        epochs_axis(axes)
    handles = [series_handle(look, linestyle="none") for look in ORDER_LOOKS.values()]
    handles += [
        series_handle(Look("first matrix", GREY, "", "-"), marker=None),
        series_handle(Look("second matrix", GREY, "", DOTTED), marker=None),
        *(series_handle(look) for look in (moving, frozen)),
        *(series_handle(look, marker=None) for look in (whole, quarter)),
    ]
    legend_below(figure, [*handles, *seed_handles(probes)], 4)
    return figure


@in_style
def gradients_shrink(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Size of the gradients, and training errors with tuned and with fixed scales."""
    probes = table[(table["element"] == "probe") & (table["order"] == "file")]
    start = probes[probes["epoch"] == 0].set_index(["seed", "layer"])["gradient_size"]
    at = pd.MultiIndex.from_frame(probes[["seed", "layer"]])
    probes = probes.assign(ratio=probes["gradient_size"] / start.reindex(at).to_numpy())
    figure = new_figure(height_mm=66)
    left, right = figure.subplots(1, 2)
    for layer, look in LAYERS.items():
        draw_mean_line(left, probes[probes["layer"] == layer], "epoch", "ratio", look)
    bound = published.bound("appC.gradients_shrink", "gradients_become_small")
    left.axhline(bound, color=GREY, lw=0.8, ls=DOTTED)
    plain_log(left, "y")
    left.set_ylabel("mean |gradient|, share of the first")
    letter(left, "a", "gradients by what layers receive")
    rows = tests(table)
    rows = rows[(rows["order"] == "file") & (rows["epoch"] > 0)]
    both = set(rows.loc[rows["way"] == "pdnn_fixed", "seed"])
    tuned = WAYS[PDNN]._replace(label="scales tuned", marker="")
    fixed = WAYS["pdnn_fixed"]._replace(marker="")
    for way, look in ((PDNN, tuned), ("pdnn_fixed", fixed)):
        mine = rows[(rows["way"] == way) & rows["seed"].isin(both)]
        draw_mean_line(right, mine, "epoch", "training_error_percent", look, marker=False)
    plain_log(right, "y")
    right.set_ylabel("training error (%)")
    letter(right, "b", "training")
    for axes in (left, right):
        epochs_axis(axes)
    handles = [series_handle(look) for look in LAYERS.values()]
    handles.append(series_handle(Look("bound", GREY, "", DOTTED), marker=None, linewidth=0.8))
    handles += [series_handle(look, marker=None) for look in (tuned, fixed)]
    legend_below(figure, [*handles, *seed_handles(rows[rows["way"] == "pdnn_fixed"])], 4)
    return figure


@in_style
def flat_line(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Change of layers against the frame rate, and what remains of the operations."""
    faded = table[table["element"] == "fade"]
    figure = new_figure(height_mm=72)
    left, right = figure.subplots(1, 2)
    plain = faded[faded["network"] == MLP]
    looks = {
        "input_change": Look("input", VERMILLION, "s", "-"),
        "hidden_change": Look("hidden layer", BLUE, "o", "-"),
    }
    for column, look in looks.items():
        for order, line in (("file", DASHED), ("temporal", "-")):
            mine = plain[plain["order"] == order]
            one = mine[mine["sub_frames"] == 1].set_index("seed")[column]
            share = mine["sub_frames"] * mine[column] / one.reindex(mine["seed"]).to_numpy()
            shown = look._replace(line=line)
            draw_mean_line(left, mine.assign(share=share), "sub_frames", "share", shown)
    left.set_ylim(pad_limits([*(line for each in left.lines for line in each.get_ydata()), 1.0]))
    left.set_ylabel("n times the change, share of n = 1")
    letter(left, "a", "relative change of layers, MLP")
    for order, look in ORDER_LOOKS.items():
        mine = faded[(faded["network"] == PDNN) & (faded["order"] == order)]
        mine = mine.assign(thousands=mine["forward"] / 1e3)
        draw_mean_line(right, mine, "sub_frames", "thousands", look)
        still = table[(table["element"] == "still") & (table["order"] == order)]["forward"]
        right.axhline(still.mean() / 1e3, color=look.colour, lw=0.9, ls=DOTTED)
    plain_log(right, "y")
    right.set_ylabel("operations (10³ per sub-frame)")
    letter(right, "b", "PDNN, and pictures that stand still")
    for axes in (left, right):
        rates_axis(axes, faded)
    handles = [series_handle(look, linestyle="none") for look in looks.values()]
    handles += [series_handle(look) for look in ORDER_LOOKS.values()]
    handles.append(series_handle(Look("still picture", GREY, "", DOTTED), marker=None, lw=0.9))
    legend_below(figure, [*handles, *seed_handles(faded)], 5)
    return figure
