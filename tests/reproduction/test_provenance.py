"""The frame around workflow scripts: outputs complete or absent, provenance beside each."""

import errno
import hashlib
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from plausible.errors import DataError, StudyError
from plausible.files import sha256_of
from plausible.reproduction import machine, provenance

try:
    from snakemake.iocontainers import Namedlist
except ImportError:  # before Snakemake 9.2x
    from snakemake.io import Namedlist


def named_files(entries):
    """A list as Snakemake makes it: flat, with names for single files and for ranges of files."""
    files = Namedlist()
    for name, entry in entries.items():
        start = len(files)
        files.extend(entry if isinstance(entry, list) else [entry])
        files._set_name(name, start, end=len(files) if isinstance(entry, list) else None)
    return files


class Job:
    """What Snakemake hands to a script, made of Snakemake's own lists."""

    def __init__(self, outputs, inputs=None, params=None, wildcards=None, log="logs/job.log"):
        self.output = named_files(outputs)
        self.input = named_files(inputs or {})
        self.params = Namedlist(fromdict=params or {})
        self.wildcards = Namedlist(fromdict=wildcards or {})
        self.log = Namedlist(toclone=[log] if log else [])
        self.config = {"scale": "demo", "seeds": {"demo": 2}}
        self.threads = 1
        self.rule = "make_table"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record_of(path):
    return json.loads(Path(f"{path}.json").read_text())


def test_output_and_its_provenance(folder):
    Path("data.txt").write_text("seven")
    study = folder / "workflow/studies/thuesen2022/study.yaml"
    study.parent.mkdir(parents=True)
    study.write_text("parts: [one]\n")
    study.with_name("one.yaml").write_text("results: {}\n")
    (folder / "workflow/schemas").mkdir()
    hashes = json.dumps([sha256_of(study), sha256_of(study.with_name("one.yaml"))])
    outside = folder.parent / "elsewhere.bin"
    outside.write_bytes(b"x")
    snakemake = Job(
        {"table": "results/demo/thuesen2022/table1.csv", "page": "results/demo/thuesen2022/t.md"},
        {"data": "data.txt", "raw": str(outside)},
        {"run": {"learning_rate": 0.01, "seeds": [3, 1]}, "data_dir": str(outside.parent)},
        {"scale": "demo", "seed": "7"},
    )
    with provenance.job(snakemake) as run:
        run.log.info("half way")
        run.note(diverged_epoch=None)
        with run.output("table") as path:
            path.write_text("a,b\n")
        with run.output(1) as path:
            path.write_text("| a |\n")
        assert not Path("results/demo/thuesen2022/table1.csv").exists(), "renamed too early"
    for output in snakemake.output:
        record = record_of(output)
        assert record["file"] == output
        assert record["sha256"] == sha256_of(output)
        assert record["rule"] == "make_table"
        assert record["inputs"] == {
            "data.txt": sha256_of("data.txt"),
            "elsewhere.bin": sha256_of(outside),
        }
        assert record["settings"]["run"] == {"learning_rate": 0.01, "seeds": [3, 1]}
        assert record["seeds"] == [1, 3, 7]
        assert record["study"] == "thuesen2022"
        assert record["study_sha256"] == hashlib.sha256(hashes.encode()).hexdigest()
        assert record["notes"] == {"diverged_epoch": None}
        assert record["packages"]["numpy"] == __import__("numpy").__version__
        assert record["wall_time_s"] >= 0
        assert record["peak_memory_mb"] > 5
        assert record["python"] and record["platform"] and record["cpu"]
        assert str(folder.parent) not in json.dumps(record), "machine paths must not leak"
    assert "half way" in Path("logs/job.log").read_text()
    assert not list(folder.rglob(".partial-*"))


def test_config_hash_depends_on_the_config_alone(folder):
    def config_hash(config):
        snakemake = Job({"a": "a.csv"})
        snakemake.config = config
        return provenance.provenance(snakemake)["config_sha256"]

    assert config_hash({"a": 1, "b": {"c": 2}}) == config_hash({"b": {"c": 2}, "a": 1})
    assert config_hash({"a": 1}) != config_hash({"a": 2})


def test_side_car_is_there_before_the_output(folder, monkeypatch):
    seen = []
    monkeypatch.setattr(
        os, "replace", lambda a, b, real=os.replace: (seen.append(str(b)), real(a, b))
    )
    with provenance.job(Job({"table": "out.csv"})) as run, run.output("table") as path:
        path.write_text("x")
    assert [Path(name).name for name in seen] == ["out.csv.json", "out.csv"]


