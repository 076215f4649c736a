"""Speed of the house: what a start of Snakemake, one result and the whole demo scale cost.

Machines differ by a factor of three, so times are given in yardsticks: one import of torch, pandas
and seaborn, measured in the same minute. Processor time is steadier than wall time where other
programs run. See README.md beside it.
"""

import argparse
import csv
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
YARDSTICK = [sys.executable, "-c", "import torch, pandas, seaborn"]
RESULTS = ("thuesen2022_fig2a", "song2020_fig3")
NOT_COPIED = (".git", ".venv*", ".snakemake", "__pycache__", "results", "reports", "logs", "out")


class Times(NamedTuple):
    """Wall time, and processor time of a program and all that it started, in seconds."""

    wall: float
    processor: float


def measure(command: list[str], folder: Path, repetitions: int = 1) -> Times:
    """Best times of a command over some repetitions; SystemExit if it fails."""
    environment = {name: v for name, v in os.environ.items() if not name.startswith("SNAKEMAKE")}
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    environment["PYTHONPATH"] = str(folder / "src")
    found = []
    for _ in range(repetitions):
        began, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
        wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{' '.join(command)} failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        found.append(Times(wall, used))
    return Times(min(t.wall for t in found), min(t.processor for t in found))


def snakemake(*arguments: str) -> list[str]:
    """Command line of Snakemake in this environment."""
    return [sys.executable, "-m", "snakemake", *arguments]


def whole_demo_scale(cores: int) -> tuple[Times, dict[str, list[float]]]:
    """Everything at the demo scale in a fresh copy: times, and the seconds of each stage's jobs."""
    with tempfile.TemporaryDirectory(prefix="house-") as scratch:
        copy = Path(scratch) / "project"
        shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(*NOT_COPIED))
        times = measure(snakemake("--cores", str(cores), "all", "--config", "scale=demo"), copy)
        stages = defaultdict(list)
        folder = copy / "results" / "demo" / "benchmarks"
        for path in folder.rglob("*.tsv"):
            parts = path.relative_to(folder).with_suffix("").parts
            with open(path, encoding="utf-8") as stream:
                row = next(csv.DictReader(stream, delimiter="\t"))
            # <study>/<stage>/<job>.tsv; other jobs stand beside the stages.
            stages[parts[1] if len(parts) > 2 else parts[-1]].append(float(row["s"]))
    return times, stages


def main() -> int:
    """Measure and print one line each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--repetitions", type=int, default=3, help="of which the best counts (3)")
    parser.add_argument(
        "--result", action="append", help=f"short name of a result (default: {', '.join(RESULTS)})"
    )
    parser.add_argument("--all", action="store_true", help="run the whole demo scale in a copy")
    parser.add_argument("--cores", type=int, default=2, help="cores for the demo scale (2)")
    options = parser.parse_args()
    yardstick = measure(YARDSTICK, ROOT, options.repetitions)

    def show(name: str, times: Times) -> None:
        ratios = [ours / one for ours, one in zip(times, yardstick, strict=True)]
        print(
            f"{name:32} {times.wall:8.2f} s {ratios[0]:7.2f} yardsticks   "
            f"processor {times.processor:8.2f} s {ratios[1]:7.2f}"
        )

    show("yardstick", yardstick)
    planned = subprocess.run(
        snakemake("--cores", "1", "all", "--dry-run"), cwd=ROOT, capture_output=True, text=True
    )
    if "Nothing to be done" not in planned.stdout + planned.stderr:
        print("this folder is not finished (`make all`), so no start without work is measured")
    else:
        nothing = snakemake("--cores", "1", "all")
        show("nothing to do", measure(nothing, ROOT, options.repetitions))
        for name in options.result or RESULTS:
            again = snakemake("--cores", "1", name, "--forcerun", name)
            show(f"{name} again", measure(again, ROOT, options.repetitions))
    if options.all:
        times, stages = whole_demo_scale(options.cores)
        show(f"demo scale, {options.cores} cores", times)
        for stage, seconds in sorted(stages.items(), key=lambda item: -sum(item[1])):
            print(f"  {stage:12} {len(seconds):4} jobs {sum(seconds):8.1f} s")
    return 0


if __name__ == "__main__":
    sys.exit(main())
