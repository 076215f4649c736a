"""How easily verdicts are lost: the tables on which they rest are corrupted, and judged again.

A verdict that survives a corruption larger than the resolution says less than it seems to. Every
column of numbers that a check reads is

- shifted, so that a number that it feeds moves away from the published one by 1.5 resolutions,
- scaled by 1.1,
- reversed within each group of rows,
- exchanged between two groups (methods, networks, protocols), or copied from one over the other,
- doubled in one seed, or made the same in two seeds.

A corruption lies *beyond the resolution* if it moves a number by more than 1.5 resolutions, or, for
exchanges, copies and reversals, moves the quantity of a statement by more than a tenth. It is
*noticed* if it changes a verdict or stops the judging with an error. What is not noticed is listed
with the row that moved most.
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
from plausible.reproduction.listing import read_study
from plausible.reproduction.parts import Place
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.reference import run_configuration

GOAL = 0.95
BEYOND = 1.5
"""Resolutions by which a number must move."""
STRUCTURAL = ("swap", "copy", "reverse")
MOST_PAIRS = 6
COLUMNS = (
    "study",
    "table",
    "column",
    "corruption",
    "beyond",
    "noticed",
    "flips",
    "most_moved",
)
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
        rows = vd._rows_of_entry(evidence, self.claims[self.published.part_of[identifier]])
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

    def moved(self, found: Mapping[Key, Row]) -> dict[Key, float]:
        """By how much each row's value changed: numbers in resolutions, statements as a share."""
        moves = {}
        for key, row in found.items():
            before = self.rows.get(key)
            if before is None:
                moves[key] = np.inf
                continue
            old, new = before["reproduced"], row["reproduced"]
            if isinstance(old, str) or isinstance(new, str):
                moves[key] = 0.0 if old == new else np.inf
                continue
            change = abs(new - old)
            if np.isnan(change):
                moves[key] = 0.0 if np.isnan(old) and np.isnan(new) else np.inf
            elif key[1].startswith("value:"):
                moves[key] = change / max(self.resolution(key), 1e-12) if change else 0.0
            else:
                moves[key] = change / max(abs(old), 1e-12) if change else 0.0
        return moves

    def resolution(self, key: Key) -> float:
        """Half-width of the resolution of a published number."""
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


def audit(study: str, tables: Mapping[str, pd.DataFrame], published: Published) -> pd.DataFrame:
    """Every corruption of every column that a check reads, with what it did.

    Columns: ``COLUMNS``. ``flips`` counts the verdicts that changed, -1 for an error;
    ``most_moved`` is the row whose value moved most, with the values.
    """
    judge = Judge(study, tables, published)
    rows = []
    for name in judge.readers:
        table = judge.tables.get(name)
        if table is None or table.empty:
            continue
        for column in table.columns[table.dtypes.map(pd.api.types.is_float_dtype)]:
            rows += [
                _judged(judge, corruption, changed)
                for corruption, changed in _corruptions(judge, name, column)
            ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _judged(judge: Judge, corruption: Corruption, changed: pd.DataFrame) -> Row:
    found = judge.again(corruption.table, changed)
    shown = {"study": judge.study, **corruption._asdict(), "corruption": corruption.text()}
    shown = {key: shown[key] for key in ("study", "table", "column", "corruption")}
    if found is None:
        return shown | {"beyond": True, "noticed": True, "flips": -1, "most_moved": "an error"}
    moves = judge.moved(found)
    structural = corruption.kind in STRUCTURAL
    limits = {
        key: BEYOND if key[1].startswith("value:") else 0.1 if structural else np.inf
        for key in moves
    }
    flips = [
        key
        for key, row in found.items()
        if key not in judge.rows or row["verdict"] != judge.rows[key]["verdict"]
    ]
    most = max(moves, key=lambda key: moves[key] / limits[key], default=None)
    told = ""
    if most is not None and moves[most] and most in judge.rows:
        old, new = judge.rows[most], found[most]
        told = (
            f"{most[0]}, {most[1]} {most[2]} {most[3]}: {old['reproduced']:.4g} to "
            f"{new['reproduced']:.4g}, {new['resolution']}, {new['verdict']}"
        )
    return shown | {
        "beyond": any(moves[key] > limits[key] for key in moves),
        "noticed": bool(flips),
        "flips": len(flips),
        "most_moved": told,
    }


def _corruptions(judge: Judge, name: str, column: str) -> Iterator[tuple[Corruption, pd.DataFrame]]:
    """Corruptions of a column that some check reads; none of one that no check reads."""
    table = judge.tables[name]
    values = table[column]
    nudged = judge.again(name, table.assign(**{column: values * 1.0001 + 1e-6}))
    moves = {} if nudged is None else judge.moved(nudged)
    if nudged is not None and not any(moves.values()):
        return

    def corrupted(kind: str, new: Any, where: str = "") -> tuple[Corruption, pd.DataFrame]:
        return Corruption(name, column, kind, where), table.assign(**{column: new})

    yield corrupted("scale by 1.1", values * 1.1)
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
        move
        for key, move in judge.moved(found).items()
        if key[1].startswith("value:") and 0.0 < move < np.inf and judge.resolution(key)
    ]
    # A little more than 1.5, so that rounding does not decide.
    return 0.01 * size * (BEYOND + 0.05) / min(moves) if moves else 0.0


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
        parts = []
        for name in names:
            study = read_study(root, name, config)
            tables = {one: pd.read_csv(folder / name / f"{one}.csv") for one in study.own_tables()}
            published = load_published(published_folder(name, root), study.parts)
            parts.append(audit(name, tables, published))
            print(summary(name, parts[-1]))
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    whole = pd.concat(parts, ignore_index=True)
    path = folder / "audit.csv"
    write_text(path, whole.to_csv(index=False))
    print(f"{summary('all', whole)}; every corruption: {path}")
    return 0 if noticed_share(whole) >= GOAL else 1


def noticed_share(table: pd.DataFrame) -> float:
    """Share of the corruptions beyond the resolution that some verdict notices."""
    beyond = table[table["beyond"]]
    return float(beyond["noticed"].mean()) if len(beyond) else 1.0


def summary(name: str, table: pd.DataFrame) -> str:
    """One line about a study."""
    beyond = table[table["beyond"]]
    missed = int((~beyond["noticed"]).sum())
    return (
        f"{name}: {len(table)} corruptions, {len(beyond)} beyond the resolution, "
        f"{100.0 * noticed_share(table):.1f} % of these noticed, {missed} not"
    )


if __name__ == "__main__":
    sys.exit(main())
