"""Rows of the training runs of chapter 3, as the checks on them need them.

Two protocols read the same networks: by the author's code the test images are the last sixth of
the training file (``as_coded``), by the text they are the official ones (``as_published``). Only
table A.1 has training runs of its own for the text.
"""

from collections.abc import Iterator

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence
from plausible.studies.oconnor2020.tables_spiking_training import (
    final_errors,
    last_errors,
    network_of_row,
)

TABLE, CURVES, GUESSES, TABLE_A1 = "ch3.table3.2", "ch3.fig3.2", "ch3.fig3.3", "table_a1"
TEST_PARTS = {"as_coded": "thesis", "as_published": "official"}
NAMES = {"sgd": "SGD", "fsgd": "FSGD", "relu": "ReLU"}


def split(part: str) -> str:
    """How notes call a test part."""
    return f"{part} split"


def parts(evidence: Evidence, table: str) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Protocol, test part and rows of that part in ``table``."""
    frame = evidence.table(table, "network", "seed", "part", "error_percent", "epoch")
    for protocol, part in TEST_PARTS.items():
        rows = frame[frame["part"] == part]
        if rows.empty:
            raise StudyError(
                f"the table of oconnor2020.{table} has no rows of the test part {part}."
            )
        yield protocol, part, rows


def final(rows: pd.DataFrame, network: str, form: str) -> pd.Series:
    """Error of a network after its training, tested in ``form`` on the part of ``rows``."""
    chosen = final_errors(rows, network, form, rows["part"].iloc[0])
    return _by_seed(chosen, TABLE, f"{network} tested as {form}")


def gaps(evidence: Evidence, part: str, network: str) -> pd.DataFrame:
    """Test minus training error of a network: rows by epoch, columns by seed."""
    frame = evidence.table(CURVES, "record", "network", "seed", "part", "epoch", "error_percent")
    frame = frame[frame["network"] == network]
    test, train = (
        frame[frame["part"] == name].pivot(index="epoch", columns="seed", values="error_percent")
        for name in (part, "train")
    )
    if test.empty or train.empty:
        raise StudyError(f"the table of oconnor2020.{CURVES} lacks test or training of {network}.")
    return test - train


def variant(evidence: Evidence, protocol: str, label: str) -> pd.Series:
    """Error of the row ``label`` of table A.1 at its network's last test point, by seed."""
    frame = evidence.table(TABLE_A1, "protocol", "network", "seed", "part", "epoch", "record")
    network = network_of_row(label, protocol)
    errors = last_errors(frame, protocol, network, TEST_PARTS[protocol])
    return _by_seed(errors.reset_index(), TABLE_A1, network)


def variant_protocols(evidence: Evidence) -> list[str]:
    """Protocols of table A.1."""
    found = set(evidence.table(TABLE_A1, "protocol")["protocol"])
    return [name for name in TEST_PARTS if name in found]


def common(left: pd.Series, right: pd.Series) -> pd.Series:
    """Difference of two series over the seeds that both have."""
    seeds = left.index.intersection(right.index)
    if seeds.empty:
        raise StudyError("a comparison of two networks has no seed that both were trained with.")
    return left[seeds] - right[seeds]


def _by_seed(rows: pd.DataFrame, table: str, what: str) -> pd.Series:
    if rows.empty:
        raise StudyError(f"the table of oconnor2020.{table} lacks {what}.")
    found = rows.set_index("seed")["error_percent"].sort_index()
    if found.index.has_duplicates:
        raise StudyError(f"the table of oconnor2020.{table} has a seed twice for {what}.")
    return found
