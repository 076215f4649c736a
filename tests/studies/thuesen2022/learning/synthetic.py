"""Made-up tables of learning by Z-IL and backprop in which every published statement holds.

``SPOILS`` says, for every statement, how to change the tables so that it fails.
"""

from itertools import product

import numpy as np
import pandas as pd

from ...claim_harness import Spoil
from ..harness import change, changed, scale, wobble

PROTOCOLS = ("as_coded", "corrected")
TEXT = "claim.zil_equals_backprop_training"


def fig5(seeds=3, protocols=PROTOCOLS, steps=18760, every=200):
    """Accuracies rise to 97.31 %; Z-IL leaves backprop at one evaluation by a little."""
    evaluated = np.append(np.arange(every, steps, every), steps)
    windows = np.arange(100, steps + 1, 100)
    parts = []
    for protocol, algorithm, seed in product(protocols, ("backprop", "zil"), range(seeds)):
        labels = {"protocol": protocol, "algorithm": algorithm, "seed": seed}
        accuracy = 97.31 + 1000.0 / steps - 1000.0 / evaluated + wobble(seed, seeds)
        accuracy += 0.1 * ((algorithm == "zil") & (evaluated == 3 * every))
        loss = 0.06 + 1.6 * (windows / 60) ** -0.75
        spread = 1.5 + 0.5 * np.sin(windows + seed)
        for quantity, at, value, low, high in (
            ("test_accuracy_percent", evaluated, accuracy, accuracy, accuracy),
            ("training_loss_nats", windows, loss, loss / spread, loss * spread),
        ):
            parts.append(
                pd.DataFrame(
                    {
                        **labels,
                        "step": at,
                        "quantity": quantity,
                        "value": value,
                        "value_low": low,
                        "value_high": high,
                    }
                )
            )
    return pd.concat(parts, ignore_index=True)


def zil_equals_backprop_training(seeds=3, protocols=PROTOCOLS):
    rows = [
        (protocol, dtype, seed, step, apart * step**0.1, apart * (step > 1))
        for protocol, (dtype, apart), seed, step in product(
            protocols, (("float64", 1e-13), ("float32", 1e-5)), range(seeds), (1, 10, 100, 1000)
        )
    ]
    columns = ["protocol", "dtype", "seed", "step", "max_relative_weight_difference"]
    return pd.DataFrame(rows, columns=[*columns, "loss_difference_nats"])


def zil_final_accuracy(seeds=3, protocols=PROTOCOLS):
    rows = [
        (protocol, algorithm, seed, 97.31 + wobble(seed, seeds))
        for protocol, algorithm, seed in product(protocols, ("backprop", "zil"), range(seeds))
    ]
    return pd.DataFrame(rows, columns=["protocol", "algorithm", "seed", "test_accuracy_percent"])


def activation_scaling(seeds=3, protocols=PROTOCOLS, diverged=None):
    """Loss over an epoch; the unscaled run of the seed ``diverged`` ends early without one."""
    rows = []
    for (scaling, loss), seed in product(((0.05, 0.4), (1.0, 2.0)), range(seeds)):
        lost = scaling == 1.0 and seed == diverged
        for step in range(1, 12 if lost else 24):
            value = 2.3 + (loss - 2.3) * step / 23.0 + wobble(seed, seeds) * scaling
            rows.append((scaling, seed, step, value, False))
        if lost:
            rows.append((scaling, seed, 23, np.nan, True))
    return pd.DataFrame(
        rows, columns=["activation_scale", "seed", "step", "training_loss_nats", "diverged"]
    )


def il_cost(seeds=1, protocols=PROTOCOLS):
    rows = [
        ("backprop", "784-300-300-10", 64, 0, 2.0, 1e7, 50),
        ("zil", "784-300-300-10", 64, 3, 2.5, 1.2e7, 50),
        ("il", "784-300-300-10", 64, 20, 30.0, 2e8, 50),
    ]
    columns = ["algorithm", "layer_sizes", "batch_size", "inference_steps"]
    return pd.DataFrame(
        rows, columns=[*columns, "milliseconds_per_update", "multiply_adds", "repetitions"]
    )


def good_tables():
    """A table for every result that the claims read."""
    return {
        "fig5": fig5(steps=2000),
        TEXT: zil_equals_backprop_training(),
        "claim.zil_final_accuracy": zil_final_accuracy(),
        "claim.activation_scaling": activation_scaling(),
        "claim.il_cost": il_cost(),
    }


SPOILS = (
    changed(
        "fig5",
        "curves_coincide",
        "one curve a point away at one evaluation",
        lambda t: (t.algorithm == "zil") & (t.step == 1000) & (t.quantity.str.startswith("test")),
        "value",
        lambda v: v - 1.0,
    ),
    Spoil(
        "fig5",
        "curves_coincide",
        "weights drift apart",
        change(
            TEXT,
            lambda t: (t.dtype == "float64") & (t.step == 1000),
            "max_relative_weight_difference",
            2e-6,
        ),
    ),
    changed(
        "fig5",
        "final_accuracy_of_the_curve",
        "too high",
        lambda t: t.step == 2000,
        "value",
        lambda v: v + 0.8,
    ),
    *(
        changed(
            TEXT,
            "weights_stay_equal",
            f"apart in {dtype}",
            lambda t, dtype=dtype: (t.dtype == dtype) & (t.step == 100) & (t.seed == 2),
            "max_relative_weight_difference",
            bound,
        )
        for dtype, bound in (("float64", 1e-10), ("float32", 1e-3))
    ),
    changed(
        "claim.zil_final_accuracy",
        "final_accuracy_of_the_text",
        "0.8 points low",
        lambda t: t.algorithm == "zil",
        "test_accuracy_percent",
        lambda v: v - 0.8,
    ),
    changed(
        "claim.activation_scaling",
        "scaling_lowers_the_loss",
        "the unscaled network learns better",
        lambda t: t.activation_scale == 1.0,
        "training_loss_nats",
        lambda v: v - 2.0,
    ),
    changed(
        "claim.activation_scaling",
        "scaling_lowers_the_loss",
        "a scaled run diverges",
        lambda t: (t.activation_scale == 0.05) & (t.seed == 1) & (t.step == 23),
        "diverged",
        True,
    ),
    changed(
        "claim.il_cost",
        "order_of_costs",
        "Z-IL cheaper than backprop",
        lambda t: t.algorithm == "zil",
        "milliseconds_per_update",
        1.0,
    ),
)
SHIFTS = {
    "fig5": scale("fig5", "value", 0.99),
    "claim.zil_final_accuracy": scale("claim.zil_final_accuracy", "test_accuracy_percent", 0.99),
}
