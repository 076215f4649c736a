"""What `import plausible` offers, and the example of the README."""

import re
import subprocess
import sys
import tomllib
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
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    extra = [Requirement(one).name for one in project["optional-dependencies"]["workflow"]]
    names = {"scikit-learn": "sklearn"}
    blocked = [names.get(name, name.replace("-", "_")) for name in extra]
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


def test_the_example_of_the_readme_runs(project_root, tmp_path):
    text = (project_root / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(example.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert float(done.stdout.split()[0]) > 85.0, "percent of the test images"
