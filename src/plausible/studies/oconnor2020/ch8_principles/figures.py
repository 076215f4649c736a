"""O'Connor 2020, chapter 8: a neuron whose inputs come to rest, and errors to the fixed point."""

import numpy as np
import pandas as pd
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from plausible.drawing.over_seeds import draw_mean_line, seed_handles
from plausible.drawing.style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    POSITIVE,
    PURPLE,
    SINGLE_COLUMN_MM,
    SKY,
    VERMILLION,
    Look,
    draw_published,
    in_style,
    legend_below,
    letter,
    new_figure,
    plain_log,
    published_line,
    series_handle,
)
from plausible.reproduction.published import Published

SCHEMES = {
    "stochastic_root": Look(r"random bits, $1/\sqrt{t}$", GREY, "X", (0, (1.2, 1.2))),
    "root": Look(r"$1/\sqrt{t}$", ORANGE, "P", "-"),
    "scheduled": Look(
        r"$\epsilon_0/t^\eta$, $\lambda_0/t^\eta$", GREEN, "^", (0, (6, 1.5, 1, 1.5))
    ),
    "osa": Look("OSA", SKY, "D", (0, (4.5, 1.5))),
    "osa_lambda": Look(r"OSA, $\lambda$", BLUE, "o", "-"),
    "osa_scheduled_lambda": Look(r"OSA, $\lambda_0/t^\eta$", PURPLE, "v", (0, (3, 1, 1, 1, 1, 1))),
}
"""Lines of figure 8.2, and random bits."""
LONG = {
    "half": (Look(r"$\epsilon=1/2$", SKY, "", (0, (4.5, 1.5))), "sigma_delta, eps=1/2"),
    "inverse": (Look(r"$\epsilon=1/t$", VERMILLION, "", (0, (1.2, 1.2))), "sigma_delta, eps=1/t"),
    "root": (Look(r"$\epsilon=1/\sqrt{t}$", ORANGE, "", "-"), "sigma_delta, eps=1/sqrt(t)"),
    "stochastic_root": (
        Look(r"random bits, $1/\sqrt{t}$", GREY, "", (0, (1.2, 1.2))),
        "stochastic, eps=1/sqrt(t)",
    ),
    "poster": (Look(r"$0.84/t^{0.09}$, $\lambda=0.83/t^{0.58}$", GREEN, "", "-"), "poster"),
}
"""Schemes of the poster, with the names of its curves."""
OTHER = {
    "scheduled": Look(r"$\lambda$ annealed", GREEN, "", "-"),
    "scheduled_plain": Look(r"$\lambda=1$", ORANGE, "", "-"),
    "scheduled_upwards": Look(r"$\lambda$ rising to 1", SKY, "", (0, (4.5, 1.5))),
    "constant": Look(r"$\epsilon=\lambda=1/2$", PURPLE, "", (0, (6, 1.5, 1, 1.5))),
    "inverse_square": Look(r"$\epsilon=1/t^2$", GREY, "", (0, (1.2, 1.2))),
}
ERROR = r"mean $|s - s_{\mathrm{fixed}}|$"
PROTOCOL_TITLES = {"as_published": "as captioned", "as_coded": "as coded"}


