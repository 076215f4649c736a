"""Optimisation of scales: gradients against autograd, the stacked form, resume, convolutions."""

import logging
import math
from functools import partial

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, conv_transpose2d

from plausible.errors import ConfigError
from plausible.learning.scale_optimisation import (
    LinearMap,
    ScaleSettings,
    dense_maps,
    initial_log_scales,
    optimise_scales,
    original_outputs,
    scale_gradients,
)
from plausible.networks.sigma_delta import dense_network, evaluate, run

torch.set_num_threads(1)
SIZES = (12, 9, 8, 5)
SETTINGS = ScaleSettings(lambdas=(1e-4, 1e-3, 1e-2), epochs=2, batch_size=6, learning_rate=0.05)


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def parameters(seed: int = 1, sizes=SIZES, dtype=torch.float64):
    draw = partial(torch.randn, generator=generator(seed), dtype=torch.float64)
    pairs = zip(sizes[:-1], sizes[1:], strict=True)
    weights = [draw(b, a).t().mul(0.6).to(dtype) for a, b in pairs]
    return weights, [draw(b).mul(0.3).to(dtype) for b in sizes[1:]]


def frames(count: int = 20, seed: int = 2, dtype=torch.float64) -> torch.Tensor:
    return torch.randn(count, SIZES[0], generator=generator(seed), dtype=torch.float64).to(dtype)


class Straight(torch.autograd.Function):
    """Rounding whose derivative is 1."""

    @staticmethod
    def forward(context, values):
        return values.round()

    @staticmethod
    def backward(context, gradient):
        return gradient


def by_autograd(weights, biases, log_scales, inputs, settings, output, noise=None):
    """Gradients of every lambda by autograd through the printed loss, one lambda at a time."""

    def forward(activity, log_scale=None):
        computation = 0.0
        for layer, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
            if log_scale is not None:
                k = torch.exp(log_scale[layer])
                # Its own layer only: the input counts as constant.
                sent = activity if settings.higher_layers else activity.detach()
                magnitude = (k * sent).abs().sum(dim=1)
                computation = computation + len(bias) * magnitude
                if noise is None:
                    activity = Straight.apply(k * activity) / k
                else:
                    activity = (k * activity + noise[layer]) / k
            activity = activity @ weight + bias
            if layer < len(weights) - 1 or output == "relu":
                activity = torch.relu(activity)
        return activity, computation

    true, _ = forward(inputs)
    found = []
    for index, weight in enumerate(settings.lambdas):
        leaves = [each[index].clone().requires_grad_() for each in log_scales]
        outputs, computation = forward(inputs, leaves)
        if settings.error == "kl":
            error = torch.nn.functional.kl_div(
                torch.log_softmax(true, 1),
                torch.log_softmax(outputs, 1),
                reduction="batchmean",
                log_target=True,
            )
        elif output == "softmax":
            error = (torch.softmax(outputs, 1) - torch.softmax(true, 1)).pow(2).sum(1).mean()
        else:
            error = (outputs - true).pow(2).sum(1).mean()
        price = computation.sum() if settings.computation == "sum" else computation.mean()
        gradients = torch.autograd.grad(error + weight * price, leaves)
        found.append((gradients, error.item(), computation.mean().item()))
    return found


@pytest.mark.parametrize("unitwise", [False, True])
@pytest.mark.parametrize("computation", ["sum", "mean"])
@pytest.mark.parametrize("quantizer", ["rounding", "noise"])
@pytest.mark.parametrize("higher_layers", [False, True])
@pytest.mark.parametrize(
    ("error", "output"), [("kl", "softmax"), ("l2", "relu"), ("l2", "softmax"), ("l2", "identity")]
)
def test_gradients_are_those_of_autograd(
    unitwise, computation, quantizer, higher_layers, error, output
):
    weights, biases = parameters()
    settings = SETTINGS._replace(
        unitwise=unitwise,
        computation=computation,
        quantizer=quantizer,
        higher_layers=higher_layers,
        error=error,
    )
    maps, inputs = dense_maps(weights, biases, output=output), frames()
    log_scales = tuple(
        each + 0.5 * torch.randn(each.shape, generator=generator(3), dtype=each.dtype)
        for each in initial_log_scales(maps, inputs, settings)
    )
    targets = original_outputs(maps, inputs, error)
    found = scale_gradients(maps, log_scales, inputs, targets, settings, generator(4))
    source = generator(4)
    noise = [
        torch.rand(len(inputs), size, generator=source, dtype=torch.float64) - 0.5
        for size in SIZES[:-1]
    ]
    expected = by_autograd(
        weights,
        biases,
        log_scales,
        inputs,
        settings,
        output,
        noise if quantizer == "noise" else None,
    )
    for index, (gradients, error_value, computation_value) in enumerate(expected):
        for ours, theirs in zip(found.log_scales, gradients, strict=True):
            assert torch.allclose(ours[index], theirs, rtol=1e-10, atol=1e-12)
        assert float(found.error[index]) == pytest.approx(error_value, rel=1e-10, abs=1e-14)
        assert float(found.computation[index]) == pytest.approx(computation_value, rel=1e-12)


