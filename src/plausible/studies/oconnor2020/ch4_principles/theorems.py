"""Theorems of chapter 4 and appendix B of O'Connor 2020: networks that send differences.

One function per published entry; it takes the settings and a seed and returns its checks. All
arithmetic is in float64 unless it is in whole numbers. Sequences are random walks, so that frames
resemble their neighbours without being equal, or independent frames, which resemble nothing.
"""

from collections.abc import Callable
from functools import partial

import numpy as np
from numpy.typing import NDArray

from plausible.networks.sigma_delta import (
    Layer,
    delta_herding,
    dense_network,
    herding,
    run,
    temporal_difference,
    temporal_integration,
)
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import (
    correlated_frames,
    random_weights,
)
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import theorem_generator

SIZES = (12, 20, 15, 8)
FRAMES = 300
IMAGE = (8, 8)
CUTS = (0, 1, 2, 57, 200, FRAMES)
"""Where a sequence is cut when it is given in pieces."""


def _sequences(generator: np.random.Generator, units: int) -> dict[str, NDArray]:
    """A slow and an independent sequence of an amplitude of a few units, [frames, units]."""
    noise = generator.standard_normal((FRAMES, units))
    return {"slow": 3.0 * correlated_frames(noise, 0.99), "independent": 3.0 * noise}


def _network(generator: np.random.Generator) -> tuple[Layer, ...]:
    weights = random_weights(SIZES, (1.0, 1.0, 1.0), generator)
    biases = [generator.standard_normal(size) for size in SIZES[1:]]
    return dense_network(weights, biases)


def _convolution(kernel: NDArray) -> Callable[[NDArray], NDArray]:
    """Valid cross-correlation of images [frames, rows * columns] with ``kernel``, flattened."""

    def convolve(frames: NDArray) -> NDArray:
        images = frames.reshape(len(frames), *IMAGE)
        windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape, axis=(1, 2))
        return np.einsum("nrcij,ij->nrc", windows, kernel).reshape(len(frames), -1)

    return convolve


def _largest(found: NDArray, expected: NDArray) -> float:
    return float(np.abs(found - expected).max())


