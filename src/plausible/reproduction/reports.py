"""Executed notebooks, and the HTML pages made of them, which need no network.

The report of a study is one notebook, put together from a template for each part of the study. It
becomes a page for each part, and an overview of what stands before and after the parts.
"""

import os
import re
import warnings
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from textwrap import shorten
from typing import Any
from urllib.parse import unquote

from markupsafe import Markup, escape

from plausible.errors import StudyError
from plausible.files import write_text
from plausible.reproduction.pages import render, with_linked_pictures

KERNEL_CONFIG = """# No history file, and no warning about the local connection on every start.
c.HistoryManager.enabled = False
c.IPKernelApp.log_level = "ERROR"
"""
HOVER = 180
"""Characters of a meaning that is shown on hovering; the glossary has all of it."""
OPAQUE = ("a", "abbr", "code", "span", "svg", "summary", "h1", "h2", "h3", "h4", "dt")
"""Elements in whose text nothing is marked."""
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}


def render_notebook(
    templates: Iterable[str | Path],
    parameters: Mapping[str, Any],
    ipynb_path: str | Path,
    pages: Mapping[str, str | Path],
    log_path: str | Path,
    terms: Mapping[str, str] | None = None,
) -> None:
    """Execute the notebook of a study and write it and its HTML pages, all atomically.

    Parameters
    ----------
    templates:
        The parts of the notebook in their order, in jupytext's Markdown format. One of their cells
        is tagged ``parameters``.
    parameters:
        Values for that cell; paths are relative to the working directory, where the kernel runs.
    ipynb_path:
        Where the executed notebook goes.
    pages:
        Where its pages go, by the names that they will have: ``<study>.html`` for the overview,
        ``<study>.<part>.html`` for a part, which is the stem of a template.
    log_path:
        Log of the job. If a cell fails, the notebook executed so far is kept beside it, with the
        suffix ``.ipynb``.
    terms:
        Abbreviations and names with their meanings, which the pages show where they are met.

    Raises
    ------
    StudyError
        If a template is missing, they have no parameters cell or do not take one of
        ``parameters``, or if a cell fails.
    """
    import nbformat

    partial = Path(log_path).with_suffix(".ipynb")
    partial.parent.mkdir(parents=True, exist_ok=True)
    names = {part_shown(name): name for name in pages}
    notebook = assemble(templates, names)
    _set_parameters(notebook, parameters)
    with _private_jupyter():
        executed = _execute(notebook, partial)
    _make_reproducible(executed)
    write_text(ipynb_path, nbformat.writes(executed) + "\n")
    for part, text in notebook_pages(executed, names, terms or {}).items():
        write_text(pages[names[part]], text)
    partial.unlink(missing_ok=True)


def part_shown(page: str) -> str:
    """Part that a page shows, from its name; empty for the overview."""
    return page.removesuffix(".html").partition(".")[2]


def assemble(templates: Iterable[str | Path], parts: Container[str] = ()) -> Any:
    """One notebook of several templates; cells of those that are ``parts`` say so.

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
        own = jupytext.read(template, fmt="md").cells
        for cell in own:
            cell.metadata["part"] = template.stem if template.stem in parts else ""
        cells += own
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


def notebook_pages(
    notebook: Any, pages: Mapping[str, str], terms: Mapping[str, str]
) -> dict[str, str]:
    """HTML pages of an executed notebook, by the part that each shows: texts and outputs, no code.

    ``pages`` are the names of their files. The title of the overview is the first heading of the
    notebook, that of another page the first heading of its part.
    """
    import nbformat

    bodies = {}
    for part in pages:
        cells = [cell for cell in notebook.cells if cell.metadata.get("part", "") == part]
        bodies[part] = _body(nbformat.from_dict({**notebook, "cells": cells}))
        if part:  # its first heading is the title of a page of its own
            bodies[part] = re.sub(r"<(/?)h2\b", r"<\1h1", bodies[part], count=2)
    titles = {part: _title(body) for part, body in bodies.items()}
    return {
        part: render(
            "report.html.j2",
            title=titles[part],
            study=titles[""],
            overview=pages[""],
            part=part,
            parts=[(pages[name], titles[name], name == part) for name in pages if name],
            contents=_headings(body),
            body=Markup(with_meanings(body, terms)),
        )
        for part, body in bodies.items()
    }


def _body(notebook: Any) -> str:
    """Texts and outputs of a notebook as HTML."""
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(
        template_name="basic",
        exclude_input=True,
        exclude_output_prompt=True,
        exclude_input_prompt=True,
    )
    body, _ = exporter.from_notebook_node(notebook)
    body = re.sub(r'<a class="anchor-link"[^>]*>.*?</a>', "", body)
    return re.sub(r'(<h\d[^>]* id=")([^"]+)', lambda found: found[1] + unquote(found[2]), body)


def _title(body: str) -> str:
    heading = re.search(r"<h1[^>]*>(.*?)</h1>", body, flags=re.DOTALL)
    return Markup(heading[1]).striptags() if heading else "Report"


def _headings(body: str) -> list[tuple[str, str, str, str]]:
    """Level, id, sign of the verdict and text of every heading that can be linked."""
    found = re.findall(r"<h([23])\b([^>]*)>(.*?)</h\1>", body, flags=re.DOTALL)
    headings = []
    for level, attributes, text in found:
        identifier = re.search(r'\bid="([^"]+)"', attributes)
        sign = re.search(r'data-sign="([^"]+)"', attributes)
        if identifier:
            shown = Markup(text).striptags()
            headings.append((level, identifier[1], sign[1] if sign else "", shown))
    return headings


def with_meanings(body: str, terms: Mapping[str, str]) -> str:
    """HTML in which a term shows its meaning on hovering, once in a section, row or item."""
    if not terms:
        return body
    names = "|".join(sorted(map(re.escape, terms), key=len, reverse=True))
    term = re.compile(rf"(?<![\w-])({names})(?![\w-])")
    short = {name: shorten(text, HOVER, placeholder=" …") for name, text in terms.items()}
    told: set[str] = set()
    inside = 0
    pieces = []

    def marked(match: re.Match[str]) -> str:
        if match[1] in told:
            return match[0]
        told.add(match[1])
        return f'<abbr title="{escape(short[match[1]])}">{match[1]}</abbr>'

    for text in re.split(r"(<[^>]*>)", body):
        tag = re.match(r"<(/?)(\w+)", text)
        if tag is None:
            pieces.append(text if inside else term.sub(marked, text))
            continue
        if tag[2] in OPAQUE:
            inside += -1 if tag[1] else 1
        elif tag[2] in ("section", "tr", "li", "h2"):
            told.clear()
        pieces.append(text)
    return "".join(pieces)
