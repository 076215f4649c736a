"""Section 4.3 of Thuesen 2022: constraint by constraint, with measurements on the implementation.

The verdicts are the published ones. Where an entry says something that can be measured, it is
measured on a small random network; everything else is marked "stated only".
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from plausible.errors import StudyError
from plausible.kernels.lif_network import simulate_spikes
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.learning.backprop import LocalTerms, backward, cross_entropy, summed_gradients
from plausible.learning.predictive_coding import (
    Stage,
    State,
    fazil_terms,
    message,
    refresh,
    relax,
    stages,
    start,
    value_node_changes,
    zil_terms,
)
from plausible.learning.settings import TrainingSettings
from plausible.networks.activations import make_activation
from plausible.networks.mlp import Network, forward_pass, init_network, layer_sizes
from plausible.neurons.rates import LIF
from plausible.reproduction.theorem_checks import normal, one_hot
from plausible.studies.thuesen2022.common import torch_generator
from plausible.studies.thuesen2022.constraints.experiment_locality import (
    local_updates,
    random_state,
)
from plausible.studies.thuesen2022.constraints.settings import Constraints, Fig3

STATED_ONLY = "stated only"
ACTIVATION_SCALE = TrainingSettings().activation_scale
OWN = "spcn"
"""Id of the thesis's own method in the published file."""


class Bench:
    """A small random network in the states that the measurements look at."""

    def __init__(self, layer_sizes: Sequence[int], batch_size: int, seed: int) -> None:
        self.seed, self.generator = seed, torch_generator("constraints", seed, "network")
        self.layer_sizes, self.batch_size = layer_sizes, batch_size
        self.network, self.state = random_state(layer_sizes, batch_size, self.generator)
        self.plan = stages(self.network, "linear")

    def feedback(self) -> list[tuple[Stage, Any]]:
        """Stages that send errors down, with what is local to them."""
        return list(zip(self.plan, self.state.locals, strict=True))[1:]

    def noise(self, *shape: int) -> Tensor:
        """Standard normal numbers."""
        return normal(self.generator, *shape)

    def labels(self) -> Tensor:
        """Random one-hot labels."""
        return one_hot(self.generator, self.batch_size, self.layer_sizes[-1])


def with_unit_slope(layers: Iterable[Any]) -> tuple[Any, ...]:
    """The views or records of layers with a derivative of 1 where they have one."""
    return tuple(
        layer if layer.slope is None else layer._replace(slope=torch.ones_like(layer.slope))
        for layer in layers
    )


def nonlinearity(bench: Bench, send: Callable[[Tensor], Tensor], like: Tensor) -> float:
    """Largest |send(a + b) - send(a) - send(b)| over that of send(a + b), of random errors."""
    a, b = bench.noise(*like.shape), bench.noise(*like.shape)
    both, first, second = (send(error.clone()) for error in (a + b, a, b))
    return float((both - first - second).abs().max() / both.abs().max())


def pcn_weight_transport(bench: Bench) -> float:
    """Largest |feedback matrix - forward matrix^T|: 0 means that both are the same weights."""
    differences = []
    for stage, view in bench.feedback():
        weight = bench.network.weights[stage.layer]
        # What unit errors become, without the derivative: the matrix that sends them down.
        units = torch.eye(weight.shape[1], dtype=torch.float64)
        sent = message(bench.network, stage, view._replace(slope=None), units)
        differences.append(float((sent - weight.t()).abs().max()))
    return max(differences)


def pcn_derivative(bench: Bench) -> float:
    """Largest change of a value-node update when f' is replaced by 1."""
    flat = bench.state._replace(locals=list(with_unit_slope(bench.state.locals)))
    return _largest_change(
        value_node_changes(bench.network, bench.plan, bench.state),
        value_node_changes(bench.network, bench.plan, flat),
    )


def pcn_linear_feedback(bench: Bench) -> float:
    """Largest deviation of the messages of any layer from linearity."""
    return max(
        nonlinearity(bench, partial(message, bench.network, stage, view), view.prediction)
        for stage, view in bench.feedback()
    )


