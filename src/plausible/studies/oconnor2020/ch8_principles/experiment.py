"""Sections 8.4 and 8.5.1: how near binary networks come to the fixed point of the continuous one.

Networks, inputs and targets are random; settings of the schemes are those of the author's code.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.signal import butter, lfilter

from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_propagation import LINEARISED, contrast
from plausible.measure.slopes import log_slope, log_spaced
from plausible.networks.binary_equilibrium import Bits, Coding, advance, at_rest, run, settle_binary
from plausible.neurons.bit_coding import quantize
from plausible.neurons.predictive_bits import pre_code, reconstruct
from plausible.neurons.step_sizes import Adaptive, Schedule, follow
from plausible.studies.oconnor2020.ch8_principles.networks import (
    Problem,
    coding_of,
    free_errors,
    generator,
    nudged_errors,
    objective,
    problem,
)
from plausible.studies.oconnor2020.ch8_principles.settings import (
    Convergence,
    ConvergingInputs,
    Exponents,
    LongRuns,
    Overload,
    RateUpdates,
)

POINTS = 40
"""Steps of a phase at which errors are kept, evenly on a logarithmic axis."""


def convergence(settings: Convergence, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 8.2: error to the fixed point before and after a perturbation.

    Columns: protocol, scheme, network (number), perturbation (step), step (kept: log-spaced in
    either phase), error (mean over layers of mean |s - s_fixed|), six digits.
    """
    rows = []
    for number in range(settings.networks):
        given = problem(settings, settings.steps, "convergence", number)
        for name, scheme in settings.schemes.items():
            coding = coding_of(scheme, settings.constant)
            rng = generator("convergence", number, name)
            longest = max(settings.perturbations.values())
            passed = list(free_errors(given, coding, longest, rng))
            for protocol, moment in settings.perturbations.items():
                draws = generator("convergence", number, name, protocol)
                rest = settings.steps - moment
                after = nudged_errors(
                    given, coding, passed[moment - 1][0], rest, settings.beta, draws
                )
                errors = [error for _, error in passed[:moment]] + after
                kept = log_spaced(moment, POINTS)
                kept += [moment + step for step in log_spaced(rest, POINTS)]
                rows += [
                    (protocol, name, number, moment, step, float(f"{errors[step - 1]:.6g}"))
                    for step in kept
                ]
    columns = ["protocol", "scheme", "network", "perturbation", "step", "error"]
    return pd.DataFrame(rows, columns=columns)


def long_runs(settings: LongRuns, seeds, dataset, networks) -> pd.DataFrame:
    """Error to the fixed point over many steps, without a perturbation.

    Columns: scheme, seed, step (log-spaced, with 250 and 2,000), error.
    """
    kept = sorted({*log_spaced(settings.steps, POINTS), *_inside(settings.steps, 250, 2000)})
    rows = []
    for seed in seeds:
        given = problem(settings, settings.steps, "long_runs", seed)
        for name, scheme in settings.schemes.items():
            coding, rng = coding_of(scheme, settings.constant), generator("long_runs", seed, name)
            for now, error in free_errors(given, coding, settings.steps, rng):
                if now.time in kept:
                    rows.append((name, seed, now.time, float(f"{error:.6g}")))
    return pd.DataFrame(rows, columns=["scheme", "seed", "step", "error"])


def _inside(last: int, *steps: int) -> list[int]:
    return [step for step in steps if step <= last]


