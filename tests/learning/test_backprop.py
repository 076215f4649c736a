"""The explicit recursion against autograd, and per-sample squares against a loop."""

import pytest
import torch

from plausible.learning.backprop import backward, collect, cross_entropy, gradients
from plausible.networks.mlp import forward_pass

CASES = {
    "relu": {"activation": "relu"},
    "soft_rate": {},
    "soft_rate_with_offset": {"rate_offset": 1e-12},
    "sigmoid": {"activation": "sigmoid"},
    "batch_norm": {"batch_norm": True},
    "batch_norm_without_affine": {"batch_norm": True, "batch_norm_affine": False},
    "rate_output": {"batch_norm": True, "output": "rate"},
    "rate_output_without_batch_norm": {"output": "rate"},
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("batch_statistics", [True, False])
def test_gradients_equal_autograd(make_problem, autograd, case, batch_statistics):
    network, inputs, one_hot, _ = make_problem(**CASES[case])
    loss, found = gradients(network, inputs, one_hot, batch_statistics)
    expected_loss, expected = autograd(network, inputs, one_hot, batch_statistics)
    assert float(loss) == pytest.approx(float(expected_loss), rel=1e-13)
    for name, group in expected.items():
        for ours, theirs in zip(getattr(found, name), group, strict=True):
            if theirs is None:
                assert ours is None
                continue
            # Biases below batch statistics have gradient zero: autograd leaves rounding noise.
            torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-14)


def test_gradients_with_dropout_masks_equal_autograd(make_problem, autograd):
    network, inputs, one_hot, _ = make_problem(batch_norm=True)
    generator = torch.Generator().manual_seed(2)
    masks = tuple(
        (torch.rand(len(inputs), len(bias), generator=generator) < 0.6).double() / 0.6
        for bias in network.biases[:-1]
    )
    _, found = gradients(network, inputs, one_hot, masks=masks)
    _, expected = autograd(network, inputs, one_hot, True, masks)
    _, without = gradients(network, inputs, one_hot)
    for layer in range(3):
        torch.testing.assert_close(
            found.weights[layer], expected["weights"][layer], rtol=1e-10, atol=1e-15
        )
        assert not torch.allclose(found.weights[layer], without.weights[layer], rtol=1e-3)


def test_no_hidden_layer(make_problem):
    network, inputs, one_hot, _ = make_problem(sizes=(13, 5))
    _, found = gradients(network, inputs, one_hot)
    residual = torch.softmax(inputs @ network.weights[0] + network.biases[0], 1) - one_hot
    expected = inputs.t() @ residual / len(inputs)
    torch.testing.assert_close(found.weights[0], expected, rtol=1e-12, atol=1e-16)


def test_cross_entropy_survives_huge_logits():
    logits = torch.tensor([[1e4, 0.0], [0.0, -1e4]], dtype=torch.float64)
    one_hot = torch.tensor([[0.0, 1.0], [1.0, 0.0]], dtype=torch.float64)
    loss, error = cross_entropy(logits, one_hot)
    assert float(loss) == 5e3
    assert error.tolist() == [[1.0, -1.0], [0.0, 0.0]]


def test_per_sample_squares_equal_a_loop_over_samples(make_problem, autograd):
    network, inputs, one_hot, _ = make_problem()
    record = forward_pass(network, inputs)
    _, error = cross_entropy(record.logits, one_hot)
    squares = collect(network, backward(network, record, error), squares=True)
    for name in ("weights", "biases"):
        for layer in range(3):
            total = 0.0
            for sample in range(len(inputs)):
                one = slice(sample, sample + 1)
                _, alone = autograd(network, inputs[one], one_hot[one], True)
                total = total + alone[name][layer] ** 2
            torch.testing.assert_close(
                getattr(squares, name)[layer], total / len(inputs), rtol=1e-10, atol=1e-18
            )


def test_per_sample_squares_of_batch_norm_parameters(make_problem):
    network, inputs, one_hot, _ = make_problem(batch_norm=True)
    record = forward_pass(network, inputs)
    _, error = cross_entropy(record.logits, one_hot)
    squares = collect(network, backward(network, record, error), squares=True)
    # Derivative of each sample's loss by the output of the last batch norm, by the chain rule.
    below_logits = error @ network.weights[2].t() * record.layers[1].slope
    values = record.layers[1].normalised.values
    expected = torch.stack([(e * n) ** 2 for e, n in zip(below_logits, values, strict=True)])
    torch.testing.assert_close(squares.gains[1], expected.mean(0), rtol=1e-12, atol=0)
    torch.testing.assert_close(squares.shifts[1], (below_logits**2).mean(0), rtol=1e-12, atol=0)


def test_nothing_is_changed(make_problem):
    network, inputs, one_hot, _ = make_problem(batch_norm=True)
    before = [each.clone() for each in (*network.weights, network.batch_norms[0].running_mean)]
    gradients(network, inputs, one_hot)
    after = (*network.weights, network.batch_norms[0].running_mean)
    assert all(torch.equal(a, b) for a, b in zip(before, after, strict=True))
