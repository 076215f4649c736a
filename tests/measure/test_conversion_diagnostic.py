"""Conversion diagnostic on rates whose answer is known."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.measure.conversion_diagnostic import SATURATION, diagnose


def test_perfect_conversion() -> None:
    rates = np.random.default_rng(1).uniform(1, 200, (30, 8))
    found = diagnose(rates, rates)
    assert found.correlation == pytest.approx(1)
    assert found.slope == pytest.approx(1)
    assert found.rmse_hz == 0
    assert found.silent_fraction == found.dead_fraction == found.saturated_fraction == 0


def test_statistics_agree_with_numpy() -> None:
    rng = np.random.default_rng(2)
    analytic = rng.uniform(0, 150, (40, 6))
    simulated = 0.8 * analytic + rng.normal(5, 10, analytic.shape)
    found = diagnose(analytic, simulated)
    assert found.correlation == pytest.approx(
        np.corrcoef(analytic.ravel(), simulated.ravel())[0, 1], rel=1e-12
    )
    assert found.slope == pytest.approx(np.polyfit(analytic.ravel(), simulated.ravel(), 1)[0])
    assert found.rmse_hz == pytest.approx(np.linalg.norm(simulated - analytic) / np.sqrt(240))


def test_silent_dead_and_saturated_neurons_are_told_apart() -> None:
    analytic = np.full((4, 5), 20.0)
    analytic[0] = 30.0
    simulated = np.full((4, 5), 20.0)
    simulated[:, 0] = 0  # dead
    simulated[:2, 1] = 0  # silent for half of the images
    simulated[3, 2] = SATURATION * 250
    simulated[3, 3] = SATURATION * 250 - 0.1
    found = diagnose(analytic, simulated)
    assert found.silent_fraction == pytest.approx(6 / 20)
    assert found.dead_fraction == pytest.approx(1 / 5)
    assert found.saturated_fraction == pytest.approx(1 / 20)
    slower = diagnose(analytic, simulated, refractory_period_s=0.045)
    assert slower.saturated_fraction == pytest.approx(14 / 20)


def test_constant_rates_have_no_correlation() -> None:
    constant, varying = np.full((3, 3), 0.1), np.arange(9.0).reshape(3, 3)
    assert np.isnan(diagnose(constant, varying).correlation)
    assert np.isnan(diagnose(constant, varying).slope)
    assert np.isnan(diagnose(varying, constant).correlation)
    assert diagnose(varying, constant).slope == pytest.approx(0)


def test_rates_of_unequal_shape_are_said() -> None:
    with pytest.raises(StudyError, match=r"analytic rates \(2, 3\) and simulated rates \(3, 2\)"):
        diagnose(np.zeros((2, 3)), np.zeros((3, 2)))
    with pytest.raises(StudyError, match="not empty"):
        diagnose(np.zeros((0, 3)), np.zeros((0, 3)))
