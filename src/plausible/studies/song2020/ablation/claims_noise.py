"""Checks on condition C1, panels over sigma: figure 3, supplement figure 2, tables 1 and 2.

Two kinds of noise are run: ``initial``, as section 5.1 says, moves the value nodes at t = 0 only;
``persistent`` stays in their error nodes. As in ``claims_conditions``, the weights alone are the
criterion at a small scale.
"""

import numpy as np
import pandas as pd

from plausible.reproduction.evidence import (
    Evidence,
    Judgement,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
    paired_difference,
    prediction_interval,
)
from plausible.studies.song2020.ablation.claims_conditions import same_errors
from plausible.studies.song2020.ablation.grid import (
    MEASURES,
    TEST,
    TEST_COLUMN,
    WEIGHT_COLUMN,
    WEIGHTS,
    figure3,
    finding,
    published_depth,
    sigma_sweeps,
)
from plausible.studies.song2020.texts import ROUNDING

MEASURED = {MEASURES[TEST].label: TEST_COLUMN, MEASURES[WEIGHTS].label: WEIGHT_COLUMN}


def divergence_grows_with_sigma(evidence: Evidence) -> list[Outcome]:
    """Zero without noise only, and no step of the sweep downwards, in every network."""
    both = (_zero_only_without_noise, _grows)
    return [check(evidence, *sweep) for sweep in sigma_sweeps(evidence) for check in both]


def zero_only_without_noise(evidence: Evidence) -> list[Outcome]:
    """Divergence 0 at sigma = 0 and above 0 for every other sigma, in every network."""
    return [_zero_only_without_noise(evidence, *sweep) for sweep in sigma_sweeps(evidence)]


def both_rows_increase(evidence: Evidence) -> list[Outcome]:
    """No step of the sweep downwards, in every network."""
    return [_grows(evidence, *sweep) for sweep in sigma_sweeps(evidence)]


def _criteria(evidence: Evidence) -> dict[str, str]:
    return MEASURED if evidence.full_scale else {MEASURES[WEIGHTS].label: WEIGHT_COLUMN}


def _zero_only_without_noise(
    evidence: Evidence, protocol: str, noise: str, frame: pd.DataFrame
) -> Outcome:
    quiet, loud = frame[frame["sigma"] == 0.0], frame[frame["sigma"] > 0.0]
    exact = (quiet[TEST_COLUMN] == 0.0).all() and (quiet[WEIGHT_COLUMN] < ROUNDING).all()
    least, listed = np.inf, []
    for name, column in _criteria(evidence).items():
        means = loud.groupby(["l_max", "sigma"])[column].mean()
        least = min(least, float(means.min()))
        depth, sigma = means.idxmin()
        listed.append(f"{name} {means.min():.3g} (l_max {depth}, sigma {sigma:g})")
    without = max(quiet[TEST_COLUMN].max(), quiet[WEIGHT_COLUMN].max())
    note = f"smallest with noise: {', '.join(listed)}; without: {without:.3g}"
    variant = f"{noise} noise" if evidence.entry["kind"] == "claim" else f"zero, {noise} noise"
    return finding(frame, exact and least > 0.0, least, note, variant=variant)


def _grows(evidence: Evidence, protocol: str, noise: str, frame: pd.DataFrame) -> Outcome:
    judged: dict[str, Judgement] = {}
    for depth, network in frame.groupby("l_max"):
        sigmas = sorted(network["sigma"].unique())
        for name, column in _criteria(evidence).items():
            wide = network.pivot(index="seed", columns="sigma", values=column)
            for low, high in zip(sigmas[:-1], sigmas[1:], strict=True):
                judged[f"{name}, l_max {depth}, {low:g} to {high:g}"] = judge(
                    wide[high] - wide[low], low=0.0, strict=False
                )
    falling = ", ".join(f"{name} {one.text()}" for name, one in judged.items() if not one.holds)
    downwards = f"downwards: {falling}" if falling else "none downwards"
    note = f"smallest of {len(judged)} steps of the sweep; {downwards}"
    variant = f"{noise} noise" if evidence.entry["kind"] == "table" else f"grows, {noise} noise"
    return outcome_of_all(judged, protocol)._replace(note=note, variant=variant)


def exact_without_noise(evidence: Evidence) -> list[Outcome]:
    """Test-error divergence 0; weight divergence below the stated bound, 1e-9 at a small scale."""
    bound = ROUNDING
    if evidence.full_scale:
        bound = evidence.bound("exact_without_noise", "weight_divergence")
    outcomes = []
    for frame in _without_noise(evidence).values():
        test, single = float(frame[TEST_COLUMN].max()), float(frame[WEIGHT_COLUMN].max())
        weights = float(frame.groupby("l_max")[WEIGHT_COLUMN].mean().max())
        note = (
            f"test error {test:.3g}; weights, mean over seeds, must be < {bound:g}; largest run "
            f"{single:.3g}"
        )
        outcomes.append(finding(frame, test == 0.0 and weights < bound, weights, note))
    return outcomes


