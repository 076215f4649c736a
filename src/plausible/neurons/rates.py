"""Firing rates of the leaky integrate-and-fire (LIF) neuron at constant input current.

Torch, element-wise, any dtype and device. Currents are in units of the threshold, rates in Hz.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import softplus

from plausible.neurons.lif_dynamics import LIF

__all__ = [
    "LIF",
    "check_gamma",
    "lif_rate",
    "lif_rate_derivative",
    "lowest_excess",
    "soft_rate",
    "soft_rate_and_derivative",
    "soft_rate_derivative",
]

# Where softplus(y) = y (above) and log softplus(y) = y (below) to less than float64 rounding:
# exp(-40) = 4e-18. Beyond these bounds the asymptotes are used, so nothing over- or underflows.
_ASYMPTOTE = 40.0
# exp(-80) = 2e-35: below this softplus is lost in any offset, and float32 would become denormal,
# which costs a factor of ten in time.
_LOST_IN_OFFSET = 80.0


def lif_rate(current: Tensor, lif: LIF | None = None, offset: float = 0.0) -> Tensor:
    """Rate r(j) in Hz of a LIF neuron (Thuesen 2022, eq. 37).

    r(j) = 1 / (t_ref - tau_RC log(1 - V_th / j)) for j > V_th, else 0. It is evaluated as
    1 / (t_ref + tau_RC log(1 + V_th / b)) with b = max(j - V_th, 0) + offset, the same number
    without the cancellation near the threshold.

    ``offset`` is 0 in the theory. The code behind the thesis adds 1e-12 to b, which leaves a floor
    of 1.8 Hz below the threshold (visible in its Fig. 2a).
    """
    lif = lif or LIF()
    excess = (current - lif.threshold).clamp_min(0.0) + offset
    logarithm = torch.log1p(lif.threshold / excess)
    return 1.0 / (lif.refractory_period_s + lif.membrane_time_constant_s * logarithm)


def lif_rate_derivative(current: Tensor, lif: LIF | None = None, offset: float = 0.0) -> Tensor:
    """Slope dr/dj in Hz per unit current of :func:`lif_rate`; 0 at and below the threshold.

    dr/dj = r^2 tau_RC V_th / (b (b + V_th)). It has no bound for j -> V_th from above (the thesis
    says j -> 0 from above), which is why the network is trained with the soft rate.
    """
    lif = lif or LIF()
    excess = (current - lif.threshold).clamp_min(0.0) + offset
    rate = lif_rate(current, lif, offset)
    slope = (
        rate**2
        * (lif.membrane_time_constant_s * lif.threshold)
        / (excess * (excess + lif.threshold))
    )
    return torch.where(current > lif.threshold, slope, torch.zeros_like(slope))


def soft_rate(
    current: Tensor, softplus_gamma: float, lif: LIF | None = None, offset: float = 0.0
) -> Tensor:
    """Rate in Hz, the threshold smoothed over a width ``softplus_gamma`` (Thuesen 2022, eq. 38).

    r_rho(j) = 1 / (t_ref + tau_RC log(1 + V_th / rho(j - V_th))) with
    rho(x) = gamma log(1 + exp(x / gamma)).
    The printed equation has a minus sign before the logarithm: a misprint, rates would be negative.
    r_rho -> r of eq. 37 for gamma -> 0. ``offset`` is added to rho, see :func:`lif_rate`.
    """
    return _soft_rate_terms(current, softplus_gamma, lif or LIF(), offset)[0]


def soft_rate_derivative(
    current: Tensor, softplus_gamma: float, lif: LIF | None = None, offset: float = 0.0
) -> Tensor:
    """Slope of :func:`soft_rate` in Hz per unit current.

    With b = rho(j - V_th) + offset: r^2 tau_RC V_th / (b (b + V_th)) * sigmoid((j - V_th) / gamma).
    """
    return soft_rate_and_derivative(current, softplus_gamma, lif, offset)[1]


def soft_rate_and_derivative(
    current: Tensor, softplus_gamma: float, lif: LIF | None = None, offset: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Both :func:`soft_rate` and :func:`soft_rate_derivative`, sharing their common terms."""
    lif = lif or LIF()
    rate, smoothed, scaled = _soft_rate_terms(current, softplus_gamma, lif, offset)
    # b (b + V_th) underflows nowhere: b >= gamma exp(-40), or b >= offset.
    curvature = (smoothed + lif.threshold).mul_(smoothed)
    slope = torch.sigmoid(scaled).div_(curvature).mul_(rate).mul_(rate)
    return rate, slope.mul_(lif.membrane_time_constant_s * lif.threshold)


def check_gamma(softplus_gamma: float) -> None:
    """Raises ValueError unless the width of the smoothed threshold is positive and finite."""
    if not (softplus_gamma > 0.0 and math.isfinite(softplus_gamma)):
        raise ValueError(f"softplus_gamma must be positive and finite, got {softplus_gamma}")


def lowest_excess(offset: float) -> float:
    """(j - V_th) / gamma below which the soft rate follows its asymptote."""
    return -_LOST_IN_OFFSET if offset > 0.0 else -_ASYMPTOTE


def _soft_rate_terms(
    current: Tensor, softplus_gamma: float, lif: LIF, offset: float
) -> tuple[Tensor, Tensor, Tensor]:
    """Rate, b = rho(j - V_th) + offset, and y = (j - V_th) / gamma (bounded from below).

    Without offset, log(1 + V_th / b) = log(V_th / gamma) - y far below threshold, where b itself
    would underflow; y is therefore bounded and the rest of the line added to the logarithm.
    """
    check_gamma(softplus_gamma)
    scaled = (current - lif.threshold).div_(softplus_gamma)
    bounded = scaled.clamp_min(lowest_excess(offset))
    smoothed = softplus(bounded, 1.0, _ASYMPTOTE).mul_(softplus_gamma)
    if offset > 0.0:
        smoothed.add_(offset)
    denominator = torch.reciprocal(smoothed)
    if lif.threshold != 1.0:
        denominator.mul_(lif.threshold)
    denominator.log1p_()
    if offset == 0.0:
        denominator.add_(bounded - scaled)
    denominator.mul_(lif.membrane_time_constant_s).add_(lif.refractory_period_s)
    return denominator.reciprocal_(), smoothed, bounded
