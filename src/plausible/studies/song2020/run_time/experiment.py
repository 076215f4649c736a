"""Table 4 of Song et al. 2020: time and memory of one weight update, by algorithm."""

import math
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import Tensor

from plausible.learning import fused
from plausible.learning.training import resolve_device
from plausible.networks.mlp import Network
from plausible.studies.song2020.common import torch_generator
from plausible.studies.song2020.levels import make_network
from plausible.studies.song2020.run_time.settings import BLOCKS, Rules, RunTime, weight_count

COLUMNS = (
    *("network", "layer_sizes", "batch_size", "device", "algorithm"),
    *("milliseconds_per_update", "milliseconds_low", "milliseconds_high", "repetitions"),
    *("ratio_to_bp", "peak_memory_mb"),
    *(f"ratio_of_block_{block}" for block in range(1, BLOCKS + 1)),
)
REFERENCE = "bp"
"""The algorithm that the others are compared with."""


def run_time(settings: RunTime, seeds: list[int], dataset, networks) -> pd.DataFrame:
    """Table 4: milliseconds per weight update, including its forward pass or prediction phase.

    Input and target are random and fixed, weights float32. The algorithms take turns on the same
    weights, so that a slow moment of the machine meets all of them. Times are CPU times of the
    process, which has one thread, and wall-clock times between two synchronisations on a GPU; there
    is a row for it wherever torch sees one. ``milliseconds_low`` and ``_high`` are the quartiles,
    ``ratio_to_bp`` is the ratio of medians to ``bp``, ``ratio_of_block_1`` and so on that of the
    medians of a part of the repetitions. ``peak_memory_mb`` (10^6 bytes) is the
    largest resident memory of the process during the algorithm's first updates, weights and torch
    itself included; on a GPU the memory allocated there.

    Algorithms: ``bp_autograd`` (backprop by autograd and torch.optim.SGD), and of
    ``plausible.learning.fused``: ``bp``, ``il``, ``il_repeated`` (the input's
    product in every step, as listed), ``zil`` (every layer relaxes at every step) and
    ``fazil`` (phi watches every neuron at every step).

    Columns: ``COLUMNS``.

    Raises
    ------
    DeviceError
        If the device of the configuration is not there.
    """
    resolve_device(settings.device)
    shapes = settings.networks
    rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in shapes}
    # The largest last: the peak that the system reports of this process at its end is then that of
    # the whole, though `_forget_peak` lets it start anew.
    for name in sorted(shapes, key=lambda name: weight_count(shapes[name].layer_sizes)):
        sizes, batch_size = shapes[name].layer_sizes, shapes[name].batch_size
        for device in ("cpu", "cuda") if torch.cuda.is_available() else ("cpu",):
            generator = torch_generator("run_time", seeds[0], name)
            network = _draw_network(sizes, generator, device)
            inputs = torch.rand(batch_size, sizes[0], generator=generator).to(device)
            targets = torch.rand(batch_size, sizes[-1], generator=generator).to(device)
            updates = make_updates(network, inputs, targets, settings)
            measured = _measure(updates, settings.warm_up, settings.repetitions, device)
            described = ("-".join(map(str, sizes)), batch_size, device)
            rows[name] += [(name, *described, *row) for row in measured]
    return pd.DataFrame([row for some in rows.values() for row in some], columns=list(COLUMNS))


def make_updates(
    network: Network, inputs: Tensor, targets: Tensor, rules: Rules
) -> dict[str, Callable[[], None]]:
    """Functions by algorithm, each of which makes one update of ``network`` in place."""
    work = fused.make_workspace(network, len(inputs))
    given = (network, work, inputs, targets, rules.learning_rate)
    return {
        "bp_autograd": _autograd_update(network, inputs, targets, rules.learning_rate),
        "bp": lambda: fused.backprop(*given),
        "il": lambda: fused.il(*given, rules.il_steps, rules.il_gamma),
        "il_repeated": lambda: fused.il(*given, rules.il_steps, rules.il_gamma, True),
        "zil": lambda: fused.zil(*given),
        "fazil": lambda: fused.fazil(*given, rules.detection_steps, rules.tolerance),
    }


def _autograd_update(
    network: Network, inputs: Tensor, targets: Tensor, learning_rate: float
) -> Callable[[], None]:
    """Backprop as one writes it with torch: the same weights as leaves, loss, backward, SGD."""
    leaves = [weight.detach().requires_grad_() for weight in network.weights]
    optimizer = torch.optim.SGD(leaves, lr=learning_rate)

    def update() -> None:
        optimizer.zero_grad(set_to_none=True)
        values = inputs
        for layer, leaf in enumerate(leaves):
            activated = layer > 0 or network.activate_input
            values = (network.activation.value(values) if activated else values) @ leaf
        (0.5 * (targets - values).square().sum()).backward()
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return update


def _draw_network(sizes: Sequence[int], generator: torch.Generator, device: str) -> Network:
    """Xavier-uniform float32 network, drawn in place: 865 MB must not be there twice."""
    weights = []
    for fan_in, fan_out in zip(sizes, sizes[1:], strict=False):
        bound = math.sqrt(6.0 / (fan_in + fan_out))
        weight = torch.empty(fan_in, fan_out).uniform_(-bound, bound, generator=generator)
        weights.append(weight.to(device))
    return make_network(weights[::-1], activate_input=True)


def _measure(
    updates: dict[str, Callable[[], None]], warm_up: int, repetitions: int, device: str
) -> list[tuple[Any, ...]]:
    """The part of a row from ``algorithm`` on, for every algorithm."""
    memory = {}
    for name, update in updates.items():
        _forget_peak(device)
        for _ in range(warm_up):
            update()
        memory[name] = _peak_memory_mb(device)
    seconds: dict[str, list[float]] = {name: [] for name in updates}
    for _ in range(repetitions):
        for name, update in updates.items():
            began = _now(device)
            update()
            seconds[name].append(_now(device) - began)
    medians = {name: float(np.median(taken)) for name, taken in seconds.items()}
    blocks = {
        name: [float(np.median(part)) for part in np.array_split(taken, BLOCKS)]
        for name, taken in seconds.items()
    }
    return [
        (
            name,
            *(1e3 * x for x in (medians[name], *np.percentile(taken, [25, 75]).tolist())),
            repetitions,
            medians[name] / medians[REFERENCE],
            memory[name],
            *(x / bp for x, bp in zip(blocks[name], blocks[REFERENCE], strict=True)),
        )
        for name, taken in seconds.items()
    ]


def _now(device: str) -> float:
    """Seconds of a clock that knows all work given to ``device`` so far."""
    if device == "cpu":
        return time.process_time()
    torch.cuda.synchronize()
    return time.perf_counter()


def _forget_peak(device: str) -> None:
    """Let the peak of memory start anew; a system that cannot keeps the peak of the process."""
    if device == "cuda":
        torch.cuda.reset_peak_memory_stats()
        return
    try:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    except OSError:
        pass


def _peak_memory_mb(device: str) -> float:
    """Peak of memory since ``_forget_peak``, in 10^6 bytes; NaN where the system does not tell."""
    if device == "cuda":
        return torch.cuda.max_memory_allocated() / 1e6
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return math.nan
    found = re.search(r"VmHWM:\s*(\d+) kB", status)
    return math.nan if found is None else int(found.group(1)) * 1024 / 1e6
