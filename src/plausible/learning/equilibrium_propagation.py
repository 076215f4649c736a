"""Equilibrium propagation: two phases, and the update from their contrast. Numpy only.

Source: O'Connor 2020, section 2.7 (eq. 2.11 to 2.13) and chapter 7 (algorithms 6 to 8); Scellier
and Bengio 2017. The network settles without a target (s_-), then, from there, with its outputs
nudged by beta (s_+). With C the batch mean of |s_L - y|^2 at the fixed point,

    dC/dtheta = lim (beta -> 0) 1/beta (dE/dtheta(s_+) - dE/dtheta(s_-))

and dE/dW_l = -rho(s_(l-1))^T rho(s_l), dE/db_l = -rho(s_l): a weight needs what its two units do.
Feedback matrices of a network that is not symmetric learn by one of three rules (`Recipe`); where
both ends of a connection see the same product, W and its feedback matrix B change alike, so that
their difference W - B^T stays as it was drawn, and falls by a share ``decay`` of both (Kolen and
Pollack 1994).

Line 15 of algorithm 6 prints theta <- (eta / beta) (...) theta; a step of descent is meant.

With an initialising network, both phases start from its state s_f and are pulled towards it, and it
learns from s_- after the network has learnt (algorithm 6).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.learning.initialiser import descend, global_gradients, local_gradients
from plausible.networks.equilibrium import FREE, Equilibrium, Forces, States, settle, zero_states
from plausible.networks.initialiser import ForwardPass, Initialiser, forward_pass

ENERGY, LINEARISED = "energy", "linearised"
CONTRASTS = (ENERGY, LINEARISED)
LOCAL, GLOBAL = "local", "global"
FORWARD_LOSSES = (LOCAL, GLOBAL)
S_MINUS, S_PLUS = "s_minus", "s_plus"
FORWARD_TARGETS = (S_MINUS, S_PLUS)
DIRECTED, HEBBIAN, FIXED = "directed", "hebbian", "fixed"
FEEDBACK_RULES = (DIRECTED, HEBBIAN, FIXED)


class Recipe(NamedTuple):
    """How a network settles and learns."""

    negative_steps: int
    """T^-."""
    positive_steps: int
    """T^+."""
    beta: float
    """Size of the nudge; in training its sign may be drawn anew for each minibatch."""
    learning_rates: tuple[float, ...]
    """eta of layers 1 .. L, the same for the initialising network."""
    step_size: float = 0.5
    """eps of the Euler steps."""
    pull: float = 0.0
    """lambda / 2 |s - s_f|^2, in both phases and when testing; needs an initialising network."""
    contrast: str = ENERGY
    """`ENERGY`: the difference of the energy's gradients; `LINEARISED`: without its second order,
    as in the author's code of chapter 8."""
    forward_loss: str = LOCAL
    """Whether the initialising network learns from `LOCAL` losses or the `GLOBAL` one."""
    forward_target: str = S_MINUS
    """`S_MINUS` or `S_PLUS`, which the initialising network learns to guess."""
    feedback_rule: str = DIRECTED
    """Of a network with feedback matrices. `DIRECTED`: every matrix from the states of its senders
    and the changes of its receivers; `HEBBIAN`: both matrices of a connection from the contrast of
    the product of its two states; `FIXED`: likewise, and feedback matrices stay as they are."""
    decay: float = 0.0
    """Share of feedback matrices, and of the matrices beside them, lost with each minibatch."""


class Gradients(NamedTuple):
    """Of the batch mean of |s_L - y|^2 by parameters, for descent."""

    weights: tuple[NDArray, ...]
    biases: tuple[NDArray, ...]
    feedback: tuple[NDArray, ...] | None = None


class Phases(NamedTuple):
    """States of one minibatch."""

    forward: ForwardPass | None
    """Of the initialising network, if there is one."""
    minus: States
    plus: States


def check_recipe(recipe: Recipe, layers: int) -> None:
    """Raises StudyError if the recipe has another number of layers, or means nothing."""
    named = {
        "contrast": (recipe.contrast, CONTRASTS),
        "forward_loss": (recipe.forward_loss, FORWARD_LOSSES),
        "forward_target": (recipe.forward_target, FORWARD_TARGETS),
        "feedback_rule": (recipe.feedback_rule, FEEDBACK_RULES),
    }
    for name, (found, known) in named.items():
        if found not in known:
            raise StudyError(
                f"Equilibrium propagation: {name} is {found!r}, expected one of {', '.join(known)}."
            )
    check_phases(recipe, layers)


def check_phases(recipe: Any, layers: int) -> None:
    """What recipes of all kinds have: steps of both phases, beta, and a rate for each layer.

    Raises
    ------
    StudyError
        If they do not fit ``layers``, or mean nothing.
    """
    if len(recipe.learning_rates) != layers:
        raise StudyError(
            f"Equilibrium propagation: {len(recipe.learning_rates)} learning rates were found for "
            f"{layers} layers."
        )
    if min(recipe.negative_steps, recipe.positive_steps) < 0 or not recipe.beta:
        raise StudyError(
            "Equilibrium propagation: steps must not be negative, and beta must not be 0."
        )


