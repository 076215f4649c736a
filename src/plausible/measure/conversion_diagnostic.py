"""How well the rates of a converted layer follow the rates that its training assumed."""

from typing import NamedTuple

import numpy as np

from plausible.errors import StudyError

SATURATION = 0.9
"""Part of the highest possible rate, 1 / t_ref, above which a neuron counts as saturated."""


class ConversionDiagnostic(NamedTuple):
    """Agreement of simulated with analytic rates over all images and neurons of a layer.

    ``correlation``: Pearson correlation, NaN if either side is constant;
    ``slope``: least-squares slope of simulated on analytic rate, NaN if the latter is constant;
    ``rmse_hz``: root mean square difference;
    ``silent_fraction``: part of the (image, neuron) pairs without a single spike;
    ``dead_fraction``: part of the neurons without a single spike for any image;
    ``saturated_fraction``: part of the pairs that fire at ``SATURATION`` / t_ref or more.
    """

    correlation: float
    slope: float
    rmse_hz: float
    silent_fraction: float
    dead_fraction: float
    saturated_fraction: float


def diagnose(
    analytic_rate_hz: np.ndarray,
    simulated_rate_hz: np.ndarray,
    refractory_period_s: float = 0.004,
) -> ConversionDiagnostic:
    """Compare the rates ``[images, neurons]`` of one layer.

    Raises StudyError for unequal or empty shapes.
    """
    analytic = np.asarray(analytic_rate_hz, np.float64)
    simulated = np.asarray(simulated_rate_hz, np.float64)
    if analytic.shape != simulated.shape or analytic.ndim != 2 or not analytic.size:
        raise StudyError(
            f"conversion diagnostic: analytic rates {analytic.shape} and simulated rates "
            f"{simulated.shape}, expected the same (images, neurons) for both, not empty."
        )
    from_mean = analytic - analytic.mean()
    simulated_from_mean = simulated - simulated.mean()
    variance = np.mean(from_mean**2)
    covariance = np.mean(from_mean * simulated_from_mean)
    # By range, not by variance: the mean of equal numbers is rounded.
    varies, simulated_varies = np.ptp(analytic) > 0, np.ptp(simulated) > 0
    silent = simulated == 0
    return ConversionDiagnostic(
        correlation=float(covariance / np.sqrt(variance * np.mean(simulated_from_mean**2)))
        if varies and simulated_varies
        else float("nan"),
        slope=float(covariance / variance) if varies else float("nan"),
        rmse_hz=float(np.sqrt(np.mean((simulated - analytic) ** 2))),
        silent_fraction=float(silent.mean()),
        dead_fraction=float(silent.all(axis=0).mean()),
        saturated_fraction=float(np.mean(simulated >= SATURATION / refractory_period_s)),
    )
