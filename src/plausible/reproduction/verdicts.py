"""Verdicts: what a document published, joined with the tidy tables of a run.

Every entry of the published file gets at least one row: one per ``expect`` statement and protocol
(``check`` is ``expect:<index>``), one per published number and protocol (``value:<name>``).
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval
from plausible.reproduction import oconnor2020, song2020, thuesen2022
from plausible.reproduction.evidence import (
    NAN,
    Evidence,
    Number,
    Outcome,
    Registry,
    prediction_interval,
)
from plausible.reproduction.explanations import Explanation, explain
from plausible.reproduction.published import Entry, Published, leaves, result_name
from plausible.reproduction.theorems import theorem_outcomes

REPRODUCED = "reproduced"
DIFFERS = "differs"
NOT_COMPARABLE = "not comparable at this scale"
NEEDS_DATA = "needs external data"
ILLUSTRATION = "illustration only"
VERDICTS = (REPRODUCED, DIFFERS, NOT_COMPARABLE, NEEDS_DATA, ILLUSTRATION)
COLUMNS = (
    "id",
    "kind",
    "title",
    "check",
    "statement",
    "protocol",
    "published",
    "reproduced",
    "ci_low",
    "ci_high",
    "n_seeds",
    "tolerance",
    "verdict",
    "note",
)
FULL_SCALE = "paper"
FEWEST_RUNS = 3
"""Of two values the interval is 22 times as wide as they are apart: it could not exclude much."""
INSIDE_RUN = "inside the 95 % interval of a single run of ours"
OUTSIDE_RUN = "outside the 95 % interval of a single run of ours"


class StudyChecks(NamedTuple):
    """What is known about judging one document."""

    registry: Registry
    explanations: tuple[Explanation, ...]


STUDIES: dict[str, StudyChecks] = {
    "thuesen2022": StudyChecks(thuesen2022.REGISTRY, thuesen2022.EXPLANATIONS),
    "song2020": StudyChecks(song2020.REGISTRY, song2020.EXPLANATIONS),
    "oconnor2020": StudyChecks(oconnor2020.REGISTRY, oconnor2020.EXPLANATIONS),
}


def verdict_table(
    study: str,
    tables: Mapping[str, pd.DataFrame | None],
    scale: str,
    published: Published,
    comparable: bool | None = None,
) -> pd.DataFrame:
    """Verdict on every number and statement that ``study`` published.

    Parameters
    ----------
    study:
        Name of the study, a key of ``STUDIES``.
    tables:
        Tidy table of every result by the result's name (its id without the study), e.g.
        ``claim.readout``; ``theorems`` holds the deviations of all theorems. Results that share the
        table of another one need none.
    scale:
        ``demo``, ``quick`` or ``paper``.
    comparable:
        Whether published numbers that need a data set can be compared; by default at the paper
        scale. A run on another data set, or with overridden settings, should pass False.

    Returns
    -------
    DataFrame with the columns ``COLUMNS``, in the order of the published file.

    Raises
    ------
    StudyError
        If the study is unknown, a statement has no check, or a table that is needed is missing,
        lacks a column or lacks rows.
    """
    if study not in STUDIES:
        raise StudyError(
            f"there are no checks for the study '{study}'; register them in "
            f"plausible.reproduction.verdicts.STUDIES (known: {', '.join(STUDIES)})."
        )
    checks = STUDIES[study]
    full_scale = scale == FULL_SCALE if comparable is None else comparable
    rows: dict[str, list[dict[str, Any]]] = {}
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            continue
        evidence = Evidence(tables, entry, published, full_scale)
        rows[identifier] = list(_rows_of_entry(evidence, checks))
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            rows[identifier] = list(_rows_of_reference(entry, rows[entry["same_as"]]))
    ordered = [row for identifier in published.entries for row in rows[identifier]]
    return pd.DataFrame(ordered, columns=list(COLUMNS))


def _rows_of_entry(evidence: Evidence, checks: StudyChecks) -> Iterator[dict[str, Any]]:
    entry = evidence.entry
    if entry["reproducible"] == "illustration_only":
        yield from _unjudged(entry, ILLUSTRATION)
        return
    if entry["reproducible"] == "needs_external_data":
        yield from _unjudged(entry, NEEDS_DATA)
        return
    name = result_name(entry["id"])
    for index, statement in enumerate(entry["expect"]):
        for outcome in _outcomes(evidence, checks.registry, name, index):
            row = _statement_row(evidence, index, statement, outcome)
            yield _explained(row, name, checks)
    if name in checks.registry.numbers:
        for number in checks.registry.numbers[name](evidence):
            yield _explained(_number_row(evidence, number), name, checks)


def _outcomes(evidence: Evidence, registry: Registry, name: str, index: int) -> list[Outcome]:
    """Findings about one statement, by its registered check or from the table of theorems."""
    check = registry.checks.get((name, index))
    if check is not None:
        outcomes = check(evidence)
    elif evidence.entry["kind"] == "theorem":
        outcomes = theorem_outcomes(evidence, index)
    else:
        raise StudyError(f"{evidence.entry['id']}: statement {index} has no check.")
    if not outcomes:
        raise StudyError(f"{evidence.entry['id']}: the check of statement {index} found nothing.")
    return outcomes


def _statement_row(
    evidence: Evidence, index: int, statement: Mapping[str, Any], outcome: Outcome
) -> dict[str, Any]:
    note = outcome.note
    if outcome.full_scale and not evidence.full_scale:
        verdict = NOT_COMPARABLE
    elif not outcome.decided and not evidence.full_scale:
        verdict = NOT_COMPARABLE
        note += "; the interval reaches across the bound, so these seeds cannot tell"
    else:
        verdict = REPRODUCED if outcome.holds else DIFFERS
        if not outcome.decided:
            note += "; the interval reaches across the bound"
    return _row(
        evidence.entry,
        check=f"expect:{index} {outcome.aspect}".strip(),
        statement=statement["test"],
        protocol=outcome.protocol,
        reproduced=outcome.reproduced,
        ci_low=outcome.ci_low,
        ci_high=outcome.ci_high,
        n_seeds=outcome.n_seeds,
        tolerance=statement["tolerance"] or "",
        verdict=verdict,
        note=note.lstrip("; "),
    )


def _number_row(evidence: Evidence, number: Number) -> dict[str, Any]:
    row = _row(
        evidence.entry,
        check=f"value:{number.label}",
        statement=f"published value of {number.label}",
        protocol=number.protocol,
        published=number.published,
        note=number.note,
    )
    if number.absent:
        note = "; ".join(filter(None, [number.absent, number.note]))
        return row | {"verdict": NOT_COMPARABLE, "note": note}
    if isinstance(number.values, str):
        row |= {"reproduced": number.values, "tolerance": "exact"}
        return row | {"verdict": _number_verdict(evidence, number.values == number.published)}
    if not number.values:
        raise StudyError(
            f"{evidence.entry['id']}: {number.label} has no rows in protocol {number.protocol}."
        )
    mean, low, high = mean_interval(number.values)
    seeds = len(number.values) if number.seeded else 0
    row |= {"reproduced": mean, "ci_low": low, "ci_high": high, "n_seeds": seeds}
    run_low, run_high = prediction_interval(number.values)
    inside_run = run_low <= number.published <= run_high
    notes = [number.note] if number.note else []
    diverged = sum(math.isnan(value) for value in number.values)
    if diverged:
        notes.append(f"{diverged} of {len(number.values)} runs diverged")
    elif len(number.values) > 1:
        where = "inside" if low <= number.published <= high else "outside"
        notes.append(f"published value {where} the 95 % interval of our mean")
        notes.append(INSIDE_RUN if inside_run else OUTSIDE_RUN)
    if number.tolerance is not None:
        # A rounding error of the subtraction must not decide.
        holds = abs(mean - number.published) <= number.tolerance * (1.0 + 1e-9) + 1e-12
        source = number.tolerance_source
        tolerance = f"{number.tolerance:g} ({source})" if number.tolerance else source
    elif inside_run and _says_nothing(run_low, run_high, number.possible):
        row |= {"tolerance": "none stated", "verdict": NOT_COMPARABLE}
        why = "our runs scatter so much that most of the possible values lie inside of them"
        return row | {"note": "; ".join(filter(None, [number.note, why]))}
    elif len(number.values) >= FEWEST_RUNS:
        holds = bool(inside_run)
        tolerance = "none stated; 95 % interval of a single run"
    else:
        row |= {"tolerance": "none stated", "verdict": NOT_COMPARABLE}
        why = f"fewer than {FEWEST_RUNS} values and no stated tolerance: nothing to compare with"
        return row | {"note": "; ".join(filter(None, [number.note, why]))}
    row |= {"tolerance": tolerance, "verdict": _number_verdict(evidence, holds)}
    return row | {"note": "; ".join(notes)}


def _says_nothing(low: float, high: float, possible: tuple[float, float]) -> bool:
    """Whether an interval holds more than half of what is ``possible``, if that is bounded."""
    least, most = possible
    return bool(min(high, most) - max(low, least) > 0.5 * (most - least))


def _number_verdict(evidence: Evidence, holds: bool) -> str:
    """Numbers that rest on a data set need the full scale; formulas hold at any."""
    if evidence.entry["needs"] != ["none"] and not evidence.full_scale:
        return NOT_COMPARABLE
    return REPRODUCED if holds else DIFFERS


def _unjudged(entry: Entry, verdict: str) -> Iterator[dict[str, Any]]:
    """Rows of an entry that is not reproduced here: its statements and its numbers."""
    for index, statement in enumerate(entry["expect"]):
        yield _row(
            entry,
            check=f"expect:{index}",
            statement=statement["test"],
            tolerance=statement["tolerance"] or "",
            verdict=verdict,
            note=entry.get("note", ""),
        )
    for place, value in leaves(entry["values"]):
        if isinstance(value, int | float) and not isinstance(value, bool):
            statement = f"published value of {place}"
            yield _row(
                entry, check=f"value:{place}", statement=statement, published=value, verdict=verdict
            )


def _rows_of_reference(entry: Entry, original: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of an entry with the content of another one: its verdicts stand for both."""
    target = entry["same_as"]
    statements = [row for row in original if row["check"].startswith("expect:")]
    protocols = list(dict.fromkeys(row["protocol"] for row in statements))
    for index, statement in enumerate(entry["expect"]):
        for protocol in protocols:
            verdicts = [row["verdict"] for row in statements if row["protocol"] == protocol]
            counts = ", ".join(
                f"{verdicts.count(name)} {name}" for name in VERDICTS if name in verdicts
            )
            yield _row(
                entry,
                check=f"expect:{index}",
                statement=statement["test"],
                protocol=protocol,
                reproduced=f"the result of {target}",
                tolerance=statement["tolerance"] or "",
                verdict=_worst(verdicts),
                note=f"same content as {target}, whose statements are: {counts}",
            )
    for row in original:
        key = row["check"].removeprefix("value:").split(" ")[0]
        if row["check"].startswith("value:") and key in entry["values"]:
            yield row | {key: entry[key] for key in ("id", "kind", "title")}


