"""Beyond the thesis: what classifying one image costs in the systems of all chapters.

All networks have the same layers, and learn by the rules of their chapters. Costs are those of
chapters 4 and 5: a dense product multiplies and adds once for each weight, biases included; a
message of a whole number adds a row of weights as often as it says; a product of 32-bit integers
costs 3.1 pJ, an addition 0.1 pJ (M. Horowitz, ISSCC 2014). What the thesis leaves out is counted
apart: products that a unit takes for itself, `PRODUCTS`.
"""

import sys
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray

from plausible.data.dataset import Dataset, intensities
from plausible.data.splits import split_dataset
from plausible.kernels import deep_spiking_types, pdnn_types
from plausible.kernels.temporal_order import temporal_order
from plausible.learning import equilibrium_training, spiking_training, stream_training
from plausible.learning.binary_propagation import BinaryRecipe
from plausible.learning.equilibrium_propagation import Recipe, initial_states
from plausible.learning.equilibrium_training import Images, Networks, TrainingSchedule
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales
from plausible.learning.stream_training import Stream
from plausible.measure.operations import (
    Operations,
    discretised_additions,
    layer_multiply_adds,
    original_energy_nj,
)
from plausible.networks import sigma_delta
from plausible.networks.binary_equilibrium import Coding, at_rest, run
from plausible.networks.equilibrium import Equilibrium, trajectory
from plausible.networks.initialiser import forward_pass
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.inputs import require
from plausible.reproduction.shards import part_of, stored
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch9.experiment import fan_outs
from plausible.studies.oconnor2020.ch9.settings import Inference

generator = partial(numpy_generator, "oconnor2020", "ch9", "inference")
"""Random stream of a family, a seed and a purpose."""
PRODUCTS = {"pd_code": 2, "euler": 1, "pull": 1, "leak": 1, "bits": 19}
"""Products and quotients of a unit in a step, as the equations are written: an encoder or a decoder
of chapter 5 (eq. 5.4, 5.5); an Euler step, and the pull towards s_f (eq. 7.5); f(x) = rho(x) +
0.01 x of an initialising network; decoder, optimal step-size adaptation, state and encoder of
chapter 8."""
FILE, TEMPORAL = "file", "temporal"
NONE = float("nan")


