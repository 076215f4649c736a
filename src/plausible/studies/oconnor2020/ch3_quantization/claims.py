"""Checks on quantizers, on the limit of large T, and on the drawings of appendix A.

``ch3.addition_cost`` and ``ch3.integer_only`` are claims that are checked exactly: their findings
stand in the table of theorems.
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import (
    Evidence,
    Number,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
)
from plausible.studies.oconnor2020.ch3_quantization.tables import ROUTINGS, event_order, exponents

PROTOCOL = "corrected"


# ----------------------------------------------------------------------- rates of convergence


def slopes(evidence: Evidence, quantizer: str) -> pd.Series:
    """Exponent of T of a quantizer's error, for each seed."""
    frame = evidence.table("ch3.fig3.1", "quantizer", "seed", "steps", "error_rms")
    frame = frame[frame["quantizer"] == quantizer]
    if frame.empty:
        raise StudyError(f"the table of oconnor2020.ch3.fig3.1 lacks the quantizer {quantizer}.")
    return exponents(frame, "error_rms")


def _rate(
    evidence: Evidence, statement: str, quantizer: str, exponent: str, variant: str = ""
) -> Outcome:
    published, tolerance = evidence.bound(statement, exponent), evidence.bound(statement, "off_by")
    found = judge(
        slopes(evidence, quantizer), published - tolerance, published + tolerance, strict=False
    )
    note = "slope of the root mean square error over T on logarithmic axes"
    return outcome_of(found, PROTOCOL, note, variant=variant)


def quantization_rate(evidence: Evidence) -> list[Outcome]:
    """Slope of spiking vector quantization."""
    return [_rate(evidence, "quantization_rate", "vector", "exponent")]


def sampling_rate(evidence: Evidence) -> list[Outcome]:
    """Slope of stochastic sampling."""
    return [_rate(evidence, "sampling_rate", "sampling", "exponent")]


def both_rates(evidence: Evidence) -> list[Outcome]:
    """The same two slopes."""
    return [
        _rate(evidence, "both_rates", "vector", "vector_exponent", "quantization"),
        _rate(evidence, "both_rates", "sampling", "sampling_exponent", "sampling"),
    ]


def spiking_network_converges(evidence: Evidence) -> list[Outcome]:
    """Slopes of the errors of all layers are negative; that of the first layer is near -1."""
    frame = evidence.table("fig_a1", "protocol", "seed", "layer", "steps", "error")
    highest, near, tolerance = (
        evidence.bound("spiking_network_converges", name)
        for name in ("exponent_below", "first_layer_exponent", "first_layer_off_by")
    )
    outcomes = []
    for protocol, rows in by_protocol(frame):
        found = {int(layer): exponents(part, "error") for layer, part in rows.groupby("layer")}
        judged = {f"layer {layer}": judge(values, high=highest) for layer, values in found.items()}
        first = judge(found[min(found)], near - tolerance, near + tolerance, strict=False)
        note = f"slope of the first hidden layer; near {near:g} is read as within {tolerance:g}"
        outcomes += [
            outcome_of_all(judged, protocol, "slopes, must be negative", variant="all layers"),
            outcome_of(first, protocol, note, variant="first layer"),
        ]
    return outcomes


# ----------------------------------------------------------------------- drawings


def drawing_is_the_implementation(evidence: Evidence) -> list[Outcome]:
    """Every drawn module took events in a logged run; filters and updates read the right sums."""
    frame = evidence.table("fig_a2", "network", "element", "name", "target", "what", "events")
    drawn = frame[frame["network"] == "spiking"]
    modules = drawn[drawn["element"] == "module"].set_index("name")["events"]
    edges = drawn[drawn["element"] == "edge"]
    loose = {*edges["name"], *edges["target"]} ^ set(modules.index)
    reads = drawn[drawn["element"] == "read"]
    found = set(zip(reads["name"], reads["target"], reads["what"], strict=True))
    wanted = {
        ("input", "update 0", "spike count"),
        ("herder 1", "update 1", "spike count"),
        ("herder 1", "gate 1", "summed input"),
        ("herder 2", "gate 2", "summed input"),
    }
    busy = int((modules > 0).sum())
    took = f"{busy} of {len(modules)} modules"
    joined = f"that took events in a logged run, joined by {len(edges)} bindings of the router"
    sums = f"{len(found & wanted)} of {len(wanted)} running sums"
    changed = (
        "found by changing them: filters read the summed input of their layer, updates "
        "the spike counts of the layer below"
    )
    all_busy = not loose and 0 < busy == len(modules)
    return [
        Outcome("", all_busy, took, variant="modules", note=joined),
        Outcome("", found == wanted, sums, variant="running sums", note=changed),
    ]


def router_orders(evidence: Evidence) -> list[Outcome]:
    """Both orders, event by event."""
    frame = evidence.table("table_a2", "element", "name", "routing", "position", "event")
    published = evidence.published.values("table_a2")
    outcomes = []
    for routing in ROUTINGS:
        found = event_order(frame[frame["element"] == "event"], routing)
        note = f"published: {', '.join(published[routing])}"
        outcome = Outcome("", found == published[routing], ", ".join(found), note=note)
        outcomes.append(outcome._replace(variant=routing.replace("_", " ")))
    return outcomes


def drawn_graph_gives_table_a2(evidence: Evidence) -> list[Outcome]:
    """The drawn graph of modules is the one whose run gave both orders of table A.2."""
    frame = evidence.table("table_a2", "element", "name", "target")
    modules = set(frame.loc[frame["element"] == "module", "name"])
    edges = frame[frame["element"] == "edge"]
    consumers = set(frame.loc[frame["element"] == "event", "name"])
    orders = all(outcome.holds for outcome in router_orders(evidence))
    joined = {*edges["name"], *edges["target"]} == modules and consumers <= modules
    found = f"{len(modules)} modules, {len(edges)} bindings"
    note = "drawn from the graph on which the router ran; orders as in table A.2"
    return [Outcome("", orders and joined, found, note=note)]


def numbers_of_fig_a3(evidence: Evidence) -> list[Number]:
    """Modules of figure A.3."""
    frame = evidence.table("table_a2", "element")
    found = float((frame["element"] == "module").sum())
    published = evidence.entry["values"]["modules"]
    return [Number("modules", "", published, (found,), 0.0, "exact", seeded=False)]
