"""Short experiments on tiny settings: columns, numbers from closed forms, errors, determinism."""

import numpy as np
import pandas as pd
import pytest
import torch
from plausible.studies.thuesen2022.experiments import EXPERIMENTS
from torch.utils.flop_counter import FlopCounterMode

from plausible.errors import PlausibleError, StudyError
from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import init_optimizer
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import evaluate
from plausible.learning.update import update
from plausible.networks.mlp import init_network
from plausible.neurons.spikes import alpha_kernel, apply_kernel
from plausible.studies.thuesen2022 import constraints as constraints_module
from plausible.studies.thuesen2022 import locality
from plausible.studies.thuesen2022.learning.experiment import log_spaced_steps
from plausible.studies.thuesen2022.neurons.experiment_coding import filtered_moments, lag_moments
from plausible.studies.thuesen2022.table1.experiment import input_seed

SIMULATION = {"corrected": {"simulation_time_ms": 100, "checkpoints_ms": [50, 100]}}
NETWORK = "spcn_adam.corrected"
TRAINING = {"hidden_sizes": [20, 16], "init": "he_normal", "batch_size": 32}
SETTINGS = {
    "fig2a": {
        "points": 201,
        "current_max": 2.0,
        "as_coded_softplus_gamma": 0.02,
        "as_coded_rate_offset": 1e-12,
        "softplus_gammas": [0.05, 0.001],
    },
    "fig2b": {
        "current_max": 10.0,
        "time_step_s": 0.001,
        "poisson_currents": 11,
        "poisson_repetitions": 40,
        "poisson_duration_s": 1.0,
        "lif_currents": 11,
        "lif_input_rates_hz": [250.0, 20000.0],
        "lif_repetitions": 5,
        "lif_duration_s": 1.0,
        "synapse_time_constant_s": 0.00118,
        "constant_duration_s": 2.0,
    },
    "fig2c": {
        "points": 901,
        "current_max": 10.0,
        "activation_scale": 0.05,
        "softplus_gamma": 0.05,
        "as_coded_rate_offset": 1e-12,
    },
    "fig3": {"layer_sizes": [2, 3, 2]},
    "fig4": {"images": 10},
    "fig6": {"digit": 7, "simulation": SIMULATION},
    "zil_equals_backprop": {
        "training": {**TRAINING, "learning_rate": 0.01},
        "steps": 12,
        "recorded_points": 4,
        "published_steps": [5],
        "dtypes": ["float64", "float32"],
    },
    "activation_scaling": {
        "activation_scales": [0.05, 1.0],
        "training": {**TRAINING, "learning_rate": 0.01, "epochs": 1},
        "window_steps": 10,
    },
    "alpha_filter_tau": {
        "time_constant_min_s": 0.0005,
        "time_constant_max_s": 0.003,
        "time_constant_points": 6,
        "published_time_constant_s": 0.00118,
        "rates_hz": [50, 200],
        "time_step_s": 0.001,
        "duration_s": 1.0,
        "repetitions": 100,
    },
    "poisson_noise": {
        "rates_hz": [50.0, 250.0],
        "durations_s": [0.1, 0.4, 1.6],
        "time_step_s": 0.001,
        "repetitions": 1000,
    },
    "il_cost": {
        "layer_sizes": [30, 20, 20, 10],
        "batch_size": 8,
        "inference_steps": 20,
        "inference_step_size": 0.1,
        "repetitions": 3,
        "warm_up": 1,
    },
    "local_updates": {"layer_sizes": [12, 10, 9, 8, 7, 6], "batch_size": 5},
    "constraints": {"layer_sizes": [12, 10, 9, 8, 7, 6], "batch_size": 5},
    "input_rate": {
        "images": 150,
        "input_rates_hz": [10, 5000],
        "softplus_gamma": 0.05,
        "simulation": SIMULATION,
    },
    "conversion_diagnostic": {
        "images": 20,
        "sampled_points": 50,
        "softplus_gamma": 0.05,
        "simulation": SIMULATION,
    },
}
COLUMNS = {
    "fig2a": "protocol curve softplus_gamma input_current rate_hz",
    "fig2b": "coding input_rate_hz repetition input_current rate_hz theoretical_rate_hz duration_s",
    "fig2c": "protocol curve input value",
    "fig3": "element kind layer index target_layer target_index x y",
    "fig4": "image label row column intensity_fraction",
    "fig6": "protocol seed image label layer neuron time_ms",
    "zil_equals_backprop": "protocol dtype seed step max_relative_weight_difference "
    "loss_difference_nats",
    "activation_scaling": "activation_scale seed step training_loss_nats diverged",
    "alpha_filter_tau": "kernel criterion tau_s error_hz seed",
    "poisson_noise": "rate_hz duration_s seed repetitions standard_error_hz",
    "il_cost": "algorithm layer_sizes batch_size inference_steps milliseconds_per_update "
    "multiply_adds repetitions",
    "local_updates": "update layer replaced_layers max_abs_change",
    "constraints": "constraint group method verdict reason measurement measured_value",
    "input_rate": "network protocol seed input_rate_hz rate_accuracy_percent "
    "spiking_accuracy_percent",
    "conversion_diagnostic": "network protocol seed layer analytic_rate_hz simulated_rate_hz "
    "correlation silent_fraction saturated_fraction rmse_hz",
}


