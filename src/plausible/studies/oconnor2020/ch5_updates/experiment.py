"""Update rules in pictures: areas, kernels, four rules side by side, causes of error.

Source: O'Connor 2020, sections 5.3.6, 5.3.7, C.4 and C.5.1, with the settings of the author's code;
random signals and trains are ours.
"""

from collections.abc import Mapping
from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.signals import low_pass
from plausible.learning.pd_updates import RULES, weight_updates
from plausible.measure.angles import cosine
from plausible.neurons.pd_coding import (
    PDCode,
    decode,
    encode,
    pair_kernel,
    pd_code,
    transmit,
)
from plausible.neurons.plasticity import DoubleExponential, stdp
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_updates.printed import printed_future, printed_past
from plausible.studies.oconnor2020.ch5_updates.settings import (
    Approximation,
    Areas,
    FourRules,
    UpdateKernels,
)

generator = partial(numpy_generator, "oconnor2020", "ch5_updates")
"""Random stream of an experiment, a seed and a purpose."""


def areas(settings: Areas, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 5.3: two coded signals, their product, and the areas at one spike of the error.

    Columns: element, seed; of ``area``: last_event, event (steps between which lies the past area,
    from which on lies the future one), past_area, future_area (sums over steps), past_formula,
    future_formula (from the product at single steps, eq. C.6 and C.7 corrected), and relative to
    the sums past_difference, future_difference (of the formulas), undecayed_difference (of the past
    formula without what lies beyond the event), printed_difference (of eq. C.7 as printed); of
    ``trace`` (first seed): step, for either side (x, e) the signal, <side>_spikes,
    <side>_reconstruction, and product, product_of_reconstructions, to five decimals.
    """
    code, rows = pd_code(settings.k_p, settings.k_d), []
    for seed in seeds:
        rng = generator("areas", seed)
        signals = low_pass(rng, settings.steps + settings.warm_up, settings.cutoff, 2)
        signals = signals[settings.warm_up :] * np.sign(signals[settings.warm_up :].mean(axis=0))
        coded = transmit(signals, code)
        product = coded.reconstruction.prod(axis=1)
        at = _event(coded.spikes)
        # The product after the last event decays until the spikes of this one arrive.
        before = coded.reconstruction[at.now] - code.k_beta * coded.spikes[at.now]
        rest, u, v = 1.0 - code.k_alpha**2, product[at.last], float(before.prod())
        alone = product[at.now] * code.k_alpha ** (2.0 * np.arange(20_000))
        past_area, future_area = product[at.last : at.now].sum(), alone.sum()
        past_formula, future_formula = (u - v) / rest, product[at.now] / rest
        areas = {
            "last_event": at.last,
            "event": at.now,
            "past_area": past_area,
            "past_formula": past_formula,
            "future_area": future_area,
            "future_formula": future_formula,
            # Of columns that are written with eight digits a difference would have none.
            "past_difference": abs(past_formula / past_area - 1.0),
            "undecayed_difference": abs(u / rest / past_area - 1.0),
            "future_difference": abs(future_formula / future_area - 1.0),
            "printed_difference": abs(-future_formula / future_area - 1.0),
        }
        rows.append({"element": "area", "seed": seed, **areas})
        if seed == seeds[0]:
            part = {"product": signals.prod(axis=1), "product_of_reconstructions": product}
            for side, name in enumerate("xe"):
                part[name] = signals[:, side]
                part[f"{name}_spikes"] = coded.spikes[:, side]
                part[f"{name}_reconstruction"] = coded.reconstruction[:, side]
            trace = _trace(part, seed)
    return pd.concat([pd.DataFrame(rows), trace], ignore_index=True)


def _trace(columns: Mapping[str, NDArray], seed: int) -> pd.DataFrame:
    """Columns of a trace, step by step, to five decimals."""
    frame = pd.DataFrame(columns).round(5)
    return frame.assign(element="trace", seed=seed, step=np.arange(len(frame)))


class _Event(tuple):
    """Steps of a spike of the error and of the spike of either side before it."""

    last = property(lambda self: self[0])
    now = property(lambda self: self[1])


def _event(spikes: NDArray) -> _Event:
    """The second spike of the error that has a spike before it, or the last one there is."""
    either = np.flatnonzero(spikes.any(axis=1))
    later = [int(step) for step in np.flatnonzero(spikes[:, 1]) if step > either[0]]
    now = later[min(1, len(later) - 1)] if later else int(either[-1])
    last = int(either[either < now][-1]) if now > either[0] else int(either[0])
    return _Event((last, now))


def update_kernels(settings: UpdateKernels, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 5.4: what a pair of spikes does to a weight, by their time difference.

    Columns: panel (same_sign, opposite_sign, classic), lag_steps, change (formula; weights move
    against the gradient), numerical (the rule `past` on one pair of spikes); what is 0 if the
    statements hold: numerical_difference (of formula and rule), asymmetry (|f(t) - f(-t)| of the
    rule, of the classic window |f(t) + f(-t)|), mirror_difference (of the rule, |same_sign +
    opposite_sign|), decay_difference (largest difference of a neighbouring ratio from k_alpha, of
    the panel); and the same as unequal_... where the two sides have other codes, by the formula of
    one code in the first of them.
    """
    code, other = (pd_code(k, settings.k_d) for k in (settings.k_p, settings.other_k_p))
    lags = np.arange(-settings.reach, settings.reach + 1)
    rows = []
    rules = {
        sign: [_of_pairs(lags, sign, code, each) for each in (code, other)] for sign in (1.0, -1.0)
    }
    mirror = np.abs(rules[1.0][0] + rules[-1.0][0])
    for panel, sign in (("same_sign", 1.0), ("opposite_sign", -1.0)):
        equal, unequal = (pair_kernel(code, each, lags) for each in (code, other))
        rule, rule_unequal = rules[sign]
        part = {
            "panel": panel,
            "lag_steps": lags,
            "change": -sign * equal,
            "numerical": rule,
            "numerical_difference": np.abs(-sign * equal - rule),
            "unequal_numerical_difference": np.abs(-sign * equal - rule_unequal),
            "asymmetry": np.abs(rule - rule[::-1]),
            "unequal_asymmetry": np.abs(rule_unequal - rule_unequal[::-1]),
            "mirror_difference": mirror,
            "decay_difference": _off_decay(equal, code.k_alpha),
            "unequal_decay_difference": _off_decay(unequal, code.k_alpha),
        }
        rows.append(pd.DataFrame(part))
    taus = [1e-3 * settings.tau_steps] * 2
    window, slower = (DoubleExponential(1.0, 1.0, taus[0], tau) for tau in (taus[1], 2 * taus[1]))
    classic = [np.where(lags == 0, 0.0, stdp(1e-3 * lags, each)) for each in (window, slower)]
    part = {"panel": "classic", "lag_steps": lags, "change": classic[0]}
    asymmetries = [np.abs(each + each[::-1]) for each in classic]
    part |= dict(zip(("asymmetry", "unequal_asymmetry"), asymmetries, strict=True))
    return pd.concat([*rows, pd.DataFrame(part)], ignore_index=True)


def _off_decay(kernel: NDArray, k_alpha: float) -> float:
    """Largest difference of |ratio of neighbours, outwards| from k_alpha, on either side of 0."""
    middle = len(kernel) // 2
    sides = kernel[middle:], kernel[middle::-1]
    return max(float(np.abs(side[1:] / side[:-1] - k_alpha).max()) for side in sides)


def _of_pairs(lags: NDArray, sign: float, pre: PDCode, post: PDCode) -> NDArray[np.float64]:
    """What one spike of either side does to a weight by the past rule, by their time difference."""
    changes = []
    for lag in map(int, lags):
        trains = np.zeros((abs(lag) + 2, 2))
        trains[max(0, -lag), 0], trains[max(0, lag), 1] = 1.0, sign
        found = weight_updates("past", trains[:, :1], trains[:, 1:], pre, post)
        changes.append(-float(found.total[0, 0]))
    return np.array(changes)


def four_rules(settings: FourRules, seeds, dataset, networks) -> pd.DataFrame:
    """Figure C.1: cumulative changes of a weight by the four rules, on one pair of trains.

    The last quarter is silent but for one presynaptic spike in its middle. Columns: element, seed;
    of ``end``: one column for each rule (sum, with the area that is still open), printed_past,
    printed_future (as printed), and relative to the sum of the reconstructions final_difference
    (largest of the four), printed_difference (of the two), middle_difference (of the four in
    the middle of the trains), past_and_future, future_and_stdp (largest over time); of ``trace``
    (first seed): step, x_spikes, e_spikes, x_reconstruction, e_reconstruction and the cumulative
    sum of each rule, to five decimals.
    """
    code, rows = pd_code(settings.k_p, settings.k_d), []
    steps, p = settings.steps, settings.spike_probability
    for seed in seeds:
        rng = generator("four_rules", seed)
        trains = rng.choice([-1.0, 0.0, 1.0], (steps, 2), p=[p / 2, 1 - p, p / 2])
        trains[steps * 3 // 4 :] = 0.0
        trains[steps * 7 // 8, 0] = 1.0
        x, e = trains[:, :1], trains[:, 1:]
        found = {rule: weight_updates(rule, x, e, code) for rule in RULES}
        sums = {rule: np.cumsum(each.steps[:, 0, 0]) for rule, each in found.items()}
        ends = {rule: float(each.total[0, 0]) for rule, each in found.items()}
        exact = abs(ends["reconstruction"])
        middle = [
            abs(each[steps // 2] - sums["reconstruction"][steps // 2]) for each in sums.values()
        ]
        printed = {
            "printed_past": float(printed_past(x, e, code).sum()),
            "printed_future": float(printed_future(x, e, code).sum()),
        }

        def largest(sums: Mapping[str, float], exact: float = ends["reconstruction"]) -> float:
            return max(abs(each / exact - 1.0) for each in sums.values())

        apart = {
            # Of columns that are written with eight digits a difference would have none.
            "final_difference": largest(ends),
            "printed_difference": largest(printed),
            "middle_difference": max(middle) / exact,
            "past_and_future": np.abs(sums["past"] - sums["future"]).max() / exact,
            "future_and_stdp": np.abs(sums["future"] - sums["stdp"]).max() / exact,
        }
        rows.append({"element": "end", "seed": seed, **ends, **printed, **apart})
        if seed == seeds[0]:
            part = {"x_spikes": x[:, 0], "e_spikes": e[:, 0]}
            part |= {"x_reconstruction": decode(x, code)[:, 0]}
            part |= {"e_reconstruction": decode(e, code)[:, 0]}
            trace = _trace(part | sums, seed)
    return pd.concat([pd.DataFrame(rows), trace], ignore_index=True)


def approximation(settings: Approximation, seeds, dataset, networks) -> pd.DataFrame:
    """Figure C.2: how like the true product is what a receiver makes of a code.

    Columns: element, seed; of ``trace`` (first seed, last steps, the example's coefficients): step,
    signal, weight, product, estimate; of ``cell``: k_p, k_d (0 on the axes), number_of_spikes, and
    cosine similarities: with the true product of what is decoded behind a weight that changes
    (weight_similarity), with the signal of what is quantized (quantization_similarity), with the
    product of both together (both_similarity).
    """
    rows = []
    for seed in seeds:
        rng = generator("approximation", seed)
        signal = low_pass(rng, settings.steps, settings.signal_cutoff)
        weight = low_pass(rng, settings.steps, settings.weight_cutoff)
        code = pd_code(settings.example_k_p, settings.example_k_d)
        estimate = decode(_sent(encode(signal, code)) * weight, code)
        shown = slice(-settings.shown_steps, None)
        part = {"signal": signal, "weight": weight, "product": signal * weight}
        if seed == seeds[0]:
            rows.append(_trace(part | {"estimate": estimate}, seed)[shown])
        k_ps, k_ds = (
            np.concatenate([[0.0], np.geomspace(*reach, settings.points)])
            for reach in (settings.k_p_range, settings.k_d_range)
        )
        cells = [
            ("cell", seed, k_p, k_d, *_similarities(signal, weight, pd_code(k_p, k_d)))
            for k_p in k_ps
            for k_d in k_ds
            if k_p + k_d > 0
        ]
        columns = ["element", "seed", "k_p", "k_d", "weight_similarity"]
        columns += ["quantization_similarity", "both_similarity", "number_of_spikes"]
        rows.append(pd.DataFrame(cells, columns=columns).round(dict.fromkeys(columns[-4:-1], 6)))
    return pd.concat(rows, ignore_index=True)


def _sent(encoded: NDArray) -> NDArray[np.float64]:
    """What herding sends, as differences of rounded sums (eq. C.5), whole trains at once."""
    return np.diff(np.rint(np.cumsum(encoded)), prepend=0.0)


def _similarities(signal: NDArray, weight: NDArray, code: PDCode) -> tuple[float, ...]:
    encoded = encode(signal, code)
    spikes = _sent(encoded)
    product = signal * weight
    pairs = (
        (decode(encoded * weight, code), product),
        (decode(spikes, code), signal),
        (decode(spikes * weight, code), product),
    )
    return *(cosine(*pair) for pair in pairs), float(np.abs(spikes).sum())
