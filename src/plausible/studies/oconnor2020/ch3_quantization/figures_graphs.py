"""O'Connor 2020, figures A.2 and A.3: the graph of modules and the order of events."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch

from plausible.drawing.style import (
    BLUE,
    DOUBLE_COLUMN_MM,
    GREEN,
    GREY,
    ORANGE,
    PUBLISHED_COLOUR,
    PUBLISHED_LINE,
    PURPLE,
    VERMILLION,
    Look,
    in_style,
    legend_below,
    letter,
    new_figure,
    patch_handle,
    series_handle,
)
from plausible.reproduction.published import Published
from plausible.studies.oconnor2020.ch3_quantization.tables import ROUTINGS, event_order

FORWARD, BACKWARD, SIDE = 2.0, 0.0, 1.0
"""Rows of the drawing of figure A.2."""
TITLES = {
    "relu": "ReLU network with one hidden layer",
    "spiking": "the spiking network that approximates it",
}
# Label, colour, column of layer 0 and row of every kind of module; columns grow by two a layer.
KINDS: dict[str, tuple[str, str, float, float]] = {
    "input": ("input\n$x$", GREY, 0, FORWARD),
    "weights": ("weights\n$W^{l}$", BLUE, 1, FORWARD),
    "herder": ("rectified\nquantizer", VERMILLION, 0, FORWARD),
    "relu": ("ReLU", VERMILLION, 0, FORWARD),
    "target": ("target\n$t$", GREY, 5, FORWARD),
    "error counter": ("count of\noutput − target", PURPLE, 5, SIDE),
    "difference": ("output − target", PURPLE, 5, SIDE),
    "gate": ("filter\nReLU$^\\prime$", ORANGE, 0, BACKWARD),
    "back weights": ("weights\n$(W^{l})^T$", BLUE, 1, BACKWARD),
    "back herder": ("signed\nquantizer", VERMILLION, 0, BACKWARD),
    "update": ("update\n$\\Delta W^{l}$", GREEN, 1, SIDE),
}
DRIVES = Look("events or values", "black", "", "-")
READS = Look("running sum or value that is read", VERMILLION, "", (0, (3, 1.5)))
CHANGES = Look("change of weights", GREEN, "", (0, (1, 1)))
THEIRS = {"ec": PUBLISHED_COLOUR, "ls": PUBLISHED_LINE, "lw": 0.9}
MODULE_COLOURS = {"A": GREY, "B": BLUE, "C": ORANGE, "D": GREEN}


def place_of(kind: str, layer: int) -> tuple[float, float]:
    """Centre of a module: columns for layers, rows for the two directions."""
    _, _, column, row = KINDS[kind]
    if kind in ("input", "target", "error counter", "difference"):
        return column, row
    # The way back has one module more per layer; the filter of layer 1 comes below its update.
    shift = -1.0 if kind == "gate" and layer == 1 else 0.0
    return column + 2 * layer + shift, row


@in_style
def fig_a2(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure A.2: the modules of the implementation and what passes between them."""
    figure = new_figure(DOUBLE_COLUMN_MM, 128)
    panels = figure.subplots(2, 1)
    for axes, network, number in zip(panels, TITLES, "ab", strict=True):
        _draw_modules(axes, table[table["network"] == network])
        letter(axes, number, TITLES[network])
    handles = [series_handle(look, marker=None, lw=0.9) for look in (DRIVES, READS, CHANGES)]
    legend_below(figure, handles, 3)
    return figure


def _draw_modules(axes: Axes, rows: pd.DataFrame) -> None:
    boxes = {}
    for row in rows[rows["element"] == "module"].itertuples():
        (text, colour, *_), layer = KINDS[row.kind], int(row.layer)
        text = text.replace("{l}", str(layer))
        boxes[row.name] = _box(axes, place_of(row.kind, layer), text, colour)
    for element, look in (("edge", DRIVES), ("read", READS), ("write", CHANGES)):
        for row in rows[rows["element"] == element].itertuples():
            ends = boxes[row.name], boxes[row.target]
            _arrow(axes, *ends, look, mutation_scale=6, shrinkA=1, shrinkB=1)
    axes.set(xlim=(-0.5, 5.6), ylim=(-0.4, 2.4))
    axes.set_axis_off()


