"""Results that came with a checkout, and results that somebody has changed.

Where it has run before, Snakemake knows what it made from what. A copy of finished results (a
clone, an archive) has only file times, and these say in which order the files were copied. The
provenance beside every file says more: from which inputs, by their checksums, it was made, and what
it was then.
"""

import json
import os
import shutil
from collections.abc import Iterable
from functools import cache
from pathlib import Path

from plausible.errors import StudyError
from plausible.files import sha256_of
from plausible.reproduction.provenance import recorded_checksum

SNAKEMAKE_RECORDS = ".snakemake/metadata"


def came_with_the_checkout(root: str | Path = ".") -> bool:
    """Whether Snakemake has no record of ever having made anything in ``root``."""
    records = Path(root) / SNAKEMAKE_RECORDS
    return not records.is_dir() or not any(records.iterdir())


def adopt_results(folder: str | Path, root: str | Path = ".") -> list[Path]:
    """Give one time stamp to all files under ``folder`` that their provenance proves consistent.

    A file is consistent if its own checksum and those of its inputs are the recorded ones, and
    inputs under ``folder`` are consistent too. Files that are not keep their times, so Snakemake
    decides about them as usual. Returns the adopted files.
    """
    root, folder = Path(root), Path(folder)
    records = {}
    for side_car in sorted((root / folder).rglob("*.json")):
        target = side_car.with_suffix("")
        if target.is_file():
            try:
                record = json.loads(side_car.read_text(encoding="utf-8"))
                records[str(target.relative_to(root))] = (record["sha256"], record["inputs"])
            except (ValueError, KeyError, TypeError):
                continue
    verdicts: dict[str, bool] = {}

    @cache
    def digest_of(name: str) -> str | None:
        return sha256_of(root / name) if (root / name).is_file() else None

    def consistent(name: str) -> bool:
        if name not in verdicts:
            verdicts[name] = False  # a file cannot be its own input
            digest, sources = records.get(name, (None, {}))
            verdicts[name] = digest_of(name) == digest and all(
                digest_of(source) == recorded
                and (consistent(source) or not Path(source).is_relative_to(folder))
                for source, recorded in sources.items()
            )
        return verdicts[name]

    adopted = [root / name for name in sorted(records) if consistent(name)]
    names = {str(path.relative_to(root)) for path in adopted}
    names |= {source for name in names for source in records[name][1]}
    moment = max(((root / name).stat().st_mtime for name in names), default=0.0)
    # Snakemake counts the run time of a job among its outputs: the oldest of them decides.
    run_times = sorted((root / folder / "benchmarks").rglob("*.tsv")) if adopted else []
    side_cars = (Path(f"{path}.json") for path in adopted)
    for path in (*adopted, *side_cars, *run_times):
        os.utime(path, (moment, moment))
    return adopted


def set_aside_changed(folder: str | Path, every: bool = False) -> list[Path]:
    """Rename files under ``folder`` that are not what was made, so that they are made again.

    A file that was changed by hand is newer than its provenance and has another checksum than this
    says; ``every`` file is looked at where times say nothing, as in a fresh copy. What somebody
    changed stays as ``<file>.changed``; the renamed files are returned.
    """
    changed = []
    for side_car in sorted(Path(folder).rglob("*.json")):
        path = side_car.with_suffix("")
        if not path.is_file():
            continue
        if not every and path.stat().st_mtime_ns <= side_car.stat().st_mtime_ns:
            continue
        recorded = recorded_checksum(path)
        if recorded and sha256_of(path) != recorded:
            changed.append(path.rename(path.with_name(f"{path.name}.changed")))
    return changed


LEAST_SPACE = 100_000
"""Bytes without which not even the locks of a run can be written."""


def check_folders(names: Iterable[str]) -> None:
    """Raises StudyError if nothing can be written: a file in the place, no permission, no space."""
    for path in map(Path, names):
        if path.exists() and not path.is_dir():
            raise StudyError(
                f"{path}: a file stands where the workflow keeps a folder; move it away."
            )
        if path.exists() and not os.access(path, os.W_OK | os.X_OK):
            raise StudyError(
                f"{path}: the folder cannot be written to; correct its permissions, or give "
                "another place by `snakemake --directory`."
            )
        if path.exists() and shutil.disk_usage(path).free < LEAST_SPACE:
            raise StudyError(
                f"{path}: the disk is full; free some space and run the same command again, it "
                "continues where it stopped."
            )
