"""Spiking simulation: the compiled kernel, dense torch, snntorch, and what the machine could do."""

import math
import time
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from numba import njit
from timing import Row, per_second, take_turns
from torch import Tensor

from plausible.conversion.shadow import convert
from plausible.data.dataset import Dataset
from plausible.kernels.events import image_key, random_words
from plausible.kernels.lif_network import input_spikes, simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.learning.settings import TrainingSettings
from plausible.learning.training import train
from plausible.measure.accuracy import accuracy_percent
from plausible.measure.energy import synaptic_operations
from plausible.networks.mlp import network_to_arrays
from plausible.networks.storage import StoredNetwork
from plausible.neurons.spikes import spike_count_readout

NAME = "Spiking simulation, MNIST 784-300-300-10, 200 steps of 1 ms, float32, one thread"
INSTALL = "not installed: pip install --no-deps 'snntorch>=1,<2' (--no-deps keeps the torch)"

# The equations that a dense program can follow step by step; the same for us and for dense torch.
EULER = SimulationSettings(kernel="printed", integration="euler", idle_steps=4)
CORRECTED = SimulationSettings()
MANY_SPIKES = SimulationSettings(
    kernel="author", kernel_order="author", integration="euler", idle_steps=3, input_rate_hz=5000.0
)


def trained_network(dataset: Dataset) -> SpikingNetwork:
    """A network after one epoch of training, so that its activity is real."""
    settings = TrainingSettings(
        dataset=dataset.name,
        epochs=1,
        batch_norm=True,
        optimizer="adam",
        learning_rate=0.001,
        test_every_steps=10**9,
        test_limit=1000,
    )
    network = train(settings, dataset, "benchmarks", "spiking", 0).network
    arrays = network_to_arrays(network)
    layers = range(len(network.weights))
    norms = []
    for layer in layers:
        prefix = f"batch_norm.{layer}."
        keys = ("gain", "shift", "mean", "variance", "epsilon")
        norms.append(
            {key: arrays[prefix + key] for key in keys} if prefix + "mean" in arrays else None
        )
    return convert(
        StoredNetwork(
            tuple(arrays[f"weight.{layer}"] for layer in layers),
            tuple(arrays[f"bias.{layer}"] for layer in layers),
            tuple(norms),
            settings.model_dump(),
        )
    )


class DenseLayer(NamedTuple):
    """Weights ``[inputs, units]``, scaled so that ``dense_torch`` gets currents, and bias."""

    weight: Tensor
    bias: Tensor


def dense_layers(
    network: SpikingNetwork, settings: SimulationSettings, dtype: torch.dtype
) -> list[DenseLayer]:
    """Layers for ``dense_torch``: gains and the height of the synapse kernel are in the weights."""
    ratio = settings.dt_s / settings.synapse_time_constant_s
    height = {"printed": ratio, "unit_area": (math.exp(ratio) - 1) ** 2 / math.exp(ratio)}
    gains = [network.input_scale / settings.input_rate_hz] + [network.activation_scale] * (
        len(network.weights) - 1
    )
    return [
        DenseLayer(
            torch.from_numpy(weight * (gain * height[settings.kernel] / settings.dt_s)).to(dtype),
            torch.from_numpy(bias).to(dtype),
        )
        for weight, bias, gain in zip(network.weights, network.biases, gains, strict=True)
    ]


@torch.no_grad()
def dense_torch(counts: Tensor, layers: list[DenseLayer], settings: SimulationSettings) -> Tensor:
    """Output spike counts ``[batch, classes]`` of input spikes ``[steps, batch, pixels]``.

    As fast as we could make dense eager torch: one matrix product per layer over all steps, the
    synapse filter as a recursion after the weights (kernel k x^k with x = exp(-dt / tau_s)), every
    operation in place.
    """
    steps, batch, _ = counts.shape
    decay = math.exp(-settings.dt_s / settings.synapse_time_constant_s)
    leak = settings.dt_s / settings.lif.membrane_time_constant_s
    spikes = counts
    for layer in layers:
        drive = (spikes.reshape(steps * batch, -1) @ layer.weight).view(steps, batch, -1)
        potential = torch.zeros_like(drive[0])
        slow, fast, change = torch.zeros_like(potential), torch.zeros_like(potential), potential + 0
        rest = torch.zeros_like(potential)
        spikes = torch.empty_like(drive)
        for t in range(steps):
            slow.add_(fast).mul_(decay)
            fast.mul_(decay).add_(drive[t])
            torch.add(slow, layer.bias, out=change)
            change.sub_(potential)
            potential.add_(change, alpha=leak)
            potential.masked_fill_(rest > 0, 0.0)
            rest.sub_(1.0)
            fired = potential > settings.lif.threshold
            potential.masked_fill_(fired, 0.0)
            rest.masked_fill_(fired, settings.idle_steps)
            spikes[t] = fired
    return spikes.sum(dim=0)


