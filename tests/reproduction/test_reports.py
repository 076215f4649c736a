"""Reports: complete, without any link to the outside, with every link leading somewhere."""

import re
import shutil
import subprocess
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import unquote

import nbformat
import numpy as np
import pandas as pd
import pytest

from plausible.errors import StudyError
from plausible.reproduction import pages, wording
from plausible.reproduction.index_page import write_index
from plausible.reproduction.published import load_published
from plausible.reproduction.report_tables import note_cells, read_verdicts, reproduced_cell
from plausible.reproduction.reports import notebook_page, render_notebook
from plausible.reproduction.study_report import StudyReport
from plausible.reproduction.verdicts import DIFFERS, REPRODUCED, VERDICTS

from .conftest import PUBLISHED_FILE, ROOT, STUDY_FILE

TEMPLATE = ROOT / "workflow" / "notebooks" / "thuesen2022.py"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


class Links(HTMLParser):
    """Links, names and pictures of a page; whatever loads or leads somewhere."""

    def __init__(self, text):
        super().__init__()
        self.found, self.names, self.texts, self.tags = [], set(), [], []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        for key, value in attributes:
            if key in ("href", "src", "action", "data", "poster", "srcset", "xlink:href"):
                self.found.append(value)
            if key in ("id", "name"):
                self.names.add(value)
            if key == "style":
                assert "url(" not in value
        if tag == "img":
            assert dict(attributes).get("alt"), "every picture needs a text"

    def handle_data(self, data):
        self.texts.append(data)


def check_links(path):
    """Every link of a page resolves and nothing leads outside; returns the parsed page."""
    text = path.read_text(encoding="utf-8")
    page = Links(text)
    for link in page.found:
        assert link is not None and link != "", "an empty link loads the page itself"
        if link.startswith("data:image/"):
            continue
        assert not re.match(r"[a-zA-Z][a-zA-Z+.-]*:|//", link), f"external: {link[:80]}"
        place, _, name = link.partition("#")
        if place:
            assert (path.parent / unquote(place)).exists(), f"dead link {link}"
        elif name:
            assert unquote(name) in page.names, f"dead anchor {link}"
    assert "@import" not in text and not re.search(r"url\(\s*['\"]?(https?:)?//", text)
    return page


def parameters_of(root, scale="demo"):
    return {
        "scale": scale,
        "results_dir": str(root / "results" / "demo" / "thuesen2022"),
        "published_file": str(PUBLISHED_FILE),
        "study_file": str(STUDY_FILE),
        "reference_dir": str(root / "results" / "reference" / "thuesen2022"),
        "runtimes_file": str(root / "results" / "demo" / "runtimes.csv"),
    }


@pytest.fixture(scope="module")
def report(finished_run):
    return StudyReport("thuesen2022", **parameters_of(finished_run))


@pytest.fixture(scope="module")
def index(finished_run):
    path = finished_run / "reports" / "demo" / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    (path.parent / "workflow.html").write_text("<html></html>")
    write_index(
        path,
        scale="demo",
        studies={"thuesen2022": "Thuesen 2022 <title>"},
        verdicts=pd.read_csv(finished_run / "results/demo/thuesen2022/verdicts.csv"),
        runtimes=pd.read_csv(finished_run / "results/demo/runtimes.csv"),
        results_dir=finished_run / "results" / "demo",
        root=ROOT,
    )
    return path


# --------------------------------------------------------------------- the notebook


@pytest.fixture(scope="module")
def rendered(finished_run, index):
    """The real template, executed on the synthetic run, twice."""
    folder = index.parent
    for number in (1, 2):
        render_notebook(
            TEMPLATE,
            parameters_of(finished_run),
            folder / f"thuesen2022{'' if number == 1 else '.again'}.ipynb",
            folder / f"thuesen2022{'' if number == 1 else '.again'}.html",
            finished_run / "logs" / "notebook.log",
        )
    return folder


