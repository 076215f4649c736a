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
from plausible.studies.oconnor2020.ch4_principles.settings import FourNetworks

NETWORKS = ("original", "temporal_difference", "rounding", "sigma_delta")
"""A, B, C and D of the figure."""
TWINS = {"temporal_difference": "original", "sigma_delta": "rounding"}
"""Networks whose outputs must be those of another one: B of A, D of C (section 4.4)."""
EQUAL = 1e-10
"""Relative to the largest signal; any other chain of modules is off by far more."""
_INPUT, _OUTPUT = "x", "h"


class Step(NamedTuple):
    """A module of a layer and what it sends on, [frames, units]."""

    module: str
    signal: NDArray


def _differences(values: NDArray) -> NDArray:
    return temporal_difference(values)[0]


_ENCODERS: dict[str, Callable[[NDArray], NDArray]] = {
    "Δ": _differences,
    "round": np.rint,
    "herd": lambda values: herding(values)[0],
}
_DECODERS = {"Σ": lambda values: temporal_integration(values)[0]}
_CHAINS: dict[str, tuple[tuple[str, ...], ...]] = {
    "before": ((), ("Δ",), ("round",), ("Δ", "herd")),
    "behind": ((), ("Σ",)),
}


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
    for index in range(len(layers)):
        received, current = _record(layers[: index + 1], frames, kind)
        output = run(layers[: index + 1], frames, kind).outputs
        layer = layers[index]
        encode = _explain(kind, "before", activity, received, _ENCODERS)
        decode = _explain(
            kind,
            "behind",
            current,
            output,
            _DECODERS,
            lambda values, layer=layer: _output_of(layer, values),
        )
        found.append(
            [Step(_INPUT, activity), *encode, Step("w", current), *decode, Step(_OUTPUT, output)]
        )
        activity = output
    return found


def _record(layers: Sequence[Layer], frames: NDArray, kind: str) -> tuple[NDArray, NDArray]:
    """What the linear map of the last layer receives and returns in a run."""
    seen = []

    def recording(values: NDArray) -> NDArray:
        seen.append((values, layers[-1].linear(values)))
        return seen[-1][1]

    run([*layers[:-1], layers[-1]._replace(linear=recording)], frames, kind)
    return seen[0]


def _output_of(layer: Layer, current: NDArray) -> NDArray:
    """h(current + b), from a layer whose linear map passes everything."""
    passing = layer._replace(linear=lambda values: values)
    return run([passing], current, "original").outputs


def _explain(
    kind: str,
    place: str,
    given: NDArray,
    seen: NDArray,
    modules: dict[str, Callable[[NDArray], NDArray]],
    finish: Callable[[NDArray], NDArray] = lambda values: values,
) -> list[Step]:
    """The one chain of modules that turns ``given`` into ``seen`` (``finish`` comes behind it)."""
    fitting = []
    for chain in _CHAINS[place]:
        steps, values = [], given
        for name in chain:
            values = modules[name](values)
            steps.append(Step(name, values))
        if np.abs(finish(values) - seen).max() <= EQUAL * max(1.0, np.abs(seen).max()):
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


def relative_distance(ours: NDArray, theirs: NDArray) -> float:
    """max |ours - theirs| over max(1, max |theirs|), of arrays of one shape."""
    return float(np.abs(ours - theirs).max() / max(1.0, np.abs(theirs).max()))


def four_networks(settings: FourNetworks, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 4.1: modules of the four networks, and the signals behind each of them.

    One random ReLU network and one sequence of slowly changing frames for all four.

    One unit of every module, and all units of the network's output. Columns: network, layer (0 is
    the lowest), position (of the module in its layer), module (x the input, Δ, round, herd, w, Σ,
    h the output), unit, frame, value, distance_from_twin (B from A, D from C: largest difference of
    the outputs of the network over the largest output; empty for A and C).
    """
    sizes = settings.layer_sizes
    generator = numpy_generator("oconnor2020", "four_networks", seeds[0])
    weights = [
        generator.standard_normal((above, below)) * np.sqrt(2.0 / below)
        for below, above in zip(sizes[:-1], sizes[1:], strict=True)
    ]
    biases = [generator.uniform(0.0, 1.0, size) for size in sizes[1:]]
    layers = dense_network(weights, biases, output="relu")
    frames = smooth_frames(settings.frames, sizes[0], generator)
    outputs = {kind: run(layers, frames, kind).outputs for kind in NETWORKS}
    apart = {kind: relative_distance(outputs[kind], outputs[TWINS[kind]]) for kind in TWINS}
    rows = []
    for kind in NETWORKS:
        for layer, steps in enumerate(trace(layers, frames, kind)):
            for position, step in enumerate(steps):
                last = layer == len(layers) - 1 and position == len(steps) - 1
                rows += [
                    (kind, layer, position, step.module, unit, frame, value, apart.get(kind))
                    for unit, values in enumerate(step.signal.T if last else step.signal.T[:1])
                    for frame, value in enumerate(values)
                ]
    columns = ["network", "layer", "position", "module", "unit", "frame", "value"]
    columns.append("distance_from_twin")
    return pd.DataFrame(rows, columns=columns)
