"""The workflow elsewhere: another working directory, another workflow, a strange folder."""

import shutil
import sys
from pathlib import Path

import pytest

from . import project
from .project import snakemake

RESULT = "results/demo/thuesen2022/fig2c.csv"
TARGET = "thuesen2022_fig2c"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A copy of the project in which one result was made."""
    folder = project.copy_project(tmp_path_factory.mktemp("built"))
    snakemake(folder, "--cores", "1", TARGET)
    return folder


@pytest.fixture
def expected(built) -> bytes:
    return (built / RESULT).read_bytes()


def test_results_in_another_folder(expected, tmp_path):
    arguments = ("--snakefile", str(project.ROOT / "Snakefile"), "--cores", "1", TARGET)
    (tmp_path / "config.yaml").write_text("studies: [thuesen2022]\n")
    snakemake(tmp_path, *arguments)
    assert (tmp_path / RESULT).read_bytes() == expected
    again = snakemake(tmp_path, *arguments)
    assert "Nothing to be done" in again.stderr


MODULE = """
module plausible:
    snakefile: {snakefile!r}
    config: {{"studies": ["thuesen2022"]}}

use rule * from plausible as plausible_*

rule copied:
    default_target: True
    input: {result!r}
    output: "copied.csv"
    shell: "cp {{input}} {{output}}"
"""


def test_as_a_module_of_another_workflow(expected, tmp_path):
    snakefile = str(project.ROOT / "workflow/Snakefile")
    (tmp_path / "Snakefile").write_text(MODULE.format(snakefile=snakefile, result=RESULT))
    # A file of this name that belongs to the other workflow is none of ours.
    (tmp_path / "config.yaml").write_text("samples: [a, b]\n")
    snakemake(tmp_path, "--cores", "1")
    assert (tmp_path / "copied.csv").read_bytes() == expected


@pytest.mark.parametrize("name", ["with space", "it's", "a;b$HOME", "Übung-数", "br{x}ace"])
def test_strange_names_of_the_folder_and_of_the_interpreter(expected, tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    project.copy_project(folder)
    # An environment made there has the folder in the path of its interpreter.
    interpreter = folder / "bin" / "python"
    interpreter.parent.mkdir()
    interpreter.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    interpreter.chmod(0o755)
    start = (
        "import sys; sys.executable = sys.argv.pop(1); sys.argv[0] = 'snakemake'\n"
        "from snakemake.cli import main; main()"
    )
    done = project.run(
        [sys.executable, "-c", start, str(interpreter), "--cores", "1", TARGET], folder
    )
    assert done.returncode == 0, done.stderr
    assert (folder / RESULT).read_bytes() == expected


def test_an_edited_result_is_made_again_and_the_edit_is_kept(built, expected, tmp_path):
    folder = tmp_path / "edited"
    shutil.copytree(built, folder)
    for place in (RESULT, RESULT.replace("thuesen2022/", "thuesen2022/sweep/")):
        (folder / place).write_text("1,2\n")
    done = snakemake(folder, "--cores", "1", TARGET)
    assert f"{RESULT} was changed since it was made" in done.stderr
    assert (folder / RESULT).read_bytes() == expected
    assert (folder / f"{RESULT}.changed").read_text() == "1,2\n"


@pytest.mark.parametrize("name", ["results", "logs"])
def test_a_file_in_the_place_of_a_folder(name, tmp_path):
    folder = project.copy_project(tmp_path)
    (folder / name).write_text("x")
    done = snakemake(folder, "--cores", "1", TARGET, check=False)
    assert done.returncode == 1
    assert f"error: {name}: a file stands where the workflow keeps a folder" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", None),
        (b"# nothing\n", None),
        (b"\xef\xbb\xbfscale: demo\r\n", None),
        (b"scale: demo\nscale: quick\n", "line 2: the key `scale` is given twice"),
        (b"data:\n\tdir: x\n", "by spaces, not by tabs"),
        (b"seeds: [1, 2\n", "no valid YAML"),
        (b"scale: demo # f\xfcr\n", "0xfc in line 1 is not UTF-8"),
        (b"- a\n", "the file holds a list"),
        (b"__use_yte__: true\nscale: ?open('PWNED', 'w').name\n", "data alone"),
        (None, "the file is missing"),
    ],
)
def test_config_yaml_is_read_by_the_project_itself(tmp_path, content, words):
    folder = project.copy_project(tmp_path)
    (folder / "config.yaml").unlink()
    if content is not None:
        (folder / "config.yaml").write_bytes(content)
    done = snakemake(folder, "-n", "--cores", "1", TARGET, check=False)
    assert "Traceback" not in done.stderr and not (folder / "PWNED").exists()
    if words is None:
        assert done.returncode == 0, done.stderr
    else:
        (sentence,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
        assert "config.yaml" in sentence and words in sentence


def test_lists_on_the_command_line_hold_numbers(tmp_path):
    folder = project.copy_project(tmp_path)
    done = snakemake(folder, "-n", "--cores", "1", TARGET, "--config", "seeds=[0,x]", check=False)
    assert "error: --config: `seeds[1]` is `x` (a text)" in done.stderr
    snakemake(folder, "-n", "--cores", "1", TARGET, "--config", "seeds=[0,1]")