def test_gradient_of_noise_is_the_slope_of_the_loss():
    """Without rounding the gradient is exact, so that finite differences can see it."""
    weights, biases = parameters()
    settings = SETTINGS._replace(lambdas=(0.0,), quantizer="noise")
    maps, inputs = dense_maps(weights, biases), frames()
    log_scales = initial_log_scales(maps, inputs, settings)
    targets = original_outputs(maps, inputs, "kl")

    def error(layer: int, shift: float) -> float:
        moved = [each.clone() for each in log_scales]
        moved[layer] += shift
        return float(scale_gradients(maps, moved, inputs, targets, settings, generator(4)).error)

    found = scale_gradients(maps, log_scales, inputs, targets, settings, generator(4))
    for layer in range(3):
        slope = (error(layer, 1e-5) - error(layer, -1e-5)) / 2e-5
        assert float(found.log_scales[layer]) == pytest.approx(slope, rel=1e-5)


def test_default_lambdas_are_the_published_ones():
    published = [
        1e-10,
        3.59e-10,
        1.29e-9,
        4.64e-9,
        1.67e-8,
        5.99e-8,
        2.15e-7,
        7.74e-7,
        2.78e-6,
        1e-5,
    ]
    assert ScaleSettings().lambdas == pytest.approx(published, rel=3e-3)


@pytest.mark.parametrize("unitwise", [False, True])
def test_optimisation_is_plain_gradient_descent_in_file_order(unitwise):
    weights, biases = parameters()
    settings = SETTINGS._replace(unitwise=unitwise)
    inputs = frames(20)  # batches of 6, 6, 6 and 2
    history = optimise_scales(dense_maps(weights, biases), inputs, settings)
    log_scales = [
        torch.zeros(3, 1, size if unitwise else 1, dtype=torch.float64) for size in SIZES[:-1]
    ]
    for _ in range(2):
        for begin in range(0, 20, 6):
            rows = inputs[begin : begin + 6]
            expected = by_autograd(weights, biases, log_scales, rows, settings, "softmax")
            for index, (gradients, _, _) in enumerate(expected):
                for log_scale, gradient in zip(log_scales, gradients, strict=True):
                    log_scale[index] -= 0.05 * gradient
    assert history.epoch.tolist() == [0.0, 0.5, 1.0, 1.5, 2.0]
    for ours, theirs in zip(history.scales, log_scales, strict=True):
        assert ours.shape == ((5, 3, theirs.shape[2]) if unitwise else (5, 3))
        assert np.allclose(ours[-1].reshape(3, -1), theirs.exp()[:, 0].numpy(), rtol=1e-10)
        assert (ours[0] == 1.0).all()


def test_recorded_terms_are_means_since_the_last_record():
    maps, inputs = dense_maps(*parameters()), frames(18)
    settings = SETTINGS._replace(learning_rate=1e-12, epochs=2, record_every_epochs=1.0)
    history = optimise_scales(maps, inputs, settings)
    targets = original_outputs(maps, inputs, "kl")
    found = scale_gradients(
        maps, initial_log_scales(maps, inputs, settings), inputs, targets, settings
    )
    assert np.isnan(history.error[0]).all() and np.isnan(history.computation[0]).all()
    assert np.allclose(history.error[1:], found.error.numpy(), rtol=1e-6)
    assert np.allclose(history.computation[1:], found.computation.numpy(), rtol=1e-6)


@pytest.mark.parametrize("quantizer", ["rounding", "noise"])
def test_a_lambda_does_not_depend_on_the_others(quantizer):
    maps, inputs = dense_maps(*parameters()), frames(60)
    settings = SETTINGS._replace(quantizer=quantizer)
    together = optimise_scales(maps, inputs, settings, generator(6))
    for index, weight in enumerate(settings.lambdas):
        alone = optimise_scales(maps, inputs, settings._replace(lambdas=(weight,)), generator(6))
        for ours, theirs in zip(together.scales, alone.scales, strict=True):
            assert np.allclose(ours[:, index], theirs[:, 0], rtol=1e-10)


