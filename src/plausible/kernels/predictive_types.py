"""What the compiled predictive coding networks consist of, and how it is made.

See ``plausible.kernels.predictive_network`` for the equations. Layers are numbered from the output
(0) to the input (L = l_max) as in Song et al. 2020.
"""

from typing import NamedTuple

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.blocks import SIGMOID, TANH, padded
from plausible.kernels.vectors import aligned_zeros

ACTIVATIONS = {"sigmoid": SIGMOID, "tanh": TANH}
METHODS = {"backprop": 0, "fixed_t": 1, "t_equals_l": 2, "fazil": 3}
NOISES = {"none": 0, "initial": 1, "persistent": 2}
OPTIMIZERS = {"sgd": 0, "adam": 1}
WIDTH = 8
"""Layers are stored with their width rounded up to a multiple of this."""


class SparseImages(NamedTuple):
    """Pixels of grey-level images that are not black.

    Those of image i are entries ``start[i]`` to ``start[i + 1]``; ``start`` int64 ``[images + 1]``,
    ``pixel`` int32, ``level`` uint8.
    """

    start: np.ndarray
    pixel: np.ndarray
    level: np.ndarray


class Rule(NamedTuple):
    """How the weights of a network change with a batch; see ``make_rule``."""

    method: int
    activation: int
    steps: int
    gamma: float
    noise: int
    sigma: float
    detection_steps: int
    optimizer: int
    rates: np.ndarray
    low: float
    high: float
    biased: bool


class Parameters(NamedTuple):
    """Weights of a network, padded with zeros; changed in place by ``train_epoch``.

    ``input_weights`` ``[pixels, width]`` is theta^L; ``weights`` and ``transposed``
    ``[L - 1, width, width]`` hold theta^(l+1) ``[n^(l+1), n^l]`` and its transpose at index l;
    ``biases`` ``[L, width]``; ``sizes`` n^0 to n^L.
    """

    input_weights: np.ndarray
    weights: np.ndarray
    transposed: np.ndarray
    biases: np.ndarray
    sizes: np.ndarray


class Moments(NamedTuple):
    """Adam's moving averages, first and second, of every array of ``Parameters``; empty for SGD."""

    input_weights: np.ndarray
    weights: np.ndarray
    biases: np.ndarray
    step: np.ndarray


class Workspace(NamedTuple):
    """Nodes of a batch, arrays ``[layers, batch, width]``, and products of a step."""

    x: np.ndarray
    mu: np.ndarray
    error: np.ndarray
    activity: np.ndarray
    due: np.ndarray
    quiet: np.ndarray
    message: np.ndarray
    change: np.ndarray
    input_change: np.ndarray


class Places(NamedTuple):
    """Addresses of arrays of ``Parameters`` and ``Workspace``, for what is done in every step.

    Compiled functions hand numbers on for nothing, arrays for a count of references each.
    """

    weights: int
    transposed: int
    biases: int
    x: int
    mu: int
    error: int
    activity: int
    message: int
    width: int
    layer: int
    """Bytes from the nodes of a layer to those of the next."""
    matrix: int
    """Bytes from a matrix to the next."""


def sparse_images(images: np.ndarray) -> SparseImages:
    """Non-black pixels of uint8 images ``[images, pixels]``."""
    row, pixel = np.nonzero(images)
    start = np.searchsorted(row, np.arange(len(images) + 1))
    return SparseImages(start.astype(np.int64), pixel.astype(np.int32), images[row, pixel])


