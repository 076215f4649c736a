"""Encoder, quantizer and decoder as measured deviations (O'Connor 2020, chapter 5, C.2, C.3).

One function per published entry; it takes the settings and a seed and returns its checks, against
loops and closed forms that share no code with the implementation, with the same comparison of a
broken form as control.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plausible.data.signals import low_pass
from plausible.networks.sigma_delta import sparse_product
from plausible.neurons.pd_coding import (
    PDCode,
    Tuning,
    decode,
    decoding_kernel,
    encode,
    pd_code,
    predictive_decode,
    predictive_encode,
    transmit,
    tuned_scales,
)
from plausible.neurons.quantizers import quantize_stream, rectified_counts
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch5_coding.experiment import generator

PRINTED = "as_published"
STEPS, SIGNALS = 1000, 6
CODES = {
    "proportional": pd_code(2.0, 0.0),
    "both": pd_code(0.1, 1.0),
    "mostly_derivative": pd_code(0.01, 4.0),
    "derivative": pd_code(0.0, 1.0),
}


def largest(found: NDArray, expected: NDArray) -> float:
    """Largest absolute difference."""
    return float(np.abs(np.subtract(found, expected)).max())


def share_of_steps(found: NDArray, expected: NDArray) -> float:
    """Share of the entries that differ."""
    return float(np.mean(np.asarray(found) != np.asarray(expected)))


def _signals(rng: np.random.Generator, cutoff: float = 0.03) -> NDArray[np.float64]:
    return 3.0 * low_pass(rng, STEPS, cutoff, SIGNALS)


def encoder(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.1 to 5.4: what is sent is whole, and what is held back at most 1/2."""
    signals = _signals(generator("eq5.4", seed))
    whole, held = "output_is_whole", "residual_is_small"
    fractions, residuals, sent, floored = {}, {}, [], []
    for name, code in CODES.items():
        encoded, spikes, _ = transmit(signals, code)
        text = f"largest distance of what is sent from a whole number, {name}"
        fractions[name] = text, largest(spikes, np.rint(spikes))
        residual = np.cumsum(encoded, axis=0) - np.cumsum(spikes, axis=0)
        # The sums are of some thousands, so that 1/2 is met up to 1e-12.
        residuals[name] = f"largest |phi|, {name}", float(np.abs(residual).max().round(9))
        sent.append(largest(encoded, np.rint(encoded)))
        floored.append(_largest_residual_of_floor(encoded))
    return [
        *checks(whole, fractions),
        *controls(whole, {"not_quantized": min(sent)}),
        *checks(held, residuals),
        *controls(held, {"rounded_down": min(floored)}),
    ]


def _largest_residual_of_floor(encoded: NDArray) -> float:
    potential, size = np.zeros(encoded.shape[1]), 0.0
    for value in encoded:
        potential = potential + value
        potential -= np.floor(potential)
        size = max(size, float(np.abs(potential).max()))
    return size