def exponents(settings: Exponents, seeds, dataset, networks) -> pd.DataFrame:
    """Section 8.4.1: the exponent of a schedule that is best, and the one at the limit.

    Columns: element, seed; of ``cell``: network, decay, first, exponent, error (mean after the
    perturbation's step and the last); of ``half``: slope (log-log, of the rms error of estimates of
    constants by random bits with eps = 1/sqrt(t), against time).
    """
    rows = []
    for number in range(settings.networks):
        given = problem(settings, settings.steps, "exponents", number)
        for name, decay in settings.decays.items():
            for exponent in settings.exponents:
                for first in settings.firsts:
                    coding = Coding(Schedule(first, exponent), Schedule(*decay))
                    error = objective(
                        given, coding, settings.perturbation, settings.steps, settings.beta
                    )
                    cell = {"network": number, "decay": name, "first": first}
                    rows.append({"element": "cell", **cell, "exponent": exponent, "error": error})
    for seed in seeds:
        rng = generator("exponents", seed)
        means = rng.random(settings.estimates)
        bits = (rng.random((settings.bits, settings.estimates)) < means).astype(np.float64)
        errors = follow(Schedule(1.0, 0.5), bits).estimates - means
        # From decade to decade, so that long times do not outweigh short ones.
        ends = [step for step in log_spaced(settings.bits, 31) if step >= 100]
        rms = [float(np.sqrt((errors[end // 2 : end] ** 2).mean())) for end in ends]
        rows.append({"element": "half", "seed": seed, "slope": log_slope(ends, rms)})
    return pd.DataFrame(rows)


def overload(settings: Overload, seeds, dataset, networks) -> pd.DataFrame:
    """What goes into the encoders of eq. 8.14, and what remains in them.

    Columns: seed, early_share and late_share (of a outside [0, 1], all free neurons, in the first
    steps and in as many later ones), plain_share (early, with lambda = 1), bounded_phi (largest
    |phi| until a neuron's first a outside), overloaded_phi (at that step).
    """
    rows = []
    for seed in seeds:
        given = problem(settings, settings.late, "overload", seed)
        step = Adaptive(settings.nu_bar, settings.constant)
        steps = settings.late + settings.early
        codes, phis = _encoders(given, Coding(step, Schedule(settings.decay)), steps)
        plain, _ = _encoders(given, Coding(step), settings.early)
        outside = (codes < 0.0) | (codes > 1.0)
        never = np.logical_or.accumulate(outside, axis=0)
        first = never & ~np.concatenate([np.zeros_like(never[:1]), never[:-1]])
        rows.append(
            {
                "seed": seed,
                "early_share": outside[: settings.early].mean(),
                "late_share": outside[-settings.early :].mean(),
                "plain_share": ((plain < 0.0) | (plain > 1.0)).mean(),
                "bounded_phi": np.abs(phis[~never]).max(),
                "overloaded_phi": np.abs(phis[first]).max(),
            }
        )
    return pd.DataFrame(rows)


def _encoders(given: Problem, coding: Coding, steps: int) -> tuple[NDArray, NDArray]:
    """What goes into the encoders of all free neurons, and their potentials: [steps, neurons]."""
    now, codes, phis = at_rest(given.network, len(given.inputs)), [], []
    for _ in range(steps):
        new = advance(given.network, coding, given.inputs, now)
        pairs = list(zip(now.layers[1:], new.layers[1:], strict=True))
        # The encoder adds a, and takes away the bit: phi_new = phi_old + a - bit.
        codes.append(_flat([after.phi - before.phi + after.bits for before, after in pairs]))
        phis.append(_flat([after.phi for _, after in pairs]))
        now = new
    # Sums of potentials lose the last digits of a; 0 and 1 are states that occur.
    return np.round(np.array(codes), 12), np.array(phis)


def _flat(layers: list[NDArray]) -> NDArray:
    return np.concatenate([layer.ravel() for layer in layers])


def rate_updates(settings: RateUpdates, seeds, dataset, networks) -> pd.DataFrame:
    """Section 8.6: how much two updates vary with what the encoders happen to hold.

    Columns: seed, rate_variance and contrast_variance (mean over the weights of the variance over
    repeats, over the mean square of the mean).
    """
    rows = []
    for seed in seeds:
        given = problem(settings, settings.negative_steps, "rate_updates", seed)
        rng = generator("rate_updates", seed, "potentials")
        step = Adaptive(settings.nu_bar, settings.constant)
        recipe = BinaryRecipe(
            Coding(step, Schedule(settings.decay)),
            settings.negative_steps,
            settings.positive_steps,
            settings.beta,
            (),
        )
        found = [_both_updates(settings, given, recipe, rng) for _ in range(settings.repeats)]
        rate, two_states = (np.array(each) for each in zip(*found, strict=True))
        row = {"rate_variance": _relative(rate), "contrast_variance": _relative(two_states)}
        rows.append({"seed": seed, **row})
    return pd.DataFrame(rows)


def _relative(updates: NDArray) -> float:
    return float(updates.var(axis=0).mean() / (updates.mean(axis=0) ** 2).mean())


def _both_updates(
    settings: RateUpdates, given: Problem, recipe: BinaryRecipe, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Update of all weights from the rate of change, and from the contrast of both states."""
    start = at_rest(given.network, len(given.inputs))
    layers = tuple(
        layer._replace(phi=rng.uniform(-0.5, 0.5, layer.phi.shape)) for layer in start.layers
    )
    network, coding, inputs = given.network, recipe.coding, given.inputs
    minus = settle_binary(network, coding, inputs, Bits(layers), recipe.negative_steps)
    passed = list(
        run(network, coding, inputs, minus, recipe.positive_steps, given.targets, recipe.beta)
    )
    soon = [inputs, *passed[settings.rate_steps - 1].states]
    before = [inputs, *minus.states]
    rate = [
        pre.T @ (post_soon - post) / settings.rate_steps
        for pre, post, post_soon in zip(before, before[1:], soon[1:], strict=False)
    ]
    states = minus.states, passed[-1].states
    exact = contrast(network, inputs, *states, recipe.beta, LINEARISED)
    return _flat(rate), _flat(list(exact.weights))


def converging_inputs(settings: ConvergingInputs, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 8.1: a neuron that hears the bits of three inputs, and one that hears the inputs.

    Columns: element, seed; of ``end``: difference (of the last states); of ``trace`` (first seed):
    step, input_<n>, bit_<n>, received (weighted bits), epsilon, decay, real_state, binary_state.
    """
    ends = []
    time = np.arange(1, settings.steps + 1)
    epsilon, decay = (Schedule(*each).at(time) for each in (settings.epsilon, settings.decay))
    weights = np.array(settings.weights)
    for seed in seeds:
        inputs = _inputs(settings, generator("converging_inputs", seed))
        bits = quantize(pre_code(inputs, decay), "sigma_delta")
        received = bits @ weights
        decoded = reconstruct(received, decay)
        real = _states(inputs @ weights, np.full(settings.steps, settings.real_step))
        binary = _states(decoded, epsilon)
        ends.append({"element": "end", "seed": seed, "difference": abs(binary[-1] - real[-1])})
        if seed == seeds[0]:
            part = {f"input_{n + 1}": inputs[:, n] for n in range(len(weights))}
            part |= {f"bit_{n + 1}": bits[:, n] for n in range(len(weights))}
            part |= {"received": received, "epsilon": epsilon, "decay": decay}
            part |= {"real_state": real, "binary_state": binary}
            trace = pd.DataFrame(part).round(5)
            trace = trace.assign(element="trace", seed=seed, step=time)
    return pd.concat([pd.DataFrame(ends), trace], ignore_index=True)


def _inputs(settings: ConvergingInputs, rng: np.random.Generator) -> NDArray[np.float64]:
    """Noise that fades into constants, [steps, inputs].

    Filtered noise, each input over its range and scaled to +-scale, has the weight (1 - t/T)^speed;
    the constants are uniform up to the scale. What is below 0 is cut off.
    """
    count = len(settings.weights)
    noise = lfilter(
        *butter(2, settings.cutoff), rng.standard_normal((settings.steps, count)), axis=0
    )
    low, high = noise.min(axis=0), noise.max(axis=0)
    moving = settings.scale * (2.0 * (noise - low) / (high - low) - 1.0)
    share = np.linspace(1.0, 0.0, settings.steps)[:, None] ** settings.speed
    still = settings.scale * rng.random(count)
    return np.clip(share * moving + (1.0 - share) * still, 0.0, 1.0)


def _states(pressure: NDArray, steps: NDArray) -> NDArray[np.float64]:
    """s <- clip((1 - eps) s + eps p, 0, 1) from 0."""
    states, state = np.empty(len(pressure)), 0.0
    for number, (given, step) in enumerate(zip(pressure, steps, strict=True)):
        state = min(1.0, max(0.0, (1.0 - step) * state + step * given))
        states[number] = state
    return states
