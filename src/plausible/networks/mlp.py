"""Multilayer perceptrons as tuples of tensors: initialisation, forward pass, arrays."""

import math
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.networks.activations import Activation, make_activation
from plausible.networks.batch_norm import BatchNorm, Normalised, init_batch_norm, normalise
from plausible.networks.storage import StoredNetwork

DTYPES = {"float32": torch.float32, "float64": torch.float64}


class Network(NamedTuple):
    """A fully connected network.

    Layer l computes z = a W + b, then n = BN(z) if it has batch normalisation, then a = f(n) in
    hidden layers (and on the output if ``output`` is "rate"). The first layer sees the input
    itself, unless ``activate_input``.
    """

    weights: tuple[Tensor, ...]
    """One [inputs, units] per layer; those of ``init_network`` are views whose columns, the weights
    of one unit, lie together in memory."""
    biases: tuple[Tensor, ...] | None
    """One [units] per layer; None in networks without. Those of ``init_network``, which are trained
    by ``plausible.learning.training`` and stored, have them."""
    batch_norms: tuple[BatchNorm | None, ...]
    activation: Activation
    output: str
    """"linear": logits are a W + b. "rate": the output layer is a hidden layer like the others
    (batch norm and activation) and its scaled rates are the logits."""
    activate_input: bool = False
    """Whether f applies to the input too, as eq. 1 of Song et al. 2020 and eq. 43 of Thuesen 2022
    are printed; their code does not."""


class LayerRecord(NamedTuple):
    """What one layer leaves for the backward pass."""

    inputs: Tensor
    """a of the layer below, [batch, inputs]."""
    normalised: Normalised | None
    slope: Tensor | None
    """f'(n), times the dropout mask if there is one; None where no activation is applied."""


class ForwardPass(NamedTuple):
    """Logits and one record per layer."""

    logits: Tensor
    layers: tuple[LayerRecord, ...]


def layer_sizes(network: Network) -> tuple[int, ...]:
    """Number of units per layer, input first."""
    return (network.weights[0].shape[0], *(weight.shape[1] for weight in network.weights))


def has_activation(network: Network, layer: int) -> bool:
    """Whether layer ``layer`` (0 is the first weight matrix) applies f to its output."""
    return layer < len(network.weights) - 1 or network.output == "rate"


def init_network(sizes: tuple[int, ...], settings: Any, generator: torch.Generator) -> Network:
    """Network with random weights drawn from ``generator`` (on the CPU, in float64, then cast).

    Drawing in float64 gives runs in both precisions the same start. ``settings.init`` is

    - ``he_normal``: weights normal, standard deviation sqrt(2 / fan_in), biases 0 (section 2.5);
    - ``thuesen_normal``: standard deviation 2 / sqrt(fan_in), biases 0 (what the code does);
    - ``glorot_normal``: standard deviation sqrt(2 / (fan_in + fan_out)), biases 0 (the code behind
      chapters 4 and 5 of O'Connor 2020);
    - ``torch_default``: weights and biases uniform in +-1 / sqrt(fan_in) (``torch.nn.Linear``).

    ``settings.first_weight_scale`` multiplies the first matrix afterwards.
    """
    dtype = DTYPES[settings.dtype]
    weights, biases, norms = [], [], []
    for layer, (fan_in, fan_out) in enumerate(zip(sizes[:-1], sizes[1:], strict=True)):
        weight, bias = _draw_layer(fan_in, fan_out, settings.init, generator)
        if layer == 0:
            weight *= settings.first_weight_scale
        weights.append(weight.to(dtype).t())
        biases.append(bias.to(dtype))
        hidden = layer < len(sizes) - 2 or settings.output == "rate"
        norms.append(
            init_batch_norm(
                fan_out,
                settings.batch_norm_epsilon,
                settings.batch_norm_new_weight,
                settings.batch_norm_affine,
                dtype,
            )
            if settings.batch_norm and hidden
            else None
        )
    return Network(
        tuple(weights), tuple(biases), tuple(norms), make_activation(settings), settings.output
    )


