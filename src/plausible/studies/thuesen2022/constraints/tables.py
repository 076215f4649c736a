"""Section 4.3 for people to read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table


def verdict_rows(table: pd.DataFrame) -> tuple[list[str], list[list[str]]]:
    """Header and rows of section 4.3: constraints in rows, methods in columns."""
    wide = table.pivot_table(
        index="constraint", columns="method", values="verdict", aggfunc="first", sort=False
    )
    wide = wide.fillna("").reset_index()
    return list(wide.columns), wide.to_numpy().tolist()


def constraints_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Section 4.3 as a table, and what was measured."""
    measured = table[table["measured_value"].notna()]
    backed = [
        [row.constraint, row.method, row.measurement, f"{row.measured_value:.3g}"]
        for row in measured.itertuples()
    ]
    measurements = markdown_table(["constraint", "method", "measured", "value"], backed)
    return markdown_table(*verdict_rows(table)) + "\n" + measurements
