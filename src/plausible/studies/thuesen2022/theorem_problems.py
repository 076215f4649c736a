"""What the checks of this document's theorems share beyond those of every document."""

import torch
from torch import Tensor

from plausible.studies.thuesen2022.common import torch_generator


def generator_of(theorem: str, seed: int) -> torch.Generator:
    """Torch generator of one theorem and seed."""
    return torch_generator("theorems", seed, theorem)


def reference_soft_rate(current: Tensor, softplus_gamma: float) -> Tensor:
    """Eq. 38 (with its right sign) in Hz, written for autograd: the formula and nothing else.

    Not for currents further than 700 gamma below the threshold, where rho underflows.
    """
    scaled = (current - 1.0) / softplus_gamma
    rho = softplus_gamma * torch.logaddexp(scaled, torch.zeros_like(scaled))
    return 1.0 / (0.004 + 0.02 * torch.log1p(1.0 / rho))