def _draw_layer(
    fan_in: int, fan_out: int, init: str, generator: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Weights [fan_out, fan_in], unit by unit as they are drawn, and biases."""

    def normal(std: float) -> tuple[Tensor, Tensor]:
        weight = torch.randn(fan_out, fan_in, generator=generator, dtype=torch.float64)
        return weight * std, torch.zeros(fan_out, dtype=torch.float64)

    if init == "he_normal":
        return normal(math.sqrt(2.0 / fan_in))
    if init == "thuesen_normal":
        return normal(2.0 / math.sqrt(fan_in))
    if init == "glorot_normal":
        return normal(math.sqrt(2.0 / (fan_in + fan_out)))
    if init == "torch_default":
        uniform = torch.rand(fan_out, fan_in + 1, generator=generator, dtype=torch.float64)
        uniform = (2.0 * uniform - 1.0) / math.sqrt(fan_in)
        return uniform[:, :-1].clone(), uniform[:, -1].clone()
    raise ConfigError(
        f"init: found {init!r}, expected one of he_normal, thuesen_normal, glorot_normal, "
        "torch_default."
    )


def forward(network: Network, inputs: Tensor, training: bool = False) -> Tensor:
    """Logits [batch, classes] of ``inputs`` [batch, features] (already times the input scale).

    ``training`` selects batch statistics in batch normalisation; moving averages are never changed.
    """
    activity = network.activation.value(inputs) if network.activate_input else inputs
    for layer, norm in enumerate(network.batch_norms):
        activity = predict(network, layer, activity)
        if norm is not None:
            activity, _ = normalise(norm, activity, batch_statistics=training)
        if has_activation(network, layer):
            activity = network.activation.value(activity)
    return activity


def forward_pass(
    network: Network,
    inputs: Tensor,
    batch_statistics: bool = True,
    masks: tuple[Tensor, ...] | None = None,
    update_running: bool = False,
) -> ForwardPass:
    """Logits together with everything that the backward recursion needs.

    ``masks`` are inverted dropout masks, one [batch, units] per hidden layer: they multiply the
    activity and the slope. ``update_running`` lets batch statistics enter the moving averages.
    """
    activity, records = network.activation.value(inputs) if network.activate_input else inputs, []
    for layer, norm in enumerate(network.batch_norms):
        below = activity
        activity, normalised, slope = predict(network, layer, below), None, None
        if norm is not None:
            activity, normalised = normalise(norm, activity, batch_statistics, update_running)
        if has_activation(network, layer):
            activity, slope = network.activation.value_and_derivative(activity)
            if masks is not None and layer < len(masks):
                activity, slope = activity.mul_(masks[layer]), slope.mul_(masks[layer])
        records.append(LayerRecord(below, normalised, slope))
    return ForwardPass(activity, tuple(records))


def predict(network: Network, layer: int, activity: Tensor) -> Tensor:
    """a W + b of one layer, [batch, units].

    Every rule, the prediction phase and inference use this one operation for it, so that an error
    node whose layer is undisturbed is zero to the last bit (condition C1 of Song et al. 2020).
    """
    if network.biases is None:
        return activity @ network.weights[layer]
    return torch.addmm(network.biases[layer], activity, network.weights[layer])


def move_network(network: Network, device: torch.device | str) -> Network:
    """The network on ``device``."""
    norms = tuple(
        None
        if norm is None
        else norm._replace(
            **{
                name: getattr(norm, name).to(device)
                for name in ("gain", "shift", "running_mean", "running_variance")
            }
        )
        for norm in network.batch_norms
    )
    return network._replace(
        weights=tuple(weight.to(device) for weight in network.weights),
        biases=network.biases and tuple(bias.to(device) for bias in network.biases),
        batch_norms=norms,
    )


def clone_network(network: Network) -> Network:
    """Independent copy: training updates tensors in place."""
    norms = tuple(
        None
        if norm is None
        else norm._replace(
            gain=norm.gain.clone(),
            shift=norm.shift.clone(),
            running_mean=norm.running_mean.clone(),
            running_variance=norm.running_variance.clone(),
        )
        for norm in network.batch_norms
    )
    return network._replace(
        weights=tuple(weight.clone() for weight in network.weights),
        biases=network.biases and tuple(bias.clone() for bias in network.biases),
        batch_norms=norms,
    )


def network_to_arrays(network: Network) -> dict[str, np.ndarray]:
    """Arrays by name, the form in which ``plausible.networks.storage`` keeps a network."""
    arrays = {}
    for layer, (weight, bias, norm) in enumerate(
        zip(network.weights, network.biases, network.batch_norms, strict=True)
    ):
        arrays[f"weight.{layer}"] = weight.cpu().numpy()
        arrays[f"bias.{layer}"] = bias.cpu().numpy()
        if norm is not None:
            arrays[f"batch_norm.{layer}.gain"] = norm.gain.cpu().numpy()
            arrays[f"batch_norm.{layer}.shift"] = norm.shift.cpu().numpy()
            arrays[f"batch_norm.{layer}.mean"] = norm.running_mean.cpu().numpy()
            arrays[f"batch_norm.{layer}.variance"] = norm.running_variance.cpu().numpy()
            arrays[f"batch_norm.{layer}.epsilon"] = np.array(norm.epsilon)
    return arrays


def network_from_stored(stored: StoredNetwork) -> Network:
    """The torch network of a stored one; what concerns its training is in ``stored.settings``."""
    settings = SimpleNamespace(**stored.settings)
    norms = tuple(
        None
        if norm is None
        else BatchNorm(
            torch.from_numpy(norm["gain"].copy()),
            torch.from_numpy(norm["shift"].copy()),
            torch.from_numpy(norm["mean"].copy()),
            torch.from_numpy(norm["variance"].copy()),
            norm["epsilon"],
            settings.batch_norm_new_weight,
            settings.batch_norm_affine,
        )
        for norm in stored.batch_norms
    )
    return Network(
        tuple(torch.from_numpy(weight.copy(order="K")) for weight in stored.weights),
        tuple(torch.from_numpy(bias.copy()) for bias in stored.biases),
        norms,
        make_activation(settings),
        settings.output,
    )
