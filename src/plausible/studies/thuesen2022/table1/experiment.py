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
from plausible.neurons.spikes import spike_count_readout
from plausible.seeds import torch_seed
from plausible.studies.thuesen2022.common import (
    STUDY,
    Settings,
    read,
    require,
    split_name,
    stream,
)

Networks = Mapping[str, Mapping[int, SpikingNetwork]]

DIAGNOSTIC = [
    "network",
    "protocol",
    "seed",
    "layer",
    "analytic_rate_hz",
    "simulated_rate_hz",
    "correlation",
    "silent_fraction",
    "saturated_fraction",
    "rmse_hz",
]


def simulation_of(settings: Settings, experiment: str, name: str) -> SimulationSettings:
    """Simulation settings of the network ``name`` (``<network>.<protocol>``).

    ``settings["simulation"]`` maps a protocol, or one network in one protocol, to fields of
    ``SimulationSettings``; the more specific entry wins.
    """
    (declared,) = read(settings, experiment, "simulation")
    fields: Mapping[str, Any] | None = declared.get(name, declared.get(split_name(name)[1]))
    if fields is None:
        raise StudyError(
            f"sweep {experiment}: simulation holds {', '.join(declared)}, where an entry for "
            f"{split_name(name)[1]} is expected; add it to the protocols of the study file."
        )
    unknown = sorted(set(fields) - set(SimulationSettings._fields))
    if unknown:
        raise StudyError(
            f"sweep {experiment}: simulation has the unknown setting {unknown[0]!r}; allowed are "
            f"{', '.join(SimulationSettings._fields)}."
        )
    simulation = SimulationSettings(**fields)
    return simulation._replace(checkpoints_ms=tuple(simulation.checkpoints_ms))


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
    settings: Settings, seeds: list[int], dataset: Dataset | None, networks: Networks | None
) -> pd.DataFrame:
    """Figure 6: spike raster of the hidden layers and the output for the first test image of a 7.

    Settings: ``digit``, ``simulation``. Columns: protocol, seed, image, label, layer (1 is the
    first hidden layer), neuron, time_ms.
    """
    dataset = require(dataset, "fig6", "data set")
    (digit,) = read(settings, "fig6", "digit")
    image = first_test_image(dataset, digit)
    parts = []
    for name, seed, network in each_network(networks, seeds, "fig6"):
        spikes = raster(
            dataset.test_images[image],
            dataset.white,
            network,
            simulation_of(settings, "fig6", name),
            input_seed("fig6", seed),
            image_number=image,
        )
        parts.append(
            pd.DataFrame(
                {
                    "protocol": split_name(name)[1],
                    "seed": seed,
                    "image": image,
                    "label": digit,
                    "layer": spikes.layer,
                    "neuron": spikes.neuron,
                    "time_ms": spikes.time_ms,
                }
            )
        )
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
    settings: Settings, seeds: list[int], dataset: Dataset | None, networks: Networks | None
) -> pd.DataFrame:
    """Beyond the thesis: spiking accuracy against the Poisson rate of a white pixel.

    The current that a spike brings is inversely proportional to the rate, so the mean input is the
    same for all rates and only its noise changes.

    Settings: ``images`` (first of the test set), ``input_rates_hz`` (list), ``softplus_gamma`` of
    the analytic rate network, ``simulation``. Columns: network, protocol, seed, input_rate_hz,
    rate_accuracy_percent, spiking_accuracy_percent; both are empty if the training diverged.
    """
    dataset = require(dataset, "input_rate", "data set")
    images, rates, gamma = read(
        settings, "input_rate", "images", "input_rates_hz", "softplus_gamma"
    )
    shown, labels = dataset.test_images[:images], dataset.test_labels[:images]
    rows = []
    for name, seed, network in each_network(networks, seeds, "input_rate"):
        if diverged(network):
            rows += [(*split_name(name), seed, float(rate), np.nan, np.nan) for rate in rates]
            continue
        analytic = rate_forward(network, intensities(shown, dataset.white, np.float64), gamma)
        rate_accuracy = accuracy_percent(analytic[-1].argmax(axis=1), labels)
        simulation = simulation_of(settings, "input_rate", name)._replace(checkpoints_ms=())
        for rate in rates:
            result = simulate_network(
                shown,
                dataset.white,
                network,
                simulation._replace(input_rate_hz=float(rate)),
                input_seed("input_rate", seed),
            )
            predicted = spike_count_readout(result.output_counts[:, -1])
            spiking_accuracy = accuracy_percent(predicted, labels)
            rows.append((*split_name(name), seed, float(rate), rate_accuracy, spiking_accuracy))
    return pd.DataFrame(
        rows,
        columns=[
            "network",
            "protocol",
            "seed",
            "input_rate_hz",
            "rate_accuracy_percent",
            "spiking_accuracy_percent",
        ],
    )


