"""Experiments of Song et al. 2020 on tiny settings: closed forms, slow loops, broken rules."""

import numpy as np
import pandas as pd
import pytest
import torch
import yaml

from plausible.data import prepare
from plausible.errors import PlausibleError, StudyError
from plausible.learning.layered import forward
from plausible.learning.layered_rules import fazil_updates, il_updates, zil_updates
from plausible.studies.song2020 import detection as detection_module
from plausible.studies.song2020 import notation as notation_module
from plausible.studies.song2020 import precision, properties
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.properties.experiment_detection import COUNTINGS, count_detections, error_nodes
from plausible.studies.song2020.experiments import EXPERIMENTS

SEEDS = [1482555873, 2283198659]
NETWORKS = {"l_max": [2, 4], "hidden_neurons": 8, "batch_size": 10}
SETTINGS = {
    "fig1": {"layer_sizes": [2, 3, 3, 2]},
    "fig2": {
        "layer_sizes": [6, 5, 4, 3],
        "batch_size": 4,
        "il_steps": 6,
        "gamma": 0.5,
        "detection_steps": 4,
        "steps": 8,
    },
    "notation": {"published": None},
    "properties": {
        "layer_sizes": [9, 8, 7, 6, 5],
        "batch_size": 6,
        "il_steps": 20,
        "il_gamma": 0.1,
        "detection_steps": 4,
        "steps": 8,
        "equivalence_tolerance": 1e-10,
    },
    "detection": {
        **NETWORKS,
        "detection_steps": [1, 4],
        "tolerances": [0.0, 1e-2],
        "images": 30,
        "steps": 10,
        "training_updates": 20,
        "learning_rate": 0.001,
    },
    "float32": {
        **NETWORKS,
        "learning_rate": 0.01,
        "updates": 40,
        "recorded_points": 4,
        "dtypes": ["float64", "float32"],
    },
    "energy": {**NETWORKS, "gammas": [0.1, 0.5], "sigmas": [0.0, 0.5], "steps": 30},
    "prediction": {**NETWORKS, "gammas": [0.5, 1.0], "sigma": 1.0, "steps": 150},
}
COLUMNS = {
    "fig1": "network element kind layer index target_layer target_index x y",
    "fig2": "algorithm t element layer event",
    "notation": "row quantity ann_symbol pcn_symbol name_in_code found",
    "properties": "model property holds measurement measured_value seed",
    "detection": "l_max training_state tolerance t_d counting seed moments detected "
    "success_rate_percent false_alarm_rate_percent",
    "float32": "l_max seed dtype update max_weight_difference relative_weight_difference",
    "energy": "phase gamma l_max seed t energy sigma",
    "prediction": "gamma l_max seed t max_distance_to_ann",
}
NEEDS_IMAGES = ("detection", "float32", "energy", "prediction")


@pytest.fixture(scope="module")
def digits():
    """The embedded digits."""
    return prepare("digits")


@pytest.fixture(scope="module")
def published(project_root) -> dict[str, dict]:
    """Values of the published entries by id."""
    text = (project_root / "workflow" / "published" / "song2020.yaml").read_text()
    return {entry["id"]: entry["values"] for entry in yaml.safe_load(text)["results"]}


@pytest.fixture
def run(digits, published):
    """Function that runs an experiment with its tiny settings, some of them changed."""

    def call(name: str, dataset=digits, **changes) -> pd.DataFrame:
        settings = {**SETTINGS[name], **changes}
        if name == "notation" and settings["published"] is None:
            settings["published"] = published["song2020.table1"]
        return EXPERIMENTS[name](settings, SEEDS, dataset, None)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    first, second = run(name), run(name)
    assert list(first.columns) == COLUMNS[name].split()
    assert len(first) > 0
    pd.testing.assert_frame_equal(first, second)
    if "seed" in first:
        assert set(first["seed"]) == set(SEEDS)


