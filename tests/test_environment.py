"""The environment: one set of versions in all files that name them, and the commands around it."""

import json
import os
import re
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, version
from importlib.util import find_spec

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version


@pytest.fixture(scope="module")
def declared(project_root):
    """Direct dependencies with those of the groups in the lock: {name: requirement}."""
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    groups = project["optional-dependencies"]
    lines = project["dependencies"] + sum(
        (groups[name] for name in ("workflow", "nir", "docs", "dev")), []
    )
    return {canonicalize_name(line.name): line for line in map(Requirement, lines)}


def _pins(lines):
    pins = {}
    for line in lines:
        name, _, pinned = line.partition("==")
        assert re.fullmatch(r"[A-Za-z0-9_.-]+", name) and str(Version(pinned)) == pinned, line
        assert canonicalize_name(name) not in pins, line
        pins[canonicalize_name(name)] = Version(pinned)
    return pins


@pytest.fixture(scope="module")
def lock(project_root):
    lines = (project_root / "requirements.lock").read_text().splitlines()
    return _pins(line for line in lines if line and not line.startswith("#"))


def test_the_lock_pins_every_direct_dependency_within_its_range(declared, lock):
    assert len(declared) > 15
    for name, requirement in declared.items():
        assert requirement.specifier.contains(lock[name]), requirement


def test_the_lock_is_complete(lock):
    """Whatever a pinned package needs here is pinned too, in a version that it accepts."""
    missing = []
    for name in lock:
        for line in distribution(name).requires or []:
            need = Requirement(line)
            if need.marker is None or need.marker.evaluate({"extra": ""}):
                pinned = lock.get(canonicalize_name(need.name))
                if pinned is None or not need.specifier.contains(pinned, prereleases=True):
                    missing.append(f"{name} needs {need}, pinned is {pinned}")
    assert missing == []


def test_what_runs_is_what_is_pinned(lock):
    """A build for another device has a suffix (2.13.0+cpu), which does not count."""
    running = {name: Version(Version(version(name)).public) for name in lock}
    assert running == lock


@pytest.mark.parametrize("file", ["requirements.lock", "requirements-lint.lock"])
def test_locks_name_no_place(project_root, file):
    lines = (project_root / file).read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert pins and not any(re.search(r"://|^-|@|\+", line) for line in pins)


def test_environment_yml_has_the_same_versions(project_root, declared, lock):
    environment = yaml.safe_load((project_root / "environment.yml").read_text())
    packages = environment["dependencies"]
    python = next(p for p in packages if isinstance(p, str) and p.startswith("python="))
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    assert Requirement(f"python{project['requires-python']}").specifier.contains(python[7:])
    through_pip = next(p["pip"] for p in packages if isinstance(p, dict))
    pins = _pins(line for line in through_pip if not line.startswith("-"))
    assert pins == {name: lock[name] for name in declared}
    options = [line for line in through_pip if line.startswith("-")]
    assert options == ["--constraint requirements.lock", "--editable ."]


def test_the_linter_lock_pins_the_linter(project_root):
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    lines = (project_root / "requirements-lint.lock").read_text().splitlines()
    pins = _pins(line for line in lines if line and not line.startswith("#"))
    for requirement in map(Requirement, project["optional-dependencies"]["lint"]):
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)])


