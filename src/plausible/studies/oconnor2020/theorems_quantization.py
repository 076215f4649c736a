"""Theorems and exact claims of chapter 3 and appendix A of O'Connor 2020, except on learning."""

from functools import partial

import pandas as pd

from plausible.studies.inputs import Settings
from plausible.studies.oconnor2020 import theorems_quantizers, theorems_spiking
from plausible.studies.theorem_checks import theorem_table


def theorems_quantization(settings: Settings, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Measured deviation and bound of every statement, for each seed.

    A row holds if ``deviation comparison bound``. The settings are those of the one check that uses
    images, `theorems_spiking.integer_only`.
    """
    integers = partial(theorems_spiking.integer_only, dataset=dataset)
    theorems = {
        **theorems_quantizers.THEOREMS,
        **theorems_spiking.THEOREMS,
        theorems_spiking.INTEGER_ONLY: integers,
    }
    return theorem_table(theorems, settings, seeds)
