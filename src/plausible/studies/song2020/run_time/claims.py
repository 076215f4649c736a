"""Checks on table 4: run times per weight update, as ratios of algorithms on one machine.

A ratio is that of the median times. The network of the table, 50176-4096-2048-1024-27, is what the
statements are about; the small one stands beside it, because the paper's times do not fit its own
network (see the reasons).
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Outcome
from plausible.studies.song2020.run_time.settings import weight_count
from plausible.studies.song2020.texts import ALGORITHMS

MILLISECONDS = "milliseconds_per_update"
ORDER = ("bp", "il", "zil", "fazil")
RATIOS = {
    "zil_near_backprop": ("zil", "bp"),
    "fazil_near_zil": ("fazil", "zil"),
    "il_far_above_backprop": ("il", "bp"),
}
"""Algorithms that a statement compares."""


def medians(evidence: Evidence) -> dict[tuple[str, str], pd.Series]:
    """Median milliseconds of the algorithms by (network, device).

    Raises
    ------
    StudyError
        If a machine lacks one of the four algorithms.
    """
    frame = evidence.table("table4", "network", "device", "algorithm", MILLISECONDS)
    found = {}
    for (network, device), rows in frame.groupby(["network", "device"], sort=False):
        times = rows.groupby("algorithm")[MILLISECONDS].median()
        for name in ORDER:
            if name not in times.index:
                raise StudyError(
                    f"the table of song2020.table4 lacks {name} of {network} on {device}."
                )
        found[str(network), str(device)] = times
    return found


def published_times(evidence: Evidence) -> dict[str, Mapping[str, Any]]:
    """Rows of the printed table by device."""
    return {row["id"]: row for row in evidence.published.values("table4")["rows"]}


def _ratio(evidence: Evidence, statement: str, of: str | None = None) -> list[Outcome]:
    """Ratio of two medians for every network and device, and the published ones beside them."""
    one, other = RATIOS[statement]
    bound = evidence.bound(statement, "ratio", of)
    outcomes = []
    for (network, device), times in medians(evidence).items():
        ratio = float(times[one] / times[other])
        note = (
            f"{ALGORITHMS[one]} {times[one]:.3g} ms over {ALGORITHMS[other]} {times[other]:.3g} ms"
        )
        stated = published_times(evidence).get(device)
        if stated is not None:
            note += f"; published ratio {stated[f'{one}_ms'] / stated[f'{other}_ms']:.2f}"
        if "bp_autograd" in times.index and other == "bp":
            note += f"; against BP by autograd {times[one] / times['bp_autograd']:.2f}"
        holds = ratio > bound if one == "il" else ratio < bound
        outcomes.append(Outcome("", holds, ratio, note=note, variant=f"{network} {device}"))
    return outcomes


def zil_near_backprop(evidence: Evidence) -> list[Outcome]:
    """Z-IL over backprop (the fused one of ours)."""
    return _ratio(evidence, "zil_near_backprop")


def fazil_near_zil(evidence: Evidence) -> list[Outcome]:
    """Fa-Z-IL over Z-IL."""
    return _ratio(evidence, "fazil_near_zil")


def il_far_above_backprop(evidence: Evidence) -> list[Outcome]:
    """IL over backprop."""
    return _ratio(evidence, "il_far_above_backprop")


def order_of_times(evidence: Evidence) -> list[Outcome]:
    """BP <= Z-IL <= Fa-Z-IL < IL; neighbours that are nearly as fast count as tied."""
    tie = 1.0 + evidence.bound("order_of_times", "tie_percent") / 100.0
    outcomes = []
    for (network, device), times in medians(evidence).items():
        bp, il, zil, fazil = (float(times[name]) for name in ORDER)
        holds = bp <= tie * zil and zil <= tie * fazil and fazil < il
        listed = ", ".join(f"{ALGORITHMS[name]} {times[name]:.3g} ms" for name in ORDER)
        outcomes.append(Outcome("", holds, listed, variant=f"{network} {device}"))
    return outcomes


def overheads(evidence: Evidence) -> list[Outcome]:
    """The three ratios of table 4 with its bounds."""
    return [
        outcome._replace(variant=f"{ALGORITHMS[one]}, {outcome.variant}")
        for statement, (one, _) in RATIOS.items()
        for outcome in _ratio(evidence, statement, "table4")
    ]


def bandwidth_note(evidence: Evidence, milliseconds: float) -> str:
    """What a printed time asks of the memory, if all weights of the network are read once."""
    stated = evidence.published.entry("table4")["settings"]
    sizes = [stated["inputs"], *stated["hidden_sizes"], stated["output_size"]]
    weights = weight_count(sizes)
    rate = 4 * weights / (milliseconds * 1e6)
    return (
        f"one pass over the {weights / 1e6:.0f} million float32 weights in {milliseconds:g} ms "
        f"would need {rate:.0f} GB/s, and an update needs three to four passes"
    )


def numbers_of_table4(evidence: Evidence) -> list[Number]:
    """The eight printed times; run times depend on the machine, so none is judged."""
    found = medians(evidence)
    numbers = []
    for device, row in published_times(evidence).items():
        times = found.get(("imagenet", device))
        for name in ORDER:
            stated = float(row[f"{name}_ms"])
            ours = () if times is None else (float(times[name]),)
            note = f"{bandwidth_note(evidence, stated)}; ratios are compared instead"
            absent = f"this run had no {row['device']}" if times is None else ""
            label = f"{ALGORITHMS[name]} in ms on the {row['device']}"
            given = (f"rows.{device}.{name}_ms", "", stated, ours, None)
            more = {"note": note, "seeded": False, "absent": absent, "label": label}
            numbers.append(Number(*given, **more))
    return numbers
