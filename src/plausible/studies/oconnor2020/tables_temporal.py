"""Table of Temporal MNIST for people to read (O'Connor 2020, appendix B.4)."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.studies.markdown import markdown_table, mean_text

ORDERS = {"file": "as in the file", "shuffled": "shuffled", "temporal": "temporal"}


def temporal_mnist_markdown(table: pd.DataFrame, published: Mapping[str, Any]) -> str:
    """How alike neighbouring images are in every order of every part; means over the shuffles."""
    sequences = table[table["element"] == "sequence"]
    rows = []
    for (part, order, buffer), group in sequences.groupby(
        ["part", "order", "buffer_size"], sort=False
    ):
        kept = not group[["lost_frames", "wrong_labels"]].to_numpy().any()
        rows.append(
            [
                *(part, int(group["frames"].iloc[0]), ORDERS.get(order, order)),
                int(buffer) or "-",
                mean_text(group["mean_l1"]),
                mean_text(group["mean_l2"]),
                mean_text(100 * group["label_change_fraction"], 1),
                "yes" if kept else "no",
            ]
        )
    header = ["part", "images", "order", "buffer", "mean L1 distance of neighbours"]
    header += ["mean L2 distance", "label changes (% of steps)", "all images kept with labels"]
    return markdown_table(header, rows)
