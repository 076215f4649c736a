"""Networks that settle: energy, dynamics, fixed points. Numpy, in the precision of the weights.

Source: O'Connor 2020, section 2.7 (eq. 2.9, 2.10) and chapter 7 (eq. 7.5); Scellier and Bengio
2017. Layers 1 .. L of free units stand above a clamped input s_0 = x. With rho(s) = clip(s, 0, 1),

    E(s) = 1/2 sum_l |s_l|^2 - sum_l rho(s_(l-1)) W_l rho(s_l) - sum_l b_l rho(s_l)

where each connection is counted once, as in the author's code; a sum over ordered pairs of units
(eq. 8.1) counts each twice. Two further terms may act:

    + pull / 2 sum_l |s_l - a_l|^2       towards anchors a (lambda of eq. 7.5, a = s_f)
    + beta |s_L - y|^2                   the nudge of the positive phase

``pull`` is the lambda of the author's code, which the thesis quotes its numbers from. Eq. 7.5 is
printed without the 1/2: a lambda that is read so pulls twice as hard (`pull_of`).

States move against the gradient, all at once, by Euler steps that are clipped (section 7.4):

    s <- clip(s + eps (-s + rho'(s) (input from both sides) + pull (a - s) + 2 beta (y - s)), 0, 1)

The nudge and the pull have no rho'. rho' is 1 at 0 and 1 inclusive, or clipped units could never
leave the limits. A network with ``feedback`` has no energy: what comes from above goes through
matrices of its own instead of the transposes (section 2.7, footnote; Scellier et al. 2018).
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.networks.leaky_clip import HARD_SIGMOID, LeakyClip

States = tuple[NDArray, ...]
"""Of layers 1 .. L, each [batch, units]."""


class Equilibrium(NamedTuple):
    """A layered network of units that settle."""

    weights: tuple[NDArray, ...]
    """W_1 .. W_L, each [units below, units]."""
    biases: tuple[NDArray, ...]
    """b_1 .. b_L, each [units]."""
    feedback: tuple[NDArray, ...] | None = None
    """For layers 1 .. L - 1 what replaces W_(l+1)^T, each [units above, units]; None: symmetric."""
    rho: LeakyClip = HARD_SIGMOID


class Forces(NamedTuple):
    """What acts on the states besides the network."""

    anchors: States | None = None
    """a of each layer, such as the state of an initialising network."""
    pull: float = 0.0
    """lambda of ``pull / 2 |s - a|^2``."""
    target: NDArray | None = None
    """y [batch, outputs]."""
    beta: float = 0.0
    """Of the nudge ``beta |s_L - y|^2``; its sign may be negative."""


FREE = Forces()


class Settled(NamedTuple):
    """Where states came to rest."""

    states: States
    steps: NDArray[np.int64]
    """Step in which a sample first changed by no more than the tolerance, [batch]; -1: none."""
    change: float
    """Largest change of any unit in the last step."""


def make_equilibrium(
    sizes: tuple[int, ...],
    rng: np.random.Generator,
    untied: bool = False,
    rho: LeakyClip = HARD_SIGMOID,
) -> Equilibrium:
    """Network of ``sizes`` (input first) with Glorot uniform weights and biases of 0.

    W_l is uniform in +-sqrt(6 / (units below + units)), drawn layer by layer; ``untied`` draws the
    feedback matrices likewise, after all of the others.

    Raises
    ------
    StudyError
        If there are fewer than two layers.
    """
    if len(sizes) < 2 or min(sizes) < 1:
        raise StudyError(f"Equilibrium network: layers {sizes}, expected at least two, none empty.")
    pairs = list(zip(sizes, sizes[1:], strict=False))
    weights = tuple(_glorot_uniform(below, above, rng) for below, above in pairs)
    biases = tuple(np.zeros(size) for size in sizes[1:])
    feedback = tuple(_glorot_uniform(above, below, rng) for below, above in pairs[1:])
    return Equilibrium(weights, biases, feedback if untied else None, rho)


def _glorot_uniform(below: int, above: int, rng: np.random.Generator) -> NDArray[np.float64]:
    limit = np.sqrt(6.0 / (below + above))
    return rng.uniform(-limit, limit, (below, above))


def pull_of(strength: float, convention: str) -> float:
    """``pull`` that a lambda of the thesis stands for; its ``convention`` says where it is from.

    A lambda of the author's code, which the thesis quotes, is the pull itself (``as_coded``: the
    term is lambda / 2 |s - a|^2). In eq. 7.5 as printed (``as_published``: lambda |s - a|^2) the
    same lambda pulls twice as hard.
    """
    factors = {"as_coded": 1.0, "as_published": 2.0}
    if convention not in factors:
        raise StudyError(
            f"lambda term: found the convention {convention!r}, expected one of "
            f"{', '.join(factors)}."
        )
    return factors[convention] * strength


def zero_states(network: Equilibrium, batch: int) -> States:
    """All units at 0, where plain equilibrium propagation starts."""
    return tuple(np.zeros((batch, len(bias)), bias.dtype) for bias in network.biases)


def input_drive(network: Equilibrium, inputs: NDArray) -> NDArray:
    """rho(x) W_1 + b_1 of ``inputs`` [batch, features]: the input is clamped, so once for all
    steps.
    """
    return network.rho.value(inputs) @ network.weights[0] + network.biases[0]


def energy(
    network: Equilibrium, inputs: NDArray, states: States, forces: Forces = FREE
) -> NDArray[np.floating]:
    """E with its further terms, [batch].

    Raises StudyError for a network with feedback matrices: it has no energy.
    """
    if network.feedback is not None:
        raise StudyError("Equilibrium network: with feedback matrices of its own it has no energy.")
    total, below = np.zeros(len(inputs)), network.rho.value(inputs)
    for weight, bias, state in zip(network.weights, network.biases, states, strict=True):
        activity = network.rho.value(state)
        total = total + 0.5 * (state**2).sum(axis=1) - ((below @ weight + bias) * activity).sum(1)
        below = activity
    if forces.pull:
        for state, anchor in zip(states, forces.anchors, strict=True):
            total = total + 0.5 * forces.pull * ((state - anchor) ** 2).sum(axis=1)
    if forces.beta:
        total = total + forces.beta * ((states[-1] - forces.target) ** 2).sum(axis=1)
    return total


def descent(network: Equilibrium, drive: NDArray, states: States, forces: Forces = FREE) -> States:
    """ds/dt of every unit: minus the gradient of the energy if the network is symmetric.

    ``drive`` is the `input_drive`.
    """
    activities = [network.rho.value(state) for state in states]
    top, moves = len(states) - 1, []
    for layer, state in enumerate(states):
        bottom_up = (
            activities[layer - 1] @ network.weights[layer] + network.biases[layer]
            if layer
            else drive
        )
        pressure = bottom_up
        if layer < top:
            above = network.feedback[layer] if network.feedback else network.weights[layer + 1].T
            pressure = bottom_up + activities[layer + 1] @ above
        move = network.rho.slope(state) * pressure - state
        if forces.pull:
            move = move + forces.pull * (forces.anchors[layer] - state)
        if forces.beta and layer == top:
            move = move + 2.0 * forces.beta * (forces.target - state)
        moves.append(move)
    return tuple(moves)


def step(
    network: Equilibrium,
    drive: NDArray,
    states: States,
    forces: Forces = FREE,
    step_size: float = 0.5,
    clipped: bool = True,
) -> States:
    """One synchronous Euler step of ``step_size`` (eps), clipped to [0, 1] if ``clipped``."""
    moves = descent(network, drive, states, forces)
    new = (state + step_size * move for state, move in zip(states, moves, strict=True))
    return tuple(np.clip(state, 0.0, 1.0) if clipped else state for state in new)


def settle(
    network: Equilibrium,
    inputs: NDArray,
    start: States,
    steps: int,
    forces: Forces = FREE,
    step_size: float = 0.5,
    clipped: bool = True,
) -> States:
    """States after ``steps`` steps from ``start``."""
    drive, states = input_drive(network, inputs), start
    for _ in range(steps):
        states = step(network, drive, states, forces, step_size, clipped)
    return states


def trajectory(
    network: Equilibrium,
    inputs: NDArray,
    start: States,
    steps: int,
    forces: Forces = FREE,
    step_size: float = 0.5,
    clipped: bool = True,
) -> States:
    """States of the start and after each step, one [steps + 1, batch, units] per layer."""
    drive, passed = input_drive(network, inputs), [start]
    for _ in range(steps):
        passed.append(step(network, drive, passed[-1], forces, step_size, clipped))
    return tuple(np.stack(layer) for layer in zip(*passed, strict=True))


def fixed_point(
    network: Equilibrium,
    inputs: NDArray,
    start: States,
    forces: Forces = FREE,
    tolerance: float = 1e-13,
    max_steps: int = 100_000,
    step_size: float = 0.5,
) -> Settled:
    """Settle until no unit of any sample changes by more than ``tolerance`` in a step.

    All samples go on until the last one has settled, or ``max_steps`` are over: then ``change``
    exceeds the tolerance, as in a cycle or after a step that is too long.
    """
    drive, states = input_drive(network, inputs), start
    first = np.full(len(inputs), -1, np.int64)
    change = np.inf
    for number in range(1, max_steps + 1):
        new = step(network, drive, states, forces, step_size)
        moved = np.max(
            [np.abs(a - b).max(axis=1) for a, b in zip(new, states, strict=True)], axis=0
        )
        states, change = new, float(moved.max())
        first[(moved <= tolerance) & (first < 0)] = number
        if not change > tolerance:
            break
    return Settled(states, first, change)
