"""Encoders against their definitions."""

import numpy as np
import pytest
import torch

import plausible


def test_herding_keeps_the_running_sum_to_half_a_spike():
    values = np.random.default_rng(0).normal(0.0, 1.3, (200, 3, 4))
    train = plausible.quantize(values)
    rest = np.cumsum(values, axis=0) - np.cumsum(train.spikes, axis=0)
    assert np.abs(rest).max() <= 0.5 + 1e-12 and train.spikes.dtype == np.int64
    assert np.allclose(train.potential, rest[-1])
    # Rounding each value by itself, the obvious wrong way, does not.
    assert np.abs(np.cumsum(values - np.rint(values), axis=0)).max() > 1.0


def test_rectified_spikes_are_positive_and_tell_the_rectified_mean():
    vector = torch.tensor([0.3, -0.7, 2.6])
    train = plausible.quantize(vector, steps=1000, rectified=True)
    assert int(train.spikes.min()) >= 0
    assert torch.allclose(train.spikes.float().mean(0), torch.relu(vector), atol=6e-4)
    assert train.potential.dtype == torch.float32


def test_pieces_of_a_stream():
    values = np.random.default_rng(1).normal(size=(50, 2))
    whole, first = plausible.quantize(values), plausible.quantize(values[:20])
    rest = plausible.quantize(values[20:], potential=first.potential)
    assert np.array_equal(np.concatenate([first.spikes, rest.spikes]), whole.spikes)


def test_poisson_counts_have_the_mean_and_variance_of_their_rate():
    rates = np.array([0.0, 50.0, 2000.0])
    counts = plausible.poisson_spikes(rates, 20_000.0, seed=3)
    assert counts.shape == (20_000, 3) and counts[:, 0].sum() == 0
    for rate, train in zip(rates[1:] * 1e-3, counts.T[1:], strict=True):
        assert train.mean() == pytest.approx(rate, abs=5 * np.sqrt(rate / 20_000))
        assert train.var() == pytest.approx(rate, rel=0.1)
    again = plausible.poisson_spikes(torch.from_numpy(rates), 20_000.0, seed=3)
    assert np.array_equal(again.numpy(), counts)


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda: plausible.quantize(np.float64(0.3)), ["no stream"]),
        (lambda: plausible.quantize(np.ones(2), steps=0), ["steps: found 0"]),
        (lambda: plausible.quantize([np.inf]), ["not finite"]),
        (lambda: plausible.quantize(np.ones((3, 2)), potential=np.ones(3)), ["[3]", "[2]"]),
        (lambda: plausible.poisson_spikes([-1.0], 10.0), ["-1", "from 0"]),
        (lambda: plausible.quantize([1e30]), ["half is lost"]),
        (lambda: plausible.poisson_spikes([1.0], 10.0, dt_ms=20.0), ["dt_ms, which is 20"]),
        (lambda: plausible.poisson_spikes([1.0], 10.5), ["multiple of dt_ms"]),
        (lambda: plausible.poisson_spikes([1e22], 10.0), ["1e+22"]),
        (lambda: plausible.poisson_spikes([1.0], 10.0, seed=1.5), ["seed: found 1.5"]),
    ],
)
def test_what_does_not_fit(function, words, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        function()
    sentence(caught, *words)
