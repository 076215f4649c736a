"""Networks over time: states against loops, gradients against differences and autograd."""

from types import SimpleNamespace

import pytest
import torch

from plausible.errors import ConfigError
from plausible.learning.bptt import backprop_through_time, convolution_gradients
from plausible.networks.activations import make_activation
from plausible.networks.recurrent import (
    Recurrent,
    TemporalConvolution,
    as_convolution,
    convolve,
    unroll,
)

STEPS, BATCH, FEATURES, UNITS = 7, 3, 4, 5


def normal(seed: int, *shape: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return 0.6 * torch.randn(*shape, generator=generator, dtype=torch.float64)


def recurrent(activation: str = "tanh") -> Recurrent:
    return Recurrent(
        normal(1, FEATURES, UNITS),
        normal(2, UNITS, UNITS),
        normal(3, UNITS),
        make_activation(SimpleNamespace(activation=activation)),
    )


INPUTS, START = normal(4, STEPS, BATCH, FEATURES), normal(5, BATCH, UNITS)
ERRORS = normal(6, STEPS, BATCH, UNITS)


def loss(network: Recurrent, inputs: torch.Tensor, start: torch.Tensor) -> torch.Tensor:
    """A loss with the given errors: the weighted sum of all states."""
    return (unroll(network, inputs, start).states[1:] * ERRORS).sum()


def test_states_by_loop() -> None:
    network = recurrent()
    states = unroll(network, INPUTS, START).states
    assert torch.equal(states[0], START)
    for sample in range(BATCH):
        state = START[sample]
        for step in range(STEPS):
            drive = network.biases.clone()
            for unit in range(UNITS):
                drive[unit] += (network.input_weights[:, unit] * INPUTS[step, sample]).sum()
                drive[unit] += (network.state_weights[:, unit] * state).sum()
            state = torch.tanh(drive)
            assert torch.allclose(states[step + 1, sample], state, rtol=0, atol=1e-14)
    assert torch.equal(unroll(network, INPUTS).states[0], torch.zeros_like(START))


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "identity"])
def test_gradients_against_autograd(activation) -> None:
    network = recurrent(activation)
    leaves = [value.clone().requires_grad_() for value in (*network[:3], START)]
    loss(
        network._replace(**dict(zip(network._fields[:3], leaves, strict=False))), INPUTS, leaves[3]
    ).backward()
    ours = backprop_through_time(network, unroll(network, INPUTS, START), ERRORS)
    for gradient, leaf in zip(ours, leaves, strict=True):
        assert torch.allclose(gradient, leaf.grad, rtol=0, atol=1e-12)


def test_gradients_against_finite_differences() -> None:
    network = recurrent()
    ours = backprop_through_time(network, unroll(network, INPUTS, START), ERRORS)
    for name, gradient in zip(network._fields[:3], ours[:3], strict=True):
        value = getattr(network, name)
        for entry in range(value.numel()):
            shifted = []
            for step in (1e-5, -1e-5):
                moved = value.clone()
                moved.view(-1)[entry] += step
                shifted.append(float(loss(network._replace(**{name: moved}), INPUTS, START)))
            slope = (shifted[0] - shifted[1]) / 2e-5
            assert slope == pytest.approx(float(gradient.view(-1)[entry]), abs=1e-6)


@pytest.mark.parametrize("window", [1, 2, 3, 7, 20])
def test_truncation_is_a_detached_state(window) -> None:
    network = recurrent()
    leaves = [value.clone().requires_grad_() for value in (*network[:3], START)]
    learner = network._replace(**dict(zip(network._fields[:3], leaves, strict=False)))
    state, total = leaves[3], 0.0
    for first in range(0, STEPS, window):
        part = slice(first, min(first + window, STEPS))
        record = unroll(learner, INPUTS[part], state)
        total = total + (record.states[1:] * ERRORS[part]).sum()
        state = record.states[-1].detach()
    total.backward()
    record = unroll(network, INPUTS, START)
    ours = backprop_through_time(network, record, ERRORS, window)
    for gradient, leaf in zip(ours, leaves, strict=True):
        assert torch.allclose(gradient, leaf.grad, rtol=0, atol=1e-12)
    exact = backprop_through_time(network, record, ERRORS)
    same = torch.allclose(ours.state_weights, exact.state_weights, rtol=0, atol=1e-9)
    assert same == (window >= STEPS)


def convolution(taps: int, activation: str = "sigmoid") -> TemporalConvolution:
    return TemporalConvolution(
        normal(7, taps, FEATURES, UNITS),
        normal(8, UNITS),
        make_activation(SimpleNamespace(activation=activation)),
    )


@pytest.mark.parametrize("taps", [1, 3, 7, 9])
def test_convolution_against_torch(taps) -> None:
    network = convolution(taps)
    weights, biases = (value.clone().requires_grad_() for value in network[:2])
    padded = torch.nn.functional.pad(INPUTS.permute(1, 2, 0), (taps - 1, 0))
    # conv1d does not flip its kernel: the last tap meets the present input.
    kernel = weights.flip(0).permute(2, 1, 0)
    states = torch.sigmoid(torch.nn.functional.conv1d(padded, kernel, biases)).permute(2, 0, 1)
    assert torch.allclose(convolve(network, INPUTS), states, rtol=0, atol=1e-13)
    (states * ERRORS).sum().backward()
    ours = convolution_gradients(network, INPUTS, ERRORS)
    assert torch.allclose(ours[0], weights.grad, rtol=0, atol=1e-12)
    assert torch.allclose(ours[1], biases.grad, rtol=0, atol=1e-12)


def test_linear_recurrence_is_a_convolution() -> None:
    network = recurrent("identity")._replace(biases=torch.zeros(UNITS, dtype=torch.float64))
    states = unroll(network, INPUTS).states[1:]
    whole = convolve(as_convolution(network, STEPS), INPUTS)
    assert torch.allclose(whole, states, rtol=0, atol=1e-12)
    short = convolve(as_convolution(network, 3), INPUTS)
    assert torch.allclose(short[:3], states[:3], rtol=0, atol=1e-12)
    assert not torch.allclose(short[3:], states[3:], rtol=0, atol=1e-3)


def test_impossible_arguments() -> None:
    network = recurrent()
    with pytest.raises(ConfigError, match="one step or more"):
        unroll(network, INPUTS[:0])
    with pytest.raises(ConfigError, match=r"\[steps, batch, 4\]"):
        unroll(network, INPUTS[..., :3])
    record = unroll(network, INPUTS)
    with pytest.raises(ConfigError, match="as the states have it"):
        backprop_through_time(network, record, ERRORS[1:])
    with pytest.raises(ConfigError, match="window is 0"):
        backprop_through_time(network, record, ERRORS, 0)
