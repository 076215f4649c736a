"""Predictive coding by bits, open loop, with a coefficient that may change; bisection. Numpy only.

Source: O'Connor 2020, sections 8 (summary), 8.4.4 to 8.4.6. A neuron sends of its signal x

    a(t) = (x(t) - (1 - lambda) x(t-1)) / lambda                                   (eq. 8.12)

as bits, and the receiver makes of their weighted sum u

    v(t) = (1 - lambda) v(t-1) + lambda u(t)                                       (eq. 8.13)

so that without quantization v is x. lambda = 1 sends the signal itself; near 0, changes of it
alone. Both sides must use the same lambda at the same bit: in a network, where bits arrive one step
after they were sent, eq. 8.14 as printed applies lambda(t) to bits encoded with lambda(t-1).

The neuron of section 6.3.4 (`bit_coding`) predicts from its own reconstruction instead.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import StudyError

ABOVE, BELOW = "above", "below"
SENSES = (ABOVE, BELOW)


def pre_code(signal: ArrayLike, decay: ArrayLike) -> NDArray[np.float64]:
    """a of ``signal`` [steps, ...], which was 0 before; ``decay`` is lambda, one or [steps].

    Raises StudyError if a lambda is not above 0 and at most 1.
    """
    signal = np.asarray(signal, np.float64)
    decay = _each_step(decay, signal)
    before = np.concatenate([np.zeros_like(signal[:1]), signal[:-1]])
    return (signal - (1.0 - decay) * before) / decay


def reconstruct(received: ArrayLike, decay: ArrayLike) -> NDArray[np.float64]:
    """v of what was ``received`` [steps, ...], from 0; ``decay`` is lambda, one or [steps].

    Raises StudyError as `pre_code` does.
    """
    received = np.asarray(received, np.float64)
    decay = _each_step(decay, received)
    found, value = np.empty_like(received), np.zeros(received.shape[1:])
    for time, given in enumerate(received):
        value = (1.0 - decay[time]) * value + decay[time] * given
        found[time] = value
    return found


def _each_step(decay: ArrayLike, signal: NDArray) -> NDArray[np.float64]:
    """lambda of every step, of a shape that goes with the signal's."""
    decay = np.broadcast_to(np.asarray(decay, np.float64), len(signal))
    if not ((decay > 0.0) & (decay <= 1.0)).all():
        raise StudyError("predictive coding: lambda must be above 0 and at most 1 at every step.")
    return decay.reshape(-1, *[1] * (signal.ndim - 1))


class Bisected(NamedTuple):
    """A value between 0 and 1 as bits, each ``[..., bits]``."""

    bits: NDArray[np.int64]
    estimates: NDArray[np.float64]
    """After each bit."""


def bisect(values: ArrayLike, bits: int, sense: str = ABOVE) -> Bisected:
    """Code of ``values`` [...]: at each step whether the value is above the estimate.

    The estimate starts at 1/2 and moves by 1/4, 1/8, ... towards the value, so that n bits leave an
    error of at most 2^-(n+1). ``sense`` is what a bit of 1 means; the text says *below*, its
    example has *above*.

    Raises
    ------
    StudyError
        If a value is not between 0 and 1, or the sense is unknown.
    """
    values = np.asarray(values, np.float64)
    if not ((values >= 0.0) & (values <= 1.0)).all():
        raise StudyError("bisection: values must be between 0 and 1.")
    estimate, sent = np.full(values.shape, 0.5), []
    for number in range(bits):
        higher = values > estimate
        estimate = estimate + np.where(higher, 1.0, -1.0) * 0.5 ** (number + 2)
        sent.append(higher if _check(sense) == ABOVE else ~higher)
    found = np.stack(sent, axis=-1).astype(np.int64)
    return Bisected(found, decode_bisection(found, sense))


def decode_bisection(bits: ArrayLike, sense: str = ABOVE) -> NDArray[np.float64]:
    """Estimate after each of ``bits`` [..., bits]."""
    bits = np.asarray(bits)
    up = (bits == 1) if _check(sense) == ABOVE else (bits == 0)
    moves = 0.5 ** (np.arange(bits.shape[-1]) + 2)
    return 0.5 + np.cumsum(np.where(up, moves, -moves), axis=-1)


def _check(sense: str) -> str:
    if sense not in SENSES:
        raise StudyError(f"bisection: a bit says {sense!r}, expected one of {', '.join(SENSES)}.")
    return sense
