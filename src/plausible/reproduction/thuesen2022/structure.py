"""Checks on drawings, images, rasters and the table of constraints: all of them exact."""

import re
from collections.abc import Callable

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Outcome, Registry, by_protocol

REGISTRY = Registry()
MEASURABLE: dict[str, tuple[str, Callable[[float], bool]]] = {
    "locality": ("satisfied", lambda change: change == 0.0),
    "spikes": ("partly", lambda fraction: fraction > 0.0),
    "weight_transport": ("not", lambda difference: difference == 0.0),
}
"""Constraints that a measurement on the implementation backs: the verdict of the thesis and what
must be measured for it. No change of an update by arrays further away; messages in training that
are no spikes; no difference between the weights that send predictions and errors."""
OUTPUT_LAYER = 3


@REGISTRY.check("fig3", 0)
def one_error_node_per_value_node(evidence: Evidence) -> list[Outcome]:
    """The error nodes' places are exactly those of the value nodes above the input layer."""
    nodes = drawn_nodes(evidence)
    sizes = drawn_layer_sizes(nodes)
    stated = evidence.entry["settings"]["layer_sizes"]
    values = nodes[nodes["element"] == "value_node"]
    above = values[values["layer"] > values["layer"].min()]
    errors = nodes[nodes["element"] == "error_node"]
    places = [list(zip(part["layer"], part["index"], strict=True)) for part in (above, errors)]
    holds = sorted(places[0]) == sorted(places[1]) and sizes == stated
    drawn = "-".join(map(str, sizes))
    return [Outcome("", holds, f"{len(errors)} error nodes", note=f"drawn network {drawn}")]


