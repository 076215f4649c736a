"""Networks that send differences, rounded values or both: the modules and the four networks.

Source: O'Connor 2020, chapter 4 and appendix B. A layer is a linear map w, a bias b and a
nonlinearity h; a network is a sequence of them and sees a sequence of frames, `[frames, *features]`
in numpy. What enters the linear map of a layer (figure 4.1) tells the four kinds apart, with the
input u = k x of that layer and its scale k (eq. 4.4-4.6; one number, or one per unit):

    original              h(w(x) + b)                                        A
    temporal_difference   h(Sigma(w(Delta(x))) + b)                          B, equal to A
    rounding              h(w(round(k x) / k) + b)                           C
    sigma_delta           h(Sigma(w(herd(Delta(k x)) / k)) + b)              D, equal to C

herd(Delta(u)) is Delta(round(u)) (eq. B.10), which is how `sigma_delta` is computed;
`sigma_delta_herding` computes it literally. Equation 4.6 is printed with round(Delta(k x)), which
forgets what it does not send and is no rounding network: `sigma_delta_as_printed`. Halves are
rounded to even, as numpy and torch do.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from plausible.errors import StudyError
from plausible.measure.operations import event_additions, nonzero_multiply_adds


class Layer(NamedTuple):
    """h(w(x) + b): any linear map of numpy arrays, dense or convolutional."""

    linear: Callable[[NDArray], NDArray]
    """w, without bias: [frames, *inputs] to [frames, *outputs]."""
    bias: NDArray | float
    """Broadcasts against [frames, *outputs]."""
    nonlinearity: str
    """relu | tanh | identity | softmax."""
    fan_out: float | NDArray
    """Weights to which an input unit sends, one number or [*inputs]."""


class LayerState(NamedTuple):
    """What a layer remembers from one frame to the next; None before the first."""

    encoder: Any = None
    """Last input, last rounded input, or both last input and potential of the herding."""
    total: NDArray | None = None
    """What the temporal integration has summed, [*outputs]."""


class Run(NamedTuple):
    """Outputs of a network, what its layers were sent, and where the next frame goes on."""

    outputs: NDArray
    """[frames, *outputs]."""
    messages: tuple[NDArray, ...]
    """Per layer [frames, *inputs], before the division by its scale: integers for C and D."""
    state: tuple[LayerState, ...]


class Evaluation(NamedTuple):
    """Decisions and operations of a network over a sequence of frames."""

    predictions: NDArray[np.int64]
    """Largest output, [frames]; -1 where an output is not finite."""
    event_additions: NDArray[np.float64]
    """sum |s| fan_out, [frames, layers]; additions where messages are integers (C and D)."""
    nonzero_multiply_adds: NDArray[np.float64]
    """nnz(s) fan_out, [frames, layers]; the products of the sparse original network for A."""


def temporal_difference(
    frames: NDArray, last: NDArray | None = None
) -> tuple[NDArray, NDArray | None]:
    """Delta, algorithm 4: x_t - x_(t-1), starting from ``last`` or zero; and the new ``last``."""
    if len(frames) == 0:
        return frames, last
    before = np.zeros_like(frames[0]) if last is None else last
    return np.diff(frames, axis=0, prepend=before[np.newaxis]), frames[-1].copy()


def temporal_integration(
    differences: NDArray, total: NDArray | None = None
) -> tuple[NDArray, NDArray | None]:
    """Sigma, algorithm 5: running sums, starting from ``total`` or zero; and the new ``total``."""
    if len(differences) == 0:
        return differences, total
    if total is None:
        sums = np.cumsum(differences, axis=0)
    else:
        sums = np.cumsum(np.concatenate([total[np.newaxis], differences]), axis=0)[1:]
    return sums, sums[-1].copy()


def herding(inputs: NDArray, potential: NDArray | None = None) -> tuple[NDArray, NDArray | None]:
    """Algorithm 14, frame by frame: phi += x, s = round(phi), phi -= s; messages and new phi."""
    messages = np.empty_like(inputs)
    for time, value in enumerate(inputs):
        potential = value if potential is None else potential + value
        messages[time] = np.rint(potential)
        potential = potential - messages[time]
    return messages, potential


def delta_herding(inputs: NDArray, last: NDArray | None = None) -> tuple[NDArray, NDArray | None]:
    """Algorithm 15: round(x_t) - round(x_(t-1)); messages and the last rounded input."""
    return temporal_difference(np.rint(inputs), last)


def _herded_difference(inputs: NDArray, memory: tuple | None) -> tuple[NDArray, tuple]:
    last, potential = (None, None) if memory is None else memory
    differences, last = temporal_difference(inputs, last)
    messages, potential = herding(differences, potential)
    return messages, (last, potential)


def _rounded_difference(inputs: NDArray, last: NDArray | None) -> tuple[NDArray, NDArray | None]:
    differences, last = temporal_difference(inputs, last)
    return np.rint(differences), last


_ENCODERS: dict[str, Callable[[NDArray, Any], tuple[NDArray, Any]]] = {
    "original": lambda inputs, memory: (inputs, None),
    "temporal_difference": temporal_difference,
    "rounding": lambda inputs, memory: (np.rint(inputs), None),
    "sigma_delta": delta_herding,
    "sigma_delta_herding": _herded_difference,
    "sigma_delta_as_printed": _rounded_difference,
}
KINDS = tuple(_ENCODERS)
_INTEGRATING = tuple(kind for kind in KINDS if kind not in ("original", "rounding"))


def _softmax(values: NDArray) -> NDArray:
    with np.errstate(invalid="ignore"):  # inf - inf of a network that overflows: not a number
        exponentials = np.exp(values - values.max(axis=-1, keepdims=True))
    return exponentials / exponentials.sum(axis=-1, keepdims=True)


_NONLINEARITIES: dict[str, Callable[[NDArray], NDArray]] = {
    "relu": lambda values: np.maximum(values, 0),
    "tanh": np.tanh,
    "identity": lambda values: values,
    "softmax": _softmax,
}


def dense_network(
    weights: Sequence[NDArray],
    biases: Sequence[NDArray] | None = None,
    nonlinearity: str = "relu",
    output: str = "softmax",
) -> tuple[Layer, ...]:
    """Fully connected layers from ``weights`` [inputs, units] and ``biases`` (None: zeros).

    ``output`` is the nonlinearity of the last layer. Raises StudyError for an unknown name.
    """
    for name in (nonlinearity, output):
        if name not in _NONLINEARITIES:
            raise StudyError(
                f"sigma-delta network: found the nonlinearity {name!r}, expected one of "
                f"{', '.join(_NONLINEARITIES)}."
            )
    if biases is None:
        biases = [np.zeros(weight.shape[1], weight.dtype) for weight in weights]
    names = [nonlinearity] * (len(weights) - 1) + [output]

    def product(weight: NDArray) -> Callable[[NDArray], NDArray]:
        return lambda inputs: inputs @ weight

    return tuple(
        Layer(product(weight), bias, name, weight.shape[1])
        for weight, bias, name in zip(weights, biases, names, strict=True)
    )


def run(
    layers: Sequence[Layer],
    frames: NDArray,
    kind: str,
    scales: Sequence[ArrayLike] | None = None,
    state: Sequence[LayerState] | None = None,
) -> Run:
    """Send a sequence of ``frames`` [frames, *inputs] through a network of the given ``kind``.

    ``scales`` holds k of each layer's input, one number or [*inputs] (None: all 1). ``state`` is
    what an earlier call returned: a sequence may be given in pieces, down to single frames. Raises
    StudyError for an unknown kind, and for scales that are not positive or not one per layer.
    """
    _check(layers, kind, scales)
    scales = [1.0] * len(layers) if scales is None else scales
    state = [LayerState()] * len(layers) if state is None else state
    activity, messages, after = frames, [], []
    for layer, scale, memory in zip(layers, scales, state, strict=True):
        message, encoder = _ENCODERS[kind](activity * scale, memory.encoder)
        current, total = layer.linear(message / scale), None
        if kind in _INTEGRATING:
            current, total = temporal_integration(current, memory.total)
        activity = _NONLINEARITIES[layer.nonlinearity](current + layer.bias)
        messages.append(message)
        after.append(LayerState(encoder, total))
    return Run(activity, tuple(messages), tuple(after))


def evaluate(
    layers: Sequence[Layer],
    frames: NDArray,
    kind: str,
    scales: Sequence[ArrayLike] | None = None,
    white: float = 1.0,
    block: int = 1000,
) -> Evaluation:
    """Decisions and operations over all ``frames``, in their order and from the zero state.

    ``frames`` may be stored intensities of any type; they are divided by ``white`` in float64,
    ``block`` frames at a time, so that memory stays small for long sequences.
    """
    found = [
        (
            _decide(part.outputs),
            _per_layer(event_additions, part.messages, layers),
            _per_layer(nonzero_multiply_adds, part.messages, layers),
        )
        for part in _blocks(layers, frames, kind, scales, white, block)
    ]
    if not found:
        none = np.zeros((0, len(layers)))
        return Evaluation(np.zeros(0, np.int64), none, none)
    return Evaluation(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def sparse_product(events: NDArray, weight: NDArray) -> tuple[NDArray, int]:
    """s w for a vector of integers by additions alone, and their number (eq. 4.3).

    ``events`` [inputs] is read as a sum of N = sum |s| signed one-hot vectors; each adds or
    subtracts a row of ``weight`` [inputs, units], which makes N units additions. A dense product
    needs inputs units multiplications and (inputs - 1) units additions. Raises StudyError if an
    event is not a whole number.
    """
    if not np.all(np.rint(events) == events):
        raise StudyError(
            "sparse product: found an event that is not a whole number, expected integers."
        )
    product = np.zeros(weight.shape[1], weight.dtype)
    additions = 0
    for unit in np.flatnonzero(events):
        for _ in range(int(abs(events[unit]))):
            if events[unit] > 0:
                product += weight[unit]
            else:
                product -= weight[unit]
            additions += len(product)
    return product, additions


def bake_scales(
    weights: Sequence[NDArray], biases: Sequence[NDArray], scales: Sequence[ArrayLike]
) -> tuple[tuple[NDArray, ...], tuple[NDArray, ...]]:
    """Parameters of an unscaled network that does what the scaled one does (eq. B.17).

    w' = w k2 / k1 and b' = k2 b, with the scales k1 of a layer's input and k2 of the next one's (1
    above the last layer). It holds where h(k x) = k h(x), so for ReLU; any nonlinearity may follow
    the last layer. The frames themselves have to be multiplied by ``scales[0]``. ``weights`` are
    [..., inputs, units], so that kernels of convolutions, [*taps, input maps, output maps] with one
    scale per map, fit as well.
    """
    baked_weights, baked_biases = [], []
    for index, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        above = np.asarray(scales[index + 1] if index + 1 < len(scales) else 1.0)
        below = np.asarray(scales[index])
        baked_weights.append(weight * above / below[..., np.newaxis])
        baked_biases.append(bias * above)
    return tuple(baked_weights), tuple(baked_biases)


def _blocks(
    layers: Sequence[Layer],
    frames: NDArray,
    kind: str,
    scales: Sequence[ArrayLike] | None,
    white: float,
    block: int,
) -> Iterator[Run]:
    state = None
    for begin in range(0, len(frames), block):
        values = frames[begin : begin + block].astype(np.float64) / white
        part = run(layers, values, kind, scales, state)
        state = part.state
        yield part


def _per_layer(
    count: Callable[[NDArray, Any], NDArray], messages: Sequence[NDArray], layers: Sequence[Layer]
) -> NDArray[np.float64]:
    pairs = zip(messages, layers, strict=True)
    return np.stack([count(message, layer.fan_out) for message, layer in pairs], axis=1)


def _decide(outputs: NDArray) -> NDArray[np.int64]:
    return np.where(np.isfinite(outputs).all(axis=1), outputs.argmax(axis=1), -1)


def _check(layers: Sequence[Layer], kind: str, scales: Sequence[ArrayLike] | None) -> None:
    if kind not in _ENCODERS:
        raise StudyError(
            f"sigma-delta network: found the kind {kind!r}, expected one of {', '.join(KINDS)}."
        )
    if scales is None:
        return
    if len(scales) != len(layers):
        raise StudyError(
            f"sigma-delta network: found {len(scales)} scales, expected one for the input of each "
            f"of the {len(layers)} layers."
        )
    for index, scale in enumerate(scales):
        if not np.all((np.asarray(scale) > 0) & np.isfinite(scale)):
            raise StudyError(
                f"sigma-delta network: the scale of layer {index} is not a positive finite number; "
                "a diverged optimisation has no network to evaluate."
            )
