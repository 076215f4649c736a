"""Gradients of a ``torch.nn.Sequential`` by backprop, Z-IL, Fa-Z-IL and inference learning.

Each function does what ``loss.backward()`` does for autograd: it adds the gradient of the mean loss
to ``.grad`` of every parameter, where any ``torch.optim`` finds it, and moves the running
statistics of batch normalisation while the model is in training mode. Between the call and the
optimizer's step nothing else changes.

With E = the mean over the batch of the loss of a sample, and e the error nodes of the predictive
coding network with the model's weights (Thuesen 2022, section 3.5; Song et al. 2020, section 3),

    dE/dW = -f(x)^T e / batch

where e are those of backprop for Z-IL and Fa-Z-IL up to rounding, and their approximation after
``steps`` steps of inference for inference learning.

Labels may be classes, integers [batch] (the loss is the cross entropy in nats), or targets, real
numbers [batch, outputs] (the loss is half the squared distance).
"""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.learning.backprop import LocalTerms, backward, cross_entropy, mean_gradients
from plausible.learning.predictive_coding import (
    Stage,
    State,
    fazil_terms,
    il_terms,
    stages,
    start,
    zil_terms,
)
from plausible.models.data import Data, as_array, as_classes, as_count, as_number, as_reals
from plausible.models.sequential import Reading, read_sequential
from plausible.networks.mlp import Network, forward_pass


class _Problem(NamedTuple):
    reading: Reading
    inputs: Tensor
    target: Tensor
    """One-hot labels, or the targets."""
    classes: bool
    batch_statistics: bool

    @property
    def network(self) -> Network:
        return self.reading.network


def backprop(model: nn.Sequential, inputs: Data, labels: Data) -> Tensor:
    """Add the gradient by backpropagation, an explicit recursion, to ``.grad``; return the loss.

    The same as autograd, up to rounding. Source: Thuesen 2022, section 2.6, eq. 23-26.

    Parameters
    ----------
    model:
        ``Linear`` layers with one and the same activation between them: ``ReLU``, ``Sigmoid``,
        ``Tanh``, ``Identity`` or `SoftRate`. A ``BatchNorm1d`` may stand before an activation, and
        a ``Flatten`` at the beginning. The last layer is ``Linear``.
    inputs:
        Real numbers [batch, features], or [batch, ...] for a model that begins with ``Flatten``.
    labels:
        Classes, integers [batch]: the loss is the cross entropy in nats. Or targets, real numbers
        [batch, outputs]: half the squared distance. Both as means over the batch.

    Returns
    -------
    Tensor
        The loss, one number, before any update.

    Raises
    ------
    ModelError
        If the model has another module, inputs or labels do not fit it, or the loss is not finite.
    """
    problem = _problem(model, inputs, labels)
    record = forward_pass(
        problem.network, problem.inputs, problem.batch_statistics, None, problem.batch_statistics
    )
    loss, error = _loss(problem, record.logits)
    return _learn(problem, loss, backward(problem.network, record, error))


def zil(model: nn.Sequential, inputs: Data, labels: Data) -> Tensor:
    """Add the gradient by zero-divergence inference learning (Z-IL) to ``.grad``; return the loss.

    Value nodes start at their predictions and relax with step size 1; the weights of each layer
    learn at the one moment at which their error nodes are those of backprop: the result equals
    autograd's up to rounding. Source: Song et al. 2020, section 3, algorithm 2 and theorem 3.2.

    Parameters
    ----------
    model:
        ``Linear`` layers with one and the same activation between them: ``ReLU``, ``Sigmoid``,
        ``Tanh``, ``Identity`` or `SoftRate`. A ``BatchNorm1d`` may stand before an activation, and
        a ``Flatten`` at the beginning. The last layer is ``Linear``.
    inputs:
        Real numbers [batch, features], or [batch, ...] for a model that begins with ``Flatten``.
    labels:
        Classes, integers [batch] (cross entropy), or targets, real numbers [batch, outputs] (half
        the squared distance).

    Returns
    -------
    Tensor
        The loss, one number, before any update.

    Raises
    ------
    ModelError
        If the model has another module, inputs or labels do not fit it, or the loss is not finite.
    """
    return _by_inference(
        model,
        inputs,
        labels,
        lambda problem, plan, state: zil_terms(
            problem.network, plan, state, problem.batch_statistics
        ),
    )


