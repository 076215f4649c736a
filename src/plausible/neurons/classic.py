"""The neurons of deep learning: artificial, continuous-time and stochastic ones. Numpy only.

Source: O'Connor 2020, chapter 1: eq. 1.1 (artificial neuron), 1.7-1.8 (continuous time), section
1.1.4 (stochastic units). Arrays are ``[..., units]``; weights ``[inputs, units]``.
"""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

import numpy as np

from plausible.errors import StudyError

Nonlinearity = Callable[[np.ndarray], np.ndarray]
Noise = Literal["dropout", "gaussian"]
NOISES = ("dropout", "gaussian")


def _relu(drive: np.ndarray) -> np.ndarray:
    return np.maximum(drive, 0.0)


def _logistic(drive: np.ndarray) -> np.ndarray:
    # exp of a negative number only, so that nothing overflows.
    small = np.exp(-np.abs(drive))
    return np.where(drive >= 0, 1.0, small) / (1.0 + small)


NONLINEARITIES: dict[str, Nonlinearity] = {
    "identity": np.array,
    "relu": _relu,
    "sigmoid": _logistic,
    "tanh": np.tanh,
}
"""h of eq. 1.1 by its name."""


def nonlinearity(name: str) -> Nonlinearity:
    """Function h named ``name``; StudyError if there is none."""
    if name not in NONLINEARITIES:
        raise StudyError(
            f"neuron: the nonlinearity is {name!r}, expected one of {', '.join(NONLINEARITIES)}."
        )
    return NONLINEARITIES[name]


class Layer(NamedTuple):
    """Neurons with common inputs."""

    weights: np.ndarray
    """w, ``[inputs, units]``."""
    biases: np.ndarray
    """b, ``[units]``."""
    nonlinearity: str = "relu"


def drive(layer: Layer, inputs: np.ndarray) -> np.ndarray:
    """sum_i x_i w_i + b of every neuron, ``[..., units]``."""
    return np.asarray(inputs) @ np.asarray(layer.weights) + layer.biases


def respond(layer: Layer, inputs: np.ndarray) -> np.ndarray:
    """Output of artificial neurons, h(sum_i x_i w_i + b) (eq. 1.1)."""
    return nonlinearity(layer.nonlinearity)(drive(layer, inputs))


def respond_all(layers: Sequence[Layer], inputs: np.ndarray) -> np.ndarray:
    """Output of layers one after another (eq. 1.2 takes the loss of this)."""
    for layer in layers:
        inputs = respond(layer, inputs)
    return np.asarray(inputs)


def collapse(layers: Sequence[Layer]) -> Layer:
    """The one layer that computes the same as several linear ones.

    Raises
    ------
    StudyError
        If a layer is not linear: then there is none in general.
    """
    if not layers or any(layer.nonlinearity != "identity" for layer in layers):
        raise StudyError("collapse: one or more layers are expected, all with 'identity'.")
    weights, biases = layers[0].weights, layers[0].biases
    for layer in layers[1:]:
        weights, biases = weights @ layer.weights, biases @ layer.weights + layer.biases
    return Layer(weights, biases, "identity")


def relax(
    targets: np.ndarray, start: np.ndarray, step: float, method: Literal["exact", "euler"] = "exact"
) -> np.ndarray:
    """States of continuous-time neurons, ds/dt = target(t) - s (eq. 1.8), ``[steps + 1, ...]``.

    ``targets`` ``[steps, ...]`` are h(sum_i x_i w_i + b), constant within a step; time is in units
    of the time constant. ``exact``: s(t + step) = target + (s - target) exp(-step); ``euler``:
    s + step (target - s).

    Raises
    ------
    StudyError
        If the method is unknown, or the step is not positive or (euler) above 2, where it diverges.
    """
    if method not in ("exact", "euler"):
        raise StudyError(f"relax: the method is {method!r}, expected 'exact' or 'euler'.")
    if not step > 0 or (method == "euler" and step > 2):
        raise StudyError(
            f"relax: the step is {step} time constants, expected a positive number"
            f"{' of 2 at most' if method == 'euler' else ''}."
        )
    fraction = -np.expm1(-step) if method == "exact" else step
    states = [np.asarray(start, np.float64)]
    for target in np.asarray(targets, np.float64):
        states.append(states[-1] + fraction * (target - states[-1]))
    return np.stack(states)


def settle(
    layer: Layer,
    inputs: np.ndarray,
    start: np.ndarray,
    step: float = 0.1,
    steps: int = 400,
) -> np.ndarray:
    """States ``[steps + 1, ..., units]`` of continuous-time neurons with constant inputs.

    The steady state is that of the artificial neuron of eq. 1.1; the distance from it falls as
    exp(-t).
    """
    target = respond(layer, inputs)
    return relax(np.broadcast_to(target, (steps, *target.shape)), start, step)


def multiplicative_noise(
    shape: tuple[int, ...],
    rng: np.random.Generator,
    kind: Noise = "dropout",
    keep: float = 0.5,
    mean: float = 1.0,
    variance: float = 1.0,
) -> np.ndarray:
    """Noise by which the outputs of stochastic units are multiplied (section 1.1.4).

    - ``dropout``: 1 / keep with probability ``keep``, else 0, so that the mean is 1;
    - ``gaussian``: normal; the thesis prints N(1, 1).

    Raises
    ------
    StudyError
        If the kind is unknown, ``keep`` not in (0, 1], or the variance negative.
    """
    if kind not in NOISES:
        raise StudyError(f"noise: the kind is {kind!r}, expected one of {', '.join(NOISES)}.")
    if not 0 < keep <= 1 or variance < 0:
        raise StudyError(
            f"noise: keep = {keep} and variance = {variance} were found, where keep in (0, 1] and "
            "a variance of 0 or more are expected."
        )
    if kind == "dropout":
        return (rng.random(shape) < keep) / keep
    return mean + np.sqrt(variance) * rng.standard_normal(shape)


def respond_with_noise(layer: Layer, inputs: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """Output h(sum_i x_i w_i + b) * noise of stochastic units.

    The noise is an input like any other (the "reparameterisation trick"): the output is a
    differentiable function of inputs, weights and biases, so gradients pass through.
    """
    return respond(layer, inputs) * noise


def noisy_gradients(
    layer: Layer, inputs: np.ndarray, noise: np.ndarray, error: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gradients by weights, biases and inputs of a loss whose gradient by the output is ``error``.

    All of ``[batch, units]``; gradients are sums over the batch. delta = error * noise * h'(drive).
    """
    delta = error * noise * _slope(layer, inputs)
    return np.asarray(inputs).T @ delta, delta.sum(axis=0), delta @ np.asarray(layer.weights).T


def _slope(layer: Layer, inputs: np.ndarray) -> np.ndarray:
    values = respond(layer, inputs)
    slopes: dict[str, Nonlinearity] = {
        "identity": np.ones_like,
        "relu": lambda value: (value > 0).astype(value.dtype),
        "sigmoid": lambda value: value * (1.0 - value),
        "tanh": lambda value: 1.0 - value**2,
    }
    return slopes[layer.nonlinearity](values)
