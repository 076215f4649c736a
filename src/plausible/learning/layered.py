"""Networks of Song et al. 2020: forward pass, backprop and the dynamics of predictive coding.

Layers are numbered from the output: layer 0 is the output, layer l_max the input, and theta^{l+1}
leads from layer l+1 to layer l. With f the activation and sums over the samples of a batch,

    y^l     = f(y^{l+1}) theta^{l+1} (+ bias)                          (eq. 1, A.1)
    delta^0 = s_out - y^0,  delta^l = f'(y^l) (delta^{l-1} theta^l^T)  (eq. 4)
    dw^{l+1} = alpha f(y^{l+1})^T delta^l                              (eq. 3)

    mu^l_t  = f(x^{l+1}_t) theta^{l+1} (+ bias),  eps^l_t = x^l_t - mu^l_t    (eq. 5)
    F_t     = 1/2 sum_l |eps^l_t|^2                                    (eq. 6)
    dx^l_t  = gamma (-eps^l_t + f'(x^l_t) (eps^{l-1}_t theta^l^T))     (eq. 7)
    dtheta^{l+1} = alpha f(x^{l+1}_t)^T eps^l_t                        (eq. 9)

delta is minus the derivative of the loss by y: the text around eq. 4 has the other sign, eq. 3 and
4 agree with each other. t is the number of inference steps already made.

Updates are sums over the batch without the learning rate; for means apply them with alpha / batch.
The rules IL, Z-IL and Fa-Z-IL are in ``plausible.learning.layered_rules``.
"""

import math
from collections.abc import Sequence
from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.networks.activations import Activation, make_activation


class LayeredNetwork(NamedTuple):
    """Weights of an ANN or of the predictive coding network with the same weights."""

    weights: tuple[Tensor, ...]
    """theta^1 .. theta^{l_max}: ``weights[l]`` is theta^{l+1}, [n^{l+1}, n^l]."""
    biases: tuple[Tensor, ...] | None
    """``biases[l]`` is added to mu^l, [n^l]; None without biases (the paper's main text)."""
    activation: Activation
    activate_input: bool
    """Whether f applies to the input too, as eq. 1 is printed, or theta^{l_max} sees it raw."""


