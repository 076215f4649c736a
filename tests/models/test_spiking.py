"""Conversion to spiking networks against plain loops, closed forms and the slow LIF reference."""

import numpy as np
import pytest
import torch
from torch import nn

import plausible
from plausible.kernels import lif_network_reference
from plausible.kernels.events import dense_counts, poisson_thresholds, sample_events
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.neurons.lif_dynamics import simulate_lif

TIMES = (5, 20, 60)


def integrate_and_fire_loop(weights, biases, thresholds, inputs, steps):
    """Spike counts of every layer for one sample [inputs], neuron by neuron."""
    potentials = [[0.0] * len(bias) for bias in biases]
    counts = [[0] * len(bias) for bias in biases]
    for _ in range(steps):
        below = list(inputs)
        for layer, (weight, bias, threshold) in enumerate(
            zip(weights, biases, thresholds, strict=True)
        ):
            above = []
            for unit in range(len(bias)):
                current = sum(below[i] * weight[i][unit] for i in range(len(below)))
                potentials[layer][unit] += current + bias[unit]
                fires = potentials[layer][unit] >= threshold
                if fires:
                    potentials[layer][unit] -= threshold
                    counts[layer][unit] += 1
                above.append(threshold if fires else 0.0)
            below = above
    return [np.array(layer) for layer in counts]


def dyadic_model(seed=0):
    """Weights and biases whose sums are exact in float64, so that loops agree to the last bit."""
    generator = np.random.default_rng(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 5), nn.ReLU(), nn.Linear(5, 2))
    for parameter in model.parameters():
        values = generator.integers(-16, 24, tuple(parameter.shape)) / 32
        parameter.data = torch.from_numpy(values)
    return model


def test_spikes_are_those_of_a_plain_loop():
    model, inputs = dyadic_model(), np.array([[0.5, 1.0, 0.25], [1.0, 0.125, 0.75]])
    spiking = plausible.to_spiking(model, normalisation="none")
    run = spiking.simulate(inputs, time_ms=40)
    for row, sample in enumerate(inputs):
        loop = integrate_and_fire_loop(
            spiking.weights[:2], spiking.biases[:2], (1.0, 1.0), sample, 40
        )
        for layer in range(2):
            assert np.array_equal(run.activities[layer][row] * 40, loop[layer])
        assert run.spikes[row, 1:3].tolist() == [counts.sum() for counts in loop]
    assert run.spikes[:, 1].sum() > 20


def test_one_layer_of_constant_current_has_a_closed_form():
    """floor(T J / theta) spikes for 0 <= J <= theta, T for more, none for less."""
    model = nn.Sequential(nn.Linear(1, 1), nn.ReLU(), nn.Linear(1, 1)).double()
    for parameter, value in zip(model.parameters(), (1.0, 0.0, 1.0, 0.0), strict=True):
        nn.init.constant_(parameter, value)
    currents = np.array([-1.0, 0.0, 3 / 64, 0.5, 45 / 64, 1.0, 1.5])[:, None]
    run = plausible.to_spiking(model, normalisation="none").simulate(currents, time_ms=range(1, 30))
    expected = [[np.floor(t * min(max(j, 0.0), 1.0)) for t in range(1, 30)] for j in currents[:, 0]]
    assert np.array_equal(run.spikes[:, 1], expected)


def test_thresholds_are_weight_normalisation(relu_model, digits):
    """Diehl et al. 2015: weights times lambda below / lambda, biases / lambda, threshold 1."""
    images = digits[0][1500:1504]
    spiking = plausible.to_spiking(relu_model, digits[0][:200], normalisation="max")
    largest = [1.0, *spiking.full_activity[:2]]
    weights = [spiking.weights[k] * (largest[k] / largest[k + 1]) for k in range(2)]
    biases = [spiking.biases[k] / largest[k + 1] for k in range(2)]
    run = spiking.simulate(images, time_ms=30)
    for row, sample in enumerate(images):
        loop = integrate_and_fire_loop(weights, biases, (1.0, 1.0), sample, 30)
        for layer in range(2):
            found = run.activities[layer][row] * 30 / largest[layer + 1]
            assert np.abs(found - loop[layer]).max() < 1e-9
    hidden = relu_model[:2](torch.from_numpy(digits[0][:200]))
    assert spiking.full_activity[0] == pytest.approx(float(hidden.detach().max()), rel=1e-12)


