"""Grid of Song et al. 2020, figure 3: the compiled kernel against one network at a time in torch.

All 56 networks of a depth and seed (6 gamma x 8 t, 7 sigma, backprop) train on the same batches,
from the same weights. The peers are what one writes down, in torch without autograd.
"""

import math
import time
from typing import NamedTuple

import numpy as np
import torch
from timing import Row, milliseconds, take_turns
from torch import Tensor

from plausible.data.dataset import Dataset, intensities
from plausible.kernels.predictive_network import train_epoch
from plausible.kernels.predictive_types import (
    Parameters,
    make_moments,
    make_workspace,
    pack,
    unpack,
)
from plausible.learning.predictive_training import (
    Images,
    layer_sizes,
    network_rule,
    prepare_images,
)
from plausible.learning.readings import Reading, initial_weights, input_table

DEPTHS = (2, 3, 4)
HIDDEN, BATCH, SEED, RATE = 32, 20, 1482555873, 0.001
GAMMAS = (0.01, 0.1, 0.5, 1.0, 5.0, 10.0)
TIMES = ("l", 0, 1, 2, 3, 4, 16, 64)
SIGMAS = (1e-4, 1e-3, 1e-2, 0.1, 1.0, 10.0, 100.0)
KERNEL_BATCHES, EAGER_BATCHES, CHECKED_BATCHES = 100, 20, 10
FIGURE_UPDATES = 3 * 64 * 3000
"""Seeds, epochs and batches of an epoch that the whole figure has."""
READING = Reading(learning_rate=RATE)


class Variant(NamedTuple):
    """One network of the figure."""

    method: str
    steps: int
    gamma: float
    sigma: float


def variants() -> list[Variant]:
    """The networks of one depth and seed."""
    cells = [Variant("backprop", 0, 1.0, 0.0)]
    for gamma in GAMMAS:
        for t in TIMES:
            learns_at_l = t == "l"
            method = "t_equals_l" if learns_at_l else "fixed_t"
            cells.append(Variant(method, 0 if learns_at_l else t, gamma, 0.0))
    return cells + [Variant("t_equals_l", 0, 1.0, sigma) for sigma in SIGMAS]


class Eager:
    """One network in torch, float64. ``weights[l]`` is theta^{l+1}, layer 0 is the output.

    ``drive_once`` keeps the product of the input with its matrix for all steps of a batch, which a
    careful author sees: the input is clamped.
    """

    def __init__(self, weights: list[np.ndarray], drive_once: bool) -> None:
        self.weights = [torch.from_numpy(weight.copy()) for weight in weights]
        self.drive_once = drive_once
        self.noise = torch.Generator().manual_seed(SEED)

    @torch.no_grad()
    def step(self, images: Tensor, targets: Tensor, variant: Variant) -> None:
        layers = len(self.weights)
        nodes = self.prediction_phase(images, variant.sigma)
        if variant.method == "backprop":
            self.backprop(nodes, targets)
            return
        nodes[0] = targets
        learns_at_l = variant.method == "t_equals_l"
        last = layers - 1 if learns_at_l else variant.steps
        drive = None
        for t in range(last + 1):
            activities = self.activities(nodes)
            if drive is None or not self.drive_once:
                drive = activities[-1] @ self.weights[-1]
            predictions = [a @ w for a, w in zip(activities[:-1], self.weights, strict=False)]
            predictions.append(drive)
            errors = [x - mu for x, mu in zip(nodes[:-1], predictions, strict=True)]
            moved = list(nodes)
            if t < last:
                for layer in range(1, layers):
                    activity = activities[layer - 1]
                    message = errors[layer - 1] @ self.weights[layer - 1].T
                    change = activity * (1 - activity) * message - errors[layer]
                    moved[layer] = nodes[layer] + variant.gamma * change
            for layer in range(layers):
                if t == (layer if learns_at_l else last):
                    self.weights[layer] += RATE * activities[layer].T @ errors[layer]
            nodes = moved

    def activities(self, nodes: list[Tensor]) -> list[Tensor]:
        """What each matrix sees: f of the hidden layers, the images as they are."""
        return [torch.sigmoid(node) for node in nodes[1:-1]] + [nodes[-1]]

    def prediction_phase(self, images: Tensor, sigma: float) -> list[Tensor]:
        nodes, activity = [images], images
        for layer in reversed(range(len(self.weights))):
            node = activity @ self.weights[layer]
            if layer and sigma:
                node = node + sigma * torch.randn(
                    node.shape, generator=self.noise, dtype=node.dtype
                )
            nodes.insert(0, node)
            activity = torch.sigmoid(node)
        return nodes

    def backprop(self, nodes: list[Tensor], targets: Tensor) -> None:
        activities, error, errors = self.activities(nodes), targets - nodes[0], []
        for layer, weight in enumerate(self.weights):
            errors.append(error)
            if layer + 1 < len(self.weights):
                activity = activities[layer]
                error = activity * (1 - activity) * (error @ weight.T)
        for weight, activity, error in zip(self.weights, activities, errors, strict=True):
            weight += RATE * activity.T @ error


