"""The grid of figure 3: readings, division among jobs, checkpoints, rows and metrics."""

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.data import prepare
from plausible.errors import StudyError
from plausible.learning.layered import apply, forward, make_network
from plausible.learning.layered_rules import il_updates
from plausible.seeds import numpy_generator
from plausible.reproduction.shards import part_of
from plausible.studies.song2020 import grid as grid_module
from plausible.studies.song2020.ablation.experiment import Variant, cost, grid, tasks, variants
from plausible.learning.predictive_training import (
    Trained,
    comparison,
    layer_sizes,
    network_rule,
    prepare_images,
    train_network,
)
from plausible.learning.readings import (
    INITS,
    Reading,
    initial_weights,
    input_table,
    make_reading,
    update_rate,
)

torch.set_num_threads(1)

SEEDS = [1482555873, 2283198659]
SETTINGS = {
    "readings": {"as_coded": {}, "other": {"gain": 2.0, "inputs": "sigmoid", "biases": True}},
    "l_max": [2, 3],
    "gammas": [0.5, 1, 10],
    "times": ["l", 0, 1, 2, 4],
    "sigmas": [0, 0.1, 1],
    "noises": ["initial", "persistent"],
    "fazil_steps": 4,
    "detection_steps": 4,
    "hidden": 12,
    "epochs": 2,
    "batch_size": 20,
    "weight_limit": 1e6,
    "train_limit": 130,
}
PLACE = ["protocol", "panel", "l_max", "seed", "method", "t", "gamma", "sigma", "noise"]
METRICS = [
    *("mean_test_error", "final_test_error"),
    *("test_error_divergence_sum", "test_error_divergence_mean"),
    *("weight_divergence_sum", "weight_divergence_norm"),
    *(f"weight_distance_{matrix}" for matrix in (1, 2, 3, 4)),
    *("largest_weight", "diverged_epoch"),
]


@pytest.fixture(scope="module")
def dataset():
    return prepare("digits")


@pytest.fixture(scope="module")
def images(dataset):
    return prepare_images(dataset, 130)


@pytest.fixture(scope="module")
def table(dataset):
    """Rows of the whole sweep, made by one job."""
    return grid(SETTINGS, SEEDS, dataset)


def in_order(table: pd.DataFrame) -> pd.DataFrame:
    return table.sort_values(PLACE, ignore_index=True)


# Readings


@pytest.mark.parametrize(
    ("init", "scale"),
    [
        ("xavier_uniform", np.sqrt(6 / 700)),
        ("xavier_normal", np.sqrt(2 / 700)),
        ("uniform", 1.0),
        ("normal", 1.0),
        ("fan_in_uniform", 1 / np.sqrt(400)),
        ("fan_in_normal", 1 / np.sqrt(400)),
    ],
)
def test_distribution_of_initial_weights(init, scale):
    output, matrix = initial_weights(Reading(init=init, gain=1.5), (10, 300, 400), 3)
    assert output.shape == (300, 10) and matrix.shape == (400, 300)
    drawn, number = matrix.reshape(-1) / (1.5 * scale), matrix.size
    assert abs(drawn.mean()) < 5 / np.sqrt(number)
    ordered = np.sort(drawn)
    if init.endswith("uniform"):
        assert np.abs(drawn).max() <= 1 and np.abs(drawn).max() > 0.999
        expected = (ordered + 1) / 2
    else:
        expected = 0.5 * (1 + torch.erf(torch.from_numpy(ordered) / np.sqrt(2))).numpy()
    # Kolmogorov-Smirnov at a level of 1e-6.
    assert np.abs(np.arange(number) / number - expected).max() < 2.7 / np.sqrt(number)


@pytest.mark.parametrize("sizes", [(10, 32, 64), (10, 32, 32, 20), (40, 8, 64)])
def test_orthogonal_weights(sizes):
    for matrix in initial_weights(Reading(init="orthogonal", gain=3.0), sizes, 4):
        small = matrix.T @ matrix if matrix.shape[0] >= matrix.shape[1] else matrix @ matrix.T
        assert np.allclose(small, 9 * np.eye(len(small)), atol=1e-12)


