"""Chapter 9: properties of the implemented systems, forgetting, and the last neuron in pictures."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.data.dataset import Dataset
from plausible.data.splits import split_dataset
from plausible.kernels import deep_spiking, pdnn, pdnn_types
from plausible.kernels.deep_spiking_types import additions, make_network, make_rule
from plausible.kernels.spike_emission import input_trains
from plausible.learning.stream_training import NETWORKS, Recipe, Stream, train_stream
from plausible.learning.stream_training import test_stream as test_on
from plausible.networks import sigma_delta
from plausible.networks.binary_equilibrium import Coding, at_rest, run, settle_binary
from plausible.networks.equilibrium import make_equilibrium, settle, zero_states
from plausible.networks.initialiser import forward_pass, make_initialiser
from plausible.neurons.pd_coding import pd_code_of, transmit
from plausible.neurons.quantizers import quantize_stream
from plausible.neurons.smoothing_neuron import Rates, continuous_neuron, discrete_neuron
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.inputs import require
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch9.settings import Characteristics, Forgetting, Responses

generator = partial(numpy_generator, "oconnor2020", "ch9")
"""Random stream of an experiment, a seed and a purpose."""
WHITE = 255
REST = 1e-6
"""A state that changes by less in a step is at rest."""
K_ALPHA, K_BETA = 0.9, 0.1
"""Of the PDNN: messages of its first layer are whole numbers for any."""


class Pair(NamedTuple):
    """An input, the same with one unit changed, and weights."""

    before: NDArray
    after: NDArray
    weights: list[NDArray]

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer."""
        return (len(self.weights[0]), *(weight.shape[1] for weight in self.weights))

    @property
    def number(self) -> float:
        """Of weights."""
        return float(sum(weight.size for weight in self.weights))


def characteristics(settings: Characteristics, seeds, dataset, networks) -> pd.DataFrame:
    """Table 9.1: what decides about two of its marks, for the systems that are implemented here.

    Columns: system, seed, whole_share (of the messages that are not 0, those that are whole
    numbers), partial_cost (additions or products that follow a change of one input unit, over the
    number of weights).
    """
    rows = []
    for seed in seeds:
        rng = generator("characteristics", seed)
        weights = pdnn_types.initial_weights(settings.layer_sizes, rng)
        before = rng.integers(1, WHITE, settings.layer_sizes[0]) / WHITE
        after = before.copy()
        after[0] = 1.0 - before[0]
        pair = Pair(before, after, weights)
        for system, measure in SYSTEMS.items():
            messages, cost = measure(settings, pair, rng)
            known = messages[messages != 0.0]
            share = float((known == np.rint(known)).mean())
            rows.append((system, seed, share, float(cost / pair.number)))
    return pd.DataFrame(rows, columns=["system", "seed", "whole_share", "partial_cost"])


def _by_frames(kind: str):
    """A network of chapter 4: it sees the one input and then the other."""

    def measure(settings, pair: Pair, rng) -> tuple[NDArray, float]:
        layers = sigma_delta.dense_network(pair.weights)
        scales = [1.0] * len(layers) if kind == "original" else [8.0] * len(layers)
        found = sigma_delta.run(layers, np.stack([pair.before, pair.after]), kind, scales)
        sent = [message[1] for message in found.messages]
        fans = [weight.shape[1] for weight in pair.weights]
        size = np.count_nonzero if kind == "original" else lambda message: np.abs(message).sum()
        cost = sum(size(message) * fan for message, fan in zip(sent, fans, strict=True))
        return np.concatenate([message.ravel() for message in found.messages]), float(cost)

    return measure


