"""The table of O'Connor 2020, C.6, ours beside the published values."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.oconnor2020.ch5_learning.claims import (
    DATASETS,
    MOMENTS,
    chosen,
    operations,
    score,
)

TITLES = {"file": "order of the file", "temporal": "temporal order"}


def table_c6_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """The table of C.6, every cell as ours with, in brackets, the published one."""
    parts = []
    for protocol, rows in table.groupby("protocol", sort=False):
        lines = []
        for printed in published["rows"]:
            network, depth = printed["network"], len(printed["hidden_sizes"])
            order = DATASETS[printed["dataset"]]
            mine = chosen(rows, network.lower(), order, depth)
            if mine.empty:
                continue
            line = [TITLES[order], depth, network]
            line.append(_beside(operations(mine), 0, printed["ops_per_sample_column"]))
            for column in ("training_score_percent", "test_score_percent"):
                for moment in MOMENTS:
                    known = printed[column]
                    line.append(_beside(score(mine, moment, column), 2, known))
            lines.append([*line, mine["seed"].nunique()])
        header = ["images", "hidden layers", "network", "operations per sample"]
        header += [f"{part} score %, {each}" for part in ("training", "test") for each in MOMENTS]
        header.append("seeds")
        parts.append(f"Protocol `{protocol}`\n\n" + markdown_table(header, lines))
    note = (
        "In brackets the published value, of which C.6 does not say whether it is that of the best "
        "or of the last test. Operations: additions of a PDNN, multiplications with their "
        "additions of an MLP.\n"
    )
    return "\n".join([*parts, note])


def _beside(values: pd.Series, digits: int, printed: float) -> str:
    """Ours and, in brackets, the published one; a count that no seed changes has no interval."""
    ours = values.iloc[:1] if values.nunique() == 1 and digits == 0 else values
    return f"{mean_text(ours, digits)} ({printed:.7g})"
