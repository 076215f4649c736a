"""Convolutional spiking networks against dense ones of the same weights; what pooling does."""

import copy

import numpy as np
import pytest
import torch
from torch import nn

import plausible
from plausible.models.spiking_convolutional import SpikingGraph

from ..networks.small_graphs import branches, stream

TIMES = (5, 20, 60)


def network(activation, seed=0):
    """Two convolutions and a linear map of weights that are no zeros; frames of [2, 6, 6]."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1), activation(), nn.Conv2d(4, 3, 3), activation(), nn.Flatten(),
        nn.Linear(48, 5),
    )  # fmt: skip
    for parameter in model.parameters():
        sign = torch.where(torch.rand_like(parameter) < 0.3, -1.0, 1.0)
        parameter.data = sign * (0.05 + 0.3 * torch.rand_like(parameter))
    return model.double().requires_grad_(False)


def unrolled(layer, shape):
    """Matrix [inputs, outputs] and bias of a map of frames of a shape, and the shape it makes."""
    units = int(np.prod(shape))
    zero = layer(torch.zeros(1, *shape, dtype=torch.float64))
    images = layer(torch.eye(units, dtype=torch.float64).reshape(units, *shape)) - zero
    return images.flatten(1), zero.flatten(), tuple(zero.shape[1:])


def dense(model, activation):
    """The same network of linear layers."""
    shape, layers = (2, 6, 6), []
    for each in model:
        if isinstance(each, nn.Conv2d | nn.Linear):
            matrix, bias, shape = unrolled(each, shape)
            linear = nn.Linear(*matrix.shape).double()
            linear.weight.data, linear.bias.data = matrix.T.contiguous(), bias
            layers += [linear, activation()]
        elif isinstance(each, nn.Flatten):
            shape = (int(np.prod(shape)),)
    return nn.Sequential(*layers[:-1]).requires_grad_(False)


def frames(count=7, seed=1):
    return np.random.default_rng(seed).random((count, 2, 6, 6))


@pytest.mark.parametrize("activation", [nn.ReLU, plausible.SoftRate])
@pytest.mark.parametrize("coding", ["current", "poisson"])
def test_spikes_are_those_of_the_dense_network(activation, coding):
    model, x = network(activation), frames()
    calibration = x if activation is nn.ReLU else None
    spiking = plausible.to_spiking(model, calibration, percentile=97.0)
    assert isinstance(spiking, SpikingGraph)
    other = plausible.to_spiking(
        dense(model, activation), None if calibration is None else x.reshape(7, -1), percentile=97.0
    )
    # Fewer than one spike in a step, mostly: several in a step add a weight once.
    options = {"time_ms": TIMES, "coding": coding, "input_rate_hz": 400.0, "seed": 3}
    found, expected = spiking.simulate(x, **options), other.simulate(x.reshape(7, -1), **options)
    assert found.times_ms == expected.times_ms
    for mine, theirs in zip(found.activities, expected.activities, strict=True):
        np.testing.assert_allclose(mine.reshape(7, -1), theirs, rtol=1e-12, atol=1e-12)
    np.testing.assert_array_equal(found.spikes, expected.spikes)
    np.testing.assert_allclose(found.outputs, expected.outputs, rtol=0, atol=1e-10)
    assert found.spikes[:, 1:3, -1].min() > 0
    # No weight is 0, so that what a spike meets are the entries of its row that are not.
    rows = [torch.count_nonzero(layer.weight, 0).numpy() for layer in dense(model, activation)[::2]]
    time = TIMES[-1] * (1.0 if activation is nn.ReLU else 1e-3)
    counts = [
        np.rint(mine.reshape(7, -1) / full * time)
        for mine, full in zip(found.activities, spiking.full_activity, strict=True)
    ]
    added = sum(each @ row for each, row in zip(counts, rows[1:], strict=True))
    shown = found.additions[:, -1] - added
    sent = found.spikes[:, 0, -1]
    assert (sent == 0).all() == (coding == "current")
    least, most = rows[0].min(), rows[0].max()
    assert (least * sent <= shown).all() and (shown <= most * sent).all()


def pooled(pool):
    """A pool of spikes, and neurons that pass on what it sends."""
    model = nn.Sequential(
        nn.Conv2d(2, 3, 3), nn.ReLU(), pool, nn.Conv2d(3, 3, 1), nn.ReLU(), nn.Flatten(),
        nn.Linear(12, 2),
    )  # fmt: skip
    torch.manual_seed(2)
    for parameter in model[0].parameters():
        parameter.data = 0.08 * torch.rand_like(parameter)
    model[3].weight.data = torch.eye(3)[..., None, None]
    model[3].bias.data.zero_()
    return model.double().requires_grad_(False)


def test_max_pooling_sends_the_maximum_of_the_sums():
    """Spike by spike, so that neurons with the threshold of a spike fire as often."""
    x = frames()
    run = plausible.to_spiking(pooled(nn.MaxPool2d(2)), normalisation="none").simulate(x)
    below, above = (np.rint(200 * each) for each in run.activities)
    windows = below.reshape(7, 3, 2, 2, 2, 2)
    np.testing.assert_array_equal(above, windows.max(axis=(3, 5)))
    averaged = plausible.to_spiking(pooled(nn.AvgPool2d(2)), normalisation="none").simulate(x)
    fewer = np.rint(200 * averaged.activities[1])
    assert (np.abs(fewer - windows.mean(axis=(3, 5))) <= 1).all()
    assert (windows.sum(axis=(3, 5)) > above).all() and (above > fewer + 1).any()


def test_rates_come_near_the_model_layer_by_layer():
    model, x = branches(), stream(5)
    spiking = plausible.to_spiking(model, x, normalisation="max")
    exact = spiking.exact(x)
    assert torch.allclose(exact[-1], model(x).flatten(1), atol=1e-12)
    errors = []
    for steps in (100, 400, 1600):
        run = spiking.simulate(x, time_ms=steps)
        errors.append(float((run.outputs - exact[-1]).abs().max()))
    assert errors[2] < 0.5 * errors[1] < 0.5 * errors[0]
    labels = exact[-1].argmax(1)
    table = spiking.diagnose(x, labels, time_ms=1600)
    assert list(table["layer"]) == [
        "model", *(f"hidden {layer}" for layer in range(1, len(spiking.neurons) + 1)), "outputs"
    ]  # fmt: skip
    assert table["accuracy_percent"].iloc[0] == 100.0 and table["slope"].iloc[1] > 0.95
    assert "IF neurons" in repr(spiking)


def test_batch_normalisation_is_folded_in():
    torch.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(64, 6),
        nn.BatchNorm1d(6), nn.ReLU(), nn.Linear(6, 3),
    ).double()  # fmt: skip
    x = torch.from_numpy(frames(20))
    for _ in range(30):
        model(x)
    model.eval().requires_grad_(False)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    for found in (
        plausible.to_spiking(model, x).exact(x)[-1],
        plausible.rounding(model, x, 1e9).outputs,
    ):
        assert torch.allclose(found, model(x), atol=1e-6)
    assert torch.allclose(plausible.to_spiking(model, x).exact(x)[-1], model(x), atol=1e-12)
    single = copy.deepcopy(model).float()
    assert torch.allclose(plausible.to_spiking(single, x).exact(x)[-1], model(x), atol=1e-5)
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    plain = nn.Sequential(*(each for each in model if "Norm" not in type(each).__name__))
    assert not torch.allclose(plausible.to_spiking(plain, x).exact(x)[-1], model(x), atol=1e-2)


class Twice(nn.Module):
    """A convolution in two places, behind one of them batch normalisation."""

    def __init__(self, normed):
        super().__init__()
        self.conv, self.norm = nn.Conv2d(2, 2, 3, padding=1), nn.BatchNorm2d(2, affine=False)
        self.top, self.normed = nn.Linear(72, 3), normed

    def forward(self, frames):
        values = self.norm(self.conv(frames)).relu()
        values = self.conv(values)
        values = self.norm(values) if self.normed else values
        return self.top(values.relu().flatten(1))


@pytest.mark.parametrize("normed", [True, False])
def test_a_convolution_in_two_places_is_folded_in_each_by_itself(normed):
    torch.manual_seed(3)
    model, x = Twice(normed).double(), torch.from_numpy(frames(20))
    for _ in range(30):
        model(x)
    model.eval().requires_grad_(False)
    for found in (
        plausible.to_spiking(model, x).exact(x)[-1], plausible.rounding(model, x, 1e9).outputs
    ):  # fmt: skip
        assert torch.allclose(found, model(x), atol=1e-6)


class Beside(nn.Module):
    """What the input gives, pooled, beside what spikes give."""

    def __init__(self, activation):
        super().__init__()
        self.first, self.second = nn.Conv2d(2, 2, 3, padding=1), nn.Conv2d(4, 3, 3)
        self.rate, self.pool, self.top = activation(), nn.AvgPool2d(3, 1, 1), nn.Linear(48, 2)

    def forward(self, frames):
        values = torch.cat([self.pool(frames), self.rate(self.first(frames))], 1)
        return self.top(self.rate(self.second(values)).flatten(1))


@pytest.mark.parametrize("activation", [nn.ReLU, plausible.SoftRate])
def test_constant_currents_beside_spikes_are_no_spikes(activation):
    torch.manual_seed(4)
    model, x = Beside(activation).double().requires_grad_(False), frames()
    model.first.weight.data *= 0.0
    model.first.bias.data.fill_(-1.0)
    model.second.weight.data.abs_()
    model.second.bias.data.fill_(0.8)
    spiking = plausible.to_spiking(model, normalisation="none")
    run = spiking.simulate(x, time_ms=100)
    assert (run.spikes[:, 1] == 0).all() and run.spikes[:, 2].sum() > 0
    counts = run.activities[1] / spiking.full_activity[1] * (100 if activation is nn.ReLU else 0.1)
    np.testing.assert_array_equal(run.additions, 2 * np.rint(counts).sum(axis=(1, 2, 3)))
    # A constant current comes at once; a synapse would let it rise.
    drive = model.second(torch.cat([model.pool(torch.from_numpy(x)), torch.zeros(7, 2, 6, 6)], 1))
    neurons = nn.Sequential(nn.Conv2d(3, 3, 1), activation(), nn.Flatten(), nn.Linear(48, 2))
    neurons[0].weight.data = torch.eye(3)[..., None, None]
    neurons[0].bias.data.zero_()
    alone = plausible.to_spiking(neurons, normalisation="none").simulate(drive.numpy(), time_ms=100)
    np.testing.assert_array_equal(run.spikes[:, 2], alone.spikes[:, 1])


def test_neurons_that_see_the_input_itself_spike():
    model = nn.Sequential(nn.ReLU(), *pooled(nn.AvgPool2d(2))).double()
    run = plausible.to_spiking(model, normalisation="none").simulate(frames(), time_ms=50)
    first, below, above = (np.rint(50 * each) for each in run.activities)
    reached = [
        unrolled(model[place], shape)[0] for place, shape in ((1, (2, 6, 6)), (4, (3, 2, 2)))
    ]
    fans = [torch.count_nonzero(each, 1).numpy() for each in reached]
    added = first.reshape(7, -1) @ fans[0] + 2 * above.sum(axis=(1, 2, 3))
    # Messages of the pool: at most one for each spike below it, with three weights each.
    pools = run.additions - added
    assert (0 < pools).all() and (pools <= 3 * below.sum(axis=(1, 2, 3))).all()


def test_samples_do_not_depend_on_their_neighbours(monkeypatch):
    model, x = network(nn.ReLU), frames()
    spiking = plausible.to_spiking(model, x)
    options = {"time_ms": 30.0, "coding": "poisson", "seed": 5}
    whole = spiking.simulate(x, **options)
    monkeypatch.setattr("plausible.models.spiking_convolutional.NUMBERS_AT_ONCE", 1)
    single = spiking.simulate(x, **options)
    np.testing.assert_array_equal(whole.spikes, single.spikes)
    np.testing.assert_allclose(whole.outputs, single.outputs, atol=1e-12)
    assert isinstance(spiking.simulate(torch.from_numpy(x), time_ms=3).outputs, torch.Tensor)


def without_statistics():
    return nn.Sequential(
        nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4, track_running_stats=False), nn.ReLU(), nn.Flatten(),
        nn.Linear(64, 3),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda x: plausible.to_spiking(network(nn.ReLU)), ["calibration"]),
        (lambda x: plausible.to_spiking(network(plausible.SoftRate), x), ["leave it out"]),
        (lambda x: plausible.to_spiking(network(nn.Identity), x), ["no ReLU and no SoftRate"]),
        (lambda x: plausible.to_spiking(network(nn.Sigmoid), x), ["Sigmoid"]),
        (
            lambda x: plausible.to_spiking(
                nn.Sequential(nn.Conv2d(2, 2, 3), nn.ReLU(), nn.Conv2d(2, 2, 3),
                              plausible.SoftRate(), nn.Flatten(), nn.Linear(8, 2)), x
            ),
            ["ReLU, SoftRate(scale=", "one and the same"],
        ),
        (lambda x: plausible.to_spiking(without_statistics(), x), ["running statistics"]),
        (
            lambda x: plausible.rounding(nn.Sequential(nn.Conv2d(2, 2, 3), nn.ReLU(),
                                                       nn.BatchNorm2d(2)), x),
            ["does not directly follow"],
        ),
        (lambda x: plausible.to_spiking(network(nn.ReLU), x[:, 0]), ["channels, rows, columns"]),
        (lambda x: plausible.rounding(network(nn.ReLU), x[0]), ["frames", "channels, rows"]),
        (
            lambda x: plausible.to_spiking(network(nn.ReLU), x).simulate(x, readout="spikes"),
            ["readout", "do not spike"],
        ),
        (lambda x: plausible.operations(plausible.to_spiking(network(nn.ReLU), x), x), ["Graph"]),
        (lambda x: plausible.to_spiking(network(nn.ReLU), x[:, :1]), ["do not fit"]),
        (lambda x: plausible.to_spiking(network(nn.ReLU), x[:0]), ["calibration inputs"]),
        (
            lambda x: plausible.to_spiking(network(nn.ReLU), x).simulate(-x, coding="poisson"),
            ["inputs", "from 0"],
        ),
        (
            lambda x: plausible.to_spiking(network(nn.ReLU), x).simulate(x, time_ms=0.5),
            ["time_ms"],
        ),
        (lambda x: plausible.to_spiking(pooled(nn.MaxPool2d(2)), -9.0 - x), ["layer 1 is silent"]),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_one_sentence(call, words, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        call(frames())
    sentence(caught, *words)
