"""Run times: which jobs feed a result, how long they took and how much memory they needed.

Snakemake measures every job (``results/<scale>/benchmarks``). Here these measurements are added up
for each result, each stage and the whole study. As a program, the module puts the run times of all
scales into a document, between two marks.

pandas is imported only where a table is made, because the list of results must start quickly.
"""

import argparse
import csv
import json
import math
import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from plausible.config import project_root
from plausible.errors import PlausibleError, StudyError
from plausible.files import write_text
from plausible.reproduction.declaration import Study
from plausible.reproduction.provenance import side_car
from plausible.reproduction.published import load_published, published_folder

if TYPE_CHECKING:
    import pandas as pd

STAGES = {
    "data": "Data sets",
    "train": "Training",
    "convert": "Conversion to spiking networks",
    "simulate": "Spiking simulations",
    "sweep": "Experiments",
    "result": "Tables and pictures",
    "verdicts": "Verdicts",
}
"""Stages by the name of their folder of measurements, in the order of the work."""
WHOLE = "whole study"
COLUMNS = (
    "part",
    "result",
    "title",
    "jobs",
    "jobs_without_time",
    "minutes",
    "longest_job_minutes",
    "peak_memory_mb",
)
SCALES = ("demo", "quick", "paper")
REFERENCE, REFERENCE_SCALE = "reference", "paper"
BEGIN, END = "<!-- runtimes:begin -->", "<!-- runtimes:end -->"
LONGEST = 5
"""Number of single results that a document shows."""
MEBIBYTE = 2**20 / 1e6
"""Snakemake writes memory in units of 2^20 bytes; MB here are 10^6 bytes."""


class Task(NamedTuple):
    """One job of the workflow: its stage and the name of its measurement."""

    stage: str
    name: str


class Measured(NamedTuple):
    """What Snakemake measured of a job: wall time on its one core, and largest memory."""

    seconds: float
    memory_mb: float


def tasks_of(study: Study, result: str) -> list[Task]:
    """Every job that ``result`` rests on, each once, in the order of the work."""
    declared = study.results[result]
    source = study.shown_in(result) or result
    sources = study.results[source].get("from", {})
    tasks: list[Task] = []
    networks = [(job, False) for job in study.jobs(sources.get("train", ()))]
    for name in sources.get("simulate", ()):
        jobs = study.simulation_jobs(name)
        networks += [(job, True) for job in jobs]
        tasks += [Task("simulate", f"{name}.{'.'.join(job)}") for job in jobs]
    for name in sources.get("sweep", ()):
        networks += [(job, True) for job in study.sweep_networks(name)]
        tasks += [Task("sweep", f"{name}{part}") for part in study.sweep_parts(name)]
        if dataset := study.sweep_dataset(name):
            tasks.append(Task("data", dataset))
    for job, converted in networks:
        settings = study.training_settings(job.run, job.protocol)
        tasks += [Task("data", settings["dataset"]), Task("train", ".".join(job))]
        if converted:
            tasks.append(Task("convert", ".".join(job)))
    tasks.append(Task("result", source))
    if declared.get("figure") or declared.get("markdown"):
        tasks.append(Task("result", result))
    return _in_order(tasks)


def tasks_of_study(study: Study) -> list[Task]:
    """Every job of the study, each once, in the order of the work."""
    tasks = [task for result in study.results for task in tasks_of(study, result)]
    return _in_order([*tasks, Task("verdicts", "verdicts")])


def _in_order(tasks: Iterable[Task]) -> list[Task]:
    stages = list(STAGES)
    return sorted(dict.fromkeys(tasks), key=lambda task: stages.index(task.stage))


def benchmark_file(benchmarks: str | Path, study: str, task: Task) -> Path:
    """Measurement of a job, below ``results/<scale>/benchmarks``."""
    folder = Path(benchmarks)
    if task.stage == "data":
        return folder / "data" / f"{task.name}.tsv"
    if task.stage == "verdicts":
        return folder / study / "verdicts.tsv"
    return folder / study / task.stage / f"{task.name}.tsv"


def read_benchmark(path: str | Path) -> Measured | None:
    """Time and memory of a job, or None if it was never measured.

    Of a repeated measurement (several rows) the mean time and the largest memory count. Memory of a
    job too short to be sampled is NaN.

    Raises
    ------
    StudyError
        If the file is not one that Snakemake wrote.
    """
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            rows = list(csv.DictReader(stream, delimiter="\t"))
        seconds = [_number(row["s"]) for row in rows]
        memory = [_number(row["max_rss"]) * MEBIBYTE for row in rows]
        return Measured(sum(seconds) / len(seconds), _largest(memory))
    except FileNotFoundError:
        return None
    except (KeyError, ValueError, TypeError, ZeroDivisionError):
        raise StudyError(
            f"{path}: this is no measurement of Snakemake, which has the columns s and max_rss and "
            "a row of numbers; remove the file."
        ) from None


