"""Are the tables of two runs the same, file by file and cell by cell?

The same configuration on the same machine must give the same bytes, at any number of cores and in
every commit that is not meant to change results. This program compares two finished folders
``results/<scale>``, or makes them first: two commits are cloned and run at the demo scale.

Measured times differ from run to run. What is left out is told by the files themselves: tables of
sweeps that are declared with ``timing: true``, everything whose provenance names one of them as an
input, their rows among the verdicts, and Snakemake's own measurements.
"""

import argparse
import csv
import json
import math
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from plausible.config import project_root
from plausible.errors import ConfigError, PlausibleError, StudyError
from plausible.yaml_files import read_yaml

SCALE = "demo"
IDENTICAL, DIFFERENT, MEASURED = "identical", "different", "measured times"
ONLY_OLD, ONLY_NEW = "only in OLD", "only in NEW"
RUN_TIMES = "runtimes.csv"
VERDICTS = "verdicts.csv"


class Compared(NamedTuple):
    """What was found about one table: its path below ``results/<scale>``, outcome, and where."""

    path: str
    outcome: str
    detail: str = ""


class Table(NamedTuple):
    """Cells of a CSV file as texts, and the line of the file on which each row stands."""

    columns: list[str]
    rows: list[list[str]]
    lines: list[int]


def compare_folders(
    old: Path,
    new: Path,
    renamed: Mapping[str, str] | None = None,
    without: Collection[str] = (),
) -> list[Compared]:
    """Compare all tables of two folders ``results/<scale>``.

    ``renamed`` maps paths below ``old``, of files or folders, to those below ``new``. Columns named
    in ``without`` are not compared.

    Raises
    ------
    StudyError
        If a folder holds no table, or an entry of ``renamed`` or ``without`` fits none.
    """
    renamed = renamed or {}
    old_files, new_files = _tables_in(old), _tables_in(new)
    for name in renamed:
        if not any(_moved(path, {name: "."}) != path for path in old_files):
            raise StudyError(f"--rename {name}: {old} holds no such table or folder of tables.")
    measured = {_moved(path, renamed) for path in measured_files(old)} | measured_files(new)
    identifiers = {_identifier(path) for path in measured}
    old_files = {_moved(path, renamed): file for path, file in old_files.items()}
    found, dropped = [], set()
    for path in sorted({*old_files, *new_files}):
        if path in measured:
            found.append(Compared(path, MEASURED))
        elif path not in new_files:
            found.append(Compared(path, ONLY_OLD))
        elif path not in old_files:
            found.append(Compared(path, ONLY_NEW))
        else:
            tables = [read_table(files[path]) for files in (old_files, new_files)]
            dropped.update(*(set(without).intersection(table.columns) for table in tables))
            skipped = identifiers if Path(path).name == VERDICTS else set()
            kept = [_kept(table, without, skipped) for table in tables]
            detail = difference(*kept)
            if not detail and kept == tables:
                same = old_files[path].read_bytes() == new_files[path].read_bytes()
                detail = "" if same else "the same cells, with other quotes or line ends"
            found.append(Compared(path, DIFFERENT if detail else IDENTICAL, detail))
    for column in without:
        if column not in dropped:
            raise StudyError(f"--without {column}: no table that is compared has such a column.")
    return found


def measured_files(folder: Path) -> set[str]:
    """Files of ``results/<scale>`` that hold measured times, by their path below it.

    A sweep's declaration says whether it measures (``timing: true``), in the study files of the
    project in which the folder lies, else of this one. Provenance tells what was made from it.
    """
    root = folder.resolve().parents[1]
    studies = (root if (root / "workflow" / "studies").is_dir() else project_root()) / "workflow"
    timed = set()
    for file in (studies / "studies").rglob("*.yaml"):
        document = file.relative_to(studies / "studies").with_suffix("").parts[0]
        timed.update((document, name) for name in _timed(read_yaml(file)))
    sources = {}
    for side_car in folder.rglob("*.json"):
        try:
            inputs = json.loads(side_car.read_text(encoding="utf-8"))["inputs"]
        except (ValueError, KeyError, TypeError):
            continue
        path = str(side_car.relative_to(folder).with_suffix(""))
        # Inputs are named from the folder of the run: results/<scale>/<path>.
        sources[path] = {"/".join(Path(name).parts[2:]) for name in inputs}
    measured = {
        path
        for path in {*sources, *_tables_in(folder)}
        if len(parts := Path(path).parts) == 3 and (parts[0], parts[2].split(".")[0]) in timed
    }
    while more := {
        path
        for path, inputs in sources.items()
        if path not in measured and Path(path).name != VERDICTS and inputs & measured
    }:
        measured |= more
    return measured


