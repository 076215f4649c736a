"""The compiled simulation against its readable twin and against the thesis's own procedure."""

from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plausible.errors import StudyError
from plausible.kernels import lif_network_reference as reference
from plausible.kernels.lif_network import (
    input_spikes,
    raster,
    simulate_network,
    simulate_spikes,
)
from plausible.kernels.types import KERNELS, SimulationSettings, SpikingNetwork
from plausible.neurons.lif_dynamics import INTEGRATIONS, LIF
from plausible.neurons.spikes import KERNEL_ORDERS, author_kernel

WHITE = 16


def random_network(seed: int, sizes: tuple[int, ...] = (20, 18, 33, 5)) -> SpikingNetwork:
    rng = np.random.default_rng(seed)
    return SpikingNetwork(
        tuple(
            rng.normal(0, 2 / np.sqrt(fan_in), (fan_out, fan_in)).T
            for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True)
        ),
        tuple(rng.normal(0.5, 0.5, fan_out) for fan_out in sizes[1:]),
        input_scale=6.0,
        activation_scale=0.05,
    )


def random_images(seed: int, number: int = 6, pixels: int = 20) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, WHITE + 1, (number, pixels)).astype(np.uint8)


AS_CODED = SimulationSettings(
    kernel="author", kernel_order="author", integration="euler", idle_steps=3
)
AS_PUBLISHED = SimulationSettings(kernel="printed", integration="euler", idle_steps=4)
CORRECTED = SimulationSettings()
PROTOCOLS = {"as_published": AS_PUBLISHED, "as_coded": AS_CODED, "corrected": CORRECTED}


@pytest.mark.parametrize(
    ("kernel", "order", "integration", "idle_steps", "rate_hz"),
    [
        *product(KERNELS, KERNEL_ORDERS, ["euler"], [0, 3, 4], [800.0]),
        *product(KERNELS, KERNEL_ORDERS, ["exact"], [4], [800.0]),
        *product(["unit_area"], ["causal"], INTEGRATIONS, [4], [60.0, 5000.0]),
    ],
)
def test_kernel_equals_its_twin_in_every_setting(
    kernel: str, order: str, integration: str, idle_steps: int, rate_hz: float
) -> None:
    chosen = SimulationSettings(
        kernel=kernel,
        kernel_order=order,
        integration=integration,
        idle_steps=idle_steps,
        input_rate_hz=rate_hz,
    )
    network = random_network(1)
    spikes = input_spikes(random_images(2), WHITE, chosen, 3)
    fast = simulate_spikes(spikes, network, chosen)
    slow = reference.simulate_spikes(spikes, network, chosen)
    for layer, (a, b) in enumerate(zip(fast, slow, strict=True), 1):
        assert np.array_equal(a, b), f"layer {layer}"
        assert a.sum() > 50


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    sizes=st.lists(st.integers(1, 40), min_size=2, max_size=5),
    dt_ms=st.sampled_from([0.25, 0.5, 1.0, 2.0]),
    tau_synapse_s=st.floats(0.0006, 0.005),
    lif=st.builds(LIF, st.floats(0.005, 0.05), st.floats(0.002, 0.009), st.floats(0.5, 2.0)),
    integration=st.sampled_from(INTEGRATIONS),
    order=st.sampled_from(KERNEL_ORDERS),
    idle_steps=st.integers(0, 6),
    density=st.floats(0.0, 3.0),
)
def test_kernel_equals_its_twin_for_any_network(
    seed, sizes, dt_ms, tau_synapse_s, lif, integration, order, idle_steps, density
) -> None:
    chosen = SimulationSettings(
        simulation_time_ms=40,
        dt_ms=dt_ms,
        synapse_time_constant_s=tau_synapse_s,
        lif=lif,
        integration=integration,
        kernel_order=order,
        idle_steps=idle_steps,
    )
    network = random_network(seed, tuple(sizes))
    spikes = np.random.default_rng(seed).poisson(density, (2, chosen.steps, sizes[0]))
    fast = simulate_spikes(spikes, network, chosen)
    slow = reference.simulate_spikes(spikes, network, chosen)
    assert all(np.array_equal(a, b) for a, b in zip(fast, slow, strict=True))


