"""One weight update: our fused form, autograd with torch.optim, and the thesis's own form."""

from collections.abc import Callable

import torch
from timing import Row, milliseconds, take_turns
from torch import Tensor

from plausible.data.dataset import Dataset
from plausible.learning.optimizers import init_optimizer
from plausible.learning.settings import TrainingSettings
from plausible.learning.update import update
from plausible.networks.mlp import init_network

NAME = "Weight update, 784-300-300-10, batch 64, soft rate, float32, one thread"
SIZES = (784, 300, 300, 10)
RATE = 0.01


def soft_rate(current: Tensor) -> Tensor:
    """Scaled soft rate as one writes it down (eq. 38, gamma = 0.05, scale 0.05)."""
    excess = torch.nn.functional.softplus(current - 1, beta=20)
    return 0.05 / (0.004 + 0.02 * torch.log(1 + 1 / excess))


def soft_rate_slope(current: Tensor) -> Tensor:
    """Its derivative as one writes it down."""
    excess = torch.nn.functional.softplus(current - 1, beta=20)
    rate = 1 / (0.004 + 0.02 * torch.log(1 + 1 / excess))
    return 0.05 * rate**2 * 0.02 / (excess * (excess + 1)) * torch.sigmoid(20 * (current - 1))


class Autograd:
    """The same network of torch.nn modules, trained by autograd and torch.optim."""

    def __init__(self, weights: list[Tensor], biases: list[Tensor], adam_and_norm: bool) -> None:
        layers: list[torch.nn.Module] = []
        for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            linear = torch.nn.Linear(*weight.shape)
            linear.weight.data, linear.bias.data = weight.t().clone(), bias.clone()
            layers.append(linear)
            if index < len(weights) - 1:
                if adam_and_norm:
                    layers.append(torch.nn.BatchNorm1d(weight.shape[1]))
                layers.append(_SoftRate())
        self.model = torch.nn.Sequential(*layers)
        parameters = self.model.parameters()
        self.optimizer = (
            torch.optim.Adam(parameters, lr=0.001)
            if adam_and_norm
            else torch.optim.SGD(parameters, lr=RATE)
        )

    def step(self, inputs: Tensor, labels: Tensor) -> None:
        self.optimizer.zero_grad()
        torch.nn.functional.cross_entropy(self.model(inputs), labels).backward()
        self.optimizer.step()


class _SoftRate(torch.nn.Module):
    def forward(self, current: Tensor) -> Tensor:
        return soft_rate(current)


def outer_products(error: Tensor, activity: Tensor) -> Tensor:
    """Mean of per-sample outer products, each one formed: batch x inputs x units numbers."""
    return (activity[:, :, None] * error[:, None, :]).mean(0)


def matrix_product(error: Tensor, activity: Tensor) -> Tensor:
    """The same mean as one matrix product."""
    return activity.T @ error / len(error)


class PlainZIL:
    """Z-IL as one writes it down: every node relaxes at every step, weights change when due.

    The order is that of the thesis's notebook: four steps; in each, top down, the error of a layer,
    its node, its weights if they are due, and with these weights the message to the layer below.
    """

    def __init__(
        self,
        weights: list[Tensor],
        biases: list[Tensor],
        gradient: Callable[[Tensor, Tensor], Tensor],
    ) -> None:
        self.weights = [weight.clone() for weight in weights]
        self.biases = [bias.clone() for bias in biases]
        self.gradient = gradient

    @torch.no_grad()
    def step(self, inputs: Tensor, one_hot: Tensor) -> None:
        layers = len(self.weights)
        nodes, activity = [], inputs
        for weight, bias in zip(self.weights, self.biases, strict=True):
            nodes.append(activity @ weight + bias)
            activity = soft_rate(nodes[-1])
        for t in range(layers + 1):
            activities = [inputs] + [soft_rate(node) for node in nodes[:-1]]
            predictions = [
                below @ weight + bias
                for below, weight, bias in zip(activities, self.weights, self.biases, strict=True)
            ]
            message = one_hot - torch.softmax(nodes[-1], 1)
            for k in reversed(range(layers)):
                error = nodes[k] - predictions[k]
                if t == layers - k:
                    self.weights[k] += RATE * self.gradient(error, activities[k])
                    self.biases[k] += RATE * error.mean(0)
                nodes[k] = nodes[k] + message - error
                if k:
                    message = soft_rate_slope(nodes[k - 1]) * (error @ self.weights[k].T)