def _timed(value: Any) -> Iterator[str]:
    """Names of all mappings that say ``timing: true``."""
    for name, entry in value.items() if isinstance(value, dict) else ():
        if isinstance(entry, dict) and entry.get("timing") is True:
            yield str(name)
        yield from _timed(entry)


def _identifier(path: str) -> str:
    """Id of the result to which a file ``<document>/<result>.<suffix>`` belongs."""
    return ".".join(Path(path).with_suffix("").parts)


def _tables_in(folder: Path) -> dict[str, Path]:
    found = {str(file.relative_to(folder)): file for file in folder.rglob("*.csv")}
    if not found:
        raise StudyError(
            f"{folder}: no table (.csv) was found in it; name a folder results/<scale>."
        )
    return {
        path: file
        for path, file in found.items()
        if file.name != RUN_TIMES and not {"benchmarks", "checkpoints"}.intersection(file.parts)
    }


def _moved(path: str, renamed: Mapping[str, str]) -> str:
    for old, new in renamed.items():
        if path == old or path.startswith(f"{old}/"):
            return new + path.removeprefix(old)
    return path


def read_table(path: Path) -> Table:
    """Cells of a CSV file."""
    with open(path, newline="", encoding="utf-8") as stream:
        reader = csv.reader(stream)
        numbered = [(reader.line_num, row) for row in reader]
    return Table(
        numbered[0][1] if numbered else [],
        [row for _, row in numbered[1:]],
        [line for line, _ in numbered[1:]],
    )


def _kept(table: Table, without: Collection[str], identifiers: Collection[str]) -> Table:
    """The table without some columns, and without the rows of some results."""
    places = [i for i, column in enumerate(table.columns) if column not in without]
    row_of = table.columns.index("id") if identifiers and "id" in table.columns else None
    kept = [
        (line, [row[i] for i in places if i < len(row)])
        for line, row in zip(table.lines, table.rows, strict=True)
        if row_of is None or row[row_of] not in identifiers
    ]
    return Table(
        [table.columns[i] for i in places], [row for _, row in kept], [line for line, _ in kept]
    )


def difference(old: Table, new: Table) -> str:
    """Where two tables differ first, and by how much at most; empty if they do not."""
    if old.columns != new.columns:
        gone, come = Counter(old.columns) - Counter(new.columns), Counter(new.columns)
        come -= Counter(old.columns)
        words = [
            f"{kind} {', '.join(names)}" for kind, names in (("lost", gone), ("new", come)) if names
        ]
        return f"columns: {'; '.join(words) or 'another order'}"
    if old.rows != new.rows and sorted(old.rows) == sorted(new.rows):
        return "the same rows in another order"
    first, count, texts, largest = "", 0, 0, (0.0, "")
    for line, old_row, new_row in zip(new.lines, old.rows, new.rows, strict=False):
        for column, before, after in zip(new.columns, old_row, new_row, strict=False):
            if before == after:
                continue
            place = f"line {line}, {column}"
            first = first or f"{place}: {before or '(empty)'} -> {after or '(empty)'}"
            count += 1
            relative = _relative_difference(before, after)
            if relative is None:
                texts += 1
            elif relative > largest[0]:
                largest = (relative, place)
    words = []
    if len(old.rows) != len(new.rows):
        words.append(f"{len(old.rows)} -> {len(new.rows)} rows")
    if first:
        words.append(f"first {first}")
        words.append(f"{count} cells differ")
        if texts:
            words.append(f"{texts} of them not as numbers")
        if largest[0]:
            words.append(f"largest relative difference {largest[0]:.2g} ({largest[1]})")
    return "; ".join(words)