class Updates(NamedTuple):
    """Changes divided by the learning rate, summed over the batch, in the order of the weights."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor, ...] | None


class State(NamedTuple):
    """The network at one instant."""

    values: tuple[Tensor, ...]
    """x^0 .. x^{l_max}, each [batch, n^l]."""
    predictions: tuple[Tensor, ...]
    """mu^0 .. mu^{l_max-1}."""
    errors: tuple[Tensor, ...]
    """eps^0 .. eps^{l_max-1}."""


class Relaxation(NamedTuple):
    """Record of inference: entry t holds the state after t inference steps."""

    values: list[tuple[Tensor, ...]]
    predictions: list[tuple[Tensor, ...]]
    errors: list[tuple[Tensor, ...]]
    energy: list[float]
    """F_t, summed over the batch."""


class Event(NamedTuple):
    """One thing that a learning rule did, for the temporal diagram of Fig. 2."""

    t: int
    """Inference time; -1 is the forward pass or prediction phase. In the backward pass of
    backprop it counts the steps of the recursion."""
    element: str
    """"value_nodes" or "weights"."""
    layer: int
    """l of value nodes x^l, or l+1 of weights theta^{l+1}."""
    event: str
    """"forward", "backward", "prediction", "inference" or "weight_update"."""


def make_network(
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    activation: str = "sigmoid",
    activate_input: bool = False,
) -> LayeredNetwork:
    """Network from theta^1 .. theta^{l_max} ([n^{l+1}, n^l]), with an activation by its name.

    Raises
    ------
    ConfigError
        If the shapes do not fit together or the activation is unknown.
    """
    for level, (lower, upper) in enumerate(zip(weights, weights[1:], strict=False), start=1):
        if upper.shape[1] != lower.shape[0]:
            raise ConfigError(
                f"weights: theta^{level + 1} leads to {upper.shape[1]} units, where theta^{level} "
                f"expects {lower.shape[0]}; give [n^{{l+1}}, n^l] from the output to the input."
            )
    if biases is not None and [len(b) for b in biases] != [w.shape[1] for w in weights]:
        raise ConfigError(
            f"biases: found lengths {[len(b) for b in biases]}, expected "
            f"{[w.shape[1] for w in weights]}, one per unit of layers 0 to l_max - 1."
        )
    return LayeredNetwork(
        tuple(weights),
        None if biases is None else tuple(biases),
        make_activation(SimpleNamespace(activation=activation)),
        activate_input,
    )


def check_inference(steps: int, gamma: float, horizon: int | None = None) -> None:
    """Refuse a number of inference steps or an integration step that cannot be meant.

    ``horizon`` is T, the last moment of inference, where there is one.

    Raises
    ------
    ConfigError
        If ``steps`` is negative or beyond ``horizon``, or ``gamma`` not a positive number.
    """
    if steps < 0 or (horizon is not None and steps > horizon):
        limit = "" if horizon is None else f" to T = {horizon}"
        raise ConfigError(
            f"t_c: found {steps}, expected a number of inference steps from 0{limit}."
        )
    if not (math.isfinite(gamma) and gamma > 0):
        raise ConfigError(f"gamma: found {gamma}, expected a finite number above 0.")


def depth(network: LayeredNetwork) -> int:
    """l_max, the number of weight matrices."""
    return len(network.weights)


def activity(network: LayeredNetwork, level: int, values: Tensor) -> Tensor:
    """f(x^l), or x^l itself at an input to which f does not apply."""
    if level == depth(network) and not network.activate_input:
        return values
    return network.activation.value(values)


def predict(network: LayeredNetwork, level: int, above: Tensor) -> Tensor:
    """mu^l (or y^l) from x^{l+1}, [batch, n^l].

    Both phases of every rule use this one operation: only then are the error nodes of an
    undisturbed layer zero to the last bit (condition C1).
    """
    product = activity(network, level + 1, above) @ network.weights[level]
    return product if network.biases is None else product + network.biases[level]


def send_back(network: LayeredNetwork, level: int, errors: Tensor, values: Tensor) -> Tensor:
    """f'(x^l) (eps^{l-1} theta^l^T): what layer l-1 tells layer l, [batch, n^l]."""
    return (errors @ network.weights[level - 1].t()) * network.activation.derivative(values)


def forward(network: LayeredNetwork, inputs: Tensor) -> list[Tensor]:
    """y^0 .. y^{l_max} of eq. 1; y^{l_max} is the input itself, [batch, n^{l_max}]."""
    values = [inputs]
    for level in reversed(range(depth(network))):
        values.insert(0, predict(network, level, values[0]))
    return values


def apply_local(
    network: LayeredNetwork,
    level: int,
    change: tuple[Tensor, Tensor | None],
    learning_rate: float,
) -> LayeredNetwork:
    """New network with theta^{l+1} and its bias moved by ``learning_rate`` times ``change``."""
    weights = list(network.weights)
    weights[level] = torch.add(weights[level], change[0], alpha=learning_rate)
    if network.biases is None:
        return network._replace(weights=tuple(weights))
    biases = list(network.biases)
    biases[level] = torch.add(biases[level], change[1], alpha=learning_rate)
    return network._replace(weights=tuple(weights), biases=tuple(biases))


def apply(network: LayeredNetwork, updates: Updates, learning_rate: float) -> LayeredNetwork:
    """New network with every parameter moved by ``learning_rate`` times its update."""
    biases = updates.biases or (None,) * depth(network)
    for level, change in enumerate(zip(updates.weights, biases, strict=True)):
        network = apply_local(network, level, change, learning_rate)
    return network


def backprop_updates(
    network: LayeredNetwork, inputs: Tensor, targets: Tensor, log: list[Event] | None = None
) -> Updates:
    """Updates of eq. 3 by the recursion of eq. 4, for ``targets`` [batch, n^0].

    ``log`` receives what happens, here and in the functions below.
    """
    values = forward(network, inputs)
    for level in reversed(range(depth(network))):
        note(log, -1, "value_nodes", level, "forward")
    changes, delta = [], targets - values[0]
    for level in range(depth(network)):
        if level > 0:
            delta = send_back(network, level, delta, values[level])
        note(log, level, "value_nodes", level, "backward")
        changes.append(local_update(network, level, values[level + 1], delta))
        note(log, level, "weights", level + 1, "weight_update")
    return gather(network, changes)


