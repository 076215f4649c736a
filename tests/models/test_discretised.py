"""Rounding and sigma-delta networks of torch models, and the choice of scales."""

import numpy as np
import pytest
import torch
from torch import nn

import plausible


def rounding_by_hand(model, frames, scales):
    """Outputs and additions by the definition, layer by layer, with torch."""
    activity, additions = torch.as_tensor(frames), 0.0
    linears = [module for module in model if isinstance(module, nn.Linear)]
    for linear, scale in zip(linears, scales, strict=True):
        sent = torch.round(activity * torch.as_tensor(scale))
        additions = additions + sent.abs().sum(1) * len(linear.weight) + len(linear.weight)
        activity = linear(sent / torch.as_tensor(scale))
        if linear is not linears[-1]:
            activity = activity.relu()
    return activity.detach().numpy(), additions.numpy()


@pytest.mark.parametrize(
    "scales", [(1.0, 2.0, 0.5), (np.linspace(1, 3, 64), 4.0, np.full(30, 2.0))]
)
def test_rounding_is_its_definition(relu_model, digits, scales):
    frames = digits[0][1500:1520]
    found = plausible.rounding(relu_model, frames, scales)
    outputs, additions = rounding_by_hand(relu_model, frames, scales)
    assert np.allclose(found.outputs, outputs, rtol=1e-11, atol=1e-11)
    assert np.array_equal(found.additions, additions)
    coarser = plausible.rounding(relu_model, frames, (0.5, 0.5, 0.5))
    assert np.abs(coarser.outputs - outputs).max() > 0.1


def test_one_scale_for_all_layers(relu_model, digits):
    frames = digits[0][1500:1503].astype(np.float32)
    one = plausible.rounding(relu_model, frames, 3.0)
    assert np.array_equal(
        one.additions, plausible.rounding(relu_model, frames, [3.0] * 3).additions
    )
    assert one.outputs.dtype == np.float32


def test_fine_scales_give_the_model(normed_model, digits):
    frames = torch.from_numpy(digits[0][1500:1520])
    expected = normed_model(frames).detach()
    apart = [
        float((plausible.rounding(normed_model, frames, [k] * 3).outputs - expected).abs().max())
        for k in (4.0, 400.0, 40000.0)
    ]
    assert apart[0] > 1e-2 and apart[2] < apart[1] / 20 < apart[0] / 400


def test_sigma_delta_is_rounding_at_the_price_of_changes(relu_model, digits):
    """Equal outputs; nothing to pay for a frame that repeats the one before."""
    frames = np.repeat(digits[0][1500:1505], 4, axis=0)
    scales = (2.0, 3.0, 1.5)
    sent = plausible.rounding(relu_model, frames, scales)
    changes = plausible.sigma_delta(relu_model, frames, scales)
    assert np.allclose(changes.outputs, sent.outputs, rtol=1e-12, atol=1e-12)
    repeated = np.arange(20) % 4 != 0
    assert np.all(changes.additions[repeated] == 0) and np.all(changes.additions[~repeated] > 0)
    assert np.all(sent.additions[repeated] > 0)
    assert changes.additions[0] == sent.additions[0] - 80  # biases are in the sums already
    assert changes.messages[0].dtype == np.int64


def test_a_stream_may_come_in_pieces(relu_model, digits):
    frames = digits[0][1500:1510]
    whole = plausible.sigma_delta(relu_model, frames, (2.0, 2.0, 2.0))
    first = plausible.sigma_delta(relu_model, frames[:4], (2.0, 2.0, 2.0))
    rest = plausible.sigma_delta(relu_model, frames[4:], (2.0, 2.0, 2.0), state=first.state)
    assert np.array_equal(rest.additions, whole.additions[4:])
    with pytest.raises(plausible.ModelError, match="other scales or layers"):
        plausible.sigma_delta(relu_model, frames[4:], (2.0, 2.0, 1.0), state=first.state)
    anew = plausible.sigma_delta(relu_model, frames[4:], (2.0, 2.0, 2.0))
    assert not np.array_equal(anew.additions, whole.additions[4:])


def test_scales_trade_error_for_additions(relu_model, digits):
    """A smaller trade-off: finer scales, more additions, outputs nearer to the model's."""
    frames = digits[0][:500]
    choices = plausible.optimise_scales(relu_model, frames, [1e-3, 1e-5, 1e-7])
    exact = torch.log_softmax(relu_model(torch.from_numpy(frames)), 1).detach()
    additions, errors = [], []
    for choice, trade_off in zip(choices, (1e-3, 1e-5, 1e-7), strict=True):
        assert choice.trade_off == trade_off and len(choice.scales) == 3
        found = plausible.rounding(relu_model, torch.from_numpy(frames), choice.scales)
        said = torch.log_softmax(found.outputs, 1)
        additions.append(float(found.additions.mean()) - 80)
        errors.append(float((said.exp() * (said - exact)).sum(1).mean()))
        assert choice.additions == pytest.approx(additions[-1], rel=0.15)
    assert additions[0] < additions[1] < additions[2] and errors[0] > errors[1] > errors[2]
    assert choices[1].error == pytest.approx(errors[1], rel=0.3)


def test_scales_of_every_input(relu_model, digits):
    (choice,) = plausible.optimise_scales(
        relu_model, digits[0][:100], [1e-5], unitwise=True, error="l2", epochs=2, learning_rate=1e-3
    )
    assert [scales.shape for scales in choice.scales] == [(64,), (40,), (30,)]


def with_activation(activation):
    return nn.Sequential(nn.Linear(64, 2), activation, nn.Linear(2, 2))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda m, x: plausible.rounding(m, x[:, 1:]), ["frames", "[20, 63]", "[n, 64]"]),
        (lambda m, x: plausible.rounding(m, x, [1.0, np.ones(3), 1.0]), ["[3]", "[40]"]),
        (lambda m, x: plausible.rounding(m, x, np.array([3.0, 4.0])), ["scales: found 2", "3 lay"]),
        (lambda m, x: plausible.rounding(m, x, [1.0, -1.0, 1.0]), ["layer 2", "above 0"]),
        (lambda m, x: plausible.sigma_delta(m, x, state=3), ["state", "begin a stream"]),
        (lambda m, x: plausible.optimise_scales(m, x, []), ["trade_offs: found none"]),
        (lambda m, x: plausible.optimise_scales(m, x, [-1.0]), ["trade_offs: found -1"]),
        (lambda m, x: plausible.optimise_scales(m, x, 1e-3, error="l1"), ["error: found 'l1'"]),
        (lambda m, x: plausible.sigma_delta(with_activation(nn.Sigmoid()), x), ["ReLU, Tanh"]),
        (lambda m, x: plausible.optimise_scales(with_activation(nn.Tanh()), x, [1e-3]), ["Tanh"]),
        (lambda m, x: plausible.optimise_scales(m, x, [1e-2], learning_rate=50.0), ["below 50"]),
    ],
)  # fmt: skip
def test_what_does_not_fit(function, words, relu_model, digits, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        function(relu_model, digits[0][1500:1520])
    sentence(caught, *words)
