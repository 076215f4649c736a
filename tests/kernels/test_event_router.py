"""The router against table A.2 of O'Connor 2020."""

import pytest

from plausible.errors import StudyError
from plausible.kernels.event_router import route

BINDINGS = {"A": ["B", "C"], "B": ["D"]}
MODULES = {
    "B": lambda event: {"a1": ["b1", "b2"], "a2": ["b3"]}[event],
    "C": lambda event: [],
    "D": lambda event: [],
}
PUBLISHED = {
    "breadth_first": "B(a1) B(a2) C(a1) C(a2) D(b1) D(b2) D(b3)",
    "depth_first": "B(a1) D(b1) D(b2) C(a1) B(a2) D(b3) C(a2)",
}


@pytest.mark.parametrize("routing", PUBLISHED)
def test_order_is_that_of_table_a2(routing):
    log = route(MODULES, BINDINGS, "A", ["a1", "a2"], routing)
    assert " ".join(f"{module}({event})" for module, event in log) == PUBLISHED[routing]


def test_unknown_routing_is_said():
    with pytest.raises(StudyError, match="routing is 'random', expected one of breadth_first"):
        route(MODULES, BINDINGS, "A", ["a1"], "random")
