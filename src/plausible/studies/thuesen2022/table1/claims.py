"""Checks on table 1."""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
    paired_difference,
)

RATE_AND_SPIKING_ROWS = {
    "SNN": (2, 3),
    "SPCN SGD": (4, 5),
    "SPCN Adam": (6, 7),
    "SPCN Adam BN": (8, 9),
}
"""Rows of table 1 (counted from 1) that hold the same network, rate-coded and spiking."""
BACKPROP_ROWS, SGD_ROW, ADAM_ROW, BEST_SPCN_ROW = (1, 2), 4, 6, 8
ACCURACY = "test_accuracy_percent"


def table1(evidence: Evidence) -> pd.DataFrame:
    """Table 1 of this run with the number of the printed row, found by what identifies a row.

    Rows of ours that the thesis does not have are left out. Where several of ours look like a
    printed one, the one with its number counts.

    Raises
    ------
    StudyError
        If a printed row is missing, or several look like it and none has its number.
    """
    keys = ["model", "optimizer", "batch_norm", "spiking"]
    frame = evidence.table("table1", "row", *keys, "protocol", "seed", ACCURACY)
    printed = pd.DataFrame(evidence.published.entry("table1")["values"]["rows"])[keys]
    printed = printed.assign(printed_row=range(1, len(printed) + 1))
    merged = frame.merge(printed, on=keys)
    chosen = []
    for wanted in printed.itertuples():
        rows = merged[merged["printed_row"] == wanted.printed_row]
        if rows["row"].nunique() > 1:
            rows = rows[rows["row"] == wanted.printed_row]
        if rows.empty:
            name = ", ".join(f"{key} {getattr(wanted, key)}" for key in keys)
            raise StudyError(
                f"table 1: row {wanted.printed_row} of the thesis ({name}) is missing from our "
                "table, or several rows look like it and none has its number."
            )
        chosen.append(rows)
    return pd.concat(chosen)


def row_values(frame: pd.DataFrame, row: int) -> pd.Series:
    """Accuracies of one printed row, by seed."""
    return frame[frame["printed_row"] == row].set_index("seed")[ACCURACY].sort_index()


def every_row_near(evidence: Evidence) -> list[Outcome]:
    """Mean over seeds of each of the nine rows within one point; the worst row is reported."""
    (tolerance,) = evidence.bounds(0)
    rows = evidence.entry["values"]["rows"]
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        judged = {
            f"row {number}": judge(
                row_values(frame, number) - row[ACCURACY], -tolerance, tolerance, strict=False
            )
            for number, row in enumerate(rows, start=1)
        }
        outcomes.append(
            outcome_of_all(judged, protocol, "reproduced minus published, points", full_scale=True)
        )
    return outcomes


def spiking_below_rate(evidence: Evidence) -> list[Outcome]:
    """Drop of each of the four networks, seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, *evidence.bounds(1))


def _drops_within(evidence: Evidence, low: float, high: float) -> list[Outcome]:
    """Two findings: the drop's sign at any scale; its size, which depends on the data, at full."""
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        drops = table1_drops(frame)
        note = "drop in percentage points"
        sign = {network: judge(drop, low=low) for network, drop in drops.items()}
        size = {network: judge(drop, high=high) for network, drop in drops.items()}
        outcomes.append(outcome_of_all(sign, protocol, note, variant="sign"))
        outcomes.append(outcome_of_all(size, protocol, note, variant="size", full_scale=True))
    return outcomes


def table1_drops(frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Rate-coded minus spiking accuracy of each network, by seed."""
    return {
        network: paired_difference(frame, ACCURACY, "printed_row", rate, spiking)
        for network, (rate, spiking) in RATE_AND_SPIKING_ROWS.items()
    }


def adam_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Adam minus SGD, seed by seed, above 0."""
    return [
        outcome_of(
            judge(paired_difference(frame, ACCURACY, "printed_row", ADAM_ROW, SGD_ROW), low=0.0),
            protocol,
            "Adam minus SGD, percentage points",
        )
        for protocol, frame in by_protocol(table1(evidence))
    ]


def best_spcn_near_best_backprop(evidence: Evidence) -> list[Outcome]:
    """Backprop row with the higher mean minus the best SPCN row, seed by seed, below the bound."""
    accepted = evidence.bounds(3)[-1]
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        best = max(BACKPROP_ROWS, key=lambda row, rows=frame: row_values(rows, row).mean())
        gap = paired_difference(frame, ACCURACY, "printed_row", best, BEST_SPCN_ROW)
        note = f"row {best} minus row {BEST_SPCN_ROW}, percentage points"
        outcomes.append(outcome_of(judge(gap, high=accepted), protocol, note))
    return outcomes


def drop_of_every_network(evidence: Evidence) -> list[Outcome]:
    """Drop of each network in table 1 (whole test set), seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, *evidence.statement_numbers(0))
