"""Texts of single cells that the readable tables of this study share."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import (
    as_they_are,  # noqa: F401 (named by study files)
    theorems_markdown,  # noqa: F401
)

Published = Mapping[str, Any]


# ------------------------------------------------------------------------- single cells of text


def number(value: float, digits: int = 3) -> str:
    """A number with significant digits: ``0.105``, ``2.37e-13``; ``n/a`` if there is none."""
    if pd.isna(value):
        return "n/a"
    return f"{value:.0f}" if 1e3 <= abs(value) < 1e5 else f"{value:.{digits}g}"
