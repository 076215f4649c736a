"""Made-up tables of the constraints of section 4.3 in which every published statement holds.

``SPOILS`` says, for every statement, how to change the tables so that it fails.
"""

import numpy as np
import pandas as pd

from ...claim_harness import Spoil
from ...part_results import published_of
from ..harness import change, changed

MEASURED = {
    ("spcn", "locality"): 0.0,
    ("spcn", "spikes"): 0.4,
    ("spcn", "unidirectionality"): 2.0,
    ("spcn", "weight_transport"): 0.0,
    ("spcn", "derivative"): 2.0,
    ("spcn", "timing"): 0.5,
    ("backprop", "weight_transport"): 1e-16,
    ("backprop", "derivative"): 2.0,
    ("backprop", "linear_feedback"): 1e-16,
    ("backprop", "spiking"): 0.4,
    ("fazil", "timing"): 0.0,
    ("shadow_trained", "spikes"): 0.0,
}
"""Measured values by the ids of method and constraint."""


def fig3(seeds=1, protocols=(), sizes=(2, 3, 2)):
    rows = []

    def place(layer, index):
        return 2.0 * layer, index - (sizes[layer] - 1) / 2

    kinds = ["input", *["hidden"] * (len(sizes) - 2), "output"]
    for layer, size in enumerate(sizes):
        for index in range(size):
            x, y = place(layer, index)
            rows.append(("value_node", kinds[layer], layer, index, np.nan, np.nan, x, y))
            if layer:
                rows.append(("error_node", kinds[layer], layer, index, np.nan, np.nan, x - 1, y))
                rows.append(("edge", "error", layer, index, layer, index, x, y))
                for below in range(sizes[layer - 1]):
                    x, y = place(layer - 1, below)
                    rows.append(("edge", "prediction", layer - 1, below, layer, index, x, y))
                    rows.append(("edge", "error", layer, index, layer - 1, below, x, y))
    names = "element kind layer index target_layer target_index x y".split()
    return pd.DataFrame(rows, columns=names)


def local_updates():
    rows = [
        (update, layer, "others", change, method, change)
        for method, change in (("predictive coding", 0.0), ("backprop", 1.0))
        for update in ("value_nodes", "weights", "biases")
        for layer in (1, 2, 3)
    ]
    columns = ["update", "layer", "replaced_layers", "max_abs_change", "method"]
    return pd.DataFrame(rows, columns=[*columns, "min_relative_change"])


def constraints(seeds=1, protocols=()):
    """Verdicts of the published file, with what is measured of some methods."""
    values = published_of("thuesen2022.constraints").values("claim.constraints")
    named = {row["id"]: row for row in values["constraints"]}
    rows = []
    for method in values["methods"]:
        for name, verdict in method["verdicts"].items():
            value = MEASURED.get((method["id"], name), np.nan)
            measurement = "stated only" if np.isnan(value) else "largest change"
            constraint = (named[name]["name"], named[name]["group"])
            rows.append((*constraint, method["name"], verdict, "", measurement, value))
    columns = ["constraint", "group", "method", "verdict", "reason", "measurement"]
    return pd.DataFrame(rows, columns=[*columns, "measured_value"])


def good_tables():
    """A table for every result that the claims read."""
    return {"claim.local_updates": local_updates(), "claim.constraints": constraints()}


def _measured(result, statement, method, constraint, value):
    """A spoilt table: another value was measured."""
    name = published_of("thuesen2022.constraints").values("claim.constraints")
    method, constraint = (
        next(row["name"] for row in name[key] if row["id"] == identifier)
        for key, identifier in (("methods", method), ("constraints", constraint))
    )
    return Spoil(
        result,
        statement,
        f"{value:g} was measured",
        change(
            "claim.constraints",
            lambda t: (t["method"] == method) & (t["constraint"] == constraint),
            "measured_value",
            value,
        ),
    )


SPOILS = (
    changed(
        "claim.local_updates",
        "replaced_layers_do_not_matter",
        "a weight update reaches further",
        lambda t: t.index == 4,
        "max_abs_change",
        1e-300,
    ),
    *(
        _measured("claim.constraints", *one)
        for one in (
            ("no_spikes_while_learning", "spcn", "spikes", 0.0),
            ("spikes_after_conversion", "shadow_trained", "spikes", 0.01),
            ("unidirectionality", "spcn", "unidirectionality", 1e-15),
            ("weight_transport", "spcn", "weight_transport", 0.1),
            ("weight_transport", "spcn", "weight_transport", np.nan),
            ("derivative", "spcn", "derivative", 0.0),
            ("timing", "spcn", "timing", 0.0),
            ("timing_by_itself", "fazil", "timing", 1e-6),
        )
    ),
    *(
        _measured("claim.problem_list", *one)
        for one in (
            ("backprop_weight_transport", "backprop", "weight_transport", 0.1),
            ("backprop_derivative", "backprop", "derivative", 0.0),
            ("backprop_linear_feedback", "backprop", "linear_feedback", 0.1),
            ("backprop_no_spikes", "backprop", "spiking", 0.0),
        )
    ),
)
