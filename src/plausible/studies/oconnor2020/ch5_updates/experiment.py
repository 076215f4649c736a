"""Update rules in pictures: areas, kernels, four rules side by side, causes of error.

Source: O'Connor 2020, sections 5.3.6, 5.3.7, C.4 and C.5.1, with the settings of the author's code;
random signals and trains are ours.
"""

from functools import partial

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.signals import low_pass
from plausible.learning.pd_updates import RULES, weight_updates
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

    Columns: seed, step; for either side (x, e) the signal, <side>_spikes, <side>_reconstruction;
    product, product_of_reconstructions; last_event, event (steps between which lies the past area,
    from which on lies the future one), past_area, future_area (sums over steps), past_formula,
    future_formula (from the product at single steps, eq. C.6 and C.7 corrected), undecayed_area
    (of the past formula without what lies beyond the event), printed_future.
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
        part = {"seed": seed, "step": np.arange(settings.steps)}
        for side, name in enumerate("xe"):
            part[name] = signals[:, side]
            part[f"{name}_spikes"] = coded.spikes[:, side].astype(int)
            part[f"{name}_reconstruction"] = coded.reconstruction[:, side]
        part |= {
            "product": signals.prod(axis=1),
            "product_of_reconstructions": product,
            "last_event": at.last,
            "event": at.now,
            "past_area": float(product[at.last : at.now].sum()),
            "past_formula": (u - v) / rest,
            "undecayed_area": u / rest,
            "future_area": float(alone.sum()),
            "future_formula": product[at.now] / rest,
            "printed_future": -product[at.now] / rest,
        }
        rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)


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
    against the gradient), numerical (rules `past` and `future` on one pair of spikes, their mean
    where they agree), unequal (formula where the two sides have other codes).
    """
    code, other = (pd_code(k, settings.k_d) for k in (settings.k_p, settings.other_k_p))
    lags = np.arange(-settings.reach, settings.reach + 1)
    rows = []
    for panel, sign in (("same_sign", 1.0), ("opposite_sign", -1.0)):
        part = {
            "panel": panel,
            "lag_steps": lags,
            "change": -sign * pair_kernel(code, code, lags),
            "numerical": [-_of_one_pair(int(lag), sign, code) for lag in lags],
            "unequal": -sign * pair_kernel(code, other, lags),
        }
        rows.append(pd.DataFrame(part))
    taus = [1e-3 * settings.tau_steps] * 2
    window, slower = (DoubleExponential(1.0, 1.0, taus[0], tau) for tau in (taus[1], 2 * taus[1]))
    classic = [np.where(lags == 0, 0.0, stdp(1e-3 * lags, each)) for each in (window, slower)]
    part = {"panel": "classic", "lag_steps": lags, "change": classic[0], "unequal": classic[1]}
    return pd.concat([*rows, pd.DataFrame(part)], ignore_index=True)


def _of_one_pair(lag: int, sign: float, code: PDCode) -> float:
    """Total of the past rule for one spike of either side."""
    trains = np.zeros((abs(lag) + 2, 2))
    trains[max(0, -lag), 0], trains[max(0, lag), 1] = 1.0, sign
    return float(weight_updates("past", trains[:, :1], trains[:, 1:], code).total[0, 0])


def four_rules(settings: FourRules, seeds, dataset, networks) -> pd.DataFrame:
    """Figure C.1: cumulative changes of a weight by the four rules, on one pair of trains.

    The last quarter is silent but for one presynaptic spike in its middle. Columns: seed, step,
    x_spikes, e_spikes, x_reconstruction, e_reconstruction, one column for each rule, <rule>_end
    (with the area that is still open), printed_past, printed_future (cumulative, as printed).
    """
    code, rows = pd_code(settings.k_p, settings.k_d), []
    steps, p = settings.steps, settings.spike_probability
    for seed in seeds:
        rng = generator("four_rules", seed)
        trains = rng.choice([-1.0, 0.0, 1.0], (steps, 2), p=[p / 2, 1 - p, p / 2])
        trains[steps * 3 // 4 :] = 0.0
        trains[steps * 7 // 8, 0] = 1.0
        x, e = trains[:, :1], trains[:, 1:]
        part = {
            "seed": seed,
            "step": np.arange(steps),
            "x_spikes": x[:, 0].astype(int),
            "e_spikes": e[:, 0].astype(int),
            "x_reconstruction": decode(x, code)[:, 0],
            "e_reconstruction": decode(e, code)[:, 0],
        }
        for rule in RULES:
            found = weight_updates(rule, x, e, code)
            part[rule] = np.cumsum(found.steps[:, 0, 0])
            part[f"{rule}_end"] = float(found.total[0, 0])
        part["printed_past"] = np.cumsum(printed_past(x, e, code)[:, 0, 0])
        part["printed_future"] = np.cumsum(printed_future(x, e, code)[:, 0, 0])
        rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)


def approximation(settings: Approximation, seeds, dataset, networks) -> pd.DataFrame:
    """Figure C.2: how like the true product is what a receiver makes of a code.

    Columns: element, seed; of ``signal`` (the last steps, the example's coefficients): step,
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
        part = {
            "element": "signal",
            "seed": seed,
            "step": np.arange(settings.steps)[shown],
            "signal": signal[shown],
            "weight": weight[shown],
            "product": (signal * weight)[shown],
            "estimate": estimate[shown],
        }
        rows.append(pd.DataFrame(part))
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
        rows.append(pd.DataFrame(cells, columns=columns))
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
    return *(_cosine(*pair) for pair in pairs), float(np.abs(spikes).sum())


def _cosine(one: NDArray, other: NDArray) -> float:
    sizes = np.linalg.norm(one) * np.linalg.norm(other)
    return float(one @ other / sizes) if sizes > 0 else 0.0
