"""Predictive coding networks: inference learning (IL) and its exact variant Z-IL.

Thuesen 2022, section 3.5. Every stage k of the network (a weight matrix, a batch normalisation,
the softmax) has a value node x(k) and predicts it from the one below, u(k) = g_k(x(k-1)); its error
node is e(k) = x(k) - u(k). x(0) is the input, the topmost node is clamped to the target. Nodes are
rows [batch, units] and W is [inputs, units]. With V_k the Jacobian of g_k,

    F       = 1/2 sum_k |e(k)|^2                                         (eq. 44)
    dx(k)   = gamma (-e(k) + e(k+1) V_{k+1}^T)                           (eq. 45, 51-54)
    dW(k)   = alpha f(x(k-1))^T e(k),   db(k) = alpha e(k)               (eq. 46)

Misprints: eq. 43 applies the activation to the input, and eq. 45 and 48 differ in the index of
sigma'; the derivative belongs to the node that receives the message. The Jacobian of the softmax is
replaced by the identity (eq. 48-50), i.e. its term in F is the cross entropy, whose gradient by the
logits is exactly the residual y - softmax(x). F is a sum over the batch, updates are batch means.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.learning.backprop import LocalTerms, cross_entropy
from plausible.learning.trigger import phi, silent_start
from plausible.networks.batch_norm import Normalised, normalise, propagate
from plausible.networks.mlp import Network, has_activation, predict


class Stage(NamedTuple):
    """One prediction u(k) = g_k(x(k-1))."""

    kind: str
    """"linear" (f(x) W + b), "batch_norm" (BN(x)) or "softmax"."""
    layer: int
    active: bool
    """Whether x(k-1) passes through the activation first."""


class Local(NamedTuple):
    """What a stage sees of the value node below it at one instant."""

    below: Tensor
    """The value node x(k-1) itself."""
    prediction: Tensor
    """u(k), [batch, units]."""
    activity: Tensor
    """f(x(k-1)), or x(k-1) where no activation is applied; for batch norm the normalised values."""
    slope: Tensor | None
    normalised: Normalised | None


class State(NamedTuple):
    """Value nodes x(0)..x(K) at one instant, with predictions and errors of stages 1..K."""

    values: list[Tensor]
    locals: list[Local]
    errors: list[Tensor]


class Relaxation(NamedTuple):
    """Record of the dynamics: entry t holds the state after t inference steps."""

    value_nodes: list[tuple[Tensor, ...]]
    """x(0)..x(K), each [batch, units]; x(0) is the input."""
    error_nodes: list[tuple[Tensor, ...]]
    """e(1)..e(K)."""
    free_energy: list[float]
    """Summed over the batch, in nats."""


def stages(network: Network, target: str = "softmax") -> tuple[Stage, ...]:
    """Stages from the input to the output.

    ``target`` "softmax" adds the softmax node (eq. 48), which is clamped to one-hot labels;
    "linear" has the network's last node as top node.
    """
    found = []
    for layer, norm in enumerate(network.batch_norms):
        found.append(Stage("linear", layer, layer > 0))
        if norm is not None:
            found.append(Stage("batch_norm", layer, False))
    if target == "softmax":
        last = len(network.weights) - 1
        found.append(Stage("softmax", last, has_activation(network, last)))
    return tuple(found)


def start(
    network: Network,
    inputs: Tensor,
    target: Tensor | None,
    plan: tuple[Stage, ...],
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    update_running: bool = False,
) -> State:
    """Value nodes at their feed-forward values, all errors zero; then the top node is clamped.

    ``target`` None leaves the top node free.
    """
    values, views, errors = [inputs], [], []
    for stage in plan:
        view = _look(network, stage, values[-1], batch_statistics, masks, update_running)
        views.append(view)
        values.append(view.prediction)
        errors.append(torch.zeros_like(view.prediction))
    if target is not None:
        values[-1] = target
        errors[-1] = target - views[-1].prediction
    return State(values, views, errors)


def refresh(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    reuse: bool = False,
    changed: int | None = None,
) -> State:
    """Predictions and errors that belong to the current value nodes and parameters.

    ``reuse`` keeps the prediction of every stage whose value node below is still the same tensor;
    only the parameters of stage ``changed`` may then have changed since the last time.
    """
    views = [
        view
        if reuse and view.below is below and k != changed
        else _look(network, stage, below, batch_statistics, masks)
        for k, (stage, view, below) in enumerate(
            zip(plan, state.locals, state.values[:-1], strict=True)
        )
    ]
    errors = [value - view.prediction for value, view in zip(state.values[1:], views, strict=True)]
    return State(state.values, views, errors)


def _look(
    network: Network,
    stage: Stage,
    below: Tensor,
    batch_statistics: bool,
    masks: tuple[Tensor, ...] | None,
    update_running: bool = False,
) -> Local:
    if stage.kind == "batch_norm":
        norm = network.batch_norms[stage.layer]
        output, record = normalise(norm, below, batch_statistics, update_running)
        return Local(below, output, record.values, None, record)
    activity, slope = below, None
    if stage.active:
        activity, slope = network.activation.value_and_derivative(below)
        below_layer = stage.layer - (stage.kind == "linear")
        if masks is not None and below_layer < len(masks):
            activity, slope = activity.mul_(masks[below_layer]), slope.mul_(masks[below_layer])
    if stage.kind == "softmax":
        return Local(below, torch.softmax(activity, dim=1), activity, slope, None)
    return Local(below, predict(network, stage.layer, activity), activity, slope, None)


def message(network: Network, stage: Stage, view: Local, error: Tensor) -> Tensor:
    """e(k) V_k^T: what the error node of a stage sends to the value node below it."""
    if stage.kind == "batch_norm":
        return propagate(network.batch_norms[stage.layer], view.normalised, error)
    sent = error @ network.weights[stage.layer].t() if stage.kind == "linear" else error
    return sent if view.slope is None else sent * view.slope


def value_node_changes(
    network: Network, plan: tuple[Stage, ...], state: State, clamped: bool = True
) -> list[Tensor]:
    """dx(1)..dx(K) / gamma of eq. 45; the top node's is absent if it is clamped."""
    changes = []
    for k, stage in enumerate(plan[1:], start=1):
        sent = message(network, stage, state.locals[k], state.errors[k])
        changes.append(sent - state.errors[k - 1])
    if not clamped:
        changes.append(-state.errors[-1])
    return changes


