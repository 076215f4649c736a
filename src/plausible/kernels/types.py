"""Inputs and outputs of the spiking simulation, as plain arrays. Numpy only."""

from typing import Literal, NamedTuple

import numpy as np

from plausible.errors import StudyError
from plausible.neurons.lif_dynamics import LIF, Integration, check_integration
from plausible.neurons.spikes import (
    KernelOrder,
    alpha_kernel,
    author_kernel,
    kernel_taps,
)

KernelName = Literal["unit_area", "printed", "author"]
KERNELS = ("unit_area", "printed", "author")


class SpikingNetwork(NamedTuple):
    """A feed-forward network of LIF neurons, the output layer included.

    Layer l is driven by the current J = h W + b with W ``[inputs, units]``, where h is
    ``input_scale * intensity`` for the first layer and ``activation_scale * rate_hz`` of the layer
    below otherwise (Thuesen 2022, section 3.4).
    """

    weights: tuple[np.ndarray, ...]
    biases: tuple[np.ndarray, ...]
    input_scale: float = 1.0
    activation_scale: float = 0.05

    @property
    def layer_sizes(self) -> tuple[int, ...]:
        """Number of neurons per layer, the input first."""
        return (len(self.weights[0]), *(weight.shape[1] for weight in self.weights))


class SimulationSettings(NamedTuple):
    """How a spiking network is simulated; three protocols are three values of this tuple.

    | field | as_published | as_coded | corrected |
    |---|---|---|---|
    | kernel | printed | author | unit_area |
    | kernel_order | causal | author | causal |
    | integration | euler | euler | exact |
    | idle_steps | 4 | 3 | - |

    ``input_rate_hz``: Poisson rate of a white pixel (eq. 39: 250 Hz = 1 / t_ref).
    ``checkpoints_ms``: times at which spikes are counted, ascending; empty means the end only. The
    simulation always runs to ``simulation_time_ms``. With the causal order, the counts at a
    checkpoint are those of a simulation that ends there; with the author's order, which looks up to
    5 steps ahead in every layer, they are the counts up to that time within the whole window.
    """

    simulation_time_ms: int = 200
    dt_ms: float = 1.0
    input_rate_hz: float = 250.0
    kernel: KernelName = "unit_area"
    kernel_order: KernelOrder = "causal"
    synapse_time_constant_s: float = 0.00118
    integration: Integration = "exact"
    idle_steps: int = 4
    checkpoints_ms: tuple[int, ...] = ()
    lif: LIF = LIF()

    @property
    def dt_s(self) -> float:
        """Time step in seconds."""
        return self.dt_ms * 1e-3

    @property
    def steps(self) -> int:
        """Number of time steps of the whole simulation."""
        return round(self.simulation_time_ms / self.dt_ms)

    @property
    def checkpoint_steps(self) -> np.ndarray:
        """Number of steps before each checkpoint, ``[checkpoints]``."""
        times = self.checkpoints_ms or (self.simulation_time_ms,)
        return np.array([round(time / self.dt_ms) for time in times], dtype=np.int64)


class SimulationResult(NamedTuple):
    """Spike counts of a simulation of n images.

    ``output_counts`` int32 ``[n, checkpoints, classes]``, cumulative;
    ``first_spike_step`` int32 ``[n, classes]``, -1 where the neuron never spiked;
    ``layer_spikes`` int64 ``[n, layers + 1, checkpoints]``, cumulative: input, hidden, output;
    ``neuron_counts`` per non-input layer int32 ``[n, neurons]`` over the whole window, or None.
    """

    output_counts: np.ndarray
    first_spike_step: np.ndarray
    layer_spikes: np.ndarray
    neuron_counts: list[np.ndarray] | None


class Raster(NamedTuple):
    """Spikes of one image in the order layer, time, neuron; layer 1 is the first hidden layer.

    A spike in step s is dated s * dt, the beginning of its step.
    """

    layer: np.ndarray
    neuron: np.ndarray
    time_ms: np.ndarray