class Task(NamedTuple):
    """Networks of one family and seed."""

    family: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its finished rows, ``pdnn.0``."""
        return ".".join(map(str, self))


class Bench(NamedTuple):
    """Images to learn from and the official test images."""

    dataset: Dataset
    train: Stream
    test: Stream
    sizes: tuple[int, ...]

    @property
    def free(self) -> int:
        """Hidden and output units."""
        return sum(self.sizes[1:])

    @property
    def weights(self) -> int:
        """Of a network."""
        return int(layer_multiply_adds(self.sizes).sum())


class Cost(NamedTuple):
    """Of one inference, means over images."""

    additions: float
    multiplications: float = 0.0
    nonzero_multiplications: float = NONE
    """Those left if a factor of 0 is skipped."""
    unit_multiplications: float = 0.0
    """Products and quotients that units take for themselves."""


def inference(
    settings: Inference, seeds: Sequence[int], dataset: Dataset | None, networks: Any = None
) -> pd.DataFrame:
    """Operations, energy and error of one inference by every system; one shard of them.

    Columns: system, order (of the test images: file, temporal), seed, additions, multiplications,
    nonzero_multiplications and unit_multiplications per image (see `Cost`), energy_nj (of additions
    and multiplications), nonzero_energy_nj (without products by 0 and their additions),
    unit_energy_nj (of unit_multiplications), error_percent (official test images).
    """
    dataset = require(dataset, "inference", "data set")
    bench = _bench(settings, dataset)
    listed = [Task(family, seed) for seed in seeds for family in FAMILIES]
    rows: list[dict[str, Any]] = []
    for task in part_of(listed, [FAMILIES[task.family].share for task in listed], settings):
        print(f"inference: {task.name}", file=sys.stderr, flush=True)
        measure = FAMILIES[task.family].measure
        found = stored(
            settings.checkpoints,
            task.name,
            lambda task=task, measure=measure: list(measure(settings, bench, task.seed)),
        )
        rows += [{**row, "seed": task.seed} for row in found]
    return pd.DataFrame(rows)[COLUMNS]


COLUMNS = [
    *("system", "order", "seed", *Cost._fields, "energy_nj", "nonzero_energy_nj"),
    *("unit_energy_nj", "error_percent"),
]


def _bench(settings: Inference, dataset: Dataset) -> Bench:
    parts, white = split_dataset(dataset, "thesis"), float(dataset.white)
    train = Stream(parts.train_images, parts.train_labels.astype(np.int64), white)
    test = Stream(dataset.test_images, dataset.test_labels.astype(np.int64), white)
    sizes = (dataset.train_images.shape[1], settings.width, dataset.classes)
    return Bench(dataset, train, test, sizes)


def _row(system: str, cost: Cost, error: float, order: str = FILE) -> dict[str, Any]:
    counts = {name: float(value) for name, value in cost._asdict().items()}
    kinds = {
        "energy_nj": (cost.multiplications, cost.additions),
        "nonzero_energy_nj": (cost.nonzero_multiplications, cost.nonzero_multiplications),
        "unit_energy_nj": (cost.unit_multiplications, 0.0),
    }
    energies = {
        name: float(original_energy_nj(Operations(*map(np.float64, pair)), "by_kind"))
        for name, pair in kinds.items()
    }
    return {"system": system, "order": order, **counts, **energies, "error_percent": float(error)}


def _wrong(classes: NDArray, labels: NDArray) -> float:
    return 100.0 * float(np.mean(classes != labels))


Rows = Iterable[dict[str, Any]]


def _streamed(settings: Inference, bench: Bench, seed: int, network: str):
    """A network that has learnt one image after another, and its recipe."""
    own = settings.stream
    first, later = own.k_alphas
    rule = pdnn_types.make_rule(own.learning_rate, first, own.k_beta_relative, own.tuning_rate)
    changes = {0.0: first, 1.0: later} if network == stream_training.PDNN else {}
    recipe = stream_training.Recipe(network, rule, changes, share_scales=False)
    weights = pdnn_types.initial_weights(bench.sizes, generator("stream", seed))
    trained = pdnn_types.make_network(weights, rule)
    epochs = [float(settings.epochs)]
    stream_training.train_stream(recipe, trained, bench.train, epochs, lambda *_: [])
    return trained, recipe


def _mlp(settings: Inference, bench: Bench, seed: int) -> Rows:
    """The ordinary network, and the same with messages of whole numbers (chapter 4)."""
    trained, _ = _streamed(settings, bench, seed, stream_training.MLP)
    edges = pdnn_types.starts(trained.sizes)[1:]
    weights = [matrix.copy() for matrix in trained.matrices]
    biases = [trained.biases[a:b].copy() for a, b in zip(edges, edges[1:], strict=False)]
    layers = sigma_delta.dense_network(weights, biases)
    images, labels, white = bench.test
    found = sigma_delta.evaluate(layers, images, "original", None, white)
    nonzero = found.nonzero_multiply_adds.sum(axis=1).mean()
    cost = Cost(bench.weights, bench.weights, nonzero)
    yield _row("mlp", cost, _wrong(found.predictions, labels))
    scales = _scales(settings, bench, weights, biases)
    order = temporal_order(images, settings.buffer_size)
    for kind, name, places in (
        ("rounding", FILE, slice(None)),
        ("sigma_delta", FILE, slice(None)),
        ("sigma_delta", TEMPORAL, order),
    ):
        found = sigma_delta.evaluate(layers, images[places], kind, scales, white)
        outputs, adds = list(bench.sizes[1:]), kind == "rounding"
        events = discretised_additions(found.event_additions, outputs, adds).mean()
        # The weights hold all scales but that of the input (eq. B.17).
        cost = Cost(events, unit_multiplications=bench.sizes[0])
        yield _row(kind, cost, _wrong(found.predictions, labels[places]), name)


def _scales(
    settings: Inference, bench: Bench, weights: list[NDArray], biases: list[NDArray]
) -> list[float]:
    """Scale of each layer's input, optimised on the first training images."""
    own = settings.scales
    maps = dense_maps(*([torch.from_numpy(each) for each in part] for part in (weights, biases)))
    shown = intensities(bench.train.images[: own.images], bench.train.white, np.float64)
    history = optimise_scales(
        maps,
        torch.from_numpy(shown),
        ScaleSettings(
            lambdas=(own.strength,),
            computation="mean",
            learning_rate=own.learning_rate,
            epochs=own.epochs,
        ),
    )
    return [float(layer[-1, 0]) for layer in history.scales]