@pytest.fixture
def run(digits, spiking, published):
    """Function that runs an experiment with its tiny settings, some of them changed."""

    def call(name: str, seeds=(0, 1), networks=None, **changes) -> pd.DataFrame:
        settings = {**SETTINGS[name], **changes}
        if name == "constraints":
            settings["published"] = published["thuesen2022.claim.constraints"]["values"]
        networks = networks or {NETWORK: {0: spiking, 1: spiking}}
        return EXPERIMENTS[name](settings, list(seeds), digits, networks)

    return call


def lif_rate(current):
    """Eq. 37, written again."""
    current = np.asarray(current, np.float64)
    rate = np.zeros_like(current)
    above = current > 1
    rate[above] = 1 / (0.004 - 0.02 * np.log(1 - 1 / current[above]))
    return rate


def alpha_sums(tau_s: float) -> tuple[float, float]:
    """Sum and sum of squares of t/tau exp(-t/tau) at t = 0, 1 ms, 2 ms, ... in closed form."""
    a = 1e-3 / tau_s
    q, p = np.exp(-a), np.exp(-2 * a)
    return a * q / (1 - q) ** 2, a**2 * p * (1 + p) / (1 - p) ** 3


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    first, second = run(name), run(name)
    assert list(first.columns) == COLUMNS[name].split()
    assert len(first) > 0
    timed = "milliseconds_per_update"
    pd.testing.assert_frame_equal(
        first.drop(columns=timed, errors="ignore"), second.drop(columns=timed, errors="ignore")
    )


def test_every_sweep_of_the_study_has_an_experiment(declaration):
    assert set(declaration["sweep"]) == set(EXPERIMENTS)
    assert set(COLUMNS) == set(EXPERIMENTS) - {"theorems"}


@pytest.mark.parametrize("name", sorted(set(EXPERIMENTS) - {"theorems"}))
def test_a_missing_setting_is_named(run, name, digits, spiking):
    key = next(iter(SETTINGS[name]))
    settings = {other: value for other, value in SETTINGS[name].items() if other != key}
    with pytest.raises(StudyError, match=f"sweep {name}.*'{key}'"):
        EXPERIMENTS[name](settings, [0], digits, {NETWORK: {0: spiking}})


@pytest.mark.parametrize(
    "name",
    [
        "fig4",
        "fig6",
        "zil_equals_backprop",
        "activation_scaling",
        "input_rate",
        "conversion_diagnostic",
    ],
)
def test_a_missing_data_set_is_named(name, spiking):
    with pytest.raises(StudyError, match=f"sweep {name}: no data set"):
        EXPERIMENTS[name](SETTINGS[name], [0], None, {NETWORK: {0: spiking}})


@pytest.mark.parametrize("name", ["fig6", "input_rate", "conversion_diagnostic"])
def test_missing_networks_are_named(name, digits):
    for networks in (None, {}):
        with pytest.raises(StudyError, match=f"sweep {name}: no converted network"):
            EXPERIMENTS[name](SETTINGS[name], [0], digits, networks)


