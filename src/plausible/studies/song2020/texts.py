"""Names, numbers and thresholds that tables, pictures and claims of this study share."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

Published = Mapping[str, Any]
ALGORITHMS = {
    "bp": "BP",
    "il": "IL",
    "il_repeated": "IL (as listed)",
    "zil": "Z-IL",
    "fazil": "Fa-Z-IL",
    "bp_autograd": "BP (autograd)",
}
"""What people call an algorithm of the tables."""
ROUNDING = 1e-9
"""Weights that differ by no more are drawn as equal; claims take the printed bound (A.7)."""
TOP_READING = {"divergence_of_test_error": 46.2, "divergence_of_final_weights": 49.8}
"""Cells of the published figure 3 from here on are at the end of their colour scale, so that they
are lower bounds (recovered.yaml)."""


def moments(column: pd.Series) -> pd.Series:
    """Inference moments t as text: ``l``, ``0``, ``16``; a table may hold them as numbers."""

    def text(value: object) -> str:
        try:
            return str(int(float(str(value))))
        except ValueError:
            return str(value)

    return column.map(text, na_action="ignore")


def number(value: float, digits: int = 3) -> str:
    """A number with significant digits: ``0.105``, ``2.37e-13``; ``n/a`` if there is none."""
    if pd.isna(value):
        return "n/a"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e5 else f"{value:.{digits}g}"
