"""Checks on figure 3.3 and on how the trained networks compute: early guesses, sparsity.

Guesses are compared at equal operations without the input layer, at budgets from the first guess of
both networks to what a pass of the trained ReLU network costs there without its zeros; and by what
it costs to come down to three errors, against both passes of the trained ReLU network. All are
compared over the seeds that both networks have. Both test parts are measured, that of the thesis
first; see ``claims_rows``. Sparsity is known of that of the thesis alone.
"""

import math

import numpy as np
import pandas as pd

from plausible.measure.budget import cost_to_reach, error_at
from plausible.reproduction.evidence import Evidence, Measured, by_protocol
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    GUESSES,
    TEST_PARTS,
    on_split,
    parts,
    split,
)
from plausible.studies.oconnor2020.ch3_learning.tables import NETWORKS

ALL, HIDDEN = "operations", "operations_without_input"
SPARSITY, COUNTED = "ch3.sparse_learned_computation", "beyond.counted_additions"
BUDGETS = 6
LEVELS = {"error of 10 %": 10.0, "error of 5 %": 5.0}
WITHIN, LONG_RUN = 0.5, "0.5 points above the long run"
"""Errors of an early guess: two fixed ones, and so many points above its own long-run error."""
TITLES = NETWORKS | {"relu": "ReLU weights"}
"""Networks that guess; that of the ReLU weights is tested as a spiking one."""
SPIKING_TRAINED = ("fsgd", "sgd", "fsgd_regularised")


def _steps(rows: pd.DataFrame, network: str) -> pd.DataFrame:
    """Rows of a spiking network step by step, among those of figure 3.3 on one test part."""
    return rows[(rows["record"] == "anytime") & (rows["network"] == network)].sort_values("step")


def _seeds(rows: pd.DataFrame, *networks: str) -> list[int]:
    """Seeds that all these networks have."""
    return sorted(set.intersection(*(set(_steps(rows, name)["seed"]) for name in networks)))


def _curve(
    rows: pd.DataFrame, network: str, seed: int, column: str
) -> tuple[np.ndarray, np.ndarray]:
    """Operations so far and error after each step."""
    steps = _steps(rows, network)
    return steps[steps["seed"] == seed][[column, "error_percent"]].to_numpy(dtype=float).T


def _vector(rows: pd.DataFrame, network: str, seed: int, counting: str, column: str) -> float:
    """Error or operations of the vector network with the weights of a spiking one."""
    same = (rows["record"] == "final") & (rows["form"] == "rectified") & (rows["seed"] == seed)
    same &= (rows["network"] == network) & (rows["counting"] == counting)
    return float(rows.loc[same, column].iloc[0])


def at_equal_operations(
    rows: pd.DataFrame, network: str, other: str, seed: int
) -> tuple[np.ndarray, np.ndarray]:
    """Budgets ``[BUDGETS]``, and the error of ``network`` less that of ``other`` at each."""
    curves = [_curve(rows, name, seed, HIDDEN) for name in (network, other)]
    first = max(cost[0] for cost, _ in curves)
    last = max(first, _vector(rows, "relu", seed, "sparse", HIDDEN))
    # Rounding must not move a budget below the first guess.
    budgets = np.clip(np.geomspace(first, last, BUDGETS), first, last)
    mine, others = (error_at(*curve, budgets) for curve in curves)
    return budgets, mine - others


def _better_guesses(
    evidence: Evidence, network: str, other: str, variant: str = ""
) -> list[Measured]:
    """Errors at equal operations, by budget."""
    found = []
    for protocol, part, rows in parts(evidence, GUESSES):
        seeds = _seeds(rows, network, other, "relu")
        compared = [at_equal_operations(rows, network, other, seed) for seed in seeds]
        budgets, points = (np.array(one) for one in zip(*compared, strict=True))
        names = [f"at {mean / 1e3:.3g} k" for mean in budgets.mean(axis=0)]
        values = dict(zip(names, points.T, strict=True))
        found.append(Measured(protocol, values, on_split(variant, part)))
    return found


def fsgd_makes_better_early_guesses(evidence: Evidence) -> list[Measured]:
    """FSGD against SGD."""
    return _better_guesses(evidence, "fsgd", "sgd")


def spiking_training_makes_better_early_guesses(evidence: Evidence) -> list[Measured]:
    """Each spiking-trained network against the spiking one with ReLU weights."""
    return [
        one
        for network in SPIKING_TRAINED
        for one in _better_guesses(evidence, network, "relu", TITLES[network])
    ]


