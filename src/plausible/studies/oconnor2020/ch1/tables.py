"""Tables of chapter 1: panels of the experiment on spiking neurons, the five gaps for people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table
from plausible.studies.oconnor2020 import selection

selected_rows = selection.selected_rows


def gaps_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """The gaps of section 1.5: who closes them, and where this project implements and measures."""
    rows = []
    for row in table.itertuples():
        closed, partly = (_listed(cell) for cell in (row.closed_by, row.partly_by))
        code = (_listed(cell, "`") for cell in (row.implemented_in, row.measured_in))
        texts = (row.brain, row.deep_learning, closed, partly, *code)
        rows.append([f"{row.number}. {row.gap}", *texts])
    header = ["gap", "brain", "deep learning", "closed by", "partly by"]
    note = (
        "Closed by: systems of which their chapter says so. Implemented in: modules and names of "
        "the package, on either side of the gap. Measured in: results of this report.\n"
    )
    return markdown_table([*header, "implemented in", "measured in"], rows) + "\n" + note


def _listed(cell: Any, quote: str = "") -> str:
    if pd.isna(cell) or not cell:
        return "none"
    return ", ".join(f"{quote}{name}{quote}" for name in str(cell).split("; "))
