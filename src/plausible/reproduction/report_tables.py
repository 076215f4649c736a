"""Tables and cells that reports and index page share: verdict cells, protocols, run times."""

import json
import math
import re
import types
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pandas as pd
from markupsafe import escape

from plausible.errors import StudyError
from plausible.reproduction.evidence import PROTOCOLS
from plausible.reproduction.judging import DIFFERS
from plausible.reproduction.pages import Html, badge, piece, table
from plausible.reproduction.published import result_name
from plausible.reproduction.runtimes import minutes_text
from plausible.reproduction.verdict_row import VERDICTS
from plausible.reproduction.wording import (
    decimals_of,
    is_number,
    number_text,
    statement_text,
    variant_text,
)

_ITEM = re.compile(r"([^\[\]]+?) (-?\d[\d.e+-]*) (\[[^\[\]]+\])(?:, )?")
_LISTED = re.compile(r"(?<=[:;] )(?:[^\[\]]+? -?\d[\d.e+-]* \[[^\[\]]+\](?:, )?){3,}")
"""Three or more of ``name value [low, high]``, after a colon or semicolon."""
_NUMBER = re.compile(r"[-−]?\d[\d.,]*(?:e[+-]?\d+)?(?: × 10[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)?")
MANY_ROWS = 30
SHORT_NOTE = 90
"""Characters of a note that stands in its row."""


def reproduced_cell(row: Any) -> Html:
    """Reproduced value with the decimals of the published one; small: interval and seeds."""
    return piece("reproduced", row)


def remarks_of(rows: pd.DataFrame) -> tuple[list[list[int]], list[Html]]:
    """Numbers of each row's remarks, and the remarks as paragraphs: each is told once.

    Remarks are the reasons of differences and the notes that are too long for their row.
    """
    paragraphs: dict[Html, int] = {}
    numbers: list[list[int]] = []
    for row in rows.itertuples():
        own = [_paragraph(row.reason, "Why: ")] if row.reason else []
        own += [_paragraph(row.note)] if len(str(row.note)) > SHORT_NOTE else []
        numbers.append([paragraphs.setdefault(one, len(paragraphs) + 1) for one in own])
    return numbers, list(paragraphs)


def _paragraph(text: str, start: str = "") -> Html:
    """A remark; a list of values with intervals in it becomes a small table."""
    listed = _LISTED.search(text)
    if listed is None:
        return Html("<strong>{}</strong>{}").format(start, text) if start else Html(escape(text))
    rows = [one.groups() for one in _ITEM.finditer(listed[0])]
    before, after = text[: listed.start()].strip(), text[listed.end() :].strip(" .;")
    cells = [[name.strip(), value, interval] for name, value, interval in rows]
    small = table(["of", "mean", "95 % interval"], cells, classes=["", "number", "number"])
    return Html("<strong>{}</strong>{} {}{}").format(start, before, after, small)


def verdict_rows(
    rows: pd.DataFrame,
    reference: pd.DataFrame | None,
    statements: Mapping[str, Mapping[str, Any]] = types.MappingProxyType({}),
) -> Html:
    """Rows of one entry: what is judged, published, reference and this run, verdict, remarks.

    A column that is empty, or that says what this run says, is left out. Of very many rows those of
    each verdict stand by themselves, those that differ first. Below them stands what each of
    ``statements``, by their ids, compares, and where its bound comes from.
    """
    numbers, remarks = remarks_of(rows)
    said = pd.Series([", ".join(f"({n})" for n in one) for one in numbers], index=rows.index)
    if len(rows) <= MANY_ROWS:
        shown = _row_table(rows, reference, said)
    else:
        groups = {name: rows[rows["verdict"] == name] for name in (DIFFERS, *VERDICTS)}
        shown = Html("").join(
            piece("folded", f"{len(group)} rows: {name}", _row_table(group, reference, said))
            for name, group in groups.items()
            if len(group)
        )
    shown += piece("numbered", remarks) if remarks else ""
    named = rows.drop_duplicates("check").set_index("check")["statement"]
    measured = [
        [named[check], one["quantity"], one.get("because", "")]
        for check, one in statements.items()
        if check in named and "quantity" in one
    ]
    if measured:
        header = ["statement", "what is measured", "why this bound"]
        kinds = ["wide", "wide", "wide"]
        shown += piece("folded", "What the statements measure", table(header, measured, "", kinds))
    return shown


