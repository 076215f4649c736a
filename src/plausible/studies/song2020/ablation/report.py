"""Every recovered cell of figure 3 beside ours, as tables of the report."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence
from plausible.reproduction.pages import Html, piece, table
from plausible.reproduction.published import Published
from plausible.studies.song2020.ablation.grid import (
    LARGEST,
    MEASURES,
    TEST,
    WEIGHTS,
    cells,
    printed_order,
    reading_scales,
)

CAPTIONS = {
    TEST: "divergence of test error (sum over the epochs)",
    WEIGHTS: "divergence of final weights (sum over the matrices)",
    "weights, one norm": "divergence of final weights (one distance of all matrices)",
}
LEGEND = (
    "In every cell: the published value, and below it ours, as mean ± standard deviation over "
    "the seeds. ✓ within the error of reading the printed colour, ≈ within it and the scatter of "
    "the seeds (95 %), ✗ further away. ≥ marks the top of a colour scale, † runs whose weights "
    "passed all bounds (their number), – a cell that was not run."
)


def cell_tables(published: Published, table_file: str | Path, heading: str = "") -> Html:
    """Tables of all cells, one for each protocol, quantity and network, folded by protocol.

    ``table_file`` is the tidy table of figure 3, of this run or of the reference run.

    Raises
    ------
    StudyError
        If the file is missing.
    """
    path = Path(table_file)
    if not path.is_file():
        raise StudyError(f"{path} is missing; build the results before their report.")
    tables = {"fig3": pd.read_csv(path, dtype={"t": str})}
    compared = cells(Evidence(tables, published.entry("fig3"), published, True))
    parts = [Html("<p>{}</p>").format(LEGEND)]
    for protocol, rows in compared.groupby("protocol", sort=False):
        inner = Html("").join(_networks(published, rows))
        parts.append(piece("folded", f"Protocol {protocol}: {_summary(rows)}", inner, True))
    content = Html("").join(parts)
    return piece("titled", heading, content) if heading else content


def _summary(rows: pd.DataFrame) -> str:
    texts = []
    for measure in (TEST, WEIGHTS):
        part = rows[rows["measure"] == measure]
        near = int(part["within_scatter"].sum())
        texts.append(f"{near} of {len(part)} cells of {measure} within reading and scatter")
    return "; ".join(texts)


def _networks(published: Published, rows: pd.DataFrame) -> Iterator[Html]:
    scales = reading_scales(published)
    for measure in MEASURES:
        for depth in sorted(rows["l_max"].unique()):
            part = rows[(rows["measure"] == measure) & (rows["l_max"] == depth)]
            lines = {(row.gamma, row.t): row for row in part.itertuples()}
            places = printed_order(published, int(depth))
            body = [
                [f"γ = {gamma:g}"]
                + [_cell(lines.get((gamma, place)), scales[measure].top) for place in places]
                for gamma in sorted(part["gamma"].unique())
            ]
            header = ["", *(f"t = {place}" for place in places)]
            caption = f"l_max = {depth}: {CAPTIONS[measure]}"
            yield table(header, body, caption)


def _cell(row: Any, top: float) -> Html:
    if row is None:
        return Html("–")
    mark = "✓" if row.within_reading else "≈" if row.within_scatter else "✗"
    stated = f"≥ {top:.3g}" if row.published_top else f"{row.published:g}"
    several = row.n > 1 and math.isfinite(row.sd) and row.ours < 1e3 and row.sd > 0.0
    ours = _short(row.ours) + (f" ± {row.sd:.2g}" if several else "")
    gone = f" †{int(row.diverged)}" if row.diverged else ""
    return Html("{}<br>{}{}&nbsp;{}").format(stated, ours, gone, mark)


def _short(value: float) -> str:
    if value >= LARGEST:
        return "beyond 1e9"
    return f"{value:.3g}" if value == 0.0 or value >= 1e-3 else f"{value:.0e}"
