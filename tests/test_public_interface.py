"""What `import plausible` offers, and the example of the README."""

import re
import subprocess
import sys

import pytest

import plausible


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


def test_the_example_of_the_readme_runs(project_root, tmp_path):
    text = (project_root / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", text, re.DOTALL)
    assert len(example.strip().splitlines()) <= 12
    done = subprocess.run(
        [sys.executable, "-c", example], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert float(done.stdout.split()[0]) > 85.0, "percent of the test images"