def test_fig2a_is_the_closed_form(run, published):
    table = run("fig2a")
    hard = table[(table["protocol"] == "corrected") & (table["curve"] == "lif_rate")]
    np.testing.assert_allclose(hard["rate_hz"], lif_rate(hard["input_current"]), rtol=1e-12)
    derived = published["thuesen2022.fig2a"]["derived"]["r_of_j_hz"]
    for current in ("1.5", "2"):
        rate = hard.loc[np.isclose(hard["input_current"], float(current)), "rate_hz"].item()
        assert rate == pytest.approx(derived[current], abs=5e-5)
    sharp = table[np.isclose(table["softplus_gamma"], 0.001)]
    away = np.abs(sharp["input_current"] - 1.0) >= 0.05
    distance = np.abs(sharp["rate_hz"].to_numpy() - hard["rate_hz"].to_numpy())
    assert distance[away].max() < 1.0 < distance.max()
    # 1e-12 added above the threshold: 1 / (t_ref + tau ln(1e12)) where eq. 37 says 0.
    coded = table[(table["protocol"] == "as_coded") & (table["curve"] == "lif_rate")]
    floor = coded.loc[coded["input_current"] < 1, "rate_hz"]
    np.testing.assert_allclose(floor, 1 / (0.004 + 0.02 * np.log(1e12)), rtol=1e-6)


def test_fig2b_poisson_counts_follow_the_rate(run):
    counts = run("fig2b")
    counts = counts[counts["coding"] == "poisson_count"]
    np.testing.assert_allclose(
        counts["theoretical_rate_hz"], lif_rate(counts["input_current"]), rtol=1e-12
    )
    # The author's taps sum to 0.9977, and a mean over 40 s scatters by sqrt(rate / 40 s).
    means = counts.groupby("input_current")["rate_hz"].mean()
    rate = lif_rate(means.index)
    taps = np.linspace(0, 11, 11) / 1.18
    gain = np.sum(taps * np.exp(-taps))
    assert np.all(np.abs(means - gain * rate) <= 4.5 * np.sqrt(rate / 40.0))
    spread = counts[counts["input_current"] > 1].groupby("input_current")["rate_hz"].std()
    np.testing.assert_allclose(spread, np.sqrt(rate[rate > 0]), rtol=0.45)


def test_fig2b_simulated_neurons_follow_the_rate(run):
    table = run("fig2b")
    constant = table[table["coding"] == "lif_constant_current"]
    difference = constant["rate_hz"] - lif_rate(constant["input_current"])
    assert np.abs(difference).max() <= 1 / 2.0 + 1e-9
    noisy = table[table["coding"] == "lif_simulation"]
    assert set(noisy["input_rate_hz"]) == {250.0, 20000.0}
    means = noisy.groupby(["input_rate_hz", "input_current"])["rate_hz"].mean().unstack(0)
    rate = lif_rate(means.index)
    above = means.index >= 2
    assert np.all(np.abs(means.loc[above, 20000.0] / rate[above] - 1) < 0.03)
    # Noise below the threshold makes the neuron fire: the rougher the input, the more.
    at_threshold = means.loc[1.0]
    assert at_threshold[250.0] > at_threshold[20000.0] > 0
    assert means.loc[0.0].eq(0).all()


def test_fig2c_repeats_the_slips_and_corrects_them(run):
    table = run("fig2c").set_index(["protocol", "curve"])
    coded = table.loc[("as_coded", "relu_derivative"), "value"]
    np.testing.assert_allclose(coded, 9 / 900 * 901 / 11, rtol=1e-9)
    assert table.loc[("as_coded", "relu"), "input"].min() == 1.0
    corrected = table.loc[("corrected", "relu")]
    assert corrected["input"].min() == 0.0 and corrected["input"].max() == 10.0
    rate = table.loc[("corrected", "scaled_soft_rate")].set_index("input")["value"]
    far = rate.index >= 2.0
    np.testing.assert_allclose(rate[far], 0.05 * lif_rate(rate.index[far]), rtol=1e-6)
    slope = table.loc[("corrected", "scaled_soft_rate_derivative")].set_index("input")["value"]
    numerical = np.gradient(rate.to_numpy(), rate.index.to_numpy())
    np.testing.assert_allclose(slope.iloc[200:-1], numerical[200:-1], rtol=2e-4)


