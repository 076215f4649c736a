"""Figures A.2 and A.3 and table A.2 of O'Connor 2020, read from the implementation.

Figure A.2 is the graph of modules of ``kernels.deep_spiking_reference``: its edges are the bindings
by which the router sends events, its events those of a run, and what a module reads besides is
found by changing it. The ReLU network above it is the same graph without its quantizers. Figure A.3
and table A.2 are a run of the router on the graph of four modules of the thesis.
"""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd

from plausible.kernels.deep_spiking_reference import bindings, make_modules, start_sample
from plausible.kernels.deep_spiking_types import Network, Rule, make_network, make_rule
from plausible.kernels.event_router import ROUTINGS, route
from plausible.kernels.spike_emission import input_trains
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch3_quantization.settings import EventGraphs

QUANTIZERS = {"herder": "relu", "back herder": "sum", "error counter": "difference"}
"""Modules that the ReLU network has in place of quantizers; sums are left out of its drawing."""
STATES = {"counts": "spike count", "spent": "summed input"}
"""Arrays of a sample that a module may read; the summed input u is potential + spent, so that a
change of ``spent`` shows who reads it."""
VECTORS = {"spike count": "value", "summed input": "input"}
"""What the ReLU network reads in place of it."""
EXAMPLE = {"A": ["B", "C"], "B": ["D"], "C": [], "D": []}
EMITTED = {("A", ""): ["a1", "a2"], ("B", "a1"): ["b1", "b2"], ("B", "a2"): ["b3"]}
"""Events that modules of figure A.3 emit for an event; A has an input of its own."""


def architecture(settings: EventGraphs, seed: int) -> pd.DataFrame:
    """Figure A.2: the modules of a spiking network with one hidden layer and of its ReLU peer.

    Columns: network (relu, spiking), element (module, edge, read, write), name, kind (name without
    its layer), layer, target (edges: consumer; reads: the module that reads; writes: whose weights
    change; else empty), what (reads: spike count or summed input), events (modules: events consumed
    in the run).
    """
    sizes = settings.layer_sizes
    rng = numpy_generator("oconnor2020", "architecture", seed)
    rule = make_rule(settings.steps)
    network = make_network(
        [rng.normal(0.2, 1.0, shape) for shape in zip(sizes[:-1], sizes[1:], strict=True)], rule
    )
    inputs = rng.random((1, sizes[0]))
    edges = drawn_bindings(len(network.weights))
    rows = _graph("spiking", edges, _events(network, rule, inputs))
    reads, writes = list(_reads(network, rule)), _writes(network, rule)
    rows += [("spiking", "read", *read, 0) for read in reads]
    rows += [
        (name, "write", *pair, "weights", 0) for name in ("relu", "spiking") for pair in writes
    ]
    rows += _graph("relu", without_quantizers(edges), {})
    rows += [("relu", "read", renamed(of), to, VECTORS[what], 0) for of, to, what in reads]
    table = pd.DataFrame(rows, columns=["network", "element", "name", "target", "what", "events"])
    return table.assign(kind=table["name"].map(kind_of), layer=table["name"].map(layer_of))


def _graph(network: str, edges: dict[str, list[str]], events: dict[str, int]) -> list[tuple]:
    """Rows of the modules of a network, and of its edges."""
    names = dict.fromkeys([*edges, *(to for targets in edges.values() for to in targets)])
    modules = [(network, "module", name, "", "", events.get(name, 0)) for name in names]
    return modules + [(network, "edge", source, to, "", 0) for source, to in _pairs(edges)]


def kind_of(module: str) -> str:
    """Name of a module without its layer: ``back weights`` of ``back weights 1``."""
    return module.rstrip("0123456789").strip()


def layer_of(module: str) -> int:
    """Layer in the name of a module, -1 where there is none."""
    digits = module[len(kind_of(module)) :].strip()
    return int(digits) if digits else -1


def drawn_bindings(layers: int) -> dict[str, list[str]]:
    """Bindings of the implementation without its regulariser, which the thesis does not have."""
    return {
        source: [to for to in targets if kind_of(to) != "penalty"]
        for source, targets in bindings(layers).items()
    }


def without_quantizers(edges: dict[str, list[str]]) -> dict[str, list[str]]:
    """The graph of vectors: quantizers become what they quantize, sums of errors vanish."""

    def beyond_sums(name: str) -> Iterator[str]:
        if QUANTIZERS.get(kind_of(name)) == "sum":
            for to in edges[name]:
                yield from beyond_sums(to)
        else:
            yield renamed(name)

    return {
        renamed(source): [end for to in targets for end in beyond_sums(to)]
        for source, targets in edges.items()
        if QUANTIZERS.get(kind_of(source)) != "sum"
    }


