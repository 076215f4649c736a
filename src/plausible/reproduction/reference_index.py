"""Entry page of the committed reference runs."""

import textwrap
from pathlib import Path

import pandas as pd

from plausible.reproduction.index_page import write_index
from plausible.reproduction.runtimes import rewrite_block
from plausible.reproduction.summaries import headline

NAME = "reference"
BEGIN, END = "<!-- found:begin -->", "<!-- found:end -->"


def write_reference_index(root: str | Path) -> Path:
    """Write the index page of all reference runs, and what README.md says of them."""
    results = Path(root) / "results" / NAME
    present = sorted(file.parent.name for file in results.glob("*/entries.csv"))

    def joined(table: str, **options) -> pd.DataFrame:
        frames = [pd.read_csv(results / name / table, **options) for name in present]
        return pd.concat(frames, ignore_index=True)

    entries = joined("entries.csv", keep_default_na=False, na_values=[""])
    entries.to_csv(results / "entries.csv", index=False)
    page = Path(root) / "reports" / NAME / "index.html"
    write_index(
        page,
        "reference run at the paper scale",
        dict.fromkeys(present, True),
        joined("verdicts.csv", keep_default_na=False, na_values=[""]),
        entries,
        joined("runtimes.csv"),
        results,
        workflow_report=None,
        root=Path(root),
    )
    rewrite_block(Path(root) / "README.md", BEGIN, END, found(entries))
    return page


def found(entries: pd.DataFrame) -> str:
    """What README.md says about the reference runs, between the marks `BEGIN` and `END`."""
    where = "Pages of the committed run at the paper scale: `reports/reference/index.html`."
    return textwrap.fill(f"{headline(entries)} {where}", 100, break_on_hyphens=False)
