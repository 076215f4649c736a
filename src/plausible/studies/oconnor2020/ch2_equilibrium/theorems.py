"""Equilibrium propagation as measured deviations (O'Connor 2020, section 2.7).

One function per published entry; it takes the settings and a seed and returns its checks. The
independent forms are automatic differentiation of the energy, written out here, and implicit
differentiation at the fixed point; the conditions broken are the controls.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

from plausible.learning.equilibrium_gradient import fixed_point_gradient
from plausible.learning.equilibrium_propagation import Gradients, contrast
from plausible.measure.angles import cosine
from plausible.measure.slopes import log_slope
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    States,
    descent,
    energy,
    fixed_point,
    input_drive,
    settle,
    trajectory,
    zero_states,
)
from plausible.networks.leaky_clip import IDENTITY
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch2_equilibrium.networks import (
    flat,
    random_problem,
    smooth_problem,
)

PRINTED = "as_published"
NETWORKS = 3
"""Of which the smallest cosine counts."""
SMALL, BETAS = 0.001, (0.01, 0.001, 0.0001)
RELATION_BETAS = (0.5, 0.1, 0.02, 0.004)
FINE_STEP, FINE_STEPS = 0.05, 2000


def _rng(name: str, seed: int) -> np.random.Generator:
    return numpy_generator("oconnor2020", "ch2_equilibrium", name, seed)


def _autograd(network: Equilibrium, inputs: NDArray, states: States, forces: Forces) -> States:
    """Gradient of eq. 2.9 with rho = clip(., 0, 1) by the states, from its sums."""
    leaves = [torch.from_numpy(state).requires_grad_() for state in states]
    activities = [torch.from_numpy(inputs), *(leaf.clamp(0.0, 1.0) for leaf in leaves)]
    total = sum(0.5 * leaf.square().sum() for leaf in leaves)
    for level, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True)):
        pairs = activities[level] @ torch.from_numpy(weight) * activities[level + 1]
        total = total - pairs.sum() - (torch.from_numpy(bias) * activities[level + 1]).sum()
    total = total + forces.beta * (leaves[-1] - torch.from_numpy(forces.target)).square().sum()
    return tuple(each.numpy() for each in torch.autograd.grad(total, leaves))


def _largest(first: Sequence[NDArray], second: Sequence[NDArray]) -> float:
    return max(float(np.abs(a - b).max()) for a, b in zip(first, second, strict=True))


def eqprop_model(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.9, 2.10: the dynamics descend the energy."""
    rng = _rng("model", seed)
    network, inputs, targets = random_problem(rng, untied=True)
    tied = network._replace(feedback=None)
    states = tuple(rng.uniform(-0.4, 1.4, (len(inputs), len(bias))) for bias in tied.biases)
    forces, drive = Forces(target=targets, beta=0.5), input_drive(tied, inputs)
    expected = tuple(-each for each in _autograd(tied, inputs, states, forces))
    linear = descent(tied._replace(rho=IDENTITY), drive, states, forces)
    name, falls = "dynamics_descend_the_energy", "energy_never_rises"
    return [
        Check(
            name,
            "largest difference of ds/dt from minus the gradient",
            _largest(descent(tied, drive, states, forces), expected),
        ),
        *controls(name, {"rho_left_out": _largest(linear, expected)}),
        Check(falls, "largest rise of the energy in a step of 0.05", _largest_rise(tied, inputs)),
        *controls(falls, {"asymmetric_weights": _asymmetric_rise(rng)}),
    ]


def _largest_rise(network: Equilibrium, inputs: NDArray) -> float:
    """Of the energy that the weights have if they are symmetric, in 400 steps from zero."""
    passed = trajectory(network, inputs, zero_states(network, len(inputs)), 400, step_size=0.05)
    tied = network._replace(feedback=None)
    energies = [energy(tied, inputs, states) for states in zip(*passed, strict=True)]
    return float(np.diff(energies, axis=0).max())


def _asymmetric_rise(rng: np.random.Generator) -> float:
    """The same where feedback matrices are drawn by themselves, at full strength."""
    network, inputs, _ = random_problem(rng, untied=True, strength=1.0)
    return _largest_rise(network, inputs)


class _Learning:
    """A network at its fixed point, the true gradient there, and updates."""

    def __init__(self, rng: np.random.Generator) -> None:
        (self.network, self.inputs, self.targets), self.minus = smooth_problem(rng)
        start = zero_states(self.network, len(self.inputs))
        self.early = settle(self.network, self.inputs, start, 2)
        self.gradient = flat(
            fixed_point_gradient(self.network, self.inputs, self.minus, self.targets)
        )

    def update(self, beta: float, unsettled: bool = False, divisor: float | None = None) -> NDArray:
        """Contrast with a nudge of ``beta``, divided by ``divisor``, by default beta."""
        minus = self.early if unsettled else self.minus
        forces = Forces(target=self.targets, beta=beta)
        plus = fixed_point(self.network, self.inputs, minus, forces).states
        return flat(contrast(self.network, self.inputs, minus, plus, divisor or beta))

    def cosine(self, *how) -> float:
        """Of an update and the gradient."""
        return cosine(self.update(*how), self.gradient)

    def order(self, unsettled: bool = False) -> float:
        """Log-log slope of the relative error against beta."""
        off = [np.linalg.norm(self.update(beta, unsettled) - self.gradient) for beta in BETAS]
        return log_slope(BETAS, off)


