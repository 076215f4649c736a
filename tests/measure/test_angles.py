"""Cosines against angles that are known."""

import numpy as np
import pytest

from plausible.measure.angles import cosine


@pytest.mark.parametrize("degrees", [0.0, 30.0, 90.0, 135.0, 180.0])
def test_angle_in_a_plane(degrees):
    angle = np.radians(degrees)
    turned = 7.0 * np.array([np.cos(angle), np.sin(angle)])
    assert cosine(np.array([0.2, 0.0]), turned) == pytest.approx(np.cos(angle), abs=1e-12)


def test_arrays_of_any_shape_are_vectors():
    assert cosine(np.ones((2, 2)), -np.ones(4)) == pytest.approx(-1.0)


def test_nothing_has_no_direction():
    assert cosine(np.zeros(3), np.ones(3)) == 0.0
