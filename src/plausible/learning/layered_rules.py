"""Inference learning (IL), Z-IL and Fa-Z-IL of Song et al. 2020 in readable form.

t is the number of inference steps already made. The paper's listings move the value nodes first and
the weights second within a step; its proofs need both from the values of time t ("simultaneous").
Updates are sums over the batch without the learning rate (see ``layered``).
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning.layered import (
    Event,
    LayeredNetwork,
    State,
    Updates,
    apply_local,
    check_inference,
    depth,
    gather,
    local_update,
    look,
    move,
    note,
    start,
)
from plausible.learning.trigger import check_trigger, phi, silent_start

ORDERS = ("simultaneous", "listing", "weights_first")


class Detections(NamedTuple):
    """Where and when the trigger of Fa-Z-IL fired."""

    fired: tuple[Tensor, ...]
    """phi of layers 0 .. l_max-1, bool, [steps + 1, batch, n^l]."""


def il_updates(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor,
    steps: int,
    gamma: float,
    start_noise: Sequence[Tensor] | None = None,
    log: list[Event] | None = None,
) -> Updates:
    """Inference learning: all weights learn from the state after ``steps`` = t_c steps (eq. 9)."""
    check_inference(steps, gamma)
    state = _start_learning(network, inputs, targets, start_noise, log)
    for t in range(steps):
        state = look(network, move(network, state, gamma))
        _note_inference(network, t, log)
    changes = []
    for level, errors in enumerate(state.errors):
        changes.append(local_update(network, level, state.values[level + 1], errors))
        note(log, steps, "weights", level + 1, "weight_update")
    return gather(network, changes)


def zil_updates(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor,
    gamma: float = 1.0,
    start_noise: Sequence[Tensor] | None = None,
    order: str = "simultaneous",
    moments: Sequence[int] | None = None,
    learning_rate: float = 0.0,
    log: list[Event] | None = None,
) -> Updates:
    """Z-IL: theta^{l+1} learns at t = l (C2), all nodes relaxing all the time; gamma = 1 is C3.

    ``moments`` gives other times for theta^1 .. theta^{l_max}. ``order`` is that of one step:

    - "simultaneous": weights and value nodes both move from the state at time t, as in the proofs;
    - "listing": value nodes first, then the weights from the moved nodes, as the listings print it;
    - "weights_first": the weights first, then the value nodes with the new weights.

    The weights move by ``learning_rate`` during inference. With 0 they wait for ``apply``, which
    for simultaneous steps is the same: what theta^{l+1} influences after t = l is not used again.
    """
    times = tuple(range(depth(network))) if moments is None else tuple(moments)

    def due(t: int, state: State) -> list[Tensor | None]:
        return [e if t == time else None for e, time in zip(state.errors, times, strict=True)]

    state = _start_learning(network, inputs, targets, start_noise, log)
    return _relax_and_learn(network, state, max(times), gamma, order, learning_rate, due, log)


def fazil_updates(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor,
    detection_steps: int,
    tolerance: float,
    steps: int,
    gamma: float = 1.0,
    start_noise: Sequence[Tensor] | None = None,
    order: str = "simultaneous",
    learning_rate: float = 0.0,
    log: list[Event] | None = None,
    trigger: Callable[..., tuple[Tensor, Tensor]] | None = None,
) -> tuple[Updates, Detections]:
    """Fa-Z-IL: at every t = 0 .. ``steps`` each error node teaches its weights if phi fires.

    phi watches every neuron of every sample by itself for ``detection_steps`` = t_d steps; errors
    up to ``tolerance`` count as zero. Nothing else tells a layer when to learn. ``trigger`` stands
    in the place of phi.
    """
    watch = trigger or phi
    check_trigger(detection_steps, tolerance)
    state = _start_learning(network, inputs, targets, start_noise, log)
    silent = [silent_start(errors, detection_steps) for errors in state.errors]
    fired: list[list[Tensor]] = [[] for _ in silent]

    def due(t: int, state: State) -> list[Tensor | None]:
        teaching: list[Tensor | None] = []
        for level, errors in enumerate(state.errors):
            fires, silent[level] = watch(errors, silent[level], detection_steps, tolerance)
            fired[level].append(fires)
            teaching.append(torch.where(fires, errors, 0.0) if bool(fires.any()) else None)
        return teaching

    updates = _relax_and_learn(network, state, steps, gamma, order, learning_rate, due, log)
    return updates, Detections(tuple(torch.stack(layer) for layer in fired))


def _start_learning(
    network: LayeredNetwork,
    inputs: Tensor,
    targets: Tensor,
    start_noise: Sequence[Tensor] | None,
    log: list[Event] | None,
) -> State:
    for level in reversed(range(depth(network))):
        note(log, -1, "value_nodes", level, "prediction")
    return start(network, inputs, targets, start_noise)


def _note_inference(network: LayeredNetwork, t: int, log: list[Event] | None) -> None:
    for level in range(1, depth(network)):
        note(log, t, "value_nodes", level, "inference")


def _relax_and_learn(
    network: LayeredNetwork,
    state: State,
    steps: int,
    gamma: float,
    order: str,
    learning_rate: float,
    due: Callable[[int, State], list[Tensor | None]],
    log: list[Event] | None,
) -> Updates:
    """Inference from t = 0 to ``steps``; ``due(t, state)`` gives the errors of layers that learn.

    Nothing uses the value nodes after the last update, so simultaneous steps leave out that move.
    """
    check_inference(steps, gamma)
    if order not in ORDERS:
        raise ConfigError(f"order: found {order!r}, expected one of {', '.join(ORDERS)}.")
    learned = [_no_update(network, level) for level in range(depth(network))]
    for t in range(steps + 1):
        if order == "listing":
            state = look(network, move(network, state, gamma))
            _note_inference(network, t, log)
        before = network
        for level, errors in enumerate(due(t, state)):
            if errors is None:
                continue
            change = local_update(before, level, state.values[level + 1], errors)
            learned[level] = _sum(learned[level], change)
            if learning_rate != 0.0:
                network = apply_local(network, level, change, learning_rate)
            note(log, t, "weights", level + 1, "weight_update")
        if t == steps:
            break
        values = state.values
        if order != "listing":
            values = move(before if order == "simultaneous" else network, state, gamma)
            _note_inference(network, t, log)
        state = look(network, values)
    return gather(network, learned)


def _no_update(network: LayeredNetwork, level: int) -> tuple[Tensor, Tensor | None]:
    bias = None if network.biases is None else torch.zeros_like(network.biases[level])
    return torch.zeros_like(network.weights[level]), bias


def _sum(
    one: tuple[Tensor, Tensor | None], other: tuple[Tensor, Tensor | None]
) -> tuple[Tensor, Tensor | None]:
    return one[0] + other[0], None if one[1] is None else one[1] + other[1]
