"""Settings of experiments: a typed model for each, found by the experiment's name.

A part's ``settings.py`` has one model for each of its experiments: the class ``SpikingTraining``
describes ``spiking_training``. Snakemake reads these modules whenever it starts, so they import
neither torch, pandas nor numba.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, Literal

from plausible.reproduction.study_models import SpikingSimulation
from plausible.settings import (
    Count,
    NotNegativeCount,
    Settings,
)


class ExperimentSettings(Settings):
    """Settings of an experiment, with what the workflow adds for one of its jobs."""

    divided: ClassVar[bool] = False
    """Whether the experiment does its part alone where ``shards`` jobs share it."""
    uses_device: ClassVar[bool] = False
    """Whether it runs on the ``device``; all others run on the CPU."""
    uses_originals: ClassVar[bool] = False
    """Whether it is given the places of data that may not be distributed."""
    shard: NotNegativeCount = 0
    """Number of this job among those that share the experiment, from 0."""
    shards: Count = 1
    """Number of these jobs."""
    checkpoints: Path | None = None
    """Folder in which this job keeps what is finished; None: no memory."""
    device: Literal["cpu", "cuda"] = "cpu"
    """Where tensors live."""
    simulation: Mapping[str, SpikingSimulation] = {}
    """Spiking-simulation settings by ``<network>.<protocol>``, of experiments with networks."""
    originals: Mapping[str, Path] = {}
    """Places of such data by their names, as far as the configuration states them."""
    data_dir: Path | None = None
    """Folder of data files; None: the usual one (`plausible.data.fetch`)."""
    published: Mapping[str, Any] = {}
    """Published values, printed and recovered, of the result that the experiment is set beside."""


ExperimentSettings.given = tuple(ExperimentSettings.model_fields)


def model_name(experiment: str) -> str:
    """Name of the class of an experiment's settings, ``SpikingTraining``."""
    return "".join(word.capitalize() for word in experiment.split("_"))
