"""The entry page of a scale: studies, verdict counts, files, run times, and all verdicts.

The table of verdicts can be sorted, filtered and searched by a few lines of script inside the
page. Without script it is the same table, complete.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.config import project_root
from plausible.files import write_text
from plausible.reproduction.pages import piece, render
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.report_tables import runtime_rows
from plausible.reproduction.study_files import read_study_files
from plausible.reproduction.verdicts import VERDICTS

SUFFIXES = ("csv", "svg", "png", "md")


def write_index(
    path: str | Path,
    run: str,
    studies: Mapping[str, str],
    verdicts: pd.DataFrame,
    runtimes: pd.DataFrame | None,
    results_dir: str | Path,
    workflow_report: str | None = "workflow.html",
    root: str | Path | None = None,
) -> None:
    """Write the index page of a scale, atomically.

    Parameters
    ----------
    path:
        Where the page goes, e.g. ``reports/demo/index.html``; the reports of the studies
        (``<study>.html``) stand in the same folder. Links are relative to it.
    run:
        What was run, for the title: ``demo scale``.
    studies:
        Title of each study by its name.
    verdicts:
        All verdicts, the rows of all studies together.
    runtimes:
        Table of `plausible.reproduction.runtimes.collect` with a column ``study``, or None.
    results_dir:
        Folder of the results of this scale, e.g. ``results/demo``.
    workflow_report:
        File of Snakemake's own report in the same folder, or None.
    root:
        Folder of the project.
    """
    path, results_dir = Path(path), Path(results_dir)
    verdicts = verdicts.astype(object).where(verdicts.notna(), "")
    links = [("#studies", "Studies"), ("#all-verdicts", "All verdicts")]
    links += [("#results", "Results and their files")]
    if workflow_report:
        links.append((workflow_report, "Snakemake's report: rules, run times, all pictures"))
    text = render(
        "index.html.j2",
        title=f"plausible, {run}",
        run=run,
        links=links,
        studies=[
            _study(path, name, title, verdicts, runtimes, results_dir, Path(root or project_root()))
            for name, title in studies.items()
        ],
        verdicts=verdicts,
        choices={
            "verdict": [name for name in VERDICTS if (verdicts["verdict"] == name).any()],
            "study": list(dict.fromkeys(verdicts["id"].str.split(".").str[0])),
            "protocol": [name for name in dict.fromkeys(verdicts["protocol"]) if name],
            "kind": list(dict.fromkeys(verdicts["kind"])),
        },
        order={name: place for place, name in enumerate(VERDICTS)},
        reported=[name for name in studies if path.with_name(f"{name}.html").exists()],
        run_times=runtimes is not None,
    )
    write_text(path, text)


def _study(
    page: Path,
    name: str,
    title: str,
    verdicts: pd.DataFrame,
    runtimes: pd.DataFrame | None,
    results_dir: Path,
    root: Path,
) -> dict[str, Any]:
    """What the page shows of one study."""
    candidates = [
        (page.with_name(f"{name}.html"), "Report: every result with its verdicts"),
        (page.with_name(f"{name}.ipynb"), "Executed notebook"),
        (results_dir / name / "verdicts.csv", "Verdicts as CSV"),
        (results_dir / name, "Folder of results"),
    ]
    times = [] if runtimes is None else runtime_rows(runtimes[runtimes["study"] == name])
    minutes = {row[1]: row[4] for row in times if row[0] == "result"}
    return {
        "name": name,
        "title": title,
        "verdicts": verdicts[verdicts["id"].str.startswith(f"{name}.")],
        "links": [
            (_relative(page, target), text) for target, text in candidates if target.exists()
        ],
        "results": _results(page, name, minutes, results_dir, root),
        "run_times": times,
    }


def _results(
    page: Path, study: str, minutes: Mapping[str, str], results_dir: Path, root: Path
) -> list[list[str]]:
    """Rows of the table of results: name, title, files, target, minutes."""
    declared = read_study_files(root / "workflow" / "studies" / study).declaration["results"]
    published = load_published(published_folder(study, root)).entries
    rows = []
    for name, settings in declared.items():
        identifier = f"{study}.{name}"
        # A result without a table of its own shows the one that holds its data.
        stems = {suffix: name for suffix in SUFFIXES} | {
            "csv": "theorems" if "theorem" in settings else settings.get("data", name)
        }
        places = {
            suffix: results_dir / study / f"{stem}.{suffix}" for suffix, stem in stems.items()
        }
        files = [
            (_relative(page, file), suffix) for suffix, file in places.items() if file.exists()
        ]
        title = published.get(identifier, settings).get("title", "")
        target = identifier.replace(".", "_")
        rows.append([name, title, piece("files", files), target, minutes.get(name, "")])
    return rows


def _relative(page: Path, target: Path) -> str:
    return Path(os.path.relpath(target, page.parent)).as_posix()
