"""Claims of Thuesen 2022 on coding: the best filter time constant, the noise of Poisson coding."""

from itertools import product

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.neurons.spikes import alpha_kernel, author_kernel, poisson_spike_counts
from plausible.studies.thuesen2022.common import stream
from plausible.studies.thuesen2022.neurons.settings import AlphaFilterTau, PoissonNoise

KERNELS = ("unit_area", "printed", "author_spacing")


def filter_kernel(kernel: str, time_constant_s: float, time_step_s: float) -> NDArray[np.float64]:
    """Samples of the alpha filter in one of its three readings.

    ``unit_area``: normalised to sum 1. ``printed``: eq. 40, t/tau exp(-t/tau), at the time step.
    ``author_spacing``: the 11 taps of the author's code, sampled 1.1 ms apart but applied at
    every time step.
    """
    if kernel == "author_spacing":
        return author_kernel(time_constant_s)
    return alpha_kernel(time_constant_s, time_step_s, normalise=kernel)


def alpha_filter_tau(settings: AlphaFilterTau, seeds, dataset, networks) -> pd.DataFrame:
    """Claim of section 3.4.2: which filter time constant recovers the firing rate most precisely.

    Neither criterion nor time step are published, so there are two criteria and three kernels.
    Poisson spike trains of constant rate are filtered; the estimate at each time at which the
    longest filter is filled is filtered / time step. ``mean_rate_error`` is the absolute
    difference of the mean estimate to the true rate, ``rms_rate_error`` the root mean square of
    the momentary difference; both are averaged over the rates (the latter as a mean square).

    Columns: kernel, criterion, tau_s, error_hz, seed.
    """
    time_step = settings.time_step_s
    low, high = settings.time_constant_min_s, settings.time_constant_max_s
    swept = np.linspace(low, high, settings.time_constant_points)
    # Rounded to a microsecond, so that the published value is not listed twice.
    time_constants = np.unique(np.round([*swept, settings.published_time_constant_s], 6))
    rates = np.asarray(settings.rates_hz)
    kernels = {
        (kernel, time_constant): filter_kernel(kernel, time_constant, time_step)
        for kernel, time_constant in product(KERNELS, time_constants.tolist())
    }
    taps, steps = max(map(len, kernels.values())), round(settings.duration_s / time_step)
    rows = []
    for seed in seeds:
        generator = stream("alpha_filter_tau", seed)
        moments = []
        for rate in rates:
            trains = np.full(settings.repetitions, rate)
            counts = poisson_spike_counts(trains, steps, time_step, generator)
            moments.append(lag_moments(counts, taps))
        for (kernel, time_constant), samples in kernels.items():
            mean, square = np.transpose([filtered_moments(samples, *each) for each in moments])
            mean, square = mean / time_step, square / time_step**2
            errors = {
                "mean_rate_error": np.abs(mean - rates).mean(),
                "rms_rate_error": np.sqrt(np.mean(square - 2 * rates * mean + rates**2)),
            }
            for criterion, error in errors.items():
                rows.append((kernel, criterion, time_constant, error, seed))
    return pd.DataFrame(rows, columns=["kernel", "criterion", "tau_s", "error_hz", "seed"])


def lag_moments(
    counts: NDArray[np.int64], taps: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Means [taps] and mean products [taps, taps] of ``counts`` [steps, trains] at lags 0, 1, ....

    They are taken over the times at which ``taps`` past counts exist and over all trains. From
    them the moments of any filtered train follow without filtering.
    """
    windows = np.lib.stride_tricks.sliding_window_view(counts, taps, axis=0)[..., ::-1]
    first, second = np.zeros(taps), np.zeros((taps, taps))
    for train in range(counts.shape[1]):
        lagged = windows[:, train].astype(np.float64)
        first += lagged.mean(axis=0)
        second += lagged.T @ lagged / len(lagged)
    return first / counts.shape[1], second / counts.shape[1]


def filtered_moments(
    kernel: NDArray[np.float64], first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, float]:
    """Mean and mean square of a causally filtered spike train: sum_k a_k m_k, sum a_k a_l M_kl."""
    taps = len(kernel)
    return float(kernel @ first[:taps]), float(kernel @ second[:taps, :taps] @ kernel)


def poisson_noise(settings: PoissonNoise, seeds, dataset, networks) -> pd.DataFrame:
    """Claim of section 3.3.3: rate estimates from Poisson coding are noisy.

    The standard error is the standard deviation over repetitions of (spike count) / duration; for
    a Poisson process it is sqrt(rate / duration).

    Columns: rate_hz, duration_s, seed, repetitions, standard_error_hz.
    """
    time_step, repetitions = settings.time_step_s, settings.repetitions
    rows = []
    for seed, rate, duration in product(seeds, settings.rates_hz, settings.durations_s):
        generator = stream("poisson_noise", seed, str(rate), str(duration))
        trains, steps = np.full(repetitions, rate), round(duration / time_step)
        counts = poisson_spike_counts(trains, steps, time_step, generator)
        estimates = counts.sum(axis=0) / duration
        rows.append((rate, duration, seed, repetitions, estimates.std(ddof=1)))
    columns = ["rate_hz", "duration_s", "seed", "repetitions", "standard_error_hz"]
    return pd.DataFrame(rows, columns=columns)