@pytest.mark.parametrize("init", INITS)
def test_gains_scale_the_same_draw(init):
    sizes = (10, 12, 14, 16, 18)
    plain = initial_weights(Reading(init=init), sizes, 5)
    chosen = Reading(init=init, gain=2.0, output_gain=3.0, hidden_gain=5.0, input_gain=7.0)
    scaled = initial_weights(chosen, sizes, 5)
    for factor, ours, theirs in zip((6, 10, 10, 14), scaled, plain, strict=True):
        assert np.allclose(ours, factor * theirs, rtol=1e-14, atol=0)
    assert all(map(np.array_equal, plain, initial_weights(Reading(init=init), sizes, 5)))
    assert not np.array_equal(plain[0], initial_weights(Reading(init=init), sizes, 6)[0])


def test_input_tables():
    level = np.arange(256)
    assert np.array_equal(input_table(Reading(), 255), level / 255)
    assert input_table(Reading(), 16)[16] == 1.0
    sigmoid = input_table(Reading(inputs="sigmoid"), 16)
    assert sigmoid[0] == 0.5 and np.allclose(sigmoid[16], 1 / (1 + np.exp(-1)), rtol=1e-15)
    standard = input_table(Reading(inputs="standardised"), 255)
    assert np.allclose(standard, (level / 255 - 0.1307) / 0.3081, rtol=1e-13)


def test_update_rate_of_sums_and_means():
    assert update_rate(Reading(learning_rate=0.5), 20) == 0.5
    assert update_rate(Reading(learning_rate=0.5, reduction="mean"), 20) == 0.025


@pytest.mark.parametrize(
    ("choices", "words"),
    [
        ({"gian": 2.0}, "reading x: 'gian' is not a choice; known are init, gain"),
        ({"init": "he"}, "init is 'he'; known are xavier_uniform"),
        ({"inputs": "inverted"}, "inputs is 'inverted'; known are raw, sigmoid"),
        ({"reduction": "max"}, "reduction is 'max'; known are sum, mean"),
    ],
)
def test_unknown_choices_of_a_reading_are_refused(choices, words):
    with pytest.raises(StudyError, match=words):
        make_reading(choices, "x")


def test_an_unknown_activation_is_refused_before_training():
    with pytest.raises(StudyError, match="activation is 'relu'"):
        network_rule(make_reading({"activation": "relu"}, "x"), 2, 20)


# One network


def test_test_errors_are_those_of_the_weights(dataset, images):
    reading = Reading(biases=True, gain=4.0, low=0.1, high=0.9, learning_rate=0.005)
    rule = network_rule(reading, 3, 20, method="fixed_t", steps=2, gamma=0.5)
    chosen = {"l_max": 3, "hidden": 12, "seed": 5, "batch_size": 20}
    network = train_network(images, reading, rule, epochs=30, **chosen)
    assert network.diverged_epoch == -1 and len(network.test_errors) == 30
    twin = make_network(*([torch.from_numpy(p) for p in group] for group in network[1:3]))
    outputs = forward(twin, torch.from_numpy(dataset.test_images / 16))[0].argmax(dim=1).numpy()
    assert network.test_errors[-1] == (outputs != dataset.test_labels).mean()
    assert len(set(network.test_errors)) > 5
    shorter = train_network(images, reading, rule, epochs=3, **chosen)
    assert np.array_equal(shorter.test_errors, network.test_errors[:3])


