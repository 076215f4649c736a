"""Predictive coding networks: inference learning (IL), Z-IL and fully autonomous Z-IL (Fa-Z-IL).

Every stage k of the network (a weight matrix, a batch normalisation, the softmax) has a value node
x(k) and predicts it from the one below, u(k) = g_k(x(k-1)); its error node is e(k) = x(k) - u(k).
x(0) is the input, the topmost node x(K) is clamped to the target. Nodes are rows [batch, units] and
W is [inputs, units]. With V_k the Jacobian of g_k, by their numbers in Song et al. 2020 and in
Thuesen 2022, section 3.5,

    u(k)    = f(x(k-1)) W (+ b)                                      (Song 5; Thuesen 43)
    F       = 1/2 sum_k |e(k)|^2                                     (6; 44)
    dx(k)   = gamma (-e(k) + e(k+1) V_{k+1}^T)                       (7; 45, 51-54)
    dW(k)   = alpha f(x(k-1))^T e(k),   db(k) = alpha e(k)           (9, A.1; 46)

Numberings. Nodes are counted from the input, as in Thuesen 2022, where every stage counts as a
layer. Song et al. have linear stages alone and count layers from the output: their x^l, mu^l and
eps^l are x(K-l), u(K-l) and e(K-l), l_max is K, and theta^{l+1}, from layer l+1 to layer l, is the
matrix of stage K-l. t is the number of inference steps already made; Z-IL teaches stage k at
t = K - k, which is Thuesen's t = L - l and Song's t = l.

Song's listings move the value nodes first and the weights second within a step, the code behind
Thuesen 2022 the weights first; the proofs need both from the values of time t. Misprints: Thuesen's
eq. 45 and 48 differ in the index of sigma'; the derivative belongs to the node that receives the
message. The Jacobian of the softmax is replaced by the identity (eq. 48-50), i.e. its term in F is
the cross entropy, whose gradient by the logits is exactly the residual y - softmax(x). F is a sum
over the batch.
"""

import math
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning.backprop import LocalTerms, cross_entropy
from plausible.learning.trigger import check_trigger, phi, silent_start
from plausible.networks.batch_norm import Normalised, normalise, propagate
from plausible.networks.mlp import Network, has_activation, predict

ORDERS = ("simultaneous", "listing", "weights_first")


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
    predictions: list[tuple[Tensor, ...]]
    """u(1)..u(K)."""
    error_nodes: list[tuple[Tensor, ...]]
    """e(1)..e(K)."""
    free_energy: list[float]
    """Summed over the batch, in nats."""


class Event(NamedTuple):
    """One thing that a rule did."""

    t: int
    event: str
    """"inference" or "weight_update"."""
    k: int
    """The value node x(k) that moved, or the stage (from 1) that learned."""


def check_inference(steps: int, gamma: float) -> None:
    """Refuse a number of inference steps or an integration step that cannot be meant.

    Raises
    ------
    ConfigError
        If ``steps`` is negative, or ``gamma`` not a positive number.
    """
    if steps < 0:
        raise ConfigError(f"t_c: found {steps}, expected a number of inference steps from 0.")
    if not (math.isfinite(gamma) and gamma > 0):
        raise ConfigError(f"gamma: found {gamma}, expected a finite number above 0.")


def stages(network: Network, target: str = "softmax") -> tuple[Stage, ...]:
    """Stages from the input to the output.

    ``target`` "softmax" adds the softmax node (eq. 48), which is clamped to one-hot labels;
    "linear" has the network's last node as top node.
    """
    found = []
    for layer, norm in enumerate(network.batch_norms):
        found.append(Stage("linear", layer, layer > 0 or network.activate_input))
        if norm is not None:
            found.append(Stage("batch_norm", layer, False))
    if target == "softmax":
        last = len(network.weights) - 1
        found.append(Stage("softmax", last, has_activation(network, last)))
    return tuple(found)


