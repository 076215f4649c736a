"""Scenes of moving digits: a video that can be made anywhere, slow or fast, always the same.

A grey-level digit of a data set lies on a faint, still texture and moves in a straight line, turned
back at the borders; it is twice as large as in the data set, and its place need not be whole.
"""

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import shift, zoom

from plausible.errors import DataError

ENLARGED = 2
"""Factor of the size of a digit."""
TEXTURE = 0.1
"""Largest intensity of the texture."""


def moving_digit(
    digit: NDArray, frames: int, speed: float, size: int, rng: np.random.Generator
) -> NDArray[np.uint8]:
    """A scene of ``frames`` frames, grey levels ``[frames, size, size, 1]``.

    Parameters
    ----------
    digit:
        Intensities from 0 to 1, [rows, columns].
    speed:
        Way from frame to frame in pixels.
    size:
        Sides of a frame in pixels.
    rng:
        Of the texture, the first place and the direction.

    Raises
    ------
    DataError
        If the digit does not fit into the frame, or a number is out of range.
    """
    room = np.array([size - ENLARGED * side for side in np.shape(digit)], dtype=float)
    if len(room) != 2 or room.min() < 1 or frames < 1 or not 0 <= speed < np.inf:
        raise DataError(
            f"moving digits: found a digit of the shape {np.shape(digit)}, {frames} frames, speed "
            f"{speed} and size {size}; expected are a digit of less than half the size, at least "
            "one frame and a speed of at least 0."
        )
    large = np.zeros((size, size))
    enlarged = zoom(np.asarray(digit, float), ENLARGED, order=1, grid_mode=True, mode="nearest")
    large[: enlarged.shape[0], : enlarged.shape[1]] = enlarged
    texture = TEXTURE * rng.random((size, size))
    place, angle = rng.random(2) * room, 2 * np.pi * rng.random()
    way = speed * np.array([np.sin(angle), np.cos(angle)])
    found = np.empty((frames, size, size, 1), np.uint8)
    for number in range(frames):
        # As a ball between two walls: the way there and back is twice the room.
        folded = room - np.abs((place + number * way) % (2 * room) - room)
        picture = np.maximum(texture, shift(large, folded, order=1, mode="grid-constant"))
        found[number, ..., 0] = np.rint(255 * np.clip(picture, 0, 1))
    return found
