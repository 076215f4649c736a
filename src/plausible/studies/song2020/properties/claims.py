"""Checks on drawings, logged runs and the tables of notation and of properties: all exact."""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Outcome

# ------------------------------------------------------------------- figures 1 and 2


def one_error_node_per_value_node(evidence: Evidence) -> list[Outcome]:
    """Error nodes of the PCN stand exactly where its value nodes do, below the input layer."""
    frame = evidence.table("fig1", "network", "element", "layer", "index")
    pcn = frame[frame["network"] == "pcn"]
    values, errors = (pcn[pcn["element"] == name] for name in ("value_node", "error_node"))
    if values.empty:
        raise StudyError("the table of song2020.fig1 draws no value node of a PCN.")
    driven = values[values["layer"] < values["layer"].max()]
    places = [sorted(zip(part["layer"], part["index"], strict=True)) for part in (driven, errors)]
    sizes = values.groupby("layer").size().sort_index(ascending=False)
    note = f"{len(driven)} value nodes below the input; drawn PCN " + "-".join(map(str, sizes))
    return [Outcome("", places[0] == places[1], f"{len(errors)} error nodes", note=note)]


def logged_events(evidence: Evidence) -> pd.DataFrame:
    """Table of figure 2."""
    frame = evidence.table("fig2", "algorithm", "t", "element", "layer", "event")
    return frame.astype({"t": int, "layer": int})


def moments_of_updates(evidence: Evidence) -> list[Outcome]:
    """When the logged runs moved value nodes and weights; theta^{l+1} has the layer l + 1."""
    events = logged_events(evidence)
    inference = events[events["event"] == "inference"].groupby("algorithm")["t"].agg(set)
    moved = {name: inference.get(name, set()) for name in ("il", "zil", "fazil")}
    learned = {name: _updates(events, name) for name in ("il", "zil", "fazil")}
    layers = {layer for _, layer in learned["zil"]}
    by_layer = {(layer - 1, layer) for layer in range(1, len(layers) + 1)}
    il_times = {t for t, _ in learned["il"]}
    last, listed = max(il_times, default=-1), ", ".join(map(str, sorted(il_times))) or "none"
    found = {
        "IL": len(il_times) == 1
        and {layer for _, layer in learned["il"]} == layers
        and moved["il"] == set(range(last)),
        "Z-IL": bool(layers) and learned["zil"] == by_layer,
        "Fa-Z-IL": learned["fazil"] == by_layer
        and moved["fazil"] == set(range(max(moved["fazil"], default=-1) + 1))
        and max(moved["fazil"], default=-1) >= len(layers) - 1,
    }
    texts = {
        "IL": f"all {len(learned['il'])} weight updates at t = {listed}, after "
        f"{len(moved['il'])} inference steps",
        "Z-IL": _moments(learned["zil"]),
        "Fa-Z-IL": f"inference at {len(moved['fazil'])} moments from t = 0 on; "
        + _moments(learned["fazil"]),
    }
    return [
        Outcome("", bool(found[name]), texts[name], variant=name, note="read from a logged run")
        for name in found
    ]


def _updates(events: pd.DataFrame, algorithm: str) -> set[tuple[int, int]]:
    rows = events[(events["algorithm"] == algorithm) & (events["event"] == "weight_update")]
    found = list(zip(rows["t"], rows["layer"], strict=True))
    # The same weights twice at one time are no schedule of the paper.
    return set(found) if len(found) == len(set(found)) else set()


def _moments(updates: set[tuple[int, int]]) -> str:
    return ", ".join(f"theta^{layer} at t = {t}" for t, layer in sorted(updates)) or "no update"


def backprop_has_no_inference(evidence: Evidence) -> list[Outcome]:
    """Inference steps that a logged run of backprop made: none."""
    events = logged_events(evidence)
    rows = events[events["algorithm"] == "bp"]
    steps = int((rows["event"] == "inference").sum())
    note = f"inference steps among {len(rows)} logged events"
    return [Outcome("", len(rows) > 0 and steps == 0, steps, note=note)]


# ------------------------------------------------------------------- tables 1 and 2


def notation_is_in_the_code(evidence: Evidence) -> list[Outcome]:
    """Two findings: every published symbol has a row; every name of a row exists in the code."""
    frame = evidence.table(
        "table1", "quantity", "ann_symbol", "pcn_symbol", "name_in_code", "found"
    )
    listed = set(frame[["ann_symbol", "pcn_symbol"]].astype(str).to_numpy().ravel())
    wanted = published_symbols(evidence)
    missing = sorted(set(wanted) - listed)
    lost = frame.loc[~frame["found"].astype(bool), "name_in_code"].astype(str)
    symbols = f"{len(wanted) - len(missing)} of {len(wanted)} symbols"
    names = f"{len(frame) - len(lost)} of {len(frame)} names"
    without = f"without a row: {', '.join(missing)}" if missing else ""
    gone = f"not found: {', '.join(lost)}" if len(lost) else ""
    return [
        Outcome("", not missing, symbols, variant="symbols", note=without),
        Outcome("", lost.empty, names, variant="names", note=gone),
    ]


