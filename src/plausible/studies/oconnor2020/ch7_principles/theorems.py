"""Initialising network, lambda term and related work as deviations (O'Connor 2020, chapter 7).

One function per published entry; it takes the settings and a seed and returns its checks.
"""

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import expit

from plausible.learning.initialiser import global_gradients, local_gradients
from plausible.networks.equilibrium import Forces, States, settle
from plausible.networks.initialiser import Initialiser, forward_pass
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, controls
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch7_principles.networks import random_problem

PRINTED = "as_published"


def _rng(name: str, seed: int) -> np.random.Generator:
    return numpy_generator("oconnor2020", "ch7_principles", name, seed)


def _largest(first, second) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


# ------------------------------------------------------------- eq. 7.1 to 7.5


def init_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 7.1 to 7.4: the local gradient is that of the layer's own loss, and local."""
    rng = _rng("init_network", seed)
    _, network, inputs, _ = random_problem(rng, 6)
    targets, others = (
        tuple(rng.uniform(size=(6, len(bias))) for bias in network.biases) for _ in range(2)
    )
    passed = forward_pass(network, inputs)
    found = local_gradients(network, inputs, passed, targets).weights
    own, local = "gradient_is_local", "only_local_term_used"

    def changed(rule: Callable) -> float:
        """Change of the gradient of layer 1 if everything above it is drawn anew."""
        above = network._replace(
            weights=(network.weights[0], *(2.0 * each for each in network.weights[1:]))
        )
        goals = (targets[0], *others[1:])
        new = rule(above, inputs, forward_pass(above, inputs), goals).weights[0]
        return float(np.abs(new - rule(network, inputs, passed, targets).weights[0]).max())

    return [
        Check(
            own,
            "largest difference from the gradient of the layer's loss, layers below blocked",
            _largest(found, _autograd(network, inputs, targets, True)),
        ),
        *controls(
            own, {"not_blocked": _largest(found, _autograd(network, inputs, targets, False))}
        ),
        Check(local, "change when all above is drawn anew", changed(local_gradients)),
        *controls(local, {"global_loss": changed(global_gradients)}),
    ]


def _autograd(
    network: Initialiser, inputs: NDArray, targets: States, blocked: bool
) -> list[NDArray]:
    """Gradient of the sum of 1/2 |s_f - s_-|^2, batch mean; ``blocked``: none between layers."""
    weights = [torch.from_numpy(each).requires_grad_() for each in network.weights]
    state, losses = torch.from_numpy(inputs), []
    for weight, bias, target in zip(weights, network.biases, targets, strict=True):
        below = state.detach() if blocked else state
        total = below @ weight + torch.from_numpy(bias)
        state = total.clamp(0.0, 1.0) + 0.01 * total
        losses.append(0.5 * (state - torch.from_numpy(target)).square().sum(1).mean())
    return [each.numpy() for each in torch.autograd.grad(sum(losses), weights)]


