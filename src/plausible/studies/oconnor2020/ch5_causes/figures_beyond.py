"""What learning and coding on a stream cost, beyond O'Connor 2020, chapter 5."""

import pandas as pd
from matplotlib.figure import Figure

from plausible.drawing.over_seeds import draw_mean_line, draw_mean_points, seed_handles
from plausible.drawing.style import (
    GREEN,
    GREY,
    ORANGE,
    PURPLE,
    VERMILLION,
    Look,
    accuracy_limits,
    accuracy_scale,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch5_causes.claims import SCORE
from plausible.studies.oconnor2020.ch5_causes.figures import (
    DASHED,
    DOTTED,
    NETWORKS,
    ORDER_LOOKS,
    WAYS,
    order_name,
    rates_axis,
)
from plausible.studies.oconnor2020.ch5_causes.settings import (
    ADDITION_PJ,
    MLP,
    MULTIPLY_ADD_PJ,
    ORDERS,
    PDNN,
)

CODES = {
    PDNN: NETWORKS[PDNN]._replace(label="PD codes"),
    "sigma_delta": Look("sigma-delta", GREEN, "^", DASHED),
    "rounding": Look("rounding", GREY, "X", DOTTED),
}
PREDICTORS = {
    "pd": Look("first order, k_alpha of the text", VERMILLION, "s", "-"),
    "first": Look("first order, fitted", ORANGE, "P", DASHED),
    "second": Look("second order, fitted", PURPLE, "v", "-"),
}
SIGNALS = {"input": "input", "hidden": "hidden layer"}


def since_the_beginning(table: pd.DataFrame) -> pd.DataFrame:
    """Tests of the first epoch, with million operations of all passes until then."""
    runs = ["way", "order", "seed"]
    rows = table[table["epoch"] <= 1].sort_values([*runs, "epoch"])
    counted = rows[["forward", "backward", "update"]].sum(axis=1) * rows["samples"]
    done = counted.groupby([rows[name] for name in runs]).cumsum() / 1e6
    return rows.assign(million_operations=done)[rows["epoch"] > 0]


@in_style
def one_pass(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test score within one pass of the stream against the operations until then."""
    rows, shown = since_the_beginning(table), (PDNN, "pdnn_memoryless", MLP)
    figure = new_figure(height_mm=70)
    panels = figure.subplots(1, 2, sharey=True)
    for axes, order, mark in zip(panels, ORDERS, "ab", strict=True):
        for way in shown:
            mine = rows[(rows["way"] == way) & (rows["order"] == order)]
            draw_mean_line(axes, mine, "epoch", SCORE, WAYS[way], at="million_operations")
        plain_log(axes, "x")
        accuracy_scale(axes)
        axes.set_ylim(accuracy_limits(rows[SCORE]))
        axes.set_xlabel("operations of all passes (10⁶)")
        letter(axes, mark, order_name(order, dataset))
    panels[0].set_ylabel("test score (%)")
    handles = [series_handle(WAYS[way]) for way in shown]
    named = rows[rows["way"].isin(shown)].rename(columns={"way": "network"})
    legend_below(figure, [*handles, *seed_handles(named)], 4)
    return figure


@in_style
def break_even(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """From which frame rate on a PDNN needs fewer operations, and less energy, than the MLP."""
    figure = new_figure(height_mm=70)
    left, right = figure.subplots(1, 2)
    keys = ["order", "seed", "sub_frames"]
    wide = table.pivot(index=keys, columns="network", values="forward").reset_index()
    ratio = wide[PDNN] / wide[MLP]
    rows = wide.assign(
        ratio=ratio,
        pdnn_nj=wide["sub_frames"] * wide[PDNN] * ADDITION_PJ / 1e3,
        mlp_nj=wide["sub_frames"] * wide[MLP] * MULTIPLY_ADD_PJ / 1e3,
    )
    for order, look in ORDER_LOOKS.items():
        mine = rows[rows["order"] == order]
        draw_mean_line(left, mine, "sub_frames", "ratio", look)
        draw_mean_line(right, mine, "sub_frames", "pdnn_nj", NETWORKS[PDNN]._replace(
            marker=look.marker, line=look.line
        ))  # fmt: skip
    draw_mean_line(right, rows[rows["order"] == "file"], "sub_frames", "mlp_nj", NETWORKS[MLP])
    left.axhline(1.0, color=GREY, lw=0.8)
    left.set_ylabel("additions of the PDNN for each\nmultiply-add of the MLP")
    right.set_ylabel("energy (nJ per image)")
    letter(left, "a", "operations of a forward pass")
    letter(right, "b", f"{ADDITION_PJ:g} pJ an addition, {MULTIPLY_ADD_PJ:g} a multiply-add")
    for axes in (left, right):
        plain_log(axes, "y")
        rates_axis(axes, rows)
    handles = [series_handle(look) for look in ORDER_LOOKS.values()]
    handles += [series_handle(NETWORKS[PDNN], marker=None), series_handle(NETWORKS[MLP])]
    legend_below(figure, [*handles, *seed_handles(rows)], 5)
    return figure


@in_style
def predictors(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Spikes against the error of the reconstruction, predictors of first and second order."""
    rows = table.assign(error_share=100.0 * table["error"])
    rates = sorted(rows["sub_frames"].unique())
    low, high = rows["error_share"].min(), rows["error_share"].max()
    ticks = [tick for tick in (0.5, 1, 2, 5, 10, 20, 50) if low <= tick <= high]
    figure = new_figure(height_mm=104)
    panels = figure.subplots(2, len(rates), sharex=True, sharey="row", squeeze=False)
    letters = iter("abcdef")
    for across, (layer, name) in zip(panels, SIGNALS.items(), strict=True):
        for axes, rate in zip(across, rates, strict=True):
            mine = rows[(rows["layer"] == layer) & (rows["sub_frames"] == rate)]
            for network, look in PREDICTORS.items():
                own = mine[mine["network"] == network]
                draw_mean_line(axes, own, "step", "spikes", look, at="error_share")
            plain_log(axes, "x", ticks)
            plain_log(axes, "y")
            letter(axes, next(letters), f"{name}, n = {rate:g}")
        across[0].set_ylabel("spikes of a sub-frame")
    for axes in panels[-1]:
        axes.set_xlabel("error (% of mean size)")
    handles = [series_handle(look) for look in PREDICTORS.values()]
    legend_below(figure, [*handles, *seed_handles(rows)], 3)
    return figure


@in_style
def frozen_codes(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Test score of one trained network against additions, in codes of chapters 4 and 5."""
    rows = table.assign(thousands=table["forward"] / 1e3)
    training = rows[rows["network"] == "training"]
    figure = new_figure(height_mm=72)
    panels = figure.subplots(1, 2, sharey=True, sharex=True)
    for axes, order, mark in zip(panels, ORDERS, "ab", strict=True):
        for network, look in CODES.items():
            mine = rows[(rows["network"] == network) & (rows["order"] == order)]
            draw_mean_points(
                axes, mine, "fineness", "score_percent", look, at="thousands", joined=True
            )
        plain_log(axes, "x")
        axes.set_xlabel("additions (10³ per image)")
        letter(axes, mark, order_name(order, dataset))
    learning = Look("all passes while it learned", GREY, "", DASHED)
    panels[0].axvline(training["operations"].mean() / 1e3, color=GREY, lw=0.9, ls=DASHED)
    panels[0].set_ylabel("test score (%)")
    handles = [series_handle(look) for look in CODES.values()]
    handles.append(series_handle(learning, marker=None, lw=0.9))
    legend_below(figure, [*handles, *seed_handles(rows, dots=True)], 3)
    return figure
