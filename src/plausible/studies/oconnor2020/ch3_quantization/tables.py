"""Tables of quantizers, of the limits of the spiking network and of its router, for people."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.measure.slopes import log_slope
from plausible.reproduction.markdown import markdown_table, mean_text
from plausible.studies.oconnor2020 import selection

selected_rows = selection.selected_rows

Published = Mapping[str, Any]

QUANTIZERS = {
    "vector": "spiking vector quantization (algorithm 1)",
    "sampling": "stochastic sampling (algorithm 10)",
    "stream": "spiking stream quantization (algorithm 11)",
    "rectified": "rectified stream quantization (algorithm 2)",
}
RATES = {"vector": "-1", "sampling": "-0.5", "stream": "-1 (bound 1/(2T))"}
FIRST_STEP = 10
"""Errors of quantizers are fitted from here: before, one spike is as much as the mean."""
FIRST, LAST = 100, 10_000
"""Values of T between which errors of layers are compared."""
READINGS = {"as_published": "variance", "as_coded": "standard deviation"}
"""What the second number of the initial weights normal(0, 0.1) of figure A.1 is, by protocol."""
ROUTINGS = ("breadth_first", "depth_first")


def exponents(rows: pd.DataFrame, error: str, first: int = 1) -> pd.Series:
    """Slope of the column ``error`` over T on logarithmic axes, from T = ``first`` on, by seed."""
    late = rows[rows["steps"] >= first]
    return pd.Series(
        {seed: log_slope(one["steps"], one[error]) for seed, one in late.groupby("seed")},
        dtype=float,
    )


def slopes_markdown(table: pd.DataFrame, published: Published) -> str:
    """Exponents with which the errors of quantizers fall, beside the published ones."""
    rows = []
    for (name, mean), part in table.groupby(["quantizer", "input_mean"], sort=False):
        slopes = exponents(part, "error_rms", FIRST_STEP)
        last = part[part["steps"] == part["steps"].max()]
        what = QUANTIZERS[name]
        if name == "rectified":
            what += f", mean {mean:g}"
        stated = RATES.get(name, "none (it falls)")
        rows.append([what, stated, mean_text(slopes, 3), f"{last['error_rms'].mean():.2e}"])
    largest = int(table["steps"].max())
    measured = f"measured from T = {FIRST_STEP} on"
    header = ["quantizer", "published exponent of T", measured, f"error at T = {largest}"]
    return markdown_table(header, rows)


def limit_markdown(table: pd.DataFrame, published: Published) -> str:
    """Figure A.1 in numbers: exponents per layer, and the last error over the activation."""
    rows = []
    for (protocol, layer), part in table.groupby(["protocol", "layer"], sort=False):
        slopes = exponents(part, "error", FIRST)
        last = part[part["steps"] == part["steps"].max()]
        share = 100 * (last["error"] / last["activation"]).mean()
        name = protocol.replace("_", " ")
        rows.append([name, READINGS[protocol], layer, mean_text(slopes, 3), f"{share:.2g}"])
    largest = int(table["steps"].max())
    header = ["protocol", "0.1 is the", "layer", f"exponent of T, from T = {FIRST} on"]
    header.append(f"error at T = {largest}, % of the activation")
    return markdown_table(header, rows)


def gradient_markdown(table: pd.DataFrame, published: Published) -> str:
    """Angle and size of the update of the whole network against the gradient."""
    whole = table[table["layer"] == 0]
    keys, measures = ["weights", "update", "steps"], ("cosine", "cosine_of_sum", "relative_step")
    rows = [
        [weights, update.upper(), steps, *(mean_text(part[name], 3) for name in measures)]
        for (weights, update, steps), part in whole.groupby(keys, sort=False)
    ]
    header = ["weights", "update", "T", "cosine, one image", "cosine, sum of images", "step / eta"]
    note = (
        f"All layers together, mean with its 95 % interval (seeds: {whole['seed'].nunique()}). "
        "`drawn`: initial weights; `trained`: after a training of the ReLU network. Cosine of the "
        "angle between the update and the gradient; step: length of the update of all images along "
        "their gradient, 1 for gradient descent with the rate eta.\n"
    )
    return markdown_table(header, rows) + "\n" + note


def table_a2_markdown(table: pd.DataFrame, published: Published) -> str:
    """Table A.2: events in the order in which the implemented router processes them."""
    events = table[table["element"] == "event"]
    rows = []
    for name in ROUTINGS:
        found, wanted = event_order(events, name), published[name]
        equal = "yes" if found == wanted else "no"
        rows.append([name.replace("_", " "), ", ".join(wanted), ", ".join(found), equal])
    return markdown_table(["routing", "published", "implemented router", "equal"], rows)


def event_order(events: pd.DataFrame, routing: str) -> list[str]:
    """Processed events such as ``B(a1)``, in their order."""
    chosen = events[events["routing"] == routing].sort_values("position")
    return [f"{name}({event})" for name, event in zip(chosen["name"], chosen["event"], strict=True)]
