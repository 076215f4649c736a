"""The reference run: a finished run, copied to where it is committed and read without running.

``results/reference/<study>`` gets the tables, pictures, verdicts and run times of a study with
their provenance; its report is executed on them and kept in ``reports/reference``. What is
incomplete, not consistent, not of one commit, or too large is refused with one sentence.

The tables of a reference run take hours, what is shown and said of them takes seconds. So pictures,
verdicts and report can be made again from the tables alone, after a change of a picture, a claim or
a published value.

Run as a program: ``make reference``.
"""

import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from plausible.config import load_config, project_root
from plausible.errors import PlausibleError, StudyError
from plausible.files import sha256_of
from plausible.reproduction.declaration import Study, short_name
from plausible.reproduction.entries import entry_verdicts
from plausible.reproduction.listing import read_configuration, read_study
from plausible.reproduction.machine import git_state, machine
from plausible.reproduction.pages import with_linked_pictures
from plausible.reproduction.provenance import side_car
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.reference_index import write_reference_index
from plausible.reproduction.reference_readme import (
    Facts,
    MadeBy,
    readme,
    with_facts,
    with_verdicts,
)
from plausible.reproduction.reports import render_notebook, with_linked_outputs
from plausible.reproduction.results import draw_figure
from plausible.reproduction.runtimes import collect
from plausible.reproduction.verdicts import verdict_counts, verdict_table

NAME = "reference"
JUDGED = ("verdicts", "entries")
"""Tables of a study's verdicts: of rows, and of published entries."""
LIMIT = 16_000_000
"""Bytes that the reference run of one study may take, the largest of which has the chapters of a
whole thesis; git stores a fifth to a tenth of it."""
PICTURE_LIMIT = 500_000
"""Bytes of an SVG file; of a larger one, the PNG is kept instead."""


class Summary(NamedTuple):
    """What was made."""

    folder: Path
    files: int
    size: int
    verdicts: Mapping[str, int]
    dead_links: tuple[str, ...]


def make_reference(root: str | Path, study: Study, allow_mixed: bool = False) -> Summary:
    """Copy the finished run of ``study`` (at its scale, in the project ``root``).

    Both folders change only when everything is in place.

    Raises
    ------
    StudyError
        If a file or its provenance is missing, a file is not the one of its provenance or was made
        from other inputs than those that are there, the files were made by several commits or by
        code that was not committed (unless ``allow_mixed``), or everything takes more than
        ``LIMIT`` bytes.
    """
    _code()  # before anything is written
    root = Path(root).resolve()
    sources, as_png = files_of(root, study)
    records = read_provenance(root, sources)
    _check_comparable(study, records)
    commits = Counter(
        (record.get("git_commit"), record.get("git_clean"), record["rule"])
        for record in records.values()
    )
    if not allow_mixed:
        _check_one_commit(study, {(commit, clean) for commit, clean, _ in commits})
    with _staged(root) as staged:
        for path in sources:
            for file in (root / path, side_car(root / path)):
                shutil.copy(file, staged / "results")
        verdicts = _verdict_counts(staged / "results" / "verdicts.csv")
        facts = Facts(study, records, commits, _dates(root, commits), verdicts)
        text = readme(facts, _whole(staged / "results" / "runtimes.csv"), as_png)
        (staged / "results" / "README.md").write_text(text, encoding="utf-8")
        return _finished(root, staged, study)


