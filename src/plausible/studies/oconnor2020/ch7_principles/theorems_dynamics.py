"""Clipping, the sign of beta and the energy of an update (O'Connor 2020, sections 7.4 and 7.5.1).

One function per published entry; it takes the settings and a seed and returns its checks.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from plausible.learning.equilibrium_gradient import fixed_point_gradient
from plausible.learning.equilibrium_propagation import contrast
from plausible.measure.angles import cosine
from plausible.measure.slopes import log_slope
from plausible.networks.equilibrium import (
    Equilibrium,
    Forces,
    States,
    energy,
    input_drive,
    settle,
    step,
    zero_states,
)
from plausible.networks.leaky_clip import IDENTITY
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch7_principles.networks import flat, random_problem

PRINTED = "as_published"
CLIP_STEPS, CLIP_TIME = (0.1, 0.03, 0.01), 8.0
SAMPLES, RATE = 50, 1e-3


def _rng(name: str, seed: int) -> np.random.Generator:
    return numpy_generator("oconnor2020", "ch7_principles", name, seed)


# ------------------------------------------------------------- clipping


class _Run(NamedTuple):
    """Unclipped Euler steps of one size."""

    states: States
    """The last ones."""
    excursion: float
    """Largest distance from [0, 1]."""
    drive: float
    """Largest |ds/dt|."""


def _unclipped(network: Equilibrium, inputs: NDArray, start: States, size: float) -> _Run:
    drive, states = input_drive(network, inputs), start
    out, largest = 0.0, 0.0
    for _ in range(_steps(size)):
        new = step(network, drive, states, step_size=size, clipped=False)
        for before, after in zip(states, new, strict=True):
            largest = max(largest, float(np.abs(after - before).max()) / size)
            out = max(out, float(np.maximum(after - 1.0, -after).max()))
        states = new
    return _Run(states, out, largest)


def _steps(size: float) -> int:
    return round(CLIP_TIME / size)


def clip_is_no_change(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.4: in continuous time, is clipping no change?"""
    rng = _rng("clip", seed)
    network, _, inputs, _ = random_problem(rng, 20, strength=1.0)
    network = network._replace(biases=tuple(rng.normal(0, 0.5, len(b)) for b in network.biases))
    start = tuple(rng.uniform(0.05, 0.95, (20, len(bias))) for bias in network.biases)
    runs = [_unclipped(network, inputs, start, size) for size in CLIP_STEPS]
    linear = network._replace(rho=IDENTITY)
    freely = [_unclipped(linear, inputs, start, size) for size in CLIP_STEPS]
    out, out_freely = ([run.excursion for run in each] for each in (runs, freely))
    small, bounded, order, same = (
        CLIP_STEPS[-1], "excursion_is_bounded", "excursion_falls", "same_fixed_points",
    )  # fmt: skip
    text = "largest excursion over step times the largest drive, step {:g}"
    ratios = {
        f"step_{size:g}".replace(".", "_"): (text.format(size), run.excursion / size / run.drive)
        for size, run in zip(CLIP_STEPS, runs, strict=True)
    }
    apart = _apart(network, inputs, start, small, runs[-1])
    coarse = _apart(network, inputs, start, small, _unclipped(network, inputs, start, 0.5))
    slope = "log-log slope of the excursion against the step"
    return [
        *checks(bounded, ratios),
        *controls(bounded, {"no_saturation": out_freely[-1] / small / runs[-1].drive}),
        Check(order, slope, log_slope(CLIP_STEPS, out)),
        *controls(order, {"no_saturation": log_slope(CLIP_STEPS, out_freely)}),
        Check(same, "share of samples that end elsewhere", apart.mean(), protocol=PRINTED),
        *controls(same, {"long_steps": coarse.mean()}),
    ]


def _apart(
    network: Equilibrium, inputs: NDArray, start: States, size: float, run: _Run
) -> NDArray[np.bool_]:
    """Which samples end elsewhere if clipped, by more than 0.01 of a state."""
    clipped = settle(network, inputs, start, _steps(size), step_size=size)
    pairs = zip(run.states, clipped, strict=True)
    return np.max([np.abs(a - b).max(axis=1) for a, b in pairs], axis=0) > 0.01


# ------------------------------------------------------------- sign of beta


