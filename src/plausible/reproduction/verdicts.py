"""Verdicts: what a document published, joined with the tidy tables of a run.

Every entry gets at least one row: one for each statement and protocol (``check`` is the statement's
id, ``variant`` tells several findings apart), one for each published number and protocol
(``value:<name>``). What was found about a statement comes from the function of the statement's id
in the claims of the entry's part, or from the table of theorems; numbers come from the function
``numbers_of_<result>``.
"""

import fnmatch
import math
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval
from plausible.reproduction.evidence import (
    NAN,
    Evidence,
    Number,
    Outcome,
    prediction_interval,
)
from plausible.reproduction.parts import Place, functions, modules
from plausible.reproduction.published import Entry, Published, leaves, result_name
from plausible.reproduction.reasons import Reasons, load_reasons
from plausible.reproduction.theorems import theorem_outcomes
from plausible.reproduction.wording import quantity

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
    "variant",
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


class Claims(NamedTuple):
    """Functions of a part's claims by their names, and the reasons of its document."""

    places: Mapping[str, Place]
    reasons: Reasons


def claims_of(document: str, part: str) -> dict[str, Place]:
    """Functions in the claims of a part.

    Raises
    ------
    StudyError
        If two modules define the same public name: one statement would have two checks.
    """
    found: dict[str, Place] = {}
    for module in modules(document, part, "claims"):
        for name in functions(Path(find_spec(module).origin)):
            if name in found and not name.startswith("_") and name.islower():
                raise StudyError(f"{name} stands in {found[name].module} and in {module}.")
            found[name] = Place(module, name)
    return found


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
        Name of the study.
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
        If a statement has no check, numbers are those of no result, or a table that is needed is
        missing, lacks a column or lacks rows.
    """
    parts = dict.fromkeys(published.part_of[name] for name in published.entries)
    reasons = load_reasons(study, parts)
    claims = {part: Claims(claims_of(study, part), reasons) for part in parts}
    _check_names(published, claims)
    full_scale = scale == FULL_SCALE if comparable is None else comparable
    rows: dict[str, list[dict[str, Any]]] = {}
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            continue
        evidence = Evidence(tables, entry, published, full_scale)
        rows[identifier] = list(_rows_of_entry(evidence, claims[published.part_of[identifier]]))
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            rows[identifier] = list(_rows_of_reference(entry, rows[entry["same_as"]]))
    ordered = [row for identifier in published.entries for row in rows[identifier]]
    return pd.DataFrame(ordered, columns=list(COLUMNS))


def _check_names(published: Published, claims: Mapping[str, Claims]) -> None:
    """Numbers of a misspelt result would be left out in silence."""
    known = {_numbers_name(result_name(name)) for name in published.entries}
    for places, _ in claims.values():
        for name, found in places.items():
            if name.startswith(_numbers_name("")) and name not in known:
                raise StudyError(
                    f"{found.module}: {name} is named after no published result"
                    f"{nearest(name, known)}; expected is numbers_of_<result>, with underscores "
                    "for dots."
                )


def _numbers_name(result: str) -> str:
    """Name of the function that finds the numbers of a result."""
    return f"numbers_of_{result.replace('.', '_')}"


def _rows_of_entry(evidence: Evidence, claims: Claims) -> Iterator[dict[str, Any]]:
    entry = evidence.entry
    if entry["reproducible"] == "illustration_only":
        yield from _unjudged(entry, ILLUSTRATION)
        return
    if entry["reproducible"] == "needs_external_data":
        yield from _unjudged(entry, NEEDS_DATA)
        return
    name = result_name(entry["id"])
    for statement in entry["expect"]:
        for outcome in _outcomes(evidence, claims, statement["id"]):
            yield _explained(_statement_row(evidence, statement, outcome), name, claims)
    numbers = claims.places.get(_numbers_name(name))
    if numbers is not None:
        for number in numbers.load()(evidence):
            yield _explained(_number_row(evidence, number), name, claims)


def _outcomes(evidence: Evidence, claims: Claims, statement: str) -> list[Outcome]:
    """Findings about one statement, by the function of its id or from the table of theorems."""
    check = claims.places.get(statement)
    outcomes = check.load()(evidence) if check else theorem_outcomes(evidence, statement)
    if not outcomes:
        raise StudyError(f"{evidence.entry['id']}: the check of '{statement}' found nothing.")
    return outcomes


def _statement_row(
    evidence: Evidence, statement: Mapping[str, Any], outcome: Outcome
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
        check=statement["id"],
        variant=outcome.variant,
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
        check=f"value:{number.place}",
        variant=number.variant,
        statement=f"published value of {number.label or quantity(number.place)}",
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
            f"{evidence.entry['id']}: {number.place} has no rows in protocol {number.protocol}."
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
    for statement in entry["expect"]:
        yield _row(
            entry,
            check=statement["id"],
            statement=statement["test"],
            tolerance=statement["tolerance"] or "",
            verdict=verdict,
            note=entry.get("note", ""),
        )
    for place, value in leaves(entry["values"]):
        if isinstance(value, int | float) and not isinstance(value, bool):
            statement = f"published value of {quantity(place)}"
            yield _row(
                entry, check=f"value:{place}", statement=statement, published=value, verdict=verdict
            )


def _rows_of_reference(entry: Entry, original: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Rows of an entry with the content of another one: its verdicts stand for both."""
    target = entry["same_as"]
    statements = [row for row in original if not row["check"].startswith("value:")]
    protocols = list(dict.fromkeys(row["protocol"] for row in statements))
    for statement in entry["expect"]:
        for protocol in protocols:
            verdicts = [row["verdict"] for row in statements if row["protocol"] == protocol]
            counts = ", ".join(
                f"{verdicts.count(name)} {name}" for name in VERDICTS if name in verdicts
            )
            yield _row(
                entry,
                check=statement["id"],
                statement=statement["test"],
                protocol=protocol,
                reproduced=f"the result of {target}",
                tolerance=statement["tolerance"] or "",
                verdict=_worst(verdicts),
                note=f"same content as {target}, whose statements are: {counts}",
            )
    for row in original:
        key = row["check"].removeprefix("value:").split(".")[0]
        if row["check"].startswith("value:") and key in entry["values"]:
            yield row | {key: entry[key] for key in ("id", "kind", "title")}