def make_again(
    root: str | Path, study: Study, carry: Iterable[str] = (), because: str = ""
) -> Summary:
    """Make pictures, readable tables, verdicts and report of a reference run from its tables.

    A table that a later run at the same scale has made takes the place of the old one, with its
    provenance; where it has made all of them, its seeds and run times are told as well. What no run
    has made yet is left out, and what rests on it is not comparable. ``carry`` names older tables
    that are taken for those of the later run, ``because`` of something that is kept in their
    provenance: that the experiment gives the same at another scale.

    Raises
    ------
    StudyError
        If there is no reference run of ``study``, or a later table is not the one of its
        provenance, or was made by code that was not committed; if a table to carry is not there,
        or nothing says why it may be.
    """
    _code()  # before anything is written
    root = Path(root).resolve()
    made = root / "results" / NAME / study.name
    if not (made / "README.md").is_file():
        raise StudyError(f"{made}: there is no reference run; make one by `make reference`.")
    later = [
        f"{study.folder}/{name}.csv"
        for name in study.own_tables()
        if (root / study.folder / f"{name}.csv").is_file()
    ]
    records = read_provenance(root, later)
    if later:
        commits = {(one.get("git_commit"), one.get("git_clean")) for one in records.values()}
        _check_one_commit(study, commits)
    with _staged(root) as staged:
        results = staged / "results"
        shutil.copytree(made, results, dirs_exist_ok=True)
        for path in later:
            for file in (root / path, side_car(root / path)):
                shutil.copy(file, results)
        tables = {
            name: pd.read_csv(results / f"{name}.csv")
            for name in study.own_tables()
            if (results / f"{name}.csv").is_file()
        }
        lacking = [name for name in study.own_tables() if name not in tables]
        older = set(tables) - {Path(path).stem for path in later}
        to = records[later[0]]["git_commit"] if later else _code()["git_commit"]
        _carry_over(results, older, carry, {"to": to, "because": because})
        made_by = _made_by(results, tables)
        published = load_published(published_folder(study.name, root), study.parts)
        verdicts = verdict_table(
            study.name, tables, study.scale, published, comparable=True, partial=True
        )
        used = [results / f"{name}.csv" for name in tables]
        judged = {"verdicts": verdicts, "entries": entry_verdicts(verdicts, published)}
        for name, table in judged.items():
            table.to_csv(results / f"{name}.csv", index=False)
            _write_record(results / f"{name}.csv", study, "judge_results", used)
        kept = []
        for result in study.results:
            if (study.shown_in(result) or result) in tables:
                try:
                    _show_again(results, study, result, tables, published)
                except (LookupError, StudyError):
                    # Its table is older than what the picture shows now.
                    kept.append(result)
        page = results / "README.md"
        text = page.read_text(encoding="utf-8")
        if later and not older:
            # Nothing is left of the run that was described, its seeds and its minutes included.
            times = collect(study, root / "results" / study.scale / "benchmarks")
            times.insert(0, "study", study.name)
            page_of_times = results / "runtimes.csv"
            times.to_csv(page_of_times, index=False)
            _write_record(page_of_times, study, "collect_run_times", used)
            text = with_facts(text, study, _whole(page_of_times))
        text = with_verdicts(
            text,
            verdict_counts(verdicts),
            _code(),
            made_by,
            lacking,
            kept,
        )
        page.write_text(text, encoding="utf-8")
        return _finished(root, staged, study)


def _carry_over(
    results: Path, older: set[str], carry: Iterable[str], said: Mapping[str, str]
) -> None:
    """Say in the provenance of tables to which commit they are carried over, and why."""
    for name in carry:
        if name not in older or not said["because"]:
            raise StudyError(
                f"--carry {name}: found {'no reason' if name in older else 'no such older table'}, "
                f"expected a reason and one of {', '.join(sorted(older)) or 'no table'}."
            )
        place = side_car(results / f"{name}.csv")
        record = json.loads(place.read_text(encoding="utf-8"))
        record["carried_over"] = dict(said)
        text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
        place.write_text(text, encoding="utf-8")


def _made_by(results: Path, tables: Iterable[str]) -> list[MadeBy]:
    """Which code made each table, and to which it was carried over."""
    found = []
    for name in tables:
        record = json.loads(side_car(results / f"{name}.csv").read_text(encoding="utf-8"))
        commit = record.get("git_commit")
        if not record.get("git_clean"):
            commit = f"{commit} with uncommitted changes"
        carried = record.get("carried_over", {})
        found.append(MadeBy(name, commit, carried.get("to"), carried.get("because")))
    return found


def _show_again(
    results: Path,
    study: Study,
    result: str,
    tables: Mapping[str, pd.DataFrame],
    published: Published,
) -> None:
    """Picture and readable table of one result; of a picture of very many points, the PNG."""
    shown = study.shown_in(result) or result
    used = [results / f"{shown}.csv"]
    if draw := study.function(result, "figure"):
        files = [results / f"{result}.{suffix}" for suffix in ("svg", "png")]
        draw_figure(draw.load(), tables[shown], published, study.dataset, *files)
        left = files.pop(0 if files[0].stat().st_size > PICTURE_LIMIT else 1)
        for path in (left, side_car(left)):
            path.unlink(missing_ok=True)
        _write_record(files[0], study, short_name(study.name, result), used)
    if write := study.function(result, "markdown"):
        shows = study.results[result].get("published", result)
        text = write.load()(tables[shown], published.shown_values(shows))
        (results / f"{result}.md").write_text(text, encoding="utf-8")
        _write_record(results / f"{result}.md", study, short_name(study.name, result), used)


@cache
def _code() -> dict[str, Any]:
    """State of the code before anything is written: a reference run is a part of the tree."""
    return git_state()


