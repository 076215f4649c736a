"""Every recovered cell of figure 3 beside ours, as tables of the report."""

from collections.abc import Iterator
from typing import Any

import pandas as pd

from plausible.reproduction.evidence import Evidence
from plausible.reproduction.judging import DIFFERS, REPRODUCED, UNDECIDED
from plausible.reproduction.pages import Html, piece, table
from plausible.reproduction.published import Published
from plausible.reproduction.study_report import StudyReport
from plausible.studies.song2020.ablation.grid import (
    LARGEST,
    MEASURES,
    TEST,
    WEIGHTS,
    WEIGHTS_NORM,
    cells,
    printed_order,
)
from plausible.studies.song2020.texts import TOP_READING

MARKS = {REPRODUCED: "✓", UNDECIDED: "≈", DIFFERS: "✗"}
CAPTIONS = {
    TEST: "divergence of test error (sum over the epochs)",
    WEIGHTS: "divergence of final weights (sum over the matrices)",
    WEIGHTS_NORM: "divergence of final weights (one distance of all matrices)",
}


def heat_map_cells(report: StudyReport) -> Html:
    """Every published cell of figure 3 beside ours and beside the reference run's."""
    tables = {"This run": report.table("fig3")}
    reference = report.reference_table("fig3")
    if reference is not None:
        tables["Reference run at the paper scale"] = reference
    return Html("").join(
        piece("titled", heading, cell_tables(report.published, table))
        for heading, table in tables.items()
    )


def cell_tables(published: Published, fig3: pd.DataFrame) -> Html:
    """Tables of all cells, one for each protocol, quantity and network, folded by protocol.

    ``fig3`` is the tidy table of figure 3, of this run or of the reference run.
    """
    compared = cells(Evidence({"fig3": fig3}, published.entry("fig3"), published, True))
    folded = [
        (f"Protocol {protocol}: {_summary(rows)}", Html("").join(_networks(published, rows)))
        for protocol, rows in compared.groupby("protocol", sort=False)
    ]
    return Html("").join(piece("folded", title, tables) for title, tables in folded)


def _summary(rows: pd.DataFrame) -> str:
    texts = []
    for measure in (TEST, WEIGHTS):
        part = rows[rows["measure"] == measure]
        near = int((part["verdict"] == REPRODUCED).sum())
        texts.append(f"{near} of {len(part)} cells of {MEASURES[measure].label} reproduced")
    return "; ".join(texts)


def _networks(published: Published, rows: pd.DataFrame) -> Iterator[Html]:
    for measure in MEASURES:
        for depth in sorted(rows["l_max"].unique()):
            part = rows[(rows["measure"] == measure) & (rows["l_max"] == depth)]
            lines = {(row.gamma, row.t): row for row in part.itertuples()}
            places = printed_order(published, int(depth))
            top = TOP_READING[MEASURES[measure].published]
            body = [
                [f"γ = {gamma:g}"] + [_cell(lines.get((gamma, place)), top) for place in places]
                for gamma in sorted(part["gamma"].unique())
            ]
            header = ["", *(f"t = {place}" for place in places)]
            caption = f"l_max = {depth}: {CAPTIONS[measure]}"
            yield table(header, body, caption)


def _cell(row: Any, top: float) -> Html:
    if row is None:
        return Html("–")
    stated = f"≥ {top:.3g}" if row.published >= top else f"{row.published:g}"
    several = row.n > 1 and row.ours < 1e3 and row.sd > 0.0
    ours = _short(row.ours) + (f" ± {row.sd:.2g}" if several else "")
    return Html("{}<br>{}&nbsp;{}").format(stated, ours, MARKS[row.verdict])


def _short(value: float) -> str:
    if value >= LARGEST / 10:
        return "beyond 1e8"
    return f"{value:.3g}" if value == 0.0 or value >= 1e-3 else f"{value:.0e}"
