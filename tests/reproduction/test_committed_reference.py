"""The committed reference run against its own tables and provenance."""

import json
import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from plausible.files import sha256_of
from plausible.reproduction.findings import key_findings
from plausible.reproduction.published import load_published, published_folder
from plausible.reproduction.reference_index import BEGIN, END, found
from plausible.reproduction.reference_staging import LIMIT
from plausible.reproduction.report_tables import read_entries
from plausible.reproduction.study_files import read_study_files
from plausible.reproduction.verdicts import verdict_table

ROOT = Path(__file__).resolve().parents[2]
COMMITTED = sorted(path.parent for path in (ROOT / "results/reference").glob("*/verdicts.csv"))
ONE_OR_NONE = COMMITTED or [
    pytest.param(None, marks=pytest.mark.skip(reason="no reference run is committed yet"))
]
NUMBERS = ("published", "reproduced", "ci_low", "ci_high", "n_seeds")


def same_cell(a: str, b: str) -> bool:
    """Equal as texts, or as numbers to 1e-9."""
    try:
        return a == b or math.isclose(float(a), float(b), rel_tol=1e-9, abs_tol=1e-9)
    except ValueError:
        return False


@pytest.mark.parametrize("folder", ONE_OR_NONE, ids=lambda folder: folder and folder.name)
def test_committed_verdicts_follow_from_the_committed_tables(folder, tmp_path):
    declared = read_study_files(ROOT / "workflow" / "studies" / folder.name).declaration
    published = load_published(published_folder(folder.name, ROOT), declared["parts"])
    tables = {
        path.name.removesuffix(".csv"): pd.read_csv(path)
        for path in folder.glob("*.csv")
        if path.name not in ("verdicts.csv", "entries.csv", "runtimes.csv")
    }
    rebuilt = verdict_table(folder.name, tables, "paper", published, comparable=True, partial=True)
    rebuilt.to_csv(tmp_path / "verdicts.csv", index=False)
    ours, theirs = (
        pd.read_csv(place / "verdicts.csv", dtype=str, keep_default_na=False)
        for place in (tmp_path, folder)
    )
    key = ["id", "check", "variant", "protocol"]
    assert ours[key].values.tolist() == theirs[key].values.tolist(), "the rows are others"
    for column in ("verdict", *NUMBERS):
        different = [
            (*row, mine, committed)
            for row, mine, committed in zip(
                ours[key].values.tolist(), ours[column], theirs[column], strict=True
            )
            if not same_cell(mine, committed)
        ]
        assert different == [], column


@pytest.mark.parametrize("folder", ONE_OR_NONE, ids=lambda folder: folder and folder.name)
def test_committed_files_are_those_of_their_provenance(folder):
    reports = ROOT / "reports/reference"
    files = [*folder.iterdir(), *reports.glob(f"{folder.name}.*")]
    assert sum(path.stat().st_size for path in files) <= LIMIT
    for path in files:
        if path.suffix != ".json" and path.name != "README.md":
            record = json.loads(path.with_name(f"{path.name}.json").read_text())
            assert record["sha256"] == sha256_of(path), path.name


@pytest.mark.skipif(
    not (ROOT / "results/reference/entries.csv").is_file(), reason="no reference run is committed"
)
def test_the_readme_says_what_the_committed_run_found():
    entries = read_entries(ROOT / "results/reference/entries.csv")
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f"{BEGIN}\n{found(entries)}\n{END}" in text, "run `make reference ARGS=--from-tables`"


@pytest.mark.parametrize("folder", ONE_OR_NONE, ids=lambda folder: folder and folder.name)
def test_every_key_finding_can_be_computed_and_holds_in_the_committed_run(folder):
    declared = read_study_files(ROOT / "workflow" / "studies" / folder.name).declaration
    published = load_published(published_folder(folder.name, ROOT), declared["parts"])
    told = key_findings(published, declared["key_findings"], folder)
    assert [one.id for one in told] == [one["id"] for one in declared["key_findings"]]
    # A study of many parts has more to say, but fewer findings than parts.
    assert 5 <= len(told) < max(9, len(declared["parts"]))
    for one in told:
        assert one.picture in declared["results"] and "nan" not in one.sentence


def test_cells_are_compared_as_numbers_where_they_are():
    assert same_cell("1.0", "1.0000000001") and same_cell("", "") and same_cell("yes", "yes")
    assert not same_cell("1.0", "1.00000001") and not same_cell("", "1.0")
    assert not same_cell("yes", "no")
    assert same_cell(str(np.float64(97.123456789012)), "97.12345678901201")
