"""O'Connor 2020: training with spikes, bits and PD codes, Temporal MNIST, scales of rounding."""

import copy

import numpy as np
import torch
from oconnor_binary import binary_rows
from oconnor_dense import DenseNetwork
from timing import Row, milliseconds, take_turns

from plausible.data.dataset import Dataset, intensities
from plausible.kernels import deep_spiking, pdnn, pdnn_reference, pdnn_types
from plausible.kernels.deep_spiking_types import (
    Network,
    initial_weights,
    make_network,
    make_rule,
)
from plausible.kernels.spike_emission import input_trains
from plausible.kernels.temporal_order import BUFFER_SIZE, temporal_order
from plausible.learning.scale_optimisation import ScaleSettings, dense_maps, optimise_scales

SEED = 1234
SIZES, STEPS, RATE = (784, 300, 300, 10), 10, 0.01
WARM_UP, KERNEL_SAMPLES, DENSE_SAMPLES = 20_000, 500, 30
EPOCHS, TRAINING_IMAGES = 50, 50_000
FRAMES, PLAIN_FRAMES, ALL_FRAMES = 10_000, 1500, 70_000
SCALE_SIZES, SCALE_IMAGES, SCALE_EPOCHS = (784, 200, 200, 10), 2000, 30
PDNN_SIZES, PDNN_WARM_UP, PDNN_SAMPLES, VECTOR_SAMPLES = (784, 200, 10), 5000, 2000, 200


def spiking_rows(dataset: Dataset, repetitions: int) -> list[Row]:
    """Training by FSGD, breadth first: the kernel against dense numpy, from the same weights."""
    number = WARM_UP + KERNEL_SAMPLES
    rule = make_rule(STEPS, RATE, update="fsgd")
    trains = input_trains(dataset.train_images[:number], STEPS, dataset.white)
    labels = dataset.train_labels[:number]
    start = make_network(initial_weights(SIZES, np.random.RandomState(SEED)), rule)
    generator = np.random.default_rng(SEED)
    deep_spiking.train(start, rule, trains, labels, np.arange(WARM_UP), generator)

    def kernel(samples: int = KERNEL_SAMPLES) -> Network:
        network = make_network(list(start.weights), rule)
        order = np.arange(WARM_UP, WARM_UP + samples)
        deep_spiking.train(network, rule, trains, labels, order, generator)
        return network

    def dense() -> DenseNetwork:
        network = DenseNetwork(list(start.weights), rule)
        network.train(trains, labels, range(WARM_UP, WARM_UP + DENSE_SAMPLES))
        return network

    worst = max(
        float(np.abs(ours - theirs).max())
        for ours, theirs in zip(kernel(DENSE_SAMPLES).weights, dense().weights, strict=True)
    )
    if not worst < 1e-12:
        raise RuntimeError(f"kernel and dense numpy train different networks, by {worst:.1e}")
    seconds = take_turns({"plausible kernel": kernel, "dense numpy": dense}, repetitions)
    samples = {"plausible kernel": KERNEL_SAMPLES, "dense numpy": DENSE_SAMPLES}
    title = f"O'Connor table 3.2, {'-'.join(map(str, SIZES))}, T = {STEPS}, FSGD, float64"
    notes = {"plausible kernel": f"weights as dense numpy to {worst:.0e}"}
    rows = [
        row._replace(unit="ms/sample")
        for row in milliseconds(f"{title}: training", seconds, samples, notes)
    ]
    whole = f"{title}: {EPOCHS} epochs of {TRAINING_IMAGES} images, extrapolated"
    return rows + _extrapolated(whole, rows, EPOCHS * TRAINING_IMAGES / 1e3 / 60, "min")