def test_users_error_is_one_line_and_leaves_nothing(folder, capsys):
    with pytest.raises(SystemExit) as stop, provenance.job(Job({"table": "out.csv"})) as run:
        with run.output("table") as path:
            path.write_text("half")
        raise DataError("train-images is truncated.")
    assert stop.value.code == 1
    assert capsys.readouterr().err == "error: train-images is truncated.\n"
    log = Path("logs/job.log").read_text()
    assert "error: train-images is truncated." in log and "Traceback" not in log
    assert sorted(path.name for path in folder.rglob("*")) == ["job.log", "logs"]


def test_unexpected_error_goes_to_the_log_with_traceback(folder, capsys):
    with pytest.raises(ZeroDivisionError), provenance.job(Job({"table": "out.csv"})) as run:
        with run.output("table") as path:
            path.write_text(str(1 / 0))
    assert "Traceback" in Path("logs/job.log").read_text()
    assert "Traceback" not in capsys.readouterr().err, "Python prints it once itself"
    assert not Path("out.csv").exists() and not Path("out.csv.json").exists()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full (at out.csv); free some space"),
        (errno.EDQUOT, "the disk is full, your quota is used up (at out.csv)"),
        (errno.EFBIG, "ulimit -f"),
        (errno.EMFILE, "ulimit -n"),
        (errno.EACCES, "permission denied (at out.csv); correct the permissions"),
        (errno.EROFS, "make the file system writeable"),
        (errno.EISDIR, "a folder stands where a file is expected"),
    ],
)
def test_faults_of_the_machine_are_one_sentence(folder, capsys, number, words):
    with pytest.raises(SystemExit) as stop, provenance.job(Job({"table": "out.csv"})) as run:
        with run.output("table"):
            raise OSError(number, os.strerror(number), "out.csv")
    assert stop.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ") and words in error
    assert error.count("\n") == 1
    assert not list(folder.rglob("*.csv*"))


def test_too_little_memory_is_one_sentence(folder, capsys):
    with pytest.raises(SystemExit), provenance.job(Job({"table": "out.csv"})):
        bytearray(1 << 62)
    error = capsys.readouterr().err
    assert "needs more memory than there is (out.csv)" in error and error.count("\n") == 1


def test_other_system_errors_keep_their_traceback(folder):
    with pytest.raises(OSError, match="no"), provenance.job(Job({"table": "out.csv"})):
        raise OSError(errno.ECONNREFUSED, "no", "out.csv")


@pytest.mark.parametrize("damage", ["empty", "cut", "edited", "binary"])
def test_an_input_that_is_not_what_was_made_is_refused_by_its_command(folder, capsys, damage):
    with provenance.job(Job({"table": "a.csv"})) as run, run.output("table") as path:
        path.write_text("a,b\n1,2\n3,4\n")
    with provenance.job(Job({"table": "b.csv"}, {"source": "a.csv"})) as run:
        with run.output("table") as path:
            path.write_text("as it was made: taken\n")
    changed = {"empty": b"", "cut": b"a,b\n1,", "edited": b"a,b\n1,2\n3,5\n", "binary": b"\xff"}
    Path("a.csv").write_bytes(changed[damage])
    capsys.readouterr()
    with pytest.raises(SystemExit), provenance.job(Job({"table": "c.csv"}, {"source": "a.csv"})):
        raise AssertionError("the job must not begin")
    error = capsys.readouterr().err
    assert "a.csv was changed or damaged" in error
    assert "`snakemake --cores 1 --force a.csv`" in error
    assert not Path("c.csv").exists()


def test_forgotten_output_is_an_error(folder, capsys):
    snakemake = Job({"table": "out.csv", "page": "out.md"})
    with pytest.raises(SystemExit), provenance.job(snakemake) as run:
        with run.output("table") as path:
            path.write_text("x")
    assert "ended without writing out.md" in capsys.readouterr().err
    assert not Path("out.csv").exists(), "all outputs of a job or none"


def test_output_written_by_other_means_gets_a_side_car(folder):
    with provenance.job(Job({"book": "book.html"})):
        Path("book.html").write_text("<html>")
    assert record_of("book.html")["sha256"] == sha256_of("book.html")


