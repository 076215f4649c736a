"""Hostile machines and folders: environments, permissions, full disks, clocks, names, edits."""

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from .harness import (
    PART,
    RESULTS,
    RUN,
    SCALE,
    STUDY,
    TARGETS,
    Base,
    Outcome,
    environment,
    judge,
    run,
    sha256,
    snakemake,
)

KIND = "surroundings"
TABLE, PICTURE = f"{RESULTS}/fig2c.csv", f"{RESULTS}/fig2c.svg"
# Root may read and write anything; without these rights it is a user like any other.
AS_USER = (
    "setpriv",
    "--bounding-set=-dac_override,-dac_read_search",
    "--inh-caps=-dac_override,-dac_read_search",
)


class Machine(NamedTuple):
    """What is strange about a machine: done to the folder, the environment, before the command."""

    change: Callable[[Path], Any] | None = None
    variables: dict[str, str | None] = {}
    """`FOLDER` stands for that of the project."""
    shell: str = ""
    expected: str = "ok"
    words: tuple[str, ...] = ()
    as_user: bool = False
    targets: tuple[str, ...] = (PICTURE,)


def _read_only(*names: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for name in names:
            (folder / name).mkdir(exist_ok=True)
            subprocess.run(["chmod", "-R", "a-w", str(folder / name)], check=True)

    return change


def _file_for(name: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        shutil.rmtree(folder / name, ignore_errors=True)
        (folder / name).write_text("x")

    return change


def _every(pattern: str, how: Callable[[Path], Any]) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        for path in list(folder.glob(pattern)):
            if path.is_file():
                how(path)

    return change


def _dressed(folder: Path) -> None:
    """A matplotlibrc of the user in the working directory."""
    (folder / "matplotlibrc").write_text(
        "text.usetex: True\nlines.linestyle: ':'\nfigure.facecolor: green\n"
    )


def _foreign_kernel(folder: Path) -> None:
    """A kernel of our name that is another Python, and one that fails."""
    place = folder / "jupyter/kernels/python3"
    place.mkdir(parents=True)
    argv = ["/bin/false", "-f", "{connection_file}"]
    (place / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "x"}))


def _stale_lock(folder: Path) -> None:
    locks = folder / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    for name in ("0.input.lock", "0.output.lock"):
        (locks / name).write_text(f"{TABLE}\n")


def _without_records(change: Callable[[Path], Any]) -> Callable[[Path], None]:
    def both(folder: Path) -> None:
        change(folder)
        shutil.rmtree(folder / ".snakemake")

    return both


def _table_is_a_folder(folder: Path) -> None:
    (folder / TABLE).unlink(missing_ok=True)
    (folder / TABLE).mkdir()