def _number(text: str) -> float:
    return math.nan if text in ("NA", "-", "") else float(text)


def _largest(values: Iterable[float]) -> float:
    return max((value for value in values if not math.isnan(value)), default=math.nan)


def titles(study: Study) -> dict[str, str]:
    """Title of every result: the published one, or the study file's own."""
    entries = load_published(published_folder(study.name)).entries
    return {
        result: entries.get(f"{study.name}.{result}", declared).get("title", "")
        for result, declared in study.results.items()
    }


def collect(
    study: Study, benchmarks: str | Path, named: Mapping[str, str] | None = None
) -> "pd.DataFrame":
    """Run times of the whole study, of each of its stages and of each of its results.

    Parameters
    ----------
    study:
        The study at the scale that was run.
    benchmarks:
        Folder ``results/<scale>/benchmarks``.
    named:
        Titles of the results, by default those of `titles`.

    Returns
    -------
    DataFrame with the columns ``COLUMNS``. ``part`` is ``study``, ``stage`` or ``result``; ``jobs``
    counts the different jobs (one that several results share counts in each of them, and once in
    the whole); ``minutes`` is the sum of their wall times, each on one core, ``peak_memory_mb`` the
    largest memory of one of them. Jobs without a measurement (``jobs_without_time``; those made
    elsewhere) add nothing; if all are such, the numbers are NaN. A job that was stopped and went on
    from a checkpoint was measured from there.
    """
    import pandas as pd

    named = titles(study) if named is None else named
    whole = tasks_of_study(study)
    measured = {
        task: read_benchmark(benchmark_file(benchmarks, study.name, task)) for task in whole
    }
    rows = [("study", WHOLE, study.title, whole)]
    for stage, title in STAGES.items():
        if tasks := [task for task in whole if task.stage == stage]:
            rows.append(("stage", stage, title, tasks))
    rows += [("result", name, named.get(name, ""), tasks_of(study, name)) for name in study.results]
    return pd.DataFrame(
        [(*names, *_added([measured[task] for task in tasks])) for *names, tasks in rows],
        columns=list(COLUMNS),
    )


def _added(measured: Sequence[Measured | None]) -> tuple[int, int, float, float, float]:
    """The numeric columns for these jobs."""
    known = [job for job in measured if job is not None and not math.isnan(job.seconds)]
    minutes = [job.seconds / 60 for job in known]
    return (
        len(measured),
        len(measured) - len(known),
        round(math.fsum(minutes), 4) if known else math.nan,
        round(_largest(minutes), 4),
        round(_largest(job.memory_mb for job in known), 1),
    )


def find_run_times(root: str | Path) -> dict[str, list[dict[str, Any]]]:
    """Rows of the tables of run times that lie in the project, by scale.

    A study that was not run at the paper scale here takes part with its reference run. Every row
    has the further keys ``study`` and ``machine``.
    """
    results = Path(root) / "results"
    found: dict[str, list[dict[str, Any]]] = {}
    files = sorted(results.glob("*/*/runtimes.csv"))
    # The reference runs come last, so that a run of one's own goes before them.
    for path in sorted(files, key=lambda path: path.parts[-3] == REFERENCE):
        own = path.parts[-3]
        rows = found.setdefault(REFERENCE_SCALE if own == REFERENCE else own, [])
        if path.parent.name not in {row["study"] for row in rows}:
            rows += _read_rows(path)
    known = [scale for scale in SCALES if scale in found]
    return {scale: found[scale] for scale in [*known, *sorted(set(found) - set(SCALES))]}


def _read_rows(path: Path) -> list[dict[str, Any]]:
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            rows: list[dict[str, Any]] = list(csv.DictReader(stream))
        for row in rows:
            row |= {name: int(row[name]) for name in ("jobs", "jobs_without_time")}
            for name in ("minutes", "longest_job_minutes", "peak_memory_mb"):
                row[name] = _number(row[name])
            row["machine"] = _machine(path)
            row["study"], row["part"], row["result"], row["title"]  # noqa: B018 (must be there)
    except (KeyError, ValueError, TypeError):
        raise StudyError(
            f"{path}: a table of run times has the columns study, {', '.join(COLUMNS)}; remove the "
            "file and make it again."
        ) from None
    return rows


def _machine(path: Path) -> str:
    """Processor of the machine that made a file, from its provenance."""
    try:
        return json.loads(side_car(path).read_text(encoding="utf-8"))["cpu"]
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def minutes_text(minutes: float, jobs_without_time: int = 0) -> str:
    """Minutes for people: ``95``, ``3.4``, ``< 0.1``; ``>= 3.4`` if jobs were not measured."""
    if math.isnan(minutes):
        return "-"
    if minutes < 0.05:
        return "-" if jobs_without_time else "< 0.1"
    text = f"{minutes:.0f}" if minutes >= 99.5 else f"{minutes:.1f}"
    return f">= {text}" if jobs_without_time else text


