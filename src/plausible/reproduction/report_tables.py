"""Tables and cells that reports and index page share: verdict cells, protocols, run times."""

import json
import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import escape

from plausible.errors import StudyError
from plausible.reproduction.evidence import PROTOCOLS
from plausible.reproduction.pages import Html, piece, table
from plausible.reproduction.published import result_name
from plausible.reproduction.runtimes import minutes_text
from plausible.reproduction.wording import decimals_of, is_number, number_text, statement_text


def reproduced_cell(row: Any) -> Html:
    """Reproduced value with the decimals of the published one; small: interval and seeds."""
    return piece("reproduced", row)


def note_cells(texts: Iterable[str]) -> list[Html]:
    """Notes of one table: a cause that several rows share is told once, and numbered."""
    notes = [str(text).partition("Why: ") for text in texts]
    counts = Counter(cause for _, _, cause in notes)
    shared = [cause for cause, count in counts.items() if cause and count > 1]
    told: set[str] = set()
    cells = []
    for finding, _, cause in notes:
        number = shared.index(cause) + 1 if cause in shared else None
        cells.append(piece("note", finding, cause, number, cause in told))
        told.update([cause] if number else [])
    return cells


def setting_differences(
    settings: Mapping[str, Mapping[str, Mapping[str, Any]]], protocols: Iterable[str]
) -> list[list[Any]]:
    """Rows of setting, its value in each of ``protocols``, and the runs for which that is so.

    ``settings`` are those of each run in each protocol.
    """
    columns = list(protocols)
    groups: dict[tuple[str, ...], list[str]] = {}
    for run, by_protocol in settings.items():
        for key in next(iter(by_protocol.values())):
            values = {name: chosen.get(key) for name, chosen in by_protocol.items()}
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
        decimals = decimals_of(row["published"])
        numbers = [number_text(row[key], decimals) for key in ("published", *protocols)]
        single = (row["inside_run"] or "none") if row["n_seeds"] > 1 else "–"
        rows.append(
            [
                result_name(row["id"]),
                statement_text(
                    row["variant"], row["statement"].removeprefix("published value of ")
                ),
                *numbers,
                row["nearest"],
                row["within_tolerance"] or "none",
                single,
            ]
        )
    header = ["result", "number", "published", *protocols, "nearest"]
    header += ["within tolerance", "inside the 95 % interval of a single run"]
    return table(header, rows, caption, ["id", "wide", *["number"] * (1 + len(protocols))])


def markdown_html(text: str) -> Html:
    """Paragraphs and tables of a result's Markdown file, in the style of the pages."""
    parts = []
    for block in re.split(r"\n\s*\n", text.strip()):
        lines = [line.strip() for line in block.splitlines()]
        if len(lines) > 1 and all(line.startswith("|") for line in lines):
            header, _, *rows = ([_inline(cell) for cell in _cells(line)] for line in lines)
            kinds = ["number" if _all_numbers(column) else "" for column in zip(*rows, strict=True)]
            parts.append(table(header, rows, classes=kinds))
        else:
            parts.append(Html("<p>{}</p>").format(_inline(" ".join(lines))))
    return Html("").join(parts)


def _cells(line: str) -> list[str]:
    inner = line.strip("|")
    return [cell.strip().replace("\\|", "|") for cell in re.split(r"(?<!\\)\|", inner)]


def _inline(text: str) -> Html:
    return Html(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def _all_numbers(column: Iterable[str]) -> bool:
    return all(is_number(cell) or cell in ("-", "n/a") for cell in column)


def runtime_rows(frame: pd.DataFrame) -> list[list[Any]]:
    """Run times for people: part, name, title, jobs, minutes, megabytes."""
    return [
        [
            row.part,
            row.result,
            row.title,
            row.jobs,
            minutes_text(row.minutes, row.jobs_without_time),
            "" if math.isnan(row.peak_memory_mb) else f"{row.peak_memory_mb:.0f}",
        ]
        for row in frame.fillna({"title": ""}).itertuples(index=False)
    ]


def read_table(path: Path) -> pd.DataFrame:
    """CSV file as a table, empty texts as empty texts."""
    if not path.is_file():
        raise StudyError(f"{path} is missing; build the results before their report.")
    return pd.read_csv(path, keep_default_na=True)


def read_verdicts(path: Path) -> pd.DataFrame:
    """Verdicts with empty texts instead of missing ones."""
    frame = read_table(path)
    texts = ["check", "variant", "statement", "protocol", "published", "reproduced"]
    texts += ["tolerance", "note"]
    for name in texts:
        if name not in frame:
            raise StudyError(
                f"{path} has no column {name!r}: it was made by an earlier version; make it "
                "again, a reference run by `make reference ARGS=--from-tables`."
            )
    return frame.assign(**{name: frame[name].astype(object).fillna("") for name in texts})
