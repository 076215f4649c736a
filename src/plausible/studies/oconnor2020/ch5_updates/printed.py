"""Update rules as the thesis prints them, for the rows ``as_published``.

The right forms are in `plausible.learning.pd_updates`.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.neurons.pd_coding import PDCode, decode


def printed_past(x: NDArray, e: NDArray, code: PDCode) -> NDArray[np.float64]:
    """Eq. C.6: acts where both sides spike, and keeps v for u; change in each step."""
    pre, post = decode(x, code), decode(e, code)
    rest = 1.0 - code.k_alpha**2
    u, steps = np.zeros((x.shape[1], e.shape[1])), []
    for time in range(len(x)):
        event = (x[time] != 0)[:, None] & (e[time] != 0)
        v = np.outer(pre[time] - code.k_beta * x[time], post[time] - code.k_beta * e[time])
        steps.append(np.where(event, (u - v) / rest, 0.0))
        u = np.where(event, v, u)
    return np.array(steps)


def printed_future(x: NDArray, e: NDArray, code: PDCode) -> NDArray[np.float64]:
    """Eq. C.7: no k_beta, and the denominator's sign reversed; change in each step."""
    pre, post = decode(x, code), decode(e, code)
    before = pre - code.k_beta * x
    steps = x[:, :, None] * post[:, None, :] + before[:, :, None] * e[:, None, :]
    return steps / (code.k_alpha**2 - 1.0)


def printed_kernel(code: PDCode, lags: NDArray) -> NDArray[np.float64]:
    """Eq. 5.13: k_beta k_alpha^|lag|."""
    return code.k_beta * code.k_alpha ** np.abs(lags).astype(np.float64)
