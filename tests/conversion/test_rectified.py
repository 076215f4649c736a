"""Exchange of weights between rectified and spiking networks."""

import numpy as np
import pytest

from plausible.conversion.rectified import to_rectified, to_spiking
from plausible.errors import StudyError


def test_weights_come_back():
    rng = np.random.default_rng(0)
    weights = [rng.normal(size=(5, 3)).astype(np.float32), rng.normal(size=(2, 5))]
    spiking = to_spiking(weights, [np.zeros(5), np.zeros(2)])
    assert [matrix.shape for matrix in spiking] == [(3, 5), (5, 2)]
    assert all(m.dtype == np.float64 and m.flags.c_contiguous for m in spiking)
    for before, after in zip(weights, to_rectified(spiking), strict=True):
        assert np.array_equal(before, after)


def test_what_would_be_lost_is_refused():
    with pytest.raises(StudyError, match="layer 2 has a bias"):
        to_spiking([np.ones((5, 3)), np.ones((2, 5))], [np.zeros(5), np.ones(2)])
    with pytest.raises(StudyError, match="not finite"):
        to_spiking([np.full((2, 2), np.nan)])
