"""Curves of error against cost: what a budget buys, and what an error costs."""

import numpy as np
import pandas as pd
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


def gain_over(curves: pd.DataFrame, network: str, rival: str, equal: str) -> pd.DataFrame:
    """Error of ``rival`` minus that of ``network``, seed by seed, where ``equal`` is the same.

    ``curves`` holds one part of the data: ``network``, ``seed``, ``epoch``, ``error_percent`` and
    the column ``equal``, which must grow with the epoch (``epoch`` itself, say, or operations so
    far). The result has ``epoch``, that of ``network``, ``seed`` and ``points``, in percentage
    points and positive where ``network`` errs less. The error of the rival is read from its curve;
    where that does not reach as far, and where either has no error, there is no row.
    """
    rows = curves[curves["error_percent"].notna()].sort_values("epoch")
    found = []
    for seed, pair in rows.groupby("seed"):
        mine, other = (pair[pair["network"] == name] for name in (network, rival))
        if mine.empty or other.empty:
            continue
        errors = error_at(other[equal], other["error_percent"], mine[equal])
        points = errors - mine["error_percent"].to_numpy()
        found.append(pd.DataFrame({"epoch": mine["epoch"], "seed": seed, "points": points}))
    columns = ["epoch", "seed", "points"]
    return pd.concat(found).dropna() if found else pd.DataFrame(columns=columns)


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