def temporal_rows(dataset: Dataset, repetitions: int) -> list[Row]:
    """Temporal MNIST: the kernel against one numpy expression for all distances of a frame."""
    frames = dataset.train_images[:FRAMES]

    def plain() -> np.ndarray:
        return plain_order(frames[: PLAIN_FRAMES + BUFFER_SIZE], PLAIN_FRAMES)

    ours = temporal_order(frames)
    if not np.array_equal(ours[:PLAIN_FRAMES], plain()):
        raise RuntimeError("the kernel and plain numpy give frames another order")
    work = {"plausible kernel": lambda: temporal_order(frames), "numpy, frame by frame": plain}
    seconds = take_turns(work, repetitions)
    number = {"plausible kernel": FRAMES, "numpy, frame by frame": PLAIN_FRAMES}
    title = f"O'Connor Temporal MNIST, buffer of {BUFFER_SIZE}"
    rows = [
        row._replace(unit="ms/frame")
        for row in milliseconds(f"{title}: order", seconds, number, {})
    ]
    whole = f"{title}: {ALL_FRAMES} frames, extrapolated"
    return rows + _extrapolated(whole, rows, ALL_FRAMES / 1e3, "s")


def plain_order(frames: np.ndarray, number: int) -> np.ndarray:
    """The first ``number`` frames in temporal order, of at least that many more frames."""
    order = [0]
    waiting = np.arange(1, BUFFER_SIZE + 1)
    shown = frames[waiting].astype(np.int16)
    for taken in range(BUFFER_SIZE + 1, BUFFER_SIZE + number):
        distances = np.abs(shown - frames[order[-1]]).sum(axis=1)
        nearest = int(distances.argmin())
        order.append(int(waiting[nearest]))
        waiting[nearest], shown[nearest] = taken, frames[taken]
    return np.array(order)


def scale_rows(dataset: Dataset, repetitions: int) -> list[Row]:
    """Optimisation of scales: all lambdas at once, one after the other, and by autograd."""
    settings = ScaleSettings(epochs=1)
    generator = torch.Generator().manual_seed(SEED)
    weights = [
        torch.randn(above, below, generator=generator, dtype=torch.float64).t()
        * (2 / (above + below)) ** 0.5
        for below, above in zip(SCALE_SIZES[:-1], SCALE_SIZES[1:], strict=True)
    ]
    maps = dense_maps(weights)
    pixels = intensities(dataset.train_images[:SCALE_IMAGES], dataset.white, np.float64)
    inputs = torch.from_numpy(pixels)
    one = settings._replace(lambdas=settings.lambdas[-1:])
    work = {
        "plausible, all lambdas at once": lambda: optimise_scales(maps, inputs, settings),
        "plausible, one lambda": lambda: optimise_scales(maps, inputs, one),
        "autograd, one lambda": lambda: autograd_scales(weights, inputs, one),
    }
    ours = [scales[-1, 0] for scales in optimise_scales(maps, inputs, one).scales]
    if not np.allclose(ours, autograd_scales(weights, inputs, one), rtol=1e-9):
        raise RuntimeError("the explicit gradients and autograd lead to other scales")
    seconds = take_turns(work, repetitions)
    batches = SCALE_IMAGES // settings.batch_size
    lambdas = {name: batches for name in work}
    lambdas["plausible, all lambdas at once"] *= len(settings.lambdas)
    sizes = "-".join(map(str, SCALE_SIZES))
    title = f"O'Connor table B.1, scales of {sizes}"
    rows = [
        row._replace(unit="ms")
        for row in milliseconds(f"{title}: batch of 10 for a lambda", seconds, lambdas, {})
    ]
    whole = f"{title}: 10 lambdas x {SCALE_EPOCHS} epochs of {TRAINING_IMAGES}, extrapolated"
    factor = 10 * SCALE_EPOCHS * TRAINING_IMAGES / settings.batch_size / 1e3 / 60
    return rows + _extrapolated(whole, rows, factor, "min")