def look(
    network: Network,
    stage: Stage,
    below: Tensor,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    update_running: bool = False,
) -> Local:
    """What a stage sees of the value node ``below`` it, and makes of it."""
    if stage.kind == "batch_norm":
        norm = network.batch_norms[stage.layer]
        output, record = normalise(norm, below, batch_statistics, update_running)
        return Local(below, output, record.values, None, record)
    activity, slope = below, None
    if stage.active:
        activity, slope = network.activation.value_and_derivative(below)
        below_layer = stage.layer - (stage.kind == "linear")
        if masks is not None and 0 <= below_layer < len(masks):
            activity, slope = activity.mul_(masks[below_layer]), slope.mul_(masks[below_layer])
    if stage.kind == "softmax":
        return Local(below, torch.softmax(activity, dim=1), activity, slope, None)
    return Local(below, predict(network, stage.layer, activity), activity, slope, None)


def start(
    network: Network,
    inputs: Tensor,
    target: Tensor | None,
    plan: tuple[Stage, ...],
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    update_running: bool = False,
    start_noise: Sequence[Tensor] | None = None,
) -> State:
    """Value nodes at their predictions (C1), all errors zero; then the top node is clamped.

    ``target`` None leaves the top node free. ``start_noise``, one for each of x(1)..x(K-1), breaks
    C1: x(k) = u(k) + noise, where u(k) already sees the noisy node below.
    """
    values, views = [inputs], []
    for k, stage in enumerate(plan):
        view = look(network, stage, values[-1], batch_statistics, masks, update_running)
        views.append(view)
        noisy = start_noise is not None and k < len(plan) - 1
        values.append(view.prediction + start_noise[k] if noisy else view.prediction)
    if target is not None:
        values[-1] = target
    errors = [
        torch.zeros_like(value) if value is view.prediction else value - view.prediction
        for value, view in zip(values[1:], views, strict=True)
    ]
    return State(values, views, errors)


def refresh(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    reuse: bool = False,
    changed: Collection[int] = (),
    wanted: Collection[int] | None = None,
) -> State:
    """Predictions and errors that belong to the current value nodes and parameters.

    ``reuse`` keeps the prediction of every stage whose value node below is still the same tensor;
    only the parameters of the stages ``changed`` (from 0) may then have changed since the last
    time. Without it nothing but the value nodes of ``state`` is read. Of stages that are not
    ``wanted`` the last prediction stays, and their error means nothing.
    """
    views = [
        state.locals[k]
        if wanted is not None
        and k not in wanted
        or reuse
        and state.locals[k].below is below
        and k not in changed
        else look(network, stage, below, batch_statistics, masks)
        for k, (stage, below) in enumerate(zip(plan, state.values[:-1], strict=True))
    ]
    errors = [value - view.prediction for value, view in zip(state.values[1:], views, strict=True)]
    return State(state.values, views, errors)


def message(network: Network, stage: Stage, view: Local, error: Tensor) -> Tensor:
    """e(k) V_k^T: what the error node of a stage sends to the value node below it."""
    if stage.kind == "batch_norm":
        return propagate(network.batch_norms[stage.layer], view.normalised, error)
    sent = error @ network.weights[stage.layer].t() if stage.kind == "linear" else error
    return sent if view.slope is None else sent * view.slope


