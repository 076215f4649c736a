"""Checks on figure 3.3 and on how the trained networks compute: early guesses, sparsity.

The thesis compares curves by eye. Here a network's early guess is the moment at which its error has
come within the tolerance of figure 3.3 of its long-run error, that of the vector network with the
same weights. It is compared with a pass of the trained ReLU network, as in the figure, over the
seeds that both have; the range of few operations ends where the error is twice the final one. Both
test parts are judged, that of the thesis first; see ``claims_rows``. Sparsity is known of that of
the thesis alone.
"""

import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from plausible.measure.budget import cost_to_reach
from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
)
from plausible.studies.oconnor2020.ch3_learning.claims_rows import (
    GUESSES,
    TEST_PARTS,
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


class Curves(NamedTuple):
    """Rows of the spiking networks step by step on one test part, and of their vector networks."""

    steps: pd.DataFrame
    vectors: pd.DataFrame


def curves_of(rows: pd.DataFrame) -> Curves:
    """Curves among the rows of figure 3.3 on one test part."""
    vectors = rows[(rows["record"] == "final") & (rows["form"] == "rectified")]
    return Curves(rows[rows["record"] == "anytime"].sort_values("step"), vectors)


def _seeds(curves: Curves, network: str) -> list[int]:
    return sorted(set(curves.steps.loc[curves.steps["network"] == network, "seed"]))


def _curve(curves: Curves, network: str, seed: int, column: str) -> tuple[np.ndarray, np.ndarray]:
    """Operations so far and error after each step."""
    steps = curves.steps
    chosen = steps[(steps["network"] == network) & (steps["seed"] == seed)]
    return chosen[column].to_numpy(), chosen["error_percent"].to_numpy()


def _vector(curves: Curves, network: str, seed: int, counting: str, column: str) -> float:
    """Error or operations of the vector network with the weights of a spiking one."""
    rows = curves.vectors
    same = (rows["network"] == network) & (rows["seed"] == seed)
    return float(rows.loc[same & (rows["counting"] == counting), column].iloc[0])


def low_range_ratio(curves: Curves, seed: int) -> float:
    """Operations of FSGD over those of SGD, without the input layer, in the range of few.

    Geometric mean over errors from the lower of both first guesses down to twice the higher of both
    final errors.
    """
    fsgd, sgd = (_curve(curves, name, seed, HIDDEN) for name in ("fsgd", "sgd"))
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
        curves = curves_of(rows)
        seeds = [seed for seed in _seeds(curves, "fsgd") if seed in _seeds(curves, "sgd")]
        judged = judge([low_range_ratio(curves, seed) for seed in seeds], high=1.0)
        note = (
            "operations of FSGD over those of SGD for the same error, without the input layer, "
            f"{split(part)}; must be < 1"
        )
        outcomes.append(outcome_of(judged, protocol, note, variant=on_split(variant, part)))
    return outcomes


def _guess_over_pass(evidence: Evidence, curves: Curves, network: str, counting: str) -> Judgement:
    """Operations of the early guess over those of a pass of the trained ReLU network, over seeds.

    A guess that is not good enough after the last step costs more than what was spent by then:
    infinitely much against a dense pass, at least that much against one without zeros.
    """
    within = evidence.bound("guesses_converge", "points", of=GUESSES)
    ratios = []
    for seed in _seeds(curves, network):
        if seed not in _seeds(curves, "relu"):
            continue
        cost, error = _curve(curves, network, seed, ALL)
        level = _vector(curves, network, seed, "dense", "error_percent") + within
        reached = cost_to_reach(cost, error, level)
        never = math.nan if counting == "dense" else float(cost[-1])
        reached = never if math.isnan(reached) else reached
        ratios.append(reached / _vector(curves, "relu", seed, counting, ALL))
    low, high = (-math.inf, 1.0) if counting == "dense" else (1.0, math.inf)
    return judge(ratios, low, high)


def _guess_outcomes(evidence: Evidence, counting: str, variant: str) -> list[Outcome]:
    """Whether the guesses of all networks are cheaper (dense) or not cheaper (sparse)."""
    sign = "<" if counting == "dense" else ">"
    outcomes = []
    for protocol, part, rows in parts(evidence, GUESSES):
        curves = curves_of(rows)
        judged = {
            TITLES[network]: _guess_over_pass(evidence, curves, network, counting)
            for network in TITLES
        }
        note = (
            f"additions until a guess over operations of a {counting} ReLU pass, {split(part)}; "
            f"must be {sign} 1"
        )
        name = on_split(variant, part)
        # What guesses and passes cost depends on the images: those of the demo are mostly not zero.
        outcomes.append(outcome_of_all(judged, protocol, note, variant=name, full_scale=True))
    return outcomes


def fewer_operations_for_the_same_error(evidence: Evidence) -> list[Outcome]:
    """FSGD against SGD without the input layer, in the range of few operations."""
    return _fsgd_guesses_better(evidence)


def between_dense_and_sparse(evidence: Evidence) -> list[Outcome]:
    """Cost of an early guess against both passes of the vector network, all layers."""
    return _guess_outcomes(evidence, "dense", "dense") + _guess_outcomes(
        evidence, "sparse", "sparse"
    )


def guesses_converge(evidence: Evidence) -> list[Outcome]:
    """Error after the last step minus that of the vector network with the same weights."""
    bound = evidence.bound("guesses_converge", "points")
    outcomes = []
    for protocol, part, rows in parts(evidence, GUESSES):
        curves = curves_of(rows)
        judged = {}
        for network, title in TITLES.items():
            apart = [
                _curve(curves, network, seed, ALL)[1][-1]
                - _vector(curves, network, seed, "dense", "error_percent")
                for seed in _seeds(curves, network)
            ]
            judged[title] = judge(apart, -bound, bound, strict=False)
        last = int(curves.steps["step"].max())
        note = f"points after {last} steps, {split(part)}; must be within {bound:g}"
        outcomes.append(outcome_of_all(judged, protocol, note, variant=split(part)))
    return outcomes


def both_hypotheses(evidence: Evidence) -> list[Outcome]:
    """Hypothesis 1 fails: no guess is cheaper than a sparse pass. Hypothesis 2 holds."""
    return _guess_outcomes(evidence, "sparse", "hypothesis 1 fails") + _fsgd_guesses_better(
        evidence, "hypothesis 2 holds"
    )


# ----------------------------------------------------------------------- sparsity


def _sparsity(evidence: Evidence) -> pd.DataFrame:
    return evidence.table(
        SPARSITY, "protocol", "network", "seed", "epoch", "form", "layer", "silent_percent",
        "operations_variation",
    )  # fmt: skip


def operations_vary(evidence: Evidence) -> list[Outcome]:
    """Standard deviation over mean of the additions per image, after training."""
    bound = evidence.bound("operations_vary", "coefficient_of_variation")
    outcomes = []
    for protocol, frame in by_protocol(_sparsity(evidence)):
        frame = frame[(frame["epoch"] > 0) & (frame["form"] == "spiking") & (frame["layer"] == 1)]
        judged = {
            TITLES[network]: judge(
                frame.loc[frame["network"] == network, "operations_variation"], low=bound
            )
            for network in TITLES
        }
        note = f"coefficient of variation between images; must be > {bound:g}"
        outcomes.append(outcome_of_all(judged, protocol, note, variant=split(TEST_PARTS[0])))
    return outcomes


def more_silent_units(evidence: Evidence) -> list[Outcome]:
    """Silent units of both hidden layers after training minus before, in both forms."""
    forms = {"spiking": "spikes", "rectified": "vector network"}
    note = "change of the silent share in points; must be > 0"
    outcomes = []
    for protocol, frame in by_protocol(_sparsity(evidence)):
        for form, name in forms.items():
            variant = on_split(name, TEST_PARTS[0])
            judged = _more_silent(frame[frame["form"] == form])
            outcomes.append(outcome_of_all(judged, protocol, note, variant=variant))
    return outcomes


def _more_silent(rows: pd.DataFrame) -> dict[str, Judgement]:
    """Silent units after training minus before, in each layer of both spiking networks."""
    judged = {}
    for network in ("fsgd", "sgd"):
        for layer, one in rows[rows["network"] == network].groupby("layer"):
            wide = one.assign(trained=one["epoch"] > 0).pivot_table(
                index="seed", columns="trained", values="silent_percent"
            )
            judged[f"{TITLES[network]}, layer {layer:g}"] = judge(wide[True] - wide[False], low=0.0)
    return judged
