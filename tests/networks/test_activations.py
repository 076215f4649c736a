"""Activations: values, derivatives against autograd, names."""

from types import SimpleNamespace

import pytest
import torch

from plausible.errors import ConfigError
from plausible.networks.activations import make_activation

torch.set_num_threads(1)


def settings(name: str) -> SimpleNamespace:
    return SimpleNamespace(
        activation=name, activation_scale=0.05, softplus_gamma=0.05, rate_offset=0.0
    )


@pytest.mark.parametrize("name", ["relu", "soft_rate", "sigmoid", "tanh", "identity"])
def test_derivative_is_that_of_the_value(name):
    activation = make_activation(settings(name))
    generator = torch.Generator().manual_seed(1)
    z = 3.0 * torch.randn(40, 7, generator=generator, dtype=torch.float64)
    step = 1e-6
    slope = (activation.value(z + step) - activation.value(z - step)) / (2 * step)
    torch.testing.assert_close(activation.derivative(z), slope, rtol=1e-6, atol=1e-8)
    value, derivative = activation.value_and_derivative(z)
    assert torch.equal(value, activation.value(z))
    assert torch.equal(derivative, activation.derivative(z))


def test_soft_rate_is_scaled():
    activation = make_activation(settings("soft_rate"))
    # r(10) = 163.7 Hz, times 0.05: the end of the curve in the thesis's Fig. 2c.
    assert float(activation.value(torch.tensor([10.0]))) == pytest.approx(8.19, abs=0.005)


def test_relu_closed_form():
    activation = make_activation(settings("relu"))
    z = torch.tensor([-2.0, 0.0, 3.0])
    assert activation.value(z).tolist() == [0.0, 0.0, 3.0]
    assert activation.derivative(z).tolist() == [0.0, 0.0, 1.0]


def test_identity_does_not_share_memory():
    z = torch.ones(2)
    make_activation(settings("identity")).value(z).mul_(5.0)
    assert z.tolist() == [1.0, 1.0]


def test_unknown_name_is_refused():
    with pytest.raises(ConfigError, match="'swish'.*relu"):
        make_activation(settings("swish"))
