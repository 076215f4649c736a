"""What a reference run is taken from: files of a finished run, with a provenance that fits."""

import json
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from plausible.errors import StudyError
from plausible.files import sha256_of
from plausible.reproduction.declaration import Study
from plausible.reproduction.provenance import side_car

JUDGED = ("verdicts", "entries")
"""Tables of a study's verdicts: of rows, and of published entries."""
PICTURE_LIMIT = 500_000
"""Bytes of an SVG file; of a larger one, the PNG is kept instead."""


def files_of(root: Path, study: Study) -> tuple[list[str], list[str]]:
    """Files of the run that are copied, and the results whose picture is a PNG."""
    needed = [path for result in study.results for path in study.result_files(result)]
    tables = [f"{study.folder}/{name}.csv" for name in [*study.own_tables(), *JUDGED]]
    run_times = f"{study.folder}/runtimes.csv"
    needed = list(dict.fromkeys([*needed, *tables, run_times]))
    missing = [path for path in needed if not (root / path).is_file()]
    if missing:
        raise StudyError(
            f"the run of {study.name} at the scale {study.scale} is not complete: {len(missing)} "
            f"of {len(needed)} files are missing, the first is {missing[0]}; finish it with "
            f"`snakemake --cores 8 all --config scale={study.scale}`."
        )
    as_png = [
        name
        for name in study.figures()
        if (root / study.folder / f"{name}.svg").stat().st_size > PICTURE_LIMIT
    ]
    pictures = [
        f"{study.folder}/{name}.{'png' if name in as_png else 'svg'}" for name in study.figures()
    ]
    texts = [f"{study.folder}/{name}.md" for name in study.markdowns()]
    return [*tables, *pictures, *texts, run_times], as_png


def read_provenance(
    root: Path, paths: Iterable[str], tables_alone: bool = False
) -> dict[str, dict[str, Any]]:
    """Provenance of ``paths`` and of all that they were made from, checked for consistency.

    ``tables_alone``: what was published may have another form since, of which no table takes
    anything; pictures and verdicts do.
    """
    records: dict[str, dict[str, Any]] = {}
    waiting = list(paths)

    @cache
    def digest_of(name: str) -> str | None:
        return sha256_of(root / name) if (root / name).is_file() else None

    for path in waiting:  # grows while it is read
        if path in records:
            continue
        try:
            record = json.loads(side_car(root / path).read_text(encoding="utf-8"))
            digest, inputs, _ = record["sha256"], record["inputs"].items(), record["rule"]
        except FileNotFoundError:
            raise StudyError(
                f"{path}: its provenance {side_car(path).name} is missing; remove the file and "
                "make it again."
            ) from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise StudyError(
                f"{side_car(path)}: this is no provenance; remove {path} and make it again."
            ) from None
        if digest_of(path) != digest:
            raise StudyError(
                f"{path}: the file is not the one that its provenance describes; remove it and "
                "make it again."
            )
        records[path] = record
        for name, recorded in inputs:
            if name.startswith(("results/", "reports/")):  # written by a rule, so with provenance
                waiting.append(name)
            if tables_alone and name.startswith("workflow/published/"):
                continue
            if recorded and digest_of(name) not in (recorded, None):
                raise StudyError(
                    f"{path}: it was made from another version of {name} than the one that is "
                    "there; run snakemake again, which remakes it."
                )
    return records


def check_comparable(study: Study, records: Mapping[str, Mapping[str, Any]]) -> None:
    """A reference run at the paper scale has the published settings and data."""
    settings = records[f"{study.folder}/verdicts.csv"].get("settings", {})
    if study.scale == "paper" and not settings.get("comparable"):
        raise StudyError(
            f"{study.folder}/verdicts.csv was judged as not comparable with what was published, "
            "because of other data or `overrides` in the configuration; a reference run has the "
            "study's own."
        )


def check_one_commit(study: Study, states: set[tuple[str | None, bool | None]]) -> None:
    """One commit with a clean tree has made all files of a run."""
    if len(states) == 1 and all(commit and clean for commit, clean in states):
        return
    shown = ", ".join(
        f"{commit[:10]}{'' if clean else ' with uncommitted changes'}" if commit else "unknown code"
        for commit, clean in sorted(states, key=str)
    )
    raise StudyError(
        f"the run of {study.name} was not made by one commit with a clean tree, but by {shown}; "
        "run it again from a fresh clone, or allow this with --allow-mixed and have it written "
        "into the README of the reference run."
    )
