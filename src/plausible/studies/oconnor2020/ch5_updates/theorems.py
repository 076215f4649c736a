"""Update rules between coded signals as measured deviations (O'Connor 2020, chapter 5, C.1, C.4).

One function per published entry; it takes the settings and a seed and returns its checks. The
independent form is the sum over pairs of spikes, or the product of reconstructions; the formulas as
printed are the rows ``as_published`` and the controls.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.learning.pd_updates import RULES, weight_updates
from plausible.neurons.pd_coding import (
    PDCode,
    decode,
    decoding_kernel,
    pair_kernel,
    pd_code,
    pd_code_of,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch5_updates.experiment import generator
from plausible.studies.oconnor2020.ch5_updates.printed import (
    printed_future,
    printed_kernel,
    printed_past,
)

PRINTED = "as_published"
STEPS, INPUTS, OUTPUTS = 300, 5, 4
CODES = {
    "kp_0.03_kd_2": (pd_code(0.03, 2.0), None),
    "kp_0.1_kd_1": (pd_code(0.1, 1.0), None),
    "kp_1_kd_1": (pd_code(1.0, 1.0), None),
    "unequal": (pd_code_of(0.9, 0.7), pd_code_of(0.5, 0.2)),
}
PLAIN_NAME = "kp_0.03_kd_2"
PLAIN = CODES[PLAIN_NAME][0]


def _trains(rng: np.random.Generator, steps: int = STEPS) -> tuple[NDArray, NDArray]:
    """Random signed spikes, [steps, inputs] and [steps, outputs]."""
    shapes = (steps, INPUTS), (steps, OUTPUTS)
    return tuple(rng.choice([-1.0, 0.0, 1.0], shape, p=[0.05, 0.9, 0.05]) for shape in shapes)


def _pairs(x: NDArray, e: NDArray, pre: PDCode, post: PDCode) -> NDArray[np.float64]:
    """Sum over all pairs of spikes, [inputs, outputs]."""
    time = np.arange(len(x))
    kernel = pair_kernel(pre, post, time[None, :] - time[:, None])
    return np.einsum("si,st,to->io", x, kernel, e)


def _relative(found: NDArray, expected: NDArray) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())


def update_rules(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.6, C.4: the four rules have the same sum."""
    x, e = _trains(generator("update_rules", seed))
    name, found = "cumulative_updates_coincide", {}
    for which, (pre, post) in CODES.items():
        expected = weight_updates("reconstruction", x, e, pre, post).total
        for rule in RULES:
            if rule != "reconstruction":
                total = weight_updates(rule, x, e, pre, post).total
                text = f"{rule} against the product of reconstructions, {which}: relative"
                found[f"{rule}_{which}"] = text, _relative(total, expected)
    expected = weight_updates("reconstruction", x, e, PLAIN).total
    wrong = {
        "past": ("eq. C.6 as printed", printed_past(x, e, PLAIN).sum(axis=0)),
        "future": ("eq. C.7 as printed", printed_future(x, e, PLAIN).sum(axis=0)),
    }
    off = {rule: (text, _relative(total, expected)) for rule, (text, total) in wrong.items()}
    broken = {f"{rule}_as_printed": deviation for rule, (_, deviation) in off.items()}
    printed = {f"{rule}_{PLAIN_NAME}": row for rule, row in off.items()}
    return [*checks(name, found), *checks(name, printed, PRINTED), *controls(name, broken)]


def stdp_form(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.7, eq. 5.13: what two spikes do to each other's product."""
    name, found, printed = "autocorrelation_of_kernel", {}, {}
    lags = np.arange(-30, 31)
    for which, (pre, post) in CODES.items():
        far = 40 + round(40.0 / -np.log(max(pre.k_alpha, (post or pre).k_alpha)))
        one, other = (decoding_kernel(code, far) for code in (pre, post or pre))
        numbers = [
            float(one[max(0, lag) :] @ other[max(0, -lag) :][: far - max(0, lag)])
            if lag >= 0
            else float(one[: far + lag] @ other[-lag:])
            for lag in lags
        ]
        text = f"formula against the sum over time, {which}"
        found[which] = text, float(np.abs(pair_kernel(pre, post or pre, lags) - numbers).max())
        if post is None:
            off = np.abs(printed_kernel(pre, lags) - numbers).max()
            printed[which] = f"eq. 5.13 as printed, {which}", float(off)
    broken = {"as_printed": min(deviation for _, deviation in printed.values())}
    return [*checks(name, found), *checks(name, printed, PRINTED), *controls(name, broken)]


def future_is_online_stdp(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.7: at every time the future rule has the sum over the pairs so far."""
    x, e = _trains(generator("online", seed), 120)
    name, found, late = "equal_at_every_time", {}, []

    def largest(steps: NDArray, pre: PDCode, post: PDCode | None) -> float:
        so_far = np.cumsum(steps, axis=0)
        return max(
            float(np.abs(so_far[t - 1] - _pairs(x[:t], e[:t], pre, post or pre)).max())
            for t in range(1, len(x) + 1)
        )

    for which, (pre, post) in CODES.items():
        future, past = (weight_updates(rule, x, e, pre, post).steps for rule in ("future", "past"))
        text = f"largest difference over time from the pairs of spikes so far, {which}"
        found[which] = text, largest(future, pre, post)
        late.append(largest(past, pre, post))
    printed = {PLAIN_NAME: ("the same, eq. C.7 as printed", largest(_printed(x, e), PLAIN, None))}
    broken = {"past_rule": min(late)}
    return [*checks(name, found), *checks(name, printed, PRINTED), *controls(name, broken)]


def _printed(x: NDArray, e: NDArray) -> NDArray[np.float64]:
    return printed_future(x, e, PLAIN)


def mean_updates_equal(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section C.1: the means of the rules come together, as sums differ by the open area alone."""
    x, e = _trains(generator("mean", seed), 3000)
    name, found = "sums_differ_by_an_open_area", {}
    bound = np.abs(decode(x, PLAIN)[:, :, None] * decode(e, PLAIN)[:, None, :]).max()
    bound /= 1.0 - PLAIN.k_alpha**2
    steps = {rule: weight_updates(rule, x, e, PLAIN).steps for rule in RULES}
    exact = np.cumsum(steps["reconstruction"], axis=0)

    def largest(each: NDArray) -> float:
        return float(np.abs(np.cumsum(each, axis=0) - exact).max() / bound)

    for rule in ("past", "future", "stdp"):
        text = f"largest difference of the sums over time, {rule}, in units of the largest area"
        found[rule] = text, largest(steps[rule])
    broken = {"future_as_printed": largest(_printed(x, e))}
    return [*checks(name, found), *controls(name, broken)]
