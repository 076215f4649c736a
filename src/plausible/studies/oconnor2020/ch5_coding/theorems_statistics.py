"""What PD coding does to random signals, as measured numbers (O'Connor 2020, chapter 5, C.2, C.5).

One function per published entry; of several signals of a seed the mean counts, or, where it says
so, the least favourable one.
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from plausible.data.signals import low_pass
from plausible.measure.slopes import log_slope
from plausible.neurons.pd_coding import PDCode, decode, encode, pd_code, pd_code_of, transmit
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, controls
from plausible.studies.oconnor2020.ch5_coding.experiment import generator

WALKS = 20
"""Signals of a seed."""
SHORT, LONG = 10_000, 100_000


def _errors(x: NDArray, w: NDArray, code: PDCode) -> NDArray[np.float64]:
    """dec(enc(x) w) - x w of signals [steps, count], without quantization."""
    return decode(encode(x, code) * w, code) - x * w


def _rms(values: NDArray) -> float:
    return float(np.sqrt(np.mean(values**2)))


def _largest_ratio(values: Sequence[float]) -> float:
    """Largest of a value over the one before it: below 1 if the values fall."""
    return max(after / before for before, after in zip(values, values[1:], strict=False))


def pd_error_bounded(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Chapter 5, summary: the error under weights that change is bounded."""
    rng = generator("bounded", seed)
    code, none = pd_code(0.1, 1.0), pd_code(0.0, 1.0)
    x = low_pass(rng, LONG + 2000, 0.03, WALKS)
    w = 1.0 + low_pass(rng, LONG + 2000, 0.01, WALKS)

    def growth(which: PDCode) -> float:
        off = _errors(x, w, which)
        return _rms(off[LONG - 2000 : LONG + 2000]) / _rms(off[SHORT - 2000 : SHORT + 2000])

    part = x[: 2 * SHORT]
    rates = [_rms(_errors(part, 1.0 + low_pass(rng, len(part), c, WALKS), code)) for c in _RATES]
    again = [_rms(_errors(part, 1.0 + low_pass(rng, len(part), 0.01, WALKS), code)) for _ in _RATES]
    early = w[: len(part)]
    by_k_d = [_rms(_errors(part, early, pd_code(0.1, k_d))) for k_d in (4.0, 2.0, 1.0, 0.5, 0.1)]
    same = [_rms(_errors(part, early, pd_code(0.1, 1.0))) for _ in range(5)]
    without = float(np.abs(_errors(part, early, pd_code(0.1, 0.0))).max())
    accumulates, slower = "error_does_not_accumulate", "error_falls_with_slower_weights"
    falls, memory = "error_falls_with_k_d", "no_error_without_k_d"
    text = "largest ratio of neighbouring rms errors"
    return [
        Check(
            accumulates,
            "rms error around step 100,000 over that around step 10,000, 20 signals",
            growth(code),
        ),
        *controls(accumulates, {"no_k_p": growth(none)}),
        Check(
            slower, f"{text}, weights that change at a rate of 1, 1/4, 1/16", _largest_ratio(rates)
        ),
        *controls(slower, {"the_same_rate": _largest_ratio(again)}),
        Check(falls, f"{text}, k_d of 4, 2, 1, 0.5, 0.1", _largest_ratio(by_k_d)),
        *controls(falls, {"the_same_k_d": _largest_ratio(same)}),
        Check(memory, "largest error with k_d = 0", without),
        *controls(
            memory, {"some_k_d": float(np.abs(_errors(part, early, pd_code(0.1, 0.1))).max())}
        ),
    ]


_RATES = (0.01, 0.0025, 0.000625)