def test_every_sweep_of_the_study_has_an_experiment(project_root):
    text = (project_root / "workflow" / "studies" / "song2020.yaml").read_text()
    sweeps = yaml.safe_load(text)["sweep"]
    assert {sweep.get("experiment", name) for name, sweep in sweeps.items()} == set(EXPERIMENTS)
    for name in COLUMNS:
        stated = {*sweeps[name]["settings"], *({"published"} & set(sweeps[name]))}
        assert stated == set(SETTINGS[name])
        assert sweeps[name].get("data_set", False) == (name in NEEDS_IMAGES)


@pytest.mark.parametrize("name", COLUMNS)
def test_a_missing_setting_is_named(name, digits):
    for key in SETTINGS[name]:
        settings = {other: value for other, value in SETTINGS[name].items() if other != key}
        with pytest.raises(StudyError, match=f"sweep {name}: the setting '{key}' was not found"):
            EXPERIMENTS[name](settings, SEEDS, digits, None)


@pytest.mark.parametrize("name", NEEDS_IMAGES)
def test_a_missing_data_set_is_named(run, name):
    with pytest.raises(StudyError, match=f"sweep {name}: no data set was found"):
        run(name, dataset=None)


# ---------------------------------------------------------------------------- common


def test_sizes_of_the_paper():
    assert sizes_of(2, 32, 784) == (784, 32, 10)
    assert sizes_of(4, 32, 784) == (784, 32, 32, 32, 10)


def test_networks_are_xavier_uniform():
    network = draw_network((300, 200, 10), torch.Generator().manual_seed(0))
    assert [tuple(weight.shape) for weight in network.weights] == [(200, 10), (300, 200)]
    for weight in network.weights:
        bound = np.sqrt(6 / sum(weight.shape))
        assert float(weight.abs().max()) == pytest.approx(bound, rel=0.01)
        assert float(weight.var()) == pytest.approx(bound**2 / 3, rel=0.1)
    single = draw_network((300, 200, 10), torch.Generator().manual_seed(0), dtype=torch.float32)
    assert torch.equal(single.weights[1], network.weights[1].to(torch.float32))


def test_images_and_targets(digits):
    chosen = torch.tensor([5, 0, 1000])
    images, targets = images_and_targets(digits, chosen, torch.float32)
    assert images.dtype == targets.dtype == torch.float32
    assert torch.equal(images * 16, torch.from_numpy(digits.train_images[[5, 0, 1000]]))
    assert torch.equal(targets.argmax(dim=1), torch.from_numpy(digits.train_labels[[5, 0, 1000]]))
    assert bool((targets.sum(dim=1) == 1).all())


def test_batches_show_every_image_once_an_epoch():
    found = [batch.tolist() for batch in batches(12, 4, 7, torch.Generator().manual_seed(3))]
    assert [len(batch) for batch in found] == [4] * 7
    first, second = sum(found[:3], []), sum(found[3:6], [])
    assert sorted(first) == sorted(second) == list(range(12))
    assert first != second
    uneven = list(batches(13, 4, 6, torch.Generator().manual_seed(3)))
    assert len(torch.cat(uneven[:3]).unique()) == 12


def test_batches_larger_than_the_data_set_are_refused():
    with pytest.raises(StudyError, match="batch_size: found 20, where at most 12"):
        list(batches(12, 20, 1, torch.Generator()))


# ---------------------------------------------------------------------------- figures 1 and 2


def test_fig1_draws_every_weight_and_one_error_node_per_value_node(run):
    sizes = [4, 3, 5, 2]
    table = run("fig1", layer_sizes=sizes)
    weights = 4 * 3 + 3 * 5 + 5 * 2
    feedback = 3 * 5 + 5 * 2
    driven = 3 + 5 + 2
    for network, own, errors in (("ann", 0, 0), ("pcn", driven, driven)):
        rows = table[table["network"] == network]
        edges = rows[rows["element"] == "edge"]
        assert (rows["element"] == "value_node").sum() == sum(sizes)
        assert (rows["element"] == "error_node").sum() == errors
        assert (edges["kind"] == "prediction").sum() == weights
        assert (edges["kind"] == "error").sum() == feedback + own
        downwards = edges[edges["kind"] == "prediction"]
        assert (downwards["layer"] - downwards["target_layer"] == 1).all()
        assert not edges.duplicated().any()
    nodes = table[table["element"] != "edge"]
    assert not nodes.duplicated(["network", "x", "y"]).any()
    pcn = nodes[nodes["network"] == "pcn"]
    assert set(pcn.loc[pcn["layer"] == 3, "kind"]) == {"input"}
    assert pcn.loc[pcn["kind"] == "output", "x"].max() == pcn["x"].max()


