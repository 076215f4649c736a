"""What the tests of tables of theorems share: outcomes of the rows, and what they measure."""

from collections.abc import Mapping

import pandas as pd

from plausible.reproduction.theorem_checks import holds


def with_outcomes(table: pd.DataFrame) -> pd.DataFrame:
    """The table with a column that says which rows hold."""
    outcomes = [holds(row.deviation, row.comparison, row.bound) for row in table.itertuples()]
    return table.assign(holds=outcomes)


def measured(table: pd.DataFrame) -> set[tuple[str, int]]:
    """Entries and indices of their statements that have a row."""
    return set(zip(table["id"], table["check"], strict=True))


def stated(entries: Mapping[str, dict]) -> set[tuple[str, int]]:
    """Entries and indices of all their statements."""
    return {
        (name, index) for name, entry in entries.items() for index in range(len(entry["expect"]))
    }


def check_all_hold(table: pd.DataFrame) -> None:
    """Fail with the rows that do not hold."""
    wrong = table[~table["holds"]]
    assert wrong.empty, wrong[["id", "statement", "deviation", "bound"]].to_string()
