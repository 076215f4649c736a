"""Checks on table 1."""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Number,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
    paired_difference,
)
from plausible.studies.thuesen2022.table1.printed import ACCURACY, DROP, printed_rows, row_label


def table1(evidence: Evidence) -> pd.DataFrame:
    """Table 1 of this run with id, network, algorithm and accuracy of every printed row.

    Rows of ours that the thesis does not have are left out.

    Raises
    ------
    StudyError
        If a printed row is missing.
    """
    frame = evidence.table("table1", "row", "spiking", "protocol", "seed", ACCURACY)
    printed = printed_rows(evidence.published)
    missing = printed[~printed["row"].isin(frame["row"])]
    if len(missing):
        raise StudyError(
            f"table 1: row {missing['row'].iloc[0]} of the thesis "
            f"({row_label(missing.iloc[0])}) is missing from our table; add it to its options."
        )
    printed = printed.assign(printed_percent=printed[ACCURACY])
    columns = ["row", "id", "network", "algorithm", "printed_percent"]
    return frame.drop(columns="algorithm", errors="ignore").merge(printed[columns], on="row")


def rate_rows(evidence: Evidence) -> pd.DataFrame:
    """Rows of table 1 without spikes."""
    frame = table1(evidence)
    return frame[~frame["spiking"].astype(bool)]


def every_row_near(evidence: Evidence) -> list[Outcome]:
    """Mean over seeds of each of the nine rows within one point; the worst row is reported."""
    tolerance = evidence.bound("every_row_near", "points")
    outcomes = []
    for protocol, frame in by_protocol(table1(evidence)):
        judged = {
            name: judge(rows[ACCURACY] - rows["printed_percent"], -tolerance, tolerance, False)
            for name, rows in frame.groupby("id", sort=False)
        }
        note = "reproduced minus published, points"
        outcomes.append(outcome_of_all(judged, protocol, note, full_scale=True))
    return outcomes


def numbers_of_table1(evidence: Evidence) -> list[Number]:
    """Nine rows in every protocol."""
    tolerance = evidence.bound("every_row_near", "points")
    return [
        Number(
            f"rows.{row['id']}.{ACCURACY}",
            protocol,
            row[ACCURACY],
            tuple(frame.loc[frame["id"] == row["id"]].sort_values("seed")[ACCURACY]),
            tolerance,
            "every_row_near",
            label=f"{row['id'].replace('row', 'row ')}: {row_label(row)}",
        )
        for row in evidence.entry["values"]["rows"]
        for protocol, frame in by_protocol(table1(evidence))
    ]


def spiking_below_rate(evidence: Evidence) -> list[Outcome]:
    """Drop of each of the four networks, seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, "spiking_below_rate")


def drop_of_every_network(evidence: Evidence) -> list[Outcome]:
    """Drop of each network in table 1 (whole test set), seed by seed, between 0 and 2 points."""
    return _drops_within(evidence, "drop_of_every_network")


def _drops_within(evidence: Evidence, statement: str) -> list[Outcome]:
    """Two findings: the drop's sign at any scale; its size, which depends on the data, at full."""
    low, high = (evidence.bound(statement, key) for key in ("points_from", "points_to"))
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
    """Rate-coded minus spiking accuracy of each network with spikes, by seed."""
    both = frame[frame["network"].isin(frame.loc[frame["spiking"].astype(bool), "network"])]
    return {
        network: paired_difference(rows, ACCURACY, "spiking", False, True)
        for network, rows in both.groupby("network", sort=False)
    }


def numbers_of_claim_spiking_drop(evidence: Evidence) -> list[Number]:
    """Differences of cells of table 1, as in the published file; no tolerance is stated."""
    return [
        Number(f"{DROP}.{network}", protocol, drop, tuple(table1_drops(frame)[network]), None)
        for network, drop in evidence.entry["derived"][DROP].items()
        for protocol, frame in by_protocol(table1(evidence))
    ]


def adam_beats_sgd(evidence: Evidence) -> list[Outcome]:
    """Adam minus SGD, seed by seed, above 0."""
    outcomes = []
    for protocol, rates in by_protocol(rate_rows(evidence)):
        gain = paired_difference(rates, ACCURACY, "network", "spcn_adam", "spcn_sgd")
        note = "Adam minus SGD, percentage points"
        outcomes.append(outcome_of(judge(gain, low=0.0), protocol, note))
    return outcomes


def best_spcn_near_best_backprop(evidence: Evidence) -> list[Outcome]:
    """Backprop row with the higher mean minus the best SPCN row, seed by seed, below the bound."""
    accepted = evidence.bound("best_spcn_near_best_backprop", "points")
    outcomes = []
    for protocol, rates in by_protocol(rate_rows(evidence)):
        backprop = rates[rates["algorithm"] == "Backprop"]
        best = backprop.groupby("network")[ACCURACY].mean().idxmax()
        gap = paired_difference(rates, ACCURACY, "network", best, "spcn_adam_bn")
        note = f"{best} minus spcn_adam_bn, percentage points"
        outcomes.append(outcome_of(judge(gap, high=accepted), protocol, note))
    return outcomes