def test_fig1_leaves_out_a_connection_that_the_implementation_does_not_make(run, monkeypatch):
    def cut(sizes, generator):
        network = draw_network(sizes, generator)
        network.weights[0][1, 0] = 0.0
        return network

    whole = run("fig1")
    monkeypatch.setattr("plausible.studies.song2020.properties.experiment_figures.draw_network", cut)
    # A prediction and a message back, in both networks.
    assert len(whole) - len(run("fig1")) == 4


def test_fig2_logs_the_moments_of_the_paper(run):
    table = run("fig2")
    learned = {
        name: sorted(zip(rows["t"], rows["layer"], strict=True))
        for name, rows in table[table["event"] == "weight_update"].groupby("algorithm")
    }
    assert learned["il"] == [(6, 1), (6, 2), (6, 3)]
    assert learned["zil"] == learned["fazil"] == [(0, 1), (1, 2), (2, 3)]
    assert len(learned["bp"]) == 3
    inference = table[table["event"] == "inference"].groupby("algorithm")["t"].unique()
    assert "bp" not in inference
    assert sorted(inference["il"]) == list(range(6))
    assert sorted(inference["fazil"]) == list(range(8))
    before = table[table["t"] == -1]
    assert set(before.loc[before["algorithm"] == "bp", "event"]) == {"forward"}
    assert set(before.loc[before["algorithm"] != "bp", "event"]) == {"prediction"}


# ---------------------------------------------------------------------------- tables 1 and 2


def test_notation_lists_every_symbol_and_finds_its_names(run, published):
    table = run("notation").set_index("quantity")
    values = published["song2020.table1"]
    rows = {row["model"]: row for row in values["rows"]}
    assert table.loc["error", "ann_symbol"] == rows["ANN"]["error"]
    assert table.loc["error", "pcn_symbol"] == rows["PCN"]["error"]
    assert set(table.index) == {*rows["ANN"], *values["shared"]} - {"model"}
    assert table["found"].all()
    assert list(table["row"]) == list(range(1, len(table) + 1))


def test_notation_reports_a_name_that_is_not_there(run, monkeypatch, published):
    layered = notation_module.LAYERED
    monkeypatch.setitem(notation_module.NAMES, "weight", ((layered, "LayeredNetwork.theta"),))
    monkeypatch.setitem(notation_module.NAMES, "error", ((layered, "no_function.delta"),))
    monkeypatch.setitem(notation_module.NAMES, "activation", ((layered, "apply.no_variable"),))
    values = published["song2020.table1"]
    added = {**values, "shared": {**values["shared"], "unheard_of": "q"}}
    table = run("notation", published=added).set_index("quantity")
    lost = set(table.index[~table["found"]])
    assert lost == {"weight", "error", "activation", "unheard_of"}


def table2(table: pd.DataFrame) -> dict[str, dict[str, bool]]:
    """Model -> property -> whether it holds for every seed."""
    return {
        model: rows.groupby("property")["holds"].all().to_dict()
        for model, rows in table.groupby("model")
    }


def test_properties_are_those_of_the_published_table(run, published):
    table = run("properties")
    printed = {
        row["model"]: {name: value for name, value in row.items() if name != "model"}
        for row in published["song2020.table2"]["rows"]
    }
    assert table2(table) == printed
    measured = table.set_index(["model", "property"])["measured_value"]
    assert measured["IL", "equivalence_to_bp"].min() > 1e-4
    assert measured["Z-IL", "equivalence_to_bp"].max() < 1e-12
    for model in ("IL", "Z-IL", "Fa-Z-IL"):
        assert (measured[model, "local_plasticity"] == 0.0).all()
    assert measured["BP", "local_plasticity"].min() > 1e-3
    # Without a backward pass the hidden matrices learn nothing at all.
    assert (measured["BP", "partial_autonomy"] == 1.0).all()


