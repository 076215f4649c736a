"""Event-driven simulation of a feed-forward network of LIF neurons (numba, one core).

What it computes is written down in ``lif_network_reference`` in a few lines of numpy; on the same
input spikes both give the same output spikes. What makes it fast: a spike adds one row of a weight
matrix (no multiplication by zeros), the synapse filter runs after the weights (both are linear) on
as many currents as there are neurons, and a chunk of images goes through one layer before the next,
so that the weights of a layer stay in the cache.

Source: Thuesen 2022, sections 3.3.2 to 3.4.4.
"""

from collections.abc import Iterator

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.events import (
    Events,
    count_events,
    dense_counts,
    events_of_counts,
    poisson_thresholds,
    sample_events,
    total_events,
)
from plausible.kernels.lif_layer import run_layer, step_constants, work_rows
from plausible.kernels.types import (
    Raster,
    SimulationResult,
    SimulationSettings,
    SpikingNetwork,
    check_network,
    check_settings,
    input_gains,
    synapse_taps,
)
from plausible.kernels.vectors import BLOCK, aligned_zeros

_EVENTS_PER_CHUNK = 10_000_000


class _Layer:
    """Arrays of one layer in the layout and precision of the compiled loop."""

    def __init__(self, weight, bias, gain, settings: SimulationSettings, dtype) -> None:
        largest = np.finfo(dtype).max
        if not all(np.abs(each).max() <= largest for each in (weight, bias, gain)):
            raise StudyError(
                f"simulation: a weight, a bias or the scale of the input is not finite in {dtype}, "
                "so currents would not be; use smaller numbers, or float64."
            )
        taps, first_lag = synapse_taps(settings)
        constants = step_constants(settings, dtype)
        fan_in, fan_out = weight.shape
        self.size = -(-fan_out // BLOCK) * BLOCK
        padded_weights = aligned_zeros((fan_in, self.size), dtype)
        padded_weights[:, :fan_out] = weight
        padded_bias = aligned_zeros((self.size,), dtype)
        padded_bias[:fan_out] = bias
        padded_taps = np.zeros(-(-len(taps) // 4) * 4, dtype)
        padded_taps[: len(taps)] = taps * gain
        rows = work_rows(settings.steps, len(padded_taps), int(first_lag))
        work = (aligned_zeros((each * self.size,), dtype) for each in (rows, 1, 1))
        self.arguments = (
            padded_weights, padded_bias, padded_taps, int(first_lag), constants, *work
        )  # fmt: skip
        # A neuron cannot spike more often than this in a window.
        shortest = int(constants.rest_steps) + (0 if constants.exact else 1)
        self.capacity = -(-settings.steps // shortest) + 1

    def run(self, events: Events) -> Events:
        start = np.empty_like(events.start)
        neuron = np.empty(len(start) * self.size * self.capacity, np.int32)
        used = run_layer(events.start, events.neuron, events.count, *self.arguments, start, neuron)
        return Events(start, neuron[:used].copy(), np.ones(used, np.int32))


def _layers(network: SpikingNetwork, settings: SimulationSettings, dtype) -> list[_Layer]:
    check_network(network)
    check_settings(settings)
    dtype = np.dtype(dtype)
    if dtype not in (np.dtype(np.float32), np.dtype(np.float64)):
        raise StudyError(f"simulation: dtype is {dtype}, expected float32 or float64.")
    gains = input_gains(network, settings)
    return [
        _Layer(weight, bias, gain, settings, dtype)
        for weight, bias, gain in zip(network.weights, network.biases, gains, strict=True)
    ]


def _check_images(images: np.ndarray, white: int, network: SpikingNetwork) -> np.ndarray:
    pixels = network.layer_sizes[0]
    if images.dtype != np.uint8 or images.ndim != 2 or images.shape[1] != pixels:
        raise StudyError(
            f"simulation: images are {images.dtype} {images.shape}, expected uint8 [n, {pixels}]."
        )
    if not 0 < white <= 255 or (images.size and images.max() > white):
        raise StudyError(
            f"simulation: white is {white}, expected the largest possible grey level, "
            f"at most 255 and at least {images.max(initial=1)}."
        )
    return np.ascontiguousarray(images)


def _thresholds(white: int, settings: SimulationSettings) -> np.ndarray:
    grey_levels = np.arange(white + 1) / white
    return poisson_thresholds(grey_levels * settings.input_rate_hz * settings.dt_s)


def _propagate(events: Events, layers: list[_Layer]) -> list[Events]:
    trains = [events]
    for layer in layers:
        trains.append(layer.run(trains[-1]))
    return trains


def spike_trains(
    events: Events,
    network: SpikingNetwork,
    settings: SimulationSettings,
    dtype: np.typing.DTypeLike = np.float64,
) -> list[Events]:
    """Spikes of all layers that the input spikes ``events`` cause, themselves first."""
    return _propagate(events, _layers(network, settings, dtype))


def _summary(
    trains: list[Events], settings: SimulationSettings, sizes, record_neurons: bool
) -> SimulationResult:
    at = settings.checkpoint_steps
    output_counts, first_spike_step = count_events(trains[-1], at, sizes[-1])
    neuron_counts = None
    if record_neurons:
        end = np.array([settings.steps])
        neuron_counts = [
            count_events(train, end, size)[0][:, 0]
            for train, size in zip(trains[1:], sizes[1:], strict=True)
        ]
    layer_spikes = np.stack([total_events(train, at) for train in trains], axis=1)
    return SimulationResult(output_counts, first_spike_step, layer_spikes, neuron_counts)


def _chunks(images: int, pixels: int, steps: int) -> Iterator[slice]:
    """Slices of images whose event lists stay within 80 MB."""
    size = max(1, min(64, _EVENTS_PER_CHUNK // max(1, pixels * steps)))
    for first in range(0, images, size):
        yield slice(first, min(first + size, images))


def _join(parts: list[SimulationResult]) -> SimulationResult:
    recorded = parts[0].neuron_counts is not None
    return SimulationResult(
        np.concatenate([part.output_counts for part in parts]),
        np.concatenate([part.first_spike_step for part in parts]),
        np.concatenate([part.layer_spikes for part in parts]),
        [np.concatenate(layer) for layer in zip(*(p.neuron_counts for p in parts), strict=True)]
        if recorded
        else None,
    )


def simulate_network(
    images: np.ndarray,
    white: int,
    network: SpikingNetwork,
    settings: SimulationSettings,
    rng_seed: int,
    first_image: int = 0,
    record_neurons: bool = False,
    dtype: np.typing.DTypeLike = np.float32,
) -> SimulationResult:
    """Simulate ``network`` on grey levels ``images`` uint8 ``[n, pixels]``, ``white`` being 1.0.

    Input spikes are Poisson with rate ``input_rate_hz * intensity`` (eq. 39). They depend on
    ``rng_seed`` (0 .. 2**63) and on the number of the image, which is ``first_image`` for the first
    row, and not on anything else: simulating shards of a data set gives what the whole gives.
    Raises StudyError for arrays or settings that do not fit.
    """
    images = _check_images(images, white, network)
    layers = _layers(network, settings, dtype)
    if not len(images):
        raise StudyError("simulation: no image was given, expected at least one.")
    thresholds = _thresholds(white, settings)
    parts = []
    for chunk in _chunks(*images.shape, settings.steps):
        events = sample_events(
            images[chunk], thresholds, settings.steps, rng_seed, first_image + chunk.start
        )
        trains = _propagate(events, layers)
        parts.append(_summary(trains, settings, network.layer_sizes, record_neurons))
    return _join(parts)


def input_spikes(
    images: np.ndarray,
    white: int,
    settings: SimulationSettings,
    rng_seed: int,
    first_image: int = 0,
) -> np.ndarray:
    """The input spike counts that ``simulate_network`` uses: int32 ``[n, steps, pixels]``."""
    events = sample_events(
        np.ascontiguousarray(images),
        _thresholds(white, settings),
        settings.steps,
        rng_seed,
        first_image,
    )
    return dense_counts(events, images.shape[1])


def simulate_spikes(
    input_counts: np.ndarray,
    network: SpikingNetwork,
    settings: SimulationSettings,
    dtype: np.typing.DTypeLike = np.float64,
) -> list[np.ndarray]:
    """Spikes of every layer for given input spikes ``[n, steps, pixels]``.

    Returns int32 ``[n, steps, neurons]`` per non-input layer: the same as
    ``lif_network_reference.simulate_spikes``, for tests and for pictures of few images.
    """
    expected = (settings.steps, network.layer_sizes[0])
    if input_counts.ndim != 3 or input_counts.shape[1:] != expected:
        raise StudyError(
            f"simulation: input spikes have shape {input_counts.shape}, expected (n, %d, %d)."
            % expected
        )
    if not np.isfinite(input_counts).all():
        raise StudyError("simulation: input spikes are not finite, expected whole numbers.")
    trains = spike_trains(events_of_counts(input_counts), network, settings, dtype)
    return [
        dense_counts(train, size)
        for train, size in zip(trains[1:], network.layer_sizes[1:], strict=True)
    ]


def raster(
    image: np.ndarray,
    white: int,
    network: SpikingNetwork,
    settings: SimulationSettings,
    rng_seed: int,
    image_number: int = 0,
    dtype: np.typing.DTypeLike = np.float32,
) -> Raster:
    """Spikes of every non-input layer for one image ``[pixels]`` (Thuesen 2022, fig. 6).

    With the number of the image in its data set as ``image_number``, the spikes are those that
    ``simulate_network`` counts.
    """
    images = _check_images(image[None], white, network)
    events = sample_events(
        images, _thresholds(white, settings), settings.steps, rng_seed, image_number
    )
    trains = spike_trains(events, network, settings, dtype)[1:]
    steps = [np.repeat(np.arange(settings.steps), np.diff(train.start[0])) for train in trains]
    layers = [np.full(len(step), number) for number, step in enumerate(steps, 1)]
    return Raster(
        np.concatenate(layers),
        np.concatenate([train.neuron for train in trains]).astype(np.int64),
        np.concatenate(steps) * settings.dt_ms,
    )
