"""Theorems of chapter 8 without training: every statement is measured, holds, and can fail."""

import numpy as np

from plausible.networks import binary_equilibrium, equilibrium
from plausible.neurons import bit_coding, predictive_bits, step_sizes
from plausible.studies.oconnor2020.ch8_principles import (
    theorems,
    theorems_coding,
    theorems_networks,
)

from ...theorem_harness import Falsified, TheoremTests

ADVANCE, FOLLOW, NEXT = binary_equilibrium.advance, step_sizes.follow, step_sizes.next_step


def _tells_states(network, coding, inputs, now, *more, **named):
    """Neighbours hear the states themselves."""
    told = tuple(layer._replace(bits=layer.potential) for layer in now.layers)
    return ADVANCE(network, coding, inputs, now._replace(layers=told), *more, **named)


def _leaky(rule, signal, start=0.0):
    found = FOLLOW(rule, signal, start)
    return found._replace(estimates=0.98 * found.estimates + 0.02)


def _slow(rule, memory, observation):
    """A step that never falls below 0.1, nor rises above it."""
    step, memory = NEXT(rule, memory, observation)
    return np.full_like(observation, 0.1), memory._replace(spread=memory.spread * 1.01)


def _steady(rule, signal, start=0.0):
    found = FOLLOW(rule, signal, start)
    return found._replace(steps=np.full_like(found.steps, 0.1))


def _early(signal, decay):
    return predictive_bits.pre_code(signal, decay)[::-1]


class TestTheorems(TheoremTests):
    """Codes, step sizes, small networks."""

    document, part = "oconnor2020", "ch8_principles"
    seeds = (0, 7)
    deviating = {
        # Eq. 8.1 sums over ordered pairs.
        ("ch8.eq8.3.hopfield_dynamics", "dynamics_is_energy_gradient", "as_published"),
        # A bit of the example says 1 above; eq. 8.14 decodes with the lambda of the next step.
        ("ch8.bisection_code", "code_and_reconstructions", "as_published"),
        ("ch8.lambda_mismatch", "inverse_when_annealed", "as_published"),
    }
    falsified = (
        Falsified(
            "ch8.eq8.3.hopfield_dynamics", "dynamics_is_energy_gradient", theorems_networks,
            "descent", lambda *given: tuple(1.01 * move for move in equilibrium.descent(*given)),
        ),
        Falsified(
            "ch8.eq8.3.hopfield_dynamics", "update_converges", theorems_networks, "step",
            lambda *given, **named: tuple(
                each + 1e-6 for each in equilibrium.step(*given, **named)
            ),
        ),
        Falsified(
            "ch8.eq8.5.binary_neuron", "only_bits_leave", binary_equilibrium, "advance",
            _tells_states,
        ),
        Falsified(
            "ch8.eq8.6.robbins_monro", "estimate_converges", theorems, "follow", _leaky
        ),
        Falsified(
            "ch8.eq8.6.robbins_monro", "one_over_t_is_mean", theorems, "follow", _leaky
        ),
        Falsified(
            "ch8.eq8.6.robbins_monro", "slower_decay_faster_at_first", theorems, "Schedule",
            lambda first, exponent=0.0: step_sizes.Schedule(first, 1.75 - exponent),
        ),
        Falsified(
            "ch8.eq8.8.stochastic_encoder", "unbiased_bits", theorems_networks, "quantize",
            lambda values, how, rng=None: bit_coding.quantize(0.9 * np.asarray(values), how, rng),
        ),
        Falsified(
            "ch8.eq8.8.stochastic_encoder", "fixed_point_error_falls", theorems_networks, "run",
            lambda *given, rng: binary_equilibrium.run(
                given[0], given[1]._replace(step=step_sizes.Schedule(0.5)), *given[2:], rng=rng
            ),
        ),
        Falsified("ch8.osa", "step_falls_when_stationary", theorems, "follow", _steady),
        Falsified("ch8.osa", "step_rises_after_jump", theorems, "follow", _steady),
        Falsified(
            "ch8.eq8.11.sigma_delta", "mean_error", theorems_coding, "quantize",
            lambda values, how, rng=None: (
                bit_coding.quantize(np.asarray(values) + 0.01, how, rng)
            ),
        ),
        Falsified(
            "ch8.eq8.11.sigma_delta", "both_rates", theorems_coding, "quantize",
            lambda values, how, rng=None: bit_coding.quantize(
                values, "random", rng or np.random.default_rng(0)
            ),
        ),
        *(
            Falsified(
                result, statement, theorems_coding, "reconstruct",
                lambda received, decay: predictive_bits.reconstruct(
                    received, 0.9 * np.asarray(decay)
                ),
            )
            for result, statement in (
                ("ch8.eq8.13.predictive", "decoder_returns_signal"),
                ("ch8.lambda_mismatch", "equal_constant_lambda"),
                ("ch8.lambda_mismatch", "inverse_when_annealed"),
            )
        ),
        Falsified(
            "ch8.eq8.13.predictive", "weights_commute_with_decoder", theorems_coding,
            "reconstruct", lambda received, decay: np.sqrt(
                np.abs(predictive_bits.reconstruct(received, decay))
            ),
        ),
        Falsified(
            "ch8.eq8.13.predictive", "lambda_one_is_plain", theorems_coding, "settle_binary",
            lambda network, coding, *given: binary_equilibrium.settle_binary(
                network, coding._replace(decay=step_sizes.Schedule(0.999)), *given
            ),
        ),
        Falsified(
            "ch8.bisection_code", "code_and_reconstructions", theorems_coding, "bisect",
            lambda value, bits, sense="above": predictive_bits.bisect(value + 0.1, bits, sense),
        ),
        Falsified(
            "ch8.bisection_resolution", "error_halves", theorems_coding, "bisect",
            lambda values, bits, sense="above": predictive_bits.bisect(
                0.99 * np.asarray(values), bits, sense
            ),
        ),
        *(
            Falsified(
                "ch8.rm_weights", statement, theorems, "log_weights",
                lambda schedule, steps: np.full(steps, -np.log(steps)) * (schedule.exponent <= 1)
                + np.full(steps, -2 * np.log(steps)) * (schedule.exponent > 1),
            )
            for statement in (
                "old_weight_vanishes", "effective_number_grows", "one_over_t_least_variance",
            )
        ),
        Falsified(
            "ch8.osa_optimal", "minimises_the_error", theorems, "optimal_step",
            lambda noise, bias, spread: 1.0 - noise / (noise + bias**2),
        ),
        Falsified(
            "ch8.osa_optimal", "interior_minimum", theorems, "_gain", lambda drift: -drift
        ),
        Falsified(
            "ch8.osa_optimal", "lambda_bar_is_the_variance", theorems, "next_step", _slow
        ),
    )  # fmt: skip