class Slice(NamedTuple):
    """Images of a few hundred batches, as the kernel and as torch read them."""

    images: Images
    batches: list[tuple[Tensor, Tensor]]
    starts: dict[int, list[np.ndarray]]


def make_slice(dataset: Dataset) -> Slice:
    """The first training images."""
    number = BATCH * max(KERNEL_BATCHES, EAGER_BATCHES)
    pixels = torch.from_numpy(intensities(dataset.train_images[:number], dataset.white, np.float64))
    labels = torch.from_numpy(dataset.train_labels[:number].astype(np.int64))
    targets = torch.nn.functional.one_hot(labels, 10).to(torch.float64)
    pairs = list(zip(pixels.split(BATCH), targets.split(BATCH), strict=True))
    return Slice(prepare_images(dataset, number), pairs, {})


def start(part: Slice, l_max: int) -> list[np.ndarray]:
    """Weights that every network of a depth starts from; made once, before anything is timed."""
    if l_max not in part.starts:
        part.starts[l_max] = _initial(part, l_max)
    return part.starts[l_max]


def _initial(part: Slice, l_max: int) -> list[np.ndarray]:
    return initial_weights(READING, layer_sizes(l_max, HIDDEN, part.images), "song2020", SEED)


def train_kernel(part: Slice, l_max: int, variant: Variant, batches: int) -> Parameters:
    """Train one network by the kernel on the first batches of the slice."""
    images = part.images
    rule = network_rule(
        READING,
        l_max,
        BATCH,
        method=variant.method,
        steps=variant.steps,
        gamma=variant.gamma,
        noise="initial" if variant.sigma else "none",
        sigma=variant.sigma,
    )
    parameters = pack(start(part, l_max))
    train_epoch(
        parameters,
        make_moments(parameters, rule),
        rule,
        make_workspace(parameters, BATCH),
        images.train,
        input_table(READING, images.white),
        images.train_labels,
        np.arange(BATCH * batches),
        BATCH,
        np.random.default_rng(SEED),
    )
    return parameters


def train_eager(
    part: Slice, l_max: int, variant: Variant, batches: int, drive_once: bool
) -> list[Tensor]:
    """The same by a peer; returns the weights."""
    network = Eager(start(part, l_max), drive_once)
    for images, targets in part.batches[:batches]:
        network.step(images, targets, variant)
    return network.weights


def check_agreement(part: Slice, l_max: int) -> float:
    """Largest relative difference of weights between kernel and peers, of all noiseless networks.

    Raises
    ------
    RuntimeError
        If they train different networks.
    """
    worst = 0.0
    for variant in variants():
        if variant.sigma:
            continue  # other random numbers
        ours, _ = unpack(train_kernel(part, l_max, variant, CHECKED_BATCHES))
        for drive_once in (False, True):
            theirs = train_eager(part, l_max, variant, CHECKED_BATCHES, drive_once)
            for one, other in zip(ours, theirs, strict=True):
                other = other.numpy()
                difference = float(np.abs(one - other).max() / np.abs(other).max())
                worst = max(worst, difference)
                if not difference < 1e-9:
                    raise RuntimeError(
                        f"kernel and eager torch differ by {difference:.1e} at l_max {l_max}, "
                        f"{variant}"
                    )
    return worst


