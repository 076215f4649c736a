"""What a proportional-derivative network consists of, and how it is made. Numpy only.

Layers are numbered from the input (0) to the output (L). Units of all layers stand in one row,
those of layer l from ``first[l]`` to ``first[l + 1]``; matrices one after the other, that from
layer l to l+1 [n_l, n_(l+1)] from ``first_weight[l]`` on. ``plausible.kernels.pdnn`` has the
equations.

Source: O'Connor 2020, chapter 5 and appendix C.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.errors import StudyError

UPDATES = ("reconstruction", "past", "future", "stdp")
"""See `learning.pd_updates`; ``stdp`` changes the weights in the same steps as ``future``."""
LAST, POTENTIAL, TRACE, DECODED = 0, 1, 2, 3
"""Rows of a `Side`: last value encoded, phi of the quantizer, reconstruction of what was sent, and
decoded sum of what was received."""
SMALLEST = 1e-20
"""Decaying values below it are set to 0: numbers of no consequence that would become denormal."""
LARGEST = 1e12
"""A value to be encoded that is larger is that of a network that has diverged."""


class Rule(NamedTuple):
    """How values are coded and weights change; see `make_rule`."""

    learning_rate: float
    k_alpha: float
    k_beta_relative: float
    tuning_rate: float
    update: int
    quantized: bool


class Side(NamedTuple):
    """What the neurons remember of one direction, forward or backward."""

    units: NDArray[np.float64]
    """[4, all units], see `LAST`."""
    scales: NDArray[np.float64]
    """k_beta and running magnitude mu of each layer, [2, L + 1]."""


class Network(NamedTuple):
    """Everything that training changes, in place."""

    sizes: tuple[int, ...]
    weights: NDArray[np.float64]
    biases: NDArray[np.float64]
    """[all units], those of the input stay 0."""
    forward: Side
    backward: Side
    areas: NDArray[np.float64]
    """Products after the last spike of either side, u of the past rule, as ``weights``."""

    @property
    def matrices(self) -> list[NDArray[np.float64]]:
        """Views of the matrices [n_l, n_(l+1)]."""
        return as_matrices(self.weights, self.sizes)


class Training(NamedTuple):
    """What a stretch of training did: spikes are counted with their number."""

    samples: int
    diverged: bool
    spikes: NDArray[np.int64]
    """sum |s| by layer, [L + 1]; 0 for the output, which sends nothing."""
    errors: NDArray[np.int64]
    """sum |e| by layer, [L + 1]; 0 for the input."""
    touched: NDArray[np.int64]
    """Entries of the matrix above a layer that an event-based update would change, [L + 1]."""


class Predictions(NamedTuple):
    """Outputs of a network for a sequence of samples."""

    classes: NDArray[np.int64]
    """Largest output, [samples]; -1 once the network diverged."""
    spikes: NDArray[np.int64]
    """sum |s| by sample and layer, [samples, L + 1]."""


class Work(NamedTuple):
    """Arrays that a sample fills anew; of units, where nothing else is said."""

    spikes: NDArray[np.float64]
    before: NDArray[np.float64]
    """Reconstructions before the spikes of the sample."""
    inputs: NDArray[np.float64]
    errors: NDArray[np.float64]
    behind: NDArray[np.float64]
    """The same as ``before`` of the errors."""
    sums: NDArray[np.float64]
    """Of a layer, [widest layer]."""
    active: NDArray[np.int64]
    """Units that spike; those of a layer from its first unit on."""
    failed: NDArray[np.int64]
    """The same of the errors."""
    numbers: NDArray[np.int64]
    """How many of them, by layer."""
    error_numbers: NDArray[np.int64]
    seen: NDArray[np.bool_]
    """Whether a unit has ever spiked; of others, all products are 0."""


def make_rule(
    learning_rate: float = 0.01,
    k_alpha: float = 0.9,
    k_beta_relative: float = 0.91,
    tuning_rate: float = 0.001,
    *,
    update: str = "past",
    quantized: bool = True,
) -> Rule:
    """Rule of a network.

    Parameters
    ----------
    learning_rate:
        eta.
    k_alpha, k_beta_relative, tuning_rate:
        Of the codes of all layers, forward and backward (see `neurons.pd_coding.Tuning`); with a
        ``tuning_rate`` of 0 k_beta is ``k_beta_relative`` throughout.
    update:
        One of `UPDATES`; ``future`` is the fastest, ``past`` that of the author's code. Their sums
        are the same once a stream has ended (`flush`).
    quantized:
        False: values are sent as they are encoded.

    Raises
    ------
    StudyError
        If a number is out of range or the update unknown.
    """
    if update not in UPDATES:
        raise StudyError(
            f"PDNN: found the update {update!r}, expected one of {', '.join(UPDATES)}."
        )
    numbers = (learning_rate, k_alpha, k_beta_relative, tuning_rate)
    fits = np.isfinite(numbers).all() and learning_rate > 0 and k_beta_relative > 0
    if not (fits and 0 <= k_alpha < 1 and 0 <= tuning_rate <= 1):
        raise StudyError(
            f"PDNN: found learning rate {learning_rate}, k_alpha {k_alpha}, k_beta_relative "
            f"{k_beta_relative} and tuning rate {tuning_rate}; expected are finite numbers, rate "
            "and k_beta_relative above 0, k_alpha from 0 to below 1, tuning rate from 0 to 1."
        )
    return Rule(*map(float, numbers), UPDATES.index(update), bool(quantized))


def starts(sizes: Sequence[int]) -> NDArray[np.int64]:
    """First unit of each layer, and the number of all units, [L + 2]."""
    return np.cumsum([0, *sizes])


def weight_starts(sizes: Sequence[int]) -> NDArray[np.int64]:
    """First entry of each matrix, and the number of all entries, [L + 1]."""
    sizes = np.asarray(sizes, np.int64)
    return np.cumsum([0, *(sizes[:-1] * sizes[1:])])


def as_matrices(flat: NDArray, sizes: Sequence[int]) -> list[NDArray]:
    """Views of flat weights as [n_l, n_(l+1)]."""
    edges = weight_starts(sizes)
    return [
        flat[edges[layer] : edges[layer + 1]].reshape(sizes[layer], sizes[layer + 1])
        for layer in range(len(sizes) - 1)
    ]


def fresh_side(sizes: Sequence[int], rule: Rule, magnitude: float = 1.0) -> Side:
    """A direction in which nothing has been sent yet."""
    scales = np.full((2, len(sizes)), magnitude)
    scales[0] = rule.k_beta_relative
    return Side(np.zeros((4, sum(sizes))), scales)


def make_network(
    weights: Sequence[NDArray], rule: Rule, biases: Sequence[NDArray] | None = None
) -> Network:
    """A network with copies of ``weights`` [n_l, n_(l+1)] and ``biases`` [n_(l+1)] (None: zeros).

    Raises
    ------
    StudyError
        If matrices do not follow each other, or biases do not fit them.
    """
    matrices = [np.array(matrix, np.float64, order="C") for matrix in weights]
    chained = bool(matrices) and all(matrix.ndim == 2 for matrix in matrices)
    chained = chained and all(
        one.shape[1] == two.shape[0] for one, two in zip(matrices, matrices[1:], strict=False)
    )
    if not chained:
        shapes = ", ".join(str(matrix.shape) for matrix in matrices) or "none"
        raise StudyError(f"PDNN: found matrices {shapes}, expected [inputs, units] in a chain.")
    sizes = (len(matrices[0]), *(matrix.shape[1] for matrix in matrices))
    given = [np.zeros(size) for size in sizes[1:]] if biases is None else list(biases)
    if [np.shape(bias) for bias in given] != [(size,) for size in sizes[1:]]:
        raise StudyError(
            f"PDNN: found biases of the shapes {[np.shape(bias) for bias in given]}, expected "
            f"{[(size,) for size in sizes[1:]]}."
        )
    flat = np.concatenate([matrix.ravel() for matrix in matrices])
    return Network(
        sizes,
        flat,
        np.concatenate([np.zeros(sizes[0]), *given]).astype(np.float64),
        fresh_side(sizes, rule),
        fresh_side(sizes, rule),
        np.zeros_like(flat),
    )


def flush(network: Network, rule: Rule) -> None:
    """End a stream: weights learn what its spikes would still add, and neurons forget it.

    Without further spikes the product of two reconstructions decays by r = k_alpha^2 a step, and
    the area under it that is still open is

        reconstruction   r / (1 - r) times the product now
        past             1 / (1 - r) times the product after the last spike of either side

    (O'Connor 2020, sections 5.3.6 and C.4). ``future`` and ``stdp`` leave nothing open. Scales of
    codes stay.
    """
    first, r = starts(network.sizes), rule.k_alpha**2
    areas = as_matrices(network.areas, network.sizes)
    for layer, (matrix, area) in enumerate(zip(network.matrices, areas, strict=True)):
        begin, end, beyond = first[layer : layer + 3]
        match UPDATES[rule.update]:
            case "reconstruction":
                pre, post = network.forward.units[TRACE], network.backward.units[TRACE]
                open_area = r * np.outer(pre[begin:end], post[end:beyond])
            case "past":
                open_area = area
            case _:
                continue
        matrix -= rule.learning_rate / (1.0 - r) * open_area
    for memory in (network.areas, network.forward.units, network.backward.units):
        memory[...] = 0.0


def initial_weights(sizes: Sequence[int], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Normal, of variance 2 / (n_l + n_(l+1)), as the author draws them, [n_l, n_(l+1)]."""
    return [
        rng.standard_normal((below, above)) * np.sqrt(2.0 / (below + above))
        for below, above in zip(sizes, sizes[1:], strict=False)
    ]


def check_samples(network: Network, inputs: NDArray, white: float, labels: NDArray | None) -> None:
    """Raise StudyError unless the samples fit the network."""
    if inputs.ndim != 2 or inputs.shape[1] != network.sizes[0] or not white > 0:
        raise StudyError(
            f"PDNN: found inputs of the shape {inputs.shape} and white {white}, expected [samples, "
            f"{network.sizes[0]}] and a positive number."
        )
    if labels is not None and (
        labels.shape != (len(inputs),)
        or not np.issubdtype(labels.dtype, np.integer)
        or (len(labels) and not 0 <= labels.min() <= labels.max() < network.sizes[-1])
    ):
        raise StudyError(
            f"PDNN: found labels of the shape {labels.shape}, expected a whole number from 0 to "
            f"{network.sizes[-1] - 1} for each of {len(inputs)} samples."
        )
