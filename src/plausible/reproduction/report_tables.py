"""Tables and cells that reports and index page share: verdict cells, protocols, run times."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction import pages
from plausible.reproduction.evidence import PROTOCOLS
from plausible.reproduction.pages import Html, escape, number_text
from plausible.reproduction.published import result_name
from plausible.reproduction.runtimes import minutes_text


def statement_text(check: str, variant: str, statement: str) -> str:
    """What a row judges, for people: the statement and its variant, or the name of the number."""
    kind, _, label = check.partition(":")
    if kind == "value":
        return f"published number: {pages.quantity(label)}"
    # Several measurements of one theorem are only numbered; their notes say what each is.
    return f"{statement} ({variant})" if variant and not variant.startswith("#") else statement


def statement_cell(row: Any) -> Html:
    """Statement or number with its tolerance in small print."""
    text = escape(statement_text(row.check, row.variant, row.statement))
    tolerance = f"<br><small>tolerance: {escape(row.tolerance)}</small>" if row.tolerance else ""
    return Html(text + tolerance)


def published_text(value: Any) -> str:
    """Published number with its printed decimals."""
    return number_text(value, pages.decimals_of(value))


def reproduced_cell(row: Any) -> Html:
    """Reproduced value with the decimals of the published one; small: interval and seeds."""
    decimals = pages.decimals_of(row.published)
    value = escape(number_text(row.reproduced, decimals))
    seeds = f"{row.n_seeds} seed{'s' if row.n_seeds > 1 else ''}" if row.n_seeds > 0 else ""
    interval = pages.interval_text(row.ci_low, row.ci_high, decimals)
    small = escape(", ".join(filter(None, (interval, seeds))))
    return Html(f"{value}<br><small>{small}</small>" if small else value)


def note_cell(text: str) -> Html:
    """Note, with the known cause of a difference on a line of its own."""
    finding, why, cause = str(text).partition("Why: ")
    return Html(escape(finding) + (f"<br><strong>Why:</strong> {escape(cause)}" if why else ""))


def note_cells(texts: Iterable[str]) -> list[Html]:
    """Notes of one table: a cause that several rows share is told once, and numbered."""
    notes = [str(text) for text in texts]
    counts = Counter(note.partition("Why: ")[2] for note in notes)
    shared = [cause for cause, count in counts.items() if cause and count > 1]
    told: set[str] = set()
    cells = []
    for note in notes:
        finding, _, cause = note.partition("Why: ")
        if cause not in shared:
            cells.append(note_cell(note))
            continue
        number = shared.index(cause) + 1
        why = f"<strong>Why ({number}):</strong> {escape(cause)}"
        if cause in told:
            why = f"<strong>Why:</strong> reason ({number}) above."
        told.add(cause)
        cells.append(Html(f"{escape(finding)}<br>{why}"))
    return cells


def setting_differences(
    records: Iterable[Mapping[str, Any]], protocols: Iterable[str] = PROTOCOLS
) -> list[list[Any]]:
    """Rows of setting, its value in each of ``protocols``, and the runs for which that is so."""
    columns = list(protocols)
    by_run: dict[str, dict[str, Mapping[str, Any]]] = {}
    for record in records:
        names = record["wildcards"]
        run = names["run"]
        by_run.setdefault(run, {})[names["protocol"]] = record["settings"]["settings"]
    groups: dict[tuple[str, ...], list[str]] = {}
    for run, protocols in by_run.items():
        for key in next(iter(protocols.values())):
            values = {name: settings.get(key) for name, settings in protocols.items()}
            if len({json.dumps(value) for value in values.values()}) > 1:
                cells = (_setting_text(values, name) for name in columns)
                groups.setdefault((key, *cells), []).append(run)
    return [[*group, ", ".join(runs)] for group, runs in sorted(groups.items())]


def _setting_text(values: Mapping[str, Any], protocol: str) -> str:
    if protocol not in values:
        return "–"
    value = values[protocol]
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value)


def protocol_table(summary: pd.DataFrame, caption: str) -> Html:
    """Rows of `protocol_summary` for people; protocols without any number are left out."""
    protocols = [name for name in PROTOCOLS if summary[name].notna().any()]
    rows = []
    for _, row in summary.iterrows():
        decimals = pages.decimals_of(row["published"])
        numbers = [number_text(row[key], decimals) for key in ("published", *protocols)]
        single = (row["inside_run"] or "none") if row["n_seeds"] > 1 else "–"
        rows.append(
            [
                result_name(row["id"]),
                row["label"] or pages.quantity(row["check"].removeprefix("value:")),
                *numbers,
                row["nearest"],
                row["within_tolerance"] or "none",
                single,
            ]
        )
    header = ["result", "number", "published", *protocols, "nearest"]
    header += ["within tolerance", "inside the 95 % interval of a single run"]
    return pages.table(header, rows, caption, ["id", "wide", *["number"] * (1 + len(protocols))])


def markdown_html(text: str) -> Html:
    """Paragraphs and tables of a result's Markdown file, in the style of the pages."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if len(lines) > 1 and all(line.startswith("|") for line in lines):
            header, _, *rows = ([_inline(cell) for cell in _cells(line)] for line in lines)
            kinds = ["number" if _all_numbers(column) else "" for column in zip(*rows, strict=True)]
            parts.append(pages.table(header, rows, classes=kinds))
        else:
            parts.append(f"<p>{_inline(' '.join(lines))}</p>")
    return Html("".join(parts))


def _cells(line: str) -> list[str]:
    inner = line.strip("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _inline(text: str) -> Html:
    return Html(re.sub(r"`([^`]*)`", r"<code>\1</code>", escape(text)))


def _all_numbers(column: Iterable[str]) -> bool:
    return all(pages.is_number(cell) or cell in ("-", "n/a") for cell in column)


def runtime_table(frame: pd.DataFrame) -> Html:
    """Run times: the whole study and its stages, and folded away its results."""
    header = ["part", "name", "title", "jobs", "minutes on one core", "peak memory, MB"]
    kinds = ["", "id", "", "number", "number", "number"]

    def rows(part: str) -> list[list[Any]]:
        return [
            [
                row.part,
                row.result,
                row.title,
                row.jobs,
                minutes_text(row.minutes, row.jobs_without_time),
                "" if math.isnan(row.peak_memory_mb) else f"{row.peak_memory_mb:.0f}",
            ]
            for row in frame[frame["part"] == part].fillna({"title": ""}).itertuples(index=False)
        ]

    results = pages.table(header, rows("result"), classes=kinds)
    return Html(
        pages.table(header, rows("study") + rows("stage"), classes=kinds)
        + f"<details><summary>Every result</summary>{results}</details>"
    )


def read_table(path: Path) -> pd.DataFrame:
    """CSV file as a table, empty texts as empty texts."""
    if not path.is_file():
        raise StudyError(f"{path} is missing; build the results before their report.")
    return pd.read_csv(path, keep_default_na=True)


def read_verdicts(path: Path) -> pd.DataFrame:
    """Verdicts with empty texts instead of missing ones."""
    frame = read_table(path)
    texts = [
        "check",
        "variant",
        "statement",
        "protocol",
        "published",
        "reproduced",
        "tolerance",
        "note",
    ]
    return frame.assign(**{name: frame[name].astype(object).fillna("") for name in texts})