@in_style
def converging_inputs(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 8.1: inputs and their bits, what arrives, both schedules, both neurons."""
    rows = table[table["element"] == "trace"].sort_values("step")
    poster = published.curve("ch8.fig8.1-poster")
    figure = new_figure(SINGLE_COLUMN_MM, 130)
    panels = figure.subplots(4, 1, sharex=True, height_ratios=(1.5, 0.8, 0.9, 1.2))
    step = rows["step"]
    colours = (BLUE, ORANGE, GREEN)
    names = [name for name in rows if name.startswith("input_") and rows[name].notna().any()]
    gap = 1.35 * rows[names].max().max()
    for number, (name, colour) in enumerate(zip(names, colours, strict=False)):
        base = -gap * number
        panels[0].plot(step, base + rows[name], color=colour, lw=1.0)
        fired = step[rows[name.replace("input", "bit")] > 0]
        panels[0].vlines(fired, base - 0.2 * gap, base - 0.05 * gap, color=colour, lw=0.5)
    panels[0].set_yticks(
        [-gap * n for n in range(len(names))], [f"$s_{n + 1}$" for n in range(len(names))]
    )
    letter(panels[0], "a", "inputs and their bits")
    panels[1].vlines(step, 0.0, rows["received"], color=GREY, lw=0.6)
    panels[1].axhline(0.0, color=GREY, lw=0.6)
    panels[1].set_ylabel("$u$")
    letter(panels[1], "b", "weighted bits that arrive")
    for column, name, colour in (("epsilon", "epsilon", VERMILLION), ("decay", "lambda", SKY)):
        panels[2].plot(step, rows[column], color=colour, lw=1.2, label=f"$\\{name}$")
        theirs = poster[poster["curve"] == name].sort_values("step")
        # Their time starts at 0, ours at 1.
        draw_published(panels[2], theirs["step"] + 1, theirs["value"])
    panels[2].legend(loc="upper right", ncols=2)
    panels[2].set_ylabel("step, coefficient")
    letter(panels[2], "c", "schedules")
    panels[3].plot(step, rows["real_state"], color=VERMILLION, lw=1.4)
    panels[3].plot(step, rows["binary_state"], color=BLUE, lw=0.8)
    panels[3].set_ylabel("$s$")
    panels[3].set_xlabel("step")
    letter(panels[3], "d", "state of the neuron")
    figure.align_ylabels(panels)
    handles = [
        Line2D([], [], color=VERMILLION, label="hears real numbers"),
        Line2D([], [], color=BLUE, lw=0.8, label="hears bits"),
        published_line(label="poster"),
    ]
    legend_below(figure, handles, 3)
    return figure


@in_style
def convergence(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 8.2: error to the fixed point, nudged from a step on."""
    protocols = [name for name in PROTOCOL_TITLES if name in set(table["protocol"])]
    figure = new_figure(height_mm=84)
    panels = figure.subplots(1, len(protocols), sharey=True, squeeze=False)[0]
    rows = table.rename(columns={"network": "seed"})
    for axes, protocol, mark in zip(panels, protocols, "ab", strict=False):
        mine = rows[rows["protocol"] == protocol]
        for scheme, look in SCHEMES.items():
            one = mine[mine["scheme"] == scheme]
            if len(one):
                plain = look._replace(marker="")
                draw_mean_line(axes, one, "step", "error", plain, within=POSITIVE, lw=1.1)
        moment = int(mine["perturbation"].iloc[0])
        axes.axvline(moment + 0.5, color=GREY, lw=0.7, ls=(0, (2, 2)))
        axes.set_yscale("log")
        axes.set_xlabel("step")
        letter(axes, mark, f"{PROTOCOL_TITLES[protocol]}, outputs nudged after step {moment}")
    panels[0].set_ylabel(ERROR)
    handles = [series_handle(look, marker="") for look in SCHEMES.values()]
    handles += as_networks(seed_handles(rows.drop(columns="protocol")))
    legend_below(figure, handles, 4)
    return figure


def as_networks(handles: list[Line2D]) -> list[Line2D]:
    """Legend entries of seeds that are networks."""
    for handle in handles:
        name = handle.get_label().replace("seeds", "networks")
        handle.set_label(name.replace("one seed", "one network"))
    return handles


@in_style
def long_runs(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error over many steps: the poster's schemes, and how lambda and epsilon are annealed."""
    poster = published.curve("ch8.fig8.2-poster")
    poster = poster.assign(error=np.sqrt(poster["abs_error_lower"] * poster["abs_error_upper"]))
    figure = new_figure(height_mm=88)
    panels = figure.subplots(1, 2, sharey=True)
    for look, name in LONG.values():
        theirs = poster[poster["curve"].map(_short) == _short(name)].sort_values("step")
        theirs = theirs[theirs["step"] <= table["step"].max()]
        options = {"color": look.colour, "alpha": 0.45, "lw": 2.2, "ls": "-", "zorder": 0}
        panels[0].plot(theirs["step"], theirs["error"], **options)
    looks = ({name: look for name, (look, _) in LONG.items()}, OTHER)
    titles = ("schemes of the poster", "what is annealed, and how")
    for axes, chosen, mark, title in zip(panels, looks, "ab", titles, strict=True):
        for scheme, look in chosen.items():
            rows = table[table["scheme"] == scheme]
            draw_mean_line(axes, rows, "step", "error", look, within=POSITIVE, lw=1.1)
        plain_log(axes, "x")
        axes.set_yscale("log")
        axes.set_xlabel("step")
        letter(axes, mark, title)
        handles = [series_handle(look) for look in chosen.values()]
        axes.legend(handles=handles, loc="lower left", fontsize=6.5)
    panels[0].set_ylabel(ERROR)
    wide = Line2D([], [], color=GREY, alpha=0.45, lw=2.2, label="poster, its network")
    legend_below(figure, [wide, *seed_handles(table)], 3)
    return figure


def _short(name: str) -> str:
    """Name of a curve of the poster; the one with lambda is named by its parameters."""
    return "poster" if "lambda" in name or name == "poster" else name


@in_style
def exponents(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Error against the exponent of the step size, each with its best first step."""
    cells = table[table["element"] == "cell"].rename(columns={"network": "number"})
    least = cells.groupby(["decay", "number", "exponent"], as_index=False)["error"].min()
    least = least.rename(columns={"number": "seed"})
    looks = {
        "plain": Look("no predictive coding", ORANGE, "s", (0, (4.5, 1.5))),
        "predictive": Look(r"$\lambda$ annealed", BLUE, "o", "-"),
    }
    figure = new_figure(SINGLE_COLUMN_MM, 74)
    axes = figure.subplots()
    axes.axvspan(0.5, 1.0, color=GREY, alpha=0.12, lw=0)
    for name, look in looks.items():
        rows = least[least["decay"] == name]
        draw_mean_line(axes, rows, "exponent", "error", look, within=POSITIVE, ms=3.2)
    axes.set_yscale("log")
    axes.set_xlabel(r"exponent $\eta$ of $\epsilon = \epsilon_0 / t^\eta$")
    axes.set_ylabel(ERROR)
    letter(axes, "a", "after half of the steps and after all, mean")
    band = Line2D([], [], color=GREY, alpha=0.3, lw=5, label="exponents that the text allows")
    handles = [series_handle(look) for look in looks.values()]
    legend_below(figure, [*handles, *as_networks(seed_handles(least)), band], 1)
    return figure
