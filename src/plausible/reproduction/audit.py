"""How easily verdicts are lost: the tables on which they rest are corrupted, and judged again.

Every column of measured numbers that a check reads is

- shifted, so that a number that it feeds moves by a little more than 1.5 resolutions,
- scaled by 1.1, by 1000 and by 0.001, negated, replaced by 0, and raised by 1,
- reversed within each group of rows,
- made ten times as large in one group (method, network, protocol), exchanged between two groups, or
  copied from one over the other,
- doubled in one seed, or made the same in two seeds.

Columns of places (layers, moments) are raised by 1, those of names moved by one row or
reversed, and every row of a table is given ten times.

Two figures come out. *Numbers*: of the corruptions that carry a reproduced number more than 1.5
resolutions away from the published one, the share that changes a verdict. *Rows*: of the rows that
are reproduced, the share that some corruption takes away; a row that none does might be one that
cannot fail, and is listed.
"""

import argparse
import sys
import warnings
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.config import project_root
from plausible.errors import PlausibleError, StudyError
from plausible.files import write_text
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.judging import REPRODUCED
from plausible.reproduction.listing import read_study
from plausible.reproduction.parts import Place
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.reference import run_configuration
from plausible.reproduction.reference_staging import NAME as REFERENCE

GOAL = 0.95
BEYOND = 1.5
"""Resolutions from the published number."""
MOST, MOST_PAIRS = 12, 3
"""Names that make a column one of groups; groups, and pairs of them, that are corrupted."""
MEASURED, PLACES, NAMES = "measured", "places", "names"
COLUMNS = (
    "study",
    "table",
    "column",
    "corruption",
    "beyond",
    "noticed",
    "flips",
    "flipped",
)
ROW_COLUMNS = ("study", "id", "check", "variant", "protocol", "lost_by", "example")
Row = dict[str, Any]
FAILURES = (
    PlausibleError,
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)
"""What a check raises that cannot read a corrupted table."""
Key = tuple[str, str, str, str]
Check = tuple[str, str]
"""Entry, and one of its statements or `verdicts.NUMBERS`."""


class Corruption(NamedTuple):
    """A change of one column of one table."""

    table: str
    column: str
    kind: str
    where: str = ""
    """Groups of rows that it concerns."""

    def text(self) -> str:
        """What was done, for people."""
        done = " ".join(filter(None, [self.kind, self.where]))
        return f"{self.column}: {done}" if self.column else done


class Judge:
    """Verdicts on the entries that read a table, again and again."""

    def __init__(
        self, study: str, tables: Mapping[str, pd.DataFrame], published: Published
    ) -> None:
        self.study, self.tables, self.published = study, dict(tables), published
        parts = dict.fromkeys(published.part_of[name] for name in published.entries)
        self.claims: dict[str, dict[str, Place]] = {
            part: vd.claims_of(study, part) for part in parts
        }
        self.rows: dict[Key, Row] = {}
        self.readers: dict[str, list[Check]] = {}
        for identifier, entry in published.entries.items():
            if "same_as" in entry:
                continue
            for check in (*(one["id"] for one in entry["expect"]), vd.NUMBERS):
                tables = _Recorded(self.tables)
                self.rows |= self._judged((identifier, check), tables)
                for name in tables.read:
                    self.readers.setdefault(name, []).append((identifier, check))

    def _judged(self, one: Check, tables: Mapping[str, pd.DataFrame]) -> dict[Key, Row]:
        identifier, check = one
        evidence = Evidence(tables, self.published.entries[identifier], self.published, True)
        claims = self.claims[self.published.part_of[identifier]]
        rows = vd.rows_of_entry(evidence, claims, partial=True, only=check)
        return {(row["id"], row["check"], row["variant"], row["protocol"]): row for row in rows}

    def again(
        self, name: str, table: pd.DataFrame, checks: Sequence[Check] | None = None
    ) -> dict[Key, Row] | None:
        """Rows of ``checks`` (those that read ``name``) from a corrupted table; None: an error."""
        changed = {**self.tables, name: table}
        found: dict[Key, Row] = {}
        for check in self.readers.get(name, ()) if checks is None else checks:
            try:
                found |= self._judged(check, changed)
            except FAILURES:
                return None
        return found

    def concerned(self, name: str, column: str) -> list[Check]:
        """Checks that a column enters: a value, a verdict, or an error."""
        table = self.tables[name]
        # Each row by another factor: what is equal does not stay equal.
        factors = -1.7 - np.random.default_rng(0).random(len(table))
        scrambled = table.assign(**{column: factors * table[column] + 0.3})
        return [
            check
            for check in self.readers.get(name, ())
            if (found := self.again(name, scrambled, [check])) is None
            or any(str(self.rows.get(key)) != str(row) for key, row in found.items())
        ]

    def left(self, checks: Sequence[Check], lost: Mapping[Key, Any]) -> bool:
        """Whether a reproduced row of ``checks`` was lost by no corruption so far."""
        return any(key not in lost for key in self._reproduced(checks))

    def has_numbers(self, checks: Sequence[Check]) -> bool:
        """Whether a published number is reproduced in ``checks``."""
        return any(self.resolution(key) for key in self._reproduced(checks))

    def _reproduced(self, checks: Sequence[Check]) -> Iterator[Key]:
        for key, row in self.rows.items():
            check = vd.NUMBERS if key[1].startswith(("value:", "cells:")) else key[1]
            if row["verdict"] == REPRODUCED and (key[0], check) in checks:
                yield key

    def carried_away(self, found: Mapping[Key, Row]) -> bool:
        """Whether a reproduced number lies more than 1.5 resolutions from the published one."""
        for key, row in found.items():
            before = self.rows.get(key)
            if before is None or before["verdict"] != REPRODUCED or not self.resolution(key):
                continue
            if abs(row["reproduced"] - row["published"]) > BEYOND * self.resolution(key):
                return True
        return False

    def flipped(self, found: Mapping[Key, Row]) -> list[Key]:
        """Rows that are reproduced and were lost."""
        return [
            key
            for key, before in self.rows.items()
            if before["verdict"] == REPRODUCED
            and key in found
            and found[key]["verdict"] != REPRODUCED
        ]

    def resolution(self, key: Key) -> float:
        """Half-width of the resolution of a published number; 0 of anything else."""
        if not key[1].startswith("value:") or isinstance(self.rows[key]["reproduced"], str):
            return 0.0
        found = self.published.number(key[0], key[1].removeprefix("value:")).resolution
        return found.delta if found is not None and np.isfinite(found.delta) else 0.0


