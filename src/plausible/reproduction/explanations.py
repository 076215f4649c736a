"""Reasons for differences: a condition, a text whose numbers are computed, and its evidence.

``when`` and what stands in ``{{ }}`` are expressions over the row of the verdicts that differs:
``published``, ``reproduced``, ``low``, ``high``, ``n``, ``protocol``, ``variant``, ``check``; over
other rows, by ``verdict("result", "check", protocol="", variant="")``, and likewise ``value`` (what
was reproduced) and ``printed`` (what is published); and over tidy tables, by
``mean("result", "column", key=value, ...)``, the mean of the rows whose ``key`` is ``value``, and
``spread``, their sample standard deviation. Numbers are shown by the filter ``| g(3)``, with three
digits.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined, TemplateError

from plausible.errors import StudyError
from plausible.reproduction.judging import DIFFERS
from plausible.reproduction.reasons import Reasons

UNEXPLAINED = "not explained"
AWAITED = "not explained by this run, which lacks what would isolate the cause"
CANDIDATES = "cause not known; candidates: "
_ENVIRONMENT = Environment(undefined=StrictUndefined, autoescape=False)
_ENVIRONMENT.filters["g"] = lambda number, digits=3: f"{number:.{digits}g}"


def explained(
    study: str,
    rows: Iterable[Mapping[str, Any]],
    reasons: Reasons,
    tables: Mapping[str, pd.DataFrame | None],
    partial: bool = False,
) -> list[dict[str, Any]]:
    """Rows of the verdicts with a reason for each that differs.

    Of the reasons whose condition holds the most specific counts; a row without one is
    `UNEXPLAINED`. A reason without evidence names candidates, and says that it does.

    Of a ``partial`` run a reason that rests on what is not there does not count; if no other does,
    the row is `AWAITED`.

    Raises
    ------
    StudyError
        If a condition or text cannot be computed, or its evidence is not there.
    """
    rows = [dict(row) for row in rows]
    known = {key(row): row for row in rows}
    callables = functions(study, known, tables)
    results = {row["id"].removeprefix(f"{study}.") for row in rows} | set(tables)
    for row in rows:
        if row["verdict"] == DIFFERS and not row["duplicate_of"]:
            row["reason"] = _reason(study, row, reasons, callables, results, partial)
    return rows


def _reason(
    study: str,
    row: Mapping[str, Any],
    reasons: Reasons,
    callables: Mapping[str, Callable[..., Any]],
    results: set[str],
    partial: bool,
) -> str:
    result = row["id"].removeprefix(f"{study}.")
    context = {key: row[key] for key in ("published", "reproduced", "protocol", "variant", "check")}
    context |= {"low": row["ci_low"], "high": row["ci_high"], "n": row["n_seeds"], **callables}
    found = reasons.of(result, row["check"], row["variant"], row["protocol"])
    awaited = False
    for difference in found:
        where = f"{study}: the reason of {result}, {row['check']}, {row['protocol']}"
        try:
            condition = _ENVIRONMENT.compile_expression(difference.when, undefined_to_none=False)
            if not condition(**context):
                continue
            text = _ENVIRONMENT.from_string(difference.text).render(context)
        except (TemplateError, TypeError, ValueError) as error:
            if partial:
                awaited = True
                continue
            raise StudyError(
                f"{where}: {error}; see plausible.reproduction.explanations."
            ) from None
        for name in difference.evidence:
            if name.partition(":")[0] not in results:
                raise StudyError(f"{where}: its evidence {name!r} names no result.")
        return text if difference.evidence else f"{CANDIDATES}{text}"
    return AWAITED if awaited else UNEXPLAINED


def functions(
    study: str,
    known: Mapping[tuple[str, ...], Mapping[str, Any]],
    tables: Mapping[str, pd.DataFrame | None],
) -> dict[str, Callable[..., Any]]:
    """What an expression may call."""

    def row(result: str, check: str, protocol: str = "", variant: str = "") -> Mapping[str, Any]:
        name = (f"{study}.{result}", check, variant, protocol)
        if name not in known:
            raise ValueError(f"there is no row {', '.join(filter(None, name))}")
        return known[name]

    def cells(result: str, column: str, **equal: Any) -> pd.Series:
        frame = tables.get(result)
        if frame is None:
            raise ValueError(f"there is no table of {result}")
        for name in (column, *equal):
            if name not in frame:
                raise ValueError(f"the table of {result} has no column {name!r}")
        for name, value in equal.items():
            frame = frame[frame[name] == value]
        if frame.empty:
            raise ValueError(f"the table of {result} has no row with {equal}")
        return frame[column]

    return {
        "verdict": lambda *names, **more: row(*names, **more)["verdict"],
        "value": lambda *names, **more: row(*names, **more)["reproduced"],
        "printed": lambda *names, **more: row(*names, **more)["published"],
        "mean": lambda *names, **equal: float(cells(*names, **equal).mean()),
        "spread": lambda *names, **equal: float(cells(*names, **equal).std()),
    }


def key(row: Mapping[str, Any]) -> tuple[str, ...]:
    """What tells a row of the verdicts from every other one."""
    return row["id"], row["check"], row["variant"], row["protocol"]
