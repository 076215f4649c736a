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

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
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
from plausible.learning.trigger import check_trigger
from plausible.models.sequential import Reading, read_sequential
from plausible.networks.mlp import Network, forward_pass

Data = Tensor | np.ndarray


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
        Linear layers with an activation, and perhaps batch normalisation, between them.
    inputs:
        Real numbers [batch, features], or [batch, ...] for a model that begins with ``Flatten``.
    labels:
        Classes, integers [batch]: the loss is the cross entropy in nats. Or targets, real numbers
        [batch, outputs]: half the squared distance. Both as means over the batch.

    Raises
    ------
    ModelError
        If the model has another module, or inputs or labels do not fit it.
    """
    problem = _problem(model, inputs, labels)
    record = forward_pass(
        problem.network, problem.inputs, problem.batch_statistics, None, problem.batch_statistics
    )
    loss, error = _loss(problem, record.logits)
    return _learn(problem, loss, backward(problem.network, record, error))


def zil(model: nn.Sequential, inputs: Data, labels: Data) -> Tensor:
    """Add the gradient by Z-IL to ``.grad``; return the loss.

    Value nodes start at their predictions and relax with step size 1; the weights of each layer
    learn at the one moment at which their error nodes are those of backprop: the result equals
    autograd's up to rounding. Source: Song et al. 2020, section 3, algorithm 2 and theorem 3.2.
    Parameters and errors: see `backprop`.
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
    """Add the gradient by fully autonomous Z-IL to ``.grad``; return the loss.

    No layer is told when to learn: each error node fires by itself when it leaves zero after
    ``detection_steps`` = t_d silent steps. It equals Z-IL where no error is zero in its turn; units
    whose error is zero then (of a silent ReLU) may fire later. Errors up to ``tolerance`` count as
    zero. Source: Song et al. 2020, section 4, algorithm 3. Parameters and errors: see `backprop`.
    """
    check_trigger(detection_steps, tolerance)
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

    All value nodes relax for ``steps`` steps of ``step_size`` gamma on the free energy, then every
    weight learns from the state that was reached. An approximation of backprop, the better the
    smaller the output error. Source: Thuesen 2022, eq. 43-46; Song et al. 2020, algorithm 1.
    Parameters and errors: see `backprop`.
    """
    if steps < 0 or not (np.isfinite(step_size) and step_size > 0.0):
        raise ModelError(
            f"steps is {steps} and step_size {step_size}, expected a number from 0 and a finite "
            "number above 0."
        )
    return _by_inference(
        model,
        inputs,
        labels,
        lambda problem, plan, state: il_terms(
            problem.network, plan, state, steps, step_size, problem.batch_statistics
        ),
    )


Rule = Callable[[_Problem, tuple[Stage, ...], State], Iterator[LocalTerms]]


def _by_inference(model: nn.Sequential, inputs: Data, labels: Data, rule: Rule) -> Tensor:
    """Gradients of a predictive coding network with the model's weights."""
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
    return _learn(problem, loss, rule(problem, plan, state))


def _loss(problem: _Problem, outputs: Tensor) -> tuple[Tensor, Tensor]:
    """Mean loss, and its derivative by the outputs of each sample."""
    if problem.classes:
        return cross_entropy(outputs, problem.target)
    error = outputs - problem.target
    return 0.5 * error.square().sum() / len(error), error


def _learn(problem: _Problem, loss: Tensor, terms: Iterator[LocalTerms]) -> Tensor:
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
    inputs = torch.as_tensor(inputs).detach().to(weight)
    if isinstance(model[0], nn.Flatten) and inputs.ndim > 1:
        inputs = inputs.flatten(1)
    if inputs.ndim != 2 or inputs.shape[1] != first.in_features or not len(inputs):
        raise ModelError(
            f"inputs have shape {list(inputs.shape)}, expected [batch, {first.in_features}] with "
            "at least one sample."
        )
    if not inputs.isfinite().all():
        raise ModelError("inputs hold values that are not finite, expected real numbers.")
    norms = [norm for norm in reading.norms if norm is not None]
    if len({norm.track_running_stats for norm in norms}) > 1:
        raise ModelError("some batch norms track running statistics and some do not; choose one.")
    batch_statistics = bool(norms) and (model.training or not norms[0].track_running_stats)
    if batch_statistics and len(inputs) == 1:
        raise ModelError(
            "a batch of one sample has no variance, which batch normalisation in training needs; "
            "give at least two, or call model.eval()."
        )
    labels = torch.as_tensor(labels).detach()
    target, classes = _target(labels, len(inputs), last.out_features, weight)
    for norm in norms:
        if model.training and norm.track_running_stats:
            norm.num_batches_tracked += 1
    return _Problem(reading, inputs, target, classes, batch_statistics)


def _target(labels: Tensor, batch: int, outputs: int, like: Tensor) -> tuple[Tensor, bool]:
    """One-hot labels or targets in the precision of the model, and whether they are classes."""
    if labels.is_floating_point():
        if labels.shape != (batch, outputs) or not labels.isfinite().all():
            raise ModelError(
                f"targets have shape {list(labels.shape)}, expected finite numbers "
                f"[{batch}, {outputs}]."
            )
        return labels.to(like), False
    if labels.shape != (batch,) or labels.dtype == torch.bool:
        raise ModelError(
            f"labels have shape {list(labels.shape)} and type {labels.dtype}, expected integers "
            f"[{batch}], or real targets [{batch}, {outputs}]."
        )
    if labels.min() < 0 or labels.max() >= outputs:
        raise ModelError(
            f"labels lie between {int(labels.min())} and {int(labels.max())}, expected classes "
            f"from 0 to {outputs - 1}, one for each output."
        )
    classes = labels.to(device=like.device, dtype=torch.int64)
    return nn.functional.one_hot(classes, outputs).to(like), True
