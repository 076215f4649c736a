"""Piecewise linear activations: clipped, rectified or neither, with a leak. Numpy only.

Source: O'Connor 2020, sections 2.7 and 7.4. The hard sigmoid rho(x) = clip(x, 0, 1) of equilibrium
propagation, its leaky form rho(x) + 0.01 x in the initialising network, clip(x, -1/2, 1/2) + 0.01 x
of figure 7.2, a ReLU (no upper limit) and the identity (no limit at all) are one function.
"""

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray


class LeakyClip(NamedTuple):
    """f(x) = clip(x, low, high) + leak x, rounded to ``levels`` steps a unit if there are any."""

    low: float = 0.0
    high: float = 1.0
    leak: float = 0.0
    levels: int = 0
    """0: any value. Otherwise what is clipped is rounded to multiples of 1 / levels, half to even;
    the slope stays that of the function which is not rounded (a straight-through slope)."""

    def value(self, x: ArrayLike) -> NDArray[np.floating]:
        """f(x), of the shape of x."""
        x = np.asarray(x)
        clipped = np.clip(x, self.low, self.high)
        if self.levels:
            clipped = np.round(clipped * self.levels) / self.levels
        return clipped + self.leak * x if self.leak else clipped

    def slope(self, x: ArrayLike) -> NDArray[np.floating]:
        """f'(x). At both limits it is the slope between them: a unit at 0 or 1 must be able to
        leave it (the convention of the author's code).
        """
        x = np.asarray(x)
        return ((x >= self.low) & (x <= self.high)).astype(x.dtype) + self.leak


HARD_SIGMOID = LeakyClip()
"""rho(x) = clip(x, 0, 1)."""
LEAKY_HARD_SIGMOID = LeakyClip(leak=0.01)
"""rho(x) + 0.01 x (section 7.4)."""
RECTIFIER = LeakyClip(high=math.inf)
IDENTITY = LeakyClip(-math.inf, math.inf)
