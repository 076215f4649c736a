"""What ``plausible.kernels.deep_spiking`` computes, as a graph of modules and a router.

Every module takes one event and returns the events that it emits in turn; the router decides on the
order. The bindings are those of figure A.2 and algorithm 13 of O'Connor 2020:

    input --> weights 0 --> herder 1 --> weights 1 --> ... --> herder L --> outputs
                              gate 1 <-- back herder 1 <-- back weights 1 <-- ... <-- gate L
              update 0 <------'                            update L-1 <---------------'

Events are spikes (i or -1 - i, see ``neurons.quantizers.spike_codes``) and, from weights to
quantizers, rows or columns of weights.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from plausible.kernels.deep_spiking_types import (
    Network,
    Predictions,
    Rule,
    SpikeTrains,
    Training,
    check_order,
    check_training,
    check_trains,
)
from plausible.kernels.event_router import route
from plausible.neurons.quantizers import spike_codes


class SampleState(NamedTuple):
    """Nodes of a sample, one array per layer; see the compiled form for the symbols."""

    potential: list[np.ndarray]
    spent: list[np.ndarray]
    counts: list[np.ndarray]
    net_errors: list[np.ndarray]
    held: np.ndarray
    spikes: np.ndarray
    errors: np.ndarray
    passed: np.ndarray


def unit_and_sign(code: int) -> tuple[int, int]:
    """Unit and sign of a spike."""
    return (code, 1) if code >= 0 else (-1 - code, -1)


def bindings(
    layers: int, training: bool = True, hold_error: bool = True, as_coded: bool = False
) -> dict[str, list[str]]:
    """Who consumes the events of which module in a network with ``layers`` weight matrices.

    ``as_coded``: an error spike updates weights before they send it back, and a spike is counted
    after it was consumed by others, as the author's code binds its modules.
    """
    edges: dict[str, list[str]] = {"input": ["weights 0"]}
    for layer in range(1, layers + 1):
        edges[f"weights {layer - 1}"] = [f"herder {layer}"]
        edges[f"herder {layer}"] = [f"penalty {layer - 1}"] if training else []
        if layer < layers:
            edges[f"herder {layer}"].append(f"weights {layer}")
    if not training:
        edges[f"weights {layers - 1}"] = ["sum"]
        del edges[f"herder {layers}"]
        return edges
    edges[f"herder {layers}"].append("error counter" if hold_error else f"gate {layers}")
    edges["target"] = [edges[f"herder {layers}"][-1]]
    edges["error counter"] = [f"gate {layers}"]
    for layer in range(layers, 0, -1):
        edges[f"gate {layer}"] = [f"update {layer - 1}"]
        if layer > 1:
            edges[f"gate {layer}"].insert(1 if as_coded else 0, f"back weights {layer - 1}")
            edges[f"back weights {layer - 1}"] = [f"back herder {layer - 1}"]
            edges[f"back herder {layer - 1}"] = [f"gate {layer - 1}"]
        if as_coded:
            edges["input" if layer == 1 else f"herder {layer - 1}"].append(f"count {layer - 1}")
    return edges


def _credit(state: SampleState, layer: int, rule: Rule) -> np.ndarray:
    """(eta / T^2) max(c, 0), or of the sum that the spikes c quantize if updates are smooth."""
    if rule.smooth:
        return rule.rate * np.maximum(state.potential[layer] + state.spent[layer], 0)
    return np.maximum(state.counts[layer], 0)


def _change(network: Network, layer: int, j: int, change: np.ndarray) -> None:
    network.weights[layer][:, j] -= change
    if layer:
        network.transposed[layer][j] = network.weights[layer][:, j]


def _count(state: SampleState, layer: int, codes: np.ndarray, rule: Rule) -> None:
    """Spikes are counted when they are emitted; ``counts`` in steps of eta / T^2.

    ``counts`` of the routing as coded follow in a module of their own.
    """
    state.spikes[layer] += len(codes)
    if rule.smooth and layer == 0:
        return
    for code in codes:
        i, sign = unit_and_sign(code)
        state.spent[layer][i] += sign * rule.unit
        if not rule.as_coded:
            state.counts[layer][i] += sign * rule.rate


def make_modules(network: Network, state: SampleState, rule: Rule) -> dict[str, Callable]:
    """The modules of a network, acting on ``network`` and ``state``."""

    def weights(layer):
        def feed(code):
            i, sign = unit_and_sign(code)
            return [sign * network.weights[layer][i]]

        return feed

    def herder(layer):
        def feed(row):
            state.potential[layer] += row
            codes = spike_codes(state.potential[layer], True, rule.unit, rule.half)
            _count(state, layer, codes, rule)
            return codes

        return feed

    def penalty(layer):
        def feed(code):
            if rule.fractional and rule.penalty:
                _change(network, layer, code, rule.penalty * _credit(state, layer, rule))
            return []

        return feed

    def gate(layer):
        def feed(code):
            j, _ = unit_and_sign(code)
            state.errors[layer] += 1
            passes = state.potential[layer][j] + state.spent[layer][j] >= 0
            state.passed[layer] += passes
            return [code] if passes else []

        return feed

    def back_weights(layer):
        def feed(code):
            j, sign = unit_and_sign(code)
            return [sign * network.weights[layer][:, j]]

        return feed

    def back_herder(layer):
        def feed(column):
            network.back[layer][:] += column
            return spike_codes(network.back[layer], False, rule.unit, rule.half, rule.half_below)

        return feed

    def update(layer):
        def feed(code):
            j, sign = unit_and_sign(code)
            if rule.fractional:
                _change(network, layer, j, sign * _credit(state, layer, rule))
            else:
                state.net_errors[layer + 1][j] += sign
            return []

        return feed

    def count(layer):
        def feed(code):
            i, sign = unit_and_sign(code)
            state.counts[layer][i] += sign * rule.rate
            return []

        return feed

    def error_counter(code):
        unit, sign = unit_and_sign(code)
        state.held[unit] += sign
        return []

    modules = {"error counter": error_counter}
    for layer in range(len(network.weights)):
        modules[f"weights {layer}"] = weights(layer)
        modules[f"penalty {layer}"] = penalty(layer)
        modules[f"update {layer}"] = update(layer)
        modules[f"count {layer}"] = count(layer)
        modules[f"back weights {layer}"] = back_weights(layer)
        modules[f"back herder {layer}"] = back_herder(layer)
        modules[f"herder {layer + 1}"] = herder(layer + 1)
        modules[f"gate {layer + 1}"] = gate(layer + 1)
    return modules


def start_sample(network: Network) -> SampleState:
    """Nodes of a new sample, all zero."""

    def zeros(dtype=network.weights[0].dtype):
        return [np.zeros(size, dtype) for size in network.sizes]

    def per_layer():
        return np.zeros(len(network.sizes), np.int64)

    return SampleState(
        zeros(), zeros(), zeros(), zeros(np.int64), np.zeros(network.sizes[-1], np.int64),
        per_layer(), per_layer(), per_layer(),
    )  # fmt: skip


def _reset_back(network: Network, rule: Rule, generator: np.random.Generator) -> None:
    for back in network.back[1:]:
        if rule.back_reset == 1:
            back[:] = 0
        elif rule.back_reset == 2:
            back[:] = [generator.random() - 0.5 for _ in back]


def _input_codes(state: SampleState, rule: Rule, trains: SpikeTrains, sample: int, step: int):
    codes = trains.code[slice(*trains.start[sample, step : step + 2])].astype(np.int64)
    if rule.smooth:
        seen = step if rule.as_coded else step + 1
        state.potential[0][:] = seen * trains.values[sample] / trains.white
    _count(state, 0, codes, rule)
    return codes


def _train_sample(network, rule, trains, sample, label, generator) -> SampleState:
    """One iteration of algorithm 13."""
    layers = len(network.weights)
    routing = "depth_first" if rule.depth_first else "breadth_first"
    state = start_sample(network)
    _reset_back(network, rule, generator)
    modules = make_modules(network, state, rule)
    edges = bindings(layers, hold_error=rule.hold_error, as_coded=rule.as_coded)
    for step in range(rule.steps):
        codes = _input_codes(state, rule, trains, sample, step)
        route(modules, edges, "input", codes, routing)
        if rule.smooth and rule.as_coded:
            state.potential[0][:] = (step + 1) * trains.values[sample] / trains.white
        route(modules, edges, "target", [-1 - int(label)], routing)
        for unit, number in enumerate(state.held):
            code = unit if number > 0 else -1 - unit
            for _ in range(abs(number)):
                route(modules, edges, "error counter", [code], routing)
        state.held[:] = 0
    if not rule.fractional:
        _end_sample(network, state, rule)
    return state


def _end_sample(network: Network, state: SampleState, rule: Rule) -> None:
    """SGD: the products of both counts, one column and one error spike at a time."""
    for layer in range(len(network.weights)):
        credit = _credit(state, layer, rule)
        for j, number in enumerate(state.net_errors[layer + 1]):
            for _ in range(abs(number)):
                _change(network, layer, j, np.sign(number) * credit)
        if rule.penalty:
            for j, number in enumerate(state.spent[layer + 1]):
                for _ in range(int(number)):
                    _change(network, layer, j, rule.penalty * credit)


def train(
    network: Network,
    rule: Rule,
    trains: SpikeTrains,
    labels: np.ndarray,
    order: np.ndarray,
    generator: np.random.Generator,
) -> Training:
    """Like ``deep_spiking.train``, for networks that do not diverge."""
    check_training(network, trains, labels, rule)
    totals = np.zeros((3, len(network.sizes)), np.int64)
    order = check_order(order, len(labels))
    for sample in order:
        state = _train_sample(network, rule, trains, sample, labels[sample], generator)
        totals += [state.spikes, state.errors, state.passed]
    return Training(len(order), False, *totals)


def predict(network: Network, rule: Rule, trains: SpikeTrains) -> Predictions:
    """Like ``deep_spiking.predict``."""
    check_trains(network, trains, rule)
    rule = rule._replace(smooth=False)
    layers, samples = len(network.weights), len(trains.start)
    outputs = np.zeros((samples, rule.steps, network.sizes[-1]), network.weights[0].dtype)
    spikes = np.zeros((samples, rule.steps, layers), np.int64)
    edges = bindings(layers, training=False)
    for sample in range(samples):
        state = start_sample(network)
        modules = make_modules(network, state, rule)

        def add(row, total=state.potential[-1]):
            total += row
            return []

        modules["sum"] = add
        for step in range(rule.steps):
            before = state.spikes.copy()
            route(
                modules,
                edges,
                "input",
                _input_codes(state, rule, trains, sample, step),
                "breadth_first",
            )
            outputs[sample, step] = state.potential[-1]
            spikes[sample, step] = (state.spikes - before)[:-1]
    return Predictions(outputs, outputs.argmax(axis=-1), spikes)


def numbers_added(network: Network, rule: Rule, trains: SpikeTrains, sample: int) -> int:
    """Numbers that the forward pass of a sample adds to potentials, counted one by one.

    Read off the log of the router: the rows of weights that arrive at quantizers and at the sum.
    """
    edges, added = bindings(len(network.weights), training=False), 0
    modules = make_modules(network, start_sample(network), rule) | {"sum": lambda row: []}
    for step in range(rule.steps):
        codes = trains.code[slice(*trains.start[sample, step : step + 2])].astype(np.int64)
        for consumer, event in route(modules, edges, "input", codes, "breadth_first"):
            added += np.size(event) if consumer.startswith(("herder", "sum")) else 0
    return added
