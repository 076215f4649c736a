"""What was found on the systems of chapter 2 that are run; theorems stand in their own table."""

from collections.abc import Mapping

import pandas as pd

from plausible.measure.accuracy import mean_interval
from plausible.measure.slopes import log_slope
from plausible.reproduction.evidence import Evidence, Measured, Number, paired_difference
from plausible.studies.oconnor2020.ch2_systems.settings import FROZEN, LEARNS, SIGNS


def _exact(values, controls: Mapping[str, object], seeds: int = 0, variant: str = "") -> Measured:
    """Values of which each must respect the bound."""
    return Measured("", values, seeded=False, exact_seeds=seeds, controls=controls, variant=variant)


def drawn_unrolled_graph(evidence: Evidence) -> list[Measured]:
    """States and losses of the drawn graph, and of one whose states act two steps later."""
    nodes = evidence.table("ch2.fig2.2", "seed", "deviation", "two_steps").dropna()
    worst = nodes.groupby("seed")[["deviation", "two_steps"]].max()
    controls = {"state_of_two_steps_before": worst["two_steps"]}
    return [_exact(worst["deviation"], controls, len(worst))]


# ------------------------------------------------------------------ contrastive divergence

FEW_STEPS = (1, 2, 5)


def _distances(evidence: Evidence) -> pd.DataFrame:
    """Distance from the model of every machine, a column for each number of steps."""
    keys = ["weight_deviation", "seed", "machine"]
    table = evidence.table("ch2.cd_closer_to_model", *keys, "gibbs_steps", "distance", "other_rise")
    return table.set_index([*keys, "gibbs_steps"])


def closer_than_the_data(evidence: Evidence) -> list[Measured]:
    """Distance after k steps less that of the data, by machine."""
    distance = _distances(evidence)["distance"].unstack()
    found = {
        f"weights {deviation:g}, k = {k}": rows[k] - rows[0]
        for deviation, rows in distance.groupby(level="weight_deviation")
        for k in FEW_STEPS
    }
    return [Measured("", found, note="machines of all seeds")]


def never_further_with_more_steps(evidence: Evidence) -> list[Measured]:
    """Largest rise of the distance by a step, by machine; the least rise with another kernel."""
    table = _distances(evidence)
    rises = table["distance"].unstack().diff(axis=1).iloc[:, 1:].max(axis=1)
    last = table["other_rise"].unstack().iloc[:, -1]
    # Of weak weights all models are alike; what the other machine does counts on average.
    means = last.groupby(level="weight_deviation").mean()
    seeds = table.index.get_level_values("seed").nunique()
    return [_exact(rises, {"kernel_of_another_machine": means}, seeds)]


# ------------------------------------------------------------------------ target propagation


def _last(evidence: Evidence, column: str) -> pd.DataFrame:
    table = evidence.table("ch2.target_prop_discrete", "network", "seed", "epoch", column)
    return table[table["epoch"] == table["epoch"].max()]


def trains_the_hidden_layer(evidence: Evidence) -> list[Measured]:
    """Test error of the network that learns less that of the frozen one."""
    last = _last(evidence, "test_error_percent")
    return [Measured("", paired_difference(last, "test_error_percent", "network", LEARNS, FROZEN))]


def feedback_stays_untied(evidence: Evidence) -> list[Measured]:
    """Mean |cosine| of feedback and forward weights of the network that learns."""
    last = _last(evidence, "feedback_cosine")
    return [Measured("", last.loc[last["network"] == LEARNS, "feedback_cosine"])]


# ---------------------------------------------------------------------------------- costs


def _costs(evidence: Evidence, rule: str) -> pd.DataFrame:
    columns = ("rule", "units", "horizon", "weights", "multiplications")
    table = evidence.table("ch2.rtrl_cost", *columns)
    return table[table["rule"] == rule]


def _published_width(evidence: Evidence, rule: str) -> pd.Series:
    """Row of a rule at the width that the thesis states."""
    costs = _costs(evidence, rule)
    width = evidence.published.entry("ch2.rtrl_cost")["settings"]["neurons"]
    return costs[costs["units"] == width].iloc[0]


def parameter_count(evidence: Evidence) -> list[Measured]:
    """Weights at the published width; those of the states alone as control."""
    row = _published_width(evidence, "forward")
    controls = {"state_weights_alone": [row["units"] ** 2]}
    return [_exact([row["weights"]], controls)]


def numbers_of_ch2_rtrl_cost(evidence: Evidence) -> list[Number]:
    """Multiplications of RTRL over those of the forward pass.

    As published: of what goes through the state weights, on both sides, as the text counts them;
    corrected: of a whole step of RTRL and a whole forward pass, inputs included.
    """
    pairs = {
        "as_published": ("recurrent_influence", "recurrent_product"),
        "corrected": ("rtrl", "forward"),
    }
    found = []
    for protocol, rules in pairs.items():
        rtrl, forward = (_published_width(evidence, rule)["multiplications"] for rule in rules)
        ratio = (float(rtrl / forward),)
        found.append(Number("cost_factor", protocol, ratio, seeded=False))
    return found


def _ratio_slope(evidence: Evidence, rule: str) -> float:
    """Log-log slope of multiplications over those of the forward pass, against the width."""
    costs, forward = (
        _costs(evidence, name).set_index("units")["multiplications"].sort_index()
        for name in (rule, "forward")
    )
    width = evidence.published.entry("ch2.rtrl_cost")["settings"]["neurons"]
    ratio = (costs / forward).drop(width)
    return log_slope(ratio.index, ratio)


def cost_like_forward_pass(evidence: Evidence) -> list[Measured]:
    """Slope of UORO, and of RTRL as control."""
    controls = {"rtrl": [_ratio_slope(evidence, "rtrl")]}
    return [_exact([_ratio_slope(evidence, "uoro")], controls)]


def cost_grows_with_horizon(evidence: Evidence) -> list[Measured]:
    """Slope of the cost of an update at every step; of one update in a horizon as control."""

    def slope(rule: str) -> float:
        costs = _costs(evidence, rule)
        return log_slope(costs["horizon"], costs["multiplications"])

    controls = {"one_update_in_a_horizon": [slope("bptt_each_horizon")]}
    return [_exact([slope("bptt")], controls)]


# ----------------------------------------------------------------------------------- UORO


def no_better_than_random(evidence: Evidence) -> list[Measured]:
    """Upper end of the interval of the log ratio over networks, by the way signs are chosen."""
    columns = ("element", "seed", "network", *SIGNS, "mean_of_four")
    table = evidence.table("ch2.uoro_pseudorandom", *columns)
    rows = table[table["element"] == "signs"]

    def upper(name: str) -> list[float]:
        return [mean_interval(rows[name]).high]

    controls, seeds = {"mean_of_four": upper("mean_of_four")}, rows["seed"].nunique()
    return [_exact(upper(name), controls, seeds, name) for name in SIGNS]
