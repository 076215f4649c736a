"""Corrupted tables of the finished demo run lose the verdicts that rest on them."""

import pytest

from plausible.reproduction.audit import GOAL, audit_of_run, lost_share, noticed_share

STUDY = "oconnor2020"


@pytest.mark.slow
def test_corruptions_take_verdicts_away(project_root):
    if not (project_root / "results" / "demo" / STUDY / "verdicts.csv").is_file():
        pytest.skip("there is no finished demo run: make all")
    corruptions, rows = audit_of_run(project_root, STUDY, "demo")
    assert noticed_share(corruptions) >= GOAL
    assert lost_share(rows) >= GOAL, rows.loc[rows["lost_by"] == 0, ["id", "check", "protocol"]]
