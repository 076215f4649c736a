"""Single neurons against the closed-form rate of eq. 37."""

import numpy as np
import pytest

from plausible.errors import StudyError
from plausible.kernels.lif_layer import constant_current_counts
from plausible.kernels.single_neuron import constant_current_rates, simulate_single_neuron
from plausible.kernels.types import SimulationSettings
from plausible.neurons.lif_dynamics import firing_rate_hz, simulate_lif

CURRENTS = np.linspace(0, 10, 41)


def test_constant_currents_fire_at_the_closed_form_rate() -> None:
    window = SimulationSettings(simulation_time_ms=20_000)
    rates = constant_current_rates(CURRENTS, window)
    assert np.abs(rates - firing_rate_hz(CURRENTS)).max() <= (1 + 1e-6) / 20


@pytest.mark.parametrize("integration", ["euler", "exact"])
def test_constant_currents_agree_with_the_readable_form(integration: str) -> None:
    window = SimulationSettings(simulation_time_ms=3000, integration=integration, idle_steps=3)
    steps = np.broadcast_to(CURRENTS, (3000, len(CURRENTS)))
    spikes = simulate_lif(steps, 0.001, integration=integration, idle_steps=3)
    assert np.array_equal(constant_current_rates(CURRENTS, window), spikes.sum(axis=0) / 3.0)


def test_poisson_coded_current_approaches_the_closed_form_with_the_input_rate() -> None:
    above = CURRENTS >= 1.5
    expected = firing_rate_hz(CURRENTS)[above]
    errors = []
    for input_rate_hz in (250.0, 5000.0, 100_000.0):
        window = SimulationSettings(simulation_time_ms=2000, input_rate_hz=input_rate_hz)
        rates = simulate_single_neuron(CURRENTS, window, rng_seed=1, repetitions=20)
        assert rates.shape == (20, 41)
        errors.append(np.abs(rates.mean(axis=0)[above] / expected - 1).max())
    assert errors[0] > errors[1] > errors[2]
    assert errors[2] < 0.02


def test_poisson_coded_currents_are_noisy_and_repetitions_differ() -> None:
    window = SimulationSettings(simulation_time_ms=1000)
    rates = simulate_single_neuron(CURRENTS, window, rng_seed=2, repetitions=20)
    assert np.all(rates[:, 0] == 0)
    assert np.all(rates[:, CURRENTS >= 1.5].std(axis=0) > 0)
    again = simulate_single_neuron(CURRENTS, window, rng_seed=2, repetitions=20)
    assert np.array_equal(rates, again)


def test_neurons_do_not_disturb_each_other() -> None:
    window = SimulationSettings(simulation_time_ms=500)
    rates = simulate_single_neuron(CURRENTS, window, rng_seed=3, repetitions=3)
    silenced = CURRENTS.copy()
    silenced[:30] = 0
    assert np.array_equal(
        simulate_single_neuron(silenced, window, rng_seed=3, repetitions=3)[:, 30:], rates[:, 30:]
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_currents_that_are_not_finite_are_refused(value: float) -> None:
    currents = np.array([3.0, value])
    with pytest.raises(StudyError, match=r"1 of 2 input currents are not finite, .* \[1\]"):
        constant_current_counts(currents, SimulationSettings())
    for form in (
        lambda: constant_current_rates(currents, SimulationSettings()),
        lambda: simulate_single_neuron(currents, SimulationSettings(), 0, 1),
    ):
        with pytest.raises(StudyError, match="one or more finite numbers"):
            form()


def test_currents_that_are_no_vector_are_said() -> None:
    with pytest.raises(StudyError, match="vector of one or more finite numbers"):
        constant_current_rates(np.zeros((2, 2)), SimulationSettings())
    with pytest.raises(StudyError, match="vector of one or more finite numbers"):
        simulate_single_neuron(np.array([np.nan]), SimulationSettings(), 0, 1)