def _row_table(rows: pd.DataFrame, reference: pd.DataFrame | None, remarks: pd.Series) -> Html:
    """Table of some rows; ``remarks`` holds the numbers of the remarks on each."""
    own = [reproduced_cell(row) for row in rows.itertuples()]
    theirs = reference_cells(rows, reference)
    columns: list[tuple[str, str, list[Any]]] = [
        ("statement or number", "wide", _statements(rows)),
        ("protocol", "", [name.replace("_", " ") for name in rows["protocol"]]),
        (
            "published",
            "number",
            [number_text(value, decimals_of(value)) for value in rows["published"]],
        ),
        ("reference", "number", [""] * len(rows) if theirs == own else theirs),
        ("this run", "number", own),
        ("verdict", "", [badge(value) for value in rows["verdict"]]),
        ("remark", "", list(remarks[rows.index])),
    ]
    filled = [column for column in columns if any(cell != "" for cell in column[2])]
    lines = zip(*(cells for _, _, cells in filled), strict=True)
    return table([name for name, _, _ in filled], lines, classes=[kind for _, kind, _ in filled])


def _statements(rows: pd.DataFrame) -> list[Html]:
    """What each row judges; of several findings about one statement, the first repeats it."""
    above = [None, *rows["check"]][: len(rows)]
    return [
        piece(
            "judged",
            row.statement.removeprefix("published value of "),
            row.resolution,
            variant_text(row.variant),
            row.note if len(row.note) <= SHORT_NOTE else "",
            row.check == before,
        )
        for row, before in zip(rows.itertuples(), above, strict=True)
    ]


def reference_cells(rows: pd.DataFrame, reference: pd.DataFrame | None) -> list[Any]:
    """Values of the reference run for some rows; empty where it has none."""
    if reference is None:
        return [""] * len(rows)
    keys = ["id", "check", "variant", "protocol"]
    known = {tuple(getattr(row, key) for key in keys): row for row in reference.itertuples()}
    found = [known.get(tuple(getattr(row, key) for key in keys)) for row in rows.itertuples()]
    return ["" if row is None else reproduced_cell(row) for row in found]


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
                cells = (_of_protocol(values, name) for name in columns)
                groups.setdefault((key, *cells), []).append(run)
    return [[*group, ", ".join(runs)] for group, runs in sorted(groups.items())]


def _of_protocol(values: Mapping[str, Any], protocol: str) -> str:
    return setting_text(values[protocol]) if protocol in values else "–"


def setting_text(value: Any) -> str:
    """Value of a setting for people."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple):
        return ", ".join(map(setting_text, value))
    if isinstance(value, Mapping):
        pairs = (f"{key}: {setting_text(one)}" if one != {} else key for key, one in value.items())
        return "; ".join(pairs)
    return str(value)


def protocol_table(summary: pd.DataFrame) -> Html:
    """Rows of `protocol_summary` for people; protocols without any number are left out."""
    protocols = [name for name in PROTOCOLS if summary[name].notna().any()]
    rows = []
    for _, row in summary.iterrows():
        decimals = decimals_of(row["published"])
        numbers = [number_text(row[key], decimals) for key in ("published", *protocols)]
        rows.append(
            [
                result_name(row["id"]),
                statement_text(
                    row["variant"], row["statement"].removeprefix("published value of ")
                ),
                *numbers,
                row["nearest"].replace("_", " "),
                row["reproduced_by"].replace("_", " ") or "none",
                row["undecided_by"].replace("_", " ") or "–",
            ]
        )
    header = ["result", "number", "published"]
    header += [*(name.replace("_", " ") for name in protocols), "nearest"]
    header += ["reproduced", "undecided"]
    kinds = ["id", "wide", *["number"] * (1 + len(protocols))]
    return table(header, rows, classes=kinds)


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


def why(rows: pd.DataFrame, protocol: str) -> tuple[str, int]:
    """First sentence of the first reason of a difference, and the number of different reasons.

    Reasons of differences under ``protocol``, by which the entry is judged, go first.
    """
    ordered = [*rows.loc[rows["protocol"] == protocol, "reason"], *rows["reason"]]
    reasons = list(filter(None, ordered))
    first = re.split(r"(?<=[.;]) (?=[A-Z])", reasons[0])[0] if reasons else ""
    # The same reason for several rows differs in its numbers alone.
    return first, len({_NUMBER.sub("#", reason) for reason in reasons})


def read_entries(path: Path) -> pd.DataFrame:
    """Verdicts of published entries, with empty texts instead of missing ones."""
    frame = read_table(path)
    texts = ["title", "protocol", "sentence"]
    return frame.assign(**{name: frame[name].astype(object).fillna("") for name in texts})


def read_verdicts(path: Path) -> pd.DataFrame:
    """Verdicts with empty texts instead of missing ones."""
    frame = read_table(path)
    texts = ["check", "variant", "statement", "protocol", "published", "reproduced"]
    texts += ["resolution", "duplicate_of", "note", "reason"]
    for name in texts:
        if name not in frame:
            raise StudyError(
                f"{path} has no column {name!r}: it was made by an earlier version; make it "
                "again, a reference run by `make reference ARGS=--from-tables`."
            )
    return frame.assign(**{name: frame[name].astype(object).fillna("") for name in texts})