def work(part: Slice, l_max: int, batches: int) -> tuple[float, float]:
    """Floating-point operations and exponentials that ``batches`` of all networks cannot avoid.

    Images count by their pixels that are not black, which only exist for the prediction phase and
    the weight update; the other products are small and dense.
    """
    lit = part.images.train.start[BATCH * batches] / batches  # of one batch
    inner = (l_max - 2) * HIDDEN * HIDDEN + HIDDEN * 10
    units = BATCH * HIDDEN * (l_max - 1)
    flops = exponentials = 0.0
    for variant in variants():
        fixed = variant.method == "fixed_t"
        steps = variant.steps if fixed else l_max - 1
        refreshes = 0 if variant.method == "backprop" else steps
        input_learns = not fixed or steps >= l_max - 1
        flops += 2 * HIDDEN * lit * (2 if input_learns else 1)
        flops += 2 * BATCH * inner * (2 + steps + refreshes)  # forward, update, messages, refreshes
        exponentials += units * (1 + refreshes)
    return batches * flops, batches * exponentials


def limit_seconds(part: Slice, l_max: int, batches: int) -> float:
    """CPU seconds of ``work`` at the speed of a large matrix product and of torch's sigmoid."""
    square = torch.rand(1024, 1024, dtype=torch.float64)
    product = torch.empty_like(square)
    vector = torch.rand(8192, dtype=torch.float64)
    target = torch.empty_like(vector)
    flops, exponentials = work(part, l_max, batches)
    rate = 2 * 1024**3 / best_seconds(lambda: torch.mm(square, square, out=product), 5)
    each = best_seconds(lambda: torch.sigmoid(vector, out=target), 50) / vector.numel()
    return flops / rate + exponentials * each


def best_seconds(action, repetitions: int) -> float:
    """Shortest CPU time of an action."""
    best = math.inf
    for _ in range(repetitions):
        began = time.process_time()
        action()
        best = min(best, time.process_time() - began)
    return best


def run(dataset: Dataset, repetitions: int) -> list[Row]:
    """Rows for every depth, and for the whole figure from their sums."""
    part, cells, rows = make_slice(dataset), variants(), []
    totals: dict[str, float] = {}
    for l_max in DEPTHS:
        worst = check_agreement(part, l_max)

        def kernel(l_max=l_max) -> None:
            for cell in cells:
                train_kernel(part, l_max, cell, KERNEL_BATCHES)

        def eager(drive_once: bool, l_max: int = l_max) -> None:
            for cell in cells:
                train_eager(part, l_max, cell, EAGER_BATCHES, drive_once)

        forms = {
            "plausible kernel": (kernel, KERNEL_BATCHES, f"weights as eager to {worst:.0e}"),
            "eager torch, one network at a time": (lambda: eager(False), EAGER_BATCHES, ""),
            "eager torch, input drive once": (lambda: eager(True), EAGER_BATCHES, ""),
        }
        seconds = take_turns({name: action for name, (action, _, _) in forms.items()}, repetitions)
        updates = {name: number for name, (_, number, _) in forms.items()}
        notes = {name: note for name, (_, _, note) in forms.items()}
        name = "limit of this core"
        seconds[name] = [limit_seconds(part, l_max, KERNEL_BATCHES)]
        updates[name], notes[name] = KERNEL_BATCHES, "products at the peak of dgemm, and exp"
        title = f"Song figure 3, l_max = {l_max}: one batch of {BATCH} for {len(cells)} networks"
        rows += milliseconds(f"{title}, float64, one thread", seconds, updates, notes)
        for form, taken in seconds.items():
            totals[form] = totals.get(form, 0.0) + np.median(taken) / updates[form]
    title = "Song figure 3, 504 networks x 64 epochs without their tests, extrapolated, one core"
    hours = {form: total * FIGURE_UPDATES / 3600 for form, total in totals.items()}
    ours = next(iter(hours.values()))
    return rows + [Row(title, form, "h", *[h] * 3, h / ours, "") for form, h in hours.items()]
