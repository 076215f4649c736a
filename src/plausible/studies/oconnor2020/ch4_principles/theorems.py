"""Theorems of chapter 4 and appendix B of O'Connor 2020: networks that send differences.

One function per published entry; it takes the settings and a seed and returns its checks. All
arithmetic is in float64 unless it is in whole numbers. Sequences are random walks, so that frames
resemble their neighbours without being equal, or independent frames, which resemble nothing.
"""

from collections.abc import Callable
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray

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
from plausible.reproduction.theorem_checks import Check, checks
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import correlated_frames
from plausible.studies.oconnor2020.ch4_principles.theorems_scales import (
    SIZES,
    differing,
    random_parameters,
    theorem_generator,
)

FRAMES = 300
IMAGE = (8, 8)
CUTS = (0, 1, 2, 57, 200, FRAMES)
"""Where a sequence is cut when it is given in pieces."""


def _sequences(generator: np.random.Generator, units: int) -> dict[str, NDArray]:
    """A slow and an independent sequence of an amplitude of a few units, [frames, units]."""
    noise = generator.standard_normal((FRAMES, units))
    return {"slow": 3.0 * correlated_frames(noise, 0.99), "independent": 3.0 * noise}


def _convolution(kernel: NDArray) -> Callable[[NDArray], NDArray]:
    """Valid cross-correlation of images [frames, rows * columns] with ``kernel``, flattened."""

    def convolve(frames: NDArray) -> NDArray:
        images = frames.reshape(len(frames), *IMAGE)
        windows = np.lib.stride_tricks.sliding_window_view(images, kernel.shape, axis=(1, 2))
        return np.einsum("nrcij,ij->nrc", windows, kernel).reshape(len(frames), -1)

    return convolve


def _largest(found: ArrayLike, expected: ArrayLike) -> float:
    return float(np.abs(np.subtract(found, expected)).max())


