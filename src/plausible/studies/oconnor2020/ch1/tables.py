"""Tables of chapter 1: panels of the experiment on spiking neurons, the five gaps for people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.oconnor2020 import selection

selected_rows = selection.selected_rows

GAP_HEADER = (
    "gap",
    "brain",
    "deep learning",
    "closed by",
    "partly by",
    "implemented in",
    "measured in",
)


def gaps_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """The gaps of section 1.5: who closes them, and where this project implements and measures."""
    rows = [
        [
            f"{row.number}. {row.gap}",
            *(row.brain, row.deep_learning),
            *(_listed(row.closed_by), _listed(row.partly_by)),
            *(_listed(row.implemented_in, code=True), _listed(row.measured_in, code=True)),
        ]
        for row in table.itertuples()
    ]
    note = (
        "Closed by: systems of which their chapter says so. Implemented in: modules and names of "
        "the package, on either side of the gap. Measured in: results of this report.\n"
    )
    return markdown_table(GAP_HEADER, rows) + "\n" + note


def _listed(cell: Any, code: bool = False) -> str:
    if pd.isna(cell) or not cell:
        return "none"
    return ", ".join(f"`{name}`" if code else name for name in str(cell).split("; "))