def test_names_of_outputs(folder, capsys):
    snakemake = Job({"table": "out.csv", "parts": ["a.svg", "b.svg"]})
    with provenance.job(snakemake) as run:
        with pytest.raises(StudyError, match="no output 'tabel'; it has: table, parts"):
            with run.output("tabel"):
                pass
        with pytest.raises(StudyError, match="holds 2 files"):
            with run.output("parts"):
                pass
        for key in ("table", "a.svg", 2):
            with run.output(key) as path:
                path.write_text("x")
        with pytest.raises(StudyError, match="written twice"):
            with run.output(0):
                pass
    assert Path("b.svg").exists()


def test_works_without_git(folder, monkeypatch):
    machine.git_state.cache_clear()
    monkeypatch.setenv("PATH", str(folder))
    try:
        assert machine.git_state() == {"git_commit": None, "git_clean": None}
    finally:
        machine.git_state.cache_clear()


def test_git_state_names_the_commit_of_a_repository(folder, monkeypatch):
    if not _has_git():
        pytest.skip("git is not installed")
    monkeypatch.setattr(machine, "__file__", str(folder / "machine.py"))
    run = ["git", "-c", "user.name=t", "-c", "user.email=t@t", "-c", "init.defaultBranch=main"]
    (folder / "machine.py").write_text("")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "x"]):
        subprocess.run([*run, *arguments], check=True, cwd=folder)
    try:
        machine.git_state.cache_clear()
        clean = machine.git_state()
        assert re.fullmatch(r"[0-9a-f]{40}", clean["git_commit"]) and clean["git_clean"] is True
        (folder / "machine.py").write_text("changed")
        machine.git_state.cache_clear()
        assert machine.git_state() == {**clean, "git_clean": False}
    finally:
        machine.git_state.cache_clear()


def _has_git():
    try:
        return subprocess.run(["git", "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def test_thread_limits(folder, monkeypatch):
    for name in provenance.THREAD_VARIABLES:
        monkeypatch.setenv(name, "16")
    with provenance.job(Job({"a": "a.csv"})) as run, run.output("a") as path:
        path.write_text("x")
        assert {os.environ[name] for name in provenance.THREAD_VARIABLES} == {"1"}


SLOW_JOB = """
import sys, time
sys.path.insert(0, {tests!r})
from test_provenance import Job
from plausible.reproduction.provenance import job
with job(Job({{"table": "out.csv"}})) as run, run.output("table") as path:
    path.write_text("half")
    print("ready", flush=True)
    time.sleep(60)
"""


def test_terminated_job_leaves_nothing(folder):
    code = SLOW_JOB.format(tests=str(Path(__file__).parent))
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        assert list(folder.rglob(".partial-*"))
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=20) == 128 + signal.SIGTERM
    assert not list(folder.rglob("*.csv*")) and not list(folder.rglob(".partial-*"))


def test_import_is_light():
    code = (
        "import sys, plausible.reproduction.provenance; "
        "print([m for m in ('numpy', 'torch', 'pandas') if m in sys.modules])"
    )
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert answer.stdout.strip() == "[]"


def test_peak_memory_is_that_of_this_process():
    code = (
        "from plausible.reproduction.machine import peak_memory_mb as peak\n"
        "before = peak(); block = bytearray(200_000_000); print(peak() - before)"
    )
    ballast = bytearray(300_000_000)
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert 190 < float(answer.stdout) < 215
    del ballast


SNAKEFILE = """
rule all:
    input: "results/tiny.csv"

rule make:
    input: data="data.txt"
    output: table="results/tiny.csv"
    log: "logs/make.log"
    params: run={"rate": {"hz": 250.0}}, seeds=[4]
    script: "make.py"
"""

SCRIPT = """
from plausible.reproduction.provenance import job
from plausible.errors import DataError
with job(snakemake) as run:
    text = open(snakemake.input.data).read()
    if "bad" in text:
        raise DataError("data.txt says bad, expected good.")
    with run.output("table") as path:
        path.write_text(text)
"""


@pytest.mark.slow
def test_under_snakemake_itself(folder):
    Path("Snakefile").write_text(SNAKEFILE)
    Path("make.py").write_text(SCRIPT)
    command = [sys.executable, "-m", "snakemake", "--cores", "1", "--quiet", "rules"]
    Path("data.txt").write_text("bad")
    failed = subprocess.run(command, capture_output=True, text=True)
    assert failed.returncode == 1
    assert "error: data.txt says bad, expected good." in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not Path("results/tiny.csv").exists()
    Path("data.txt").write_text("good")
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = record_of("results/tiny.csv")
    assert record["settings"] == {"run": {"rate": {"hz": 250.0}}, "seeds": [4]}
    assert record["seeds"] == [4]
    assert record["inputs"] == {"data.txt": sha256_of("data.txt")}
