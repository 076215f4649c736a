"""The ablation of Song et al. 2020, figure 3: every network of the t x gamma and sigma sweeps.

The networks of one reading, depth and seed form a group around their backprop twin. Groups stand
one after the other, each from cheap to expensive, and a shard of the sweep is a stretch of this
line of equal estimated cost; a shard trains the twin of each group it touches again (seconds).
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from plausible.data import Dataset
from plausible.files import write_text
from plausible.studies.inputs import read, require
from plausible.studies.song2020.networks import (
    Images,
    Trained,
    comparison,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.studies.song2020.readings import Reading, make_reading

AT_L = "l"
"""The value of t of the column where theta^{l+1} learns at t = l."""


class Variant(NamedTuple):
    """A cell of the sweeps."""

    panel: str
    method: str
    t: str
    gamma: float
    sigma: float
    noise: str


class Task(NamedTuple):
    """One network to train."""

    protocol: str
    l_max: int
    seed: int
    variant: Variant


def variants(settings: Mapping[str, Any]) -> list[Variant]:
    """All networks of a group but the backprop twin, in the order of the settings."""
    cells = []
    for gamma in settings["gammas"]:
        for t in map(str, settings["times"]):
            if t == "0" and gamma != settings["gammas"][0]:
                continue  # without a change of the value nodes there is no gamma
            method = "t_equals_l" if t == AT_L else "fixed_t"
            cells.append(Variant("t_gamma", method, t, float(gamma), 0.0, "none"))
    for noise in settings["noises"]:
        for sigma in settings["sigmas"]:
            if sigma > 0:  # sigma = 0 is the cell t = l, gamma = 1
                cells.append(Variant("sigma", "t_equals_l", AT_L, 1.0, float(sigma), noise))
    if settings["fazil_steps"]:
        cells.append(Variant("fazil", "fazil", AT_L, 1.0, 0.0, "none"))
    return cells


def cost(variant: Variant, l_max: int, fazil_steps: int) -> float:
    """Estimated time of a network, in units of one pass of the images through the first matrix.

    Measured: 30 us for a batch's products with the images, 2.3 us per inference step and matrix
    beyond the first.
    """
    steps = {
        "backprop": 1,
        "t_equals_l": l_max,
        "fazil": fazil_steps,
        "fixed_t": int(variant.t) if variant.t.isdigit() else 0,
    }[variant.method]
    return 1.0 + 0.075 * (steps + 1) * (l_max - 1)


def tasks(settings: Mapping[str, Any], seeds: Sequence[int]) -> list[Task]:
    """All networks of the sweep, group after group, within a group from cheap to expensive."""
    listed = []
    for protocol in settings["readings"]:
        for l_max in settings["l_max"]:
            cells = sorted(
                variants(settings), key=lambda cell: cost(cell, l_max, settings["fazil_steps"])
            )
            listed += [Task(protocol, l_max, seed, cell) for seed in seeds for cell in cells]
    return listed


def shard_of(listed: Sequence[Task], costs: Sequence[float], shard: int, shards: int) -> list[Task]:
    """The tasks whose middle lies in part ``shard`` of ``shards`` equal parts of the total cost."""
    total, before = sum(costs), 0.0
    chosen = []
    for task, share in zip(listed, costs, strict=True):
        if int((before + share / 2) / total * shards) == shard:
            chosen.append(task)
        before += share
    return chosen


def task_rows(task: Task, metrics: Mapping[str, Any], gammas: Sequence[float], epochs: int):
    """Rows of a task: several where one network stands for several cells."""
    protocol, l_max, seed, cell = task
    row = {"l_max": l_max, "seed": seed, "method": cell.method, "epochs": epochs, **metrics}
    place = {"t": cell.t, "sigma": cell.sigma, "noise": cell.noise}
    if cell.panel == "t_gamma" and cell.t == "0":
        for gamma in gammas:
            yield {"protocol": protocol, "panel": "t_gamma", "gamma": gamma, **place, **row}
        return
    yield {"protocol": protocol, "panel": cell.panel, "gamma": cell.gamma, **place, **row}


def grid(
    settings: Mapping[str, Any],
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Divergence from backprop of every network of figure 3; one shard of them.

    Settings: ``readings`` (protocol: choices of ``Reading``), ``l_max``, ``gammas``, ``times``
    (numbers and ``l``), ``sigmas``, ``noises``, ``fazil_steps`` (T of Fa-Z-IL; 0 leaves it out),
    ``detection_steps`` (t_d), ``hidden`` (units of a hidden layer), ``epochs``, ``batch_size``,
    ``weight_limit``, ``train_limit``; of the workflow ``shard``, ``shards`` and ``checkpoints``.
    """
    read(settings, "grid", "readings", "l_max", "gammas", "times", "sigmas", "noises", "epochs")
    images = prepare_images(require(dataset, "grid", "data set"), settings.get("train_limit"))
    listed = tasks(settings, seeds)
    costs = [cost(task.variant, task.l_max, settings["fazil_steps"]) for task in listed]
    chosen = shard_of(listed, costs, settings.get("shard", 0), settings.get("shards", 1))
    folder = settings.get("checkpoints")
    rows: list[dict[str, Any]] = []
    group, twin = None, None
    for number, task in enumerate(chosen, start=1):
        started = time.monotonic()
        reading = make_reading(settings["readings"][task.protocol], task.protocol)
        if task[:3] != group:
            group = task[:3]
            twin = _train(images, reading, Variant("bp", "backprop", "", 1.0, 0.0, "none"),
                          task, settings)  # fmt: skip
        if task == next(other for other in listed if other[:3] == group):
            # The row of the twin comes from the shard that holds the group's first network.
            rows += _bp_rows(task, twin, settings)
        metrics = _kept(folder, task)
        if metrics is None:
            metrics = comparison(_train(images, reading, task.variant, task, settings), twin)
            _keep(folder, task, metrics)
        rows += task_rows(task, metrics, settings["gammas"], settings["epochs"])
        if task.variant[:4] == ("t_gamma", "t_equals_l", AT_L, 1.0):
            rows += _zero_sigma_rows(task, metrics, settings)
        print(
            f"network {number} of {len(chosen)}: {task.protocol}, l_max {task.l_max}, seed "
            f"{task.seed}, {task.variant.method} t {task.variant.t} gamma {task.variant.gamma:g} "
            f"sigma {task.variant.sigma:g}, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.DataFrame(rows)


def _train(
    images: Images, reading: Reading, cell: Variant, task: Task, settings: Mapping[str, Any]
) -> Trained:
    steps = settings["fazil_steps"] if cell.method == "fazil" else 0
    rule = network_rule(
        reading,
        task.l_max,
        settings["batch_size"],
        method=cell.method,
        steps=int(cell.t) if cell.method == "fixed_t" else steps,
        gamma=cell.gamma,
        noise=cell.noise,
        sigma=cell.sigma,
        detection_steps=settings["detection_steps"],
    )
    return train_network(
        images,
        reading,
        rule,
        l_max=task.l_max,
        hidden=settings["hidden"],
        seed=task.seed,
        epochs=settings["epochs"],
        batch_size=settings["batch_size"],
        weight_limit=settings["weight_limit"],
        noise_key=f"{cell.noise} {cell.sigma}",
    )


def _bp_rows(task: Task, twin: Trained, settings: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The row of the backprop twin."""
    cell = Variant("bp", "backprop", "", float("nan"), 0.0, "none")
    return task_rows(task._replace(variant=cell), comparison(twin, twin), (), settings["epochs"])


def _zero_sigma_rows(
    task: Task, metrics: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The cell t = l, gamma = 1 is also sigma = 0 of every noise."""
    for noise in settings["noises"] if 0 in settings["sigmas"] else ():
        cell = task.variant._replace(panel="sigma", noise=noise)
        yield from task_rows(task._replace(variant=cell), metrics, (), settings["epochs"])


def _checkpoint(folder: str, task: Task) -> Path:
    cell = task.variant
    name = f"{task.protocol}.{task.l_max}.{task.seed}.{cell.method}.{cell.t}.{cell.gamma:g}"
    return Path(folder) / f"{name}.{cell.noise}.{cell.sigma:g}.json"


def _kept(folder: str | None, task: Task) -> dict[str, Any] | None:
    """Metrics of a network that an earlier, killed run of this job had finished."""
    if folder is None or not _checkpoint(folder, task).exists():
        return None
    return json.loads(_checkpoint(folder, task).read_text(encoding="utf-8"))


def _keep(folder: str | None, task: Task, metrics: Mapping[str, Any]) -> None:
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        write_text(_checkpoint(folder, task), json.dumps(metrics))
