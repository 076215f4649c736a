"""Section 4.3 and figure 3 on small networks: graph, locality, measurements."""

import pandas as pd
import pytest
import torch

from plausible.errors import StudyError
from plausible.studies.thuesen2022.constraints import experiment, experiment_locality

from ...part_results import published_of
from ..harness import check_columns_and_determinism, run_experiment

COLUMNS = {
    "fig3": "element kind layer index target_layer target_index x y",
    "local_updates": "update layer replaced_layers max_abs_change method min_relative_change",
    "constraints": "constraint group method verdict reason measurement measured_value",
}


@pytest.fixture(scope="module")
def published():
    return published_of("thuesen2022.constraints")


@pytest.fixture
def run(published):
    """Function that makes the table of an experiment, some of its settings changed."""

    def call(name, **changes):
        if name == "constraints":
            changes = {"published": published.values("claim.constraints"), **changes}
        return run_experiment("thuesen2022.constraints", name, **changes)

    return call


@pytest.mark.parametrize("name", COLUMNS)
def test_columns_and_determinism(run, name):
    check_columns_and_determinism(run, name, COLUMNS[name])


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


def test_updates_are_local_to_the_last_bit(run):
    both = run("local_updates").set_index("method")
    table, backprop = both.loc["predictive coding"], both.loc["backprop"]
    assert (table["max_abs_change"] == 0).all()
    assert backprop["min_relative_change"].min() > 0.1, "the same network, without locality"
    assert backprop["update"].value_counts().to_dict() == {"weights": 5, "biases": 5}
    assert set(table["update"]) == {"value_nodes", "weights", "biases"}
    assert (table["replaced_layers"] != "").all()
    # Layers 1 to 5, of which the last is clamped.
    assert table["update"].value_counts().to_dict() == {"weights": 5, "biases": 5, "value_nodes": 4}


@pytest.mark.parametrize("lost", ["below", "own", "above", "weights"])
def test_locality_check_notices_what_an_update_does_use(run, monkeypatch, lost):
    needed = experiment_locality.needed_by

    def fewer(update, layer):
        values, weights = needed(update, layer)
        dropped = {"below": {layer - 1}, "own": {layer}, "above": {layer + 1}}
        return values - dropped.get(lost, set()), set() if lost == "weights" else weights

    monkeypatch.setattr(experiment_locality, "needed_by", fewer)
    table = run("local_updates")
    changed = table[(table["max_abs_change"] > 0) & (table["method"] == "predictive coding")]
    expected = {"value_nodes"} if lost == "above" else {"value_nodes", "weights", "biases"}
    assert set(changed["update"]) == expected


def test_constraints_are_the_published_ones_with_measurements(run, published):
    table = run("constraints")
    values = published.values("claim.constraints")
    spcn = values["methods"][0]
    named = {row["id"]: row for row in values["constraints"]}
    own = table[table["method"] == spcn["name"]]
    for row, (name, verdict) in zip(own.itertuples(), spcn["verdicts"].items(), strict=True):
        assert (row.constraint, row.group) == (named[name]["name"], named[name]["group"])
        assert (row.verdict, row.reason) == (verdict, spcn["reasons"][name])
    assert len(table) == sum(len(method["verdicts"]) for method in values["methods"])
    measured = own.set_index("constraint")["measured_value"]
    assert measured.notna().all()
    assert measured["locality"] == 0
    assert measured["1 weight transport problem"] == 0
    assert measured["3 linear feedback problem"] < 1e-14
    assert measured["4 spiking problem"] == 0
    assert measured["5 timing problem"] > 0.1
    assert measured["6 target problem"] == 0
    assert measured["spikes for communication"] > 0.9
    assert measured["unidirectionality"] > 0.1 and measured["2 derivative problem"] > 0.1
    by_itself = table[table["method"] == "Fa-Z-IL"].set_index("constraint")["measured_value"]
    assert by_itself["5 timing problem"] < 1e-12
    stated = table[table["measured_value"].isna()]
    assert (stated["measurement"] == experiment.STATED_ONLY).all()


def test_constraint_measurements_notice_other_implementations(run, monkeypatch):
    """Feedback alignment, a rectified feedback and a derivative of 1 change the numbers."""
    message = experiment.message

    def own(table: pd.DataFrame) -> pd.Series:
        return table.drop_duplicates("constraint").set_index("constraint")["measured_value"]

    def aligned(network, stage, view, error):
        weights = tuple(torch.sin(100 * weight) for weight in network.weights)
        return message(network._replace(weights=weights), stage, view, error)

    monkeypatch.setattr(experiment, "message", aligned)
    assert own(run("constraints"))["1 weight transport problem"] > 0.1
    monkeypatch.setattr(experiment, "message", lambda *arguments: message(*arguments).relu())
    assert own(run("constraints"))["3 linear feedback problem"] > 0.1
    changes = experiment.value_node_changes

    def no_derivative(network, plan, state, clamped=True):
        flat = [
            view if view.slope is None else view._replace(slope=torch.ones_like(view.slope))
            for view in state.locals
        ]
        return changes(network, plan, state._replace(locals=flat), clamped)

    monkeypatch.setattr(experiment, "value_node_changes", no_derivative)
    assert own(run("constraints"))["2 derivative problem"] == 0


def test_unknown_constraint_is_named(run, published):
    values = published.values("claim.constraints")
    other = {"id": "x", "name": "X", "section": "1", "verdicts": {"sleep": "not"}}
    with pytest.raises(StudyError, match="x has a verdict on 'sleep'"):
        run("constraints", published={**values, "methods": [*values["methods"], other]})
