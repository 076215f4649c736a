"""Checks on constraints, locality and the network with error nodes."""

from collections.abc import Callable

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Outcome

OWN = "spcn"
"""Id of the thesis's own method."""
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
    values, errors = (
        sorted(nodes.loc[nodes["element"] == kind, ["layer", "index"]].itertuples(index=False))
        for kind in ("value_node", "error_node")
    )
    holds = errors == [node for node in values if node.layer > values[0].layer] and sizes == stated
    drawn = "-".join(map(str, sizes))
    return [Outcome("", holds, f"{len(errors)} error nodes", note=f"drawn network {drawn}")]


def drawn_nodes(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 3."""
    return evidence.table("fig3", "element", "kind", "layer", "index")


def drawn_layer_sizes(nodes: pd.DataFrame) -> list[int]:
    """Number of value nodes in each drawn layer, from the input."""
    values = nodes[nodes["element"] == "value_node"]
    return [int(count) for count in values.groupby("layer").size()]


def numbers_of_fig3(evidence: Evidence) -> list[Number]:
    """Numbers of drawn value nodes."""
    sizes = drawn_layer_sizes(drawn_nodes(evidence))
    places = ("input_nodes", "hidden_nodes", "output_nodes")
    if len(sizes) != len(places):
        raise StudyError(f"fig3: the drawing has {len(sizes)} layers of value nodes, expected 3.")
    values = evidence.entry["values"]
    return [
        Number(place, "", values[place], (float(size),), 0.0, "exact", seeded=False)
        for place, size in zip(places, sizes, strict=True)
    ]


def replaced_layers_do_not_matter(evidence: Evidence) -> list[Outcome]:
    """Largest change of any update when other layers' arrays are replaced: exactly 0."""
    frame = evidence.table("claim.local_updates", "update", "layer", "max_abs_change")
    missing = {"value_nodes", "weights", "biases"} - set(frame["update"])
    if missing:
        raise StudyError(f"claim.local_updates: the table lacks the update {sorted(missing)[0]!r}.")
    change = float(frame["max_abs_change"].max())
    note = f"largest change over {len(frame)} updates"
    return [Outcome("", change == 0.0, change, note=note)]


def constraint_table(evidence: Evidence) -> pd.DataFrame:
    """Section 4.3 as a table: id of constraint and method, verdict, measured value."""
    columns = ("constraint", "method", "verdict", "measured_value")
    frame = evidence.table("claim.constraints", *columns)[list(columns)]
    values = evidence.published.values("claim.constraints")
    for column, key in (("constraint", "constraints"), ("method", "methods")):
        ids = {row["name"]: row["id"] for row in values[key]}
        frame = frame.assign(**{column: frame[column].map(ids).fillna(frame[column])})
    return frame


def stated_verdicts(evidence: Evidence) -> dict[tuple[str, str], str]:
    """Verdict of every method and constraint that the thesis states."""
    return {
        (method["id"], constraint): verdict
        for method in evidence.published.values("claim.constraints")["methods"]
        for constraint, verdict in method["verdicts"].items()
    }


def same_verdicts(evidence: Evidence) -> list[Outcome]:
    """Two findings: all stated verdicts are in the table, and measurements back the measurable."""
    frame = constraint_table(evidence)
    stated = stated_verdicts(evidence)
    ours = {(row.method, row.constraint): row.verdict for row in frame.itertuples()}
    wrong = {key for key in stated.keys() | ours.keys() if ours.get(key) != stated.get(key)}
    listed = ", ".join(sorted(f"{method}/{constraint}" for method, constraint in wrong))
    measured = frame[(frame["method"] == OWN) & frame["measured_value"].notna()]
    found = dict(zip(measured["constraint"], measured["measured_value"], strict=True))
    backed = [
        key
        for key, (verdict, fits) in MEASURABLE.items()
        if key in found and ours.get((OWN, key)) == verdict and fits(found[key])
    ]
    right = len(stated) - len(wrong & stated.keys())
    verdicts = _counted(right, len(stated), f"differing: {listed}" if wrong else "", "verdicts")
    values = ", ".join(f"{key} {value:.3g}" for key, value in found.items())
    return [
        verdicts._replace(holds=not wrong),
        _counted(len(backed), len(MEASURABLE), values, "measured"),
    ]


def _counted(found: int, wanted: int, note: str, variant: str = "") -> Outcome:
    """``<found> of <wanted>``, which is to be all of them."""
    return Outcome("", found == wanted, f"{found} of {wanted}", note=note, variant=variant)


def both_reasons_are_in_the_table(evidence: Evidence) -> list[Outcome]:
    """The table holds both reasons: weight transport not solved, spikes not used in training."""
    stated, frame = stated_verdicts(evidence), constraint_table(evidence)
    part = frame[frame["method"] == OWN].set_index("constraint")["verdict"]
    reasons = ("weight_transport", "spikes")
    found = [key for key in reasons if part.get(key) == stated[OWN, key]]
    return [_counted(len(found), len(reasons), "reasons found in the table of constraints")]


def six_problems(evidence: Evidence) -> list[Outcome]:
    """All six problems are constraints of the table."""
    wanted = evidence.entry["values"]["problems"]
    missing = [name for name in wanted if name not in set(constraint_table(evidence)["constraint"])]
    note = f"missing: {', '.join(missing)}" if missing else ""
    return [_counted(len(wanted) - len(missing), len(wanted), note)]
