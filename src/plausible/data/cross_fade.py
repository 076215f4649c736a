"""The same frames at a higher frame rate: each is faded into the next. Numpy only."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import DataError


def cross_faded(frames: ArrayLike, parts: int) -> NDArray[np.float64]:
    """Sub-frames between ``frames`` [n, ...], [(n - 1) parts + 1, ...].

    x_(t + k/parts) = x_t + (k/parts) (x_(t+1) - x_t), k = 0 to parts - 1, and the last frame: the
    change in the data is that of the frames, shared by ``parts`` steps.

    Raises
    ------
    DataError
        If there is no frame, or ``parts`` is not a whole number of at least 1.
    """
    frames = np.asarray(frames, np.float64)
    if len(frames) == 0 or int(parts) != parts or parts < 1:
        raise DataError(
            f"cross-fade: {len(frames)} frames and {parts} parts were found, where at least one "
            "frame and a whole number of at least 1 are expected."
        )
    shares = np.arange(int(parts)) / parts
    shares = shares.reshape(-1, *(1,) * (frames.ndim - 1))
    faded = frames[:-1, None] + shares * np.diff(frames, axis=0)[:, None]
    return np.concatenate([faded.reshape(-1, *frames.shape[1:]), frames[-1:]])
