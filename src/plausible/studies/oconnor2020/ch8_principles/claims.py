"""What was found on fixed points under binary communication; theorems stand in their own table."""

from itertools import product

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.measure.slopes import log_slope
from plausible.reproduction.evidence import Evidence, Measured, by_protocol
from plausible.studies.oconnor2020.ch8_principles.experiment_search import SEARCHES

FIGURE = ("root", "scheduled", "osa", "osa_lambda", "osa_scheduled_lambda")
"""Lines of figure 8.2."""
BEST = {"fixed_lambda": "osa_lambda", "annealed_lambda": "osa_scheduled_lambda"}
"""Of OSA with predictive coding."""
SAME_STEPS = "osa_same_steps"
"""OSA of the fixed lambda's nu_bar, without predictive coding."""
FIRST_STEP = 10
"""From which on a trend is taken."""
HALF, LATE = 250, 2000
"""Steps between which an error has fallen or has not."""


def _runs(evidence: Evidence) -> list[tuple[str, pd.DataFrame]]:
    """Rows of figure 8.2, by protocol."""
    columns = ("protocol", "scheme", "network", "perturbation", "step", "error")
    return by_protocol(evidence.table("ch8.fig8.2", *columns))


def errors(rows: pd.DataFrame, scheme: str, moment: str) -> pd.Series:
    """Error of a scheme at a moment, by network.

    ``before`` and ``after`` the first step of the perturbation, and at the ``end``.
    """
    mine = rows[rows["scheme"] == scheme]
    if mine.empty:
        raise StudyError(
            f"ch8.fig8.2: the table has no scheme {scheme!r}; add it to the sweep convergence and "
            "make the table again."
        )
    (perturbation,) = mine["perturbation"].unique()
    ends = {"before": perturbation, "after": perturbation + 1, "end": mine["step"].max()}
    return mine[mine["step"] == ends[moment]].set_index("network")["error"]


def _logs(rows: pd.DataFrame, scheme: str, moment: str) -> pd.Series:
    return np.log10(errors(rows, scheme, moment))


# ------------------------------------------------------------- figure 8.2


def osa_with_prediction_best(evidence: Evidence) -> list[Measured]:
    """Log error at the end, of either form less each scheme that lacks OSA or prediction."""
    others = [scheme for scheme in FIGURE if scheme not in BEST.values()]
    return [
        Measured(
            protocol,
            {other: _logs(rows, best, "end") - _logs(rows, other, "end") for other in others},
            variant=variant,
        )
        for protocol, rows in _runs(evidence)
        for variant, best in BEST.items()
    ]


def best_by_what_the_search_minimised(evidence: Evidence) -> list[Measured]:
    """Log mean of the errors before the perturbation and at the end, less that of each other."""
    found = []
    for protocol, rows in _runs(evidence):
        means = {
            scheme: np.log10((errors(rows, scheme, "before") + errors(rows, scheme, "end")) / 2.0)
            for scheme in FIGURE
        }
        best = means.pop(BEST["annealed_lambda"])
        found.append(Measured(protocol, {other: best - mean for other, mean in means.items()}))
    return found


def prediction_speeds_convergence(evidence: Evidence) -> list[Measured]:
    """OSA with less OSA without predictive coding, same steps, at the end of either phase."""
    return [
        Measured(
            protocol,
            {
                moment: _logs(rows, "osa_lambda", moment) - _logs(rows, SAME_STEPS, moment)
                for moment in ("before", "end")
            },
        )
        for protocol, rows in _runs(evidence)
    ]


def annealing_reduces_error(evidence: Evidence) -> list[Measured]:
    """Slope of the error until the perturbation, by network, each scheme."""
    found = []
    for protocol, rows in _runs(evidence):
        rows = rows[(rows["step"] >= FIRST_STEP) & (rows["step"] <= rows["perturbation"])]
        slopes = {scheme: _slopes(rows[rows["scheme"] == scheme], "network") for scheme in FIGURE}
        found.append(Measured(protocol, slopes))
    return found


