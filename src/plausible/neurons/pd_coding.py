"""Proportional-derivative coding: encoder, quantizer, decoder, and how coefficients are tuned.

Source: O'Connor 2020, sections 5.3.1 to 5.3.3, C.2, C.3 and C.5. A signal x [steps, ...] is sent as

    a_t = k_p x_t + k_d (x_t - x_(t-1))                          encoder (eq. 5.4)
    s_t = Q(a_t): phi += a_t; s_t = round(phi); phi -= s_t       quantizer (eq. 5.3)
    y_t = (s_t + k_d y_(t-1)) / (k_p + k_d)                      decoder (eq. 5.5)

from x_(-1) = phi = y_(-1) = 0. With k_alpha = k_d / (k_p + k_d) and k_beta = 1 / (k_p + k_d), a_t
is (x_t - k_alpha x_(t-1)) / k_beta and y_t is k_beta s_t + k_alpha y_(t-1): linear predictive
coding of first order (eq. C.4), and a decoder that is a leaky integrator. Where |phi| is 1/2
nothing is sent. Numpy and scipy only.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from plausible.errors import StudyError
from plausible.neurons.quantizers import quantize_stream


class PDCode(NamedTuple):
    """Coefficients of an encoder and its decoder."""

    k_p: float
    """What is sent of the signal itself."""
    k_d: float
    """What is sent of its change."""

    @property
    def k_alpha(self) -> float:
        """Share of a reconstruction that remains after a step."""
        return self.k_d / (self.k_p + self.k_d)

    @property
    def k_beta(self) -> float:
        """What a spike adds to a reconstruction."""
        return 1.0 / (self.k_p + self.k_d)


class Tuning(NamedTuple):
    """How the scale of a code follows its signal (eq. C.8)."""

    k_alpha: float
    """Kept as it is."""
    k_beta_relative: float
    """k_beta in units of the mean size of the signal."""
    rate: float = 0.001
    """eta_k, of the running mean and of k_beta."""


class Coded(NamedTuple):
    """A signal as it is sent and as it is read, each of the signal's shape."""

    encoded: NDArray[np.float64]
    spikes: NDArray[np.float64]
    reconstruction: NDArray[np.float64]


def pd_code(k_p: float, k_d: float) -> PDCode:
    """Raises StudyError unless both are finite and not negative, and one is above 0."""
    if not (np.isfinite([k_p, k_d]).all() and min(k_p, k_d) >= 0 and k_p + k_d > 0):
        raise StudyError(
            f"PD coding: found k_p = {k_p}, k_d = {k_d}; expected are finite numbers of at least "
            "0, one of them above."
        )
    return PDCode(float(k_p), float(k_d))


def pd_code_of(k_alpha: float, k_beta: float) -> PDCode:
    """The code with this memory and step: k_p = (1 - k_alpha) / k_beta, k_d = k_alpha / k_beta."""
    if not (0 <= k_alpha <= 1 and 0 < k_beta < np.inf):
        raise StudyError(
            f"PD coding: found k_alpha = {k_alpha}, k_beta = {k_beta}; expected is a k_alpha from "
            "0 to 1 and a finite k_beta above 0."
        )
    return PDCode((1.0 - k_alpha) / k_beta, k_alpha / k_beta)


def encode(signal: ArrayLike, code: PDCode) -> NDArray[np.float64]:
    """a_t of ``signal`` [steps, ...] (eq. 5.4)."""
    signal = np.asarray(signal, np.float64)
    change = np.diff(signal, axis=0, prepend=np.zeros_like(signal[:1]))
    return code.k_p * signal + code.k_d * change


def decode(values: ArrayLike, code: PDCode) -> NDArray[np.float64]:
    """y_t of what was sent, ``values`` [steps, ...] (eq. 5.5)."""
    values = np.asarray(values, np.float64)
    return lfilter([code.k_beta], [1.0, -code.k_alpha], values, axis=0)


