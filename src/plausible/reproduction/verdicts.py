"""Verdicts: what a document published, joined with the tidy tables of a run.

One row for each statement and protocol (``check`` is the statement's id, ``variant`` tells several
findings apart), one for each published number and protocol (``value:<place>``), one for each map of
numbers (``cells:<place>``), such as the cells of a heat map. What was found
about a statement comes from the function of the statement's id in the claims of the entry's part,
or from the table of theorems; numbers come from the function ``numbers_of_<result>``. What decides
stands in the published file: resolutions, bounds, controls (see `judging`). What is only shown has
no row; what says the same as another entry has that entry's rows, marked as duplicates.
"""

from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from itertools import chain
from pathlib import Path
from typing import Any

import pandas as pd
from numpy.typing import ArrayLike

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.reproduction.duplicates import rows_of_duplicates, rows_of_reference
from plausible.reproduction.evidence import Evidence, Measured, Number
from plausible.reproduction.explanations import explained
from plausible.reproduction.judging import (
    DIFFERS,
    REPRODUCED,
    UNDECIDED,
    Decision,
    judge_all,
    judge_number,
    judge_quantity,
    op_text,
)
from plausible.reproduction.parts import Place, functions, modules
from plausible.reproduction.published import (
    Entry,
    Published,
    PublishedNumber,
    leaves,
    result_name,
)
from plausible.reproduction.reasons import load_reasons
from plausible.reproduction.theorems import theorem_findings
from plausible.reproduction.verdict_row import (
    COLUMNS,
    ILLUSTRATION,
    NEEDS_DATA,
    NOT_COMPARABLE,
    NOT_IN_RUN,
    VERDICTS,
    verdict_row,
)
from plausible.reproduction.wording import quantity

