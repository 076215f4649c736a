"""Made-up tidy tables of chapter 9."""

import numpy as np
import pandas as pd

from plausible.studies.oconnor2020.ch9 import tables
from plausible.studies.oconnor2020.ch9.experiment import SYSTEMS

MEASURED = {
    "backprop": (0.1, 0.9),
    "eqprop": (0.3, 9.0),
    "deep_spiking": (1.0, 0.1),
    "sigma_delta": (1.0, 0.2),
    "pdnn": (1.0, 0.05),
    "initialized_eqprop": (0.0, 8.0),
    "spiking_eqprop": (1.0, 20.0),
}


def characteristics_table(seeds: int = 3) -> pd.DataFrame:
    """Properties as the published marks say."""
    assert set(MEASURED) == set(SYSTEMS)
    rows = [
        (system, seed, whole, cost * (1 + 0.01 * seed))
        for system, (whole, cost) in MEASURED.items()
        for seed in range(seeds)
    ]
    return pd.DataFrame(rows, columns=["system", "seed", "whole_share", "partial_cost"])


def forgetting_table(seeds: int = 3) -> pd.DataFrame:
    """Networks that forget."""
    errors = {"first": (3.0, 100.0), "second": (97.0, 3.0), "both": (4.0, 4.0)}
    rows = [
        (
            network,
            "interleaved" if stage == "both" else "halves",
            seed,
            stage,
            old + 0.1 * seed,
            new,
        )
        for network in ("pdnn", "mlp")
        for stage, (old, new) in errors.items()
        for seed in range(seeds)
    ]
    columns = ["network", "order", "seed", "stage", "old_error_percent", "new_error_percent"]
    return pd.DataFrame(rows, columns=columns)


def responses_table() -> pd.DataFrame:
    """A neuron in continuous time and in steps."""
    arrivals = pd.DataFrame(
        {"element": "arrival", "time": [1.0, 2.5, 6.0], "value": [0.2, -0.1, 0.3]}
    )
    parts = [arrivals]
    for step, times in ((0.0, np.linspace(0.1, 10, 100)), (1.0, np.arange(1.0, 11.0))):
        state = {"element": "state", "step": step, "time": times, "value": 1 - np.exp(-times / 4)}
        parts += [pd.DataFrame(state)]
        parts += [pd.DataFrame({"element": "sent", "step": step, "time": [3.0, 5.0, 8.0 + step]})]
    return pd.concat(parts, ignore_index=True)


def inference_table(seeds: int = 3) -> pd.DataFrame:
    """Systems that cost twice as much from one to the next; those with products skip half."""
    rows = []
    for place, (system, order) in enumerate(tables.SYSTEMS):
        real = system in ("mlp", "eqprop", "initialised_forward", "initialised_eqprop")
        place -= order == "temporal"
        for seed in range(seeds):
            count = 1000.0 * 2**place
            rows.append(
                {
                    "system": system,
                    "order": order,
                    "seed": seed,
                    "additions": count,
                    "multiplications": count * real,
                    "nonzero_multiplications": count / 2 if real else np.nan,
                    "unit_multiplications": 500.0,
                    "energy_nj": (3.2 if real else 0.1) * count / 1e3,
                    "nonzero_energy_nj": 1.6 * count / 1e3 if real else np.nan,
                    "unit_energy_nj": 1.55,
                    "error_percent": 2.0 + 0.3 * place + 0.05 * seed,
                }
            )
    return pd.DataFrame(rows)


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {
        "ch9.table9.1": characteristics_table(),
        "ch9.catastrophic_forgetting": forgetting_table(),
    }
