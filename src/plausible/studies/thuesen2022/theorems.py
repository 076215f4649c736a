"""Every theorem, derivation, model and algorithm of Thuesen 2022 as a measured deviation.

One function per published entry of kind ``theorem``; it takes the settings and a seed and returns
its checks. All arithmetic is in float64 unless a row says otherwise.
"""

from collections.abc import Callable

import pandas as pd

from plausible.studies.theorem_checks import COLUMNS, Check, theorem_table
from plausible.studies.thuesen2022 import (
    theorems_learning,
    theorems_neurons,
    theorems_predictive_coding,
    theorems_statistics,
)
from plausible.studies.thuesen2022.common import Settings

__all__ = ["COLUMNS", "THEOREMS", "theorems"]

THEOREMS: dict[str, Callable[[Settings, int], list[Check]]] = {
    **theorems_statistics.THEOREMS,
    **theorems_learning.THEOREMS,
    **theorems_neurons.THEOREMS,
    **theorems_predictive_coding.THEOREMS,
}


def theorems(settings: Settings, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Measured deviation and bound of every statement about a theorem entry, for each seed.

    A row holds if ``deviation comparison bound``. Rows of protocol ``corrected`` are to hold; those
    of ``as_published`` and ``as_coded`` show what a misprint or the author's code gives instead.

    Settings: ``euler_time_steps_s`` (list), ``lif_time_step_s`` and ``lif_duration_s`` (Euler
    simulation of eq. 37), ``poisson_neurons``, ``he_networks``.
    """
    return theorem_table(THEOREMS, settings, seeds)
