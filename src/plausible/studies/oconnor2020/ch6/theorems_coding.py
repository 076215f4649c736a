"""Predictive coding by bits as measured deviations (O'Connor 2020, section 6.3.4).

One function per published entry; it takes the settings and a seed and returns its checks, against
forms that share no code with the implementation (loops, convolutions, closed forms), with the same
comparison of a broken form as control.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.data.signals import smooth_signals
from plausible.measure.slopes import log_slope
from plausible.neurons.bit_coding import (
    Encoded,
    decode,
    decode_by_convolution,
    encode,
    quantize,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch6.experiment import generator

ALPHAS = (0.0, 0.5, 0.8, 0.9, 0.95)
ALPHA = 0.9
STEPS, WIDTH, SIGNALS = 2000, 30.0, 8
BITS = ("threshold", "random", "sigma_delta")
DURATIONS = (100, 316, 1000, 3162, 10000)
"""Steps over which means of bits are taken."""
INPUTS = 400
"""Constant inputs between 0 and 1, of which errors are averaged."""


def largest(found: NDArray, expected: NDArray) -> float:
    """Largest absolute difference."""
    return float(np.abs(np.subtract(found, expected)).max())


def scaled(rng: np.random.Generator, alpha: float, count: int = SIGNALS) -> NDArray[np.float64]:
    """Smooth signals [steps, count] over the middle of the encodable range 0 to 1/(1-alpha)."""
    signals = smooth_signals(rng, count, STEPS, WIDTH).T
    return (0.1 + 0.8 * signals) / (1.0 - alpha)


def predictive_coding(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.5, 6.6: the receiver has the reconstruction of the sender; alpha above 1 diverges."""
    rng, same = generator("eq6.5", seed), "decoder_reproduces_encoder"
    found, wrong, opened = {}, [], []
    for alpha in ALPHAS:
        signals = scaled(rng, alpha)
        for how in BITS:
            parts = encode(signals, alpha, how, rng)
            name = f"{how}_{alpha:g}"
            text = f"decoded bits against the reconstruction of the encoder, {how}, alpha {alpha:g}"
            found[name] = text, largest(decode(parts.sent, alpha), parts.reconstruction)
            wrong.append(largest(decode(parts.sent, alpha + 0.01), parts.reconstruction))
            if alpha > 0:
                opened.append(_open_loop(signals, alpha, how, rng))
    signals = scaled(rng, ALPHA) * (1.0 - ALPHA)
    text = "logarithm of the largest reconstruction over the number of steps, alpha 1.05"
    return [
        *checks(same, found),
        *controls(same, {"other_alpha": min(wrong), "open_loop": min(opened)}),
        Check("diverges_above_one", text, _growth(signals, 1.05)),
        *controls("diverges_above_one", {"alpha_below_one": _growth(signals, ALPHA)}),
    ]


def _open_loop(signals: NDArray, alpha: float, how: str, rng: np.random.Generator) -> float:
    """Largest difference of decoded bits from what a sender has who predicts from the signal.

    It quantizes h(t) - alpha h(t-1) of the signal itself, which the receiver does not have.
    """
    bits = quantize(_changes(signals, alpha), how, rng)
    predicted = signals - _changes(signals, alpha)
    return largest(decode(bits, alpha), bits + predicted)


def _growth(signals: NDArray, alpha: float) -> float:
    sizes = np.abs(encode(signals, alpha).reconstruction)
    return float(np.log(sizes[-1].max()) / len(signals))


