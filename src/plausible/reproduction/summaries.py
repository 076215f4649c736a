"""What the verdicts say together: which protocol yields a number, which explanations survive."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.measure.accuracy import mean_interval
from plausible.reproduction.evidence import PROTOCOLS, prediction_interval, present_protocols
from plausible.reproduction.reasons import Cause
from plausible.reproduction.verdicts import DIFFERS, INSIDE_RUN, NOT_COMPARABLE, REPRODUCED

SURVIVES = "survives"
FALLS = "does not survive"
OPEN = "not decided at this scale"


def protocol_summary(verdicts: pd.DataFrame, table1: pd.DataFrame | None = None) -> pd.DataFrame:
    """Which protocol yields each published number.

    One row per published number that at least two protocols reproduce or miss: ``published``, the
    mean of each protocol, ``nearest`` protocols, ``within_tolerance`` and ``inside_run`` (protocols
    whose verdict is `reproduced`, and whose single-run interval holds the published value),
    ``n_seeds`` (0 where no random stream enters) and whether the scale allows to compare at all.
    With ``table1`` (the tidy table) numbered rows of table 1 carry their labels, and their
    intervals are computed from it at any scale.
    """
    numbers = verdicts[verdicts["check"].str.startswith("value:")]
    numbers = numbers[numbers["protocol"].isin(PROTOCOLS)]
    rows = []
    for (identifier, check), group in numbers.groupby(["id", "check"], sort=False):
        group = group.set_index("protocol")
        means = pd.to_numeric(group["reproduced"], errors="coerce")
        published = pd.to_numeric(group["published"], errors="coerce").iloc[0]
        if len(group) < 2 or np.isnan(published) or means.isna().all():
            continue
        distance = (means.reindex(PROTOCOLS).dropna() - published).abs()
        nearest = distance.index[distance <= distance.min() + 1e-9 * max(1.0, abs(published))]
        inside = [name for name in group.index if INSIDE_RUN in str(group.loc[name, "note"])]
        label = ""
        if table1 is not None and check.startswith("value:row "):
            number = int(check.removeprefix("value:row "))
            label, inside = _row_of_table1(table1, number, published)
        rows.append(
            {
                "id": identifier,
                "check": check,
                "label": label,
                "published": published,
                **{name: means.get(name, np.nan) for name in PROTOCOLS},
                "nearest": ", ".join(nearest),
                "within_tolerance": ", ".join(group.index[group["verdict"] == REPRODUCED]),
                "inside_run": ", ".join(inside),
                "n_seeds": int(group["n_seeds"].max()),
                "comparable": bool((group["verdict"] != NOT_COMPARABLE).any()),
            }
        )
    columns = ["id", "check", "label", "published", *PROTOCOLS, "nearest", "within_tolerance"]
    return pd.DataFrame(rows, columns=[*columns, "inside_run", "n_seeds", "comparable"])


def _row_of_table1(table1: pd.DataFrame, row: int, published: float) -> tuple[str, list[str]]:
    rows = table1[table1["row"] == row]
    if rows.empty:
        raise StudyError(f"table 1 has no row {row}, but its verdicts have.")
    first = rows.iloc[0]
    words = [first["model"], first["algorithm"], first["optimizer"], first["activation"]]
    words += ["BN"] if first["batch_norm"] else []
    words += ["spiking"] if first["spiking"] else []
    inside = []
    for protocol in present_protocols(rows["protocol"]):
        values = rows.loc[rows["protocol"] == protocol, "test_accuracy_percent"]
        low, high = prediction_interval(values)
        if low <= published <= high:
            inside.append(protocol)
    return ", ".join(words), inside


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
            evidence.append(f"{where}: {verdict}")
            fits.append(verdict == row.verdict)
            opposes.append(verdict != row.verdict and verdict in (REPRODUCED, DIFFERS))
        if cause.one_is_enough:
            survives, falls = any(fits), all(opposes)
        else:
            survives, falls = all(fits), any(opposes)
        outcome = SURVIVES if survives else FALLS if falls else OPEN
        rows.append((cause.section, cause.text, outcome, "; ".join(evidence), cause.otherwise))
    return pd.DataFrame(rows, columns=["section", "explanation", "outcome", "evidence", "remark"])


def table1_columns(
    table1: pd.DataFrame, published_rows: list[dict], reference: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Table 1 for people: labels, published, and ``mean ± half interval`` of every protocol.

    ``reference`` is the tidy table of the committed reference run; its columns stand before ours.
    """
    labels = ["model", "algorithm", "optimizer", "activation", "batch_norm", "spiking"]
    tables = {"reference": reference, "this run": table1}
    tables = {name: frame for name, frame in tables.items() if frame is not None}
    rows = []
    for number, printed in enumerate(published_rows, start=1):
        row: dict[str, object] = {"row": number, **{key: printed[key] for key in labels}}
        row["published"] = f"{printed['test_accuracy_percent']:.2f}"
        for name, frame in tables.items():
            for protocol in present_protocols(frame["protocol"]):
                chosen = frame[(frame["row"] == number) & (frame["protocol"] == protocol)]
                values = chosen["test_accuracy_percent"].to_numpy()
                row[f"{name}: {protocol}"] = mean_and_half(values)
        rows.append(row)
    return pd.DataFrame(rows)


def mean_and_half(values: np.ndarray) -> str:
    """``97.31 ± 0.08``: mean and half of its 95 % interval; the mean alone for one value."""
    if not len(values):
        return "–"
    mean, low, high = mean_interval(values)
    return f"{mean:.2f}" if len(values) < 2 else f"{mean:.2f} ± {(high - low) / 2:.2f}"
