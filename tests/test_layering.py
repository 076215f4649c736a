"""The rooms of the package: who may import whom, and what no module may do.

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
# A room may import the rooms of a lower level, itself, and the base modules beside the rooms.
LEVELS = {
    "data": 0,
    "measure": 1,
    "neurons": 2,
    "kernels": 3,
    "networks": 3,
    "conversion": 4,
    "learning": 4,
    "plots": 5,
    "studies": 5,
    "reproduction": 6,
}
# `data` and `measure` stand on one level in the design; neither needs the other.
# Lists and run times are read off the study files; what is drawn does not concern `reproduction`.
FORBIDDEN_PAIRS = {("measure", "data"), ("reproduction", "plots")}
WITHOUT_TORCH = {"conversion", "data", "kernels", "measure", "plots"}
NUMBA_ROOM = "kernels"
MAX_LINES = 400


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
        room = parts[0] if parts[0] in LEVELS else None
        if room is None and len(parts) > 1:
            found.append(f"{'/'.join(parts)}: the room {parts[0]} is not in LEVELS")
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for imported, line in imports(tree, parts, name):
            where = f"{'/'.join(parts)}:{line}"
            top, *rest = imported.split(".")
            if top == "torch" and room in WITHOUT_TORCH:
                found.append(f"{where}: the room {room} imports torch")
            if top in ("numba", "llvmlite") and room != NUMBA_ROOM:
                found.append(f"{where}: {top} outside {NUMBA_ROOM}")
            if top == "random":
                found.append(f"{where}: the module random")
            if top != name or not rest or rest[0] not in LEVELS or rest[0] == room:
                continue
            if room is None:
                found.append(f"{where}: the base module {parts[0]} imports the room {rest[0]}")
            elif LEVELS[rest[0]] >= LEVELS[room] or (room, rest[0]) in FORBIDDEN_PAIRS:
                found.append(f"{where}: {room} imports {rest[0]}")
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


def test_rooms_import_downwards_only():
    assert violations(PACKAGE) == []


def test_no_global_seeding():
    assert global_seeding(PACKAGE) == []


def test_every_room_is_known_and_every_known_room_exists():
    rooms = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert rooms == set(LEVELS)


def test_modules_fit_on_a_few_screens():
    sizes = {
        str(p.relative_to(PACKAGE)): len(p.read_text().splitlines()) for _, p in modules(PACKAGE)
    }
    assert {name: size for name, size in sizes.items() if size > MAX_LINES} == {}


def test_at_run_time_too():
    """Importing a torch-free room, and any base module, loads neither torch nor a foreign room."""
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
    "upwards": ("data/store.py", "from plausible.drawing import style", "data imports plots"),
    "sideways": ("plots/a.py", "import plausible.studies", "plots imports studies"),
    "same level": ("conversion/a.py", "import plausible.learning.x", "conversion imports learning"),
    "pictures": ("reproduction/a.py", "from plausible import plots", "reproduction imports plots"),
    "kernels and networks": ("kernels/a.py", "from plausible import networks", "kernels imports"),
    "measure and data": ("measure/a.py", "from plausible.data import Dataset", "measure imports"),
    "in a function": ("data/a.py", "def f():\n    import torch", "data imports torch"),
    "part of torch": ("plots/a.py", "from torch.nn import Linear", "plots imports torch"),
    "numba": ("learning/a.py", "from numba import njit", "numba outside kernels"),
    "relative": ("neurons/a.py", "from ..networks import mlp", "neurons imports networks"),
    "relative, bare": ("neurons/a.py", "from .. import networks", "neurons imports networks"),
    "base module": ("files.py", "from plausible.data import store", "base module files"),
    "base package": ("__init__.py", "from .data import store", "imports the room data"),
    "random": ("data/a.py", "import random", "module random"),
    "unknown room": ("cellar/a.py", "", "cellar is not in LEVELS"),
}


@pytest.mark.parametrize("case", TREES)
def test_the_check_finds(case, tmp_path):
    file, content, words = TREES[case]
    path = tmp_path / "plausible" / file
    path.parent.mkdir(parents=True)
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
        ("studies/deep/a.py", "from . import b\nfrom .. import declaration"),
        ("reproduction/a.py", "from plausible.reproduction.declaration import load_study"),
        ("plots/a.py", "from plausible.measure import accuracy\nfrom .style import colours"),
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
