"""What `import plausible` offers, and the example of the README."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import plausible

PACKAGE = Path(plausible.__file__).parent
METHODS = ("measure", "neurons", "kernels", "networks", "conversion", "learning", "models")


@pytest.mark.parametrize("name", plausible.__all__)
def test_every_public_name_is_there_and_says_what_it_is(name):
    assert name in dir(plausible) and len(getattr(plausible, name).__doc__) > 40


def test_an_unknown_name_is_no_attribute():
    with pytest.raises(AttributeError, match="'plausible' has no attribute 'zill'"):
        _ = plausible.zill


def test_importing_loads_nothing_heavy():
    code = "import sys, plausible; print({'torch', 'numba', 'pandas'} & set(sys.modules) or '{}')"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "{}"


def test_the_methods_need_nothing_of_the_workflow(project_root):
    """Every module of the methods, with the packages of the group workflow out of reach."""
    blocked = _modules_of(project_root, "workflow")
    methods = [
        f"plausible.{'.'.join(path.relative_to(PACKAGE).with_suffix('').parts)}"
        for folder in METHODS
        for path in sorted((PACKAGE / folder).glob("*.py"))
    ]
    code = (
        "import sys, importlib\n"
        f"sys.modules.update(dict.fromkeys({blocked}))\n"
        f"for name in {methods}: importlib.import_module(name)\n"
        "print('imported', len(sys.argv))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "imported 1\n", done.stderr
    assert len(methods) > 50 and "snakemake" in blocked and "sklearn" in blocked


@pytest.fixture(scope="module")
def wheel(project_root, tmp_path_factory):
    """Folder of the unpacked wheel, built from a copy."""
    copy, out = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(project_root / name, copy / name)
    ignored = shutil.ignore_patterns("*.egg-info", "__pycache__")
    shutil.copytree(project_root / "src", copy / "src", ignore=ignored)
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*pip, "--wheel-dir", str(out), str(copy)], check=True)
    (file,) = out.glob("*.whl")
    with zipfile.ZipFile(file) as archive:
        archive.extractall(out / "unpacked")
    return out / "unpacked"


@pytest.mark.slow
def test_the_wheel_runs_the_example_outside_of_the_repository(project_root, wheel, tmp_path):
    """And without the packages of the workflow, but for the data of the example."""
    assert (wheel / "plausible/py.typed").exists()
    assert list((wheel / "plausible/reproduction/templates").glob("*"))
    blocked = [name for name in _modules_of(project_root, "workflow") if name != "sklearn"]
    code = (
        f"import sys; sys.modules.update(dict.fromkeys({blocked}))\n"
        f"import plausible; assert plausible.__file__.startswith({str(wheel)!r})\n"
        + _example(project_root)
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(wheel)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert float(done.stdout.split()[0]) > 85.0


def test_the_example_of_the_readme_runs(project_root, tmp_path):
    example = _example(project_root)
    assert len(example.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert float(done.stdout.split()[0]) > 85.0, "percent of the test images"


def _example(project_root) -> str:
    text = (project_root / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    return example


def _modules_of(project_root, group: str) -> list[str]:
    """Names by which the packages of a group are imported."""
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    names = (Requirement(line).name for line in project["optional-dependencies"][group])
    renamed = {"scikit-learn": "sklearn"}
    return [renamed.get(name, name.replace("-", "_")) for name in names]
