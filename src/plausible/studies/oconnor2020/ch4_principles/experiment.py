"""Figure 4.1 of O'Connor 2020: the four networks, with their modules as a run shows them.

Which modules a network has is not written down here: every layer is run, what enters and leaves its
linear map is recorded, and the only chain of modules that explains the record is what is drawn.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from plausible.errors import StudyError
from plausible.networks.sigma_delta import (
    Layer,
    dense_network,
    herding,
    run,
    temporal_difference,
    temporal_integration,
)
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch4_principles.experiment_random_scales import random_weights
from plausible.studies.oconnor2020.ch4_principles.settings import FourNetworks

NETWORKS = ("original", "temporal_difference", "rounding", "sigma_delta")
"""A, B, C and D of the figure."""
EQUAL = 1e-10
"""Relative to the largest signal; any other chain of modules is off by far more."""
_MODULES: dict[str, Callable[[NDArray], NDArray]] = {
    "Δ": lambda values: temporal_difference(values)[0],
    "round": np.rint,
    "herd": lambda values: herding(values)[0],
    "Σ": lambda values: temporal_integration(values)[0],
}
_CHAINS = {"before": ((), ("Δ",), ("round",), ("Δ", "herd")), "behind": ((), ("Σ",))}


class Step(NamedTuple):
    """A module of a layer and what it sends on, [frames, units]."""

    module: str
    signal: NDArray


def trace(layers: Sequence[Layer], frames: NDArray, kind: str) -> list[list[Step]]:
    """Modules of every layer in their order, with their signals, found by running the network.

    The first step of a layer is its input, the last its output.

    Raises
    ------
    StudyError
        If no chain of differences, rounding and herding before the linear map and of integration
        behind it, or more than one, gives the recorded signals.
    """
    found = []
    activity = frames
    for index, layer in enumerate(layers):
        ran = run(layers[: index + 1], frames, kind)
        received, output = ran.messages[-1], ran.outputs
        current = layer.linear(received)
        encode = _explain(kind, "before", activity, received)
        # h(current + b), from a layer whose linear map passes everything.
        passing = layer._replace(linear=lambda values: values)
        decode = _explain(kind, "behind", current, output, [passing])
        found.append([Step("x", activity), *encode, Step("w", current), *decode, Step("h", output)])
        activity = output
    return found


def _explain(
    kind: str,
    place: str,
    given: NDArray,
    seen: NDArray,
    above: Sequence[Layer] = (),
) -> list[Step]:
    """The one chain of modules that turns ``given`` into ``seen``, with layers ``above`` it."""
    fitting = []
    for chain in _CHAINS[place]:
        steps, values = [], given
        for name in chain:
            values = _MODULES[name](values)
            steps.append(Step(name, values))
        found = run(above, values, "original").outputs
        if np.abs(found - seen).max() <= EQUAL * _largest(seen):
            fitting.append(steps)
    if len(fitting) != 1:
        raise StudyError(
            f"the network {kind}: {len(fitting)} of the known chains of modules {place} its linear "
            "map give what was recorded, expected exactly one."
        )
    return fitting[0]


def smooth_frames(count: int, units: int, generator: np.random.Generator) -> NDArray:
    """Slow signals of one or two periods and an amplitude of a few units, [count, units]."""
    time = np.arange(count)[:, np.newaxis] / count
    periods, phases = generator.uniform(1.0, 2.0, units), generator.uniform(0.0, 2.0, units)
    sizes = generator.uniform(2.0, 4.0, units)
    return sizes * np.sin(np.pi * (2.0 * periods * time + phases))


def _largest(signal: NDArray) -> float:
    """What differences are relative to; of small signals 1."""
    return max(1.0, np.abs(signal).max())


def four_networks(settings: FourNetworks, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 4.1: modules of the four networks, and the signals behind each of them.

    One random ReLU network and one sequence of slowly changing frames for all four.

    One unit of every module, and all units of the network's output. Columns: network, layer (0 is
    the lowest), position (of the module in its layer), module (x the input, Δ, round, herd, w, Σ,
    h the output), unit, frame, value.
    """
    sizes = settings.layer_sizes
    generator = numpy_generator("oconnor2020", "four_networks", seeds[0])
    weights = random_weights(sizes, generator)
    biases = [generator.uniform(0.0, 1.0, size) for size in sizes[1:]]
    layers = dense_network(weights, biases, output="relu")
    frames = smooth_frames(settings.frames, sizes[0], generator)
    rows = []
    for kind in NETWORKS:
        for layer, steps in enumerate(trace(layers, frames, kind)):
            for position, step in enumerate(steps):
                last = layer == len(layers) - 1 and position == len(steps) - 1
                rows += [
                    (kind, layer, position, step.module, unit, frame, value)
                    for unit, values in enumerate(step.signal.T if last else step.signal.T[:1])
                    for frame, value in enumerate(values)
                ]
    columns = ["network", "layer", "position", "module", "unit", "frame", "value"]
    return pd.DataFrame(rows, columns=columns)