def pcn_error_flow(bench: Bench) -> float:
    """Largest change of the first hidden layer's value-node update by other values one layer up."""
    values = list(bench.state.values)
    values[2] = values[2] + bench.noise(*values[2].shape)
    moved = refresh(bench.network, bench.plan, bench.state._replace(values=values))
    return _largest_change(
        value_node_changes(bench.network, bench.plan, bench.state)[:1],
        value_node_changes(bench.network, bench.plan, moved)[:1],
    )


def _largest_change(before: list[Tensor], after: list[Tensor]) -> float:
    return max(float((a - b).abs().max()) for a, b in zip(before, after, strict=True))


def hidden_activities(bench: Bench) -> Tensor:
    """All activities that hidden neurons transmit while the network learns."""
    return torch.cat([view.activity.ravel() for view in bench.state.locals[1:]])


def rates_not_counts(bench: Bench) -> float:
    """Fraction of the transmitted activities that are not whole numbers, as spike counts are."""
    activities = hidden_activities(bench)
    return float((activities != activities.round()).double().mean())


def rates_outside_range(bench: Bench) -> float:
    """Fraction of the hidden rates outside [0, 1 / t_ref], i.e. not readable as spike rates."""
    rates = hidden_activities(bench) / ACTIVATION_SCALE
    highest = 1.0 / LIF().refractory_period_s
    return float(((rates < 0) | (rates > highest)).double().mean())


def zil_one_step_late(bench: Bench) -> float:
    """Smallest relative change of a layer's update if Z-IL makes it one inference step late."""
    learning = _at_its_predictions(bench)
    moments = range(len(learning[1]), 0, -1)
    return min(_relative_changes(zil_terms(*learning), zil_terms(*learning, moments=moments)))


def fazil_without_index(bench: Bench) -> float:
    """Largest relative difference of the updates of Fa-Z-IL from those of Z-IL."""
    learning = _at_its_predictions(bench)
    by_itself = fazil_terms(*learning, detection_steps=len(learning[1]), tolerance=1e-12)
    return max(_relative_changes(zil_terms(*learning), by_itself))


def _at_its_predictions(bench: Bench) -> tuple[Network, tuple[Stage, ...], State]:
    """Network of sigmoid neurons of the same sizes, with an input and a target."""
    generator = torch_generator("constraints", bench.seed, "layered")
    # Drawn from the output to the input.
    pairs = list(zip(bench.layer_sizes, bench.layer_sizes[1:], strict=False))[::-1]
    weights = tuple(normal(generator, *pair) for pair in pairs)[::-1]
    sigmoid = make_activation(TrainingSettings(activation="sigmoid"))
    network = Network(weights, None, (None,) * len(weights), sigmoid, "linear")
    inputs = normal(generator, bench.batch_size, bench.layer_sizes[0])
    plan = stages(network, "linear")
    return network, plan, start(network, inputs, bench.labels(), plan)


def _relative_changes(before: Iterable[LocalTerms], after: Iterable[LocalTerms]) -> list[float]:
    """Of the updates of each matrix, which may learn more than once."""
    updates: list[dict[int, Tensor]] = [{}, {}]
    for found, terms in zip(updates, (before, after), strict=True):
        for one in terms:
            found[one.layer] = found.get(one.layer, 0.0) + summed_gradients(one)[0]
    return [
        float((updates[0][layer] - other).abs().max() / updates[0][layer].abs().max())
        for layer, other in updates[1].items()
    ]


def update_without_target(bench: Bench) -> float:
    """Largest weight update when the output is free: without target nothing is learned."""
    record = relax(bench.network, bench.state.values[0], None, 3, 0.1, node="linear")
    return max(float(error.abs().max()) for error in record.error_nodes[-1])


