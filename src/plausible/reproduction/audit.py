"""How easily verdicts are lost: the tables on which they rest are corrupted, and judged again.

Every column of numbers that a check reads is

- shifted, so that a number that it feeds moves by a little more than 1.5 resolutions,
- scaled by 1.1, by 1000 and by 0.001, and negated,
- reversed within each group of rows,
- exchanged between two groups (methods, networks, protocols), or copied from one over the other,
- doubled in one seed, or made the same in two seeds.

Two figures come out. *Numbers*: of the corruptions that carry a reproduced number more than 1.5
resolutions away from the published one, the share that changes a verdict. *Rows*: of the rows that
are reproduced, the share that some corruption takes away; a row that none does might be one that
cannot fail, and is listed.
"""

import argparse
import sys
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from plausible.config import project_root
from plausible.errors import PlausibleError
from plausible.files import write_text
from plausible.reproduction import verdicts as vd
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.judging import REPRODUCED
from plausible.reproduction.listing import read_study
from plausible.reproduction.parts import Place
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.reference import run_configuration

GOAL = 0.95
BEYOND = 1.5
"""Resolutions from the published number."""
MOST_PAIRS = 6
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
Key = tuple[str, str, str, str]


class Corruption(NamedTuple):
    """A change of one column of one table."""

    table: str
    column: str
    kind: str
    where: str = ""
    """Groups of rows that it concerns."""

    def text(self) -> str:
        """What was done, for people."""
        return f"{self.kind} {self.where}".strip()


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
        self.readers: dict[str, list[str]] = {}
        for identifier, entry in published.entries.items():
            if "same_as" in entry:
                continue
            tables = _Recorded(self.tables)
            self.rows |= self._judged(identifier, tables)
            for name in tables.read:
                self.readers.setdefault(name, []).append(identifier)

    def _judged(self, identifier: str, tables: Mapping[str, pd.DataFrame]) -> dict[Key, Row]:
        entry = self.published.entries[identifier]
        evidence = Evidence(tables, entry, self.published, True)
        rows = vd._rows_of_entry(
            evidence, self.claims[self.published.part_of[identifier]], partial=True
        )
        return {(row["id"], row["check"], row["variant"], row["protocol"]): row for row in rows}

    def again(self, name: str, table: pd.DataFrame) -> dict[Key, Row] | None:
        """Rows of the entries that read ``name``, from a corrupted table; None for an error."""
        changed = {**self.tables, name: table}
        found: dict[Key, Row] = {}
        for identifier in self.readers.get(name, ()):
            try:
                found |= self._judged(identifier, changed)
            except (PlausibleError, ArithmeticError, LookupError, TypeError, ValueError):
                return None
        return found

    def changed(self, found: Mapping[Key, Row]) -> bool:
        """Whether any row has another value, verdict or note."""
        return any(
            self.rows.get(key) is None or str(self.rows[key]) != str(row)
            for key, row in found.items()
        )

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
    found, lost = [], {}
    for name in judge.readers:
        table = judge.tables.get(name)
        if table is None or table.empty:
            continue
        for column in _measured(table):
            for corruption, changed in _corruptions(judge, name, column):
                rows = judge.again(name, changed)
                flips = [] if rows is None else judge.flipped(rows)
                for key in flips:
                    lost.setdefault(key, []).append(f"{name}, {column}: {corruption.text()}")
                found.append(_judged(judge, corruption, rows, flips))
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
        "corruption": corruption.text(),
    }
    if rows is None:
        return shown | {"beyond": True, "noticed": True, "flips": -1, "flipped": "an error"}
    return shown | {
        "beyond": judge.carried_away(rows),
        "noticed": bool(flips),
        "flips": len(flips),
        "flipped": ", ".join(filter(None, flips[0])) if flips else "",
    }