def simulate_as_in_the_thesis(counts: np.ndarray, network: SpikingNetwork) -> list[np.ndarray]:
    """The procedure of the thesis's notebook, step by step, for one image ``[steps, pixels]``.

    conv1d with the kernel of 11 samples and padding 5 on the spikes divided by dt, a gain, the
    weights, and a LIF loop whose refractory countdown runs in float32 seconds.
    """
    dt, tau, period = 0.001, 0.02, 0.004
    kernel = torch.from_numpy(author_kernel())[None, None]
    train = torch.from_numpy(counts.astype(np.float64)) / dt
    gain = network.input_scale / 250.0
    layers = []
    for weight, bias in zip(network.weights, network.biases, strict=True):
        filtered = torch.nn.functional.conv1d(train.T[:, None], kernel, padding=5)[:, 0].T
        current = (gain * filtered) @ torch.from_numpy(weight) + torch.from_numpy(bias)
        potential = torch.zeros_like(current[0])
        countdown = torch.zeros(len(bias), dtype=torch.float32)
        spikes = []
        for drive in current:
            countdown[countdown > 0] -= dt
            free = countdown <= 0
            potential[free] += dt * (drive - potential)[free] / tau
            fired = potential > 1
            potential[fired] = 0
            countdown[fired] = period
            spikes.append(fired.double())
        layers.append(torch.stack(spikes).numpy())
        train = torch.stack(spikes) / dt
        gain = network.activation_scale
    return layers


def test_as_coded_is_the_procedure_of_the_thesis() -> None:
    network = random_network(4)
    spikes = input_spikes(random_images(5), WHITE, AS_CODED, 6)
    layers = simulate_spikes(spikes, network, AS_CODED)
    for image in range(len(spikes)):
        expected = simulate_as_in_the_thesis(spikes[image], network)
        for a, b in zip(layers, expected, strict=True):
            assert np.array_equal(a[image], b)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_summary_counts_the_spikes(protocol: str) -> None:
    chosen = PROTOCOLS[protocol]._replace(checkpoints_ms=(20, 75, 200))
    network, images = random_network(7), random_images(8)
    result = simulate_network(
        images, WHITE, network, chosen, 9, record_neurons=True, dtype=np.float64
    )
    counts = input_spikes(images, WHITE, chosen, 9)
    trains = [counts, *simulate_spikes(counts, network, chosen)]
    for c, end in enumerate((20, 75, 200)):
        assert np.array_equal(result.output_counts[:, c], trains[-1][:, :end].sum(axis=1))
        for layer, train in enumerate(trains):
            expected = train[:, :end].sum(axis=(1, 2))
            assert np.array_equal(result.layer_spikes[:, layer, c], expected)
    for recorded, train in zip(result.neuron_counts, trains[1:], strict=True):
        assert np.array_equal(recorded, train.sum(axis=1))
    fired = trains[-1] > 0
    first = np.where(fired.any(axis=1), fired.argmax(axis=1), -1)
    assert np.array_equal(result.first_spike_step, first)


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_shards_give_what_the_whole_gives(protocol: str) -> None:
    chosen = PROTOCOLS[protocol]
    # 150 images are more than one chunk.
    network, images = random_network(10), random_images(11, number=150)
    whole = simulate_network(images, WHITE, network, chosen, 12, record_neurons=True)
    parts = [
        simulate_network(
            images[first:last], WHITE, network, chosen, 12, first_image=first, record_neurons=True
        )
        for first, last in ((0, 1), (1, 90), (90, 150))
    ]
    for field in ("output_counts", "first_spike_step", "layer_spikes"):
        joined = np.concatenate([getattr(part, field) for part in parts])
        assert np.array_equal(joined, getattr(whole, field)), field
    for layer, counts in enumerate(whole.neuron_counts):
        joined = np.concatenate([part.neuron_counts[layer] for part in parts])
        assert np.array_equal(joined, counts)
    other = simulate_network(images, WHITE, network, chosen, 13)
    assert not np.array_equal(other.output_counts, whole.output_counts)


def test_checkpoint_of_a_causal_simulation_is_a_shorter_simulation() -> None:
    network, images = random_network(14), random_images(15)
    for chosen in (AS_PUBLISHED, CORRECTED):
        long = simulate_network(
            images, WHITE, network, chosen._replace(checkpoints_ms=(60, 200)), 16
        )
        short = simulate_network(images, WHITE, network, chosen._replace(simulation_time_ms=60), 16)
        assert np.array_equal(long.output_counts[:, 0], short.output_counts[:, 0])
        assert np.array_equal(long.layer_spikes[:, :, 0], short.layer_spikes[:, :, 0])


def test_author_order_looks_ahead() -> None:
    # The first input spike, at step 20, moves the neuron before it arrives.
    network = SpikingNetwork((np.array([[1.0]]),), (np.zeros(1),), input_scale=250.0)
    spikes = np.zeros((1, 200, 1), np.int64)
    spikes[0, 20] = 100
    early = simulate_spikes(spikes, network, AS_CODED)[0]
    late = simulate_spikes(spikes, network, CORRECTED)[0]
    assert np.flatnonzero(early[0, :, 0])[0] < 20
    assert np.flatnonzero(late[0, :, 0])[0] > 20