@pytest.mark.slow
def test_a_reason_that_rows_share_is_told_once():
    notes = ["a. Why: x < y", "b", "c. Why: alone", "d. Why: x < y", "Why: twice", "Why: twice"]
    assert note_cells(notes) == [
        "a. <br><strong>Why (1):</strong> x &lt; y",
        "b",
        "c. <br><strong>Why:</strong> alone",
        "d. <br><strong>Why:</strong> reason (1) above.",
        "<br><strong>Why (2):</strong> twice",
        "<br><strong>Why:</strong> reason (2) above.",
    ]


def test_every_link_of_the_report_resolves(rendered):
    page = check_links(rendered / "thuesen2022.html")
    assert "script" not in page.tags


@pytest.mark.slow
def test_report_shows_every_entry_and_every_verdict(rendered, finished_run):
    html = (rendered / "thuesen2022.html").read_text()
    page = Links(html)
    assert set(load_published(PUBLISHED_FILE).entries) <= page.names, "an anchor for every entry"
    verdicts = read_verdicts(finished_run / "results/demo/thuesen2022/verdicts.csv")
    for verdict, count in verdicts["verdict"].value_counts().items():
        assert html.count(f"</span> {verdict}</span>") > count, "rows, and the sum above them"
    assert "All 54 published entries are shown" in html
    assert "adds 1e-12 to the current" in html, "the explanation of a difference"


