"""Made-up tidy tables of chapter 8 without training, from closed forms."""

import numpy as np
import pandas as pd

from plausible.studies.oconnor2020.ch8_principles.experiment_search import PARAMETERS, SEARCHES

RATES = {
    "root": 0.7,
    "scheduled": 0.9,
    "osa": 0.8,
    "osa_same_steps": 0.8,
    "osa_lambda": 1.1,
    "osa_scheduled_lambda": 1.2,
    "stochastic_root": 0.4,
}
"""Powers of time with which errors fall."""
STEPS = (1, 3, 10, 30, 60)


def convergence_table(networks: int = 6) -> pd.DataFrame:
    """Errors that fall as powers of time, jump at a perturbation, and fall again."""
    rows = []
    for protocol, moment in (("as_published", 100), ("as_coded", 250)):
        for scheme, rate in RATES.items():
            for network in range(networks):
                scale = 0.3 * (1 + 0.05 * network)
                free = sorted({*STEPS, moment})
                steps = free + [moment + step for step in sorted({*STEPS, 500 - moment})]
                for step in steps:
                    age = step if step <= moment else step - moment
                    error = scale * age**-rate
                    rows.append((protocol, scheme, network, moment, step, error))
    columns = ["protocol", "scheme", "network", "perturbation", "step", "error"]
    return pd.DataFrame(rows, columns=columns)


LONG_RATES = {
    "half": 0.1,
    "inverse": 0.2,
    "root": 0.6,
    "stochastic_root": 0.4,
    "poster": 0.9,
    "scheduled": 0.9,
    "scheduled_plain": 0.5,
    "scheduled_upwards": 0.5,
    "constant": 0.02,
    "inverse_square": 0.01,
}


def long_table(seeds: int = 5) -> pd.DataFrame:
    """Errors that fall as powers of time."""
    rows = [
        (scheme, seed, step, 0.3 * (1 + 0.02 * seed) * step**-rate)
        for scheme, rate in LONG_RATES.items()
        for seed in range(seeds)
        for step in (1, 10, 100, 250, 1000, 2000)
    ]
    return pd.DataFrame(rows, columns=["scheme", "seed", "step", "error"])


def frontier_table(networks: int = 6) -> pd.DataFrame:
    """Errors that fall as powers of time; a spike of a free neuron at every fourth step."""
    rows = [
        (scheme, network, step, step / 2, (step - 1) / 4, 0.3 * (1 + 0.05 * network) * step**-rate)
        for scheme, rate in RATES.items()
        for network in range(networks)
        for step in (1, 2, 5, 10, 30, 100, 300, 1000)
    ]
    columns = ["scheme", "network", "step", "input_spikes", "free_spikes", "error"]
    return pd.DataFrame(rows, columns=columns)


def exponent_table(networks: int = 6, seeds: int = 5) -> pd.DataFrame:
    """Errors with a minimum at the exponent 0.7 or 0.8."""
    cells = [
        {
            "element": "cell",
            "network": network,
            "decay": decay,
            "first": first,
            "exponent": exponent,
            "error": 0.01 + (exponent - 0.7 - 0.1 * (network % 2)) ** 2 + (1 - first),
        }
        for network in range(networks)
        for decay in ("plain", "predictive")
        for first in (0.5, 1.0)
        for exponent in np.round(np.arange(0, 1.01, 0.1), 1)
    ]
    halves = [
        {"element": "half", "seed": seed, "slope": -0.25 + 0.002 * seed} for seed in range(seeds)
    ]
    return pd.DataFrame(cells + halves)


def search_table(seeds: int = 5) -> pd.DataFrame:
    """Errors of which half are near the best."""
    rng, rows = np.random.default_rng(0), []
    for search, names in SEARCHES.items():
        for sampler, last in (("gaussian_process", 1), ("uniform", seeds)):
            for seed in range(last):
                for trial in range(20):
                    chosen = dict.fromkeys(PARAMETERS) | {name: rng.random() for name in names}
                    error = 0.01 * (1.5 if trial % 2 else 5.0) if trial + seed else 0.01
                    row = {"search": search, "sampler": sampler, "seed": seed, "trial": trial}
                    rows.append({**row, **chosen, "error": error})
    return pd.DataFrame(rows)


def overload_table(seeds: int = 5) -> pd.DataFrame:
    """Shares and potentials of encoders."""
    rows = [
        {
            "seed": seed,
            "early_share": 0.2 + 0.01 * seed,
            "late_share": 0.05 + 0.001 * seed,
            "plain_share": 0.0,
            "bounded_phi": 0.499,
            "overloaded_phi": 2.0 + seed,
        }
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def rate_table(seeds: int = 5) -> pd.DataFrame:
    """Variances."""
    rows = [
        {"seed": seed, "rate_variance": 5.0 + seed, "contrast_variance": 0.5}
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows)


def signal_table(seeds: int = 5) -> pd.DataFrame:
    """A neuron that comes near another."""
    ends = [
        {"element": "end", "seed": seed, "difference": 0.002 + 0.0005 * seed}
        for seed in range(seeds)
    ]
    step = np.arange(1, 61)
    trace = {"element": "trace", "seed": 0, "step": step, "received": 0.5 * (step % 3 == 0)}
    for number in (1, 2, 3):
        trace[f"input_{number}"] = 0.1 * number + 0.05 * np.sin(step / 9)
        trace[f"bit_{number}"] = (step % (2 + number) == 0) * 1.0
    trace |= {"epsilon": step**-0.4, "decay": step**-0.75}
    trace |= {"real_state": 0.3 - 0.2 / step, "binary_state": 0.3 - 0.25 / step}
    return pd.concat([pd.DataFrame(ends), pd.DataFrame(trace)], ignore_index=True)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch8.fig8.1": signal_table(),
        "ch8.fig8.2": convergence_table(),
        "ch8.lambda_annealing": long_table(),
        "ch8.exponent_range": exponent_table(),
        "ch8.encoder_overload": overload_table(),
        "ch8.rate_updates_noisy": rate_table(),
        "fig_e1": search_table(),
    }
