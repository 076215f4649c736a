"""Pictures of the constraints of section 4.3 and of the network with error nodes."""

import textwrap
from itertools import pairwise
from string import ascii_lowercase

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.patches import Patch, Rectangle

from plausible.drawing.network_graph import draw_graph, graph_handles
from plausible.drawing.style import GREY, SINGLE_COLUMN_MM, in_style, legend_below, new_figure
from plausible.reproduction.published import Published

VERDICTS = {
    "satisfied": ("#9ED9C5", "✓", "satisfied"),
    "partly": ("#F7DFA3", "±", "partly"),
    "not": ("#EFB08A", "✗", "not"),
    "not discussed": ("#FFFFFF", "?", "not discussed"),
    "other": ("#CFE6F5", "•", "other verdict"),
}
"""Colour, sign and name of each class of verdicts."""


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
    """Section 4.3: which constraint of biology each method meets, and what was measured."""
    groups = list(dict.fromkeys(table["group"]))
    ordered = table.sort_values("group", key=lambda column: column.map(groups.index), kind="stable")
    rows = list(dict.fromkeys(ordered["constraint"]))
    methods = list(dict.fromkeys(table["method"]))
    stated = published.values("claim.constraints")["methods"]
    short = {method["name"]: method.get("short", method["name"]) for method in stated}
    notes = _measurements(ordered)
    figure = new_figure(height_mm=34 + 6.5 * len(rows) + 3.5 * len(notes))
    axes = figure.subplots()
    for entry in ordered.itertuples(index=False):
        x, y = methods.index(entry.method), rows.index(entry.constraint)
        colour, sign, _ = VERDICTS[_verdict_kind(entry.verdict)]
        axes.add_patch(Rectangle((x - 0.48, y - 0.45), 0.96, 0.9, fc=colour, ec=GREY, lw=0.4))
        mark, _ = notes.get((entry.constraint, entry.method), ("", ""))
        axes.text(x, y, f"{sign} $^{{{mark}}}$" if mark else sign, ha="center", va="center")
    axes.set_xticks(range(len(methods)), [_wrap(short[method], 11) for method in methods])
    axes.set_yticks(range(len(rows)), [str(row).replace("_", " ") for row in rows])
    axes.tick_params(length=0, top=True, labeltop=True, bottom=False, labelbottom=False)
    axes.set(xlim=(-0.5, len(methods) - 0.5), ylim=(len(rows) - 0.5, -0.5), ylabel="constraint")
    axes.spines[:].set_visible(False)
    for first, second in pairwise(ordered.drop_duplicates("constraint").itertuples()):
        if first.group != second.group:
            axes.axhline(rows.index(second.constraint) - 0.5, color=GREY, lw=0.8)
    text = "\n".join(f"$^{{{mark}}}$ {note}" for mark, note in notes.values())
    axes.set_xlabel(text, loc="left", fontsize=7.0, linespacing=1.4)
    found = {_verdict_kind(verdict) for verdict in table["verdict"]}
    handles = [
        Patch(fc=colour, ec=GREY, lw=0.4, label=f"{sign} {name}")
        for kind, (colour, sign, name) in VERDICTS.items()
        if kind in found
    ]
    legend_below(figure, [*handles, Patch(fc="none", ec="none", label="empty: not stated")], 6)
    return figure


def _measurements(table: pd.DataFrame) -> dict[tuple[str, str], tuple[str, str]]:
    """Letter and text of each measured verdict, by constraint and method."""
    measured = table[table["measured_value"].notna()]
    return {
        (entry.constraint, entry.method): (mark, f"{entry.measurement}: {entry.measured_value:.3g}")
        for mark, entry in zip(ascii_lowercase, measured.itertuples(), strict=False)
    }


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