def fazil(
    model: nn.Sequential,
    inputs: Data,
    labels: Data,
    *,
    detection_steps: int = 4,
    tolerance: float = 0.0,
) -> Tensor:
    """Add the gradient by fully autonomous Z-IL (Fa-Z-IL) to ``.grad``; return the loss.

    No layer is told when to learn: each error node fires by itself when it leaves zero after some
    silent steps. It equals `zil` where no error is zero in its turn, so with smooth activations.
    The error of a silent ReLU unit is zero then, and may fire later: with ReLU, gradients are near
    those of backprop; with ReLU and batch normalisation in training, whose statistics tie samples
    together, those of its weight and bias are not. Source: Song et al. 2020, section 4,
    algorithm 3.

    Parameters
    ----------
    model, inputs, labels:
        As in `zil`.
    detection_steps:
        Silent steps before an error node fires, t_d, from 1.
    tolerance:
        Errors up to it count as zero.

    Returns
    -------
    Tensor
        The loss, one number, before any update.

    Raises
    ------
    ModelError
        If an argument is not what is expected, or the loss is not finite.
    """
    detection_steps = as_count(detection_steps, "detection_steps", 1)
    tolerance = as_number(tolerance, "tolerance", zero=True)
    return _by_inference(
        model,
        inputs,
        labels,
        lambda problem, plan, state: fazil_terms(
            problem.network, plan, state, detection_steps, tolerance, problem.batch_statistics
        ),
    )


def inference_learning(
    model: nn.Sequential, inputs: Data, labels: Data, *, steps: int = 20, step_size: float = 0.1
) -> Tensor:
    """Add the gradient by inference learning (IL) to ``.grad``; return the loss before it.

    All value nodes relax on the free energy, then every weight learns from the state that was
    reached. Once they have settled, that is, to first order in the error of the outputs, the
    gradient of backprop for another one: with J_k the Jacobian of the outputs by value node k,

        (1 + sum_k J_k J_k^T)^-1 (outputs - targets)   in place of   outputs - targets

    Source: Thuesen 2022, eq. 43-46; Song et al. 2020, algorithm 1.

    Parameters
    ----------
    model, inputs, labels:
        As in `zil`.
    steps:
        Steps of inference, from 0.
    step_size:
        gamma, by how much of its gradient a value node moves in a step.

    Returns
    -------
    Tensor
        The loss, one number, before inference.

    Raises
    ------
    ModelError
        If an argument is not what is expected, the loss is not finite, or inference diverges.
    """
    steps, step_size = as_count(steps, "steps"), as_number(step_size, "step_size")
    return _by_inference(
        model,
        inputs,
        labels,
        lambda problem, plan, state: il_terms(
            problem.network, plan, state, steps, step_size, problem.batch_statistics
        ),
        f"inference diverged within {steps} steps; use a step_size below {step_size:g}.",
    )


Rule = Callable[[_Problem, tuple[Stage, ...], State], Iterable[LocalTerms]]


def _by_inference(
    model: nn.Sequential, inputs: Data, labels: Data, rule: Rule, diverged: str = ""
) -> Tensor:
    """Gradients of a predictive coding network with the model's weights.

    With ``diverged``, a rule is refused with that sentence if the free energy, which falls as long
    as steps are small enough, has grown a thousandfold.
    """
    problem = _problem(model, inputs, labels)
    plan = stages(problem.network, "softmax" if problem.classes else "linear")
    statistics = problem.batch_statistics
    state = start(
        problem.network,
        problem.inputs,
        problem.target,
        plan,
        statistics,
        update_running=statistics,
    )
    # The view of the topmost stage: of the softmax, what goes into it.
    top = state.locals[-1]
    loss, _ = _loss(problem, top.activity if problem.classes else top.prediction)
    terms = rule(problem, plan, state)
    if diverged:
        # The state at the end is the same for all of them, and the loss is that of the beginning.
        terms = list(terms)
        energy = 0.5 * sum(float(term.error.square().sum()) for term in terms)
        if not energy <= 1e3 * float(loss) * len(problem.inputs):
            raise ModelError(diverged)
    return _learn(problem, loss, terms)


