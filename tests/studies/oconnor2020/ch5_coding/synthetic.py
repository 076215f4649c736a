"""Made-up tidy tables of PD coding, from closed forms."""

import numpy as np
import pandas as pd


def grid_table(seeds: int = 5) -> pd.DataFrame:
    """Errors that fall and spikes that grow with both coefficients."""
    step = np.arange(60)
    rows = []
    for seed in range(seeds):
        signal = 2 * np.sin(step / 9 + seed)
        for k_p in (0.0, 0.1, 2.0):
            for k_d in (0.0, 1.0, 4.0):
                if k_p + k_d == 0:
                    continue
                size = 0.25 / (k_p + k_d)
                rounded = np.rint(k_d * signal) / k_d if k_p == 0 else np.full(60, np.nan)
                reconstruction = rounded if k_p == 0 else signal + size * (-1.0) ** step
                part = {
                    "seed": seed,
                    "k_p": k_p,
                    "k_d": k_d,
                    "step": step,
                    "signal": signal,
                    "spikes": np.where(step % 7 == 0, 1, 0),
                    "reconstruction": reconstruction,
                    "rounded": rounded,
                    "mean_error": size + 0.001 * seed,
                    "number_of_spikes": round(50 * (k_p + k_d)) + seed,
                }
                rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)


def drift_table(seeds: int = 5) -> pd.DataFrame:
    """Errors that grow without k_p, and are the smaller the larger it is."""
    step = np.arange(100)
    rows = []
    for seed in range(seeds):
        product = np.sin(step / 7 + seed)
        for k_p, error in ((0.0, 0.1 * step), (0.01, 1.0 + 0 * step), (0.1, 0.1 + 0 * step)):
            for quantized in (True, False):
                part = {
                    "seed": seed,
                    "k_p": k_p,
                    "quantized": quantized,
                    "step": step,
                    "signal": product,
                    "weight": 1.0 + 0 * step,
                    "product": product,
                    "estimate": product + error * (1.0 + 0.01 * seed),
                }
                rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {"ch5.fig5.1": grid_table(), "ch5.fig5.2": drift_table()}