def test_learning_at_every_step_adds_up_what_il_learns_at_each(run):
    generator = torch_generator("test", 0, "case")
    network = draw_network([5, 4, 3], generator, biases=True)
    inputs, targets = (
        torch.rand(6, units, generator=generator, dtype=torch.float64) for units in (5, 3)
    )
    case = properties.Case(network, inputs, targets, 3, 0.5, 4, 3, generator)
    found = properties._at_every_step(case, 3, 0.5)
    for level in range(2):
        parts = [il_updates(network, inputs, targets, t, 0.5) for t in range(4)]
        weights = torch.stack([part.weights[level] for part in parts]).sum(dim=0)
        assert torch.allclose(found.weights[level], weights, rtol=1e-14)
        biases = torch.stack([part.biases[level] for part in parts]).sum(dim=0)
        assert torch.allclose(found.biases[level], biases, rtol=1e-14)


def test_an_error_node_that_reads_a_distant_layer_is_not_local(run, monkeypatch):
    def leaky(network, values):
        state = look(network, values)
        errors = (state.errors[0] + 1e-9 * values[-1].mean(), *state.errors[1:])
        return state._replace(errors=errors)

    look = properties.look
    monkeypatch.setattr(properties, "look", leaky)
    found = table2(run("properties"))
    assert not any(found[model]["local_plasticity"] for model in ("IL", "Z-IL", "Fa-Z-IL"))


def test_an_update_that_reads_a_distant_weight_is_not_local(run, monkeypatch):
    def leaky(network, level, above, errors):
        weight, bias = local_update(network, level, above, errors)
        return weight * (1 + 1e-9 * network.weights[-1].mean()), bias

    local_update = properties.local_update
    monkeypatch.setattr(properties, "local_update", leaky)
    assert not table2(run("properties"))["Z-IL"]["local_plasticity"]


def test_the_listings_order_is_not_equivalent(run, monkeypatch):
    def listing(network, inputs, targets):
        return zil_updates(network, inputs, targets, order="listing", learning_rate=0.01)

    monkeypatch.setattr(properties, "zil_updates", listing)
    found = table2(run("properties"))
    assert not found["Z-IL"]["equivalence_to_bp"]
    assert found["Fa-Z-IL"]["equivalence_to_bp"]


def test_a_trigger_that_fires_too_early_is_not_autonomous(run, monkeypatch):
    def eager(network, inputs, targets, detection_steps, tolerance, steps):
        # Errors this small count as silence, so hidden layers start late or never.
        return fazil_updates(network, inputs, targets, detection_steps, 0.02, steps)

    monkeypatch.setattr(properties, "fazil_updates", eager)
    found = table2(run("properties"))["Fa-Z-IL"]
    assert not found["full_autonomy"]
    assert not found["equivalence_to_bp"]


def test_inference_that_needs_to_be_told_of_the_target_is_not_autonomous(run, monkeypatch):
    def drifting(network, inputs, targets, *args, values=None):
        record = relax(network, inputs, targets, *args, values=values)
        if targets is None:
            record.values[-1] = tuple(value + 0.1 for value in record.values[-1])
        return record

    relax = properties.relax
    monkeypatch.setattr(properties, "relax", drifting)
    found = table2(run("properties"))
    for model in ("IL", "Z-IL", "Fa-Z-IL"):
        assert not found[model]["partial_autonomy"] and not found[model]["full_autonomy"]


def test_a_horizon_before_the_last_moment_is_refused(run):
    with pytest.raises(PlausibleError, match="T = 2"):
        run("properties", steps=2)
    with pytest.raises(PlausibleError, match="T = 2"):
        run("detection", steps=2)


# ---------------------------------------------------------------------------- table 3


