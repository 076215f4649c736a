"""Difference target propagation, with layers that transmit signs. Torch, no autograd.

Source: O'Connor 2020, section 2.3, after Lee et al. 2015 (section 3.2 for discrete transmission).
Feedback weights carry targets down instead of gradients,

    target_(l-1) = z_(l-1) + g_l(target_l) - g_l(z_l)

where g_l(z) = tanh(z V_l + c_l) learns to invert the layer above it, on states with noise. Hidden
layers are z_l = tanh(sent(z_(l-1)) W_l + b_l) and the last one is a softmax; of hidden units only
the sign is sent to the next layer, so that the way from one layer to the next has no derivative.
Each layer learns from its own input, state and target alone. The target of the outputs lies a step
from the outputs towards the labels.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError


class Affine(NamedTuple):
    """Weights [before, after] and biases [after]."""

    weights: Tensor
    biases: Tensor


class TargetNetwork(NamedTuple):
    """Forward weights of all layers, and feedback weights into every hidden layer."""

    forward: tuple[Affine, ...]
    feedback: tuple[Affine, ...]
    """``feedback[l]`` runs from the layer of ``forward[l + 1]`` to that of ``forward[l]``."""


class Rates(NamedTuple):
    """Constants of learning."""

    hidden: float
    """Learning rate of hidden layers; 0 keeps them as they are."""
    output: float
    feedback: float
    target_step: float
    """Share of the way from the outputs to the labels at which the target of the outputs lies."""
    noise: float
    """Standard deviation of the noise on the states that feedback weights learn to restore."""


def difference_target(state: Tensor, restored: Tensor, restored_target: Tensor) -> Tensor:
    """z + (g(target of the layer above) - g(state above)), all [batch, units]."""
    return state + (restored_target - restored)


def random_network(sizes: tuple[int, ...], generator: torch.Generator) -> TargetNetwork:
    """Normal weights of variance 1 over their inputs, from ``sizes`` of all layers.

    Raises
    ------
    ConfigError
        If there is no hidden layer.
    """
    if len(sizes) < 3:
        raise ConfigError(
            f"target propagation: layers {list(sizes)} were found, expected three or more, because "
            "targets are those of hidden layers."
        )

    def affine(before: int, after: int) -> Affine:
        weights = torch.randn(before, after, generator=generator) / before**0.5
        return Affine(weights, torch.zeros(after))

    pairs = list(zip(sizes, sizes[1:], strict=False))
    return TargetNetwork(
        tuple(affine(before, after) for before, after in pairs),
        tuple(affine(after, before) for before, after in pairs[1:]),
    )


def states(network: TargetNetwork, inputs: Tensor) -> list[Tensor]:
    """Inputs and states of all layers, [batch, units] each; the last ones are probabilities."""
    found = [inputs]
    for number in range(len(network.forward)):
        found.append(_layer(network, number, found[-1]))
    return found


def _layer(network: TargetNetwork, number: int, below: Tensor) -> Tensor:
    """State of layer ``number`` from 0, from the state below, of which hidden units send signs."""
    drive = _sent(below, number) @ network.forward[number].weights + network.forward[number].biases
    last = number == len(network.forward) - 1
    return torch.softmax(drive, dim=1) if last else torch.tanh(drive)


def _sent(state: Tensor, number: int) -> Tensor:
    """What layer ``number`` is sent; inputs are sent as they are."""
    return torch.sign(state) if number else state


def _restored(feedback: Affine, above: Tensor) -> Tensor:
    """g of a state or target of the layer above."""
    return torch.tanh(above @ feedback.weights + feedback.biases)


def targets(network: TargetNetwork, found: list[Tensor], output_target: Tensor) -> list[Tensor]:
    """Targets of all layers from the first hidden one on, for `states`."""
    wanted = [output_target]
    for feedback, state, above in zip(
        network.feedback[::-1], found[-2:0:-1], found[:1:-1], strict=True
    ):
        restored, goal = _restored(feedback, above), _restored(feedback, wanted[0])
        wanted.insert(0, difference_target(state, restored, goal))
    return wanted


def train_batch(
    network: TargetNetwork, inputs: Tensor, labels: Tensor, rates: Rates, generator: torch.Generator
) -> TargetNetwork:
    """Network after one minibatch of inputs [batch, features] and one-hot labels."""
    found = states(network, inputs)
    output_target = found[-1] + rates.target_step * (labels - found[-1])
    wanted = targets(network, found, output_target)
    forward, last = [], len(network.forward) - 1
    for number, (affine, state, target) in enumerate(
        zip(network.forward, found[1:], wanted, strict=True)
    ):
        # The slope is that of the layer itself; for a softmax with its own loss it is 1.
        error = labels - state if number == last else (target - state) * (1.0 - state**2)
        rate = rates.output if number == last else rates.hidden
        forward.append(_moved(affine, _sent(found[number], number), error, rate))
    feedback = []
    for number, affine in enumerate(network.feedback, start=1):
        state = found[number]
        noisy = state + rates.noise * torch.randn(state.shape, generator=generator)
        above = _layer(network, number, noisy)
        restored = _restored(affine, above)
        error = (noisy - restored) * (1.0 - restored**2)
        feedback.append(_moved(affine, above, error, rates.feedback))
    return TargetNetwork(tuple(forward), tuple(feedback))


def _moved(affine: Affine, sent: Tensor, error: Tensor, rate: float) -> Affine:
    """Weights after a step of the delta rule, the mean over the batch."""
    if not rate:
        return affine
    weights = torch.addmm(affine.weights, sent.T, error, alpha=rate / len(sent))
    return Affine(weights, affine.biases + rate * error.mean(dim=0))


def feedback_cosines(network: TargetNetwork) -> list[Tensor]:
    """Cosine of the feedback and the forward weights of each unit, by hidden layer, [units].

    1 where the feedback weights of a unit are its forward weights, up to a factor.
    """
    return [
        torch.cosine_similarity(feedback.weights.T, forward.weights, dim=1)
        for feedback, forward in zip(network.feedback, network.forward[1:], strict=True)
    ]
