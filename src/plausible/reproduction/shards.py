"""Division of a sweep among its jobs, and results that a killed job has already finished."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from plausible.learning.checkpoint import load_checkpoint, save_checkpoint
from plausible.reproduction.settings import ExperimentSettings

Task = TypeVar("Task")


def part_of(
    tasks: Sequence[Task], costs: Sequence[float], settings: ExperimentSettings
) -> list[Task]:
    """Tasks of the job ``shard`` of ``shards``: a stretch of the list of equal estimated cost.

    A task belongs to the part in which the middle of its cost lies, so every task belongs to
    exactly one.
    """
    total, before = sum(costs), 0.0
    chosen = []
    for task, share in zip(tasks, costs, strict=True):
        if int((before + share / 2) / total * settings.shards) == settings.shard:
            chosen.append(task)
        before += share
    return chosen


def stored(folder: str | Path | None, name: str, compute: Callable[[], Any]) -> Any:
    """What ``compute`` returns, read from ``folder`` if a killed run of the job had finished it.

    A checkpoint in ``folder``/``name``.done.npz, of what JSON can hold; no folder, no memory.
    """
    if folder is None:
        return compute()
    path = Path(folder) / f"{name}.done.npz"
    kept = load_checkpoint(path, name)
    if kept is None:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, name, {"found": compute()})
        kept = load_checkpoint(path, name)
    return kept.words["found"]
