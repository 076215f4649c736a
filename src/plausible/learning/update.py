"""One weight update by any learning rule: the inner step of training, checks and benchmarks."""

from collections.abc import Iterator

import torch
from torch import Tensor

from plausible.learning.backprop import LocalTerms, backward, cross_entropy
from plausible.learning.optimizers import OptimizerState, apply_terms
from plausible.learning.predictive_coding import il_terms, stages, start, zil_terms
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, forward_pass


def update(
    network: Network,
    optimizer_state: OptimizerState,
    inputs: Tensor,
    one_hot: Tensor,
    settings: TrainingSettings,
    generator: torch.Generator | None = None,
    batch_statistics: bool = True,
) -> tuple[OptimizerState, Tensor]:
    """Update ``network`` in place from one batch; return the new state and the loss before it.

    ``inputs`` are intensities [batch, pixels] in [0, 1], without input scale; ``one_hot`` are
    labels [batch, classes]. ``generator`` (on the CPU) drives input noise and dropout and may be
    None if neither is used. ``batch_statistics`` False trains with frozen moving averages. The
    loss is the mean cross entropy in nats, a tensor without dimensions.
    """
    inputs = _training_inputs(inputs, settings, generator)
    masks = _dropout_masks(network, inputs, settings, generator)
    state = optimizer_state._replace(step=optimizer_state.step + 1)
    loss, terms = _terms(network, inputs, one_hot, settings, masks, batch_statistics)
    for term in terms:
        apply_terms(network, term, state, settings)
    return state, loss


def _terms(
    network: Network,
    inputs: Tensor,
    one_hot: Tensor,
    settings: TrainingSettings,
    masks: tuple[Tensor, ...] | None,
    batch_statistics: bool,
) -> tuple[Tensor, Iterator[LocalTerms]]:
    """Loss and local terms by ``settings.learning_rule``.

    Sequential Z-IL is run in its reduced form: of all nodes that relax, only one error node per
    step reaches parameters, and following it alone is the backward recursion with parameters
    changed first. The tests hold it against the complete dynamics.
    """
    rule = settings.learning_rule
    if rule in ("backprop", "zil_sequential"):
        record = forward_pass(network, inputs, batch_statistics, masks, batch_statistics)
        loss, error = cross_entropy(record.logits, one_hot)
        return loss, backward(network, record, error, weights_first=rule == "zil_sequential")
    plan = stages(network)
    state = start(network, inputs, one_hot, plan, batch_statistics, masks, batch_statistics)
    loss, _ = cross_entropy(state.locals[-1].activity, one_hot)
    if rule == "zil":
        return loss, zil_terms(network, plan, state, batch_statistics, masks)
    return loss, il_terms(
        network,
        plan,
        state,
        settings.inference_steps,
        settings.inference_step_size,
        batch_statistics,
        masks,
    )


def _training_inputs(
    inputs: Tensor, settings: TrainingSettings, generator: torch.Generator | None
) -> Tensor:
    if settings.input_noise_std > 0.0:
        noise = torch.randn(inputs.shape, generator=generator, dtype=inputs.dtype)
        inputs = torch.add(inputs, noise.to(inputs.device), alpha=settings.input_noise_std)
    return inputs if settings.input_scale == 1.0 else inputs * settings.input_scale


def _dropout_masks(
    network: Network,
    inputs: Tensor,
    settings: TrainingSettings,
    generator: torch.Generator | None,
) -> tuple[Tensor, ...] | None:
    """Inverted dropout: hidden units survive with 1 - p and are scaled by 1 / (1 - p)."""
    if settings.dropout == 0.0:
        return None
    keep = 1.0 - settings.dropout
    masks = []
    for weight in network.weights[:-1]:
        kept = torch.rand(inputs.shape[0], weight.shape[1], generator=generator) < keep
        masks.append(kept.to(device=inputs.device, dtype=inputs.dtype) / keep)
    return tuple(masks)