def move(state: State, changes: list[Tensor], step_size: float) -> State:
    """State with value nodes moved by ``step_size`` times ``changes``; the input never moves."""
    moved = list(state.values)
    for k, change in enumerate(changes, start=1):
        moved[k] = torch.add(moved[k], change, alpha=step_size)
    return State(moved, state.locals, state.errors)


def advance(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    step_size: float,
    clamped: bool = True,
) -> State:
    """The same as :func:`value_node_changes` and :func:`move`, bit for bit, at less cost.

    A value node that *is* its prediction (the same tensor) has error zero and sends zeros; nodes
    that would move by zero are left alone, so that ``refresh`` can reuse what depends on them.
    """
    resting = [
        value is view.prediction for value, view in zip(state.values[1:], state.locals, strict=True)
    ]
    moved = list(state.values)
    for k, stage in enumerate(plan[1:], start=1):
        if resting[k] and resting[k - 1]:
            continue
        if resting[k]:
            change = -state.errors[k - 1]
        else:
            change = message(network, stage, state.locals[k], state.errors[k])
            if not resting[k - 1]:
                change = change - state.errors[k - 1]
        moved[k] = torch.add(moved[k], change, alpha=step_size)
    if not clamped and not resting[-1]:
        moved[-1] = torch.sub(moved[-1], state.errors[-1], alpha=step_size)
    return state._replace(values=moved)


def free_energy(plan: tuple[Stage, ...], state: State) -> float:
    """F of eq. 44, summed over the batch; the softmax node contributes its cross entropy."""
    energy = sum(
        0.5 * float((error**2).sum())
        for error, stage in zip(state.errors, plan, strict=True)
        if stage.kind != "softmax"
    )
    if plan[-1].kind == "softmax":
        logits, target = state.locals[-1].activity, state.values[-1]
        energy += float(cross_entropy(logits, target)[0]) * logits.shape[0]
    return energy


def relax(
    network: Network,
    inputs: Tensor,
    target: Tensor | None,
    steps: int,
    step_size: float,
    node: str = "softmax",
    batch_statistics: bool = True,
    values: tuple[Tensor, ...] | None = None,
) -> Relaxation:
    """Run the dynamics with fixed weights for ``steps`` steps and record every state (eq. 43-46).

    ``target`` [batch, classes] clamps the top node: the softmax node, or with ``node`` "linear" the
    output layer itself (squared error). ``target`` None leaves the output free (``node`` must be
    "linear"). ``values`` are x(1)..x(K) to start from in place of the feed-forward values.
    """
    if target is None and node != "linear":
        raise ValueError('a free output needs node="linear"')
    plan = stages(network, node)
    state = start(network, inputs, target, plan, batch_statistics)
    if values is not None:
        chosen = [inputs, *values]
        if target is not None:
            chosen[-1] = target
        state = refresh(network, plan, state._replace(values=chosen), batch_statistics)
    record = Relaxation([], [], [])
    for step in range(steps + 1):
        record.value_nodes.append(tuple(state.values))
        record.error_nodes.append(tuple(state.errors))
        record.free_energy.append(free_energy(plan, state))
        if step < steps:
            state = advance(network, plan, state, step_size, target is not None)
            state = refresh(network, plan, state, batch_statistics, reuse=True)
    return record


