"""How far two arrays, such as an update and a gradient, point in the same direction."""

import numpy as np
from numpy.typing import NDArray


def cosine(first: NDArray, second: NDArray) -> float:
    """Cosine of the angle between two arrays as vectors; 0 where one is 0."""
    first, second = np.ravel(first), np.ravel(second)
    size = np.linalg.norm(first) * np.linalg.norm(second)
    return float(first @ second / size) if size else 0.0
