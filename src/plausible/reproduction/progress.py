"""How far a run is, and how long the rest takes: jobs weighed by their known minutes.

When Snakemake starts it writes down what it is going to run (`plan`); each job that ends says how
many are done and how long the others take, at the pace so far (`finished`). Both work in the folder
``logs``. Nothing depends on them: without a plan nothing is said.
"""

import json
import time
from collections.abc import Iterable
from pathlib import Path
from statistics import median
from typing import NamedTuple

from plausible.files import write_text

PLAN, DONE = Path("logs/progress.json"), Path("logs/progress.done")
USUAL_SHARE = 0.05
"""Share of its declared bound that a job takes, where nothing was measured yet."""


class PlannedJob(NamedTuple):
    """A job that will run, by its first output."""

    output: str
    minutes: float | None
    """What it took in an earlier run, if that is known."""
    bound_minutes: float
    """Declared upper bound."""


def plan(jobs: Iterable[PlannedJob]) -> None:
    """Write down the jobs of a run that starts now, each with its weight in minutes."""
    jobs = list(jobs)
    shares = [job.minutes / job.bound_minutes for job in jobs if job.minutes]
    share = median(shares) if shares else USUAL_SHARE
    weights = {job.output: job.minutes or share * job.bound_minutes for job in jobs}
    DONE.parent.mkdir(parents=True, exist_ok=True)
    DONE.write_text("", encoding="utf-8")
    write_text(PLAN, json.dumps({"started": time.time(), "weights": weights}))


def finished(output: str) -> str:
    """Note that a job has ended; what to say about the run, empty if it is not one of a plan."""
    try:
        written = json.loads(PLAN.read_text(encoding="utf-8"))
        weights = written["weights"]
        if output not in weights:
            return ""
        with open(DONE, "a", encoding="utf-8") as stream:  # one short line: whole, or not at all
            stream.write(f"{output}\n")
        done = {*DONE.read_text(encoding="utf-8").splitlines()} & {*weights}
    except (OSError, ValueError, KeyError):
        return ""
    said = f"{len(done)} of {len(weights)} jobs"
    passed = sum(weights[name] for name in done)
    left = sum(weights.values()) - passed
    if passed <= 0 or len(done) == len(weights):
        return said
    minutes = (time.time() - written["started"]) / 60.0 * left / passed
    return f"{said}, about {minutes:.0f} min left" if minutes >= 0.5 else f"{said}, < 1 min left"
