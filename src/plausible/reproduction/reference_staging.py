"""The folders of a reference run: staged, its report executed, swapped in as a whole."""

import csv
import json
import os
import re
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import chdir, contextmanager
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from plausible.errors import StudyError
from plausible.files import sha256_of
from plausible.reproduction.declaration import Study
from plausible.reproduction.machine import git_state, machine
from plausible.reproduction.pages import with_linked_pictures
from plausible.reproduction.provenance import side_car
from plausible.reproduction.reports import render_notebook, with_linked_outputs

NAME = "reference"
LIMIT = 24_000_000
"""Bytes that the reference run of one study may take, the largest of which has the chapters of a
whole thesis; git stores a fifth to a tenth of it."""


class Summary(NamedTuple):
    """What was made."""

    folder: Path
    files: int
    size: int
    verdicts: Mapping[str, int]
    dead_links: tuple[str, ...]


@cache
def code_state() -> dict[str, Any]:
    """State of the code before anything is written: a reference run is a part of the tree."""
    return git_state()


@contextmanager
def staged_reference(root: Path) -> Iterator[Path]:
    """Folder with the empty folders ``results`` and ``reports``, beside the reference runs."""
    place = root / "results" / NAME
    place.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".partial-", dir=place) as temporary:
        for name in ("results", "reports"):
            (Path(temporary) / name).mkdir()
        yield Path(temporary)


def put_finished(root: Path, staged: Path, study: Study) -> Summary:
    """Execute the report of a staged reference run, and put both in place."""
    _write_report(root, staged, study)
    _check_size(staged, study)
    dead = _dead_links(root, staged, study)
    verdicts = counted_verdicts(staged / "results" / "verdicts.csv")
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
        write_record(path, study, "execute_notebook", used)


def write_record(path: Path, study: Study, rule: str, inputs: list[Path]) -> None:
    """Provenance of a file that was made here and not by the workflow."""
    place = f"results/{NAME}/{study.name}"
    record = {
        "file": f"{place if path.parent.name == 'results' else f'reports/{NAME}'}/{path.name}",
        "sha256": sha256_of(path),
        "rule": rule,
        "settings": {"comparable": study.scale == "paper"},
        **code_state(),
        "inputs": {f"{place}/{file.name}": sha256_of(file) for file in inputs},
        **machine(),
    }
    text = json.dumps(record, indent=1, ensure_ascii=False) + "\n"
    side_car(path).write_text(text, encoding="utf-8")


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


def counted_verdicts(path: Path) -> dict[str, int]:
    """Number of rows of each verdict, from a table of verdicts."""
    with open(path, encoding="utf-8", newline="") as stream:
        return dict(Counter(row["verdict"] for row in csv.DictReader(stream)).most_common())


def whole_time(path: Path) -> dict[str, str]:
    """Run time of the whole study, from its table of run times."""
    with open(path, encoding="utf-8", newline="") as stream:
        return next((row for row in csv.DictReader(stream) if row["part"] == "study"), {})


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
