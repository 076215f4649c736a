"""Digest of the code that a job depends on.

Snakemake does not see what a script imports. A digest of all modules of this package that a module
imports, directly or not, is a parameter of every rule, so that a change of method reruns exactly
what depends on it. Comments, docstrings and layout do not count: they cannot change a result.

Nothing has to be listed. A module depends on the modules that it imports and on the files beside it
that it reads, and it reads those whose name stands in its code as a text: a template, a style
sheet, or all that is below a folder such as ``templates``. What a module finds by a pattern or
somewhere else is named in ``files`` of `source_digest`, or better among the inputs of the rule.

Parsing the whole package takes seconds, so what was found in a file is kept in the working
directory, and holds as long as the file has the same size and time of change.
"""

import ast
import hashlib
import json
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

from plausible.errors import StudyError
from plausible.files import sha256_of, write_text

FOLDER = Path(__file__).parent
PACKAGE = FOLDER.name
KEPT = Path(".snakemake/plausible-digests.json")
"""What was found in each file, in the working directory; remade where it is missing or damaged."""

_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Source(NamedTuple):
    """What was found in one file, and the state of the file for which this holds.

    ``imports`` are the names in the package that its code imports, modules or not, and ``reads``
    the entries of its folder, among those ``beside`` it, that its code names.
    """

    size: int
    changed_ns: int
    beside: list[str]
    digest: str
    imports: list[str]
    reads: list[str]


@cache
def _modules() -> dict[str, Path]:
    """File of every module of the package, by its name."""
    found = {}
    for path in FOLDER.rglob("*.py"):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        found[".".join((PACKAGE, *(parts[:-1] if parts[-1] == "__init__" else parts)))] = path
    return found


@cache
def _sources() -> dict[Path, Source]:
    """What is in every file of the package; unchanged files are not read again."""
    # Another Python may word a tree otherwise, another state of this module find other things.
    version = f"{sys.version} {sha256_of(__file__)}"
    kept = {}
    with suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
        content = json.loads(KEPT.read_text(encoding="utf-8"))
        if content["version"] == version:
            kept = {name: Source(*entry) for name, entry in content["sources"].items()}
    beside = cache(_beside)
    found = {}
    for module, path in _modules().items():
        state = path.stat()
        source = kept.get(str(path.relative_to(FOLDER)))
        known = (state.st_size, state.st_mtime_ns, beside(path.parent))
        found[path] = source if source and source[:3] == known else _read(module, path, *known)
    content = {str(path.relative_to(FOLDER)): source for path, source in found.items()}
    if content != kept and KEPT.parent.is_dir():
        with suppress(OSError):  # of a folder that is not to be changed, or on a full disk
            write_text(KEPT, json.dumps({"version": version, "sources": content}))
    return found


def _beside(folder: Path) -> list[str]:
    """Files of a folder that are no code, and folders below it without code."""
    return sorted(
        path.name
        for path in folder.iterdir()
        if path.name != "__pycache__" and path.suffix != ".py" and not any(path.rglob("*.py"))
    )


def _read(module: str, path: Path, size: int, changed_ns: int, beside: list[str]) -> Source:
    """Parse one file."""
    text = path.read_bytes()
    try:
        tree = ast.parse(text)
    except (
        SyntaxError,
        ValueError,
    ):  # Whoever imports it will hear of it; nothing else should stop for it.
        return Source(size, changed_ns, beside, hashlib.sha256(text).hexdigest(), [], [])
    imports, texts = set(), set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imports.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            origin = _origin(node, module, path)
            imports.update((origin, *(f"{origin}.{name.name}" for name in node.names)))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            texts.update(node.value.split("/"))
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, _DOCUMENTED):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
    return Source(
        size,
        changed_ns,
        beside,
        hashlib.sha256(ast.dump(tree).encode()).hexdigest(),
        sorted(name for name in imports if name.startswith(f"{PACKAGE}.")),
        sorted(texts.intersection(beside)),
    )


def _origin(node: ast.ImportFrom, module: str, path: Path) -> str:
    """Full name of what an import is from."""
    above = module.split(".")
    steps = node.level - (path.name == "__init__.py")
    before = above[: len(above) - steps] if node.level else []
    return ".".join((*before, *filter(None, [node.module])))


def dependencies(module: str) -> set[str]:
    """Modules of this package that ``module`` needs, itself included."""
    known, sources = _modules(), _sources()
    if module not in known:
        raise StudyError(f"{module}: there is no such module of the package; expected its file.")
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(entry for entry in sources[known[name]].imports if entry in known)
    return found


def source_digest(*modules: str, files: Iterable[str | Path] = ()) -> str:
    """Digest (16 hexadecimal digits) of ``modules``, all they import and read, and ``files``.

    Raises
    ------
    StudyError
        If this package has no such module, or there is no such file.
    """
    names = sorted(set().union(*map(dependencies, modules)))
    joined = [f"{name} {_content(_modules()[name])}" for name in names]
    for file in sorted(map(Path, files)):
        if not file.is_file():
            raise StudyError(f"{file}: there is no such file; code that reads it depends on it.")
        joined.append(f"{file.name} {sha256_of(file)}")
    return hashlib.sha256("\n".join(joined).encode()).hexdigest()[:16]


@cache
def _content(path: Path) -> str:
    """Digest of a module's code and of the files beside it that it reads."""
    source = _sources()[path]
    files = [file for name in source.reads for file in _files(path.with_name(name))]
    return " ".join((source.digest, *(f"{file.name} {sha256_of(file)}" for file in files)))


def _files(path: Path) -> list[Path]:
    """The file, or all files below the folder."""
    return sorted(file for file in (path, *path.rglob("*")) if file.is_file())
