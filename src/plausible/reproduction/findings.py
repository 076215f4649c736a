"""Key findings of a study: sentences of its ``study.yaml`` in which every number is computed.

``when`` and what stands in ``{{ }}`` are expressions of `plausible.reproduction.explanations` over
rows of the verdicts and tidy tables, and besides: ``entry("result")``, the verdict of an entry;
``published("result", "place")``, a published number;
``estimate("result", "column", key=value, ...)``, the mean over seeds of the rows whose ``key`` is
``value``, with its 95 % interval; ``difference("result", "column", {key: value}, {key: value},
key=value, ...)``, the same of the difference of two such rows, seed by seed; and ``ratio`` of them,
with the geometric mean and the interval of the logarithms (``over="network"`` takes the rows of
networks for those of seeds). All have the fields ``mean``, ``low`` and ``high``, and are shown as
``97.3 [97.1, 97.5]`` by the filter ``| estimate(decimals)``, ``times`` a number if one is given;
``| g(3)`` shows a number with three digits. ``seeds("result", key=value, ...)`` are the seeds (or
``over="network"``, the networks) that have such a row.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from jinja2 import StrictUndefined, TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval, possible_percent
from plausible.reproduction import explanations
from plausible.reproduction.published import Published, leaves
from plausible.reproduction.report_tables import read_entries, read_table, read_verdicts


class Finding(NamedTuple):
    """A key finding whose condition holds."""

    id: str
    entry: str
    """Id of the published entry."""
    picture: str
    """Name of the result whose picture shows it."""
    sentence: str
    surprising: int | None
    """Its place on the index page."""


class Estimate(NamedTuple):
    """Mean over seeds with its 95 % interval (NaN for one seed)."""

    mean: float
    low: float
    high: float


def key_findings(
    published: Published, declared: Sequence[Mapping[str, Any]], folder: Path
) -> list[Finding]:
    """Findings that hold in a run, in their order.

    Parameters
    ----------
    published:
        What the document published.
    declared:
        ``key_findings`` of the study's file.
    folder:
        Results of the study, of a run whose numbers can be compared with the published ones.

    Raises
    ------
    StudyError
        If an expression is no expression, or the run lacks what it asks for.
    """
    context = _context(published, folder)
    found = []
    for one in declared:
        where = f"{published.study}: the key finding {one['id']}"
        sentence = _said(where, one, context)
        if sentence is not None:
            entry = published.entry(one["entry"])
            picture, surprising = one.get("result", one["entry"]), one.get("surprising")
            found.append(Finding(one["id"], entry["id"], picture, sentence, surprising))
    return found


def _said(where: str, declared: Mapping[str, Any], context: Mapping[str, Any]) -> str | None:
    """Sentence of a finding, or None if it does not hold."""
    try:
        when = _ENVIRONMENT.compile_expression(declared["when"], undefined_to_none=False)
        if not when(**context):
            return None
        return " ".join(_ENVIRONMENT.from_string(declared["sentence"]).render(context).split())
    except (TemplateError, TypeError, ValueError) as error:
        raise StudyError(f"{where}: {error}; see plausible.reproduction.findings.") from None


def _context(published: Published, folder: Path) -> dict[str, Any]:
    """What an expression may call, on the results of one run."""
    study = published.study
    rows = read_verdicts(folder / "verdicts.csv").to_dict("records")
    verdicts = read_entries(folder / "entries.csv").set_index("id")["verdict"]
    tables = _Tables(folder)

    def entry(result: str) -> str:
        identifier = f"{study}.{result}"
        if identifier not in verdicts:
            raise ValueError(f"there is no entry {identifier}")
        return verdicts[identifier]

    def rows_with(result: str, columns: Sequence[str], equal: Mapping[str, Any]) -> pd.DataFrame:
        frame = tables[result]
        for name in (*columns, *equal):
            if name not in frame:
                raise ValueError(f"the table of {result} has no column {name!r}")
        for name, value in equal.items():
            frame = frame[frame[name] == value]
        return frame

    def by_run(result: str, column: str, equal: Mapping[str, Any], over: str = "seed") -> pd.Series:
        frame = rows_with(result, [column, over], equal)
        if frame.empty:
            raise ValueError(f"the table of {result} has no row with {dict(equal)}")
        return frame.groupby(over)[column].mean()

    def seeds(result: str, over: str = "seed", **equal: Any) -> list[Any]:
        return sorted(rows_with(result, [over], equal)[over].unique().tolist())

    def estimate(result: str, column: str, **equal: Any) -> Estimate:
        mean, low, high = mean_interval(by_run(result, column, equal).to_numpy())
        if column.endswith("_percent"):
            low, high = possible_percent(mean, low, high)
        return Estimate(mean, low, high)

    def difference(
        result: str,
        column: str,
        minuend: Mapping[str, Any],
        subtrahend: Mapping[str, Any],
        **both: Any,
    ) -> Estimate:
        first, second = (by_run(result, column, {**both, **own}) for own in (minuend, subtrahend))
        return Estimate(*mean_interval((first - second).dropna().to_numpy()))

    def ratio(
        result: str,
        column: str,
        numerator: Mapping[str, Any],
        denominator: Mapping[str, Any],
        over: str = "seed",
        **both: Any,
    ) -> Estimate:
        first, second = (
            by_run(result, column, {**both, **own}, over) for own in (numerator, denominator)
        )
        found = mean_interval(np.log(first / second).dropna().to_numpy())
        return Estimate(*map(float, np.exp(found)))

    def printed(result: str, place: str) -> Any:
        values = dict(leaves(published.values(result)))
        if place not in values:
            raise ValueError(f"{result} has no published number {place}{nearest(place, values)}")
        return values[place]

    known = {explanations.key(row): row for row in rows}
    return {
        **explanations.functions(study, known, tables),
        "entry": entry,
        "published": printed,
        "estimate": estimate,
        "difference": difference,
        "ratio": ratio,
        "seeds": seeds,
    }


class _Tables(dict[str, pd.DataFrame]):
    """Tidy tables of a run by the names of their results, read when they are asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self._folder = folder

    def __missing__(self, result: str) -> pd.DataFrame:
        try:
            self[result] = read_table(self._folder / f"{result}.csv")
        except StudyError as error:
            raise ValueError(str(error)) from None
        return self[result]

    def get(self, result: str, default: Any = None) -> Any:
        return self[result]


def _shown(estimate: Estimate, decimals: int = 1, sign: bool = False, times: float = 1.0) -> str:
    form = f"{'+' if sign else ''}.{decimals}f"
    mean, low, high = (format(times * value, form).replace("-", "−") for value in estimate)
    return f"{mean} (one run)" if estimate.low != estimate.low else f"{mean} [{low}, {high}]"


def _digits(number: float, count: int = 3) -> str:
    """A number with ``count`` digits: ``12,200``, ``0.04``, ``5 × 10⁻⁷``."""
    mantissa, _, exponent = f"{number:.{count - 1}e}".partition("e")
    if not -4 < int(exponent) < 6:
        return f"{mantissa} × 10" + str(int(exponent)).translate(_RAISED)
    return f"{float(f'{mantissa}e{exponent}'):,.{max(0, count - 1 - int(exponent))}f}"


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
_ENVIRONMENT = ImmutableSandboxedEnvironment(undefined=StrictUndefined, autoescape=False)
_ENVIRONMENT.filters |= {"g": _digits, "estimate": _shown}
