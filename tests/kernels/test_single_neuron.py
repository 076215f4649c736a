"""Single neurons, the diagonal of a layer, against the closed-form rate of eq. 37."""

import numpy as np
import pytest

from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.neurons.lif_dynamics import firing_rate_hz, simulate_lif

CURRENTS = np.linspace(0, 10, 41)


def simulated_rates(network, window, rng_seed, repetitions):
    """Rates in Hz [repetitions, currents] in float64; every input is white."""
    white = np.full((repetitions, len(CURRENTS)), 255, np.uint8)
    result = simulate_network(white, 255, network, window, rng_seed, dtype=np.float64)
    return result.output_counts[:, -1] / (window.steps * window.dt_s)


def constant_current_rates(window):
    weights = np.zeros((len(CURRENTS), len(CURRENTS)))
    return simulated_rates(SpikingNetwork((weights,), (CURRENTS,)), window, 0, 1)[0]


def poisson_coded_rates(currents, window, rng_seed, repetitions):
    """Each current is the mean of a filtered Poisson train (caption of fig. 2b, section 3.3.3)."""
    network = SpikingNetwork((np.diag(currents),), (np.zeros_like(currents),), input_scale=1.0)
    return simulated_rates(network, window, rng_seed, repetitions)


def test_constant_currents_fire_at_the_closed_form_rate() -> None:
    window = SimulationSettings(simulation_time_ms=20_000)
    rates = constant_current_rates(window)
    assert np.abs(rates - firing_rate_hz(CURRENTS)).max() <= (1 + 1e-6) / 20


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_constant_currents_agree_with_the_readable_form(integration: str) -> None:
    window = SimulationSettings(simulation_time_ms=3000, integration=integration, idle_steps=3)
    steps = np.broadcast_to(CURRENTS, (3000, len(CURRENTS)))
    spikes = simulate_lif(steps, 0.001, integration=integration, idle_steps=3)
    assert np.array_equal(constant_current_rates(window), spikes.sum(axis=0) / 3.0)


def test_poisson_coded_current_approaches_the_closed_form_with_the_input_rate() -> None:
    above = CURRENTS >= 1.5
    expected = firing_rate_hz(CURRENTS)[above]
    errors = []
    for input_rate_hz in (250.0, 5000.0, 100_000.0):
        window = SimulationSettings(simulation_time_ms=2000, input_rate_hz=input_rate_hz)
        rates = poisson_coded_rates(CURRENTS, window, rng_seed=1, repetitions=20)
        assert rates.shape == (20, 41)
        errors.append(np.abs(rates.mean(axis=0)[above] / expected - 1).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_poisson_coded_currents_are_noisy_and_repetitions_differ() -> None:
    window = SimulationSettings(simulation_time_ms=1000)
    rates = poisson_coded_rates(CURRENTS, window, rng_seed=2, repetitions=20)
    assert np.all(rates[:, 0] == 0)
    assert np.all(rates[:, CURRENTS >= 1.5].std(axis=0) > 0)
    again = poisson_coded_rates(CURRENTS, window, rng_seed=2, repetitions=20)
    assert np.array_equal(rates, again)


def test_neurons_do_not_disturb_each_other() -> None:
    window = SimulationSettings(simulation_time_ms=500)
    rates = poisson_coded_rates(CURRENTS, window, rng_seed=3, repetitions=3)
    silenced = np.where(np.arange(len(CURRENTS)) < 30, 0, CURRENTS)
    again = poisson_coded_rates(silenced, window, rng_seed=3, repetitions=3)
    assert np.array_equal(again[:, 30:], rates[:, 30:])
