"""Rows of the training runs of chapter 3, as the checks on them need them.

A row carries the protocol in which its networks were trained. The long trainings exist as coded
only, and each of them is tested on two sets of images, with a row for each: the last sixth of the
training file, which the author's code took for the test set ("thesis split"), and the official test
images, which are meant by the text ("official split"); the name of a row tells its split. Table A.1
was trained by both readings of the updates, and each is tested on the images that belong to it.
"""

from collections.abc import Iterator, Sequence

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, by_protocol
from plausible.studies.oconnor2020.ch3_learning import tables

TABLE, CURVES, GUESSES, TABLE_A1 = "ch3.table3.2", "ch3.fig3.2", "ch3.fig3.3", "table_a1"
COLUMNS = ("protocol", "network", "seed", "part", "error_percent", "epoch")
TEST_PARTS = ("thesis", "official")
"""Test images of the long trainings; those of the author come first."""
TRAINING_PART = "train"
TABLE_A1_PARTS = {"as_coded": "thesis", "as_published": "official"}


def split(part: str) -> str:
    """How rows and notes call a test part."""
    return f"{part} split"


def on_split(name: str, part: str) -> str:
    """Name of a finding on a test part, for instance ``margin, official split``."""
    return ", ".join(filter(None, (name, split(part))))


def parts(
    evidence: Evidence, table: str, wanted: Sequence[str] = TEST_PARTS
) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Protocol, part of the images and its rows in ``table``, for the parts ``wanted``."""
    for protocol, frame in by_protocol(evidence.table(table, *COLUMNS)):
        for part in wanted:
            rows = frame[frame["part"] == part]
            if rows.empty:
                what = f"rows of the part {part}"
                raise StudyError(f"the table of oconnor2020.{table} has no {what}.")
            yield protocol, part, rows


def final(rows: pd.DataFrame, network: str, form: str) -> pd.Series:
    """Error of a network after its training, tested in ``form`` on the part of ``rows``."""
    chosen = tables.final_errors(rows, network, form, rows["part"].iloc[0])
    return _by_seed(chosen, TABLE, f"{network} tested as {form}")


def shown_curves(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    """Protocols and their learning curves over the epochs that figure 3.2 shows, start left out."""
    frame = evidence.table(CURVES, *COLUMNS)
    return by_protocol(frame[(frame["epoch"] > 0) & (frame["epoch"] <= shown_epochs(evidence))])


def shown_epochs(evidence: Evidence) -> float:
    """Epochs that figure 3.2 shows."""
    return float(evidence.published.entry(CURVES)["settings"]["epochs_shown"])


def gaps(curves: pd.DataFrame, part: str, network: str) -> pd.DataFrame:
    """Test minus training error of a network: rows by epoch, columns by seed."""
    frame = curves[curves["network"] == network]
    test, train = (
        frame[frame["part"] == name].pivot(index="epoch", columns="seed", values="error_percent")
        for name in (part, TRAINING_PART)
    )
    if test.empty or train.empty:
        raise StudyError(f"the table of oconnor2020.{CURVES} lacks test or training of {network}.")
    return test - train


def row_errors(evidence: Evidence, protocol: str, row: str) -> pd.Series:
    """Error of the row ``row`` of table A.1 at its network's last test point, by seed."""
    frame = evidence.table(TABLE_A1, "protocol", "network", "seed", "part", "epoch", "record")
    network = tables.network_of_row(row, protocol)
    errors = tables.last_errors(frame, protocol, network, TABLE_A1_PARTS[protocol])
    return _by_seed(errors.reset_index(), TABLE_A1, network)


def row_protocols(evidence: Evidence) -> list[str]:
    """Protocols of table A.1."""
    found = set(evidence.table(TABLE_A1, "protocol")["protocol"])
    return [name for name in TABLE_A1_PARTS if name in found]


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
