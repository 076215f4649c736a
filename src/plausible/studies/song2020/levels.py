"""Networks in the numbering of Song et al. 2020: layer 0 is the output, layer l_max the input.

theta^{l+1} leads from layer l+1 to layer l, and Z-IL teaches it at t = l. The equations stand in
``plausible.learning.predictive_coding``, which also says how its numbers and those of the paper
belong together; the functions here translate them. An argument ``level`` is l.

Updates are changes divided by the learning rate, summed over the batch; for means apply them with
alpha / batch.
"""

from collections.abc import Callable, Iterable, Sequence
from types import SimpleNamespace
from typing import Any, NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning import predictive_coding
from plausible.learning.backprop import LocalTerms, backward, summed_gradients
from plausible.learning.predictive_coding import Local, Stage, stages
from plausible.networks.activations import make_activation
from plausible.networks.mlp import Network, clone_network, forward_pass


class Updates(NamedTuple):
    """Changes of the parameters, from the output on."""

    weights: tuple[Tensor, ...]
    """Of theta^1 .. theta^{l_max}, each [n^{l+1}, n^l]."""
    biases: tuple[Tensor, ...] | None
    """Of what is added to mu^0 .. mu^{l_max-1}; None in networks without biases."""


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


class Detections(NamedTuple):
    """Where and when the trigger of Fa-Z-IL fired."""

    fired: tuple[Tensor, ...]
    """phi of layers 0 .. l_max-1, bool, [steps + 1, batch, n^l]."""


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


Log = list[Event] | None
Noise = Sequence[Tensor] | None
"""One [batch, n^l] for l = 1 .. l_max-1."""


def make_network(
    weights: Sequence[Tensor],
    biases: Sequence[Tensor] | None = None,
    activation: str = "sigmoid",
    activate_input: bool = False,
) -> Network:
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
    function = make_activation(SimpleNamespace(activation=activation))
    network = Network((), None, (None,) * len(weights), function, "linear", activate_input)
    return with_parameters(network, weights, biases)


def with_parameters(
    network: Network, weights: Sequence[Tensor], biases: Sequence[Tensor] | None = None
) -> Network:
    """The network with other parameters, in the order of ``thetas`` and ``offsets``."""
    biases = None if biases is None else tuple(biases[::-1])
    return network._replace(weights=tuple(weights[::-1]), biases=biases)


def thetas(network: Network) -> tuple[Tensor, ...]:
    """theta^1 .. theta^{l_max}: entry l is theta^{l+1}."""
    return network.weights[::-1]


def offsets(network: Network) -> tuple[Tensor, ...] | None:
    """Biases of layers 0 .. l_max-1, if there are any."""
    return network.biases and network.biases[::-1]


def depth(network: Network) -> int:
    """l_max, the number of weight matrices."""
    return len(network.weights)


def forward(network: Network, inputs: Tensor) -> list[Tensor]:
    """y^0 .. y^{l_max} of eq. 1; y^{l_max} is the input itself, [batch, n^{l_max}]."""
    return list(start(network, inputs, None).values)


def _view(network: Network, level: int, above: Tensor) -> tuple[Stage, Local]:
    """The stage of theta^{l+1}, and what it sees of x^{l+1}."""
    stage = stages(network, "linear")[-1 - level]
    return stage, predictive_coding.look(network, stage, above)


def activity(network: Network, level: int, values: Tensor) -> Tensor:
    """f(x^l) for l > 0, or x^l itself at an input to which f does not apply."""
    return _view(network, level - 1, values)[1].activity


def predict(network: Network, level: int, above: Tensor) -> Tensor:
    """mu^l (or y^l) from x^{l+1}, [batch, n^l]."""
    return _view(network, level, above)[1].prediction


def send_back(network: Network, level: int, errors: Tensor, values: Tensor) -> Tensor:
    """f'(x^l) (eps^{l-1} theta^l^T): what layer l-1 tells layer l, [batch, n^l]."""
    return predictive_coding.message(network, *_view(network, level - 1, values), errors)


def local_update(
    network: Network, level: int, above: Tensor, errors: Tensor
) -> tuple[Tensor, Tensor | None]:
    """Updates of theta^{l+1} and of its bias from x^{l+1} and eps^l alone (eq. 9, A.1)."""
    stage, view = _view(network, level, above)
    return _change(network, LocalTerms("linear", stage.layer, -errors, view.activity))


