"""Digest of the code that a job depends on.

Snakemake does not see what a script imports. A digest of all modules of this package that a module
imports, directly or not, is a parameter of every rule, so that a change of method reruns exactly
what depends on it. Comments, docstrings and layout do not count: they cannot change a result.
"""

import ast
import hashlib
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from plausible.errors import StudyError

PACKAGE = __name__.split(".")[0]


@cache
def module_path(module: str) -> Path | None:
    """File of a module of this package, or None if there is no such module."""
    try:
        spec = find_spec(module)
    except ModuleNotFoundError:
        return None
    return Path(spec.origin) if spec and spec.origin else None


@cache
def _parsed(module: str) -> tuple[str, frozenset[str]]:
    """Digest of one module's code, and the modules of this package that it imports."""
    path = module_path(module)
    if path is None:
        raise StudyError(f"{module}: there is no such module of the package; expected its file.")
    tree = ast.parse(path.read_text(encoding="utf-8"))
    imported = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported.update(name.name for name in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            imported.add(node.module)
            imported.update(f"{node.module}.{name.name}" for name in node.names)
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(node, _DOCUMENTED):
            first = body[0]
            if isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant):
                node.body = body[1:] or [ast.Pass()]
    digest = hashlib.sha256(ast.dump(tree).encode()).hexdigest()
    own = {name for name in imported if name.split(".")[0] == PACKAGE and module_path(name)}
    return digest, frozenset(own - {PACKAGE, module})


_DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def dependencies(module: str) -> set[str]:
    """Modules of this package that ``module`` needs, itself included."""
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_parsed(name)[1])
    return found


def registered_module(module: str, registry: str, key: str) -> str:
    """Module of the function that ``module`` imports and enters in a dictionary under ``key``.

    Read from the source, since an import would load all that the other entries need. Where it
    cannot be told (no such entry, or one that is no imported name), it is ``module`` itself.
    """
    path = module_path(module)
    body = ast.parse(path.read_text(encoding="utf-8")).body if path else []
    origin = {
        name.asname or name.name: node.module
        for node in body
        if isinstance(node, ast.ImportFrom) and node.module
        for name in node.names
    }
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        named = any(isinstance(target, ast.Name) and target.id == registry for target in targets)
        if named and isinstance(node.value, ast.Dict):
            for entry, value in zip(node.value.keys, node.value.values, strict=True):
                if isinstance(entry, ast.Constant) and entry.value == key:
                    return origin.get(getattr(value, "id", ""), module)
    return module


def source_digest(*modules: str) -> str:
    """Digest (16 hexadecimal digits) of ``modules`` and all they import from this package."""
    names = sorted(set().union(*(dependencies(module) for module in modules)))
    joined = "\n".join(f"{name} {_parsed(name)[0]}" for name in names)
    return hashlib.sha256(joined.encode()).hexdigest()[:16]


def files_digest(folder: str | Path) -> str:
    """Digest (16 hexadecimal digits) of the names and contents of the files in ``folder``."""
    digest = hashlib.sha256()
    for file in sorted(Path(folder).iterdir()):
        digest.update(f"{file.name} {hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()[:16]
