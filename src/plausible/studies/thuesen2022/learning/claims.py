"""What was measured on learning: Z-IL against backprop, scaling of activations, cost of IL.

Z-IL of section 3.5.2 takes both updates from the same time step, so the text's runs of figure 5 are
those of the protocol ``corrected``: what they give is judged ``as_published``.
"""

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, Number, by_protocol

ACCURACY, LOSS = "test_accuracy_percent", "training_loss_nats"
TEXT = {"corrected": "as_published"}
STEPS = 100
"""Updates after which the weights of the two rules are compared."""


def accuracy_curves_coincide(evidence: Evidence) -> list[Measured]:
    """Largest difference of the test accuracies over all evaluations, in points, per seed."""
    return [
        Measured(protocol, (wide["zil"] - wide["backprop"]).abs().groupby("seed").max())
        for protocol, wide in _curves(evidence, ACCURACY)
    ]


def loss_curves_coincide(evidence: Evidence) -> list[Measured]:
    """Largest difference of the training losses relative to backprop's, per seed."""
    return [
        Measured(protocol, (wide["zil"] / wide["backprop"] - 1.0).abs().groupby("seed").max())
        for protocol, wide in _curves(evidence, LOSS)
    ]


def accuracies_stay_equal(evidence: Evidence) -> list[Measured]:
    """The same as `accuracy_curves_coincide` for the runs in float64."""
    return [one for one in accuracy_curves_coincide(evidence) if one.protocol == "as_published"]


def _curves(evidence: Evidence, quantity: str) -> list[tuple[str, pd.DataFrame]]:
    """Protocol and a quantity of figure 5 by seed and step, a column for each algorithm."""
    frame = _fig5(evidence, quantity)
    index = {"index": ["seed", "step"], "columns": "algorithm", "values": "value"}
    return [(name, part.pivot(**index).dropna()) for name, part in by_protocol(frame)]


def _fig5(evidence: Evidence, quantity: str) -> pd.DataFrame:
    frame = evidence.table("fig5", "protocol", "algorithm", "seed", "step", "quantity", "value")
    return frame[frame["quantity"] == quantity].replace({"protocol": TEXT})


def numbers_of_fig5(evidence: Evidence) -> list[Number]:
    """Accuracy of Z-IL after the last update of figure 5."""
    frame = _fig5(evidence, ACCURACY).sort_values("step")
    return [
        Number(
            "final_test_accuracy_zil_percent",
            protocol,
            tuple(part.groupby("seed")["value"].last()),
        )
        for protocol, part in by_protocol(frame[frame["algorithm"] == "zil"])
    ]


def weights_stay_equal(evidence: Evidence) -> list[Measured]:
    """Relative weight difference in float64 up to the first record after 100 steps, per seed."""
    columns = ("protocol", "dtype", "seed", "step", "max_relative_weight_difference", "control")
    frame = evidence.table("claim.zil_equals_backprop_training", *columns)
    frame = frame[frame["dtype"] == "float64"].fillna({"control": ""}).replace({"protocol": TEXT})
    reached = frame.loc[frame["step"] >= STEPS, "step"]
    if reached.empty:
        raise StudyError(
            f"claim.zil_equals_backprop_training has no record at or after step {STEPS}, where the "
            "statement is made; train longer."
        )
    frame = frame[frame["step"] <= reached.min()]
    apart = frame.groupby(["control", "protocol", "seed"])["max_relative_weight_difference"].max()
    broken = apart.drop("").groupby("control").agg(tuple)
    return [
        Measured(
            protocol,
            values,
            note=f"up to step {reached.min()}",
            seeded=False,
            exact_seeds=len(values),
            controls=broken.to_dict(),
        )
        for protocol, values in apart[""].groupby("protocol")
    ]


def scaling_lowers_the_loss(evidence: Evidence) -> list[Measured]:
    """Loss at the end of one epoch (mean of its last tenth), scaled over unscaled, per seed.

    At the stated learning rate, and with that of least mean loss for each scale. A diverged
    unscaled run is worse than any loss: it counts for the statement and stays out of the mean. A
    diverged scaled run counts against it.
    """
    columns = ("activation_scale", "learning_rate", "seed", "step", LOSS, "diverged")
    frame = evidence.table("claim.activation_scaling", *columns)
    late = frame[
        frame["step"] > 0.9 * frame.groupby(["activation_scale", "seed"])["step"].transform("max")
    ]
    late = late.assign(loss=late[LOSS].where(~late["diverged"].astype(bool), np.inf))
    keys = ["activation_scale", "learning_rate", "seed"]
    losses = late.groupby(keys)["loss"].mean().unstack("seed")
    published = evidence.entry["values"]["scale"]
    is_scaled = np.isclose(losses.index.get_level_values("activation_scale"), published)
    scaled, unscaled = (
        losses[chosen].droplevel("activation_scale") for chosen in (is_scaled, ~is_scaled)
    )
    if set(scaled.index) != set(unscaled.index) or losses.isna().any(axis=None):
        raise StudyError(
            "claim.activation_scaling: both activation scales need the same learning rates and "
            "seeds."
        )
    stated = evidence.entry["settings"]["learning_rate"]
    best = scaled.mean(axis=1).idxmin(), unscaled.mean(axis=1).idxmin()
    return [
        _ratios("stated learning rate", scaled.loc[stated], unscaled.loc[stated]),
        _ratios("best learning rate of each", scaled.loc[best[0]], unscaled.loc[best[1]]),
    ]


def _ratios(variant: str, scaled: pd.Series, unscaled: pd.Series) -> Measured:
    """Scaled over unscaled by seed; 0 where no unscaled run is left, NaN for a diverged scaled."""
    ratios = scaled.replace(np.inf, np.nan) / unscaled
    sound = np.isfinite(unscaled) | ratios.isna()
    note = f"learning rates {scaled.name:g} with, {unscaled.name:g} without scaling"
    if lost := np.count_nonzero(~np.isfinite(unscaled)):
        note += f"; {lost} unscaled runs diverged"
    return Measured("", ratios[sound] if sound.any() else ratios, variant, note)


def costs_several_times_backprop(evidence: Evidence) -> list[Measured]:
    """Time of an update by IL at equilibrium over that of backprop, per seed."""
    times = _costs(evidence, "milliseconds_per_update")
    return [Measured("", times["il"] / times["backprop"])]


def takes_several_iterations(evidence: Evidence) -> list[Measured]:
    """Inference steps of IL until the free energy settles, per seed."""
    return [Measured("", _costs(evidence, "inference_steps")["il"])]


def zil_lies_between(evidence: Evidence) -> list[Measured]:
    """Times of an update: Z-IL over backprop, IL over Z-IL, per seed."""
    times = _costs(evidence, "milliseconds_per_update")
    ratios = {"Z-IL over backprop": times["zil"] / times["backprop"]}
    return [Measured("", ratios | {"IL over Z-IL": times["il"] / times["zil"]})]


def _costs(evidence: Evidence, column: str) -> pd.DataFrame:
    """A column of the costs by seed, a column for each algorithm."""
    frame = evidence.table("claim.il_cost", "algorithm", "seed", column)
    return frame.pivot(index="seed", columns="algorithm", values=column)
