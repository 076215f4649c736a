"""Executed reports: complete, without any link to the outside, to be executed again."""

import json
import os
import shutil
import subprocess
import sys

import nbformat
import pytest

from plausible.errors import StudyError
from plausible.reproduction.published import load_published
from plausible.reproduction.report_tables import read_verdicts
from plausible.reproduction.reports import notebook_page, render_notebook, with_linked_outputs

from .conftest import STUDIES, WORKFLOW, parameters_of, parts_of, templates_of
from .links import Links, check_links


@pytest.fixture(scope="module")
def rendered(finished_run):
    """The real report of every study, executed on the made-up run."""
    folder = finished_run / "reports" / "demo"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "index.html").touch()
    for study in STUDIES:
        render(finished_run, study, folder / f"{study}.ipynb")
    return folder


def render(root, study, path):
    log = root / "logs" / "notebook.log"
    parameters = parameters_of(root, study)
    render_notebook(templates_of(study), parameters, path, path.with_suffix(".html"), log)
    assert not log.with_suffix(".ipynb").exists(), "kept only after a failure"


@pytest.mark.slow
@pytest.mark.parametrize("study", STUDIES)
def test_report_shows_every_entry_and_every_verdict(rendered, finished_run, study):
    page = check_links(rendered / f"{study}.html")
    assert "script" not in page.tags
    published = load_published(WORKFLOW / "published" / study, parts_of(study)).entries
    assert set(published) <= page.names, "an anchor for every entry"
    html = (rendered / f"{study}.html").read_text()
    verdicts = read_verdicts(finished_run / "results" / "demo" / study / "verdicts.csv")
    for verdict, count in verdicts["verdict"].value_counts().items():
        assert html.count(f"</span> {verdict}</span>") > count, "rows, and the sum above them"
    assert f"All {len(published)} published entries" in html
    assert "adds 1e-12 to the current" in html, "the explanation of a difference"
    assert "StudyReport(" not in html and "results_dir" not in html, "code is hidden"


@pytest.mark.slow
def test_equal_results_give_equal_reports(rendered, finished_run, tmp_path):
    render(finished_run, "thuesen2022", tmp_path / "thuesen2022.ipynb")
    for name in ("thuesen2022.ipynb", "thuesen2022.html"):
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
    outputs = tmp_path / "out.ipynb", tmp_path / "out.html"
    with pytest.raises(StudyError, match="failed with ZeroDivisionError") as error:
        render_notebook([template], {"value": 41}, *outputs, tmp_path / "logs" / "job.log")
    assert "\n" not in str(error.value)
    kept = nbformat.read(tmp_path / "logs" / "job.ipynb", as_version=4)
    texts = [output.get("text", "") for cell in kept.cells for output in cell.get("outputs", [])]
    assert "42\n" in texts and "never\n" not in texts
    assert not any(output.exists() for output in outputs)


def test_template_mistakes(tmp_path):
    arguments = ({"value": 1}, tmp_path / "a.ipynb", tmp_path / "a.html", tmp_path / "a.log")
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
    outputs = tmp_path / "out.ipynb", tmp_path / "out.html"
    render_notebook([template], {"value": 1}, *outputs, tmp_path / "job.log")
    assert sys.executable in outputs[0].read_text()


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
