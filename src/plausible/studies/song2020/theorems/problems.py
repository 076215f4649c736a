"""Random problems for the theorems of this study, and what autograd says about them.

The references are written for autograd from the formulas alone and share no code with the rules.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.networks.mlp import Network
from plausible.reproduction.theorem_checks import normal, relative_difference
from plausible.studies.song2020.common import draw_network, torch_generator
from plausible.studies.song2020.levels import Relaxation, Updates, offsets, thetas, zil_updates

BATCH = 8
DEPTHS = (2, 3, 4)
INPUTS, HIDDEN, OUTPUTS = 24, 16, 10
LEARNING_RATE = 0.01
"""Rate at which weights move during inference where their order within a step matters."""


class Problem(NamedTuple):
    """A random network with one batch."""

    network: Network
    inputs: Tensor
    targets: Tensor
    generator: torch.Generator


class Reference(NamedTuple):
    """Backprop by autograd, with the signs of eq. 3 and 4."""

    deltas: list[Tensor]
    """Minus the derivative of the loss by y^0 .. y^{l_max-1}."""
    weights: list[Tensor]
    biases: list[Tensor]


def random_problem(
    theorem: str,
    seed: int,
    l_max: int,
    biases: bool = False,
    activate_input: bool = False,
    sizes: Sequence[int] | None = None,
) -> Problem:
    """Sigmoid network of depth ``l_max`` with standard normal inputs and targets.

    ``sizes`` are given input first, by default 24, then 16 in each hidden layer, then 10.
    """
    generator = torch_generator("theorems", seed, theorem, l_max, int(biases), int(activate_input))
    sizes = sizes or (INPUTS, *[HIDDEN] * (l_max - 1), OUTPUTS)
    network = draw_network(sizes, generator, biases)._replace(activate_input=activate_input)
    inputs, targets = normal(generator, BATCH, sizes[0]), normal(generator, BATCH, sizes[-1])
    return Problem(network, inputs, targets, generator)


def reference_activity(network: Network, level: int, values: Tensor) -> Tensor:
    """f(x^l) for autograd; f is the sigmoid or max(x, 0)."""
    if level == len(network.weights) and not network.activate_input:
        return values
    if network.activation.name == "relu":
        return torch.where(values > 0.0, values, 0.0)
    return 1.0 / (1.0 + torch.exp(-values))


def reference_energy(
    network: Network,
    values: Sequence[Tensor],
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None,
) -> Tensor:
    """F of eq. 6 for autograd, in ``values`` x^0 .. x^{l_max} and the parameters given."""
    energy = torch.zeros((), dtype=values[0].dtype)
    for level, weight in enumerate(weights):
        prediction = reference_activity(network, level + 1, values[level + 1]) @ weight
        if biases is not None:
            prediction = prediction + biases[level]
        energy = energy + ((values[level] - prediction) ** 2).sum() / 2
    return energy


def reference_backprop(problem: Problem) -> Reference:
    """Squared error of eq. 2 summed over the batch, differentiated by autograd."""
    network = problem.network
    weights = [weight.clone().requires_grad_() for weight in thetas(network)]
    biases = [bias.clone().requires_grad_() for bias in offsets(network) or ()]
    nodes, value = [], problem.inputs
    for level in reversed(range(len(weights))):
        value = reference_activity(network, level + 1, value) @ weights[level]
        if biases:
            value = value + biases[level]
        nodes.insert(0, value)
    loss = ((problem.targets - value) ** 2).sum() / 2
    found = [-gradient for gradient in torch.autograd.grad(loss, [*nodes, *weights, *biases])]
    depth = len(weights)
    return Reference(found[:depth], found[depth : 2 * depth], found[2 * depth :])


def parts(updates: Updates) -> list[Tensor]:
    """Updates of all weights, then of all biases, output side first."""
    return [*updates.weights, *(updates.biases or ())]


def update_difference(updates: Updates, problem: Problem) -> float:
    """Largest relative difference of ``updates`` to backprop's, over all matrices and biases."""
    reference = reference_backprop(problem)
    return relative_difference(parts(updates), [*reference.weights, *reference.biases])


def zil(problem: Problem) -> Updates:
    """Z-IL as the proofs need it: everything from the state at time t."""
    return zil_updates(*problem[:3])


def listed_zil(problem: Problem) -> Updates:
    """Z-IL as the listing is printed: at every t the value nodes first, then the weights."""
    return zil_updates(*problem[:3], order="listing", learning_rate=LEARNING_RATE)


def both_readings(
    theorem: str, seed: int, l_max: int, biases: bool = False
) -> list[tuple[str, Problem, Callable[[Problem], Updates]]]:
    """Protocol, problem and rule: Z-IL of the proofs, and of the listing with f on the input."""
    return [
        ("corrected", random_problem(theorem, seed, l_max, biases), zil),
        ("as_published", random_problem(theorem, seed, l_max, biases, True), listed_zil),
    ]


def largest_difference(found: Sequence[Tensor], expected: Sequence[Tensor]) -> float:
    """Largest absolute difference over all tensors."""
    return max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))


def hidden_noise(problem: Problem, sigma: float) -> list[Tensor]:
    """What moves the hidden value nodes away from C1 at the start."""
    hidden = [weight.shape[1] for weight in thetas(problem.network)[1:]]
    return [sigma * normal(problem.generator, len(problem.inputs), units) for units in hidden]


def moments(record: Relaxation, what: str, shift: int = 0) -> list[Tensor]:
    """``what`` of layers 0 .. l_max-1, each at its own moment t = l (+ ``shift``)."""
    depth = len(record.errors[0])
    return [getattr(record, what)[level + shift][level] for level in range(depth)]
