"""Lean weight updates in place: backprop, IL, Z-IL and Fa-Z-IL of Song et al. 2020.

The same mathematics as ``plausible.learning.predictive_coding``, for run times (Table 4) and large
networks without batch normalisation, whose output is clamped to real targets: the parameters of a
network change in place, and nothing as large as a weight matrix is ever allocated. A batch of one
sample uses matrix-vector products and rank-1 updates, a larger one matrix products.

Where the time goes. The matrix at the input is by far the largest, and its prediction is the same
all through inference, because the input is clamped: it is computed once. In a step, each other
matrix is read by message, learning and prediction right after another, while it is still in the
cache.

Condition C1 must hold bit for bit, or gamma = 10 blows a rounding residue up: the prediction phase
and inference compute u by the same call on the same shapes, and e = x - u is a subtraction of its
own (never an ``addmm`` that accumulates in another order).

Layers are counted from the input: layer k is what ``weights[k]`` leads to, node k + 1 and stage
k + 1 of ``predictive_coding``. Updates are sums over the batch.
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.learning.predictive_coding import check_inference
from plausible.learning.trigger import check_trigger
from plausible.networks.mlp import Network


class Nodes(NamedTuple):
    """One kind of node of all layers, one after the other in memory."""

    all: Tensor
    """Flat, so that one operation does for all layers what is done for each unit alone."""
    layers: tuple[Tensor, ...]
    """Views of it: entry k is layer k, [batch, units]."""


class Workspace(NamedTuple):
    """Memory for one update with one batch size."""

    values: Nodes
    """x of each layer; that of the last one holds the target."""
    predictions: Nodes
    """u of each layer."""
    errors: Nodes
    """e of each layer, or backprop's errors."""
    messages: Nodes
    """What each layer is sent by the one after it; that of the last one stays unused."""


class _Signals(NamedTuple):
    """f of what each layer is predicted from, and f' of each layer; they change in inference."""

    activities: list[Tensor | None]
    slopes: list[Tensor | None]


def make_workspace(network: Network, batch_size: int) -> Workspace:
    """Memory for updates of ``network`` with batches of ``batch_size`` samples."""
    widths = [weight.shape[1] for weight in network.weights]

    def nodes() -> Nodes:
        flat = network.weights[0].new_zeros(batch_size * sum(widths))
        parts = flat.split([batch_size * width for width in widths])
        layers = zip(parts, widths, strict=True)
        return Nodes(flat, tuple(part.view(batch_size, width) for part, width in layers))

    return Workspace(nodes(), nodes(), nodes(), nodes())


def backprop(
    network: Network, work: Workspace, inputs: Tensor, targets: Tensor, learning_rate: float
) -> None:
    """One update by backprop (eq. 1, 3, 4); an error travels before its matrix changes.

    ``inputs`` [batch, inputs], ``targets`` [batch, outputs]; so in all functions below.
    """
    signals = _forward(network, work, inputs)
    torch.sub(targets, work.predictions.layers[-1], out=work.errors.layers[-1])
    for layer in reversed(range(len(network.weights))):
        errors = work.errors.layers[layer]
        if layer > 0:
            below = work.errors.layers[layer - 1]
            _product(errors, network.weights[layer].t(), below)
            below.mul_(signals.slopes[layer - 1])
        _learn(network, layer, signals, errors, learning_rate)