def _pdnn(settings: Inference, bench: Bench, seed: int) -> Rows:
    """Chapter 5: what a neuron remembers of the image before shortens what it sends."""
    trained, recipe = _streamed(settings, bench, seed, stream_training.PDNN)
    images, labels, white = bench.test
    inputs, outputs = sum(bench.sizes[:-1]), bench.free
    for name in (FILE, TEMPORAL):
        order = temporal_order(images, settings.buffer_size) if name == TEMPORAL else slice(None)
        shown = Stream(images[order], labels[order], white)
        found = stream_training.test_stream(recipe, trained, shown, settings.epochs)
        additions = found.spikes[:-1] @ np.array(bench.sizes[1:])
        units = PRODUCTS["pd_code"] * (inputs + outputs)
        cost = Cost(additions, unit_multiplications=units)
        yield _row("pdnn", cost, 100.0 - found.score_percent, name)


def _deep_spiking(settings: Inference, bench: Bench, seed: int) -> Rows:
    """Chapter 3: its units add and compare, whose arithmetic may be that of whole numbers."""
    own = settings.spiking
    rule = deep_spiking_types.make_rule(own.steps, own.learning_rate)
    rng = generator("deep_spiking", seed)
    weights = deep_spiking_types.initial_weights(bench.sizes, rng, own.initial_deviation)
    given = spiking_training.Bench(spiking_training.image_parts(bench.dataset), {})
    spec, stops = spiking_training.Spec(rule, own.learning_rate), [float(settings.epochs)]
    trained = spiking_training.train_run(spec, weights, given, stops, lambda *_: [], rng)
    part = spiking_training.OFFICIAL
    errors, spikes = spiking_training.spiking_predictions(
        trained.weights, given.parts[part], given.spikes(part, own.steps)
    )
    additions = deep_spiking_types.additions(spikes, bench.sizes)[:, -1].mean()
    yield _row("deep_spiking", Cost(additions), errors[-1])


def _settled(
    settings: Inference, bench: Bench, seed: int, recipe: Recipe | BinaryRecipe, initialised=False
) -> tuple[Networks, Images]:
    """Networks that have learnt by equilibrium propagation, and the test images."""
    made = equilibrium_training.fresh_networks(
        bench.sizes, generator("settling", seed, "weights"), initialised
    )
    signs = generator("settling", seed, "signs")
    plan = TrainingSchedule(
        (float(settings.epochs),), settings.settling.batch, tested_training_images=1
    )
    equilibrium_training.train(made, recipe, plan, Images(*bench.train), {}, signs)
    return made, Images(*bench.test)


def settling_products(networks: Networks, recipe: Recipe, inputs: NDArray) -> tuple[float, float]:
    """Products of settling an image of ``inputs`` [images, pixels], all and those not by 0.

    The input is clamped: its products are taken once, before the first step. Those of the pass of
    an initialising network are not counted here.
    """
    network, steps = networks.equilibrium, recipe.negative_steps
    sizes = (inputs.shape[1], *(len(bias) for bias in network.biases))
    below, *fans = fan_outs(sizes)
    dense = below * sizes[0] + steps * np.dot(fans, sizes[1:])
    start, forces, _ = initial_states(network, networks.initialiser, inputs, recipe.pull)
    passed = trajectory(network, inputs, start, steps, forces, recipe.step_size)
    # A unit sends what it is before a step; rho cuts off what lies outside of 0 and 1.
    sent = [np.count_nonzero(network.rho.value(layer[:-1])) for layer in passed]
    nonzero = below * np.count_nonzero(inputs) + np.dot(fans, sent)
    return float(dense), float(nonzero) / len(inputs)


