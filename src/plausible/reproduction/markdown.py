"""Tidy tables as Markdown for people to read: what the tables of every study share."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from plausible.measure.accuracy import mean_interval, possible_percent


def markdown_table(header: Sequence[Any], rows: Sequence[Sequence[Any]]) -> str:
    """GitHub-flavoured Markdown table; bars within a cell, such as those of |x|, are escaped."""
    lines = [header, ["---"] * len(header), *rows]
    texts = [[str(cell).replace("|", "\\|") for cell in line] for line in lines]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in texts) + "\n"


def mean_text(values: pd.Series, digits: int = 2, percent: bool = False) -> str:
    """Mean with the half-width of its 95 % interval over seeds: ``97.31 ± 0.08``.

    An interval in ``percent`` that would leave 0 to 100 is told by its ends: ``62.06 (0.97 to
    99.63)``.
    """
    values = values.dropna()
    if values.empty:
        return "n/a"
    mean, low, high = mean_interval(values.to_numpy())
    text = f"{mean:.{digits}f}"
    if len(values) < 2:
        return text
    if percent and not 0.0 <= low <= high <= 100.0:
        low, high = possible_percent(mean, low, high)
        return f"{text} ({low:.{digits}f} to {high:.{digits}f})"
    return f"{text} ± {(high - low) / 2:.{digits}f}"
