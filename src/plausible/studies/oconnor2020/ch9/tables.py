"""Table 9.1 for people: published marks, with the properties that were measured beside them."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.oconnor2020.ch9.claims import MARKS, marks


def characteristics_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Published marks; in the columns QC and ADP, behind them, the derived ones."""
    measured = {system: rows for system, rows in table.groupby("system")}
    lines = []
    for row in published["rows"]:
        own = marks(measured[row["id"]]) if row["id"] in measured else {}
        cells = [f"{row[mark]} / {own[mark]}" if mark in own else row[mark] for mark in MARKS]
        rows = measured.get(row["id"])
        extra = (
            ["", ""]
            if rows is None
            else [f"{rows[c].mean():.3g}" for c in ("whole_share", "partial_cost")]
        )
        lines.append([row["algorithm"], *cells, *extra])
    header = ["algorithm", *MARKS, "whole messages", "cost of a partial update"]
    notes = "; ".join(f"{number}: {text}" for number, text in published["notes"].items())
    note = (
        "Behind a stroke the mark that follows from what was measured: QC, all messages are whole "
        "numbers; ADP, the change of one input unit costs fewer additions than half of the weights "
        f"(last column: over the number of weights). Notes of the thesis: {notes}.\n"
    )
    return markdown_table(header, lines) + "\n" + note