def test_percentile_is_that_of_the_activities(relu_model, digits):
    spiking = plausible.to_spiking(relu_model, digits[0][:200], percentile=95.0)
    hidden = relu_model[:2](torch.from_numpy(digits[0][:200])).detach().numpy()
    assert spiking.full_activity[0] == pytest.approx(np.percentile(hidden, 95.0), rel=1e-12)


@pytest.mark.parametrize("model", ["relu_model", "normed_model"])
def test_activities_approach_those_of_the_model(model, digits, request):
    """Up to (a few thresholds) / T, batch normalisation included, as long as nothing saturates."""
    model, images = request.getfixturevalue(model), digits[0][1500:1540]
    spiking = plausible.to_spiking(model, images, normalisation="max")
    expected = model(torch.from_numpy(images)).detach().numpy()
    apart = []
    for time in (100, 1000, 10000):
        outputs = spiking.simulate(images, time_ms=time).outputs
        apart.append(np.abs(outputs - expected).max() / np.abs(expected).max())
    assert apart[0] > 0.01 and apart[2] < 1e-3 and apart[2] < apart[0] / 20
    assert np.allclose(spiking.exact(images)[-1], expected, rtol=1e-10, atol=1e-10)


def test_saturation_shows_in_the_diagnostic(relu_model, digits):
    """Without normalisation activities above 1 are cut; with it they are not."""
    images, labels = digits[0][1500:], digits[1][1500:]
    good = plausible.to_spiking(relu_model, digits[0][:300]).diagnose(images, labels)
    bad = plausible.to_spiking(relu_model, normalisation="none").diagnose(images, labels)
    good, bad = good.set_index("layer"), bad.set_index("layer")
    assert good.loc["hidden 1", "saturated_percent"] < 2 < bad.loc["hidden 1", "saturated_percent"]
    assert bad.loc["hidden 1", "slope"] < 0.9 < good.loc["hidden 1", "slope"] <= 1.001
    exact = 100.0 * np.mean(relu_model(torch.from_numpy(images)).argmax(1).numpy() == labels)
    assert good.loc["model", "accuracy_percent"] == pytest.approx(exact)
    assert good.loc["outputs", "accuracy_percent"] > exact - 2
    assert bad.loc["outputs", "accuracy_percent"] < exact - 5
    # The last layer of neurons feeds outputs that do not spike: nothing is lost behind it.
    assert good.loc["outputs", "accuracy_percent"] == good.loc["hidden 2", "accuracy_percent"]


def test_silent_pairs_are_those_that_should_be_active(relu_model, digits):
    images = digits[0][1500:]
    spiking = plausible.to_spiking(relu_model, digits[0][:300])
    table = spiking.diagnose(images, time_ms=5).set_index("layer")
    exact, seen = spiking.exact(images)[0], spiking.simulate(images, time_ms=5).activities[0]
    silent = np.mean(seen[exact > 0] == 0)
    assert table.loc["hidden 1", "silent_percent"] == pytest.approx(100 * silent) and silent > 0.05
    assert spiking.diagnose(images, time_ms=5000)["silent_percent"][1] < 1


def test_steps_of_integrate_and_fire_neurons_have_no_length(relu_model, digits):
    spiking = plausible.to_spiking(relu_model, digits[0][:300])
    runs = [spiking.simulate(digits[0][:5], time_ms=20 * dt, dt_ms=dt) for dt in (0.1, 1.0)]
    assert np.array_equal(runs[0].spikes, runs[1].spikes)


