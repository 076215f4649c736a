"""Tables of chapter 1: panels of the sweep of spiking neurons, and the five gaps for people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.markdown import Frames, markdown_table

GAP_HEADER = (
    "gap",
    "brain",
    "deep learning",
    "closed by",
    "partly by",
    "implemented in",
    "measured in",
)


def spiking_panels(frames: Frames, options: Mapping[str, Any]) -> pd.DataFrame:
    """Rows of the ``panels`` that the options name, without the columns that these do not use.

    Raises
    ------
    StudyError
        If a panel has no rows.
    """
    table = pd.concat(list(frames.values()), ignore_index=True)
    for panel in options["panels"]:
        if panel not in set(table["panel"]):
            raise StudyError(
                f"spiking_panels: no rows of the panel {panel!r} were found, where "
                f"{', '.join(table['panel'].unique())} are there; correct the options of the "
                "result in the study file."
            )
    chosen = table[table["panel"].isin(options["panels"])]
    return chosen.dropna(axis="columns", how="all")


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
