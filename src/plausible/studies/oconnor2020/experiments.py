"""Experiments of O'Connor 2020, by the names that the study files use.

Every experiment has the signature ``f(settings, seeds, dataset, networks) -> DataFrame``: settings
from the study file (each function documents its keys), the seeds, the data set or None, and None,
since this study converts no networks. Random streams are named by study, experiment and seed.
"""

from collections.abc import Callable

import pandas as pd

from plausible.studies.oconnor2020.chapter1 import (
    gaps,
    hopfield_capacity,
    hopfield_recall,
    spiking_neurons,
)
from plausible.studies.oconnor2020.error_spikes import error_spikes
from plausible.studies.oconnor2020.event_graphs import event_graphs
from plausible.studies.oconnor2020.four_networks import four_networks
from plausible.studies.oconnor2020.newsgroups import newsgroups
from plausible.studies.oconnor2020.quantizers import quantizers
from plausible.studies.oconnor2020.random_network import random_scales
from plausible.studies.oconnor2020.scale_optimisation import scale_optimisation
from plausible.studies.oconnor2020.small_networks import small_networks
from plausible.studies.oconnor2020.spiking_gradient import spiking_gradient
from plausible.studies.oconnor2020.spiking_limit import spiking_limit
from plausible.studies.oconnor2020.spiking_training import spiking_training
from plausible.studies.oconnor2020.temporal_mnist import temporal_mnist
from plausible.studies.oconnor2020.theorems_chapter1 import theorems_chapter1
from plausible.studies.oconnor2020.theorems_chapter4 import theorems_chapter4
from plausible.studies.oconnor2020.theorems_quantization import theorems_quantization

EXPERIMENTS: dict[str, Callable[..., pd.DataFrame]] = {
    "theorems_chapter1": theorems_chapter1,
    "gaps": gaps,
    "hopfield_recall": hopfield_recall,
    "hopfield_capacity": hopfield_capacity,
    "spiking_neurons": spiking_neurons,
    "quantizers": quantizers,
    "newsgroups": newsgroups,
    "spiking_limit": spiking_limit,
    "spiking_gradient": spiking_gradient,
    "event_graphs": event_graphs,
    "theorems_quantization": theorems_quantization,
    "scale_optimisation": scale_optimisation,
    "theorems_chapter4": theorems_chapter4,
    "four_networks": four_networks,
    "random_scales": random_scales,
    "small_networks": small_networks,
    "temporal_mnist": temporal_mnist,
    "spiking_training": spiking_training,
    "error_spikes": error_spikes,
}
