"""Experiments on converted networks: figure 6, the input rate, the conversion diagnostic."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from plausible.conversion.shadow import rate_forward
from plausible.data.dataset import Dataset, intensities
from plausible.errors import StudyError
from plausible.kernels.lif_network import raster, simulate_network
from plausible.kernels.types import SimulationSettings, SpikingNetwork
from plausible.measure.accuracy import accuracy_percent
from plausible.measure.conversion_diagnostic import diagnose
from plausible.neurons.spikes import first_spike_readout, spike_count_readout
from plausible.reproduction.inputs import require
from plausible.reproduction.settings import ExperimentSettings
from plausible.reproduction.simulate import simulation_settings
from plausible.seeds import torch_seed
from plausible.studies.thuesen2022.common import STUDY, split_name, stream
from plausible.studies.thuesen2022.table1.printed import FIRST_SPIKE, NONE, RATE, SPIKING
from plausible.studies.thuesen2022.table1.settings import (
    ConversionDiagnostic,
    Fig4,
    Fig6,
    InputRate,
    SimulationChoices,
)

Networks = Mapping[str, Mapping[int, SpikingNetwork]]

DIAGNOSTIC = ["network", "protocol", "seed", "layer", "analytic_rate_hz", "simulated_rate_hz"]
DIAGNOSTIC += ["correlation", "silent_fraction", "saturated_fraction", "rmse_hz"]


def simulation_of(settings: ExperimentSettings, name: str) -> SimulationSettings:
    """Simulation settings of the network ``name`` (``<network>.<protocol>``).

    Raises
    ------
    StudyError
        If the network has none, or one of them is unknown.
    """
    if name not in settings.simulation:
        raise StudyError(
            f"simulation: no settings were found for {name}, only for "
            f"{', '.join(settings.simulation) or 'no network'}; add them to the protocols."
        )
    return simulation_settings(settings.simulation[name])


def each_network(
    networks: Networks | None, seeds: list[int], experiment: str
) -> Iterator[tuple[str, int, SpikingNetwork]]:
    """Name, seed and network of every network of ``seeds``, in the order given."""
    for name, by_seed in require(networks, experiment, "converted network").items():
        for seed in seeds:
            if seed in by_seed:
                yield name, seed, by_seed[seed]


def input_seed(experiment: str, seed: int) -> int:
    """Seed of the input spikes: all networks of one seed see the same spikes."""
    return torch_seed(STUDY, experiment, seed, "input_spikes")


def diverged(network: SpikingNetwork) -> bool:
    """Whether the training of the network ended in weights that are not finite."""
    return not all(np.isfinite(array).all() for array in (*network.weights, *network.biases))


def fig6(
    settings: Fig6, seeds: list[int], dataset: Dataset | None, networks: Networks | None
) -> pd.DataFrame:
    """Figure 6: spike raster of the hidden layers and the output for the first test image of a 7.

    Columns: protocol, seed, image, label, layer (1 is the first hidden layer), neuron, time_ms.
    """
    dataset = require(dataset, "fig6", "data set")
    image = first_test_image(dataset, settings.digit)
    parts = []
    for name, seed, network in each_network(networks, seeds, "fig6"):
        shown, simulation = dataset.test_images[image], simulation_of(settings, name)
        spikes = raster(
            shown, dataset.white, network, simulation, input_seed("fig6", seed), image_number=image
        )
        labels = {"protocol": split_name(name)[1], "seed": seed, "image": image}
        parts.append(pd.DataFrame({**labels, "label": settings.digit, **spikes._asdict()}))
    return pd.concat(parts, ignore_index=True)


def first_test_image(dataset: Dataset, digit: int) -> int:
    """Index of the first test image of ``digit``.

    Raises
    ------
    StudyError
        If the test set holds none.
    """
    found = np.flatnonzero(dataset.test_labels == digit)
    if not len(found):
        raise StudyError(
            f"sweep fig6: data set {dataset.name} has no test image of the digit {digit}; choose "
            f"one of {', '.join(map(str, np.unique(dataset.test_labels)))}."
        )
    return int(found[0])


def input_rate(
    settings: InputRate, seeds: list[int], dataset: Dataset | None, networks: Networks | None
) -> pd.DataFrame:
    """Beyond the thesis: spiking accuracy against the Poisson rate of a white pixel.

    The current that a spike brings is inversely proportional to the rate, so the mean input is the
    same for all rates and only its noise changes.

    Columns: network, protocol, seed, input_rate_hz, rate_accuracy_percent,
    spiking_accuracy_percent (most output spikes), first_spike_accuracy_percent (earliest output
    spike); the accuracies are empty if the training diverged.
    """
    changes = {rate: {"input_rate_hz": rate} for rate in settings.input_rates_hz}
    table = _simulated("input_rate", changes, settings, seeds, dataset, networks)
    return table.rename(columns={"change": "input_rate_hz"})


def simulation_choices(
    settings: SimulationChoices,
    seeds: list[int],
    dataset: Dataset | None,
    networks: Networks | None,
) -> pd.DataFrame:
    """Beyond the thesis: spiking accuracy with one other choice of the simulation at a time.

    Columns: as those of `input_rate`, with the name of the choice (``none`` first) in the place of
    the rate.
    """
    changes = {
        name: choice.model_dump(exclude_unset=True) for name, choice in settings.choices.items()
    }
    changes = {NONE: {}, **changes}
    table = _simulated("simulation_choices", changes, settings, seeds, dataset, networks)
    return table.rename(columns={"change": "choice"})


def _simulated(
    experiment: str,
    changes: Mapping[Any, Mapping[str, Any]],
    settings: InputRate | SimulationChoices,
    seeds: list[int],
    dataset: Dataset | None,
    networks: Networks | None,
) -> pd.DataFrame:
    """Accuracies of every network with each change of its simulation, which has a name or number.

    Columns: network, protocol, seed, change, and three accuracies.
    """
    dataset = require(dataset, experiment, "data set")
    shown = dataset.test_images[: settings.images]
    labels = dataset.test_labels[: settings.images]
    rows = []
    for name, seed, network in each_network(networks, seeds, experiment):
        if diverged(network):
            rows += [(*split_name(name), seed, change, *[np.nan] * 3) for change in changes]
            continue
        analytic = analytic_rates(network, dataset, settings)
        rate_accuracy = accuracy_percent(analytic[-1].argmax(axis=1), labels)
        chosen, random = simulation_of(settings, name), input_seed(experiment, seed)
        for change, values in changes.items():
            simulation = chosen._replace(checkpoints_ms=(), **values)
            result = simulate_network(shown, dataset.white, network, simulation, random)
            counted = spike_count_readout(result.output_counts[:, -1])
            first = first_spike_readout(result.first_spike_step)
            accuracies = [accuracy_percent(predicted, labels) for predicted in (counted, first)]
            rows.append((*split_name(name), seed, change, rate_accuracy, *accuracies))
    columns = ["network", "protocol", "seed", "change", RATE, SPIKING, FIRST_SPIKE]
    return pd.DataFrame(rows, columns=columns)


def analytic_rates(
    network: SpikingNetwork, dataset: Dataset, settings: InputRate | ConversionDiagnostic
) -> list[np.ndarray]:
    """Analytic rates in Hz of every layer for the first test images."""
    shown = intensities(dataset.test_images[: settings.images], dataset.white, np.float64)
    return rate_forward(network, shown, settings.softplus_gamma)


def conversion_diagnostic(
    settings: ConversionDiagnostic,
    seeds: list[int],
    dataset: Dataset | None,
    networks: Networks | None,
) -> pd.DataFrame:
    """Beyond the thesis: simulated against analytic rates, layer by layer.

    Columns: network, protocol, seed, layer (1 is the first hidden layer), analytic_rate_hz,
    simulated_rate_hz, and the layer's summary on each of its rows: correlation, silent_fraction,
    saturated_fraction, rmse_hz (``measure.conversion_diagnostic``). A network whose training
    diverged has one row a layer with nothing in it.
    """
    dataset = require(dataset, "conversion_diagnostic", "data set")
    shown = dataset.test_images[: settings.images]
    parts = []
    for name, seed, network in each_network(networks, seeds, "conversion_diagnostic"):
        network_name, protocol = split_name(name)
        labels = {"network": network_name, "protocol": protocol, "seed": seed}
        if diverged(network):
            layers = range(1, len(network.weights) + 1)
            parts.append(pd.DataFrame({**labels, "layer": layers}).reindex(columns=DIAGNOSTIC))
            continue
        simulation = simulation_of(settings, name)._replace(checkpoints_ms=())
        random = input_seed("conversion_diagnostic", seed)
        result = simulate_network(
            shown, dataset.white, network, simulation, random, record_neurons=True
        )
        analytic = analytic_rates(network, dataset, settings)
        for layer, (rate, counts) in enumerate(zip(analytic, result.neuron_counts, strict=True), 1):
            simulated = counts / (simulation.simulation_time_ms * 1e-3)
            summary = diagnose(rate, simulated, simulation.lif.refractory_period_s)
            generator = stream("conversion_diagnostic", seed, name, layer)
            points = min(settings.sampled_points, rate.size)
            chosen = generator.choice(rate.size, points, replace=False)
            both = {"analytic_rate_hz": rate.ravel(), "simulated_rate_hz": simulated.ravel()}
            rows = pd.DataFrame(both).iloc[chosen].assign(**labels, layer=layer)
            parts.append(rows.assign(**summary._asdict())[DIAGNOSTIC])
    return pd.concat(parts, ignore_index=True)


def fig4(settings: Fig4, seeds, dataset: Dataset | None, networks) -> pd.DataFrame:
    """Figure 4: the first training images, in file order.

    Columns: image, label, row, column, intensity_fraction.
    """
    dataset = require(dataset, "fig4", "data set")
    rows, columns = dataset.image_shape
    shown = intensities(dataset.train_images[: settings.images], dataset.white, np.float64)
    image, row, column = np.indices((len(shown), rows, columns)).reshape(3, -1)
    pixels = {"image": image, "label": dataset.train_labels[image], "row": row, "column": column}
    return pd.DataFrame({**pixels, "intensity_fraction": shown.reshape(-1)})