def _over_pass(rows: pd.DataFrame, network: str, counting: str) -> dict[str, list[float]]:
    """Operations of early guesses over those of a pass of the ReLU network, by error level.

    An error that is not reached costs more than what was spent by then: at least that much against
    a pass without zeros; against a dense one, the statement has failed.
    """
    ratios: dict[str, list[float]] = {}
    for seed in _seeds(rows, network, "relu"):
        cost, error = _curve(rows, network, seed, ALL)
        long_run = _vector(rows, network, seed, "dense", "error_percent")
        for name, level in (LEVELS | {LONG_RUN: long_run + WITHIN}).items():
            reached = cost_to_reach(cost, error, level)
            if math.isnan(reached) and counting == "sparse":
                reached = float(cost[-1])
            ratio = reached / _vector(rows, "relu", seed, counting, ALL)
            ratios.setdefault(name, []).append(ratio)
    return ratios


def _costs(evidence: Evidence, counting: str) -> list[Measured]:
    """Early guesses of all networks against a pass of the trained ReLU network, by error level.

    What guesses and passes cost depends on the images: those of the demo are mostly not zero.
    """
    found = []
    for protocol, part, rows in parts(evidence, GUESSES):
        ratios = {title: _over_pass(rows, name, counting) for name, title in TITLES.items()}
        for level in (*LEVELS, LONG_RUN):
            values = {title: by_level[level] for title, by_level in ratios.items()}
            missed = any(np.isnan(one).any() for one in values.values())
            note = "a run that never came down to this error counts as diverged" if missed else ""
            found.append(Measured(protocol, values, on_split(level, part), note, full_scale=True))
    return found


def early_guess_costs_more_than_a_sparse_pass(evidence: Evidence) -> list[Measured]:
    """Against a pass of the ReLU network that leaves out zeros, all layers."""
    return _costs(evidence, "sparse")


def early_guess_is_cheaper_than_a_dense_pass(evidence: Evidence) -> list[Measured]:
    """Against a pass of the ReLU network with all products, all layers."""
    return _costs(evidence, "dense")


def relu_weights_end_at_the_relu_network(evidence: Evidence) -> list[Measured]:
    """Error after the last step minus that of the ReLU network."""
    found = []
    for protocol, part, rows in parts(evidence, GUESSES):
        points = [
            _curve(rows, "relu", seed, ALL)[1][-1]
            - _vector(rows, "relu", seed, "dense", "error_percent")
            for seed in _seeds(rows, "relu")
        ]
        note = f"after {rows['step'].max():.0f} steps"
        found.append(Measured(protocol, points, split(part), note))
    return found


# ----------------------------------------------------------------------- sparsity


def _sparsity(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    columns = ("protocol", "network", "seed", "epoch", "form", "layer")
    measured = ("silent_percent", "operations_variation")
    return by_protocol(evidence.table(SPARSITY, *columns, *measured))


def operations_vary(evidence: Evidence) -> list[Measured]:
    """Standard deviation over mean of the additions per image, after training."""
    found = []
    for protocol, rows in _sparsity(evidence):
        rows = rows[(rows["epoch"] > 0) & (rows["form"] == "spiking") & (rows["layer"] == 1)]
        variation = {
            title: rows.loc[rows["network"] == network, "operations_variation"]
            for network, title in TITLES.items()
        }
        found.append(Measured(protocol, variation, split(TEST_PARTS[0])))
    return found


def operations_are_spikes_times_fan_out(evidence: Evidence) -> list[Measured]:
    """Additions counted one by one less the sum over layers, of every image."""
    rows = evidence.table(COUNTED, "seed", "image", "counted", "fan_out", "own_size")
    return [
        Measured(
            "",
            rows["counted"] - rows["fan_out"],
            note=f"{len(rows)} images",
            seeded=False,
            exact_seeds=rows["seed"].nunique(),
            controls={"own_size": (rows["counted"] - rows["own_size"]).abs()},
        )
    ]


def more_silent_units(evidence: Evidence) -> list[Measured]:
    """Silent units of both hidden layers after training minus before, in both forms."""
    found = []
    for protocol, rows in _sparsity(evidence):
        rows = rows.assign(trained=rows["epoch"] > 0)
        for form, name in {"spiking": "spikes", "rectified": "vector network"}.items():
            points = {}
            for network in ("fsgd", "sgd"):
                mine = rows[(rows["form"] == form) & (rows["network"] == network)]
                for layer, one in mine.groupby("layer"):
                    wide = one.pivot_table("silent_percent", "seed", "trained")
                    points[f"{TITLES[network]}, layer {layer:g}"] = wide[True] - wide[False]
            found.append(Measured(protocol, points, on_split(name, TEST_PARTS[0])))
    return found
