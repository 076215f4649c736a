"""Sections 4.6.3 and 5.4.2, B.6, C.7 and C.8: everything on video, a task for each topic.

The table is long: ``element`` says what a row is, and the modules of the topics what its columns
mean. ``material`` says what was shown to which network (`settings.DIGITS`, ...).
"""

import sys
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import pandas as pd

from plausible.data.dataset import Dataset
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.studies.oconnor2020.video.camera import camera
from plausible.studies.oconnor2020.video.end_to_end import end_to_end
from plausible.studies.oconnor2020.video.material import (
    Material,
    digits_material,
    original_material,
    recordings_material,
)
from plausible.studies.oconnor2020.video.pictures import pictures
from plausible.studies.oconnor2020.video.rates import rates
from plausible.studies.oconnor2020.video.settings import (
    DIGITS,
    ORIGINAL,
    RECORDED,
    TOPICS,
    Video,
)
from plausible.studies.oconnor2020.video.splice import optimised_scales, splice
from plausible.studies.oconnor2020.video.stability import stability
from plausible.studies.oconnor2020.video.top_layers import top_layers

Rows = list[dict[str, Any]]
COSTS = {"splice": 3, "rates": 3, "top_layers": 5, "stability": 5, "camera": 4}
"""Estimated times of topics; of the others 1."""
OPTIMISED = ("splice", "stability")
"""Topics with the noise of an optimisation."""
NEEDS = {
    "ilsvrc_video": (*OPTIMISED, "camera"),
    "youtube_bb": ("rates", "top_layers", "end_to_end", "pictures"),
}
"""Topics by what they need of the thesis's own videos."""
DATA = "recordings"
"""Name of the data set with which recordings are shown, in place of moving digits."""


class Task(NamedTuple):
    """One topic."""

    material: str
    topic: str
    seeds: tuple[int, ...]

    @property
    def name(self) -> str:
        """Of what it leaves in the folder of checkpoints."""
        return ".".join([self.material.replace(" ", "_"), self.topic, *map(str, self.seeds)])


def tasks(settings: Video, seeds: Sequence[int], digits: bool) -> list[Task]:
    """Every topic: of moving digits for each seed, which draws network and scenes.

    Recordings and networks that were trained elsewhere are what they are. There a seed draws top
    layers, which one task trains for all seeds, and the noise of optimisations.
    """
    found = []
    if digits:
        found = [Task(DIGITS, topic, (seed,)) for seed in seeds for topic in TOPICS]
    fixed = {} if digits else {RECORDED: TOPICS}
    if "vgg19" in settings.originals:
        named = {topic for need in set(NEEDS) & set(settings.originals) for topic in NEEDS[need]}
        fixed[ORIGINAL] = tuple(topic for topic in TOPICS if topic in named)
    for material, topics in fixed.items():
        for topic in topics:
            if topic == "top_layers":
                found.append(Task(material, topic, tuple(seeds)))
            elif topic in OPTIMISED:
                each = seeds[: settings.drawn_seeds]
                found += [Task(material, topic, (seed,)) for seed in each]
            else:
                found.append(Task(material, topic, (seeds[0],)))
    return found


def video(
    settings: Video, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Rows of the tasks of this job."""
    dataset = require(dataset, "video", "data set")
    listed = tasks(settings, seeds, dataset.name != DATA)
    chosen = part_of(listed, [COSTS.get(task.topic, 1) for task in listed], settings)
    made: dict[tuple[str, int], Material] = {}
    scales: dict[tuple[str, int], list[float]] = {}
    rows: Rows = []
    for number, task in enumerate(chosen, start=1):
        print(f"task {number} of {len(chosen)}: {task.name}", file=sys.stderr, flush=True)
        key = task.material, task.seeds[0]

        def material(key=key) -> Material:
            if key not in made:
                made.clear()
                made[key] = _material(key, dataset, settings)
            return made[key]

        def optimised(key=key, material=material) -> list[float]:
            if key not in scales:
                name = f"{key[0].replace(' ', '_')}.scales.{key[1]}"
                compute = partial(optimised_scales, material(), settings, key[1])
                scales[key] = stored(settings.checkpoints, name, compute)
            return scales[key]

        found = stored(
            settings.checkpoints,
            task.name,
            lambda task=task, material=material, optimised=optimised: _rows(
                task, material(), settings, optimised
            ),
        )
        rows += [{"material": task.material, "seed": task.seeds[0], **row} for row in found]
    return pd.DataFrame(rows)


def _material(key: tuple[str, int], dataset: Dataset, settings: Video) -> Material:
    if key[0] == DIGITS:
        return digits_material(dataset, settings, key[1])
    found = recordings_material(settings) if key[0] == RECORDED else original_material(settings)
    return require(found, "video", "videos of the thesis")


def _rows(task: Task, material: Material, settings: Video, optimised: Any) -> Rows:
    match task.topic:
        case "splice":
            return splice(material, settings, task.seeds[0], optimised())
        case "rates":
            return rates(material, settings)
        case "top_layers":
            return top_layers(material, settings, task.seeds)
        case "stability":
            return stability(material, settings, task.seeds[0])
        case "end_to_end":
            return end_to_end(material, settings, task.seeds[0])
        case "camera":
            return camera(material, settings, optimised())
    return pictures(material, settings)