def decoder(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.5: the decoder inverts the encoder, and is a convolution."""
    signals = _signals(generator("eq5.5", seed))
    trip, kernel = "round_trip", "recursion_is_convolution"
    back, sums, wrong, late = {}, {}, [], []
    for name, code in CODES.items():
        encoded = encode(signals, code)
        text = f"dec(enc(x)) against x, {name}"
        back[name] = text, largest(decode(encoded, code), signals)
        if code.k_d > 0:
            wrong.append(largest(decode(encoded, code._replace(k_d=1.1 * code.k_d)), signals))
        response = decoding_kernel(code, STEPS)
        by_kernel = np.stack([np.convolve(x, response)[:STEPS] for x in signals.T], axis=1)
        text = f"recursion against a convolution with k_beta k_alpha^t, {name}"
        sums[name] = text, largest(decode(signals, code), by_kernel)
        late.append(largest(decode(signals, code)[1:], by_kernel[:-1]))
    return [
        *checks(trip, back),
        *controls(trip, {"larger_k_d": min(wrong)}),
        *checks(kernel, sums),
        *controls(kernel, {"one_step_late": min(late)}),
    ]


def special_cases(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.3: k_p = 0 rounds the signal, k_d = 0 has no memory."""
    signals, name = _signals(generator("special_cases", seed)), "special_cases_equal"
    changes, small, only = pd_code(0.0, 2.0), pd_code(0.01, 2.0), pd_code(2.0, 0.0)
    rounded = np.rint(changes.k_d * signals) / changes.k_d
    encoded, spikes, read = transmit(signals, only)
    found = {
        "no_k_p": (
            "k_p = 0: reconstruction against round(k_d x) / k_d",
            largest(transmit(signals, changes).reconstruction, rounded),
        ),
        "no_k_d_encoder": ("k_d = 0: encoded against k_p x", largest(encoded, only.k_p * signals)),
        "no_k_d_decoder": (
            "k_d = 0: reconstruction against what was sent now, over k_p",
            largest(read, spikes / only.k_p),
        ),
    }
    differing = np.abs(transmit(signals, small).reconstruction - rounded) > 1e-9
    return checks(name, found) + controls(name, {"small_k_p": float(differing.mean())})


def sparse_products(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.7: decoding behind constant weights is weighting what was decoded."""
    rng, name = generator("eq5.7", seed), "equal_for_constant_weights"
    signals, weights = _signals(rng), rng.standard_normal((SIGNALS, 4))
    moving = weights + 1e-3 * np.arange(STEPS)[:, None, None]
    found, moved = {}, []
    for which, code in CODES.items():
        spikes = transmit(signals, code).spikes
        text = f"dec(s) w against dec(s w), {which}"
        found[which] = text, largest(decode(spikes, code) @ weights, decode(spikes @ weights, code))
        if code.k_d > 0:
            before = np.einsum("ti,tij->tj", decode(spikes, code), moving)
            moved.append(largest(before, decode(np.einsum("ti,tij->tj", spikes, moving), code)))
    return checks(name, found) + controls(name, {"weights_that_move": min(moved)})


def row_additions(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.8: the product as signed sums of rows, and the additions that it takes."""
    rng, name = generator("eq5.8", seed), "rows_and_additions"
    weights = rng.standard_normal((SIGNALS, 5))
    spikes = transmit(_signals(rng), CODES["both"]).spikes[:200]
    products, additions, unsigned, miscounted = [], [], [], []
    for sent in spikes:
        product, count = sparse_product(sent, weights)
        products.append(largest(product, sent @ weights))
        additions.append(abs(count - np.abs(sent).sum() * 5))
        unsigned.append(largest(product, np.abs(sent) @ weights))
        miscounted.append(abs(count - (sent != 0).sum() * 5))
    found = {
        "product": ("signed sums of rows against the product, 200 steps", max(products)),
        "additions": ("counted additions against sum |s| d_out", float(max(additions))),
    }
    broken = {"signs_dropped": max(unsigned), "spikes_counted_once": float(max(miscounted))}
    return checks(name, found) + controls(name, broken)


class _Counted(float):
    """A number that counts the products and sums it takes part in."""

    products = 0
    sums = 0

    def __mul__(self, other: float) -> "_Counted":
        _Counted.products += 1
        return _Counted(float(self) * float(other))

    def __add__(self, other: float) -> "_Counted":
        _Counted.sums += 1
        return _Counted(float(self) + float(other))

    def __sub__(self, other: float) -> "_Counted":
        _Counted.sums += 1
        return _Counted(float(self) - float(other))


def cost(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.9: operations of a dense and of a coded product, counted one by one.

    Eq. 5.4 as printed takes one addition more for each input than the text counts; eq. C.4, the
    same number, takes as many as it counts.
    """
    rng, name, code = generator("eq5.9", seed), "operation_count", CODES["both"]
    steps, inputs, outputs = 20, 9, 5
    weights = rng.standard_normal((inputs, outputs))
    signals = rng.uniform(-6.0, 6.0, (steps, inputs))
    total = code.k_p + code.k_d
    encoders = {
        "corrected": lambda x, last: (x - last * code.k_alpha) * total,
        "as_published": lambda x, last: x * code.k_p + (x - last) * code.k_d,
    }
    counts = {form: _coded_product(signals, weights, code, how) for form, how in encoders.items()}
    dense = _dense_product(signals, weights)
    spikes = transmit(signals, code).spikes
    rest = steps * (3 * inputs + outputs)
    stated = np.abs(spikes).sum() * outputs + rest
    once = (spikes != 0).sum() * outputs + rest
    deviations = {
        "dense_products": ("d_in d_out products", dense[0] - steps * inputs * outputs),
        "dense_sums": ("(d_in - 1) d_out sums", dense[1] - steps * (inputs - 1) * outputs),
        "products": (
            "2 d_in + 2 d_out products",
            counts["corrected"][0] - steps * 2 * (inputs + outputs),
        ),
    }
    text = "sum |s| d_out + 3 d_in + d_out sums, encoder of eq."
    corrected = deviations | {"sums": (f"{text} C.4", counts["corrected"][1] - stated)}
    printed = {"sums": (f"{text} 5.4", counts["as_published"][1] - stated)}
    return [
        *checks(name, {k: (text, float(abs(off))) for k, (text, off) in corrected.items()}),
        *checks(name, {k: (text, float(abs(off))) for k, (text, off) in printed.items()}, PRINTED),
        *controls(name, {"spikes_counted_once": float(abs(counts["corrected"][1] - once))}),
    ]


def _numbers(values: NDArray) -> list[_Counted]:
    return [_Counted(value) for value in values]


def _coded_product(
    signals: NDArray,
    weights: NDArray,
    code: PDCode,
    encoder: Callable[[_Counted, _Counted], _Counted],
) -> tuple[int, int]:
    """Products and sums of the coded products of all steps."""
    _Counted.products = _Counted.sums = 0
    rows = [_numbers(row) for row in weights]
    last, phi = (_numbers(np.zeros(len(rows))) for _ in range(2))
    decoded = _numbers(np.zeros(len(rows[0])))
    for signal in signals:
        now = _numbers(signal)
        phi = [p + encoder(x, y) for p, x, y in zip(phi, now, last, strict=True)]
        sent = [round(float(p)) for p in phi]
        phi = [p - s for p, s in zip(phi, sent, strict=True)]
        # Decayed sums first, to which each row of a spike is added.
        received = [y * code.k_alpha for y in decoded]
        total = _numbers(np.zeros(len(decoded)))
        for spike, row in zip(sent, rows, strict=True):
            for _ in range(abs(spike)):
                signed = row if spike > 0 else _numbers([-float(w) for w in row])
                total = [t + w for t, w in zip(total, signed, strict=True)]
        decoded = [r + t * code.k_beta for r, t in zip(received, total, strict=True)]
        last = now
    return _Counted.products, _Counted.sums


def _dense_product(signals: NDArray, weights: NDArray) -> tuple[int, int]:
    """Products and sums of the dense products of all steps."""
    _Counted.products = _Counted.sums = 0
    for signal in signals:
        for column in weights.T:
            first, *others = (_Counted(w) * x for w, x in zip(column, signal, strict=True))
            for term in others:
                first = first + term
    return _Counted.products, _Counted.sums


def predictive_coding(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. C.1 to C.4: the encoder is linear prediction of first order."""
    signals, name = _signals(generator("C.2", seed)), "predictive_coding_identity"
    found, wrong = {}, []
    for which, code in CODES.items():
        scale = code.k_p + code.k_d
        expected = scale * _predicted(signals, code.k_d / scale)
        text = f"k_p x + k_d (x - x_last) against (k_p + k_d)(x - k_alpha x_last), {which}"
        found[which] = text, largest(encode(signals, code), expected)
        if scale != 1.0 and code.k_d > 0:
            wrong.append(largest(encode(signals, code), scale * _predicted(signals, code.k_d)))
    return checks(name, found) + controls(name, {"k_d_for_the_quotient": min(wrong)})


def _predicted(signals: NDArray, coefficient: float) -> NDArray[np.float64]:
    return np.array(
        [
            value - coefficient * (signals[time - 1] if time else 0.0)
            for time, value in enumerate(signals)
        ]
    )


def unwrapping(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. C.5: the quantizer is difference after rounding after sum."""
    values, name = _signals(generator("C.3", seed), cutoff=0.5), "unwrapped_sequences_equal"
    sums = np.cumsum(values, axis=0)
    spikes = quantize_stream(values).spikes
    rounded, lowered = (
        np.diff(how(sums), axis=0, prepend=np.zeros((1, SIGNALS))) for how in (np.rint, np.floor)
    )
    text = "share of the steps in which herding and difference of rounded sums differ"
    broken = {"rounded_down_on_one_side": share_of_steps(spikes, lowered)}
    return [Check(name, text, share_of_steps(spikes, rounded)), *controls(name, broken)]


def autotune(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. C.8: the scale follows the signal, and stands for the coefficients.

    As published the size of a layer is the sum over its units.
    """
    rng = generator("C.8", seed)
    units = 20
    signals = low_pass(rng, 30000, 0.1, units)
    follows, moves, factor = "k_beta_follows_scale", "scale_moves_into_coefficients", 8.0
    step, half = "step_is_relative_to_a_unit", len(signals) // 2
    tuned, fixed = Tuning(0.91, 0.91), Tuning(0.91, 0.91, 0.0)

    def scale(signal: NDArray, tuning: Tuning = tuned) -> float:
        """Mean over the second half, where the start is forgotten."""
        return float(tuned_scales(signal, tuning)[half:].mean())

    def off(tuning: Tuning) -> float:
        one, other = (scale(x, tuning) for x in (signals, factor * signals))
        return abs(other / (factor * one) - 1.0)

    def apart(tuning: Tuning, summed: int = 1) -> float:
        size = float(np.abs(factor * signals[half:]).mean())
        return abs(scale(summed * factor * signals, tuning) / (0.91 * size) - 1.0)

    code = CODES["both"]
    large = transmit(factor * signals[:STEPS], code).spikes
    scaled = PDCode(factor * code.k_p, factor * code.k_d)
    text = "spikes of 8 x against those of x with 8 k_p and 8 k_d: share of the steps that differ"
    proportional = "relative difference of k_beta of 8 x from 8 times that of x"
    mean = "relative difference of k_beta from k_beta_rel times the mean |x|, 20 units"
    return [
        Check(follows, proportional, off(tuned)),
        *controls(follows, {"not_tuned": off(fixed)}),
        Check(step, mean, apart(tuned)),
        Check(step, mean, apart(tuned, units), protocol=PRINTED),
        *controls(step, {"not_tuned": apart(fixed)}),
        Check(moves, text, share_of_steps(transmit(signals[:STEPS], scaled).spikes, large)),
        *controls(
            moves,
            {
                "k_p_alone": share_of_steps(
                    transmit(signals[:STEPS], PDCode(factor * code.k_p, code.k_d)).spikes, large
                )
            },
        ),
    ]


def shared_predictor(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section C.2: a decoder needs the predictor of its encoder."""
    rng, name, found = generator("shared", seed), "round_trip_with_the_same_predictor", {}
    signals = _signals(rng)
    for order in range(1, 6):
        # Coefficients whose sizes add to less than 1 keep the decoder stable.
        weights = rng.uniform(-1.0, 1.0, order)
        weights *= 0.9 / np.abs(weights).sum()
        back = predictive_decode(predictive_encode(signals, weights), weights)
        found[f"order_{order}"] = (
            f"decoded against the signal, order {order}",
            largest(back, signals),
        )
    wrong = predictive_decode(predictive_encode(signals, 0.8), 0.9)
    broken = {"other_coefficient": float(np.abs(wrong - signals).mean())}
    return checks(name, found) + controls(name, broken)


def leaky_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Sections 5.2, 5.6: the decoder leaks, the quantizer integrates and fires."""
    rng = generator("leaky", seed)
    leaks, fires = "decoder_leaks", "quantizer_integrates_and_fires"
    found, kept = {}, []
    for name, code in CODES.items():
        silent = np.zeros((40, 1))
        silent[0] = 1.0
        state = decode(silent, code)[:, 0]
        ratio = code.k_d / (code.k_p + code.k_d)
        expected = state[0] * ratio ** np.arange(40)
        found[name] = f"state without input against its leak, {name}", largest(state, expected)
        if code.k_p > 0:
            kept.append(largest(state, state[0]))
    values = _signals(rng, cutoff=0.3)[:, 0]
    spikes = quantize_stream(values[:, None]).spikes[:, 0]
    broken = {"membrane_set_to_zero": share_of_steps(spikes, _fired(values, to_zero=True))}
    return [
        *checks(leaks, found),
        *controls(leaks, {"no_leak": min(kept)}),
        Check(
            fires,
            "share of the steps that differ from a neuron that integrates, fires at 1/2 and -1/2, "
            "and subtracts",
            share_of_steps(spikes, _fired(values)),
        ),
        *controls(fires, broken),
    ]


def _fired(values: NDArray, to_zero: bool = False) -> NDArray[np.float64]:
    """Spikes of a neuron in a loop, one after another."""
    membrane, found = 0.0, []
    for value in values:
        membrane += value
        count = 0
        while abs(membrane) > 0.5:
            sign = 1 if membrane > 0 else -1
            count += sign
            membrane = 0.0 if to_zero else membrane - sign
        found.append(count)
    return np.array(found)


def step_or_event_based(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.5: a quantizer may fire once in a step, or after each event that arrives."""
    rng = generator("events", seed)
    net, gross = "net_counts_equal", "gross_counts_are_no_fewer"
    events = rng.normal(0.05, 0.7, (4000, 8))
    by_step = quantize_stream(events.sum(axis=1)[:, None]).spikes[:, 0]
    single = quantize_stream(events.reshape(-1, 1)).spikes.reshape(events.shape)
    by_event, all_events = single.sum(axis=1), np.abs(single).sum(axis=1)
    counts = np.diff(rectified_counts(events.reshape(-1, 1))[7::8, 0], prepend=0)
    whole = np.diff(rectified_counts(events.sum(axis=1)[:, None])[:, 0], prepend=0)
    return [
        Check(
            net,
            "share of the steps in which the sums of spikes differ",
            share_of_steps(by_step, by_event),
        ),
        *controls(net, {"rectified_quantizer": share_of_steps(whole, counts)}),
        Check(
            gross,
            "smallest number of events of a step less the number of spikes by steps",
            float((all_events - np.abs(by_step)).min()),
        ),
        *controls(gross, {"spikes_cancelled": float((np.abs(by_event) - all_events).min())}),
    ]
