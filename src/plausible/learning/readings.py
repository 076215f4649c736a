"""Readings of what Song et al. 2020 leave open: initial weights, input scaling, targets, reduction.

Section 5.1 refers to Whittington and Bogacz 2017 for the set-up, which differs from the paper's in
several points, so each reading is a set of choices with a name in the study file.
"""

from typing import Literal

import numpy as np

from plausible.seeds import numpy_generator
from plausible.settings import Positive, Settings

Init = Literal[
    "xavier_uniform",
    "xavier_normal",
    "uniform",
    "normal",
    "fan_in_uniform",
    "fan_in_normal",
    "orthogonal",
]
MNIST_MEAN, MNIST_STD = 0.1307, 0.3081
LEVELS = 256


class Reading(Settings):
    """One set of choices; a study file states those that differ from the defaults."""

    init: Init = "xavier_uniform"
    """Distribution of the initial weights, see ``initial_weights``."""
    gain: float = 1.0
    """Factor of the initial weights."""
    output_gain: float = 1.0
    """Further factor of theta^1, the output matrix."""
    hidden_gain: float = 1.0
    """Further factor of the matrices between hidden layers."""
    input_gain: float = 1.0
    """Further factor of theta^{l_max}, the input matrix."""
    biases: bool = False
    """Whether biases (initially zero) are learned."""
    inputs: Literal["raw", "sigmoid", "standardised"] = "raw"
    """``raw`` grey levels in [0, 1]; ``sigmoid`` f of them, as eq. 1 is printed; ``standardised``
    by the mean and deviation of MNIST."""
    low: float = 0.0
    """Target of the wrong outputs."""
    high: float = 1.0
    """Target of the right output."""
    activation: Literal["sigmoid", "tanh"] = "sigmoid"
    """f."""
    reduction: Literal["sum", "mean"] = "sum"
    """Whether updates are summed or averaged over the batch."""
    learning_rate: Positive = 0.001
    """alpha."""


def initial_weights(
    reading: Reading, sizes: tuple[int, ...], stream: str, seed: int
) -> list[np.ndarray]:
    """theta^1 .. theta^{l_max}, each ``[n^{l+1}, n^l]``, for layer sizes n^0 .. n^{l_max}.

    The numbers drawn depend on the stream, the seed and the sizes only, so that readings that
    differ in scale start from the same directions. With n_in, n_out the sizes of a matrix and g its
    gain:

    =================  ==============================================
    ``xavier_uniform``  uniform within g sqrt(6 / (n_in + n_out))
    ``xavier_normal``   normal of std g sqrt(2 / (n_in + n_out))
    ``uniform``         uniform within g
    ``normal``          normal of std g
    ``fan_in_uniform``  uniform within g / sqrt(n_in)
    ``fan_in_normal``   normal of std g / sqrt(n_in)
    ``orthogonal``      orthonormal rows or columns, times g
    =================  ==============================================
    """
    layers = len(sizes) - 1
    generator = numpy_generator(stream, "init", seed, layers)
    weights = []
    for layer in range(layers):
        outgoing, incoming = sizes[layer], sizes[layer + 1]
        shape = (incoming, outgoing)
        normal = reading.init.endswith("normal") or reading.init == "orthogonal"
        matrix = generator.standard_normal(shape) if normal else generator.uniform(-1, 1, shape)
        if reading.init == "orthogonal":
            factor, _ = np.linalg.qr(matrix if incoming >= outgoing else matrix.T)
            matrix = factor if incoming >= outgoing else factor.T
        scale = {
            "xavier_uniform": np.sqrt(6.0 / (incoming + outgoing)),
            "xavier_normal": np.sqrt(2.0 / (incoming + outgoing)),
            "fan_in_uniform": 1.0 / np.sqrt(incoming),
            "fan_in_normal": 1.0 / np.sqrt(incoming),
        }.get(reading.init, 1.0)
        further = (
            reading.output_gain
            if layer == 0
            else reading.input_gain
            if layer == layers - 1
            else reading.hidden_gain
        )
        weights.append(np.ascontiguousarray(matrix) * (scale * reading.gain * further))
    return weights


def input_table(reading: Reading, white: int) -> np.ndarray:
    """Input of the network for every grey level 0 .. 255, ``white`` being 1.0: float64 [256]."""
    level = np.arange(LEVELS) / white
    if reading.inputs == "sigmoid":
        return 1.0 / (1.0 + np.exp(-level))
    if reading.inputs == "standardised":
        return (level - MNIST_MEAN) / MNIST_STD
    return level


def update_rate(reading: Reading, batch_size: int) -> float:
    """Factor of an update that is summed over the batch."""
    return reading.learning_rate / (batch_size if reading.reduction == "mean" else 1)
