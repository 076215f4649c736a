"""The trigger phi of fully autonomous Z-IL (Song et al. 2020, section 4).

    phi(eps_{i,t}) = 1  if eps_{i,t} != 0 and eps_{i,t'} = 0 for t - t_d <= t' < t,  else 0

Every neuron watches its own error, sample by sample. The time before t = 0 counts as silent: the
prediction phase has converged there, so a layer nearer to the output than t_d can fire as well.
"""

import math

import torch
from torch import Tensor

from plausible.errors import ConfigError


def check_trigger(detection_steps: int, tolerance: float) -> None:
    """Refuse settings of the trigger that cannot be meant.

    Raises
    ------
    ConfigError
        If ``detection_steps`` is below 1 or ``tolerance`` not a number from 0.
    """
    if detection_steps < 1:
        raise ConfigError(f"t_d: found {detection_steps}, expected a number of steps from 1.")
    if not (math.isfinite(tolerance) and tolerance >= 0):
        raise ConfigError(f"tolerance: found {tolerance}, expected a finite number from 0.")


def silent_start(errors: Tensor, detection_steps: int) -> Tensor:
    """Number of silent steps before t = 0, like ``errors`` (any shape)."""
    return torch.full_like(errors, detection_steps, dtype=torch.int64)


def phi(
    errors: Tensor, silent: Tensor, detection_steps: int, tolerance: float = 0.0
) -> tuple[Tensor, Tensor]:
    """Whether each error node fires, bool, and its number of silent steps in a row from now on.

    ``silent`` is that number up to now. Errors up to ``tolerance`` in size count as zero. An error
    that is not a number counts as different from zero.
    """
    quiet = errors.abs() <= tolerance
    fires = ~quiet & (silent >= detection_steps)
    return fires, torch.where(quiet, silent + 1, torch.zeros_like(silent))