class _Signs:
    """Updates of many samples at once, from a short and from a long negative phase."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.network, _, self.inputs, self.targets = random_problem(rng, SAMPLES, strength=0.35)
        start = zero_states(self.network, SAMPLES)
        self.short = settle(self.network, self.inputs, start, 4)
        self.long = settle(self.network, self.inputs, start, 1000)

    def updates(
        self, long: bool, beta: float, steps: int = 4, targets: NDArray | None = None
    ) -> NDArray[np.float64]:
        """Of each sample, [samples, parameters]."""
        minus = self.long if long else self.short
        forces = Forces(target=self.targets if targets is None else targets, beta=beta)
        plus = settle(self.network, self.inputs, minus, steps, forces)
        return np.array([
            flat(contrast(self.network, self.inputs[one], _of(minus, one), _of(plus, one), beta))
            for one in _samples()
        ])  # fmt: skip

    def gradients(self) -> NDArray[np.float64]:
        """True ones of each sample, [samples, parameters]."""
        return np.array([
            flat(fixed_point_gradient(
                self.network, self.inputs[one], _of(self.long, one), self.targets[one]
            ))
            for one in _samples()
        ])  # fmt: skip

    def gain(self, long: bool, beta: float, steps: int = 4) -> float:
        """Lower end of the 95 % interval of what the mean of both signs gains in cosine."""
        up, down = (self.updates(long, sign * beta, steps) for sign in (1.0, -1.0))
        found = [
            cosine(a + b, gradient) - cosine(a, gradient)
            for a, b, gradient in zip(up, down, self.gradients(), strict=True)
        ]
        half = stdtrit(SAMPLES - 1, 0.975) * np.std(found, ddof=1) / np.sqrt(SAMPLES)
        return float(np.mean(found) - half)

    def from_target(self, long: bool) -> float:
        """Largest relative difference between the updates of two targets, beta near 0."""
        one = self.updates(long, 1e-4)
        other = self.updates(long, 1e-4, targets=np.roll(self.targets, 1, axis=1))
        return float((np.linalg.norm(one - other, axis=1) / np.linalg.norm(one, axis=1)).max())

    def between(self, long: bool, steps: int) -> float:
        """Cosine of the mean updates of either sign, beta = 0.01."""
        return cosine(*(self.updates(long, beta, steps).mean(axis=0) for beta in (0.01, -0.01)))


def _samples() -> list[slice]:
    return [slice(one, one + 1) for one in range(SAMPLES)]


def _of(states: States, one: slice) -> States:
    return tuple(layer[one] for layer in states)


def beta_sign_cancels(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.4, footnote 2: the residual of an unfinished negative phase, and beta's sign."""
    found = _Signs(_rng("beta_sign", seed))
    cancels, residual, way = "mean_of_signs_is_nearer", "residual_without_target", "signs_agree"
    gain = "lower end of the interval of the cosine's gain, T- = 4"
    text = "relative difference of updates between two targets, beta = 0.0001, T- = 4"
    return [
        Check(cancels, gain, found.gain(False, 0.5)),
        *controls(cancels, {"full_convergence": found.gain(True, 0.01, 1000)}),
        Check(residual, text, found.from_target(False)),
        *controls(residual, {"full_convergence": found.from_target(True)}),
        Check(way, "cosine of the mean updates of both signs", found.between(True, 1000)),
        *controls(way, {"short_phase": found.between(False, 4)}),
    ]  # fmt: skip


# ------------------------------------------------------------- energy of an update


def contrastive_energy(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 7.5.1: an update raises E(s_-) relative to E(s_+), states held."""
    sign, size = "always_rises", "rises_by_the_square"
    rises, falls, off, wrong = [], [], [], []
    for draw in range(100):
        rng = numpy_generator("oconnor2020", "ch7_principles", "energy", seed, draw)
        network, _, inputs, targets = random_problem(rng, 1)
        beta = float(rng.uniform(0.1, 1.0))
        minus = settle(network, inputs, zero_states(network, 1), 20)
        plus = settle(network, inputs, minus, 4, Forces(target=targets, beta=beta))
        found = contrast(network, inputs, minus, plus, beta)
        gaps = []
        for rate in (0.0, RATE, -RATE):
            moved = network._replace(
                weights=_moved(network.weights, found.weights, rate),
                biases=_moved(network.biases, found.biases, rate),
            )
            gap = energy(moved, inputs, minus) - energy(moved, inputs, plus)
            gaps.append(float(gap[0]))
        # (eta / beta) |dE(s+) - dE(s-)|^2 = eta beta |update|^2
        expected = RATE * beta * float((flat(found) ** 2).sum())
        rises.append(gaps[1] - gaps[0])
        falls.append(gaps[2] - gaps[0])
        off.append(abs(rises[-1] / expected - 1.0))
        wrong.append(abs(falls[-1] / expected - 1.0))
    return [
        Check(sign, "smallest change of E(s-) - E(s+), 100 networks", min(rises)),
        *controls(sign, {"no_minus": max(falls)}),
        Check(size, "largest relative difference from eta/beta |dE(s+) - dE(s-)|^2", max(off)),
        *controls(size, {"no_minus": min(wrong)}),
    ]


def _moved(parameters, gradients, rate: float) -> tuple[NDArray, ...]:
    return tuple(p - rate * g for p, g in zip(parameters, gradients, strict=True))
