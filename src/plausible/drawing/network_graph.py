"""Drawing of a network's graph: value nodes, error nodes and the connections between them."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from plausible.drawing.style import BLUE, SERIES, VERMILLION, series_handle

NAMES = {"value_node": "x", "error_node": r"\varepsilon"}
DASHES = (0, (3, 1.5))


def draw_graph(axes: Axes, table: pd.DataFrame, names: Mapping[str, str] = NAMES) -> None:
    """Nodes at their places with name, layer and index; predictions solid, errors dashed.

    A prediction runs from a value node to an error node and an error back; in a graph without
    error nodes both run between value nodes.
    """
    nodes = table[table["element"] != "edge"]
    place = {
        (element, int(layer), int(index)): (x, y)
        for element, layer, index, x, y in zip(
            nodes["element"], nodes["layer"], nodes["index"], nodes["x"], nodes["y"], strict=True
        )
    }
    errors = "error_node" if "error_node" in set(nodes["element"]) else "value_node"
    edges = table[table["element"] == "edge"]
    for kind, layer, index, target_layer, target_index in zip(
        edges["kind"],
        edges["layer"],
        edges["index"],
        edges["target_layer"],
        edges["target_index"],
        strict=True,
    ):
        backwards = kind == "error"
        source, target = (errors, "value_node") if backwards else ("value_node", errors)
        start = place.get((source, int(layer), int(index)))
        end = place.get((target, int(target_layer), int(target_index)))
        if start is None or end is None:
            continue
        straight = not backwards or layer == target_layer
        axes.add_patch(
            FancyArrowPatch(
                start,
                end,
                arrowstyle="-|>",
                mutation_scale=5,
                shrinkA=8,
                shrinkB=8,
                lw=0.7,
                color=VERMILLION if backwards else BLUE,
                linestyle=DASHES if backwards else "-",
                connectionstyle=f"arc3,rad={0.0 if straight else 0.18}",
            )
        )
    for (element, layer, index), (x, y) in place.items():
        value = element == "value_node"
        axes.plot(
            x,
            y,
            marker="o" if value else "s",
            ms=17 if value else 14,
            mfc="white",
            mec=BLUE if value else VERMILLION,
            mew=1.1,
            ls="none",
            zorder=3,
        )
        label = rf"${names[element]}^{{({layer})}}_{{{index}}}$"
        axes.text(x, y, label, ha="center", va="center", zorder=4)
    axes.set_axis_off()
    axes.margins(0.14)


def graph_handles(prediction: str = "prediction") -> list[Line2D]:
    """Legend entries of such a drawing; ``prediction`` names its solid arrows."""
    node = {"ms": 8, "mfc": "white", "ls": "none"}
    return [
        series_handle(SERIES[0], "value node", color=BLUE, marker="o", **node),
        series_handle(SERIES[0], "error node", color=VERMILLION, marker="s", **node),
        series_handle(SERIES[0], prediction, color=BLUE, marker=None, ls="-", lw=0.9),
        series_handle(SERIES[0], "error", color=VERMILLION, marker=None, ls=DASHES, lw=0.9),
    ]
