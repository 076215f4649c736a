"""Kills at random moments: of jobs, of Snakemake, of everything, and of a report's kernel."""

import os
import random
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from .harness import (
    PART,
    RESULTS,
    ROOT,
    RUN,
    SCALE,
    STUDY,
    Base,
    Outcome,
    environment,
    processes_below,
    processor_time,
    run,
    sha256,
    snakemake,
)

KIND = "kill"
SCRIPTS = {"train": "train.py", "sweep": "run_sweep.py", "result": "make_result.py"}
GONE = {
    "train": (f"train/{RUN}.*", "fig5.*"),
    "sweep": ("sweep/fig2c.*", "fig2c.*"),
    "result": ("fig2c.*",),
}
TARGETS = {
    "train": [f"{RESULTS}/fig5.csv"],
    "sweep": [f"{RESULTS}/fig2c.csv"],
    "result": [f"{RESULTS}/fig2c.svg"],
}
LATEST_S = {"train": 4.0, "sweep": 2.0, "result": 2.0, "group": 11.0, "snakemake": 11.0}
"""Processor time of the victim, or of all, at which it is killed at the latest."""
EARLIEST_S = {"group": 3.0, "snakemake": 3.0}


def faults(base: Base, seed: int = 1, count: int = 24) -> Iterator[Outcome]:
    """``count`` kills of a random kind of victim at a random moment."""
    random_numbers = random.Random(seed)
    victims = ["train", "group", "sweep", "snakemake", "train", "result", "group", "snakemake"]
    signals = [signal.SIGKILL] * 3 + [signal.SIGTERM, signal.SIGINT]
    for number in range(count):
        victim = victims[number % len(victims)]
        earliest = EARLIEST_S.get(victim, 0.2)
        moment = round(random_numbers.uniform(earliest, LATEST_S[victim]), 2)
        yield _killed(base, number, victim, moment, random_numbers.choice(signals))


def command_line(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


def _killed(base: Base, number: int, victim: str, moment: float, sign: signal.Signals) -> Outcome:
    name = f"{victim} #{number} {sign.name} at {moment} s"
    folder = base.copy(f"kill-{number}")
    base.forget(folder, *GONE.get(victim, PART))
    targets = TARGETS.get(victim, [f"{RESULTS}/fig5.csv", f"{RESULTS}/fig2c.csv"])
    process = _started(folder, *targets)
    hit = _wait_and_kill(process, victim, moment, sign)
    try:
        process.wait(300)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        return Outcome(KIND, name, "unclear", "hung after the kill")
    if victim in ("group", "snakemake"):
        _end(process.pid)  # jobs that outlive Snakemake
    if half := base.differing(folder):
        return Outcome(KIND, name, "wrong", f"after the kill: {half}")
    if victim in ("group", "snakemake"):
        unlocked = run(snakemake("--unlock"), folder)
        if unlocked.code != 0:
            return Outcome(KIND, name, "unclear", f"unlock: {unlocked.sentence}")
    again = run(snakemake("--cores", "2", *targets), folder)
    if again.code is None:
        return Outcome(KIND, name, "unclear", "hung when started again")
    if again.code != 0 or not base.same(folder):
        return Outcome(KIND, name, "lost", f"{base.differing(folder)} {again.sentence}")
    litter = len(list((folder / "results").rglob(".partial-*")))
    shutil.rmtree(folder)
    return Outcome(KIND, name, "ok", f"{'hit' if hit else 'ended before'}, {litter} leftovers")


def _started(folder: Path, *targets: str) -> subprocess.Popen:
    """Snakemake in a process group of its own."""
    return subprocess.Popen(
        snakemake("--cores", "2", *targets),
        cwd=folder,
        env=environment(folder),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def _wait_and_kill(
    process: subprocess.Popen, victim: str, moment: float, sign: signal.Signals
) -> bool:
    while process.poll() is None:
        time.sleep(0.05)
        tree = processes_below(process.pid)
        if script := SCRIPTS.get(victim):
            lines = {pid: command_line(pid) for pid in tree}
            # Snakemake runs a copy whose name ends in that of the script.
            jobs = [
                pid
                for pid, line in lines.items()
                if script in line and "python" in line.split(" ")[0]
            ]
            if jobs and max(map(processor_time, jobs)) >= moment:
                for pid in jobs:
                    _kill(pid, sign)
                return True
        elif sum(map(processor_time, tree)) >= moment:
            if victim == "snakemake":
                os.kill(process.pid, sign)
            else:
                os.killpg(process.pid, sign)
            return True
    return False


def _kill(pid: int, sign: signal.Signals) -> None:
    try:
        os.kill(pid, sign)
    except ProcessLookupError:
        pass


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:
        pass
    time.sleep(0.3)


def report_faults(base: Base, seed: int = 5, count: int = 3) -> Iterator[Outcome]:
    """Kills of the job that executes a report, and of its kernel.

    The report is that of a finished run at the demo scale in the project itself.
    """
    page = f"reports/{SCALE}/{STUDY}.html"
    if not (ROOT / page).is_file():
        yield Outcome(KIND, "report", "skipped", f"{page} is not there; `make all` makes it")
        return
    folder = base.work / "report"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for part in (
        "Snakefile",
        "config.yaml",
        "workflow",
        "profiles",
        "results",
        "reports",
        ".snakemake",
    ):
        subprocess.run(["cp", "-a", str(ROOT / part), str(folder)], check=True)
    random_numbers = random.Random(seed)
    notebook = page.replace(".html", ".ipynb")
    first = run(snakemake("--cores", "2", page), folder)
    wanted = {path: sha256(folder / path) for path in (page, notebook)}
    if first.code != 0:
        yield Outcome(KIND, "report", "unclear", f"harness: {first.sentence}")
        return
    for number in range(count):
        victim = "kernel" if number == count - 1 else "job"
        moment = round(random_numbers.uniform(0.5, 6.0), 2)
        name = f"report, {victim} #{number} at {moment} s"
        for path in wanted:
            (folder / path).unlink()
        process = _started(folder, page)
        while process.poll() is None:
            time.sleep(0.1)
            lines = {pid: command_line(pid) for pid in processes_below(process.pid)}
            jobs = [pid for pid, line in lines.items() if "execute_notebook.py" in line]
            kernels = [pid for pid, line in lines.items() if "ipykernel" in line]
            spent = sum(map(processor_time, [*jobs, *kernels]))
            if jobs and spent >= moment and (kernels or victim == "job"):
                for pid in kernels[:1] if victim == "kernel" else jobs:
                    _kill(pid, signal.SIGKILL)
                break
        try:
            process.wait(300)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            yield Outcome(KIND, name, "unclear", "hung after the kill")
            continue
        half = [
            p for p, was in wanted.items() if (folder / p).exists() and sha256(folder / p) != was
        ]
        again = run(snakemake("--cores", "2", page), folder)
        same = all((folder / p).exists() and sha256(folder / p) == was for p, was in wanted.items())
        if half:
            yield Outcome(KIND, name, "wrong", f"half-made {half}")
        else:
            yield Outcome(KIND, name, "ok" if same and again.code == 0 else "lost", again.sentence)
