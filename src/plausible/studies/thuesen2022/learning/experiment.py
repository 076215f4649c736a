"""Claims of Thuesen 2022 on learning: Z-IL against backprop, activation scaling, cost of IL."""

import time
from collections.abc import Callable, Iterator
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from plausible.data.dataset import Dataset, intensities
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import init_optimizer
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import resolve_device
from plausible.learning.update import update
from plausible.measure.slopes import log_spaced
from plausible.networks.mlp import DTYPES, Network, clone_network, init_network, move_network
from plausible.reproduction.inputs import require
from plausible.studies.thuesen2022.common import stream, torch_generator
from plausible.studies.thuesen2022.learning.settings import (
    ActivationScaling,
    IlCost,
    ZilEqualsBackprop,
)

CLASSES = 10
# Z-IL with simultaneous updates is the published algorithm; weights first is the author's code.
ZIL_ORDERS = {"corrected": "zil", "as_coded": "zil_sequential"}


def new_network(
    pixels: int, training: TrainingSettings, experiment: str, seed: int, device: torch.device
) -> Network:
    """Randomly initialised network; the same weights for each precision and learning rule."""
    sizes = (pixels, *training.hidden_sizes, CLASSES)
    network = init_network(sizes, training, torch_generator(experiment, seed, "init"))
    return move_network(network, device)


def training_batches(
    dataset: Dataset, training: TrainingSettings, experiment: str, seed: int, device: torch.device
) -> Iterator[tuple[Tensor, Tensor]]:
    """Batches without end: a new random order in every epoch, the same for each precision."""
    generator = stream(experiment, seed, "batches")
    dtype = DTYPES[training.dtype]
    size = min(training.batch_size, len(dataset.train_images))
    while True:
        order = generator.permutation(len(dataset.train_images))
        for first in range(0, len(order) - size + 1, size):
            chosen = order[first : first + size]
            inputs = intensities(dataset.train_images[chosen], dataset.white, np.float64)
            one_hot = functional.one_hot(torch.from_numpy(dataset.train_labels[chosen]), CLASSES)
            yield torch.from_numpy(inputs).to(device, dtype), one_hot.to(device, dtype)


def zil_equals_backprop(
    settings: ZilEqualsBackprop, seeds: list[int], dataset: Dataset | None, networks
) -> pd.DataFrame:
    """Claim of section 4.1: with equal initial weights and batches, Z-IL trains as backprop does.

    ``corrected`` moves value nodes and weights simultaneously (the algorithm of section 3.5.2),
    ``as_coded`` changes the weights of a layer before the value nodes below it move. The thesis
    explains the deviation of its curves by numerical precision; the two precisions and the two
    orders separate the explanations.

    Step n means after n updates. Columns: protocol, dtype, seed, step,
    max_relative_weight_difference (the largest over the weight matrices of
    ||W_zil - W_bp|| / ||W_bp||), loss_difference_nats (of the batch of that step, before the
    update, Z-IL minus backprop).
    """
    dataset = require(dataset, "zil_equals_backprop", "data set")
    device = resolve_device(settings.device)
    recorded = {*log_spaced(settings.steps, settings.recorded_points), *settings.published_steps}
    rows = []
    for dtype, seed in product(settings.dtypes, seeds):
        training = settings.training.changed(dtype=dtype)
        rows += _race(training, dataset, seed, device, settings.steps, recorded)
    columns = ["protocol", "dtype", "seed", "step", "max_relative_weight_difference"]
    return pd.DataFrame(rows, columns=[*columns, "loss_difference_nats"])


def _race(
    training: TrainingSettings,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    steps: int,
    recorded: set[int],
) -> list[tuple]:
    """Rows of one precision and seed: backprop and both orders of Z-IL, side by side."""
    pixels = dataset.train_images.shape[1]
    first = new_network(pixels, training, "zil_equals_backprop", seed, device)
    rules = {"backprop": "backprop", **ZIL_ORDERS}
    chosen = {name: training.changed(learning_rule=rule) for name, rule in rules.items()}
    networks = {name: clone_network(first) for name in rules}
    states = {name: init_optimizer(networks[name], chosen[name]) for name in rules}
    batches = training_batches(dataset, training, "zil_equals_backprop", seed, device)
    rows = []
    for step in range(1, steps + 1):
        inputs, one_hot = next(batches)
        losses = {}
        for name, network in networks.items():
            found = update(network, states[name], inputs, one_hot, chosen[name])
            states[name], losses[name] = found
        if step not in recorded:
            continue
        for protocol in ZIL_ORDERS:
            weights = weight_difference(networks[protocol], networks["backprop"])
            loss = float(losses[protocol]) - float(losses["backprop"])
            rows.append((protocol, training.dtype, seed, step, weights, loss))
    return rows


def weight_difference(network: Network, reference: Network) -> float:
    """Largest over the weight matrices of the relative Frobenius distance to ``reference``."""
    return max(
        float(torch.linalg.norm(a - b) / torch.linalg.norm(b))
        for a, b in zip(network.weights, reference.weights, strict=True)
    )