def value_node_changes(
    network: Network, plan: tuple[Stage, ...], state: State, clamped: bool = True
) -> list[Tensor]:
    """dx(1)..dx(K) / gamma of eq. 7 and 45; the top node's is absent if it is clamped."""
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
    """F of eq. 6 and 44, summed over the batch; the softmax node contributes its cross entropy."""
    pairs = list(zip(state.errors, plan, strict=True))
    energy = sum(
        0.5 * float(error.square().sum())
        for error, stage in reversed(pairs)
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
    values: Sequence[Tensor] | None = None,
    start_noise: Sequence[Tensor] | None = None,
) -> Relaxation:
    """Run the dynamics with fixed weights for ``steps`` steps and record every state (eq. 5-7).

    ``target`` [batch, classes] clamps the top node: the softmax node, or with ``node`` "linear" the
    output layer itself (squared error). ``target`` None leaves the output free (``node`` must be
    "linear"). ``values`` are x(1)..x(K) to start from in place of the feed-forward values, which
    ``start_noise`` may displace (see ``start``).
    """
    if target is None and node != "linear":
        raise ValueError('a free output needs node="linear"')
    check_inference(steps, step_size)
    plan = stages(network, node)
    state = start(network, inputs, target, plan, batch_statistics, start_noise=start_noise)
    if values is not None:
        chosen = [inputs, *values]
        if target is not None:
            chosen[-1] = target
        state = refresh(network, plan, state._replace(values=chosen), batch_statistics)
    record = Relaxation([], [], [], [])
    for step in range(steps + 1):
        record.value_nodes.append(tuple(state.values))
        record.predictions.append(tuple(view.prediction for view in state.locals))
        record.error_nodes.append(tuple(state.errors))
        record.free_energy.append(free_energy(plan, state))
        if step < steps:
            state = advance(network, plan, state, step_size, target is not None)
            state = refresh(network, plan, state, batch_statistics, reuse=True)
    return record


def local_terms(
    plan: tuple[Stage, ...], state: State, k: int, in_its_turn: bool = False
) -> LocalTerms:
    """Local terms of stage k (from 0); the gradient of F is minus the update of eq. 9 and 46.

    ``in_its_turn`` says that this is the moment of Z-IL at which the error node is the message from
    above alone. A message through batch statistics sums to zero over the batch.
    """
    stage, view = plan[k], state.locals[k]
    above = state.locals[k + 1].normalised if in_its_turn and k + 1 < len(plan) else None
    centred = above is not None and above.batch_statistics
    return LocalTerms(stage.kind, stage.layer, state.errors[k].neg(), view.activity, centred)


def il_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    steps: int,
    step_size: float,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    log: list[Event] | None = None,
) -> Iterator[LocalTerms]:
    """Inference learning: relax for ``steps`` = t_c steps, then yield the terms of all stages.

    All terms belong to the same final state, so parameters may be changed while iterating. ``log``
    receives what happens, here and in the rules below.
    """
    check_inference(steps, step_size)
    log = [] if log is None else log
    for t in range(steps):
        state = advance(network, plan, state, step_size)
        state = refresh(network, plan, state, batch_statistics, masks, reuse=True)
        log += _all_move(plan, t)
    for k in reversed(range(len(plan))):
        if plan[k].kind != "softmax":
            log.append(Event(steps, "weight_update", k + 1))
            yield local_terms(plan, state, k)


def _all_move(plan: tuple[Stage, ...], t: int) -> list[Event]:
    return [Event(t, "inference", k) for k in reversed(range(1, len(plan)))]


def zil_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    step_size: float = 1.0,
    order: str = "simultaneous",
    moments: Sequence[int] | None = None,
    log: list[Event] | None = None,
) -> Iterator[LocalTerms]:
    """Z-IL: stage k yields its terms at t = K - k (C2), every node relaxing at every step.

    From states at their predictions (C1), with gamma = ``step_size`` = 1 (C3) and simultaneous
    steps, the result equals backprop up to rounding (Song et al. 2020, theorem 3.2; Thuesen 2022,
    section 3.5.2). The caller may change a stage's parameters when it has received its terms.
    ``moments`` gives other times, one for each stage. ``order`` is that of one step:

    - "simultaneous": parameters and value nodes both move from the state at time t, as in the
      proofs: the new value nodes are computed before the caller may change parameters;
    - "listing": value nodes first, then the parameters from the moved nodes, as Song's listings
      print it;
    - "weights_first": the parameters first, then the value nodes with the new ones, as in the code
      behind Thuesen 2022. The errors sent down differ from backprop's by O(alpha).
    """
    top = len(plan) - 1
    times = [top - k for k in range(len(plan))] if moments is None else list(moments)
    in_turn = moments is None and order != "listing"

    def due(t: int, state: State) -> Iterator[tuple[int, LocalTerms]]:
        for k in reversed(range(len(plan))):
            if times[k] == t:
                yield k, local_terms(plan, state, k, in_turn)

    last = {k for k, time in enumerate(times) if time == max(times)}
    return _relax_and_learn(
        network, plan, state, max(times), step_size, order, due, batch_statistics, masks, log, last
    )