def il(
    network: Network,
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
    nothing_due = [None] * len(network.weights)
    for _ in range(steps):
        _find_errors(work)
        _advance(network, work, signals, gamma, nothing_due, learning_rate)
        if repeat_input:
            _predict(network, 0, work, signals)
    _find_errors(work)
    for layer, errors in enumerate(work.errors.layers):
        _learn(network, layer, signals, errors, learning_rate)


def zil(
    network: Network,
    work: Workspace,
    inputs: Tensor,
    targets: Tensor,
    learning_rate: float,
    gamma: float = 1.0,
) -> None:
    """One update by Z-IL: the last matrix learns at t = 0; every layer relaxes at every step."""
    last = len(network.weights) - 1
    check_inference(last, gamma)
    signals = _start(network, work, inputs, targets)
    for t in range(last + 1):
        _find_errors(work)
        due = [None] * (last + 1)
        due[last - t] = work.errors.layers[last - t]
        _learn_and_move(network, work, signals, gamma, due, learning_rate, t < last)


def fazil(
    network: Network,
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

    ``steps`` are as many as Z-IL takes without another number. phi watches every neuron of every
    sample for ``detection_steps`` = t_d steps; a matrix of which no neuron fires is not touched.
    Weights move at once: an error that was zero in its turn (of a silent relu) may arise later and
    fire.
    """
    check_trigger(detection_steps, tolerance)
    last = len(network.weights) - 1 if steps is None else steps
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
    """phi(e) e of a layer, or None if phi fires nowhere; ``active_at`` is brought up to date.

    ``trigger.phi`` with the time of the last activity in place of a counter: a layer at rest, as
    all are that no error has reached, costs one comparison.
    """
    active = errors != 0 if tolerance == 0 else (errors.abs() <= tolerance).logical_not_()
    if not active.any():
        return None
    fires = (active_at < t - detection_steps).logical_and_(active)
    active_at.masked_fill_(active, t)
    return torch.where(fires, errors, 0.0) if fires.any() else None


def _forward(network: Network, work: Workspace, inputs: Tensor) -> _Signals:
    """Predictions of all layers from the input on, with the signals they are made of."""
    count = len(network.weights)
    signals = _Signals([None] * count, [None] * count)
    signals.activities[0] = network.activation.value(inputs) if network.activate_input else inputs
    for layer in range(count):
        _predict(network, layer, work, signals)
        if layer < count - 1:
            _refresh(network, layer, work.predictions.layers[layer], signals)
    return signals


def _start(network: Network, work: Workspace, inputs: Tensor, targets: Tensor) -> _Signals:
    """Prediction phase: hidden value nodes at their predictions (C1), the output clamped."""
    signals = _forward(network, work, inputs)
    work.values.all.copy_(work.predictions.all)
    work.values.layers[-1].copy_(targets)
    return signals


def _find_errors(work: Workspace) -> None:
    """e = x - u of all layers (eq. 5)."""
    torch.sub(work.values.all, work.predictions.all, out=work.errors.all)


def _learn_and_move(
    network: Network,
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
    for layer, errors in enumerate(due):
        if errors is not None:
            _learn(network, layer, signals, errors, learning_rate)


def _advance(
    network: Network,
    work: Workspace,
    signals: _Signals,
    gamma: float,
    due: list[Tensor | None],
    learning_rate: float,
) -> None:
    """One inference step of every hidden layer; matrix k learns from the errors ``due[k]``.

    Simultaneous, though layer by layer: message and learning use the errors and activities of time
    t, the message also the weights of time t, before layer k-1 moves on and predicts layer k anew.
    """
    hidden = work.values.all.numel() - work.values.layers[-1].numel()
    work.values.all[:hidden].sub_(work.errors.all[:hidden], alpha=gamma)  # all but the clamped one
    for layer in reversed(range(1, len(network.weights))):
        below, message = layer - 1, work.messages.layers[layer - 1]
        _product(work.errors.layers[layer], network.weights[layer].t(), message)
        if due[layer] is not None:
            _learn(network, layer, signals, due[layer], learning_rate)
        value = work.values.layers[below]
        value.addcmul_(message, signals.slopes[below], value=gamma)
        _refresh(network, below, value, signals)
        _predict(network, layer, work, signals)
    if due[0] is not None:
        _learn(network, 0, signals, due[0], learning_rate)
        _predict(network, 0, work, signals)  # the input stays, but its matrix has changed


def _refresh(network: Network, layer: int, values: Tensor, signals: _Signals) -> None:
    """f and f' of the moved value nodes of a layer."""
    activity, slope = network.activation.value_and_derivative(values)
    signals.activities[layer + 1], signals.slopes[layer] = activity, slope


def _predict(network: Network, layer: int, work: Workspace, signals: _Signals) -> None:
    """u = f(x) W (+ b) of a layer, the one call of both phases (C1)."""
    prediction = work.predictions.layers[layer]
    _product(signals.activities[layer], network.weights[layer], prediction)
    if network.biases is not None:
        prediction.add_(network.biases[layer])


def _product(rows: Tensor, matrix: Tensor, out: Tensor) -> None:
    """``rows`` [batch, n] times ``matrix`` [n, m] into ``out``; one row reads the matrix faster."""
    if rows.shape[0] == 1:
        torch.mv(matrix.t(), rows[0], out=out[0])
    else:
        torch.mm(rows, matrix, out=out)


def _learn(
    network: Network, layer: int, signals: _Signals, errors: Tensor, learning_rate: float
) -> None:
    """W += alpha f(x)^T e, in place (eq. 3, 9)."""
    activity, weight = signals.activities[layer], network.weights[layer]
    if errors.shape[0] == 1:
        weight.addr_(activity[0], errors[0], alpha=learning_rate)
    else:
        weight.addmm_(activity.t(), errors, alpha=learning_rate)
    if network.biases is not None:
        network.biases[layer].add_(errors.sum(dim=0), alpha=learning_rate)
