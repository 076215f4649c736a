"""Section 2.5: the unrolled graph, multiplications of learning rules, estimates of UORO."""

from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np
import pandas as pd
import torch
from scipy.linalg import hadamard
from torch import Tensor

from plausible.learning.elementwise_count import count_multiplications
from plausible.learning.recurrent_gradients import (
    RankOne,
    influence_step,
    parameter_matrix,
    rank_one_step,
    rtrl_gradient,
    sources,
    truncated_gradient,
    uoro_gradients,
)
from plausible.networks.activations import make_activation
from plausible.networks.recurrent import Recurrent, Unrolled, unroll
from plausible.reproduction.theorem_checks import normal
from plausible.studies.oconnor2020.ch2_systems.experiment import torch_generator
from plausible.studies.oconnor2020.ch2_systems.settings import (
    RandomProjections,
    RecurrentCosts,
    UnrolledGraph,
)


def random_recurrent(
    generator: torch.Generator, units: int, inputs: int, gain: float = 0.9
) -> Recurrent:
    """A tanh layer in float64 whose state weights have a spectral radius of about ``gain``."""
    return Recurrent(
        normal(generator, inputs, units) / inputs**0.5,
        gain * normal(generator, units, units) / units**0.5,
        0.1 * normal(generator, units),
        make_activation(SimpleNamespace(activation="tanh")),
    )


class Sequence(NamedTuple):
    """A network with one random sequence and the errors of its states."""

    network: Recurrent
    record: Unrolled
    errors: Tensor


def random_sequence(generator: torch.Generator, units: int, inputs: int, steps: int) -> Sequence:
    """Errors, [steps, 1, units], are those of a loss that is linear in the states."""
    network = random_recurrent(generator, units, inputs)
    record = unroll(network, normal(generator, steps, 1, inputs))
    return Sequence(network, record, normal(generator, steps, 1, units))


def signs(generator: torch.Generator, *shape: int) -> Tensor:
    """+1 and -1 with the same probability, float64."""
    return 2.0 * torch.randint(2, shape, generator=generator, dtype=torch.float64) - 1.0


# ------------------------------------------------------------------------- figure 2.2


class _Node(NamedTuple):
    kind: str
    step: int
    inputs: tuple[str, ...]
    x: float
    y: float

    @property
    def name(self) -> str:
        return self.kind if self.kind == "theta" else f"{self.kind}_{self.step}"


def _graph(steps: int, lag: int = 1) -> Iterator[_Node]:
    """Nodes of the unrolled graph, in an order in which they can be run.

    ``lag``: steps from which on a state acts.
    """
    yield _Node("theta", 0, (), 0.0, 2.6)
    yield _Node("z", 0, (), 0.0, 1.0)
    for step in range(1, steps + 1):
        yield _Node("x", step, (), step, 0.0)
        before = f"z_{max(0, step - lag)}"
        yield _Node("z", step, (f"x_{step}", before, "theta"), step, 1.0)
        yield _Node("loss", step, (f"z_{step}",), step, 2.0)


def _run(nodes: list[_Node], sequence: Sequence) -> dict[str, Tensor]:
    """Value of every node, from those that its arrows come from."""
    network, record, errors = sequence
    values: dict[str, Tensor] = {}
    for node in nodes:
        given = [values[name] for name in node.inputs]
        if node.kind == "theta":
            values[node.name] = parameter_matrix(network)
        elif node.kind == "x":
            values[node.name] = record.inputs[node.step - 1]
        elif node.kind == "loss":
            values[node.name] = (errors[node.step - 1] * given[0]).sum()
        elif not node.inputs:
            values[node.name] = torch.zeros_like(record.states[0])
        else:
            inputs, state, theta = given
            weights = theta.split([inputs.shape[1], state.shape[1], 1])
            drive = inputs @ weights[0] + state @ weights[1] + weights[2][0]
            values[node.name] = network.activation.value(drive)
    return values


