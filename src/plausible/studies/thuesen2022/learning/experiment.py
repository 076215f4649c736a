"""Claims of Thuesen 2022 on learning: Z-IL against backprop, activation scaling, cost of IL."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

import numpy as np
import pandas as pd
import torch
from torch import Tensor
from torch.nn import functional

from plausible.data.dataset import Dataset, intensities
from plausible.learning.backprop import cross_entropy
from plausible.learning.operation_count import count_multiply_adds
from plausible.learning.optimizers import OptimizerState, apply_terms, init_optimizer
from plausible.learning.predictive_coding import (
    advance,
    free_energy,
    refresh,
    stages,
    start,
    zil_terms,
)
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

# Z-IL with simultaneous updates is the published algorithm; weights first is the author's code.
ZIL_ORDERS = {"corrected": "zil", "as_coded": "zil_sequential"}
CONTROL = "gamma_0_9"


def new_network(
    dataset: Dataset, training: TrainingSettings, experiment: str, seed: int, device: torch.device
) -> Network:
    """Randomly initialised network; the same weights for each precision and learning rule."""
    sizes = (dataset.train_images.shape[1], *training.hidden_sizes, dataset.classes)
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
            one_hot = functional.one_hot(
                torch.from_numpy(dataset.train_labels[chosen]), dataset.classes
            )
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
    update, Z-IL minus backprop), control (empty, or the broken Z-IL that runs beside: value nodes
    that move by 0.9 of what they should, in float64).
    """
    dataset = require(dataset, "zil_equals_backprop", "data set")
    device = resolve_device(settings.device)
    recorded = {*log_spaced(settings.steps, settings.recorded_points), *settings.published_steps}
    rows = []
    for dtype, seed in product(settings.dtypes, seeds):
        training = settings.training.changed(dtype=dtype)
        rows += _race(training, dataset, seed, device, settings.steps, recorded)
    columns = ["protocol", "dtype", "seed", "step", "max_relative_weight_difference"]
    return pd.DataFrame(rows, columns=[*columns, "loss_difference_nats", "control"])


def _race(
    training: TrainingSettings,
    dataset: Dataset,
    seed: int,
    device: torch.device,
    steps: int,
    recorded: set[int],
) -> list[tuple]:
    """Rows of one precision and seed: backprop and both orders of Z-IL, side by side."""
    first = new_network(dataset, training, "zil_equals_backprop", seed, device)
    rules = {"backprop": "backprop", **ZIL_ORDERS}
    chosen = {name: training.changed(learning_rule=rule) for name, rule in rules.items()}
    updates = {name: partial(update, settings=each) for name, each in chosen.items()}
    if training.dtype == "float64":
        updates[CONTROL] = partial(_damped_update, settings=training)
    networks = {name: clone_network(first) for name in updates}
    states = {name: init_optimizer(network, training) for name, network in networks.items()}
    batches = training_batches(dataset, training, "zil_equals_backprop", seed, device)
    rows = []
    for step in range(1, steps + 1):
        inputs, one_hot = next(batches)
        losses = {}
        for name, network in networks.items():
            states[name], losses[name] = updates[name](network, states[name], inputs, one_hot)
        if step not in recorded:
            continue
        for name in list(updates)[1:]:
            protocol, control = ("corrected", name) if name == CONTROL else (name, "")
            weights = weight_difference(networks[name], networks["backprop"])
            loss = float(losses[name]) - float(losses["backprop"])
            rows.append((protocol, training.dtype, seed, step, weights, loss, control))
    return rows