def stability_condition(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Chapter 5, C.1: what a disturbance of the decoder becomes."""
    rng, name = generator("stability", seed), "disturbance_decays"
    spikes = rng.integers(-1, 2, (60, 1)).astype(np.float64)
    found, kept = [], []
    for code in (pd_code(0.1, 1.0), pd_code(0.01, 2.0), pd_code(1.0, 1.0)):
        expected = code.k_alpha ** np.arange(60)
        found.append(float(np.abs(_disturbed(spikes, code) - expected).max()))
        none = pd_code(0.0, code.k_d)
        kept.append(float(np.abs(_disturbed(spikes, none) - expected).max()))
    text = "difference of two decoders of which one started from 1, against k_alpha^t"
    return [Check(name, text, max(found)), *controls(name, {"no_k_p": min(kept)})]


def _disturbed(spikes: NDArray, code: PDCode) -> NDArray[np.float64]:
    """What a disturbance of 1 at the first step leaves."""
    more = spikes.copy()
    more[0] += 1.0 / code.k_beta
    return (decode(more, code) - decode(spikes, code))[:, 0]


def sparse_spikes(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.3.3: redundant signals and a small k_p give zeros with a few 1 and -1."""
    rng = generator("sparse", seed)
    zeros, ones, faster = "mostly_zeros", "ones_alone", "fewer_zeros_of_fast_signals"
    slow, fast = (low_pass(rng, 5000, cutoff, 10) for cutoff in (0.005, 0.1))
    code = pd_code(0.01, 1.0)

    def quiet(signal: NDArray, which: PDCode = code) -> float:
        return float((transmit(signal, which).spikes == 0).mean())

    def tallest(signal: NDArray, which: PDCode = code) -> float:
        return float(np.abs(transmit(signal, which).spikes[1:]).max())

    text = "share of zeros, cutoff 0.005, k_p = 0.01, k_d = 1"
    large = pd_code(2.0, 1.0)
    return [
        Check(zeros, text, quiet(slow)),
        *controls(zeros, {"large_k_p": quiet(slow, large)}),
        Check(ones, "largest |spike| after the first step", tallest(slow)),
        *controls(ones, {"large_k_p": tallest(slow, large)}),
        Check(faster, "share of zeros at cutoff 0.005 less that at 0.1", quiet(slow) - quiet(fast)),
        *controls(
            faster, {"no_k_d": quiet(slow, pd_code(0.01, 0.0)) - quiet(fast, pd_code(0.01, 0.0))}
        ),
    ]


def slow_features(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 5.6, C.8: slower signals need fewer spikes."""
    rng, name = generator("slow", seed), "fewer_spikes_of_slower_signals"
    signals = [low_pass(rng, 10_000, 0.08 / 2.0**k, WALKS) for k in range(4)]

    def counts(code: PDCode) -> list[float]:
        return [float(np.abs(transmit(x, code).spikes).sum()) for x in signals]

    text = "largest ratio of neighbouring numbers of spikes, cutoff 0.08 and 1/2, 1/4, 1/8 of it"
    broken = {"no_k_d": _largest_ratio(counts(pd_code(1.0, 0.0)))}
    return [Check(name, text, _largest_ratio(counts(pd_code(0.01, 1.0)))), *controls(name, broken)]


def optimal_prediction(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section C.2: the best coefficient of an autoregressive signal, and the fewest spikes."""
    rng = generator("optimal", seed)
    best, fewest, steps = "best_coefficient", "fewest_spikes", 200_000
    signal = predicted_noise(rng, 0.8, steps)
    white = predicted_noise(rng, 0.0, steps)
    grid = np.arange(0.0, 1.0, 0.01)

    def smallest(x: NDArray, size: Callable[[NDArray, float], float]) -> float:
        return float(grid[int(np.argmin([size(x, omega) for omega in grid]))])

    def unpredicted(x: NDArray, omega: float) -> float:
        return float(np.abs(x[1:] - omega * x[:-1]).mean())

    def spikes(x: NDArray, omega: float) -> float:
        # What herding sends, as differences of rounded sums (eq. C.5): whole trains at once.
        sums = np.rint(np.cumsum(encode(x, pd_code_of(omega, 1.0 / 3.0))))
        return float(np.abs(np.diff(sums, prepend=0.0)).sum())

    short = slice(0, steps // 4)
    text = "|best coefficient - correlation of neighbours|"
    return [
        Check(best, text, abs(smallest(signal, unpredicted) - 0.8)),
        *controls(best, {"white_noise": abs(smallest(white, unpredicted) - 0.8)}),
        Check(
            fewest,
            "|coefficient of the fewest spikes - correlation of neighbours|, k_p + k_d = 3",
            abs(smallest(signal[short], spikes) - 0.8),
        ),
        *controls(fewest, {"white_noise": abs(smallest(white[short], spikes) - 0.8)}),
    ]


def predicted_noise(rng: np.random.Generator, correlation: float, steps: int) -> NDArray:
    """Autoregressive noise of deviation 1, x_t = correlation x_(t-1) + noise, [steps]."""
    noise = rng.standard_normal(steps) * np.sqrt(1.0 - correlation**2)
    return decode(noise, PDCode(1.0 - correlation, correlation))


def small_signals_distorted(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section C.5.2: the smaller a signal, the more it is distorted."""
    rng, name = generator("small", seed), "larger_signals_are_distorted_less"
    signals = low_pass(rng, 5000, 0.05, WALKS)
    sizes = (0.05, 0.2, 1.0, 5.0, 20.0)

    def distortion(size: float, code: PDCode) -> float:
        x = size * signals
        return float(np.abs(transmit(x, code).reconstruction - x).mean() / np.abs(x).mean())

    same = [distortion(size, pd_code(0.1, 1.0)) for size in sizes]
    scaled = [distortion(size, pd_code(0.1 / size, 1.0 / size)) for size in sizes]
    text = "largest ratio of neighbouring relative errors, signals of 0.05, 0.2, 1, 5, 20"
    broken = {"coefficients_scaled_too": _largest_ratio(scaled)}
    return [Check(name, text, _largest_ratio(same)), *controls(name, broken)]


def weights_change_breaks_differences(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Sections 5.2, 5.3.4: sums of weighted differences, for weights that stay and that move."""
    rng = generator("differences", seed)
    stays, grows = "equal_for_constant_weights", "error_accumulates_for_changing_weights"
    none, some = pd_code(0.0, 1.0), pd_code(0.1, 1.0)
    x = low_pass(rng, LONG, 0.03, WALKS)
    w = 1.0 + low_pass(rng, LONG, 0.01, WALKS)
    times = (1000, 3162, 10_000, 31_622, 100_000)

    def slope(code: PDCode) -> float:
        off = np.abs(_errors(x, w, code))
        return log_slope(times, [float(off[: t : max(1, t // 1000)].mean()) for t in times])

    text = "largest |sum of weighted differences - x w|, weights that stay"
    still = np.broadcast_to(w[:1], w.shape)
    return [
        Check(stays, text, float(np.abs(_errors(x, still, none)).max())),
        *controls(stays, {"weights_that_move": float(np.abs(_errors(x, w, none)).max())}),
        Check(
            grows, "log-log slope of the mean |error| up to a step against the step", slope(none)
        ),
        *controls(grows, {"some_k_p": slope(some)}),
    ]