def _corruptions(judge: Judge, name: str, column: str) -> Iterator[tuple[Corruption, pd.DataFrame]]:
    """Corruptions of a column that some check reads; none of one that no check reads."""
    table = judge.tables[name]
    values = table[column]
    scrambled = judge.again(name, table.assign(**{column: -1.7 * values + 0.3}))
    if scrambled is not None and not judge.changed(scrambled):
        return

    def corrupted(kind: str, new: Any, where: str = "") -> tuple[Corruption, pd.DataFrame]:
        return Corruption(name, column, kind, where), table.assign(**{column: new})

    for factor in (1.1, 1000.0, 0.001):
        yield corrupted(f"scale by {factor:g}", values * factor)
    yield corrupted("negate", -values)
    for sign in (1.0, -1.0):
        size = _shift(judge, name, column)
        if size:
            yield corrupted("shift by", values + sign * size, f"{sign * size:+.3g}")
    keys = _keys(table, column)
    groups = [table[key] for key in keys if key != "seed"]
    if "seed" in table and table["seed"].nunique() > 1:
        last, first = table["seed"].max(), table["seed"].min()
        yield corrupted("double", values.where(table["seed"] != last, 2.0 * values), f"seed {last}")
        same = _copied(table, column, "seed", first, last)
        if same is not None:
            yield corrupted("same in", same, f"seeds {first} and {last}")
    if groups:
        turned = values.groupby(groups, sort=False, dropna=False).transform(
            lambda part: part.to_numpy()[::-1]
        )
        if not turned.equals(values):
            yield corrupted("reverse", turned)
    for key in keys:
        if key == "seed":
            continue
        for a, b in list(combinations(table[key].dropna().unique(), 2))[:MOST_PAIRS]:
            over = _copied(table, column, key, a, b)
            if over is not None:
                yield corrupted("copy", over, f"{key} {a} over {b}")
                back = _copied(table, column, key, b, a)
                swapped = over.where(table[key] != a, back)
                yield corrupted("swap", swapped, f"{key} {a} and {b}")


def _shift(judge: Judge, name: str, column: str) -> float:
    """Shift of a column by which some number moves by 1.5 resolutions; 0 if it feeds none."""
    table = judge.tables[name]
    size = float(np.nanstd(table[column])) or 1.0
    found = judge.again(name, table.assign(**{column: table[column] + 0.01 * size}))
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


def _measured(table: pd.DataFrame) -> list[str]:
    """Columns of measured numbers: real ones, and counts of many values."""
    return [
        column
        for column, kind in table.dtypes.items()
        if column != "seed"
        and pd.api.types.is_numeric_dtype(kind)
        and not pd.api.types.is_bool_dtype(kind)
        and (pd.api.types.is_float_dtype(kind) or table[column].nunique() > 12)
    ]


def _keys(table: pd.DataFrame, column: str) -> list[str]:
    """Columns that tell rows apart: names, and whole numbers of few values."""
    return [
        key
        for key in table.columns
        if key != column
        and (
            key == "seed"
            or (not pd.api.types.is_float_dtype(table[key]) and 1 < table[key].nunique() <= 12)
        )
    ]


def _copied(table: pd.DataFrame, column: str, key: str, a: Any, b: Any) -> pd.Series | None:
    """The column with the values of the rows of ``a`` in those of ``b``, if these are as many."""
    source, target = table[key] == a, table[key] == b
    if source.sum() != target.sum() or not source.any():
        return None
    new = table[column].copy()
    new[target] = table.loc[source, column].to_numpy()
    return new if not new.equals(table[column]) else None


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
        folder = root / "results" / (options.scale or "reference")
        names = config["studies"] if options.study is None else [options.study]
        audits = []
        for name in names:
            study = read_study(root, name, config)
            files = {one: folder / name / f"{one}.csv" for one in study.own_tables()}
            tables = {one: pd.read_csv(file) for one, file in files.items() if file.is_file()}
            published = load_published(published_folder(name, root), study.parts)
            audits.append(audit(name, tables, published))
            print(summary(name, *audits[-1]), flush=True)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    corruptions, rows = (
        pd.concat(tables, ignore_index=True) for tables in zip(*audits, strict=True)
    )
    for stem, table in (("audit", corruptions), ("audit_rows", rows)):
        write_text(folder / f"{stem}.csv", table.to_csv(index=False))
    print(summary("all", corruptions, rows))
    for row in rows[rows["lost_by"] == 0].itertuples():
        print(f"never lost: {', '.join(filter(None, row[2:6]))}")
    print(f"every corruption: {folder / 'audit.csv'}, every row: {folder / 'audit_rows.csv'}")
    return 0 if min(noticed_share(corruptions), lost_share(rows)) >= GOAL else 1


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
