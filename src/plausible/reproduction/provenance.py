"""Where every file comes from: one frame around each workflow script.

A script of the workflow reads::

    with job(snakemake) as run:
        frame = make_table(...)
        with run.output("table") as path:      # name, index or path of an output of the rule
            frame.to_csv(path, index=False)

The frame configures the log, times the work and writes ``<file>.json`` beside every output. Outputs
stay under temporary names until the whole job has succeeded; then the side-cars are written, then
the outputs are renamed into place. So an output that exists is complete and has its provenance.

Nothing here imports numpy or torch: the thread limits must be set before they load, and figure
scripts must start quickly.
"""

import errno
import hashlib
import json
import logging
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from plausible.config import project_path
from plausible.errors import PlausibleError, StudyError
from plausible.files import atomic_path, sha256_of, write_text
from plausible.reproduction.machine import git_state, machine, peak_memory_mb
from plausible.reproduction.progress import finished
from plausible.reproduction.study_files import study_files

LOGGER = logging.getLogger("plausible")
THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


_FREE, _RIGHTS = "free some space", "correct the permissions"
_SURROUNDINGS = {
    errno.ENOSPC: ("the disk is full", _FREE),
    errno.EDQUOT: ("the disk is full, your quota is used up", _FREE),
    errno.EFBIG: ("a file may not grow further, a limit of the shell (ulimit -f)", "raise it"),
    errno.EMFILE: ("too many files are open, a limit of the shell (ulimit -n)", "raise it"),
    errno.EACCES: ("", _RIGHTS),
    errno.EPERM: ("", _RIGHTS),
    errno.EROFS: ("", "make the file system writeable"),
    errno.EISDIR: ("a folder stands where a file is expected", "move it away"),
    errno.ENOTDIR: ("a file stands where a folder is expected", "move it away"),
}
"""Faults of a machine, not of the code: what is wrong, and what to do."""


class Run:
    """The running job: its log, and its outputs while they are being written."""

    def __init__(self, snakemake: Any, stack: ExitStack) -> None:
        self.log = LOGGER
        self.inputs = verified_inputs(map(str, snakemake.input))
        self.notes: dict[str, Any] = {}
        self._names = dict(snakemake.output.items())
        self._outputs = [str(path) for path in snakemake.output]
        self._stack = stack
        self.staged: dict[str, Path] = {}

    def note(self, **facts: Any) -> None:
        """Add ``facts`` to the provenance of every output, for instance the device used."""
        self.notes.update(facts)

    @contextmanager
    def output(self, key: str | int) -> Iterator[Path]:
        """Yield the temporary path of the output named ``key`` (name, index or path).

        The file is renamed into place when the whole job has succeeded.
        """
        final = self._resolve(key)
        if final in self.staged:
            raise StudyError(f"output {final} is written twice by one job; write it once.")
        path = self._stack.enter_context(atomic_path(final))
        yield path
        self.staged[final] = path

    def _resolve(self, key: str | int) -> str:
        if isinstance(key, int):
            return self._outputs[key]
        named = self._names.get(key)
        if named is not None and not isinstance(named, str):
            raise StudyError(f"output '{key}' holds {len(named)} files; ask for each by its path.")
        if named is None and str(key) not in self._outputs:
            known = ", ".join([*self._names, *self._outputs])
            raise StudyError(f"the rule has no output '{key}'; it has: {known}.")
        return named or str(key)