def _deep_spiking(settings: Characteristics, pair: Pair, rng) -> tuple[NDArray, float]:
    """Spikes that one unit sends, each processed for itself."""
    rule = make_rule(settings.steps, 0.01)
    network = make_network(pair.weights, rule)
    alone = np.zeros((1, len(pair.before)), np.uint8)
    alone[0, 0] = round(WHITE * pair.after[0])
    found = deep_spiking.predict(network, rule, input_trains(alone, settings.steps, WHITE))
    spikes = quantize_stream(np.tile(pair.before, (settings.steps, 1)), rectified=True).spikes
    return spikes.ravel().astype(float), float(additions(found.spikes, pair.sizes)[0, -1])


def _pdnn(settings: Characteristics, pair: Pair, rng) -> tuple[NDArray, float]:
    """One input for many frames, and then one with another unit: spikes of that frame."""
    rule = pdnn_types.make_rule(k_alpha=K_ALPHA, k_beta_relative=K_BETA, tuning_rate=0.0)
    network = pdnn_types.make_network(pair.weights, rule)
    frames = np.tile(pair.before, (settings.frames, 1))
    shown = np.rint(WHITE * np.vstack([frames, pair.after])).astype(np.uint8)
    found = pdnn.predict(network, rule, shown, float(WHITE))
    fans = [weight.shape[1] for weight in pair.weights]
    # A change of one unit alone: what a frame costs anyway is that of the frame before.
    cost = found.spikes[-1][: len(fans)] @ fans - found.spikes[-2][: len(fans)] @ fans
    spikes = transmit(frames, pd_code_of(K_ALPHA, K_BETA)).spikes
    return spikes.ravel(), max(float(cost), 0.0)


def _eqprop(settings: Characteristics, pair: Pair, rng) -> tuple[NDArray, float]:
    """States, which are what neighbours hear at each step; those that move settle again."""
    network = make_equilibrium(settings.layer_sizes, rng)
    states = settle(
        network, pair.before[None], zero_states(network, 1), 10 * settings.settling_steps
    )
    cost, fans = 0.0, fan_outs(settings.layer_sizes)[1:]
    heard = np.concatenate([state.ravel() for state in states])
    for _ in range(settings.settling_steps):
        after = settle(network, pair.after[None], states, 1)
        # An event-driven form would send on what has changed alone.
        moved = [np.abs(a - b) > REST for a, b in zip(after, states, strict=True)]
        cost += sum(each.sum() * fan for each, fan in zip(moved, fans, strict=True))
        states = after
    return heard, cost


def _initialized(settings: Characteristics, pair: Pair, rng) -> tuple[NDArray, float]:
    """States of the forward pass, which make settling short, but begin it anew."""
    passed = forward_pass(make_initialiser(settings.layer_sizes, rng), pair.before[None])
    _, settling = _eqprop(settings, pair, rng)
    return np.concatenate([state.ravel() for state in passed.states]), pair.number + settling


def _spiking_eqprop(settings: Characteristics, pair: Pair, rng) -> tuple[NDArray, float]:
    """Bits of all layers while a network settles again after one input unit has changed."""
    network = make_equilibrium(settings.layer_sizes, rng)
    coding = Coding(Adaptive(settings.nu_bar), Schedule(settings.decay))
    steps = settings.settling_steps
    now = settle_binary(network, coding, pair.before[None], at_rest(network, 1), steps)
    fans = fan_outs(settings.layer_sizes)
    cost, bits = 0.0, []
    for after in run(network, coding, pair.after[None], now, steps):
        sent = [layer.bits for layer in after.layers]
        bits += [each.ravel() for each in sent]
        cost += sum(each.sum() * fan for each, fan in zip(sent, fans, strict=True))
    return np.concatenate(bits), float(cost)


def fan_outs(sizes: tuple[int, ...]) -> list[int]:
    """Weights to which a unit of each layer sends, up and down; nothing listens below layer 1."""
    down = [0, 0, *sizes[1:-1]]
    return [up + below for up, below in zip([*sizes[1:], 0], down, strict=True)]