def drawn_nodes(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 3."""
    return evidence.table("fig3", "element", "kind", "layer", "index")


def drawn_layer_sizes(nodes: pd.DataFrame) -> list[int]:
    """Number of value nodes in each drawn layer, from the input."""
    values = nodes[nodes["element"] == "value_node"]
    return [int(count) for count in values.groupby("layer").size()]


def shown_images(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 4."""
    return evidence.table("fig4", "image", "label", "row", "column", "intensity_fraction")


@REGISTRY.check("fig4", 0)
def ten_images_in_file_order(evidence: Evidence) -> list[Outcome]:
    """Number and order at every scale; their size needs the published data set."""
    (side,) = evidence.statement_numbers(0)
    count = evidence.entry["settings"]["count"]
    frame = shown_images(evidence)
    order = list(dict.fromkeys(frame["image"]))
    height, width = int(frame["row"].max()) + 1, int(frame["column"].max()) + 1
    complete = bool((frame.groupby("image").size() == height * width).all())
    return [
        Outcome(
            "",
            complete and order == list(range(count)),
            len(order),
            aspect="order",
            note="images shown, numbered from 0",
        ),
        Outcome(
            "",
            (height, width) == (side, side),
            f"{height} x {width}",
            aspect="size",
            full_scale=True,
        ),
    ]


@REGISTRY.check("fig6", 0)
def the_seven_wins(evidence: Evidence) -> list[Outcome]:
    """Spikes of the output neurons of every drawn run: neuron 7 has more than any other."""
    digit = evidence.entry["values"]["digit"]
    outcomes = []
    for protocol, frame in by_protocol(drawn_spikes(evidence)):
        margins = []
        for _, run in frame.groupby("seed"):
            output = run[run["layer"] == OUTPUT_LAYER]
            counts = output.groupby("neuron").size().reindex(range(10), fill_value=0)
            margins.append(int(counts[digit] - counts.drop(digit).max()))
        note = f"spikes of neuron {digit} minus those of the next, fewest over the runs"
        outcomes.append(
            Outcome(protocol, min(margins) > 0, min(margins), n_seeds=len(margins), note=note)
        )
    return outcomes


def drawn_spikes(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 6."""
    return evidence.table(
        "fig6", "protocol", "seed", "image", "label", "layer", "neuron", "time_ms"
    )


@REGISTRY.check("fig6", 1)
def no_faster_than_refractory(evidence: Evidence) -> list[Outcome]:
    """Most spikes of one neuron in the drawn 200 ms."""
    most_allowed = evidence.bounds(1)[0]
    outcomes = []
    for protocol, frame in by_protocol(drawn_spikes(evidence)):
        most = int(frame.groupby(["seed", "image", "layer", "neuron"]).size().max())
        note = "most spikes of one neuron"
        outcomes.append(
            Outcome(
                protocol, most <= most_allowed, most, n_seeds=frame["seed"].nunique(), note=note
            )
        )
    return outcomes


@REGISTRY.check("claim.local_updates", 0)
def replaced_layers_do_not_matter(evidence: Evidence) -> list[Outcome]:
    """Largest change of any update when other layers' arrays are replaced: exactly 0."""
    frame = evidence.table("claim.local_updates", "update", "layer", "max_abs_change")
    missing = {"value_nodes", "weights", "biases"} - set(frame["update"])
    if missing:
        raise StudyError(f"claim.local_updates: the table lacks the update {sorted(missing)[0]!r}.")
    change = float(frame["max_abs_change"].max())
    note = f"largest change over {len(frame)} updates"
    return [Outcome("", change == 0.0, change, note=note)]


def constraint_key(name: str) -> str:
    """Short name of a constraint: ``1 weight transport problem`` is ``weight_transport``."""
    text = re.sub(r"^\d+\s+", "", str(name).strip().lower()).replace("_", " ")
    text = re.sub(r"\s+problem$", "", text).replace(" for communication", "")
    return text.replace(" ", "_")


def method_key(name: str) -> str:
    """Name of a method without its explanation in parentheses."""
    return str(name).split(" (")[0].strip().lower()


def constraint_table(evidence: Evidence) -> pd.DataFrame:
    """Section 4.3 as a table, with short names of constraint and method."""
    frame = evidence.table(
        "claim.constraints",
        "constraint",
        "group",
        "method",
        "verdict",
        "measurement",
        "measured_value",
    )
    return frame.assign(
        key=frame["constraint"].map(constraint_key), method_key=frame["method"].map(method_key)
    )


def published_verdicts(evidence: Evidence) -> dict[tuple[str, str], str]:
    """Verdict of every method and constraint that the thesis states."""
    values = evidence.published.entry("claim.constraints")["values"]
    own = method_key(values["method"])
    stated = {
        (own, constraint_key(row["constraint"])): row["verdict"] for row in values["verdicts"]
    }
    for other in values["other_methods"]:
        for constraint, verdict in other["verdicts"].items():
            stated[method_key(other["method"]), constraint_key(constraint)] = verdict
    return stated


@REGISTRY.check("claim.constraints", 0)
def same_verdicts(evidence: Evidence) -> list[Outcome]:
    """Two findings: all stated verdicts are in the table, and measurements back the measurable."""
    frame = constraint_table(evidence)
    stated = published_verdicts(evidence)
    silent = ("", "not stated", "nan")
    ours = {
        (row.method_key, row.key): str(row.verdict)
        for row in frame.itertuples()
        if str(row.verdict) not in silent
    }
    wrong = sorted(
        f"{method}/{constraint}"
        for method, constraint in stated.keys() | ours.keys()
        if ours.get((method, constraint)) != stated.get((method, constraint))
    )
    own = method_key(evidence.entry["values"]["method"])
    measured = frame[(frame["method_key"] == own) & frame["measured_value"].notna()]
    found = dict(zip(measured["key"], measured["measured_value"], strict=True))
    backed = [
        key
        for key, (verdict, fits) in MEASURABLE.items()
        if key in found and ours.get((own, key)) == verdict and fits(found[key])
    ]
    values = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
    return [
        Outcome(
            "",
            not wrong,
            f"{len(stated) - len(set(wrong) & _names(stated))} of {len(stated)}",
            aspect="verdicts",
            note=f"differing: {', '.join(wrong)}" if wrong else "",
        ),
        Outcome(
            "",
            len(backed) == len(MEASURABLE),
            f"{len(backed)} of {len(MEASURABLE)}",
            aspect="measured",
            note=values,
        ),
    ]


def _names(stated: dict[tuple[str, str], str]) -> set[str]:
    return {f"{method}/{constraint}" for method, constraint in stated}


@REGISTRY.check("claim.symmetric_weights", 0)
def both_reasons_are_in_the_table(evidence: Evidence) -> list[Outcome]:
    """The table holds both reasons: weight transport not solved, spikes not used in training."""
    stated = published_verdicts(evidence)
    frame = constraint_table(evidence)
    own = method_key(evidence.published.entry("claim.constraints")["values"]["method"])
    part = frame[frame["method_key"] == own].set_index("key")["verdict"]
    reasons = ("weight_transport", "spikes")
    found = [key for key in reasons if key in part.index and part[key] == stated[own, key]]
    return [
        Outcome(
            "",
            len(found) == len(reasons),
            f"{len(found)} of {len(reasons)}",
            note="reasons found in the table of constraints",
        )
    ]


@REGISTRY.check("claim.problem_list", 0)
def six_problems(evidence: Evidence) -> list[Outcome]:
    """All six names are constraints of the table."""
    wanted = [constraint_key(name) for name in evidence.entry["values"]["problems"]]
    present = set(constraint_table(evidence)["key"])
    found = [name for name in wanted if name in present]
    missing = sorted(set(wanted) - set(found))
    return [
        Outcome(
            "",
            not missing,
            f"{len(found)} of {len(wanted)}",
            note=f"missing: {', '.join(missing)}" if missing else "",
        )
    ]
