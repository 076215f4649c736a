"""One verdict for each published entry, from the rows of its statements and numbers."""

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.published import Entry, Published
from plausible.reproduction.verdict_row import (
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
)
from plausible.reproduction.wording import number_text, statement_text

HOLDS = {
    "as_published": "holds as published",
    "as_coded": "holds as coded",
    "as_coded_elsewhere": "holds as coded elsewhere",
    "corrected": "holds after correction",
    "calibrated": "holds after calibration",
}
"""Verdict of an entry by the first protocol, in this order, in which all of it is reproduced."""
IN_PART, FAILS = "holds in part", "does not hold"
ENTRY_VERDICTS = (
    *HOLDS.values(),
    IN_PART,
    FAILS,
    UNDECIDED,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    NEEDS_DATA,
    ILLUSTRATION,
)
JUDGED = (REPRODUCED, DIFFERS, UNDECIDED)
OPEN = (NOT_COMPARABLE, NOT_IN_RUN)
MOST_QUOTED = 3
"""Rows that differ, and that are undecided, which the sentence of an entry quotes."""
COLUMNS = (
    "id",
    "kind",
    "study",
    "part",
    "title",
    "verdict",
    "protocol",
    *JUDGED,
    "discrimination",
    "sentence",
)


def entry_verdicts(verdicts: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Verdict on every published entry, in the order of the published files.

    An entry holds under the first protocol under which every one of its judged rows is reproduced.
    Else the best protocol decides: of those in which nothing differs, if any, that with the most
    rows reproduced. A row without a protocol is one of every protocol. Columns: ``COLUMNS``; the
    counts are those of the rows under ``protocol``, and so is ``discrimination`` (see below). Of a
    statement of which one variant is enough, the best variant counts.
    """
    found = [
        _entry(published, identifier, verdicts[verdicts["id"] == identifier])
        for identifier in published.entries
    ]
    return pd.DataFrame(found, columns=list(COLUMNS))


def _entry(published: Published, identifier: str, rows: pd.DataFrame) -> dict[str, object]:
    entry = published.entries[identifier]
    shown = {
        "id": identifier,
        "kind": entry["kind"],
        "study": published.study,
        "part": published.part_of[identifier],
        "title": entry["title"],
        "protocol": "",
    }
    rows = _once(identifier, rows)
    judged, set_aside = _enough(published, entry, rows[rows["verdict"].isin(JUDGED)])
    if judged.empty:
        there = set(rows["verdict"])
        verdict = next((one for one in OPEN if one in there), ILLUSTRATION)
        verdict = NEEDS_DATA if entry["reproducible"] == "needs_external_data" else verdict
        none = dict.fromkeys(JUDGED, 0) | {"discrimination": math.nan}
        return shown | none | {"verdict": verdict, "sentence": _unjudged(verdict)}
    best = max(
        (under for protocol in HOLDS if (under := _under(judged, protocol)) is not None),
        key=lambda under: _rank(under[1]),
        default=("", judged),
    )
    protocol, under = best
    counts = {name: int((under["verdict"] == name).sum()) for name in JUDGED}
    open_rows = rows[rows["verdict"].isin(OPEN)]
    left = open_rows.loc[open_rows["protocol"].isin([protocol, ""]), "verdict"]
    if counts[REPRODUCED] == len(under) and len(left):
        verdict = min(left, key=OPEN.index)  # what is left could still differ
    elif counts[REPRODUCED] == len(under):
        # Without one protocol that has all of them, no single set of choices gives the entry.
        verdict = HOLDS.get(protocol, IN_PART)
    elif counts[DIFFERS]:
        verdict = IN_PART if counts[REPRODUCED] else FAILS
    else:
        verdict = UNDECIDED
    sentence = _sentence(protocol, under, counts, open_rows["verdict"])
    asides = set_aside[set_aside["protocol"].isin([protocol, ""])]
    asides = asides[asides["verdict"] != REPRODUCED]
    if len(asides) and counts[REPRODUCED] == len(under):
        sentence += f"; one variant is enough, others are not reproduced: {_some(asides)}"
    return {
        **shown,
        **counts,
        "verdict": verdict,
        "protocol": protocol,
        "discrimination": discrimination(under, published),
        "sentence": sentence,
    }


def _once(identifier: str, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of an entry without those that repeat another of them."""
    repeated = rows["duplicate_of"].astype(str)
    again = rows.assign(what=repeated).duplicated(["what", "variant", "protocol"])
    return rows[~repeated.str.startswith(f"{identifier}: ") & ~(again & (repeated != ""))]


def _enough(
    published: Published, entry: Entry, judged: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Rows with the best variant alone of statements of which one is enough, and the other rows."""
    names = [one["id"] for one in entry["expect"] if _one_is_enough(published, one)]
    tried = judged["check"].isin(names)
    ranked = judged[tried].sort_values(
        "verdict",
        key=lambda names: names.map((REPRODUCED, UNDECIDED, DIFFERS).index),
        kind="stable",
    )
    further = ranked.duplicated(["check", "protocol"])
    best = ranked[~further].assign(variant="")
    return pd.concat([judged[~tried], best]), ranked[further]


def _one_is_enough(published: Published, statement: Mapping[str, Any]) -> bool:
    """Whether one variant of a statement, or of that which it repeats, may hold."""
    if "duplicate_of" in statement:
        other, _, check = statement["duplicate_of"].partition(": ")
        repeated = published.entries.get(other, {}).get("expect", ())
        return any("one_is_enough" in one for one in repeated if one["id"] == check)
    return "one_is_enough" in statement


def discrimination(rows: pd.DataFrame, published: Published) -> float:
    """How often a number of ours is told from the published number of another row of its table.

    Share of the pairs (our number i, published number j, i not j, of one column, variant and
    protocol) in which ours would not have been called reproduced; NaN for no such pair.
    """
    told, pairs = 0, 0
    numbers = rows[rows["check"].str.startswith("value:") & (rows["duplicate_of"] == "")]
    numbers = numbers.assign(column=[check.rpartition(".")[2] for check in numbers["check"]])
    for _, group in numbers.groupby(["id", "column", "variant", "protocol"]):
        targets = [published.number(row.id, row.check[6:]).resolution for row in group.itertuples()]
        for i, ours in enumerate(group.itertuples()):
            half = (ours.ci_high - ours.ci_low) / 2.0 if ours.n_seeds > 1 else 0.0
            for j, resolution in enumerate(targets):
                if i != j and isinstance(ours.reproduced, float) and resolution is not None:
                    near = resolution.low <= ours.reproduced <= resolution.high
                    told += not (near and half <= resolution.delta)
                    pairs += 1
    return told / pairs if pairs else math.nan


def _under(judged: pd.DataFrame, protocol: str) -> tuple[str, pd.DataFrame] | None:
    """Rows under a protocol, or None if a statement or number of the entry has none under it."""
    own = judged["protocol"].isin([protocol, ""])
    keys = ["check", "variant"]
    left_out = judged[~own].merge(judged.loc[own, keys], on=keys, how="left", indicator=True)
    if (left_out["_merge"] == "left_only").any():
        return None
    return protocol, judged[own]


def _rank(under: pd.DataFrame) -> tuple[bool, bool, float]:
    """Order of protocols: all reproduced, nothing differs, share reproduced."""
    reproduced, differs = under["verdict"] == REPRODUCED, under["verdict"] == DIFFERS
    return bool(reproduced.all()), not differs.any(), float(reproduced.mean())


def _sentence(protocol: str, under: pd.DataFrame, counts: dict[str, int], left: pd.Series) -> str:
    how = HOLDS.get(protocol, "under different protocols").removeprefix("holds ")
    whole = "all" if counts[REPRODUCED] == len(under) else f"{counts[REPRODUCED]} of"
    parts = [f"{whole} {len(under)} numbers and statements are reproduced {how}"]
    if len(under) == 1:
        parts = [f"its one number or statement is reproduced {how}"] if counts[REPRODUCED] else []
    for name in (DIFFERS, UNDECIDED):
        rows = under[under["verdict"] == name]
        if len(rows):
            parts.append(f"{name}: {_some(rows)}")
    parts += [f"{count} {name}" for name in OPEN if (count := int((left == name).sum()))]
    return "; ".join(parts)


def _some(rows: pd.DataFrame) -> str:
    """The first of some rows, and how many more there are."""
    texts = [_quoted(row) for _, row in rows.head(MOST_QUOTED).iterrows()]
    more = len(rows) - len(texts)
    return ", ".join(texts) + (f", and {more} more" if more else "")


def _quoted(row: pd.Series) -> str:
    text = statement_text(row["variant"], row["statement"]).removeprefix("published value of ")
    return f"“{text.rstrip('.')}”{_values(row)}"


def _values(row: pd.Series) -> str:
    """Our value and what it was compared with, in brackets."""
    published, ours = number_text(row["published"]), number_text(row["reproduced"])
    if published and ours:
        return f" ({ours}, published {published})"
    if ours and isinstance(row["reproduced"], float):
        return f" ({ours}, stated {row['resolution']})" if row["resolution"] else f" ({ours})"
    return ""


def _unjudged(verdict: str) -> str:
    return {
        NOT_COMPARABLE: "nothing of it can be compared at this scale",
        NOT_IN_RUN: "this run is older than what would judge it",
        NEEDS_DATA: "a further data set or pretrained weights would be needed",
        ILLUSTRATION: "shown, with nothing to judge",
    }[verdict]