def _without_noise(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Rows of sigma = 0 by protocol."""
    return {protocol: frame[frame["sigma"] == 0.0] for protocol, _, frame in sigma_sweeps(evidence)}


def large_sigma_saturates(evidence: Evidence) -> list[Outcome]:
    """Test-error divergence at the largest sigma over epochs * (error of guessing - of backprop).

    At a reduced scale within a factor, as its tolerance says, in every network. At the published
    one, 1 must lie in the 95 % interval of a single run of the network nearest to the published.
    """
    high, low, factor = (
        evidence.bound("large_sigma_saturates", key)
        for key in ("guessing_error", "backprop_error", "factor")
    )
    outcomes = []
    for protocol, noise, frame in sigma_sweeps(evidence):
        last = frame[frame["sigma"] == frame["sigma"].max()]
        ratios = {
            int(depth): rows[TEST_COLUMN] / (rows["epochs"] * (high - low))
            for depth, rows in last.groupby("l_max")
        }
        judged = {
            f"l_max {depth}": judge(each, 1.0 / factor, factor) for depth, each in ratios.items()
        }
        note = f"divergence at sigma = {frame['sigma'].max():g}, over epochs * {high - low:.3f}"
        outcome = outcome_of_all(judged, protocol, note, variant=f"{noise} noise")
        if evidence.full_scale:
            depth, _ = published_depth(frame, evidence.published)
            lowest, highest = prediction_interval(ratios[depth])
            note += f", l_max {depth}; 95 % interval of a single run {lowest:.3g} to {highest:.3g}"
            outcome = outcome_of(judged[f"l_max {depth}"], protocol, note, variant=outcome.variant)
            outcome = outcome._replace(holds=bool(lowest <= 1.0 <= highest), decided=True)
        outcomes.append(outcome)
    return outcomes


def flat_then_breaking_down(evidence: Evidence) -> list[Outcome]:
    """Two findings for the network of the tables: flat for small sigma, above 0.5 for large."""
    flat_up_to, margin, from_on, error = (
        evidence.bound("flat_then_breaking_down", key)
        for key in ("flat_up_to_sigma", "flat_within", "broken_from_sigma", "broken_above")
    )
    outcomes = []
    for protocol, noise, frame in sigma_sweeps(evidence):
        depth, _ = published_depth(frame, evidence.published)
        network = frame[frame["l_max"] == depth]
        where = f"l_max {depth}, the network nearest to the published one"
        small = network[(network["sigma"] > 0.0) & (network["sigma"] <= flat_up_to)]
        large = network[network["sigma"] >= from_on]
        if small.empty or large.empty:
            continue
        steps = {
            f"sigma {sigma:g}": judge(
                paired_difference(network, "mean_test_error", "sigma", sigma, 0.0),
                -margin,
                margin,
                strict=False,
            )
            for sigma in sorted(small["sigma"].unique())
        }
        errors = {
            f"sigma {sigma:g}": judge(rows["mean_test_error"], low=error)
            for sigma, rows in large.groupby("sigma")
        }
        outcomes += [
            outcome_of_all(
                judged,
                protocol,
                f"{what}; {where}",
                variant=f"{name}, {noise} noise",
                full_scale=True,
            )
            for name, judged, what in (
                ("flat", steps, "rise of the test error"),
                ("breakdown", errors, "test error"),
            )
        ]
    return outcomes


def no_noise_is_backprop(evidence: Evidence) -> list[Outcome]:
    """Test errors at sigma = 0 minus those of backprop, seed by seed: 0."""
    quiet = _without_noise(evidence)
    return [
        same_errors(frame, quiet[protocol])
        for protocol, frame in by_protocol(figure3(evidence))
        if protocol in quiet and (frame["panel"] == "bp").any()
    ]


def scaled_curves(evidence: Evidence) -> list[Outcome]:
    """Scaled and clipped as the supplement draws them: 0 without noise, 1 at the largest sigma.

    Weights from 0 to 50, which they pass only after the published number of epochs; the test error
    logarithmically up to its largest value.
    """
    top = float(evidence.entry["settings"]["weight_scale_max"])
    outcomes = []
    for _, noise, frame in sigma_sweeps(evidence):
        means = frame.groupby(["sigma", "l_max"])[[TEST_COLUMN, WEIGHT_COLUMN]].mean().unstack()
        weights, test = means[WEIGHT_COLUMN], means[TEST_COLUMN]
        for name, lows, highs in (
            ("weights", weights.iloc[0], (weights.iloc[-1] / top).clip(upper=1.0)),
            ("test error", test.iloc[0], test.iloc[-1] / test.max()),
        ):
            listed = ", ".join(f"l_max {depth} {high:.4g}" for depth, high in highs.items())
            holds = (lows < ROUNDING).all() and (highs == 1.0).all()
            least, note = float(highs.min(skipna=False)), f"end of the curve: {listed}"
            more = {"variant": f"{name}, {noise} noise", "full_scale": True}
            outcomes.append(finding(frame, holds, least, note, **more))
    return outcomes