class _Recorded(dict):
    """Tables by their names, which remember what was asked for."""

    def __init__(self, tables: Mapping[str, pd.DataFrame]) -> None:
        super().__init__(tables)
        self.read: set[str] = set()

    def get(self, name: str, default: Any = None) -> Any:
        self.read.add(name)
        return super().get(name, default)


def audit(
    study: str, tables: Mapping[str, pd.DataFrame], published: Published
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Every corruption of every column that a check reads, and every reproduced row.

    The first table has the columns ``COLUMNS``: ``flips`` counts the reproduced rows that were
    lost, -1 for an error, and ``flipped`` names the first. The second has ``ROW_COLUMNS``: by how
    many corruptions a row is lost, and the first of them.
    """
    judge = Judge(study, tables, published)
    found: list[Row] = []
    lost: dict[Key, list[str]] = {}

    def corrupt(checks: Sequence[Check], corruption: Corruption, table: pd.DataFrame) -> None:
        rows = judge.again(corruption.table, table, checks)
        flips = [] if rows is None else judge.flipped(rows)
        for key in flips:
            lost.setdefault(key, []).append(f"{corruption.table}, {corruption.text()}")
        found.append(_judged(judge, corruption, rows, flips))

    for name, every in judge.readers.items():
        table = judge.tables.get(name)
        if table is None or table.empty:
            continue
        columns = table.columns.drop("seed", errors="ignore")
        for column in columns[[_kind(table[column]) == MEASURED for column in columns]]:
            checks = judge.concerned(name, column)
            for one in _of_column(judge, name, column, checks) if checks else ():
                corrupt(checks, *one)
            # These are many: only where they could still show something.
            for one in _of_groups(table, name, column):
                if not judge.has_numbers(checks) and not judge.left(checks, lost):
                    break
                corrupt(checks, *one)
        for one in _of_names(table, name, columns):
            if judge.left(every, lost):
                corrupt(every, *one)
    reproduced = [key for key, row in judge.rows.items() if row["verdict"] == REPRODUCED]
    rows = [
        (study, *key, len(lost.get(key, ())), next(iter(lost.get(key, ())), ""))
        for key in reproduced
    ]
    corruptions = pd.DataFrame(found, columns=list(COLUMNS))
    return corruptions, pd.DataFrame(rows, columns=list(ROW_COLUMNS))


def _judged(
    judge: Judge, corruption: Corruption, rows: dict[Key, Row] | None, flips: list[Key]
) -> Row:
    shown = {
        "study": judge.study,
        "table": corruption.table,
        "column": corruption.column,
        "corruption": corruption.text().removeprefix(f"{corruption.column}: "),
    }
    if rows is None:
        # A crash is noticed, but says nothing about the resolution of a number.
        return shown | {"beyond": False, "noticed": True, "flips": -1, "flipped": "an error"}
    return shown | {
        "beyond": judge.carried_away(rows),
        "noticed": bool(flips),
        "flips": len(flips),
        "flipped": ", ".join(filter(None, flips[0])) if flips else "",
    }


Corrupted = tuple[Corruption, pd.DataFrame]


def _of_column(
    judge: Judge, name: str, column: str, checks: Sequence[Check]
) -> Iterator[Corrupted]:
    """Corruptions of a whole column, of a seed of it, and of its order."""
    table = judge.tables[name]
    values = table[column]

    def corrupted(kind: str, new: Any, where: str = "") -> Corrupted:
        return Corruption(name, column, kind, where), table.assign(**{column: new})

    for factor in (1.1, 1000.0, 0.001, -1.0, 0.0):
        yield corrupted(f"scale by {factor:g}", values * factor)
    yield corrupted("add 1", values + 1.0)  # zeros, too
    for sign in (1.0, -1.0):
        size = _shift(judge, name, column, checks)
        if size:
            yield corrupted("shift by", values + sign * size, f"{sign * size:+.3g}")
    if "seed" in table and table["seed"].nunique() > 1:
        last, first = table["seed"].max(), table["seed"].min()
        yield corrupted("double", values.where(table["seed"] != last, 2.0 * values), f"seed {last}")
        same = _copied(table, column, "seed", first, last)
        if same is not None:
            yield corrupted("same in", same, f"seeds {first} and {last}")
    groups = [table[key] for key in _keys(table, column)]
    if groups:
        turned = values.groupby(groups, sort=False, dropna=False).transform(
            lambda part: part.to_numpy()[::-1]
        )
        if not turned.equals(values):
            yield corrupted("reverse", turned)


def _of_groups(table: pd.DataFrame, name: str, column: str) -> Iterator[Corrupted]:
    """Corruptions of a column in some groups of rows, methods for instance."""
    values = table[column]

    def corrupted(kind: str, new: Any, where: str) -> Corrupted:
        return Corruption(name, column, kind, where), table.assign(**{column: new})

    for key in _keys(table, column):
        names = table[key].dropna().unique()
        for a, b in list(combinations(names, 2))[:MOST_PAIRS]:
            over = _copied(table, column, key, a, b)
            if over is not None:
                yield corrupted("copy", over, f"{key} {a} over {b}")
                back = _copied(table, column, key, b, a)
                yield corrupted("copy", back, f"{key} {b} over {a}")
                swapped = over.where(table[key] != a, back)
                yield corrupted("swap", swapped, f"{key} {a} and {b}")
        for one in names[:MOST_PAIRS]:
            larger = values.where(table[key] != one, 10.0 * values)
            yield corrupted("scale by 10", larger, f"in {key} {one}")


def _of_names(table: pd.DataFrame, name: str, columns: pd.Index) -> Iterator[Corrupted]:
    """Corruptions of what tells rows apart, and of how many rows there are."""
    yield Corruption(name, "", "every row ten times"), pd.concat([table] * 10)
    for column in columns:
        if _kind(table[column]) == PLACES:
            yield Corruption(name, column, "add 1"), table.assign(**{column: table[column] + 1})
        elif _kind(table[column]) == NAMES:
            moved = pd.Series(np.roll(table[column].to_numpy(), 1), table.index)
            yield Corruption(name, column, "move by one row"), table.assign(**{column: moved})
            turned = table[column].to_numpy()[::-1]
            yield Corruption(name, column, "reverse"), table.assign(**{column: turned})


def _shift(judge: Judge, name: str, column: str, concerned: Sequence[Check]) -> float:
    """Shift of a column by which some number moves by 1.5 resolutions; 0 if it feeds none."""
    table = judge.tables[name]
    size = float(np.nanstd(table[column])) or 1.0
    found = judge.again(name, table.assign(**{column: table[column] + 0.01 * size}), concerned)
    if found is None:
        return 0.0
    moves = [
        abs(row["reproduced"] - judge.rows[key]["reproduced"]) / judge.resolution(key)
        for key, row in found.items()
        if key in judge.rows and judge.resolution(key)
    ]
    moves = [move for move in moves if 0.0 < move < np.inf]
    # A little more than 1.5, so that rounding does not decide.
    return 0.01 * size * (BEYOND + 0.05) / min(moves) if moves else 0.0


def _kind(values: pd.Series) -> str:
    """What a column holds: measured numbers (real ones, counts of many values), places, names."""
    if not pd.api.types.is_numeric_dtype(values) or pd.api.types.is_bool_dtype(values):
        return NAMES
    return MEASURED if pd.api.types.is_float_dtype(values) or values.nunique() > MOST else PLACES


def _keys(table: pd.DataFrame, column: str) -> list[str]:
    """Columns that tell rows apart: names, places, and numbers of a few values."""
    most = {MEASURED: 4, PLACES: MOST, NAMES: MOST}
    return [
        key
        for key in table.columns
        if key not in (column, "seed") and 1 < table[key].nunique() <= most[_kind(table[key])]
    ]


def _copied(table: pd.DataFrame, column: str, key: str, a: Any, b: Any) -> pd.Series | None:
    """The column with the values of the rows of ``a`` in those of ``b``: their mean, if others."""
    source, target = table[key] == a, table[key] == b
    if table.loc[source, column].isna().all():
        return None
    new, values = table[column].astype(float), table.loc[source, column].to_numpy()
    new[target] = values if len(values) == target.sum() else np.nanmean(values)
    return new if not new.equals(table[column].astype(float)) else None


def main(arguments: list[str] | None = None) -> int:
    """Audit the verdicts of the reference run, or of a finished run."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.audit",
        description="Corrupt the tables on which verdicts rest, and list what no verdict notices.",
    )
    parser.add_argument("--scale", help="a finished run at this scale (default: the reference run)")
    parser.add_argument("--study", help="one study (default: all of the configuration)")
    parser.add_argument("--root", metavar="PATH", help="folder of the Snakefile (default: here)")
    options = parser.parse_args(arguments)
    root = project_root() if options.root is None else Path(options.root)
    try:
        config = run_configuration(root, options.scale or "paper")
        names = config["studies"] if options.study is None else [options.study]
        audits = []
        for name in names:
            audits.append(audit_of_run(root, name, options.scale))
            print(summary(name, *audits[-1]), flush=True)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    corruptions, rows = (
        pd.concat(tables, ignore_index=True) for tables in zip(*audits, strict=True)
    )
    places = {}
    for stem, table in (("corruptions", corruptions), ("rows", rows)):
        places[stem] = root / "results" / "audit" / f"{options.scale or REFERENCE}.{stem}.csv"
        write_text(places[stem], table.to_csv(index=False))
    print(summary("all", corruptions, rows))
    for row in rows[rows["lost_by"] == 0].itertuples():
        print(f"never lost: {', '.join(filter(None, row[2:6]))}")
    print(f"every corruption: {places['corruptions']}, every row: {places['rows']}")
    return 0 if min(noticed_share(corruptions), lost_share(rows)) >= GOAL else 1


