"""Whether the additions of a forward pass are what the number of its spikes says.

O'Connor 2020, section 3.2: computation depends on the events, each of which adds one row of
weights. Operations are told by that formula everywhere else; here they are counted one by one.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from plausible.data.dataset import Dataset
from plausible.kernels import deep_spiking
from plausible.kernels.deep_spiking_reference import numbers_added
from plausible.kernels.deep_spiking_types import additions, make_network, make_rule
from plausible.learning.spiking_training import THESIS, layer_sizes, spike_trains
from plausible.studies.oconnor2020.ch3_learning.experiment import trainings
from plausible.studies.oconnor2020.ch3_learning.settings import CountedAdditions

COLUMNS = ("protocol", "network", "seed", "image", "counted", "fan_out", "own_size")


def counted_additions(
    settings: CountedAdditions,
    seeds: Sequence[int],
    dataset: Dataset | None,
    networks: Any = None,
) -> pd.DataFrame:
    """Operations of the first test images of the thesis split, in a trained network.

    Columns: protocol, network, seed, image; counted: numbers that the modules of the readable
    network added; fan_out: spikes of the compiled one times the size of the layer above, summed
    over layers; own_size: the same by mistake with the size of the layer itself.
    """
    rows: list[tuple[Any, ...]] = []
    for run, bench, _, progress in trainings(settings, seeds, dataset, lambda *_: []):
        part = bench.parts[THESIS]
        shown = part._replace(images=part.images[: settings.images])
        trains, rule = spike_trains(shown, run.steps), make_rule(run.steps)
        network, sizes = make_network(progress.weights, rule), layer_sizes(progress.weights)
        spikes = deep_spiking.predict(network, rule, trains).spikes
        own = spikes.sum(axis=1) @ np.array(sizes[:-1])
        rows += [
            (run.protocol, run.network, run.seed, image, added, told, mistaken)
            for image, (told, mistaken) in enumerate(
                zip(additions(spikes, sizes)[:, -1], own, strict=True)
            )
            for added in [numbers_added(network, rule, trains, image)]
        ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
