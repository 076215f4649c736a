"""The STDP window of eq. 1.11, for pairs and for spike trains."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.neurons.plasticity import DoubleExponential, stdp, stdp_all_pairs, stdp_online

WINDOW = DoubleExponential(a_plus=0.8, a_minus=0.3, tau_plus_s=0.017, tau_minus_s=0.034)
# Whole milliseconds, so that equal times occur.
TRAIN = st.lists(st.integers(-200, 200), max_size=30).map(lambda ms: np.array(sorted(ms)) / 1000)


def by_definition(dt: float) -> float:
    if dt < 0:
        return -0.3 * math.exp(dt / 0.034)
    return 0.8 * math.exp(-dt / 0.017)


@given(dt=st.floats(-10, 10))
def test_window(dt) -> None:
    assert float(stdp(dt, WINDOW)) == pytest.approx(by_definition(dt), abs=1e-15)


def test_signs() -> None:
    dt = np.linspace(1e-6, 0.2, 500)
    assert (stdp(dt, WINDOW) > 0).all() and (stdp(-dt, WINDOW) < 0).all()
    assert stdp(0.0, WINDOW) == 0.8  # "otherwise" of eq. 1.11
    assert stdp(1e6) == 0 and stdp(-1e6) == 0


@given(pre=TRAIN, post=TRAIN)
def test_traces_give_the_sum_over_all_pairs(pre, post) -> None:
    expected = sum(by_definition(b - a) for a in pre for b in post)
    assert stdp_all_pairs(pre, post, WINDOW) == pytest.approx(expected, abs=1e-10)
    assert stdp_online(pre, post, WINDOW) == pytest.approx(expected, abs=1e-10)


def test_impossible_windows() -> None:
    for window in (WINDOW._replace(tau_plus_s=0.0), WINDOW._replace(a_minus=-1.0)):
        with pytest.raises(StudyError, match="positive time"):
            stdp(0.1, window)
        with pytest.raises(StudyError, match="positive time"):
            stdp_online([0.1], [0.2], window)
