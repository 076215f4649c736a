"""Whether a series falls: Kendall's tau of its values and their places."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy.stats import kendalltau

SIGNIFICANT = 0.05
"""A series falls if its trend would come about by chance less often than this."""


class Trend(NamedTuple):
    """Kendall's tau (-1: always falling, 1: always rising), and ``chance``, its one-sided p.

    ``chance`` is the probability of a tau as low as this one if all orders were equally likely.
    """

    tau: float
    chance: float


def fall(places: ArrayLike, values: ArrayLike) -> Trend:
    """Trend of ``values`` ``[n]`` at ``places`` ``[n]``; NaN if a value is not a number."""
    values = np.asarray(values, dtype=np.float64)
    if np.isnan(values).any():
        return Trend(float("nan"), float("nan"))
    found = kendalltau(places, values, alternative="less")
    return Trend(float(found.statistic), float(found.pvalue))
