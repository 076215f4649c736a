"""Claims on table 4: run times per weight update, as ratios of algorithms on one machine.

A ratio is paired: the median times of a block of repetitions, in which the algorithms took turns.
The statements are about the network of the table, 50176-4096-2048-1024-27; the small network of the
table is shown beside it.
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Measured, Number
from plausible.studies.song2020.events import logged_updates, steps_before
from plausible.studies.song2020.run_time.settings import weight_count
from plausible.studies.song2020.texts import ALGORITHMS

NETWORK = "imagenet"
MILLISECONDS = "milliseconds_per_update"
ORDER = ("bp", "il", "zil", "fazil")
REPEATED = "il_repeated"
"""IL that computes the product of the input with its matrix in every step, as it is listed."""
IL_VARIANTS = {"il": "input product once", REPEATED: "input product in every step"}
PASSES = 3
"""Passes over the weights in an update, at least: forward, feedback and the update itself."""
MEMORY_GB_S = {"cpu": ("a Core i7", 60), "cuda": ("a GTX 1080 Ti", 484)}
"""What the memory of the stated machines gives at most, by their makers, in GB/s."""


def times(evidence: Evidence) -> dict[str, pd.DataFrame]:
    """Times of the published network by device: rows by algorithm.

    Raises
    ------
    StudyError
        If a machine lacks one of the four algorithms.
    """
    frame = evidence.table("table4", "network", "device", "algorithm", MILLISECONDS)
    frame = frame[frame["network"] == NETWORK]
    found = {}
    for device, rows in frame.groupby("device", sort=False):
        rows = rows.set_index("algorithm")
        for name in ORDER:
            if name not in rows.index:
                raise StudyError(
                    f"the table of song2020.table4 lacks {name} of {NETWORK} on {device}."
                )
        found[str(device)] = rows
    return found


def _ratios(rows: pd.DataFrame, one: str, other: str) -> tuple[float, ...]:
    """Time of ``one`` over that of ``other`` in every block of repetitions."""
    blocks = rows.filter(regex="^ratio_of_block_")
    return tuple((blocks.loc[one] / blocks.loc[other]).astype(float))


def _measured(evidence: Evidence, one: str, other: str, variant: str = "") -> list[Measured]:
    """Ratio on every device."""
    return [
        Measured(
            "",
            _ratios(rows, one, other),
            variant=", ".join(filter(None, [device, variant])),
            note=" over ".join(f"{rows.loc[name, MILLISECONDS]:.3g} ms" for name in (one, other)),
        )
        for device, rows in times(evidence).items()
    ]


def zil_near_backprop(evidence: Evidence) -> list[Measured]:
    """Z-IL and Fa-Z-IL over backprop (the fused one of ours)."""
    return [
        found
        for name in ("zil", "fazil")
        for found in _measured(evidence, name, "bp", ALGORITHMS[name])
    ]


def fazil_near_zil(evidence: Evidence) -> list[Measured]:
    """Fa-Z-IL over Z-IL."""
    return _measured(evidence, "fazil", "zil")


def _il_over_backprop(evidence: Evidence, device: str) -> list[Measured]:
    """IL over backprop, with the input's product computed once and in every step."""
    rows = times(evidence).get(device)
    if rows is None:
        return [Measured("", (), absent=f"this run had no {device}")]
    return [
        Measured("", _ratios(rows, name, "bp"), variant=variant)
        for name, variant in IL_VARIANTS.items()
        if name in rows.index
    ]


def il_far_above_backprop_on_the_cpu(evidence: Evidence) -> list[Measured]:
    """IL over backprop on the CPU."""
    return _il_over_backprop(evidence, "cpu")


def il_far_above_backprop_on_the_gpu(evidence: Evidence) -> list[Measured]:
    """IL over backprop on a graphics card."""
    return _il_over_backprop(evidence, "cuda")


def bp_is_fastest(evidence: Evidence) -> list[Measured]:
    """Backprop over Z-IL."""
    return _measured(evidence, "bp", "zil")


def fazil_no_faster_than_zil(evidence: Evidence) -> list[Measured]:
    """Z-IL over Fa-Z-IL."""
    return _measured(evidence, "zil", "fazil")


def il_is_slowest(evidence: Evidence) -> list[Measured]:
    """Fa-Z-IL over IL, with the input's product computed once and in every step."""
    repeated = any(REPEATED in rows.index for rows in times(evidence).values())
    variants = IL_VARIANTS if repeated else {"il": IL_VARIANTS["il"]}
    return [
        found
        for name, variant in variants.items()
        for found in _measured(evidence, "fazil", name, variant)
    ]


def zil_needs_l_max_steps(evidence: Evidence) -> list[Measured]:
    """Inference steps of the logged runs of figure 2 before the last update, over l_max."""
    events = evidence.table("fig2", "algorithm", "t", "element", "layer", "event")
    l_max = len({layer for _, layer in logged_updates(events, "zil")})
    before = {}
    for name in ("zil", "fazil", "il"):
        before[name] = (steps_before(events, name) / l_max,)
    il = {"inference_learning": before.pop("il")}
    named = {ALGORITHMS[name]: values for name, values in before.items()}
    return [Measured("", named, seeded=False, controls=il)]


def bandwidth_note(evidence: Evidence, device: str, milliseconds: float) -> str:
    """What a printed time asks of the memory, and what that of the stated machine gives."""
    stated = evidence.published.entry("table4")["settings"]
    sizes = [stated["inputs"], *stated["hidden_sizes"], stated["output_size"]]
    weights = weight_count(sizes)
    rate = 4 * PASSES * weights / (milliseconds * 1e6)
    machine, most = MEMORY_GB_S[device]
    return (
        f"{PASSES} passes over the {weights / 1e6:.0f} million float32 weights in "
        f"{milliseconds:g} ms would need {rate:.0f} GB/s; the memory of {machine} gives at most "
        f"{most} GB/s"
    )


def numbers_of_table4(evidence: Evidence) -> list[Number]:
    """The eight printed times; run times depend on the machine, so none is judged."""
    found = times(evidence)
    numbers = []
    for row in evidence.published.values("table4")["rows"]:
        rows = found.get(row["id"])
        for name in ORDER:
            ours = "no such device here"
            if rows is not None:
                ours = f"here {rows.loc[name, MILLISECONDS]:.3g} ms on another machine"
            note = bandwidth_note(evidence, row["id"], float(row[f"{name}_ms"]))
            label = f"{ALGORITHMS[name]} in ms on the {row['device']}"
            place = f"rows.{row['id']}.{name}_ms"
            absent = f"{ours}; ratios are compared instead"
            numbers.append(Number(place, "", (), note=note, absent=absent, label=label))
    return numbers