def test_fig3_is_the_graph_of_the_network(run):
    table = run("fig3", layer_sizes=[2, 4, 3, 2])
    nodes = table[table["element"] != "edge"]
    edges = table[table["element"] == "edge"]
    places = {
        name: set(zip(part["layer"], part["index"], strict=True))
        for name, part in nodes.groupby("element")
    }
    assert len(places["value_node"]) == 11
    assert places["error_node"] == {place for place in places["value_node"] if place[0] > 0}
    assert not nodes.duplicated(["x", "y"]).any()
    products = [2 * 4, 4 * 3, 3 * 2]
    kinds = edges["kind"].value_counts()
    assert kinds["prediction"] == sum(products)
    # Errors reach the layer below through all weights but the first, and their own value node.
    assert kinds["error"] == sum(products[1:]) + 9
    for edge in edges.itertuples():
        ends = [(edge.layer, edge.index), (edge.target_layer, edge.target_index)]
        names = ["value_node", "error_node"]
        if edge.kind == "error":
            names.reverse()
        assert all(end in places[name] for end, name in zip(ends, names, strict=True))
    assert nodes.groupby("layer")["kind"].first().tolist() == [
        "input",
        "hidden",
        "hidden",
        "output",
    ]


def test_fig4_holds_the_images(run, digits):
    table = run("fig4")
    images = table["intensity_fraction"].to_numpy().reshape(10, 8, 8)
    np.testing.assert_array_equal(images * 16, digits.train_images[:10].reshape(10, 8, 8))
    pixel = table[(table["image"] == 3) & (table["row"] == 2) & (table["column"] == 5)]
    assert pixel["intensity_fraction"].item() == digits.train_images[3, 2 * 8 + 5] / 16
    assert table.groupby("image")["label"].first().tolist() == list(digits.train_labels[:10])


def test_fig6_shows_the_spikes_that_are_counted(run, digits, spiking):
    table = run("fig6", seeds=[1], networks={"fig6.corrected": {1: spiking}})
    image = int(np.flatnonzero(digits.test_labels == 7)[0])
    assert set(table["image"]) == {image} and set(table["label"]) == {7}
    assert set(table["seed"]) == {1} and set(table["protocol"]) == {"corrected"}
    counted = simulate_network(
        digits.test_images[: image + 1],
        digits.white,
        spiking,
        SimulationSettings(simulation_time_ms=100),
        input_seed("fig6", 1),
        record_neurons=True,
    )
    for layer, counts in enumerate(counted.neuron_counts, 1):
        drawn = table[table["layer"] == layer].groupby("neuron").size()
        np.testing.assert_array_equal(drawn, counts[image][counts[image] > 0])
    intervals = table.groupby(["layer", "neuron"])["time_ms"].diff().dropna()
    assert intervals.min() >= 4.0


def test_fig6_says_which_digits_there_are(run, digits, spiking):
    without = digits._replace(test_labels=np.where(digits.test_labels == 7, 1, digits.test_labels))
    with pytest.raises(StudyError, match="no test image of the digit 7"):
        EXPERIMENTS["fig6"](SETTINGS["fig6"], [0], without, {NETWORK: {0: spiking}})


def test_zil_equals_backprop_if_simultaneous(run):
    table = run("zil_equals_backprop")
    assert set(table["step"]) >= {1, 5, 12}
    worst = table.groupby(["protocol", "dtype"])["max_relative_weight_difference"].max()
    assert worst["corrected", "float64"] < 1e-13
    assert 0 < worst["corrected", "float32"] < 1e-5
    # The author's order differs by far more than rounding, and equally in both precisions.
    assert worst["as_coded", "float64"] > 1e-5
    assert worst["as_coded", "float32"] == pytest.approx(worst["as_coded", "float64"], rel=1e-2)
    losses = table[(table["protocol"] == "as_coded") & (table["step"] > 1)]
    assert np.abs(losses["loss_difference_nats"]).min() > 0
    # The first loss is that of the common initial weights.
    assert table.loc[table["step"] == 1, "loss_difference_nats"].abs().max() == 0


def test_the_authors_order_deviates_by_the_square_of_the_learning_rate(run):
    def first_step(learning_rate: float) -> float:
        training = {**TRAINING, "learning_rate": learning_rate}
        table = run("zil_equals_backprop", dtypes=["float64"], training=training, steps=1)
        rows = table[(table["protocol"] == "as_coded") & (table["step"] == 1)]
        return rows["max_relative_weight_difference"].mean()

    assert first_step(1e-3) / first_step(1e-4) == pytest.approx(100.0, rel=0.05)


