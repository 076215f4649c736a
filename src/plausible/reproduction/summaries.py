"""What the verdicts say together: which protocol yields a number, which explanations survive."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.entries import ENTRY_VERDICTS, FAILS, HOLDS, IN_PART
from plausible.reproduction.evidence import PROTOCOLS
from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.reasons import Cause, Needed
from plausible.reproduction.verdict_row import NOT_COMPARABLE, NOT_IN_RUN, NOT_JUDGED
from plausible.reproduction.wording import statement_text

THEOREM = "theorem"
SURVIVES = "survives"
FALLS = "does not survive"
OPEN = "not decided"


def entry_counts(entries: pd.DataFrame) -> pd.Series:
    """Number of published entries of each verdict, in the fixed order, zeros included."""
    counts = entries["verdict"].value_counts()
    return pd.Series({name: int(counts.get(name, 0)) for name in ENTRY_VERDICTS}, name="entries")


def headline(entries: pd.DataFrame) -> str:
    """How many published entries hold, in sentences; theorems apart from measured results."""
    judged = entries[~entries["verdict"].isin(NOT_JUDGED)]
    theorem = judged["kind"] == THEOREM
    measured, exact = entry_counts(judged[~theorem]), entry_counts(judged[theorem])
    published, mended = HOLDS["as_published"], [*HOLDS.values()][1:]
    results, theorems = int((~theorem).sum()), int(theorem.sum())
    said = (
        f"Of {len(judged)} judged entries, {_share(measured[published], results)} measured results "
        f"and {_share(exact[published], theorems)} theorems and equations hold as published. "
        f"{measured[mended].sum()} and {exact[mended].sum()} more hold as coded, after correction "
        "or after calibration."
    )
    left = {
        "contradicted in part": IN_PART,
        "contradicted altogether": FAILS,
        "undecided": UNDECIDED,
    }
    rest = [
        f"{what} {' and '.join(f'{counts[name]} {words}' for words, name in found.items())}"
        for what, counts in (("of the measured results", measured), ("of the theorems", exact))
        if (found := {words: name for words, name in left.items() if counts[name]})
    ]
    return said + (f" The rest: {'; '.join(rest)}." if rest else "")


def _share(part: int, whole: int) -> str:
    return f"{part} of {whole}" + (f" ({100 * part / whole:.0f} %)" if whole else "")


def protocol_summary(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Which protocol yields each published number, or the most cells of each map of numbers.

    One row per published number that at least two protocols reproduce or miss: ``published``, the
    mean of each protocol (of a map, how many cells are reproduced), ``nearest`` protocols (by the
    share of cells), ``reproduced_by`` and ``undecided_by`` (protocols with that verdict),
    ``n_seeds`` (0 where no random stream enters) and whether the scale allows to compare at all. A
    number that is judged at another entry is left out.
    """
    numbers = verdicts[verdicts["check"].str.startswith(("value:", "cells:"))]
    numbers = numbers[numbers["protocol"].isin(PROTOCOLS) & (numbers["duplicate_of"] == "")]
    rows = []
    keys = ["id", "check", "variant"]
    for (identifier, check, variant), group in numbers.groupby(keys, sort=False):
        group = group.set_index("protocol")
        shown, published = group["reproduced"], group["published"].iloc[0]
        if check.startswith("cells:"):
            shown = shown.str.removesuffix(" cells")
            counts = shown.str.partition(" of ")
            means, known = pd.to_numeric(counts[0]) / pd.to_numeric(counts[2]), 1.0
        else:
            means = shown = pd.to_numeric(shown, errors="coerce")
            known = published = pd.to_numeric(published, errors="coerce")
        if len(group) < 2 or np.isnan(known) or means.isna().all():
            continue
        distance = (means.reindex(PROTOCOLS).dropna() - known).abs()
        nearest = distance.index[distance <= distance.min() + 1e-9 * max(1.0, abs(known))]
        rows.append(
            {
                "id": identifier,
                "check": check,
                "variant": variant,
                "statement": group["statement"].iloc[0],
                "published": published,
                **{name: shown.get(name, np.nan) for name in PROTOCOLS},
                "nearest": ", ".join(nearest),
                "reproduced_by": ", ".join(group.index[group["verdict"] == REPRODUCED]),
                "undecided_by": ", ".join(group.index[group["verdict"] == UNDECIDED]),
                "n_seeds": int(group["n_seeds"].max()),
                "comparable": bool((group["verdict"] != NOT_COMPARABLE).any()),
            }
        )
    columns = ["id", "check", "variant", "statement", "published", *PROTOCOLS, "nearest"]
    columns += ["reproduced_by", "undecided_by", "n_seeds", "comparable"]
    return pd.DataFrame(rows, columns=columns)


