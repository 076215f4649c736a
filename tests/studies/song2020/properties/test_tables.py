"""Tables 1 to 3 for people, from hand-made tidy tables."""

import numpy as np
import pandas as pd
import pytest

from plausible.reproduction.published import result_name
from plausible.studies.song2020.properties import tables

from ...part_results import published_of
from ..markdown import cells


@pytest.fixture(scope="module")
def printed():
    """Published values by the name of the result."""
    entries = published_of("song2020.properties").entries
    return {result_name(name): entry["values"] for name, entry in entries.items()}


def test_notation_says_what_was_found(printed):
    table = pd.DataFrame(
        [
            ("value_node", "value_node", "y", "x", "State.values", True),
            ("step", "integration step", None, "gamma", "gone", False),
        ],
        columns=["row", "quantity", "ann_symbol", "pcn_symbol", "name_in_code", "found"],
    )
    lines = cells(tables.table1_markdown(table, printed["table1"]))
    assert lines[1] == ["value node", "y", "x", "`State.values`", "yes"]
    assert lines[2] == ["integration step", "-", "gamma", "`gone`", "no"]


def test_properties_stand_beside_the_published_ones(printed):
    rows = [
        {
            "model": model,
            "property": name,
            "holds": model != "IL" or name != "equivalence_to_bp",
            "measurement": "largest difference",
            "measured_value": 1e-3 * seed,
            "seed": seed,
        }
        for model in ("IL", "Fa-Z-IL")
        for name in printed["table2"]["columns"]
        for seed in (1, 2)
    ]
    # One seed of two disagrees: that is not averaged away.
    rows[-1]["holds"] = False
    text = tables.table2_markdown(pd.DataFrame(rows), printed["table2"])
    lines = cells(text)
    assert lines[1] == ["IL", "no / no", "yes / yes", "yes / yes", "no / yes"]
    assert lines[2] == ["Fa-Z-IL", "yes / yes", "yes / yes", "yes / yes", "yes / 1 of 2"]
    assert ["IL", "equivalence to BP", "no", "largest difference", "0.002"] in lines


def test_detection_rates_by_tolerance(printed):
    table = pd.DataFrame(
        [
            {"counting": "per_neuron_and_sample", "tolerance": tolerance, "t_d": t_d, "seed": seed}
            | {"success_rate_percent": rate}
            for tolerance, t_d, seed, rate in [
                (0.0, 1, 1, 100.0),
                (0.0, 1, 2, 100.0),
                (1e-4, 1, 1, 77.04),
                (1e-4, 1, 2, 98.0),
                (0.0, 9, 1, np.nan),
                (1e-4, 9, 1, 99.0),
            ]
        ]
    )
    lines = cells(tables.table3_markdown(table, printed["table3"]))
    assert lines[0] == ["t_d", "published %", "exact zero %", "<= 0.0001 %"]
    assert lines[1] == ["1", "93.4", "100.0", "77.0 to 98.0"]
    assert lines[2] == ["9", "-", "n/a", "99.0"]