@contextmanager
def _staged(root: Path) -> Iterator[Path]:
    """Folder with the empty folders ``results`` and ``reports``, beside the reference runs."""
    place = root / "results" / NAME
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=place) as temporary:
        for name in ("results", "reports"):
            (Path(temporary) / name).mkdir()
        yield Path(temporary)


def _finished(root: Path, staged: Path, study: Study) -> Summary:
    """Execute the report of a staged reference run, and put both in place."""
    _write_report(root, staged, study)
    _check_size(staged, study)
    dead = _dead_links(root, staged, study)
    verdicts = _verdict_counts(staged / "results" / "verdicts.csv")
    files = [path for name in ("results", "reports") for path in (staged / name).iterdir()]
    size = _size(staged)
    made, reports = root / "results" / NAME / study.name, root / "reports" / NAME
    reports.mkdir(parents=True, exist_ok=True)
    _put_in_place(staged, made, reports, study.name)
    return Summary(made, len(files), size, verdicts, tuple(dead))


def _write_report(root: Path, staged: Path, study: Study) -> None:
    """Execute the report of a study on its staged results; its pictures become links to them."""
    results, place = staged / "results", f"results/{NAME}/{study.name}"
    parameters = {
        "study": study.name,
        "scale": study.scale,
        "results_dir": str(results),
        "published_dir": f"workflow/published/{study.name}",
        "study_dir": f"workflow/studies/{study.name}",
        "reference_dir": None,
    }

    def address(picture: str) -> str:
        suffix = "svg" if (results / f"{picture}.svg").is_file() else "png"
        return f"../../{place}/{picture}.{suffix}"

    notebook = staged / "reports" / f"{study.name}.ipynb"
    pages = {Path(page).name: staged / "reports" / Path(page).name for page in study.pages.values()}
    log = staged / "report.log"
    with chdir(root):
        render_notebook(study.notebooks, parameters, notebook, pages, log, study.terms)
    used = sorted(path for path in results.iterdir() if path.suffix != ".json")
    for path in (notebook, *pages.values()):
        linked = with_linked_outputs if path == notebook else with_linked_pictures
        text = linked(path.read_text(encoding="utf-8"), address)
        # The pages lead to where the staged folder goes.
        text = text.replace(str(results), place)
        text = text.replace(f"results/{staged.name}/{study.name}", place)
        path.write_text(text, encoding="utf-8")
        _write_record(path, study, "execute_notebook", used)