def slow_counts(errors, t_d: int, tolerance: float, counting: str) -> tuple[int, int, int]:
    """Moments, detections and false alarms of the stated rule, signal by signal."""
    moments = detected = false_alarms = 0
    for level, layer in enumerate(errors):
        steps, groups, samples, neurons = layer.shape
        axes = {
            "per_neuron_and_sample": [
                (b, slice(s, s + 1), slice(i, i + 1))
                for b in range(groups)
                for s in range(samples)
                for i in range(neurons)
            ],
            "per_layer_and_sample": [
                (b, slice(s, s + 1), slice(None)) for b in range(groups) for s in range(samples)
            ],
            "per_layer_and_batch": [(b, slice(None), slice(None)) for b in range(groups)],
        }[counting]
        for place in axes:
            signal = [float(layer[(t, *place)].abs().max()) for t in range(steps)]
            if signal[level] == 0:
                continue
            past = [0.0] * t_d + signal
            fires = [
                past[t + t_d] > tolerance and all(e <= tolerance for e in past[t : t + t_d])
                for t in range(steps)
            ]
            elsewhere = any(fires[:level]) or any(fires[level + 1 :])
            moments += 1
            detected += fires[level] and not elsewhere
            false_alarms += elsewhere
    return moments, detected, false_alarms


@pytest.mark.parametrize("counting", COUNTINGS)
@pytest.mark.parametrize("tolerance", [0.0, 0.4])
def test_counts_are_those_of_the_rule_applied_by_hand(counting, tolerance):
    generator = torch.Generator().manual_seed(11)
    errors = [torch.rand(9, 3, 4, units, generator=generator) - 0.5 for units in (2, 5)]
    for layer in errors:
        # Many silent steps, and moments at which there is nothing to detect.
        layer[torch.rand(layer.shape, generator=generator) < 0.7] = 0.0
        layer[torch.rand(9, 3, generator=generator) < 0.5] = 0.0
    t_d = [1, 2, 3, 20]
    found = count_detections(errors, t_d, tolerance, counting)
    slow = [slow_counts(errors, steps, tolerance, counting) for steps in t_d]
    assert [found.moments] * len(t_d) == [row[0] for row in slow]
    assert found.detected.tolist() == [row[1] for row in slow]
    assert found.false_alarms.tolist() == [row[2] for row in slow]
    assert 0 < sum(row[1] for row in slow) < sum(row[0] for row in slow)


def test_counts_agree_with_the_trigger_inside_fazil(digits):
    images, targets = images_and_targets(digits, torch.arange(10))
    network = draw_network((64, 8, 8, 10), torch.Generator().manual_seed(2))
    errors = error_nodes(network, images, targets, 7, 5)
    _, detections = fazil_updates(network, images, targets, 2, 0.01, 7)
    hits = alarms = 0
    for level, fired in enumerate(detections.fired):
        elsewhere = fired[:level].any(dim=0) | fired[level + 1 :].any(dim=0)
        hits += int((fired[level] & ~elsewhere).sum())
        alarms += int(elsewhere.sum())
    found = count_detections(errors, [2], 0.01, "per_neuron_and_sample")
    assert (found.detected.tolist(), found.false_alarms.tolist()) == ([hits], [alarms])
    assert found.moments == 10 * (8 + 8 + 10)


def test_the_exact_rule_finds_every_moment_and_a_tolerance_does_not(run):
    table = run("detection")
    exact = table[table["tolerance"] == 0.0]
    assert (exact["success_rate_percent"] == 100.0).all()
    assert (exact["false_alarm_rate_percent"] == 0.0).all()
    loose = table[(table["tolerance"] > 0) & (table["counting"] == "per_neuron_and_sample")]
    assert loose["success_rate_percent"].max() < 100.0
    assert set(table["training_state"]) == {"initial", "trained"}
    one = table[(table["l_max"] == 4) & (table["t_d"] == 4)].groupby("counting")["moments"].first()
    assert one["per_neuron_and_sample"] == 30 * (3 * 8 + 10)
    assert one["per_layer_and_sample"] == 30 * 4
    assert one["per_layer_and_batch"] == 3 * 4
    rate = 100 * table["detected"] / table["moments"]
    assert np.allclose(table["success_rate_percent"], rate)


def test_training_changes_what_is_watched(run, monkeypatch):
    seen = []

    def watch(network, *args):
        seen.append(network)
        return error_nodes(network, *args)

    monkeypatch.setattr(detection_module, "error_nodes", watch)
    run("detection", l_max=[2])
    initial, trained = seen[:2]
    assert not torch.equal(initial.weights[0], trained.weights[0])
    assert not torch.equal(initial.weights[1], trained.weights[1])