def check_settings(settings: SimulationSettings) -> None:
    """Raise StudyError, naming the field, for settings that contradict themselves."""
    check_integration(
        settings.integration,
        settings.idle_steps,
        settings.dt_s,
        settings.lif,
        "simulation settings",
    )
    if settings.kernel not in KERNELS:
        raise StudyError(
            f"simulation settings: kernel is {settings.kernel!r}, "
            f"expected one of {', '.join(KERNELS)}."
        )
    if not 0 < settings.input_rate_hz < np.inf:
        raise StudyError(
            f"simulation settings: input_rate_hz is {settings.input_rate_hz}, "
            "expected a finite positive number."
        )
    ratio = settings.simulation_time_ms / settings.dt_ms
    if settings.steps < 1 or abs(ratio - settings.steps) > 1e-6:
        raise StudyError(
            f"simulation settings: simulation_time_ms {settings.simulation_time_ms} is not a "
            f"positive multiple of dt_ms {settings.dt_ms}."
        )
    steps = settings.checkpoint_steps
    if np.any(np.diff(steps) <= 0) or steps[0] < 1 or steps[-1] > settings.steps:
        raise StudyError(
            f"simulation settings: checkpoints_ms {list(settings.checkpoints_ms)} must ascend "
            f"within 0 and simulation_time_ms {settings.simulation_time_ms}."
        )


def check_network(network: SpikingNetwork) -> None:
    """Raise StudyError for weights and biases that do not fit each other."""
    if not network.weights or len(network.weights) != len(network.biases):
        raise StudyError(
            f"spiking network: {len(network.weights)} weight matrices and {len(network.biases)} "
            "bias vectors, expected the same number of both and at least one."
        )
    sizes = network.layer_sizes
    for layer, (weight, bias) in enumerate(zip(network.weights, network.biases, strict=True), 1):
        if weight.shape != sizes[layer - 1 : layer + 1] or bias.shape != (sizes[layer],):
            raise StudyError(
                f"spiking network, layer {layer}: weight {weight.shape} and bias {bias.shape}, "
                f"expected {sizes[layer - 1 : layer + 1]} and {(sizes[layer],)}."
            )
        if not (np.isfinite(weight).all() and np.isfinite(bias).all()):
            raise StudyError(
                f"spiking network, layer {layer}: weights or biases are not finite, "
                "as after a training that diverged; such a network cannot be simulated."
            )


def synapse_kernel(settings: SimulationSettings) -> np.ndarray:
    """Samples of the synapse filter that ``settings`` name."""
    if settings.kernel == "author":
        return author_kernel(settings.synapse_time_constant_s)
    kernel = alpha_kernel(
        settings.synapse_time_constant_s, settings.dt_s, normalise=settings.kernel
    )
    if settings.kernel_order == "author" and len(kernel) % 2 == 0:
        # The centred order needs a middle; one more sample of the tail changes nothing else.
        steps = len(kernel) + 1
        kernel = alpha_kernel(
            settings.synapse_time_constant_s, settings.dt_s, steps, normalise=settings.kernel
        )
    return kernel


def synapse_taps(settings: SimulationSettings) -> tuple[np.ndarray, int]:
    """Taps and first lag of the synapse filter (see ``neurons.spikes.kernel_taps``)."""
    return kernel_taps(synapse_kernel(settings), settings.kernel_order)


def input_gains(network: SpikingNetwork, settings: SimulationSettings) -> list[float]:
    """Factor from filtered spike counts to the h of each layer, one per weight matrix.

    A filtered count divided by dt estimates a rate. A white pixel, coded by ``input_rate_hz``, has
    to arrive with the mean ``input_scale``; a hidden neuron with ``activation_scale * rate``.
    """
    first = network.input_scale / settings.input_rate_hz
    later = network.activation_scale
    return [
        (first if layer == 0 else later) / settings.dt_s for layer in range(len(network.weights))
    ]
