"""What was measured about table 1."""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Measured,
    Number,
    by_protocol,
    paired_difference,
)
from plausible.studies.thuesen2022.table1.printed import (
    ACCURACY,
    network_names,
    printed_rows,
    row_label,
)


def table1(evidence: Evidence) -> pd.DataFrame:
    """Table 1 of this run with id and network of every printed row.

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
    return frame.merge(printed[["row", "id", "network"]], on="row")


def numbers_of_table1(evidence: Evidence) -> list[Number]:
    """Nine rows in every protocol."""
    return [
        Number(
            f"rows.{row['id']}.{ACCURACY}",
            protocol,
            tuple(frame.loc[frame["id"] == row["id"]].sort_values("seed")[ACCURACY]),
            label=f"{row['id'].replace('row', 'row ')}: {row_label(row)}",
        )
        for row in evidence.entry["values"]["rows"]
        for protocol, frame in by_protocol(table1(evidence))
    ]


def spiking_below_rate(evidence: Evidence) -> list[Measured]:
    """Drop of each of the four networks, seed by seed."""
    return [
        Measured(protocol, _drops(evidence, frame), note="drop in percentage points")
        for protocol, frame in by_protocol(table1(evidence))
    ]


def drop_is_small(evidence: Evidence) -> list[Measured]:
    """The same; its size depends on the data set."""
    return [found._replace(full_scale=True) for found in spiking_below_rate(evidence)]


def _drops(evidence: Evidence, frame: pd.DataFrame) -> dict[str, pd.Series]:
    """Rate-coded minus spiking accuracy of each network with spikes, by seed."""
    both = frame[frame["network"].isin(frame.loc[frame["spiking"].astype(bool), "network"])]
    labels = network_names(evidence.published)
    return {
        labels.get(network, network): paired_difference(rows, ACCURACY, "spiking", False, True)
        for network, rows in both.groupby("network", sort=False)
    }


def adam_beats_sgd(evidence: Evidence) -> list[Measured]:
    """Adam minus SGD, seed by seed."""
    return _rate_differences(evidence, "spcn_adam", "spcn_sgd")


def best_spcn_near_best_backprop(evidence: Evidence) -> list[Measured]:
    """SNN minus SPCN with Adam and batch norm; a size, which depends on the data set."""
    found = _rate_differences(evidence, "snn", "spcn_adam_bn")
    return [one._replace(full_scale=True) for one in found]


def _rate_differences(evidence: Evidence, network: str, other: str) -> list[Measured]:
    """Difference of two networks of table 1 without spikes, seed by seed."""
    frame = table1(evidence)
    rates = frame[~frame["spiking"].astype(bool)]
    return [
        Measured(protocol, paired_difference(part, ACCURACY, "network", network, other))
        for protocol, part in by_protocol(rates)
    ]
