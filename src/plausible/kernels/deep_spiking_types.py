"""What a deep spiking network consists of, and how it is made. Numpy only.

Layers are numbered from the input (0) to the output (L); ``weights[l]`` ``[n_l, n_(l+1)]`` leads
from layer l to l+1. There are no biases. See ``plausible.kernels.deep_spiking`` for the equations.

Source: O'Connor 2020, chapter 3 and appendix A.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from plausible.errors import StudyError
from plausible.kernels.event_router import ROUTINGS

UPDATES = ("sgd", "fsgd")
BACK_RESETS = {"none": 0, "zero": 1, "random": 2}
ROUTINGS_AS_CODED = (*ROUTINGS, "depth_first_as_coded")
ARITHMETICS = ("float64", "integer", "integer_as_coded")
SPIKES_PER_UNIT = 64
"""A unit that spikes more often on average of its layer in one step has diverged."""


class Rule(NamedTuple):
    """How spikes are made and weights change; see `make_rule`.

    ``unit`` is what a spike takes off a potential, ``half`` the threshold (``half_below`` that of
    negative error spikes), ``rate`` what a spike of the layer below adds to the step of a weight:
    1, 1/2 and eta / T^2, or in integer arithmetic T^2 / eta, half of it, and 1.
    """

    steps: int
    unit: float | int
    half: float | int
    half_below: float | int
    rate: float | int
    penalty: float | int
    fractional: bool
    smooth: bool
    depth_first: bool
    as_coded: bool
    hold_error: bool
    back_reset: int


class FlatNetwork(NamedTuple):
    """The arrays of a `Network` as the compiled loops take them, whatever the number of layers.

    ``weights`` one matrix after the other, row by row, that of layer l from ``first[l]`` to
    ``first[l + 1]``; ``transposed`` likewise, with ``first_transposed``; ``back`` ``[L, widest]``.
    """

    weights: np.ndarray
    transposed: np.ndarray
    back: np.ndarray
    first: np.ndarray
    first_transposed: np.ndarray


class Network(NamedTuple):
    """Everything that training changes, in place.

    ``transposed[l]`` is the transpose of ``weights[l]``, empty for l = 0, which nothing is sent
    back through. ``back[l]`` ``[n_l]`` is the potential of the quantizer of error spikes of layer
    l; it outlives a sample unless the rule resets it. All of them are views of ``flat``.
    """

    weights: tuple[np.ndarray, ...]
    transposed: tuple[np.ndarray, ...]
    back: tuple[np.ndarray, ...]
    flat: FlatNetwork

    @property
    def sizes(self) -> tuple[int, ...]:
        """Units per layer, the input first."""
        return (len(self.weights[0]), *(matrix.shape[1] for matrix in self.weights))


class SpikeTrains(NamedTuple):
    """Input spikes of a data set, which do not depend on the weights.

    Those of sample s in step t are entries ``start[s, t]`` to ``start[s, t + 1]`` of ``code``, in
    the order in which they are dispatched: i for a positive spike of unit i, -1 - i for a negative
    one. ``values`` ``[samples, n_0]`` divided by ``white`` are the values that they code.
    """

    start: np.ndarray
    code: np.ndarray
    values: np.ndarray
    white: float | int


class Training(NamedTuple):
    """What a stretch of training did.

    ``samples`` done, fewer than asked for if the network diverged (more spikes than
    ``SPIKES_PER_UNIT`` allows, or a number that is not finite); ``spikes`` int64 ``[L + 1]`` of the
    layers; ``errors`` int64 ``[L + 1]`` error spikes emitted towards a layer, ``passed`` those that
    its gate let through.
    """

    samples: int
    diverged: bool
    spikes: np.ndarray
    errors: np.ndarray
    passed: np.ndarray


class Predictions(NamedTuple):
    """Running outputs of a network.

    ``outputs`` ``[samples, steps, n_L]``: sum of the rows of the last matrix that spikes up to and
    including a step select; divided by unit * t it is the output after t steps. ``classes`` int64
    ``[samples, steps]``: the largest output, -1 once the sample diverged. ``spikes`` int64
    ``[samples, steps, L]``: spikes of input and hidden layers in each step.
    """

    outputs: np.ndarray
    classes: np.ndarray
    spikes: np.ndarray


def make_rule(
    steps: int = 10,
    learning_rate: float = 0.01,
    *,
    update: str = "fsgd",
    smooth: bool = False,
    routing: str = "breadth_first",
    hold_error: bool = True,
    back_reset: str = "none",
    regularisation: float = 0.0,
    arithmetic: str = "float64",
) -> Rule:
    """Rule of a spiking network.

    Parameters
    ----------
    steps:
        Time steps T of a sample.
    learning_rate:
        eta. A weight moves by eta / T^2 for each pair of an input and an error spike. (Eq. 3.6 and
        3.7 print eta / T, algorithm 13 prints eta: but both counts are T times a rate.)
    update:
        ``sgd``: at the end of a sample, by the product of both counts (eq. 3.6). ``fsgd``: at each
        error spike, by the input spikes so far (fractional updates, eq. 3.7).
    smooth:
        The counts of input spikes are replaced by the rectified running sums that the spikes
        quantize (section A.5).
    routing, hold_error:
        ``breadth_first``: all spikes of a layer in a step are emitted before one acts on the next
        layer. ``depth_first``: each acts at once. If the error is held, output and target spikes
        are counted against each other in each step, and the differences are sent back; otherwise
        each is sent back for itself. With a held error both routings give the same spikes. (Table
        A.1 says depth first where it means depth first and not held.) In both, FSGD sends an error
        spike back through the weights as they were before it changed them, and a spike counts from
        its emission on. ``depth_first_as_coded`` keeps the order in which the author's depth-first
        router serves modules: the update first, so that the changed weights send the error spike
        back; and a spike (smooth: the input of the step) counts after all that it causes, which
        matters where the error is not held. For SGD it is the same as depth first.
    back_reset:
        What happens to the quantizers of errors at the start of a sample: ``none``, ``zero``, or
        ``random``, uniform between -1/2 and 1/2.
    regularisation:
        A spike of a layer counts as an error spike of this size in the update of the weights to
        the spiking unit.
    arithmetic:
        ``integer``: weights and thresholds are scaled by T^2 / eta, which has to be a whole number;
        what is left are additions, comparisons and look-ups of integers (section 3.6). There a sum
        can meet the threshold, and silence at exactly 1/2 and -1/2 is our reading. With
        ``integer_as_coded`` the quantizers of errors emit a negative spike at exactly -1/2, as the
        author's integer herder does (his real one is silent at both).

    Raises
    ------
    StudyError
        If a name is unknown, a number out of range, or a rule has no integer form.
    """
    for value, known, what in (
        (update, UPDATES, "update"),
        (routing, ROUTINGS_AS_CODED, "routing"),
        (back_reset, BACK_RESETS, "back_reset"),
        (arithmetic, ARITHMETICS, "arithmetic"),
    ):
        if value not in known:
            raise StudyError(f"{what} is {value!r}; known are {', '.join(known)}.")
    in_range = steps >= 1 and learning_rate > 0 and regularisation >= 0
    if not (in_range and np.isfinite([learning_rate, regularisation]).all()):
        raise StudyError(
            f"steps = {steps}, learning rate = {learning_rate}, regularisation = {regularisation}: "
            "expected are finite numbers, steps at least 1, rate above 0, regularisation not below."
        )
    flags = (
        update == "fsgd",
        bool(smooth),
        routing != "breadth_first",
        routing == "depth_first_as_coded",
        bool(hold_error),
        BACK_RESETS[back_reset],
    )
    if arithmetic == "float64":
        rate = learning_rate / steps**2
        return Rule(int(steps), 1.0, 0.5, 0.5, rate, float(regularisation), *flags)
    scale = steps**2 / learning_rate
    unit = round(scale)
    if smooth or regularisation or back_reset == "random":
        raise StudyError(
            "integer arithmetic knows no smooth updates, no regularisation and no random reset: "
            "they need products of real numbers; choose arithmetic float64 or leave them out."
        )
    if unit < 2 or unit > 2**31 or abs(scale - unit) > 1e-9 * scale:
        raise StudyError(
            f"integer arithmetic: steps^2 / learning rate is {scale:g}, expected a whole number "
            "between 2 and 2^31; choose the learning rate as a fraction of it."
        )
    half = unit // 2
    # The largest integer below half a unit: -half itself is beyond it if the unit is even.
    half_below = unit - half - 1 if arithmetic == "integer_as_coded" else half
    return Rule(int(steps), unit, half, half_below, 1, 0, *flags)


def make_network(weights: list[ArrayLike], rule: Rule) -> Network:
    """Network of ``weights`` ``[n_l, n_(l+1)]``, copied; in integer arithmetic scaled and rounded.

    Raises StudyError for matrices that do not follow each other or are not finite.
    """
    integer = isinstance(rule.unit, int)
    matrices = [np.array(matrix, dtype=np.float64, order="C") for matrix in weights]
    if not matrices or any(matrix.ndim != 2 or not matrix.size for matrix in matrices):
        raise StudyError("deep spiking network: expected at least one matrix [n_in, n_out].")
    for layer, (below, above) in enumerate(zip(matrices[:-1], matrices[1:], strict=True)):
        if below.shape[1] != above.shape[0]:
            raise StudyError(
                f"deep spiking network: weights {layer} are {below.shape} and weights {layer + 1} "
                f"{above.shape}, expected {below.shape[1]} rows."
            )
    if not all(np.isfinite(matrix).all() for matrix in matrices):
        raise StudyError(
            "deep spiking network: weights are not finite, as after a training that diverged."
        )
    if integer:
        matrices = [np.rint(matrix * rule.unit).astype(np.int64) for matrix in matrices]
    return _network(matrices, [np.zeros(len(matrix), matrix.dtype) for matrix in matrices])


def _network(matrices: list[np.ndarray], back: list[np.ndarray]) -> Network:
    """Network of copies of ``matrices`` and of the quantizers ``back``."""
    none = np.empty((0, 0), matrices[0].dtype)
    weights, first, views = _side_by_side(matrices)
    transposed, first_transposed, transposed_views = _side_by_side(
        [none, *(matrix.T for matrix in matrices[1:])]
    )
    potentials = np.zeros((len(back), max(map(len, back))), none.dtype)
    for row, phi in zip(potentials, back, strict=True):
        row[: len(phi)] = phi
    return Network(
        views,
        transposed_views,
        tuple(row[: len(phi)] for row, phi in zip(potentials, back, strict=True)),
        FlatNetwork(weights, transposed, potentials, first, first_transposed),
    )


def _side_by_side(
    matrices: list[np.ndarray],
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, ...]]:
    """Numbers of all matrices, where each begins (and the last ends), views in their shapes."""
    numbers = np.concatenate([matrix.ravel() for matrix in matrices])
    first = np.cumsum([0, *(matrix.size for matrix in matrices)], dtype=np.int64)
    views = (
        numbers[start : start + matrix.size].reshape(matrix.shape)
        for start, matrix in zip(first, matrices, strict=False)
    )
    return numbers, first, tuple(views)


def real_weights(network: Network, rule: Rule) -> list[np.ndarray]:
    """Copies of the weights as real numbers, whatever the arithmetic."""
    return [matrix / rule.unit for matrix in network.weights]


def initial_weights(
    sizes: tuple[int, ...], rng: np.random.Generator | np.random.RandomState, std: float = 0.01
) -> list[np.ndarray]:
    """Normal weights ``[n_l, n_(l+1)]``, drawn layer by layer.

    Section A.5 writes N(0, 0.01); 0.01 is the standard deviation.
    """
    return [
        std * rng.standard_normal((below, above))
        for below, above in zip(sizes[:-1], sizes[1:], strict=True)
    ]


class Work(NamedTuple):
    """Nodes of a sample in training: arrays ``[layers, widest]``; layer l has ``sizes[l]`` units.

    ``potential`` phi; ``spent`` spikes so far times the unit; ``credit`` (eta / T^2) max(c, 0), as
    an error spike takes off a weight; ``active`` units of non-zero credit, ``numbers`` how many;
    ``net_errors`` signed error spikes of the sample; ``held`` those of the output layer in a step;
    ``due`` error spikes of a layer whose changes the rows of its weights still wait for;
    ``queue``, ``back_queue`` spikes in dispatch, at most ``capacity[l]``, ``place`` and ``end``
    where dispatch stands.
    """

    sizes: np.ndarray
    capacity: np.ndarray
    potential: np.ndarray
    spent: np.ndarray
    credit: np.ndarray
    active: np.ndarray
    numbers: np.ndarray
    net_errors: np.ndarray
    held: np.ndarray
    due: np.ndarray
    due_end: np.ndarray
    queue: np.ndarray
    back_queue: np.ndarray
    keys: np.ndarray
    place: np.ndarray
    end: np.ndarray


def make_work(network: Network, trains: SpikeTrains) -> Work:
    """Nodes for the samples of ``trains``, whose steps have no more spikes than these."""
    sizes = np.array(network.sizes, np.int64)
    dtype = network.flat.weights.dtype
    capacity = SPIKES_PER_UNIT * sizes
    capacity[0] = max(capacity[0], int(np.diff(trains.start, axis=1).max(initial=0)))
    layers = len(sizes)

    def nodes(kind):
        return np.zeros((layers, sizes.max()), kind)

    def queues():
        return np.empty((layers, capacity.max()), np.int32)

    return Work(
        sizes, capacity, nodes(dtype), nodes(dtype), nodes(dtype), nodes(np.int32),
        np.zeros(layers, np.int64), nodes(np.int64), np.zeros(sizes[-1], np.int64), queues(),
        np.zeros(layers, np.int64), queues(), queues(), np.empty(capacity.max(), dtype),
        np.zeros(layers, np.int64), np.zeros(layers, np.int64),
    )  # fmt: skip


def network_arrays(network: Network) -> dict[str, np.ndarray]:
    """Copies of everything that training changes, by name, as for ``numpy.savez``."""
    arrays = {f"weights_{layer}": matrix.copy() for layer, matrix in enumerate(network.weights)}
    return arrays | {f"back_{layer}": phi.copy() for layer, phi in enumerate(network.back)}


def network_from_arrays(arrays: dict[str, np.ndarray], rule: Rule) -> Network:
    """Network that continues where `network_arrays` was taken.

    Raises StudyError if an array is missing or belongs to the other arithmetic.
    """
    layers = sum(name.startswith("weights_") for name in arrays)
    dtype = np.dtype(np.int64 if isinstance(rule.unit, int) else np.float64)
    names = [f"{kind}_{layer}" for kind in ("weights", "back") for layer in range(layers)]
    for name in names or ["weights_0"]:
        if name not in arrays or arrays[name].dtype != dtype:
            found = arrays[name].dtype if name in arrays else "nothing"
            raise StudyError(f"saved spiking network: {name} is {found}, expected {dtype}.")
    weights = [arrays[f"weights_{layer}"] for layer in range(layers)]
    return _network(weights, [arrays[f"back_{layer}"] for layer in range(layers)])


def additions(spikes: np.ndarray, sizes: tuple[int, ...], first_layer: int = 0) -> np.ndarray:
    """Additions of a forward pass up to each step: int64 ``[..., steps]``.

    A spike of layer l adds a row of n_(l+1) weights. ``spikes`` ``[..., steps, L]`` as in
    `Predictions`; layers below ``first_layer`` are left out (1 leaves out the input, as the right
    panel of figure 3.3 does).
    """
    fan_out = np.array(sizes[1:], dtype=np.int64)
    return np.cumsum(spikes[..., first_layer:] @ fan_out[first_layer:], axis=-1)


def check_training(network: Network, trains: SpikeTrains, labels: np.ndarray, rule: Rule) -> None:
    """Raise StudyError for input spikes and labels that do not fit the network."""
    check_trains(network, trains, rule)
    # The spike count that an update multiplies is max(c, 0); counting up alone, as the kernel does,
    # is the same only for inputs without negative spikes.
    if trains.code.size and trains.code.min() < 0:
        raise StudyError(
            "deep spiking network: training needs input spikes of positive sign alone, found "
            f"{int((trains.code < 0).sum())} negative ones."
        )
    labels = np.asarray(labels)
    if labels.dtype != np.int64 or labels.shape != (len(trains.start),):
        raise StudyError(
            f"deep spiking network: labels are {labels.dtype} {labels.shape}, expected int64 "
            f"({len(trains.start)},)."
        )
    if labels.size and not (0 <= labels.min() and labels.max() < network.sizes[-1]):
        raise StudyError(
            f"deep spiking network: labels lie between {labels.min()} and {labels.max()}, expected "
            f"0 to {network.sizes[-1] - 1}."
        )


def check_trains(network: Network, trains: SpikeTrains, rule: Rule) -> None:
    """Raise StudyError for input spikes that do not fit the network or the rule."""
    units, steps = trains.values.shape[1], trains.start.shape[1] - 1
    if units != network.sizes[0] or steps != rule.steps:
        raise StudyError(
            f"deep spiking network: input spikes are of {units} units and {steps} steps, expected "
            f"{network.sizes[0]} and {rule.steps}."
        )
    if network.weights[0].dtype != (np.int64 if isinstance(rule.unit, int) else np.float64):
        raise StudyError("deep spiking network: rule and weights are of different arithmetic.")


def check_order(order: ArrayLike, samples: int) -> np.ndarray:
    """``order`` as int64; StudyError if it names a sample that is not there."""
    order = np.ascontiguousarray(order, dtype=np.int64)
    if order.size and not (0 <= order.min() and order.max() < samples):
        raise StudyError(
            f"deep spiking network: the order names samples {order.min()} to {order.max()}, "
            f"expected 0 to {samples - 1}."
        )
    return order
