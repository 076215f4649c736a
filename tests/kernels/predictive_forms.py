"""Training by the compiled predictive coding networks and by three independent forms of them.

``run_slow`` is written from the equations, sample by sample; ``run_readable`` uses the readable
rules of ``plausible.learning.predictive_coding``; ``run_autograd`` knows the energy alone. All
count layers from the output, as the kernel does.
"""

from typing import Any, NamedTuple

import numpy as np
import torch

from plausible.kernels.predictive_network import train_epoch
from plausible.kernels.predictive_types import (
    make_moments,
    make_rule,
    make_workspace,
    pack,
    sparse_images,
    unpack,
)
from plausible.studies.song2020.levels import (
    apply,
    backprop_updates,
    fazil_updates,
    forward,
    il_updates,
    make_network,
    offsets,
    thetas,
    zil_updates,
)

torch.set_num_threads(1)

ALPHA = 0.05
IMAGES, BATCH = 20, 6
"""Batches of 6, 6, 6 and 2 images: no multiples of a block, the last one smaller."""
FUNCTIONS = {"sigmoid": lambda x: 1 / (1 + np.exp(-x)), "tanh": np.tanh}
SLOPES = {"sigmoid": lambda f: f * (1 - f), "tanh": lambda f: 1 - f * f}


class Problem(NamedTuple):
    """Initial parameters and data; ``table`` is the input at every grey level."""

    weights: list[np.ndarray]
    biases: list[np.ndarray] | None
    images: np.ndarray
    labels: np.ndarray
    table: np.ndarray

    @property
    def inputs(self) -> np.ndarray:
        return self.table[self.images]

    def targets(self, low: float = 0.0, high: float = 1.0) -> np.ndarray:
        return np.where(self.labels[:, None] == np.arange(self.weights[0].shape[1]), high, low)


TABLES = {
    "raw": lambda level: level,
    "sigmoid": lambda level: 1 / (1 + np.exp(-level)),
    "standardised": lambda level: (level - 0.13) / 0.31,
}


def make_problem(
    hidden=(37, 13), outputs=5, pixels=45, biased=False, inputs="raw", seed=0, images=IMAGES
) -> Problem:
    """Sizes that are no multiples of 8, biases that matter, images that are mostly black."""
    rng = np.random.default_rng(seed)
    sizes = (outputs, *hidden, pixels)
    weights = [
        rng.uniform(-1, 1, (above, below)) * np.sqrt(6 / (above + below))
        for below, above in zip(sizes, sizes[1:], strict=False)
    ]
    biases = [rng.normal(0, 0.5, size) for size in sizes[:-1]] if biased else None
    levels = rng.integers(1, 256, (images, pixels)) * (rng.random((images, pixels)) < 0.3)
    levels[3] = 0  # a black image
    table = TABLES[inputs](np.arange(256) / 255)
    return Problem(
        weights, biases, levels.astype(np.uint8), rng.integers(0, outputs, images), table
    )


def run_kernel(
    problem: Problem, epochs: int = 1, batch: int = BATCH, order=None, noise_seed=9, **choices: Any
):
    """Weights, biases and workspace after ``epochs`` through the images in the order ``order``."""
    choices.setdefault("learning_rate", ALPHA)
    rule = make_rule(layers=len(problem.weights), biased=problem.biases is not None, **choices)
    parameters = pack(problem.weights, problem.biases)
    moments, work = make_moments(parameters, rule), make_workspace(parameters, batch)
    images = sparse_images(problem.images)
    generator = np.random.default_rng(noise_seed)
    order = np.arange(len(problem.images)) if order is None else order
    for _ in range(epochs):
        train_epoch(
            parameters, moments, rule, work, images, problem.table,
            problem.labels, order, batch, generator,
        )  # fmt: skip
    for layer, matrix in enumerate(parameters.weights):
        assert np.array_equal(matrix.T, parameters.transposed[layer], equal_nan=True)
    return *unpack(parameters), work


