"""Firing rates of single LIF neurons: Poisson-coded currents and constant currents (numba)."""

import numpy as np

from plausible.errors import StudyError
from plausible.kernels.lif_layer import constant_current_counts
from plausible.kernels.lif_network import simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork, check_settings


def simulate_single_neuron(
    currents: np.ndarray,
    settings: SimulationSettings,
    rng_seed: int,
    repetitions: int,
) -> np.ndarray:
    """Firing rates in Hz ``[repetitions, currents]`` of neurons driven by Poisson-coded currents.

    Each current J is carried by a Poisson train of its own of ``settings.input_rate_hz``, filtered
    by the synapse and scaled so that its mean is J (for the kernels with unit sum). The lower the
    input rate, the noisier the current. This is what the caption of fig. 2b of Thuesen 2022
    describes (section 3.3.3). Window, step, kernel and integration are those of ``settings``.
    """
    currents = _check_currents(currents)
    number = len(currents)
    network = SpikingNetwork((np.diag(currents),), (np.zeros(number),), input_scale=1.0)
    white = np.full((repetitions, number), 255, np.uint8)
    result = simulate_network(white, 255, network, settings, rng_seed, dtype=np.float64)
    return result.output_counts[:, -1] / (settings.steps * settings.dt_s)


def constant_current_rates(currents: np.ndarray, settings: SimulationSettings) -> np.ndarray:
    """Firing rates in Hz ``[currents]`` of neurons at constant currents, without any noise.

    Counts of the whole window divided by its length. With ``integration: exact`` they differ from
    r(J) of eq. 37 by less than 1 / window, with ``euler`` by an error of order dt in addition.
    """
    currents = _check_currents(currents)
    check_settings(settings)
    return constant_current_counts(currents, settings) / (settings.steps * settings.dt_s)


def _check_currents(currents: np.ndarray) -> np.ndarray:
    currents = np.asarray(currents, np.float64)
    if currents.ndim != 1 or not len(currents) or not np.isfinite(currents).all():
        raise StudyError(
            f"single neuron: currents have shape {currents.shape}, "
            "expected a vector of one or more finite numbers."
        )
    return currents
