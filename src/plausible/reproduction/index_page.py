"""The entry page of a scale: what was found, what holds, the way to every study, all verdicts.

The rows of all verdicts lie in the page as data, and become a table that can be sorted, filtered
and searched when it is opened. Without script the page leads to the same rows as CSV.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import escape

from plausible.config import project_root
from plausible.files import write_text
from plausible.reproduction.declaration import page_name
from plausible.reproduction.entries import ENTRY_VERDICTS
from plausible.reproduction.findings import key_findings
from plausible.reproduction.meanings import ENTRY_MEANINGS
from plausible.reproduction.pages import SIGNS, Html, piece, render
from plausible.reproduction.published import Published, load_published, published_folder
from plausible.reproduction.report_tables import runtime_rows
from plausible.reproduction.reports import with_meanings
from plausible.reproduction.study_files import StudyFiles, part_title, read_study_files
from plausible.reproduction.summaries import THEOREM, entry_counts, headline
from plausible.reproduction.verdict_row import (
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    NOT_JUDGED,
    VERDICTS,
)
from plausible.reproduction.wording import (
    decimals_of,
    interval_text,
    number_text,
    statement_text,
)

REFERENCE = "reference"
_UNJUDGED = {
    NOT_IN_RUN: "without their experiment in this run",
    NOT_COMPARABLE: "not comparable at this scale",
    NEEDS_DATA: "for want of data that cannot be passed on",
    ILLUSTRATION: "pictures or cited facts",
}
SUFFIXES = ("csv", "svg", "png", "md")


def write_index(
    path: str | Path,
    run: str,
    comparable: Mapping[str, bool],
    verdicts: pd.DataFrame,
    entries: pd.DataFrame,
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
        (`page_name`) stand in the same folder. Links are relative to it.
    run:
        What was run, for the title: ``demo scale``.
    comparable:
        By the names of the studies, whether their numbers can be compared with the published ones.
    verdicts, entries:
        All verdicts on rows, and all on published entries, of all studies together.
    runtimes:
        Table of `plausible.reproduction.runtimes.collect` with a column ``study``, or None.
    results_dir:
        Folder of the results of this scale, e.g. ``results/demo``.
    workflow_report:
        File of Snakemake's own report in the same folder, or None.
    root:
        Folder of the project.
    """
    path, results_dir, root = Path(path), Path(results_dir), Path(root or project_root())
    verdicts = verdicts.astype(object).where(verdicts.notna(), "")
    files = {name: read_study_files(root / "workflow" / "studies" / name) for name in comparable}
    published = {
        name: load_published(published_folder(name, root), one.declaration["parts"])
        for name, one in files.items()
    }
    findings = [
        finding
        for name in comparable
        for finding in _findings(
            path, published[name], files[name], results_dir / name, comparable[name], root
        )
    ]
    findings = [finding for _, finding in sorted(findings, key=lambda ranked: ranked[0])]
    rule = root / "docs" / "verdicts.md"
    # Measured results come first; what is only shown comes last.
    shown = verdicts.sort_values("kind", key=lambda kind: kind == THEOREM, kind="stable")
    order = {name: place for place, name in enumerate(VERDICTS)}
    parts = {name: one.part_of for name, one in published.items()}
    text = render(
        "index.html.j2",
        title=f"plausible, {run}",
        run=run,
        headline=headline(entries),
        left=_left(entries, published),
        rule=_relative(path, rule) if rule.is_file() else "",
        findings=findings,
        found_in="" if all(comparable.values()) else "the reference run at the paper scale",
        counts=_counts(entries, {name: one.declaration["title"] for name, one in files.items()}),
        studies=[
            _study(
                path,
                name,
                files[name],
                published[name],
                entries,
                runtimes,
                results_dir,
                root / "workflow" / "notebooks" / name,
            )
            for name in files
        ],
        workflow_report=workflow_report,
        rows=len(verdicts),
        data=_as_script(_rows(shown, parts)),
        choices={
            "verdict": [name for name in order if (verdicts["verdict"] == name).any()],
            "study": list(files),
            "protocol": [name for name in dict.fromkeys(verdicts["protocol"]) if name],
            "kind": list(dict.fromkeys(shown["kind"])),
        },
        signs=_as_script({name: SIGNS[name] for name in VERDICTS}),
        run_times=runtimes is not None,
    )
    write_text(path, text)


def _left(entries: pd.DataFrame, published: Mapping[str, Published]) -> str:
    """How many entries are not judged, and of which documents some are not covered yet."""
    counts = entry_counts(entries)
    why = [f"{counts[name]} {text}" for name, text in _UNJUDGED.items() if counts[name]]
    shown = int(counts[[*NOT_JUDGED]].sum())
    said = f"{shown} more are not judged: {', '.join(why)}." if shown else "All are judged."
    for one in published.values():
        if one.omitted:
            document = f"{one.source['authors'][0].split()[-1]} {one.source['year']}"
            said += f" {len(one.omitted)} entries of {document} are not covered yet."
    return said


