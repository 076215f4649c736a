"""Networks that settle while their units send bits only. Numpy only, in float64.

Source: O'Connor 2020, section 8.4 (eq. 8.4, 8.5, 8.14), in the order of the author's code. At step
t all layers act at once, on the bits of the step before; with lambda = lambda0 / t^eta:

    u <- bits of both neighbours through the weights                 nothing else arrives
    v <- (1 - lambda) v + lambda u                                   decoder
    p <- v + b, at the output + 2 beta (y - s) with a target         pressure
    s <- clip((1 - eps) s + eps p, 0, 1)                             eps from a rule, which sees p
    a <- (s - (1 - lambda) s_before) / lambda                        encoder
    phi <- phi + a;  bit <- [phi > 1/2];  phi <- phi - bit           sigma-delta

A *stochastic* encoder sends a bit where a is above a uniform number instead. The input layer is
clamped and encoded like the others. Nothing was sent before the first step, so layer 1 hears of the
input at the second. States stay between 0 and 1, where rho(s) = s and rho'(s) = 1: neither appears.

With ``anchors`` a, p has + pull (a - s) besides (lambda of eq. 7.5, as coded). A network that is
*informed* (`informed`) knows all of its states before the first step; one that merely starts from
states (`at_rest`) forgets them at once where the rule's first step is 1, as that of OSA is.

A bit sent at step t arrives at t + 1, where the text and the code decode it with lambda(t+1). With
``matched`` the decoder uses the lambda with which the bit was encoded.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.networks.equilibrium import Equilibrium, States
from plausible.neurons.step_sizes import FRESH, Memory, Rule, Schedule, check_rule, next_step

SIGMA_DELTA, STOCHASTIC, THRESHOLD = "sigma_delta", "stochastic", "threshold"
ENCODERS = (SIGMA_DELTA, STOCHASTIC, THRESHOLD)


class Coding(NamedTuple):
    """How units average what they receive and encode what they send."""

    step: Rule
    """eps."""
    decay: Schedule = Schedule(1.0)
    """lambda of the predictive code; 1 sends the state itself."""
    encoder: str = SIGMA_DELTA
    matched: bool = False
    """Whether a bit is decoded with the lambda with which it was encoded."""


class Layer(NamedTuple):
    """Units of one layer, arrays ``[batch, units]``."""

    potential: NDArray
    """s; of the input layer x."""
    phi: NDArray
    """Of the encoder."""
    bits: NDArray
    """Sent at the last step, 0 or 1."""
    decoded: NDArray
    """v; of the input layer nothing."""
    memory: Memory = FRESH
    """Of the rule for the steps."""


class Bits(NamedTuple):
    """State of a binary network after ``time`` steps: input layer first."""

    layers: tuple[Layer, ...]
    time: int = 0
    known: bool = False
    """Whether units know the states of their neighbours before the first step."""

    @property
    def states(self) -> States:
        """s of layers 1 .. L, as the continuous network has them."""
        return tuple(layer.potential for layer in self.layers[1:])


def check_coding(coding: Coding) -> Coding:
    """The coding, if it means something.

    Raises
    ------
    StudyError
        If the encoder is unknown, or steps or lambda leave the range from 0 to 1.
    """
    if coding.encoder not in ENCODERS:
        raise StudyError(
            f"Binary network: found the encoder {coding.encoder!r}, expected one of "
            f"{', '.join(ENCODERS)}."
        )
    check_rule(coding.step)
    if not isinstance(coding.decay, Schedule) or not check_rule(coding.decay).first > 0.0:
        raise StudyError(f"Binary network: lambda is {coding.decay}, expected a schedule above 0.")
    return coding


def at_rest(network: Equilibrium, batch: int, states: States | None = None) -> Bits:
    """Network in which nothing has been sent yet; s is 0, or ``states`` of layers 1 .. L."""
    sizes = [len(network.weights[0]), *(len(bias) for bias in network.biases)]
    layers = []
    for number, size in enumerate(sizes):
        zeros = np.zeros((batch, size))
        potential = zeros if states is None or number == 0 else states[number - 1]
        layers.append(Layer(potential, zeros, zeros, zeros))
    return Bits(tuple(layers))


def informed(network: Equilibrium, inputs: NDArray, states: States) -> Bits:
    """Network at ``states`` of layers 1 .. L, clipped to [0, 1], which all of its units know.

    Each unit has been told the state s of its neighbours once, as a real number: decoders hold
    v = s through the weights, encoders have phi = s and send its bit. ``inputs`` [batch, features]
    are known likewise. The rule for the steps has seen nothing.
    """
    known = [inputs, *(np.clip(state, 0.0, 1.0) for state in states)]
    layers = []
    for number, state in enumerate(known):
        decoded = np.zeros_like(state)
        if number:
            decoded = known[number - 1] @ network.weights[number - 1]
            if number < len(states):
                decoded = decoded + known[number + 1] @ network.weights[number].T
        layers.append(
            Layer(state, *_encode(SIGMA_DELTA, np.zeros_like(state), state, None), decoded)
        )
    return Bits(tuple(layers), known=True)


def advance(
    network: Equilibrium,
    coding: Coding,
    inputs: NDArray,
    now: Bits,
    target: NDArray | None = None,
    beta: float = 0.0,
    rng: np.random.Generator | None = None,
    anchors: States | None = None,
    pull: float = 0.0,
) -> Bits:
    """One step of all layers; ``target`` [batch, outputs] nudges the output by ``beta``.

    ``rng`` draws the bits of a stochastic encoder; ``anchors`` of layers 1 .. L attract states with
    the strength ``pull``. The coding is taken as it is; `run` checks it.
    """
    time = now.time + 1
    decay = coding.decay.at(time)
    received_decay = coding.decay.at(max(time - 1, 1)) if coding.matched else decay
    top, new, known = len(now.layers) - 1, [], now.time or now.known
    for number, old in enumerate(now.layers):
        if number == 0:
            # A signal that was 0 before the first step.
            before = old.potential if known else np.zeros_like(inputs)
            potential, decoded, memory = inputs, old.decoded, old.memory
        else:
            received = now.layers[number - 1].bits @ network.weights[number - 1]
            if number < top:
                received = received + now.layers[number + 1].bits @ network.weights[number].T
            decoded = (1.0 - received_decay) * old.decoded + received_decay * received
            pressure = decoded + network.biases[number - 1]
            if target is not None and number == top:
                pressure = pressure + 2.0 * beta * (target - old.potential)
            if anchors is not None:
                pressure = pressure + pull * (anchors[number - 1] - old.potential)
            step, memory = next_step(coding.step, old.memory, pressure)
            potential = np.clip((1.0 - step) * old.potential + step * pressure, 0.0, 1.0)
            # What was never sent is not known to the receiver, even of a state kept from before.
            before = old.potential if known else np.zeros_like(potential)
        code = (potential - (1.0 - decay) * before) / decay
        phi, bits = _encode(coding.encoder, old.phi, code, rng)
        new.append(Layer(potential, phi, bits, decoded, memory))
    return Bits(tuple(new), time)


def _encode(
    encoder: str, phi: NDArray, code: NDArray, rng: np.random.Generator | None
) -> tuple[NDArray, NDArray]:
    """What remains of ``code`` in the encoder, and its bits."""
    if encoder == SIGMA_DELTA:
        total = phi + code
        bits = (total > 0.5).astype(np.float64)
        return total - bits, bits
    threshold = rng.random(code.shape) if encoder == STOCHASTIC else 0.5
    return phi, (code > threshold).astype(np.float64)


def run(
    network: Equilibrium,
    coding: Coding,
    inputs: NDArray,
    now: Bits,
    steps: int,
    target: NDArray | None = None,
    beta: float = 0.0,
    rng: np.random.Generator | None = None,
) -> Iterator[Bits]:
    """The network after each of ``steps`` steps. Arguments as of `advance`, errors as of
    `check_coding`.
    """
    check_coding(coding)
    for _ in range(steps):
        now = advance(network, coding, inputs, now, target, beta, rng)
        yield now


def settle_binary(
    network: Equilibrium,
    coding: Coding,
    inputs: NDArray,
    now: Bits,
    steps: int,
    target: NDArray | None = None,
    beta: float = 0.0,
    rng: np.random.Generator | None = None,
    anchors: States | None = None,
    pull: float = 0.0,
) -> Bits:
    """The network after all of ``steps`` steps. Arguments and errors as of `run`."""
    check_coding(coding)
    for _ in range(steps):
        now = advance(network, coding, inputs, now, target, beta, rng, anchors, pull)
    return now


def distance(found: States, fixed: States) -> float:
    """Mean over the layers of the mean |s - s_fixed| of a layer's units (figure 8.2)."""
    return float(np.mean([np.abs(a - b).mean() for a, b in zip(found, fixed, strict=True)]))
