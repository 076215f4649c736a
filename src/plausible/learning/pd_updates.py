"""Updates of a weight between two PD-coded signals: four rules with the same sum.

Source: O'Connor 2020, sections 5.3.6, 5.3.7 and C.4. x [steps, inputs] and e [steps, outputs] are
spikes, x^ and e^ their reconstructions, r = k_alpha k_alpha' what remains of a product of
reconstructions after a step without spikes, k_beta of either side what a spike adds:

    reconstruction   dW_t = x^_t e^_t
    past             at a spike of either side: dW = (u - v) / (1 - r), the area under the product
                     since the last spike, where u was the product after it and v is the product
                     before this one; then u is the product after it (eq. C.6)
    future           dW_t = (x^_t e^_t - v_t) / (1 - r), all that the spikes of the step will add to
                     the area, v_t being the product before them (eq. C.7)
    stdp             for each pair of spikes, once the second is there, `pair_kernel` (eq. 5.13)

Printed otherwise: eq. C.6 acts where *both* sides spike and sets u to v; eq. C.7 lacks k_beta and
has the denominator's sign reversed; eq. 5.13 lacks k_beta / (1 - r). ``past`` and ``future`` in
this form agree with the others for unequal codes as well. Numpy and scipy only.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.signal import lfilter

from plausible.errors import StudyError
from plausible.neurons.pd_coding import PDCode, decode


class Updates(NamedTuple):
    """What a rule does to the weights; W changes by minus the learning rate times it."""

    steps: NDArray[np.float64]
    """In each step, [steps, inputs, outputs]."""
    pending: NDArray[np.float64]
    """Area up to the far future that is not in ``steps`` yet, [inputs, outputs]."""

    @property
    def total(self) -> NDArray[np.float64]:
        """The same for all rules, [inputs, outputs]."""
        return self.steps.sum(axis=0) + self.pending


def _traces(spikes: NDArray, code: PDCode) -> tuple[NDArray, NDArray]:
    """Reconstruction after the spikes of each step, and what is left of it before them."""
    after = decode(spikes, code)
    return after, after - code.k_beta * spikes


def _outer(pre: NDArray, post: NDArray) -> NDArray:
    return pre[..., :, None] * post[..., None, :]


def reconstruction_updates(x: NDArray, e: NDArray, pre: PDCode, post: PDCode) -> Updates:
    """Products of reconstructions."""
    steps, r = _outer(decode(x, pre), decode(e, post)), pre.k_alpha * post.k_alpha
    return Updates(steps, steps[-1] * r / (1.0 - r))


def past_updates(x: NDArray, e: NDArray, pre: PDCode, post: PDCode) -> Updates:
    """Area since the last spike, at each spike (eq. C.6 corrected)."""
    (x_after, x_before), (e_after, e_before) = _traces(x, pre), _traces(e, post)
    r = pre.k_alpha * post.k_alpha
    u = np.zeros((x.shape[1], e.shape[1]))
    steps = np.zeros((len(x), *u.shape))
    for time in range(len(x)):
        event = (x[time] != 0)[:, None] | (e[time] != 0)
        before = _outer(x_before[time], e_before[time])
        steps[time] = np.where(event, (u - before) / (1.0 - r), 0.0)
        u = np.where(event, _outer(x_after[time], e_after[time]), u)
    return Updates(steps, u / (1.0 - r))


def future_updates(x: NDArray, e: NDArray, pre: PDCode, post: PDCode) -> Updates:
    """All that the spikes of a step will add (eq. C.7 corrected)."""
    (x_after, x_before), (e_after, e_before) = _traces(x, pre), _traces(e, post)
    steps = _outer(x_after, e_after) - _outer(x_before, e_before)
    steps /= 1.0 - pre.k_alpha * post.k_alpha
    return Updates(steps, np.zeros(steps.shape[1:]))


def stdp_updates(x: NDArray, e: NDArray, pre: PDCode, post: PDCode) -> Updates:
    """Pairs of spikes, from a trace of earlier spikes on either side (eq. 5.13 corrected)."""

    def earlier(spikes: NDArray, code: PDCode) -> NDArray:
        return lfilter([0.0, code.k_alpha], [1.0, -code.k_alpha], spikes, axis=0)

    height = pre.k_beta * post.k_beta / (1.0 - pre.k_alpha * post.k_alpha)
    steps = _outer(earlier(x, pre), e) + _outer(x, earlier(e, post)) + _outer(x, e)
    return Updates(height * steps, np.zeros(steps.shape[1:]))


RULES: dict[str, Callable[[NDArray, NDArray, PDCode, PDCode], Updates]] = {
    "reconstruction": reconstruction_updates,
    "past": past_updates,
    "future": future_updates,
    "stdp": stdp_updates,
}


def weight_updates(
    rule: str, x: ArrayLike, e: ArrayLike, pre: PDCode, post: PDCode | None = None
) -> Updates:
    """Updates of the weights by one of `RULES`.

    Parameters
    ----------
    rule:
        ``reconstruction``, ``past``, ``future`` or ``stdp``.
    x, e:
        Spikes of the inputs [steps, inputs] and of the errors [steps, outputs].
    pre, post:
        Their codes; without ``post`` both have the same. Not both may be without leak (k_p = 0):
        the area would have no end.

    Raises
    ------
    StudyError
        If the rule is unknown, the trains do not fit each other, or neither code leaks.
    """
    if rule not in RULES:
        raise StudyError(
            f"PD updates: found the rule {rule!r}, expected one of {', '.join(RULES)}."
        )
    x, e = np.asarray(x, np.float64), np.asarray(e, np.float64)
    if x.ndim != 2 or e.ndim != 2 or len(x) != len(e) or not len(x):
        raise StudyError(
            f"PD updates: found spikes of the shapes {x.shape} and {e.shape}, expected [steps, "
            "inputs] and [steps, outputs] with as many steps."
        )
    post = pre if post is None else post
    if pre.k_alpha * post.k_alpha >= 1.0:
        raise StudyError(
            f"PD updates: found {pre} and {post}, which both keep all of their past; expected is a "
            "k_p above 0 in one of them."
        )
    return RULES[rule](x, e, pre, post)