def start(network: Network, inputs: Tensor, targets: Tensor | None, noise: Noise = None) -> State:
    """State at t = 0: hidden value nodes at their predictions (C1), the output at ``targets``.

    ``noise`` breaks C1: x^l_0 = mu^l_0 + noise^l, where mu^l_0 already sees the noisy layer above.
    ``targets`` None leaves the output free.
    """
    return _state(_start(network, inputs, targets, noise))


def look(network: Network, values: Sequence[Tensor]) -> State:
    """Predictions and errors that belong to ``values`` x^0 .. x^{l_max} (eq. 5)."""
    return _state(_nodes(network, values))


def value_node_changes(network: Network, state: State, clamped: bool = True) -> tuple[Tensor, ...]:
    """dx^0 .. dx^{l_max} / gamma of eq. 7; zero for the input and for a clamped output."""
    plan, nodes = stages(network, "linear"), _nodes(network, state.values, state.errors)
    changes = predictive_coding.value_node_changes(network, plan, nodes, clamped)[::-1]
    output = [torch.zeros_like(state.values[0])] if clamped else []
    return (*output, *changes, torch.zeros_like(state.values[-1]))


def move(network: Network, state: State, gamma: float, clamped: bool = True) -> list[Tensor]:
    """Value nodes after one inference step from ``state``."""
    plan, nodes = stages(network, "linear"), _nodes(network, state.values, state.errors)
    return predictive_coding.advance(network, plan, nodes, gamma, clamped).values[::-1]


def relax(
    network: Network,
    inputs: Tensor,
    targets: Tensor | None,
    steps: int,
    gamma: float,
    start_noise: Noise = None,
    values: Sequence[Tensor] | None = None,
) -> Relaxation:
    """Inference with fixed weights for ``steps`` steps; every state is recorded.

    ``targets`` [batch, n^0] clamps the output (learning phase); None leaves it free (prediction
    phase). ``values`` are x^0 .. x^{l_max-1} to start from in place of the feed-forward values; a
    clamped output overrides x^0.
    """
    turned = {"values": values, "start_noise": start_noise}
    turned = {name: given and [*given][::-1] for name, given in turned.items()}
    record = predictive_coding.relax(network, inputs, targets, steps, gamma, "linear", **turned)
    return Relaxation(*([each[::-1] for each in kind] for kind in record[:3]), record.free_energy)


def _start(
    network: Network, inputs: Tensor, targets: Tensor | None, noise: Noise
) -> predictive_coding.State:
    plan = stages(network, "linear")
    noise = noise and [*noise][::-1]
    return predictive_coding.start(network, inputs, targets, plan, start_noise=noise)


def _nodes(
    network: Network, values: Sequence[Tensor], errors: Sequence[Tensor] | None = None
) -> predictive_coding.State:
    """State from the input on, with the errors that belong to the values or with given ones."""
    nodes = predictive_coding.State([*values][::-1], [], [])
    nodes = predictive_coding.refresh(network, stages(network, "linear"), nodes)
    return nodes if errors is None else nodes._replace(errors=[*errors][::-1])


def _state(nodes: predictive_coding.State) -> State:
    kinds = (nodes.values, [view.prediction for view in nodes.locals], nodes.errors)
    return State(*(tuple(kind[::-1]) for kind in kinds))


def apply(network: Network, updates: Updates, learning_rate: float) -> Network:
    """New network with every parameter moved by ``learning_rate`` times its update."""
    moved = clone_network(network)
    for level, change in enumerate(zip(*(kind for kind in updates if kind), strict=True)):
        _move_parameters(moved, depth(network) - 1 - level, change, learning_rate)
    return moved


def _move_parameters(
    network: Network, layer: int, change: Sequence[Tensor | None], learning_rate: float
) -> None:
    network.weights[layer].add_(change[0], alpha=learning_rate)
    if network.biases is not None:
        network.biases[layer].add_(change[1], alpha=learning_rate)


def gather(network: Network, changes: Sequence[tuple[Tensor, Tensor | None]]) -> Updates:
    """``Updates`` from the local updates of theta^1 .. theta^{l_max}."""
    weights, biases = zip(*changes, strict=True)
    return Updates(weights, None if network.biases is None else biases)


