"""Where the code of a part is found: by its path, never by a registry.

The files of the part ``ch3_learning`` of ``oconnor2020`` stand in
``plausible/studies/oconnor2020/ch3_learning``: settings, experiment, tables, figures, claims,
theorems, report. A study file names a function of a kind of file; ``beyond.fsgd_and_sgd``
among the figures is the function ``fsgd_and_sgd`` of ``figures_beyond.py``, a name without a dot is
one of ``figures.py``.
"""

import ast
import re
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

from plausible.config import nearest
from plausible.errors import StudyError

STUDIES = "plausible.studies"
_FOLDER = Path(__file__).resolve().parents[1] / "studies"


class Place(NamedTuple):
    """A function and the module in which it stands."""

    module: str
    function: str

    def load(self) -> Callable[..., Any]:
        """The function itself."""
        return getattr(import_module(self.module), self.function)


def place(document: str, part: str, kind: str, name: str, where: str) -> Place:
    """Place of a function in the files of a kind; ``where`` says which line of a file asks for it.

    Raises
    ------
    StudyError
        If there is no such file or function, or the file is no Python.
    """
    topic, _, function = name.rpartition(".")
    stem = f"{kind}_{topic}" if topic else kind
    path = _FOLDER / document / part / f"{stem}.py"
    if not path.is_file():
        known = [_topic(module, kind) for module in modules(document, part, kind)]
        raise StudyError(
            f"{where} names {name!r}, for which {_shown(path)} is expected; there is no such file"
            f"{nearest(topic, known)}."
        )
    known = functions(path)
    if function not in known:
        _check_syntax(path)
        raise StudyError(
            f"{where} names {name!r}, but {_shown(path)} has no function {function!r}"
            f"{nearest(function, known)}."
        )
    return Place(f"{STUDIES}.{document}.{part}.{stem}", function)


def modules(document: str, part: str, kind: str) -> tuple[str, ...]:
    """Modules of a kind of a part, ``claims`` and ``claims_<topic>``, ordered by their names."""
    folder = _FOLDER / document / part
    found = sorted({*folder.glob(f"{kind}.py"), *folder.glob(f"{kind}_*.py")})
    return tuple(f"{STUDIES}.{document}.{part}.{path.stem}" for path in found)


def file_of(document: str, part: str, name: str) -> Path:
    """Path of a file of a part, such as ``reasons.yaml``."""
    return _FOLDER / document / part / name


def parameters(found: Place) -> list[str]:
    """Names of a function's parameters, read from its text without importing it.

    A part may take a function from a module above it: ``name = module.function``.
    """
    path = _FOLDER.parent.joinpath(*found.module.split(".")[1:]).with_suffix(".py")
    tree = _tree(path)
    origins = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
    }
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name == found.function:
            return [one.arg for one in (*node.args.args, *node.args.kwonlyargs)]
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == found.function:
            module, _, function = ast.unparse(node.value).rpartition(".")
            return parameters(Place(origins[module], function))
    raise StudyError(f"{_shown(path)}: the function {found.function} has no definition there.")


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def functions(path: Path) -> tuple[str, ...]:
    """Names that a module defines at its top level, read from its text without importing it."""
    text = path.read_text(encoding="utf-8")
    return tuple(re.findall(r"^(?:def |class )?([A-Za-z]\w*)(?: = |\(|:)", text, re.MULTILINE))


def _check_syntax(path: Path) -> None:
    """Of a file that is no Python, not all names are found."""
    try:
        ast.parse(path.read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise StudyError(
            f"{_shown(path)}: this is no valid Python in line {error.lineno}: {error.msg}."
        ) from None


def _topic(module: str, kind: str) -> str:
    return module.rpartition(".")[2].removeprefix(kind).removeprefix("_")


def _shown(path: Path) -> str:
    return path.relative_to(_FOLDER.parents[1]).as_posix()