def transmit(signal: ArrayLike, code: PDCode) -> Coded:
    """Encode, quantize and decode ``signal`` [steps, ...]."""
    encoded = encode(signal, code)
    spikes = quantize_stream(encoded).spikes.astype(np.float64)
    return Coded(encoded, spikes, decode(spikes, code))


def decoding_kernel(code: PDCode, steps: int) -> NDArray[np.float64]:
    """What a spike leaves: k_beta k_alpha^t, [steps]."""
    return code.k_beta * code.k_alpha ** np.arange(steps, dtype=np.float64)


def pair_kernel(pre: PDCode, post: PDCode, lags: ArrayLike) -> NDArray[np.float64]:
    """Sum over time of the product of what two spikes leave, at t_post - t_pre = ``lags``.

    k_beta k_beta' / (1 - k_alpha k_alpha') times k_alpha^lag of the presynaptic code where its
    spike comes first, k_alpha'^-lag of the postsynaptic one otherwise. Eq. 5.13 prints, for equal
    codes, k_beta k_alpha^|lag|: the factor k_beta / (1 - k_alpha^2) is missing.
    """
    lags = np.asarray(lags)
    height = pre.k_beta * post.k_beta / (1.0 - pre.k_alpha * post.k_alpha)
    first, second = (code.k_alpha ** np.abs(lags).astype(np.float64) for code in (pre, post))
    return height * np.where(lags >= 0, first, second)


def tuned_scales(signal: ArrayLike, tuning: Tuning, magnitude: float = 1.0) -> NDArray[np.float64]:
    """k_beta in each step of ``signal`` [steps, ...] (eq. C.8), [steps].

    mu += rate (mean |x| - mu); k_beta += rate (k_beta_relative mu - k_beta), both from the values
    before the step, from mu = ``magnitude`` and k_beta = k_beta_relative. The size is the *mean*
    over the units, as in the author's code; eq. C.8 prints their sum.
    """
    flat = np.abs(np.asarray(signal, np.float64)).reshape(len(signal), -1).mean(axis=1)
    k_beta, found = tuning.k_beta_relative, np.empty(len(flat))
    for time, size in enumerate(flat):
        found[time] = k_beta
        k_beta += tuning.rate * (tuning.k_beta_relative * magnitude - k_beta)
        magnitude += tuning.rate * (size - magnitude)
    return found


def transmit_tuned(signal: ArrayLike, tuning: Tuning, magnitude: float = 1.0) -> Coded:
    """`transmit` with a code whose scale follows the signal, [steps, ...]."""
    signal = np.asarray(signal, np.float64)
    scale = tuned_scales(signal, tuning, magnitude).reshape(-1, *(1,) * (signal.ndim - 1))
    before = np.concatenate([np.zeros_like(signal[:1]), signal[:-1]])
    encoded = (signal - tuning.k_alpha * before) / scale
    spikes = quantize_stream(encoded).spikes.astype(np.float64)
    reconstruction = lfilter([1.0], [1.0, -tuning.k_alpha], scale * spikes, axis=0)
    return Coded(encoded, spikes, reconstruction)


def predictive_encode(signal: ArrayLike, coefficients: ArrayLike) -> NDArray[np.float64]:
    """x_t - sum_tau coefficients_tau x_(t-1-tau) of ``signal`` [steps, ...] (eq. C.1)."""
    weights = np.atleast_1d(np.asarray(coefficients, np.float64))
    return lfilter([1.0, *-weights], [1.0], np.asarray(signal, np.float64), axis=0)


def predictive_decode(values: ArrayLike, coefficients: ArrayLike) -> NDArray[np.float64]:
    """The signal again, x_t = a_t + sum_tau coefficients_tau x_(t-1-tau) (eq. C.3)."""
    weights = np.atleast_1d(np.asarray(coefficients, np.float64))
    return lfilter([1.0], [1.0, *-weights], np.asarray(values, np.float64), axis=0)