def _findings(
    page: Path,
    published: Published,
    files: StudyFiles,
    folder: Path,
    comparable: bool,
    root: Path,
) -> list[tuple[int, tuple[str, ...]]]:
    """Rank of each surprising finding of a study with its sentence, title, way to it, picture."""
    declared = [one for one in files.declaration.get("key_findings", ()) if one.get("surprising")]
    reference = root / "results" / REFERENCE / published.study
    source = folder if comparable else reference
    if not (source / "entries.csv").is_file():
        return []
    shown, pictures = [], set()
    # The first of two with the same picture has it.
    for finding in sorted(
        key_findings(published, declared, source), key=lambda one: one.surprising
    ):
        drawings = [source / f"{finding.picture}.{suffix}" for suffix in ("svg", "png")]
        drawing = next((_relative(page, file) for file in drawings if file.is_file()), "")
        drawing = "" if drawing in pictures else drawing
        pictures.add(drawing)
        title = published.entries[finding.entry]["title"]
        where = f"{page_name(published.study, published.part_of[finding.entry])}#{finding.entry}"
        glossary = files.declaration.get("glossary", {})
        sentence = Html(with_meanings(escape(finding.sentence), glossary))
        shown.append((finding.surprising, (sentence, title, where, drawing)))
    return shown


def _counts(entries: pd.DataFrame, titles: Mapping[str, str]) -> tuple[list[Any], list[list[Any]]]:
    """Table of entry verdicts: a line for the measured results and the theorems of each study."""
    judged = [name for name in ENTRY_VERDICTS if name not in NOT_JUDGED]
    present = [name for name in judged if (entries["verdict"] == name).any()]
    lines = []
    for study, title in titles.items():
        own = entries[entries["study"] == study]
        theorem = own["kind"] == THEOREM
        for what, group in (("measured", own[~theorem]), ("theorems", own[theorem])):
            counts = entry_counts(group)
            cells = [str(counts[name] or "") for name in present]
            link = piece("link", page_name(study), title.partition(":")[0])
            left = str(counts[[*NOT_JUDGED]].sum() or "")
            lines.append([link if what == "measured" else "", what, *cells, left])
    hover = Html('<abbr title="{}">{}</abbr>')
    return [*(hover.format(ENTRY_MEANINGS[name], name) for name in present), "not judged"], lines


def _rows(verdicts: pd.DataFrame, parts: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Rows of the table of verdicts, and the texts that many of them share, by their numbers."""
    texts: dict[str, int] = {}

    def number(text: str) -> int:
        return texts.setdefault(text, len(texts))

    rows = []
    for row in verdicts.itertuples(index=False):
        study, _, name = row.id.partition(".")
        decimals = decimals_of(row.published)
        interval = interval_text(row.ci_low, row.ci_high, decimals)
        rows.append(
            [
                study,
                parts[study][row.id],
                name,
                row.kind,
                number(statement_text(row.variant, row.statement)),
                row.protocol,
                number_text(row.published, decimals),
                number_text(row.reproduced, decimals),
                interval,
                int(row.n_seeds or 0),
                row.verdict,
                number(str(row.note)),
                number(str(row.reason)),
            ]
        )
    return {"texts": list(texts), "rows": rows}


def _as_script(value: Any) -> Html:
    """JSON that may stand inside of a script element."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return Html(text.replace("<", "\\u003c"))


def _study(
    page: Path,
    name: str,
    files: StudyFiles,
    published: Published,
    entries: pd.DataFrame,
    runtimes: pd.DataFrame | None,
    results_dir: Path,
    notebooks: Path,
) -> dict[str, Any]:
    """What the page shows of one study."""
    candidates = [
        (page.with_name(page_name(name)), "What was found and what holds"),
        *(
            (page.with_name(page_name(name, part)), part_title(notebooks, part))
            for part in files.declaration["parts"]
        ),
        (page.with_name(f"{name}.ipynb"), "Executed notebook"),
        (results_dir / name / "entries.csv", "Verdicts of entries as CSV"),
        (results_dir / name / "verdicts.csv", "Verdicts of rows as CSV"),
        (results_dir / name, "Folder of results"),
    ]
    times = [] if runtimes is None else runtime_rows(runtimes[runtimes["study"] == name])
    minutes = {row[1]: row[4] for row in times if row[0] == "result"}
    own = entries[entries["study"] == name]
    return {
        "name": name,
        "title": files.declaration["title"],
        "document": files.declaration["document"],
        "counts": entry_counts(own),
        "links": [
            (_relative(page, target), text) for target, text in candidates if target.exists()
        ],
        "results": _results(page, files, published, minutes, results_dir),
        "run_times": times,
    }


def _results(
    page: Path,
    files: StudyFiles,
    entries: Published,
    minutes: Mapping[str, str],
    results_dir: Path,
) -> list[list[str]]:
    """Rows of the table of results: name, title, files, target, minutes."""
    declared, study = files.declaration["results"], entries.study
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
        title = entries.entries.get(identifier, settings).get("title", "")
        target = identifier.replace(".", "_")
        rows.append([name, title, piece("files", files), target, minutes.get(name, "")])
    return rows


def _relative(page: Path, target: Path) -> str:
    return Path(os.path.relpath(target, page.parent)).as_posix()