def test_single_precision_gives_nearly_the_same_spikes() -> None:
    network, images = random_network(17, (20, 300, 300, 10)), random_images(18, number=40)
    double = simulate_network(images, WHITE, network, CORRECTED, 19, dtype=np.float64)
    single = simulate_network(images, WHITE, network, CORRECTED, 19, dtype=np.float32)
    assert np.array_equal(single.layer_spikes[:, 0], double.layer_spikes[:, 0])
    differing = np.abs(single.output_counts - double.output_counts).sum()
    assert differing <= 0.001 * double.output_counts.sum()


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_raster_shows_the_spikes_that_are_counted(protocol: str) -> None:
    chosen = PROTOCOLS[protocol]
    network, images = random_network(20), random_images(21)
    result = simulate_network(images, WHITE, network, chosen, 22, record_neurons=True)
    shown = raster(images[4], WHITE, network, chosen, 22, image_number=4)
    for layer, counts in enumerate(result.neuron_counts, 1):
        neurons = shown.neuron[shown.layer == layer]
        assert np.array_equal(np.bincount(neurons, minlength=counts.shape[1]), counts[4])
    assert np.all((shown.time_ms >= 0) & (shown.time_ms < 200))
    for layer in (1, 2, 3):
        assert np.all(np.diff(shown.time_ms[shown.layer == layer]) >= 0)
    output = shown.layer == 3
    for neuron, step in enumerate(result.first_spike_step[4]):
        times = shown.time_ms[output & (shown.neuron == neuron)]
        assert (times.min() if len(times) else -1) == step


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"kernel": "box"}, "kernel is 'box', expected one of unit_area, printed, author"),
        ({"kernel_order": "both"}, "kernel order is 'both'"),
        ({"integration": "heun"}, "integration is 'heun'"),
        ({"input_rate_hz": 0.0}, "input_rate_hz is 0.0"),
        ({"input_rate_hz": np.inf}, "input_rate_hz is inf, expected a finite positive number"),
        ({"lif": LIF(membrane_time_constant_s=np.inf)}, "finite positive numbers only"),
        ({"dt_ms": 0.3}, "not a positive multiple of dt_ms 0.3"),
        ({"checkpoints_ms": (100, 50)}, r"checkpoints_ms \[100, 50\] must ascend"),
        ({"checkpoints_ms": (100, 300)}, "must ascend within 0 and simulation_time_ms 200"),
        ({"dt_ms": 5.0}, "must not exceed the refractory period"),
    ],
)
def test_settings_that_contradict_themselves_are_said(change: dict, message: str) -> None:
    with pytest.raises(StudyError, match=message):
        simulate_network(
            random_images(0), WHITE, random_network(0), CORRECTED._replace(**change), 0
        )


def test_arrays_that_do_not_fit_are_said() -> None:
    network, images = random_network(0), random_images(0)
    with pytest.raises(StudyError, match=r"expected uint8 \[n, 20\]"):
        simulate_network(images[:, :-1], WHITE, network, CORRECTED, 0)
    with pytest.raises(StudyError, match="white is 3"):
        simulate_network(images, 3, network, CORRECTED, 0)
    with pytest.raises(StudyError, match="no image was given"):
        simulate_network(images[:0], WHITE, network, CORRECTED, 0)
    with pytest.raises(StudyError, match="expected float32 or float64"):
        simulate_network(images, WHITE, network, CORRECTED, 0, dtype=np.int32)
    with pytest.raises(StudyError, match="layer 1: weight"):
        broken = network._replace(weights=(network.weights[0].T, *network.weights[1:]))
        simulate_network(random_images(0, pixels=18), WHITE, broken, CORRECTED, 0)
    with pytest.raises(StudyError, match="not finite"):
        broken = network._replace(biases=(network.biases[0] * np.nan, *network.biases[1:]))
        simulate_network(images, WHITE, broken, CORRECTED, 0)
    for broken in (
        network._replace(weights=(network.weights[0] * 1e40, *network.weights[1:])),
        network._replace(input_scale=np.nan),
        network._replace(activation_scale=np.inf),
    ):
        with pytest.raises(StudyError, match="not finite in float32, so currents would not be"):
            simulate_network(images, WHITE, broken, CORRECTED, 0)
    with pytest.raises(StudyError, match="input spikes are not finite"):
        simulate_spikes(np.full((1, 200, 20), np.nan), network, CORRECTED)
    with pytest.raises(StudyError, match=r"expected \(n, 200, 20\)"):
        simulate_spikes(np.zeros((1, 100, 20), int), network, CORRECTED)
