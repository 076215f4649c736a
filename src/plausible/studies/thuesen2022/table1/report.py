"""Table 1 in the report: the published accuracies beside those of the runs."""

import numpy as np
import pandas as pd

from plausible.measure.accuracy import mean_interval
from plausible.reproduction.evidence import present_protocols
from plausible.reproduction.pages import Html, table
from plausible.reproduction.study_report import StudyReport
from plausible.studies.thuesen2022.table1.printed import ACCURACY, LABELS, printed_rows


def table1(report: StudyReport) -> Html:
    """Published accuracies, and ``mean ± half interval`` of the reference's and of this run."""
    printed = printed_rows(report.published)
    tables = {"reference": report.reference_table("table1"), "this run": report.table("table1")}
    frame = accuracies(printed, {name: one for name, one in tables.items() if one is not None})
    kinds = ["number" if ":" in name or name == "published" else "" for name in frame.columns]
    header = [name.replace("_", " ") for name in frame.columns]
    caption = "Test accuracy in percent; mean ± half of the 95 % interval over seeds"
    return table(header, frame.astype(object).to_numpy(), caption, kinds)


def accuracies(printed: pd.DataFrame, tables: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """One row per row of table 1: labels, published, a column per table and protocol."""
    rows = []
    for published in printed.to_dict("records"):
        row = {key: published[key] for key in ("row", *LABELS)}
        row["published"] = f"{published[ACCURACY]:.2f}"
        for name, frame in tables.items():
            for protocol in present_protocols(frame["protocol"]):
                chosen = (frame["row"] == row["row"]) & (frame["protocol"] == protocol)
                row[f"{name}: {protocol}"] = mean_and_half(frame.loc[chosen, ACCURACY].to_numpy())
        rows.append(row)
    return pd.DataFrame(rows)


def mean_and_half(values: np.ndarray) -> str:
    """``97.31 ± 0.08``: mean and half of its 95 % interval; the mean alone for one value."""
    if not len(values):
        return "–"
    mean, low, high = mean_interval(values)
    return f"{mean:.2f}" if len(values) < 2 else f"{mean:.2f} ± {(high - low) / 2:.2f}"
