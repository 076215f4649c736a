"""What a check sees and what it returns, and how statements about seeds are judged.

A check reads tidy tables and returns outcomes, one per protocol (and per finding, where a statement
has several). It never decides the verdict itself: verdicts.py does, by one rule for all.
"""

import math
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from scipy.special import stdtrit

from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval
from plausible.reproduction.published import Entry, Published

PROTOCOLS = ("as_published", "as_coded", "calibrated", "corrected")
"""In this order; a study has those that its file declares."""
NAN = float("nan")


class Outcome(NamedTuple):
    """One finding about one statement.

    ``holds`` speaks of the mean over seeds. ``decided`` is False where the 95 % interval reaches
    across the bound, so that the seeds cannot tell. ``variant`` distinguishes several findings of
    one statement. ``full_scale`` marks a finding that only the published data and settings allow.
    """

    protocol: str
    holds: bool
    reproduced: float | str
    ci_low: float = NAN
    ci_high: float = NAN
    n_seeds: int = 0
    decided: bool = True
    note: str = ""
    variant: str = ""
    full_scale: bool = False


class Number(NamedTuple):
    """A published number and its reproduction, one value per seed.

    ``tolerance`` is the published one, or None where none is stated: then the published value, a
    single run, must lie in the 95 % prediction interval of a single run of ours. ``seeded`` is
    False for a value that no random stream enters. ``absent`` says why there are no values, where
    a run may lack them (a graphics card, say); such a number is shown and not compared. Nor is one
    inside a prediction interval that holds most of the ``possible`` values.
    """

    place: str
    """Dotted place of the published value in its entry, such as ``rows.fsgd.test_error_percent``: a
    row of a table is named by its id."""
    protocol: str
    published: float | str
    values: tuple[float, ...] | str
    tolerance: float | None
    tolerance_source: str = ""
    note: str = ""
    seeded: bool = True
    absent: str = ""
    possible: tuple[float, float] = (-math.inf, math.inf)
    variant: str = ""
    """Which of several reproductions of the number this is, for instance a split of the data."""
    label: str = ""
    """What people call the number, where the place does not say it."""


class Evidence(NamedTuple):
    """Everything that a check may look at."""

    tables: Mapping[str, pd.DataFrame | None]
    entry: Entry
    published: Published
    full_scale: bool

    def table(self, name: str, *columns: str) -> pd.DataFrame:
        """Tidy table of the result ``name``, which must have ``columns``.

        Raises
        ------
        StudyError
            If the table was not built, is empty or lacks a column.
        """
        frame = self.tables.get(name)
        if frame is None:
            raise StudyError(
                f"the table of {self.published.study}.{name} is missing, but {self.entry['id']} is "
                "judged by it; build that result first."
            )
        missing = [column for column in columns if column not in frame.columns]
        if missing:
            raise StudyError(
                f"the table of {self.published.study}.{name} lacks the column {missing[0]!r}; it "
                f"has {', '.join(map(str, frame.columns))}."
            )
        if frame.empty:
            raise StudyError(f"the table of {self.published.study}.{name} has no rows.")
        return frame

    def bound(self, name: str, key: str, of: str | None = None) -> float:
        """Bound ``key`` of the statement ``name`` of this entry, or of the entry ``of``."""
        return self.published.bound(of or self.entry["id"], name, key)


class Judgement(NamedTuple):
    """A mean over seeds against an allowed range."""

    mean: float
    low: float
    high: float
    n: int
    holds: bool
    decided: bool
    margin: float
    """Distance of the mean from the nearer bound; negative outside."""

    def text(self) -> str:
        """For instance ``0.41 [0.20, 0.62]``."""
        interval = "" if math.isnan(self.low) else f" [{self.low:.3g}, {self.high:.3g}]"
        return f"{self.mean:.3g}{interval}"


