"""RTRL, truncated BPTT and UORO as measured deviations (O'Connor 2020, section 2.5)."""

import torch
from torch import Tensor

from plausible.learning.bptt import backprop_through_time
from plausible.learning.recurrent_gradients import (
    parameter_matrix,
    rtrl_gradient,
    sources,
    truncated_gradient,
)
from plausible.networks.recurrent import Recurrent, unroll
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.theorem_checks import Check, checks, controls, normal
from plausible.studies.oconnor2020.ch2_systems.experiment import torch_generator
from plausible.studies.oconnor2020.ch2_systems.experiment_recurrent import (
    Sequence,
    estimates,
    random_recurrent,
    random_sequence,
    relative_deviation,
    signs,
)

UNITS, INPUTS, STEPS = 6, 4, 20
HORIZON = 5
DRAWS = 20_000
LONG = 50


def _relative(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def _by_autograd(sequence: Sequence) -> Tensor:
    """Gradient of the loss sum_t e_t s_t."""
    network, record, errors = sequence
    tensors = [each.clone().requires_grad_() for each in network[:3]]
    states = unroll(Recurrent(*tensors, network.activation), record.inputs).states[1:]
    gradients = torch.autograd.grad((errors * states).sum(), tensors)
    return torch.cat([*gradients[:2], gradients[2][None]])


def rtrl(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Eq. 2.7, 2.8: forwards in time against backwards in time, and autograd."""
    sequence = random_sequence(torch_generator("eq2.8", seed), UNITS, INPUTS, STEPS)
    network, record, errors = sequence
    name, found = "equals_bptt", rtrl_gradient(*sequence)
    backwards = parameter_matrix(backprop_through_time(network, record, errors))
    # Without the term of the state before, the influence is that of the step alone.
    alone = rtrl_gradient(
        network._replace(state_weights=torch.zeros_like(network.state_weights)), record, errors
    )
    text = f"{UNITS} units, {STEPS} steps: relative deviation from"
    deviations = {
        "bptt": (f"{text} backpropagation through time", _relative(found, backwards)),
        "autograd": (f"{text} automatic differentiation", _relative(found, _by_autograd(sequence))),
    }
    broken = {"no_recurrent_term": _relative(alone, backwards)}
    return [*checks(name, deviations), *controls(name, broken)]


def _terms(sequence: Sequence, error: Tensor, number: int) -> Tensor:
    """Last terms of eq. 2.7: the error through a product of Jacobians to an earlier step."""
    network, record, _ = sequence
    carried, total = error, 0.0
    for step in range(len(record.inputs) - 1, len(record.inputs) - 1 - number, -1):
        total = total + sources(record, step).T @ (carried * record.slopes[step])
        jacobian = torch.diag(record.slopes[step][0]) @ network.state_weights.T
        carried = carried @ jacobian
    return total


def truncated_bptt(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.5: what a horizon keeps of the gradient of the last error."""
    generator = torch_generator("truncated_bptt", seed)
    sequence = random_sequence(generator, UNITS, INPUTS, STEPS)
    network, record, errors = sequence
    error, last = errors[-1], torch.zeros_like(errors)
    last[-1] = error
    terms, beyond, biased = "last_terms", "nothing_beyond_the_horizon", "short_horizon_biases"

    def off(horizon: int, number: int) -> float:
        found = truncated_gradient(network, record, error, horizon)
        return _relative(found, _terms(sequence, error, number))

    full = rtrl_gradient(network, record, last)

    def bias(horizon: int) -> float:
        return _relative(truncated_gradient(network, record, error, horizon), full)

    # The first input is on once, at the first step of the sequence.
    inputs = record.inputs.clone()
    inputs[:, :, 0] = 0.0
    inputs[0, :, 0] = 1.0
    pulse = unroll(network, inputs)
    whole = rtrl_gradient(network, pulse, last)[0].norm()

    def seen(horizon: int) -> float:
        return float(truncated_gradient(network, pulse, error, horizon)[0].norm() / whole)

    lengths = (1, HORIZON, STEPS)
    text = f"{UNITS} units, {STEPS} steps"
    found = {f"horizon_{one}": (f"{text}, horizon {one}", off(one, one)) for one in lengths}
    return [
        *checks(terms, found),
        *controls(terms, {"one_term_more": off(HORIZON, HORIZON + 1)}),
        Check(beyond, f"{text}, horizons up to {STEPS - 1}", max(map(seen, range(1, STEPS)))),
        *controls(beyond, {"horizon_reaches_it": seen(STEPS)}),
        Check(biased, text, bias(1)),
        *controls(biased, {"full_length": bias(STEPS)}),
    ]


def uoro(settings: ExperimentSettings, seed: int) -> list[Check]:
    """Section 2.5: mean and scatter of the rank-one estimate."""
    generator = torch_generator("uoro", seed)
    sequence = random_sequence(generator, UNITS, INPUTS, STEPS // 2)
    exact = rtrl_gradient(*sequence).ravel()
    unbiased, large = "unbiased", "large_variance"
    drawn, other = (signs(generator, STEPS // 2, DRAWS, UNITS) for _ in range(2))

    def standard_errors(found: Tensor) -> tuple[float, float]:
        """Deviation of the mean along the gradient, and root mean square over the weights."""
        along = found @ exact / exact.norm()
        off = (along.mean() - exact.norm()) / along.std() * DRAWS**0.5
        each = (found.mean(dim=0) - exact) / found.std(dim=0) * DRAWS**0.5
        return float(off.abs()), float((each**2).mean().sqrt())

    along, every = standard_errors(estimates(sequence, drawn))
    text = f"{UNITS} units, {STEPS // 2} steps, {DRAWS:,} estimates"
    found = {
        "along_the_gradient": (f"{text}: component along the gradient", along),
        "all_weights": (f"{text}: root mean square over the weights", every),
    }
    broken = {"independent_signs": min(standard_errors(estimates(sequence, drawn, other)))}
    longer = random_sequence(generator, UNITS, INPUTS, LONG)
    scatter = relative_deviation(
        estimates(longer, signs(generator, LONG, DRAWS // 20, UNITS)), rtrl_gradient(*longer)
    )
    return [
        *checks(unbiased, found),
        *controls(unbiased, broken),
        Check(large, f"{UNITS} units, {LONG} steps, {DRAWS // 20:,} estimates", scatter),
        *controls(large, {"one_unit_one_step": _single(generator)}),
    ]


def _single(generator: torch.Generator) -> float:
    """Relative scatter of the estimate of one unit in one step."""
    network = random_recurrent(generator, 1, INPUTS)
    record = unroll(network, normal(generator, 1, 1, INPUTS))
    sequence = Sequence(network, record, normal(generator, 1, 1, 1))
    found = estimates(sequence, signs(generator, 1, 100, 1))
    return relative_deviation(found, rtrl_gradient(*sequence))
