"""Corrupted tables of the finished demo run lose the verdicts that rest on them."""

from pathlib import Path

import pytest

from plausible.reproduction.audit import GOAL, audit_of_run, lost_share, noticed_share


def check_demo_run(root: Path, study: str) -> None:
    if not (root / "results" / "demo" / study / "verdicts.csv").is_file():
        pytest.skip("there is no finished demo run: make all")
    corruptions, rows = audit_of_run(root, study, "demo")
    assert noticed_share(corruptions) >= GOAL
    assert lost_share(rows) >= GOAL, rows.loc[rows["lost_by"] == 0, ["id", "check", "protocol"]]
