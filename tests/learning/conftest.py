"""Small networks and data with nothing special about them: no zeros, no symmetry."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch.nn.functional import batch_norm, cross_entropy

from plausible.data.dataset import Dataset, make_dataset
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, init_network

torch.set_num_threads(1)
SIZES = (13, 9, 8, 5)


class Problem(NamedTuple):
    """A network with its settings and one batch."""

    network: Network
    inputs: torch.Tensor
    one_hot: torch.Tensor
    settings: TrainingSettings


@pytest.fixture
def make_problem() -> Callable[..., Problem]:
    """Problem in float64 with 13-9-8-5 units and a batch of 7; every call gives the same one."""

    def make(sizes: tuple[int, ...] = SIZES, batch: int = 7, **changes) -> Problem:
        changes = {"dtype": "float64", "init": "torch_default", **changes}
        settings = TrainingSettings().changed(**changes)
        generator = torch.Generator().manual_seed(11)
        network = init_network(sizes, settings, generator)
        for weight, bias in zip(network.weights, network.biases, strict=True):
            weight.mul_(2.0)
            bias.add_(0.7)  # near the threshold of the soft rate, where its slope matters
        for norm in network.batch_norms:
            if norm is not None:
                features = len(norm.gain)
                draw = torch.rand(4, features, generator=generator, dtype=torch.float64)
                norm.running_mean.copy_(draw[0] - 0.5)
                norm.running_variance.copy_(draw[1] + 0.2)
                if norm.affine:
                    norm.gain.copy_(draw[2] + 0.5)
                    norm.shift.copy_(draw[3] + 0.3)
        inputs = torch.rand(batch, sizes[0], generator=generator, dtype=torch.float64)
        labels = torch.randint(sizes[-1], (batch,), generator=generator)
        one_hot = torch.nn.functional.one_hot(labels, sizes[-1]).double()
        return Problem(network, inputs, one_hot, settings)

    return make


@pytest.fixture(scope="session")
def digits() -> Dataset:
    """600 real handwritten digits for training and 200 for testing."""
    source = load_digits()
    images, labels = source.images.astype(np.uint8), source.target
    return make_dataset(
        "digits", images[:600], labels[:600], images[600:800], labels[600:800], (8, 8), 16
    )


@pytest.fixture
def autograd() -> Callable[..., tuple]:
    """The independent oracle of every gradient."""
    return _autograd


def _autograd(network, inputs, one_hot, batch_statistics=True, masks=None):
    """Loss and gradients by autograd through a forward pass written with torch's own functions."""
    leaves = {"weights": [], "biases": [], "gains": [], "shifts": []}
    for layer, norm in enumerate(network.batch_norms):
        leaves["weights"].append(network.weights[layer].clone().requires_grad_())
        leaves["biases"].append(network.biases[layer].clone().requires_grad_())
        affine = norm is not None and norm.affine
        leaves["gains"].append(norm.gain.clone().requires_grad_() if affine else None)
        leaves["shifts"].append(norm.shift.clone().requires_grad_() if affine else None)
    activity = inputs
    for layer, norm in enumerate(network.batch_norms):
        activity = activity @ leaves["weights"][layer] + leaves["biases"][layer]
        if norm is not None:
            activity = batch_norm(
                activity,
                norm.running_mean.clone(),
                norm.running_variance.clone(),
                leaves["gains"][layer],
                leaves["shifts"][layer],
                batch_statistics,
                0.1,
                norm.epsilon,
            )
        if layer < len(network.weights) - 1 or network.output == "rate":
            activity = _differentiable(network.activation.name, activity, network)
            if masks is not None and layer < len(masks):
                activity = activity * masks[layer]
    loss = cross_entropy(activity, one_hot)
    flat = [leaf for group in leaves.values() for leaf in group if leaf is not None]
    found = iter(torch.autograd.grad(loss, flat))
    return loss.detach(), {
        name: [None if leaf is None else next(found) for leaf in group]
        for name, group in leaves.items()
    }


def _differentiable(name, z, network):
    """Activation by differentiable textbook expressions."""
    if name == "relu":
        return torch.relu(z)
    if name == "sigmoid":
        return torch.sigmoid(z)
    offset = 1e-12 if float(network.activation.value(torch.tensor([-1e6]))) > 0.01 else 0.0
    rho = 0.05 * torch.nn.functional.softplus((z - 1.0) / 0.05, threshold=50.0) + offset
    return 0.05 / (0.004 + 0.02 * torch.log1p(1.0 / rho))
