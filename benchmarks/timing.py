"""Fair timing on a shared machine: variants take turns, CPU time, medians."""

import csv
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

OUT = Path(__file__).parent / "out"


class Row(NamedTuple):
    """Measurement of one variant; ``ratio`` is how many times slower than our first variant."""

    benchmark: str
    variant: str
    unit: str
    median: float
    best: float
    worst: float
    ratio: float
    note: str


def take_turns(work: dict[str, Callable[[], object]], repetitions: int) -> dict[str, list[float]]:
    """CPU seconds of every variant, one round after the other; warm up before.

    CPU time of the process is steadier than wall time where other processes run, and with one
    thread it is what an idle machine would show.
    """
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _ in range(repetitions):
        for name, action in work.items():
            began = time.process_time()
            action()
            seconds[name].append(time.process_time() - began)
    return seconds


def per_second(
    benchmark: str, seconds: dict[str, list[float]], amount: dict[str, int], notes: dict[str, str]
) -> list[Row]:
    """Rows in images per second; the first variant is ours."""
    speed = {name: [amount[name] / each for each in times] for name, times in seconds.items()}
    ours = median(next(iter(speed.values())))
    return [
        Row(
            benchmark,
            name,
            "images/s",
            median(values),
            max(values),
            min(values),
            ours / median(values),
            notes.get(name, ""),
        )
        for name, values in speed.items()
    ]


def milliseconds(
    benchmark: str, seconds: dict[str, list[float]], updates: dict[str, int], notes: dict[str, str]
) -> list[Row]:
    """Rows in milliseconds per update; the first variant is ours."""
    spent = {
        name: [1e3 * each / updates[name] for each in times] for name, times in seconds.items()
    }
    ours = median(next(iter(spent.values())))
    return [
        Row(
            benchmark,
            name,
            "ms/update",
            median(values),
            min(values),
            max(values),
            median(values) / ours,
            notes.get(name, ""),
        )
        for name, values in spent.items()
    ]


def write_table(path: Path, rows: Sequence[Row]) -> None:
    """Write all rows as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(path, "w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(Row._fields)
        for row in rows:
            writer.writerow([f"{v:.5g}" if isinstance(v, float) else v for v in row])


def table(rows: Sequence[Row]) -> str:
    """All rows as text, one heading per benchmark."""
    width = max(len(row.variant) for row in rows)
    lines = []
    for name in dict.fromkeys(row.benchmark for row in rows):
        lines += ["", name]
        for row in rows:
            if row.benchmark == name:
                lines.append(
                    f"  {row.variant:{width}}  {row.median:9.4g} {row.unit:9} "
                    f"({row.best:.4g} .. {row.worst:.4g})  {row.ratio:6.2f} x  {row.note}".rstrip()
                )
    return "\n".join(lines)