def bit_additions(network: Equilibrium, coding: Coding, inputs: NDArray, steps: int) -> float:
    """Additions for an image of ``inputs`` [images, pixels]: bits that are 1, times listeners.

    Bits of the last step reach nobody any more.
    """
    start = at_rest(network, len(inputs))
    fans, additions = fan_outs(tuple(layer.bits.shape[1] for layer in start.layers)), 0.0
    for now in run(network, coding, inputs, start, steps - 1):
        additions += np.dot(fans, [np.count_nonzero(layer.bits) for layer in now.layers])
    return float(additions) / len(inputs)


def _shown(settings: Inference, bench: Bench, networks: Networks) -> NDArray:
    """Images on which states and bits are counted, as the networks see them."""
    images = bench.test.images[: settings.counted_images]
    return intensities(images, bench.test.white, networks.equilibrium.weights[0].dtype)


def _recipe(settings: Inference, steps: tuple[int, int], pull: float = 0.0) -> Recipe:
    own = settings.settling
    return Recipe(*steps, own.beta, own.learning_rates, pull=pull)


def _eqprop(settings: Inference, bench: Bench, seed: int) -> Rows:
    """Section 2.7: states settle from 0."""
    recipe = _recipe(settings, settings.settling.plain_steps)
    networks, test = _settled(settings, bench, seed, recipe)
    classes, _ = equilibrium_training.predict(networks, recipe, test)
    dense, nonzero = settling_products(networks, recipe, _shown(settings, bench, networks))
    units = PRODUCTS["euler"] * recipe.negative_steps * bench.free
    yield _row("eqprop", Cost(dense, dense, nonzero, units), _wrong(classes, test.labels))


def _initialised(settings: Inference, bench: Bench, seed: int) -> Rows:
    """Chapter 7: the forward pass alone (algorithm 7), and settling from there (algorithm 8)."""
    own = settings.settling
    recipe = _recipe(settings, own.initialised_steps, own.pull)
    networks, test = _settled(settings, bench, seed, recipe, initialised=True)
    settled, guessed = equilibrium_training.predict(networks, recipe, test)
    inputs = _shown(settings, bench, networks)
    hidden, _ = forward_pass(networks.initialiser, inputs).states
    senders = zip((inputs, hidden), bench.sizes[1:], strict=True)
    forward = sum(np.count_nonzero(sent) * fan for sent, fan in senders) / len(inputs)
    leaks = PRODUCTS["leak"] * bench.free
    cost = Cost(bench.weights, bench.weights, forward, leaks)
    yield _row("initialised_forward", cost, _wrong(guessed, test.labels))
    dense, nonzero = settling_products(networks, recipe, inputs)
    dense, nonzero = dense + bench.weights, nonzero + forward
    each = PRODUCTS["euler"] + PRODUCTS["pull"]
    units = leaks + each * recipe.negative_steps * bench.free
    cost = Cost(dense, dense, nonzero, units)
    yield _row("initialised_eqprop", cost, _wrong(settled, test.labels))


def _binary_eqprop(settings: Inference, bench: Bench, seed: int) -> Rows:
    """Chapter 8: every bit that is 1 adds a row of weights to each layer that hears it."""
    own = settings.settling
    coding = Coding(Adaptive(own.nu_bar, own.constant), Schedule(own.decay))
    recipe = BinaryRecipe(coding, *own.binary_steps, own.beta, own.learning_rates)
    networks, test = _settled(settings, bench, seed, recipe)
    classes, _ = equilibrium_training.predict(networks, recipe, test)
    inputs, steps = _shown(settings, bench, networks), recipe.negative_steps
    cost = Cost(
        bit_additions(networks.equilibrium, coding, inputs, steps),
        unit_multiplications=PRODUCTS["bits"] * steps * bench.free,
    )
    yield _row("binary_eqprop", cost, _wrong(classes, test.labels))


class Family(NamedTuple):
    """Systems that are made from one training."""

    measure: Callable[[Inference, Bench, int], Rows]
    share: float
    """Of the time of a seed."""


FAMILIES = {
    "mlp": Family(_mlp, 1.0),
    "deep_spiking": Family(_deep_spiking, 4.0),
    "pdnn": Family(_pdnn, 5.0),
    "eqprop": Family(_eqprop, 0.5),
    "initialised": Family(_initialised, 0.5),
    "binary_eqprop": Family(_binary_eqprop, 8.0),
}
