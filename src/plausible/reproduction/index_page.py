"""The entry page of a scale: studies, verdict counts, files, run times, and all verdicts.

The table of verdicts can be sorted, filtered and searched by a few lines of script inside the
page. Without script it is the same table, complete.
"""

import os
from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from plausible.config import project_root
from plausible.files import write_text
from plausible.reproduction import pages
from plausible.reproduction.pages import Html, badge, escape
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.report_tables import (
    note_cell,
    published_text,
    reproduced_cell,
    runtime_table,
    statement_cell,
)
from plausible.reproduction.runtimes import minutes_text
from plausible.reproduction.study_files import read_study_files
from plausible.reproduction.verdicts import VERDICTS, verdict_counts

SUFFIXES = ("csv", "svg", "png", "md")
SCRIPT = """
(() => {
  const table = document.getElementById("verdicts"), body = table.tBodies[0];
  const rows = [...body.rows], status = document.getElementById("shown");
  const fields = [...document.querySelectorAll(".filters [data-filter]")];
  const text = new Map(rows.map(row => [row, row.textContent.toLowerCase()]));
  function filter() {
    let shown = 0;
    for (const row of rows) {
      const fits = fields.every(field => {
        const wanted = field.value.trim().toLowerCase(), key = field.dataset.filter;
        return !wanted || (key === "text"
          ? wanted.split(/\\s+/).every(word => text.get(row).includes(word))
          : row.dataset[key].toLowerCase() === wanted);
      });
      row.hidden = !fits;
      shown += fits;
    }
    status.textContent = `${shown} of ${rows.length} rows shown`;
  }
  function sort(header) {
    const column = header.cellIndex, down = header.getAttribute("aria-sort") === "ascending";
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    header.setAttribute("aria-sort", down ? "descending" : "ascending");
    const value = row => row.cells[column].dataset.sort ?? row.cells[column].textContent;
    const number = text => text.trim() === "" ? NaN : Number(text);
    rows.sort((a, b) => {
      const x = value(a), y = value(b), m = number(x), n = number(y);
      const order = !isNaN(m) && !isNaN(n) ? m - n : !isNaN(m) ? -1 : !isNaN(n) ? 1
        : x.localeCompare(y, "en", { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows);
  }
  for (const field of fields) field.addEventListener("input", filter);
  for (const header of table.tHead.rows[0].cells)
    header.querySelector("button").addEventListener("click", () => sort(header));
  document.getElementById("reset").addEventListener("click", () => {
    for (const field of fields) field.value = "";
    filter();
  });
  const asked = new URLSearchParams(location.hash.slice(1));
  for (const field of fields)
    if (asked.has(field.dataset.filter)) field.value = asked.get(field.dataset.filter);
  document.querySelector(".filters").hidden = false;
  filter();
})();
"""