def test_recorded_steps():
    assert log_spaced_steps(100, 3) == [1, 10, 100]
    assert log_spaced_steps(3, 50) == [1, 2, 3]


def test_scaling_helps_and_divergence_is_recorded(run, digits):
    table = run("activation_scaling")
    steps = len(digits.train_images) // 32
    last = table[table["step"] == steps].set_index(["activation_scale", "seed"])
    assert set(table["step"]) == {10, 20, 30, 40, steps}
    for seed in (0, 1):
        scaled, unscaled = (last.loc[(scale, seed), "training_loss_nats"] for scale in (0.05, 1.0))
        assert scaled < unscaled
    first = table[(table["step"] == 10) & (table["activation_scale"] == 0.05)]
    assert first["training_loss_nats"].between(1.0, 4.0).all()  # about log 10
    training = {**TRAINING, "activation": "relu", "learning_rate": 1e30, "epochs": 1}
    broken = run("activation_scaling", activation_scales=[0.05], training=training)
    ends = broken.groupby("seed").tail(1)
    assert ends["diverged"].all() and ends["training_loss_nats"].isna().all()
    assert set(ends["step"]) == {steps}


def test_filter_errors_are_those_of_shot_noise(run):
    table = run("alpha_filter_tau").groupby(["kernel", "criterion", "tau_s"])["error_hz"].mean()
    rates = np.array([50.0, 200.0])
    assert table.index.get_level_values("tau_s").isin([0.00118]).any()
    for tau in (0.001, 0.00118, 0.003):
        area, squares = alpha_sums(tau)
        # Counts of 1 ms have variance = mean = rate * 1 ms; the bias is the kernel's area.
        variance = rates * squares / 1e-3
        bias = (area - 1) * rates
        printed = np.sqrt(np.mean(variance + bias**2))
        assert table["printed", "rms_rate_error", tau] == pytest.approx(printed, rel=0.02)
        unit = np.sqrt(np.mean(variance)) / area
        assert table["unit_area", "rms_rate_error", tau] == pytest.approx(unit, rel=0.02)
        expected = np.mean(np.abs(bias))
        assert table["printed", "mean_rate_error", tau] == pytest.approx(expected, abs=2.0 * area)
        assert table["unit_area", "mean_rate_error", tau] < 2.0
    # Only the author's spacing makes 1.18 ms the best of the published form's time constants.
    author = table["author_spacing", "mean_rate_error"]
    assert author.idxmin() == 0.00118
    assert table["printed", "mean_rate_error"].idxmin() == 0.001


def test_moments_of_filtered_trains_are_those_of_filtering():
    counts = np.random.default_rng(3).poisson(0.2, (300, 4))
    kernel = alpha_kernel(0.002, 0.001)
    filtered = apply_kernel(counts, kernel)[40:]
    moments = filtered_moments(kernel, *lag_moments(counts, 41))
    assert len(kernel) < 41
    assert moments == pytest.approx((filtered.mean(), np.mean(filtered**2)), rel=1e-12)


def test_poisson_noise_is_the_root_of_rate_over_time(run):
    table = run("poisson_noise")
    expected = np.sqrt(table["rate_hz"] / table["duration_s"])
    np.testing.assert_allclose(table["standard_error_hz"], expected, rtol=0.12)


def test_multiply_adds_are_counted(run):
    """By formula where there is one.

    With P products of a forward pass, P1 of them in the first layer, backprop makes 3 P - P1
    (forward, errors, weights), an inference step in which all nodes move 2 (P - P1).
    """
    table = run("il_cost").set_index("algorithm")["multiply_adds"]
    products = np.array([30 * 20, 20 * 20, 20 * 10])
    total, later = 8 * products.sum(), 8 * products[1:].sum()
    assert table["backprop"] == 2 * total + later
    assert table["backprop"] < table["zil"] <= 2 * total + 3 * 2 * later
    # Only the first steps have nodes that do not move yet.
    assert 2 * total + 17 * 2 * later < table["il"] <= 2 * total + 20 * 2 * later
    other = run("il_cost", inference_steps=30).set_index("algorithm")["multiply_adds"]
    assert other["il"] - table["il"] == 10 * 2 * later


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
    table = run("il_cost").set_index("algorithm")
    assert list(table.index) == ["backprop", "zil", "il"]
    assert table["multiply_adds"].is_monotonic_increasing
    assert (table["milliseconds_per_update"] > 0).all()
    assert table["inference_steps"].tolist() == [0, 3, 20]
    assert set(table["layer_sizes"]) == {"30-20-20-10"}


