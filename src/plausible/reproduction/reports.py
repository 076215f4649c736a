"""Executed notebooks, and the HTML pages made of them, which need no network."""

import os
import re
import sys
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from plausible.errors import StudyError
from plausible.files import write_text
from plausible.reproduction.pages import render

KERNEL_CONFIG = """# No history file, and no warning about the local connection on every start.
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"
"""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def render_notebook(
    template: str | Path,
    parameters: Mapping[str, Any],
    ipynb_path: str | Path,
    html_path: str | Path,
    log_path: str | Path,
) -> None:
    """Execute a jupytext template and write the notebook and its HTML page, both atomically.

    Parameters
    ----------
    template:
        Notebook in jupytext's percent format, with one cell tagged ``parameters``.
    parameters:
        Values for that cell; paths are relative to the working directory, where the kernel runs.
    ipynb_path, html_path:
        Where the executed notebook and its page go.
    log_path:
        Log of the job. If a cell fails, the notebook executed so far is kept beside it, with the
        suffix ``.ipynb``.

    Raises
    ------
    StudyError
        If the template is missing, has no parameters cell or does not take one of ``parameters``,
        or if a cell fails.
    """
    partial = Path(log_path).with_suffix(".ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    notebook = _read_template(Path(template), parameters)
    with _private_jupyter():
        executed = _execute(notebook, dict(parameters), partial, Path(template))
    _make_reproducible(executed)
    import nbformat

    write_text(ipynb_path, nbformat.writes(executed) + "\n")
    write_text(html_path, notebook_page(executed))
    partial.unlink(missing_ok=True)


def _read_template(template: Path, parameters: Mapping[str, Any]) -> Any:
    import jupytext

    if not template.is_file():
        raise StudyError(f"{template} is missing; every study has a report template there.")
    notebook = jupytext.read(template, fmt="py:percent")
    notebook.metadata["kernelspec"] = dict(KERNEL)
    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise StudyError(
            f"{template} has {len(tagged)} cells tagged 'parameters', where one is expected."
        )
    known = set(re.findall(r"^(\w+)\s*(?::[^=]+)?=", tagged[0].source, flags=re.MULTILINE))
    unknown = sorted(set(parameters) - known)
    if unknown:
        raise StudyError(
            f"{template} has no parameter '{unknown[0]}'; its parameters cell sets "
            f"{', '.join(sorted(known))}."
        )
    return notebook


def _execute(notebook: Any, parameters: dict[str, Any], partial: Path, template: Path) -> Any:
    import papermill

    with TemporaryDirectory(prefix="plausible-") as folder:
        source = Path(folder) / "template.ipynb"
        import nbformat

        nbformat.write(notebook, source)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # papermill's own deprecations are not ours
                return papermill.execute_notebook(
                    str(source),
                    str(partial),
                    parameters=parameters,
                    kernel_name=KERNEL["name"],
                    progress_bar=False,
                    request_save_on_cell_execute=True,
                )
        except papermill.exceptions.PapermillExecutionError as error:
            raise StudyError(
                f"{template}: cell {error.exec_count or '?'} failed with {error.ename}: "
                f"{error.evalue} The notebook up to there is kept as {partial}."
            ) from None


@contextmanager
def _private_jupyter() -> Iterator[None]:
    """Keep Jupyter's history, sockets and settings out of the user's home, and its own threads one.

    Concurrent reports would share a history file, and a home may not be writable on a cluster.
    """
    with TemporaryDirectory(prefix="plausible-jupyter-") as folder:
        settings = {
            "IPYTHONDIR": f"{folder}/ipython",
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
            "JUPYTER_CONFIG_DIR": f"{folder}/config",
            "JUPYTER_DATA_DIR": f"{folder}/data",
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
            # The kernel must be the Python that runs now, whatever is first in PATH.
            "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        }
        profile = Path(settings["IPYTHONDIR"]) / "profile_default"
        profile.mkdir(parents=True)
        (profile / "ipython_kernel_config.py").write_text(KERNEL_CONFIG, encoding="utf-8")
        before = {name: os.environ.get(name) for name in settings}
        os.environ.update(settings)
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def _make_reproducible(notebook: Any) -> None:
    """Remove times, machine paths and random ids, so that equal results give equal notebooks."""
    notebook.metadata.pop("papermill", None)
    for number, cell in enumerate(notebook.cells):
        cell["id"] = f"cell-{number:03d}"
        for key in ("papermill", "execution"):
            cell.metadata.pop(key, None)


def notebook_page(notebook: Any) -> str:
    """HTML page of an executed notebook: texts and outputs, without the code, without any link out.

    The title is the first heading.
    """
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_input_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    body = re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", body)
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", body, flags=re.DOTALL)
    end = heading.end() if heading else 0
    headings = re.findall(r'<h2[^>]*id="([^"]+)"[^>]*>(.*?)</h2>', body, flags=re.DOTALL)
    return render(
        "report.html.j2",
        title=Markup(heading[1]).striptags() if heading else "Report",
        head=Markup(body[:end]),
        contents=[(name, Markup(text).striptags()) for name, text in headings],
        body=Markup(body[end:]),
    )
