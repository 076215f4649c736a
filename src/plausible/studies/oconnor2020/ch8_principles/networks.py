"""Random networks and their fixed points, which the experiments of chapter 8 share.

Source: O'Connor 2020, sections 8.5.1 and E.2, and the author's code: inputs uniform in [0, 1], one
random class as target, Glorot uniform weights, biases 0.
"""

from collections.abc import Iterator
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.networks.binary_equilibrium import Bits, Coding, at_rest, distance, run
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    States,
    fixed_point,
    make_equilibrium,
    zero_states,
)
from plausible.neurons.step_sizes import Adaptive, Schedule
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch8_principles.settings import Networks, Scheme

generator = partial(numpy_generator, "oconnor2020", "ch8_principles")
"""Random stream of an experiment, a number and a purpose."""
REFERENCE_FACTOR = 10
"""The continuous network runs for so many times as many steps, unless it has come to rest."""
REST = 1e-13


class Problem(NamedTuple):
    """A network with inputs, targets and fixed points."""

    network: Equilibrium
    inputs: NDArray
    targets: NDArray
    free: States
    nudged: States


def problem(settings: Networks, steps: int, *keys: str | int) -> Problem:
    """Problem of a random stream; the continuous network has ``steps`` times ten to settle."""
    rng = generator(*keys)
    network = make_equilibrium(settings.layer_sizes, rng)
    inputs = rng.random((settings.batch, settings.layer_sizes[0]))
    outputs = settings.layer_sizes[-1]
    targets = np.eye(outputs)[rng.integers(0, outputs, settings.batch)]
    limit = {"tolerance": REST, "max_steps": REFERENCE_FACTOR * steps}
    free = fixed_point(network, inputs, zero_states(network, settings.batch), **limit).states
    nudge = Forces(target=targets, beta=settings.beta)
    return Problem(
        network, inputs, targets, free, fixed_point(network, inputs, free, nudge, **limit).states
    )


def coding_of(scheme: Scheme, constant: float) -> Coding:
    """Coding that a line of figure 8.2 stands for."""
    step = Schedule(*scheme.epsilon) if scheme.epsilon else Adaptive(scheme.nu_bar, constant)
    return Coding(step, Schedule(*scheme.decay), scheme.encoder)


def free_errors(
    given: Problem, coding: Coding, steps: int, rng: np.random.Generator | None = None
) -> Iterator[tuple[Bits, float]]:
    """Network and error after each step without targets."""
    start = at_rest(given.network, len(given.inputs))
    for now in run(given.network, coding, given.inputs, start, steps, rng=rng):
        yield now, distance(now.states, given.free)


def nudged_errors(
    given: Problem,
    coding: Coding,
    start: Bits,
    steps: int,
    beta: float,
    rng: np.random.Generator | None = None,
) -> list[float]:
    """Errors after each step with nudged outputs, to the nudged fixed point."""
    passed = run(given.network, coding, given.inputs, start, steps, given.targets, beta, rng)
    return [distance(now.states, given.nudged) for now in passed]


def objective(given: Problem, coding: Coding, perturbation: int, steps: int, beta: float) -> float:
    """Mean of the error before the perturbation and after the last step (section E.2)."""
    *_, (now, before) = free_errors(given, coding, perturbation)
    return (before + nudged_errors(given, coding, now, steps - perturbation, beta)[-1]) / 2.0
