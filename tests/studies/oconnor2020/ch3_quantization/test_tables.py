"""Tables of quantizers, limits and event graphs, as rows and for people."""

import pandas as pd

from plausible.studies.oconnor2020.ch3_quantization import tables

from . import synthetic


def test_rows_are_selected_by_their_values():
    frame = pd.DataFrame({"kind": ["a", "b", "c"], "n": [1, 2, 3], "empty": [None, 1.0, None]})
    found = tables.selected_rows({"sweep.x": frame}, {"where": {"kind": ["a", "c"], "n": [1, 3]}})
    assert found.to_dict("list") == {"kind": ["a", "c"], "n": [1, 3]}
    one = tables.selected_rows({"sweep.x": frame}, {"where": {"kind": "b"}})
    assert one.to_dict("list") == {"kind": ["b"], "n": [2], "empty": [1.0]}


def test_exponents_for_people():
    table = synthetic.fig3_1(("vector", "sampling", "stream", "rectified"))
    text = tables.slopes_markdown(table, {})
    assert "| spiking vector quantization (algorithm 1) | -1 | -1.000 ±" in text
    assert text.count("\n") == 2 + 6


def test_limits_for_people():
    rows = [(0, 1, t, 2.0 / t, 4.0) for t in (1, 10, 100)]
    limit = pd.DataFrame(rows, columns=["seed", "layer", "steps", "error", "activation"])
    assert "| as coded | standard deviation | 1 | -1.000 | 0.5 |" in tables.limit_markdown(
        limit.assign(protocol="as_coded"), {}
    )


def test_angles_for_people():
    gradient = pd.DataFrame(
        [("drawn", "sgd", 0, 0, 10, 0.5, 0.75, 1.0), ("drawn", "sgd", 0, 1, 10, 0.1, 0.1, 0.1)],
        columns=["weights", "update", "seed", "layer", "steps", "cosine", "cosine_of_sum",
                 "relative_step"],
    )  # fmt: skip
    assert "| drawn | SGD | 10 | 0.500 | 0.750 | 1.000 |" in tables.gradient_markdown(gradient, {})


def test_orders_for_people():
    table, published = synthetic.table_a2(), synthetic.ORDERS
    assert tables.table_a2_markdown(table, published).count("| yes |") == 2
    swapped = {**published, "depth_first": published["breadth_first"]}
    assert tables.table_a2_markdown(table, swapped).count("| no |") == 1
