"""Figures 1 and 2, tables 1 and 2: what is logged, what is found in the code, what is measured."""

import pandas as pd
import pytest
import torch

from plausible.studies.song2020.common import draw_network, torch_generator
from plausible.studies.song2020.levels import fazil_updates, il_updates, thetas, zil_updates
from plausible.studies.song2020.properties import (
    experiment,
    experiment_figures,
    experiment_notation,
)

from ...part_results import published_of, read_sweep

SEEDS = [1482555873, 2283198659]
SMALL = {
    "fig1": {},
    "fig2": {},
    "notation": {},
    "properties": {"layer_sizes": [9, 8, 7, 6, 5], "batch_size": 6, "steps": 20},
}
EXPERIMENTS = {
    "fig1": experiment_figures.fig1,
    "fig2": experiment_figures.fig2,
    "notation": experiment_notation.notation,
    "properties": experiment.properties,
}
COLUMNS = {
    "fig1": "network element kind layer index target_layer target_index x y",
    "fig2": "algorithm t element layer event",
    "notation": "row quantity ann_symbol pcn_symbol name_in_code found",
    "properties": "model property holds measurement measured_value seed",
}


def settings_of(name, **changes):
    """Settings of the study file, made small, some of them changed."""
    return read_sweep("song2020.properties", name, **{**SMALL[name], **changes})


@pytest.fixture(scope="module")
def published():
    return published_of("song2020.properties")


@pytest.fixture(scope="module")
def run(published):
    """Function that runs an experiment with small settings, some of them changed."""

    def call(name, values=None, **changes):
        settings = settings_of(name, **changes)
        if name == "notation":
            values = values or published.values("table1")
            settings = settings.model_copy(update={"published": values})
        return EXPERIMENTS[name](settings, SEEDS, None, None)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    first, second = run(name), run(name)
    assert list(first.columns) == COLUMNS[name].split() and len(first) > 0
    pd.testing.assert_frame_equal(first, second)
    if "seed" in first:
        assert set(first["seed"]) == set(SEEDS)


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
        thetas(network)[0][1, 0] = 0.0
        return network

    whole = run("fig1")
    monkeypatch.setattr(experiment_figures, "draw_network", cut)
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
    values = published.values("table1")
    rows = {row["id"]: row for row in values["rows"]}
    assert table.loc["error", "ann_symbol"] == rows["ann"]["error"]
    assert table.loc["error", "pcn_symbol"] == rows["pcn"]["error"]
    assert set(table.index) == {*rows["ann"], *values["shared"]} - {"id"}
    assert table["found"].all()
    assert list(table["row"]) == list(range(1, len(table) + 1))


def test_notation_reports_a_name_that_is_not_there(run, monkeypatch, published):
    levels = experiment_notation.LEVELS
    monkeypatch.setitem(experiment_notation.NAMES, "weight", ((levels, "State.theta"),))
    monkeypatch.setitem(experiment_notation.NAMES, "error", ((levels, "no_function.delta"),))
    monkeypatch.setitem(experiment_notation.NAMES, "activation", ((levels, "apply.no_variable"),))
    values = published.values("table1")
    added = {**values, "shared": {**values["shared"], "unheard_of": "q"}}
    table = run("notation", added).set_index("quantity")
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
        row["id"]: {name: value for name, value in row.items() if name != "id"}
        for row in published.values("table2")["rows"]
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
    case = experiment.Case(network, inputs, targets, settings_of("properties"), generator)
    found = experiment._at_every_step(case, 3, 0.5)
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

    look = experiment.look
    monkeypatch.setattr(experiment, "look", leaky)
    found = table2(run("properties"))
    assert not any(found[model]["local_plasticity"] for model in ("IL", "Z-IL", "Fa-Z-IL"))


def test_an_update_that_reads_a_distant_weight_is_not_local(run, monkeypatch):
    def leaky(network, level, above, errors):
        weight, bias = local_update(network, level, above, errors)
        return weight * (1 + 1e-9 * thetas(network)[-1].mean()), bias

    local_update = experiment.local_update
    monkeypatch.setattr(experiment, "local_update", leaky)
    assert not table2(run("properties"))["Z-IL"]["local_plasticity"]


def test_the_listings_order_is_not_equivalent(run, monkeypatch):
    def listing(network, inputs, targets):
        return zil_updates(network, inputs, targets, order="listing", learning_rate=0.01)

    monkeypatch.setattr(experiment, "zil_updates", listing)
    found = table2(run("properties"))
    assert not found["Z-IL"]["equivalence_to_bp"]
    assert found["Fa-Z-IL"]["equivalence_to_bp"]


def test_a_trigger_that_fires_too_early_is_not_autonomous(run, monkeypatch):
    def eager(network, inputs, targets, detection_steps, tolerance, steps):
        # Errors this small count as silence, so hidden layers start late or never.
        return fazil_updates(network, inputs, targets, detection_steps, 0.02, steps)

    monkeypatch.setattr(experiment, "fazil_updates", eager)
    found = table2(run("properties"))["Fa-Z-IL"]
    assert not found["full_autonomy"]
    assert not found["equivalence_to_bp"]


def test_inference_that_needs_to_be_told_of_the_target_is_not_autonomous(run, monkeypatch):
    def drifting(network, inputs, targets, *args, values=None):
        record = relax(network, inputs, targets, *args, values=values)
        if targets is None:
            record.values[-1] = tuple(value + 0.1 for value in record.values[-1])
        return record

    relax = experiment.relax
    monkeypatch.setattr(experiment, "relax", drifting)
    found = table2(run("properties"))
    for model in ("IL", "Z-IL", "Fa-Z-IL"):
        assert not found[model]["partial_autonomy"] and not found[model]["full_autonomy"]
