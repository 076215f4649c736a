"""The packages of the project: who may import whom, and what no module may do.

The rules are read from the source with `ast`, so that an import inside a function counts as well,
and once more at run time, for what is imported indirectly.
"""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plausible

PACKAGE = Path(plausible.__file__).parent
# A package may import those of a lower level, itself, and the base modules beside them.
LEVELS = {
    "data": 0,
    "measure": 1,
    "neurons": 2,
    "kernels": 3,
    "networks": 4,
    "conversion": 5,
    "learning": 5,
    "drawing": 5,
    "models": 6,
    "reproduction": 6,
    "studies": 7,
}
# `data` and `measure` stand on one level in the design; neither needs the other.
FORBIDDEN_PAIRS = {("measure", "data")}
WITHOUT_TORCH = {"conversion", "data", "kernels", "measure", "drawing"}
TOP, ENGINE = "studies", "reproduction"
FIGURES = "figures"
"""Files of a part whose names start so draw, and load no torch."""
WITH_NUMBA = "kernels"


def modules(package: Path):
    """Every module: (dotted name within the package as a tuple, path)."""
    for path in sorted(package.rglob("*.py")):
        parts = path.relative_to(package).with_suffix("").parts
        yield parts, path


def imports(tree: ast.AST, parts: tuple[str, ...], package: str):
    """Every imported name, absolute and dotted, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:  # relative: cut the module's own name, then one part per further dot
                above = [package, *parts][: -node.level]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                yield f"{base}.{alias.name}", node.lineno


def violations(package: Path) -> list[str]:
    """One sentence per import that is not allowed."""
    found = []
    name = package.name
    for parts, path in modules(package):
        subpackage = parts[0] if parts[0] in LEVELS else None
        if subpackage is None and len(parts) > 1:
            found.append(f"{'/'.join(parts)}: the package {parts[0]} is not in LEVELS")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for imported, line in imports(tree, parts, name):
            where = f"{'/'.join(parts)}:{line}"
            top, *rest = imported.split(".")
            if top == "torch" and subpackage in WITHOUT_TORCH:
                found.append(f"{where}: the package {subpackage} imports torch")
            if top in ("numba", "llvmlite") and subpackage != WITH_NUMBA:
                found.append(f"{where}: {top} outside {WITH_NUMBA}")
            if top == "random":
                found.append(f"{where}: the module random")
            if top == "torch" and subpackage == TOP and parts[-1].startswith(FIGURES):
                found.append(f"{where}: a picture imports torch")
            if top != name or not rest or rest[0] not in LEVELS:
                continue
            if rest[0] == subpackage:
                found += [f"{where}: {why}" for why in _between_parts(package, parts, rest)]
                continue
            if subpackage is None:
                found.append(
                    f"{where}: the base module {parts[0]} imports the subpackage {rest[0]}"
                )
            elif LEVELS[rest[0]] >= LEVELS[subpackage] or (subpackage, rest[0]) in FORBIDDEN_PAIRS:
                found.append(f"{where}: {subpackage} imports {rest[0]}")
    return found


def _between_parts(package: Path, parts: tuple[str, ...], imported: list[str]):
    """What is wrong with an import within the top floor: another document's, another part's."""
    if parts[0] != TOP or len(parts) < 3 or len(imported) < 2:
        return
    if imported[1] != parts[1]:
        yield f"{parts[1]} imports {imported[1]}"
    elif len(imported) > 2 and len(parts) > 3 and imported[2] != parts[2]:
        if (package / TOP / imported[1] / imported[2]).is_dir():
            yield f"the part {parts[2]} imports the part {imported[2]}"


def documents_in_the_engine(package: Path, documents: list[str]) -> list[str]:
    """Every line of code of the engine and of the methods that names a document."""
    found = []
    for parts, path in modules(package):
        if parts[0] == TOP:
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            body = getattr(node, "body", None)
            if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
                body[0].value = ast.Constant(None)  # a docstring may cite its source
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                if any(document in node.value for document in documents):
                    found.append(f"{'/'.join(parts)}:{node.lineno}: {node.value!r}")
    return found


GLOBAL_SEEDING = {"torch.manual_seed", "np.random.seed", "numpy.random.seed", "torch.seed"}


def global_seeding(package: Path) -> list[str]:
    """Every call that seeds a stream which all code shares."""
    found = []
    for parts, path in modules(package):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in GLOBAL_SEEDING:
                found.append(f"{'/'.join(parts)}:{node.lineno}: {ast.unparse(node.func)}")
    return found


def test_packages_import_downwards_only():
    assert violations(PACKAGE) == []


def test_no_global_seeding():
    assert global_seeding(PACKAGE) == []


def test_every_subpackage_is_known_and_exists():
    subpackages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert subpackages == set(LEVELS)


def test_the_engine_knows_no_document():
    documents = [path.parent.name for path in (PACKAGE / TOP).glob("*/__init__.py")]
    assert len(documents) > 2
    assert documents_in_the_engine(PACKAGE, documents) == []


def test_the_check_finds_a_document_in_the_engine(tmp_path):
    (tmp_path / "plausible/reproduction").mkdir(parents=True)
    (tmp_path / "plausible/reproduction/a.py").write_text(
        '"""As in thesis2020."""\n\ndef f():\n    """Of thesis2020."""\n'
        '    return "thesis2020.table1"\n'
    )
    found = documents_in_the_engine(tmp_path / "plausible", ["thesis2020"])
    assert found == ["reproduction/a:5: 'thesis2020.table1'"]


def test_at_run_time_too():
    """A torch-free package, and any base module, loads neither torch nor a foreign one."""
    free = [
        ".".join(["plausible", *(part for part in parts if part != "__init__")])
        for parts, _ in modules(PACKAGE)
        if parts[0] in WITHOUT_TORCH or (len(parts) == 1 and parts[0] != "__main__")
    ]
    code = (
        f"import importlib, sys\nfor name in {free!r}:\n"
        "    importlib.import_module(name)\n"
        "    assert 'torch' not in sys.modules, name\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# What the checks must find, each in a tree of its own: a file, its content, words of the sentence.
TREES = {
    "upwards": ("data/store.py", "from plausible.drawing import style", "data imports drawing"),
    "engine": ("reproduction/a.py", "import plausible.studies", "reproduction imports studies"),
    "same level": ("conversion/a.py", "import plausible.learning.x", "conversion imports learning"),
    "pictures": ("drawing/a.py", "from plausible import studies", "drawing imports studies"),
    "part": (
        "studies/thesis/ch1/claims.py",
        "from plausible.studies.thesis.ch2 import tables",
        "the part ch1 imports the part ch2",
    ),
    "document": (
        "studies/thesis/ch1/claims.py",
        "from plausible.studies.paper import common",
        "thesis imports paper",
    ),
    "picture with torch": ("studies/thesis/ch1/figures_a.py", "import torch", "a picture imports"),
    "kernels and networks": ("kernels/a.py", "from plausible import networks", "kernels imports"),
    "measure and data": ("measure/a.py", "from plausible.data import Dataset", "measure imports"),
    "in a function": ("data/a.py", "def f():\n    import torch", "data imports torch"),
    "part of torch": ("drawing/a.py", "from torch.nn import Linear", "drawing imports torch"),
    "numba": ("learning/a.py", "from numba import njit", "numba outside kernels"),
    "relative": ("neurons/a.py", "from ..networks import mlp", "neurons imports networks"),
    "relative, bare": ("neurons/a.py", "from .. import networks", "neurons imports networks"),
    "base module": ("files.py", "from plausible.data import store", "base module files"),
    "base package": ("__init__.py", "from .data import store", "imports the subpackage data"),
    "random": ("data/a.py", "import random", "module random"),
    "unknown subpackage": ("cellar/a.py", "", "cellar is not in LEVELS"),
}


@pytest.mark.parametrize("case", TREES)
def test_the_check_finds(case, tmp_path):
    file, content, words = TREES[case]
    path = tmp_path / "plausible" / file
    path.parent.mkdir(parents=True)
    (tmp_path / "plausible/studies/thesis/ch2").mkdir(parents=True)
    path.write_text(content)
    found = violations(tmp_path / "plausible")
    assert len(found) == 1 and words in found[0]


def test_the_check_finds_global_seeding(tmp_path):
    (tmp_path / "plausible").mkdir()
    (tmp_path / "plausible" / "a.py").write_text(
        "import torch\ng = torch.Generator().manual_seed(3)\ndef f():\n    torch.manual_seed(3)\n"
    )
    assert global_seeding(tmp_path / "plausible") == ["a:4: torch.manual_seed"]


@pytest.mark.parametrize(
    ("file", "content"),
    [
        (
            "studies/a.py",
            "import torch\nfrom plausible.learning import train\nimport plausible.data",
        ),
        ("studies/thesis/ch1/a.py", "from . import b\nfrom plausible.studies.thesis import common"),
        ("reproduction/a.py", "from plausible.reproduction.declaration import load_study"),
        ("drawing/a.py", "from plausible.measure import accuracy\nfrom .style import colours"),
        ("kernels/a.py", "import numba\nfrom plausible.neurons import spikes"),
        ("config.py", "def f():\n    import torch"),
        ("data/a.py", "from plausible.errors import DataError\nfrom plausible import files"),
    ],
)
def test_the_check_allows(file, content, tmp_path):
    path = tmp_path / "plausible" / file
    path.parent.mkdir(parents=True)
    path.write_text(content)
    assert violations(tmp_path / "plausible") == []
