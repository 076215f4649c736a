"""Executed notebooks, and the HTML pages made of them, which need no network.

The report of a study is one notebook, put together from a template for each part of the study.
"""

import os
import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from markupsafe import Markup

from plausible.errors import StudyError
from plausible.files import write_text
from plausible.reproduction.pages import render, with_linked_pictures

KERNEL_CONFIG = """# No history file, and no warning about the local connection on every start.
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"
"""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def render_notebook(
    templates: Iterable[str | Path],
    parameters: Mapping[str, Any],
    ipynb_path: str | Path,
    html_path: str | Path,
    log_path: str | Path,
) -> None:
    """Execute the notebook of a study and write it and its HTML page, both atomically.

    Parameters
    ----------
    templates:
        The parts of the notebook in their order, in jupytext's Markdown format. One of their cells
        is tagged ``parameters``.
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
        If a template is missing, they have no parameters cell or do not take one of
        ``parameters``, or if a cell fails.
    """
    import nbformat

    partial = Path(log_path).with_suffix(".ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    notebook = assemble(templates)
    _set_parameters(notebook, parameters)
    with _private_jupyter():
        executed = _execute(notebook, partial)
    _make_reproducible(executed)
    write_text(ipynb_path, nbformat.writes(executed) + "\n")
    write_text(html_path, notebook_page(executed))
    partial.unlink(missing_ok=True)


def assemble(templates: Iterable[str | Path]) -> Any:
    """One notebook of several templates.

    Raises
    ------
    StudyError
        If a template is missing.
    """
    import jupytext
    import nbformat

    cells = []
    for template in map(Path, templates):
        if not template.is_file():
            raise StudyError(f"{template} is missing; every part of a study has a template there.")
        cells += jupytext.read(template, fmt="md").cells
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": dict(KERNEL)})


def _set_parameters(notebook: Any, parameters: Mapping[str, Any]) -> None:
    """Write the values into the parameters cell.

    papermill would put them into a second cell, and replace that one as a whole when somebody
    executes the notebook again with one other value.
    """
    import papermill

    tagged = [c for c in notebook.cells if "parameters" in c.metadata.get("tags", [])]
    if len(tagged) != 1:
        raise StudyError(
            f"the templates of the report have {len(tagged)} cells tagged 'parameters', where one "
            "is expected."
        )
    known = {name: one["default"] for name, one in papermill.inspect_notebook(notebook).items()}
    for name, value in parameters.items():
        if name not in known:
            raise StudyError(
                f"the report has no parameter '{name}'; its parameters cell sets "
                f"{', '.join(known)}."
            )
        known[name] = repr(value)
    tagged[0].source = "\n".join(f"{name} = {value}" for name, value in known.items())


def _execute(notebook: Any, partial: Path) -> Any:
    import papermill

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # papermill's own deprecations are not ours
            return papermill.execute_notebook(
                notebook, partial, kernel_name=KERNEL["name"], progress_bar=False
            )
    except papermill.exceptions.PapermillExecutionError as error:
        raise StudyError(
            f"the report: cell {error.exec_count or '?'} failed with {error.ename}: {error.evalue} "
            f"The notebook up to there is kept as {partial}."
        ) from None


@contextmanager
def _private_jupyter() -> Iterator[None]:
    """Keep Jupyter's history, sockets and settings out of the user's home, and its own threads one.

    Concurrent reports would share a history file, and a home may not be writable on a cluster. The
    kernel is the Python that runs now: a kernel of the same name in the user's ``JUPYTER_PATH`` or
    home would win otherwise.
    """
    from ipykernel.kernelspec import write_kernel_spec

    with TemporaryDirectory(prefix="plausible-jupyter-") as folder:
        settings = {
            "IPYTHONDIR": f"{folder}/ipython",
            "JUPYTER_RUNTIME_DIR": f"{folder}/runtime",
            "JUPYTER_CONFIG_DIR": f"{folder}/config",
            "JUPYTER_DATA_DIR": f"{folder}/data",
            "JUPYTER_PATH": f"{folder}/jupyter",
            "JUPYTER_PLATFORM_DIRS": "1",
            "PYDEVD_DISABLE_FILE_VALIDATION": "1",
        }
        write_kernel_spec(Path(folder) / "jupyter" / "kernels" / KERNEL["name"])
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


def with_linked_outputs(text: str, address: Callable[[str], str]) -> str:
    """An executed notebook whose embedded pictures are links, as `with_linked_pictures` does it."""
    import nbformat

    notebook = nbformat.reads(text, as_version=4)
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            if "text/html" in output.get("data", {}):
                output.data["text/html"] = with_linked_pictures(output.data["text/html"], address)
    return nbformat.writes(notebook) + "\n"


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
