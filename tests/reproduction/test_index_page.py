"""The entry page of a scale: every verdict, every result, links that lead somewhere."""

import re
import shutil
import subprocess

import pandas as pd
import pytest

from plausible.reproduction.index_page import write_index
from plausible.reproduction.report_tables import read_verdicts
from plausible.reproduction.verdicts import DIFFERS, REPRODUCED

from .conftest import ROOT
from .links import check_links

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def index(finished_run):
    path = finished_run / "reports" / "demo" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "workflow.html").write_text("<html></html>")
    write_index(
        path,
        run="demo scale",
        studies={"thuesen2022": "Thuesen 2022 <title>"},
        verdicts=pd.read_csv(finished_run / "results/demo/thuesen2022/verdicts.csv"),
        runtimes=pd.read_csv(finished_run / "results/demo/thuesen2022/runtimes.csv"),
        results_dir=finished_run / "results" / "demo",
        root=ROOT,
    )
    return path


def test_every_link_of_the_index_resolves(index):
    page = check_links(index)
    assert page.tags.count("script") == 1
    links = set(page.found)
    assert "workflow.html" in links
    assert "../../results/demo/thuesen2022/verdicts.csv" in links
    assert "../../results/demo/thuesen2022/fig2a.svg" in links
    assert "../../results/demo/thuesen2022/theorems.csv" in links


def test_index_has_every_verdict_and_every_result(index, finished_run):
    text = index.read_text()
    verdicts = read_verdicts(finished_run / "results/demo/thuesen2022/verdicts.csv")
    rows = re.findall(r'<tr data-verdict="([^"]+)"', text)
    assert pd.Series(rows).value_counts().to_dict() == verdicts["verdict"].value_counts().to_dict()
    assert "Thuesen 2022 &lt;title&gt;" in text
    assert "thuesen2022_beyond_energy" in text.replace("<wbr>", "")
    assert '<td class="number">0.2</td>' in text, "0.25 minutes, rounded"


def test_index_is_the_same_bytes_every_time(index, finished_run):
    pages_made = []
    for name in ("once.html", "again.html"):
        write_index(
            index.with_name(name),
            "demo scale",
            {"thuesen2022": "T"},
            pd.read_csv(finished_run / "results/demo/thuesen2022/verdicts.csv"),
            pd.read_csv(finished_run / "results/demo/thuesen2022/runtimes.csv"),
            finished_run / "results" / "demo",
            root=ROOT,
        )
        pages_made.append(index.with_name(name).read_bytes())
    assert pages_made[0] == pages_made[1]


def test_index_without_run_times_and_workflow_report(finished_run, tmp_path):
    write_index(
        tmp_path / "index.html",
        "demo scale",
        {"thuesen2022": "T"},
        pd.read_csv(finished_run / "results/demo/thuesen2022/verdicts.csv"),
        None,
        finished_run / "results" / "demo",
        workflow_report=None,
        root=ROOT,
    )
    check_links(tmp_path / "index.html")


def loaded(path, fragment=""):
    """The page after its script has run, in headless Chromium."""
    command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom"]
    url = path.resolve().as_uri() + fragment
    answer = subprocess.run([*command, url], capture_output=True, text=True, timeout=120)
    return answer.stdout


@pytest.mark.slow
@pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed")
def test_script_of_the_index_filters(index, finished_run):
    verdicts = read_verdicts(finished_run / "results/demo/thuesen2022/verdicts.csv")
    count = (verdicts["verdict"] == DIFFERS).sum()
    assert 0 < count < len(verdicts)
    dom = loaded(index, "#verdict=differs")
    assert f"{count} of {len(verdicts)} rows shown" in dom
    hidden = re.findall(r'<tr data-verdict="[^"]+"[^>]*hidden=""', dom)
    assert len(hidden) == len(verdicts) - count
    dom = loaded(index, "#text=row+4&protocol=corrected&verdict=" + REPRODUCED)
    wanted = verdicts[(verdicts["verdict"] == REPRODUCED) & (verdicts["protocol"] == "corrected")]
    shown = int(re.search(r"(\d+) of \d+ rows shown", dom).group(1))
    assert shown < len(wanted)
