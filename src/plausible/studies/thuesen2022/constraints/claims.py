"""Checks on constraints, locality and the network with error nodes."""

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Outcome

MEASURABLE: dict[str, tuple[str, Callable[[float], bool]]] = {
    "locality": ("satisfied", lambda change: change == 0.0),
    "spikes": ("partly", lambda fraction: fraction > 0.0),
    "weight_transport": ("not", lambda difference: difference == 0.0),
}
"""Constraints that a measurement on the implementation backs: the verdict of the thesis and what
must be measured for it. No change of an update by arrays further away; messages in training that
are no spikes; no difference between the weights that send predictions and errors."""


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
            variant="verdicts",
            note=f"differing: {', '.join(wrong)}" if wrong else "",
        ),
        Outcome(
            "",
            len(backed) == len(MEASURABLE),
            f"{len(backed)} of {len(MEASURABLE)}",
            variant="measured",
            note=values,
        ),
    ]


def _names(stated: dict[tuple[str, str], str]) -> set[str]:
    return {f"{method}/{constraint}" for method, constraint in stated}


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


EXACT = "exact"


def _exact(label: str, protocol: str, published: Any, value: Any, note: str = "") -> Number:
    if isinstance(value, str):
        return Number(label, protocol, str(published), value, 0.0, EXACT, note)
    return Number(label, protocol, published, (float(value),), 0.0, EXACT, note, False)


def numbers_of_fig3(evidence: Evidence) -> list[Number]:
    """Numbers of drawn value nodes."""
    sizes = drawn_layer_sizes(drawn_nodes(evidence))
    keys = ("input_nodes", "hidden_nodes", "output_nodes")
    if len(sizes) != len(keys):
        raise StudyError(f"fig3: the drawing has {len(sizes)} layers of value nodes, expected 3.")
    return [
        _exact(key, "", evidence.entry["values"][key], size)
        for key, size in zip(keys, sizes, strict=True)
    ]
