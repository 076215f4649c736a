"""Codes of chapter 8 as measured deviations (O'Connor 2020, sections 8, 8.4.4 to 8.4.6).

One function per published entry, as in `theorems`.
"""

import numpy as np
from numpy.typing import NDArray

from plausible.data.signals import smooth_signals
from plausible.measure.slopes import log_slope
from plausible.networks.binary_equilibrium import Coding, at_rest, settle_binary
from plausible.networks.equilibrium import Equilibrium, make_equilibrium
from plausible.neurons.bit_coding import quantize
from plausible.neurons.predictive_bits import BELOW, bisect, decode_bisection, pre_code, reconstruct
from plausible.neurons.step_sizes import Schedule
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.studies.oconnor2020.ch8_principles.networks import generator

NEURONS, STEPS = 400, 1000
DURATIONS = (10, 32, 100, 316, 1000)
"""Over which means of bits are taken."""
DECAYS = (0.05, 0.3, 1.0)
EXAMPLE, EXAMPLE_BITS = 0.4257, (0, 1, 1, 0, 1)
EXAMPLE_ESTIMATES = (0.25, 0.375, 0.4375, 0.40625, 0.421875)


def sigma_delta(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.11: the mean error of T bits, and its order."""
    rng, bound, rates = generator("sigma_delta", seed), "mean_error", "both_rates"
    inputs = rng.random((STEPS, NEURONS))
    means = np.broadcast_to(rng.random(NEURONS), inputs.shape)
    slopes = {how: _order(means, quantize(means, how, rng)) for how in ("sigma_delta", "random")}
    wide = rng.uniform(-1.0, 2.0, inputs.shape)
    # A start of phi_0 is an input of phi_0 before the first one, and of 0 as far as means go.
    offset = np.concatenate([np.full((1, NEURONS), 0.4), inputs])
    started = quantize(offset, "sigma_delta")
    started = np.concatenate([started[:1] + started[1:2], started[2:]])
    found = {
        "sigma_delta": (
            "slope of the mean error of sigma-delta bits plus 1",
            slopes["sigma_delta"] + 1.0,
        ),
        "random": ("slope of the mean error of random bits plus 1/2", slopes["random"] + 0.5),
    }
    others = abs(slopes["random"] + 1.0), abs(slopes["sigma_delta"] + 0.5)
    return [
        Check(
            bound,
            "largest 2T |mean error| over T and neurons",
            _bounded(inputs, quantize(inputs, "sigma_delta")),
        ),
        *controls(
            bound,
            {
                "outside_of_the_range": _bounded(wide, quantize(wide, "sigma_delta")),
                "started_off_zero": _bounded(inputs, started),
            },
        ),
        *checks(rates, found),
        *controls(rates, {"other_encoder": min(others)}),
    ]


def _bounded(inputs: NDArray, bits: NDArray) -> float:
    """Largest 2T |mean of T bits - mean of T inputs|."""
    return float(2.0 * np.abs(np.cumsum(bits - inputs, axis=0)).max())


def _order(inputs: NDArray, bits: NDArray) -> float:
    sums = np.cumsum(bits - inputs, axis=0)
    return log_slope(DURATIONS, [np.abs(sums[end - 1] / end).mean() for end in DURATIONS])


def predictive(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.12, 8.13: the decoder undoes the encoder, at one synapse and behind all."""
    rng = generator("predictive", seed)
    returns, plain, commute = (
        "decoder_returns_signal",
        "lambda_one_is_plain",
        "weights_commute_with_decoder",
    )
    signals = smooth_signals(rng, 20, STEPS, 15.0).T
    found = _round_trips(signals)
    weights = rng.standard_normal((20, 3))
    bits = quantize(pre_code(signals, 0.3), "sigma_delta")
    changing = weights + 0.1 * np.cumsum(rng.standard_normal((STEPS, 20, 3)), axis=0) / STEPS**0.5
    each = reconstruct(bits, 0.3)
    late = reconstruct(np.einsum("ti,tij->tj", bits, changing), 0.3)
    network = make_equilibrium((6, 5, 3), rng)
    inputs = rng.random((4, 6))
    return [
        *checks(returns, found),
        *controls(returns, {"other_lambda": _other_lambda(signals)}),
        Check(
            plain,
            "states with lambda 1 against those without coder and decoder",
            _plain_difference(network, inputs, 1.0),
        ),
        *controls(plain, {"lambda_below_one": _plain_difference(network, inputs, 0.9)}),
        Check(
            commute,
            "decoded sum of weighted bits against the weighted sum of decoded bits",
            _largest(each @ weights, reconstruct(bits @ weights, 0.3)),
        ),
        *controls(
            commute,
            {"weights_that_change": _largest(np.einsum("ti,tij->tj", each, changing), late)},
        ),
    ]


def _largest(found: NDArray, expected: NDArray) -> float:
    return float(np.abs(found - expected).max())


def _round_trips(signals: NDArray) -> dict[str, tuple[str, float]]:
    return {
        f"lambda_{decay:g}": (
            f"decoded less signal, lambda {decay:g}",
            _largest(reconstruct(pre_code(signals, decay), decay), signals),
        )
        for decay in DECAYS
    }


def _other_lambda(signals: NDArray) -> float:
    """Mean error if the decoder has lambda 0.2 for an encoder with 0.3."""
    return float(np.abs(reconstruct(pre_code(signals, 0.3), 0.2) - signals).mean())


def _plain_difference(network: Equilibrium, inputs: NDArray, decay: float) -> float:
    """Largest difference of states from a loop in which states are sent as they are."""
    coding = Coding(Schedule(1.0, 0.5), Schedule(decay))
    now = settle_binary(network, coding, inputs, at_rest(network, len(inputs)), 60)
    sizes = [inputs.shape[1], *(len(bias) for bias in network.biases)]
    bits = [np.zeros((len(inputs), size)) for size in sizes]
    phi, states = [np.zeros_like(each) for each in bits], [inputs, *map(np.zeros_like, bits[1:])]
    for time in range(1, 61):
        step, heard = 1.0 / time**0.5, list(bits)
        for layer in range(len(sizes)):
            if layer:
                sums = heard[layer - 1] @ network.weights[layer - 1]
                if layer + 1 < len(sizes):
                    sums = sums + heard[layer + 1] @ network.weights[layer].T
                pressure = sums + network.biases[layer - 1]
                states[layer] = np.clip((1.0 - step) * states[layer] + step * pressure, 0.0, 1.0)
            total = phi[layer] + states[layer]
            bits[layer] = (total > 0.5).astype(np.float64)
            phi[layer] = total - bits[layer]
    return max(_largest(*pair) for pair in zip(now.states, states[1:], strict=True))


def lambda_mismatch(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 8.6, eq. 8.14: what a decoder with another lambda makes of a signal."""
    rng = generator("lambda_mismatch", seed)
    constant, annealed = "equal_constant_lambda", "inverse_when_annealed"
    signals = smooth_signals(rng, 20, STEPS, 15.0).T
    decays = Schedule(0.67, 0.578).at(np.arange(1, STEPS + 2))
    code = pre_code(signals, decays[:-1])

    def off(used: NDArray) -> float:
        return _largest(reconstruct(code, used)[:20], signals[:20])

    text = "decoded less signal in the first 20 steps, annealed lambda"
    late = np.concatenate([decays[:1], decays[:-2]])
    return [
        *checks(constant, _round_trips(signals)),
        *controls(constant, {"other_lambda": _other_lambda(signals)}),
        # A bit that was sent at t is decoded at t + 1, as printed with lambda(t + 1).
        Check(annealed, text, off(decays[1:]), protocol="as_published"),
        Check(annealed, text, off(decays[:-1])),
        *controls(annealed, {"lambda_of_two_steps_before": off(late)}),
    ]


def bisection_code(settings: ExperimentSettings, seed: int) -> list[Check]:
    """The example of the summary, with either meaning of a bit."""
    name = "code_and_reconstructions"

    def off(bits: NDArray, estimates: NDArray) -> float:
        return max(_largest(bits, EXAMPLE_BITS), _largest(estimates, EXAMPLE_ESTIMATES))

    return [
        Check(
            name,
            "a bit says 1 below, as printed",
            off(*bisect(EXAMPLE, 5, BELOW)),
            protocol="as_published",
        ),
        Check(name, "a bit says 1 above", off(*bisect(EXAMPLE, 5))),
        *controls(
            name, {"other_start": _largest(0.1 + bisect(EXAMPLE, 5).estimates, EXAMPLE_ESTIMATES)}
        ),
    ]


def bisection_resolution(settings: ExperimentSettings, seed: int) -> list[Check]:
    """What is left after n bits."""
    rng, name = generator("bisection", seed), "error_halves"
    values, unit = rng.random(1000), 2.0 ** (np.arange(20) + 2)
    found = bisect(values, 20).estimates
    turned = decode_bisection(bisect(values, 20, BELOW).bits)
    errors = (np.abs(each - values[:, None]) * unit for each in (found, turned))
    right, wrong = (float(each.max()) for each in errors)
    return [
        Check(name, "largest |value - estimate| 2^(n + 1)", right),
        *controls(name, {"bits_turned": wrong}),
    ]
