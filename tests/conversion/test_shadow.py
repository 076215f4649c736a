"""Batch-norm fusion, conversion, analytic rates, storage."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from plausible.conversion.shadow import (
    convert,
    fuse_batch_norm,
    load_spiking,
    rate_forward,
    save_spiking,
)
from plausible.errors import DataError, StudyError
from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings
from plausible.networks.storage import StoredNetwork
from plausible.neurons.lif_dynamics import LIF
from plausible.neurons.rates import soft_rate

SETTINGS = {"activation": "soft_rate", "input_scale": 12.5, "activation_scale": 0.05}


def random_stored(seed: int, batch_norm: bool, dtype=np.float64) -> StoredNetwork:
    rng = np.random.default_rng(seed)
    sizes = (20, 30, 25, 10)
    weights, biases, norms = [], [], []
    for fan_in, fan_out in zip(sizes[:-1], sizes[1:], strict=True):
        weights.append(rng.normal(0, 2 / np.sqrt(fan_in), (fan_in, fan_out)).astype(dtype))
        biases.append(rng.normal(0, 0.5, fan_out).astype(dtype))
        norms.append(
            {
                "gain": rng.uniform(0.5, 2, fan_out).astype(dtype),
                "shift": rng.normal(1, 1, fan_out).astype(dtype),
                "mean": rng.normal(0, 1, fan_out).astype(dtype),
                "variance": rng.uniform(0.1, 4, fan_out).astype(dtype),
                "epsilon": 1e-5,
            }
            if batch_norm
            else None
        )
    return StoredNetwork(tuple(weights), tuple(biases), tuple(norms), dict(SETTINGS))


def currents_by_torch(stored: StoredNetwork, inputs: torch.Tensor) -> list[torch.Tensor]:
    """Currents of every layer by torch's own linear layer and batch norm."""
    drive, currents = stored.settings["input_scale"] * inputs, []
    for weight, bias, norm in zip(stored.weights, stored.biases, stored.batch_norms, strict=True):
        current = torch.nn.functional.linear(
            drive, torch.from_numpy(weight).t(), torch.from_numpy(bias)
        )
        if norm is not None:
            arrays = {
                key: torch.from_numpy(norm[key]) for key in ("mean", "variance", "gain", "shift")
            }
            current = torch.nn.functional.batch_norm(
                current,
                arrays["mean"],
                arrays["variance"],
                arrays["gain"],
                arrays["shift"],
                eps=norm["epsilon"],
            )
        currents.append(current)
        drive = stored.settings["activation_scale"] * soft_rate(current, 0.05)
    return currents


@pytest.mark.parametrize(("dtype", "tolerance"), [(np.float64, 1e-10), (np.float32, 1e-5)])
def test_fused_layer_is_linear_layer_and_batch_norm(dtype: type, tolerance: float) -> None:
    stored = random_stored(1, batch_norm=True, dtype=dtype)
    weight, bias = fuse_batch_norm(stored.weights[0], stored.biases[0], **stored.batch_norms[0])
    inputs = np.random.default_rng(2).uniform(0, 1, (50, 20)).astype(dtype)
    stored = stored._replace(settings={**SETTINGS, "input_scale": 1.0})
    expected = currents_by_torch(stored, torch.from_numpy(inputs))[0].numpy()
    fused = inputs @ weight.astype(dtype) + bias.astype(dtype)
    assert np.abs(fused - expected).max() <= tolerance * np.abs(expected).max()


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([1e-8, 1e-5]), st.floats(0, 10))
def test_fusion_holds_for_any_statistics(seed: int, epsilon: float, variance: float) -> None:
    rng = np.random.default_rng(seed)
    weight, bias, inputs = rng.normal(size=(6, 4)), rng.normal(size=4), rng.normal(size=(8, 6))
    gain, shift, mean = rng.normal(size=(3, 4))
    variances = np.full(4, variance)
    normal = (inputs @ weight + bias - mean) / np.sqrt(variances + epsilon) * gain + shift
    fused, offset = fuse_batch_norm(weight, bias, gain, shift, mean, variances, epsilon)
    assert np.allclose(inputs @ fused + offset, normal, rtol=1e-9, atol=1e-9 * abs(normal).max())


@pytest.mark.parametrize("batch_norm", [False, True])
def test_converted_network_has_the_rates_of_the_trained_one(batch_norm: bool) -> None:
    stored = random_stored(3, batch_norm)
    network = convert(stored)
    assert network.layer_sizes == (20, 30, 25, 10)
    assert (network.input_scale, network.activation_scale) == (12.5, 0.05)
    inputs = np.random.default_rng(4).uniform(0, 1, (40, 20))
    currents = currents_by_torch(stored, torch.from_numpy(inputs))
    for rates, current in zip(rate_forward(network, inputs, 0.05), currents, strict=True):
        expected = soft_rate(current, 0.05).numpy()
        assert np.allclose(rates, expected, rtol=1e-9, atol=1e-9)