@pytest.mark.parametrize(
    ("rate", "limit"), [(0.001, 1e-3), (10.0, 1e6), (10.0, 1e300), (1e300, 1e6), (1e300, 1e308)]
)
def test_a_diverging_network_ends_with_a_recorded_epoch(images, rate, limit):
    reading = Reading(learning_rate=rate, biases=True)
    rule = network_rule(reading, 3, 20, method="fixed_t", steps=16, gamma=10.0)
    chosen = {"l_max": 3, "hidden": 12, "seed": 5, "batch_size": 20, "weight_limit": limit}
    network = train_network(images, reading, rule, epochs=60, **chosen)
    epoch = network.diverged_epoch
    assert 1 <= epoch <= 59 and len(network.test_errors) == 60
    assert np.isfinite(network.test_errors).all()
    assert (network.test_errors[epoch - 1 :] == network.test_errors[epoch - 1]).all()
    largest = max(np.abs(matrix).max() for matrix in network.weights)
    assert not largest < limit
    if epoch > 1:
        before = train_network(images, reading, rule, epochs=epoch - 1, **chosen)
        assert before.diverged_epoch == -1
        assert np.array_equal(before.test_errors, network.test_errors[: epoch - 1])
    metrics = comparison(network, network)
    assert metrics["diverged_epoch"] == epoch and metrics["test_error_divergence_sum"] == 0


def test_batches_larger_than_the_data_set_are_refused(images):
    with pytest.raises(StudyError, match="batch_size 131 was found, but there are 130"):
        train_network(
            images, Reading(), network_rule(Reading(), 2, 131),
            l_max=2, hidden=4, seed=0, epochs=1, batch_size=131,
        )  # fmt: skip


def test_comparison_by_hand():
    ours = Trained(
        np.array([0.5, 0.25, 0.125]),
        [np.array([[1.0, 2.0], [3.0, -7.0]]), np.array([[2.0], [0.0]])],
        [],
        -1,
    )
    theirs = Trained(
        np.array([0.75, 0.25, 0.0]),
        [np.array([[1.0, 5.0], [3.0, -3.0]]), np.array([[2.0], [12.0]])],
        [],
        -1,
    )
    metrics = comparison(ours, theirs)
    unused = [metrics.pop(f"weight_distance_{matrix}") for matrix in (3, 4)]
    assert np.isnan(unused).all()
    assert metrics == {
        "mean_test_error": pytest.approx(0.875 / 3),
        "final_test_error": 0.125,
        "test_error_divergence_sum": 0.375,
        "test_error_divergence_mean": 0.125,
        "weight_divergence_sum": 17.0,
        "weight_divergence_norm": 13.0,
        "weight_distance_1": 5.0,
        "weight_distance_2": 12.0,
        "largest_weight": 7.0,
        "diverged_epoch": -1,
    }


# Division among jobs


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 24, 60, 1000])
def test_shards_hold_every_task_once_and_cost_the_same(shards):
    settings = {
        **SETTINGS,
        "l_max": [2, 3, 4],
        "gammas": [0.01, 0.1, 0.5, 1, 5, 10],
        "times": ["l", 0, 1, 2, 3, 4, 16, 64],
    }
    listed = tasks(settings, SEEDS)
    costs = [cost(task.variant, task.l_max, 16) for task in listed]
    parts = [part_of(listed, costs, {"shard": k, "shards": shards}) for k in range(shards)]
    assert [task for part in parts for task in part] == listed
    assert len(set(listed)) == len(listed)
    shares = [sum(cost(task.variant, task.l_max, 16) for task in part) for part in parts]
    assert max(abs(share - sum(costs) / shards) for share in shares) <= max(costs)
    assert part_of(listed, costs, {}) == listed


def test_cost_grows_with_steps_and_depth():
    def of(method, t, l_max):
        return cost(Variant("t_gamma", method, t, 1.0, 0.0, "none"), l_max, 16)

    assert of("fixed_t", "0", 2) < of("fixed_t", "1", 2) < of("fixed_t", "64", 2)
    assert of("fixed_t", "16", 2) < of("fixed_t", "16", 4) and of("fazil", "l", 3) > 1
    assert of("t_equals_l", "l", 3) == of("fixed_t", "3", 3)


