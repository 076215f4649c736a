"""Made-up tables of what lies beyond the paper, from closed forms."""

from itertools import product

import numpy as np
import pandas as pd

L_MAX = (2, 3, 4)


def optimizers(seeds=3, networks=L_MAX):
    rng = np.random.default_rng(2)
    rows = []
    for optimizer, batch, l_max, seed in product(
        ("sgd", "adam"), (1, 4, 16, 64, 256), networks, range(seeds)
    ):
        error = 0.05 + 0.02 * l_max + 0.01 * abs(np.log2(batch) - 4) * (optimizer == "sgd")
        error += 0.003 * rng.standard_normal()
        difference = 1e-14 * (1 + seed) * (100 if optimizer == "adam" else 1) / batch**0.5
        for algorithm in ("bp", "zil"):
            zero = algorithm == "bp"
            rows.append(
                dict(
                    optimizer=optimizer,
                    batch_size=batch,
                    algorithm=algorithm,
                    l_max=l_max,
                    seed=seed,
                    epochs=5,
                    mean_test_error=1.3 * error,
                    final_test_error=error,
                    max_weight_difference_to_bp=0.0 if zero else 3 * difference,
                    relative_weight_difference_to_bp=0.0 if zero else difference,
                )
            )
    return pd.DataFrame(rows)


def float32(seeds=3, networks=L_MAX):
    rows = []
    for l_max, seed, (dtype, unit), update in product(
        networks,
        range(seeds),
        (("float64", 1e-16), ("float32", 6e-8)),
        (1, 3, 10, 30, 100, 300, 1000),
    ):
        distance = unit * (1 + 0.3 * seed) * l_max * update**0.5 / 4
        rows.append(
            dict(
                l_max=l_max,
                seed=seed,
                dtype=dtype,
                update=update,
                max_weight_difference=2 * distance,
                relative_weight_difference=distance,
            )
        )
    return pd.DataFrame(rows)


def energy(seeds=3, networks=L_MAX):
    rows = []
    for phase, gamma, l_max, seed, t, sigma in product(
        ("learning", "prediction"),
        (0.01, 0.1, 0.5, 1.0, 5.0),
        networks,
        range(seeds),
        range(65),
        (0.0, 0.1),
    ):
        if gamma > 2:
            value = 10.0 * 4.0 ** min(t, 60)
        else:
            rest = (8.0 / l_max if phase == "learning" else 0.0) + 0.1 * seed * (
                phase == "learning"
            )
            value = rest + (20 + 100 * sigma) * np.exp(-gamma * t / 2)
        if phase == "prediction" and sigma == 0:
            value = 0.0
        rows.append(
            dict(phase=phase, gamma=gamma, l_max=l_max, seed=seed, t=t, energy=value, sigma=sigma)
        )
    return pd.DataFrame(rows)


def prediction(seeds=3, networks=L_MAX):
    rows = [
        dict(
            gamma=gamma,
            l_max=l_max,
            seed=seed,
            t=t,
            max_distance_to_ann=max((1 + 0.2 * seed) * np.exp(-gamma * t / l_max), 1e-15),
        )
        for gamma, l_max, seed, t in product(
            (0.1, 0.5, 1.0), networks, range(seeds), range(0, 129, 4)
        )
    ]
    return pd.DataFrame(rows)
