"""Made-up tidy tables of chapter 1, from closed forms."""

import itertools

import numpy as np
import pandas as pd

from plausible.studies.oconnor2020.ch1.experiment import gaps

from ...part_results import read_sweep


def good_tables() -> dict[str, pd.DataFrame]:
    """Every table that a claim looks at."""
    return {"ch1.gaps": gaps(read_sweep("oconnor2020.ch1", "gaps"), [0], None, None)}


def recall_table() -> pd.DataFrame:
    """Energies that fall as exp(-t), overlaps that rise to 1 or fall to 0.2."""
    kinds = [("binary", 0.05, np.inf, 1.0), ("binary", 0.2, np.inf, 0.2)]
    kinds += [("continuous", 0.05, gain, 0.2 * gain) for gain in (0.5, 2.0, 4.0)]
    rows = [
        (*kind[:3], seed, pattern, t, -0.5 + 0.4 * np.exp(-t), kind[3] - (kind[3] - 0.6) / (1 + t))
        for kind in kinds
        for seed, pattern in itertools.product((0, 1), repeat=2)
        for t in np.linspace(0, 5, 21)
    ]
    columns = ["states", "load", "gain", "seed", "pattern"]
    return pd.DataFrame(rows, columns=[*columns, "updates_per_unit", "energy_per_unit", "overlap"])


def capacity_table(seeds: int = 3) -> pd.DataFrame:
    """Steps at the capacity that are softer in smaller networks."""
    rng = np.random.default_rng(0)
    rows = [
        (units, load, turned, seed, 1 / (1 + np.exp((load - 0.15) * units / 3)) - rng.random() / 50)
        for units in (100, 200, 1000)
        for load in (0.02, 0.05, 0.1, 0.15, 0.2)
        for turned in (0.0, 0.2)
        for seed in range(seeds)
    ]
    rows += [(np.inf, load, np.nan, np.nan, float(load < 0.138)) for load in (0.01, 0.137, 0.139)]
    return pd.DataFrame(rows, columns=["units", "load", "turned_fraction", "seed", "overlap"])


def neuron_table(seeds: int = 3) -> pd.DataFrame:
    """Saw teeth, and rates that are straight lines."""
    time = np.linspace(0.0, 0.1, 101)
    names = ["reset_to_rest", "subtract", "subtract_no_leak"]
    rows = [
        ("potential", name, event, t, 49 * (t % 0.02) * scale, 49 * (t % 0.02) * scale)
        for name, scale in zip(names, (1.0, 0.9, 0.8), strict=True)
        for event in ("sample", "input")
        for t in time
    ]
    rows += [("potential", name, "spike", t, 0.0, np.nan) for name in names for t in time[20::20]]
    columns = ["panel", "neuron", "event", "time_s", "potential", "event_potential"]
    rates = [
        ("rate", name, seed, drive, max(0.0, drive * slope) + seed)
        for name, slope in zip(names, (0.7, 0.8, 1.0), strict=True)
        for seed in range(seeds)
        for drive in (-20.0, 0.0, 100.0, 200.0)
    ]
    return pd.concat(
        [
            pd.DataFrame(rows, columns=columns),
            pd.DataFrame(rates, columns=["panel", "neuron", "seed", "drive_hz", "rate_hz"]),
        ]
    )


def window_table() -> pd.DataFrame:
    """Eq. 1.11 with equal sides, and kernels of ten steps."""
    dt = np.linspace(-0.1, 0.1, 40)
    change = np.sign(dt) * np.exp(-np.abs(dt) / 0.02)
    parts = [
        pd.DataFrame(
            {
                "panel": "window",
                "rule": rule,
                "dt_s": dt,
                "weight_change": height * change,
                "weight_change_online": height * change,
            }
        )
        for rule, height in (("example", 1.0), ("equal_sides", 0.7))
    ]
    steps = np.arange(-12, 13)
    for rule, protocol, kernel in (
        ("chapter5", "as_published", 0.5 * 0.9 ** np.abs(steps)),
        ("chapter5", "corrected", 2.0 * 0.9 ** np.abs(steps)),
        ("chapter6", "corrected", np.sign(steps) * 0.9 ** np.abs(steps)),
    ):
        parts.append(
            pd.DataFrame(
                {
                    "panel": "kernel",
                    "rule": rule,
                    "protocol": protocol,
                    "dt_steps": steps,
                    "kernel": kernel,
                    "correlation": kernel if protocol == "corrected" else 4.0 * kernel,
                }
            )
        )
    return pd.concat(parts)