def _worst(verdicts: list[str]) -> str:
    for verdict in (DIFFERS, NOT_COMPARABLE, NEEDS_DATA, REPRODUCED):
        if verdict in verdicts:
            return verdict
    return ILLUSTRATION


def _explained(row: dict[str, Any], name: str, claims: Claims) -> dict[str, Any]:
    """Put the known cause behind the note of a difference."""
    if row["verdict"] != DIFFERS:
        return row
    text = claims.reasons.why(name, row["check"], row["variant"], row["protocol"])
    if text is None:
        return row
    return row | {"note": f"{row['note']}. Why: {text}".removeprefix(". ")}


def _row(entry: Entry, **cells: Any) -> dict[str, Any]:
    empty = dict.fromkeys(COLUMNS, "") | {"ci_low": NAN, "ci_high": NAN, "n_seeds": 0}
    return empty | {"id": entry["id"], "kind": entry["kind"], "title": entry["title"]} | cells


def not_judged(published: Published, verdicts: pd.DataFrame, reasons: Reasons) -> list[str]:
    """Published numbers that have neither a verdict nor a reason why not, as ``<id>: <place>``."""
    judged = {
        (row.id, row.check.removeprefix("value:"))
        for row in verdicts.itertuples()
        if row.check.startswith("value:")
    }
    left_out = [(f"{published.study}.{one.result}", one.place) for one in reasons.not_compared]
    missing = []
    for identifier, entry in published.entries.items():
        for place, value in leaves(entry["values"]):
            steps = place.split(".")
            above = {".".join(steps[: n + 1]) for n in range(len(steps))}
            known = any((identifier, step) in judged for step in above) or any(
                name == identifier and fnmatch.filter(above, pattern) for name, pattern in left_out
            )
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and not known and "same_as" not in entry:
                missing.append(f"{identifier}: {place}")
    return missing


def verdict_counts(verdicts: pd.DataFrame) -> pd.Series:
    """Number of rows of each verdict, in the fixed order, zeros included."""
    counts = verdicts["verdict"].value_counts()
    return pd.Series({name: int(counts.get(name, 0)) for name in VERDICTS}, name="rows")