def local_terms(plan: tuple[Stage, ...], state: State, k: int) -> LocalTerms:
    """Local terms of stage k (from 0); the gradient of F is minus the update of eq. 46."""
    stage, view = plan[k], state.locals[k]
    return LocalTerms(stage.kind, stage.layer, state.errors[k].neg(), view.activity)


def _due_terms(plan: tuple[Stage, ...], state: State, k: int) -> LocalTerms:
    """Local terms of a stage at its time in Z-IL: its error node is the message from above alone.

    A message through batch statistics sums to zero over the batch.
    """
    above = state.locals[k + 1].normalised if k + 1 < len(plan) else None
    return local_terms(plan, state, k)._replace(
        centred=above is not None and above.batch_statistics
    )


def il_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    steps: int,
    step_size: float,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
) -> Iterator[LocalTerms]:
    """Inference learning: relax for ``steps`` steps, then yield the terms of all stages.

    All terms belong to the same final state, so parameters may be changed while iterating.
    """
    for _ in range(steps):
        state = advance(network, plan, state, step_size)
        state = refresh(network, plan, state, batch_statistics, masks, reuse=True)
    for k in reversed(range(len(plan))):
        if plan[k].kind != "softmax":
            yield local_terms(plan, state, k)


def zil_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    step_size: float = 1.0,
) -> Iterator[LocalTerms]:
    """Z-IL with simultaneous updates: stage k yields its terms at t = K - k (section 3.5.2).

    Forward initialised, gamma = 1, every node of the network relaxing at every step. Value nodes
    and parameters both move from the state at time t: the new value nodes are computed before the
    caller may change the stage's parameters. The result equals backprop up to rounding; it does not
    with another ``step_size`` gamma.
    t = L - l of the thesis counts the softmax and batch-norm stages as layers.
    """
    top = len(plan) - 1
    for k in reversed(range(len(plan))):
        if k < top:
            state = refresh(
                network, plan, state, batch_statistics, masks, reuse=True, changed=k + 1
            )
        moved = advance(network, plan, state, step_size) if k > 0 else state
        if plan[k].kind != "softmax":
            yield _due_terms(plan, state, k)
        state = moved


def zil_sequential_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
) -> Iterator[LocalTerms]:
    """Z-IL in the update order of the code behind the thesis; all nodes relax at every step.

    Within a step all predictions are made first. Then, from the top down, a stage's error is taken,
    its parameters change if it is their time, and only then does the node below move, with the
    *new* parameters. The errors sent down therefore differ from backprop's by O(alpha).
    """
    top = len(plan) - 1
    for due in reversed(range(len(plan))):
        if due < top:
            state = refresh(network, plan, state, batch_statistics, masks)
        moved = list(state.values)
        for k in reversed(range(len(plan))):
            if k == due and plan[k].kind != "softmax":
                yield _due_terms(plan, state, k)
            if k > 0:
                sent = message(network, plan[k], state.locals[k], state.errors[k])
                moved[k] = state.values[k] + (sent - state.errors[k - 1])
        state = state._replace(values=moved)


def fazil_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    detection_steps: int,
    tolerance: float = 0.0,
    batch_statistics: bool = True,
) -> Iterator[LocalTerms]:
    """Fully autonomous Z-IL: a stage yields the terms of those error nodes whose trigger phi fires.

    Forward initialised, gamma = 1, all nodes relaxing, for as many steps as Z-IL takes; a stage may
    yield more than once. Source: Song et al. 2020, section 4, algorithm 3.
    """
    silent = [silent_start(error, detection_steps) for error in state.errors]
    for due in reversed(range(len(plan))):
        if due < len(plan) - 1:
            state = refresh(network, plan, state, batch_statistics, reuse=True)
        moved = advance(network, plan, state, 1.0) if due > 0 else state
        for k in reversed(range(len(plan))):
            fires, silent[k] = phi(state.errors[k], silent[k], detection_steps, tolerance)
            if plan[k].kind != "softmax" and fires.any():
                terms = _due_terms(plan, state, k) if k == due else local_terms(plan, state, k)
                yield terms._replace(error=torch.where(fires, terms.error, 0.0))
        state = moved
