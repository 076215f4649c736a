"""Learning from two coded signals as a sum over pairs of their spikes. Numpy and scipy only.

Source: O'Connor 2020, sections 6.3 and 6.4. Signals are ``[steps]``; a kernel is an array over the
lags -n to n, the lag being the time of the postsynaptic spike less that of the presynaptic one.

    gradient descent      dw = sum_t x_i(t) e_j(t)                               (eq. 6.9)
    dynamics-based        dw = sum_t h_i(t) (h_j(t+1) - h_j(t-1)) / 2            (eq. 6.2, 6.11)
    STDP                  dw = sum over pairs of kernel(t_j - t_i)               (eq. 6.3)

With reconstructions in place of the signals, which are spikes convolved with alpha^t, the first is
the second kind of sum with `symmetric_kernel` (eq. 6.10), the middle one with `stdp_kernel`
(eq. 6.12).
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

Kernel = NDArray[np.float64]


def lags(reach: int) -> NDArray[np.int64]:
    """Lags of a kernel, -reach to reach."""
    return np.arange(-reach, reach + 1)


def decoding_kernel(alpha: float, reach: int) -> Kernel:
    """What a spike leaves in the reconstruction: alpha^t from t = 0 on, [2 reach + 1]."""
    t = lags(reach)
    return np.where(t >= 0, alpha ** np.maximum(t, 0.0), 0.0)


def symmetric_kernel(alpha: float, reach: int) -> Kernel:
    """alpha^|t| / (1 - alpha^2) (eq. 6.10)."""
    return alpha ** np.abs(lags(reach)).astype(np.float64) / (1.0 - alpha**2)


def difference_kernel(reach: int) -> Kernel:
    """Kernel of the central difference: 1/2 at t = -1 and -1/2 at t = 1 (eq. 6.11)."""
    return 0.5 * ((lags(reach) == -1).astype(np.float64) - (lags(reach) == 1))


def stdp_kernel(alpha: float, reach: int) -> Kernel:
    """sign(t) alpha^|t| / (2 alpha), 0 at t = 0 (eq. 6.12).

    That of eq. 1.11 with a = 1 / (2 alpha) on both sides and tau = 1 / log(1 / alpha), but for
    t = 0.
    """
    t = lags(reach)
    return np.sign(t) * alpha ** np.abs(t).astype(np.float64) / (2.0 * alpha)


def central_difference(signal: ArrayLike) -> NDArray[np.float64]:
    """Rate of change (z(t+1) - z(t-1)) / 2 of [steps]; the signal is 0 outside."""
    padded = np.pad(np.asarray(signal, np.float64), 1)
    return 0.5 * (padded[2:] - padded[:-2])


def dynamics_updates(pre: ArrayLike, post: ArrayLike) -> NDArray[np.float64]:
    """Change of the weight in each step, h_i(t) times the rate of change of h_j, [steps]."""
    return np.asarray(pre, np.float64) * central_difference(post)


def pair_sum(pre: ArrayLike, post: ArrayLike, kernel: Kernel) -> float:
    """Sum over all pairs of spikes of kernel(t_j - t_i), each weighted by both (eq. 6.3).

    ``kernel`` reaches over all lags that occur; ``pre`` and ``post`` are [steps].
    """
    pre, post = np.asarray(pre, np.float64), np.asarray(post, np.float64)
    reach, total = len(kernel) // 2, 0.0
    for i in np.flatnonzero(pre):
        for j in np.flatnonzero(post):
            total += pre[i] * post[j] * kernel[reach + j - i]
    return total


def convolved(spikes: ArrayLike, kernel: Kernel) -> NDArray[np.float64]:
    """(kernel * spikes)(t), [steps]: what the spikes up to and after t leave at t."""
    spikes = np.asarray(spikes, np.float64)
    reach = len(kernel) // 2
    return np.convolve(spikes, kernel)[reach : reach + len(spikes)]


def online_stdp(pre: ArrayLike, post: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """Change of the weight in each step by eq. 6.8, from what a synapse knows by then, [steps].

    A postsynaptic spike adds the decayed trace of earlier presynaptic ones, a presynaptic spike
    takes the decayed trace of earlier postsynaptic ones away, both over 2 alpha. Traces leave out
    the spikes of the step itself: simultaneous ones change nothing.
    """
    pre, post = np.asarray(pre, np.float64), np.asarray(post, np.float64)
    earlier = [lfilter([0.0, alpha], [1.0, -alpha], spikes) for spikes in (pre, post)]
    return (earlier[0] * post - earlier[1] * pre) / (2.0 * alpha)