def renamed(module: str) -> str:
    """What the ReLU network has in place of a module."""
    kind = kind_of(module)
    return module.replace(kind, QUANTIZERS.get(kind, kind), 1)


def _pairs(edges: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(source, to) for source, targets in edges.items() for to in targets]


def _events(network: Network, rule: Rule, inputs: np.ndarray) -> dict[str, int]:
    """Events that each module consumed, and sources emitted, in one training sample of label 0."""
    trains = input_trains(inputs, rule.steps)
    state = start_sample(network)
    modules, edges = make_modules(network, state, rule), bindings(len(network.weights))
    events: dict[str, int] = {}

    def send(source: str, codes: list[int]) -> None:
        events[source] = events.get(source, 0) + (source not in modules) * len(codes)
        for consumer, _ in route(modules, edges, source, codes, "breadth_first"):
            events[consumer] = events.get(consumer, 0) + 1

    for step in range(rule.steps):
        send("input", trains.code[slice(*trains.start[0, step : step + 2])].astype(int).tolist())
        send("target", [-1])
        for unit, number in enumerate(state.held):
            for _ in range(abs(number)):
                send("error counter", [unit if number > 0 else -1 - unit])
        state.held[:] = 0
    return events


def _reads(network: Network, rule: Rule) -> Iterator[tuple[str, str, str]]:
    """(module whose state is read, module that reads it, what), found by changing the state."""
    layers = len(network.weights)
    for layer in range(layers, 0, -1):
        for reader in (f"gate {layer}", f"update {layer - 1}"):
            quiet = _response(network, rule, reader)
            for field, what in STATES.items():
                for source in range(layers + 1):
                    if _response(network, rule, reader, field, source) != quiet:
                        owner = f"herder {source}" if source else "input"
                        yield owner, reader, what


def _writes(network: Network, rule: Rule) -> list[tuple[str, str]]:
    """(module, module whose weights it changes), found by an error spike at counts of 1."""
    return [
        (f"update {layer}", f"weights {place}")
        for layer in range(len(network.weights))
        for place, matrix in enumerate(
            _response(network, rule, f"update {layer}", "counts", layer)[1]
        )
        if matrix != network.weights[place].tobytes()
    ]


def _response(
    network: Network, rule: Rule, module: str, field: str = "", layer: int = 0
) -> tuple[list, list[bytes]]:
    """What a module emits for one error spike, and the weights after it.

    All state is zero but ``field`` of ``layer``: 1 in every unit for counts, -1 for the summed
    input, which lets errors pass from 0 on.
    """
    copy = make_network([matrix.copy() for matrix in network.weights], rule)
    state = start_sample(copy)
    if field:
        getattr(state, field)[layer][:] = 1 if field == "counts" else -1
    emitted = list(make_modules(copy, state, rule)[module](0))
    return emitted, [matrix.tobytes() for matrix in copy.weights]


def routing() -> pd.DataFrame:
    """Table A.2 and figure A.3: the router on the graph of four modules, both ways.

    Columns: element (module, edge, event), name (of the module or the emitting one), target
    (edges), routing, position (from 1) and event (events: which module took which event, in the
    order of processing).
    """
    rows = [("module", name, "", "", 0, "") for name in EXAMPLE]
    rows += [("edge", source, to, "", 0, "") for source, to in _pairs(EXAMPLE)]
    modules = {name: partial(_emitted, name) for name in EXAMPLE}
    for way in ROUTINGS:
        log = route(modules, EXAMPLE, "A", EMITTED["A", ""], way)
        rows += [("event", name, "", way, n, event) for n, (name, event) in enumerate(log, 1)]
    return pd.DataFrame(rows, columns=["element", "name", "target", "routing", "position", "event"])


def _emitted(name: str, event: str) -> list[str]:
    return EMITTED.get((name, event), [])


def event_graphs(settings: EventGraphs, seeds, dataset, networks) -> pd.DataFrame:
    """`architecture` and `routing` in one table; column ``graph`` tells them apart."""
    drawn = architecture(settings, seeds[0]).assign(graph="architecture")
    return pd.concat([drawn, routing().assign(graph="routing")], ignore_index=True)
