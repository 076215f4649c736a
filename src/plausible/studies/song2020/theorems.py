"""Every theorem, lemma, derivation and algorithm of Song et al. 2020 as a measured deviation.

One function per published entry; it takes the settings and a seed and returns its checks. All
arithmetic is in float64. Protocol ``corrected`` moves value nodes and weights from the state at
time t, as the proofs need it; ``as_published`` follows the listings (value nodes first, then the
weights), with f on the input as eq. 1 is printed, where that makes a difference.
"""

from collections.abc import Callable

import pandas as pd

from plausible.studies.inputs import Settings
from plausible.studies.song2020 import (
    theorems_algorithms,
    theorems_exactness,
    theorems_inference,
)
from plausible.studies.theorem_checks import Check, theorem_table

THEOREMS: dict[str, Callable[[Settings, int], list[Check]]] = {
    **theorems_exactness.THEOREMS,
    **theorems_algorithms.THEOREMS,
    **theorems_inference.THEOREMS,
}


def theorems(settings: Settings, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Measured deviation and bound of every statement about a theorem entry, for each seed.

    A row holds if ``deviation comparison bound``. Rows of protocol ``corrected`` are to hold; those
    of ``as_published`` show what the printed form gives instead. There are no settings.
    """
    return theorem_table(THEOREMS, settings, seeds)