def unrolled_graph(settings: UnrolledGraph, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 2.2: nodes and arrows, run as they are drawn, against `plausible.networks.recurrent`.

    Columns: seed, node, kind (theta, x, z, loss), step, inputs (nodes that arrows come from), x, y,
    deviation (largest |value - that of the implementation|, of states and losses), two_steps
    (deviation where states act two steps later).
    """
    rows = []
    for seed in seeds:
        generator = torch_generator("unrolled_graph", seed)
        sequence = random_sequence(generator, settings.units, settings.inputs, settings.steps)
        _, record, errors = sequence
        drawn = list(_graph(settings.steps))
        off = [_run(nodes, sequence) for nodes in (drawn, list(_graph(settings.steps, lag=2)))]
        for node in drawn:
            row = {"seed": seed, "node": node.name, "kind": node.kind, "step": node.step}
            row |= {"inputs": "; ".join(node.inputs), "x": node.x, "y": node.y}
            if node.kind in ("z", "loss"):
                expected = record.states[node.step]
                if node.kind == "loss":
                    expected = (errors[node.step - 1] * expected).sum()
                row["deviation"], row["two_steps"] = (
                    float((values[node.name] - expected).abs().max()) for values in off
                )
            rows.append(row)
    return pd.DataFrame(rows)


# ------------------------------------------------------------------ multiplications


def recurrent_costs(settings: RecurrentCosts, seeds, dataset, networks) -> pd.DataFrame:
    """Multiplications per step, counted while the rules run on tensors without numbers.

    Columns: rule (forward, recurrent_product, rtrl, recurrent_influence, uoro, bptt,
    bptt_each_horizon), units, inputs, horizon (of truncated backpropagation), weights,
    multiplications. ``recurrent_product`` and ``recurrent_influence`` are the parts of a forward
    step and of a step of RTRL that go through the state weights; ``bptt`` is an update at every
    step, ``bptt_each_horizon`` one update in ``horizon`` steps.
    """
    rows = []
    for units in dict.fromkeys((*settings.widths, settings.published_width)):
        rows += _step_costs(units)
    rows += [
        row for horizon in settings.horizons for row in _horizon_costs(settings.widths[0], horizon)
    ]
    columns = ["rule", "units", "inputs", "horizon", "weights", "multiplications"]
    return pd.DataFrame(rows, columns=columns)


def _shapes(units: int, steps: int) -> tuple[Recurrent, Unrolled]:
    """A layer with as many inputs, and a record of it, without numbers; no biases are counted."""

    def empty(*shape: int) -> Tensor:
        return torch.empty(*shape, device="meta")

    network = Recurrent(
        empty(units, units), empty(units, units), empty(units),
        make_activation(SimpleNamespace(activation="tanh")),
    )  # fmt: skip
    record = Unrolled(empty(steps, 1, units), empty(steps + 1, 1, units), empty(steps, 1, units))
    return network, record


def _step_costs(units: int) -> Iterator[tuple]:
    network, record = _shapes(units, 1)
    source, slope = sources(record, 0), record.slopes[0, 0]
    parameters = parameter_matrix(network)
    influence = parameters.new_empty(units, *parameters.shape)
    estimate = RankOne(parameters.new_empty(1, units), parameters.new_empty(1, *parameters.shape))
    state, draw = record.states[0], parameters.new_empty(1, units)
    flat = influence[:, : 2 * units].reshape(units, -1)
    runs: dict[str, Callable] = {
        "forward": lambda: record.inputs[0] @ network.input_weights + state @ network.state_weights,
        "recurrent_product": lambda: state @ network.state_weights,
        "rtrl": lambda: influence_step(network, source, slope, influence),
        "recurrent_influence": lambda: network.state_weights.T @ flat,
        "uoro": lambda: rank_one_step(network, source, slope, estimate, draw),
    }
    weights = network.input_weights.numel() + network.state_weights.numel()
    for rule, run in runs.items():
        yield rule, units, units, None, weights, count_multiplications(run)


def _horizon_costs(units: int, horizon: int) -> Iterator[tuple]:
    network, record = _shapes(units, horizon)
    error = record.slopes[0]
    weights = network.input_weights.numel() + network.state_weights.numel()
    update = count_multiplications(lambda: truncated_gradient(network, record, error, horizon))
    for rule, cost in (("bptt", update), ("bptt_each_horizon", update / horizon)):
        yield rule, units, units, horizon, weights, cost


# ------------------------------------------------------------------ estimates of UORO


def random_projections(settings: RandomProjections, seeds, dataset, networks) -> pd.DataFrame:
    """Estimates of UORO: around the gradient, over horizons, over their number, by their signs.

    Columns: element, seed; of ``weight`` (first seed): weight, gradient (RTRL), estimate (one),
    mean (of all draws), standard_error; of ``horizon``: horizon, deviation (standard deviation of
    an estimate over the size of the gradient); of ``mean``: estimates, error (of their mean over
    the size of the gradient); of ``signs``: network, and as logarithms of ratios of mean squared
    errors to those of random signs hadamard (rows of a Hadamard matrix in turn, which are the same
    in every draw but for a random sign for each unit), hadamard_random_sign (with a further random
    sign in each step), mean_of_four (random signs, four estimates).
    """
    rows = []
    for seed in seeds:
        rows += _scatter(settings, seed, first=seed == seeds[0])
        rows += _signs(settings, seed)
    return pd.DataFrame(rows)


def estimates(sequence: Sequence, drawn: Tensor, other: Tensor | None = None) -> Tensor:
    """Estimates of the gradient, one row a draw, [draws, weights and biases]."""
    found = uoro_gradients(*sequence, drawn, other)
    return found.reshape(len(found), -1)


def _scatter(settings: RandomProjections, seed: int, first: bool) -> Iterator[dict]:
    generator = torch_generator("random_projections", seed)
    units, inputs, draws = settings.units, settings.inputs, settings.draws
    for horizon in settings.horizons:
        sequence = random_sequence(generator, units, inputs, horizon)
        found = estimates(sequence, signs(generator, horizon, draws, units))
        deviation = relative_deviation(found, rtrl_gradient(*sequence))
        yield {"element": "horizon", "seed": seed, "horizon": horizon, "deviation": deviation}
    sequence = random_sequence(generator, units, inputs, settings.steps)
    found = estimates(sequence, signs(generator, settings.steps, draws, units))
    exact = rtrl_gradient(*sequence).ravel()
    for number in settings.estimates:
        means = found[: draws // number * number].reshape(-1, number, len(exact)).mean(dim=1)
        error = float(((means - exact) ** 2).sum(dim=1).mean().sqrt() / exact.norm())
        yield {"element": "mean", "seed": seed, "estimates": number, "error": error}
    if first:
        standard_errors = found.std(dim=0) / draws**0.5
        columns = (exact, found[0], found.mean(dim=0), standard_errors)
        for weight, values in enumerate(zip(*columns, strict=True)):
            names = ("gradient", "estimate", "mean", "standard_error")
            numbers = dict(zip(names, map(float, values), strict=True))
            yield {"element": "weight", "seed": seed, "weight": weight, **numbers}


def relative_deviation(found: Tensor, gradient: Tensor) -> float:
    """Standard deviation of estimates [draws, weights] over the length of the gradient."""
    return float(found.var(dim=0).sum().sqrt() / gradient.norm())


def _signs(settings: RandomProjections, seed: int) -> Iterator[dict]:
    steps, draws, units = settings.steps, settings.draws, settings.units
    rows = torch.from_numpy(hadamard(units).astype(np.float64))
    in_turn = rows[torch.arange(steps) % units][:, None, :]
    for number in range(settings.networks):
        generator = torch_generator("random_projections", seed, "signs", number)
        sequence = random_sequence(generator, units, settings.inputs, steps)
        exact = rtrl_gradient(*sequence).ravel()
        fixed = in_turn * signs(generator, 1, draws, units)
        kinds = {
            "hadamard": fixed,
            "hadamard_random_sign": fixed * signs(generator, steps, draws, 1),
        }
        plain = estimates(sequence, signs(generator, steps, draws, units))
        fours = plain[: draws // 4 * 4].reshape(-1, 4, len(exact)).mean(dim=1)
        errors = {
            name: _squared(estimates(sequence, drawn), exact) for name, drawn in kinds.items()
        }
        errors["mean_of_four"] = _squared(fours, exact)
        ratios = {
            name: float(np.log(error / _squared(plain, exact))) for name, error in errors.items()
        }
        yield {"element": "signs", "seed": seed, "network": number, **ratios}


def _squared(found: Tensor, exact: Tensor) -> float:
    return float(((found - exact) ** 2).sum(dim=1).mean())
