"""Division of a sweep among its jobs."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

Task = TypeVar("Task")


def part_of(
    tasks: Sequence[Task], costs: Sequence[float], settings: Mapping[str, Any]
) -> list[Task]:
    """Tasks of the job ``shard`` of ``shards``: a stretch of the list of equal estimated cost.

    A task belongs to the part in which the middle of its cost lies, so every task belongs to
    exactly one. Without the two settings all tasks belong to the one job.
    """
    shard, shards = settings.get("shard", 0), settings.get("shards", 1)
    total, before = sum(costs), 0.0
    chosen = []
    for task, share in zip(tasks, costs, strict=True):
        if int((before + share / 2) / total * shards) == shard:
            chosen.append(task)
        before += share
    return chosen
