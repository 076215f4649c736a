"""Lossy predictive coding of a signal by bits, and how it is decoded. Numpy and scipy only.

Source: O'Connor 2020, section 6.3.4. A neuron sends what its own reconstruction does not predict
(eq. 6.5, figure 6.3), and the reconstruction is all that a receiver has:

    x^E(t) = x(t) - P(t)                        encoded
    x^Q(t) = Quantize(x^E(t))                   sent, 0 or 1
    x^R(t) = x^Q(t) + P(t)                      reconstruction
    P(t)   = sum_tau alpha_tau x^R(t - 1 - tau) prediction; of first order alpha x^R(t - 1)

so that x^R is x^Q convolved with alpha^t (eq. 6.7). Encoding closes the loop over the quantizer:
what it loses now is in the error that is sent next. Reconstructions of bits lie between 0 and
1 / (1 - alpha); only signals within that range can be followed.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from plausible.errors import StudyError

QUANTIZERS = ("threshold", "random", "sigma_delta", "whole")
"""Thresholding, random and sigma-delta quantization to bits, and sigma-delta to whole numbers."""


class Encoded(NamedTuple):
    """What happens inside of the circuit, each ``[steps, ...]`` as the signal."""

    encoded: NDArray[np.float64]
    """x^E, what goes into the quantizer."""
    sent: NDArray[np.float64]
    """x^Q, 0 or 1 (any whole number of the quantizer ``whole``)."""
    reconstruction: NDArray[np.float64]
    """x^R, as the encoder has it."""


def coefficients(alpha: ArrayLike) -> NDArray[np.float64]:
    """Prediction coefficients alpha_tau; a single number is that of first order.

    Raises StudyError if one is not finite. Above 1 a reconstruction grows without bound; this is
    left to the caller, who may want to see it.
    """
    found = np.atleast_1d(np.asarray(alpha, np.float64))
    if found.ndim != 1 or not found.size or not np.isfinite(found).all():
        raise StudyError(
            f"predictive coding: found the coefficients {alpha}, expected one finite number or a "
            "sequence of them."
        )
    return found


def quantize(
    values: ArrayLike, how: str, rng: np.random.Generator | None = None
) -> NDArray[np.float64]:
    """Bits of ``values`` [steps, ...], outside of any loop.

    - ``threshold``: 1 where a value is above 1/2;
    - ``random``: 1 with the value as probability, that is where it is above a uniform number;
    - ``sigma_delta``: phi += value; 1 where phi is above 1/2; phi -= bit;
    - ``whole``: the same with as many as bring phi between -1/2 and 1/2.

    Raises
    ------
    StudyError
        If the quantizer is unknown, or a random one has no generator.
    """
    values = np.asarray(values, np.float64)
    step, sent = _quantizer(how, values.shape[1:], rng), np.empty_like(values)
    for time, value in enumerate(values):
        sent[time] = step(value)
    return sent


def encode(
    signal: ArrayLike,
    alpha: ArrayLike,
    quantizer: str = "sigma_delta",
    rng: np.random.Generator | None = None,
) -> Encoded:
    """Send ``signal`` [steps, ...] through the circuit of eq. 6.5, from a reconstruction of 0.

    ``alpha`` is the coefficient of first order, or those of all orders, the most recent first.
    Raises StudyError as `coefficients` and `quantize` do.
    """
    signal = np.asarray(signal, np.float64)
    weights = coefficients(alpha)
    step = _quantizer(quantizer, signal.shape[1:], rng)
    parts = Encoded(*(np.empty_like(signal) for _ in Encoded._fields))
    past = np.zeros((len(weights), *signal.shape[1:]))
    for time, value in enumerate(signal):
        prediction = np.tensordot(weights, past, axes=1)
        parts.encoded[time] = value - prediction
        parts.sent[time] = step(parts.encoded[time])
        parts.reconstruction[time] = parts.sent[time] + prediction
        past[1:] = past[:-1]
        past[0] = parts.reconstruction[time]
    return parts


def decode(sent: ArrayLike, alpha: ArrayLike) -> NDArray[np.float64]:
    """Reconstruction of what was ``sent`` [steps, ...], by the recursion (eq. 6.6)."""
    return lfilter([1.0], [1.0, *-coefficients(alpha)], np.asarray(sent, np.float64), axis=0)


def decode_by_convolution(sent: ArrayLike, alpha: float) -> NDArray[np.float64]:
    """The same for the first order, as a convolution with alpha^t (eq. 6.7), [steps, ...]."""
    sent = np.asarray(sent, np.float64)
    kernel = alpha ** np.arange(len(sent), dtype=np.float64)
    flat = sent.reshape(len(sent), -1)
    found = [np.convolve(column, kernel)[: len(sent)] for column in flat.T]
    return np.stack(found, axis=1).reshape(sent.shape)


def _quantizer(
    how: str, shape: tuple[int, ...], rng: np.random.Generator | None
) -> Callable[[NDArray], NDArray]:
    """What makes of the values of a step what is sent, remembering what it must."""
    if how not in QUANTIZERS:
        raise StudyError(
            f"predictive coding: found the quantizer {how!r}, expected one of "
            f"{', '.join(QUANTIZERS)}."
        )
    if how == "random" and rng is None:
        raise StudyError("predictive coding: the random quantizer needs a generator (rng).")
    if how == "threshold":
        return lambda value: (value > 0.5).astype(np.float64)
    if how == "random":
        return lambda value: (value > rng.random(shape)).astype(np.float64)
    potential = np.zeros(shape)

    def sigma_delta(value: NDArray) -> NDArray:
        potential[...] += value
        whole = np.rint(potential)
        sent = whole if how == "whole" else (potential > 0.5).astype(np.float64)
        potential[...] -= sent
        return sent

    return sigma_delta