@pytest.mark.slow
def test_report_hides_code_and_machine_paths_and_is_reproducible(rendered, finished_run):
    html = (rendered / "thuesen2022.html").read_text()
    assert "StudyReport(" not in html and "results_dir" not in html
    notebook = nbformat.read(rendered / "thuesen2022.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "papermill" not in notebook.metadata
    for suffix in ("ipynb", "html"):
        once, again = (
            (rendered / f"thuesen2022{name}.{suffix}").read_bytes() for name in ("", ".again")
        )
        assert once == again
    assert not (finished_run / "logs" / "notebook.ipynb").exists(), "kept only after a failure"


def write_template(path, *cells):
    text = '# %% [markdown]\n# # Title\n\n# %% tags=["parameters"]\nvalue = 1\n'
    path.write_text(text + "".join(f"\n# %%\n{cell}\n" for cell in cells))
    return path


@pytest.mark.slow
def test_failing_cell_is_one_sentence_and_keeps_the_notebook(tmp_path):
    template = write_template(tmp_path / "t.py", "print(value + 1)", "1 / 0", "print('never')")
    outputs = tmp_path / "out.ipynb", tmp_path / "out.html"
    with pytest.raises(StudyError, match="failed with ZeroDivisionError") as error:
        render_notebook(template, {"value": 41}, *outputs, tmp_path / "logs" / "job.log")
    assert "\n" not in str(error.value)
    kept = nbformat.read(tmp_path / "logs" / "job.ipynb", as_version=4)
    texts = [output.get("text", "") for cell in kept.cells for output in cell.get("outputs", [])]
    assert "42\n" in texts and "never\n" not in texts
    assert not any(output.exists() for output in outputs)


def test_template_mistakes(tmp_path):
    arguments = ({"value": 1}, tmp_path / "a.ipynb", tmp_path / "a.html", tmp_path / "a.log")
    with pytest.raises(StudyError, match="is missing"):
        render_notebook(tmp_path / "none.py", *arguments)
    template = write_template(tmp_path / "t.py")
    with pytest.raises(StudyError, match="no parameter 'valeu'; .* sets value"):
        render_notebook(template, {"valeu": 1}, *arguments[1:])
    template.write_text("# %%\n1\n")
    with pytest.raises(StudyError, match="0 cells tagged 'parameters'"):
        render_notebook(template, *arguments)


def test_page_has_title_contents_and_no_input():
    notebook = nbformat.v4.new_notebook(
        cells=[
            nbformat.v4.new_markdown_cell("# Title of α\n\n## Part one"),
            nbformat.v4.new_code_cell(
                "secret = 1",
                outputs=[nbformat.v4.new_output("display_data", data={"text/html": "<b>x</b>"})],
            ),
            nbformat.v4.new_markdown_cell("## Part two"),
        ]
    )
    text = notebook_page(notebook)
    assert "<title>Title of α</title>" in text
    assert "<b>x</b>" in text and "secret" not in text
    page = Links(text)
    assert {"#Part-one", "#Part-two"} <= set(page.found)
    assert {"Part-one", "Part-two"} <= page.names


# ------------------------------------------------------------------- pieces of a report


def test_verdict_table_has_three_columns_of_values(report):
    text = report.verdict_table("table1")
    for word in ("published", "reference", "this run", "verdict"):
        assert f'<th scope="col">{word}</th>' in text
    without = StudyReport(
        "thuesen2022", **{**parameters_of(report.folder.parents[2]), "reference_dir": None}
    )
    assert '<th scope="col">reference</th>' not in without.verdict_table("table1")


def test_table1_shows_published_reference_and_this_run(report):
    text = report.table1()
    assert text.count("97.97") >= 3
    for name in ("reference", "this run"):
        for protocol in ("as published", "as coded", "corrected"):
            assert f"{name}: {protocol}" in text


def test_protocol_settings_come_from_what_ran(report):
    text = report.protocol_settings()
    assert "thuesen_normal" in text and "spcn_sgd, spcn_adam" in text.replace(
        "spcn_adam, spcn_sgd", "spcn_sgd, spcn_adam"
    )
    assert "epochs" not in text, "settings that agree are left out"


def test_which_protocol_leaves_what_the_scale_cannot_say_to_the_reference(report):
    text = report.which_protocol()
    own, _, reference = text.partition("Reference run at the paper scale")
    assert "SPCN, Z-IL, SGD" not in own and "SPCN, Z-IL, SGD" in reference
    assert "only a run at the paper scale can say" in own
    assert "r of j in Hz" in own


def test_causes_show_both_runs(report):
    text = report.causes()
    assert '<th scope="col">reference run</th>' in text
    assert "numerical precision" in text


def test_missing_pieces_are_errors(report, tmp_path):
    with pytest.raises(StudyError, match="leaves out .*thuesen2022.fig2a"):
        StudyReport("thuesen2022", **parameters_of(report.folder.parents[2])).unshown()
    with pytest.raises(StudyError, match="picture .*nothing.svg is missing"):
        pages.picture(tmp_path / "nothing", "x")
    parameters = {**parameters_of(report.folder.parents[2]), "results_dir": str(tmp_path)}
    with pytest.raises(StudyError, match="verdicts.csv is missing"):
        StudyReport("thuesen2022", **parameters)


def test_summary_names_commit_and_seeds(report):
    text = report.summary()
    assert "0123456789ab" in text and "0, 1, 2" in text and "a processor" in text


def test_smaller_picture_is_embedded(tmp_path):
    (tmp_path / "a.svg").write_text('<svg width="72pt"/>' + "<g/>" * 100)
    png = (
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (600).to_bytes(4, "big") + (300).to_bytes(4, "big")
    )
    (tmp_path / "a.png").write_bytes(png)
    text = pages.picture(tmp_path / "a", "two & three")
    assert "data:image/png;base64," in text and 'alt="two &amp; three"' in text
    assert "width:288px" in text, "600 pixels at 300 dpi are 2 inches, times 96 times 1.5"
    (tmp_path / "a.png").unlink()
    assert "width:144px" in pages.picture(tmp_path / "a", "x")


def test_embedded_pictures_can_become_links(tmp_path):
    (tmp_path / "claim.a.svg").write_text('<svg width="72pt"/>')
    (tmp_path / "b.svg").write_text('<svg width="72pt"/>')
    text = pages.picture(tmp_path / "claim.a", "first") + pages.picture(tmp_path / "b", "second")
    output = nbformat.v4.new_output("display_data", data={"text/html": text})
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell("1", outputs=[output])])
    for form in (text, notebook_page(notebook)):
        assert form.count("data:image/") == 2
        linked = pages.with_linked_pictures(form, lambda name: f"../results/{name}.svg")
        images = [link for link in Links(linked).found if link != "#main"]
        assert images == ["../results/claim.a.svg", "../results/b.svg"]
        assert 'alt="first"' in linked and "data:" not in linked


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (97.3149, "97.31"),
        (0.04567, "0.04567"),
        (0.05, "0.05"),
        (1e-13, "1.00e-13"),
        (10, "10"),
        (10.0, "10"),
        (118.163209, "118.16"),
        ("", ""),
        (None, ""),
        (float("nan"), ""),
        ("diverged", "diverged"),
        ("97.5", "97.50"),
        (True, "yes"),
        (float("inf"), "inf"),
    ],
)
def test_number_text(value, text):
    assert wording.number_text(value) == text