def check_agreement(
    settings: TrainingSettings,
    weights: list[Tensor],
    biases: list[Tensor],
    batches: list[tuple[Tensor, Tensor, Tensor]],
) -> None:
    """Raise RuntimeError unless the eager form and ours reach the same weights."""
    network = init_network(SIZES, settings, torch.Generator().manual_seed(0))
    state, eager = init_optimizer(network, settings), PlainZIL(weights, biases, outer_products)
    for inputs, one_hot, _ in batches:
        state, _loss = update(network, state, inputs, one_hot, settings)
        eager.step(inputs, one_hot)
    for ours, theirs, first in zip(network.weights, eager.weights, weights, strict=True):
        difference = float((ours - theirs).norm() / (ours - first).norm())
        if difference > 1e-4:
            raise RuntimeError(f"eager Z-IL moves the weights elsewhere: relative {difference:.1e}")


def run(dataset: Dataset, repetitions: int) -> list[Row]:
    """Measure all forms on the same batches, starting from the same weights."""
    plain = TrainingSettings(dataset=dataset.name, learning_rate=RATE)
    normed = plain.changed(batch_norm=True, optimizer="adam", learning_rate=0.001)
    start = init_network(SIZES, plain, torch.Generator().manual_seed(0))
    weights, biases = list(start.weights), list(start.biases)
    images = torch.from_numpy(dataset.train_images[: 64 * 50]).float().div(dataset.white)
    labels = torch.from_numpy(dataset.train_labels[: 64 * 50])
    one_hot = torch.nn.functional.one_hot(labels, 10).float()
    batches = list(zip(images.split(64), one_hot.split(64), labels.split(64), strict=True))

    def ours(settings: TrainingSettings) -> Callable[[int], None]:
        network = init_network(SIZES, settings, torch.Generator().manual_seed(0))
        state = [init_optimizer(network, settings)]

        def go(number: int) -> None:
            for inputs, target, _ in batches[:number]:
                state[0], _loss = update(network, state[0], inputs, target, settings)

        return go

    def theirs(model: Autograd) -> Callable[[int], None]:
        def go(number: int) -> None:
            for inputs, _, label in batches[:number]:
                model.step(inputs, label)

        return go

    def written_down(model: PlainZIL) -> Callable[[int], None]:
        def go(number: int) -> None:
            for inputs, target, _ in batches[:number]:
                model.step(inputs, target)

        return go

    forms: dict[str, tuple[Callable[[int], None], int, str]] = {
        "plausible backprop, SGD": (ours(plain), 50, ""),
        "autograd + torch.optim.SGD": (theirs(Autograd(weights, biases, False)), 50, ""),
        "plausible Z-IL, SGD": (
            ours(plain.changed(learning_rule="zil")),
            50,
            "exactly backprop's update",
        ),
        "plausible Z-IL, author's order": (
            ours(plain.changed(learning_rule="zil_sequential")),
            50,
            "",
        ),
        "Z-IL eager, every node, matrix products": (
            written_down(PlainZIL(weights, biases, matrix_product)),
            30,
            "",
        ),
        "Z-IL eager, every node, outer products": (
            written_down(PlainZIL(weights, biases, outer_products)),
            4,
            "form of the thesis's notebook",
        ),
        "plausible IL, T = 20, SGD": (
            ours(plain.changed(learning_rule="il", inference_steps=20)),
            10,
            "",
        ),
        "plausible backprop, BN, Adam": (ours(normed), 50, ""),
        "plausible Z-IL, BN, Adam": (ours(normed.changed(learning_rule="zil")), 50, ""),
        "autograd + BN + torch.optim.Adam": (theirs(Autograd(weights, biases, True)), 50, ""),
    }
    check_agreement(plain.changed(learning_rule="zil_sequential"), weights, biases, batches[:5])
    work = {name: (lambda go=go, n=n: go(n)) for name, (go, n, _) in forms.items()}
    for action in work.values():
        action()
    seconds = take_turns(work, repetitions)
    return milliseconds(
        NAME,
        seconds,
        {name: number for name, (_, number, _) in forms.items()},
        {name: note for name, (_, _, note) in forms.items()},
    )