def eqprop_learning(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.11 to 2.13: the contrast is the gradient, and local."""
    rng = _rng("learning", seed)
    several = [_Learning(rng) for _ in range(NETWORKS)]
    name, order, local = "update_is_the_gradient", "error_of_first_order", "update_is_local"

    def smallest(*how) -> float:
        return min(each.cosine(*how) for each in several)

    found = {
        sign: (f"smallest cosine of update and gradient, beta = {beta:g}", smallest(beta))
        for sign, beta in (("positive", SMALL), ("negative", -SMALL))
    }
    broken = {
        "beta_of_1": smallest(1.0),
        "two_steps": smallest(SMALL, True),
        "sign_of_beta": smallest(-SMALL, False, SMALL),
    }
    slopes = {
        f"network_{number}": ("log-log slope of the relative error against beta", each.order())
        for number, each in enumerate(several)
    }
    one = several[0]
    forces = Forces(target=one.targets, beta=0.5)
    states = one.minus, fixed_point(one.network, one.inputs, one.minus, forces).states

    def update(minus: States, plus: States) -> Gradients:
        return contrast(one.network, one.inputs, minus, plus, 0.5)

    def gradient(minus: States, plus: States) -> Gradients:
        return fixed_point_gradient(one.network, one.inputs, minus, one.targets)

    text = "change of one weight's update with all other units drawn anew"
    return [
        *checks(name, found),
        *controls(name, broken),
        *checks(order, slopes),
        *controls(order, {"two_steps": max(each.order(True) for each in several)}),
        Check(local, text, _change(rng, states, update)),
        *controls(local, {"true_gradient": _change(rng, states, gradient)}),
    ]


def _change(rng: np.random.Generator, states: tuple[States, States], rule) -> float:
    """Change of the largest update between layers 1 and 2 if all other units are drawn anew."""
    sizes = np.abs(rule(*states).weights[1])
    i, j = np.unravel_index(sizes.argmax(), sizes.shape)
    others = tuple(tuple(rng.uniform(0.1, 0.9, layer.shape) for layer in phase) for phase in states)
    for phase, drawn in zip(states, others, strict=True):
        drawn[0][:, i], drawn[1][:, j] = phase[0][:, i], phase[1][:, j]
    before, after = rule(*states), rule(*others)
    return float(abs(after.weights[1][i, j] - before.weights[1][i, j]))


class _Relation:
    """Integral over the positive phase against its approximations.

    Of all connections above layer 1, each taken in both directions: i below j and i above j.
    """

    def __init__(self, seed: int) -> None:
        network, inputs, targets = random_problem(_rng("relation", seed))
        minus = fixed_point(network, inputs, zero_states(network, len(inputs))).states
        self.one_sided, self.both, self.first = {}, {}, {}
        for beta in RELATION_BETAS:
            forces = Forces(target=targets, beta=beta)
            passed = trajectory(network, inputs, minus, FINE_STEPS, forces, FINE_STEP)
            pairs = list(zip(passed, passed[1:], strict=False))
            pairs += [(high, low) for low, high in pairs]
            product = [_outer(i[-1], j[-1]) - _outer(i[0], j[0]) for i, j in pairs]
            integral = [_sum(i, j) for i, j in pairs]
            first = [_outer(i[0], j[-1] - j[0]) for i, j in pairs]
            half = len(pairs) // 2
            swapped = [each.T for each in (*integral[half:], *integral[:half])]
            both = [one + other for one, other in zip(integral, swapped, strict=True)]
            self.one_sided[beta] = _relative(integral, product)
            self.both[beta] = _relative(both, product)
            self.first[beta] = _relative(integral, first)

    def slope(self, name: str, betas: Sequence[float] = RELATION_BETAS) -> float:
        """Log-log slope of a relative difference against beta."""
        found = getattr(self, name)
        return log_slope(betas, [found[beta] for beta in betas])


def _outer(low: NDArray, high: NDArray) -> NDArray:
    """Sum over samples of products of all pairs."""
    return low.T @ high


def _sum(pre: NDArray, post: NDArray) -> NDArray:
    """Sum over steps and samples of pre(t) (post(t + 1) - post(t)), [pre, post]."""
    return np.einsum("tbi,tbj->ij", pre[:-1], np.diff(post, axis=0))


def _relative(found: Sequence[NDArray], expected: Sequence[NDArray]) -> float:
    one, other = (np.concatenate([each.ravel() for each in side]) for side in (found, expected))
    return float(np.linalg.norm(one - other) / np.linalg.norm(other))


def dynamics_relation(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.14, 2.15: the symmetrised integral and the contrast."""
    found, name, order = _Relation(seed), "symmetrised_integral", "error_of_first_order"
    return [
        Check(name, "I_ij + I_ji against the contrast, beta = 0.02", found.both[0.02]),
        *controls(name, {"one_sided": min(found.one_sided.values())}),
        Check(order, "log-log slope of that difference against beta", found.slope("both")),
        *controls(order, {"one_sided": found.slope("one_sided")}),
    ]


def as_printed(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.15, both approximations of the printed chain."""
    found = _Relation(seed)
    first, order, chain = (
        "first_approximation",
        "first_of_first_order",
        "chain_ends_at_the_contrast",
    )
    small = RELATION_BETAS[1:]
    return [
        Check(first, "relative difference, beta = 0.004", found.first[0.004]),
        *controls(first, {"large_beta": found.first[0.5]}),
        Check(order, "log-log slope of that difference", found.slope("first", small)),
        *controls(order, {"second_approximation": found.slope("one_sided", small)}),
        Check(
            chain, "I_ij against the contrast, beta = 0.02", found.one_sided[0.02], protocol=PRINTED
        ),
        Check(chain, "I_ij + I_ji against the contrast, beta = 0.02", found.both[0.02]),
        *controls(chain, {"one_sided": min(found.one_sided.values())}),
    ]
