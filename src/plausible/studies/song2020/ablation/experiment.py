"""The ablation of Song et al. 2020, figure 3: every network of the t x gamma and sigma sweeps.

The networks of one reading, depth and seed form a group around their backprop twin. Groups stand
one after the other, each from cheap to expensive, and a shard of the sweep is a stretch of this
line of equal estimated cost; a shard trains the twin of each group it touches again (seconds).
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import product
from typing import Any, NamedTuple

import pandas as pd

from plausible.data.dataset import Dataset
from plausible.learning.predictive_training import Images, Trained, comparison, prepare_images
from plausible.reproduction.inputs import require
from plausible.studies.song2020.ablation.settings import Grid
from plausible.studies.song2020.common import finished
from plausible.studies.song2020.settings import AT_L
from plausible.studies.song2020.training import train


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


def variants(settings: Grid) -> list[Variant]:
    """All networks of a group but the backprop twin, in the order of the settings."""
    cells = [
        Variant("t_gamma", "t_equals_l" if t == AT_L else "fixed_t", t, gamma, 0.0, "none")
        for gamma, t in product(settings.gammas, map(str, settings.times))
        if t != "0" or gamma == settings.gammas[0]  # at t = 0 no value node has moved by gamma
    ]
    cells += [
        Variant("sigma", "t_equals_l", AT_L, 1.0, sigma, noise)
        for noise, sigma in product(settings.noises, settings.sigmas)
        if sigma > 0  # sigma = 0 is the cell t = l, gamma = 1
    ]
    if settings.fazil_steps:
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
    steps = {"backprop": 1, "t_equals_l": l_max, "fazil": fazil_steps, "fixed_t": moment(variant)}[
        variant.method
    ]
    return 1.0 + 0.075 * (steps + 1) * (l_max - 1)


def tasks(settings: Grid, seeds: Sequence[int]) -> list[Task]:
    """All networks of the sweep, group after group, within a group from cheap to expensive."""
    by_cost = {
        l_max: sorted(variants(settings), key=lambda cell: cost(cell, l_max, settings.fazil_steps))
        for l_max in settings.l_max
    }
    return [
        Task(protocol, l_max, seed, cell)
        for protocol in settings.readings
        for l_max, cells in by_cost.items()
        for seed in seeds
        for cell in cells
    ]


def task_rows(task: Task, metrics: Mapping[str, Any], settings: Grid) -> Iterator[dict[str, Any]]:
    """Rows of a network: several where it stands for several cells.

    At t = 0 no value node has moved, so gamma does not matter; the cell t = l, gamma = 1 is also
    sigma = 0 of every noise.
    """
    cell = task.variant
    cells = [cell]
    if cell.method == "fixed_t" and cell.t == "0":
        cells = [cell._replace(gamma=gamma) for gamma in settings.gammas]
    if cell[:4] == ("t_gamma", "t_equals_l", AT_L, 1.0) and 0 in settings.sigmas:
        cells += [cell._replace(panel="sigma", noise=noise) for noise in settings.noises]
    for cell in cells:
        row = {
            "protocol": task.protocol,
            "panel": cell.panel,
            "l_max": task.l_max,
            "seed": task.seed,
        }
        yield {**row, **cell._asdict(), "epochs": settings.epochs, **metrics}


def grid(
    settings: Grid, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Divergence from backprop of every network of figure 3; one shard of them."""
    images = prepare_images(require(dataset, "grid", "data set"), settings.train_limit)
    listed = tasks(settings, seeds)
    costs = [cost(task.variant, task.l_max, settings.fazil_steps) for task in listed]
    first_of_group = {task[:3]: task for task in reversed(listed)}

    @lru_cache(maxsize=1)
    def twin(protocol: str, l_max: int, seed: int) -> Trained:
        return _train(images, Task(protocol, l_max, seed, TWIN), settings)

    def metrics(task: Task) -> dict[str, float]:
        return comparison(_train(images, task, settings), twin(*task[:3]))

    rows: list[dict[str, Any]] = []
    for task, found in finished(listed, costs, settings, metrics):
        rows += task_rows(task, found, settings)
        if task == first_of_group[task[:3]]:
            # The shard with a group's first network has the row of its twin.
            own = comparison(twin(*task[:3]), twin(*task[:3]))
            rows += task_rows(task._replace(variant=TWIN), own, settings)
    return pd.DataFrame(rows)


def _train(images: Images, task: Task, settings: Grid) -> Trained:
    cell = task.variant
    return train(
        images,
        settings.readings[task.protocol],
        settings,
        task.l_max,
        task.seed,
        settings.batch_size,
        noise_key=f"{cell.noise} {cell.sigma}",
        method=cell.method,
        steps=settings.fazil_steps if cell.method == "fazil" else moment(cell),
        gamma=1.0 if cell is TWIN else cell.gamma,
        noise=cell.noise,
        sigma=cell.sigma,
        detection_steps=settings.detection_steps,
    )
