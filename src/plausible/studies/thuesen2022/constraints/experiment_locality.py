"""Claim of section 4.3 of Thuesen 2022: value-node, weight and bias updates of a PCN are local."""

from collections.abc import Callable, Iterator, Sequence

import pandas as pd
import torch
from torch import Tensor

from plausible.learning.backprop import backward, mean_gradients
from plausible.learning.predictive_coding import (
    State,
    local_terms,
    refresh,
    stages,
    start,
    value_node_changes,
)
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, forward_pass, init_network
from plausible.reproduction.theorem_checks import normal
from plausible.studies.thuesen2022.common import torch_generator
from plausible.studies.thuesen2022.constraints.settings import LocalUpdates


def random_state(
    layer_sizes: Sequence[int], batch_size: int, generator: torch.Generator
) -> tuple[Network, State]:
    """Soft-rate network and random value nodes (no error node is zero), in float64.

    There is no softmax node: stage k is weight matrix k, from value node k to value node k + 1.
    """
    network = init_network(tuple(layer_sizes), TrainingSettings(dtype="float64"), generator)
    for bias in network.biases:
        bias.normal_(generator=generator)
    values = [normal(generator, batch_size, units) for units in layer_sizes]
    plan = stages(network, "linear")
    state = start(network, values[0], values[-1], plan)
    return network, refresh(network, plan, state._replace(values=values))


def updates_of(network: Network, state: State, layer: int) -> dict[str, Tensor]:
    """Updates that belong to a layer (from 1): its value nodes, the weights and biases into it.

    The clamped output layer has no value-node update.
    """
    plan = stages(network, "linear")
    weights, biases = mean_gradients(local_terms(plan, state, layer - 1))
    found = {"weights": weights, "biases": biases}
    if layer < len(network.weights):
        found["value_nodes"] = value_node_changes(network, plan, state)[layer - 1]
    return found


def backprop_updates_of(network: Network, state: State, layer: int) -> dict[str, Tensor]:
    """The same by backprop of the squared error, which makes the activities from the input."""
    record = forward_pass(network, state.values[0])
    terms = backward(network, record, record.logits - state.values[-1])
    weights, biases = mean_gradients(next(one for one in terms if one.layer == layer - 1))
    return {"weights": weights, "biases": biases}


def needed_by(update: str, layer: int) -> tuple[set[int], set[int]]:
    """Value nodes and weight matrices (by the layer they lead to) that a local update may use.

    Weights and biases: the two value nodes that they connect and themselves, in the error node
    between. Value nodes: their own error node and that of the next layer.
    """
    if update == "value_nodes":
        return {layer - 1, layer, layer + 1}, {layer, layer + 1}
    return {layer - 1, layer}, {layer}


def replace_others(
    network: Network,
    state: State,
    kept_values: set[int],
    kept_weights: set[int],
    generator: torch.Generator,
) -> tuple[Network, State]:
    """The same network and state with everything but the kept arrays replaced by noise."""

    def replace(arrays: Sequence[Tensor], kept: set[int], first: int) -> list[Tensor]:
        return [
            array if number in kept else normal(generator, *array.shape)
            for number, array in enumerate(arrays, first)
        ]

    values = replace(state.values, kept_values, 0)
    weights = replace([weight.t() for weight in network.weights], kept_weights, 1)
    biases = replace(network.biases, kept_weights, 1)
    replaced = network._replace(
        weights=tuple(weight.t() for weight in weights), biases=tuple(biases)
    )
    plan = stages(replaced, "linear")
    return replaced, refresh(replaced, plan, state._replace(values=values))


def local_updates(settings: LocalUpdates, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Change of each update when all arrays that are not adjacent to it become noise.

    A value node may use its own and the next error node, i.e. the value nodes, weights and biases
    of which these are made; a weight or bias may use the error node above and the value node below
    it. ``max_abs_change`` is zero, to the last bit, if nothing else enters. The last rows are those
    of backprop in the same network, whose updates are not local.

    Columns: update, layer, replaced_layers (value nodes replaced, as "0 4 5"), max_abs_change (the
    largest over the seeds), method, min_relative_change (the smallest over the seeds of the largest
    change over the largest entry of the update).
    """
    rows = []
    for method, updates in (("predictive coding", updates_of), ("backprop", backprop_updates_of)):
        found: dict[tuple[str, int, str], list[tuple[float, float]]] = {}
        for seed in seeds:
            # Each method sees the same network, state and noise.
            generator = torch_generator("local_updates", seed, "network")
            network, state = random_state(settings.layer_sizes, settings.batch_size, generator)
            for key, change, size in _changes(updates, network, state, generator):
                found.setdefault(key, []).append((change, change / size))
        order = ("value_nodes", "weights", "biases")
        for key in sorted(found, key=lambda key: (order.index(key[0]), key[1])):
            changes, relative = zip(*found[key], strict=True)
            rows.append((*key, max(changes), method, min(relative)))
    columns = ["update", "layer", "replaced_layers", "max_abs_change", "method"]
    return pd.DataFrame(rows, columns=[*columns, "min_relative_change"])


def _changes(
    updates: Callable[[Network, State, int], dict[str, Tensor]],
    network: Network,
    state: State,
    generator: torch.Generator,
) -> Iterator[tuple[tuple[str, int, str], float, float]]:
    """Update, layer and replaced layers; its largest change and its largest entry."""
    layers = range(len(state.values))
    for layer in layers[1:]:
        for update, before in updates(network, state, layer).items():
            values, weights = needed_by(update, layer)
            other = replace_others(network, state, values, weights, generator)
            after = updates(*other, layer)[update]
            replaced = " ".join(str(k) for k in layers if k not in values)
            change = float((after - before).abs().max())
            yield (update, layer, replaced), change, float(before.abs().max())