def backprop_weight_transport(bench: Bench) -> float:
    """As ``pcn_weight_transport``, for backprop: what unit output errors become one layer down."""
    inputs = bench.noise(bench.layer_sizes[-1], bench.layer_sizes[0])
    record = forward_pass(bench.network, inputs)
    errors = _errors(bench, record, torch.eye(bench.layer_sizes[-1], dtype=torch.float64))
    sent, weight = errors[-2] / record.layers[-2].slope, bench.network.weights[-1].t()
    return float((sent - weight).abs().max() / weight.abs().max())


def backprop_derivative(bench: Bench) -> float:
    """Largest change of a hidden error when f' is replaced by 1."""
    record = forward_pass(bench.network, bench.state.values[0])
    flat = record._replace(layers=with_unit_slope(record.layers))
    error = cross_entropy(record.logits, bench.labels())[1]
    return _largest_change(_errors(bench, record, error), _errors(bench, flat, error))


def backprop_linear_feedback(bench: Bench) -> float:
    """As ``pcn_linear_feedback``: deviation of the first layer's error from linearity."""
    record = forward_pass(bench.network, bench.state.values[0])
    return nonlinearity(bench, lambda error: _errors(bench, record, error)[0], record.logits)


def _errors(bench: Bench, record: Any, error: Tensor) -> list[Tensor]:
    """Backprop's errors of all layers, from the first."""
    terms = backward(bench.network, record, error.clone())
    return [one.error for one in sorted(terms, key=lambda one: one.layer)]


def simulation_not_counts(bench: Bench) -> float:
    """Fraction of what neurons of the converted network transmit that is not a count of 0 or 1."""
    network = SpikingNetwork(
        tuple(weight.numpy() for weight in bench.network.weights),
        tuple(bias.numpy() + 1.0 for bias in bench.network.biases),
    )
    settings = SimulationSettings(simulation_time_ms=100)
    inputs = np.ones((bench.batch_size, 100, bench.layer_sizes[0]), np.int32)
    spikes = np.concatenate([layer.ravel() for layer in simulate_spikes(inputs, network, settings)])
    if not spikes.any():
        raise StudyError("sweep constraints: the random spiking network stayed silent.")
    return float(np.mean((spikes != 0) & (spikes != 1)))


NO_SPIKES = (
    "fraction of hidden activities transmitted in training that are no whole numbers of spikes"
)
LINEAR = "relative deviation of the feedback from linearity (0 but for rounding: linear)"
# By the ids of constraint and method: how it is measured, and what that is.
MEASUREMENTS: dict[tuple[str, str], tuple[Callable[[Bench], float], str]] = {
    ("spikes", OWN): (rates_not_counts, NO_SPIKES),
    ("unidirectionality", OWN): (
        pcn_error_flow,
        "change of the first hidden layer's value-node update by values of the layer above",
    ),
    ("weight_transport", OWN): (
        pcn_weight_transport,
        "max |feedback - forward^T| of the weights that send errors down (0: the same weights)",
    ),
    ("derivative", OWN): (
        pcn_derivative,
        "change of the value-node updates when f' is replaced by 1",
    ),
    ("linear_feedback", OWN): (pcn_linear_feedback, LINEAR),
    ("spiking", OWN): (
        rates_outside_range,
        "fraction of hidden activities outside the range of spike rates, 0 to 250 Hz",
    ),
    ("timing", OWN): (
        zil_one_step_late,
        "relative change of a layer's update if Z-IL makes it one inference step late",
    ),
    ("timing", "fazil"): (
        fazil_without_index,
        "relative difference of Fa-Z-IL's updates from Z-IL's (0 but for rounding: the same)",
    ),
    ("target", OWN): (
        update_without_target,
        "largest error node without target (0: nothing is learned)",
    ),
    ("weight_transport", "backprop"): (
        backprop_weight_transport,
        "relative max |feedback - forward^T| of the output layer (0: the same weights)",
    ),
    ("derivative", "backprop"): (
        backprop_derivative,
        "change of the errors when f' is replaced by 1",
    ),
    ("linear_feedback", "backprop"): (backprop_linear_feedback, LINEAR),
    ("spiking", "backprop"): (rates_not_counts, NO_SPIKES),
    ("spikes", "shadow_trained"): (
        simulation_not_counts,
        "fraction of what converted neurons transmit that is neither 0 nor 1 spike",
    ),
}


