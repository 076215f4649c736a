"""Accuracy and its interval over seeds."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike


class Interval(NamedTuple):
    """Mean with a confidence interval; the bounds are NaN for fewer than two values."""

    mean: float
    low: float
    high: float


def accuracy_percent(predicted: ArrayLike, labels: ArrayLike) -> float:
    """Share of ``predicted`` [n] that equals ``labels`` [n], in percent.

    A prediction of -1 (none) or NaN counts as an error. Raises ValueError for no or unequally many.
    """
    predicted, labels = np.asarray(predicted), np.asarray(labels)
    if predicted.shape != labels.shape or predicted.ndim != 1:
        raise ValueError(f"shapes {predicted.shape} and {labels.shape}, expected [n] twice")
    if len(labels) == 0:
        raise ValueError("no predictions: the accuracy of an empty set is undefined")
    return 100.0 * float(np.count_nonzero(predicted == labels)) / len(labels)


def mean_interval(values: ArrayLike, confidence: float = 0.95) -> Interval:
    """Mean of ``values`` and its two-sided Student t interval, mean +- t s / sqrt(n).

    With one value, the mean alone; a NaN (a diverged run, say) makes everything NaN rather than
    vanishing from the mean.
    """
    values = np.asarray(values, dtype=np.float64)
    if values.ndim != 1 or len(values) == 0:
        raise ValueError(f"shape {values.shape}, expected [n] with n > 0")
    if not 0.0 < confidence < 1.0:
        raise ValueError(f"confidence is {confidence}, expected a number between 0 and 1")
    mean = float(values.mean())
    if len(values) == 1:
        return Interval(mean, float("nan"), float("nan"))
    # Most of those who import this module ask for no interval; scipy.stats would take even longer.
    from scipy.special import stdtrit

    quantile = stdtrit(len(values) - 1, 0.5 + confidence / 2.0)
    half = float(quantile * values.std(ddof=1) / np.sqrt(len(values)))
    return Interval(mean, mean - half, mean + half)


def possible_percent(mean: float, low: float, high: float) -> tuple[float, float]:
    """Ends of an interval of a percentage, which cannot leave 0 to 100.

    The half-width is taken to the logit by the delta method, and the ends back; without effect
    where the mean itself is at an end or beyond it.
    """
    share = mean / 100.0
    if not 0.0 < share < 1.0:
        return low, high
    # As in mean_interval: most of those who import this module need no interval.
    from scipy.special import expit, logit

    half = (high - low) / 200.0 / (share * (1.0 - share))
    return tuple(float(100.0 * expit(logit(share) + side * half)) for side in (-1.0, 1.0))
