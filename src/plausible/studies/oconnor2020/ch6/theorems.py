"""STDP from dynamics-based learning as measured deviations (O'Connor 2020, sections 6.3, 6.4).

One function per published entry; it takes the settings and a seed and returns its checks, against
forms that share no code with the implementation: sums over pairs of spikes, numerical convolutions,
closed forms. Spike trains end in silence that is long enough for every trace to vanish, unless it
is said otherwise.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from plausible.data.signals import smooth_signals
from plausible.measure.slopes import log_slope
from plausible.neurons.bit_coding import decode, encode
from plausible.neurons.pair_kernels import (
    central_difference,
    convolved,
    decoding_kernel,
    difference_kernel,
    dynamics_updates,
    lags,
    online_stdp,
    pair_sum,
    stdp_kernel,
    symmetric_kernel,
)
from plausible.neurons.plasticity import DoubleExponential, stdp, stdp_all_pairs
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch6.experiment import generator

ALPHAS = (0.5, 0.8, 0.9, 0.95)
ALPHA = 0.9
ACTIVE = 400
"""Steps with spikes; the silence after them is `quiet` long."""
TRAINS = ("threshold", "random", "sigma_delta", "any")


def quiet(alpha: float) -> int:
    """Steps after which a trace has fallen below 1e-17."""
    return 1 + round(np.log(1e-17) / np.log(alpha))


def relative(found: float, expected: float) -> float:
    """|found - expected| / |expected|."""
    return abs(found - expected) / abs(expected)


def _silent(trains: NDArray, alpha: float) -> NDArray[np.float64]:
    """Trains [count, steps] with silence before and after."""
    return np.pad(trains, ((0, 0), (1, quiet(alpha))))


def _trains(rng: np.random.Generator, alpha: float) -> NDArray[np.float64]:
    """Two trains of random bits, of other rates in the two halves, [2, steps]."""
    rates = np.repeat([[0.1, 0.3], [0.05, 0.4]], ACTIVE // 2, axis=1)
    return _silent((rng.random((2, ACTIVE)) < rates).astype(np.float64), alpha)


def _following(rng: np.random.Generator, alpha: float) -> NDArray[np.float64]:
    """Two trains of which the second repeats half of the first three steps later, [2, steps]."""
    pre, other = rng.random((2, ACTIVE)) < 0.15
    post = np.roll(pre, 3) & (rng.random(ACTIVE) < 0.5) | other & (rng.random(ACTIVE) < 0.3)
    return _silent(np.stack([pre, post]).astype(np.float64), alpha)


def _coded(rng: np.random.Generator, alpha: float, how: str) -> NDArray[np.float64]:
    """Trains of two smooth signals by a quantizer of chapter 6, or any bits at all."""
    if how == "any":
        return _trains(rng, alpha)
    signals = smooth_signals(rng, 2, ACTIVE, 20.0).T / (1.0 - alpha)
    return _silent(encode(signals, alpha, how, rng).sent.T, alpha)


# ------------------------------------------------------------- dynamics, and sums over pairs


def dynamics_learning(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.1, 6.2: the sum approaches the integral with the square of the time step."""
    rng, name = generator("eq6.2", seed), "sum_approximates_integral"
    places, widths = rng.uniform(-2.0, 2.0, (2, 4)), rng.uniform(0.5, 1.5, (2, 4))
    steps = 0.2 / 2.0 ** np.arange(5)

    def bumps(which: int, time: NDArray) -> NDArray:
        apart = (time[:, None] - places[which]) / widths[which]
        return np.exp(-0.5 * apart**2).sum(axis=1)

    def errors(rate: Callable[[NDArray], NDArray]) -> list[float]:
        found = []
        for step in steps:
            time = np.arange(-14.0, 14.0, step)
            total = float(bumps(0, time) @ rate(bumps(1, time)))
            found.append(abs(total - _integral(places, widths)))
        return found

    text = "log-log slope of |sum - integral| against the time step, two sums of bell curves"
    forward = log_slope(steps, errors(lambda z: np.diff(z, append=0.0)))
    return [
        Check(name, text, log_slope(steps, errors(central_difference))),
        *controls(name, {"forward_difference": forward}),
    ]


