"""Spike counts of every unit of a deep spiking network over time, compiled for one core.

The forward pass of ``deep_spiking`` (algorithm 3 of O'Connor 2020, breadth first), which reports
the totals of layers, with what figure A.1 needs: how often each unit has spiked, and what it has
received. The output layer is quantized like a hidden one, as in training.
"""

from typing import NamedTuple

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.compiling import kernel
from plausible.kernels.deep_spiking_types import Network, Rule, SpikeTrains, check_trains
from plausible.kernels.spike_loops import add_rows

CAPACITY = 1024
"""Spikes of a layer in one step, per unit on average, above which the network has diverged."""


class Counts(NamedTuple):
    """What the units of the layers above the input have done up to some moments.

    ``spikes[l-1]`` int64 ``[times, n_l]`` spikes of layer l; ``inputs[l-1]`` ``[times, n_l]`` the
    sum u^l of all that it received, in units of 1; ``times_done`` the moments that were reached,
    fewer than asked for if the network diverged (then the rows after them are zero).
    """

    spikes: tuple[np.ndarray, ...]
    inputs: tuple[np.ndarray, ...]
    times_done: int


@kernel
def _run(
    network, sizes, start, code, unit, half, times, potentials, queues, keys, totals, spikes, inputs
):
    reached = 0
    first = network.first
    for step in range(len(start) - 1):
        end = start[step + 1] - start[step]
        for place in range(end):
            queues[0, place] = code[start[step] + place]
        for layer in range(1, len(sizes)):
            end = add_rows(
                network.weights[first[layer - 1] : first[layer]], queues[layer - 1], np.int64(0),
                end, True, unit, half, half, potentials[layer], sizes[layer], queues[layer],
                len(keys), keys, np.int64(0),
            )  # fmt: skip
            if end < 0:
                return reached
            for place in range(end):
                totals[layer, queues[layer, place]] += 1
        if reached < len(times) and step + 1 == times[reached]:
            for layer in range(1, len(sizes)):
                for j in range(sizes[layer]):
                    spikes[layer, reached, j] = totals[layer, j]
                    inputs[layer, reached, j] = potentials[layer, j] + unit * totals[layer, j]
            reached += 1
    return reached


def layer_counts(
    network: Network, rule: Rule, trains: SpikeTrains, sample: int, times: list[int]
) -> Counts:
    """Spikes and summed input of every unit after the steps ``times`` (increasing, from 1).

    The network is not changed. Raises StudyError for arrays that do not fit, or for times outside
    of the steps of the rule.
    """
    check_trains(network, trains, rule)
    moments = np.array(times, dtype=np.int64)
    if not len(moments) or (np.diff(moments, prepend=0) <= 0).any() or moments[-1] > rule.steps:
        raise StudyError(
            f"spike counts: times are {list(times)}, expected increasing whole numbers from 1 to "
            f"{rule.steps}."
        )
    sizes, dtype = network.sizes, network.weights[0].dtype
    start = trains.start[sample]
    most = max(int(np.diff(start).max()), CAPACITY * max(sizes[1:]))
    layers, widest = len(sizes), max(sizes)
    nodes = np.zeros((layers, widest), dtype)
    totals = np.zeros((layers, widest), np.int64)
    spikes = np.zeros((layers, len(moments), widest), np.int64)
    inputs = np.zeros((layers, len(moments), widest), dtype)
    done = _run(
        network.flat, np.array(sizes, np.int64), start, trains.code, rule.unit, rule.half, moments,
        nodes, np.zeros((layers, most), np.int32), np.zeros(most, dtype), totals, spikes, inputs,
    )  # fmt: skip
    return Counts(
        tuple(array[:, :size] for array, size in zip(spikes[1:], sizes[1:], strict=True)),
        tuple(
            array[:, :size] / rule.unit for array, size in zip(inputs[1:], sizes[1:], strict=True)
        ),
        int(done),
    )
