"""Made-up tidy tables of PD coding, from closed forms."""

import numpy as np
import pandas as pd


def grid_table(seeds: int = 5) -> pd.DataFrame:
    """Errors that fall and spikes that grow with both coefficients."""
    step, signal = np.arange(60), 2 * np.sin(np.arange(60) / 9)
    cells, traces = [], []
    for seed in range(seeds):
        for k_p in (0.0, 0.1, 2.0):
            for k_d in (0.0, 1.0, 4.0):
                if k_p + k_d == 0:
                    continue
                size = 0.25 / (k_p + k_d)
                key = {"seed": seed, "k_p": k_p, "k_d": k_d}
                cells.append(
                    key
                    | {
                        "element": "cell",
                        "mean_error": size + 0.001 * seed,
                        "number_of_spikes": round(50 * (k_p + k_d)) + seed,
                        "rounding_difference": 0.0 if k_p == 0 else np.nan,
                        "signal_difference": 0.3 if k_p == 0 else np.nan,
                    }
                )
                part = {
                    "element": "trace",
                    "step": step,
                    "signal": signal,
                    "spikes": np.where(step % 7 == 0, 1, 0),
                    "reconstruction": signal + size * (-1.0) ** step,
                }
                if seed == 0:
                    traces.append(pd.DataFrame(part).assign(**key))
    return pd.concat([pd.DataFrame(cells), *traces], ignore_index=True)


def drift_table(seeds: int = 5) -> pd.DataFrame:
    """Errors that grow without k_p, and are the smaller the larger it is."""
    step = np.arange(100)
    errors, traces = [], []
    for seed in range(seeds):
        for k_p, error in ((0.0, 0.1 * step), (0.01, 1.0 + 0 * step), (0.1, 0.1 + 0 * step)):
            for quantized in (True, False):
                key = {"seed": seed, "k_p": k_p, "quantized": quantized}
                off = error * (1.0 + 0.01 * seed)
                means = {"mean_error": off.mean(), "late_error": off[-10:].mean()}
                errors.append(key | {"element": "error"} | means)
                part = {
                    "element": "trace",
                    "step": step,
                    "signal": np.sin(step / 7),
                    "weight": 1.0 + 0 * step,
                    "product": np.sin(step / 7),
                    "estimate": np.sin(step / 7) + off,
                }
                if seed == 0:
                    traces.append(pd.DataFrame(part).assign(**key))
    return pd.concat([pd.DataFrame(errors), *traces], ignore_index=True)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {"ch5.fig5.1": grid_table(), "ch5.fig5.2": drift_table()}