def run_dense_torch(
    intensity: Tensor, layers: list[DenseLayer], settings: SimulationSettings, batch: int
) -> Tensor:
    """Poisson input and ``dense_torch``, batch by batch."""
    generator = torch.Generator().manual_seed(0)
    mean = intensity * (settings.input_rate_hz * settings.dt_s)
    return torch.cat(
        [
            dense_torch(
                torch.poisson(each.expand(settings.steps, *each.shape), generator), layers, settings
            )
            for each in mean.split(batch)
        ]
    )


def snntorch_runs(
    intensity: Tensor, network: SpikingNetwork, settings: SimulationSettings
) -> dict[str, Callable[[], Tensor]]:
    """snntorch's neurons in its documented loop over time, by name; empty if it is not installed.

    They do less than we do: no refractory period, and only Synaptic and Alpha filter their input.
    """
    try:
        import snntorch
        from snntorch import spikegen
    except ImportError:
        return {}
    decay = math.exp(-settings.dt_s / settings.synapse_time_constant_s)
    beta = math.exp(-settings.dt_s / settings.lif.membrane_time_constant_s)
    gains = [network.input_scale / settings.input_rate_hz] + [network.activation_scale] * (
        len(network.weights) - 1
    )
    makers = {
        "Leaky": lambda: snntorch.Leaky(beta=beta, reset_mechanism="zero"),
        "Synaptic": lambda: snntorch.Synaptic(alpha=decay, beta=beta, reset_mechanism="zero"),
        "Alpha": lambda: snntorch.Alpha(alpha=beta, beta=decay, reset_mechanism="zero"),
    }

    def run(kind: str, batch: int) -> Tensor:
        linear, neurons = [], [makers[kind]() for _ in network.weights]
        for weight, bias, gain in zip(network.weights, network.biases, gains, strict=True):
            layer, scaled = torch.nn.Linear(*weight.shape), weight.T * gain / settings.dt_s
            layer.weight.data = torch.from_numpy(scaled * (1 - beta)).float()
            layer.bias.data = torch.from_numpy(bias * (1 - beta)).float()
            linear.append(layer)
        totals = []
        with torch.no_grad():
            for each in intensity.split(batch):
                rate = each * (settings.input_rate_hz * settings.dt_s)
                train_of_spikes = spikegen.rate(rate, num_steps=settings.steps)
                states = [_initial(neuron) for neuron in neurons]
                total = torch.zeros(len(each), len(network.biases[-1]))
                for spikes in train_of_spikes:
                    for index, (layer, neuron) in enumerate(zip(linear, neurons, strict=True)):
                        spikes, *states[index] = neuron(layer(spikes), *states[index])
                    total += spikes
                totals.append(total)
        return torch.cat(totals)

    return {
        f"snntorch {kind}, batch {batch}": lambda kind=kind, batch=batch: run(kind, batch)
        for kind, batch in (("Leaky", 100), ("Leaky", 500), ("Synaptic", 500), ("Alpha", 500))
    }


def _initial(neuron: torch.nn.Module) -> list[Tensor]:
    for method in ("init_alpha", "init_synaptic", "init_leaky", "reset_mem"):
        if hasattr(neuron, method):
            state = getattr(neuron, method)()
            return list(state) if isinstance(state, tuple) else [state]
    raise RuntimeError(f"snntorch: no initial state for {type(neuron).__name__}")


# ------------------------------------------------------------------------- limit of the machine


@njit(cache=True)
def _add_rows(total, rows, rounds):
    """Add eight rows at a time, all from the first-level cache."""
    for _ in range(rounds):
        for r in range(0, rows.shape[0], 8):
            for j in range(total.shape[0]):
                total[j] += ((rows[r, j] + rows[r + 1, j]) + (rows[r + 2, j] + rows[r + 3, j])) + (
                    (rows[r + 4, j] + rows[r + 5, j]) + (rows[r + 6, j] + rows[r + 7, j])
                )


@njit(cache=True)
def _relax(potential, current, leak, rounds):
    for _ in range(rounds):
        for j in range(potential.shape[0]):
            potential[j] += leak * (current[j] - potential[j])


