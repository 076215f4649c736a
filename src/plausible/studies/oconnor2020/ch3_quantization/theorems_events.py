"""Order in which several consumers take the events of a module (O'Connor 2020, section A.6)."""

import numpy as np

from plausible.kernels.event_router import ROUTINGS, route
from plausible.reproduction.theorem_checks import Check, controls
from plausible.studies.oconnor2020.ch3_quantization.settings import Theorems
from plausible.studies.oconnor2020.ch3_quantization.theorems_quantizers import stream

TREE = {"A": "BCD", "B": "EF", "C": "GHI", "D": "JK"}
"""Modules and their consumers, in the order in which they are bound."""


def logged(routing: str, rng: np.random.Generator) -> list[tuple[str, str, int]]:
    """Events in the order of processing: emitter, consumer, and number of the event."""
    events = iter(range(10_000))

    def emitter(name: str):
        return lambda event: [(name, next(events)) for _ in range(rng.integers(1, 4))]

    modules = {name: emitter(name) for name in "".join(TREE.values())}
    start = [("A", next(events)) for _ in range(4)]
    log = route(modules, TREE, "A", start, routing)
    return [(source, consumer, number) for consumer, (source, number) in log]


def inversions(values: list) -> int:
    """Pairs of which the first is larger than the second."""
    return sum(a > b for place, a in enumerate(values) for b in values[place + 1 :])


def several_consumers(settings: Theorems, seed: int) -> list[Check]:
    """Breadth first by consumer, depth first by event; a control each by the other routing."""
    rows = []
    for routing, other, column, what in (
        (*ROUTINGS, 1, "consumer"),
        (*ROUTINGS[::-1], 2, "event"),
    ):
        name = f"{routing}_by_{what}"
        found = {}
        for way in (routing, other):
            log = logged(way, stream("several consumers", seed))
            found[way] = sum(
                inversions([row[column] for row in log if row[0] == source]) for source in TREE
            )
        text = f"pairs of events of one module that are not taken {what} by {what}, {routing}"
        rows += [
            Check(name, text.replace("_", " "), found[routing]),
            *controls(name, {"other_routing": found[other]}),
        ]
    return rows