def make_rule(
    method: str,
    layers: int,
    learning_rate: float,
    *,
    activation: str = "sigmoid",
    steps: int = 0,
    gamma: float = 1.0,
    noise: str = "none",
    sigma: float = 0.0,
    detection_steps: int = 4,
    optimizer: str = "sgd",
    layer_rates: tuple[float, ...] | None = None,
    low: float = 0.0,
    high: float = 1.0,
    biased: bool = False,
) -> Rule:
    """Learning rule of a network with ``layers`` = l_max weight matrices.

    Parameters
    ----------
    method:
        ``backprop`` (eq. 3-4); ``fixed_t``: inference learning, all matrices from the state after
        ``steps`` changes of the value nodes (algorithm 1, t_c); ``t_equals_l``: theta^(l+1) from
        the state at t = l (Z-IL, algorithm 2, where gamma = 1); ``fazil``: ``steps`` changes, each
        weight update from the error nodes for which phi fires: non-zero after at least
        ``detection_steps`` zeros (algorithm 3).
    gamma:
        Integration step of inference.
    noise, sigma:
        Ablation of C1: standard normal noise times sigma on the hidden value nodes at t = 0
        (``initial``, each layer around the prediction from the noisy layer above) or at every t
        (``persistent``).
    layer_rates:
        Factors of the learning rate of theta^1 .. theta^L; default 1.
    low, high:
        Targets of the wrong and of the right output.

    Raises
    ------
    StudyError
        If a name is unknown or a number out of range.
    """
    for value, known, what in (
        (method, METHODS, "method"),
        (activation, ACTIVATIONS, "activation"),
        (noise, NOISES, "noise"),
        (optimizer, OPTIMIZERS, "optimizer"),
    ):
        if value not in known:
            raise StudyError(f"{what} is {value!r}; known are {', '.join(known)}.")
    finite = np.isfinite([gamma, sigma, learning_rate, low, high]).all()
    in_range = gamma > 0 and sigma >= 0 and learning_rate > 0 and steps >= 0 and detection_steps > 0
    if not (finite and in_range):
        raise StudyError(
            f"gamma = {gamma}, learning rate = {learning_rate}, sigma = {sigma}, targets = {low} "
            f"and {high}, steps = {steps}, detection steps = {detection_steps}: expected are "
            "finite numbers, gamma and rate above 0, sigma and steps not below 0, detection steps "
            "not below 1."
        )
    factors = np.ones(layers) if layer_rates is None else np.asarray(layer_rates, dtype=float)
    if factors.shape != (layers,):
        raise StudyError(f"{len(factors)} layer rates were given for {layers} weight matrices.")
    return Rule(
        METHODS[method], ACTIVATIONS[activation], steps, float(gamma), NOISES[noise], float(sigma),
        detection_steps, OPTIMIZERS[optimizer], learning_rate * factors, float(low), float(high),
        biased,
    )  # fmt: skip


def pack(weights: list[np.ndarray], biases: list[np.ndarray] | None = None) -> Parameters:
    """Parameters from theta^1 .. theta^L, each ``[n^(l+1), n^l]``, and b^0 .. b^(L-1)."""
    sizes = [weights[0].shape[1], *(matrix.shape[0] for matrix in weights)]
    width = -(-max(sizes[:-1]) // WIDTH) * WIDTH
    layers = len(weights)
    packed = Parameters(
        aligned_zeros((sizes[-1], width)),
        aligned_zeros((layers - 1, width, width)),
        aligned_zeros((layers - 1, width, width)),
        aligned_zeros((layers, width)),
        np.array(sizes, dtype=np.int64),
    )
    packed.input_weights[:, : sizes[-2]] = weights[-1]
    for layer, matrix in enumerate(weights[:-1]):
        packed.weights[layer, : matrix.shape[0], : matrix.shape[1]] = matrix
        packed.transposed[layer, : matrix.shape[1], : matrix.shape[0]] = matrix.T
    for layer, bias in enumerate(biases or []):
        packed.biases[layer, : len(bias)] = bias
    return packed


def unpack(parameters: Parameters) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Copies of theta^1 .. theta^L and b^0 .. b^(L-1)."""
    sizes = parameters.sizes
    layers = len(parameters.biases)
    weights = [
        parameters.weights[layer, : sizes[layer + 1], : sizes[layer]].copy()
        for layer in range(layers - 1)
    ]
    weights.append(parameters.input_weights[:, : sizes[layers - 1]].copy())
    return weights, [parameters.biases[layer, : sizes[layer]].copy() for layer in range(layers)]


def make_moments(parameters: Parameters, rule: Rule) -> Moments:
    """Adam's averages at zero."""
    used = rule.optimizer == OPTIMIZERS["adam"]
    return Moments(
        *(
            np.zeros((2, *array.shape) if used else (2,) + (0,) * array.ndim)
            for array in (parameters.input_weights, parameters.weights, parameters.biases)
        ),
        np.zeros(1, dtype=np.int64),
    )


def make_workspace(parameters: Parameters, batch_size: int) -> Workspace:
    """Arrays for batches of up to ``batch_size`` images."""
    layers, width = parameters.biases.shape
    rows = padded(batch_size)
    x, mu, error, activity, due = (aligned_zeros((layers, rows, width)) for _ in range(5))
    return Workspace(
        x,
        mu,
        error,
        activity,
        due,
        np.zeros((layers, rows, width), dtype=np.int64),
        aligned_zeros((rows, width)),
        aligned_zeros((width, width)),
        aligned_zeros(parameters.input_weights.shape),
    )