def constraints(settings: Constraints, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Claim of section 4.3: which biological constraint each method meets.

    Only verdicts that the thesis states have a row. Measured values are the largest over the seeds.

    Columns: constraint, group, method, verdict, reason, measurement, measured_value.

    Raises
    ------
    StudyError
        If a verdict of the published file names a constraint that it does not list.
    """
    benches = [Bench(settings.layer_sizes, settings.batch_size, seed) for seed in seeds]
    updates = local_updates(settings, seeds, None, None).set_index("method")
    locality = float(updates.loc["predictive coding", "max_abs_change"].max())
    published = settings.published
    constraint_of = {row["id"]: row for row in published["constraints"]}
    rows = []
    for method in published["methods"]:
        for name, verdict in method["verdicts"].items():
            if name not in constraint_of:
                raise StudyError(
                    f"published thuesen2022.claim.constraints: {method['id']} has a verdict on "
                    f"{name!r}, where one of {', '.join(constraint_of)} is expected."
                )
            measurement, value = STATED_ONLY, float("nan")
            if (name, method["id"]) == ("locality", OWN):
                measurement = "max change of an update when all non-adjacent arrays become noise"
                value = locality
            elif (name, method["id"]) in MEASUREMENTS:
                measure, measurement = MEASUREMENTS[name, method["id"]]
                value = max(measure(bench) for bench in benches)
            stated = f"stated in section {method['section']}"
            reason = method.get("reasons", {}).get(name, stated)
            constraint = (constraint_of[name]["name"], constraint_of[name]["group"])
            rows.append((*constraint, method["name"], verdict, reason, measurement, value))
    columns = [
        "constraint",
        "group",
        "method",
        "verdict",
        "reason",
        "measurement",
        "measured_value",
    ]
    return pd.DataFrame(rows, columns=columns)


def fig3(settings: Fig3, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 3: graph of a predictive coding network, read from the implemented network.

    A value node predicts the error nodes of the next layer through the weights; an error node acts
    on its own value node and, through the same weights, on the value nodes of the layer below.

    Columns: element (value_node, error_node, edge), kind (nodes: input, hidden, output; edges:
    prediction from a value to an error node, error from an error to a value node), layer, index
    (from 0), target_layer, target_index (edges; -1 for nodes), x, y (nodes; NaN for edges).
    """
    generator = torch_generator("fig3", seeds[0], "init")
    network = init_network(settings.layer_sizes, TrainingSettings(), generator)
    sizes = layer_sizes(network)
    kinds = ["input", *["hidden"] * (len(sizes) - 2), "output"]
    rows: list[tuple] = []
    for layer, (units, kind) in enumerate(zip(sizes, kinds, strict=True)):
        for index in range(units):
            x, y = 2.0 * layer, (max(sizes) - 1) / 2 + (units - 1) / 2 - index
            rows.append(("value_node", kind, layer, index, -1, -1, x, y))
            if layer > 0:
                rows.append(("error_node", kind, layer, index, -1, -1, x - 1.0, y))
    for layer, weight in enumerate(network.weights, 1):
        for target, source in np.ndindex(*weight.t().shape):
            rows.append(_edge("prediction", layer - 1, source, layer, target))
            if layer > 1:
                rows.append(_edge("error", layer, target, layer - 1, source))
        rows += [_edge("error", layer, index, layer, index) for index in range(weight.shape[1])]
    columns = ["element", "kind", "layer", "index", "target_layer", "target_index", "x", "y"]
    return pd.DataFrame(rows, columns=columns)


def _edge(kind: str, layer: int, index: int, target_layer: int, target_index: int) -> tuple:
    return ("edge", kind, layer, index, target_layer, target_index, np.nan, np.nan)