def test_the_optimised_network_is_the_rounding_network():
    weights, biases = parameters()
    maps, inputs = dense_maps(weights, biases), frames(50)
    settings = SETTINGS._replace(lambdas=(0.0,), initial_scale=2.5)
    log_scales = initial_log_scales(maps, inputs, settings)
    targets = original_outputs(maps, inputs, "kl")
    found = scale_gradients(maps, log_scales, inputs, targets, settings)
    layers = dense_network([each.numpy() for each in weights], [each.numpy() for each in biases])
    rounding = run(layers, inputs.numpy(), "rounding", [2.5] * 3).outputs
    true = run(layers, inputs.numpy(), "original").outputs
    divergence = (rounding * (np.log(rounding) - np.log(true))).sum(axis=1).mean()
    assert float(found.error) == pytest.approx(divergence, rel=1e-10)
    assert np.allclose(targets.exp().numpy(), true, rtol=1e-10)


def test_loss_falls_and_a_larger_lambda_ends_with_less_computation_and_more_error():
    weights, biases = parameters()
    inputs = frames(300)
    settings = ScaleSettings(
        lambdas=(1e-5, 1e-4, 1e-3), computation="mean", learning_rate=0.05, epochs=12
    )
    history = optimise_scales(dense_maps(weights, biases), inputs, settings)
    loss = history.error + np.array(settings.lambdas) * history.computation
    assert (loss[-1] < loss[1]).all()
    assert not history.diverged.any()
    layers = dense_network([each.numpy() for each in weights], [each.numpy() for each in biases])
    operations = [
        evaluate(
            layers, inputs.numpy(), "rounding", [float(k[-1, index]) for k in history.scales]
        ).event_additions.sum()
        for index in range(3)
    ]
    assert operations[0] > operations[1] > operations[2]
    assert history.error[-1][0] < history.error[-1][1] < history.error[-1][2]


def test_optimised_scales_undo_a_badly_scaled_network():
    """Figure 4.2 in small: the function is unchanged by the factors, the best scales are not."""
    draw = partial(torch.randn, generator=generator(5), dtype=torch.float64)
    factors = (0.5, 8.0, 0.25)
    weights = [draw(30, 30).t() * math.sqrt(2 / 30) * factor for factor in factors]
    settings = ScaleSettings(
        lambdas=(1e-3,), error="l2", computation="mean", learning_rate=0.003, epochs=60
    )
    history = optimise_scales(dense_maps(weights, output="relu"), draw(100, 30), settings)
    input_scale, first, second = (float(k[-1, 0]) for k in history.scales)
    # Activities after the factors are 1, 1/2 and 4 times those of the well-scaled network.
    assert first > 2 * second
    assert 0 < second < input_scale < 100


def test_single_precision_finds_the_same_scales():
    inputs = frames(60)
    double = optimise_scales(dense_maps(*parameters()), inputs, SETTINGS)
    single = optimise_scales(dense_maps(*parameters(dtype=torch.float32)), inputs.float(), SETTINGS)
    for ours, theirs in zip(single.scales, double.scales, strict=True):
        assert ours.dtype == np.float64
        assert np.allclose(ours, theirs, rtol=1e-3)


def test_a_lambda_that_diverges_disturbs_no_other():
    maps, inputs = dense_maps(*parameters()), frames(60)
    settings = SETTINGS._replace(lambdas=(1e-4, 1e9))
    history = optimise_scales(maps, inputs, settings)
    assert history.diverged.tolist() == [False, True]
    alone = optimise_scales(maps, inputs, settings._replace(lambdas=(1e-4,)))
    for ours, theirs in zip(history.scales, alone.scales, strict=True):
        assert np.allclose(ours[:, 0], theirs[:, 0], rtol=1e-10)


# --- convolutions ---------------------------------------------------------------------------------


@pytest.mark.parametrize("unitwise", [False, True])
def test_convolutional_layers_need_nothing_new(unitwise):
    draw = partial(torch.randn, generator=generator(7), dtype=torch.float64)
    kernel, bias, weight = draw(3, 2, 3, 3) * 0.5, draw(3, 1, 1), draw(4, 3 * 4 * 4) * 0.2
    inputs, settings = draw(8, 2, 6, 6), SETTINGS._replace(unitwise=unitwise)
    reached = conv_transpose2d(torch.ones(1, 3, 4, 4), torch.ones(3, 2, 3, 3))[0].double()
    maps = (
        LinearMap(
            lambda rows: conv2d(rows, kernel),
            lambda rows: conv_transpose2d(rows, kernel),
            bias,
            "relu",
            reached,
        ),
        LinearMap(
            lambda rows: rows.flatten(1) @ weight.t(),
            lambda rows: (rows @ weight).unflatten(1, (3, 4, 4)),
            torch.zeros(4, dtype=torch.float64),
            "softmax",
            4,
        ),
    )
    log_scales = initial_log_scales(maps, inputs, settings)
    targets = original_outputs(maps, inputs, "kl")
    found = scale_gradients(maps, log_scales, inputs, targets, settings)
    for index, price in enumerate(settings.lambdas):
        leaves = [each[index].clone().requires_grad_() for each in log_scales]
        k, activity = [leaf.exp() for leaf in leaves], inputs
        cost = (reached * (k[0] * inputs).abs()).sum()
        activity = torch.relu(conv2d(Straight.apply(k[0] * activity) / k[0], kernel) + bias)
        cost = cost + (4 * (k[1] * activity.detach()).abs()).sum()
        logits = (Straight.apply(k[1] * activity) / k[1]).flatten(1) @ weight.t()
        outputs = torch.log_softmax(logits, 1)
        error = (outputs.exp() * (outputs - targets)).sum(1).mean()
        gradients = torch.autograd.grad(error + price * cost, leaves)
        for ours, theirs in zip(found.log_scales, gradients, strict=True):
            assert torch.allclose(ours[index], theirs, rtol=1e-10, atol=1e-12)
    history = optimise_scales(maps, inputs, settings)
    assert history.scales[1].shape == ((5, 3, 3, 4, 4) if unitwise else (5, 3))


