"""Gradients of recurrent networks forwards in time: RTRL, UORO; and BPTT with a horizon.

Source: O'Connor 2020, section 2.5, eq. 2.7 and 2.8 (RTRL after Williams and Zipser 1989; UORO
after Tallec and Ollivier 2017). For the layer s_t = f(q_t Theta) of `plausible.networks.recurrent`
with sources q_t = (x_t, s_(t-1), 1) and parameters Theta = (W_x; W_s; b), [sources, units], the
influence of the parameters on the state is

    ds_t/dTheta = ds_t/ds_(t-1) ds_(t-1)/dTheta + dF_t/dTheta,
    (ds_t/ds_(t-1))_ij = f'_i W_s[j, i],    dF_t,i/dTheta[k, j] = [i = j] f'_i q_k

and the gradient of a loss with errors e_t = dLoss/ds_t is sum_t e_t ds_t/dTheta. RTRL keeps the
influence, |s| |Theta| numbers. UORO keeps two factors whose product is the influence on average:
with fresh random signs n, which are +1 and -1 with the same probability and independent,

    s~_t = r_0 ds_t/ds_(t-1) s~_(t-1) + r_1 n
    Theta~_t = Theta~_(t-1) / r_0 + n dF_t/dTheta / r_1

where r_0 and r_1 make both factors equally long. All is for one sequence, a batch of 1; gradients
are [sources, units].
"""

from typing import NamedTuple

import torch
from torch import Tensor

from plausible.errors import ConfigError
from plausible.learning.bptt import RecurrentGradients, backprop_through_time
from plausible.networks.recurrent import Recurrent, Unrolled


def parameter_matrix(values: Recurrent | RecurrentGradients) -> Tensor:
    """Theta of a network, or the gradients by it, [sources, units]."""
    return torch.cat([values.input_weights, values.state_weights, values.biases[None]])


def sources(record: Unrolled, step: int) -> Tensor:
    """q_t = (x_t, s_(t-1), 1) of a step from 0, [1, sources]."""
    state = record.states[step]
    return torch.cat([record.inputs[step], state, state.new_ones(len(state), 1)], dim=1)


def influence_step(network: Recurrent, source: Tensor, slope: Tensor, before: Tensor) -> Tensor:
    """ds_t/dTheta from the one before, [units, sources, units] (eq. 2.8).

    ``source`` q_t [1, sources]; ``slope`` f' [units].
    """
    units = len(slope)
    carried = (network.state_weights.T @ before.reshape(units, -1)).reshape(before.shape)
    carried.diagonal(dim1=0, dim2=2).add_(source.T)
    return slope[:, None, None] * carried


def rtrl_gradient(network: Recurrent, record: Unrolled, errors: Tensor) -> Tensor:
    """sum_t e_t ds_t/dTheta for ``errors`` [steps, 1, units], [sources, units]."""
    _check(record, errors)
    parameters = parameter_matrix(network)
    influence = parameters.new_zeros(len(network.biases), *parameters.shape)
    gradient = torch.zeros_like(parameters)
    for step, (slope, error) in enumerate(zip(record.slopes, errors, strict=True)):
        influence = influence_step(network, sources(record, step), slope[0], influence)
        gradient += torch.tensordot(error[0], influence, dims=1)
    return gradient


def truncated_gradient(network: Recurrent, record: Unrolled, error: Tensor, horizon: int) -> Tensor:
    """Gradient of the error at the last step, [1, units], within the last ``horizon`` steps.

    The last ``horizon`` terms of eq. 2.7, as an update at every step takes them.

    Raises
    ------
    ConfigError
        If the horizon is shorter than a step or longer than the record.
    """
    if not 1 <= horizon <= len(record.inputs):
        raise ConfigError(
            f"truncated gradient: the horizon is {horizon} steps, expected 1 to "
            f"{len(record.inputs)} as the record has them."
        )
    last = Unrolled(
        record.inputs[-horizon:], record.states[-horizon - 1 :], record.slopes[-horizon:]
    )
    errors = torch.zeros_like(last.slopes)
    errors[-1] = error
    return parameter_matrix(backprop_through_time(network, last, errors))


class RankOne(NamedTuple):
    """The influence as a product of two factors, in independent draws."""

    state: Tensor
    """s~, [draws, units]."""
    parameters: Tensor
    """Theta~, [draws, sources, units]."""


def rank_one_step(
    network: Recurrent,
    source: Tensor,
    slope: Tensor,
    before: RankOne,
    signs: Tensor,
    parameter_signs: Tensor | None = None,
) -> RankOne:
    """Both factors a step later, with fresh ``signs`` of +1 and -1, [draws, units].

    ``parameter_signs`` replaces them in the second factor; the estimate is then biased.
    """
    parameter_signs = signs if parameter_signs is None else parameter_signs
    carried = (before.state @ network.state_weights) * slope
    direct = (parameter_signs * slope)[:, None, :] * source[0, :, None]
    old = _ratio(_length(before.parameters), _length(carried))
    new = _ratio(_length(direct), _length(signs))
    return RankOne(
        old[:, None] * carried + new[:, None] * signs,
        before.parameters / old[:, None, None] + direct / new[:, None, None],
    )


def uoro_gradients(
    network: Recurrent,
    record: Unrolled,
    errors: Tensor,
    signs: Tensor,
    parameter_signs: Tensor | None = None,
) -> Tensor:
    """Estimates of the gradient for ``errors`` [steps, 1, units], [draws, sources, units].

    ``signs`` [steps, draws, units], of a stream of their own in each draw.

    Raises
    ------
    ConfigError
        If errors or signs do not fit the record.
    """
    _check(record, errors)
    if signs.ndim != 3 or (len(signs), signs.shape[2]) != (len(errors), len(network.biases)):
        raise ConfigError(
            f"UORO: signs of shape {tuple(signs.shape)} were found, expected "
            f"[{len(errors)} steps, draws, {len(network.biases)} units]."
        )
    draws = signs.shape[1]
    parameters = parameter_matrix(network)
    estimate = RankOne(
        parameters.new_zeros(draws, len(network.biases)),
        parameters.new_zeros(draws, *parameters.shape),
    )
    total = torch.zeros_like(estimate.parameters)
    for step, (slope, error) in enumerate(zip(record.slopes, errors, strict=True)):
        other = None if parameter_signs is None else parameter_signs[step]
        source = sources(record, step)
        estimate = rank_one_step(network, source, slope[0], estimate, signs[step], other)
        total += (estimate.state @ error[0])[:, None, None] * estimate.parameters
    return total


def _length(values: Tensor) -> Tensor:
    """Euclidean length of each draw."""
    flat = values.reshape(len(values), -1)
    return (flat * flat).sum(dim=1).sqrt()


def _ratio(one: Tensor, other: Tensor) -> Tensor:
    """sqrt(one / other), and 1 where one of them is 0: a factor that is 0 needs no balance."""
    known = (one > 0.0) & (other > 0.0)
    return torch.where(known, one / torch.where(known, other, 1.0), 1.0).sqrt()


def _check(record: Unrolled, errors: Tensor) -> None:
    if errors.shape != record.slopes.shape or errors.shape[1] != 1:
        raise ConfigError(
            f"recurrent gradients: errors of shape {tuple(errors.shape)} were found for states of "
            f"shape {tuple(record.slopes.shape)}, expected [steps, 1, units] for both."
        )
