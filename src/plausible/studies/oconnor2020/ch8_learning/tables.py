"""Errors of all trainings of chapter 8 for people."""

import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.reproduction.published import Published

TITLES = {
    "continuous": "continuous",
    "binary": "binary, OSA",
    "binary_checkpoint": "binary, common checkpoint, 20 + 4 steps",
    "binary_short": "binary, OSA, 20 + 4 steps",
    "binary_short_tuned": "binary, OSA tuned for 20 + 4 steps",
    "continuous_keeping": "continuous, states kept",
    "continuous_deep": "continuous, deep",
    "binary_deep_printed": "binary, deep, ν as printed",
    "binary_deep": "binary, deep, ν of the code",
    "binary_deep_long": "binary, deep, 400 + 200 steps",
}


def trainings_markdown(table: pd.DataFrame, published: Published) -> str:
    """Errors where each network ended, mean over seeds with its interval."""
    lines = []
    for variant, rows in table.groupby("variant", sort=False):
        ends = rows.sort_values("epoch").groupby("seed").last()
        cells = [
            mean_text(ends[f"{part}_error_percent"], 2) for part in ("test", "official", "training")
        ]
        epochs = f"{ends['epoch'].max():g}"
        lines.append([TITLES.get(variant, variant), epochs, *cells, len(ends)])
    header = ["network", "epochs", "test error %, thesis split", "test error %, official split"]
    return markdown_table(header + ["training error %", "seeds"], lines)