SIDE_CARS = "results/**/*.json"
MACHINES: dict[str, Machine] = {
    "HOME unset": Machine(variables={"HOME": None}),
    "HOME missing": Machine(variables={"HOME": "FOLDER/no/home"}),
    # Where no folder for caches can be made, Snakemake ends before it reads the project; `make`
    # gives it another (tests/test_environment.py).
    "MPLCONFIGDIR": Machine(variables={"MPLCONFIGDIR": "/proc/nope"}),
    "matplotlibrc": Machine(_dressed),
    "JUPYTER_PATH": Machine(_foreign_kernel, {"JUPYTER_PATH": "jupyter"}),
    "TMPDIR missing": Machine(variables={"TMPDIR": "FOLDER/no/tmp"}),
    "LC_ALL=C": Machine(variables={"LC_ALL": "C", "LANG": "C"}),
    "LC_ALL nonsense": Machine(variables={"LC_ALL": "xx_YY.KOI8"}),
    "no UTF-8": Machine(variables={"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    "time zone": Machine(variables={"TZ": "Pacific/Kiritimati"}),
    "hash seed": Machine(variables={"PYTHONHASHSEED": "7"}),
    "PYTHONOPTIMIZE": Machine(variables={"PYTHONOPTIMIZE": "2"}),
    "24 open files": Machine(shell="ulimit -n 24;", expected="either"),
    "300 MB": Machine(shell="ulimit -v 300000;", expected="either"),
    "files of 20 kB": Machine(shell="ulimit -f 20;", expected="error", words=("",)),
    "umask 077": Machine(shell="umask 077;"),
    "no stdin": Machine(shell="exec <&-;"),
    "results read-only": Machine(
        _read_only("results"), as_user=True, expected="error", words=("results",)
    ),
    "logs read-only": Machine(_read_only("logs"), as_user=True, expected="error", words=("logs",)),
    ".snakemake read-only": Machine(
        _read_only(".snakemake"), as_user=True, expected="error", words=(".snakemake",)
    ),
    "results a file": Machine(_file_for("results"), expected="error", words=("results", "folder")),
    "logs a file": Machine(_file_for("logs"), expected="error", words=("logs", "folder")),
    "records garbage": Machine(
        _every(".snakemake/metadata/**/*", lambda p: p.write_bytes(b"\0garbage")), expected="either"
    ),
    "provenance missing": Machine(_every(SIDE_CARS, Path.unlink)),
    "provenance garbage": Machine(_every(SIDE_CARS, lambda p: p.write_bytes(b"\xff{"))),
    "provenance garbage, no records": Machine(
        _without_records(_every(SIDE_CARS, lambda p: p.write_bytes(b"\xff{")))
    ),
    "provenance a list, no records": Machine(
        _without_records(_every(SIDE_CARS, lambda p: p.write_text("[1]")))
    ),
    "provenance other, no records": Machine(
        _without_records(
            _every(SIDE_CARS, lambda p: p.write_text('{"sha256": "x", "inputs": ["a"]}'))
        )
    ),
    "times in the future": Machine(
        _every("results/**/*.csv", lambda p: os.utime(p, (time.time() + 9e6,) * 2)),
        expected="error",
        words=("clock skew",),
    ),
    "times of 1970": Machine(_every("results/**/*", lambda p: os.utime(p, (1, 1)))),
    "clock set back": Machine(
        _every("**/*", lambda p: os.utime(p, (time.time() + 86400,) * 2)),
        expected="error",
        words=("clock skew",),
        targets=TARGETS,
    ),
    "measurements removed": Machine(
        lambda folder: shutil.rmtree(folder / f"results/{SCALE}/benchmarks")
    ),
    "stale lock": Machine(_stale_lock, expected="error", words=("unlock",)),
    "final table deleted": Machine(
        lambda folder: (folder / RESULTS / "fig5.csv").unlink(), targets=TARGETS
    ),
    "network deleted": Machine(
        lambda folder: (folder / RESULTS / f"train/{RUN}.npz").unlink(), targets=TARGETS
    ),
    "table is a folder": Machine(_table_is_a_folder, expected="either", targets=(TABLE,)),
}


def faults(base: Base) -> Iterator[Outcome]:
    """Strange machines; where a table comes out, it must be the one of the undisturbed run."""
    for number, (name, machine) in enumerate(MACHINES.items()):
        folder = base.copy(f"machine-{number}")
        base.forget(folder, "fig2c.*")
        if machine.change:
            machine.change(folder)
        words = [
            "bash",
            "-c",
            f"{machine.shell} exec {' '.join(snakemake('--cores', '1', *machine.targets))}",
        ]
        own = {k: v and v.replace("FOLDER", str(folder)) for k, v in machine.variables.items()}
        env = environment(folder, **own)
        ended = run(words, folder, env, prefix=AS_USER if machine.as_user else ())
        if half := base.differing(folder):
            yield Outcome(KIND, name, "wrong", f"differs: {half}; {ended.sentence}")
        elif ended.code == 0 and machine.expected == "ok" and not (folder / TABLE).is_file():
            yield Outcome(KIND, name, "lost", "exit code 0 without the table")
        else:
            yield judge(KIND, name, ended, machine.words, machine.expected)
        subprocess.run(["chmod", "-R", "u+w", str(folder)], check=False)
        shutil.rmtree(folder, ignore_errors=True)
    yield from _full_disks(base)
    yield from _places(base)
    yield from _edits(base)
    yield _two_at_once(base)
    yield from _determinism(base)


def _full_disks(base: Base) -> Iterator[Outcome]:
    """A small disk that is full, and then is not."""
    if os.geteuid() != 0:
        yield Outcome(KIND, "full disk", "skipped", "mounting a small disk needs root")
        return
    for left in (1_000_000, 100_000, 0):
        name = f"full disk, {left} bytes left"
        disk = base.work / f"disk-{left}"
        disk.mkdir(exist_ok=True)
        mounted = ["mount", "-t", "tmpfs", "-o", "size=90m", "tmpfs", str(disk)]
        if subprocess.run(mounted, capture_output=True).returncode != 0:
            yield Outcome(KIND, name, "skipped", "no disk can be mounted here")
            return
        try:
            original = base.copy(f"full-{left}")
            folder = disk / "project"
            shutil.copytree(original, folder, symlinks=True)
            base.forget(folder, *PART)
            state = os.statvfs(disk)
            (disk / "ballast").write_bytes(b"x" * max(state.f_bavail * state.f_frsize - left, 0))
            ended = run(snakemake("--cores", "1", *TARGETS), folder)
            if half := base.differing(folder):
                yield Outcome(KIND, name, "wrong", f"differs: {half}")
            else:
                yield judge(KIND, name, ended, (), "error")
            (disk / "ballast").unlink()
            run(snakemake("--unlock"), folder)
            again = run(snakemake("--cores", "1", *TARGETS), folder)
            same = again.code == 0 and base.same(folder)
            yield Outcome(KIND, f"{name}, then free", "ok" if same else "lost", again.sentence)
        finally:
            subprocess.run(["umount", str(disk)], capture_output=True)


NAMES = {
    "space": "with space",
    "letters of the world": "Übung-数",
    "apostrophe": "it's",
    "semicolon and dollar": "a;b$HOME",
    "braces": "br{x}ace",
    "very long": "/".join(["l" * 50] * 4),
}


def _places(base: Base) -> Iterator[Outcome]:
    """The project under strange names, and results in another folder."""
    target = f"{STUDY}_fig2c"
    for name, inner in NAMES.items():
        folder = base.copy(inner, source=True)
        base.forget(folder, "sweep/fig2c.*", "fig2c.*")
        ended = run(snakemake("--cores", "1", target), folder)
        same = ended.code == 0 and base.same(folder)
        status = "ok" if same else "unclear" if ended.code else "lost"
        yield Outcome("place", name, status, ended.sentence)
        shutil.rmtree(base.work / Path(inner).parts[0])
    project = base.copy("project", finished=False, source=True)
    for name, arguments in {
        "another folder": ["--snakefile", str(project / "Snakefile")],
        "--directory": ["--snakefile", str(project / "Snakefile"), "--directory", "inner"],
    }.items():
        folder = base.work / f"elsewhere{len(arguments)}"
        folder.mkdir(exist_ok=True)
        ended = run(snakemake("--cores", "1", target, *arguments), folder, environment(project))
        table = folder / ("inner" if "inner" in arguments else ".") / TABLE
        made = table.is_file() and sha256(table) == base.tables["fig2c.csv"]
        status = "ok" if ended.code == 0 and made else "unclear" if ended.code else "lost"
        yield Outcome("place", name, status, ended.sentence)


def _edits(base: Base) -> Iterator[Outcome]:
    """What is made again after an edit, and that nothing edited is taken for made."""

    def numbers(text: str) -> str:
        return re.sub(r"\d\.\d+", "9.99", text, count=3)

    def cut(text: str) -> str:
        return text[:3000]

    edits: dict[str, tuple[str, Callable[[str], str], bool]] = {
        "source table edited": ("sweep/fig2c.csv", numbers, True),
        "final table edited": ("fig2c.csv", numbers, True),
        "final table cut": ("fig2c.csv", cut, True),
        "final table emptied": ("fig2c.csv", lambda text: "", True),
        "edited, no records": ("fig2c.csv", numbers, False),
        "old edit, no records": ("fig2c.csv", numbers, False),
    }
    for number, (name, (file, how, records)) in enumerate(edits.items()):
        folder = base.copy(f"edit-{number}")
        path = folder / RESULTS / file
        path.write_text(how(path.read_text()))
        if name.startswith("old"):
            os.utime(path, (1, 1))
        if not records:
            shutil.rmtree(folder / ".snakemake")
        ended = run(snakemake("--cores", "1", *TARGETS), folder)
        tables = {k: v for k, v in base.tables_of(folder).items() if not k.endswith(".changed")}
        # An edited source whose results are all there is not needed again.
        wrong = [k for k, v in tables.items() if v != base.tables.get(k)]
        lost = [k for k in base.tables if k not in tables and k != file]
        status = "wrong" if wrong else "lost" if lost or ended.code != 0 else "ok"
        yield Outcome("edit", name, status, f"{wrong or lost or ended.sentence}")
        shutil.rmtree(folder)
    module = "src/plausible/studies/thuesen2022/neurons/experiment.py"
    style = "src/plausible/drawing/style.py"
    codes: dict[str, tuple[str, str, set[str]]] = {
        "code of a sweep": (module, "\n_HARNESS = 1\n", {"run_sweep", f"{STUDY}_fig2c"}),
        "comment": (module, "\n# only a comment\n", set()),
        "code of pictures": (style, "\n_HARNESS = 1\n", {f"{STUDY}_fig2c", f"{STUDY}_fig5"}),
    }
    for number, (name, (file, addition, expected)) in enumerate(codes.items()):
        folder = base.copy(f"code-{number}", source=True)
        with open(folder / file, "a", encoding="utf-8") as stream:
            stream.write(addition)
        ended = run(snakemake("-n", "--cores", "1", *TARGETS), folder)
        planned = set(re.findall(r"^(\w+) +\d+$", ended.said, re.MULTILINE)) - {"total"}
        status = "ok" if ended.code == 0 and planned == expected else "wrong"
        yield Outcome("edit", f"{name} edited", status, f"planned {sorted(planned) or 'nothing'}")
        shutil.rmtree(folder)
    changed = {"studies": [STUDY], "overrides": {"*": {"epochs": 6}, "fig5_zil": {"epochs": 7}}}
    folder = base.copy("edit-settings", config=json.dumps(changed))
    ended = run(snakemake("-n", "--cores", "1", *TARGETS), folder)
    found = re.search(r"^train +(\d+)$", ended.said, re.MULTILINE)
    status = "ok" if found and found[1] == "2" else "wrong"
    yield Outcome("edit", "settings changed", status, f"trainings planned: {found and found[1]}")


def _two_at_once(base: Base) -> Outcome:
    """The same command twice at the same time in the same folder."""
    folder = base.copy("two")
    base.forget(folder, *PART)
    logs = [folder / f"said{number}" for number in range(2)]
    processes = []
    for log in logs:
        with open(log, "w", encoding="utf-8") as stream:
            processes.append(
                subprocess.Popen(
                    snakemake("--cores", "1", *TARGETS),
                    cwd=folder,
                    env=environment(folder),
                    stdin=subprocess.DEVNULL,
                    stdout=stream,
                    stderr=subprocess.STDOUT,
                )
            )
    codes = [process.wait(600) for process in processes]
    if not base.same(folder):
        return Outcome("edit", "two at once", "lost", f"exit codes {codes}")
    refused = [log.read_text() for log, code in zip(logs, codes, strict=True) if code]
    clear = all("unlock" in text.lower() and "Traceback" not in text for text in refused)
    return Outcome("edit", "two at once", "ok" if clear else "unclear", f"exit codes {codes}")


def _determinism(base: Base) -> Iterator[Outcome]:
    """The same bytes, whatever the cores, the place, the hash seed, the locale and the threads."""
    two = {name: "2" for name in ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS")}
    runs: dict[str, tuple[str, dict[str, str | None], bool]] = {
        "one core": ("1", {}, False),
        "two cores, another place": ("2", {}, True),
        "hash seed": ("2", {"PYTHONHASHSEED": "1"}, False),
        "locale and time zone": ("2", {"LC_ALL": "C", "TZ": "Asia/Tokyo"}, False),
        "two threads": ("1", two, False),
    }
    for number, (name, (cores, variables, source)) in enumerate(runs.items()):
        folder = base.copy(f"again-{number}", source=source)
        base.forget(folder, *PART)
        env = environment(folder, **variables)
        ended = run(snakemake("--cores", cores, *TARGETS), folder, env)
        found = base.files_of(folder)
        different = [path for path, was in base.files.items() if found.get(path) != was]
        status = "ok" if ended.code == 0 and not different else "lost"
        yield Outcome("determinism", name, status, f"{different or 'all files equal'}")
        shutil.rmtree(folder)