def test_updates_are_local_to_the_last_bit(run):
    table = run("local_updates")
    assert (table["max_abs_change"] == 0).all()
    assert set(table["update"]) == {"value_nodes", "weights", "biases"}
    assert (table["replaced_layers"] != "").all()
    # Layers 1 to 5, of which the last is clamped.
    assert table["update"].value_counts().to_dict() == {
        "weights": 5,
        "biases": 5,
        "value_nodes": 4,
    }


@pytest.mark.parametrize("lost", ["below", "own", "above", "weights"])
def test_locality_check_notices_what_an_update_does_use(run, monkeypatch, lost):
    needed = locality.needed_by

    def fewer(update, layer):
        values, weights = needed(update, layer)
        dropped = {"below": {layer - 1}, "own": {layer}, "above": {layer + 1}}
        return values - dropped.get(lost, set()), set() if lost == "weights" else weights

    monkeypatch.setattr(locality, "needed_by", fewer)
    table = run("local_updates")
    changed = table[table["max_abs_change"] > 0]
    expected = {"value_nodes"} if lost == "above" else {"value_nodes", "weights", "biases"}
    assert set(changed["update"]) == expected


def test_constraints_are_the_published_ones_with_measurements(run, published):
    table = run("constraints")
    values = published["thuesen2022.claim.constraints"]["values"]
    own = table[table["method"] == values["method"]]
    for row, verdict in zip(own.itertuples(), values["verdicts"], strict=True):
        assert (row.constraint, row.group, row.verdict, row.reason) == tuple(
            verdict[key] for key in ("constraint", "group", "verdict", "reason")
        )
    others = sum(len(other["verdicts"]) for other in values["other_methods"])
    assert len(table) == len(values["verdicts"]) + others
    measured = own.set_index("constraint")["measured_value"]
    assert measured.notna().all()
    assert measured["locality"] == 0
    assert measured["1 weight transport problem"] == 0
    assert measured["3 linear feedback problem"] < 1e-14
    assert measured["4 spiking problem"] == 0
    assert measured["5 timing problem"] == 5  # one inference time per layer
    assert measured["6 target problem"] == 0
    assert measured["spikes for communication"] > 0.9
    assert measured["unidirectionality"] > 0.1 and measured["2 derivative problem"] > 0.1
    stated = table[table["measured_value"].isna()]
    assert (stated["measurement"] == constraints_module.STATED_ONLY).all()
    problems = published["thuesen2022.claim.problem_list"]["values"]["problems"]
    assert all(any(problem in name for name in table["constraint"]) for problem in problems)


def test_constraint_measurements_notice_other_implementations(run, monkeypatch):
    """Feedback alignment, a rectified feedback and a derivative of 1 change the numbers."""
    message = constraints_module.message

    def own(table: pd.DataFrame) -> pd.Series:
        return table.drop_duplicates("constraint").set_index("constraint")["measured_value"]

    def aligned(network, stage, view, error):
        weights = tuple(torch.sin(100 * weight) for weight in network.weights)
        return message(network._replace(weights=weights), stage, view, error)

    monkeypatch.setattr(constraints_module, "message", aligned)
    assert own(run("constraints"))["1 weight transport problem"] > 0.1
    monkeypatch.setattr(
        constraints_module, "message", lambda *arguments: message(*arguments).relu()
    )
    assert own(run("constraints"))["3 linear feedback problem"] > 0.1
    changes = constraints_module.value_node_changes

    def no_derivative(network, plan, state, clamped=True):
        flat = [
            view if view.slope is None else view._replace(slope=torch.ones_like(view.slope))
            for view in state.locals
        ]
        return changes(network, plan, state._replace(locals=flat), clamped)

    monkeypatch.setattr(constraints_module, "value_node_changes", no_derivative)
    assert own(run("constraints"))["2 derivative problem"] == 0


