"""Two readings of the optimisation of scales: the text of the thesis and the author's code.

Source: O'Connor 2020, sections 4.5, 4.6.2 and B.2, and its code.
"""

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from plausible.config import nearest
from plausible.errors import StudyError
from plausible.learning.settings import TrainingSettings, settings_from_mapping


class Reading(NamedTuple):
    """What text and code do differently."""

    computation: str
    """``mean``: eq. 4.8-4.10, per sample. ``sum``: over the 10 samples of a minibatch, while the
    error is averaged, so that each lambda weighs ten times what is printed."""
    record: int
    """Which record of the optimisation gives the scales: the last one, or the one before it
    (epoch 29.5 of 30), where the code makes its last test."""
    count_biases: bool
    """Whether the addition of a bias is an operation (eq. B.12-B.14) or not (table B.1)."""
    original_energy: str
    """Convention of ``plausible.measure.operations`` for the original network."""
    test_part: str
    """The images that are called test set."""


READINGS: dict[str, Reading] = {
    "as_published": Reading("mean", -1, True, "by_kind", "official"),
    "as_coded": Reading("sum", -2, False, "mean_operation", "thesis"),
}


class Optimisation(NamedTuple):
    """One way to optimise the scales, as the study file names it."""

    protocol: str
    """A name of ``READINGS``."""
    learning_rate: float
    """Step of the descent in log k."""
    unitwise: bool = False
    """A scale for each unit instead of one for each layer."""


def optimisations(choices: Mapping[str, Mapping[str, Any]], place: str) -> list[Optimisation]:
    """The optimisations of the setting at ``place``, in its order.

    Raises
    ------
    StudyError
        If one of them has an unknown key, lacks one, or names an unknown protocol.
    """
    found = []
    for title, given in choices.items():
        where = f"{place}.{title}"
        for key in given:
            if key not in Optimisation._fields:
                raise StudyError(
                    f"{where}: found the key {key!r}{nearest(key, Optimisation._fields)}, where "
                    f"{', '.join(Optimisation._fields)} are expected."
                )
        for key in Optimisation._fields[:2]:
            if key not in given:
                raise StudyError(f"{where}: the key {key!r} was not found; add it.")
        if given["protocol"] not in READINGS:
            raise StudyError(
                f"{where}.protocol: found {given['protocol']!r}"
                f"{nearest(given['protocol'], READINGS)}, where one of {', '.join(READINGS)} is "
                "expected."
            )
        found.append(Optimisation(**given))
    return found


def training_settings(settings: Mapping[str, Any], images: int) -> TrainingSettings:
    """Settings of the original network: ReLU, softmax, Glorot normal, file order, plain descent.

    It is tested once an epoch.
    """
    chosen = settings["pretraining"]
    return settings_from_mapping(
        {
            "hidden_sizes": settings["hidden_sizes"],
            "activation": "relu",
            "init": "glorot_normal",
            "optimizer": "sgd",
            "shuffle": False,
            "dtype": "float64",
            "test_every_steps": math.ceil(images / chosen["batch_size"]),
            **chosen,
        }
    )
