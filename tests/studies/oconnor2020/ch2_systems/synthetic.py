"""Made-up tidy tables of chapter 2's systems, from closed forms."""

import numpy as np
import pandas as pd


def graph_table(seeds: int = 3) -> pd.DataFrame:
    """Two steps, run as they are drawn."""
    rows = [
        ("theta", "theta", 0, "", 0.0, 2.6),
        ("z_0", "z", 0, "", 0.0, 1.0),
        ("x_1", "x", 1, "", 1.0, 0.0),
        ("z_1", "z", 1, "x_1; z_0; theta", 1.0, 1.0),
        ("loss_1", "loss", 1, "z_1", 1.0, 2.0),
        ("x_2", "x", 2, "", 2.0, 0.0),
        ("z_2", "z", 2, "x_2; z_1; theta", 2.0, 1.0),
        ("loss_2", "loss", 2, "z_2", 2.0, 2.0),
    ]
    columns = ["node", "kind", "step", "inputs", "x", "y"]
    frame = pd.DataFrame(rows, columns=columns)
    known = frame["kind"].isin(["z", "loss"])
    frame["deviation"] = np.where(known, 0.0, np.nan)
    frame["two_steps"] = np.where(known, 0.3 * frame["step"], np.nan)
    return pd.concat([frame.assign(seed=seed) for seed in range(seeds)], ignore_index=True)


def divergence_table(seeds: int = 3, machines: int = 5) -> pd.DataFrame:
    """Distances that fall by a factor with every step."""
    rows = [
        {
            "weight_deviation": deviation,
            "seed": seed,
            "machine": machine,
            "gibbs_steps": step,
            "distance": 0.9 * (0.2 * deviation + 0.02 * machine) ** step,
            "other_rise": 0.2 + 0.01 * machine,
            "bias": 0.5 * (0.2 * deviation + 0.02 * machine) ** step if step else np.nan,
        }
        for deviation in (0.5, 1.0, 2.0)
        for seed in range(seeds)
        for machine in range(machines)
        for step in range(9)
    ]
    return pd.DataFrame(rows)


def costs_table() -> pd.DataFrame:
    """Powers of the width and of the horizon; both counts of RTRL are the published factor."""
    rows = []
    for units in (32, 64, 128, 100):
        weights = 2 * units**2
        for rule, cost in (
            ("forward", weights),
            ("recurrent_product", units**2),
            ("rtrl", weights * 2 * units**2),
            ("recurrent_influence", 2 * units**4),
            ("uoro", 11 * units**2),
        ):
            rows.append((rule, units, units, np.nan, weights, cost))
    for horizon in (1, 4, 16):
        for rule, cost in (("bptt", 3000 * horizon), ("bptt_each_horizon", 3000)):
            rows.append((rule, 32, 32, horizon, 2048, cost))
    columns = ["rule", "units", "inputs", "horizon", "weights", "multiplications"]
    return pd.DataFrame(rows, columns=columns)


def projections_table(seeds: int = 3) -> pd.DataFrame:
    """Means that come nearer; signs that make no difference."""
    rng = np.random.default_rng(0)
    exact = rng.normal(size=30)
    weights = [
        {"element": "weight", "seed": 0, "weight": number, "gradient": value,
         "estimate": value + 3 * rng.normal(), "mean": value + 0.1 * rng.normal(),
         "standard_error": 0.1}
        for number, value in enumerate(exact)
    ]  # fmt: skip
    rows = []
    for seed in range(seeds):
        for horizon in (1, 4, 16):
            deviation = 3.0 + 0.1 * seed + 0.1 * horizon
            rows.append({"element": "horizon", "seed": seed, "horizon": horizon}
                        | {"deviation": deviation})  # fmt: skip
            error = (4.0 + 0.2 * seed) / np.sqrt(horizon)
            rows.append({"element": "mean", "seed": seed, "estimates": horizon, "error": error})
        for network in range(10):
            ratio = 0.1 * (network - 4.5)
            signs = {"hadamard": 2 * ratio, "hadamard_random_sign": ratio}
            signs["mean_of_four"] = -1.386 + 0.1 * ratio
            rows.append({"element": "signs", "seed": seed, "network": network, **signs})
    return pd.DataFrame([*weights, *rows])


def target_table(seeds: int = 5) -> pd.DataFrame:
    """A network that learns, and one that does not go on."""
    rows = [
        (name, seed, epoch, error, cosine)
        for seed in range(seeds)
        for epoch in range(6)
        for name, error, cosine in (
            ("target_propagation", 5.0 + 40.0 / (1 + epoch) + 0.1 * seed, 0.3 + 0.05 * epoch),
            ("frozen", 13.0 + 40.0 / (1 + epoch) + 0.1 * seed, 0.3 + 0.01 * seed),
        )
    ]
    columns = ["network", "seed", "epoch", "test_error_percent", "feedback_cosine"]
    return pd.DataFrame(rows, columns=columns)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch2.fig2.2": graph_table(),
        "ch2.cd_closer_to_model": divergence_table(),
        "ch2.rtrl_cost": costs_table(),
        "ch2.uoro_pseudorandom": projections_table(),
        "ch2.target_prop_discrete": target_table(),
    }