def surviving_causes(verdicts: pd.DataFrame, study: str, causes: Iterable[Cause]) -> pd.DataFrame:
    """Every explanation of ``causes`` with what the verdicts say about it.

    Columns: section, explanation, outcome, evidence (the verdicts it rests on, as texts),
    remark.

    Raises
    ------
    StudyError
        If a cause rests on a verdict that is not in the table.
    """
    rows = []
    for cause in causes:
        evidence, fits, opposes = [], [], []
        for row in cause.needs:
            wanted = {"check": row.check, "variant": row.variant or "", "protocol": row.protocol}
            found = verdicts[verdicts["id"] == f"{study}.{row.result}"]
            for column, value in wanted.items():
                found = found[found[column].fillna("") == value]
            if found.empty:  # not measured when a kept run was made, or not in this protocol
                there = (verdicts["id"] == f"{study}.{row.result}") & (
                    verdicts["check"] == row.check
                )
                found = verdicts[there].head(1).assign(verdict=NOT_IN_RUN)
            where = ", ".join(filter(None, [row.result, *wanted.values()]))
            if len(found) != 1:
                raise StudyError(
                    f"an explanation of section {cause.section} rests on {where}, of which the "
                    f"verdicts have {len(found)} rows."
                )
            verdict = found["verdict"].iloc[0]
            evidence.append(f"{row.result}: {_said(found.iloc[0])}: {verdict}")
            evidence += _contrary(verdicts, study, cause, row)
            fits.append(verdict == row.verdict)
            opposes.append(verdict != row.verdict and verdict in (REPRODUCED, DIFFERS))
        if cause.one_is_enough:
            survives, falls = any(fits), all(opposes)
        else:
            survives, falls = all(fits), any(opposes)
        outcome = SURVIVES if survives else FALLS if falls else OPEN
        said = tuple(dict.fromkeys(evidence))
        rows.append((cause.section, cause.text, outcome, said, cause.otherwise))
    return pd.DataFrame(rows, columns=["section", "explanation", "outcome", "evidence", "remark"])


def _contrary(verdicts: pd.DataFrame, study: str, cause: Cause, needed: Needed) -> list[str]:
    """Rows of the same quantity under protocols that a cause does not ask for, and which oppose."""
    same = (verdicts["id"] == f"{study}.{needed.result}") & (verdicts["check"] == needed.check)
    same &= verdicts["variant"].fillna("") == (needed.variant or "")
    what = needed.result, needed.check, needed.variant
    asked = {one.protocol for one in cause.needs if (one.result, one.check, one.variant) == what}
    opposite = DIFFERS if needed.verdict == REPRODUCED else REPRODUCED
    rows = verdicts[
        same & ~verdicts["protocol"].fillna("").isin(asked) & (verdicts["verdict"] == opposite)
    ]
    return [
        f"not asked for, and against it: {_said(row)}: {row['verdict']}"
        for _, row in rows.iterrows()
    ]


def _said(row: pd.Series) -> str:
    """What a row of the verdicts judges, for people, and in which protocol."""
    variant = row["variant"] if isinstance(row["variant"], str) else ""
    text = statement_text(variant, row["statement"])
    return f"{text} ({row['protocol']})" if row["protocol"] in PROTOCOLS else text