def decoder_convolution(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.7: the recursion and the convolution with alpha^t, for any spikes."""
    rng, name = generator("eq6.7", seed), "decoder_is_convolution"
    spikes = (rng.random((300, SIGNALS)) < 0.3).astype(np.float64)
    found, late = {}, []
    for alpha in ALPHAS:
        text = f"recursion against the sum over earlier spikes, alpha {alpha:g}"
        expected = _sum_over_spikes(spikes, alpha, 0)
        found[f"recursion_{alpha:g}"] = text, largest(decode(spikes, alpha), expected)
        by_kernel = decode_by_convolution(spikes, alpha)
        found[f"convolution_{alpha:g}"] = text, largest(by_kernel, expected)
        late.append(largest(decode(spikes, alpha), _sum_over_spikes(spikes, alpha, 1)))
    return checks(name, found) + controls(name, {"kernel_from_the_next_step": min(late)})


def _sum_over_spikes(spikes: NDArray, alpha: float, first: int) -> NDArray[np.float64]:
    """sum over t' <= t - first of alpha^(t - t') spike(t'), term by term."""
    sums = np.zeros(spikes.shape)
    for time in range(len(spikes)):
        for earlier in range(time - first + 1):
            sums[time] += alpha ** (time - earlier) * spikes[earlier]
    return sums


def quantizers(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Thresholding, random and sigma-delta quantization of constant inputs, without a loop."""
    rng = generator("quantizers", seed)
    inputs = (np.arange(INPUTS) + rng.random(INPUTS)) / INPUTS
    held = np.broadcast_to(inputs, (DURATIONS[-1], INPUTS))
    bits = {how: quantize(held, how, rng) for how in BITS}
    stuck = (held > 0.3).astype(np.float64)
    errors = {how: _mean_errors(sent, inputs) for how, sent in bits.items()}
    slopes = {how: log_slope(DURATIONS, errors[how]) for how in ("random", "sigma_delta")}
    at_once = {how: float(np.abs(sent - held).mean()) for how, sent in bits.items()}
    least = min(at_once["random"], at_once["sigma_delta"])
    text = "log-log slope of the mean error of the mean of the bits against the number of steps"
    biased = "mean error of the mean of the bits after 10,000 steps"
    return [
        Check("sigma_delta_rate", text, slopes["sigma_delta"]),
        *controls("sigma_delta_rate", {"random_quantizer": slopes["random"]}),
        Check("random_rate", text, slopes["random"]),
        *controls("random_rate", {"sigma_delta_quantizer": slopes["sigma_delta"]}),
        Check(
            "random_unbiased",
            "mean error over all inputs and 10,000 steps, in standard errors",
            _standard_errors(bits["random"], inputs),
        ),
        *controls("random_unbiased", {"fixed_threshold": _standard_errors(stuck, inputs)}),
        Check("thresholding_bias", biased, errors["threshold"][-1]),
        *controls("thresholding_bias", {"sigma_delta_quantizer": errors["sigma_delta"][-1]}),
        Check(
            "thresholding_least_instantaneous_error",
            "mean |bit - input| of thresholding less the smaller one of the two others",
            at_once["threshold"] - least,
        ),
        *controls(
            "thresholding_least_instantaneous_error",
            {"threshold_of_zero": float(np.abs(1.0 - held).mean()) - least},
        ),
    ]


def _mean_errors(bits: NDArray, inputs: NDArray) -> list[float]:
    """Mean over the inputs of |mean of the bits - input|, for each duration."""
    sums = np.cumsum(bits, axis=0)
    return [float(np.abs(sums[steps - 1] / steps - inputs).mean()) for steps in DURATIONS]


def _standard_errors(bits: NDArray, inputs: NDArray) -> float:
    """|mean error| in units of that of independent bits with the inputs as probabilities."""
    error = np.sqrt((inputs * (1.0 - inputs)).sum() / len(bits)) / len(inputs)
    return float(np.abs((bits.mean(axis=0) - inputs).mean()) / error)


def linear_decoder(settings: ExperimentSettings, seed: int) -> list[Check]:
    """One decoder behind the weighted sum of the bits does for one at each synapse."""
    rng, name = generator("linear_decoder", seed), "one_decoder_is_enough"
    spikes = (rng.random((500, 20)) < 0.2).astype(np.float64)
    weights = rng.standard_normal((20, 3))
    changing = weights + 0.1 * np.cumsum(rng.standard_normal((500, 20, 3)), axis=0) / 500**0.5
    each = np.stack([decode(column, ALPHA) for column in spikes.T], axis=1)
    once = decode(spikes @ weights, ALPHA)
    other = np.stack(
        [decode(column, ALPHA - 0.1 * (i % 2)) for i, column in enumerate(spikes.T)], axis=1
    )
    late = decode(np.einsum("ti,tij->tj", spikes, changing), ALPHA)
    text = "sum of weighted decoded bits against the decoded weighted sum"
    broken = {
        "decoders_of_other_alpha": largest(other @ weights, once),
        "weights_that_change": largest(np.einsum("ti,tij->tj", each, changing), late),
    }
    return [Check(name, text, largest(each @ weights, once)), *controls(name, broken)]


class _Counted(float):
    """A number that counts the multiplications it takes part in."""

    products = 0

    def __mul__(self, other: float) -> "_Counted":
        _Counted.products += 1
        return _Counted(float(self) * float(other))

    def __add__(self, other: float) -> "_Counted":
        return _Counted(float(self) + float(other))


def decoder_cost(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Multiplications of the recursion and of the convolution, counted one by one."""
    rng = generator("decoder_cost", seed)
    durations = (100, 300, 1000)
    counts: dict[str, list[int]] = {"recursion": [], "convolution": [], "short": []}
    for steps in durations:
        spikes = [_Counted(bit) for bit in rng.random(steps) < 0.3]
        counts["recursion"].append(_products_of(_recursion, spikes))
        counts["convolution"].append(_products_of(_convolution, spikes, steps))
        counts["short"].append(_products_of(_convolution, spikes, 20))
    slope = {name: log_slope(durations, found) for name, found in counts.items()}
    text = "log-log slope of the counted multiplications against the number of steps"
    return [
        Check("recursion_is_linear", text, slope["recursion"]),
        *controls("recursion_is_linear", {"convolution": slope["convolution"]}),
        Check("convolution_is_quadratic", text, slope["convolution"]),
        *controls("convolution_is_quadratic", {"short_kernel": slope["short"]}),
    ]


def _products_of(how, *arguments) -> int:
    _Counted.products = 0
    how(*arguments)
    return _Counted.products


def _recursion(spikes: list[_Counted]) -> list[_Counted]:
    value, found = _Counted(0.0), []
    for spike in spikes:
        value = spike + value * ALPHA
        found.append(value)
    return found


def _convolution(spikes: list[_Counted], reach: int) -> list[_Counted]:
    kernel = [ALPHA**t for t in range(reach)]
    found = []
    for time in range(len(spikes)):
        total = _Counted(0.0)
        for lag in range(min(time + 1, reach)):
            total = total + spikes[time - lag] * kernel[lag]
        found.append(total)
    return found


def order_t_prediction(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Prediction from several past reconstructions, and the decoder that belongs to it."""
    rng = generator("order_t", seed)
    signals = scaled(rng, ALPHA)
    first, padded = encode(signals, ALPHA), encode(signals, (ALPHA, 0.0, 0.0))
    one, same = "order_one_is_eq_6_5", "decoder_shares_the_coefficients"
    weights = np.array([0.5, 0.25, 0.1])
    parts = encode(signals, weights)
    swapped = encode(signals, (0.0, ALPHA, 0.0))
    text = "circuit of order 3 with coefficients (alpha, 0, 0) against that of order 1"
    return [
        Check(one, text, max(map(largest, padded, first))),
        *controls(one, {"coefficient_of_the_step_before": max(map(largest, swapped, first))}),
        Check(
            same,
            "decoder of order 3 against the reconstruction of the encoder",
            largest(decode(parts.sent, weights), parts.reconstruction),
        ),
        *controls(
            same,
            {
                "coefficients_permuted": largest(
                    decode(parts.sent, weights[::-1]), parts.reconstruction
                )
            },
        ),
    ]


def encodable_range(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Signals over the reachable range 0 to 1/(1-alpha), over 0 to 1, and beyond the range."""
    rng = generator("encodable_range", seed)
    signals = smooth_signals(rng, SIGNALS, STEPS, WIDTH).T

    def gain(alpha: float) -> float:
        return _relative_error(signals, alpha) / _relative_error(signals / (1.0 - alpha), alpha)

    top, excess = 1.0 / (1.0 - ALPHA), np.array([1.0, 2.0, 4.0, 8.0])

    def slope(level: float) -> float:
        errors = []
        for each in excess:
            held = np.full((600, 1), level + each)
            # After 300 steps all that remains of the start is alpha^300 = 2e-14.
            found = encode(held, ALPHA).reconstruction[300:]
            errors.append(float(np.abs(found - held[300:]).mean()))
        return log_slope(excess, errors)

    scaling, beyond = "scaled_signals_err_less", "error_grows_with_the_excess"
    text = "relative rms error of signals in [0, 1] over that of signals in [0, 1/(1-alpha)]"
    return [
        Check(scaling, text, gain(ALPHA)),
        *controls(scaling, {"no_memory": gain(0.0)}),
        Check(
            beyond,
            "log-log slope of the error against the excess over 1/(1-alpha), constant inputs",
            slope(top),
        ),
        *controls(beyond, {"within_the_range": slope(0.0)}),
    ]


def _relative_error(signals: NDArray, alpha: float) -> float:
    found = encode(signals, alpha).reconstruction
    return float(np.sqrt(((found - signals) ** 2).mean() / (signals**2).mean()))


def quantizers_in_loop(settings: ExperimentSettings, seed: int) -> list[Check]:
    """The three quantizers inside of the circuit, on smooth signals scaled to the range."""
    rng = generator("in_loop", seed)
    signals = scaled(rng, ALPHA, 40)
    runs = {how: encode(signals, ALPHA, how, rng) for how in BITS}
    errors = {how: _error(run, signals) for how, run in runs.items()}
    least, balance = "thresholding_errs_least", "sums_are_balanced"
    others = min(errors["random"], errors["sigma_delta"])
    high = _threshold_at(signals, 0.9)
    broken = {
        "random_quantizer": _imbalance(rng.random((STEPS, SIGNALS)), "random", rng),
        "values_up_to_two": _imbalance(2.0 * rng.random((STEPS, SIGNALS)), "sigma_delta", rng),
    }
    text = "mean |reconstruction - signal| of thresholding less the smaller one of the two others"
    return [
        Check(least, text, errors["threshold"] - others),
        *controls(least, {"other_threshold": _error(high, signals) - others}),
        Check(
            balance,
            "largest |sum of encoded - sum of sent| over time, sigma-delta, signals whose encoded "
            "values lie between 0 and 1",
            _imbalance(rng.random((STEPS, SIGNALS)), "sigma_delta", rng),
        ),
        *controls(balance, broken),
    ]


def _error(run: Encoded, signals: NDArray) -> float:
    return float(np.abs(run.reconstruction - signals).mean())


def _threshold_at(signals: NDArray, level: float) -> Encoded:
    """The circuit with a quantizer that thresholds elsewhere, in a loop of its own."""
    value, found = np.zeros(signals.shape[1]), []
    for signal in signals:
        encoded = signal - ALPHA * value
        sent = (encoded > level).astype(np.float64)
        value = sent + ALPHA * value
        found.append((encoded, sent, value))
    return Encoded(*(np.array(part) for part in zip(*found, strict=True)))


def _imbalance(wanted: NDArray, how: str, rng: np.random.Generator) -> float:
    """Largest difference of the running sums of what is encoded, made to be ``wanted``, and sent.

    The signal is the prediction plus the wanted value. A random quantizer does not send the same
    again.
    """
    predicted = ALPHA * decode(quantize(wanted, how, rng), ALPHA)
    signals = wanted + np.concatenate([np.zeros((1, wanted.shape[1])), predicted[:-1]])
    run = encode(signals, ALPHA, how, rng)
    return float(np.abs(np.cumsum(run.encoded - run.sent, axis=0)).max())


def rate_is_encoded_activity(settings: ExperimentSettings, seed: int) -> list[Check]:
    """What the rate of the bits of a fast signal follows: h(t) - alpha h(t-1), or h(t)."""
    rng = generator("rate", seed)
    signals = (0.2 + 0.6 * smooth_signals(rng, 20, STEPS, 8.0)).T / (1.0 - ALPHA)
    follows, mean = "rate_follows_the_encoded_activity", "mean_of_the_bits"
    bits = encode(signals, ALPHA).sent
    lost = np.abs(bits.sum(axis=0) - _changes(signals, ALPHA).sum(axis=0))
    plain = signals * (1.0 - ALPHA)
    off = encode(plain, ALPHA).sent.sum(axis=0) - _changes(signals, ALPHA).sum(axis=0)
    text = "correlation of smoothed bits with h(t) - alpha h(t-1) less that with h(t)"
    return [
        Check(follows, text, _lead(signals, bits, ALPHA)),
        *controls(follows, {"no_memory": abs(_lead(plain, encode(plain, 0.0).sent, 0.0))}),
        Check(
            mean,
            "|mean of bits - mean of h(t) - alpha h(t-1)| in units of 1 / (T (1 - alpha))",
            float(lost.max()) * (1.0 - ALPHA),
        ),
        *controls(mean, {"bits_of_another_signal": float(np.abs(off).max()) * (1.0 - ALPHA)}),
    ]


def _changes(signals: NDArray, alpha: float) -> NDArray[np.float64]:
    return signals - alpha * np.concatenate([np.zeros((1, signals.shape[1])), signals[:-1]])


def _lead(signals: NDArray, bits: NDArray, alpha: float) -> float:
    """Mean over signals; bits are smoothed over five steps, and the start is left out."""
    window, found = np.ones(5) / 5.0, []
    for signal, change, train in zip(signals.T, _changes(signals, alpha).T, bits.T, strict=True):
        rate = np.convolve(train, window, mode="same")[50:]
        found.append(np.corrcoef(rate, change[50:])[0, 1] - np.corrcoef(rate, signal[50:])[0, 1])
    return float(np.mean(found))