def test_hard_rates_are_the_limit_of_soft_rates() -> None:
    network = convert(random_stored(5, batch_norm=True))
    inputs = np.random.default_rng(6).uniform(0, 1, (40, 20))
    hard = rate_forward(network, inputs)
    differences = [
        max(
            np.abs(a - b).max()
            for a, b in zip(rate_forward(network, inputs, gamma), hard, strict=True)
        )
        for gamma in (0.05, 0.005, 0.0005)
    ]
    assert differences[0] > differences[1] > differences[2]
    assert sum((rates == 0).sum() for rates in hard) > 0


@pytest.mark.parametrize("batch_norm", [False, True])
def test_spiking_rates_approach_the_analytic_rates_of_constant_currents(batch_norm: bool) -> None:
    network = convert(random_stored(7, batch_norm))
    images = np.random.default_rng(8).integers(0, 17, (20, 20)).astype(np.uint8)
    # A high input rate and slow synapses leave nearly constant currents.
    smooth = SimulationSettings(
        simulation_time_ms=4000, input_rate_hz=50_000.0, synapse_time_constant_s=0.1
    )
    result = simulate_network(images, 16, network, smooth, 9, record_neurons=True)
    analytic = rate_forward(network, images / 16)
    for layer, (counts, rates) in enumerate(zip(result.neuron_counts, analytic, strict=True), 1):
        simulated = counts / 4.0
        slope, offset = np.polyfit(rates.ravel(), simulated.ravel(), 1)
        assert np.corrcoef(rates.ravel(), simulated.ravel())[0, 1] > 0.995, layer
        # The synapse needs some 0.2 s of the 4 s to settle in each layer.
        assert 0.85 < slope <= 1.02, layer
        assert abs(offset) < 3, layer


def test_lif_constants_reach_the_rates() -> None:
    network = convert(random_stored(10, batch_norm=True))
    inputs = np.random.default_rng(11).uniform(0, 1, (5, 20))
    slow = rate_forward(network, inputs, lif=LIF(refractory_period_s=0.02))
    assert all(rates.max() < 50 for rates in slow)


def test_network_of_another_activation_is_refused() -> None:
    stored = random_stored(12, False)
    with pytest.raises(StudyError, match="activation 'relu', expected 'soft_rate'"):
        convert(stored._replace(settings={**SETTINGS, "activation": "relu"}))


def test_diverged_network_converts_but_is_not_simulated() -> None:
    stored = random_stored(13, False)
    stored.weights[1][0, 0] = np.nan
    network = convert(stored)
    with pytest.raises(StudyError, match="layer 2: weights or biases are not finite"):
        simulate_network(np.zeros((1, 20), np.uint8), 16, network, SimulationSettings(), 0)


def test_networks_survive_storage_bit_for_bit(tmp_path) -> None:
    networks = {seed: convert(random_stored(seed, batch_norm=True)) for seed in (3, 1)}
    save_spiking(tmp_path / "spiking.npz", networks)
    loaded = load_spiking(tmp_path / "spiking.npz")
    assert sorted(loaded) == [1, 3]
    for seed, network in networks.items():
        for field in ("weights", "biases"):
            pairs = zip(getattr(loaded[seed], field), getattr(network, field), strict=True)
            assert all(np.array_equal(a, b) and a.dtype == b.dtype for a, b in pairs)
        assert loaded[seed].input_scale == network.input_scale
        assert loaded[seed].activation_scale == network.activation_scale


def test_equal_networks_give_equal_bytes(tmp_path) -> None:
    networks = {seed: convert(random_stored(seed, batch_norm=False)) for seed in (0, 1)}
    save_spiking(tmp_path / "a.npz", networks)
    save_spiking(tmp_path / "b.npz", dict(reversed(networks.items())))
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_files_that_are_no_networks_are_said(tmp_path) -> None:
    path = tmp_path / "spiking.npz"
    with pytest.raises(DataError, match="spiking network is missing"):
        load_spiking(path)
    save_spiking(path, {0: convert(random_stored(0, False))})
    whole = path.read_bytes()
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(DataError, match="not a spiking network"):
        load_spiking(path)
    np.savez(path, **{"0/weight1": np.zeros((2, 2))})
    with pytest.raises(DataError, match="not a spiking network"):
        load_spiking(path)
