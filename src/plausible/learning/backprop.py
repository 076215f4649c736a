"""Backpropagation as an explicit recursion; no autograd.

Thuesen 2022, section 2.6, eq. 23-26, where eq. 25-26 as printed lack transposes and the product
with sigma'. In batch form, with a the activities [batch, units], the errors of all samples as rows
and W [inputs, units],

    delta(L)   = softmax(z(L)) - y                                (eq. 22)
    delta(l)   = delta(l+1) W(l+1)^T * f'(z(l))                   (eq. 24)
    dLoss/dW   = a(l-1)^T delta(l) / batch,  dLoss/db = mean delta(l)   (eq. 25, 26)

Song et al. 2020, eq. 1-4, is the same for the squared error, where delta(L) = z(L) - s_out, in
another numbering (see ``predictive_coding``). Their eq. 3 and 4 agree with each other on a delta of
the other sign; the text around eq. 4 has the sign above.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor

from plausible.networks.batch_norm import propagate
from plausible.networks.mlp import ForwardPass, Network, forward_pass


class LocalTerms(NamedTuple):
    """The two factors of the gradient of one layer's parameters, local to that layer.

    Linear layer: dLoss/dW = activity^T error / batch, dLoss/db = mean(error).
    Batch norm: dLoss/dgain = mean(error * activity), dLoss/dshift = mean(error), where activity
    holds the normalised values.
    """

    kind: str
    """"linear" or "batch_norm"."""
    layer: int
    error: Tensor
    """Derivative of each sample's loss by the layer's output, [batch, units]."""
    activity: Tensor
    """[batch, inputs], for batch norm [batch, features]."""
    centred: bool = False
    """Whether the errors sum to zero over the batch, as they do below a batch norm that uses batch
    statistics. The bias then has gradient zero; the rounding noise of that sum must not reach Adam,
    which would blow it up to steps of random sign."""


class Gradients(NamedTuple):
    """Gradient of the mean loss; one entry per layer, None where there is no such parameter."""

    weights: tuple[Tensor, ...]
    biases: tuple[Tensor | None, ...]
    gains: tuple[Tensor | None, ...]
    shifts: tuple[Tensor | None, ...]


def cross_entropy(logits: Tensor, one_hot: Tensor) -> tuple[Tensor, Tensor]:
    """Mean cross entropy in nats and its error softmax(z) - y per sample (eq. 17-22)."""
    log_probabilities = torch.log_softmax(logits, dim=1)
    # Not vdot: 0 * inf must stay visible as NaN, and a float32 sum over the batch is accurate.
    loss = -(log_probabilities * one_hot).sum() / logits.shape[0]
    return loss, log_probabilities.exp_().sub_(one_hot)


def backward(
    network: Network, record: ForwardPass, error: Tensor, weights_first: bool = False
) -> Iterator[LocalTerms]:
    """Walk from the output to the input and yield the local terms of each layer.

    The caller may change a layer's parameters in place as soon as it has received its terms:
    the error for the layer below is computed before that (backprop) or, with ``weights_first``,
    after, i.e. with the new parameters. The latter is what the code behind the thesis does in
    Z-IL (see ``predictive_coding``).
    """
    for layer in reversed(range(len(network.weights))):
        inputs, normalised, slope = record.layers[layer]
        if slope is not None:
            error = error * slope
        norm, centred = network.batch_norms[layer], False
        if norm is not None:
            centred = normalised.batch_statistics
            terms = LocalTerms("batch_norm", layer, error, normalised.values)
            if weights_first:
                yield terms
                error = propagate(norm, normalised, error)
            else:
                error = propagate(norm, normalised, error)
                yield terms
        terms = LocalTerms("linear", layer, error, inputs, centred)
        if layer == 0:
            yield terms
        elif weights_first:
            yield terms
            error = error @ network.weights[layer].t()
        else:
            error = error @ network.weights[layer].t()
            yield terms


def gradients(
    network: Network,
    inputs: Tensor,
    one_hot: Tensor,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
) -> tuple[Tensor, Gradients]:
    """Mean loss and its gradient, changing nothing.

    ``inputs`` [batch, features] are already times the input scale. ``batch_statistics`` False
    treats the moving averages of batch normalisation as constants.
    """
    record = forward_pass(network, inputs, batch_statistics, masks)
    loss, error = cross_entropy(record.logits, one_hot)
    return loss, collect(network, backward(network, record, error))


def collect(network: Network, terms: Iterator[LocalTerms], squares: bool = False) -> Gradients:
    """Multiply out local terms to gradients, or to means of squared per-sample gradients."""
    count = len(network.weights)
    result: dict[str, list[Tensor | None]] = {
        name: [None] * count for name in ("weights", "biases", "gains", "shifts")
    }
    for term in terms:
        norm = network.batch_norms[term.layer]
        if term.kind == "batch_norm" and not norm.affine:
            continue
        names = ("weights", "biases") if term.kind == "linear" else ("gains", "shifts")
        pair = mean_squares(term) if squares else mean_gradients(term)
        for name, value in zip(names, pair, strict=True):
            if name != "biases" or network.biases is not None:
                result[name][term.layer] = value
    return Gradients(*(tuple(result[name]) for name in Gradients._fields))


def mean_gradients(terms: LocalTerms) -> tuple[Tensor, Tensor]:
    """Gradients of the mean loss by (weight, bias) or (gain, shift).

    That of a weight [inputs, units] is a view whose columns lie together in memory, as those of the
    weights of ``init_network`` do.
    """
    error, activity = terms.error, terms.activity
    batch = error.shape[0]
    if terms.kind == "batch_norm":
        return (error * activity).mean(dim=0), error.mean(dim=0)
    bias = torch.zeros_like(error[0]) if terms.centred else error.mean(dim=0)
    return ((error / batch).t() @ activity).t(), bias


def summed_gradients(terms: LocalTerms) -> tuple[Tensor, Tensor]:
    """Gradients of the summed loss by (weight, bias) of a linear layer."""
    return terms.activity.t() @ terms.error, terms.error.sum(dim=0)


def mean_squares(terms: LocalTerms) -> tuple[Tensor, Tensor]:
    """Mean over the batch of the squared gradients of the single samples.

    The gradient of sample i by W is the outer product of its activity and error, hence
    mean_i (a_i^T e_i)^2 = (a^2)^T e^2 / batch: one matrix product, no outer product is formed.
    """
    squared = terms._replace(
        error=terms.error.square(), activity=terms.activity.square(), centred=False
    )
    return mean_gradients(squared)