def test_unknown_constraint_is_named(published):
    values = published["thuesen2022.claim.constraints"]["values"]
    other = [{"method": "x", "section": "1", "verdicts": {"sleep": "not"}}]
    settings = {**SETTINGS["constraints"], "published": {**values, "other_methods": other}}
    with pytest.raises(StudyError, match="'sleep'"):
        EXPERIMENTS["constraints"](settings, [0], None, None)


def test_input_rate_removes_the_noise(run, trained, digits):
    table = run("input_rate").set_index(["seed", "input_rate_hz"])
    images = torch.from_numpy(digits.test_images[:150]).double() / 16
    expected = evaluate(trained, images, torch.from_numpy(digits.test_labels[:150]))
    assert table["rate_accuracy_percent"].eq(expected).all()
    for seed in (0, 1):
        accuracy = table.loc[seed, "spiking_accuracy_percent"]
        assert accuracy[10.0] < accuracy[5000.0] - 10
        assert accuracy[5000.0] > expected - 5
    assert set(table["network"]) == {"spcn_adam"} and set(table["protocol"]) == {"corrected"}


def test_diverged_networks_stay_in_the_tables(run, spiking):
    """Their numbers are empty; they do not stop the sweep and do not vanish."""
    biases = (np.full_like(spiking.biases[0], np.nan), *spiking.biases[1:])
    networks = {NETWORK: {0: spiking._replace(biases=biases), 1: spiking}}
    rates = run("input_rate", networks=networks).set_index("seed")
    assert rates.groupby(level=0).size().tolist() == [2, 2]
    assert rates.loc[0, ["rate_accuracy_percent", "spiking_accuracy_percent"]].isna().all(axis=None)
    assert rates.loc[1].notna().all(axis=None)
    layers = run("conversion_diagnostic", networks=networks).set_index("seed")
    assert layers.loc[0, "layer"].tolist() == [1, 2, 3]
    assert layers.loc[0, ["correlation", "analytic_rate_hz"]].isna().all(axis=None)
    assert layers.loc[1].notna().all(axis=None)


def test_networks_of_other_seeds_are_left_out(run, spiking):
    assert set(run("input_rate", seeds=[1])["seed"]) == {1}


def test_simulation_of_one_network_can_differ(run, spiking):
    """An entry for a network in a protocol wins over that of the protocol."""
    slow = {**SIMULATION, NETWORK: {"simulation_time_ms": 10}}
    table = run("conversion_diagnostic", seeds=[0], simulation=slow)
    # Rates from 10 ms come in steps of 100 Hz.
    assert np.all(table["simulated_rate_hz"] % 100 == 0)


def test_simulation_settings_are_checked(run):
    with pytest.raises(StudyError, match="as_published.*corrected is expected"):
        run("input_rate", simulation={"as_published": {}})
    with pytest.raises(StudyError, match="'simulation_time'"):
        run("input_rate", simulation={"corrected": {"simulation_time": 5}})


def test_conversion_diagnostic_summarises_all_pairs(run, digits, spiking):
    sample, whole = (run("conversion_diagnostic", seeds=[0], sampled_points=n) for n in (50, 10**6))
    assert sample.groupby("layer").size().tolist() == [50, 50, 50]
    assert whole.groupby("layer").size().tolist() == [20 * 40, 20 * 30, 20 * 10]
    for layer, rows in whole.groupby("layer"):
        simulated, analytic = rows["simulated_rate_hz"], rows["analytic_rate_hz"]
        summary = rows.iloc[0]
        assert summary["correlation"] == pytest.approx(np.corrcoef(analytic, simulated)[0, 1])
        assert summary["silent_fraction"] == (simulated == 0).mean()
        assert summary["saturated_fraction"] == (simulated >= 0.9 * 250).mean()
        assert summary["rmse_hz"] == pytest.approx(np.sqrt(np.mean((simulated - analytic) ** 2)))
        assert summary["correlation"] > 0.8
        drawn = sample[sample["layer"] == layer]
        assert set(drawn["analytic_rate_hz"]) <= set(analytic)
        assert drawn["rmse_hz"].eq(summary["rmse_hz"]).all()


def test_a_device_that_is_not_there_is_named(run):
    if torch.cuda.is_available():
        pytest.skip("this machine has the device")
    for name in ("zil_equals_backprop", "activation_scaling", "il_cost"):
        with pytest.raises(PlausibleError, match="cuda"):
            run(name, device="cuda")