@pytest.mark.parametrize("images", [0, 25, 10_000])
def test_images_must_fill_batches(run, images):
    with pytest.raises(StudyError, match=f"sweep detection: images is {images}"):
        run("detection", images=images)


def test_trigger_settings_are_checked(run):
    with pytest.raises(PlausibleError, match="t_d"):
        run("detection", detection_steps=[0, 1])
    with pytest.raises(PlausibleError, match="tolerance"):
        run("detection", tolerances=[-1.0])


# ---------------------------------------------------------------------------- beyond the paper


def test_float32_stays_at_rounding_errors(run):
    table = run("float32")
    assert set(table["update"]) >= {1, 40}
    largest = table.groupby("dtype")["relative_weight_difference"].max()
    assert largest["float64"] < 1e-14
    assert 1e-9 < largest["float32"] < 1e-5
    assert (table["max_weight_difference"] >= 0).all()


def test_float32_sees_a_rule_that_is_not_backprop(run, monkeypatch):
    def other(network, inputs, targets):
        return zil_updates(network, inputs, targets, gamma=0.5)

    monkeypatch.setattr(precision, "zil_updates", other)
    table = run("float32", dtypes=["float64"])
    last = table[table["update"] == 40]
    assert last["relative_weight_difference"].min() > 1e-6
    both = table.groupby(["l_max", "seed"])["relative_weight_difference"]
    assert both.apply(lambda values: values.is_monotonic_increasing).all()


def test_an_unknown_dtype_is_refused(run):
    with pytest.raises(StudyError, match="dtypes holds 'float16'"):
        run("float32", dtypes=["float16"])


def test_energy_starts_at_the_squared_error_and_falls(run, digits):
    table = run("energy")
    start = table[(table["t"] == 0) & (table["sigma"] == 0.0)]
    for l_max in (2, 4):
        generator = torch_generator("energy", SEEDS[0], "network", l_max)
        network = draw_network(sizes_of(l_max, 8, 64), generator)
        (chosen,) = batches(len(digits.train_images), 10, 1, generator)
        images, targets = images_and_targets(digits, chosen)
        loss = 0.5 * float((targets - forward(network, images)[0]).square().sum())
        rows = start[(start["l_max"] == l_max) & (start["seed"] == SEEDS[0])]
        learning = rows[rows["phase"] == "learning"]
        assert np.allclose(learning["energy"], loss, rtol=1e-12)
    undisturbed = table[(table["phase"] == "prediction") & (table["sigma"] == 0.0)]
    assert (undisturbed["energy"] == 0.0).all()
    slow = table[table["gamma"] == 0.1].groupby(["phase", "sigma", "l_max", "seed"])["energy"]
    assert slow.apply(lambda values: values.is_monotonic_decreasing).all()
    noisy = table[(table["phase"] == "prediction") & (table["sigma"] == 0.5)]
    assert noisy.loc[noisy["t"] == 30, "energy"].max() < noisy.loc[noisy["t"] == 0, "energy"].min()


def test_energy_of_noise_alone_is_that_of_the_noise(run):
    table = run("energy", l_max=[2], gammas=[0.5], sigmas=[2.0])
    start = table[(table["t"] == 0) & (table["phase"] == "prediction")]
    # A hidden layer of 8 units, 10 samples: 1/2 sigma^2 chi-squared with 80 degrees of freedom.
    assert start["energy"].between(2.0 * 40, 2.0 * 130).all()


def test_prediction_reaches_the_activity_of_the_ann(run):
    table = run("prediction")
    assert table.loc[table["t"] == 0, "max_distance_to_ann"].min() > 0.5
    assert table.loc[table["t"] == 150, "max_distance_to_ann"].max() < 1e-6
    undisturbed = run("prediction", sigma=0.0)
    assert (undisturbed["max_distance_to_ann"] == 0.0).all()


def test_a_gamma_that_is_not_positive_is_refused(run):
    for name in ("energy", "prediction"):
        with pytest.raises(PlausibleError, match="gamma: found -0.5"):
            run(name, gammas=[-0.5])