def first_output_is_the_first_input(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 4: y = x - x_last, from x_last = 0, with a state that persists."""
    found = {}
    for name, frames in _sequences(theorem_generator("algorithm4", seed), 9).items():
        first = _largest(temporal_difference(frames)[0][0], frames[0])
        state, pieces = None, []
        for begin, end in pairwise(CUTS):
            piece, state = temporal_difference(frames[begin:end], state)
            pieces.extend(piece)
        slow = [frames[0], *(frame - before for before, frame in pairwise(frames))]
        found[f"{name} frames: first output against first input, largest difference"] = first
        text = f"{name} frames: all outputs, given in pieces, against a loop"
        found[text] = _largest(pieces, slow)
    return checks("first_output_is_first_input", 0.0, found, "==")


def integration_inverts_difference(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 5: y = y + x; the running sum of the differences is the input."""
    found = {}
    for name, frames in _sequences(theorem_generator("algorithm5", seed), 9).items():
        text = f"{name} frames: integral of the difference against the frames, largest difference"
        found[text] = _largest(temporal_integration(temporal_difference(frames)[0])[0], frames)
    return checks("integral_of_difference", 1e-12, found)


def difference_commutes(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.1: Delta(w(Sigma(x))) = w(x), and so Sigma(w(Delta(x))) = w(x), for linear w."""
    generator = theorem_generator("eq4.1", seed)
    weight = generator.standard_normal((10, IMAGE[0] * IMAGE[1]))
    kernel = generator.standard_normal((3, 3))
    maps = {"matrix": lambda frames: frames @ weight.T, "convolution": _convolution(kernel)}
    found = {}
    for name, frames in _sequences(generator, IMAGE[0] * IMAGE[1]).items():
        for kind, linear in maps.items():
            inner = temporal_difference(linear(temporal_integration(frames)[0]))[0]
            outer = temporal_integration(linear(temporal_difference(frames)[0]))[0]
            where = f"against w(x): {kind}, {name} frames"
            found[f"Δ(w(Σ(x))) {where}"] = _largest(inner, linear(frames))
            found[f"Σ(w(Δ(x))) {where}"] = _largest(outer, linear(frames))
    return checks("commutes_with_linear_maps", 1e-10, found)


def temporal_difference_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 4.4.1: pairs of integration and difference leave the function as it was."""
    generator = theorem_generator("temporal_difference_network", seed)
    layers = dense_network(*random_parameters(generator, bias_deviation=1.0))
    found = {}
    for name, frames in _sequences(generator, SIZES[0]).items():
        ours, original = run(layers, frames, "temporal_difference"), run(layers, frames, "original")
        text = f"outputs against those of the original network, {name} frames, largest difference"
        found[text] = _largest(ours.outputs, original.outputs)
    return checks("outputs_equal", 1e-10, found)


def sigma_delta_network(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 4.2: rounding before the difference makes outputs those of the rounding network."""
    check = partial(Check, "outputs_equal_in_any_order")
    generator = theorem_generator("eq4.2", seed)
    layers = dense_network(*random_parameters(generator, bias_deviation=1.0))
    whole = _whole_number_network(generator)
    found = []
    for name, frames in _sequences(generator, SIZES[0]).items():
        rounding = run(layers, frames, "rounding").outputs
        order = generator.permutation(FRAMES)
        literal = run(layers, frames, "sigma_delta_herding").outputs
        shuffled = run(layers, frames[order], "sigma_delta_herding").outputs
        exact = [run(whole, frames, kind).outputs for kind in ("sigma_delta_herding", "rounding")]
        text = "outputs against those of the rounding network, largest difference"
        found += [
            check(f"{name} frames: {text}", _largest(literal, rounding), 1e-10),
            check(f"{name} frames, shuffled: {text}", _largest(shuffled, rounding[order]), 1e-10),
            check(f"{name} frames, whole weights: {text}", _largest(*exact), 0.0, "=="),
        ]
    return found


def _whole_number_network(generator: np.random.Generator) -> tuple[Layer, ...]:
    """A ReLU network whose weights, biases and sums are whole numbers, added without rounding."""
    weights = [generator.integers(-3, 4, (above, below)) for below, above in pairwise(SIZES)]
    biases = [generator.integers(-5, 6, size) for size in SIZES[1:]]
    return dense_network(weights, biases, output="relu")


def herding_keeps_its_potential_small(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 14: phi += x; s = round(phi); phi -= s."""
    check = partial(Check, "potential_stays_small")
    found = []
    for name, frames in _sequences(theorem_generator("algorithm14", seed), 50).items():
        potential, largest, kept = None, 0.0, 0.0
        total, sent = np.zeros(50), np.zeros(50)
        for frame in frames:
            messages, potential = herding(frame[np.newaxis], potential)
            total, sent = total + frame, sent + messages[0]
            largest = max(largest, float(np.abs(potential).max()))
            kept = max(kept, _largest(sent + potential, total))
        found += [
            check(f"{name} inputs: largest |phi|", largest, 0.5),
            check(f"{name} inputs: sum of inputs - sum of messages - phi", kept, 1e-10),
        ]
    return found


def messages_are_whole_numbers(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Algorithm 15: s = round(x); s - s_last is sent."""
    found = {}
    for name, frames in _sequences(theorem_generator("algorithm15", seed), 50).items():
        messages, _ = delta_herding(frames)
        last = _largest(messages.sum(axis=0), np.rint(frames[-1]))
        found[f"{name} inputs: distance from whole numbers"] = _largest(messages, np.rint(messages))
        found[f"{name} inputs: sum of all messages against the last rounded input"] = last
    return checks("integer_output", 0.0, found, "==")


def herding_of_differences(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. B.10: herd(Delta(u)) = Delta(round(u)), where round(x + n) = round(x) + n for whole n.

    Rounding halves to even, as numpy and torch do, is not of this kind: 0.5 goes to 0 and 1.5 to
    2. Rounding halves up is. So inputs that are exactly half-way differ for the one, not the other.
    """
    check = partial(Check, "sequences_equal")
    generator = theorem_generator("eqB.10", seed)
    real = {
        f"messages that differ, {name} real inputs": differing(
            _herded(frames), delta_herding(frames)[0]
        )
        for name, frames in _sequences(generator, 50).items()
    }
    ties = generator.integers(-8, 9, (FRAMES, 50)) / 2.0
    herded, rounded = _herded(ties), delta_herding(ties)[0]
    sums = (np.cumsum(messages, axis=0) for messages in (herded, rounded))
    up = differing(_herded(ties, _half_up), temporal_difference(_half_up(ties))[0])
    inputs = "inputs on multiples of 1/2, halves"
    exception = f"the exception: {inputs} to even (numpy, torch): messages that differ"
    return [
        *checks("sequences_equal", 0.0, real, "=="),
        check(f"{inputs} to even: largest difference of a message", _largest(herded, rounded), 2.0),
        check(f"{inputs} to even: largest difference of the sums so far", _largest(*sums), 1.0),
        check(f"{inputs} up: messages that differ", up, 0.0, "=="),
        check(exception, differing(herded, rounded), 0.0, ">", "as_coded"),
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
    found = {}
    for name, frames in _sequences(generator, 50).items():
        sums = temporal_integration(_herded(frames) @ weight.T)[0]
        text = f"{name} inputs: largest difference after {FRAMES} frames"
        found[text] = _largest(sums, np.rint(frames) @ weight.T)
    return checks("outputs_equal", 1e-10, found)
