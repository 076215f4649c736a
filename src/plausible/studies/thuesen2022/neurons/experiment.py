"""Experiments on rates of single neurons: figures 2a to 2c."""

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from plausible.neurons.lif_dynamics import simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate, soft_rate_derivative
from plausible.neurons.spikes import (
    alpha_kernel,
    apply_kernel,
    author_kernel,
    poisson_spike_counts,
)
from plausible.studies.thuesen2022.common import Settings, read, stream

# The author divides differences of his picture 2c by 11 / points, although its inputs run from 1
# to 10: he meant linspace(-1, 10) and lost the sign.
AUTHOR_DERIVATIVE_RANGE = 11.0
AUTHOR_FIRST_INPUT = 1.0


def fig2a(settings: Settings, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2a: LIF rate (eq. 37) and smoothed rate (eq. 38) against the input current.

    Settings: ``points``, ``current_max`` (unitless), ``softplus_gammas`` (list, protocol
    corrected), ``as_coded_softplus_gamma`` and ``as_coded_rate_offset`` (added to the current
    above threshold; the reason why the author's rate is 1.8 Hz where eq. 37 says 0).
    Columns: protocol, curve, softplus_gamma, input_current, rate_hz. The curve ``lif_rate`` does
    not depend on gamma; its ``softplus_gamma`` is 0.
    """
    points, current_max, gammas, author_gamma, author_offset = read(
        settings,
        "fig2a",
        "points",
        "current_max",
        "softplus_gammas",
        "as_coded_softplus_gamma",
        "as_coded_rate_offset",
    )
    current = torch.linspace(0.0, current_max, points, dtype=torch.float64)
    curves = [
        ("as_coded", "lif_rate", 0.0, lif_rate(current, offset=author_offset)),
        (
            "as_coded",
            "soft_rate",
            author_gamma,
            soft_rate(current, author_gamma, offset=author_offset),
        ),
        ("corrected", "lif_rate", 0.0, lif_rate(current)),
        *(("corrected", "soft_rate", gamma, soft_rate(current, gamma)) for gamma in gammas),
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "protocol": protocol,
                    "curve": curve,
                    "softplus_gamma": float(gamma),
                    "input_current": current.numpy(),
                    "rate_hz": rate.numpy(),
                }
            )
            for protocol, curve, gamma, rate in curves
        ],
        ignore_index=True,
    )


def fig2b(settings: Settings, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2b: theoretical against simulated spike rate.

    Three codings. ``poisson_count`` is what the author's code draws: Poisson spike counts with
    the theoretical rate r(j), passed through his 11-tap filter and averaged over the time in which
    the filter is filled; no neuron is simulated. ``lif_simulation`` is what the caption promises:
    a LIF neuron whose input current is one Poisson spike train of rate ``lif_input_rates_hz``,
    filtered by the unit-area alpha kernel and scaled so that its mean is j.
    ``lif_constant_current`` is the same neuron without noise.

    Settings: ``current_max``, ``time_step_s``, ``poisson_currents``, ``poisson_repetitions``,
    ``poisson_duration_s``, ``lif_currents``, ``lif_input_rates_hz`` (list), ``lif_repetitions``,
    ``lif_duration_s``, ``synapse_time_constant_s``, ``constant_duration_s``. The currents are
    evenly spaced from 0 to ``current_max``.
    Columns: coding, input_rate_hz, repetition, input_current, rate_hz, theoretical_rate_hz,
    duration_s. Repetitions are numbered through over the seeds.
    """
    current_max, time_step, currents, repetitions, duration = read(
        settings,
        "fig2b",
        "current_max",
        "time_step_s",
        "poisson_currents",
        "poisson_repetitions",
        "poisson_duration_s",
    )
    parts = []
    current = np.linspace(0.0, current_max, currents)
    rate = _theoretical_rate(current)
    steps = round(duration / time_step)
    filled = len(author_kernel()) - 1
    for repetition in range(repetitions):
        generator = stream("fig2b", seeds[0], "poisson_count", repetition)
        counts = poisson_spike_counts(rate, steps, time_step, generator)
        filtered = apply_kernel(counts, author_kernel())[filled:]
        parts.append(
            _rate_rows(
                "poisson_count", repetition, current, filtered.mean(axis=0) / time_step, rate
            ).assign(duration_s=duration)
        )
    parts += _simulated_lif_rates(settings, seeds[0], current_max, time_step)
    return pd.concat(parts, ignore_index=True)[
        [
            "coding",
            "input_rate_hz",
            "repetition",
            "input_current",
            "rate_hz",
            "theoretical_rate_hz",
            "duration_s",
        ]
    ]


def _simulated_lif_rates(
    settings: Settings, seed: int, current_max: float, time_step: float
) -> list[pd.DataFrame]:
    """Rates of simulated LIF neurons for Poisson-coded and for constant currents."""
    currents, input_rates, repetitions, duration, time_constant, constant_duration = read(
        settings,
        "fig2b",
        "lif_currents",
        "lif_input_rates_hz",
        "lif_repetitions",
        "lif_duration_s",
        "synapse_time_constant_s",
        "constant_duration_s",
    )
    current = np.linspace(0.0, current_max, currents)
    rate = _theoretical_rate(current)
    steps = round(duration / time_step)
    kernel = alpha_kernel(time_constant, time_step)
    parts = []
    for input_rate in input_rates:
        for repetition in range(repetitions):
            generator = stream("fig2b", seed, "lif_simulation", str(float(input_rate)), repetition)
            counts = poisson_spike_counts(
                np.full(currents, float(input_rate)), steps, time_step, generator
            )
            drive = current * apply_kernel(counts, kernel) / (input_rate * time_step)
            spikes = simulate_lif(drive, time_step, integration="exact")
            parts.append(
                _rate_rows(
                    "lif_simulation", repetition, current, spikes.sum(axis=0) / duration, rate
                ).assign(duration_s=duration, input_rate_hz=float(input_rate))
            )
    steps = round(constant_duration / time_step)
    spikes = simulate_lif(
        np.broadcast_to(current, (steps, currents)), time_step, integration="exact"
    )
    simulated = spikes.sum(axis=0) / constant_duration
    parts.append(
        _rate_rows("lif_constant_current", 0, current, simulated, rate).assign(
            duration_s=constant_duration
        )
    )
    return parts


def _theoretical_rate(current: NDArray[np.float64]) -> NDArray[np.float64]:
    """LIF rate of eq. 37 in Hz."""
    return lif_rate(torch.from_numpy(current)).numpy()


def _rate_rows(
    coding: str,
    repetition: int,
    current: NDArray[np.float64],
    simulated: NDArray[np.float64],
    theoretical: NDArray[np.float64],
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "coding": coding,
            "input_rate_hz": np.nan,
            "repetition": repetition,
            "input_current": current,
            "rate_hz": simulated,
            "theoretical_rate_hz": theoretical,
        }
    )


def fig2c(settings: Settings, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2c: the scaled soft rate against ReLU, and the derivatives of both.

    Protocol as_coded repeats the author's slips: inputs from 1 instead of 0, difference quotients
    with a step of 11 / points, so that the derivative of ReLU stands at 0.82. Protocol corrected
    draws [0, 10] and the exact derivatives.

    Settings: ``points``, ``current_max``, ``activation_scale``, ``softplus_gamma``,
    ``as_coded_rate_offset``. Columns: protocol, curve, input, value.
    """
    points, maximum, scale, gamma, offset = read(
        settings,
        "fig2c",
        "points",
        "current_max",
        "activation_scale",
        "softplus_gamma",
        "as_coded_rate_offset",
    )
    coded = torch.linspace(AUTHOR_FIRST_INPUT, maximum, points, dtype=torch.float64)
    coded_rate = scale * soft_rate(coded, gamma, offset=offset)
    coded_step = AUTHOR_DERIVATIVE_RANGE / points
    current = torch.linspace(0.0, maximum, points, dtype=torch.float64)
    curves = [
        ("as_coded", "relu", coded, coded.clamp(min=0)),
        ("as_coded", "scaled_soft_rate", coded, coded_rate),
        ("as_coded", "relu_derivative", coded[:-1], coded.clamp(min=0).diff() / coded_step),
        ("as_coded", "scaled_soft_rate_derivative", coded[:-1], coded_rate.diff() / coded_step),
        ("corrected", "relu", current, current.clamp(min=0)),
        ("corrected", "scaled_soft_rate", current, scale * soft_rate(current, gamma)),
        ("corrected", "relu_derivative", current, (current > 0).to(torch.float64)),
        (
            "corrected",
            "scaled_soft_rate_derivative",
            current,
            scale * soft_rate_derivative(current, gamma),
        ),
    ]
    return pd.concat(
        [
            pd.DataFrame(
                {
                    "protocol": protocol,
                    "curve": curve,
                    "input": inputs.numpy(),
                    "value": values.numpy(),
                }
            )
            for protocol, curve, inputs, values in curves
        ],
        ignore_index=True,
    )