def _write_record(path: Path, study: Study, rule: str, inputs: list[Path]) -> None:
    """Provenance of a file that was made here and not by the workflow."""
    place = f"results/{NAME}/{study.name}"
    record = {
        "file": f"{place if path.parent.name == 'results' else f'reports/{NAME}'}/{path.name}",
        "sha256": sha256_of(path),
        "rule": rule,
        "settings": {"comparable": study.scale == "paper"},
        **_code(),
        "inputs": {f"{place}/{file.name}": sha256_of(file) for file in inputs},
        **machine(),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    side_car(path).write_text(text, encoding="utf-8")


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


def read_provenance(root: Path, paths: Iterable[str]) -> dict[str, dict[str, Any]]:
    """Provenance of ``paths`` and of all that they were made from, checked for consistency."""
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
            if recorded and digest_of(name) not in (recorded, None):
                raise StudyError(
                    f"{path}: it was made from another version of {name} than the one that is "
                    "there; run snakemake again, which remakes it."
                )
    return records


def _check_comparable(study: Study, records: Mapping[str, Mapping[str, Any]]) -> None:
    """A reference run at the paper scale has the published settings and data."""
    settings = records[f"{study.folder}/verdicts.csv"].get("settings", {})
    if study.scale == "paper" and not settings.get("comparable"):
        raise StudyError(
            f"{study.folder}/verdicts.csv was judged as not comparable with what was published, "
            "because of other data or `overrides` in the configuration; a reference run has the "
            "study's own."
        )


def _check_one_commit(study: Study, states: set[tuple[str | None, bool | None]]) -> None:
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


def _dead_links(root: Path, staged: Path, study: Study) -> list[str]:
    """Links of the report that will lead nowhere in the reference run."""
    pages = sorted((staged / "reports").glob("*.html"))
    text = "".join(page.read_text(encoding="utf-8") for page in pages)
    own = f"results/{NAME}/{study.name}/"
    made = {own + path.name for path in (staged / "results").iterdir()}
    made |= {f"reports/{NAME}/{path.name}" for path in (staged / "reports").iterdir()}
    dead = []
    for link in dict.fromkeys(re.findall(r"""(?:href|src)=["']([^"'#?]+)""", text)):
        place = os.path.normpath(f"reports/{NAME}/{link}")
        there = place in made or (not place.startswith(own) and (root / place).exists())
        if not there and not re.match(r"[a-z]+:", link):
            dead.append(link)
    return dead


def _verdict_counts(path: Path) -> dict[str, int]:
    with open(path, encoding="utf-8", newline="") as stream:
        return dict(Counter(row["verdict"] for row in csv.DictReader(stream)).most_common())


def _whole(path: Path) -> dict[str, str]:
    """Run time of the whole study, from its table of run times."""
    with open(path, encoding="utf-8", newline="") as stream:
        return next((row for row in csv.DictReader(stream) if row["part"] == "study"), {})


def _dates(root: Path, commits: Iterable[tuple[str | None, bool | None, str]]) -> dict[str, str]:
    """Date of each commit that git knows here."""
    dates = {}
    for commit in {commit for commit, _, _ in commits if commit}:
        command = ["git", "-C", str(root), "show", "-s", "--format=%cs", commit]
        try:
            answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
        except (OSError, subprocess.SubprocessError):
            continue
        if answer.returncode == 0:
            dates[commit] = answer.stdout.strip()
    return dates


def _size(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check_size(staged: Path, study: Study) -> None:
    size = _size(staged)
    if size <= LIMIT:
        return
    files = sorted(
        (path for path in staged.rglob("*") if path.is_file()),
        key=lambda path: -path.stat().st_size,
    )
    largest = ", ".join(f"{path.name} ({path.stat().st_size / 1e3:.0f} kB)" for path in files[:5])
    raise StudyError(
        f"the reference run of {study.name} would take {size / 1e6:.1f} MB, and {LIMIT / 1e6:g} MB "
        f"are allowed; make the largest files smaller: {largest}."
    )


def _put_in_place(staged: Path, results: Path, reports: Path, study: str) -> None:
    """Swap the new folder in; the old one is put back if that fails."""
    umask = os.umask(0)
    os.umask(umask)
    (staged / "results").chmod(0o777 & ~umask)
    old = staged / "old"
    if results.exists():
        os.rename(results, old)
    try:
        os.rename(staged / "results", results)
    except OSError:
        if old.exists():
            os.rename(old, results)
        raise
    made = {path.name for path in (staged / "reports").iterdir()}
    for path in reports.glob(f"{study}.*"):
        if path.name not in made:  # of a part that is gone
            path.unlink()
    for name in sorted(made):
        os.replace(staged / "reports" / name, reports / name)


def run_configuration(root: Path, scale: str) -> dict[str, Any]:
    """Configuration of the run at ``scale``: the one it kept, else that of the project."""
    kept = root / "results" / scale / "config.yaml"
    return load_config(kept, root) if kept.is_file() else read_configuration(root, scale=scale)


def main(arguments: list[str] | None = None) -> int:
    """Make the reference run of each study."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.reference",
        description="Copy a finished run to results/reference and reports/reference.",
    )
    parser.add_argument("--scale", default="paper", help="scale of the run (default: paper)")
    parser.add_argument("--study", help="one study (default: all of the configuration)")
    parser.add_argument(
        "--from-tables",
        action="store_true",
        help="keep the tables of the reference run, make all that is shown of them again",
    )
    parser.add_argument(
        "--carry",
        metavar="TABLE",
        action="append",
        default=[],
        help="with --from-tables: take this older table for one of the present code; repeatable",
    )
    parser.add_argument("--because", default="", help="why the tables to carry may be taken so")
    parser.add_argument("--root", metavar="PATH", help="folder of the Snakefile (default: here)")
    parser.add_argument(
        "--allow-mixed",
        action="store_true",
        help="take files of several commits or of uncommitted code; the README then names them",
    )
    options = parser.parse_args(arguments)
    try:
        root = project_root() if options.root is None else Path(options.root)
        config = run_configuration(root, options.scale)
        names = config["studies"] if options.study is None else [options.study]
        studies = {name: read_study(root, name, config) for name in names}
        for name, study in studies.items():
            done = (
                make_again(root, study, options.carry, options.because)
                if options.from_tables
                else make_reference(root, study, options.allow_mixed)
            )
            counts = ", ".join(f"{count} {verdict}" for verdict, count in done.verdicts.items())
            print(f"results/{NAME}/{name}: {done.files} files, {done.size / 1e6:.2f} MB; {counts}")
            for link in done.dead_links:
                print(f"reports/{NAME}/{name}.html: the link {link} leads nowhere here")
        write_reference_index(root)
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
