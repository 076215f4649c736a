"""Results that came with a checkout: which are consistent, and so need not be made again.

Where it has run before, Snakemake knows what it made from what. A copy of finished results (a
clone, an archive) has only file times, and these say in which order the files were copied. The
provenance beside every file says more: from which inputs, by their checksums, it was made.
"""

import json
import os
from functools import cache
from pathlib import Path

from plausible.files import sha256_of

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
    for path in (*adopted, *run_times):
        os.utime(path, (moment, moment))
    return adopted