def _slopes(rows: pd.DataFrame, by: str) -> list[float]:
    return [log_slope(run["step"], run["error"]) for _, run in rows.groupby(by)]


def jump_at_perturbation(evidence: Evidence) -> list[Measured]:
    """How far the error jumps, and falls again, each scheme."""
    return [
        Measured(
            protocol,
            {
                f"{scheme}, {moment}": _logs(rows, scheme, "after") - _logs(rows, scheme, moment)
                for scheme, moment in product(FIGURE, ("before", "end"))
            },
        )
        for protocol, rows in _runs(evidence)
    ]


def less_error_than_random_bits(evidence: Evidence) -> list[Measured]:
    """Error before the perturbation, sigma-delta over random bits."""
    return [
        Measured(
            protocol, errors(rows, "root", "before") / errors(rows, "stochastic_root", "before")
        )
        for protocol, rows in _runs(evidence)
    ]


def fewer_steps_with_prediction(evidence: Evidence) -> list[Measured]:
    """Steps to the error that the same steps without prediction reach before the perturbation."""
    found = []
    for protocol, rows in _runs(evidence):
        aims, ratios = errors(rows, SAME_STEPS, "before"), []
        rows = rows[rows["step"] <= rows["perturbation"]]
        for network, aim in aims.items():
            mine = rows[rows["network"] == network].sort_values("step")
            steps = [
                _reached(mine[mine["scheme"] == scheme], aim)
                for scheme in ("osa_lambda", SAME_STEPS)
            ]
            ratios.append(steps[0] / steps[1])
        found.append(Measured(protocol, ratios))
    return found


def _reached(run: pd.DataFrame, aim: float) -> float:
    """Step at which a run comes to an error, between kept steps on logarithmic axes; NaN: never."""
    steps, logs = np.log(run["step"].to_numpy()), np.log(run["error"].to_numpy() / aim)
    (below,) = np.nonzero(logs <= 0.0)
    if not len(below):
        return float("nan")
    at = below[0]
    if at == 0:
        return float(np.exp(steps[0]))
    share = logs[at - 1] / (logs[at - 1] - logs[at])
    return float(np.exp(steps[at - 1] + share * (steps[at] - steps[at - 1])))


# ------------------------------------------------------------- long runs


def _long(evidence: Evidence) -> pd.DataFrame:
    return evidence.table("ch8.lambda_annealing", "scheme", "seed", "step", "error")


def _at(rows: pd.DataFrame, scheme: str, step: int) -> pd.Series:
    mine = rows[(rows["scheme"] == scheme) & (rows["step"] == step)]
    return mine.set_index("seed")["error"]


def annealing_lowers_final_error(evidence: Evidence) -> list[Measured]:
    """Log error at the end, lambda annealed less lambda = 1; and lambda that rises."""
    rows = _long(evidence)
    end = rows["step"].max()
    plain = np.log10(_at(rows, "scheduled_plain", end))
    annealed, upwards = (
        np.log10(_at(rows, scheme, end)) - plain for scheme in ("scheduled", "scheduled_upwards")
    )
    return [Measured("", annealed, controls={"annealed_upwards": upwards})]


def reaches_fixed_point(evidence: Evidence) -> list[Measured]:
    """Error after 250 steps of every network; without annealing, and with a finite sum of steps."""
    rows = _long(evidence)
    found, constant, fast = (
        _at(rows, scheme, HALF) for scheme in ("scheduled", "constant", "inverse_square")
    )
    controls = {"not_annealed": constant, "annealed_too_fast": fast}
    return [Measured("", found, seeded=False, exact_seeds=len(found), controls=controls)]


