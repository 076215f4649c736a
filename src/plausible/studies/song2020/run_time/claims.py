"""Checks on table 4: run times per weight update, as ratios of algorithms on one machine.

A ratio is that of the median times. The network of the table, 50176-4096-2048-1024-27, is what the
statements are about; the small one stands beside it, because the paper's times do not fit its own
network (see the explanations).
"""

import pandas as pd

from plausible.errors import StudyError
from plausible.reproduction.evidence import Evidence, Number, Outcome

MILLISECONDS = "milliseconds_per_update"
NAMES = {"bp": "BP", "il": "IL", "zil": "Z-IL", "fazil": "Fa-Z-IL"}
DEVICES = {"cpu": "CPU", "cuda": "GPU"}
ORDER = tuple(NAMES)


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
        missing = [name for name in ORDER if name not in times.index]
        if missing:
            raise StudyError(
                f"the table of song2020.table4 lacks {missing[0]} of {network} on {device}."
            )
        found[str(network), str(device)] = times
    return found


def _ratio(evidence: Evidence, one: str, other: str, bound: float, above: bool) -> list[Outcome]:
    """Ratio of two medians for every network and device, and the published ones beside them."""
    rows = {row["device"]: row for row in evidence.published.entry("table4")["values"]["rows"]}
    outcomes = []
    for (network, device), times in medians(evidence).items():
        ratio = float(times[one] / times[other])
        notes = [f"{NAMES[one]} {times[one]:.3g} ms over {NAMES[other]} {times[other]:.3g} ms"]
        stated = rows.get(DEVICES.get(device, ""))
        if stated is not None:
            published = stated[f"{one}_ms"] / stated[f"{other}_ms"]
            notes.append(f"published ratio {published:.2f}")
        if "bp_autograd" in times.index and other == "bp":
            notes.append(f"against BP by autograd {times[one] / times['bp_autograd']:.2f}")
        holds = ratio > bound if above else ratio < bound
        outcomes.append(
            Outcome("", bool(holds), ratio, note="; ".join(notes), variant=f"{network} {device}")
        )
    return outcomes


def zil_near_backprop(evidence: Evidence) -> list[Outcome]:
    """Z-IL over backprop (the fused one of ours)."""
    return _ratio(evidence, "zil", "bp", evidence.bounds(0)[0], above=False)


def fazil_near_zil(evidence: Evidence) -> list[Outcome]:
    """Fa-Z-IL over Z-IL."""
    return _ratio(evidence, "fazil", "zil", evidence.bounds(1)[0], above=False)


def il_far_above_backprop(evidence: Evidence) -> list[Outcome]:
    """IL over backprop."""
    return _ratio(evidence, "il", "bp", evidence.bounds(2)[0], above=True)


def order_of_times(evidence: Evidence) -> list[Outcome]:
    """BP <= Z-IL <= Fa-Z-IL < IL; neighbours within 10 % of each other count as tied."""
    tie = 1.0 + evidence.bounds(3)[-1] / 100.0
    outcomes = []
    for (network, device), times in medians(evidence).items():
        bp, il, zil, fazil = (float(times[name]) for name in ORDER)
        holds = bp <= tie * zil and zil <= tie * fazil and fazil < il
        listed = ", ".join(f"{NAMES[name]} {times[name]:.3g} ms" for name in ORDER)
        outcomes.append(Outcome("", holds, listed, variant=f"{network} {device}"))
    return outcomes


def overheads(evidence: Evidence) -> list[Outcome]:
    """The three ratios of table 4 with its bounds."""
    outcomes = []
    for index, one, other in ((0, "zil", "bp"), (1, "fazil", "zil"), (2, "il", "bp")):
        bound = evidence.bounds(index, of="table4")[0]
        outcomes += [
            outcome._replace(variant=f"{NAMES[one]}, {outcome.variant}")
            for outcome in _ratio(evidence, one, other, bound, above=one == "il")
        ]
    return outcomes


def bandwidth_note(evidence: Evidence, milliseconds: float) -> str:
    """What a printed time asks of the memory, if all weights of the network are read once."""
    stated = evidence.published.entry("table4")["settings"]
    pixels = int(stated["input"].split("(")[1].split()[0])
    sizes = [pixels, *stated["hidden_sizes"], stated["output_size"]]
    weights = sum(one * other for one, other in zip(sizes[:-1], sizes[1:], strict=True))
    rate = 4 * weights / (milliseconds * 1e6)
    return (
        f"one pass over the {weights / 1e6:.0f} million float32 weights in {milliseconds:g} ms "
        f"would need {rate:.0f} GB/s, and an update needs three to four passes"
    )


def numbers_of_table4(evidence: Evidence) -> list[Number]:
    """The eight printed times; run times depend on the machine, so none is judged."""
    found = medians(evidence)
    numbers = []
    for row in evidence.entry["values"]["rows"]:
        device = {name: key for key, name in DEVICES.items()}[row["device"]]
        times = found.get(("imagenet", device))
        for name in ORDER:
            label = f"{row['device']} {name}_ms"
            stated = float(row[f"{name}_ms"])
            absent = "" if times is not None else f"this run had no {row['device']}"
            values = (float(times[name]),) if times is not None else ()
            note = f"{bandwidth_note(evidence, stated)}; ratios are compared instead"
            numbers.append(Number(label, "", stated, values, None, "", note, False, absent))
    return numbers