def first_output_is_the_first_input(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 4: y = x - x_last, from x_last = 0, with a state that persists."""
    check = partial(Check, "first_output_is_first_input")
    checks = []
    for name, frames in _sequences(theorem_generator("algorithm4", seed), 9).items():
        whole, _ = temporal_difference(frames)
        state, pieces = None, []
        for begin, end in zip(CUTS[:-1], CUTS[1:], strict=True):
            piece, state = temporal_difference(frames[begin:end], state)
            pieces.append(piece)
        slow = frames.copy()
        for time in range(FRAMES - 1, 0, -1):
            slow[time] = frames[time] - frames[time - 1]
        checks += [
            check(
                f"{name} frames: first output against first input, largest difference",
                _largest(whole[0], frames[0]),
                0.0,
                "==",
            ),
            check(
                f"{name} frames: all outputs, given in pieces, against a loop",
                _largest(np.concatenate(pieces), slow),
                0.0,
                "==",
            ),
        ]
    return checks


def integration_inverts_difference(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 5: y = y + x; the running sum of the differences is the input."""
    checks = []
    for name, frames in _sequences(theorem_generator("algorithm5", seed), 9).items():
        found, _ = temporal_integration(temporal_difference(frames)[0])
        text = f"{name} frames: integral of the difference against the frames"
        checks.append(
            Check(
                "integral_of_difference",
                f"{text}, largest difference",
                _largest(found, frames),
                1e-12,
            )
        )
    return checks


def difference_commutes(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.1: Delta(w(Sigma(x))) = w(x), and so Sigma(w(Delta(x))) = w(x), for linear w."""
    check = partial(Check, "commutes_with_linear_maps")
    generator = theorem_generator("eq4.1", seed)
    weight = generator.standard_normal((10, IMAGE[0] * IMAGE[1]))
    kernel = generator.standard_normal((3, 3))
    maps = {"matrix": lambda frames: frames @ weight.T, "convolution": _convolution(kernel)}
    checks = []
    for name, frames in _sequences(generator, IMAGE[0] * IMAGE[1]).items():
        for kind, linear in maps.items():
            inner = temporal_difference(linear(temporal_integration(frames)[0]))[0]
            outer = temporal_integration(linear(temporal_difference(frames)[0]))[0]
            where = f"{kind}, {name} frames"
            checks += [
                check(f"Δ(w(Σ(x))) against w(x): {where}", _largest(inner, linear(frames)), 1e-10),
                check(f"Σ(w(Δ(x))) against w(x): {where}", _largest(outer, linear(frames)), 1e-10),
            ]
    return checks


def temporal_difference_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4.4.1: pairs of integration and difference leave the function as it was."""
    generator = theorem_generator("temporal_difference_network", seed)
    layers = _network(generator)
    return [
        Check(
            "outputs_equal",
            f"outputs against those of the original network, {name} frames, largest difference",
            _largest(
                run(layers, frames, "temporal_difference").outputs,
                run(layers, frames, "original").outputs,
            ),
            1e-10,
        )
        for name, frames in _sequences(generator, SIZES[0]).items()
    ]


def sigma_delta_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.2: rounding before the difference makes outputs those of the rounding network."""
    check = partial(Check, "outputs_equal_in_any_order")
    generator = theorem_generator("eq4.2", seed)
    layers = _network(generator)
    whole = _whole_number_network(generator)
    checks = []
    for name, frames in _sequences(generator, SIZES[0]).items():
        rounding = run(layers, frames, "rounding").outputs
        order = generator.permutation(FRAMES)
        literal = run(layers, frames, "sigma_delta_herding").outputs
        shuffled = run(layers, frames[order], "sigma_delta_herding").outputs
        exact = [run(whole, frames, kind).outputs for kind in ("sigma_delta_herding", "rounding")]
        text = "outputs against those of the rounding network, largest difference"
        checks += [
            check(f"{name} frames: {text}", _largest(literal, rounding), 1e-10),
            check(f"{name} frames, shuffled: {text}", _largest(shuffled, rounding[order]), 1e-10),
            check(f"{name} frames, whole weights: {text}", _largest(*exact), 0.0, "=="),
        ]
    return checks


def _whole_number_network(generator: np.random.Generator) -> tuple[Layer, ...]:
    """A ReLU network whose weights, biases and sums are whole numbers, added without rounding."""
    pairs = zip(SIZES[:-1], SIZES[1:], strict=True)
    weights = [generator.integers(-3, 4, (above, below)).astype(float) for below, above in pairs]
    biases = [generator.integers(-5, 6, size).astype(float) for size in SIZES[1:]]
    return dense_network(weights, biases, output="relu")


def herding_keeps_its_potential_small(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 14: phi += x; s = round(phi); phi -= s."""
    check = partial(Check, "potential_stays_small")
    checks = []
    for name, frames in _sequences(theorem_generator("algorithm14", seed), 50).items():
        potential, largest, kept = None, 0.0, 0.0
        total, sent = np.zeros(50), np.zeros(50)
        for frame in frames:
            messages, potential = herding(frame[np.newaxis], potential)
            total, sent = total + frame, sent + messages[0]
            largest = max(largest, float(np.abs(potential).max()))
            kept = max(kept, _largest(sent + potential, total))
        checks += [
            check(f"{name} inputs: largest |phi|", largest, 0.5),
            check(f"{name} inputs: sum of inputs - sum of messages - phi", kept, 1e-10),
        ]
    return checks


def messages_are_whole_numbers(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 15: s = round(x); s - s_last is sent."""
    check = partial(Check, "integer_output")
    checks = []
    for name, frames in _sequences(theorem_generator("algorithm15", seed), 50).items():
        messages, _ = delta_herding(frames)
        found = _largest(messages, np.rint(messages))
        checks += [
            check(f"{name} inputs: distance from whole numbers", found, 0.0, "=="),
            check(
                f"{name} inputs: sum of all messages against the last rounded input",
                _largest(messages.sum(axis=0), np.rint(frames[-1])),
                0.0,
                "==",
            ),
        ]
    return checks


def herding_of_differences(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.10: herd(Delta(u)) = Delta(round(u)), where round(x + n) = round(x) + n for whole n.

    Rounding halves to even, as numpy and torch do, is not of this kind: 0.5 goes to 0 and 1.5 to
    2. Rounding halves up is. So inputs that are exactly half-way differ for the one, not the other.
    """
    check = partial(Check, "sequences_equal")
    generator = theorem_generator("eqB.10", seed)
    checks = [
        check(
            f"messages that differ, {name} real inputs",
            float(np.sum(_herded(frames) != delta_herding(frames)[0])),
            0.0,
            "==",
        )
        for name, frames in _sequences(generator, 50).items()
    ]
    ties = generator.integers(-8, 9, (FRAMES, 50)) / 2.0
    herded, rounded = _herded(ties), delta_herding(ties)[0]
    apart = np.cumsum(herded, axis=0) - np.cumsum(rounded, axis=0)
    up = _herded(ties, _half_up)
    return [
        *checks,
        check(
            "inputs on multiples of 1/2, halves to even: largest difference of a message",
            _largest(herded, rounded),
            2.0,
        ),
        check(
            "inputs on multiples of 1/2, halves to even: largest difference of the sums so far",
            float(np.abs(apart).max()),
            1.0,
        ),
        check(
            "inputs on multiples of 1/2, halves up: messages that differ",
            float(np.sum(up != temporal_difference(_half_up(ties))[0])),
            0.0,
            "==",
        ),
        check(
            "the exception: inputs on multiples of 1/2, halves to even (numpy, torch): messages "
            "that differ",
            float(np.sum(herded != rounded)),
            0.0,
            ">",
            "as_coded",
        ),
    ]


def _half_up(values: NDArray) -> NDArray:
    return np.floor(values + 0.5)


def _herded(frames: NDArray, rounding: Callable[[NDArray], NDArray] | None = None) -> NDArray:
    """herd(Delta(u)); with another ``rounding`` than numpy's by a loop of its own."""
    differences = temporal_difference(frames)[0]
    if rounding is None:
        return herding(differences)[0]
    potential, messages = np.zeros(frames.shape[1]), np.empty_like(differences)
    for time, difference in enumerate(differences):
        potential = potential + difference
        messages[time] = rounding(potential)
        potential = potential - messages[time]
    return messages


def modulation_gives_rounding(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.11: Sigma(w(herd(Delta(x)))) = w(round(x))."""
    generator = theorem_generator("eqB.11", seed)
    weight = generator.standard_normal((10, 50))
    checks = []
    for name, frames in _sequences(generator, 50).items():
        found = temporal_integration(_herded(frames) @ weight.T)[0]
        expected = np.rint(frames) @ weight.T
        text = f"{name} inputs: largest difference after {FRAMES} frames"
        checks.append(Check("outputs_equal", text, _largest(found, expected), 1e-10))
    return checks
