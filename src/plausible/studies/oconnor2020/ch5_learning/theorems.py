"""Forward and backward pass of a PDNN against the ordinary network (O'Connor 2020, eq. 5.10-5.12).

Outputs and gradients of the ordinary network are those of torch, in float64.
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional

from plausible.kernels import pdnn
from plausible.kernels.pdnn_types import DECODED, Network, initial_weights, make_network, make_rule
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls
from plausible.seeds import numpy_generator

SIZES = (30, 20, 20, 10)
SAMPLES = 40
FINE = (1e-3, 1e-4)
"""Steps of the codes, 1 / (k_p + k_d), of which the gradients are compared."""


def _logits(network: Network) -> NDArray[np.float64]:
    """Inputs of the softmax, after a sample."""
    top = network.sizes[-1]
    return network.forward.units[DECODED, -top:] + network.biases[-top:]


def _plain(weights: Sequence[torch.Tensor], inputs: NDArray) -> torch.Tensor:
    """Inputs of the softmax of the ordinary network, without biases."""
    values = torch.from_numpy(inputs)
    for weight in weights[:-1]:
        values = torch.relu(values @ weight)
    return values @ weights[-1]


def _gradients(matrices: Sequence[NDArray], sample: NDArray, label: int) -> list[NDArray]:
    weights = [torch.from_numpy(matrix).requires_grad_() for matrix in matrices]
    loss = functional.cross_entropy(_plain(weights, sample)[None], torch.tensor([label]))
    return [each.numpy() for each in torch.autograd.grad(loss, weights)]


def _cosine(found: NDArray, expected: NDArray) -> float:
    return float((found * expected).sum() / np.linalg.norm(found) / np.linalg.norm(expected))


def outputs_apart(seed: int, change: bool = False) -> float:
    """Largest difference of the outputs of a stream, unquantized, weights fixed or changed once."""
    rng = numpy_generator("oconnor2020", "eq5.12", seed)
    rule = make_rule(k_alpha=0.9, quantized=False)
    network = make_network(initial_weights(SIZES, rng), rule)
    off = 0.0
    for number, sample in enumerate(rng.random((SAMPLES, SIZES[0]))):
        if change and number == SAMPLES // 2:
            network.matrices[1][...] *= 1.1
        pdnn.predict(network, rule, sample[None], 1.0)
        expected = _plain([torch.from_numpy(each) for each in network.matrices], sample)
        if number >= SAMPLES // 2 or not change:
            off = max(off, float(np.abs(_logits(network) - expected.numpy()).max()))
    return off


def gradient_cosines(seed: int, step: float, sign: float = 1.0) -> float:
    """Smallest cosine of the change of a matrix by one sample with minus its gradient.

    ``sign``: of the errors that reach the first matrix in the ordinary network.
    """
    rng = numpy_generator("oconnor2020", "eq5.12 gradients", seed)
    rule = make_rule(0.01, 0.9, step, tuning_rate=0.0, update="reconstruction")
    found = []
    for sample in rng.random((10, SIZES[0])):
        network = make_network(initial_weights(SIZES, rng), rule)
        before = [matrix.copy() for matrix in network.matrices]
        label = int(rng.integers(SIZES[-1]))
        pdnn.train(network, rule, sample[None], 1.0, np.array([label]))
        expected = _gradients(before, sample, label)
        expected[0] = sign * expected[0]
        found += [
            _cosine(old - new, gradient)
            for old, new, gradient in zip(before, network.matrices, expected, strict=True)
        ]
    return min(found)


def pdnn_theorem(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 5.10 to 5.12: what the passes of a PDNN have to do with those of the plain network."""
    plain, gradients = "plain_network_without_quantization", "gradients_approach_backprop"
    cosines = {
        f"step_{step:g}": (
            f"smallest cosine of a change with minus the gradient, step of the codes {step:g}",
            gradient_cosines(seed, step),
        )
        for step in FINE
    }
    return [
        Check(
            plain,
            "largest difference of the inputs of the softmax, stream of random samples",
            outputs_apart(seed),
        ),
        *controls(plain, {"weights_changed_once": outputs_apart(seed, change=True)}),
        *checks(gradients, cosines),
        *controls(gradients, {"errors_turned": gradient_cosines(seed, FINE[0], sign=-1.0)}),
    ]
