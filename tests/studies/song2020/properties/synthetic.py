"""Made-up tables of the drawings, properties and detections, in which every statement holds."""

from functools import cache
from itertools import pairwise, product

import numpy as np
import pandas as pd

from ...part_results import published_of

SEEDS = (1482555873, 698841058, 2283198659)
COUNTINGS = ("per_neuron_and_sample", "per_layer_and_sample", "per_layer_and_batch")

published = cache(lambda: published_of("song2020.properties"))


def fig1(seeds: int = 1, sizes=(3, 3, 2)) -> pd.DataFrame:
    """Input first; layer 0 is the output."""
    last = len(sizes) - 1
    rows = []
    for name, layer in product(("ann", "pcn"), range(last, -1, -1)):
        for index in range(sizes[last - layer]):
            x, y = 2.0 * (last - layer), sizes[last - layer] / 2 - index
            kind = "output" if layer == 0 else "input" if layer == last else "hidden"
            rows.append((name, "value_node", kind, layer, index, -1, -1, x, y))
            if name == "pcn" and layer < last:
                rows.append((name, "error_node", kind, layer, index, -1, -1, x - 1.0, y))
                rows.append((name, "edge", "error", layer, index, layer, index, np.nan, np.nan))
    for name, (upper, lower) in product(("ann", "pcn"), pairwise(range(last, -1, -1))):
        for source, target in product(range(sizes[last - upper]), range(sizes[last - lower])):
            kind = "forward" if name == "ann" else "prediction"
            rows.append((name, "edge", kind, upper, source, lower, target, np.nan, np.nan))
            if name == "pcn" and upper < last:
                rows.append((name, "edge", "error", lower, target, upper, source, np.nan, np.nan))
    columns = "network element kind layer index target_layer target_index x y".split()
    return pd.DataFrame(rows, columns=columns)


def fig2(seeds: int = 1, l_max: int = 3, t_c: int = 6) -> pd.DataFrame:
    """IL with t_c inference steps, Fa-Z-IL with as many."""
    rows = []
    for algorithm in ("bp", "il", "zil", "fazil"):
        first = "forward" if algorithm == "bp" else "prediction"
        rows += [(algorithm, -1, "value_nodes", layer, first) for layer in range(l_max, -1, -1)]
        if algorithm == "bp":
            for layer in range(l_max):
                rows.append((algorithm, layer, "value_nodes", layer, "backward"))
                rows.append((algorithm, layer, "weights", layer + 1, "weight_update"))
            continue
        for t in range(l_max if algorithm == "zil" else t_c):
            rows += [(algorithm, t, "value_nodes", layer, "inference") for layer in range(1, l_max)]
        rows += [
            (algorithm, t_c if algorithm == "il" else layer, "weights", layer + 1, "weight_update")
            for layer in range(l_max)
        ]
    return pd.DataFrame(rows, columns=["algorithm", "t", "element", "layer", "event"])


def event(algorithm, layer, name="weight_update"):
    """Rows of an event of a logged run."""
    return lambda f: (f["algorithm"] == algorithm) & (f["layer"] == layer) & (f["event"] == name)


def table1() -> pd.DataFrame:
    """All printed symbols, all names found."""
    values = published().values("table1")
    ann, pcn = values["rows"]
    rows = [(key, ann[key], pcn[key]) for key in ann if key != "id"]
    rows += [(key, symbol, symbol) for key, symbol in values["shared"].items()]
    frame = pd.DataFrame(rows, columns=["quantity", "ann_symbol", "pcn_symbol"])
    return frame.assign(row=range(1, len(rows) + 1), name_in_code="levels.forward", found=True)


def table2() -> pd.DataFrame:
    """Measured as printed."""
    rows = []
    for stated in published().values("table2")["rows"]:
        for name, seed in product([key for key in stated if key != "id"], SEEDS):
            exact = name == "local_plasticity" or (stated["id"], name) == (
                "Fa-Z-IL",
                "full_autonomy",
            )
            small = 0.0 if exact else 1e-15
            value = small if stated[name] else 0.3
            rows.append((stated["id"], name, stated[name], "largest change", value, seed))
    columns = ["model", "property", "holds", "measurement", "measured_value", "seed"]
    return pd.DataFrame(rows, columns=columns)


def table3(seeds: int = 3, networks=(2, 3, 4)) -> pd.DataFrame:
    """The printed rates, but for the largest tolerance, which misses more."""
    printed = published().values("table3")["success_rate_percent"]
    rows = []
    for depth, state, tolerance, counting, (steps, rate), seed in product(
        networks,
        ("initial", "trained"),
        (0.0, 1e-6, 1e-4),
        COUNTINGS,
        printed.items(),
        SEEDS[-seeds:],
    ):
        rate -= 5.0 if tolerance == 1e-4 else 0.0
        detected = round(10 * rate)
        labels = (depth, state, tolerance, int(steps), counting, seed)
        rows.append((*labels, 1000, detected, rate, 0.5 * (100.0 - rate)))
    columns = ["l_max", "training_state", "tolerance", "t_d", "counting", "seed", "moments"]
    columns += ["detected", "success_rate_percent", "false_alarm_rate_percent"]
    return pd.DataFrame(rows, columns=columns)


def tables() -> dict[str, pd.DataFrame]:
    """Every table of the part, by its result."""
    made = {"fig1": fig1(), "fig2": fig2(), "table1": table1(), "table2": table2()}
    return {**made, "table3": table3()}
