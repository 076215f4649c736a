"""Rows of table 1 as they are printed, the networks in them, and columns of this part's tables."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.published import Published

ACCURACY = "test_accuracy_percent"
RATE, SPIKING = "rate_accuracy_percent", "spiking_accuracy_percent"
FIRST_SPIKE = "first_spike_accuracy_percent"
DROP = "drop_percentage_points"
VOLATILITY = "accuracy_step_std_percent"
NONE, ALL = "none", "all of them"
"""Ablations with nothing changed, and with everything."""
LABELS = ["model", "algorithm", "optimizer", "activation", "batch_norm", "spiking"]


def printed_rows(published: Published) -> pd.DataFrame:
    """Rows of table 1; ``row`` is their number in our tables, which their id ends in."""
    table = pd.DataFrame(published.values("table1")["rows"])
    return table.assign(row=table["id"].str.removeprefix("row").astype(int))


def row_label(row: Mapping[str, Any]) -> str:
    """What a row holds, such as ``SPCN, Z-IL, Adam, BN, spikes``."""
    parts = [row["model"], row["algorithm"], row["optimizer"]]
    parts += ["ReLU"] if row["activation"] == "ReLU" else []
    parts += ["BN"] if row["batch_norm"] else []
    return ", ".join([*parts, "spikes" if row["spiking"] else "rates"])


def network_labels(published: Published) -> dict[str, str]:
    """Label of every network of which the table has spikes, such as ``SPCN, Adam, BN``."""
    rows = printed_rows(published)
    return {
        row.network: f"{row.model}, {row.optimizer}" + (", BN" if row.batch_norm else "")
        for row in rows[rows["spiking"]].itertuples()
    }


def network_names(published: Published) -> dict[str, str]:
    """The same without commas, which separate networks in a remark: ``SPCN Adam BN``."""
    return {name: label.replace(",", "") for name, label in network_labels(published).items()}


def printed_accuracies(published: Published, network: str) -> tuple[float, float]:
    """Published test accuracies in percent of a network of table 1 with rates and with spikes.

    NaN where none is printed.
    """
    rows = printed_rows(published)
    found = rows[rows["network"] == network].set_index("spiking")[ACCURACY]
    return found.get(False, math.nan), found.get(True, math.nan)