def slow_epoch(
    problem, weights, biases, generator, *, method, activation="sigmoid", steps=0, gamma=1.0,
    noise="none", sigma=0.0, detection_steps=4, layer_rates=None, low=0.0, high=1.0,
    learning_rate=ALPHA,
):  # fmt: skip
    """One epoch of SGD from eq. 1-9 and algorithms 1-3; changes ``weights`` and ``biases``."""
    f, slope = FUNCTIONS[activation], SLOPES[activation]
    layers = len(weights)
    rates = learning_rate * np.array(layer_rates or [1.0] * layers)
    targets = problem.targets(low, high)

    def mu(layer, x):
        activity = x[layer + 1] if layer + 1 == layers else f(x[layer + 1])
        return weights[layer].T @ activity + (0 if biases is None else biases[layer])

    def learn(layer, error, x):
        activity = x[layer + 1] if layer + 1 == layers else f(x[layer + 1])
        return rates[layer] * np.outer(activity, error), rates[layer] * error

    def drawn(layer, samples):
        return sigma * generator.standard_normal((samples, weights[layer].shape[1]))

    for begin in range(0, len(targets), BATCH):
        chosen = range(begin, min(begin + BATCH, len(targets)))
        # Prediction phase: x^l_0 = mu^l_0 + noise, from the input down.
        states = [[None] * layers + [problem.inputs[sample]] for sample in chosen]
        for layer in reversed(range(1, layers)):
            extra = drawn(layer, len(chosen)) if noise != "none" else [0.0] * len(chosen)
            for x, own in zip(states, extra, strict=True):
                x[layer] = mu(layer, x) + own
        for x, sample in zip(states, chosen, strict=True):
            x[0] = targets[sample]
        silent = [[np.full(w.shape[1], detection_steps) for w in weights] for _ in chosen]
        last = {"backprop": 0, "t_equals_l": layers - 1}.get(method, steps)
        for t in range(last + 1):
            errors = [[x[layer] - mu(layer, x) for layer in range(layers)] for x in states]
            if method == "backprop":
                for x, error in zip(states, errors, strict=True):
                    for layer in range(1, layers):
                        error[layer] = slope(f(x[layer])) * (weights[layer - 1] @ error[layer - 1])
            change = [np.zeros_like(matrix) for matrix in weights]
            shift = [np.zeros(matrix.shape[1]) for matrix in weights]
            for x, error, quiet in zip(states, errors, silent, strict=True):
                for layer in range(layers):
                    taught = {
                        "backprop": error[layer],
                        "fixed_t": error[layer] * (t == last),
                        "t_equals_l": error[layer] * (t == layer),
                        "fazil": error[layer] * (quiet[layer] >= detection_steps),
                    }[method]
                    quiet[layer] = np.where(error[layer] == 0, quiet[layer] + 1, 0)
                    for total, part in zip(
                        (change, shift), learn(layer, taught, x), strict=True
                    ):  # fmt: skip
                        total[layer] += part
            moved = []
            for x, error in zip(states, errors, strict=True):
                new = list(x)
                for layer in range(1, layers):
                    back = slope(f(x[layer])) * (weights[layer - 1] @ error[layer - 1])
                    new[layer] = x[layer] + gamma * (back - error[layer])
                moved.append(new)
            if noise == "persistent" and t < last:
                for layer in range(1, layers):
                    for new, own in zip(moved, drawn(layer, len(chosen)), strict=True):
                        new[layer] = new[layer] + own
            states = moved
            for layer in range(layers):
                weights[layer] += change[layer]
                if biases is not None:
                    biases[layer] += shift[layer]


def run_slow(problem, epochs=1, noise_seed=9, **choices):
    weights = [matrix.copy() for matrix in problem.weights]
    biases = None if problem.biases is None else [bias.copy() for bias in problem.biases]
    generator = np.random.default_rng(noise_seed)
    for _ in range(epochs):
        slow_epoch(problem, weights, biases, generator, **choices)
    return weights, biases