@pytest.mark.parametrize("shards", [3, 40])
def test_rows_do_not_depend_on_the_number_of_jobs(dataset, table, shards):
    parts = [
        grid({**SETTINGS, "shard": k, "shards": shards}, SEEDS, dataset) for k in range(shards)
    ]
    joined = pd.concat(parts, ignore_index=True)
    pd.testing.assert_frame_equal(joined, table, check_exact=True)


def test_a_killed_job_goes_on_where_it_was(dataset, table, tmp_path, monkeypatch):
    trained = []

    def count(limit):
        def train(images, reading, rule, **chosen):
            if len(trained) == limit:
                raise KeyboardInterrupt
            trained.append(chosen["seed"])
            return train_network(images, reading, rule, **chosen)

        return train

    settings = {**SETTINGS, "checkpoints": str(tmp_path / "kept")}
    monkeypatch.setattr(grid_module, "train_network", count(50))
    with pytest.raises(KeyboardInterrupt):
        grid(settings, SEEDS, dataset)
    done = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert 40 < len(done) < 50 and all(name.endswith(".json") for name in done)

    trained.clear()
    monkeypatch.setattr(grid_module, "train_network", count(10_000))
    resumed = grid(settings, SEEDS, dataset)
    assert resumed.to_csv(index=False) == table.to_csv(index=False)
    networks = len(tasks(SETTINGS, SEEDS))
    groups = 2 * 2 * 2
    assert networks - len(done) <= len(trained) <= networks - len(done) + groups
    assert len(list((tmp_path / "kept").iterdir())) == networks

    trained.clear()
    again = grid(settings, SEEDS, dataset)
    assert len(trained) <= groups
    pd.testing.assert_frame_equal(again, table, check_exact=True)


# Rows


def test_rows_are_complete_and_unique(table):
    assert list(table.columns) == [*PLACE, "epochs", *METRICS]
    assert not table.duplicated(PLACE).any()
    for _, group in table.groupby(["protocol", "l_max", "seed"]):
        cells = {panel: rows for panel, rows in group.groupby("panel")}
        assert set(cells) == {"t_gamma", "sigma", "fazil", "bp"}
        found = set(zip(cells["t_gamma"]["t"], cells["t_gamma"]["gamma"], strict=True))
        assert found == {(t, g) for t in ("l", "0", "1", "2", "4") for g in (0.5, 1.0, 10.0)}
        assert len(cells["t_gamma"]) == 15
        found = set(zip(cells["sigma"]["noise"], cells["sigma"]["sigma"], strict=True))
        assert found == {(n, s) for n in ("initial", "persistent") for s in (0.0, 0.1, 1.0)}
        assert len(cells["sigma"]) == 6 and len(cells["fazil"]) == len(cells["bp"]) == 1
    assert table.groupby(["protocol", "l_max", "seed"]).ngroups == 8
    beyond = np.array([table[f"weight_distance_{matrix}"].isna() for matrix in (1, 2, 3, 4)]).T
    assert np.array_equal(beyond, np.arange(1, 5) > table["l_max"].to_numpy()[:, None])
    assert (table["epochs"] == 2).all()
    assert not table.drop(columns=["gamma", *METRICS[6:10]]).isna().any().any()


def test_methods_and_moments_of_the_rows(table):
    method = table["method"]
    assert (method[table["panel"] == "sigma"] == "t_equals_l").all()
    in_grid = table["panel"] == "t_gamma"
    assert ((method == "t_equals_l") == (table["t"] == "l"))[in_grid].all()
    assert (method[in_grid & (table["t"] != "l")] == "fixed_t").all()
    assert (table["noise"][in_grid] == "none").all() and (table["sigma"][in_grid] == 0).all()
    assert table["gamma"][table["panel"] == "bp"].isna().all()
    zero = table[table["t"] == "0"]
    assert (
        zero.groupby(["protocol", "l_max", "seed"])["weight_divergence_sum"].nunique() == 1
    ).all()
    # Without inference the first matrix learns as in backprop, the others do not learn.
    assert (zero["weight_distance_2"] > 1e-4).all()


