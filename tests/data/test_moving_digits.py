"""Scenes of moving digits: the way that was asked for, within the frame, always the same."""

import numpy as np
import pytest

from plausible.data.moving_digits import moving_digit
from plausible.errors import DataError


def scene(speed, frames=60, size=28, seed=3):
    return moving_digit(np.ones((8, 8)), frames, speed, size, np.random.default_rng(seed))


def centres(frames):
    """Middle of the bright square of each frame, [frames, 2]."""
    light = np.maximum(frames[..., 0].astype(float) - 26.0, 0.0)  # without the texture
    places = np.arange(light.shape[1])
    total = light.sum(axis=(1, 2))
    return (
        np.stack([light.sum(axis=2) @ places, light.sum(axis=1) @ places], axis=1) / total[:, None]
    )


@pytest.mark.parametrize("speed", [0.0, 0.25, 2.0])
def test_moves_at_its_speed_within_the_frame(speed):
    """Nearly: the texture is taken from the borders of the digit, which are less than white."""
    steps = np.hypot(*np.diff(centres(scene(speed)), axis=0).T)
    assert np.median(steps) == pytest.approx(speed, rel=0.1)
    assert steps.max() < 1.4 * speed + 1e-9  # slower only where it is turned back
    assert scene(speed).shape == (60, 28, 28, 1)


def test_is_always_the_same_and_another_for_another_stream():
    assert np.array_equal(scene(1.0), scene(1.0))
    assert not np.array_equal(scene(1.0), scene(1.0, seed=4))


@pytest.mark.parametrize(
    "options", [{"size": 16}, {"frames": 0}, {"speed": -1.0}, {"speed": np.inf}]
)
def test_what_does_not_fit(options):
    with pytest.raises(DataError, match="moving digits: found a digit"):
        scene(**{"speed": 1.0} | options)
