"""Made-up tidy tables of update rules, from closed forms."""

import numpy as np
import pandas as pd


def areas_table(seeds: int = 3) -> pd.DataFrame:
    """Products that decay by a fifth a step, and areas by the right formulas."""
    step, rest, last, now = np.arange(120), 0.19, 30, 60
    rows = []
    for seed in range(seeds):
        u = 2.0 + seed
        v = u * 0.81 ** (now - last)
        areas = {
            "last_event": last,
            "event": now,
            "past_area": (u - v) / rest,
            "past_formula": (u - v) / rest,
            "future_area": u / rest,
            "future_formula": u / rest,
            "past_difference": 1e-15,
            "undecayed_difference": 0.1,
            "future_difference": 1e-15,
            "printed_difference": 2.0,
        }
        rows.append({"element": "area", "seed": seed, **areas})
    product = np.where(step >= last, 2.0 * 0.81 ** np.maximum(step - last, 0.0), 0.0)
    product = np.where(step >= now, 2.0 * 0.81 ** np.maximum(step - now, 0.0), product)
    trace = pd.DataFrame(
        {
            "element": "trace",
            "seed": 0,
            "step": step,
            **{side: np.sin(step / 30) for side in "xe"},
            **{f"{side}_spikes": np.where(step % 30 == 0, 1, 0) for side in "xe"},
            **{f"{side}_reconstruction": np.sqrt(product) for side in "xe"},
            "product": np.sin(step / 30) ** 2,
            "product_of_reconstructions": product,
        }
    )
    return pd.concat([pd.DataFrame(rows), trace], ignore_index=True)


def kernel_table() -> pd.DataFrame:
    """Two mirrored kernels and an antisymmetric one."""
    lag = np.arange(-20, 21)
    size = 0.9 ** np.abs(lag)
    classic = np.sign(lag) * size
    zeros = ("numerical_difference", "asymmetry", "decay_difference")
    parts = [
        pd.DataFrame(
            {
                "panel": panel,
                "lag_steps": lag,
                "change": sign * size,
                "numerical": sign * size,
                **dict.fromkeys(zeros, 0.0),
                **{f"unequal_{name}": 0.4 for name in zeros},
                "mirror_difference": 0.0,
            }
        )
        for panel, sign in (("same_sign", -1.0), ("opposite_sign", 1.0))
    ]
    part = {"panel": "classic", "lag_steps": lag, "change": classic, "asymmetry": 0.0}
    parts.append(pd.DataFrame({**part, "unequal_asymmetry": 0.3}))
    return pd.concat(parts, ignore_index=True)


def rules_table(seeds: int = 3) -> pd.DataFrame:
    """Rules that take other ways to the same end; nothing is printed wrong."""
    names = ("reconstruction", "past", "future", "stdp", "printed_past", "printed_future")
    apart = {
        "final_difference": 0.0,
        "printed_difference": 0.0,
        "middle_difference": 0.2,
        "past_and_future": 0.3,
        "future_and_stdp": 0.0,
    }
    rows = [
        {"element": "end", "seed": seed, **dict.fromkeys(names, 3.0 + seed), **apart}
        for seed in range(seeds)
    ]
    step = np.arange(100)
    way = np.minimum(step / 80, 1.0) * 3.0
    trace = pd.DataFrame(
        {
            "element": "trace",
            "seed": 0,
            "step": step,
            **{f"{side}_spikes": np.where(step % 9 == 0, 1, 0) for side in "xe"},
            **{f"{side}_reconstruction": np.cos(step / 9) for side in "xe"},
            "reconstruction": way,
            "past": np.where(step < 80, way - 0.5, way),
            "future": way + np.where(step < 80, 0.5, 0.0),
            "stdp": way + np.where(step < 80, 0.5, 0.0),
        }
    )
    return pd.concat([pd.DataFrame(rows), trace], ignore_index=True)


def approximation_table(seeds: int = 5) -> pd.DataFrame:
    """Distances that fall with both coefficients, and are large on the axes."""
    step, parts = np.arange(50), []
    for seed in range(seeds):
        wave = np.sin(step / 9)
        parts.append(
            pd.DataFrame(
                {
                    "element": "trace",
                    "seed": seed,
                    "step": step,
                    "signal": wave,
                    "weight": 1.0 + 0 * wave,
                    "product": wave,
                    "estimate": wave + 0.1,
                }
            )
        )
        cells = []
        for k_p in (0.0, 0.001, 0.01, 0.1):
            for k_d in (0.0, 0.1, 1.0, 10.0):
                if k_p + k_d > 0:
                    distance = 0.1 / (k_d + 0.1) + 0.05 * k_d / (k_d + 100 * k_p + 0.1)
                    distance = 0.99 if 0 in (k_p, k_d) else distance * (1 + 0.01 * seed)
                    spikes = 100 * k_d + 1000 * k_p + 10
                    one = 1.0 - distance
                    cells.append(("cell", seed, k_p, k_d, one, one, one, spikes))
        columns = ["element", "seed", "k_p", "k_d", "weight_similarity"]
        columns += ["quantization_similarity", "both_similarity", "number_of_spikes"]
        parts.append(pd.DataFrame(cells, columns=columns))
    return pd.concat(parts, ignore_index=True)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch5.fig5.3": areas_table(),
        "ch5.fig5.4": kernel_table(),
        "fig_c1": rules_table(),
        "fig_c2": approximation_table(),
    }
