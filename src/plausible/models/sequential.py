"""A ``torch.nn.Sequential`` as a network of this library: the same tensors, nothing copied.

Linear layers, each but the last followed by an activation and perhaps, before it, by batch
normalisation: ``Linear, BatchNorm1d, ReLU, Linear``. A ``Flatten`` may come first.
"""

from types import SimpleNamespace
from typing import NamedTuple

import torch
from torch import Tensor, nn

from plausible.errors import ModelError
from plausible.models.soft_rate import SoftRate
from plausible.networks.activations import Activation, make_activation
from plausible.networks.batch_norm import BatchNorm
from plausible.networks.mlp import Network

PLAIN = {nn.ReLU: "relu", nn.Sigmoid: "sigmoid", nn.Tanh: "tanh", nn.Identity: "identity"}
EXPECTED = (
    "expected are Linear layers with ReLU, Sigmoid, Tanh, Identity or SoftRate between them, and "
    "BatchNorm1d before an activation"
)


class Reading(NamedTuple):
    """A network and the modules whose parameters it shares."""

    network: Network
    linears: tuple[nn.Linear, ...]
    norms: tuple[nn.BatchNorm1d | None, ...]
    """Of each linear layer, the batch normalisation behind it."""
    activation: nn.Module
    """The one activation of all hidden layers; Identity where there are none."""


def read_sequential(model: nn.Sequential) -> Reading:
    """The network of a model, on the model's own tensors.

    Raises
    ------
    ModelError
        If a module is none of those named above, stands where it cannot, or the activations differ.
    """
    if not isinstance(model, nn.Sequential):
        raise ModelError(f"the model is a {type(model).__name__}, expected a torch.nn.Sequential.")
    linears: list[nn.Linear] = []
    norms: list[nn.BatchNorm1d | None] = []
    activations: list[nn.Module] = []
    for place, module in enumerate(model):
        kind = type(module)
        last = len(activations) == len(linears)  # nothing waits for its activation
        if kind is nn.Flatten and place == 0:
            continue
        if kind is nn.Linear and last:
            if linears and linears[-1].out_features != module.in_features:
                raise ModelError(
                    f"module {place} takes {module.in_features} inputs, where the layer below has "
                    f"{linears[-1].out_features} units."
                )
            linears.append(module)
            norms.append(None)
        elif kind is nn.BatchNorm1d and not last and norms[-1] is None:
            _check_norm(module, place, linears[-1])
            norms[-1] = module
        elif (kind in PLAIN or kind is SoftRate) and not last:
            activations.append(module)
        else:
            raise ModelError(
                f"module {place} is {kind.__name__}, which cannot stand there; {EXPECTED}."
            )
    if len(linears) == len(activations) or norms[-1:] != [None]:
        raise ModelError(f"the model does not end in a Linear layer, as it has to; {EXPECTED}.")
    if len({(type(one), getattr(one, "identity", None)) for one in activations}) > 1:
        found = ", ".join(dict.fromkeys(str(one).removesuffix("()") for one in activations))
        raise ModelError(
            f"the activations are {found}, expected one and the same in all hidden layers."
        )
    kinds = {(each.dtype, each.device) for each in model.parameters()}
    if len(kinds) > 1:
        found = ", ".join(sorted(f"{dtype} on {device}" for dtype, device in kinds))
        raise ModelError(f"the parameters are {found}, expected one type and one device.")
    activation = activations[0] if activations else nn.Identity()
    network = Network(
        tuple(one.weight.detach().t() for one in linears),
        tuple(_bias(one) for one in linears),
        tuple(None if one is None else _batch_norm(one) for one in norms),
        _activation(activation),
        "linear",
    )
    return Reading(network, tuple(linears), tuple(norms), activation)


def _check_norm(module: nn.BatchNorm1d, place: int, below: nn.Linear) -> None:
    if module.num_features != below.out_features:
        raise ModelError(
            f"module {place} normalises {module.num_features} units, where the layer below has "
            f"{below.out_features}."
        )
    if module.track_running_stats and module.momentum is None:
        raise ModelError(
            f"module {place} averages over all batches (momentum=None), expected a moving average."
        )


def _bias(linear: nn.Linear) -> Tensor:
    if linear.bias is None:
        return linear.weight.detach().new_zeros(linear.out_features)
    return linear.bias.detach()


def _activation(module: nn.Module) -> Activation:
    if isinstance(module, SoftRate):
        return module.activation()
    return make_activation(SimpleNamespace(activation=PLAIN[type(module)]))


def _batch_norm(module: nn.BatchNorm1d) -> BatchNorm:
    some = next(iter(module.parameters()), module.running_mean)
    like = torch.zeros(module.num_features) if some is None else some.detach()
    zeros, ones = torch.zeros_like(like), torch.ones_like(like)
    return BatchNorm(
        module.weight.detach() if module.affine else ones,
        module.bias.detach() if module.affine else zeros,
        module.running_mean if module.track_running_stats else zeros.clone(),
        module.running_var if module.track_running_stats else ones.clone(),
        module.eps,
        module.momentum if module.track_running_stats else 0.0,
        module.affine,
    )
