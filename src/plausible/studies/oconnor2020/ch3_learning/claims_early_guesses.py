"""Checks on figure 3.3 and on how the trained networks compute: early guesses, sparsity.

The thesis compares curves by eye. Here a network's early guess is the moment at which its error has
come within the tolerance of figure 3.3 of its long-run error, that of the vector network with the
same weights. It is compared with a pass of the trained ReLU network, as in the figure, over the
seeds that both have; the range of few operations ends where the error is twice the final one. Both
test parts are judged, that of the thesis first; see ``claims_rows``. Sparsity is known of that of
the thesis alone.
"""

import math

import numpy as np
import pandas as pd

from plausible.measure.budget import cost_to_reach
from plausible.reproduction.evidence import Evidence, Outcome, by_protocol
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    GUESSES,
    TEST_PARTS,
    found,
    on_split,
    parts,
    split,
)
from plausible.studies.oconnor2020.ch3_learning.tables import NETWORKS

ALL, HIDDEN = "operations", "operations_without_input"
SPARSITY = "ch3.sparse_learned_computation"
LEVELS = 10
TITLES = NETWORKS | {"relu": "ReLU weights"}
"""Networks that guess; that of the ReLU weights is tested as a spiking one."""


def _steps(rows: pd.DataFrame, network: str) -> pd.DataFrame:
    """Rows of a spiking network step by step, among those of figure 3.3 on one test part."""
    return rows[(rows["record"] == "anytime") & (rows["network"] == network)].sort_values("step")


def _seeds(rows: pd.DataFrame, network: str) -> list[int]:
    return sorted(set(_steps(rows, network)["seed"]))


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


def low_range_ratio(rows: pd.DataFrame, seed: int) -> float:
    """Operations of FSGD over those of SGD, without the input layer, in the range of few.

    Geometric mean over errors from the lower of both first guesses down to twice the higher of both
    final errors.
    """
    fsgd, sgd = (_curve(rows, name, seed, HIDDEN) for name in ("fsgd", "sgd"))
    top = min(fsgd[1][0], sgd[1][0])
    bottom = min(top, 2.0 * max(fsgd[1][-1], sgd[1][-1]))
    logs = [
        math.log(cost_to_reach(*fsgd, level) / cost_to_reach(*sgd, level))
        for level in np.geomspace(top, bottom, LEVELS)
    ]
    return math.exp(float(np.mean(logs)))


def _fsgd_guesses_better(evidence: Evidence, variant: str = "") -> list[Outcome]:
    outcomes = []
    for protocol, part, rows in parts(evidence, GUESSES):
        seeds = set(_seeds(rows, "sgd"))
        ratios = [low_range_ratio(rows, seed) for seed in _seeds(rows, "fsgd") if seed in seeds]
        note = (
            "operations of FSGD over those of SGD for the same error, without the input layer, "
            f"{split(part)};"
        )
        outcomes.append(found(ratios, protocol, note, high=1.0, variant=on_split(variant, part)))
    return outcomes


def _guess_over_pass(
    evidence: Evidence, rows: pd.DataFrame, network: str, counting: str
) -> list[float]:
    """Operations of the early guess over those of a pass of the trained ReLU network, over seeds.

    A guess that is not good enough after the last step costs more than what was spent by then:
    infinitely much against a dense pass, at least that much against one without zeros.
    """
    within = evidence.bound("guesses_converge", "points", of=GUESSES)
    ratios = []
    for seed in sorted({*_seeds(rows, network)} & {*_seeds(rows, "relu")}):
        cost, error = _curve(rows, network, seed, ALL)
        level = _vector(rows, network, seed, "dense", "error_percent") + within
        reached = cost_to_reach(cost, error, level)
        if math.isnan(reached) and counting == "sparse":
            reached = float(cost[-1])
        ratios.append(reached / _vector(rows, "relu", seed, counting, ALL))
    return ratios