def _loss(problem: _Problem, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss, and its derivative by the outputs of each sample."""
    if problem.classes:
        loss, error = cross_entropy(outputs, problem.target)
    else:
        error = outputs - problem.target
        loss = 0.5 * error.square().sum() / len(error)
    if not loss.isfinite():
        raise ModelError(
            "the loss is not finite: a weight of the model is not, or outputs are too large, as "
            "after a training that diverged."
        )
    return loss, error


def _learn(problem: _Problem, loss: Tensor, terms: Iterable[LocalTerms]) -> Tensor:
    """Add up the gradients of all ``terms`` in ``.grad`` of the parameters they belong to."""
    with torch.no_grad():
        for term in terms:
            linear = term.kind == "linear"
            modules = problem.reading.linears if linear else problem.reading.norms
            module = modules[term.layer]
            weight, bias = mean_gradients(term)
            # A module's matrix is [units, inputs].
            pairs = zip((module.weight, module.bias), (weight.t(), bias), strict=True)
            for parameter, gradient in pairs:
                if parameter is None or not parameter.requires_grad:
                    continue
                if parameter.grad is None:
                    parameter.grad = gradient.clone()
                else:
                    parameter.grad += gradient
    return loss


def _problem(model: nn.Sequential, inputs: Data, labels: Data) -> _Problem:
    """Model, inputs and labels in one form, or a sentence about what does not fit."""
    reading = read_sequential(model)
    first, last = reading.linears[0], reading.linears[-1]
    weight = first.weight.detach()
    inputs = _reals(inputs, weight, "inputs")
    if isinstance(model[0], nn.Flatten) and inputs.ndim > 1:
        inputs = inputs.flatten(1)
    if inputs.ndim != 2 or inputs.shape[1] != first.in_features or not len(inputs):
        raise ModelError(
            f"inputs: found the shape {list(inputs.shape)}, expected [batch, {first.in_features}] "
            "with at least one sample."
        )
    norms = [norm for norm in reading.norms if norm is not None]
    if len({norm.track_running_stats for norm in norms}) > 1:
        raise ModelError("some batch norms track running statistics and some do not; choose one.")
    batch_statistics = bool(norms) and (model.training or not norms[0].track_running_stats)
    if batch_statistics and len(inputs) == 1:
        raise ModelError(
            "a batch of one sample has no variance, which batch normalisation in training needs; "
            "give at least two, or call model.eval()."
        )
    target, classes = _target(labels, len(inputs), last.out_features, weight)
    for norm in norms:
        if model.training and norm.track_running_stats:
            norm.num_batches_tracked += 1
    return _Problem(reading, inputs, target, classes, batch_statistics)


def _reals(values: Data, like: Tensor, name: str) -> Tensor:
    """Finite numbers in the precision and on the device of the model."""
    if isinstance(values, Tensor) and not values.is_complex():
        found = values.detach().to(like)
        if not found.isfinite().all():
            raise ModelError(f"{name}: found values that are not finite, expected real numbers.")
        return found
    return torch.from_numpy(as_reals(values, name)).to(like)


def _target(labels: Data, batch: int, outputs: int, like: Tensor) -> tuple[Tensor, bool]:
    """One-hot labels or targets in the precision of the model, and whether they are classes."""
    if as_array(labels, "labels").dtype.kind != "f":
        classes = torch.from_numpy(as_classes(labels, batch, outputs)).to(like.device)
        return nn.functional.one_hot(classes, outputs).to(like), True
    targets = _reals(labels, like, "targets")
    if targets.shape != (batch, outputs):
        raise ModelError(
            f"targets: found the shape {list(targets.shape)}, expected real numbers [{batch}, "
            f"{outputs}], or classes, integers [{batch}]."
        )
    return targets, False
