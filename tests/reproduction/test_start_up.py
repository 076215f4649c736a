"""What a start of Snakemake and a job load: each of some hundred starts pays for it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"^from plausible[^\n(]*(?:\([^)]*\))?", re.MULTILINE)
SLOW = ("torch", "pandas", "matplotlib", "seaborn", "scipy", "sklearn", "numba", "nbconvert")


def loaded(code: str) -> set[str]:
    """Modules that a fresh Python has loaded after running ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys\nprint(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.split())


def modules_called(name: str) -> str:
    """Import of every module of this name, in all parts of all studies."""
    folder = ROOT / "src" / "plausible" / "studies"
    found = [path.relative_to(folder.parents[1]) for path in folder.rglob(f"{name}.py")]
    return "\n".join(f"import {'.'.join(path.with_suffix('').parts)}" for path in found)


def test_snakemake_starts_without_the_libraries_of_the_jobs():
    rules = [path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")]
    imports = [line for text in rules for line in IMPORT.findall(text)]
    assert len(imports) > 5
    # It also checks the settings of every experiment. numpy it loads itself.
    assert not loaded("\n".join([*imports, modules_called("settings")])).intersection(SLOW)


def test_the_frame_of_a_job_is_light():
    found = loaded("import plausible.reproduction.provenance")
    assert not found.intersection({*SLOW, "numpy", "pydantic", "jsonschema"})


@pytest.mark.parametrize("name", ["figures", "tables"])
def test_a_result_is_made_without_torch_and_statistics(name):
    found = loaded(
        "from plausible.reproduction.results import _import_seaborn\n"
        f"_import_seaborn()\n{modules_called(name)}"
    )
    assert {"seaborn", "pandas"} <= found
    assert not found.intersection({"torch", "numba", "scipy.stats", "sklearn"})


def test_statistics_are_there_for_who_needs_them():
    found = loaded(
        "from plausible.reproduction.results import _import_seaborn\n_import_seaborn()\n"
        "from scipy.stats import kendalltau\nfrom scipy.cluster import hierarchy"
    )
    assert {"scipy.stats", "scipy.cluster.hierarchy"} <= found
