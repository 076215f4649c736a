"""What a check sees and what it returns.

A check reads tidy tables and returns what they hold about a statement or a published number, one
value per seed, for each protocol and variant. It never decides: `judging` does, by one rule.
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import pandas as pd
from numpy.typing import ArrayLike

from plausible.errors import StudyError
from plausible.reproduction.published import Entry, Published

PROTOCOLS = ("as_published", "as_coded", "as_coded_elsewhere", "calibrated", "corrected")
"""In this order; a study has those that its file declares."""


class Measured(NamedTuple):
    """What a run measured about one statement, under one protocol.

    The statement's own ``op`` and ``bound`` in the published file decide; see `judging`.
    """

    protocol: str
    """Empty where the protocols do not differ in what was measured."""
    values: Mapping[str, ArrayLike] | ArrayLike
    """One value per seed; of several quantities that must all hold, by the name of each."""
    variant: str = ""
    """Which of several findings about the statement this is, for instance a network."""
    note: str = ""
    seeded: bool = True
    """False where no random stream enters, or where every single value must satisfy the bound."""
    full_scale: bool = False
    """Only the published data and settings allow this finding."""
    exact_seeds: int = 0
    """Seeds behind the values of an exact quantity (``seeded`` False)."""
    controls: Mapping[str, ArrayLike] = {}
    """The same quantity with a condition broken, by the id of the control."""
    absent: str = ""
    """Why there are no values, where a run may lack them (a graphics card, say)."""


class Number(NamedTuple):
    """Reproduction of a published number, one value per seed; the published file has the rest."""

    place: str
    """Dotted place of the published value in its entry, such as ``rows.fsgd.test_error_percent``: a
    row of a table is named by its id. Recovered values stand below ``recovered``."""
    protocol: str
    """Empty where the protocols do not differ in it."""
    values: tuple[float, ...] | str | Mapping[str, ArrayLike]
    """A mapping for a map of numbers: by the place of each cell below ``place``."""
    variant: str = ""
    """Which of several reproductions of the number this is, for instance a split of the data."""
    note: str = ""
    seeded: bool = True
    """False for a value that no random stream enters."""
    absent: str = ""
    """Why there are no values, where a run may lack them (a graphics card, say)."""
    label: str = ""
    """What people call the number, where the place does not say it."""


class Evidence(NamedTuple):
    """Everything that a check may look at."""

    tables: Mapping[str, pd.DataFrame | None]
    entry: Entry
    published: Published
    full_scale: bool

    def table(self, name: str, *columns: str) -> pd.DataFrame:
        """Tidy table of the result ``name``, which must have ``columns``.

        Raises
        ------
        StudyError
            If the table was not built, is empty or lacks a column.
        """
        frame = self.tables.get(name)
        if frame is None:
            raise StudyError(
                f"the table of {self.published.study}.{name} is missing, but {self.entry['id']} is "
                "judged by it; build that result first."
            )
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise StudyError(
                f"the table of {self.published.study}.{name} lacks the column {missing[0]!r}; it "
                f"has {', '.join(map(str, frame.columns))}."
            )
        if frame.empty:
            raise StudyError(f"the table of {self.published.study}.{name} has no rows.")
        return frame


def present_protocols(names: Iterable[str]) -> list[str]:
    """Protocols that occur in ``names``, in the fixed order of the protocols."""
    found = set(names)
    return [name for name in PROTOCOLS if name in found]


def by_protocol(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Rows of each protocol, in the fixed order of the protocols."""
    known = present_protocols(frame["protocol"])
    unknown = sorted(set(frame["protocol"].astype(str)) - set(known))
    if unknown:
        raise StudyError(
            f"a table holds the protocol {unknown[0]!r}; protocols are {', '.join(PROTOCOLS)}."
        )
    return [(name, frame[frame["protocol"] == name]) for name in known]


def paired_difference(
    frame: pd.DataFrame, column: str, key: str, minuend: Any, subtrahend: Any
) -> pd.Series:
    """``column`` where ``key`` is ``minuend`` minus where it is ``subtrahend``, seed by seed."""
    sides = []
    for choice in (minuend, subtrahend):
        side = frame[frame[key] == choice].set_index("seed")[column]
        if side.empty:
            raise StudyError(f"a comparison of {column} has no rows with {key} = {choice!r}.")
        if side.index.has_duplicates:
            raise StudyError(f"a comparison of {column} has a seed twice for {key} = {choice!r}.")
        sides.append(side)
    left, right = sides
    if set(left.index) != set(right.index):
        raise StudyError(
            f"a comparison of {column} needs the same seeds for {key} = {minuend!r} and "
            f"{subtrahend!r}; found {sorted(left.index)} and {sorted(right.index)}."
        )
    return left - right
