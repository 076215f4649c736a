"""Lean weight updates of Song et al. 2020: backprop, IL, Z-IL and Fa-Z-IL in place.

The same mathematics as ``plausible.learning.layered`` and ``layered_rules``, for run times (Table
4) and large networks: the parameters of a network change in place, and nothing as large as a weight
matrix is ever allocated. A batch of one sample uses matrix-vector products and rank-1 updates, a
larger one matrix products.

Where the time goes. The matrix at the input is by far the largest, and its prediction f(x^{l_max})
theta^{l_max} is the same all through inference, because the input is clamped: it is computed once.
In a step, each other matrix is read by message, learning and prediction right after another, while
it is still in the cache.

Condition C1 must hold bit for bit, or gamma = 10 blows a rounding residue up: the prediction phase
and inference compute mu by the same call on the same shapes, and eps = x - mu is a subtraction of
its own (never an ``addmm`` that accumulates in another order).

As in ``layered``, layer 0 is the output, ``weights[l]`` is theta^{l+1} with shape [n^{l+1}, n^l],
and updates are sums over the batch.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.learning.layered import LayeredNetwork, check_inference, depth
from plausible.learning.trigger import check_trigger


class Nodes(NamedTuple):
    """One kind of node of all layers, one after the other in memory."""

    all: Tensor
    """Flat, so that one operation does for all layers what is done for each unit alone."""
    layers: tuple[Tensor, ...]
    """Views of it: entry l is layer l = 0 .. l_max-1, [batch, n^l]."""


class Workspace(NamedTuple):
    """Memory for one update with one batch size."""

    values: Nodes
    """x^l; x^0 holds the target."""
    predictions: Nodes
    """mu^l."""
    errors: Nodes
    """eps^l, or delta^l of backprop."""
    messages: Nodes
    """eps^{l-1} theta^l^T, what layer l-1 sends to layer l; that of layer 0 stays unused."""


class _Signals(NamedTuple):
    """f(x^l) and f'(x^l) by layer; those of hidden layers change during inference."""

    activities: list[Tensor | None]
    slopes: list[Tensor | None]


def make_workspace(network: LayeredNetwork, batch_size: int) -> Workspace:
    """Memory for updates of ``network`` with batches of ``batch_size`` samples."""
    widths = [weight.shape[1] for weight in network.weights]

    def nodes() -> Nodes:
        flat = network.weights[0].new_zeros(batch_size * sum(widths))
        parts = flat.split([batch_size * width for width in widths])
        layers = zip(parts, widths, strict=True)
        return Nodes(flat, tuple(part.view(batch_size, width) for part, width in layers))

    return Workspace(nodes(), nodes(), nodes(), nodes())


def backprop(
    network: LayeredNetwork, work: Workspace, inputs: Tensor, targets: Tensor, learning_rate: float
) -> None:
    """One update by backprop (eq. 1, 3, 4); an error travels before its matrix changes.

    ``inputs`` [batch, n^{l_max}], ``targets`` [batch, n^0]; so in all functions below.
    """
    signals = _forward(network, work, inputs)
    torch.sub(targets, work.predictions.layers[0], out=work.errors.layers[0])
    for level, errors in enumerate(work.errors.layers):
        if level + 1 < depth(network):
            above = work.errors.layers[level + 1]
            _product(errors, network.weights[level].t(), above)
            above.mul_(signals.slopes[level + 1])
        _learn(network, level, signals, errors, learning_rate)


def il(
    network: LayeredNetwork,
    work: Workspace,
    inputs: Tensor,
    targets: Tensor,
    learning_rate: float,
    steps: int,
    gamma: float,
    repeat_input: bool = False,
) -> None:
    """One update by IL: all weights learn after ``steps`` = t_c inference steps (eq. 7, 9).

    ``repeat_input`` computes the prediction by the input anew in every step, as the algorithm is
    listed; the result is the same.
    """
    check_inference(steps, gamma)
    signals = _start(network, work, inputs, targets)
    nothing_due = [None] * depth(network)
    for _ in range(steps):
        _find_errors(work)
        _advance(network, work, signals, gamma, nothing_due, learning_rate)
        if repeat_input:
            _predict(network, depth(network) - 1, work, signals)
    _find_errors(work)
    for level, errors in enumerate(work.errors.layers):
        _learn(network, level, signals, errors, learning_rate)


def zil(
    network: LayeredNetwork,
    work: Workspace,
    inputs: Tensor,
    targets: Tensor,
    learning_rate: float,
    gamma: float = 1.0,
) -> None:
    """One update by Z-IL: theta^{l+1} learns at t = l; every layer relaxes at every step."""
    check_inference(depth(network) - 1, gamma)
    signals = _start(network, work, inputs, targets)
    for t in range(depth(network)):
        _find_errors(work)
        due = [errors if level == t else None for level, errors in enumerate(work.errors.layers)]
        _learn_and_move(network, work, signals, gamma, due, learning_rate, t + 1 < depth(network))


def fazil(
    network: LayeredNetwork,
    work: Workspace,
    inputs: Tensor,
    targets: Tensor,
    learning_rate: float,
    detection_steps: int,
    tolerance: float = 0.0,
    steps: int | None = None,
    gamma: float = 1.0,
) -> None:
    """One update by Fa-Z-IL: at every t = 0 .. ``steps`` a layer learns where its phi fires.

    ``steps`` is l_max - 1 without another number. phi watches every neuron of every sample for
    ``detection_steps`` = t_d steps; a matrix of which no neuron fires is not touched. Weights
    move at once: an error that was zero in its turn (of a silent relu) may arise later and fire.
    """
    check_trigger(detection_steps, tolerance)
    last = depth(network) - 1 if steps is None else steps
    check_inference(last, gamma)
    signals = _start(network, work, inputs, targets)
    # Last time at which a neuron's error was not zero; before t = 0 all were silent long enough.
    active_at = [
        torch.full_like(errors, -1 - detection_steps, dtype=torch.int32)
        for errors in work.errors.layers
    ]
    for t in range(last + 1):
        _find_errors(work)
        due = [
            _fired_errors(errors, times, t, detection_steps, tolerance)
            for errors, times in zip(work.errors.layers, active_at, strict=True)
        ]
        _learn_and_move(network, work, signals, gamma, due, learning_rate, t < last)


