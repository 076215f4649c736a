"""Spike-timing-dependent plasticity: weight change against the times of two spikes. Numpy only.

Source: O'Connor 2020, section 1.4.1, eq. 1.11 (after Bi and Poo), with dt = t_post - t_pre:

    dw = -a_minus exp(dt / tau_minus)   for dt < 0
    dw =  a_plus exp(-dt / tau_plus)    otherwise
"""

from typing import NamedTuple

import numpy as np

from plausible.errors import StudyError


class DoubleExponential(NamedTuple):
    """Heights and time constants of the two sides of the window."""

    a_plus: float = 1.0
    a_minus: float = 1.0
    tau_plus_s: float = 0.02
    tau_minus_s: float = 0.02


def check_window(window: DoubleExponential) -> None:
    """Raise StudyError unless heights are not negative and time constants positive."""
    if min(window.a_plus, window.a_minus) < 0 or not min(window[2:]) > 0:
        raise StudyError(
            f"plasticity: {window} was found, where heights of 0 or more and positive time "
            "constants are expected."
        )


def stdp(dt_s: np.ndarray, window: DoubleExponential = DoubleExponential()) -> np.ndarray:  # noqa: B008
    """Weight change of a pair of spikes at dt = t_post - t_pre (eq. 1.11)."""
    check_window(window)
    dt_s = np.asarray(dt_s, np.float64)
    depression = -window.a_minus * np.exp(np.minimum(dt_s, 0.0) / window.tau_minus_s)
    potentiation = window.a_plus * np.exp(-np.maximum(dt_s, 0.0) / window.tau_plus_s)
    return np.where(dt_s < 0, depression, potentiation)


def stdp_all_pairs(
    pre_times_s: np.ndarray,
    post_times_s: np.ndarray,
    window: DoubleExponential = DoubleExponential(),  # noqa: B008
) -> float:
    """Weight change of a synapse: the sum of eq. 1.11 over all pairs of spikes."""
    dt = np.asarray(post_times_s)[:, None] - np.asarray(pre_times_s)[None, :]
    return float(stdp(dt, window).sum())


def stdp_online(
    pre_times_s: np.ndarray,
    post_times_s: np.ndarray,
    window: DoubleExponential = DoubleExponential(),  # noqa: B008
) -> float:
    """The same sum from two decaying traces, one event at a time: what a synapse can know.

    A pre spike meets the trace of the post spikes before it and is depressed by a_minus times it,
    a post spike meets the trace of the pre spikes up to now. At equal times the pre spike comes
    first, since eq. 1.11 counts dt = 0 as potentiation.
    """
    check_window(window)
    events = [(float(time), 0) for time in pre_times_s] + [
        (float(time), 1) for time in post_times_s
    ]
    events.sort()
    pre_trace = post_trace = change = 0.0
    now = events[0][0] if events else 0.0
    for time, is_post in events:
        pre_trace *= np.exp(-(time - now) / window.tau_plus_s)
        post_trace *= np.exp(-(time - now) / window.tau_minus_s)
        now = time
        if is_post:
            change += window.a_plus * pre_trace
            post_trace += 1.0
        else:
            change -= window.a_minus * post_trace
            pre_trace += 1.0
    return float(change)
