"""Pictures of figures 1 and 2 of Song et al. 2020.

Every function takes the tidy table of a result, what the paper published, and the name of the data
set of this scale; it returns a figure and keeps no state. Layers are numbered as in the paper: 0 is
the output, l_max the input.
"""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

from plausible.drawing.network_graph import draw_graph, graph_handles
from plausible.drawing.style import (
    BLUE,
    GREY,
    LIGHT_GREY,
    ORANGE,
    SERIES,
    SKY,
    VERMILLION,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.song2020.looks import ALGORITHMS

TITLES = {"ann": "ANN, trained with BP", "pcn": "PCN, trained with IL"}
GRAPH_NAMES = {"ann": {"value_node": "y"}, "pcn": {"value_node": "x", "error_node": r"\varepsilon"}}


@in_style
def fig1(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 1: graph of an ANN beside that of a PCN with the same weights."""
    names = [name for name in TITLES if name in set(table["network"])]
    figure = new_figure(height_mm=84)
    panels = figure.subplots(1, max(len(names), 1), squeeze=False)[0]
    for axes, name, number in zip(panels, names, "ab", strict=False):
        draw_graph(axes, table[table["network"] == name], GRAPH_NAMES[name])
        letter(axes, number, TITLES[name])
    legend_below(figure, graph_handles("forward pass (a), prediction (b)"))
    return figure


EVENTS = {
    "forward": ("forward pass, prediction phase", SKY),
    "prediction": ("forward pass, prediction phase", SKY),
    "backward": ("backward pass", ORANGE),
    "inference": ("inference", BLUE),
    "weight_update": ("weight update", VERMILLION),
}


@in_style
def fig2(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure 2: what each algorithm changes (value nodes, weights) and when, from a logged run."""
    names = [name for name in ALGORITHMS if name in set(table["algorithm"])]
    figure = new_figure(height_mm=24 + 36 * max(len(names), 1))
    panels = figure.subplots(max(len(names), 1), 1, sharex=True, squeeze=False)[:, 0]
    # The input changes in no event, but it is the upper end of the last weights theta^{l_max}.
    last = int(table["layer"].max())
    times = np.arange(-1, int(table["t"].max()) + 1)
    for axes, name, number in zip(panels, names, "abcd", strict=False):
        _draw_events(axes, table[table["algorithm"] == name], last, times)
        letter(axes, number, ALGORITHMS[name].label)
    panels[-1].set_xlabel("time $t$ (steps); steps of the recursion for BP")
    found = dict(EVENTS[event] for event in table["event"].unique())
    square = {"marker": "s", "ls": "none"}
    handles = [
        patch_handle(colour, label, 1.0)
        if label == "weight update"
        else series_handle(SERIES[3], label, color=colour, **square, ms=6)
        for label, colour in found.items()
    ]
    unchanged = {**square, "mfc": "white", "ms": 5, "mew": 0.5}
    handles.append(series_handle(SERIES[3], "unchanged value nodes", **unchanged))
    legend_below(figure, handles, 5)
    return figure


def _draw_events(axes: Axes, events: pd.DataFrame, last: int, times: np.ndarray) -> None:
    """Squares are value nodes of a layer, bars between two layers their weights."""
    resting = {"ms": 5.5, "mfc": "white", "mec": LIGHT_GREY, "mew": 0.8, "zorder": 1}
    for t in times:
        axes.plot([t] * (last + 1), range(last + 1), "s", **resting)
    for entry in events.itertuples(index=False):
        colour = EVENTS[entry.event][1]
        if entry.element == "value_nodes":
            axes.plot(entry.t, entry.layer, "s", ms=6.5, color=colour, zorder=2)
        else:
            # theta^{l+1} leads from layer l + 1 to layer l.
            corner = (entry.t - 0.22, entry.layer - 0.5 - 0.12)
            style = {"boxstyle": "round,pad=0,rounding_size=0.1", "fc": colour, "ec": "none"}
            axes.add_patch(FancyBboxPatch(corner, 0.44, 0.24, **style, zorder=3))
    if (events["t"] == -1).any():
        axes.axvline(-0.5, color=GREY, lw=0.6, ls=(0, (3, 2)))
    names = [f"$l$ = {layer}" for layer in range(last + 1)]
    names[0], names[-1] = f"output, {names[0]}", f"input, {names[-1]}"
    axes.set_yticks(range(last + 1), names)
    axes.set_ylim(last + 0.5, -0.5)
    axes.tick_params(axis="y", length=0)
    axes.set_xticks(times, ["before", *map(str, times[1:])])
    axes.set_xlim(-1.5, times[-1] + 0.5)
    axes.set_ylabel("layer")