def autograd_scales(
    weights: list[torch.Tensor], inputs: torch.Tensor, settings: ScaleSettings
) -> np.ndarray:
    """Scales of the layers by torch's autograd, with straight-through rounding (one lambda)."""
    logs = torch.zeros(len(weights), dtype=inputs.dtype, requires_grad=True)
    optimiser = torch.optim.SGD([logs], settings.learning_rate)
    for rows in inputs.split(settings.batch_size):
        exact, current, computation = rows, rows, inputs.new_zeros(())
        for layer, weight in enumerate(weights):
            scale = logs[layer].exp()
            scaled = scale * current
            additions = weight.shape[1] * (scale * current.detach()).abs().sum()
            computation = computation + additions
            sent = scaled + (scaled.round() - scaled).detach()
            current, exact = (sent / scale) @ weight, exact @ weight
            if layer + 1 < len(weights):
                current, exact = current.relu(), exact.relu()
        error = torch.nn.functional.kl_div(
            exact.log_softmax(1), current.log_softmax(1), log_target=True, reduction="batchmean"
        )
        optimiser.zero_grad()
        (error + settings.lambdas[0] * computation).backward()
        optimiser.step()
    return logs.detach().exp().numpy()


def pdnn_rows(dataset: Dataset, repetitions: int) -> list[Row]:
    """Training of a PDNN by the past rule: the kernel against its readable twin in numpy."""
    rule = pdnn_types.make_rule(RATE, 2.0 / 2.1, 1.0 / 2.1)
    weights = pdnn_types.initial_weights(PDNN_SIZES, np.random.default_rng(SEED))
    start = pdnn_types.make_network(weights, rule)
    given = dataset.train_images, float(dataset.white), dataset.train_labels.astype(np.int64)
    pdnn.train(start, rule, *given, np.arange(PDNN_WARM_UP))

    def trained(by, samples: int) -> np.ndarray:
        network = copy.deepcopy(start)
        by.train(network, rule, *given, np.arange(PDNN_WARM_UP, PDNN_WARM_UP + samples))
        return network.weights

    both = trained(pdnn, VECTOR_SAMPLES), trained(pdnn_reference, VECTOR_SAMPLES)
    worst = float(np.abs(both[0] - both[1]).max())
    if not worst < 1e-10:
        raise RuntimeError(f"kernel and vectors train different networks, by {worst:.1e}")
    samples = {"plausible kernel": PDNN_SAMPLES, "numpy vectors": VECTOR_SAMPLES}
    work = {
        "plausible kernel": lambda: trained(pdnn, PDNN_SAMPLES),
        "numpy vectors": lambda: trained(pdnn_reference, VECTOR_SAMPLES),
    }
    seconds = take_turns(work, repetitions)
    title = f"O'Connor figure 5.5, {'-'.join(map(str, PDNN_SIZES))}, k_p = 0.1, k_d = 2"
    notes = {"plausible kernel": f"weights as the vectors to {worst:.0e}"}
    rows = [
        row._replace(unit="ms/sample")
        for row in milliseconds(f"{title}: training", seconds, samples, notes)
    ]
    images = len(dataset.train_images)
    whole = f"{title}: {EPOCHS} epochs of {images} images, extrapolated"
    return rows + _extrapolated(whole, rows, EPOCHS * images / 1e3 / 60, "min")


def _extrapolated(title: str, rows: list[Row], factor: float, unit: str) -> list[Row]:
    ours = rows[0].median
    return [
        Row(
            title, row.variant, unit, row.median * factor, row.best * factor, row.worst * factor,
            row.median / ours, "",
        )
        for row in rows
    ]  # fmt: skip


def run(dataset: Dataset, repetitions: int) -> list[Row]:
    """Rows of all five."""
    rows = spiking_rows(dataset, repetitions) + temporal_rows(dataset, repetitions)
    rows += scale_rows(dataset, repetitions) + pdnn_rows(dataset, repetitions)
    return rows + binary_rows(dataset, repetitions)
