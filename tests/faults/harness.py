"""What a fault is, how a command under it ended, and the small run that faults are done to.

Outcomes: ``ok``; ``lost``, an undisturbed result was not reached again or differs in a byte;
``wrong``, something half-made, altered or refused is taken for finished; ``unclear``, it ended
without one sentence that names the thing, with a traceback, or not at all.
"""

import dataclasses
import hashlib
import json
import os
import re
import runpy
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STUDY, SCALE = "thuesen2022", "demo"
RESULTS = f"results/{SCALE}/{STUDY}"
RUN = "fig5_zil.corrected.0-1-2"
CONFIG = {"studies": [STUDY], "overrides": {"*": {"epochs": 6}}}
TARGETS = (f"{STUDY}_fig5", f"{STUDY}_fig2c")
PATIENCE_S = 100
"""Hung is what uses no processor time for so long."""


@dataclasses.dataclass(frozen=True)
class Outcome:
    """How a fault ended."""

    kind: str
    name: str
    status: str
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.status:7} [{self.kind}] {self.name}: {' '.join(self.detail.split())[:500]}"


@dataclasses.dataclass(frozen=True)
class Ended:
    """How a command ended: its exit code, None if it hung, and what it said."""

    code: int | None
    said: str

    @property
    def sentence(self) -> str:
        """The line that a user is meant to read."""
        lines = [line.strip() for line in self.said.splitlines()]
        ours = [line for line in lines if line.startswith("error:")]
        others = [line for line in lines if re.match(r"\w*(Error|Exception)\b", line)]
        return (ours or others or [" / ".join(lines[-3:])])[0]


def judge(
    kind: str,
    name: str,
    ended: Ended,
    words: Iterable[str] = (),
    expected: str = "error",
    left: Iterable[Path] = (),
) -> Outcome:
    """Outcome of a fault that is to be refused ("error"), borne ("ok"), or either of them."""
    there = [str(path) for path in left if path.exists()]
    lacking = [word for word in words if word.lower() not in ended.said.lower()]
    if ended.code is None:
        return Outcome(kind, name, "unclear", f"hung: {ended.sentence}")
    if ended.code == 0 and expected == "error":
        return Outcome(kind, name, "wrong", "accepted without a word")
    if ended.code == 0:
        return Outcome(kind, name, "ok", "runs")
    if there:
        return Outcome(kind, name, "wrong", f"failed, but left {there}")
    if expected == "ok":
        return Outcome(kind, name, "unclear", f"should run: {ended.sentence}")
    if "Traceback (most recent call last)" in ended.said:
        last = re.findall(r"^[\w.]*(?:Error|Exception)\b.*", ended.said, re.MULTILINE)
        return Outcome(kind, name, "unclear", f"traceback: {last[-1:]}")
    if lacking:
        return Outcome(kind, name, "unclear", f"lacks {lacking}: {ended.sentence}")
    return Outcome(kind, name, "ok", ended.sentence)


def environment(folder: Path | None = None, **changes: str | None) -> dict[str, str]:
    """Environment of a command: this package and interpreter, and ``changes`` (None takes away)."""
    kept = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("SNAKEMAKE", "PLAUSIBLE", "PYTHON"))
    }
    kept["PATH"] = f"{Path(sys.executable).parent}:{kept['PATH']}"
    source = folder / "src" if folder and (folder / "src").is_dir() else ROOT / "src"
    kept |= {"PYTHONPATH": str(source), "PYTHONNOUSERSITE": "1"}
    for key, value in changes.items():
        if value is None:
            kept.pop(key, None)
        else:
            kept[key] = value
    return kept


def processes_below(pid: int) -> list[int]:
    """A process and all that descend from it."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        children.setdefault(int(fields[1]), []).append(int(entry.name))
    found, waiting = [], [pid]
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def processor_time(pid: int) -> float:
    """Seconds that a process has used; 0 of one that is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def run(
    words: list[str],
    folder: Path,
    env: Mapping[str, str] | None = None,
    prefix: Iterable[str] = (),
    limit_s: float = 600,
) -> Ended:
    """A command in a session of its own; killed if it makes no progress."""
    with tempfile.TemporaryFile() as sink:
        process = subprocess.Popen(
            [*prefix, *words],
            cwd=folder,
            env=dict(env or environment(folder)),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        began = moved = looked = time.monotonic()
        used, hung = -1.0, False
        while process.poll() is None:
            time.sleep(0.05)
            now = time.monotonic()
            if now - looked > 10:
                looked, before = now, used
                used = sum(map(processor_time, processes_below(process.pid)))
                moved = now if used - before > 0.02 else moved
                if now - moved > PATIENCE_S or now - began > limit_s:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
                    hung = True
        sink.seek(0)
        said = sink.read().decode(errors="replace")
        return Ended(None if hung else process.returncode, said)


def snakemake(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", *arguments]


def forked(
    function: Callable[[], Any],
    folder: Path,
    memory_mb: int | None = None,
    limit_s: float = 300,
    user: int | None = None,
    env: Mapping[str, str] | None = None,
) -> Ended:
    """A function in a fork of this process, which has imported what takes seconds to load."""
    output = Path(tempfile.mkstemp(prefix="said-")[1])
    pid = os.fork()
    if not pid:
        code = 1
        try:
            os.setsid()
            os.chdir(folder)
            stream = os.open(output, os.O_WRONLY | os.O_TRUNC)
            os.dup2(stream, 1)
            os.dup2(stream, 2)
            os.environ.update(env or {})
            if memory_mb:
                import resource

                resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20,) * 2)
            if user is not None:
                os.seteuid(user)
            function()
            code = 0
        except SystemExit as stop:
            if isinstance(stop.code, str):
                print(stop.code, file=sys.stderr)
            code = stop.code if isinstance(stop.code, int) else int(bool(stop.code))
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    deadline = time.monotonic() + limit_s
    while True:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            break
        if time.monotonic() > deadline:
            os.killpg(pid, signal.SIGKILL)
            os.waitpid(pid, 0)
            code = None
            break
        time.sleep(0.02)
    said = output.read_text(errors="replace")
    output.unlink()
    return Ended(code, said)


