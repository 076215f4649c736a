"""Experiments on rates of single neurons: figures 2a to 2c."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from plausible.neurons.lif_dynamics import simulate_lif
from plausible.neurons.rates import lif_rate, soft_rate, soft_rate_derivative
from plausible.neurons.spikes import alpha_kernel, apply_kernel, author_kernel, poisson_spike_counts
from plausible.studies.thuesen2022.common import stream
from plausible.studies.thuesen2022.neurons.settings import Fig2a, Fig2b, Fig2c

# The author divides differences of his picture 2c by 11 / points, although its inputs run from 1
# to 10: he meant linspace(-1, 10) and lost the sign.
AUTHOR_DERIVATIVE_RANGE = 11.0
AUTHOR_FIRST_INPUT = 1.0


def fig2a(settings: Fig2a, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2a: LIF rate (eq. 37) and smoothed rate (eq. 38) against the input current.

    Columns: protocol, curve, softplus_gamma, input_current, rate_hz. The curve ``lif_rate`` does
    not depend on gamma; its ``softplus_gamma`` is 0. The offset of the author's code is the reason
    why its rate is 1.8 Hz where eq. 37 says 0.
    """
    current = torch.linspace(0.0, settings.current_max, settings.points, dtype=torch.float64)
    gamma, offset = settings.as_coded_softplus_gamma, settings.as_coded_rate_offset
    curves = [
        ("as_coded", "lif_rate", 0.0, lif_rate(current, offset=offset)),
        ("as_coded", "soft_rate", gamma, soft_rate(current, gamma, offset=offset)),
        ("corrected", "lif_rate", 0.0, lif_rate(current)),
    ]
    for gamma in settings.softplus_gammas:
        curves.append(("corrected", "soft_rate", gamma, soft_rate(current, gamma)))
    columns = ["protocol", "curve", "softplus_gamma", "input_current", "rate_hz"]
    return _curves(columns, [(*names, current, rate) for *names, rate in curves])


def _curves(columns: list[str], curves: list[tuple]) -> pd.DataFrame:
    """Rows of curves, each given as what all its rows have and its tensors."""
    parts = [pd.DataFrame(dict(zip(columns, curve, strict=True))) for curve in curves]
    return pd.concat(parts, ignore_index=True)