def audit_of_run(
    root: Path, name: str, scale: str | None = None
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """`audit` of the study ``name`` in a finished run at ``scale``, or in the reference run.

    Raises
    ------
    StudyError
        If there is no such run.
    """
    study = read_study(root, name, run_configuration(root, scale or "paper"))
    folder = root / "results" / (scale or REFERENCE) / name
    files = {one: folder / f"{one}.csv" for one in study.own_tables()}
    tables = {one: pd.read_csv(file) for one, file in files.items() if file.is_file()}
    if not tables:
        raise StudyError(f"{folder}: no table is there; run the study at this scale first.")
    published = load_published(published_folder(name, root), study.parts)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # corrupted tables divide by zero
        return audit(name, tables, published)


def noticed_share(table: pd.DataFrame) -> float:
    """Share of the corruptions beyond the resolution of a number that take some verdict away."""
    beyond = table[table["beyond"]]
    return float(beyond["noticed"].mean()) if len(beyond) else 1.0


def lost_share(rows: pd.DataFrame) -> float:
    """Share of the reproduced rows that some corruption takes away."""
    return float((rows["lost_by"] > 0).mean()) if len(rows) else 1.0


def summary(name: str, corruptions: pd.DataFrame, rows: pd.DataFrame) -> str:
    """One line about a study."""
    beyond = int(corruptions["beyond"].sum())
    return (
        f"{name}: {len(corruptions)} corruptions, {beyond} beyond the resolution of a number, "
        f"{100.0 * noticed_share(corruptions):.1f} % of these noticed; {len(rows)} reproduced "
        f"rows, {100.0 * lost_share(rows):.1f} % lost by some corruption"
    )


if __name__ == "__main__":
    sys.exit(main())
