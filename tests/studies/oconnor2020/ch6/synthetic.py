"""Made-up tidy tables of chapter 6, from closed forms."""

import numpy as np
import pandas as pd


def rising_rate_table(seeds: int = 5) -> pd.DataFrame:
    """Rates that are counted exactly, and sums that follow the slope."""
    lag, slopes = np.arange(-20, 21), (-100.0, 0.0, 100.0)
    means = [
        {
            "element": "mean",
            "slope_hz_per_s": slope,
            "seed": seed,
            "after_less_before": slope / 100 + 0.01 * seed,
            "weight_change": slope / 1000 + 0.001 * seed,
        }
        for slope in slopes
        for seed in range(seeds)
    ]
    curves = [
        pd.DataFrame(
            {
                "element": "curve",
                "slope_hz_per_s": slope,
                "lag_ms": lag,
                "rate_hz": 20 + slope * 1e-3 * lag,
                "spikes_per_s": 20.2 + slope * 1e-3 * lag,
                "stdp": np.sign(lag) * np.exp(-np.abs(lag) / 10),
            }
        )
        for slope in slopes
    ]
    return pd.concat([pd.DataFrame(means), *curves], ignore_index=True)


def circuit_table() -> pd.DataFrame:
    """A sender of three blocks that is as it is drawn."""
    rows = [
        ("signal", "x", "", 0.0, 0.0),
        ("difference", "−", "signal; prediction", 1.2, 0.0),
        ("quantizer", "Q", "difference", 2.4, 0.0),
        ("sum", "+", "quantizer; prediction", 3.2, -1.0),
        ("delay", "Δt", "sum", 2.2, -1.8),
        ("prediction", "P", "delay", 1.2, -1.0),
    ]
    columns = ["block", "label", "inputs", "x", "y"]
    table = pd.concat(
        [pd.DataFrame(rows, columns=columns).assign(seed=seed) for seed in (0, 1)],
        ignore_index=True,
    )
    known = ~table["block"].isin(["delay", "prediction"])
    return table.assign(
        deviation=np.where(known, 0.0, np.nan), longer_delay=np.where(known, 2.0, np.nan)
    )


def kernel_table() -> pd.DataFrame:
    """Formula and numbers that agree."""
    lag = np.arange(-12, 13)
    size = np.abs(lag)
    shapes = {
        "decoding": np.where(lag >= 0, 0.9**size, 0.0),
        "symmetric": 0.9**size / 0.19,
        "difference": 0.5 * ((lag == -1).astype(float) - (lag == 1)),
        "stdp": np.sign(lag) * 0.9**size / 1.8,
    }
    parts = [
        pd.DataFrame(
            {
                "kernel": name,
                "lag_steps": lag,
                "formula": shape,
                "numerical": shape,
                "deviation": 1e-16,
                "late_deviation": np.abs(np.append(np.nan, shape[:-1]) - shape),
            }
        )
        for name, shape in shapes.items()
    ]
    return pd.concat(parts, ignore_index=True)


def synapse_table(seeds: int = 5) -> pd.DataFrame:
    """A weight that swings; STDP lags behind until the signals end."""
    step = np.arange(200)
    active = np.clip((160 - step) / 160, 0, 1)
    swing = np.sin(step / 12)
    ends = [
        {
            "element": "end",
            "seed": seed,
            "dynamics": 1.0,
            "approximate_dynamics": 1.2 + seed,
            "stdp": 1.2 + seed,
            "final_difference": 1e-13,
            "early_difference": 0.5,
            "correlation": 0.98 - 0.001 * seed,
            "other_correlation": 0.1 * seed,
        }
        for seed in range(seeds)
    ]
    trace = pd.DataFrame(
        {
            "element": "trace",
            "seed": 0,
            "step": step,
            "pre": 5 * active,
            "post": 4 * active,
            "pre_spike": (step % 3 == 0) * (active > 0) * 1.0,
            "post_spike": (step % 4 == 0) * (active > 0) * 1.0,
            "pre_reconstruction": 5 * active + 0.1,
            "post_reconstruction": 4 * active + 0.1,
            "post_rate": np.gradient(4 * active),
            "post_reconstruction_rate": np.gradient(4 * active) + 0.1 * (step % 2),
            "dynamics": swing,
            "approximate_dynamics": swing + 0.05,
            "stdp": swing + 0.05 + np.where(active > 0, 0.5, 0.0),
        }
    )
    return pd.concat([pd.DataFrame(ends), trace], ignore_index=True)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch6.fig6.2": rising_rate_table(),
        "ch6.fig6.3": circuit_table(),
        "ch6.fig6.4": kernel_table(),
        "ch6.fig6.5": synapse_table(),
    }
