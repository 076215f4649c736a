"""The comparison of two runs: what it finds, what it leaves out, and what it must not overlook."""

import json
import subprocess
from pathlib import Path

import pytest

from plausible.reproduction.same_results import (
    DIFFERENT,
    IDENTICAL,
    MEASURED,
    ONLY_NEW,
    ONLY_OLD,
    compare_folders,
    main,
)

STUDY = "sweep:\n  speed: {timing: true, settings: {}}\n  accuracy: {timing: false}\n"
TABLE = "seed,loss,name\n0,0.5,a\n1,0.25,b\n2,,c\n"
FILES = {
    "doc/sweep/accuracy.csv": TABLE,
    "doc/sweep/speed.0.csv": "ms\n1.5\n",
    "doc/table1.csv": TABLE,
    "doc/table2.csv": "ms\n1.5\n",
    "doc/verdicts.csv": "id,reproduced\ndoc.table1,0.5\ndoc.table2,1.5\ndoc.claim.speed,1.5\n",
    "runtimes.csv": "minutes\n3\n",
    "benchmarks/doc/table1.csv": "s\n3\n",
}
MADE_FROM = {
    "doc/table1.csv": ["doc/sweep/accuracy.csv"],
    "doc/table2.csv": ["doc/sweep/speed.0.csv"],
    "doc/claim.speed.svg": ["doc/table2.csv"],
    "doc/verdicts.csv": ["doc/table1.csv", "doc/table2.csv"],
}


@pytest.fixture
def run(tmp_path):
    """Function that makes the results of a run, with some files replaced or, if None, left out."""

    def make(name, **changed):
        project = tmp_path / name
        studies = project / "workflow" / "studies" / "doc"
        studies.mkdir(parents=True)
        (studies / "speed.yaml").write_text(STUDY)
        results = project / "results" / "demo"
        for path, text in {**FILES, **changed.get("files", {})}.items():
            if text is not None:
                (results / path).parent.mkdir(parents=True, exist_ok=True)
                (results / path).write_text(text)
        for path, sources in MADE_FROM.items():
            record = {"inputs": {f"results/demo/{source}": "0" for source in sources}}
            (results / f"{path}.json").write_text(json.dumps(record))
        return results

    return make


def outcomes(found):
    return {entry.path: entry.outcome for entry in found}


def details(found):
    return {entry.path: entry.detail for entry in found if entry.outcome == DIFFERENT}


def test_two_runs_that_differ_in_measured_times_alone_are_the_same(run, capsys):
    other = {path: text.replace("1.5", "9") for path, text in FILES.items()}
    other |= {"runtimes.csv": "minutes\n9\n", "benchmarks/doc/table1.csv": "s\n9\n"}
    old, new = run("old"), run("new", files=other)
    assert outcomes(compare_folders(old, new)) == {
        "doc/sweep/accuracy.csv": IDENTICAL,
        "doc/sweep/speed.0.csv": MEASURED,
        "doc/table1.csv": IDENTICAL,
        "doc/table2.csv": MEASURED,
        "doc/verdicts.csv": IDENTICAL,
    }
    assert main([str(old), str(new)]) == 0
    assert "3 identical" in capsys.readouterr().out


def test_a_difference_is_found_in_every_table_that_holds_no_times(run, capsys):
    old = run("old")
    for number, path in enumerate(("doc/sweep/accuracy.csv", "doc/table1.csv")):
        new = run(f"new{number}", files={path: TABLE.replace("0.25", "0.2")})
        assert outcomes(compare_folders(old, new))[path] == DIFFERENT
        assert main([str(old), str(new)]) == 1
    assert "first line 3, loss: 0.25 -> 0.2" in capsys.readouterr().out


def test_a_verdict_without_times_is_compared_beside_one_with_times(run):
    changed = FILES["doc/verdicts.csv"].replace("0.5", "0.6").replace("1.5", "9")
    found = compare_folders(run("old"), run("new", files={"doc/verdicts.csv": changed}))
    assert details(found) == {
        "doc/verdicts.csv": "first line 2, reproduced: 0.5 -> 0.6; 1 cells differ; "
        "largest relative difference 0.17 (line 2, reproduced)"
    }


def test_the_largest_relative_difference_and_texts_are_told(run):
    changed = "seed,loss,name\n0,0.50001,a\n1,0.125,B\n2,nan,c\n"
    found = compare_folders(run("old"), run("new", files={"doc/table1.csv": changed}))
    assert details(found)["doc/table1.csv"] == (
        "first line 2, loss: 0.5 -> 0.50001; 4 cells differ; 2 of them not as numbers; "
        "largest relative difference 0.5 (line 3, loss)"
    )


