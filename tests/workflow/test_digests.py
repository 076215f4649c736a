"""What an edit of the code makes again: the jobs that can reach it, and no others.

Nothing is computed here. Every output of a copy of the whole project is an empty file, which
Snakemake is told to take for finished; then a line of code changes, and a dry run counts the jobs.
"""

import shutil
from pathlib import Path

import pytest

from . import project
from .project import ROOT, planned_rules, snakemake

pytestmark = pytest.mark.slow

PACKAGE = "src/plausible"
JUDGED = ["judge_results", "join_verdicts"]
SHOWN = ["collect_run_times", "song2020_report", "workflow_report", "write_index", "all"]
"""What follows when results of one study were made again: its verdicts, and what shows them."""


@pytest.fixture(scope="module")
def finished(tmp_path_factory) -> Path:
    folder = project.copy_project(tmp_path_factory.mktemp("finished"))
    ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
    shutil.copytree(ROOT / "src", folder / "src", ignore=ignored)
    summary = snakemake(folder, "--cores", "1", "all", "--summary").stdout.splitlines()
    outputs = [line.split("\t")[0] for line in summary[1:]]
    assert len(outputs) > 300
    for name in outputs:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    snakemake(folder, "--cores", "1", "all", "--touch", "--forceall")
    assert planned_rules(folder, "all") == []
    return folder


def planned_after(folder: Path, module: str, line: str) -> list[str]:
    """Jobs of a dry run after a line was put at the end of a module, which is then taken away."""
    path = folder / PACKAGE / module
    before = path.read_text()
    path.write_text(f"{before}\n{line}\n")
    try:
        return planned_rules(folder, "all")
    finally:
        path.write_text(before)


def test_a_comment_makes_nothing_again(finished):
    for module in ("studies/thuesen2022/neurons/figures.py", "reproduction/verdicts.py"):
        assert planned_after(finished, module, "# A comment.") == []


def test_a_legend_redraws_the_pictures_of_its_file(finished):
    planned = planned_after(finished, "studies/song2020/run_time/figures.py", "LEGEND = 'new'")
    assert planned == sorted(["song2020_table4", *JUDGED, *SHOWN])


def test_a_claim_judges_its_own_document_again(finished):
    planned = planned_after(finished, "studies/song2020/run_time/claims.py", "BOUND = 3")
    assert planned == sorted([*JUDGED, *SHOWN])


def test_an_experiment_runs_again_with_what_it_feeds_alone(finished):
    planned = planned_after(finished, "studies/song2020/run_time/experiment.py", "WARM_UP = 3")
    assert planned == sorted(["run_sweep", "song2020_table4", *JUDGED, *SHOWN])


def test_a_method_reaches_every_document_that_uses_it(finished):
    planned = planned_after(finished, "measure/accuracy.py", "NEW = 1")
    assert planned.count("judge_results") == 3