@contextmanager
def job(snakemake: Any) -> Iterator[Run]:
    """Frame of a workflow script: log, thread limits, errors, provenance and atomic outputs.

    A PlausibleError inside becomes the line ``error: ...`` on stderr and in the log, and exit
    code 1; so does a full disk. Any other exception is logged with its traceback and re-raised.
    """
    started = time.perf_counter()
    with ExitStack() as frame:
        frame.enter_context(_logging(str(snakemake.log[0]) if len(snakemake.log) else None))
        frame.enter_context(_terminated_cleanly())
        _limit_threads(int(snakemake.threads))
        try:
            with ExitStack() as outputs:
                run = Run(snakemake, outputs)
                yield run
                _write_side_cars(snakemake, run, started)
            facts = [f"{time.perf_counter() - started:.1f} s", f"{peak_memory_mb():.0f} MB"]
            facts += filter(None, [finished(str(snakemake.output[0]))])
            LOGGER.info("%s: %s", snakemake.rule, ", ".join(facts))
        except PlausibleError as error:
            LOGGER.error("error: %s", error)
            raise SystemExit(1) from None
        except MemoryError:
            LOGGER.error(
                "error: rule %s needs more memory than there is (%s); make its settings smaller, "
                "or let fewer jobs run at once.",
                snakemake.rule,
                ", ".join(map(str, snakemake.output)),
            )
            raise SystemExit(1) from None
        except OSError as error:
            if error.errno not in _SURROUNDINGS:
                LOGGER.critical("unexpected error in rule %s", snakemake.rule, exc_info=True)
                raise
            where = _portable(error.filename) if error.filename else "the outputs"
            LOGGER.error(
                "error: %s (at %s); %s and run the same command again, it continues where it "
                "stopped.",
                _SURROUNDINGS[error.errno][0] or os.strerror(error.errno).lower(),
                where,
                _SURROUNDINGS[error.errno][1],
            )
            raise SystemExit(1) from None
        except Exception:
            LOGGER.critical("unexpected error in rule %s", snakemake.rule, exc_info=True)
            raise


def _write_side_cars(snakemake: Any, run: Run, started: float) -> None:
    missing = [path for path in run._outputs if path not in run.staged and not Path(path).exists()]
    if missing:
        raise StudyError(
            f"rule {snakemake.rule} ended without writing {', '.join(missing)}; "
            "its script must write every output."
        )
    record = provenance(snakemake, notes=run.notes, inputs=run.inputs)
    record["wall_time_s"] = round(time.perf_counter() - started, 3)
    record["peak_memory_mb"] = round(peak_memory_mb(), 1)
    for output in run._outputs:
        written = run.staged.get(output, Path(output))
        if written.is_dir():
            continue
        content = {"file": _portable(output), "sha256": sha256_of(written), **record}
        write_text(side_car(output), json.dumps(content, indent=1, ensure_ascii=False) + "\n")


def verified_inputs(paths: Iterable[str]) -> dict[str, str | None]:
    """SHA-256 of every input, by the path that the records name; None of what is no file.

    Raises
    ------
    StudyError
        If a file is missing, or is not the one that the workflow made, by the provenance beside it.
    """
    found = {}
    for path in paths:
        if not Path(path).exists():
            raise StudyError(f"{path} is missing; `snakemake --cores 1 {path}` makes it.")
        checksum = sha256_of(path) if Path(path).is_file() else None
        recorded = recorded_checksum(path)
        if checksum and recorded and checksum != recorded:
            raise StudyError(
                f"{path} was changed or damaged after the workflow had made it: its SHA-256 is not "
                f"the one in {side_car(path)}; make it again by `snakemake --cores 1 --force "
                f"{path}`."
            )
        found[_portable(path)] = checksum
    return found


