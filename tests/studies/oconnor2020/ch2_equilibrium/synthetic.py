"""Made-up tidy tables of equilibrium propagation."""

import numpy as np
import pandas as pd


def phases_table(seeds: int = 3) -> pd.DataFrame:
    """Hidden units that rise, outputs that go a tenth of the way to their targets."""
    rows = []
    for seed in range(seeds):
        for phase, begin, end in (("negative", 0, 10), ("positive", 10, 20)):
            for step in range(begin, end + 1):
                for unit in range(3):
                    rows.append((seed, phase, step, 0, unit, 0.3 * unit, None))
                    rows.append((seed, phase, step, 1, unit, 0.02 * step * unit, None))
                for unit in range(2):
                    pulled = 0.01 * max(step - 10, 0) * (1.0 + 0.1 * seed)
                    state = 0.5 + (pulled if unit == 0 else -pulled)
                    rows.append((seed, phase, step, 2, unit, state, 1.0 - unit))
    columns = ["seed", "phase", "step", "layer", "unit", "state", "target"]
    return pd.DataFrame(rows, columns=columns)


def error_table(seeds: int = 3) -> pd.DataFrame:
    """Errors in proportion to beta, and errors that grow as beta falls."""
    rows = [
        (seed, phases, form, beta, (1 + seed / 10) * (beta if phases == "settled" else 1 / beta), 1)
        for seed in range(seeds)
        for phases in ("settled", "unsettled")
        for form in ("energy", "linearised")
        for beta in (0.001, 0.01, 0.1, 1.0)
    ]
    columns = ["seed", "phases", "contrast", "beta", "relative_error", "cosine"]
    return pd.DataFrame(rows, columns=columns)


def bits_table() -> pd.DataFrame:
    """Bits lose everything."""
    rows = []
    for network in range(20):
        rows.append((network, "real", 0.1, 0.999 + 1e-5 * network))
        rows.append((network, "bits", 0.97 + 0.001 * network, 0.01 * network))
    return pd.DataFrame(rows, columns=["network", "states", "unchanged_share", "cosine"])


def training_table(seeds: int = 5) -> pd.DataFrame:
    """Both kinds of weights learn alike; the untied ones become symmetric and settle."""
    rows = []
    for seed in range(seeds):
        for weights in ("tied", "untied"):
            for epoch in (0.0, 1.0, 5.0, 25.0):
                error = 2.5 + 85.0 * np.exp(-2.0 * epoch) + 0.02 * seed
                error += 0.01 * seed if weights == "untied" else 0.0
                last = epoch == 25.0 and weights == "untied"
                rows.append(
                    {
                        "weights": weights,
                        "seed": seed,
                        "epoch": epoch,
                        "training_error_percent": error - 0.5,
                        "thesis_error_percent": error,
                        "official_error_percent": error + 0.1,
                        "symmetry": 0.02 * epoch + 0.001 * seed if weights == "untied" else None,
                        "settled_share": 1.0 if last else None,
                        "random_settled_share": 0.5 + 0.01 * seed if last else None,
                    }
                )
    return pd.DataFrame(rows)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch2.fig2.3": phases_table(),
        "ch2.eqprop_needs_fine_states": bits_table(),
        "ch2.asymmetric_still_settles": training_table(),
        "beyond.gradient_error": error_table(),
    }
