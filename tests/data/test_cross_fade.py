"""Cross-faded frames, against a loop from the equation."""

import numpy as np
import pytest

from plausible.data.cross_fade import cross_faded
from plausible.errors import DataError


def test_sub_frames_are_those_of_the_equation():
    frames = np.random.default_rng(0).random((4, 3, 2))
    found = cross_faded(frames, 5)
    expected = [
        (1 - k / 5) * before + k / 5 * after
        for before, after in zip(frames, frames[1:], strict=False)
        for k in range(5)
    ]
    np.testing.assert_allclose(found, [*expected, frames[-1]], atol=1e-15)


def test_frames_themselves_are_among_them_and_their_path_has_the_same_length():
    frames = np.random.default_rng(1).integers(0, 256, (6, 9)).astype(np.uint8)
    np.testing.assert_array_equal(cross_faded(frames, 1), frames)
    found = cross_faded(frames, 8)
    np.testing.assert_array_equal(found[::8], frames)
    whole = np.abs(np.diff(frames.astype(float), axis=0)).sum()
    assert np.abs(np.diff(found, axis=0)).sum() == pytest.approx(whole)


@pytest.mark.parametrize("frames, parts", [(np.zeros((0, 3)), 2), (np.zeros((2, 3)), 0.5)])
def test_what_cannot_be_faded_is_refused(frames, parts):
    with pytest.raises(DataError, match="cross-fade"):
        cross_faded(frames, parts)