def recorded_checksum(path: str | Path) -> str | None:
    """SHA-256 that the provenance of ``path`` holds; None without one."""
    try:
        record = json.loads(side_car(path).read_text(encoding="utf-8"))
        return str(record["sha256"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def side_car(path: str | Path) -> Path:
    """Path of the provenance of ``path``: the same name with ``.json`` appended."""
    path = Path(path)
    return path.with_name(path.name + ".json")


def provenance(
    snakemake: Any,
    notes: Mapping[str, Any] | None = None,
    inputs: Mapping[str, str | None] | None = None,
) -> dict[str, Any]:
    """Everything about the running job that its outputs depend on, as plain data.

    ``inputs`` are their checksums, if they are known already.
    Paths inside the working directory are relative; of others only the name is kept, since the
    checksum beside it says which file it was.
    """
    settings = _plain(_named(snakemake.params))
    wildcards = _plain(_named(snakemake.wildcards))
    study = _study_file(snakemake)
    return {
        "rule": snakemake.rule,
        "wildcards": wildcards,
        "settings": settings,
        "seeds": sorted(_seeds({"settings": settings, "wildcards": wildcards})),
        "notes": _plain(dict(notes or {})),
        **git_state(),
        "study": study.name if study else None,
        "study_sha256": _hash_of_study(study) if study else None,
        "config_sha256": _hash_of(_plain(dict(snakemake.config))),
        "inputs": dict(verified_inputs(map(str, snakemake.input)) if inputs is None else inputs),
        "threads": int(snakemake.threads),
        **machine(),
    }


def _limit_threads(threads: int) -> None:
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)
    if "torch" in sys.modules:
        sys.modules["torch"].set_num_threads(threads)


@contextmanager
def _logging(path: str | None) -> Iterator[None]:
    """Send the package's log to ``path`` (fresh) and to stderr; other libraries only warnings."""
    on_screen = logging.StreamHandler(sys.stderr)
    on_screen.setFormatter(logging.Formatter("%(message)s"))
    # Python itself prints the traceback of the exception that leaves the script.
    on_screen.addFilter(lambda record: record.exc_info is None)
    handlers: list[logging.Handler] = [on_screen]
    if path:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        in_file = logging.FileHandler(path, mode="w", encoding="utf-8")
        in_file.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
        handlers.append(in_file)
    root = logging.getLogger()
    before = (LOGGER.level, logging.raiseExceptions)
    LOGGER.setLevel(logging.INFO)
    logging.raiseExceptions = False  # a full disk must not add a second traceback from the log
    logging.captureWarnings(True)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            with suppress(OSError):  # the last line may not fit on a full disk
                handler.close()
        logging.captureWarnings(False)
        LOGGER.level, logging.raiseExceptions = before[0], before[1]


@contextmanager
def _terminated_cleanly() -> Iterator[None]:
    """Turn SIGTERM into an ordinary exit, so that temporary files are removed."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def leave(number: int, _frame: Any) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _named(values: Any) -> dict[str, Any]:
    """Entries of one of Snakemake's lists by their names, or by position if none has a name."""
    return dict(values.items()) or {str(i): value for i, value in enumerate(values)}


def _is_list(value: Any) -> bool:
    return not isinstance(value, str | bytes | Mapping) and hasattr(value, "__iter__")


def _plain(value: Any) -> Any:
    """JSON form of nested settings: sequences as lists, absolute paths without their machine."""
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, bool | int | float) or value is None:
        return value
    if isinstance(value, set | frozenset):
        return sorted(map(_plain, value), key=str)
    if _is_list(value):
        return [_plain(entry) for entry in value]
    return _portable(value)


def _portable(path: Any) -> str:
    text = str(path)
    if not os.path.isabs(text):
        return text
    relative = os.path.relpath(text)
    return os.path.basename(text) if relative.startswith("..") else relative


def _seeds(value: Any, key: str = "") -> set[int]:
    """Every integer that stands under a key ``seed`` or ``seeds``, at any depth."""
    if isinstance(value, Mapping):
        return set().union(*(_seeds(entry, str(name)) for name, entry in value.items()))
    if isinstance(value, list):
        return set().union(*(_seeds(entry, key) for entry in value))
    if key not in ("seed", "seeds") or isinstance(value, bool):
        return set()
    return {int(value)} if re.fullmatch(r"\d+", str(value)) else set()


def _hash_of(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _hash_of_study(path: Path) -> str:
    """Checksum of the checksums of all files of a study."""
    return _hash_of([sha256_of(file) for file in study_files(path)])


def _study_file(snakemake: Any) -> Path | None:
    """Folder of the study to which the job belongs, found by wildcard or output path."""
    folder = Path(project_path("workflow", "studies"))
    candidates = [dict(snakemake.wildcards.items()).get("study")]
    candidates += [part for path in snakemake.output for part in Path(str(path)).parts]
    for name in candidates:
        if isinstance(name, str) and name and (folder / name / "study.yaml").is_file():
            return folder / name
    return None