def _damped_update(
    network: Network,
    optimizer_state: OptimizerState,
    inputs: Tensor,
    one_hot: Tensor,
    settings: TrainingSettings,
) -> tuple[OptimizerState, Tensor]:
    """One update by Z-IL with gamma = 0.9; new state and loss before it."""
    plan = stages(network)
    nodes = start(network, inputs, one_hot, plan)
    state = optimizer_state._replace(step=optimizer_state.step + 1)
    loss, _ = cross_entropy(nodes.locals[-1].activity, one_hot)
    for terms in zil_terms(network, plan, nodes, step_size=0.9):
        apply_terms(network, terms, state, settings)
    return state, loss


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

    Each scale with the stated learning rate, that of the training settings, and with others.

    Columns: activation_scale, seed, step (the last update of the window, from 1),
    training_loss_nats (mean loss of the window's batches before their updates), diverged,
    learning_rate. A run whose loss is no longer finite ends with a row at the last step: loss NaN,
    diverged True.
    """
    dataset = require(dataset, "activation_scaling", "data set")
    device = resolve_device(settings.device)
    rates = (settings.training.learning_rate, *settings.other_learning_rates)
    rows = []
    for rate, scale, seed in product(rates, settings.activation_scales, seeds):
        training = settings.training.changed(activation_scale=scale, learning_rate=rate)
        curve = _loss_curve(training, dataset, seed, device, settings.window_steps)
        rows += [(scale, seed, *row, rate) for row in curve]
    columns = [
        "activation_scale",
        "seed",
        "step",
        "training_loss_nats",
        "diverged",
        "learning_rate",
    ]
    return pd.DataFrame(rows, columns=columns)


def _loss_curve(
    training: TrainingSettings, dataset: Dataset, seed: int, device: torch.device, window: int
) -> list[tuple[int, float, bool]]:
    """(step, mean loss, diverged) of each window of updates of one run."""
    network = new_network(dataset, training, "activation_scaling", seed, device)
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
    meets all three. IL takes as many inference steps as its free energy needs to settle. The times
    are CPU times of the process (wall-clock times on a GPU) and differ from run to run; the
    multiply-adds of the matrix products of one update do not.

    Columns: algorithm, seed, layer_sizes (as 784-300-300-10), batch_size, inference_steps,
    milliseconds_per_update, multiply_adds, repetitions.
    """
    device = resolve_device(settings.device)
    return pd.DataFrame([row for seed in seeds for row in _costs(settings, seed, device)])


def _costs(settings: IlCost, seed: int, device: torch.device) -> Iterator[dict]:
    """Rows of one seed."""
    sizes, batch = settings.layer_sizes, settings.batch_size
    generator = torch_generator("il_cost", seed, "data")
    inputs = torch.rand(batch, sizes[0], generator=generator).to(device)
    labels = torch.randint(sizes[-1], (batch,), generator=generator)
    one_hot = functional.one_hot(labels, sizes[-1]).to(device, torch.float32)
    training = TrainingSettings(
        hidden_sizes=sizes[1:-1], inference_step_size=settings.inference_step_size
    )
    network = init_network(sizes, training, torch_generator("il_cost", seed, "init"))
    network = move_network(network, device)
    settled = steps_to_equilibrium(network, inputs, one_hot, settings)
    training = training.changed(inference_steps=settled)
    runs = {
        rule: _timed_update(
            training.changed(learning_rule=rule), clone_network(network), inputs, one_hot
        )
        for rule in ("backprop", "zil", "il")
    }
    operations = {rule: count_multiply_adds(run) for rule, run in runs.items()}
    seconds: dict[str, list[float]] = {rule: [] for rule in runs}
    for repetition in range(settings.warm_up + settings.repetitions):
        for rule, run in runs.items():
            elapsed = run()
            if repetition >= settings.warm_up:
                seconds[rule].append(elapsed)
    inner = {"backprop": 0, "zil": len(sizes) - 1, "il": settled}
    for rule in runs:
        yield {
            "algorithm": rule,
            "seed": seed,
            "layer_sizes": "-".join(map(str, sizes)),
            "batch_size": batch,
            "inference_steps": inner[rule],
            "milliseconds_per_update": 1e3 * float(np.median(seconds[rule])),
            "multiply_adds": operations[rule],
            "repetitions": settings.repetitions,
        }


def steps_to_equilibrium(
    network: Network, inputs: Tensor, one_hot: Tensor, settings: IlCost
) -> int:
    """Inference steps from the forward pass on until the free energy changes by less than a share.

    ``settings.most_inference_steps`` where it does not settle before.
    """
    plan = stages(network)
    state = start(network, inputs, one_hot, plan)
    energy = free_energy(plan, state)
    for step in range(1, settings.most_inference_steps + 1):
        state = advance(network, plan, state, settings.inference_step_size)
        state = refresh(network, plan, state, reuse=True)
        before, energy = energy, free_energy(plan, state)
        if abs(energy - before) < settings.equilibrium_change * before:
            return step
    return settings.most_inference_steps


def _timed_update(
    training: TrainingSettings, network: Network, inputs: Tensor, one_hot: Tensor
) -> Callable[[], float]:
    """Function that makes one update and returns how many seconds it took."""
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
