"""Experiments on learning, small: Z-IL against backprop, scaling, cost."""

import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from plausible.errors import PlausibleError, StudyError
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import init_optimizer
from plausible.learning.settings import TrainingSettings
from plausible.learning.update import update
from plausible.networks.mlp import init_network

from ..harness import check_columns_and_determinism, run_experiment

TRAINING = {"hidden_sizes": [20, 16], "init": "he_normal", "batch_size": 32, "learning_rate": 0.01}
SMALL = {
    "zil_equals_backprop": {
        "training": TRAINING,
        "steps": 12,
        "recorded_points": 4,
        "published_steps": [5],
    },
    "activation_scaling": {
        "training": {**TRAINING, "epochs": 1},
        "other_learning_rates": [0.001],
    },
    # Small networks settle with small steps.
    "il_cost": {
        "layer_sizes": [30, 20, 20, 10],
        "batch_size": 8,
        "inference_step_size": 0.05,
        "repetitions": 3,
        "warm_up": 1,
    },
}
COLUMNS = {
    "zil_equals_backprop": "protocol dtype seed step max_relative_weight_difference "
    "loss_difference_nats control",
    "activation_scaling": "activation_scale seed step training_loss_nats diverged learning_rate",
    "il_cost": "algorithm seed layer_sizes batch_size inference_steps milliseconds_per_update "
    "multiply_adds repetitions",
}


@pytest.fixture
def run(digits):
    """Function that makes the table of an experiment with its small settings, some changed."""

    def call(name, **changes):
        settings = {**SMALL[name], **changes}
        return run_experiment("thuesen2022.learning", name, dataset=digits, **settings)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    check_columns_and_determinism(run, name, COLUMNS[name], "milliseconds_per_update")


@pytest.mark.parametrize("name", ["zil_equals_backprop", "activation_scaling"])
def test_a_missing_data_set_is_named(name):
    with pytest.raises(StudyError, match=f"sweep {name}: no data set"):
        run_experiment("thuesen2022.learning", name)


def test_zil_equals_backprop_if_simultaneous(run):
    table = run("zil_equals_backprop")
    assert set(table["step"]) >= {1, 5, 12}
    own = table[table["control"] == ""]
    worst = own.groupby(["protocol", "dtype"])["max_relative_weight_difference"].max()
    assert worst["corrected", "float64"] < 1e-13
    assert 0 < worst["corrected", "float32"] < 1e-5
    # The author's order differs by far more than rounding, and equally in both precisions.
    assert worst["as_coded", "float64"] > 1e-5
    assert worst["as_coded", "float32"] == pytest.approx(worst["as_coded", "float64"], rel=1e-2)
    # Value nodes that move by nine tenths leave the weights below with smaller updates.
    damped = table[table["control"] == "gamma_0_9"]
    assert set(damped["dtype"]) == {"float64"}
    assert damped["max_relative_weight_difference"].min() > 1e-5
    losses = table[(table["protocol"] == "as_coded") & (table["step"] > 1)]
    assert np.abs(losses["loss_difference_nats"]).min() > 0
    # The first loss is that of the common initial weights.
    assert table.loc[table["step"] == 1, "loss_difference_nats"].abs().max() == 0


def test_the_authors_order_deviates_by_the_square_of_the_learning_rate(run):
    def first_step(learning_rate: float) -> float:
        training = {**TRAINING, "learning_rate": learning_rate}
        table = run(
            "zil_equals_backprop",
            dtypes=["float64"],
            training=training,
            steps=1,
            published_steps=[],
        )
        rows = table[(table["protocol"] == "as_coded") & (table["step"] == 1)]
        return rows["max_relative_weight_difference"].mean()

    assert first_step(1e-3) / first_step(1e-4) == pytest.approx(100.0, rel=0.05)


