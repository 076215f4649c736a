"""Curves of error against cost: what a budget buys, and what an error costs."""

import numpy as np
from numpy.typing import ArrayLike

from plausible.errors import StudyError


def error_at(costs: ArrayLike, errors: ArrayLike, budgets: ArrayLike) -> np.ndarray:
    """Error that a curve has at ``budgets``, between its points in a straight line.

    ``costs`` ``[points]`` must increase; NaN for a budget outside of them. Raises StudyError for a
    curve that is none.
    """
    costs, errors = _curve(costs, errors)
    return np.interp(budgets, costs, errors, left=np.nan, right=np.nan)


def cost_to_reach(costs: ArrayLike, errors: ArrayLike, level: float) -> float:
    """Cost at which a curve first comes down to ``level``; NaN if it never does.

    Between two points it lies on a straight line. A curve that starts at or below the level costs
    its first point, the least that was measured. Raises StudyError for a curve that is none.
    """
    costs, errors = _curve(costs, errors)
    reached = np.flatnonzero(errors <= level)
    if not len(reached):
        return float("nan")
    place = reached[0]
    if place == 0:
        return float(costs[0])
    before, after = errors[place - 1], errors[place]
    if not np.isfinite(before):
        return float(costs[place])
    share = (before - level) / (before - after)
    return float(costs[place - 1] + share * (costs[place] - costs[place - 1]))


def _curve(costs: ArrayLike, errors: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    costs, errors = (np.asarray(values, dtype=np.float64) for values in (costs, errors))
    if costs.shape != errors.shape or costs.ndim != 1 or not len(costs):
        raise StudyError(
            f"a curve of error against cost has costs {costs.shape} and errors {errors.shape}, "
            "expected [points] twice."
        )
    if not (np.diff(costs) > 0).all():
        raise StudyError("a curve of error against cost needs costs that increase.")
    return costs, errors