def activation_scaling(
    settings: ActivationScaling, seeds: list[int], dataset: Dataset | None, networks
) -> pd.DataFrame:
    """Claim of section 3.4.1: scaling the rate by 0.05 speeds up training from He initialisation.

    Columns: activation_scale, seed, step (the last update of the window, from 1),
    training_loss_nats (mean loss of the window's batches before their updates), diverged. A run
    whose loss is no longer finite ends with a row at the last step: loss NaN, diverged True.
    """
    dataset = require(dataset, "activation_scaling", "data set")
    device = resolve_device(settings.device)
    rows = []
    for scale, seed in product(settings.activation_scales, seeds):
        training = settings.training.changed(activation_scale=scale)
        curve = _loss_curve(training, dataset, seed, device, settings.window_steps)
        rows += [(scale, seed, *row) for row in curve]
    columns = ["activation_scale", "seed", "step", "training_loss_nats", "diverged"]
    return pd.DataFrame(rows, columns=columns)


def _loss_curve(
    training: TrainingSettings, dataset: Dataset, seed: int, device: torch.device, window: int
) -> list[tuple[int, float, bool]]:
    """(step, mean loss, diverged) of each window of updates of one run."""
    pixels = dataset.train_images.shape[1]
    network = new_network(pixels, training, "activation_scaling", seed, device)
    state = init_optimizer(network, training)
    batches = training_batches(dataset, training, "activation_scaling", seed, device)
    noise = torch_generator("activation_scaling", seed, "noise")
    size = min(training.batch_size, len(dataset.train_images))
    steps = training.epochs * (len(dataset.train_images) // size)
    rows, losses = [], []
    for step in range(1, steps + 1):
        state, loss = update(network, state, *next(batches), training, noise)
        losses.append(float(loss))
        if not np.isfinite(losses[-1]):
            return [*rows, (steps, float("nan"), True)]
        if len(losses) == window or step == steps:
            rows.append((step, float(np.mean(losses)), False))
            losses = []
    return rows


def il_cost(settings: IlCost, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Claim of chapter 5: inference learning costs more than backprop on present hardware.

    Times one weight update by backprop, Z-IL and IL, in turn, so that a slow moment of the machine
    meets all three. The times are CPU times of the process (wall-clock times on a GPU) and differ
    from run to run; the multiply-adds of the matrix products of one update do not.

    Columns: algorithm, layer_sizes (as 784-300-300-10), batch_size, inference_steps,
    milliseconds_per_update, multiply_adds, repetitions.
    """
    sizes, batch = settings.layer_sizes, settings.batch_size
    device = resolve_device(settings.device)
    generator = torch_generator("il_cost", seeds[0], "data")
    inputs = torch.rand(batch, sizes[0], generator=generator).to(device)
    labels = torch.randint(sizes[-1], (batch,), generator=generator)
    one_hot = functional.one_hot(labels, sizes[-1]).to(device, torch.float32)
    training = TrainingSettings(
        hidden_sizes=sizes[1:-1],
        inference_steps=settings.inference_steps,
        inference_step_size=settings.inference_step_size,
    )
    runs = {
        rule: _timed_update(training.changed(learning_rule=rule), sizes, inputs, one_hot)
        for rule in ("backprop", "zil", "il")
    }
    operations = {rule: count_multiply_adds(run) for rule, run in runs.items()}
    seconds: dict[str, list[float]] = {rule: [] for rule in runs}
    for repetition in range(settings.warm_up + settings.repetitions):
        for rule, run in runs.items():
            elapsed = run()
            if repetition >= settings.warm_up:
                seconds[rule].append(elapsed)
    inner = {"backprop": 0, "zil": len(sizes) - 1, "il": settings.inference_steps}
    return pd.DataFrame(
        {
            "algorithm": rule,
            "layer_sizes": "-".join(map(str, sizes)),
            "batch_size": batch,
            "inference_steps": inner[rule],
            "milliseconds_per_update": 1e3 * float(np.median(seconds[rule])),
            "multiply_adds": operations[rule],
            "repetitions": settings.repetitions,
        }
        for rule in runs
    )


def _timed_update(
    training: TrainingSettings, sizes: tuple[int, ...], inputs: Tensor, one_hot: Tensor
) -> Callable[[], float]:
    """Function that makes one update and returns how many seconds it took."""
    network = init_network(sizes, training, torch.Generator().manual_seed(0))
    network = move_network(network, inputs.device)
    state = init_optimizer(network, training)
    on_gpu = inputs.device.type == "cuda"
    clock = time.perf_counter if on_gpu else time.process_time

    def run() -> float:
        nonlocal state
        if on_gpu:
            torch.cuda.synchronize()
        start = clock()
        state, _ = update(network, state, inputs, one_hot, training)
        if on_gpu:
            torch.cuda.synchronize()
        return clock() - start

    return run