def initial_states(
    network: Equilibrium, initialiser: Initialiser | None, inputs: NDArray, pull: float = 0.0
) -> tuple[States, Forces, ForwardPass | None]:
    """Where settling begins, what pulls, and the forward pass: s_f, not clipped, or zeros."""
    if initialiser is None:
        return zero_states(network, len(inputs)), FREE, None
    passed = forward_pass(initialiser, inputs)
    return passed.states, Forces(anchors=passed.states, pull=pull), passed


def negative_phase(
    network: Equilibrium, initialiser: Initialiser | None, recipe: Recipe, inputs: NDArray
) -> tuple[States, ForwardPass | None]:
    """s_- of ``inputs`` [batch, features] (algorithm 8), and the forward pass that began it."""
    start, forces, passed = initial_states(network, initialiser, inputs, recipe.pull)
    minus = settle(network, inputs, start, recipe.negative_steps, forces, recipe.step_size)
    return minus, passed


def both_phases(
    network: Equilibrium,
    initialiser: Initialiser | None,
    recipe: Recipe,
    inputs: NDArray,
    targets: NDArray,
    beta: float | None = None,
) -> Phases:
    """s_- and s_+ of a minibatch with one-hot ``targets`` [batch, outputs].

    ``beta`` replaces the recipe's, such as one of the other sign.
    """
    minus, passed = negative_phase(network, initialiser, recipe, inputs)
    forces = Forces(
        anchors=None if passed is None else passed.states,
        pull=0.0 if passed is None else recipe.pull,
        target=targets,
        beta=recipe.beta if beta is None else beta,
    )
    plus = settle(network, inputs, minus, recipe.positive_steps, forces, recipe.step_size)
    return Phases(passed, minus, plus)


def contrast(
    network: Equilibrium,
    inputs: NDArray,
    minus: States,
    plus: States,
    beta: float,
    form: str = ENERGY,
) -> Gradients:
    """(dE/dtheta(s_+) - dE/dtheta(s_-)) / beta, mean over the batch (eq. 2.12).

    `LINEARISED` replaces rho(i+) rho(j+) - rho(i-) rho(j-) by rho(i-) (rho(j+) - rho(j-)) +
    (rho(i+) - rho(i-)) rho(j-), which lacks the product of both changes. A network with feedback
    matrices has no energy; each of its weights learns from its sender's state and its receiver's
    change, the two halves of the linearised form (Scellier et al. 2018).
    """
    before = [network.rho.value(layer) for layer in (inputs, *minus)]
    after = [before[0], *(network.rho.value(layer) for layer in plus)]
    change = [new - old for new, old in zip(after, before, strict=True)]
    scale = -1.0 / (beta * len(inputs))
    layers = range(1, len(before))
    biases = tuple(scale * change[layer].sum(axis=0) for layer in layers)
    if network.feedback is not None:
        weights = tuple(scale * (before[layer - 1].T @ change[layer]) for layer in layers)
        feedback = tuple(scale * (before[layer].T @ change[layer - 1]) for layer in layers[1:])
        return Gradients(weights, biases, feedback)
    if form == LINEARISED:
        sums = [
            before[layer - 1].T @ change[layer] + change[layer - 1].T @ before[layer]
            for layer in layers
        ]
    else:
        sums = [
            after[layer - 1].T @ after[layer] - before[layer - 1].T @ before[layer]
            for layer in layers
        ]
    return Gradients(tuple(scale * each for each in sums), biases)


def _contrast(
    network: Equilibrium, recipe: Recipe, inputs: NDArray, phases: Phases, beta: float
) -> Gradients:
    """What all matrices learn from; without feedback matrices if they do not learn."""
    states = inputs, phases.minus, phases.plus, beta, recipe.contrast
    if network.feedback is None or recipe.feedback_rule == DIRECTED:
        return contrast(network, *states)
    found = contrast(network._replace(feedback=None), *states)
    if recipe.feedback_rule == FIXED:
        return found
    return found._replace(feedback=tuple(each.T for each in found.weights[1:]))


def learn(
    network: Equilibrium,
    initialiser: Initialiser | None,
    recipe: Recipe,
    inputs: NDArray,
    targets: NDArray,
    beta: float | None = None,
) -> Phases:
    """One minibatch of algorithm 6; parameters of both networks change **in place**.

    The equilibrium network learns first, then the initialising one, from the same states. The
    feedback matrix towards a layer learns with the rate of the matrix beside it.
    """
    beta = recipe.beta if beta is None else beta
    phases = both_phases(network, initialiser, recipe, inputs, targets, beta)
    rates, found = recipe.learning_rates, _contrast(network, recipe, inputs, phases, beta)
    descend(network.weights, found.weights, rates)
    descend(network.biases, found.biases, rates)
    if found.feedback is not None:
        descend(network.feedback, found.feedback, rates[1:])
    if network.feedback is not None and recipe.decay:
        for matrix in (*network.weights[1:], *network.feedback):
            matrix *= 1.0 - recipe.decay
    if initialiser is not None:
        goal = phases.minus if recipe.forward_target == S_MINUS else phases.plus
        rule = local_gradients if recipe.forward_loss == LOCAL else global_gradients
        forward = rule(initialiser, inputs, phases.forward, goal)
        descend(initialiser.weights, forward.weights, rates)
        descend(initialiser.biases, forward.biases, rates)
    return phases


def classes(states: States) -> NDArray[np.int64]:
    """Class of the largest output, [batch]."""
    return states[-1].argmax(axis=1)
