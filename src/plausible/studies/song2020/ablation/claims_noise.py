"""Claims on condition C1: panels over sigma of figure 3, supplement figure 2, tables 1 and 2.

Two kinds of noise are run: ``initial``, as section 5.1 says, moves the value nodes at t = 0 only;
``persistent`` stays in their error nodes. Sweeps over sigma are published of one network, whose
depth is not stated: ``TABLES_DEPTH`` is ours for all protocols.
"""

from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.song2020.ablation.claims_conditions import every_run
from plausible.studies.song2020.ablation.grid import (
    TABLES_DEPTH,
    TEST_COLUMN,
    WEIGHT_COLUMN,
    sigma_sweeps,
)

MEASURED = {"test error": TEST_COLUMN, "weights": WEIGHT_COLUMN}
ERROR = "mean_test_error"
FLAT_UP_TO, BROKEN_FROM = 0.01, 1.0
"""Where the statements on supplement table 2 divide the sweep."""
PUBLISHED_EPOCHS = 64


def _tables(evidence: Evidence) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Sweeps of the network of the tables."""
    for protocol, noise, frame in sigma_sweeps(evidence):
        yield protocol, noise, frame[frame["l_max"] == TABLES_DEPTH]


def _wide(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    """Values by seed and sigma."""
    return frame.pivot(index="seed", columns="sigma", values=column)


def divergence_grows_with_sigma(evidence: Evidence) -> list[Measured]:
    """Steps of both divergences from a sigma to the next one."""
    found = []
    for protocol, noise, frame in _tables(evidence):
        for name, column in MEASURED.items():
            wide = _wide(frame, column)
            steps = {
                f"{low:g} to {high:g}": tuple(wide[high] - wide[low])
                for low, high in pairwise(wide.columns)
            }
            variant, full = f"{name}, {noise} noise", column == TEST_COLUMN
            found.append(Measured(protocol, steps, variant=variant, full_scale=full))
    return found


def zero_only_without_noise(evidence: Evidence) -> list[Measured]:
    """Test-error divergence for every sigma above 0."""
    return _loud(evidence, TEST_COLUMN, full_scale=True)


def weights_apart_with_noise(evidence: Evidence) -> list[Measured]:
    """Weight divergence for every sigma above 0."""
    return _loud(evidence, WEIGHT_COLUMN)


def _loud(evidence: Evidence, column: str, **more: object) -> list[Measured]:
    found = []
    for protocol, noise, frame in sigma_sweeps(evidence):
        loud = frame[frame["sigma"] > 0.0]
        least = loud.loc[loud[column].idxmin()]
        note = f"smallest: l_max {least['l_max']}, sigma {least['sigma']:g}"
        variant = f"{noise} noise"
        found.append(every_run(protocol, loud, column, variant=variant, note=note, **more))
    return found


def large_sigma_saturates(evidence: Evidence) -> list[Measured]:
    """Test-error divergence minus that of the mean test errors, for 64 epochs, sigma from 1 on."""
    found = []
    for protocol, noise, frame in _tables(evidence):
        errors, apart = _wide(frame, ERROR), _wide(frame, TEST_COLUMN)
        epochs = float(frame["epochs"].iloc[0])
        values = {
            f"sigma {sigma:g}": tuple(
                (apart[sigma] / epochs - (errors[sigma] - errors[0.0])).abs() * PUBLISHED_EPOCHS
            )
            for sigma in errors
            if sigma >= BROKEN_FROM
        }
        seeds = len(errors)
        given = {"variant": f"{noise} noise", "seeded": False, "exact_seeds": seeds}
        found.append(Measured(protocol, values, **given))
    return found


def flat_up_to_0_01(evidence: Evidence) -> list[Measured]:
    """Rise of the mean test error for small sigma."""
    return _errors(evidence, 0.0, FLAT_UP_TO, paired=True)


def rises_at_0_1(evidence: Evidence) -> list[Measured]:
    """Rise of the mean test error between."""
    return _errors(evidence, FLAT_UP_TO, 0.5, paired=True)


def breaks_down_from_1(evidence: Evidence) -> list[Measured]:
    """Mean test error for large sigma."""
    return _errors(evidence, 0.5, 1e9)


def _errors(evidence: Evidence, above: float, up_to: float, paired: bool = False) -> list[Measured]:
    found = []
    for protocol, noise, frame in _tables(evidence):
        errors = _wide(frame, ERROR)
        values = {
            f"sigma {sigma:g}": tuple(errors[sigma] - (errors[0.0] if paired else 0.0))
            for sigma in errors
            if above < sigma <= up_to
        }
        if values:
            variant = f"{noise} noise"
            found.append(Measured(protocol, values, variant=variant, full_scale=True))
    return found


def clipped_from_1(evidence: Evidence) -> list[Measured]:
    """Weight divergence for large sigma."""
    return _weights(evidence, large=True)


def not_clipped_below_1(evidence: Evidence) -> list[Measured]:
    """Weight divergence for small sigma and without noise."""
    return _weights(evidence, large=False)


def _weights(evidence: Evidence, large: bool) -> list[Measured]:
    found = []
    for protocol, noise, frame in _tables(evidence):
        weights = _wide(frame, WEIGHT_COLUMN)
        values = {
            f"sigma {sigma:g}": tuple(weights[sigma])
            for sigma in weights
            if (sigma >= BROKEN_FROM) == large
        }
        variant = f"{noise} noise"
        found.append(Measured(protocol, values, variant=variant, full_scale=True))
    return found