def conversion_diagnostic(
    settings: Settings, seeds: list[int], dataset: Dataset | None, networks: Networks | None
) -> pd.DataFrame:
    """Beyond the thesis: simulated against analytic rates, layer by layer.

    Settings: ``images`` (first of the test set), ``sampled_points`` (neuron and image pairs of a
    layer that become rows, drawn without replacement; all pairs enter the summary),
    ``softplus_gamma`` of the analytic rates, ``simulation``.
    Columns: network, protocol, seed, layer (1 is the first hidden layer), analytic_rate_hz,
    simulated_rate_hz, and the layer's summary on each of its rows: correlation, silent_fraction,
    saturated_fraction, rmse_hz (``measure.conversion_diagnostic``). A network whose training
    diverged has one row a layer with nothing in it.
    """
    dataset = require(dataset, "conversion_diagnostic", "data set")
    images, points, gamma = read(
        settings, "conversion_diagnostic", "images", "sampled_points", "softplus_gamma"
    )
    shown = dataset.test_images[:images]
    parts = []
    for name, seed, network in each_network(networks, seeds, "conversion_diagnostic"):
        network_name, protocol = split_name(name)
        labels = {"network": network_name, "protocol": protocol, "seed": seed}
        if diverged(network):
            layers = range(1, len(network.weights) + 1)
            parts.append(pd.DataFrame({**labels, "layer": layers}).reindex(columns=DIAGNOSTIC))
            continue
        simulation = simulation_of(settings, "conversion_diagnostic", name)
        analytic = rate_forward(network, intensities(shown, dataset.white, np.float64), gamma)
        result = simulate_network(
            shown,
            dataset.white,
            network,
            simulation._replace(checkpoints_ms=()),
            input_seed("conversion_diagnostic", seed),
            record_neurons=True,
        )
        for layer, (rate, counts) in enumerate(zip(analytic, result.neuron_counts, strict=True), 1):
            simulated = counts / (simulation.simulation_time_ms * 1e-3)
            summary = diagnose(rate, simulated, simulation.lif.refractory_period_s)
            generator = stream("conversion_diagnostic", seed, name, layer)
            chosen = generator.choice(rate.size, min(points, rate.size), replace=False)
            rows = pd.DataFrame(
                {
                    "analytic_rate_hz": rate.ravel()[chosen],
                    "simulated_rate_hz": simulated.ravel()[chosen],
                }
            )
            rows = rows.assign(**labels, layer=layer, **summary._asdict())
            parts.append(rows[DIAGNOSTIC])
    return pd.concat(parts, ignore_index=True)


def fig4(settings: Settings, seeds, dataset: Dataset | None, networks) -> pd.DataFrame:
    """Figure 4: the first ``images`` training images, in file order.

    Columns: image, label, row, column, intensity_fraction.
    """
    dataset = require(dataset, "fig4", "data set")
    (images,) = read(settings, "fig4", "images")
    rows, columns = dataset.image_shape
    shown = intensities(dataset.train_images[:images], dataset.white, np.float64)
    image, row, column = np.indices((len(shown), rows, columns)).reshape(3, -1)
    return pd.DataFrame(
        {
            "image": image,
            "label": dataset.train_labels[image],
            "row": row,
            "column": column,
            "intensity_fraction": shown.reshape(-1),
        }
    )