def fazil_terms(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    detection_steps: int,
    tolerance: float = 0.0,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    step_size: float = 1.0,
    steps: int | None = None,
    order: str = "simultaneous",
    trigger: Callable[..., tuple[Tensor, Tensor]] | None = None,
    detections: list[tuple[Tensor, ...]] | None = None,
    log: list[Event] | None = None,
) -> Iterator[LocalTerms]:
    """Fully autonomous Z-IL: at every t a stage yields the terms of the error nodes that fire.

    phi watches every neuron of every sample by itself for ``detection_steps`` = t_d steps; errors
    up to ``tolerance`` count as zero. Nothing else tells a stage when to learn, and it may do so
    more than once in t = 0 .. ``steps`` (as many steps as Z-IL takes unless given). ``trigger``
    stands in the place of phi. ``detections`` receives for each t what phi said, one bool tensor
    [batch, units] for each stage. ``order`` as in ``zil_terms``. Source: Song et al. 2020, section
    4, algorithm 3.
    """
    check_trigger(detection_steps, tolerance)
    watch, top = trigger or phi, len(plan) - 1
    silent = [silent_start(error, detection_steps) for error in state.errors]

    def due(t: int, state: State) -> Iterator[tuple[int, LocalTerms]]:
        fired = []
        for k, errors in enumerate(state.errors):
            fires, silent[k] = watch(errors, silent[k], detection_steps, tolerance)
            fired.append(fires)
        if detections is not None:
            detections.append(tuple(fired))
        for k in reversed(range(len(plan))):
            if fired[k].any():
                terms = local_terms(plan, state, k, t == top - k and order != "listing")
                yield k, terms._replace(error=torch.where(fired[k], terms.error, 0.0))

    last = top if steps is None else steps
    return _relax_and_learn(
        network, plan, state, last, step_size, order, due, batch_statistics, masks, log
    )


def _relax_and_learn(
    network: Network,
    plan: tuple[Stage, ...],
    state: State,
    steps: int,
    step_size: float,
    order: str,
    due: Callable[[int, State], Iterable[tuple[int, LocalTerms]]],
    batch_statistics: bool,
    masks: tuple[Tensor, ...] | None,
    log: list[Event] | None,
    last: Collection[int] | None = None,
) -> Iterator[LocalTerms]:
    """Inference from t = 0 to ``steps``; ``due(t, state)`` gives stages (from 0) and their terms.

    Nothing uses value nodes that move behind the last update, so they stay; nor, where only the
    stages ``last`` are due at the end, what the others see then.
    """
    check_inference(steps, step_size)
    if order not in ORDERS:
        raise ConfigError(f"order: found {order!r}, expected one of {', '.join(ORDERS)}.")
    log = [] if log is None else log

    def seen(state: State, learned: Collection[int] = (), at_the_end: bool = False) -> State:
        wanted = last if at_the_end else None
        return refresh(network, plan, state, batch_statistics, masks, True, learned, wanted)

    for t in range(steps + 1):
        if order == "listing":
            state = seen(advance(network, plan, state, step_size), at_the_end=t == steps)
            log += _all_move(plan, t)
        elif order == "simultaneous" and t < steps:
            moved = advance(network, plan, state, step_size)
        learned = set()
        for k, terms in due(t, state):
            if plan[k].kind != "softmax":
                log.append(Event(t, "weight_update", k + 1))
                yield terms
                learned.add(k)
        if t == steps:
            return
        if order == "weights_first":
            moved = advance(network, plan, state, step_size)
        if order != "listing":
            state = moved
            log += _all_move(plan, t)
        state = seen(state, learned, t + 1 == steps and order != "listing")