def _guess_outcomes(evidence: Evidence, counting: str, variant: str) -> list[Outcome]:
    """Whether the guesses of all networks are cheaper (dense) or not cheaper (sparse)."""
    bound = {"high": 1.0} if counting == "dense" else {"low": 1.0}
    outcomes = []
    for protocol, part, rows in parts(evidence, GUESSES):
        ratios = {
            title: _guess_over_pass(evidence, rows, network, counting)
            for network, title in TITLES.items()
        }
        note = f"additions until a guess over operations of a {counting} ReLU pass, {split(part)};"
        # What guesses and passes cost depends on the images: those of the demo are mostly not zero.
        told = {"variant": on_split(variant, part), "full_scale": True}
        outcomes.append(found(ratios, protocol, note, **bound, **told))
    return outcomes


def fewer_operations_for_the_same_error(evidence: Evidence) -> list[Outcome]:
    """FSGD against SGD without the input layer, in the range of few operations."""
    return _fsgd_guesses_better(evidence)


def between_dense_and_sparse(evidence: Evidence) -> list[Outcome]:
    """Cost of an early guess against both passes of the vector network, all layers."""
    return [one for name in ("dense", "sparse") for one in _guess_outcomes(evidence, name, name)]


def guesses_converge(evidence: Evidence) -> list[Outcome]:
    """Error after the last step minus that of the vector network with the same weights."""
    bound = evidence.bound("guesses_converge", "points")
    outcomes = []
    for protocol, part, rows in parts(evidence, GUESSES):
        points = {
            title: [
                _curve(rows, network, seed, ALL)[1][-1]
                - _vector(rows, network, seed, "dense", "error_percent")
                for seed in _seeds(rows, network)
            ]
            for network, title in TITLES.items()
        }
        note = f"points after {rows['step'].max():.0f} steps, {split(part)};"
        outcomes.append(found(points, protocol, note, -bound, bound, False, variant=split(part)))
    return outcomes


def both_hypotheses(evidence: Evidence) -> list[Outcome]:
    """Hypothesis 1 fails: no guess is cheaper than a sparse pass. Hypothesis 2 holds."""
    first = _guess_outcomes(evidence, "sparse", "hypothesis 1 fails")
    return first + _fsgd_guesses_better(evidence, "hypothesis 2 holds")


# ----------------------------------------------------------------------- sparsity


def _sparsity(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    columns = ("protocol", "network", "seed", "epoch", "form", "layer")
    measured = ("silent_percent", "operations_variation")
    return by_protocol(evidence.table(SPARSITY, *columns, *measured))


def operations_vary(evidence: Evidence) -> list[Outcome]:
    """Standard deviation over mean of the additions per image, after training."""
    bound = evidence.bound("operations_vary", "coefficient_of_variation")
    outcomes = []
    for protocol, rows in _sparsity(evidence):
        rows = rows[(rows["epoch"] > 0) & (rows["form"] == "spiking") & (rows["layer"] == 1)]
        variation = {
            title: rows.loc[rows["network"] == network, "operations_variation"]
            for network, title in TITLES.items()
        }
        note, variant = "coefficient of variation between images;", split(TEST_PARTS[0])
        outcomes.append(found(variation, protocol, note, low=bound, variant=variant))
    return outcomes


def more_silent_units(evidence: Evidence) -> list[Outcome]:
    """Silent units of both hidden layers after training minus before, in both forms."""
    note = "change of the silent share in points;"
    outcomes = []
    for protocol, rows in _sparsity(evidence):
        rows = rows.assign(trained=rows["epoch"] > 0)
        for form, name in {"spiking": "spikes", "rectified": "vector network"}.items():
            points = {}
            for network in ("fsgd", "sgd"):
                mine = rows[(rows["form"] == form) & (rows["network"] == network)]
                for layer, one in mine.groupby("layer"):
                    wide = one.pivot_table("silent_percent", "seed", "trained")
                    points[f"{TITLES[network]}, layer {layer:g}"] = wide[True] - wide[False]
            variant = on_split(name, TEST_PARTS[0])
            outcomes.append(found(points, protocol, note, low=0.0, variant=variant))
    return outcomes
