"""Convolutional models as networks of spiking neurons: what `to_spiking` makes of them.

Any module that ``plausible.networks.conv_graph`` reads, with ReLU (IF neurons) or `SoftRate` (LIF
neurons) as its activation; see ``plausible.models.spiking`` for both kinds. In each time step every
node of the graph, from the first to the last, takes what those before it send in this step:

    linear map   w(x) + b, of the messages x; between LIF neurons through the alpha synapse
    neuron       lambda for a spike of an IF neuron, scale / dt for one of a LIF neuron, else 0
    function f   f(S_t) - f(S_(t-1)) of the sums S of all messages so far

so that for max pooling, which no sum of single spikes gives, the sum of what is sent is the maximum
of the sums (all functions of a graph keep factors above 0). Means over time are activities in the
model's units.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.kernels.events import dense_counts
from plausible.kernels.types import SimulationSettings, synapse_kernel
from plausible.models.convolutional import as_frames
from plausible.models.data import Data, as_classes, as_given
from plausible.models.simulation import (
    Run,
    Simulation,
    conversion_table,
    joined,
    make_run,
    poisson_events,
)
from plausible.models.soft_rate import SoftRate
from plausible.networks.conv_graph import Geometry, Graph, geometry, read_graph
from plausible.neurons.lif_dynamics import LIF, exact_step, firing_rate_hz

NUMBERS_AT_ONCE = 4_000_000
"""Inputs, and outputs of linear maps, of the samples that are computed together."""


class SpikingGraph(NamedTuple):
    """A convolutional network of spiking neurons; `to_spiking` makes it."""

    graph: Graph
    neurons: tuple[int, ...]
    """Numbers of the nodes that spike, in their order."""
    neuron: LIF | None
    """Constants of LIF neurons; None for IF neurons."""
    full_activity: tuple[float, ...]
    """Of each layer of neurons: activity of one spike in every step (IF: the threshold) or of one
    hertz (LIF)."""
    smoothing: float
    """Of the threshold, in training."""

    def __repr__(self) -> str:
        kind = "IF neurons" if self.neuron is None else str(self.neuron)
        layers, maps = len(self.neurons), len(self.graph.layers)
        return f"SpikingGraph of {maps} linear maps and {layers} layers of {kind}"

    def simulate(
        self,
        inputs: Data,
        *,
        time_ms: float | Sequence[float] = 200.0,
        dt_ms: float = 1.0,
        coding: str = "current",
        input_rate_hz: float = 1000.0,
        readout: str = "current",
        seed: int = 0,
    ) -> Simulation:
        """Simulate every sample from rest.

        Parameters, errors and results are those of `SpikingModel.simulate`, with inputs
        [n, channels, rows, columns] and no readout but ``current``; activities are [n, ...] as in
        the model, and the output is flattened. A message that is not 0 adds each weight that it
        meets once.
        """
        x = self.as_inputs(inputs)
        if readout != "current":
            raise ModelError(
                f"readout: found {readout!r}, expected 'current': outputs of a convolutional model "
                "do not spike."
            )
        run = make_run(
            self.neuron, x, time_ms, dt_ms=dt_ms, coding=coding, input_rate_hz=input_rate_hz,
            readout=readout, seed=seed,
        )  # fmt: skip
        sizes = geometry(self.graph, x.shape[1:])
        parts = [
            _simulate(self, run, sizes, x[chunk], chunk.start) for chunk in _chunks(self.graph, x)
        ]
        return joined(parts, run, inputs, several=np.ndim(time_ms) > 0)

    def exact(self, inputs: Data) -> tuple[Data, ...]:
        """Activities of the layers of neurons and outputs [n, ...] if rates had no noise.

        Of LIF neurons, those of their rates at constant currents, without the smoothing of training
        (eq. 37 of Thuesen 2022).
        """
        found = self.activities(self.as_inputs(inputs))
        return tuple(as_given(each, inputs) for each in found)

    def diagnose(self, inputs: Data, labels: Data | None = None, **options) -> pd.DataFrame:
        """Where the conversion loses accuracy, as `SpikingModel.diagnose` says it."""
        x = self.as_inputs(inputs)
        exact, trained = self.activities(x), self.activities(x, smoothing=self.smoothing)[-1]
        classes = exact[-1].shape[1]
        truth = None if labels is None else as_classes(labels, len(x), classes)
        options["time_ms"] = np.atleast_1d(options.get("time_ms", 200.0))[-1:]
        run = self.simulate(x, **options)

        def rest(layer: int, seen: NDArray) -> NDArray:
            known = dict(zip(self.neurons[: layer + 1], run.activities, strict=False))
            return self.activities(x, known)[-1]

        return conversion_table(run, exact, trained, self.full_activity, self.neuron, truth, rest)

    def activities(
        self, inputs: NDArray, known: Mapping[int, NDArray] | None = None, smoothing: float = 0.0
    ) -> list[NDArray[np.float64]]:
        """`exact` of an array; ``known`` are values of nodes, in the place of what they would be.

        The outputs are flattened, [n, classes].
        """
        known = known or {}
        parts = [
            _activities(
                self, inputs[chunk], {number: each[chunk] for number, each in known.items()},
                smoothing,
            )
            for chunk in _chunks(self.graph, inputs)
        ]  # fmt: skip
        return [np.concatenate(each) for each in zip(*parts, strict=True)]

    def as_inputs(self, inputs: Data, name: str = "inputs") -> NDArray[np.float64]:
        """Frames [n, channels, rows, columns] that fit the network; ``name`` stands in errors."""
        x = as_frames(inputs, name)
        geometry(self.graph, x.shape[1:])  # says what does not fit
        return x


@torch.no_grad()
def _activities(
    model: SpikingGraph, inputs: NDArray, known: Mapping[int, NDArray], smoothing: float
) -> list[NDArray[np.float64]]:
    """Of one chunk of samples."""
    graph, values = model.graph, {0: torch.from_numpy(known.get(0, inputs))}
    levels = dict(zip(model.neurons, model.full_activity, strict=True))
    for number, node in enumerate(graph.nodes[1:], start=1):
        taken = [values[each] for each in node.inputs]
        if number in known:
            values[number] = torch.from_numpy(known[number])
        elif number in levels:
            values[number] = _rate(taken[0], model.neuron, levels[number], smoothing)
        elif node.function is None:
            layer = graph.layers[node.layer]
            values[number] = layer.apply(taken[0], layer.flat_bias)
        else:
            values[number] = node.function(*taken)
    outputs = values[len(graph.nodes) - 1].flatten(1)
    return [*(values[number].numpy() for number in model.neurons), outputs.numpy()]


def _rate(current: Tensor, neuron: LIF | None, full: float, smoothing: float) -> Tensor:
    if neuron is None:
        return torch.relu(current)
    return torch.from_numpy(full * firing_rate_hz(current.numpy(), smoothing, lif=neuron))


def read_spiking_graph(model: nn.Module) -> SpikingGraph:
    """The spiking network of a convolutional model; IF neurons with thresholds of 1.

    Raises
    ------
    ModelError
        If the model cannot be read, has no activation, or different ones.
    """
    graph = read_graph(copy.deepcopy(model).cpu().double(), (SoftRate,))
    activations = {
        number: node.function
        for number, node in enumerate(graph.nodes)
        if node.function is torch.relu or isinstance(node.function, SoftRate)
    }
    if not activations:
        raise ModelError("the model has no ReLU and no SoftRate, expected some, which spike.")
    kinds = {
        rate.identity if isinstance(rate, SoftRate) else None: str(rate)
        for rate in activations.values()
    }
    if len(kinds) > 1:
        found = ", ".join("ReLU" if kind is None else text for kind, text in kinds.items())
        raise ModelError(f"the activations are {found}, expected one and the same in all layers.")
    for layer in graph.layers:
        if not (torch.isfinite(layer.weight).all() and torch.isfinite(layer.flat_bias).all()):
            raise ModelError("a weight of the model is not finite, as after a diverged training.")
    numbers, rate = tuple(activations), next(iter(activations.values()))
    if isinstance(rate, SoftRate):
        return SpikingGraph(graph, numbers, rate.lif, (rate.scale,) * len(numbers), rate.smoothing)
    return SpikingGraph(graph, numbers, None, (1.0,) * len(numbers), 0.0)


# ------------------------------------------------------------------------------ simulation


class _Neurons:
    """State of a layer of neurons, and its spikes so far."""

    def __init__(self, shape: Sequence[int], neuron: LIF | None, full: float, dt_s: float) -> None:
        self.neuron, self.full, self.dt_s = neuron, full, dt_s
        self.message = full if neuron is None else full / dt_s
        self.potential, self.resting_s = np.zeros(shape), np.zeros(shape)
        self.spikes = np.zeros(shape, np.int64)

    def step(self, drive: NDArray) -> Tensor:
        """What is sent in a step."""
        if self.neuron is None:
            self.potential += drive
            fired = self.potential >= self.full
            self.potential[fired] -= self.full
        else:
            fired = exact_step(self.potential, self.resting_s, drive, self.dt_s, self.neuron)
        self.spikes += fired
        return torch.from_numpy(np.where(fired, self.message, 0.0))


class _Synapse:
    """The filter between LIF neurons, for the messages of one sender."""

    def __init__(self, taps: NDArray[np.float64]) -> None:
        self.taps, self.last = taps, []

    def __call__(self, message: Tensor) -> Tensor:
        """What arrives in this step of all messages so far."""
        self.last = [message, *self.last[: len(self.taps) - 1]]
        arrives = torch.zeros_like(message)
        for tap, sent in zip(self.taps, self.last, strict=False):
            arrives += tap * sent
        return arrives


def _simulate(
    model: SpikingGraph, run: Run, sizes: Geometry, inputs: NDArray, first_sample: int
) -> Simulation:
    """One chunk of samples; all nodes of a step before those of the next one."""
    graph, dt_s = model.graph, run.dt_ms * 1e-3
    sent_inputs, counted_inputs = _input_messages(run, inputs, first_sample)
    layers = dict(zip(model.neurons, model.full_activity, strict=True))
    neurons: dict[int, _Neurons] = {}
    taps, needed = _taps(model, run), _needed(model)
    synapses: dict[int, _Synapse] = {}
    sums: dict[int, Tensor] = {}
    varying: dict[int, Tensor] = {}
    outputs, spikes, additions = [], [], []
    added = np.zeros(len(inputs), np.int64)
    for step in range(1, run.steps[-1] + 1):
        messages: dict[int, Tensor] = {}
        arrives: dict[int, Tensor] = {}
        for number in needed:
            node = graph.nodes[number]
            if number == 0:
                messages[0] = sent_inputs(step)
            elif number in layers:
                drive = messages[node.inputs[0]].numpy()
                if number not in neurons:
                    full = layers[number]
                    neurons[number] = _Neurons(drive.shape, model.neuron, full, dt_s)
                messages[number] = neurons[number].step(drive)
            elif node.function is None:
                layer = graph.layers[node.layer]
                messages[number] = layer.apply(arrives[layer.sender], layer.flat_bias)
            else:
                # Not the sum of the messages, which rounding would let drift away from it.
                now = node.function(*(sums[each] for each in node.inputs))
                messages[number] = now - sums[number] if number in sums else now
                sums[number] = now
            sent = messages[number]
            if node.function is None or number in layers:
                sums[number] = sums[number] + sent if number in sums else sent
            if step == 1:
                varying[number] = _varying(run, model, number, sent, varying)
            if number in graph.senders:
                sender, changes = graph.senders.index(number), varying[number]
                arrives[sender] = sent
                if taps is not None:
                    synapse = synapses.setdefault(sender, _Synapse(taps))
                    arrives[sender] = sent * (1.0 - changes) + synapse(sent * changes)
                added += _additions(graph, sizes, sender, sent * changes)
        if step in run.steps:
            # Of a rate in spikes per step (IF) or in hertz (LIF).
            time = step * (1.0 if model.neuron is None else dt_s)
            seen = {0: (sums[0] / step).numpy()}
            seen |= {number: each.full * (each.spikes / time) for number, each in neurons.items()}
            *activities, output = model.activities(inputs, seen)
            outputs.append(output)
            counted = [_total(neurons[number].spikes) for number in model.neurons]
            silent = np.zeros(len(inputs), np.int64)
            spikes.append(np.stack([counted_inputs(step), *counted, silent], axis=1))
            additions.append(added.copy())
    whole = np.stack(outputs, axis=1)
    return Simulation(
        (), whole.argmax(axis=2), whole, tuple(activities), np.stack(spikes, axis=2),
        np.stack(additions, axis=1),
    )  # fmt: skip


def _total(counts: NDArray) -> NDArray[np.int64]:
    return counts.reshape(len(counts), -1).sum(axis=1)


def _input_messages(
    run: Run, inputs: NDArray, first_sample: int
) -> tuple[Callable[[int], Tensor], Callable[[int], NDArray[np.int64]]]:
    """Messages of the input in a step, counted from 1, and its spikes up to it, [samples]."""
    if run.coding == "current":
        constant, none = torch.from_numpy(inputs), np.zeros(len(inputs), np.int64)
        return lambda step: constant, lambda step: none
    flat = inputs.reshape(len(inputs), -1)
    counts = dense_counts(poisson_events(run, flat, first_sample), flat.shape[1])
    unit = run.input_rate_hz * run.dt_ms * 1e-3
    return (
        lambda step: torch.from_numpy((counts[:, step - 1] / unit).reshape(inputs.shape)),
        lambda step: counts[:, :step].sum(axis=(1, 2), dtype=np.int64),
    )


def _varying(
    run: Run, model: SpikingGraph, number: int, sent: Tensor, varying: Mapping[int, Tensor]
) -> Tensor:
    """1 where what a node sends varies with spikes, 0 where constant inputs alone decide, [1, ...].

    Through functions, which keep the order of numbers: a value varies if one of those that it is
    taken from does.
    """
    node = model.graph.nodes[number]
    if number == 0 and run.coding == "current":
        return torch.zeros_like(sent[:1])
    if number == 0 or node.function is None or number in model.neurons:
        return torch.ones_like(sent[:1])
    return (node.function(*(varying[each] for each in node.inputs)) > 0).to(sent.dtype)


def _needed(model: SpikingGraph) -> list[int]:
    """Nodes that spike or send something to a linear map, and those that they need."""
    found = {*model.neurons, *model.graph.senders}
    for number in range(len(model.graph.nodes) - 1, -1, -1):
        if number in found:
            found.update(model.graph.nodes[number].inputs)
    return sorted(found)


def _taps(model: SpikingGraph, run: Run) -> NDArray[np.float64] | None:
    """Of the synapses between LIF neurons; IF neurons have none."""
    if model.neuron is None:
        return None
    return synapse_kernel(SimulationSettings(dt_ms=run.dt_ms))


def _additions(graph: Graph, sizes: Geometry, sender: int, messages: Tensor) -> NDArray[np.int64]:
    """Weights that the messages of a sender add, [samples]."""
    found = np.zeros(len(messages), np.int64)
    for number in graph.layers_of(sender):
        fan = sizes.fan_outs[number]
        places = (messages != 0).to(fan.dtype)
        found += np.rint((places * fan).flatten(1).sum(dim=1).numpy()).astype(np.int64)
    return found


def _chunks(graph: Graph, inputs: NDArray) -> Iterator[slice]:
    shape = inputs.shape[1:]
    numbers = inputs[0].size + sum(geometry(graph, shape).outputs)
    size = int(np.clip(NUMBERS_AT_ONCE // numbers, 1, 64))
    for first in range(0, len(inputs), size):
        yield slice(first, min(first + size, len(inputs)))
