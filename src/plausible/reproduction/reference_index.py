"""Entry page of the committed reference runs."""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from plausible.reproduction.index_page import write_index

NAME = "reference"


def write_reference_index(root: str | Path, studies: Mapping[str, str]) -> Path:
    """Write ``reports/reference/index.html`` for those ``studies`` (titles by name) that exist."""
    results = Path(root) / "results" / NAME
    present = {name: title for name, title in studies.items() if (results / name).is_dir()}

    def joined(table: str, **options) -> pd.DataFrame:
        frames = [pd.read_csv(results / name / table, **options) for name in present]
        return pd.concat(frames, ignore_index=True)

    page = Path(root) / "reports" / NAME / "index.html"
    write_index(
        page,
        NAME,
        present,
        joined("verdicts.csv", keep_default_na=False, na_values=[""]),
        joined("runtimes.csv"),
        results,
        workflow_report=None,
        root=Path(root),
    )
    return page
