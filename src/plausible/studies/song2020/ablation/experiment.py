"""The ablation of Song et al. 2020, figure 3: every network of the t x gamma and sigma sweeps.

The networks of one reading, depth and seed form a group around their backprop twin. Groups stand
one after the other, each from cheap to expensive, and a shard of the sweep is a stretch of this
line of equal estimated cost; a shard trains the twin of each group it touches again (seconds).
"""

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import pandas as pd

from plausible.data import Dataset
from plausible.learning.predictive_training import (
    Images,
    Trained,
    comparison,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.learning.readings import make_reading
from plausible.reproduction.inputs import read, require
from plausible.reproduction.shards import part_of, stored

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


TWIN = Variant("bp", "backprop", "", float("nan"), 0.0, "none")


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


def moment(cell: Variant) -> int:
    """t_c of a cell with one moment for all matrices; 0 for those that have none."""
    return int(cell.t) if cell.method == "fixed_t" else 0


def cost(variant: Variant, l_max: int, fazil_steps: int) -> float:
    """Estimated time of a network, in units of one pass of the images through the first matrix.

    Measured: 30 us for a batch's products with the images, 2.3 us per inference step and matrix
    beyond the first.
    """
    steps = {
        "backprop": 1,
        "t_equals_l": l_max,
        "fazil": fazil_steps,
        "fixed_t": moment(variant),
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


def task_rows(
    task: Task, metrics: Mapping[str, Any], settings: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Rows of a network: several where it stands for several cells.

    At t = 0 no value node has moved, so gamma does not matter; the cell t = l, gamma = 1 is also
    sigma = 0 of every noise.
    """
    cell = task.variant
    cells = [cell]
    if cell.method == "fixed_t" and cell.t == "0":
        cells = [cell._replace(gamma=float(gamma)) for gamma in settings["gammas"]]
    if cell[:4] == ("t_gamma", "t_equals_l", AT_L, 1.0) and 0 in settings["sigmas"]:
        cells += [cell._replace(panel="sigma", noise=noise) for noise in settings["noises"]]
    for cell in cells:
        yield {
            "protocol": task.protocol,
            "panel": cell.panel,
            "l_max": task.l_max,
            "seed": task.seed,
            "method": cell.method,
            "t": cell.t,
            "gamma": cell.gamma,
            "sigma": cell.sigma,
            "noise": cell.noise,
            "epochs": settings["epochs"],
            **metrics,
        }


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
    read(
        settings, "grid", "readings", "l_max", "gammas", "times", "sigmas", "noises", "fazil_steps",
        "detection_steps", "hidden", "epochs", "batch_size", "weight_limit",
    )  # fmt: skip
    images = prepare_images(require(dataset, "grid", "data set"), settings.get("train_limit"))
    listed = tasks(settings, seeds)
    costs = [cost(task.variant, task.l_max, settings["fazil_steps"]) for task in listed]
    chosen = part_of(listed, costs, settings)
    first_of_group = {task[:3]: task for task in reversed(listed)}
    rows: list[dict[str, Any]] = []

    @lru_cache(maxsize=1)
    def twin(protocol: str, l_max: int, seed: int) -> Trained:
        return _train(images, Task(protocol, l_max, seed, TWIN), settings)

    for number, task in enumerate(chosen, start=1):
        started = time.monotonic()
        metrics = stored(
            settings.get("checkpoints"),
            ".".join(map(str, (*task[:3], *task.variant))),
            lambda task=task: comparison(_train(images, task, settings), twin(*task[:3])),
        )
        rows += task_rows(task, metrics, settings)
        if task == first_of_group[task[:3]]:
            # The shard with a group's first network has the row of its twin.
            own = comparison(twin(*task[:3]), twin(*task[:3]))
            rows += task_rows(task._replace(variant=TWIN), own, settings)
        print(
            f"network {number} of {len(chosen)}: {task.protocol}, l_max {task.l_max}, seed "
            f"{task.seed}, {task.variant.method} t {task.variant.t} gamma {task.variant.gamma:g} "
            f"sigma {task.variant.sigma:g}, {time.monotonic() - started:.0f} s",
            file=sys.stderr,
            flush=True,
        )
    return pd.DataFrame(rows)


def _train(images: Images, task: Task, settings: Mapping[str, Any]) -> Trained:
    cell = task.variant
    reading = make_reading(settings["readings"][task.protocol], task.protocol)
    rule = network_rule(
        reading,
        task.l_max,
        settings["batch_size"],
        method=cell.method,
        steps=settings["fazil_steps"] if cell.method == "fazil" else moment(cell),
        gamma=1.0 if cell is TWIN else cell.gamma,
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
