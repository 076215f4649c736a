"""Inject faults into copies of this project and count what is lost, wrong or unclear.

    python -m tests.faults [--only SECTION ...] [--work FOLDER] [--keep] [--out FILE]

Needs Linux; as root it also fills a small disk. One line a fault, then the tally; the exit code
is 1 unless everything is ok.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from . import configurations, damaged, data_files, kills, study_files, surroundings
from .harness import Base, Outcome

SECTIONS: dict[str, Callable[[Base], Iterator[Outcome]]] = {
    "configuration": configurations.faults,
    "study": study_files.faults,
    "data": data_files.faults,
    "damaged": damaged.faults,
    "kill": kills.faults,
    "report": kills.report_faults,
    "surroundings": surroundings.faults,
}
IN_FORKS = ("configuration", "study", "data", "damaged")
"""Sections that fork this process: one after the other, in a process without threads."""


def main() -> int:
    """Run the sections, print outcomes and tally."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults", description=__doc__.split("\n")[0]
    )
    parser.add_argument("--only", nargs="+", choices=SECTIONS, help="these sections alone")
    parser.add_argument("--work", help="folder for the copies (default: a temporary one)")
    parser.add_argument("--keep", action="store_true", help="use the base run of an earlier call")
    parser.add_argument("--out", help="also write the tally here, as a Markdown table")
    options = parser.parse_args()
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="plausible-faults-") as temporary:
        Path(temporary).chmod(0o755)  # a user who may read nothing else reads the project
        work = Path(options.work or temporary) / "work"
        base = Base(work, options.keep)
        print(f"base: {len(base.tables)} tables in {time.monotonic() - began:.0f} s", flush=True)
        chosen = options.only or list(SECTIONS)
        # The forking sections run in a process of their own beside the others.
        pid = os.fork() if {*chosen} & {*IN_FORKS} else None
        pipe = work / "outcomes.txt"
        if pid == 0:
            with open(pipe, "w", encoding="utf-8") as stream:
                for name in IN_FORKS:
                    if name in chosen:
                        _write(stream, SECTIONS[name](base))
            os._exit(0)
        found = []
        with ThreadPoolExecutor(1) as pool:
            others = [name for name in chosen if name not in IN_FORKS]
            for outcomes in pool.map(lambda name: list(_shown(SECTIONS[name](base))), others):
                found += outcomes
        if pid:
            os.waitpid(pid, 0)
            for line in pipe.read_text(encoding="utf-8").splitlines():
                found.append(Outcome(*line.split("\t")))
    text = tally(found, time.monotonic() - began)
    print(text)
    if options.out:
        Path(options.out).write_text(text + "\n", encoding="utf-8")
    return 0 if all(one.status in ("ok", "skipped") for one in found) else 1


def _shown(outcomes: Iterator[Outcome]) -> Iterator[Outcome]:
    for outcome in outcomes:
        print(outcome, flush=True)
        yield outcome


def _write(stream, outcomes: Iterator[Outcome]) -> None:
    for outcome in _shown(outcomes):
        fields = (outcome.kind, outcome.name, outcome.status, outcome.detail)
        stream.write("\t".join(" ".join(field.split()) for field in fields) + "\n")
        stream.flush()


def tally(found: list[Outcome], seconds: float) -> str:
    """Table of how many faults of each kind ended how, and one line of the sum."""
    states = ("ok", "lost", "wrong", "unclear", "skipped")
    counts = Counter((one.kind, one.status) for one in found)
    kinds = dict.fromkeys(one.kind for one in found)
    lines = [f"| faults | {' | '.join(states)} |", f"| --- |{' ---: |' * len(states)}"]
    for kind in kinds:
        lines.append(f"| {kind} | {' | '.join(str(counts[kind, state]) for state in states)} |")
    total = Counter(one.status for one in found)
    lines.append(f"| all {len(found)} | {' | '.join(str(total[state]) for state in states)} |")
    return "\n".join([*lines, "", f"{len(found)} faults in {seconds:.0f} s."])


if __name__ == "__main__":
    sys.exit(main())