def test_only_t_equals_l_and_gamma_1_is_backprop(table):
    own = table[table["panel"] == "bp"]
    assert (own[METRICS[2:6]] == 0).all().all()
    exact = (table["t"] == "l") & (table["gamma"] == 1) & (table["sigma"] == 0)
    assert exact.sum() == 8 * 4
    assert (table["weight_divergence_sum"][exact] < 1e-12).all()
    assert (table["test_error_divergence_sum"][exact] == 0).all()
    others = ~exact & (table["panel"] != "bp")
    assert (table["weight_divergence_sum"][others] > 1e-5).all()


def test_variants_where_something_is_left_out():
    cells = variants({**SETTINGS, "noises": [], "fazil_steps": 0})
    assert {cell.panel for cell in cells} == {"t_gamma"} and len(cells) == 3 * 4 + 1
    assert all(cell.sigma > 0 for cell in variants(SETTINGS) if cell.panel == "sigma")


def test_a_cell_against_the_readable_form(dataset, table):
    """Same initial weights and batches, trained with torch; metrics computed by hand."""
    seed, l_max, batch_size, epochs = SEEDS[1], 3, 20, 2
    weights = initial_weights(Reading(), layer_sizes(l_max, 12, 64), seed)
    inputs = torch.from_numpy(dataset.train_images[:130] / 16)
    targets = torch.eye(10, dtype=torch.float64)[torch.from_numpy(dataset.train_labels[:130])]
    tests = torch.from_numpy(dataset.test_images / 16)
    curves, finals = [], []
    for steps, gamma in ((2, 0.5), (None, None)):
        network = make_network([torch.from_numpy(matrix.copy()) for matrix in weights])
        order, curve = numpy_generator("song2020", "batches", seed), []
        for _ in range(epochs):
            for batch in torch.from_numpy(order.permutation(130)).split(batch_size):
                if steps is None:
                    parameters = [w.clone().requires_grad_() for w in network.weights]
                    outputs = forward(network._replace(weights=tuple(parameters)), inputs[batch])[0]
                    (0.5 * (targets[batch] - outputs).square().sum()).backward()
                    moved = [p.detach() - 0.001 * p.grad for p in parameters]
                    network = network._replace(weights=tuple(moved))
                else:
                    updates = il_updates(network, inputs[batch], targets[batch], steps, gamma)
                    network = apply(network, updates, 0.001)
            outputs = forward(network, tests)[0].argmax(dim=1).numpy()
            curve.append((outputs != dataset.test_labels).mean())
        curves.append(np.array(curve))
        finals.append([matrix.numpy() for matrix in network.weights])
    cell = table.query(
        "protocol == 'as_coded' and panel == 't_gamma' and t == '2' and gamma == 0.5 "
        f"and l_max == {l_max} and seed == {seed}"
    ).iloc[0]
    distances = [np.linalg.norm(a - b) for a, b in zip(*finals, strict=True)]
    assert cell["weight_divergence_sum"] == pytest.approx(sum(distances), rel=1e-9)
    assert cell["weight_divergence_norm"] == pytest.approx(np.linalg.norm(distances), rel=1e-9)
    assert cell["test_error_divergence_sum"] == pytest.approx(np.abs(curves[0] - curves[1]).sum())
    assert cell["mean_test_error"] == pytest.approx(curves[0].mean())
    assert cell["largest_weight"] == pytest.approx(max(np.abs(w).max() for w in finals[0]))


@pytest.mark.parametrize("missing", sorted(set(SETTINGS) - {"train_limit"}))
def test_a_missing_setting_is_named(dataset, missing):
    settings = {key: value for key, value in SETTINGS.items() if key != missing}
    with pytest.raises(StudyError, match=f"sweep grid: the setting '{missing}' was not found"):
        grid(settings, SEEDS, dataset)


def test_no_data_set_is_said():
    with pytest.raises(StudyError, match="no data set was found"):
        grid(SETTINGS, SEEDS, None)