def published_symbols(evidence: Evidence) -> list[str]:
    """Symbols of table 1, without the dashes of cells that have none."""
    values = evidence.entry["values"]
    cells = [text for row in values["rows"] for key, text in row.items() if key != "id"]
    cells += list(values["shared"].values())
    return list(dict.fromkeys(text for text in cells if text != "-"))


def properties(evidence: Evidence) -> pd.DataFrame:
    """Table 2."""
    frame = evidence.table("table2", "model", "property", "holds", "measurement", "measured_value")
    known = set(zip(frame["model"], frame["property"], strict=True))
    for model, row in published_properties(evidence).items():
        for name in row:
            if (model, name) not in known:
                raise StudyError(f"the table of song2020.table2 lacks {name} of {model}.")
    return frame


def published_properties(evidence: Evidence) -> dict[str, dict[str, bool]]:
    """Cells of table 2 by model and property."""
    rows = evidence.published.values("table2")["rows"]
    return {row["id"]: {key: row[key] for key in row if key != "id"} for row in rows}


def equivalence_is_measured(evidence: Evidence) -> list[Outcome]:
    """Relative difference of one weight update to backprop's: smallest of IL, largest of others."""
    equal, different = (
        evidence.bound("equivalence_is_measured", key) for key in ("equal_below", "different_above")
    )
    frame = properties(evidence)
    frame = frame[frame["property"] == "equivalence_to_bp"]
    outcomes = []
    for model in ("IL", "Z-IL", "Fa-Z-IL"):
        rows = frame[frame["model"] == model]
        values = rows["measured_value"].to_numpy(dtype=float)
        apart = float(values.min() if model == "IL" else values.max())
        holds = apart > different if model == "IL" else apart < equal
        bound = f"> {different:g}" if model == "IL" else f"< {equal:g}"
        note = f"relative difference to the update of backprop, must be {bound}"
        more = {"n_seeds": rows["seed"].nunique() if "seed" in rows else 0, "variant": model}
        outcomes.append(Outcome("", bool(holds), apart, note=note, **more))
    return outcomes


def locality_and_autonomy_are_measured(evidence: Evidence) -> list[Outcome]:
    """Locality: largest change of an update by arrays that are not at its synapse, exactly 0.

    Autonomy: IL and Z-IL use a control signal for the weights, Fa-Z-IL none.
    """
    frame = properties(evidence)
    local = frame[(frame["property"] == "local_plasticity") & (frame["model"] != "BP")]
    change = float(local["measured_value"].max(skipna=False))
    wanted = {"IL": (True, False), "Z-IL": (True, False), "Fa-Z-IL": (True, True)}
    autonomy = ("partial_autonomy", "full_autonomy")
    found = {model: tuple(holds(frame, model, name) for name in autonomy) for model in wanted}
    text = ", ".join(
        f"{model} {'fully' if full else 'partially' if part else 'not'} autonomous"
        for model, (part, full) in found.items()
    )
    note = "largest change of an update of IL, Z-IL or Fa-Z-IL by arrays elsewhere"
    unchanged = change == 0.0 and bool(local["holds"].all())
    return [
        Outcome("", unchanged, change, variant="locality", note=note),
        Outcome("", found == wanted, text, variant="autonomy", note="control signals of the loops"),
    ]


def holds(frame: pd.DataFrame, model: str, name: str) -> bool:
    """Whether every row of a cell of table 2 says that the property holds."""
    rows = frame[(frame["model"] == model) & (frame["property"] == name)]
    return bool(rows["holds"].astype(bool).all())


def numbers_of_table2(evidence: Evidence) -> list[Number]:
    """The sixteen cells of table 2."""
    frame = properties(evidence)
    numbers = []
    for model, stated in published_properties(evidence).items():
        for name in stated:
            rows = frame[(frame["model"] == model) & (frame["property"] == name)]
            found = holds(frame, model, name)
            low, high = rows["measured_value"].min(), rows["measured_value"].max()
            note = f"{rows['measurement'].iloc[0]}: {low:.3g}"
            note += f" to {high:.3g}" if high > low else ""
            words = ["yes" if one else "no" for one in (stated[name], found)]
            numbers.append(Number(f"rows.{model}.{name}", "", *words, None, note=note))
    return numbers
