"""Proportional-derivative coding in pictures.

Source: O'Connor 2020, sections 5.3.3 and 5.3.4, with the settings of the author's code; random
signals are ours.
"""

from functools import partial

import numpy as np
import pandas as pd

from plausible.data.signals import low_pass
from plausible.neurons.pd_coding import decode, encode, pd_code, transmit
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch5_coding.settings import CodingGrid, Drift

generator = partial(numpy_generator, "oconnor2020", "ch5_coding")
"""Random stream of an experiment, a seed and a purpose."""


def coding_grid(settings: CodingGrid, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 5.1: spikes and reconstructions of one signal for all pairs of coefficients.

    Columns: seed, k_p, k_d (not both 0), step, signal, spikes, reconstruction, rounded (that is
    round(k_d x) / k_d, of k_p = 0), mean_error (mean |reconstruction - signal|), number_of_spikes.
    """
    rows = []
    for seed in seeds:
        signal = low_pass(generator("coding_grid", seed), settings.steps, settings.cutoff)
        for k_p in settings.k_p:
            for k_d in settings.k_d:
                if k_p + k_d == 0:
                    continue
                coded = transmit(signal, pd_code(k_p, k_d))
                part = {
                    "seed": seed,
                    "k_p": k_p,
                    "k_d": k_d,
                    "step": np.arange(settings.steps),
                    "signal": signal,
                    "spikes": coded.spikes.astype(int),
                    "reconstruction": coded.reconstruction,
                    "rounded": np.rint(k_d * signal) / k_d if k_p == 0 else np.nan,
                    "mean_error": float(np.abs(coded.reconstruction - signal).mean()),
                    "number_of_spikes": int(np.abs(coded.spikes).sum()),
                }
                rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)


def drift(settings: Drift, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 5.2: x w with a weight that changes, and dec(enc(x) w), for several k_p.

    Columns: seed, k_p, quantized, step, signal, weight, product, estimate. What is quantized is
    what is sent, enc(x).
    """
    rows = []
    for seed in seeds:
        rng = generator("drift", seed)
        signal = low_pass(rng, settings.steps, settings.signal_cutoff)
        weight = 1.0 + low_pass(rng, settings.steps, settings.weight_cutoff)
        for k_p in settings.k_p:
            code = pd_code(k_p, settings.k_d)
            sent = {True: transmit(signal, code).spikes, False: encode(signal, code)}
            for quantized, values in sent.items():
                part = {
                    "seed": seed,
                    "k_p": k_p,
                    "quantized": quantized,
                    "step": np.arange(settings.steps),
                    "signal": signal,
                    "weight": weight,
                    "product": signal * weight,
                    "estimate": decode(values * weight, code),
                }
                rows.append(pd.DataFrame(part))
    return pd.concat(rows, ignore_index=True)