SYSTEMS = {
    "backprop": _by_frames("original"),
    "eqprop": _eqprop,
    "deep_spiking": _deep_spiking,
    "sigma_delta": _by_frames("sigma_delta"),
    "pdnn": _pdnn,
    "initialized_eqprop": _initialized,
    "spiking_eqprop": _spiking_eqprop,
}
"""Rows of table 9.1 that are implemented here, and how each is measured."""


def forgetting(settings: Forgetting, seeds, dataset: Dataset | None, networks=None) -> pd.DataFrame:
    """Section 9.1: networks that learn the first half of the classes and then the second one.

    Columns: network (pdnn, mlp), order (halves, interleaved), seed, stage (of the order halves:
    first, second; of the other: both), old_error_percent and new_error_percent (test images of the
    first and of the second half).
    """
    dataset = split_dataset(require(dataset, "forgetting", "data set"), "thesis")
    middle = dataset.classes // 2
    white = float(dataset.white)
    labels = dataset.train_labels.astype(np.int64)
    train = Stream(dataset.train_images, labels, white)
    halves = [_chosen(train, labels < middle), _chosen(train, labels >= middle)]
    marks = dataset.test_labels.astype(np.int64)
    shown = Stream(dataset.test_images, marks, white)
    tests = [_chosen(shown, marks < middle), _chosen(shown, marks >= middle)]
    rule = pdnn_types.make_rule(
        settings.learning_rate, settings.k_alpha, settings.k_beta_relative, settings.tuning_rate
    )
    sizes = (train.images.shape[1], settings.width, dataset.classes)
    rows = []
    for name in NETWORKS:
        recipe = Recipe(name, rule)
        for order, streams in (("halves", halves), ("interleaved", [train])):
            for seed in seeds:
                weights = pdnn_types.initial_weights(sizes, generator("forgetting", seed))
                network = pdnn_types.make_network(weights, rule)
                stages = ("first", "second") if order == "halves" else ("both",)
                for stage, stream in zip(stages, streams, strict=True):
                    train_stream(recipe, network, stream, [settings.epochs], lambda *_: [])
                    scores = [test_on(recipe, network, each, settings.epochs) for each in tests]
                    errors = [100.0 - each.score_percent for each in scores]
                    rows.append((name, order, seed, stage, *errors))
    columns = ["network", "order", "seed", "stage", "old_error_percent", "new_error_percent"]
    return pd.DataFrame(rows, columns=columns)


def _chosen(stream: Stream, which: NDArray) -> Stream:
    return Stream(stream.images[which], stream.labels[which], stream.white)


def responses(settings: Responses, seeds, dataset, networks) -> pd.DataFrame:
    """Figure beyond the thesis: one spike train heard in continuous time and in steps.

    Columns: element (state, sent, arrival), step (0: continuous time), time, value (state, or
    weight of an arrival), of the first seed.
    """
    arrivals, weights = spikes(
        settings.arrivals, settings.duration, generator("responses", seeds[0])
    )
    rates = Rates(settings.decoding, settings.averaging, settings.bias)
    times = np.linspace(0.0, settings.duration, 401)[1:]
    runs = {0.0: continuous_neuron(arrivals, weights, rates, times)}
    for step in settings.steps:
        runs[step] = discrete_neuron(arrivals, weights, rates, settings.duration, step)
    parts = [pd.DataFrame({"element": "arrival", "time": arrivals, "value": weights})]
    for step, found in runs.items():
        states = {"element": "state", "step": step, "time": found.times, "value": found.states}
        parts += [pd.DataFrame(states)]
        parts += [pd.DataFrame({"element": "sent", "step": step, "time": found.sent})]
    table = pd.concat(parts, ignore_index=True)
    return table[["element", "step", "time", "value"]].round({"time": 5, "value": 5})


def spikes(
    number: int, duration: float, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Times and weights of spikes that keep a neuron between 0 and 1."""
    arrivals = np.sort(rng.uniform(0.0, duration, number))
    return arrivals, rng.uniform(-0.1, 0.3, number) * min(1.0, duration / number)
