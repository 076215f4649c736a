"""The digest of code: what it sees and what it ignores."""

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from plausible.errors import StudyError
from plausible.sources import dependencies, files_digest, registered_module, source_digest

MODULES = {
    "__init__": "",
    "a": "from plausible.b import value\n\ndef f():\n    '''Doc.'''\n    return value  # why\n",
    "b": "import math\n\nvalue = 1\n",
    "c": "value = 3\n",
    "sources": None,
    "errors": None,
}


@pytest.fixture
def digest(tmp_path):
    """Function that gives the digest of module a of a small package, with modules replaced."""
    import plausible.errors
    import plausible.sources

    def compute(**changed):
        folder = tmp_path / "plausible"
        folder.mkdir(exist_ok=True)
        for name, text in {**MODULES, **changed}.items():
            if text is None:
                source = {"sources": plausible.sources, "errors": plausible.errors}[name]
                text = open(source.__file__).read()
            (folder / f"{name}.py").write_text(text)
        code = "from plausible.sources import source_digest; print(source_digest('plausible.a'))"
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=tmp_path,
            env={"PYTHONPATH": str(tmp_path)},
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout.strip()

    return compute


def test_a_change_of_an_imported_module_changes_the_digest(digest):
    assert digest() != digest(b="import math\n\nvalue = 2\n")


def test_a_change_of_another_module_does_not(digest):
    assert digest() == digest(c="value = 4\n")


def test_comments_docstrings_and_layout_do_not_count(digest):
    same = "from plausible.b import value\ndef f():\n    '''Other.'''\n    return (value)\n"
    assert digest() == digest(a=same)


def test_dependencies_follow_imports_inside_functions_and_packages():
    found = dependencies("plausible.studies.train")
    assert {"plausible.learning.training", "plausible.neurons.rates", "plausible.seeds"} <= found
    assert not any(name.startswith("plausible.plots") for name in found)


def test_unknown_module_is_one_sentence():
    with pytest.raises(StudyError, match="plausible.nothing"):
        source_digest("plausible.nothing")


def test_an_experiment_depends_on_its_own_module_alone():
    experiments = "plausible.studies.thuesen2022.experiments"
    found = registered_module(experiments, "EXPERIMENTS", "local_updates")
    assert found == "plausible.studies.thuesen2022.locality"
    assert found in dependencies(experiments)
    assert source_digest(found) != source_digest(experiments)


def test_an_entry_that_is_not_found_depends_on_everything():
    experiments = "plausible.studies.thuesen2022.experiments"
    assert registered_module(experiments, "EXPERIMENTS", "no_such_entry") == experiments
    assert registered_module(experiments, "NO_REGISTRY", "local_updates") == experiments


def test_every_experiment_of_every_study_has_its_own_digest():
    for path in (Path(__file__).parents[1] / "src/plausible/studies").glob("*/experiments.py"):
        module = f"plausible.studies.{path.parent.name}.experiments"
        registry = import_module(module).EXPERIMENTS
        for name, function in registry.items():
            assert registered_module(module, "EXPERIMENTS", name) == function.__module__, name


def test_digest_of_a_folder_tells_names_and_contents(tmp_path):
    def digest(**files):
        folder = tmp_path / str(len(list(tmp_path.iterdir())))
        folder.mkdir()
        for name, text in files.items():
            (folder / name).write_text(text)
        return files_digest(folder)

    first = digest(a="1", b="2")
    assert first == digest(b="2", a="1")
    assert len({first, digest(a="1"), digest(a="1", c="2"), digest(a="1", b="3")}) == 4