def _make(project_root, *words, **variables):
    return subprocess.run(
        ["make", "--no-print-directory", *words],
        cwd=project_root,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_make_help_shows_every_target(project_root):
    phony = re.findall(r"^\.PHONY: (\w+)$", (project_root / "Makefile").read_text(), re.MULTILINE)
    assert {"all", "test", "check", "lint", "list", "help", "unlock", "clean"} <= set(phony)
    shown = re.findall(r"^  (\w+)\s+\w", _make(project_root, "help"), re.MULTILINE)
    assert shown == phony


def test_make_bears_a_folder_for_caches_that_cannot_be_made(project_root, tmp_path):
    """Snakemake itself would end with a traceback, before it reads the project."""

    def folder(place):
        words = ("--eval", "shown:; @echo $$XDG_CACHE_HOME", "shown")
        return _make(project_root, *words, XDG_CACHE_HOME=str(place)).strip()

    assert folder(tmp_path) == str(tmp_path)
    assert folder("/dev/null/cache") == str(project_root / ".snakemake/cache")


def test_make_runs_programs_that_exist(project_root):
    text = (project_root / "Makefile").read_text()
    modules = re.findall(r"python -m (plausible\.[\w.]+)", text)
    scripts = re.findall(r"python ([\w/]+\.py)", text)
    assert modules and scripts
    assert [name for name in modules if find_spec(name) is None] == []
    assert [name for name in scripts if not (project_root / name).is_file()] == []


@pytest.fixture
def fresh(project_root, tmp_path):
    """A folder with what `make setup` reads, and a Python that notes how it is called.

    It makes `.venv/bin/python` another such Python instead of an environment, so the test takes no
    network and no minutes.
    """
    for name in ("Makefile", "requirements.lock", "requirements-lint.lock", "pyproject.toml"):
        (tmp_path / name).write_text((project_root / name).read_text())
    fake = tmp_path / "python"
    fake.write_text(
        "#!/bin/sh\n"
        f'echo "$@" >> {tmp_path}/calls\n'
        'case "$*" in "-m venv"*)\n'
        f"  rm -rf .venv && mkdir -p .venv/bin && cp {fake} .venv/bin/python;;\n"
        "esac\n"
    )
    fake.chmod(0o755)

    def setup():
        (tmp_path / "calls").write_text("")
        _make(tmp_path, "setup", f"PYTHON={fake}")
        return (tmp_path / "calls").read_text()

    return tmp_path, setup


def test_setup_is_done_once_and_again_when_a_pin_changes(fresh):
    folder, setup = fresh
    first = setup()
    assert "venv --clear .venv" in first
    assert "--requirement requirements.lock" in first
    assert "--no-deps --no-build-isolation --editable ." in first
    assert setup() == ""

    # A new time alone, as after a checkout, changes nothing.
    (folder / "requirements.lock").touch()
    (folder / "pyproject.toml").touch()
    assert setup() == ""

    (folder / "pyproject.toml").write_text((folder / "pyproject.toml").read_text() + "\n# more\n")
    calls = setup()
    assert "--editable ." in calls and "requirements.lock" not in calls

    pins = (folder / "requirements.lock").read_text()
    (folder / "requirements.lock").write_text(pins.replace("tqdm==", "tqdm==9"))
    calls = setup()
    assert "venv --clear" in calls and "requirements.lock" in calls and "--editable ." in calls
    assert setup() == ""


def test_an_interrupted_setup_is_done_again(fresh):
    folder, setup = fresh
    setup()
    for stamp in (folder / ".venv").glob(".packages-*"):
        stamp.unlink()  # it is written last
    assert "--requirement requirements.lock" in setup()


def test_continuous_integration_runs_the_two_commands_and_the_linters(project_root):
    script = project_root / ".ci" / "run"
    assert script.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", script], check=True)
    text = script.read_text()
    assert "set -euo pipefail" in text
    stages = re.findall(r"^stage (\w+)$", text, re.MULTILINE)
    assert stages == ["setup", "all", "test", "lint"], "tests audit the demo run"


def test_profiles_use_options_that_snakemake_has(project_root):
    options = subprocess.run(
        [sys.executable, "-m", "snakemake", "--help"], capture_output=True, text=True, check=True
    ).stdout
    profiles = sorted((project_root / "profiles").glob("*/config.yaml"))
    assert [path.parent.name for path in profiles] == ["default", "gpu", "kubernetes", "slurm"]
    contents = {path.parent.name: yaml.safe_load(path.read_text()) for path in profiles}
    for name, settings in contents.items():
        for option in settings:
            if option.startswith(f"{name}-"):  # of an executor that is not among the packages
                continue
            assert re.search(rf"^  .*--{option}\b", options, re.MULTILINE), (name, option)
    # The default profile goes before a named one, so what it sets cannot be set there.
    for name in ("gpu", "kubernetes", "slurm"):
        assert not set(contents[name]) & set(contents["default"])
    assert "code" not in contents["default"]["rerun-triggers"]


def test_images_hold_the_packages_of_the_lock(project_root):
    """What can be checked without a daemon: both images install the same, from the lock."""
    docker = (project_root / "Dockerfile").read_text()
    apptainer = (project_root / "Apptainer.def").read_text()
    for text in (docker, apptainer):
        assert re.search(r"pip install (--no-cache-dir )?--requirement requirements.lock", text)
        assert "pip install --no-deps --no-build-isolation --editable ." in text
        assert "python:3.11-slim" in text
    instructions = re.findall(r"^([A-Z]+) ", docker, re.MULTILINE)
    assert instructions[0] == "FROM" and set(instructions) <= {
        *("FROM", "ARG", "ENV", "RUN", "WORKDIR", "COPY", "CMD")
    }
    assert re.findall(r"^%(\w+)", apptainer, re.MULTILINE) == [
        *("files", "post", "environment", "runscript")
    ]
    snakefile = (project_root / "workflow/Snakefile").read_text()
    (image,) = re.findall(r'^container: project_path\("(.*)"\)$', snakefile, re.MULTILINE)
    assert f"apptainer build {image} Apptainer.def" in apptainer
    assert image in (project_root / ".gitignore").read_text()


def test_other_continuous_integration_does_the_same(project_root):
    actions = yaml.safe_load((project_root / ".github/workflows/ci.yml").read_text())
    (job,) = actions["jobs"].values()
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
    declared = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    low, high = re.findall(r"3\.(\d+)", declared["requires-python"])
    tried = [f"3.{minor}" for minor in range(int(low), int(high))]
    assert job["strategy"]["matrix"]["python"] == tried
    assert f"(3, {low}) <= v <= (3, {int(high) - 1})" in (project_root / "Makefile").read_text()
    hooks = yaml.safe_load((project_root / ".pre-commit-config.yaml").read_text())
    assert [hook["entry"] for repo in hooks["repos"] for hook in repo["hooks"]] == ["make lint"]


def test_where_it_is_published_it_names_its_sources(project_root):
    cited = yaml.safe_load((project_root / "CITATION.cff").read_text())
    zenodo = json.loads((project_root / ".zenodo.json").read_text())
    assert zenodo["title"] == cited["title"] and zenodo["license"] == cited["license"]
    titles = [" ".join(source["title"].split()) for source in cited["references"]]
    for study in (project_root / "workflow/published").glob("*/document.yaml"):
        source = yaml.safe_load(study.read_text())["source"]
        assert any(title in source["title"] or source["title"] in title for title in titles), source
        assert any(source["title"].split(":")[0] in line for line in zenodo["references"])


def test_the_catalogue_of_workflows_finds_what_it_asks_for(project_root):
    catalogue = yaml.safe_load((project_root / ".snakemake-workflow-catalog.yml").read_text())
    assert set(catalogue["usage"]) == {"mandatory-flags", "software-stack-deployment", "report"}
    assert (project_root / "workflow/Snakefile").is_file()
    assert "config.yaml" in (project_root / "config/README.md").read_text()
