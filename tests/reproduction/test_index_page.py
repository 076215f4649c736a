"""The entry page of a scale: what holds, what was found, every verdict, links."""

import json
import re

import pandas as pd
import pytest

from plausible.reproduction.summaries import headline

from .conftest import ROOT, made_pages, write_index_of
from .links import check_links


@pytest.fixture(scope="module")
def index(finished_run):
    path = finished_run / "reports" / "demo" / "index.html"
    made_pages(path.parent)
    return path, write_index_of(finished_run, path)


def rows_of(text):
    data = re.search(r'<script type="application/json" id="rows">(.*?)</script>', text, re.DOTALL)
    return json.loads(data[1])


def test_every_link_of_the_index_resolves(index):
    page = check_links(index[0])
    assert page.tags.count("script") == 3
    links = set(page.found)
    assert {"workflow.html", "song2020.html", "thuesen2022.table1.html"} <= links
    assert "../../results/demo/thuesen2022/verdicts.csv" in links
    assert "../../results/demo/thuesen2022/fig2a.svg" in links
    assert "../../results/demo/thuesen2022/theorems.csv" in links


def test_index_counts_entries_and_has_every_result(index):
    path, given = index
    text = path.read_text()
    assert headline(given["entries"]) in text
    counted = re.search(r'id="what-holds".*?</table>', text, re.DOTALL)[0]
    numbers = [int(number) for number in re.findall(r'<td class="count">(\d+)</td>', counted)]
    assert sum(numbers) == len(given["entries"])
    assert "thuesen2022_beyond_energy" in text.replace("<wbr>", "")
    assert '<td class="number">0.2</td>' in text, "0.25 minutes, rounded"


def test_index_tells_findings_of_the_reference_run_with_their_pictures(index):
    text = index[0].read_text()
    told = re.search(r'id="what-was-found".*?</ol>', text, re.DOTALL)[0]
    assert "the reference run at the paper scale" in told
    table = pd.read_csv(ROOT / "results/reference/oconnor2020/table_a1.csv")
    rows = table[(table["network"] == "depth_first") & (table["part"] == "thesis")]
    rows = rows[(rows["epoch"] == 4) & (rows["protocol"] == "as_coded")]
    assert "order of updates" in told and f"{rows['error_percent'].mean():.1f} [" in told
    assert '<img src="../../results/reference/thuesen2022/fig5.svg"' in told


def test_verdicts_and_terms_are_explained_where_they_are_met(index):
    text = index[0].read_text()
    counted = re.search(r'id="what-holds".*?</table>', text, re.DOTALL)[0]
    assert '<abbr title="Only where a misprint or a gap of the text is mended.">' in counted
    told = re.search(r'id="what-was-found".*?</ol>', text, re.DOTALL)[0]
    assert re.search(r'<abbr title="[^"]{10,}">[^<]+</abbr>', told)


def test_rows_lie_in_the_page_as_data_measured_ones_first(index):
    path, given = index
    data = rows_of(path.read_text())
    verdicts = given["verdicts"]
    assert len(data["rows"]) == len(verdicts)
    shown = pd.Series([row[10] for row in data["rows"]]).value_counts().to_dict()
    assert shown == verdicts["verdict"].value_counts().to_dict()
    kinds = [row[3] == "theorem" for row in data["rows"]]
    assert kinds == sorted(kinds) and any(kinds)
    study, part, name = data["rows"][0][:3]
    assert f"{study}.{name}" == verdicts["id"].iloc[0]
    assert (path.parent / f"{study}.{part}.html").is_file()
    assert data["texts"][data["rows"][0][4]] in verdicts["statement"].iloc[0]


def test_a_row_cannot_end_the_script(index, finished_run):
    path, given = index
    verdicts = given["verdicts"].assign(note="</script><b>")
    write_index_of(finished_run, path.with_name("other.html"), verdicts=verdicts)
    text = path.with_name("other.html").read_text()
    assert "</script><b>" not in text and "</script><b>" in rows_of(text)["texts"]


def test_index_is_the_same_bytes_every_time(index, finished_run):
    path = index[0]
    write_index_of(finished_run, path.with_name("again.html"))
    assert path.read_bytes() == path.with_name("again.html").read_bytes()


def test_index_without_run_times_and_workflow_report(index, finished_run):
    path = index[0].with_name("small.html")
    write_index_of(finished_run, path, runtimes=None, workflow_report=None)
    check_links(path)
    assert "Run times" not in path.read_text()
