"""Checks on the scale of activations and on the cost of inference learning."""

import numpy as np

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Outcome, judge, outcome_of


def scaling_lowers_the_loss(evidence: Evidence) -> list[Outcome]:
    """Loss at the end of one epoch (mean of its last tenth), unscaled minus scaled, seed by seed.

    A diverged unscaled run is worse than any loss: it counts for the statement and stays out of
    the mean. A diverged scaled run counts against it.
    """
    columns = ("activation_scale", "seed", "step", "training_loss_nats", "diverged")
    frame = evidence.table("claim.activation_scaling", *columns)
    scaled = evidence.entry["values"]["scale"]
    losses = {True: {}, False: {}}
    for (scale, seed), rows in frame.groupby(["activation_scale", "seed"]):
        late = rows[rows["step"] > 0.9 * rows["step"].max()]
        diverged = rows["diverged"].any() or not np.isfinite(late["training_loss_nats"]).all()
        losses[bool(np.isclose(scale, scaled))][seed] = (
            np.inf if diverged else float(late["training_loss_nats"].mean())
        )
    if not losses[True] or set(losses[True]) != set(losses[False]):
        raise StudyError(
            "claim.activation_scaling: both activation scales need the same seeds; found "
            f"{sorted(losses[True])} scaled and {sorted(losses[False])} unscaled."
        )
    seeds = sorted(losses[True])
    own, other = (np.array([losses[kind][seed] for seed in seeds]) for kind in (True, False))
    if not np.isfinite(own).all():
        return [Outcome("", False, "diverged", n_seeds=len(own), note="a scaled run diverged")]
    finite = np.isfinite(other)
    note = f"loss unscaled minus scaled, nats; {np.count_nonzero(~finite)} unscaled runs diverged"
    if not finite.any():
        return [Outcome("", True, "diverged", n_seeds=len(own), note=note)]
    return [outcome_of(judge((other - own)[finite], low=0.0), "", note)._replace(n_seeds=len(own))]


def order_of_costs(evidence: Evidence) -> list[Outcome]:
    """Order of the median times per update; the multiply-adds stand beside them."""
    frame = evidence.table("claim.il_cost", "algorithm", "milliseconds_per_update", "multiply_adds")
    median = frame.groupby("algorithm")[["milliseconds_per_update", "multiply_adds"]].median()
    missing = {"backprop", "zil", "il"} - set(median.index)
    if missing:
        raise StudyError(f"claim.il_cost: the table lacks the algorithm {sorted(missing)[0]!r}.")
    times = median["milliseconds_per_update"]
    holds = bool(times["backprop"] < times["zil"] < times["il"])
    listed = ", ".join(
        f"{name} {median.loc[name].iloc[0]:.3g} ms ({median.loc[name].iloc[1]:.3g} multiply-adds)"
        for name in ("backprop", "zil", "il")
    )
    ratio, note = float(times["il"] / times["backprop"]), "time of IL over that of backprop; "
    return [Outcome("", holds, ratio, note=note + listed)]