def _fired_errors(
    errors: Tensor, active_at: Tensor, t: int, detection_steps: int, tolerance: float
) -> Tensor | None:
    """phi(eps^l_t) eps^l_t, or None if phi fires nowhere; ``active_at`` is brought up to date.

    ``trigger.phi`` with the time of the last activity in place of a counter: a layer at rest, as
    all are above layer t, costs one comparison.
    """
    active = errors != 0 if tolerance == 0 else (errors.abs() <= tolerance).logical_not_()
    if not active.any():
        return None
    fires = (active_at < t - detection_steps).logical_and_(active)
    active_at.masked_fill_(active, t)
    return torch.where(fires, errors, 0.0) if fires.any() else None


def _forward(network: LayeredNetwork, work: Workspace, inputs: Tensor) -> _Signals:
    """Predictions of all layers from the input down, with the signals they are made of."""
    count = depth(network)
    signals = _Signals([None] * (count + 1), [None] * (count + 1))
    signals.activities[count] = (
        network.activation.value(inputs) if network.activate_input else inputs
    )
    for level in reversed(range(count)):
        _predict(network, level, work, signals)
        if level > 0:
            _refresh(network, level, work.predictions.layers[level], signals)
    return signals


def _start(network: LayeredNetwork, work: Workspace, inputs: Tensor, targets: Tensor) -> _Signals:
    """Prediction phase: hidden value nodes at their predictions (C1), the output clamped."""
    signals = _forward(network, work, inputs)
    work.values.all.copy_(work.predictions.all)
    work.values.layers[0].copy_(targets)
    return signals


def _find_errors(work: Workspace) -> None:
    """eps^l = x^l - mu^l of all layers (eq. 5)."""
    torch.sub(work.values.all, work.predictions.all, out=work.errors.all)


def _learn_and_move(
    network: LayeredNetwork,
    work: Workspace,
    signals: _Signals,
    gamma: float,
    due: list[Tensor | None],
    learning_rate: float,
    moving: bool,
) -> None:
    """One step; at the last one nothing uses the moved value nodes, so they stay."""
    if moving:
        _advance(network, work, signals, gamma, due, learning_rate)
        return
    for level, errors in enumerate(due):
        if errors is not None:
            _learn(network, level, signals, errors, learning_rate)


def _advance(
    network: LayeredNetwork,
    work: Workspace,
    signals: _Signals,
    gamma: float,
    due: list[Tensor | None],
    learning_rate: float,
) -> None:
    """One inference step of every hidden layer; theta^{l+1} learns from the errors ``due[l]``.

    Simultaneous, though layer by layer: message and learning use the errors and activities of time
    t, the message also the weights of time t, before layer l+1 moves on and predicts layer l anew.
    """
    first = work.values.layers[0].numel()
    work.values.all[first:].sub_(work.errors.all[first:], alpha=gamma)  # all but the clamped x^0
    for level, errors in enumerate(work.errors.layers[:-1]):
        above, message = level + 1, work.messages.layers[level + 1]
        _product(errors, network.weights[level].t(), message)
        if due[level] is not None:
            _learn(network, level, signals, due[level], learning_rate)
        value = work.values.layers[above]
        value.addcmul_(message, signals.slopes[above], value=gamma)
        _refresh(network, above, value, signals)
        _predict(network, level, work, signals)
    if due[-1] is not None:
        top = depth(network) - 1
        _learn(network, top, signals, due[-1], learning_rate)
        _predict(network, top, work, signals)  # the input stays, but its matrix has changed


def _refresh(network: LayeredNetwork, level: int, values: Tensor, signals: _Signals) -> None:
    """f(x^l) and f'(x^l) of moved value nodes."""
    activity, slope = network.activation.value_and_derivative(values)
    signals.activities[level], signals.slopes[level] = activity, slope


def _predict(network: LayeredNetwork, level: int, work: Workspace, signals: _Signals) -> None:
    """mu^l = f(x^{l+1}) theta^{l+1} (+ bias), the one call of both phases (C1)."""
    prediction = work.predictions.layers[level]
    _product(signals.activities[level + 1], network.weights[level], prediction)
    if network.biases is not None:
        prediction.add_(network.biases[level])


def _product(rows: Tensor, matrix: Tensor, out: Tensor) -> None:
    """``rows`` [batch, n] times ``matrix`` [n, m] into ``out``; one row reads the matrix faster."""
    if rows.shape[0] == 1:
        torch.mv(matrix.t(), rows[0], out=out[0])
    else:
        torch.mm(rows, matrix, out=out)


def _learn(
    network: LayeredNetwork, level: int, signals: _Signals, errors: Tensor, learning_rate: float
) -> None:
    """theta^{l+1} += alpha f(x^{l+1})^T eps^l, in place (eq. 3, 9)."""
    activity, weight = signals.activities[level + 1], network.weights[level]
    if errors.shape[0] == 1:
        weight.addr_(activity[0], errors[0], alpha=learning_rate)
    else:
        weight.addmm_(activity.t(), errors, alpha=learning_rate)
    if network.biases is not None:
        network.biases[level].add_(errors.sum(dim=0), alpha=learning_rate)