# --- interruption, refusals -----------------------------------------------------------------------


class Stopped(Exception):
    """Raised in the middle of the work."""


def stop_after(epochs: int):
    lines = []

    def progress(line: str) -> None:
        lines.append(line)
        if len(lines) == epochs:
            raise Stopped

    return progress


@pytest.mark.parametrize("record_every", [0.5, 0.7, 2.5])
@pytest.mark.parametrize("quantizer", ["rounding", "noise"])
def test_a_killed_optimisation_goes_on_with_the_same_bits(tmp_path, record_every, quantizer):
    maps, inputs = dense_maps(*parameters()), frames(30)
    settings = SETTINGS._replace(
        epochs=4, record_every_epochs=record_every, quantizer=quantizer, unitwise=True
    )
    whole = optimise_scales(maps, inputs, settings, generator(8))
    path = tmp_path / "scales.npz"
    with pytest.raises(Stopped):
        optimise_scales(maps, inputs, settings, generator(8), path, stop_after(3))
    resumed = optimise_scales(maps, inputs, settings, generator(9), path)
    for ours, theirs in zip(resumed.scales, whole.scales, strict=True):
        assert np.array_equal(ours, theirs)
    assert np.array_equal(resumed.epoch, whole.epoch)
    assert np.array_equal(resumed.error, whole.error, equal_nan=True)
    assert np.array_equal(resumed.computation, whole.computation, equal_nan=True)


@pytest.mark.parametrize("content", [b"", b"not a checkpoint", None])
def test_another_checkpoint_is_ignored_with_a_warning(tmp_path, caplog, content):
    maps, inputs = dense_maps(*parameters()), frames(12)
    path = tmp_path / "scales.npz"
    if content is None:
        optimise_scales(maps, inputs + 1, SETTINGS, checkpoint_path=path)
    else:
        path.write_bytes(content)
    with caplog.at_level(logging.WARNING):
        found = optimise_scales(maps, inputs, SETTINGS, checkpoint_path=path)
    assert "ignored" in caplog.text
    expected = optimise_scales(maps, inputs, SETTINGS)
    assert np.array_equal(found.scales[0], expected.scales[0])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"error": "l1"}, "error is 'l1', expected one of kl, l2"),
        ({"computation": "median"}, "computation is 'median', expected one of sum, mean"),
        ({"quantizer": "floor"}, "quantizer is 'floor', expected one of rounding, noise"),
        ({"learning_rate": 0.0}, "learning_rate is 0.0, expected a finite number above 0"),
        ({"initial_scale": math.inf}, "initial_scale is inf, expected a finite"),
        ({"lambdas": ()}, r"lambdas is \(\), expected at least one"),
        ({"lambdas": (-1.0,)}, "each a finite number from 0"),
        ({"quantizer": "noise"}, "no generator, expected one"),
    ],
)
def test_settings_that_are_not_allowed_are_said(changes, message):
    with pytest.raises(ConfigError, match=message):
        optimise_scales(dense_maps(*parameters()), frames(), SETTINGS._replace(**changes))


def test_networks_that_do_not_fit_the_error_are_said():
    with pytest.raises(ConfigError, match="outputs are 'relu', expected softmax"):
        optimise_scales(dense_maps(*parameters(), output="relu"), frames(), SETTINGS)
    with pytest.raises(ConfigError, match="softmax below the last layer"):
        optimise_scales(dense_maps(*parameters(), nonlinearity="softmax"), frames(), SETTINGS)
    with pytest.raises(ConfigError, match="nonlinearity 'tanh', expected one of relu"):
        optimise_scales(dense_maps(*parameters(), nonlinearity="tanh"), frames(), SETTINGS)