def _integral(places: NDArray, widths: NDArray) -> float:
    """Integral of h dz/dt of two sums of bell curves, in closed form.

    That of exp(-(t-a)^2/2r^2) exp(-(t-b)^2/2s^2) is sqrt(2 pi / v) r s exp(-(a-b)^2/2v) with
    v = r^2 + s^2; dz/dt is minus the derivative by b.
    """
    (a, b), (r, s) = places, widths
    a, r = a[:, None], r[:, None]
    variance = r**2 + s**2
    product = np.sqrt(2.0 * np.pi / variance) * r * s * np.exp(-((a - b) ** 2) / (2.0 * variance))
    return float((product * (b - a) / variance).sum())


def stdp_convolution(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.3, 6.4: pairs of spikes against one convolution, for the window of eq. 1.11."""
    rng, name, found, swapped = generator("eq6.4", seed), "pairs_are_convolution", {}, []
    for number in range(5):
        pre, post = _following(rng, ALPHA)
        window = DoubleExponential(*rng.uniform(0.5, 2.0, 2), *rng.uniform(3.0, 30.0, 2))
        kernel = stdp(lags(len(pre)), window)
        pairs = stdp_all_pairs(np.flatnonzero(pre), np.flatnonzero(post), window)
        by_convolution = float(post @ convolved(pre, kernel))
        text = f"sum over pairs of spikes against s_j . (kernel * s_i), window {number + 1}"
        found[f"window_{number + 1}"] = text, relative(by_convolution, pairs)
        swapped.append(relative(float(pre @ convolved(post, kernel)), pairs))
    return checks(name, found) + controls(name, {"pre_and_post_swapped": min(swapped)})


def convolution_properties(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6.4.1: five properties of convolutions, on random signals and kernels."""
    rng, name = generator("properties", seed), "convolution_identities"
    a, b, c = rng.standard_normal((3, 60))
    k, m = rng.standard_normal((2, 41))
    after, zero, before = _split(k)
    conv = np.convolve
    online = float(a @ convolved(b, after + zero) + b @ convolved(a, before[::-1]))
    twice = online + float(b @ convolved(a, zero[::-1]))
    whole = float(a @ convolved(b, k))
    flipped, unflipped = (float(convolved(a, each) @ b) for each in (k[::-1], k))
    found = {
        "commutative": ("a * b against b * a", _apart(conv(a, b), conv(b, a))),
        "associative": (
            "(a * k) * m against a * (k * m)",
            _apart(conv(conv(a, k), m), conv(a, conv(k, m))),
        ),
        "linear": (
            "(2 a - 3 c) * k against 2 (a * k) - 3 (c * k)",
            _apart(conv(2 * a - 3 * c, k), 2 * conv(a, k) - 3 * conv(c, k)),
        ),
        "flip": ("a . (k * b) against (flipped k * a) . b", abs(whole - flipped)),
        "online": ("a . (k * b) from sums over earlier steps alone", abs(whole - online)),
    }
    broken = {"flip_left_out": abs(whole - unflipped), "present_counted_twice": abs(whole - twice)}
    return checks(name, found) + controls(name, broken)


def _apart(found: NDArray, expected: NDArray) -> float:
    return float(np.abs(found - expected).max())


def _split(kernel: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Parts of a kernel at positive lags, at 0 and at negative ones."""
    t = lags(len(kernel) // 2)
    return tuple(np.where(where, kernel, 0.0) for where in (t > 0, t == 0, t < 0))


def online_form(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.8: two decaying traces against the sum over pairs of spikes."""
    rng, name, found, counted = generator("eq6.8", seed), "online_form", {}, []
    for alpha in ALPHAS:
        pre, post = _following(rng, alpha)
        pairs = pair_sum(pre, post, stdp_kernel(alpha, len(pre)))
        text = f"online sum against the sum over pairs, alpha {alpha:g}: relative"
        online = online_stdp(pre, post, alpha)
        found[f"alpha_{alpha:g}"] = text, relative(online.sum(), pairs)
        # The trace of presynaptic spikes with those of the step itself.
        counted.append(relative(online.sum() + float(pre @ post) / (2.0 * alpha), pairs))
    return checks(name, found) + controls(name, {"simultaneous_spikes_in_a_trace": min(counted)})


# ------------------------------------------------------------------------------- kernels


def _by_convolution(alpha: float, reach: int, other: NDArray | None = None) -> NDArray:
    """Correlation of the decoding kernel with that of the post side, -reach to reach.

    ``other`` is what the reconstruction of the post side passes through on its way.
    """
    far = reach + quiet(alpha)
    pre = decoding_kernel(alpha, far)
    post = pre if other is None else np.convolve(pre, other)[len(other) // 2 :][: len(pre)]
    # sum over t of pre(t) post(t - d), which is (flipped post * pre)(d).
    whole = np.convolve(pre, post[::-1])
    middle = len(whole) // 2
    return whole[middle - reach : middle + reach + 1]


def symmetric_form(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.9, 6.10: the product of reconstructions is a symmetric window of pairs of spikes."""
    rng, kernel, forms = generator("eq6.10", seed), "kernel_is_convolution", "both_forms_equal"
    shapes, sums, bare, late = {}, {}, {}, []
    for alpha in ALPHAS:
        text = f"alpha^|t| / (1 - alpha^2) against the numerical convolution, alpha {alpha:g}"
        shape, found = symmetric_kernel(alpha, 60), _by_convolution(alpha, 60)
        shapes[f"alpha_{alpha:g}"] = text, _apart(shape, found)
        pre, post = _trains(rng, alpha)
        product = float(decode(pre, alpha) @ decode(post, alpha))
        pairs = pair_sum(pre, post, symmetric_kernel(alpha, len(pre)))
        text = f"sum of products of reconstructions against pairs of spikes, alpha {alpha:g}"
        sums[f"alpha_{alpha:g}"] = text, relative(pairs, product)
        itself = float(decode(pre, alpha) @ decode(pre, alpha))
        shifted = pair_sum(pre, pre, _late(symmetric_kernel(alpha, len(pre))))
        late.append(relative(shifted, itself))
        bare[alpha] = (
            _apart(shape * (1 - alpha**2), found),
            relative(pairs * (1 - alpha**2), product),
        )
    broken = "factor_left_out"
    return [
        *checks(kernel, shapes),
        *controls(kernel, {broken: bare[ALPHA][0]}),
        *checks(forms, sums),
        *controls(forms, {broken: bare[ALPHA][1], "wrong_lag": min(late)}),
    ]


def stdp_form(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 6.11, 6.12: dynamics-based learning with reconstructions is STDP."""
    rng = generator("eq6.12", seed)
    kernel, forms, rule = "kernel_is_convolution", "both_forms_equal", "is_the_rule_of_eq_6_3"
    shapes, sums, rules = {}, {}, {}
    halves, forward, loud, late, other = [], [], [], [], []
    for alpha in ALPHAS:
        name, at = f"alpha_{alpha:g}", f"alpha {alpha:g}"
        shape, found = stdp_kernel(alpha, 60), _by_convolution(alpha, 60, difference_kernel(1))
        text = f"sign(t) alpha^|t| / (2 alpha) against the numerical convolution, {at}"
        shapes[name] = text, _apart(shape, found)
        halves.append(_apart(shape * alpha, found))
        ahead = np.array([1.0, -1.0, 0.0])
        forward.append(_apart(shape, _by_convolution(alpha, 60, ahead)))
        pre, post = _trains(rng, alpha)
        dynamics = dynamics_updates(decode(pre, alpha), decode(post, alpha)).sum()
        text = f"dynamics-based sum with reconstructions against pairs of spikes, {at}: relative"
        of_pairs = stdp_kernel(alpha, len(pre))
        sums[name] = text, relative(pair_sum(pre, post, of_pairs), dynamics)
        late.append(abs(pair_sum(pre, post, _late(of_pairs)) - dynamics))
        loud.append(_unquiet(pre, post, alpha))
        window = DoubleExponential(*(0.5 / alpha,) * 2, *(1.0 / np.log(1.0 / alpha),) * 2)
        apart = np.where(lags(60) == 0, 0.0, stdp(lags(60), window))
        text = f"kernel against eq. 6.3 with a = 1/(2 alpha), tau = 1/log(1/alpha), {at}"
        rules[name] = text, _apart(shape, apart)
        other.append(_apart(shape, alpha * apart))
    return [
        *checks(kernel, shapes),
        *controls(kernel, {"half_for_its_height": min(halves), "forward_difference": min(forward)}),
        *checks(forms, sums),
        *controls(forms, {"no_silence_at_the_end": min(loud), "wrong_lag": min(late)}),
        *checks(rule, rules),
        *controls(rule, {"height_of_a_half": min(other)}),
    ]


def _late(kernel: NDArray) -> NDArray[np.float64]:
    """The kernel one step later."""
    return np.append(0.0, kernel[:-1])


def _unquiet(pre: NDArray, post: NDArray, alpha: float) -> float:
    """Difference of the two forms where both trains end with spikes, and the sum before the last.

    The rate of change of the last step needs the step after it.
    """
    pre, post = (np.append(train[: ACTIVE // 2], [1.0, 1.0]) for train in (pre, post))
    dynamics = dynamics_updates(decode(pre, alpha), decode(post, alpha))[:-1].sum()
    return abs(pair_sum(pre, post, stdp_kernel(alpha, len(pre))) - dynamics)


def any_quantizer(settings: ExperimentSettings, seed: int) -> list[Check]:
    """The equality is one of spike trains, wherever they come from."""
    rng, name, found, lost = (
        generator("any_quantizer", seed),
        "independent_of_the_quantizer",
        {},
        [],
    )
    for how in TRAINS:
        pre, post = _coded(rng, ALPHA, how)
        dynamics = dynamics_updates(decode(pre, ALPHA), decode(post, ALPHA)).sum()
        kernel = stdp_kernel(ALPHA, len(pre))
        text = f"pairs of spikes against the dynamics-based sum, {how} bits"
        found[how] = text, abs(pair_sum(pre, post, kernel) - dynamics)
        fewer = post.copy()
        fewer[np.flatnonzero(post)[0]] = 0.0
        lost.append(abs(pair_sum(pre, fewer, kernel) - dynamics))
    return checks(name, found) + controls(name, {"one_spike_left_out": min(lost)})


# ------------------------------------------------------------- what is approximate about it


def approximation_source(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6.5: without quantization both updates are equal; finer codes come nearer."""
    rng = generator("approximation", seed)
    equal, falls = "equal_without_quantization", "difference_falls_with_amplitude"
    signals = _silent(smooth_signals(rng, 2, ACTIVE, 20.0), ALPHA)
    encoded = signals - ALPHA * np.pad(signals, ((0, 0), (1, 0)))[:, :-1]
    dynamics = dynamics_updates(*signals).sum()
    kernel, other = (stdp_kernel(alpha, signals.shape[1]) for alpha in (ALPHA, ALPHA + 0.05))
    amplitudes = np.array([10.0, 20.0, 40.0, 80.0])

    def slope(window: NDArray) -> float:
        differences = []
        for amplitude in amplitudes:
            found = []
            for draw in range(20):
                pair = _silent(
                    smooth_signals(generator("amplitude", seed, draw), 2, ACTIVE, 20.0), ALPHA
                )
                sent = encode(amplitude * pair.T, ALPHA, "whole").sent.T
                exact = dynamics_updates(*pair).sum()
                found.append(sent[1] @ convolved(sent[0], window) / amplitude**2 - exact)
            differences.append(float(np.sqrt(np.mean(np.square(found)))))
        return log_slope(amplitudes, differences)

    text = "STDP of encoded signals that are not quantized against dynamics-based learning"
    return [
        Check(equal, f"{text}: relative", relative(pair_sum(*encoded, kernel), dynamics)),
        *controls(equal, {"other_kernel": relative(pair_sum(*encoded, other), dynamics)}),
        Check(
            falls,
            "log-log slope of the rms difference of both updates against the amplitude, in units "
            "of the squared amplitude, sigma-delta to whole numbers, 20 pairs of signals",
            slope(kernel),
        ),
        *controls(falls, {"other_kernel": slope(other)}),
    ]


def monotone_same_direction(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6.3.3: h_i dz_j/dt and h_i dh_j/dt, instant by instant and summed up."""
    rng = generator("monotone", seed)
    at_once, summed = "same_sign_at_each_instant", "same_sign_of_the_sums"
    inputs = 8.0 * smooth_signals(rng, 8000, 200, 15.0) - 4.0
    z_i, z_j = inputs[::2], inputs[1::2]

    def opposite(h: Callable[[NDArray], NDArray]) -> tuple[float, float]:
        rate_z, rate_h = (np.diff(values, axis=1) for values in (z_j, h(z_j)))
        pre = _sigmoid(z_i[:, :-1])
        instants = (np.sign(rate_z) * np.sign(rate_h) < 0) & (pre > 0)
        sums = [(pre * rate).sum(axis=1) for rate in (rate_z, rate_h)]
        return float(instants.mean()), float((sums[0] * sums[1] > 0).mean())

    monotone, wavy = opposite(_sigmoid), opposite(np.sin)
    opposed = "share of instants with opposite signs, sigmoid"
    text = "share of 4,000 pairs of smooth signals whose summed updates have the same sign"
    return [
        Check(at_once, opposed, monotone[0], protocol="as_published"),
        *controls(at_once, {"sine": wavy[0]}),
        Check(summed, text, monotone[1], protocol="as_published"),
        *controls(summed, {"sine": wavy[1]}),
    ]


def _sigmoid(values: NDArray) -> NDArray[np.float64]:
    return 1.0 / (1.0 + np.exp(-values))


def stdp_correlates_rates(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 6.3.3: STDP of Poisson spikes against h_i dh_j/dt of their rates, over pairs."""
    rng, name = generator("poisson", seed), "update_correlates_with_rates"
    pairs, repeats, steps, window = 60, 40, 600, 15.0
    signals = smooth_signals(rng, 2 * pairs, steps, 25.0).reshape(pairs, 2, steps)
    t = lags(60)
    asymmetric = np.sign(t) * np.exp(-np.abs(t) / window)
    exact, found, even = [], [], []
    for pre, post in signals:
        exact.append(float(pre[1:-1] @ (post[2:] - post[:-2])) / 2.0)
        trains = rng.random((repeats, 2, steps)) < 0.2 * np.stack([pre, post])
        left = [convolved(train, asymmetric) for train in trains[:, 0]]
        around = [convolved(train, np.abs(asymmetric)) for train in trains[:, 0]]
        found.append(np.mean([s @ p for s, p in zip(left, trains[:, 1], strict=True)]))
        even.append(np.mean([s @ p for s, p in zip(around, trains[:, 1], strict=True)]))
    text = (
        "correlation over 60 pairs of rates of the STDP update, mean of 40 draws, with h_i dh_j/dt"
    )
    return [
        Check(name, text, float(np.corrcoef(exact, found)[0, 1])),
        *controls(name, {"symmetric_window": float(np.corrcoef(exact, even)[0, 1])}),
    ]