def local_update(
    network: LayeredNetwork, level: int, above: Tensor, errors: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Updates of theta^{l+1} and of its bias from x^{l+1} and eps^l alone (eq. 9, A.1)."""
    weight = activity(network, level + 1, above).t() @ errors
    return weight, None if network.biases is None else errors.sum(dim=0)


def gather(network: LayeredNetwork, changes: Sequence[tuple[Tensor, Tensor | None]]) -> Updates:
    """``Updates`` from the local updates of theta^1 .. theta^{l_max}."""
    weights, biases = zip(*changes, strict=True)
    return Updates(weights, None if network.biases is None else biases)


def note(log: list[Event] | None, t: int, element: str, layer: int, event: str) -> None:
    """Append an event to ``log`` if there is one."""
    if log is not None:
        log.append(Event(t, element, layer, event))


def look(network: LayeredNetwork, values: Sequence[Tensor]) -> State:
    """Predictions and errors that belong to ``values`` x^0 .. x^{l_max} (eq. 5)."""
    predictions = tuple(predict(network, level, above) for level, above in enumerate(values[1:]))
    errors = tuple(x - mu for x, mu in zip(values, predictions, strict=False))
    return State(tuple(values), predictions, errors)


def start(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor | None,
    start_noise: Sequence[Tensor] | None = None,
) -> State:
    """State at t = 0: hidden value nodes at their predictions (C1), the output at ``targets``.

    ``start_noise``, one [batch, n^l] for l = 1 .. l_max-1, breaks C1: x^l_0 = mu^l_0 + noise^l,
    where mu^l_0 already sees the noisy layer above. ``targets`` None leaves the output free.
    """
    values = [inputs]
    for level in reversed(range(depth(network))):
        value = predict(network, level, values[0])
        if level > 0 and start_noise is not None:
            value = value + start_noise[level - 1]
        values.insert(0, value)
    if targets is not None:
        values[0] = targets
    return look(network, values)


def energy(state: State) -> float:
    """F_t of eq. 6, summed over the batch."""
    return sum(0.5 * float(error.square().sum()) for error in state.errors)


def value_node_changes(
    network: LayeredNetwork, state: State, clamped: bool = True
) -> tuple[Tensor, ...]:
    """dx^0 .. dx^{l_max} / gamma of eq. 7; zero for the input and for a clamped output."""
    values, errors = state.values, state.errors
    output = torch.zeros_like(errors[0]) if clamped else -errors[0]
    hidden = (
        send_back(network, level, errors[level - 1], values[level]) - errors[level]
        for level in range(1, depth(network))
    )
    return (output, *hidden, torch.zeros_like(values[-1]))


def move(network: LayeredNetwork, state: State, gamma: float, clamped: bool = True) -> list[Tensor]:
    """Value nodes after one inference step from ``state``."""
    changes = value_node_changes(network, state, clamped)
    fixed = {depth(network)} | ({0} if clamped else set())
    return [
        value if level in fixed else torch.add(value, change, alpha=gamma)
        for level, (value, change) in enumerate(zip(state.values, changes, strict=True))
    ]


def relax(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor | None,
    steps: int,
    gamma: float,
    start_noise: Sequence[Tensor] | None = None,
    values: Sequence[Tensor] | None = None,
) -> Relaxation:
    """Inference with fixed weights for ``steps`` steps; every state is recorded.

    ``targets`` [batch, n^0] clamps the output (learning phase); None leaves it free (prediction
    phase). ``values`` are x^0 .. x^{l_max-1} to start from in place of the feed-forward values; a
    clamped output overrides x^0.
    """
    check_inference(steps, gamma)
    state = start(network, inputs, targets, start_noise)
    if values is not None:
        top = values[0] if targets is None else targets
        state = look(network, [top, *values[1:], inputs])
    record = Relaxation([], [], [], [])
    for t in range(steps + 1):
        record.values.append(state.values)
        record.predictions.append(state.predictions)
        record.errors.append(state.errors)
        record.energy.append(energy(state))
        if t < steps:
            state = look(network, move(network, state, gamma, targets is not None))
    return record
