"""Pictures of the constraints of section 4.3 and of the network with error nodes."""

import textwrap
from itertools import pairwise

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from plausible.drawing.network_graph import draw_graph, graph_handles
from plausible.drawing.style import (
    GREY,
    LIGHT_GREY,
    SINGLE_COLUMN_MM,
    in_style,
    legend_below,
    new_figure,
    patch_handle,
)
from plausible.reproduction.published import Published

VERDICTS = {
    "satisfied": ("#9ED9C5", "✓", "satisfied"),
    "partly": ("#F7DFA3", "±", "partly"),
    "not": ("#EFB08A", "✗", "not"),
    "not discussed": ("#FFFFFF", "?", "not discussed"),
    "other": ("#CFE6F5", "•", "other verdict"),
}
"""Colour, sign and name of each class of verdicts."""
STATED, MEASURED = {"ec": GREY, "lw": 0.4}, {"ec": "black", "lw": 1.4}


@in_style
def fig3(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Predictive coding network: value nodes, error nodes between them, and their connections."""
    figure = new_figure(SINGLE_COLUMN_MM, 82)
    axes = figure.subplots()
    draw_graph(axes, table)
    legend_below(figure, graph_handles(), 2)
    return figure


@in_style
def constraints(table: pd.DataFrame, published: Published, dataset: str = "mnist") -> Figure:
    """Section 4.3: which constraint of biology each method meets, and which of it was measured."""
    groups = list(dict.fromkeys(table["group"]))
    ordered = table.sort_values("group", key=lambda column: column.map(groups.index), kind="stable")
    rows = list(dict.fromkeys(ordered["constraint"]))
    methods = list(dict.fromkeys(table["method"]))
    stated = published.values("claim.constraints")["methods"]
    short = {method["name"]: method.get("short", method["name"]) for method in stated}
    figure = new_figure(height_mm=34 + 6.5 * len(rows))
    axes = figure.subplots()
    axes.set_facecolor(LIGHT_GREY)
    for entry in ordered.itertuples(index=False):
        x, y = methods.index(entry.method), rows.index(entry.constraint)
        colour, sign, _ = VERDICTS[_verdict_kind(entry.verdict)]
        frame = MEASURED if pd.notna(entry.measured_value) else STATED
        axes.add_patch(Rectangle((x - 0.46, y - 0.43), 0.92, 0.86, fc=colour, **frame))
        axes.text(x, y, sign, ha="center", va="center")
    axes.set_xticks(range(len(methods)), [_wrap(short[method], 11) for method in methods])
    axes.set_yticks(range(len(rows)), [str(row).replace("_", " ") for row in rows])
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(-0.5, len(methods) - 0.5), ylim=(len(rows) - 0.5, -0.5), ylabel="constraint")
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("method")
    axes.spines[:].set_visible(False)
    for first, second in pairwise(ordered.drop_duplicates("constraint").itertuples()):
        if first.group != second.group:
            axes.axhline(rows.index(second.constraint) - 0.5, color=GREY, lw=0.8)
    found = {_verdict_kind(verdict) for verdict in table["verdict"]}
    handles = [
        Patch(fc=colour, **STATED, label=f"{sign} {name}")
        for kind, (colour, sign, name) in VERDICTS.items()
        if kind in found
    ]
    handles += [
        patch_handle(LIGHT_GREY, "not stated", 1.0),
        Patch(fc="none", **MEASURED, label="measured here"),
    ]
    legend_below(figure, handles, 4)
    return figure


def _verdict_kind(verdict: str) -> str:
    """Class of a verdict such as ``partly (inference only)``."""
    text = str(verdict).lower()
    if text.startswith("not discussed") or text.startswith("not stated"):
        return "not discussed"
    return next((kind for kind in ("satisfied", "partly", "not") if text.startswith(kind)), "other")


def _wrap(text: str, width: int) -> str:
    """Break a label at spaces."""
    words = str(text).replace("-trained", "- trained")
    return textwrap.fill(words, width, break_long_words=False, break_on_hyphens=False)
