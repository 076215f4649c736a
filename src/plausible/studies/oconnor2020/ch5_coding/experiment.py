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

    Columns: element, seed, k_p, k_d (not both 0); of ``cell``: mean_error (mean |reconstruction -
    signal|), number_of_spikes, and of k_p = 0 rounding_difference and signal_difference (largest
    difference of the reconstruction from round(k_d x) / k_d and from the signal); of ``trace``
    (first seed): step, signal, spikes, reconstruction, to five decimals.
    """
    cells, traces = [], []
    for seed in seeds:
        signal = low_pass(generator("coding_grid", seed), settings.steps, settings.cutoff)
        for k_p in settings.k_p:
            for k_d in settings.k_d:
                if k_p + k_d == 0:
                    continue
                coded = transmit(signal, pd_code(k_p, k_d))
                cell = {"element": "cell", "seed": seed, "k_p": k_p, "k_d": k_d}
                off = np.abs(coded.reconstruction - signal)
                own = {"mean_error": off.mean(), "number_of_spikes": np.abs(coded.spikes).sum()}
                if k_p == 0:
                    rounded = np.rint(k_d * signal) / k_d
                    own["rounding_difference"] = np.abs(coded.reconstruction - rounded).max()
                    own["signal_difference"] = off.max()
                cells.append(cell | own)
                if seed == seeds[0]:
                    part = {"signal": signal, "spikes": coded.spikes}
                    part |= {"reconstruction": coded.reconstruction}
                    trace = pd.DataFrame(part).round(5).assign(**cell | {"element": "trace"})
                    traces.append(trace.assign(step=np.arange(settings.steps)))
    return pd.concat([pd.DataFrame(cells), *traces], ignore_index=True)


def drift(settings: Drift, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 5.2: x w with a weight that changes, and dec(enc(x) w), for several k_p.

    Columns: element, seed, k_p, quantized (what is sent, enc(x)); of ``error``: mean_error and
    late_error (mean |estimate - product|, over all steps and over the last tenth); of ``trace``
    (first seed, every fourth step): step, signal, weight, product, estimate, to four decimals.
    """
    errors, traces = [], []
    for seed in seeds:
        rng = generator("drift", seed)
        signal = low_pass(rng, settings.steps, settings.signal_cutoff)
        weight = 1.0 + low_pass(rng, settings.steps, settings.weight_cutoff)
        for k_p in settings.k_p:
            code = pd_code(k_p, settings.k_d)
            sent = {True: transmit(signal, code).spikes, False: encode(signal, code)}
            for quantized, values in sent.items():
                estimate = decode(values * weight, code)
                row = {"element": "error", "seed": seed, "k_p": k_p, "quantized": quantized}
                off = np.abs(estimate - signal * weight)
                late = off[-max(1, settings.steps // 10) :]
                errors.append(row | {"mean_error": off.mean(), "late_error": late.mean()})
                if seed == seeds[0]:
                    part = {"signal": signal, "weight": weight, "product": signal * weight}
                    trace = pd.DataFrame(part | {"estimate": estimate}).round(4)
                    trace = trace.assign(**row | {"element": "trace"})
                    traces.append(trace.assign(step=np.arange(settings.steps))[::4])
    return pd.concat([pd.DataFrame(errors), *traces], ignore_index=True)