def fig2b(settings: Fig2b, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2b: theoretical against simulated spike rate.

    Three codings. ``poisson_count`` is what the author's code draws: Poisson spike counts with
    the theoretical rate r(j), passed through his 11-tap filter and averaged over the time in which
    the filter is filled; no neuron is simulated. ``lif_simulation`` is what the caption promises:
    a LIF neuron whose input current is one Poisson spike train of rate ``lif_input_rates_hz``,
    filtered by the unit-area alpha kernel and scaled so that its mean is j.
    ``lif_constant_current`` is the same neuron without noise.

    Columns: coding, input_rate_hz, repetition, input_current, rate_hz, theoretical_rate_hz,
    duration_s. The streams are those of the first seed.
    """
    parts = [
        *_counted_rates(settings, seeds[0]),
        *_simulated_rates(settings, seeds[0]),
        _constant_current_rates(settings),
    ]
    return pd.concat(parts, ignore_index=True)


def _counted_rates(settings: Fig2b, seed: int) -> Iterator[pd.DataFrame]:
    """Poisson counts behind the author's filter, one table a repetition."""
    time_step, duration = settings.time_step_s, settings.poisson_duration_s
    current = np.linspace(0.0, settings.current_max, settings.poisson_currents)
    rate = _theoretical_rate(current)
    filled = len(author_kernel()) - 1
    for repetition in range(settings.poisson_repetitions):
        generator = stream("fig2b", seed, "poisson_count", repetition)
        counts = poisson_spike_counts(rate, round(duration / time_step), time_step, generator)
        filtered = apply_kernel(counts, author_kernel())[filled:]
        counted = filtered.mean(axis=0) / time_step
        yield _rate_rows("poisson_count", repetition, current, counted, duration)


def _simulated_rates(settings: Fig2b, seed: int) -> Iterator[pd.DataFrame]:
    """Simulated LIF neurons with Poisson-coded input, one table a rate and repetition."""
    time_step, duration = settings.time_step_s, settings.lif_duration_s
    current = np.linspace(0.0, settings.current_max, settings.lif_currents)
    kernel = alpha_kernel(settings.synapse_time_constant_s, time_step)
    for input_rate, repetition in product(
        settings.lif_input_rates_hz, range(settings.lif_repetitions)
    ):
        generator = stream("fig2b", seed, "lif_simulation", str(input_rate), repetition)
        rates, steps = np.full(len(current), input_rate), round(duration / time_step)
        counts = poisson_spike_counts(rates, steps, time_step, generator)
        drive = current * apply_kernel(counts, kernel) / (input_rate * time_step)
        rate = simulate_lif(drive, time_step, integration="exact").sum(axis=0) / duration
        rows = _rate_rows("lif_simulation", repetition, current, rate, duration)
        yield rows.assign(input_rate_hz=input_rate)


def _constant_current_rates(settings: Fig2b) -> pd.DataFrame:
    """Simulated LIF neurons at constant current."""
    time_step, duration = settings.time_step_s, settings.constant_duration_s
    current = np.linspace(0.0, settings.current_max, settings.lif_currents)
    drive = np.broadcast_to(current, (round(duration / time_step), len(current)))
    rate = simulate_lif(drive, time_step, integration="exact").sum(axis=0) / duration
    return _rate_rows("lif_constant_current", 0, current, rate, duration)


def _theoretical_rate(current: NDArray[np.float64]) -> NDArray[np.float64]:
    """LIF rate of eq. 37 in Hz."""
    return lif_rate(torch.from_numpy(current)).numpy()


def _rate_rows(
    coding: str,
    repetition: int,
    current: NDArray[np.float64],
    simulated: NDArray[np.float64],
    duration_s: float,
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "coding": coding,
            "input_rate_hz": np.nan,
            "repetition": repetition,
            "input_current": current,
            "rate_hz": simulated,
            "theoretical_rate_hz": _theoretical_rate(current),
            "duration_s": duration_s,
        }
    )


def fig2c(settings: Fig2c, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2c: the scaled soft rate against ReLU, and the derivatives of both.

    Protocol as_coded repeats the author's slips: inputs from 1 instead of 0, difference quotients
    with a step of 11 / points, so that the derivative of ReLU stands at 0.82. Protocol corrected
    draws [0, 10] and the exact derivatives.

    Columns: protocol, curve, input, value.
    """
    points, maximum = settings.points, settings.current_max
    scale, gamma = settings.activation_scale, settings.softplus_gamma
    coded = torch.linspace(AUTHOR_FIRST_INPUT, maximum, points, dtype=torch.float64)
    coded_rate = scale * soft_rate(coded, gamma, offset=settings.as_coded_rate_offset)
    coded_step = AUTHOR_DERIVATIVE_RANGE / points
    current = torch.linspace(0.0, maximum, points, dtype=torch.float64)
    derivative = soft_rate_derivative(current, gamma)
    curves = [
        ("as_coded", "relu", coded, coded.clamp(min=0)),
        ("as_coded", "scaled_soft_rate", coded, coded_rate),
        ("as_coded", "relu_derivative", coded[:-1], coded.clamp(min=0).diff() / coded_step),
        ("as_coded", "scaled_soft_rate_derivative", coded[:-1], coded_rate.diff() / coded_step),
        ("corrected", "relu", current, current.clamp(min=0)),
        ("corrected", "scaled_soft_rate", current, scale * soft_rate(current, gamma)),
        ("corrected", "relu_derivative", current, (current > 0).to(torch.float64)),
        ("corrected", "scaled_soft_rate_derivative", current, scale * derivative),
    ]
    return _curves(["protocol", "curve", "input", "value"], curves)