def readme_block(frames_by_scale: Mapping[str, "pd.DataFrame"]) -> str:
    """Markdown table of the run times: whole studies, their stages and their longest results.

    The frames are those of `collect` with the further column ``study``, and ``machine`` if known.
    """
    rows = {
        scale: frame.to_dict("records") for scale, frame in frames_by_scale.items() if len(frame)
    }
    lookup = {
        (scale, row["study"], row["part"], row["result"]): row
        for scale, records in rows.items()
        for row in records
    }
    header = ["", *(f"{scale}: {what}" for scale in rows for what in ("minutes", "memory"))]
    lines = [_line(header), _line(["---", *["---:"] * (2 * len(rows))])]
    for study in dict.fromkeys(row["study"] for row in lookup.values()):
        for part, name, title in _shown(rows, study):
            cells = [title]
            for scale in rows:
                row = lookup.get((scale, study, part, name))
                cells += _cells(row) if row else ["", ""]
            lines.append(_line(cells))
    places: dict[str, list[str]] = {}
    for scale, records in rows.items():
        for machine in sorted({row["machine"] for row in records if row.get("machine")}):
            places.setdefault(machine, []).append(scale)
    measured = " and ".join(f"{name} ({', '.join(scales)})" for name, scales in places.items())
    note = (
        "Minutes are those of all jobs together, one core each: on n physical cores a run takes "
        "about the n-th part. Memory is that of the largest job. A job that several results share "
        "counts in each of them and once in the whole."
    )
    if measured:
        note += f" Measured on {measured}."
    if any(row["jobs_without_time"] for row in lookup.values()):
        note += " `>=`: the time of some jobs is not known."
    return "\n".join([*lines, "", textwrap.fill(note, 100)])


def _shown(rows: Mapping[str, list[dict[str, Any]]], study: str) -> list[tuple[str, str, str]]:
    """Part, name and shown title of the lines of one study."""
    own = [row for records in rows.values() for row in records if row["study"] == study]
    lines = [("study", WHOLE, f"**`{study}`, everything**")]
    stages = {row["result"] for row in own if row["part"] == "stage"}
    lines += [("stage", stage, title) for stage, title in STAGES.items() if stage in stages]
    # Which results are the longest, the largest scale says.
    largest = [row for row in list(rows.values())[-1] if row["study"] == study] or own
    results = [row for row in largest if row["part"] == "result" and row["minutes"] > 0]
    results.sort(key=lambda row: -row["minutes"])
    lines += [("result", row["result"], f"`{study}.{row['result']}`") for row in results[:LONGEST]]
    return lines


def _cells(row: Mapping[str, Any]) -> list[str]:
    minutes = minutes_text(row["minutes"], row["jobs_without_time"])
    if row["part"] == "study":
        minutes += f" ({row['jobs']} jobs)"
    memory = row["peak_memory_mb"]
    return [minutes, "-" if math.isnan(memory) else f"{memory:.0f} MB"]


def _line(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def rewrite_block(path: str | Path, begin: str, end: str, text: str) -> bool:
    """Put ``text`` between the lines ``begin`` and ``end`` of a document; whether that changed it.

    Raises
    ------
    StudyError
        If the document is missing, or does not hold each mark exactly once and in this order.
    """
    path = Path(path)
    try:
        before = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise StudyError(f"{path}: the document is missing.") from None
    marks = before.count(begin), before.count(end)
    if marks != (1, 1) or before.index(begin) > before.index(end):
        raise StudyError(
            f"{path}: the marks {begin} and {end} were found {marks[0]} and {marks[1]} times; each "
            "must stand there once, the first one first."
        )
    head, tail = before.split(begin)[0], before.split(end)[1]
    after = f"{head}{begin}\n{text.strip()}\n{end}{tail}"
    if after != before:
        write_text(path, after)
    return after != before


def main(arguments: list[str] | None = None) -> int:
    """Print the run times of all scales, or put them into a document."""
    parser = argparse.ArgumentParser(
        prog="python -m plausible.reproduction.runtimes",
        description="Print the run times of all scales that were run, or put them into a document.",
    )
    parser.add_argument("--readme", metavar="FILE", help=f"document with the marks {BEGIN}, {END}")
    options = parser.parse_args(arguments)
    import pandas as pd

    try:
        found = find_run_times(project_root())
        if not found:
            raise StudyError(
                "there are no run times: results/<scale>/<study>/runtimes.csv is not there; run "
                "`make all` first."
            )
        text = readme_block({scale: pd.DataFrame(rows) for scale, rows in found.items()})
        if options.readme is None:
            print(text)
        else:
            changed = rewrite_block(options.readme, BEGIN, END, text)
            print(f"{options.readme}: {'renewed' if changed else 'nothing to change'}")
    except PlausibleError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
