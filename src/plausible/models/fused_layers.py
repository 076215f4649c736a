"""Layers of a ``torch`` model as arrays, batch normalisation included."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from plausible.conversion.shadow import fuse_batch_norm
from plausible.errors import ModelError
from plausible.models.sequential import Reading


class FusedLayer(NamedTuple):
    """W and b of W a + b, float64."""

    weight: NDArray[np.float64]
    """[inputs, units]."""
    bias: NDArray[np.float64]


def fused_layers(reading: Reading) -> Iterator[FusedLayer]:
    """Every layer of a model with its batch normalisation folded in (running statistics).

    Raises ModelError where there are no running statistics or a weight is not finite.
    """
    for linear, norm in zip(reading.linears, reading.norms, strict=True):
        weight = _array(linear.weight).T
        units = linear.out_features
        bias = np.zeros(units) if linear.bias is None else _array(linear.bias)
        if norm is not None:
            if norm.running_mean is None:
                raise ModelError(
                    "a batch normalisation has no running statistics, expected those of training; "
                    "leave track_running_stats on."
                )
            gain = np.ones(units) if norm.weight is None else _array(norm.weight)
            shift = np.zeros(units) if norm.bias is None else _array(norm.bias)
            mean, variance = _array(norm.running_mean), _array(norm.running_var)
            weight, bias = fuse_batch_norm(weight, bias, gain, shift, mean, variance, norm.eps)
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise ModelError("a weight of the model is not finite, as after a diverged training.")
        yield FusedLayer(weight, bias)


def _array(tensor) -> NDArray[np.float64]:
    return tensor.detach().cpu().numpy().astype(np.float64)