def test_rows_columns_and_the_form_of_the_file_count(run):
    old = run("old")
    for number, (text, expected) in enumerate(
        {
            TABLE.replace("2,,c\n", ""): "3 -> 2 rows",
            TABLE.replace("name", "label"): "columns: lost name; new label",
            "loss,seed,name\n": "columns: another order",
            "seed,loss,name\n2,,c\n0,0.5,a\n1,0.25,b\n": "the same rows in another order",
            "seed,loss,name\n2,,c\n0,0.5,a\n1,0.2,b\n": "first line 2, seed: 0 -> 2; "
            "9 cells differ; 5 of them not as numbers; "
            "largest relative difference 1 (line 2, seed)",
            TABLE.replace(",a", ',"a"'): "the same cells, with other quotes or line ends",
            "": "columns: lost seed, loss, name",
        }.items()
    ):
        found = compare_folders(old, run(str(number), files={"doc/table1.csv": text}))
        assert details(found) == {"doc/table1.csv": expected}


def test_a_table_on_one_side_is_a_difference(run, capsys):
    old = run("old")
    new = run("new", files={"doc/table1.csv": None, "doc/table3.csv": TABLE})
    found = outcomes(compare_folders(old, new))
    assert found["doc/table1.csv"] == ONLY_OLD and found["doc/table3.csv"] == ONLY_NEW
    assert main([str(old), str(new)]) == 1


def test_moved_files_and_folders_are_compared(run):
    old = run("old")
    moved = {"doc/sweep/accuracy.csv": None, "doc/part/accuracy.csv": TABLE, "doc/table1.csv": None}
    new = run("new", files={**moved, "doc/first.csv": TABLE.replace("0.5", "1")})
    renames = {"doc/sweep": "doc/part", "doc/table1.csv": "doc/first.csv"}
    found = outcomes(compare_folders(old, new, renames))
    assert found["doc/part/accuracy.csv"] == IDENTICAL and found["doc/first.csv"] == DIFFERENT
    arguments = [f"--rename={before}={after}" for before, after in renames.items()]
    assert main([str(old), str(new), *arguments]) == 1


def test_columns_can_be_left_out(run):
    old = run("old")
    new = run("new", files={"doc/table1.csv": TABLE.replace("name", "label").replace("a\n", "x\n")})
    without = ("name", "label")
    assert outcomes(compare_folders(old, new, without=without))["doc/table1.csv"] == IDENTICAL
    assert outcomes(compare_folders(old, new, without=without[:1]))["doc/table1.csv"] == DIFFERENT
    worse = run("worse", files={"doc/table1.csv": TABLE.replace("0.5", "0.6")})
    assert main([str(old), str(worse), "--without", "name"]) == 1


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--rename", "doc/none=doc/other"], "--rename doc/none"),
        (["--rename", "doc/table1.csv"], "OLD=NEW is expected"),
        (["--without", "lost"], "--without lost"),
    ],
)
def test_options_that_fit_nothing_are_refused(run, capsys, arguments, expected):
    folder = run("old")
    assert main([str(folder), str(folder), *arguments]) == 2
    assert expected in capsys.readouterr().err


def test_what_is_no_run_is_refused(run, tmp_path, capsys, monkeypatch):
    folder = run("old")
    (tmp_path / "empty").mkdir()
    assert main([str(folder), str(tmp_path / "empty")]) == 2
    assert "no table (.csv)" in capsys.readouterr().err
    assert main([str(folder), "no-such-commit"]) == 2
    assert "neither a folder nor a commit" in capsys.readouterr().err


SNAKEFILE = """
rule all:
    input:
        "value.csv",
    output:
        f"results/{config['scale']}/doc/table.csv",
    shell:
        "cp {input} {output}"
"""


@pytest.mark.slow
def test_two_commits_are_run_and_compared(tmp_path, monkeypatch, capsys):
    def git(*arguments):
        subprocess.run(
            ["git", "-c", "user.name=test", "-c", "user.email=test@example.org", *arguments],
            cwd=tmp_path,
            check=True,
            capture_output=True,
        )

    (tmp_path / "workflow" / "schemas").mkdir(parents=True)
    (tmp_path / "workflow" / "studies").mkdir()
    for name in ("schemas/config.schema.yaml", "studies/doc.yaml"):
        (tmp_path / "workflow" / name).write_text("{}")
    (tmp_path / "Snakefile").write_text(SNAKEFILE)
    git("init", "--quiet")
    for number, text in enumerate(("x\n1\n", "x\n1\n", "x\n2\n")):
        (tmp_path / "value.csv").write_text(text)
        (tmp_path / "number").write_text(str(number))
        git("add", ".")
        git("commit", "--quiet", "--message", f"{number}")
    (tmp_path / "value.csv").write_text("x\n3\n")  # not committed: must not count
    monkeypatch.chdir(tmp_path)
    assert main(["HEAD~2", "HEAD~1", "--study", "doc"]) == 0
    assert main(["HEAD~1", "HEAD"]) == 1
    assert "doc/table.csv: first line 2, x: 1 -> 2" in capsys.readouterr().out
    assert not (tmp_path / "results").exists() and not Path("results").exists()
