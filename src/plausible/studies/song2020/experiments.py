"""Experiments of Song et al. 2020, by the names that the study file uses.

Every experiment has the signature ``f(settings, seeds, dataset, networks) -> DataFrame``: settings
from the study file (each function documents its keys), the seeds, the data set or None, and None,
since this study converts no networks. Random streams are named by study, experiment and seed.
"""

from collections.abc import Callable

import pandas as pd

from plausible.studies.song2020.batches import batches
from plausible.studies.song2020.calibration import calibration
from plausible.studies.song2020.detection import detection
from plausible.studies.song2020.dynamics import energy, prediction
from plausible.studies.song2020.figure_experiments import fig1, fig2
from plausible.studies.song2020.grid import grid
from plausible.studies.song2020.notation import notation
from plausible.studies.song2020.precision import float32
from plausible.studies.song2020.properties import properties
from plausible.studies.song2020.run_time import run_time
from plausible.studies.song2020.theorems import theorems

EXPERIMENTS: dict[str, Callable[..., pd.DataFrame]] = {
    "fig1": fig1,
    "fig2": fig2,
    "notation": notation,
    "properties": properties,
    "detection": detection,
    "run_time": run_time,
    "theorems": theorems,
    "grid": grid,
    "calibration": calibration,
    "batches": batches,
    "float32": float32,
    "energy": energy,
    "prediction": prediction,
}
