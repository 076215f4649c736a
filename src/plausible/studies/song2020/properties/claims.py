"""Claims on figure 2 and on the properties of the models (table 2): all exact."""

from collections import Counter

import numpy as np
import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured
from plausible.studies.song2020.events import logged_updates, steps_before

PCN = ("IL", "Z-IL", "Fa-Z-IL")

# ---------------------------------------------------------------------------- figure 2


def moments_of_updates(evidence: Evidence) -> list[Measured]:
    """Updates of the logged runs that are missing or too many; theta^{l+1} has the layer l + 1.

    For IL, t_c is the number of its inference steps; Fa-Z-IL must go on with inference.
    """
    events = evidence.table("fig2", "algorithm", "t", "element", "layer", "event")
    updates = {name: logged_updates(events, name) for name in ("il", "zil", "fazil")}
    layers = sorted({layer for found in updates.values() for _, layer in found})
    by_layer = [(layer - 1, layer) for layer in layers]
    t_c = steps_before(events, "il")
    wrong = {
        "IL": _difference(updates["il"], [(t_c, layer) for layer in layers]),
        "Z-IL": _difference(updates["zil"], by_layer),
        "Fa-Z-IL": _difference(updates["fazil"], by_layer) + _pauses(events, len(layers)),
    }
    texts = {"IL": updates["il"], "Z-IL": updates["zil"], "Fa-Z-IL": updates["fazil"]}
    return [
        Measured("", (count,), variant=name, note=_moments(texts[name]), seeded=False)
        for name, count in wrong.items()
    ]


def _difference(found: list[tuple[int, int]], wanted: list[tuple[int, int]]) -> int:
    """Entries that one of both has and the other has not, each as often as it occurs."""
    one, other = Counter(found), Counter(wanted)
    return ((one - other) + (other - one)).total()


def _pauses(events: pd.DataFrame, l_max: int) -> int:
    """Moments from 0 on, beyond l_max - 1 at least, without inference of Fa-Z-IL."""
    rows = events[(events["algorithm"] == "fazil") & (events["event"] == "inference")]
    moved = set(rows["t"].astype(int))
    return len(set(range(max(moved | {l_max}))) - moved)


def _moments(updates: list[tuple[int, int]]) -> str:
    return ", ".join(f"theta^{layer} at t = {t}" for t, layer in sorted(updates)) or "no update"


# ---------------------------------------------------------------------------- table 2


def properties(evidence: Evidence) -> pd.DataFrame:
    """Measured changes of table 2 with a column that says whether the paper marks the cell.

    Raises
    ------
    StudyError
        If the table lacks a cell.
    """
    frame = evidence.table("table2", "model", "property", "measured_value", "seed")
    rows = evidence.published.values("table2")["rows"]
    marks = {(row["id"], name): mark for row in rows for name, mark in row.items() if name != "id"}
    cells = list(zip(frame["model"], frame["property"], strict=True))
    if missing := sorted(set(marks) - set(cells)):
        model, name = missing[0]
        raise StudyError(f"the table of song2020.table2 lacks {name} of {model}.")
    return frame.assign(marked=[marks[cell] for cell in cells])


def marked_properties_hold(evidence: Evidence) -> list[Measured]:
    """What a missing property would change, of the models that have it."""
    return _by_property(evidence, True)


def unmarked_properties_fail(evidence: Evidence) -> list[Measured]:
    """What the missing property changes, of the models that lack it."""
    return _by_property(evidence, False)


def _by_property(evidence: Evidence, marked: bool) -> list[Measured]:
    frame = properties(evidence)
    frame = frame[frame["marked"] == marked]
    return [
        Measured(
            "",
            {model: tuple(rows["measured_value"]) for model, rows in part.groupby("model")},
            variant=name.replace("_", " ").replace("bp", "BP"),
            seeded=False,
            exact_seeds=part["seed"].nunique(),
        )
        for name, part in frame.groupby("property", sort=False)
    ]


def _changes(frame: pd.DataFrame, name: str) -> dict[str, tuple[float, ...]]:
    """Measured changes by model."""
    rows = frame[frame["property"] == name]
    return {model: tuple(part["measured_value"]) for model, part in rows.groupby("model")}


def updates_are_local(evidence: Evidence) -> list[Measured]:
    """Change of an update by arrays that are not at its synapse; of backprop, as a control."""
    frame = properties(evidence)
    changes = _changes(frame, "local_plasticity")
    return [
        Measured(
            "",
            {model: changes[model] for model in PCN},
            seeded=False,
            exact_seeds=frame["seed"].nunique(),
            controls={"bp_under_noise": changes["BP"]},
        )
    ]


def fazil_needs_no_signal(evidence: Evidence) -> list[Measured]:
    """Change of the updates when nothing tells the weights when to learn."""
    frame = properties(evidence)
    changes = _changes(frame, "full_autonomy")
    controls = {"zil_without_a_signal": changes["Z-IL"], "il_without_a_signal": changes["IL"]}
    values = np.asarray(changes["Fa-Z-IL"])
    seeds = frame["seed"].nunique()
    return [Measured("", values, seeded=False, exact_seeds=seeds, controls=controls)]