def error_tends_to_zero(evidence: Evidence) -> list[Measured]:
    """Slope of the error from step 250 on, by seed."""
    rows = _long(evidence)
    return [
        Measured(
            "", _slopes(rows[(rows["scheme"] == "scheduled") & (rows["step"] >= HALF)], "seed")
        )
    ]


def _late_over_half(evidence: Evidence, scheme: str) -> list[Measured]:
    rows = _long(evidence)
    return [Measured("", _at(rows, scheme, LATE) / _at(rows, scheme, HALF))]


def plateau_without_annealing(evidence: Evidence) -> list[Measured]:
    """Error after 2,000 over that after 250 steps, constant epsilon and lambda."""
    return _late_over_half(evidence, "constant")


def falls_with_annealing(evidence: Evidence) -> list[Measured]:
    """The same with both annealed."""
    return _late_over_half(evidence, "scheduled")


# ------------------------------------------------------------- schedules, searches, encoders


def best_exponent_above_half(evidence: Evidence) -> list[Measured]:
    """Exponent with the least error, by network, without and with predictive coding."""
    frame = evidence.table("ch8.exponent_range", "element", "network", "decay", "exponent", "error")
    cells = frame[frame["element"] == "cell"]
    best = cells.loc[cells.groupby(["decay", "network"])["error"].idxmin()]
    return [
        Measured("", {name: rows["exponent"].to_numpy() for name, rows in best.groupby("decay")})
    ]


def half_still_falls(evidence: Evidence) -> list[Measured]:
    """Slope of the error of an estimate with eta = 1/2, by seed."""
    frame = evidence.table("ch8.exponent_range", "element", "seed", "slope")
    return [Measured("", frame.loc[frame["element"] == "half", "slope"].to_numpy())]


def flat_optimum(evidence: Evidence) -> list[Measured]:
    """Share of uniform settings within twice the best error of the search, by seed."""
    frame = evidence.table("fig_e1", "search", "sampler", "seed", "error")
    shares = {}
    for name in SEARCHES:
        rows = frame[frame["search"] == name]
        best = rows.loc[rows["sampler"] == "gaussian_process", "error"].min()
        drawn = rows[rows["sampler"] == "uniform"]
        shares[name] = (drawn["error"] <= 2.0 * best).groupby(drawn["seed"]).mean()
    return [Measured("", shares)]


def _overload(evidence: Evidence) -> pd.DataFrame:
    columns = ("seed", "early_share", "late_share", "plain_share", "bounded_phi", "overloaded_phi")
    return evidence.table("ch8.encoder_overload", *columns).set_index("seed")


def overload_early(evidence: Evidence) -> list[Measured]:
    """Share of inputs outside of [0, 1] in the first steps; and with lambda = 1."""
    rows = _overload(evidence)
    return [Measured("", rows["early_share"], controls={"no_prediction": rows["plain_share"]})]


def overload_falls(evidence: Evidence) -> list[Measured]:
    """Late less early share."""
    rows = _overload(evidence)
    return [Measured("", rows["late_share"] - rows["early_share"])]


def bounded_until_overload(evidence: Evidence) -> list[Measured]:
    """Largest |phi| before the first input outside, and at it."""
    rows = _overload(evidence)
    controls = {"after_overload": rows["overloaded_phi"]}
    size = len(rows)
    return [Measured("", rows["bounded_phi"], seeded=False, exact_seeds=size, controls=controls)]


def rate_update_variance(evidence: Evidence) -> list[Measured]:
    """Relative variance of the update from the rate of change over that of the contrast."""
    rows = evidence.table("ch8.rate_updates_noisy", "seed", "rate_variance", "contrast_variance")
    return [Measured("", rows["rate_variance"] / rows["contrast_variance"])]


def binary_tends_to_continuous(evidence: Evidence) -> list[Measured]:
    """Difference of the last states, by seed."""
    frame = evidence.table("ch8.fig8.1", "element", "seed", "difference")
    return [Measured("", frame.loc[frame["element"] == "end", "difference"].to_numpy())]