def run_readable(
    problem, epochs=1, *, method, activation="sigmoid", steps=0, gamma=1.0, detection_steps=4,
    low=0.0, high=1.0, batch=BATCH, learning_rate=ALPHA,
):  # fmt: skip
    """Training with the readable torch functions."""
    network = make_network(
        [torch.from_numpy(matrix.copy()) for matrix in problem.weights],
        None if problem.biases is None else [torch.from_numpy(b.copy()) for b in problem.biases],
        activation,
    )
    inputs, targets = torch.from_numpy(problem.inputs), torch.from_numpy(problem.targets(low, high))
    for _ in range(epochs):
        for data in zip(inputs.split(batch), targets.split(batch), strict=True):
            if method == "backprop":
                updates = backprop_updates(network, *data)
            elif method == "fixed_t":
                updates = il_updates(network, *data, steps, gamma)
            elif method == "t_equals_l":
                updates = zil_updates(network, *data, gamma)
            else:
                updates, _ = fazil_updates(
                    network, *data, detection_steps, 0.0, steps, gamma, learning_rate=learning_rate
                )
            network = apply(network, updates, learning_rate)
    biases = None if network.biases is None else [bias.numpy() for bias in offsets(network)]
    return [matrix.numpy() for matrix in thetas(network)], biases


def run_autograd(problem, epochs, optimizer, method, steps=0, gamma=1.0):
    """Training with derivatives of the energy alone; IL changes all nodes by -gamma dF/dx."""
    network = make_network(
        [torch.from_numpy(matrix.copy()).requires_grad_() for matrix in problem.weights],
        [torch.from_numpy(bias.copy()).requires_grad_() for bias in problem.biases],
    )
    step = optimizer([*network.weights, *network.biases])
    inputs, targets = torch.from_numpy(problem.inputs), torch.from_numpy(problem.targets())

    def energy(nodes):
        # nodes: x^0 .. x^L
        total = 0.0
        for layer, below in enumerate(nodes[:-1]):
            above = nodes[layer + 1]
            activity = above if layer + 2 == len(nodes) else torch.sigmoid(above)
            mu = activity @ thetas(network)[layer] + offsets(network)[layer]
            total = total + 0.5 * (below - mu).square().sum()
        return total

    for _ in range(epochs):
        for data, wanted in zip(inputs.split(BATCH), targets.split(BATCH), strict=True):
            values = forward(network, data)
            step.zero_grad()
            if method == "backprop":
                (0.5 * (wanted - values[0]).square().sum()).backward()
            else:
                hidden = [value.detach().requires_grad_() for value in values[1:-1]]
                for _ in range(steps):
                    slopes = torch.autograd.grad(energy([wanted, *hidden, data]), hidden)
                    hidden = [
                        (x - gamma * slope).detach().requires_grad_()
                        for x, slope in zip(hidden, slopes, strict=True)
                    ]
                energy([wanted, *hidden, data]).backward()
            step.step()
    return [[p.detach().numpy() for p in group] for group in (thetas(network), offsets(network))]


def off(ours, theirs) -> float:
    """Largest difference of two lists of arrays, relative to the largest number of each."""
    if theirs is None:
        assert all((bias == 0).all() for bias in ours)
        return 0.0
    return max(
        np.abs(a - b).max() / np.abs(b).max() for a, b in zip(ours, theirs, strict=True)
    )  # fmt: skip


def assert_same(problem, epochs=8, readable=True, **choices):
    """The kernel against both other forms, after tens of updates that change the weights."""
    weights, biases, _ = run_kernel(problem, epochs, **choices)
    changes = [ours - start for ours, start in zip(weights, problem.weights, strict=True)]
    assert all(1e-9 < np.abs(change).max() < 5 for change in changes)
    others = [run_slow(problem, epochs, **choices)]
    if readable:
        others.append(run_readable(problem, epochs, **choices))
    for theirs, shifts in others:
        assert off(weights, theirs) <= 1e-12
        assert off(biases, shifts) <= 1e-12
        theirs = [end - start for end, start in zip(theirs, problem.weights, strict=True)]
        # Rounding of the weights, beside changes that may be small.
        assert off(changes, theirs) <= 1e-5