def write_index(
    path: str | Path,
    scale: str,
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
    scale:
        Name of the scale, for the title.
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
    parts = [
        f"<h1>plausible: reproduced results, {escape(scale)} scale</h1>",
        _introduction(verdicts, workflow_report),
        '<h2 id="studies">Studies</h2>',
        *(_study(path, name, title, verdicts, results_dir) for name, title in studies.items()),
        '<h2 id="all-verdicts">All verdicts</h2>',
        _filters(verdicts),
        _verdict_table(path, verdicts),
        '<h2 id="results">Results and their files</h2>',
        *(
            _results(path, name, title, runtimes, results_dir, root)
            for name, title in studies.items()
        ),
    ]
    if runtimes is not None:
        parts.append('<h2 id="run-times">Run times</h2>')
        parts.append(
            "<p>Minutes of single-core jobs, added up. A result counts every job that "
            "feeds it, also where several results share one.</p>"
        )
        for name, title in studies.items():
            parts.append(
                f"<details><summary>{escape(title)}</summary>"
                f"{runtime_table(runtimes[runtimes['study'] == name])}</details>"
            )
    parts.append(f"<script>{SCRIPT}</script>")
    write_text(path, pages.page(f"plausible, {scale} scale", "\n".join(parts)))


def _introduction(verdicts: pd.DataFrame, workflow_report: str | None) -> str:
    links = [("#studies", "Studies"), ("#all-verdicts", "All verdicts")]
    links += [("#results", "Results and their files")]
    if workflow_report:
        links.append((workflow_report, "Snakemake's report: rules, run times, all pictures"))
    return (
        "<p>Every published figure, table, claim and equation beside its reproduction, judged by "
        "rules that stand in the code.</p>"
        f"{pages.counts_list(verdict_counts(verdicts))}"
        f"<nav aria-label='On this page'>{_links(links)}</nav>"
    )


def _links(links: list[tuple[str, str]]) -> str:
    items = "".join(f'<li><a href="{escape(to)}">{escape(text)}</a></li>' for to, text in links)
    return f'<ul class="links">{items}</ul>'


def _relative(page: Path, target: Path) -> str:
    return Path(os.path.relpath(target, page.parent)).as_posix()


def _study(page: Path, name: str, title: str, verdicts: pd.DataFrame, results_dir: Path) -> str:
    own = verdicts[verdicts["id"].str.startswith(f"{name}.")]
    candidates = [
        (page.parent / f"{name}.html", "Report: every result with its verdicts"),
        (page.parent / f"{name}.ipynb", "Executed notebook"),
        (results_dir / name / "verdicts.csv", "Verdicts as CSV"),
        (results_dir / name, "Folder of results"),
    ]
    links = [(_relative(page, target), text) for target, text in candidates if target.exists()]
    return (
        f'<section class="study" aria-labelledby="study-{escape(name)}">'
        f'<h3 id="study-{escape(name)}">{escape(title)}</h3>'
        f"{pages.counts_list(verdict_counts(own))}{_links(links)}</section>"
    )


def _filters(verdicts: pd.DataFrame) -> str:
    present = [name for name in VERDICTS if (verdicts["verdict"] == name).any()]
    studies = list(dict.fromkeys(verdicts["id"].str.split(".").str[0]))
    choices = {
        "verdict": present,
        "study": studies,
        "protocol": [name for name in dict.fromkeys(verdicts["protocol"]) if name],
        "kind": list(dict.fromkeys(verdicts["kind"])),
    }
    selects = "".join(
        f'<label>{key}<select data-filter="{key}"><option value="">all</option>'
        + "".join(f"<option>{escape(name)}</option>" for name in names)
        + "</select></label>"
        for key, names in choices.items()
    )
    return (
        '<form class="filters" role="search" hidden onsubmit="return false">'
        '<label>search<input type="search" data-filter="text" '
        'placeholder="words, e.g. table1 row 4"></label>'
        f'{selects}<button type="button" id="reset">show all</button></form>'
        '<p id="shown" role="status"></p>'
    )


def _verdict_table(page: Path, verdicts: pd.DataFrame) -> Html:
    header = ("result", "statement or number", "protocol", "published", "this run", "verdict")
    heads = "".join(
        f'<th scope="col"><button type="button">{name}</button></th>' for name in (*header, "note")
    )
    lines = []
    for row in verdicts.itertuples(index=False):
        study = row.id.split(".")[0]
        reproduced = reproduced_cell(row)
        kind = "number" if pages.is_number(reproduced) else "number words"
        cells = [
            f'<td class="id">{_result_link(page, row.id)}</td>',
            f'<td class="wide" title="{escape(row.title)}">{statement_cell(row)}</td>',
            f"<td>{escape(row.protocol)}</td>",
            f'<td class="number" data-sort="{escape(row.published)}">'
            f"{escape(published_text(row.published))}</td>",
            f'<td class="{kind}" data-sort="{escape(row.reproduced)}">{reproduced}</td>',
            f'<td data-sort="{VERDICTS.index(row.verdict)}">{badge(row.verdict)}</td>',
            f'<td class="wide">{note_cell(row.note)}</td>',
        ]
        data = {"verdict": row.verdict, "study": study, "protocol": row.protocol, "kind": row.kind}
        attributes = " ".join(f'data-{key}="{escape(value)}"' for key, value in data.items())
        lines.append(f"<tr {attributes}>{''.join(cells)}</tr>")
    return Html(
        '<div class="scroll" tabindex="0"><table id="verdicts"><caption>One row for every '
        "published number and statement, in every protocol</caption>"
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _result_link(page: Path, identifier: str) -> str:
    """Name of a result, leading to its place in the report if that is there."""
    study, name = identifier.split(".", 1)
    if not (page.parent / f"{study}.html").exists():
        return pages.name_cell(name)
    return f'<a href="{escape(study)}.html#{escape(identifier)}">{pages.name_cell(name)}</a>'


def _results(
    page: Path,
    study: str,
    title: str,
    runtimes: pd.DataFrame | None,
    results_dir: Path,
    root: str | Path | None,
) -> str:
    spent: dict[str, str] = {}
    if runtimes is not None:
        own = runtimes[(runtimes["study"] == study) & (runtimes["part"] == "result")]
        for row in own.itertuples(index=False):
            spent[row.result] = minutes_text(row.minutes, row.jobs_without_time)
    root = Path(root) if root is not None else project_root()
    declared = read_study_files(root / "workflow" / "studies" / study).declaration["results"]
    published = load_published(published_folder(study, root)).entries
    rows = []
    for name, settings in declared.items():
        identifier = f"{study}.{name}"
        title_of_result = published.get(identifier, settings).get("title", "")
        files = []
        for suffix in SUFFIXES:
            # A result without a table of its own shows the one that holds its data.
            shown_in = "theorems" if "theorem" in settings else settings.get("data", name)
            stem = shown_in if suffix == "csv" else name
            place = results_dir / study / f"{stem}.{suffix}"
            if place.exists():
                files.append(f'<a href="{escape(_relative(page, place))}">{suffix}</a>')
        target = identifier.replace(".", "_")
        rows.append([name, title_of_result, Html(" ".join(files)), target, spent.get(name, "")])
    header = ["result", "title", "files", "target for snakemake", "minutes on one core"]
    kinds = ["id", "wide", "", "id", "number"]
    return f"<h3>{escape(title)}</h3>" + pages.table(header, rows, classes=kinds)
