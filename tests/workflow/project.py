"""A copy of the project in a folder of its own, and Snakemake in it."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


Edits = Mapping[str, Callable[[dict], None]]
"""What changes in a study, by the names of its files without their ending."""


def copy_project(folder: Path, study: str = "", edits: Edits | None = None) -> Path:
    """A copy of the project's own files in which a study is changed."""
    for name in ("Snakefile", "config.yaml"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("workflow", "profiles"):
        shutil.copytree(ROOT / name, folder / name)
    edit_study(folder, study, edits or {})
    if edits:
        files = folder / "workflow/studies" / study
        kept = {"study", *yaml.safe_load((files / "study.yaml").read_text())["parts"]}
        for path in files.glob("*.yaml"):
            if path.stem not in kept:  # a part that the edits left out
                path.unlink()
    return folder


def edit_study(folder: Path, study: str, edits: Edits) -> None:
    """Change files of a study by functions that edit their content."""
    for name, edit in edits.items():
        path = folder / f"workflow/studies/{study}/{name}.yaml"
        content = yaml.safe_load(path.read_text())
        edit(content)
        path.write_text(yaml.safe_dump(content, sort_keys=False))


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments]


def environment(folder: Path) -> dict[str, str]:
    """Environment of a run: without the outer Snakemake, with the package that lies in the copy."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEMAKE")}
    if (folder / "src").is_dir():
        kept["PYTHONPATH"] = str(folder / "src")
    return kept


def run(words: list[str], folder: Path) -> subprocess.CompletedProcess:
    return subprocess.run(
        words, cwd=folder, capture_output=True, text=True, timeout=300, env=environment(folder)
    )


def snakemake(folder: Path, *arguments: str, check: bool = True) -> subprocess.CompletedProcess:
    done = run(command(*arguments), folder)
    assert not check or done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def planned_rules(folder: Path, *targets: str) -> list[str]:
    """Rule of every job that a dry run would execute, with duplicates."""
    shown = snakemake(folder, "-n", "--cores", "1", *targets)
    rules = []
    for line in shown.stdout.splitlines() + shown.stderr.splitlines():
        words = line.split()
        if len(words) == 2 and words[1].isdigit() and words[0] != "total":
            rules += [words[0]] * int(words[1])
    # The table of jobs is printed at the start and at the end.
    return sorted(rules[: len(rules) // 2])


def process_at_work(folder: Path, checkpoints: str, script: str, seconds: float = 120) -> int:
    """Process id of a script of the workflow once its first checkpoint is on disk.

    ``checkpoints`` is a pattern of file names below ``results``.
    """
    deadline = time.time() + seconds
    while time.time() < deadline:
        if list((folder / "results").rglob(checkpoints)):
            listing = subprocess.run(
                ["ps", "-ewwo", "pid,args"], capture_output=True, text=True, check=True
            ).stdout
            for line in listing.splitlines():
                pid, _, arguments = line.strip().partition(" ")
                if str(folder) in arguments and script in arguments and "bash" not in arguments:
                    return int(pid)
        time.sleep(0.05)
    raise AssertionError(f"{script} did not start in time")


def start_snakemake(folder: Path, *arguments: str) -> subprocess.Popen:
    """Snakemake in a process group of its own, to be killed."""
    return subprocess.Popen(
        command(*arguments),
        cwd=folder,
        env=environment(folder),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