def test_scaling_helps_and_divergence_is_recorded(run, digits):
    table = run("activation_scaling")
    steps = len(digits.train_images) // 32
    assert set(table["learning_rate"]) == {0.01, 0.001}
    stated = table[table["learning_rate"] == 0.01]
    last = stated[stated["step"] == steps].set_index(["activation_scale", "seed"])
    assert set(table["step"]) == {10, 20, 30, 40, steps}
    for seed in (0, 1):
        scaled, unscaled = (last.loc[(scale, seed), "training_loss_nats"] for scale in (0.05, 1.0))
        assert scaled < unscaled
    first = stated[(stated["step"] == 10) & (stated["activation_scale"] == 0.05)]
    assert first["training_loss_nats"].between(1.0, 4.0).all()  # about log 10
    training = {**TRAINING, "activation": "relu", "learning_rate": 1e30, "epochs": 1}
    broken = run("activation_scaling", activation_scales=[0.05], training=training)
    ends = broken[broken["learning_rate"] == 1e30].groupby("seed").tail(1)
    assert ends["diverged"].all() and ends["training_loss_nats"].isna().all()
    assert set(ends["step"]) == {steps}


def test_multiply_adds_are_counted(run):
    """By formula where there is one.

    With P products of a forward pass, P1 of them in the first layer, backprop makes 3 P - P1
    (forward, errors, weights), an inference step in which all nodes move 2 (P - P1).
    """
    products = np.array([30 * 20, 20 * 20, 20 * 10])
    total, later = 8 * products.sum(), 8 * products[1:].sum()
    for _, rows in run("il_cost").groupby("seed"):
        counted, steps = (
            rows.set_index("algorithm")[name] for name in ("multiply_adds", "inference_steps")
        )
        assert counted["backprop"] == 2 * total + later
        assert counted["backprop"] < counted["zil"] <= 2 * total + 3 * 2 * later
        # Only the first steps have nodes that do not move yet.
        assert 2 * total + (steps["il"] - 3) * 2 * later < counted["il"]
        assert counted["il"] <= 2 * total + steps["il"] * 2 * later


def test_inference_stops_where_the_free_energy_settles(run):
    """Ten times the precision takes longer, and an endless inference ends all the same."""
    steps = {
        change: run("il_cost", equilibrium_change=change, most_inference_steps=most).set_index(
            ["algorithm", "seed"]
        )["inference_steps"]["il"]
        for change, most in ((1e-2, 1000), (1e-3, 1000), (1e-30, 7))
    }
    assert (steps[1e-2] < steps[1e-3]).all() and (steps[1e-3] < 1000).all()
    assert set(steps[1e-30]) == {7}


@pytest.mark.parametrize("rule", ["backprop", "zil", "il"])
def test_the_counter_agrees_with_torchs(rule):
    settings = TrainingSettings(hidden_sizes=(20, 15), learning_rule=rule, inference_steps=4)
    network = init_network((30, 20, 15, 10), settings, torch.Generator().manual_seed(0))
    state, inputs, one_hot = init_optimizer(network, settings), torch.rand(8, 30), torch.eye(10)[:8]

    def addmm_operations(total, left, right, out_shape=None, **options):
        return 2 * left[0] * left[1] * right[1]

    # Torch's counter does not know the in-place form.
    with FlopCounterMode(
        display=False, custom_mapping={torch.ops.aten.addmm_: addmm_operations}
    ) as counter:
        update(network, state, inputs, one_hot, settings)
    ours = count_multiply_adds(lambda: update(network, state, inputs, one_hot, settings))
    assert 2 * ours == counter.get_total_flops()


def test_cost_table(run):
    table = run("il_cost")
    table = table[table["seed"] == 0].set_index("algorithm")
    assert list(table.index) == ["backprop", "zil", "il"]
    assert table["multiply_adds"].is_monotonic_increasing
    assert (table["milliseconds_per_update"] > 0).all()
    assert table["inference_steps"].tolist()[:2] == [0, 3]
    assert set(table["layer_sizes"]) == {"30-20-20-10"}


def test_a_device_that_is_not_there_is_named(run):
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    for name in ("zil_equals_backprop", "activation_scaling", "il_cost"):
        with pytest.raises(PlausibleError, match="cuda"):
            run(name, device="cuda")
