"""Rows of an experiment that one result shows: several results may share an experiment."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.frames import Frames, as_they_are


def selected_rows(frames: Frames, where: Mapping[str, Any]) -> pd.DataFrame:
    """Rows whose columns have the values (or one of the lists of values) of ``where``.

    Columns that these rows leave empty are left out.

    Raises
    ------
    StudyError
        If a value has no rows.
    """
    table = as_they_are(frames)
    for column, wanted in where.items():
        wanted = wanted if isinstance(wanted, list) else [wanted]
        for value in wanted:
            if value not in set(table[column]):
                known = ", ".join(map(str, table[column].unique()))
                raise StudyError(
                    f"options.where.{column}: no rows of {value!r} were found, where {known} are "
                    "there; correct the options of the result in the study file."
                )
        table = table[table[column].isin(wanted)]
    return table.dropna(axis="columns", how="all").reset_index(drop=True)
