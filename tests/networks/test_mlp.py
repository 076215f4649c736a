"""Initialisation, forward pass against torch modules, arrays."""

import math

import pytest
import torch
from torch import nn

from plausible.errors import ConfigError
from plausible.learning.settings import TrainingSettings
from plausible.networks.mlp import (
    clone_network,
    forward,
    forward_pass,
    init_network,
    layer_sizes,
    network_from_stored,
    network_to_arrays,
)
from plausible.networks.storage import load_networks, save_networks

torch.set_num_threads(1)
BASE = TrainingSettings(dtype="float64")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("init", "std"),
    [
        ("he_normal", math.sqrt(2)),
        ("thuesen_normal", 2.0),
        ("glorot_normal", math.sqrt(2 * 400 / 700)),
    ],
)
def test_normal_initialisation(init, std):
    network = init_network((400, 300, 10), BASE.changed(init=init), generator())
    weight = network.weights[0]
    # 120,000 draws: the standard error of the standard deviation is 0.2 %.
    assert float(weight.std()) == pytest.approx(std / 20.0, rel=0.01)
    assert abs(float(weight.mean())) < 0.001
    assert float((weight / weight.std()).pow(4).mean()) == pytest.approx(3.0, rel=0.05)
    assert not any(bias.any() for bias in network.biases)


def test_uniform_initialisation_is_that_of_torch_linear():
    network = init_network((400, 300, 10), BASE.changed(init="torch_default"), generator())
    reference = nn.Linear(400, 300)
    for ours, theirs in (
        (network.weights[0], reference.weight),
        (network.biases[0], reference.bias),
    ):
        bound = 1.0 / 20.0
        assert float(ours.abs().max()) <= bound
        assert float(theirs.detach().abs().max()) <= bound
        assert float(ours.std()) == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_he_initialisation_keeps_the_second_moment_over_ten_relu_layers():
    sizes = (512,) * 11
    network = init_network(sizes, BASE.changed(activation="relu"), generator(1))
    activity = torch.randn(256, 512, generator=generator(2), dtype=torch.float64)
    moments = []
    for layer in forward_pass(network, activity).layers[1:]:
        moments.append(float(layer.inputs.pow(2).mean()))
    # Each layer has mean square 1: half of the units carry twice the variance of the input.
    assert all(0.8 < moment < 1.2 for moment in moments)


def test_first_weight_scale_touches_the_first_matrix_only():
    plain = init_network((6, 5, 4), BASE, generator())
    scaled = init_network((6, 5, 4), BASE.changed(first_weight_scale=0.004), generator())
    torch.testing.assert_close(scaled.weights[0], 0.004 * plain.weights[0], rtol=1e-15, atol=0)
    assert torch.equal(scaled.weights[1], plain.weights[1])


def test_both_precisions_start_from_the_same_numbers():
    double = init_network((6, 5, 4), BASE, generator())
    single = init_network((6, 5, 4), BASE.changed(dtype="float32"), generator())
    assert torch.equal(double.weights[1].float(), single.weights[1])


def test_unknown_initialisation_is_refused():
    with pytest.raises(ConfigError, match="xavier"):
        init_network((3, 2), BASE.model_copy(update={"init": "xavier"}), generator())


@pytest.mark.parametrize("output", ["linear", "rate"])
@pytest.mark.parametrize("training", [True, False])
def test_forward_equals_torch_modules(output, training):
    settings = BASE.changed(activation="relu", batch_norm=True, output=output)
    network = init_network((7, 6, 5, 4), settings, generator())
    modules = []
    for layer, (weight, bias, norm) in enumerate(
        zip(network.weights, network.biases, network.batch_norms, strict=True)
    ):
        bias.normal_(generator=generator(layer))
        linear = nn.Linear(*weight.shape, dtype=torch.float64)
        linear.load_state_dict({"weight": weight.t(), "bias": bias})
        modules.append(linear)
        assert (norm is None) == (layer == 2 and output == "linear")
        if norm is not None:
            norm.gain.uniform_(0.5, 1.5, generator=generator(9))
            norm.shift.normal_(generator=generator(8))
            norm.running_mean.normal_(generator=generator(7))
            module = nn.BatchNorm1d(weight.shape[1], dtype=torch.float64)
            module.load_state_dict(
                {
                    "weight": norm.gain,
                    "bias": norm.shift,
                    "running_mean": norm.running_mean,
                    "running_var": norm.running_variance,
                }
            )
            modules += [module, nn.ReLU()]
    reference = nn.Sequential(*modules).train(training)
    inputs = torch.randn(9, 7, generator=generator(5), dtype=torch.float64)
    expected = reference(inputs).detach()
    torch.testing.assert_close(forward(network, inputs, training), expected, rtol=1e-12, atol=1e-13)
    record = forward_pass(network, inputs, batch_statistics=training)
    assert torch.equal(record.logits, forward(network, inputs, training))
    assert layer_sizes(network) == (7, 6, 5, 4)


def test_first_layer_sees_the_input_itself():
    network = init_network((3, 4), BASE, generator())
    inputs = torch.full((1, 3), -2.0, dtype=torch.float64)
    expected = inputs @ network.weights[0]
    torch.testing.assert_close(forward(network, inputs), expected, rtol=1e-14, atol=0)


def test_clone_is_independent():
    network = init_network((3, 2, 2), BASE.changed(batch_norm=True), generator())
    copy = clone_network(network)
    copy.weights[0].add_(1.0)
    copy.batch_norms[0].running_mean.add_(1.0)
    assert not torch.equal(copy.weights[0], network.weights[0])
    assert not torch.equal(copy.batch_norms[0].running_mean, network.batch_norms[0].running_mean)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_network_survives_storage(tmp_path, dtype):
    settings = BASE.changed(batch_norm=True, output="rate", dtype=dtype)
    network = init_network((6, 5, 4), settings, generator())
    network.batch_norms[0].running_mean.normal_(generator=generator(3))
    values = settings.model_dump()
    save_networks(tmp_path / "networks.npz", {4: network_to_arrays(network)}, values)
    restored = network_from_stored(load_networks(tmp_path / "networks.npz")[4])
    inputs = torch.rand(3, 6, generator=generator(1)).to(network.weights[0].dtype)
    assert torch.equal(forward(restored, inputs), forward(network, inputs))
    # The same order in memory makes the same product, to the last bit.
    assert [w.stride() for w in restored.weights] == [w.stride() for w in network.weights]
    assert restored.batch_norms[1].epsilon == network.batch_norms[1].epsilon