Box = tuple[tuple[float, float], FancyBboxPatch]
"""Centre and outline of a module."""


def _arrow(axes: Axes, source: Box, target: Box, look: Look, **options: Any) -> None:
    axes.add_patch(
        FancyArrowPatch(
            posA=source[0], posB=target[0], patchA=source[1], patchB=target[1], arrowstyle="-|>",
            lw=0.9, color=look.colour, linestyle=look.line, zorder=1, **options,
        )
    )  # fmt: skip


def _box(
    axes: Axes, centre: tuple[float, float], text: str, colour: str, width: float = 0.72,
    height: float = 0.5,
) -> Box:  # fmt: skip
    x, y = centre
    patch = FancyBboxPatch(
        (x - width / 2, y - height / 2), width, height, boxstyle="round,pad=0,rounding_size=0.08",
        fc="white", ec=colour, lw=1.1, zorder=2, mutation_aspect=0.6,
    )  # fmt: skip
    axes.add_patch(patch)
    axes.text(x, y, text, ha="center", va="center", zorder=3, linespacing=1.15)
    return centre, patch


@in_style
def fig_a3(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Figure A.3: the graph of modules; and the order of their events in both routings."""
    figure = new_figure(DOUBLE_COLUMN_MM, 66)
    graph, order = figure.subplots(1, 2, width_ratios=(1, 2.6))
    _draw_example(graph, table)
    letter(graph, "a", "modules and bindings")
    events = table[table["element"] == "event"]
    stated = published.values("table_a2")
    rows = {}
    for row, routing in zip((0.0, -1.3), ROUTINGS, strict=True):
        name = routing.replace("_", " ")
        rows |= {row: f"{name}, ours", row - 0.5: "published"}
        for place, text in enumerate(event_order(events, routing), start=1):
            colour = MODULE_COLOURS.get(text.partition("(")[0], GREY)
            _event(order, place, row, text, fc=colour, ec="none", alpha=0.25)
        for place, text in enumerate(stated[routing], start=1):
            _event(order, place, row - 0.5, text, fill=False, **THEIRS)
    order.set_yticks(list(rows), list(rows.values()))
    order.set_xticks(range(1, 8))
    order.set(xlim=(0.4, 7.6), ylim=(-2.1, 0.3), xlabel="position in the order of processing")
    order.spines["left"].set_visible(False)
    order.tick_params(axis="y", length=0)
    letter(order, "b", "order of events: module(event)")
    consumers = [name for name in MODULE_COLOURS if name in set(events["name"])]
    handles = [patch_handle(MODULE_COLOURS[name], f"consumed by {name}") for name in consumers]
    handles.append(Patch(fill=False, label="published (table A.2)", **THEIRS))
    legend_below(figure, handles, 4)
    return figure


def _event(axes: Axes, place: int, row: float, text: str, **look: Any) -> None:
    corner = (place - 0.4, row - 0.18)
    shape = "round,pad=0,rounding_size=0.06"
    axes.add_patch(FancyBboxPatch(corner, 0.8, 0.36, boxstyle=shape, **look))
    axes.text(place, row, text, ha="center", va="center")


def _draw_example(axes: Axes, table: pd.DataFrame) -> None:
    places = {"A": (0.0, 0.0), "B": (1.0, 0.6), "C": (1.0, -0.6), "D": (2.0, 0.6)}
    names = table.loc[table["element"] == "module", "name"]
    boxes = {name: _box(axes, places[name], name, MODULE_COLOURS[name], 0.4, 0.4) for name in names}
    for row in table[table["element"] == "edge"].itertuples():
        _arrow(axes, boxes[row.name], boxes[row.target], DRIVES, mutation_scale=7)
    axes.set(xlim=(-0.4, 2.4), ylim=(-1.0, 1.0))
    axes.set_axis_off()
