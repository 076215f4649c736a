"""Executed reports: complete, without any link to the outside, to be executed again."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from plausible.errors import StudyError
from plausible.reproduction.declaration import page_name
from plausible.reproduction.published import load_published
from plausible.reproduction.report_tables import read_verdicts
from plausible.reproduction.reports import (
    notebook_pages,
    render_notebook,
    with_linked_outputs,
    with_meanings,
)

from .conftest import REASON, STUDIES, WORKFLOW, pages_of, parts_of, render
from .links import Links, check_links


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_report_shows_every_entry_and_every_verdict(rendered, finished_run, study):
    published = load_published(WORKFLOW / "published" / study, parts_of(study))
    texts = {}
    for part in ("", *parts_of(study)):
        page = check_links(rendered / page_name(study, part))
        texts[part] = (rendered / page_name(study, part)).read_text()
        assert "script" not in page.tags
        own = {name for name in published.entries if published.part_of[name] == part}
        assert own <= page.names, "an anchor for every entry"
    verdicts = read_verdicts(finished_run / "results" / "demo" / study / "verdicts.csv")
    html = "".join(texts.values())
    for verdict, count in verdicts["verdict"].value_counts().items():
        assert html.count(f"</span> {verdict}</span>") > count, "rows, and what each verdict means"
    assert f"All {len(published.entries)} published entries" in texts[""]
    assert REASON in html, "the explanation of a difference"
    assert "StudyReport(" not in html and "results_dir" not in html, "code is hidden"
    assert "snakemake --cores 8" in html and "claims" in html


@pytest.mark.slow
def test_equal_results_give_equal_reports(rendered, finished_run, tmp_path):
    render(finished_run, "thuesen2022", tmp_path / "thuesen2022.ipynb")
    for name in ("thuesen2022.ipynb", *pages_of("thuesen2022")):
        assert (rendered / name).read_bytes() == (tmp_path / name).read_bytes()
    notebook = nbformat.read(rendered / "thuesen2022.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert "papermill" not in notebook.metadata


@pytest.mark.slow
def test_papermill_alone_executes_a_report_on_other_results(rendered, finished_run, tmp_path):
    """The command of README.md, with the notebook as it is committed: without pictures."""
    kept = with_linked_outputs((rendered / "thuesen2022.ipynb").read_text(), lambda name: name)
    assert "data:image" not in kept
    (tmp_path / "kept.ipynb").write_text(kept)
    other = tmp_path / "other"
    shutil.copytree(finished_run / "results" / "demo" / "thuesen2022", other)
    record = other / "verdicts.csv.json"
    record.write_text(record.read_text().replace("0123456789ab", "fedcba987654"))
    command = [sys.executable, "-m", "papermill", "kept.ipynb", "out.ipynb"]
    command += ["-p", "scale", "quick", "-p", "results_dir", str(other), "--no-progress-bar"]
    environment = os.environ | {"IPYTHONDIR": str(tmp_path), "JUPYTER_RUNTIME_DIR": str(tmp_path)}
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, timeout=300)
    made = (tmp_path / "out.ipynb").read_text()
    assert "fedcba987654" in made and "0123456789ab" not in made
    assert "<dd>quick</dd>" in made and "data:image/svg+xml" in made


def write_template(path, *cells):
    text = '# Title\n\n```python tags=["parameters"]\nvalue = 1\n```\n'
    path.write_text(text + "".join(f"\n```python\n{cell}\n```\n" for cell in cells))
    return path


@pytest.mark.slow
def test_failing_cell_is_one_sentence_and_keeps_the_notebook(tmp_path):
    template = write_template(tmp_path / "t.md", "print(value + 1)", "1 / 0", "print('never')")
    outputs = tmp_path / "out.ipynb", {"t.html": tmp_path / "t.html"}
    with pytest.raises(StudyError, match="failed with ZeroDivisionError") as error:
        render_notebook([template], {"value": 41}, *outputs, tmp_path / "logs" / "job.log")
    assert "\n" not in str(error.value)
    kept = nbformat.read(tmp_path / "logs" / "job.ipynb", as_version=4)
    texts = [output.get("text", "") for cell in kept.cells for output in cell.get("outputs", [])]
    assert "42\n" in texts and "never\n" not in texts
    assert not (tmp_path / "out.ipynb").exists() and not (tmp_path / "t.html").exists()


def test_template_mistakes(tmp_path):
    arguments = ({"value": 1}, tmp_path / "a.ipynb", {}, tmp_path / "a.log")
    with pytest.raises(StudyError, match="is missing"):
        render_notebook([tmp_path / "none.md"], *arguments)
    template = write_template(tmp_path / "t.md")
    with pytest.raises(StudyError, match="no parameter 'valeu'; .* sets value"):
        render_notebook([template], {"valeu": 1}, *arguments[1:])
    with pytest.raises(StudyError, match="2 cells tagged 'parameters'"):
        render_notebook([template, template], *arguments)
    template.write_text("```python\n1\n```\n")
    with pytest.raises(StudyError, match="0 cells tagged 'parameters'"):
        render_notebook([template], *arguments)


@pytest.mark.slow
def test_the_kernel_is_this_python_whatever_the_user_has(tmp_path, monkeypatch):
    """A kernel of the same name in JUPYTER_PATH would win over ours."""
    kernel = tmp_path / "theirs" / "kernels" / "python3" / "kernel.json"
    kernel.parent.mkdir(parents=True)
    argv = ["/bin/false", "-f", "{connection_file}"]
    kernel.write_text(json.dumps({"argv": argv, "display_name": "x", "language": "python"}))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "theirs"))
    template = write_template(tmp_path / "t.md", "import sys\nprint(sys.executable)")
    outputs = tmp_path / "out.ipynb", {"t.html": tmp_path / "t.html"}
    render_notebook([template], {"value": 1}, *outputs, tmp_path / "job.log")
    assert sys.executable in outputs[0].read_text()


def cell(kind, text, part=""):
    output = nbformat.v4.new_output("display_data", data={"text/html": "<b>x</b>"})
    made = nbformat.v4.new_markdown_cell(text)
    if kind == "code":
        made = nbformat.v4.new_code_cell(text, outputs=[output])
    made.metadata["part"] = part
    return made


def test_a_notebook_becomes_an_overview_and_a_page_for_each_part():
    cells = [
        cell("markdown", "# Title of α\n\n## What was found"),
        cell("code", "secret = 1"),
        cell("markdown", "## Part one\n\n### Figure 1", "one"),
        cell("markdown", "## Part two", "two"),
        cell("markdown", "## The run"),
    ]
    names = {"": "d.html", "one": "d.one.html", "two": "d.two.html"}
    texts = notebook_pages(nbformat.v4.new_notebook(cells=cells), names, {})
    assert "<title>Title of α</title>" in texts[""] and "<title>Part one</title>" in texts["one"]
    assert "<b>x</b>" in texts[""] and "secret" not in texts[""]
    overview, one = Links(texts[""]), Links(texts["one"])
    assert {"#What-was-found", "#The-run", "d.one.html", "d.two.html"} <= set(overview.found)
    assert "Part-one" not in overview.names and "Figure-1" in one.names
    assert {"#Figure-1", "d.html", "d.two.html", "index.html"} <= set(one.found)
    assert 'href="d.one.html" aria-current="page"' in texts["one"]


def test_terms_are_explained_once_in_a_section_and_never_in_code_or_links():
    terms = {"IL": "inference learning", "Z-IL": 'zero "divergence"'}
    text = with_meanings(
        "<p>IL, Z-IL, IL</p><section><p>ILs, IL <code>IL</code></p></section>", terms
    )
    assert text.count('<abbr title="inference learning">IL</abbr>') == 2
    assert text.count('<abbr title="zero &#34;divergence&#34;">Z-IL</abbr>') == 1
    assert "ILs" in text and "<code>IL</code>" in text
    assert with_meanings("<a href='IL'>IL</a>", terms) == "<a href='IL'>IL</a>"
