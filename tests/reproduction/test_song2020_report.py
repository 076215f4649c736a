"""The report of Song et al. 2020 on a made-up run: its pieces, and the whole notebook."""

import json
import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from plausible.errors import StudyError
from plausible.reproduction.published import load_published
from plausible.reproduction.report_tables import markdown_html
from plausible.reproduction.reports import render_notebook
from plausible.studies.song2020.ablation.report import cell_tables
from plausible.reproduction.study_report import StudyReport
from plausible.reproduction.verdicts import verdict_table

from . import synthetic_song2020 as synthetic
from .conftest import ROOT, SVG

STUDY_FILE = ROOT / "workflow" / "studies" / "song2020.yaml"
PUBLISHED_FILE = ROOT / "workflow" / "published" / "song2020.yaml"
TEMPLATE = ROOT / "workflow" / "notebooks" / "song2020.py"
MARKDOWN = "| t_d | rate |\n| --- | --- |\n| 1 | 93.4 |\n\nA note on `phi`.\n"


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    """Folder with results/demo and results/reference of a made-up run; fewer cells in the demo."""
    root = tmp_path_factory.mktemp("project")
    published = load_published(PUBLISHED_FILE)
    for place, scale in (("demo", "demo"), ("reference", "paper")):
        tables = synthetic.good_tables(published)
        if scale == "demo":
            frame = tables["fig3"]
            tables["fig3"] = frame[(frame["gamma"] != 0.01) & (frame["t"] != "64")]
        folder = root / "results" / place / "song2020"
        folder.mkdir(parents=True)
        for name, table in tables.items():
            table.to_csv(folder / f"{name}.csv", index=False)
        declared = yaml.safe_load(STUDY_FILE.read_text())["results"]
        for name, result in declared.items():
            if result.get("figure"):
                (folder / f"{name}.svg").write_text(SVG.format(name=name))
            if result.get("markdown"):
                (folder / f"{name}.md").write_text(MARKDOWN)
        # From the files, as the workflow does it.
        read = {name: pd.read_csv(folder / f"{name}.csv") for name in tables}
        verdicts = verdict_table("song2020", read, scale, published)
        verdicts.to_csv(folder / "verdicts.csv", index=False)
        record = {"python": "3.11.7", "packages": {}, "git_commit": None, "git_clean": None}
        (folder / "verdicts.csv.json").write_text(json.dumps(record))
    row = ("song2020", "study", "whole study", "everything", 40, 0, 3.5, 0.4, 410.0)
    columns = ["study", "part", "result", "title", "jobs", "jobs_without_time", "minutes"]
    frame = pd.DataFrame([row], columns=[*columns, "longest_job_minutes", "peak_memory_mb"])
    frame.to_csv(root / "results" / "demo" / "runtimes.csv", index=False)
    return root


def parameters_of(root):
    return {
        "study": "song2020",
        "scale": "demo",
        "results_dir": str(root / "results" / "demo" / "song2020"),
        "published_file": str(PUBLISHED_FILE),
        "study_file": str(STUDY_FILE),
        "reference_dir": str(root / "results" / "reference" / "song2020"),
        "runtimes_file": str(root / "results" / "demo" / "runtimes.csv"),
    }


@pytest.fixture(scope="module")
def report(root):
    return StudyReport(**parameters_of(root))


def test_outcomes_count_every_verdict(report):
    text = report.outcomes()
    assert text.count("<tr>") == 2 + 42 + report.verdicts["protocol"].nunique()
    counted = sum(int(n) for n in re.findall(r">(\d+) <span aria-hidden", text))
    assert counted == 2 * len(report.verdicts)


def test_every_cell_stands_beside_its_published_value(report, root):
    published = load_published(PUBLISHED_FILE)
    text = cell_tables(published, report.reference / "fig3.csv", "Reference")
    # 288 cells and the weights in their other reading, for two protocols.
    assert text.count("&nbsp;✓") == 2 * (288 + 144)
    assert "8.7<br>8.7 ± 0.035" in text
    assert "≥ 46.2<br>49.3" in text
    assert "<h3>Reference</h3>" in text and "Protocol calibrated: 144 of 144" in text
    header = text[text.index("l_max = 3: divergence of test error") :]
    assert re.findall(r'col">t = (\w+)', header)[:8] == ["0", "1", "l", "2", "3", "4", "16", "64"]


def test_cells_that_were_not_run_are_dashes(report):
    text = cell_tables(load_published(PUBLISHED_FILE), report.folder / "fig3.csv")
    ran = 35  # five rows of gamma, seven columns
    assert text.count("&nbsp;✓") == 2 * 9 * ran
    assert text.count("<td>–</td>") == 2 * 9 * 5


def test_marks_of_cells(root, tmp_path):
    frame = pd.read_csv(root / "results/reference/song2020/fig3.csv")
    coded = frame["protocol"] == "as_coded"
    far = synthetic.cell("t_gamma", "l", 0.1)(frame) & coded
    frame.loc[far, ["test_error_divergence_sum", "diverged_epoch"]] = [20.0, 3]
    near = synthetic.cell("t_gamma", "l", 0.5)(frame) & coded
    frame.loc[near, "test_error_divergence_sum"] = [0.95, 0.99, 0.97]
    frame.to_csv(tmp_path / "fig3.csv", index=False)
    text = cell_tables(load_published(PUBLISHED_FILE), tmp_path / "fig3.csv")
    assert "8.7<br>20 †3&nbsp;✗" in text
    assert "0.917<br>0.97 ± 0.02&nbsp;≈" in text
    with pytest.raises(StudyError, match="none.csv is missing"):
        cell_tables(load_published(PUBLISHED_FILE), tmp_path / "none.csv")


def test_markdown_of_results(report):
    text = report.readable("table3")
    assert '<td class="number">93.4</td>' in text
    assert "<p>A note on <code>phi</code>.</p>" in text
    assert markdown_html("| a |\n| --- |\n| \\|x\\| < 1 |\n").count("|x| &lt; 1") == 1
    with pytest.raises(StudyError, match=r"fig9.md is missing"):
        report.readable("fig9")


@pytest.mark.slow
def test_the_whole_notebook(root):
    page = root / "reports" / "demo" / "song2020.html"
    page.parent.mkdir(parents=True)
    log = root / "logs" / "notebook.log"
    render_notebook(TEMPLATE, parameters_of(root), page.with_suffix(".ipynb"), page, log)
    html = page.read_text(encoding="utf-8")
    published = load_published(PUBLISHED_FILE)
    assert set(re.findall(r'id="(song2020[^"]*)"', html)) == set(published.entries)
    assert "All 42 published entries are shown" in html
    assert "StudyReport(" not in html and str(Path.cwd()) not in html
    assert "Reference run at the paper scale" in html
    assert not re.search(r'(?:href|src)="(?:[a-z]+:)?//', html), "nothing leads outside"
