"""Table 3 of Song et al. 2020: how often the trigger phi finds the moment t = l.

The paper states neither network, data, training, zero test nor what a detection is. The protocol
here: 784-32-..-10 networks (sizes of the data set at hand), initial and trained, the state of the
error nodes recorded for T inference steps with gamma = 1 from the feed-forward activity (C1), no
weight changed meanwhile, errors before t = 0 counted as zero. phi of the implementation is then
evaluated at every t = 0 .. T. A moment is the time t = l of one watched signal whose error is not
zero there; where it is zero there is nothing to learn and nothing to miss. It counts as detected if
phi fires at t = l and at no other time.
"""

from collections.abc import Callable, Sequence
from itertools import product
from typing import NamedTuple

import pandas as pd
import torch
from torch import Tensor

from plausible.data.dataset import Dataset
from plausible.errors import StudyError
from plausible.learning.trigger import phi
from plausible.networks.mlp import Network
from plausible.reproduction.inputs import require
from plausible.studies.song2020.common import (
    batches,
    draw_network,
    images_and_targets,
    sizes_of,
    torch_generator,
)
from plausible.studies.song2020.levels import apply, backprop_updates, relax
from plausible.studies.song2020.properties.settings import Detection

# What phi watches, from the errors [batches, samples, neurons] of a layer at one time.
COUNTINGS: dict[str, Callable[[Tensor], Tensor]] = {
    "per_neuron_and_sample": lambda errors: errors,
    "per_layer_and_sample": lambda errors: errors.abs().amax(dim=2),
    "per_layer_and_batch": lambda errors: errors.abs().amax(dim=(1, 2)),
}


class Counts(NamedTuple):
    """Numbers of moments, by detection steps where they depend on them ([t_d])."""

    moments: int
    detected: Tensor
    false_alarms: Tensor
    """Signals for which phi fires at some t other than l."""


def detection(
    settings: Detection, seeds: list[int], dataset: Dataset | None, networks
) -> pd.DataFrame:
    """Table 3: success rate of phi against t_d, with the exact zero test and with tolerances.

    Columns: l_max, training_state (initial, trained), tolerance, t_d, counting
    (per_neuron_and_sample; per_layer_and_sample and per_layer_and_batch: any error of the layer),
    seed, moments, detected, success_rate_percent, false_alarm_rate_percent (moments whose signal
    makes phi fire at another time, too or instead).

    Raises
    ------
    StudyError
        If the images are fewer than asked for.
    """
    dataset = require(dataset, "detection", "data set")
    available = len(dataset.train_images)
    if settings.images > available:
        raise StudyError(
            f"sweep detection: images is {settings.images}, where at most {available} training "
            "images are there; lower it in the study file or use a larger data set."
        )
    rows = []
    t_d, batch = settings.detection_steps, settings.batch_size
    for l_max, seed in product(settings.l_max, seeds):
        generator = torch_generator("detection", seed, "network", l_max)
        sizes = sizes_of(l_max, settings.hidden_neurons, dataset)
        initial = trained = draw_network(sizes, generator)
        for chosen in batches(available, batch, settings.training_updates, generator):
            learned = backprop_updates(trained, *images_and_targets(dataset, chosen))
            trained = apply(trained, learned, settings.learning_rate)
        watched = torch.randperm(available, generator=generator)[: settings.images]
        images, targets = images_and_targets(dataset, watched)
        for state, network in (("initial", initial), ("trained", trained)):
            errors = error_nodes(network, images, targets, settings.steps, batch)
            for tolerance, counting in product(settings.tolerances, COUNTINGS):
                counts = count_detections(errors, t_d, tolerance, counting)
                rows += _rows((l_max, state, tolerance), t_d, counting, seed, counts)
    columns = ["l_max", "training_state", "tolerance", "t_d", "counting", "seed"]
    rates = ["moments", "detected", "success_rate_percent", "false_alarm_rate_percent"]
    return pd.DataFrame(rows, columns=[*columns, *rates])


def _rows(
    labels: tuple, t_d: Sequence[int], counting: str, seed: int, counts: Counts
) -> list[tuple]:
    found = zip(t_d, counts.detected.tolist(), counts.false_alarms.tolist(), strict=True)
    # With nothing to detect there is no rate.
    share = 100.0 / counts.moments if counts.moments else float("nan")
    return [
        (*labels, steps, counting, seed, counts.moments, detected, share * detected, share * false)
        for steps, detected, false in found
    ]


def error_nodes(
    network: Network, inputs: Tensor, targets: Tensor, steps: int, batch_size: int
) -> list[Tensor]:
    """eps^l_t of layers 0 .. l_max-1 during learning, [steps + 1, batches, batch_size, n^l]."""
    record = relax(network, inputs, targets, steps, 1.0)
    layers = [torch.stack(layer) for layer in zip(*record.errors, strict=True)]
    return [layer.unflatten(1, (-1, batch_size)) for layer in layers]


def count_detections(
    errors: list[Tensor], detection_steps: Sequence[int], tolerance: float, counting: str
) -> Counts:
    """Evaluate phi at all times for every t_d of ``detection_steps`` and count its hits.

    ``errors`` are those of :func:`error_nodes`, ``counting`` a key of ``COUNTINGS``.
    """
    needed = torch.tensor(detection_steps)
    moments, detected, false_alarms = 0, torch.zeros_like(needed), torch.zeros_like(needed)
    for level, layer in enumerate(errors):
        signal = [COUNTINGS[counting](error).ravel() for error in layer]
        meant = signal[level] != 0
        # Before t = 0 every signal was silent for as long as anyone asks.
        silent = needed[:, None].expand(-1, len(meant))
        hit, other = torch.zeros_like(silent, dtype=bool), torch.zeros_like(silent, dtype=bool)
        for t, error in enumerate(signal):
            fires, silent = phi(error, silent, needed[:, None], tolerance)
            if t == level:
                hit = fires
            else:
                other |= fires
        moments += int(meant.sum())
        detected += (hit & ~other & meant).sum(dim=1)
        false_alarms += (other & meant).sum(dim=1)
    return Counts(moments, detected, false_alarms)
