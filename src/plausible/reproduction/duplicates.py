"""Rows of what is judged elsewhere: statements and numbers that another entry repeats."""

from collections.abc import Iterator, Mapping
from typing import Any

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.published import Entry, Published
from plausible.reproduction.verdict_row import (
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    VERDICTS,
    verdict_row,
)


def rows_of_duplicates(
    published: Published,
    entry: Entry,
    rows: Mapping[str, list[dict[str, Any]]],
    partial: bool = False,
) -> Iterator[dict[str, Any]]:
    """Rows of statements and numbers that are judged at another entry, which says the same."""
    same = [
        (one["id"], one["duplicate_of"].split(": "))
        for one in entry["expect"]
        if "duplicate_of" in one
    ]
    for declared in entry.get("resolutions", ()):
        for place in declared["places"] if "duplicate_of" in declared else ():
            target, other = declared["duplicate_of"].split(": ")
            if target != entry["id"]:
                same.append((f"value:{place}", (target, f"value:{other}")))
    for check, (target, other) in same:
        found = [row for row in rows.get(target, ()) if row["check"] == other]
        if not found and not partial:
            raise StudyError(
                f"{entry['id']}: {check} is a duplicate of {target}: {other}, which has no verdict"
                f"{nearest(other, [row['check'] for row in rows.get(target, ())])}."
            )
        for row in found:
            own = {key: entry[key] for key in ("id", "kind", "title")}
            repeated = {"duplicate_of": f"{target}: {other}", "note": "", "reason": ""}
            yield row | own | {"check": check} | repeated


def rows_of_reference(entry: Entry, original: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of an entry with the content of another one: its verdicts stand for both."""
    target = entry["same_as"]
    statements = [row for row in original if not row["check"].startswith("value:")]
    # A row without a protocol is one of every protocol, of those that are there.
    protocols = list(dict.fromkeys(filter(None, (row["protocol"] for row in statements)))) or [""]
    for statement in entry["expect"]:
        for protocol in protocols:
            own = (protocol, "")
            verdicts = [row["verdict"] for row in statements if row["protocol"] in own]
            counts = ", ".join(
                f"{verdicts.count(name)} {name}" for name in VERDICTS if name in verdicts
            )
            yield verdict_row(
                entry,
                check=statement["id"],
                statement=statement["test"],
                protocol=protocol,
                reproduced=f"the result of {target}",
                duplicate_of=target,
                verdict=_worst(verdicts),
                note=f"same content as {target}, whose statements are: {counts}",
            )
    for row in original:
        key = row["check"].removeprefix("value:").split(".")[0]
        if row["check"].startswith("value:") and key in entry["values"]:
            yield (
                row
                | {key: entry[key] for key in ("id", "kind", "title")}
                | {"duplicate_of": target}
            )


def _worst(verdicts: list[str]) -> str:
    for verdict in (DIFFERS, UNDECIDED, NOT_COMPARABLE, NOT_IN_RUN, NEEDS_DATA, REPRODUCED):
        if verdict in verdicts:
            return verdict
    return ILLUSTRATION