def judge(
    values: ArrayLike, low: float = -math.inf, high: float = math.inf, strict: bool = True
) -> Judgement:
    """Judge by its mean over seeds whether a quantity lies between ``low`` and ``high``.

    The mean decides (``strict``: bounds excluded). The 95 % Student t interval of the mean says
    whether the seeds decide: it must lie wholly inside or wholly outside the range. With one seed
    there is no interval and the value decides. A diverged run (NaN) never holds.
    """
    values = np.asarray(values, dtype=np.float64)
    if not len(values):
        raise StudyError("a statement about seeds has no values; its table lacks their rows.")
    mean, ci_low, ci_high = mean_interval(values)
    inside = (low < mean < high) if strict else (low <= mean <= high)
    wholly_inside = (
        low < ci_low and ci_high < high or (not strict and low <= ci_low <= ci_high <= high)
    )
    wholly_outside = ci_high < low or ci_low > high
    decided = bool(np.isnan(ci_low) or wholly_inside or wholly_outside)
    # A NaN mean has no side of its own; put it behind every number.
    margin = -math.inf if np.isnan(mean) else min(mean - low, high - mean)
    return Judgement(mean, ci_low, ci_high, len(values), bool(inside), decided, margin)


def outcome_of(judged: Judgement, protocol: str, note: str = "", **more: Any) -> Outcome:
    """Outcome of one judged quantity."""
    return Outcome(
        protocol,
        judged.holds,
        judged.mean,
        judged.low,
        judged.high,
        judged.n,
        judged.decided,
        note,
        **more,
    )


def outcome_of_all(
    judged: Mapping[str, Judgement], protocol: str, note: str = "", **more: Any
) -> Outcome:
    """Outcome of a statement that several quantities must satisfy: that of the worst one."""
    if not judged:
        raise StudyError(f"a statement in protocol {protocol} has nothing to judge.")
    worst = min(judged, key=lambda name: (judged[name].holds, judged[name].margin))
    listed = ", ".join(f"{name} {one.text()}" for name, one in judged.items())
    text = f"worst of: {listed}" if len(judged) > 1 else listed
    failing = [one for one in judged.values() if not one.holds]
    several = failing or list(judged.values())
    decided = (any if failing else all)(one.decided for one in several)
    return outcome_of(judged[worst], protocol, f"{text}. {note}".strip(), **more)._replace(
        decided=decided
    )


def prediction_interval(values: ArrayLike, confidence: float = 0.95) -> tuple[float, float]:
    """Interval that holds one further run with probability ``confidence``: mean +- t s sqrt(1+1/n).

    NaN for fewer than two values.
    """
    values = np.asarray(values, dtype=np.float64)
    n = len(values)
    if n < 2:
        return NAN, NAN
    quantile = stdtrit(n - 1, 0.5 + confidence / 2.0)
    half = float(quantile * values.std(ddof=1) * np.sqrt(1.0 + 1.0 / n))
    return float(values.mean()) - half, float(values.mean()) + half


def present_protocols(names: Iterable[str]) -> list[str]:
    """Protocols that occur in ``names``, in the fixed order of the protocols."""
    found = set(names)
    return [name for name in PROTOCOLS if name in found]


def by_protocol(frame: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
    """Rows of each protocol, in the fixed order of the protocols."""
    known = present_protocols(frame["protocol"])
    unknown = sorted(set(frame["protocol"].astype(str)) - set(known))
    if unknown:
        raise StudyError(
            f"a table holds the protocol {unknown[0]!r}; protocols are {', '.join(PROTOCOLS)}."
        )
    return [(name, frame[frame["protocol"] == name]) for name in known]


def paired_difference(
    frame: pd.DataFrame, column: str, key: str, minuend: Any, subtrahend: Any
) -> pd.Series:
    """``column`` where ``key`` is ``minuend`` minus where it is ``subtrahend``, seed by seed."""
    sides = []
    for choice in (minuend, subtrahend):
        side = frame[frame[key] == choice].set_index("seed")[column]
        if side.empty:
            raise StudyError(f"a comparison of {column} has no rows with {key} = {choice!r}.")
        if side.index.has_duplicates:
            raise StudyError(f"a comparison of {column} has a seed twice for {key} = {choice!r}.")
        sides.append(side)
    left, right = sides
    if set(left.index) != set(right.index):
        raise StudyError(
            f"a comparison of {column} needs the same seeds for {key} = {minuend!r} and "
            f"{subtrahend!r}; found {sorted(left.index)} and {sorted(right.index)}."
        )
    return left - right
