"""Rows of table 1 as they are printed."""

import pandas as pd

from plausible.reproduction.published import Published

# Rows of the table that hold one trained network: (model, optimizer, batch norm).
NETWORK_ROWS = {
    "snn": ("SNN", "Adam", True),
    "spcn_sgd": ("SPCN", "SGD", False),
    "spcn_adam": ("SPCN", "Adam", False),
    "spcn_adam_bn": ("SPCN", "Adam", True),
}


def printed_rows(published: Published) -> pd.DataFrame:
    """Rows of table 1, numbered from 1 in column ``row``."""
    table = pd.DataFrame(published.values("table1")["rows"])
    table.insert(0, "row", range(1, len(table) + 1))
    return table


def printed_accuracy(published: Published, network: str, spiking: bool) -> float:
    """Published test accuracy in percent of a network of table 1; NaN where none is printed."""
    model, optimizer, batch_norm = NETWORK_ROWS.get(network, (None, None, None))
    table = printed_rows(published)
    chosen = table[
        (table["model"] == model)
        & (table["optimizer"] == optimizer)
        & (table["batch_norm"] == batch_norm)
        & (table["spiking"] == spiking)
    ]
    return float(chosen["test_accuracy_percent"].iloc[0]) if len(chosen) else float("nan")