def _worst(verdicts: list[str]) -> str:
    for verdict in (DIFFERS, NOT_COMPARABLE, NEEDS_DATA, REPRODUCED):
        if verdict in verdicts:
            return verdict
    return ILLUSTRATION


def _explained(row: dict[str, Any], name: str, checks: StudyChecks) -> dict[str, Any]:
    """Put the known cause behind the note of a difference."""
    if row["verdict"] != DIFFERS:
        return row
    text = explain(checks.explanations, name, row["check"], row["protocol"])
    if text is None:
        return row
    return row | {"note": f"{row['note']}. Why: {text}".removeprefix(". ")}


def _row(entry: Entry, **cells: Any) -> dict[str, Any]:
    empty = dict.fromkeys(COLUMNS, "") | {"ci_low": NAN, "ci_high": NAN, "n_seeds": 0}
    return empty | {"id": entry["id"], "kind": entry["kind"], "title": entry["title"]} | cells


def verdict_counts(verdicts: pd.DataFrame) -> pd.Series:
    """Number of rows of each verdict, in the fixed order, zeros included."""
    counts = verdicts["verdict"].value_counts()
    return pd.Series({name: int(counts.get(name, 0)) for name in VERDICTS}, name="rows")


def entry_verdicts(verdicts: pd.DataFrame) -> pd.DataFrame:
    """One row per published entry: id, title, kind and its counts of each verdict."""
    counts = pd.crosstab(verdicts["id"], verdicts["verdict"]).reindex(
        columns=list(VERDICTS), fill_value=0
    )
    first = verdicts.drop_duplicates("id").set_index("id")[["kind", "title"]]
    return first.join(counts).reset_index()
