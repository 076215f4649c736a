"""Entry page of the committed reference runs."""

from pathlib import Path

import pandas as pd

from plausible.reproduction.index_page import write_index
from plausible.reproduction.study_files import read_study_files

NAME = "reference"


def titles_of(root: str | Path) -> dict[str, str]:
    """Titles of the studies of which there is a reference run, by name."""
    made = sorted(
        file.parent.name for file in (Path(root) / "results" / NAME).glob("*/verdicts.csv")
    )
    studies = Path(root) / "workflow" / "studies"
    return {name: read_study_files(studies / name).declaration["title"] for name in made}


def write_reference_index(root: str | Path) -> Path:
    """Write ``reports/reference/index.html`` of all reference runs, whenever they were made."""
    results = Path(root) / "results" / NAME
    present = titles_of(root)

    def joined(table: str, **options) -> pd.DataFrame:
        frames = [pd.read_csv(results / name / table, **options) for name in present]
        return pd.concat(frames, ignore_index=True)

    page = Path(root) / "reports" / NAME / "index.html"
    write_index(
        page,
        "reference run at the paper scale",
        present,
        joined("verdicts.csv", keep_default_na=False, na_values=[""]),
        joined("runtimes.csv"),
        results,
        workflow_report=None,
        root=Path(root),
    )
    return page