def _relative_difference(before: str, after: str) -> float | None:
    """|a - b| / max(|a|, |b|), or None where one of them is no finite number."""
    try:
        a, b = float(before), float(after)
    except ValueError:
        return None
    if not (math.isfinite(a) and math.isfinite(b)):
        return None
    return abs(a - b) / max(abs(a), abs(b)) if a != b else 0.0


def run_commit(revision: str, folder: Path, studies: Sequence[str], cores: int) -> Path:
    """Clone a commit of this project into ``folder`` and run it; returns ``results/demo`` there.

    Raises
    ------
    ConfigError
        If there is no such commit.
    StudyError
        If the run fails.
    """
    root = project_root()
    found = _git(root, "rev-parse", "--verify", "--quiet", f"{revision}^{{commit}}")
    if found.returncode:
        raise ConfigError(
            f"{revision}: this is neither a folder nor a commit of the project in {root}."
        )
    for place, arguments in (
        (root, ("clone", "--quiet", str(root), str(folder))),
        (folder, ("checkout", "--quiet", "--detach", found.stdout.strip())),
    ):
        if (done := _git(place, *arguments)).returncode:
            raise ConfigError(f"{revision}: git could not copy it: {done.stderr.strip()}")
    settings = [f"scale={SCALE}", *([f"studies=[{', '.join(studies)}]"] if studies else [])]
    environment = {name: v for name, v in os.environ.items() if not name.startswith("SNAKEMAKE")}
    environment["PYTHONPATH"] = str(folder / "src")
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    command = [sys.executable, "-m", "snakemake", "--cores", str(cores), "all", "--config"]
    done = subprocess.run(
        [*command, *settings], cwd=folder, env=environment, stdout=sys.__stderr__, check=False
    )
    if done.returncode:
        raise StudyError(f"{revision}: its run failed with exit code {done.returncode}; see above.")
    return folder / "results" / SCALE


def _git(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(["git", "-C", str(folder), *arguments], capture_output=True, text=True)


def report(found: Sequence[Compared]) -> str:
    """One line for every table, those that differ last, and the counts."""
    order = [MEASURED, IDENTICAL, ONLY_OLD, ONLY_NEW, DIFFERENT]
    lines = [
        f"{entry.outcome:15} {entry.path}{f': {entry.detail}' if entry.detail else ''}"
        for entry in sorted(found, key=lambda entry: (order.index(entry.outcome), entry.path))
    ]
    counts = Counter(entry.outcome for entry in found)
    return "\n".join(
        [
            *lines,
            "",
            ", ".join(f"{counts[outcome]} {outcome}" for outcome in order if counts[outcome]),
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Compare two runs; 0: the same, 1: a difference, 2: they cannot be compared."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.same_results",
        description="Compare the tables of two runs. Exit code 1 if any differs or is missing.",
    )
    run = "a folder results/<scale>, or a commit, which is cloned and run at the demo scale"
    parser.add_argument("old", metavar="OLD", help=run)
    parser.add_argument("new", metavar="NEW", help="the same")
    parser.add_argument(
        "--rename",
        metavar="OLD=NEW",
        action="append",
        default=[],
        help="a table, or a folder of tables, that moved; paths below results/<scale>; repeatable",
    )
    parser.add_argument(
        "--without",
        metavar="COLUMN",
        action="append",
        default=[],
        help="a column that is not compared; repeatable",
    )
    parser.add_argument(
        "--study", action="append", default=[], help="study that commits run (default: all of them)"
    )
    parser.add_argument("--cores", type=int, default=1, help="cores for running commits")
    options = parser.parse_args(arguments)
    try:
        renamed = {}
        for pair in options.rename:
            before, separator, after = pair.partition("=")
            if not (before and separator and after):
                raise ConfigError(f"--rename {pair}: OLD=NEW is expected, two paths.")
            renamed[before.rstrip("/")] = after.rstrip("/")
        with tempfile.TemporaryDirectory(prefix="same-results-") as scratch:
            folders = [
                Path(name)
                if Path(name).is_dir()
                else run_commit(name, Path(scratch) / place, options.study, options.cores)
                for place, name in (("old", options.old), ("new", options.new))
            ]
            found = compare_folders(*folders, renamed, options.without)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(report(found))
    return int(any(entry.outcome not in (IDENTICAL, MEASURED) for entry in found))


if __name__ == "__main__":
    sys.exit(main())
