"""What was found on table 9.1 and on forgetting; theorems stand in their own table."""

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured, Number

MARKS = ("ECA", "ECAT", "NLN", "EI", "ADP", "QC", "CL")
CHEAP = 0.5
"""Of the additions that a change of one input unit may cost, over the number of weights."""


def marks(rows: pd.DataFrame) -> dict[str, str]:
    """Derived marks of one system: all messages whole numbers, partial updates cheap."""
    found = {"QC": bool((rows["whole_share"] == 1.0).all())}
    found["ADP"] = bool((rows["partial_cost"] < CHEAP).all())
    return {mark: "yes" if met else "no" for mark, met in found.items()}


def numbers_of_ch9_table9_1(evidence: Evidence) -> list[Number]:
    """Marks that are derived from measured properties."""
    frame = evidence.table("ch9.table9.1", "system", "seed", "whole_share", "partial_cost")
    return [
        Number(f"rows.{system}.{mark}", "", found, label=f"{mark} of {system.replace('_', ' ')}")
        for system, rows in frame.groupby("system", sort=False)
        for mark, found in marks(rows).items()
    ]


def old_digits_forgotten(evidence: Evidence) -> list[Measured]:
    """Error on the first half of the classes after the second one was learnt, by seed."""
    columns = ("network", "order", "seed", "stage", "old_error_percent")
    frame = evidence.table("ch9.catastrophic_forgetting", *columns)
    found, mixed = {}, []
    for network, rows in frame.groupby("network", sort=False):
        rows = rows.set_index("seed")
        found[network] = rows.loc[rows["stage"] == "second", "old_error_percent"]
        mixed.append(rows.loc[rows["stage"] == "both", "old_error_percent"])
    return [Measured("", found, controls={"interleaved": pd.concat(mixed).to_numpy()})]