FULL_SCALE = "paper"
NUMBERS = "value:"
"""How the checks of published numbers begin."""
NOT_MEASURED = "this run is older than this check"
UNCONTROLLED = "no control was run, so the comparison might be one that cannot fail"


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
    partial: bool = False,
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
    partial:
        Whether the run may lack what a check needs, because it was made before that was measured:
        such a statement is then not in this run.

    Returns
    -------
    DataFrame with the columns ``COLUMNS``, in the order of the published file.

    Raises
    ------
    StudyError
        If a statement has no check, numbers are those of no result, or, unless ``partial``, a table
        that is needed is missing, lacks a column or lacks rows.
    """
    parts = dict.fromkeys(published.part_of[name] for name in published.entries)
    claims = {part: claims_of(study, part) for part in parts}
    _check_names(published, claims)
    full_scale = scale == FULL_SCALE if comparable is None else comparable
    rows: dict[str, list[dict[str, Any]]] = {}
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            continue
        evidence = Evidence(tables, entry, published, full_scale)
        places = claims[published.part_of[identifier]]
        rows[identifier] = list(rows_of_entry(evidence, places, partial))
    reasons = load_reasons(study, parts)
    own = explained(study, chain.from_iterable(rows.values()), reasons, tables, partial)
    rows = {name: [row for row in own if row["id"] == name] for name in published.entries}
    for identifier, entry in published.entries.items():
        if "same_as" in entry:
            # Of some parts alone, the other entry may be of one that is left out.
            if entry["same_as"] in rows:
                rows[identifier] = list(rows_of_reference(entry, rows[entry["same_as"]]))
        else:
            rows[identifier] += list(rows_of_duplicates(published, entry, rows, partial))
    ordered = [row for identifier in published.entries for row in rows[identifier]]
    return pd.DataFrame(ordered, columns=list(COLUMNS))


def _check_names(published: Published, claims: Mapping[str, Mapping[str, Place]]) -> None:
    """Numbers of a misspelt result would be left out in silence."""
    known = {numbers_name(result_name(name)) for name in published.entries}
    for places in claims.values():
        for name, found in places.items():
            if name.startswith(numbers_name("")) and name not in known:
                raise StudyError(
                    f"{found.module}: {name} is named after no published result"
                    f"{nearest(name, known)}; expected is numbers_of_<result>, with underscores "
                    "for dots."
                )


def numbers_name(result: str) -> str:
    """Name of the function that finds the numbers of a result."""
    return f"numbers_of_{result.replace('.', '_')}"


def rows_of_entry(
    evidence: Evidence,
    claims: Mapping[str, Place],
    partial: bool = False,
    only: str | None = None,
) -> Iterator[dict[str, Any]]:
    """Rows of an entry: all, or those of one statement or (``NUMBERS``) of its numbers."""
    entry = evidence.entry
    if entry["reproducible"] == "illustration_only":
        yield from _unjudged(entry, ILLUSTRATION)
        return
    outside = entry["reproducible"] == "needs_external_data"
    for statement in entry["expect"]:
        if "shown_only" in statement or "duplicate_of" in statement:
            continue
        if only is not None and only != statement["id"]:
            continue
        if outside and statement["id"] not in claims:
            yield from _unjudged({**entry, "expect": [statement]}, NEEDS_DATA)
            continue
        try:
            findings = _findings(evidence, claims, statement["id"])
            yield from [_statement_row(evidence, statement, finding) for finding in findings]
        except StudyError:
            if not partial:
                raise
            yield _not_measured(entry, statement["id"], statement["test"])
    if only not in (None, NUMBERS):
        return
    numbers = claims.get(numbers_name(result_name(entry["id"])))
    try:
        yield from list(_rows_of_numbers(evidence, numbers)) if numbers is not None else ()
    except StudyError:
        if not partial:
            raise
        yield _not_measured(entry, NUMBERS, "published values")


def _rows_of_numbers(evidence: Evidence, numbers: Place) -> Iterator[dict[str, Any]]:
    for number in numbers.load()(evidence):
        if isinstance(number.values, Mapping):
            yield _map_row(evidence, number)
            continue
        published = evidence.published.number(evidence.entry["id"], number.place)
        if published.resolution is not None:
            yield _number_row(evidence, number, published)


def _not_measured(entry: Entry, check: str, statement: str) -> dict[str, Any]:
    """Row of a check that this run cannot serve, because it was made before."""
    if entry["reproducible"] == "needs_external_data":
        return verdict_row(entry, check=check, statement=statement, verdict=NEEDS_DATA)
    return verdict_row(
        entry, check=check, statement=statement, verdict=NOT_IN_RUN, note=NOT_MEASURED
    )


def _findings(evidence: Evidence, claims: Mapping[str, Place], statement: str) -> list[Measured]:
    """Findings about one statement, by the function of its id or from the table of theorems."""
    check = claims.get(statement)
    findings = check.load()(evidence) if check else theorem_findings(evidence, statement)
    if not findings:
        raise StudyError(f"{evidence.entry['id']}: the check of '{statement}' found nothing.")
    return findings


def _statement_row(
    evidence: Evidence, statement: Mapping[str, Any], finding: Measured
) -> dict[str, Any]:
    row = verdict_row(
        evidence.entry,
        check=statement["id"],
        variant=finding.variant,
        statement=statement["test"],
        protocol=finding.protocol,
    )
    if isinstance(finding, Measured) and finding.absent:
        note = "; ".join(filter(None, [finding.absent, finding.note]))
        return row | {"verdict": _absent(evidence), "note": note}
    decision, resolution = _decision(evidence, statement, finding)
    row |= _cells(decision) | {"resolution": resolution}
    row["note"] = "; ".join(filter(None, [finding.note, decision.note]))
    if finding.full_scale and not evidence.full_scale:
        row |= {"verdict": NOT_COMPARABLE, "seeds_needed": 0}
    return row


def _absent(evidence: Evidence) -> str:
    """Verdict where a run has no values: some are of data that the user may name."""
    outside = evidence.entry["reproducible"] == "needs_external_data"
    return NEEDS_DATA if outside else NOT_COMPARABLE


def _decision(
    evidence: Evidence, statement: Mapping[str, Any], finding: Measured
) -> tuple[Decision, str]:
    """Decision on what was measured about a statement, and its bound for people."""
    identifier = f"{evidence.entry['id']}: the statement '{statement['id']}'"
    if "op" not in statement:
        raise StudyError(
            f"{identifier} has no op and bound, by which what was measured could be judged; "
            "declare them in the published file, with their reason."
        )
    op, bound = statement["op"], statement["bound"]
    tried = statement.get("one_is_enough", 1)
    several = isinstance(finding.values, Mapping)
    quantities = finding.values if several else {"": finding.values}
    if not quantities:
        raise StudyError(f"{identifier} in protocol {finding.protocol} has nothing to judge.")
    decisions = {
        name: judge_quantity(values, op, bound, finding.seeded, tried, statement.get("unit", ""))
        for name, values in quantities.items()
    }
    worst, decision = judge_all(decisions)
    if len(decisions) > 1:
        found = ", ".join(f"{name} {one.mean:.3g}" for name, one in decisions.items())
        note = f"the worst of {len(decisions)} decides: {worst}"
        note = f"{note}; {found}" if len(decisions) < 9 else note
        decision = decision._replace(note="; ".join(filter(None, [note, decision.note])))
    if not finding.seeded:
        decision = decision._replace(n=finding.exact_seeds)
    unit = f" {statement['unit']}" if statement.get("unit", "-") != "-" else ""
    return _controlled(evidence, statement, finding, decision), op_text(op, bound) + unit


def _controlled(
    evidence: Evidence, statement: Mapping[str, Any], finding: Measured, decision: Decision
) -> Decision:
    """A comparison of which a control does not fail, or that has none, says nothing by holding."""
    declared = [
        one for one in evidence.entry.get("controls", ()) if one["statement"] == statement["id"]
    ]
    known = {one["id"] for one in declared}
    if unknown := sorted(set(finding.controls) - known):
        raise StudyError(
            f"{evidence.entry['id']}: {unknown[0]} is no control of the statement "
            f"'{statement['id']}'{nearest(unknown[0], known)}; declare it under controls."
        )
    if decision.verdict != REPRODUCED:
        return decision
    failed = []
    for control in declared:
        values = finding.controls.get(control["id"], ())
        if not len(values):
            failed.append(f"the control '{control['broken']}' was not run")
        elif "op" in control and not _reaches(control, values):
            reached = op_text(control["op"], control["bound"])
            failed.append(f"the control '{control['broken']}' is not {reached}")
        elif _holds(statement, control, values, finding.seeded):
            failed.append(f"the control '{control['broken']}' holds as well")
    if evidence.entry["kind"] == "theorem" and not declared:
        failed.append(UNCONTROLLED)
    if not failed:
        return decision
    return decision._replace(
        verdict=UNDECIDED, note="; ".join([decision.note, *failed]).strip("; ")
    )


def _reaches(control: Mapping[str, Any], values: ArrayLike) -> bool:
    """Whether every value of a control is beyond its bound."""
    return judge_quantity(values, control["op"], control["bound"], False).verdict == REPRODUCED


def _holds(
    statement: Mapping[str, Any], control: Mapping[str, Any], values: ArrayLike, seeded: bool
) -> bool:
    """Whether a control in the statement's unit holds by the rule of the statement itself.

    A control without effect scatters about 0, so that its bound overlaps that of a statement on a
    sign, or it has none.
    """
    same = control.get("unit", statement.get("unit")) == statement.get("unit")
    rule = statement["op"], statement["bound"], seeded, statement.get("one_is_enough", 1)
    own = judge_quantity(values, *rule, statement.get("unit", ""))
    return same and own.verdict == REPRODUCED


def _number_row(evidence: Evidence, number: Number, published: PublishedNumber) -> dict[str, Any]:
    row = verdict_row(
        evidence.entry,
        check=f"value:{number.place}",
        variant=number.variant,
        statement=f"published value of {number.label or quantity(number.place)}",
        protocol=number.protocol,
        published=published.value,
        resolution=published.text,
        note=number.note,
    )
    if number.absent:
        note = "; ".join(filter(None, [number.absent, number.note]))
        return row | {"verdict": _absent(evidence), "note": note}
    if isinstance(number.values, str):
        verdict = REPRODUCED if number.values == published.value else DIFFERS
        row |= {"reproduced": number.values, "verdict": verdict}
    elif not number.values:
        raise StudyError(
            f"{evidence.entry['id']}: {number.place} has no rows in protocol {number.protocol}."
        )
    else:
        decision = judge_number(published.value, number.values, published.resolution, number.seeded)
        row |= _cells(decision)
        row["note"] = "; ".join(filter(None, [number.note, decision.note]))
    if evidence.entry["needs"] != ["none"] and not evidence.full_scale:
        # Numbers that rest on a data set need the full scale; formulas hold at any.
        row |= {"verdict": NOT_COMPARABLE, "seeds_needed": 0, "note": number.note}
    return row


def _map_row(evidence: Evidence, number: Number) -> dict[str, Any]:
    """Row of a map of numbers, of which every cell is judged as a number; all must be reproduced.

    Raises
    ------
    StudyError
        If no cell of it is one that the document published with a resolution.
    """
    identifier = evidence.entry["id"]
    cells = {
        place: (evidence.published.number(identifier, f"{number.place}.{place}"), values)
        for place, values in number.values.items()
    }
    decisions = {
        place: judge_number(published.value, values, published.resolution, number.seeded)
        for place, (published, values) in cells.items()
        if published.resolution is not None
    }
    if not decisions:
        raise StudyError(f"{identifier}: {number.place} has no cell that is judged.")
    verdicts = [decision.verdict for decision in decisions.values()]
    _, hangs = judge_all(decisions)
    count = len(decisions)
    other = [f"{verdicts.count(name)} {name}" for name in (DIFFERS, UNDECIDED) if name in verdicts]
    row = verdict_row(
        evidence.entry,
        check=f"cells:{number.place}",
        variant=number.variant,
        statement=f"published cells of {number.label or quantity(number.place)}",
        protocol=number.protocol,
        published=f"{count} cells",
        reproduced=f"{verdicts.count(REPRODUCED)} of {count} cells",
        n_seeds=hangs.n,
        resolution="each its own",
        verdict=hangs.verdict,
        seeds_needed=hangs.seeds_needed,
        note="; ".join(filter(None, [", ".join(other), number.note])),
    )
    if evidence.entry["needs"] != ["none"] and not evidence.full_scale:
        row |= {"verdict": NOT_COMPARABLE, "seeds_needed": 0}
    return row


def _cells(decision: Decision) -> dict[str, Any]:
    return {
        "reproduced": decision.mean,
        "ci_low": decision.low,
        "ci_high": decision.high,
        "n_seeds": decision.n,
        "verdict": decision.verdict,
        "seeds_needed": decision.seeds_needed,
    }


def _unjudged(entry: Entry, verdict: str) -> Iterator[dict[str, Any]]:
    """Rows of an entry that is not reproduced here: its statements."""
    for statement in entry["expect"]:
        yield verdict_row(
            entry,
            check=statement["id"],
            statement=statement["test"],
            verdict=verdict,
            note=entry.get("note", ""),
        )


def not_judged(published: Published, verdicts: pd.DataFrame) -> list[str]:
    """Published numbers that have a resolution and no verdict, as ``<id>: <place>``."""
    judged = set(zip(verdicts["id"], verdicts["check"], strict=True))
    missing = []
    for identifier, entry in published.entries.items():
        if "same_as" in entry or entry["reproducible"] != "full":
            continue
        for place, value in leaves(entry["values"]):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            if is_number and published.number(identifier, place).resolution is not None:
                if (identifier, f"value:{place}") not in judged:
                    missing.append(f"{identifier}: {place}")
    return missing


def verdict_counts(verdicts: pd.DataFrame) -> pd.Series:
    """Number of rows of each verdict, in the fixed order, zeros included; duplicates not."""
    counts = verdicts.loc[verdicts["duplicate_of"] == "", "verdict"].value_counts()
    return pd.Series({name: int(counts.get(name, 0)) for name in VERDICTS}, name="rows")
