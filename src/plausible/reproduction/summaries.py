"""What the verdicts say together: which protocol yields a number, which explanations survive."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import PROTOCOLS
from plausible.reproduction.reasons import Cause
from plausible.reproduction.verdicts import DIFFERS, INSIDE_RUN, NOT_COMPARABLE, REPRODUCED
from plausible.reproduction.wording import statement_text

SURVIVES = "survives"
FALLS = "does not survive"
OPEN = "not decided at this scale"


def protocol_summary(verdicts: pd.DataFrame) -> pd.DataFrame:
    """Which protocol yields each published number.

    One row per published number that at least two protocols reproduce or miss: ``published``, the
    mean of each protocol, ``nearest`` protocols, ``within_tolerance`` and ``inside_run`` (protocols
    whose verdict is `reproduced`, and whose single-run interval holds the published value),
    ``n_seeds`` (0 where no random stream enters) and whether the scale allows to compare at all.
    """
    numbers = verdicts[verdicts["check"].str.startswith("value:")]
    numbers = numbers[numbers["protocol"].isin(PROTOCOLS)]
    rows = []
    keys = ["id", "check", "variant"]
    for (identifier, check, variant), group in numbers.groupby(keys, sort=False):
        group = group.set_index("protocol")
        means = pd.to_numeric(group["reproduced"], errors="coerce")
        published = pd.to_numeric(group["published"], errors="coerce").iloc[0]
        if len(group) < 2 or np.isnan(published) or means.isna().all():
            continue
        distance = (means.reindex(PROTOCOLS).dropna() - published).abs()
        nearest = distance.index[distance <= distance.min() + 1e-9 * max(1.0, abs(published))]
        inside = [name for name in group.index if INSIDE_RUN in str(group.loc[name, "note"])]
        rows.append(
            {
                "id": identifier,
                "check": check,
                "variant": variant,
                "statement": group["statement"].iloc[0],
                "published": published,
                **{name: means.get(name, np.nan) for name in PROTOCOLS},
                "nearest": ", ".join(nearest),
                "within_tolerance": ", ".join(group.index[group["verdict"] == REPRODUCED]),
                "inside_run": ", ".join(inside),
                "n_seeds": int(group["n_seeds"].max()),
                "comparable": bool((group["verdict"] != NOT_COMPARABLE).any()),
            }
        )
    columns = [
        "id",
        "check",
        "variant",
        "statement",
        "published",
        *PROTOCOLS,
        "nearest",
        "within_tolerance",
    ]
    return pd.DataFrame(rows, columns=[*columns, "inside_run", "n_seeds", "comparable"])


def surviving_causes(verdicts: pd.DataFrame, study: str, causes: Iterable[Cause]) -> pd.DataFrame:
    """Every explanation of ``causes`` with what the verdicts say about it.

    Columns: section, explanation, outcome, evidence (the verdicts it rests on), remark.

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
            where = ", ".join(filter(None, [row.result, *wanted.values()]))
            if len(found) != 1:
                raise StudyError(
                    f"an explanation of section {cause.section} rests on {where}, of which the "
                    f"verdicts have {len(found)} rows."
                )
            verdict = found["verdict"].iloc[0]
            evidence.append(f"{row.result}: {_said(found.iloc[0])}: {verdict}")
            fits.append(verdict == row.verdict)
            opposes.append(verdict != row.verdict and verdict in (REPRODUCED, DIFFERS))
        if cause.one_is_enough:
            survives, falls = any(fits), all(opposes)
        else:
            survives, falls = all(fits), any(opposes)
        outcome = SURVIVES if survives else FALLS if falls else OPEN
        said = "; ".join(dict.fromkeys(evidence))
        rows.append((cause.section, cause.text, outcome, said, cause.otherwise))
    return pd.DataFrame(rows, columns=["section", "explanation", "outcome", "evidence", "remark"])


def _said(row: pd.Series) -> str:
    """What a row of the verdicts judges, for people, and in which protocol."""
    variant = row["variant"] if isinstance(row["variant"], str) else ""
    text = statement_text(variant, row["statement"])
    return f"{text} ({row['protocol']})" if row["protocol"] in PROTOCOLS else text