class Files(list):
    """Paths as Snakemake hands them to a script: a list whose entries may have names."""

    def __init__(self, *values: Any, **named: Any) -> None:
        super().__init__(values)
        self.named = named
        for value in named.values():
            self.extend(value if isinstance(value, list) else [value])

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["named"][name]
        except KeyError:
            raise AttributeError(name) from None

    def __getitem__(self, key: Any) -> Any:
        return self.named[key] if isinstance(key, str) else super().__getitem__(key)

    def items(self) -> Iterable[tuple[str, Any]]:
        return list(self.named.items())

    def get(self, key: str, default: Any = None) -> Any:
        return self.named.get(key, default)


def script(
    name: str, inputs: Files, outputs: Files, params: Files, wildcards: Files, config: Any
) -> Callable[[], Any]:
    """One script of the workflow, to be called in the folder of a project."""

    def call() -> None:
        snakemake = SimpleNamespace(
            rule=name,
            input=inputs,
            output=outputs,
            params=params,
            wildcards=wildcards,
            config=config,
            threads=1,
            log=Files(f"job.{os.getpid()}.log"),
        )
        runpy.run_path(f"workflow/scripts/{name}.py", {"snakemake": snakemake})

    return call


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Base:
    """A project with two finished results, of which every fault gets a copy."""

    def __init__(self, work: Path, keep: bool = False) -> None:
        self.work, self.folder = work, work / "base"
        if not (keep and (self.folder / RESULTS / "fig5.png").exists()):
            shutil.rmtree(work, ignore_errors=True)
            self.folder.mkdir(parents=True)
            for part in ("Snakefile", "workflow", "profiles", "src"):
                copy = shutil.copytree if (ROOT / part).is_dir() else shutil.copy
                copy(ROOT / part, self.folder / part)
            (self.folder / "config.yaml").write_text(json.dumps(CONFIG) + "\n")
            ended = run(snakemake("--cores", "2", *TARGETS), self.folder)
            if ended.code != 0:
                raise SystemExit(f"error: the undisturbed run failed:\n{ended.said[-3000:]}")
        self.tables = self.tables_of(self.folder)
        self.files = self.files_of(self.folder)

    @staticmethod
    def tables_of(folder: Path) -> dict[str, str]:
        root = folder / RESULTS
        paths = [
            path
            for path in root.rglob("*.csv")
            if path.is_file() and not path.name.startswith(".partial-")
        ]
        return {str(path.relative_to(root)): sha256(path) for path in sorted(paths)}

    @staticmethod
    def files_of(folder: Path) -> dict[str, str]:
        root = folder / RESULTS
        kinds = (".csv", ".svg", ".png", ".npz")
        paths = [path for path in root.rglob("*") if path.suffix in kinds]
        return {str(path.relative_to(root)): sha256(path) for path in sorted(paths)}

    def copy(
        self,
        name: str,
        finished: bool = True,
        source: bool = False,
        config: str | bytes | None = None,
    ) -> Path:
        """A copy of the project; with what is finished, and with the package, if asked for."""
        folder = self.work / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        parts = ["Snakefile", "config.yaml", "workflow", "profiles", *(["src"] if source else [])]
        parts += ["results", ".snakemake"] if finished else []
        for part in parts:
            subprocess.run(["cp", "-a", str(self.folder / part), str(folder)], check=True)
        for lock in folder.glob(".snakemake/locks/*"):
            lock.unlink()
        if config is not None:
            content = config if isinstance(config, bytes) else config.encode()
            (folder / "config.yaml").write_bytes(content)
        return folder

    def forget(self, folder: Path, *patterns: str) -> None:
        """Remove results, so that they are to be made again."""
        for pattern in patterns:
            for path in (folder / RESULTS).glob(pattern):
                path.unlink()

    def same(self, folder: Path) -> bool:
        return self.tables_of(folder) == self.tables

    def differing(self, folder: Path) -> list[str]:
        """Tables that are there and not those of the undisturbed run."""
        return [k for k, v in self.tables_of(folder).items() if v != self.tables.get(k)]


PART = (f"train/{RUN}.*", "fig5.*", "sweep/fig2c.*", "fig2c.*")
"""Results that most kills and surroundings have to reach again."""
