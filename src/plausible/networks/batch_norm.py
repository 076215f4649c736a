"""Batch normalisation: forward map, moving averages, derivative (Thuesen 2022, section 2.8)."""

from typing import NamedTuple

import torch
from torch import Tensor


class BatchNorm(NamedTuple):
    """Batch normalisation of one layer; all tensors are [features]."""

    gain: Tensor
    """gamma of eq. 31."""
    shift: Tensor
    """beta of eq. 31."""
    running_mean: Tensor
    running_variance: Tensor
    """Moving averages of the batch mean and of the unbiased batch variance (eq. 32)."""
    epsilon: float
    """Added to the variance inside the root (1e-5 in the text and in PyTorch, 1e-8 in the code)."""
    new_weight: float
    """Weight of the new batch in the moving averages: 0.1 in PyTorch; eq. 32 as printed and coded
    puts 0.1 on the old average, which is ``new_weight`` 0.9."""
    affine: bool
    """Whether gain and shift are learned; they stay 1 and 0 otherwise."""


class Normalised(NamedTuple):
    """What the forward map leaves for the derivative."""

    values: Tensor
    """(z - mean) / sqrt(variance + epsilon), [batch, features]."""
    inverse_std: Tensor
    """1 / sqrt(variance + epsilon), [features]."""
    batch_statistics: bool
    """Whether mean and variance are functions of this batch (training) or constants."""


def init_batch_norm(
    features: int, epsilon: float, new_weight: float, affine: bool, dtype: torch.dtype
) -> BatchNorm:
    """Batch normalisation that starts as the identity on standardised values."""
    zeros, ones = torch.zeros(features, dtype=dtype), torch.ones(features, dtype=dtype)
    return BatchNorm(
        ones, zeros, zeros.clone(), ones.clone(), float(epsilon), float(new_weight), affine
    )


def normalise(
    norm: BatchNorm, z: Tensor, batch_statistics: bool, update_running: bool = False
) -> tuple[Tensor, Normalised]:
    """Normalised output and what its derivative needs (eq. 30-33).

    With ``batch_statistics`` the batch mean and the biased batch variance are used (eq. 30), and
    with ``update_running`` they enter the moving averages of ``norm`` in place (eq. 32, unbiased
    variance); without, the moving averages themselves (eq. 33).

    A batch of one sample, such as the rest of an epoch, has no unbiased variance: it is left out of
    the moving averages. Its own normalised values are zero.
    """
    if batch_statistics:
        mean = z.mean(dim=0)
        centred = z - mean
        # Two passes: as accurate as torch.var_mean and ten times faster along this dimension.
        variance = centred.square().mean(dim=0)
        batch = z.shape[0]
        if update_running and batch > 1:
            norm.running_mean.lerp_(mean, norm.new_weight)
            norm.running_variance.lerp_(variance * (batch / (batch - 1)), norm.new_weight)
    else:
        variance, centred = norm.running_variance, z - norm.running_mean
    inverse_std = torch.rsqrt(variance + norm.epsilon)
    values = centred.mul_(inverse_std)
    output = torch.addcmul(norm.shift, values, norm.gain) if norm.affine else values
    return output, Normalised(values, inverse_std, batch_statistics)


def propagate(norm: BatchNorm, record: Normalised, error: Tensor) -> Tensor:
    """Derivative of the loss by the input z, given ``error``, that by the output (eq. 55).

    With batch statistics, mean and variance depend on every sample:
    dz_i = gain / std * (d_i - mean(d) - n_i mean(d n)), n the normalised values, means over the
    batch. With frozen statistics dz = gain / std * d.
    """
    scale = record.inverse_std * norm.gain if norm.affine else record.inverse_std
    if not record.batch_statistics:
        return error * scale
    overlap = (error * record.values).mean(dim=0)
    centred = error - error.mean(dim=0)
    return centred.addcmul_(record.values, overlap, value=-1.0).mul_(scale)
