"""Checks on quantizers, on the limit of large T, and on the drawings of appendix A.

``ch3.addition_cost`` and ``ch3.integer_only`` are claims that are checked exactly: their findings
stand in the table of theorems.
"""

from plausible.errors import StudyError
from plausible.measure.slopes import log_slope
from plausible.reproduction.evidence import (
    Evidence,
    Number,
    Outcome,
    by_protocol,
    judge,
    outcome_of,
    outcome_of_all,
)

PROTOCOL = "corrected"
NEAR = 0.15
"""Tolerance of all published exponents of the chapter, used where an entry says "near" only."""
ORDERS = ("breadth_first", "depth_first")


# ----------------------------------------------------------------------- rates of convergence


def slopes(evidence: Evidence, quantizer: str) -> list[float]:
    """Exponent of T of a quantizer's error, for each seed."""
    frame = evidence.table("ch3.fig3.1", "quantizer", "seed", "steps", "error_rms")
    frame = frame[frame["quantizer"] == quantizer]
    if frame.empty:
        raise StudyError(f"the table of oconnor2020.ch3.fig3.1 lacks the quantizer {quantizer}.")
    return [log_slope(part["steps"], part["error_rms"]) for _, part in frame.groupby("seed")]


def _rate(evidence: Evidence, quantizer: str, published: float, variant: str = "") -> Outcome:
    tolerance = evidence.bounds(0)[-1]
    found = judge(
        slopes(evidence, quantizer), published - tolerance, published + tolerance, strict=False
    )
    note = "slope of the root mean square error over T on logarithmic axes"
    return outcome_of(found, PROTOCOL, note, variant=variant)


def quantization_rate(evidence: Evidence) -> list[Outcome]:
    """Slope of spiking vector quantization."""
    return [_rate(evidence, "vector", evidence.bounds(0)[0])]


def sampling_rate(evidence: Evidence) -> list[Outcome]:
    """Slope of stochastic sampling."""
    return [_rate(evidence, "sampling", evidence.bounds(1)[0])]


def both_rates(evidence: Evidence) -> list[Outcome]:
    """The same two slopes."""
    first, second = evidence.statement_numbers(0)
    return [
        _rate(evidence, "vector", first, "quantization"),
        _rate(evidence, "sampling", second, "sampling"),
    ]


def spiking_network_converges(evidence: Evidence) -> list[Outcome]:
    """Slopes of the errors of all layers are negative; that of the first layer is near -1."""
    frame = evidence.table("fig_a1", "protocol", "seed", "layer", "steps", "error")
    outcomes = []
    for protocol, rows in by_protocol(frame):
        found = {
            int(layer): [log_slope(one["steps"], one["error"]) for _, one in part.groupby("seed")]
            for layer, part in rows.groupby("layer")
        }
        judged = {f"layer {layer}": judge(values, high=0.0) for layer, values in found.items()}
        first = judge(found[min(found)], -1 - NEAR, -1 + NEAR, strict=False)
        outcomes += [
            outcome_of_all(judged, protocol, "slopes, must be negative", variant="all layers"),
            outcome_of(
                first,
                protocol,
                f"slope of the first hidden layer; near -1 is read as within {NEAR:g}",
                variant="first layer",
            ),
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
    return [
        Outcome(
            "",
            not loose and bool((modules > 0).all()) and len(modules) > 0,
            f"{int((modules > 0).sum())} of {len(modules)} modules",
            variant="modules",
            note=f"that took events in a logged run, joined by {len(edges)} bindings of the router",
        ),
        Outcome(
            "",
            found == wanted,
            f"{len(found & wanted)} of {len(wanted)} running sums",
            variant="running sums",
            note="found by changing them: filters read the summed input of their layer, updates "
            "the spike counts of the layer below",
        ),
    ]


def processed(evidence: Evidence, routing: str) -> list[str]:
    """Events such as ``B(a1)`` in the order in which the router processed them."""
    frame = evidence.table("table_a2", "element", "name", "routing", "position", "event")
    rows = frame[(frame["element"] == "event") & (frame["routing"] == routing)]
    rows = rows.sort_values("position")
    return [f"{name}({event})" for name, event in zip(rows["name"], rows["event"], strict=True)]


def router_orders(evidence: Evidence) -> list[Outcome]:
    """Both orders, event by event."""
    published = evidence.published.entry("table_a2")["values"]
    outcomes = []
    for routing in ORDERS:
        found = processed(evidence, routing)
        outcomes.append(
            Outcome(
                "",
                found == published[routing],
                ", ".join(found),
                variant=routing.replace("_", " "),
                note=f"published: {', '.join(published[routing])}",
            )
        )
    return outcomes


def drawn_graph_gives_table_a2(evidence: Evidence) -> list[Outcome]:
    """The drawn graph of modules is the one whose run gave both orders of table A.2."""
    frame = evidence.table("table_a2", "element", "name", "target")
    modules = set(frame.loc[frame["element"] == "module", "name"])
    edges = frame[frame["element"] == "edge"]
    consumers = set(frame.loc[frame["element"] == "event", "name"])
    orders = all(outcome.holds for outcome in router_orders(evidence))
    joined = {*edges["name"], *edges["target"]} == modules and consumers <= modules
    return [
        Outcome(
            "",
            orders and joined,
            f"{len(modules)} modules, {len(edges)} bindings",
            note="drawn from the graph on which the router ran; orders as in table A.2",
        )
    ]


def numbers_of_fig_a3(evidence: Evidence) -> list[Number]:
    """Modules of figure A.3."""
    frame = evidence.table("table_a2", "element")
    found = float((frame["element"] == "module").sum())
    published = evidence.entry["values"]["modules"]
    return [Number("modules", "", published, (found,), 0.0, "exact", seeded=False)]


# ----------------------------------------------------------------------- why something differs

_STEP = (
    "The counts of input spikes and of error spikes both grow as T, so their product as T^2: a "
    "step of eta/T^2 is what makes it the gradient step of the ReLU network, and it is what the "
    "author's code has. Eq. 3.6 and 3.7 print eta/T, the listing of algorithm 13 prints eta, T and "
    "T^2 times as much. The direction is right in all of them."
)
_HALF = (
    "With FSGD an input spike takes part only in the updates of later error spikes, (T - t)/T of "
    "them, so the summed update approaches half of the gradient step. "
)
_ATTAINED = (
    "The threshold is strict (a spike needs |phi| > 1/2), so phi = 1/2 may stay in every element "
    "and the norm may equal len(v)/2: the bound is <=, not <. For generic v it is strict."
)
_CLOSED = (
    "The listing blocks errors where the summed input is <= 0. With initial weights of standard "
    "deviation 0.01 no spike reaches the output layer within T = 10 steps; its summed input is "
    "exactly 0, all filters would be closed and no weight could ever change. Eq. 3.5 and the "
    "author's code block below 0 only. Were 0.01 the variance, spikes would reach the output and "
    "the printed filters let errors pass (the next row)."
)
_ROUNDED = (
    "eta/T^2 = 10^-4 is no binary fraction, so in floating point a potential that the integers "
    "have exactly at the threshold lies a rounding error beside it, and spikes or not; then the "
    "two trainings part. It is the integers that are exact. With a power of two (eta = 100/2^13 = "
    "0.0122 at T = 10) floating point is exact too and nothing differs."
)
