"""Made-up tables of the constraints of section 4.3 in which every published statement holds.

``SPOILS`` says, for every statement, how to change the tables so that it fails.
"""

import numpy as np
import pandas as pd

from ...claim_harness import Spoil
from ...part_results import published_of
from ..harness import change, changed, drop_rows, replace

MEASURED = {"locality": 0.0, "spikes for communication": 0.4, "1 weight transport problem": 0.0}


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
        (update, layer, "others", 0.0)
        for update in ("value_nodes", "weights", "biases")
        for layer in (1, 2, 3)
    ]
    return pd.DataFrame(rows, columns=["update", "layer", "replaced_layers", "max_abs_change"])


def constraints(seeds=1, protocols=()):
    """Verdicts of the published file, with what is measured for the thesis's own method."""
    values = published_of("thuesen2022.constraints").values("claim.constraints")
    named = {row["id"]: row for row in values["constraints"]}
    table = pd.DataFrame(
        [
            (named[name]["name"], named[name]["group"], method["name"], verdict)
            for method in values["methods"]
            for name, verdict in method["verdicts"].items()
        ],
        columns=["constraint", "group", "method", "verdict"],
    )
    own = table["method"] == values["methods"][0]["name"]
    return table.assign(
        reason="",
        measurement=np.where(own, "largest change", ""),
        measured_value=table["constraint"].map(MEASURED).where(own),
    )


def good_tables():
    """A table for every result that the claims read."""
    return {
        "fig3": fig3(),
        "claim.local_updates": local_updates(),
        "claim.constraints": constraints(),
    }


def _error_node_at_the_input(table):
    return pd.concat([table, table.iloc[:1].assign(element="error_node")], ignore_index=True)


def _verdict_of_our_own(table):
    return pd.concat([table, table.iloc[:1].assign(method="Fa-Z-IL", verdict="partly")])


def _constraint(name):
    return lambda table: table["constraint"].str.contains(name)


SPOILS = (
    Spoil(
        "fig3",
        "one_error_node_per_value_node",
        "one is missing",
        drop_rows("fig3", lambda t: (t.element == "error_node") & (t["index"] == 2)),
    ),
    Spoil(
        "fig3",
        "one_error_node_per_value_node",
        "one at the input",
        replace("fig3", _error_node_at_the_input),
    ),
    changed(
        "claim.local_updates",
        "replaced_layers_do_not_matter",
        "a weight update reaches further",
        lambda t: t.index == 4,
        "max_abs_change",
        1e-300,
    ),
    Spoil(
        "claim.symmetric_weights",
        "both_reasons_are_in_the_table",
        "weight transport said to be solved",
        change("claim.constraints", _constraint("weight transport"), "verdict", "satisfied"),
    ),
    changed(
        "claim.constraints",
        "same_verdicts",
        "another verdict",
        lambda t: t.method == "Fa-Z-IL",
        "verdict",
        "not",
    ),
    Spoil(
        "claim.constraints",
        "same_verdicts",
        "a verdict of our own",
        replace("claim.constraints", _verdict_of_our_own),
    ),
    changed(
        "claim.constraints",
        "same_verdicts",
        "locality not measured",
        _constraint("^locality$"),
        "measured_value",
        np.nan,
    ),
    *(
        changed(
            "claim.constraints",
            "same_verdicts",
            f"{name} measured otherwise",
            lambda t, name=name: _constraint(name)(t) & t.measured_value.notna(),
            "measured_value",
            value,
        )
        for name, value in (("locality", 1e-9), ("spikes", 0.0), ("weight transport", 0.1))
    ),
    Spoil(
        "claim.problem_list",
        "six_problems",
        "one is missing",
        drop_rows("claim.constraints", _constraint("timing")),
    ),
)


SHIFTS = {"fig3": replace("fig3", lambda table: pd.concat([table, table], ignore_index=True))}