def lambda_term(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 7.5: the fixed point moves towards s_f as lambda grows."""
    name, rng = "fixed_point_moves_to_forward", _rng("lambda", seed)
    network, initialiser, inputs, _ = random_problem(rng, 20)
    guess = forward_pass(initialiser, inputs).states
    anchors = tuple(np.clip(each, 0.0, 1.0) for each in guess)

    def distance(pull: float) -> float:
        # Steps of 0.5 do not settle with a lambda near 3 (D.4).
        settled = settle(network, inputs, anchors, 500, Forces(anchors, pull), 0.2)
        squares = [((s - a) ** 2).sum() for s, a in zip(settled, anchors, strict=True)]
        return float(np.sqrt(sum(squares)))

    found = [distance(pull) for pull in (0.0, 0.1, 0.3, 1.0, 2.5)]
    text = "largest step of the distance to s_f as lambda grows, 0 to 2.5"
    return [
        Check(name, text, max(np.diff(found))),
        *controls(name, {"sign_reversed": distance(-0.3) - found[0]}),
    ]


# ------------------------------------------------------------- related work


def mac_form(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.5.3: the cost of auxiliary coordinates and the lambda term, at mu = 2 lambda."""
    rng = _rng("mac", seed)
    _, network, inputs, _ = random_problem(rng, 4)
    passed = forward_pass(network, inputs).states
    random = tuple(rng.uniform(size=layer.shape) for layer in passed)
    top_only = (*passed[:-1], random[-1])
    same, vanish = "same_gradients", "both_vanish"

    def gradients(states: States) -> tuple[list[NDArray], list[NDArray]]:
        """Of lambda |s - s_f|^2 and of mu / 2 |z_k - f(z_(k-1))|^2, lambda = 1, mu = 2."""
        leaves = [torch.from_numpy(each.copy()).requires_grad_() for each in states]
        below, terms = torch.from_numpy(inputs), []
        for weight, bias, leaf in zip(network.weights, network.biases, leaves, strict=True):
            total = below @ torch.from_numpy(weight) + torch.from_numpy(bias)
            terms.append((leaf - total.clamp(0.0, 1.0) - 0.01 * total).square().sum())
            below = leaf
        mac = [each.numpy() for each in torch.autograd.grad(sum(terms), leaves)]
        return [2.0 * (s - f) for s, f in zip(states, passed, strict=True)], mac

    def apart(states: States, layers: slice = slice(None)) -> float:
        ours, theirs = (
            np.concatenate([each.ravel() for each in side[layers]]) for side in gradients(states)
        )
        return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))

    def size(states: States) -> float:
        return max(float(np.abs(each).max()) for side in gradients(states) for each in side)

    last = slice(-1, None)
    text = "relative difference of both gradients by {}"
    return [
        Check(same, text.format("the states"), apart(random), protocol=PRINTED),
        Check(
            same,
            text.format("the last layer's states, lower layers at s_f"),
            apart(top_only, last),
        ),
        *controls(same, {"random_lower_layers": apart(random, last)}),
        Check(vanish, "largest gradient on the feed-forward state", size(passed)),
        *controls(vanish, {"random_states": size(random)}),
    ]


def zero_temperature(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.5.2: mean-field inference at zero temperature is coordinate descent."""
    name, rng = "mean_field_is_coordinate_descent", _rng("temperature", seed)
    weights, biases, start = _machine(rng)
    exact = _sweeps(weights, biases, start, np.inf)
    text = "largest difference of all states after each update, inverse temperature 10^4"
    return [
        Check(name, text, float(np.abs(_sweeps(weights, biases, start, 1e4) - exact).max())),
        *controls(
            name,
            {"warm": float(np.abs(_sweeps(weights, biases, start, 1.0) - exact).max())},
        ),
    ]


def _machine(rng: np.random.Generator) -> tuple[NDArray, NDArray, NDArray]:
    """A Boltzmann machine of 10 units whose descent meets no tie, and a start."""
    while True:
        weights = rng.normal(size=(10, 10))
        weights = np.triu(weights, 1) + np.triu(weights, 1).T
        biases, start = rng.normal(size=10), rng.uniform(size=10)
        states = _sweeps(weights, biases, start, np.inf)
        inputs = [weights[i % 10] @ s + biases[i % 10] for i, s in enumerate(states[:-1])]
        if np.abs(inputs).min() > 0.01:
            return weights, biases, start


def _sweeps(weights: NDArray, biases: NDArray, start: NDArray, inverse: float) -> NDArray:
    """States after each of five sweeps' updates; ``inverse`` temperature, infinite: the minimum.

    Mean field: mu_i = sigmoid(inverse h_i); descent: the s_i in [0, 1] of least energy -s_i h_i.
    """
    states = [start]
    for number in range(50):
        unit, state = number % 10, states[-1].copy()
        drive = weights[unit] @ state + biases[unit]
        state[unit] = float(drive > 0) if np.isinf(inverse) else expit(inverse * drive)
        states.append(state)
    return np.array(states)
