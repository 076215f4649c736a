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
        accuracy += 0.01 * ((algorithm == "zil") & (evaluated == 3 * every))
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
        (protocol, dtype, seed, step, apart * step**0.1, apart * (step > 1), control)
        for protocol, (dtype, apart, control), seed, step in product(
            protocols,
            (("float64", 1e-13, ""), ("float32", 1e-5, ""), ("float64", 1e-2, "gamma_0_9")),
            range(seeds),
            (1, 10, 100, 1000),
        )
        if not control or protocol == "corrected"
    ]
    columns = ["protocol", "dtype", "seed", "step", "max_relative_weight_difference"]
    return pd.DataFrame(rows, columns=[*columns, "loss_difference_nats", "control"])


def zil_final_accuracy(seeds=3, protocols=PROTOCOLS):
    rows = [
        (protocol, algorithm, seed, 97.31 + wobble(seed, seeds))
        for protocol, algorithm, seed in product(protocols, ("backprop", "zil"), range(seeds))
    ]
    return pd.DataFrame(rows, columns=["protocol", "algorithm", "seed", "test_accuracy_percent"])


def activation_scaling(seeds=3, protocols=PROTOCOLS, diverged=None):
    """Loss over an epoch; the unscaled run of the seed ``diverged`` ends early without one."""
    rows = []
    for rate, (scaling, loss), seed in product(
        (0.01, 0.001), ((0.05, 0.4), (1.0, 2.0)), range(seeds)
    ):
        lost = scaling == 1.0 and seed == diverged
        for step in range(1, 12 if lost else 24):
            value = 2.3 + (loss - 2.3) * step / 23.0 + wobble(seed, seeds) * scaling
            rows.append((scaling, seed, step, value, False, rate))
        if lost:
            rows.append((scaling, seed, 23, np.nan, True, rate))
    columns = ["activation_scale", "seed", "step", "training_loss_nats", "diverged"]
    return pd.DataFrame(rows, columns=[*columns, "learning_rate"])


def il_cost(seeds=3, protocols=PROTOCOLS):
    rows = [
        (rule, seed, "784-300-300-10", 64, steps, time + wobble(seed, seeds), operations, 50)
        for seed in range(seeds)
        for rule, steps, time, operations in (
            ("backprop", 0, 2.0, 1e7),
            ("zil", 3, 2.5, 1.2e7),
            ("il", 20, 30.0, 2e8),
        )
    ]
    columns = ["algorithm", "seed", "layer_sizes", "batch_size", "inference_steps"]
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
        "accuracy_curves_coincide",
        "one curve a point away at one evaluation",
        lambda t: (t.algorithm == "zil") & (t.step == 1000) & (t.quantity.str.startswith("test")),
        "value",
        lambda v: v - 1.0,
    ),
    changed(
        "fig5",
        "loss_curves_coincide",
        "losses 3 % apart in one window",
        lambda t: (t.algorithm == "zil") & (t.step == 500) & (t.quantity.str.startswith("train")),
        "value",
        lambda v: v * 1.03,
    ),
    changed(
        TEXT,
        "weights_stay_equal",
        "apart with one seed",
        lambda t: (t.dtype == "float64") & (t.step == 100) & (t.seed == 2) & (t.control == ""),
        "max_relative_weight_difference",
        2e-10,
    ),
    Spoil(
        TEXT,
        "accuracies_stay_equal",
        "ten images apart at one evaluation",
        change(
            "fig5",
            lambda t: (t.algorithm == "zil") & (t.step == 1000),
            "value",
            lambda v: v - 0.1,
        ),
    ),
    changed(
        "claim.activation_scaling",
        "scaling_lowers_the_loss",
        "a gain of a quarter",
        lambda t: t.activation_scale == 1.0,
        "training_loss_nats",
        lambda v: v * 0.3,
    ),
    changed(
        "claim.activation_scaling",
        "scaling_lowers_the_loss",
        "the unscaled network learns as fast at a rate of its own",
        lambda t: (t.activation_scale == 1.0) & (t.learning_rate == 0.001),
        "training_loss_nats",
        lambda v: v * 0.25,
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
        "costs_several_times_backprop",
        "backprop much slower",
        lambda t: t.algorithm == "backprop",
        "milliseconds_per_update",
        lambda ms: ms * 6.0,
    ),
    changed(
        "claim.il_cost",
        "takes_several_iterations",
        "settled at once",
        lambda t: t.algorithm == "il",
        "inference_steps",
        1,
    ),
    changed(
        "claim.il_cost",
        "zil_lies_between",
        "Z-IL cheaper than backprop",
        lambda t: t.algorithm == "zil",
        "milliseconds_per_update",
        1.0,
    ),
)
SHIFTS = {"fig5": scale("fig5", "value", 0.99)}
