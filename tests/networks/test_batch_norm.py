"""Batch normalisation against torch.nn.functional.batch_norm and autograd."""

import pytest
import torch
from torch.nn.functional import batch_norm

from plausible.networks.batch_norm import BatchNorm, init_batch_norm, normalise, propagate

torch.set_num_threads(1)


def example(affine: bool = True, new_weight: float = 0.1) -> tuple[BatchNorm, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    norm = init_batch_norm(5, 1e-5, new_weight, affine, torch.float64)
    if affine:
        norm.gain.copy_(torch.rand(5, generator=generator, dtype=torch.float64) + 0.5)
        norm.shift.copy_(torch.randn(5, generator=generator, dtype=torch.float64))
    norm.running_mean.copy_(torch.randn(5, generator=generator, dtype=torch.float64))
    norm.running_variance.copy_(torch.rand(5, generator=generator, dtype=torch.float64) + 0.1)
    return norm, 2.0 * torch.randn(11, 5, generator=generator, dtype=torch.float64) - 1.0


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_output_and_moving_averages_equal_torch(affine, training):
    norm, z = example(affine)
    mean, variance = norm.running_mean.clone(), norm.running_variance.clone()
    expected = batch_norm(z, mean, variance, norm.gain, norm.shift, training, 0.1, 1e-5)
    output, _ = normalise(norm, z, training, update_running=True)
    torch.testing.assert_close(output, expected, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(norm.running_mean, mean, rtol=1e-13, atol=0)
    torch.testing.assert_close(norm.running_variance, variance, rtol=1e-13, atol=0)


def test_moving_averages_of_equation_32_weigh_the_new_batch_by_nine_tenths():
    norm, z = example(new_weight=0.9)
    mean, variance = norm.running_mean.clone(), norm.running_variance.clone()
    normalise(norm, z, batch_statistics=True, update_running=True)
    expected = 0.1 * mean + 0.9 * z.mean(0)
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-13, atol=0)
    expected = 0.1 * variance + 0.9 * z.var(0, correction=1)
    torch.testing.assert_close(norm.running_variance, expected, rtol=1e-13, atol=0)


def test_moving_averages_change_only_on_request():
    norm, z = example()
    before = norm.running_mean.clone(), norm.running_variance.clone()
    normalise(norm, z, batch_statistics=True)
    normalise(norm, z, batch_statistics=False, update_running=True)
    assert torch.equal(before[0], norm.running_mean)
    assert torch.equal(before[1], norm.running_variance)


@pytest.mark.parametrize("affine", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_derivative_equals_autograd(affine, training):
    norm, z = example(affine)
    upstream = torch.randn(z.shape, generator=torch.Generator().manual_seed(4)).double()
    leaf = z.clone().requires_grad_()
    output = batch_norm(
        leaf,
        norm.running_mean.clone(),
        norm.running_variance.clone(),
        norm.gain,
        norm.shift,
        training,
        0.1,
        1e-5,
    )
    (expected,) = torch.autograd.grad(output, leaf, upstream)
    _, record = normalise(norm, z, training)
    torch.testing.assert_close(propagate(norm, record, upstream), expected, rtol=1e-11, atol=1e-13)


def test_a_batch_of_one_sample_is_left_out_of_the_moving_averages():
    norm, z = example()
    mean, variance = norm.running_mean.clone(), norm.running_variance.clone()
    output, record = normalise(norm, z[:1], batch_statistics=True, update_running=True)
    torch.testing.assert_close(output, norm.shift[None], rtol=0, atol=0)
    assert torch.isfinite(propagate(norm, record, torch.ones_like(output))).all()
    assert torch.equal(norm.running_mean, mean) and torch.equal(norm.running_variance, variance)
    normalise(norm, z[:2], batch_statistics=True, update_running=True)
    expected = 0.9 * variance + 0.1 * z[:2].var(0, correction=1)
    torch.testing.assert_close(norm.running_variance, expected, rtol=1e-13, atol=0)