def limit_images_per_second(additions: float, neuron_steps: float, draws: float) -> float:
    """Speed at which this core could do the work that no form avoids, and nothing else.

    One addition per spike and target, with the weights in the first-level cache; one leak per
    neuron and step; one random word per lit pixel and step. No filter, threshold or reset.
    """
    rows, total = np.ones((16, 512), np.float32), np.zeros(512, np.float32)
    potential, current = np.zeros(512, np.float32), np.ones(512, np.float32)
    key = np.uint64(image_key(np.uint64(0), np.uint64(0)))

    def nanoseconds(action: Callable[[], object], amount: int) -> float:
        action()
        times = []
        for _ in range(20):
            began = time.process_time_ns()
            action()
            times.append(time.process_time_ns() - began)
        return min(times) / amount

    per_addition = nanoseconds(lambda: _add_rows(total, rows, 1000), 1000 * rows.size)
    per_step = nanoseconds(lambda: _relax(potential, current, np.float32(0.05), 10_000), 5_120_000)
    per_word = nanoseconds(lambda: random_words(key, np.uint64(0), 1_000_000), 1_000_000)
    return 1e9 / (additions * per_addition + neuron_steps * per_step + draws * per_word)


# ------------------------------------------------------------------------------------- the table


def check_agreement(images: np.ndarray, white: int, network: SpikingNetwork) -> float:
    """Largest part of output spikes by which dense torch differs from the kernel, same input.

    Not zero: the recursion has the whole tail of the synapse kernel, of which the samples leave
    out 5e-6.
    """
    worst = 0.0
    for settings in (EULER, EULER._replace(kernel="unit_area")):
        counts = input_spikes(images, white, settings, 1)
        ours = simulate_network(images, white, network, settings, 1, dtype=np.float64)
        theirs = dense_torch(
            torch.from_numpy(counts).double().transpose(0, 1).contiguous(),
            dense_layers(network, settings, torch.float64),
            settings,
        )
        total = ours.output_counts[:, -1]
        worst = max(worst, float(np.abs(theirs.numpy() - total).sum() / total.sum()))
    return worst


def run(dataset: Dataset, number: int, repetitions: int) -> list[Row]:
    """Measure all forms on the first ``number`` test images."""
    images, labels, white = dataset.test_images[:number], dataset.test_labels[:number], 255
    network = trained_network(dataset)
    difference = check_agreement(images[:50], white, network)
    if difference > 0.002:
        raise RuntimeError(f"dense torch and the kernel differ in {difference:.2%} of the spikes")
    intensity = torch.from_numpy(images.astype(np.float32) / white)
    layers = dense_layers(network, EULER, torch.float32)

    def ours(settings: SimulationSettings) -> np.ndarray:
        return simulate_network(images, white, network, settings, 1).output_counts[:, -1]

    forms: dict[str, Callable[[], object]] = {
        "plausible kernel (euler, causal)": lambda: ours(EULER),
        "plausible kernel (exact, causal)": lambda: ours(CORRECTED),
        "plausible kernel (author's filter, 20 x input)": lambda: ours(MANY_SPIKES),
        "dense torch, batch 100": lambda: run_dense_torch(intensity, layers, EULER, 100),
        "dense torch, batch 500": lambda: run_dense_torch(intensity, layers, EULER, 500),
    }
    peers = snntorch_runs(intensity, network, EULER)
    forms |= peers
    notes = {}
    for name, action in forms.items():  # also warms up: compilation, caches
        counts = np.asarray(action())
        accuracy = accuracy_percent(spike_count_readout(counts), labels)
        notes[name] = f"{accuracy:.1f} % right, {counts.sum(axis=1).mean():.0f} output spikes"
    rows = per_second(NAME, take_turns(forms, repetitions), dict.fromkeys(forms, number), notes)
    if not peers:
        rows.append(Row(NAME, "snntorch", "images/s", *[math.nan] * 4, INSTALL))
    result = simulate_network(images, white, network, EULER, 1)
    operations = float(synaptic_operations(result.layer_spikes, network.layer_sizes).mean())
    draws = float((images > 0).sum(axis=1).mean()) * EULER.steps
    neuron_steps = EULER.steps * sum(network.layer_sizes[1:])
    limit = limit_images_per_second(operations, neuron_steps, draws)
    note = (
        f"{operations / 1e6:.2f} M additions, {neuron_steps / 1e3:.0f} k neuron steps, "
        f"{draws / 1e3:.0f} k random words per image; the kernel reaches "
        f"{rows[0].median / limit:.0%} of it"
    )
    rows.append(
        Row(
            NAME,
            "limit of this core",
            "images/s",
            limit,
            limit,
            limit,
            rows[0].median / limit,
            note,
        )
    )
    return rows