def test_html_is_escaped():
    text = pages.table(["<a>"], [["<b>&"]], caption="<c>")
    assert "<a>" not in text and "<b>" not in text and "<c>" not in text
    assert "&lt;b&gt;&amp;" in text


def contrast(first, second):
    """Contrast ratio of two colours by the WCAG definition."""

    def luminance(colour):
        channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]

    bright, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)


def test_badges_are_legible_and_told_apart_without_colour():
    style = pages.render("style.css")
    for verdict, sign in pages.SIGNS.items():
        shown = pages.badge(verdict)
        assert sign in shown and f"</span> {verdict}</span>" in shown
        name = re.search('class="badge ([^"]+)"', shown)[1]
        rule = re.search(rf"\.badge\.{name}\b[^{{]*{{([^}}]*)}}", style)[1]
        assert contrast(*re.findall(r"#\w{6}", rule)) >= 4.5
    assert len({pages.SIGNS[verdict] for verdict in VERDICTS}) == len(VERDICTS)


# ------------------------------------------------------------------------- the index


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
            "demo",
            {"thuesen2022": "T"},
            pd.read_csv(finished_run / "results/demo/thuesen2022/verdicts.csv"),
            pd.read_csv(finished_run / "results/demo/runtimes.csv"),
            finished_run / "results" / "demo",
            root=ROOT,
        )
        pages_made.append(index.with_name(name).read_bytes())
    assert pages_made[0] == pages_made[1]


def test_index_without_run_times_and_workflow_report(finished_run, tmp_path):
    write_index(
        tmp_path / "index.html",
        "demo",
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


@pytest.mark.parametrize(
    ("label", "text"),
    [
        ("r_of_j_hz 2", "r of j in Hz: 2"),
        ("titan_x_yolo_w", "titan x yolo in W"),
        ("cell_body_um.0", "cell body in µm (1)"),
        ("section_4_6_3.1", "section 4.6.3 (2)"),
        ("table3_2 sgd, thesis split", "table 3.2: sgd, thesis split"),
        ("lambda 1e-10, Round, mnist: energy_nj", "lambda 1e-10, Round, mnist: energy in nJ"),
        ("Original, mnist: kflops_dense", "Original, mnist: kOps dense"),
        ("test error at l_max 2: cells", "test error at l_max 2: cells"),
        ("scaled_r 1.5", "scaled r: 1.5"),
        ("gap 1", "gap 1"),
    ],
)
def test_names_of_published_numbers_are_words(label, text):
    assert wording.quantity(label) == text


@pytest.mark.parametrize(
    ("low", "high", "seeds", "small"),
    [
        (1.72, 2.267, 3, "[1.72, 2.27], 3 seeds"),
        (np.nan, np.nan, 1, "1 seed"),
        (np.nan, np.nan, 0, None),
    ],
)
def test_a_reproduced_value_tells_its_interval_and_its_seeds(low, high, seeds, small):
    row = SimpleNamespace(published=2.07, reproduced=1.993, ci_low=low, ci_high=high, n_seeds=seeds)
    expected = f"1.99<br><small>{small}</small>" if small else "1.99"
    assert str(reproduced_cell(row)) == expected