def backprop_updates(network: Network, inputs: Tensor, targets: Tensor, log: Log = None) -> Updates:
    """Updates of eq. 3 by the recursion of eq. 4, for ``targets`` [batch, n^0].

    ``log`` receives what happens, here and in the functions below.
    """
    record, changes = forward_pass(network, inputs), []
    events = _all_nodes(network, "forward")
    for level, terms in enumerate(backward(network, record, record.logits - targets)):
        changes.append(_change(network, terms))
        events.append(Event(level, "value_nodes", level, "backward"))
        events.append(Event(level, "weights", level + 1, "weight_update"))
    if log is not None:
        log += events
    return gather(network, changes)


def _all_nodes(network: Network, event: str) -> list[Event]:
    return [Event(-1, "value_nodes", level, event) for level in reversed(range(depth(network)))]


def il_updates(
    network: Network,
    inputs: Tensor,
    targets: Tensor,
    steps: int,
    gamma: float,
    start_noise: Noise = None,
    log: Log = None,
) -> Updates:
    """Inference learning: all weights learn from the state after ``steps`` = t_c steps (eq. 9)."""
    state = _start(network, inputs, targets, start_noise)
    options = {"steps": steps, "step_size": gamma}
    return _learn(network, state, log, 0.0, predictive_coding.il_terms, options)


def zil_updates(
    network: Network,
    inputs: Tensor,
    targets: Tensor,
    gamma: float = 1.0,
    start_noise: Noise = None,
    order: str = "simultaneous",
    moments: Sequence[int] | None = None,
    learning_rate: float = 0.0,
    log: Log = None,
) -> Updates:
    """Z-IL: theta^{l+1} learns at t = l (C2), all nodes relaxing all the time; gamma = 1 is C3.

    ``moments`` gives other times for theta^1 .. theta^{l_max}, ``order`` that of one step.

    The weights move by ``learning_rate`` during inference. With 0 they wait for ``apply``, which
    for simultaneous steps is the same: what theta^{l+1} influences after t = l is not used again.
    """
    state = _start(network, inputs, targets, start_noise)
    options = {"step_size": gamma, "order": order, "moments": moments and [*moments][::-1]}
    return _learn(network, state, log, learning_rate, predictive_coding.zil_terms, options)


def fazil_updates(
    network: Network,
    inputs: Tensor,
    targets: Tensor,
    detection_steps: int,
    tolerance: float,
    steps: int,
    gamma: float = 1.0,
    start_noise: Noise = None,
    learning_rate: float = 0.0,
    log: Log = None,
    **options: Any,
) -> tuple[Updates, Detections]:
    """Fa-Z-IL: at every t = 0 .. ``steps`` each error node teaches its weights if phi fires.

    ``options`` are the ``order`` of a step and a ``trigger`` in the place of phi.
    """
    state, found = _start(network, inputs, targets, start_noise), []
    options |= {"detection_steps": detection_steps, "tolerance": tolerance, "detections": found}
    options |= {"steps": steps, "step_size": gamma}
    rule = predictive_coding.fazil_terms
    updates = _learn(network, state, log, learning_rate, rule, options)
    return updates, Detections(tuple(map(torch.stack, zip(*found, strict=True)))[::-1])


def _learn(
    network: Network,
    state: predictive_coding.State,
    log: Log,
    learning_rate: float,
    rule: Callable[..., Iterable[LocalTerms]],
    options: dict[str, Any],
) -> Updates:
    """Sums of the updates that ``rule`` makes; meanwhile the weights move by the learning rate."""
    if learning_rate != 0.0:
        network = clone_network(network)
    events: list[predictive_coding.Event] = []
    sums = [(torch.zeros_like(one), torch.zeros_like(one[0])) for one in thetas(network)]
    for terms in rule(network, stages(network, "linear"), state, log=events, **options):
        level, change = depth(network) - 1 - terms.layer, _change(network, terms)
        weight, bias = sums[level]
        sums[level] = weight + change[0], None if change[1] is None else bias + change[1]
        if learning_rate != 0.0:
            _move_parameters(network, terms.layer, change, learning_rate)
    if log is not None:
        log += _all_nodes(network, "prediction")
        for t, event, k in events:
            is_weight = event == "weight_update"
            element = "weights" if is_weight else "value_nodes"
            log.append(Event(t, element, depth(network) - k + is_weight, event))
    return gather(network, sums)


def _change(network: Network, terms: LocalTerms) -> tuple[Tensor, Tensor | None]:
    """Updates of a matrix and its bias: minus the gradients."""
    weight, bias = summed_gradients(terms)
    return -weight, None if network.biases is None else -bias
