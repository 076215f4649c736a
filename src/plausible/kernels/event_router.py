"""Order in which a graph of modules processes events: breadth first or depth first.

Source: O'Connor 2020, section A.6, figure A.3 and table A.2.
"""

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from plausible.errors import StudyError

Event = Any
Modules = Mapping[str, Callable[[Event], Iterable[Event]]]
"""What a module does with an event: the events that it emits in turn, in their order."""
Bindings = Mapping[str, Sequence[str]]
"""The modules that consume the events of a module, in their order."""

ROUTINGS = ("breadth_first", "depth_first")


def route(
    modules: Modules, bindings: Bindings, source: str, events: Iterable[Event], routing: str
) -> list[tuple[str, Event]]:
    """Process ``events`` of ``source`` and all that follows from them.

    Breadth first: a consumer takes all waiting events of a module before the next consumer does,
    and all consumers before anything that they emitted goes on. Depth first: what an event causes
    is processed to its end before the next event. Returns (consumer, event) in the order of
    processing. Raises StudyError for an unknown routing.
    """
    if routing not in ROUTINGS:
        raise StudyError(f"routing is {routing!r}, expected one of {', '.join(ROUTINGS)}.")
    log: list[tuple[str, Event]] = []
    if routing == "depth_first":
        _depth_first(modules, bindings, source, events, log)
        return log
    waiting = deque([(source, list(events))])
    while waiting:
        emitter, batch = waiting.popleft()
        for consumer in bindings.get(emitter, ()):
            emitted = []
            for event in batch:
                log.append((consumer, event))
                emitted.extend(modules[consumer](event))
            if emitted:
                waiting.append((consumer, emitted))
    return log


def _depth_first(modules, bindings, source, events, log) -> None:
    for event in events:
        for consumer in bindings.get(source, ()):
            log.append((consumer, event))
            _depth_first(modules, bindings, consumer, modules[consumer](event), log)
