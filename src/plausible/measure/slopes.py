"""Rates of convergence, read off as slopes on logarithmic axes."""

import numpy as np
from numpy.typing import ArrayLike


def log_slope(x: ArrayLike, y: ArrayLike) -> float:
    """Exponent b of the least-squares fit ``log y = a + b log x``, the slope on log-log axes.

    ``x`` and ``y`` ``[points]``. NaN with fewer than two points, where x does not vary, or where a
    value is not above zero and finite: a diverged point has no place on such axes.
    """
    values = np.array([np.ravel(x), np.ravel(y)], dtype=np.float64)
    if values.shape[1] < 2 or not (np.isfinite(values).all() and (values > 0).all()):
        return float("nan")
    logs = np.log(values)
    logs = logs - logs.mean(axis=1, keepdims=True)
    spread = (logs[0] ** 2).sum()
    return float((logs[0] * logs[1]).sum() / spread) if spread > 0 else float("nan")


def log_spaced(largest: int, points: int) -> list[int]:
    """Whole numbers from 1 to ``largest``, evenly spaced on a logarithmic axis, without repeats."""
    return [int(n) for n in np.unique(np.rint(np.geomspace(1, largest, points)))]
