"""Claim of section 4.3 of Thuesen 2022: value-node, weight and bias updates of a PCN are local."""

from collections.abc import Sequence

import pandas as pd
import torch
from torch import Tensor

from plausible.learning.backprop import mean_gradients
from plausible.learning.predictive_coding import (
    State,
    local_terms,
    refresh,
    stages,
    start,
    value_node_changes,
)
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import Network, init_network
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
    weights, biases = (
        tuple(replace(arrays, kept_weights, 1)) for arrays in (network.weights, network.biases)
    )
    replaced = network._replace(weights=weights, biases=biases)
    plan = stages(replaced, "linear")
    return replaced, refresh(replaced, plan, state._replace(values=values))


def local_updates(settings: LocalUpdates, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Change of each update when all arrays that are not adjacent to it become noise.

    A value node may use its own and the next error node, i.e. the value nodes, weights and biases
    of which these are made; a weight or bias may use the error node above and the value node below
    it. ``max_abs_change`` is zero, to the last bit, if nothing else enters.

    Columns: update, layer, replaced_layers (value nodes replaced, as "0 4 5"),
    max_abs_change (the largest over the seeds).
    """
    sizes = settings.layer_sizes
    changes: dict[tuple[str, int, str], float] = {}
    for seed in seeds:
        generator = torch_generator("local_updates", seed, "network")
        network, state = random_state(sizes, settings.batch_size, generator)
        for layer in range(1, len(sizes)):
            for update, before in updates_of(network, state, layer).items():
                values, weights = needed_by(update, layer)
                other = replace_others(network, state, values, weights, generator)
                after = updates_of(*other, layer)[update]
                replaced = " ".join(str(k) for k in range(len(sizes)) if k not in values)
                key = (update, layer, replaced)
                change = float((after - before).abs().max())
                changes[key] = max(changes.get(key, 0.0), change)
    order = ("value_nodes", "weights", "biases")
    keys = sorted(changes, key=lambda key: (order.index(key[0]), key[1]))
    columns = ["update", "layer", "replaced_layers", "max_abs_change"]
    return pd.DataFrame([(*key, changes[key]) for key in keys], columns=columns)
