"""Section 4.3 for people to read."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table


def constraints_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """Section 4.3 as a table: constraints in rows, methods in columns."""
    wide = table.pivot_table(
        index="constraint", columns="method", values="verdict", aggfunc="first", sort=False
    ).fillna("")
    rows = [[name, *line] for name, line in zip(wide.index, wide.to_numpy(), strict=True)]
    text = markdown_table(["constraint", *wide.columns], rows)
    measured = table[table["measured_value"].notna()]
    backed = [
        [row.constraint, row.method, row.measurement, f"{row.measured_value:.3g}"]
        for row in measured.itertuples()
    ]
    return text + "\n" + markdown_table(["constraint", "method", "measured", "value"], backed)
