"""The grid of figure 3: division among jobs, checkpoints, rows."""

import numpy as np
import pandas as pd
import pytest
import torch

from plausible.data.registry import prepare
from plausible.errors import StudyError
from plausible.learning.predictive_training import layer_sizes, prepare_images, train_network
from plausible.learning.readings import Reading, initial_weights
from plausible.reproduction.shards import part_of
from plausible.seeds import numpy_generator
from plausible.studies.song2020 import training
from plausible.studies.song2020.ablation.experiment import Variant, cost, grid, tasks, variants
from plausible.studies.song2020.levels import apply, forward, il_updates, make_network

from ...part_results import read_sweep

torch.set_num_threads(1)

SEEDS = [1482555873, 2283198659]
SETTINGS = read_sweep(
    "song2020.ablation",
    "grid_as_coded_elsewhere",
    readings={
        "as_coded_elsewhere": {},
        "other": {"gain": 2.0, "inputs": "sigmoid", "biases": True},
    },
    l_max=[2, 3],
    gammas=[0.5, 1, 10],
    times=["l", 0, 1, 2, 4],
    sigmas=[0, 0.1, 1],
    fazil_steps=4,
    hidden=12,
    epochs=2,
    train_limit=130,
)
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
def table(dataset):
    """Rows of the whole sweep, made by one job."""
    return grid(SETTINGS, SEEDS, dataset)


def job(shard, shards):
    """Settings of one of several jobs."""
    return SETTINGS.model_copy(update={"shard": shard, "shards": shards})


# Division among jobs


@pytest.mark.parametrize("shards", [1, 2, 3, 8, 24, 60, 1000])
def test_shards_hold_every_task_once_and_cost_the_same(shards):
    settings = SETTINGS.changed(
        l_max=[2, 3, 4], gammas=[0.01, 0.1, 0.5, 1, 5, 10], times=["l", 0, 1, 2, 3, 4, 16, 64]
    )
    listed = tasks(settings, SEEDS)
    costs = [cost(task.variant, task.l_max, 16) for task in listed]
    parts = [part_of(listed, costs, job(k, shards)) for k in range(shards)]
    assert [task for part in parts for task in part] == listed
    assert len(set(listed)) == len(listed)
    shares = [sum(cost(task.variant, task.l_max, 16) for task in part) for part in parts]
    assert max(abs(share - sum(costs) / shards) for share in shares) <= max(costs)


def test_cost_grows_with_steps_and_depth():
    def of(method, t, l_max):
        return cost(Variant("t_gamma", method, t, 1.0, 0.0, "none"), l_max, 16)

    assert of("fixed_t", "0", 2) < of("fixed_t", "1", 2) < of("fixed_t", "64", 2)
    assert of("fixed_t", "16", 2) < of("fixed_t", "16", 4) and of("fazil", "l", 3) > 1
    assert of("t_equals_l", "l", 3) == of("fixed_t", "3", 3)


@pytest.mark.parametrize("shards", [3, 40])
def test_rows_do_not_depend_on_the_number_of_jobs(dataset, table, shards):
    parts = [grid(job(k, shards), SEEDS, dataset) for k in range(shards)]
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

    settings = SETTINGS.changed(checkpoints=str(tmp_path / "kept"))
    monkeypatch.setattr(training, "train_network", count(50))
    with pytest.raises(KeyboardInterrupt):
        grid(settings, SEEDS, dataset)
    done = sorted(path.name for path in (tmp_path / "kept").iterdir())
    assert 40 < len(done) < 50 and all(name.endswith(".done.npz") for name in done)

    trained.clear()
    monkeypatch.setattr(training, "train_network", count(10_000))
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
    cells = variants(SETTINGS.changed(noises=[], fazil_steps=0))
    assert {cell.panel for cell in cells} == {"t_gamma"} and len(cells) == 3 * 4 + 1
    assert all(cell.sigma > 0 for cell in variants(SETTINGS) if cell.panel == "sigma")


def test_a_cell_against_the_readable_form(dataset, table):
    """Same initial weights and batches, trained with torch; metrics computed by hand."""
    seed, l_max, batch_size, epochs = SEEDS[1], 3, 20, 2
    weights = initial_weights(
        Reading(), layer_sizes(l_max, 12, prepare_images(dataset)), "song2020", seed
    )
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
        "protocol == 'as_coded_elsewhere' and panel == 't_gamma' and t == '2' and gamma == 0.5 "
        f"and l_max == {l_max} and seed == {seed}"
    ).iloc[0]
    distances = [np.linalg.norm(a - b) for a, b in zip(*finals, strict=True)]
    assert cell["weight_divergence_sum"] == pytest.approx(sum(distances), rel=1e-9)
    assert cell["weight_divergence_norm"] == pytest.approx(np.linalg.norm(distances), rel=1e-9)
    assert cell["test_error_divergence_sum"] == pytest.approx(np.abs(curves[0] - curves[1]).sum())
    assert cell["mean_test_error"] == pytest.approx(curves[0].mean())
    assert cell["largest_weight"] == pytest.approx(max(np.abs(w).max() for w in finals[0]))


def test_no_data_set_is_said():
    with pytest.raises(StudyError, match="no data set was found"):
        grid(SETTINGS, SEEDS, None)
