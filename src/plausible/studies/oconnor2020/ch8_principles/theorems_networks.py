"""Networks of chapter 8 as measured deviations (O'Connor 2020, sections 8.3.1, 8.4 and 8.4.2).

One function per published entry, as in `theorems`.
"""

import numpy as np
import torch
from numpy.typing import NDArray

from plausible.measure.slopes import log_slope, log_spaced
from plausible.networks import binary_equilibrium
from plausible.networks.binary_equilibrium import (
    Bits,
    Coding,
    at_rest,
    distance,
    run,
    settle_binary,
)
from plausible.networks.equilibrium import (
    Equilibrium,
    descent,
    fixed_point,
    input_drive,
    make_equilibrium,
    step,
    zero_states,
)
from plausible.neurons.bit_coding import quantize
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, controls
from plausible.studies.oconnor2020.ch8_principles.networks import generator

SIZES, BATCH = (8, 12, 7, 4), 5


def hopfield_dynamics(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.1 to 8.3: velocity against the gradient of the energy; Euler steps come to rest."""
    rng = generator("eq8.3", seed)
    gradient, rests = "dynamics_is_energy_gradient", "update_converges"
    network = make_equilibrium(SIZES, rng)
    for bias in network.biases:
        bias[...] = rng.normal(0.0, 0.2, bias.shape)
    inputs = rng.random((BATCH, SIZES[0]))
    states = tuple(rng.random((BATCH, size)) for size in SIZES[1:])
    moves = descent(network, input_drive(network, inputs), states)

    def off(pairs: float) -> float:
        exact = _slope(network, inputs, states, pairs)
        return max(float(np.abs(a + b).max()) for a, b in zip(moves, exact, strict=True))

    text = "velocity plus the gradient of the energy, by automatic differentiation"
    return [
        Check(gradient, f"{text}, each pair counted twice", off(2.0), protocol="as_published"),
        Check(gradient, f"{text}, each pair counted once", off(1.0)),
        *controls(gradient, {"pairs_counted_twice": off(2.0)}),
        Check(
            rests, "largest change of a state after 2,000 steps of 1/2", _last_change(rng, 0.5, 1.0)
        ),
        *controls(rests, {"step_of_one": _last_change(rng, 1.0, 2.0)}),
    ]


def _slope(
    network: Equilibrium, inputs: NDArray, states: tuple[NDArray, ...], pairs: float
) -> list[NDArray]:
    """dE/ds of eq. 8.1 with ``pairs`` times each connection, by automatic differentiation."""
    free = [torch.tensor(state, requires_grad=True) for state in states]
    below, energy = torch.tensor(inputs), torch.zeros((), dtype=torch.float64)
    for weight, bias, state in zip(network.weights, network.biases, free, strict=True):
        activity = state.clamp(0.0, 1.0)
        energy = energy + 0.5 * (state**2).sum() - (activity * torch.tensor(bias)).sum()
        energy = energy - pairs * ((below @ torch.tensor(weight)) * activity).sum()
        below = activity
    return [each.numpy() for each in torch.autograd.grad(energy, free)]


def _last_change(rng: np.random.Generator, size: float, strength: float) -> float:
    """Largest change in the last of 2,000 steps, over four networks and random starts."""
    worst = 0.0
    for _ in range(4):
        network = make_equilibrium(SIZES, rng)
        network = network._replace(weights=tuple(strength * each for each in network.weights))
        inputs = rng.random((BATCH, SIZES[0]))
        start = tuple(rng.random((BATCH, units)) for units in SIZES[1:])
        rest = fixed_point(network, inputs, start, max_steps=2000, step_size=size)
        drive = input_drive(network, inputs)
        after = step(network, drive, rest.states, step_size=size)
        worst = max(
            worst, *(float(np.abs(a - b).max()) for a, b in zip(after, rest.states, strict=True))
        )
    return worst


def binary_neuron(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.4, 8.5: neighbours of a layer compute from its bits and from nothing else of it."""
    rng, name = generator("eq8.5", seed), "only_bits_leave"
    network = make_equilibrium(SIZES, rng)
    inputs = rng.random((BATCH, SIZES[0]))
    coding = Coding(Adaptive(0.05), Schedule(0.3))
    now = settle_binary(network, coding, inputs, at_rest(network, BATCH), 30)
    middle = now.layers[2]
    moved = middle._replace(
        potential=rng.permuted(middle.potential, axis=1),
        phi=rng.permuted(middle.phi, axis=1),
        decoded=rng.permuted(middle.decoded, axis=1),
    )
    turned = middle.bits.copy()
    turned[:, 0] = 1.0 - turned[:, 0]

    def heard(layer) -> float:
        """Change of the states of the layers next to the middle one, one step later."""
        changed = Bits((*now.layers[:2], layer, *now.layers[3:]), now.time)
        ways = [
            binary_equilibrium.advance(network, coding, inputs, each).states
            for each in (now, changed)
        ]
        return max(float(np.abs(ways[0][place] - ways[1][place]).max()) for place in (0, 2))

    text = "change of neighbouring states if potentials change and bits do not"
    return [
        Check(name, text, heard(moved)),
        *controls(name, {"other_bits": heard(middle._replace(bits=turned))}),
    ]


def stochastic_encoder(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 8.8 to 8.10: random bits are unbiased, and a network with them finds its fixed point."""
    rng = generator("eq8.8", seed)
    unbiased, falls = "unbiased_bits", "fixed_point_error_falls"
    inputs = rng.random(400)
    held = np.broadcast_to(inputs, (10_000, 400))
    text = "mean error over 400 inputs and 10,000 bits, in standard errors"
    network = make_equilibrium((50, 50, 10), rng)
    shown = rng.random((20, 50))
    fixed = fixed_point(network, shown, zero_states(network, 20)).states

    def slope(encoder: str) -> float:
        coding = Coding(Schedule(1.0, 0.5), encoder=encoder)
        passed = run(network, coding, shown, at_rest(network, 20), 1000, rng=rng)
        errors = [distance(now.states, fixed) for now in passed]
        kept = [step for step in log_spaced(1000, 40) if step >= 10]
        return log_slope(kept, [errors[step - 1] for step in kept])

    return [
        Check(unbiased, text, _standard_errors(quantize(held, "random", rng), inputs)),
        *controls(
            unbiased, {"fixed_threshold": _standard_errors(quantize(held, "threshold"), inputs)}
        ),
        Check(falls, "log-log slope of the error, steps 10 to 1,000", slope("stochastic")),
        *controls(falls, {"fixed_threshold": slope("threshold")}),
    ]


def _standard_errors(bits: NDArray, inputs: NDArray) -> float:
    """Largest of |mean error| over all and over the inputs above 1/2, in standard errors.

    Over all inputs the errors of a threshold cancel.
    """
    found = []
    for chosen in (np.ones(len(inputs), bool), inputs > 0.5):
        own = inputs[chosen]
        error = np.sqrt((own * (1.0 - own)).sum() / len(bits)) / len(own)
        found.append(float(np.abs((bits[:, chosen].mean(axis=0) - own).mean()) / error))
    return max(found)
