"""Tables of quantizers, limits and event graphs, as rows and for people."""

import pandas as pd

from plausible.studies.oconnor2020.ch3_quantization import tables

from . import synthetic


def test_exponents_for_people():
    table = synthetic.fig3_1(("vector", "sampling", "stream", "rectified"))
    text = tables.slopes_markdown(table, {})
    assert "| spiking vector quantization (algorithm 1) | -1 | -1.000 ±" in text
    assert text.count("\n") == 2 + 6


def test_limits_for_people():
    rows = [(0, 1, t, 200.0 / t, 4.0) for t in (100, 1000, 10_000)]
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
