"""Beyond the thesis: how many spikes each code needs for an error to the fixed point."""

import numpy as np
import pandas as pd

from plausible.measure.slopes import log_spaced
from plausible.studies.oconnor2020.ch8_principles.networks import (
    coding_of,
    free_errors,
    generator,
    problem,
)
from plausible.studies.oconnor2020.ch8_principles.settings import SpikeFrontier

POINTS = 60
"""Steps that are kept, evenly on a logarithmic axis."""


def spike_frontier(settings: SpikeFrontier, seeds, dataset, networks) -> pd.DataFrame:
    """Spikes so far and error of every scheme, on networks and random bits of ``convergence``.

    A spike is a bit that is 1. Those that are sent at a step count there, though they arrive at the
    next one. Columns: scheme, network (number), step (log-spaced), input_spikes and free_spikes
    (since the beginning, mean over the inputs of the batch and over the units of the input layer,
    or all hidden and output units), error (as of ``convergence``); six digits.
    """
    kept, rows = set(log_spaced(settings.steps, POINTS)), []
    inputs, free = settings.layer_sizes[0], sum(settings.layer_sizes[1:])
    for number in range(settings.networks):
        given = problem(settings, settings.steps, "convergence", number)
        for name, scheme in settings.schemes.items():
            coding, rng = (
                coding_of(scheme, settings.constant),
                generator("convergence", number, name),
            )
            sent = np.zeros(len(settings.layer_sizes))
            for now, error in free_errors(given, coding, settings.steps, rng):
                sent += [layer.bits.sum() for layer in now.layers]
                if now.time in kept:
                    means = sent[0] / inputs, sent[1:].sum() / free
                    values = [*(mean / settings.batch for mean in means), error]
                    rows.append((name, number, now.time, *(float(f"{v:.6g}") for v in values)))
    columns = ["scheme", "network", "step", "input_spikes", "free_spikes", "error"]
    return pd.DataFrame(rows, columns=columns)