def test_a_step_beyond_the_refractory_period_is_refused(rate_model, digits, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        plausible.to_spiking(rate_model).simulate(digits[0][:2], dt_ms=5.0)
    sentence(caught, "dt_ms: found 5", "4 ms")


def test_accuracy_by_layer_replaces_that_layer_and_all_below(relu_model, digits):
    images, labels = digits[0][1500:], digits[1][1500:]
    spiking = plausible.to_spiking(relu_model, digits[0][:300])
    table = spiking.diagnose(images, labels, time_ms=8).set_index("layer")
    first = torch.from_numpy(spiking.simulate(images, time_ms=8).activities[0])
    found = np.mean(relu_model[2:](first).argmax(1).numpy() == labels)
    assert table.loc["hidden 1", "accuracy_percent"] == pytest.approx(100.0 * found)


def test_lif_neurons_are_those_of_the_slow_reference(rate_model, digits):
    """Poisson inputs: the same spikes through the network that is written down in dense numpy."""
    images = digits[0][1500:1503]
    spiking = plausible.to_spiking(rate_model)
    run = spiking.simulate(images, time_ms=TIMES, coding="poisson", readout="spikes", seed=4)
    thresholds = poisson_thresholds(np.arange(17) / 16 * 1000.0 * 1e-3)
    levels = np.rint(images * 16).astype(np.uint8)
    counts = dense_counts(sample_events(levels, thresholds, TIMES[-1], 4, 0), 64)
    network = SpikingNetwork(spiking.weights, spiking.biases, 1.0, 0.05)
    settings = SimulationSettings(simulation_time_ms=TIMES[-1], input_rate_hz=1000.0)
    layers = lif_network_reference.simulate_spikes(counts, network, settings)
    for position, steps in enumerate(TIMES):
        assert np.array_equal(run.outputs[:, position], layers[-1][:, :steps].sum(axis=1))
        for layer, train in enumerate([counts, *layers]):
            assert np.array_equal(run.spikes[:, layer, position], train[:, :steps].sum(axis=(1, 2)))
    assert run.spikes[:, 1:3, -1].min() > 0
    for activity, train in zip(run.activities, layers[:-1], strict=True):
        assert np.allclose(activity, 0.05 * train.sum(axis=1) / (TIMES[-1] * 1e-3), rtol=1e-12)


def test_lif_neurons_with_currents_as_inputs(rate_model, digits):
    images = digits[0][1500:1503]
    spiking = plausible.to_spiking(rate_model)
    run = spiking.simulate(images, time_ms=TIMES)
    current = images @ spiking.weights[0] + spiking.biases[0]
    first = np.moveaxis(simulate_lif(np.tile(current, (TIMES[-1], 1, 1)), 1e-3), 0, 1)
    # The spikes of the first layer as the inputs of the rest: 0.05 times a rate in Hz arrives.
    network = SpikingNetwork((spiking.weights[1],), (spiking.biases[1],), 0.05 * 250.0)
    settings = SimulationSettings(simulation_time_ms=TIMES[-1])
    (second,) = lif_network_reference.simulate_spikes(first.astype(np.int32), network, settings)
    for position, steps in enumerate(TIMES):
        for layer, train in ((1, first), (2, second)):
            assert np.array_equal(run.spikes[:, layer, position], train[:, :steps].sum(axis=(1, 2)))
        rates = 0.05 * second[:, :steps].sum(axis=1) / (steps * 1e-3)
        expected = rates @ spiking.weights[2] + spiking.biases[2]
        assert np.allclose(run.outputs[:, position], expected, rtol=1e-12, atol=1e-12)


def test_lif_diagnostic_tells_smoothing_from_spikes(rate_model, digits):
    images, labels = digits[0][1500:], digits[1][1500:]
    table = plausible.to_spiking(rate_model).diagnose(images, labels, time_ms=300)
    assert list(table["layer"]) == ["model", "exact rates", "hidden 1", "hidden 2", "outputs"]
    exact = np.mean(rate_model(torch.from_numpy(images)).argmax(1).numpy() == labels)
    assert table["accuracy_percent"][0] == pytest.approx(100.0 * exact)
    assert table["correlation"][2:4].min() > 0.95


@pytest.mark.parametrize("name", ["relu_model", "rate_model"])
@pytest.mark.parametrize("coding", ["current", "poisson"])
def test_a_sample_does_not_depend_on_the_others(name, coding, digits, request):
    model, images = request.getfixturevalue(name), digits[0][1300:1400]
    calibration = digits[0][:100] if name == "relu_model" else None
    spiking = plausible.to_spiking(model, calibration)
    whole = spiking.simulate(images, time_ms=20, coding=coding)
    part = spiking.simulate(images[:3], time_ms=20, coding=coding)
    assert np.array_equal(whole.spikes[:3], part.spikes)
    other = spiking.simulate(images[:3], time_ms=20, coding=coding, seed=1)
    assert np.array_equal(other.spikes, part.spikes) == (coding == "current")


def test_poisson_spikes_tell_the_inputs(relu_model, digits):
    spiking = plausible.to_spiking(relu_model, digits[0][:300])
    images = digits[0][1500:1600]
    run = spiking.simulate(images, time_ms=400, coding="poisson", input_rate_hz=500.0)
    mean, number = images.sum() * 500.0 * 0.4, run.spikes[:, 0].sum()
    assert abs(number - mean) < 5 * np.sqrt(mean)
    assert np.array_equal(run.additions, run.spikes[:, :3] @ [40, 30, 10])


def test_torch_in_torch_out(relu_model, digits):
    spiking = plausible.to_spiking(relu_model, torch.from_numpy(digits[0][:300]))
    images = torch.from_numpy(digits[0][1500:1510]).float()
    run, same = spiking.simulate(images), spiking.simulate(images.numpy())
    assert run.outputs.dtype == torch.float32 and run.predictions.dtype == torch.int64
    assert np.array_equal(run.spikes.numpy(), same.spikes) and isinstance(same.outputs, np.ndarray)
    assert run.times_ms == (200.0,) and run.outputs.shape == (10, 10)
    assert same.outputs.dtype == np.float32 and same.activities[0].dtype == np.float32
    assert spiking.layer_sizes == (64, 40, 30, 10)
    several = spiking.simulate(images, time_ms=[50, 200])
    assert several.outputs.shape == (10, 2, 10) and several.spikes.shape == (10, 4, 2)
    assert torch.equal(several.predictions[:, 1], run.predictions)
    assert "64-40-30-10" in repr(spiking) and "10 samples" in repr(run)


def with_activation(*between):
    return nn.Sequential(nn.Linear(3, 4), *between, nn.Linear(4, 2))


X = np.ones((2, 3))


@pytest.mark.parametrize(
    ("model", "arguments", "words"),
    [
        (with_activation(nn.Tanh()), {}, ["Tanh", "SoftRate or ReLU"]),
        (with_activation(nn.ReLU()), {}, ["needs calibration", "normalisation='none'"]),
        (with_activation(plausible.SoftRate()), {"calibration": X}, ["leave it out"]),
        (nn.Sequential(nn.Linear(3, 2)), {}, ["no hidden layer"]),
        (with_activation(nn.ReLU()), {"calibration": X[:, 1:]}, ["[2, 2]", "[n, 3]"]),
        (
            with_activation(nn.ReLU()),
            {"calibration": X, "normalisation": "mean"},
            ["'mean'", "'percentile'"],
        ),
        (with_activation(nn.ReLU()), {"calibration": X, "percentile": 0}, ["percentile: found 0"]),
        (with_activation(nn.ReLU()), {"calibration": X, "percentile": 101}, ["up to 100"]),
        (
            with_activation(nn.BatchNorm1d(4, track_running_stats=False), nn.ReLU()),
            {"calibration": X},
            ["no running statistics"],
        ),
    ],
)  # fmt: skip
def test_models_that_cannot_be_converted(model, arguments, words, sentence):
    with pytest.raises(plausible.ModelError) as caught:
        plausible.to_spiking(model, **arguments)
    sentence(caught, *words)


def test_a_silent_layer_and_a_diverged_model_are_told(sentence):
    model = with_activation(nn.ReLU())
    nn.init.constant_(model[0].bias, -100.0)
    with pytest.raises(plausible.ModelError) as caught:
        plausible.to_spiking(model, X)
    sentence(caught, "hidden layer 1 is silent")
    nn.init.constant_(model[0].bias, float("nan"))
    with pytest.raises(plausible.ModelError) as caught:
        plausible.to_spiking(model, X)
    sentence(caught, "not finite")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"inputs": X[0]}, ["[3]", "[n, 3]"]),
        ({"inputs": X * np.nan}, ["not finite"]),
        ({"inputs": np.array([["a", "b", "c"]])}, ["real numbers"]),
        ({"time_ms": 0}, ["time_ms: found 0", "above 0"]),
        ({"time_ms": (10, 5)}, ["ascending"]),
        ({"time_ms": 1.5}, ["multiples of dt_ms"]),
        ({"time_ms": ()}, ["time_ms: found ()"]),
        ({"time_ms": "long"}, ["time_ms", "texts"]),
        ({"dt_ms": 0}, ["dt_ms: found 0"]),
        ({"seed": -1}, ["seed: found -1"]),
        ({"coding": "rate"}, ["'rate'", "current, poisson"]),
        ({"readout": "first"}, ["'first'", "current, spikes"]),
        ({"inputs": -X, "coding": "poisson"}, ["inputs: found -1"]),
        ({"inputs": 1e4 * X, "coding": "poisson"}, ["10000 Poisson spikes", "divide"]),
        ({"input_rate_hz": 0}, ["input_rate_hz: found 0"]),
    ],
)
def test_simulations_that_cannot_be_run(arguments, words, sentence):
    spiking = plausible.to_spiking(with_activation(nn.ReLU()), normalisation="none")
    with pytest.raises(plausible.ModelError) as caught:
        spiking.simulate(**{"inputs": X} | arguments)
    sentence(caught, *words)
    with pytest.raises(plausible.ModelError) as caught:
        spiking.diagnose(X, np.array([0, 2]))
    sentence(caught, "from 0 to 1")
