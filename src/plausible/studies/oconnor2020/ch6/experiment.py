"""Chapter 6 in pictures: kernels, the predictive coding circuit, one synapse, a rising rate.

Source: O'Connor 2020, sections 6.3 and 6.4. The thesis states no numbers for these figures and no
code is public, so signals and constants are ours.
"""

from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from plausible.data.signals import smooth_signals
from plausible.neurons.bit_coding import encode
from plausible.neurons.pair_kernels import (
    decoding_kernel,
    difference_kernel,
    dynamics_updates,
    lags,
    online_stdp,
    stdp_kernel,
    symmetric_kernel,
)
from plausible.neurons.plasticity import DoubleExponential, stdp
from plausible.seeds import numpy_generator
from plausible.studies.oconnor2020.ch6.settings import Circuit, Kernels, RisingRate, Synapse

generator = partial(numpy_generator, "oconnor2020", "ch6")
"""Random stream of an experiment, a seed and a purpose."""


def kernels(settings: Kernels, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 6.4: each kernel by its formula and by a numerical form.

    Columns: kernel (decoding, symmetric, difference, stdp), lag_steps, formula, numerical: the
    response of a recursion to a spike, the correlation of two such responses, the response of a
    central difference, and the correlation of a response with the central difference of another;
    deviation (of the two), late_deviation (of the numerical form and the formula one step later).
    """
    reach, alpha = settings.reach, settings.alpha
    far = reach + round(np.log(1e-17) / np.log(alpha))
    time = lags(far)
    response, value = [], 0.0
    for spike in time == 0:
        value = float(spike) + alpha * value
        response.append(value)
    trace = np.array(response)
    rate = 0.5 * (np.append(trace[1:], 0.0) - np.insert(trace[:-1], 0, 0.0))
    shown = slice(far - reach, far + reach + 1)

    def correlation(pre: np.ndarray, post: np.ndarray) -> np.ndarray:
        """sum over t of pre(t) post(t - lag)."""
        found = np.correlate(pre, post, mode="full")
        return found[len(found) // 2 - reach : len(found) // 2 + reach + 1]

    impulse = (time == 0).astype(float)
    change = 0.5 * (np.append(impulse[1:], 0.0) - np.insert(impulse[:-1], 0, 0.0))
    parts = {
        "decoding": (decoding_kernel(alpha, reach), trace[shown]),
        "symmetric": (symmetric_kernel(alpha, reach), correlation(trace, trace)),
        "difference": (difference_kernel(reach), change[shown]),
        "stdp": (stdp_kernel(alpha, reach), correlation(trace, rate)),
    }
    frames = []
    for name, (formula, numerical) in parts.items():
        columns = {"lag_steps": lags(reach), "formula": formula, "numerical": numerical}
        # Of columns that are written with eight digits a difference would have none.
        columns["deviation"] = np.abs(formula - numerical)
        columns["late_deviation"] = np.abs(np.append(np.nan, formula[:-1]) - numerical)
        frames.append(pd.DataFrame({"kernel": name, **columns}))
    return pd.concat(frames, ignore_index=True)


def synapse(settings: Synapse, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 6.5: two signals, their codes, and what three rules make of them.

    Columns: element, seed; of ``end``: the sums of the changes of the weight by each rule, dynamics
    (of the signals), approximate_dynamics (of the reconstructions), stdp (of the spikes), the
    difference of the last two final_difference and, half-way, early_difference, and over time
    correlation (of approximate with exact dynamics), other_correlation (with the dynamics of two
    other signals); of ``trace`` (first seed): step, pre, post (signals), <side>_spike,
    <side>_reconstruction, post_rate, post_reconstruction_rate (central differences), and the three
    sums so far, to four decimals.
    """
    ends = []
    for seed in seeds:
        rng = generator("synapse", seed)
        shape = (settings.steps, settings.width, settings.quiet)
        signals = 0.9 * smooth_signals(rng, 4, *shape) / (1.0 - settings.alpha)
        coded = encode(signals[:2].T, settings.alpha)
        spikes, decoded = coded.sent.T, coded.reconstruction.T
        sums = {
            "dynamics": np.cumsum(dynamics_updates(*signals[:2])),
            "approximate_dynamics": np.cumsum(dynamics_updates(*decoded)),
            "stdp": np.cumsum(online_stdp(*spikes, settings.alpha)),
        }
        approximate, other = sums["approximate_dynamics"], np.cumsum(dynamics_updates(*signals[2:]))
        middle = (settings.steps - settings.quiet) // 2
        apart = np.abs(approximate - sums["stdp"])
        own = {
            # Of columns that are written with eight digits a difference would have none.
            "final_difference": apart[-1],
            "early_difference": apart[middle],
            "correlation": np.corrcoef(approximate, sums["dynamics"])[0, 1],
            "other_correlation": np.corrcoef(approximate, other)[0, 1],
        }
        totals = {name: float(each[-1]) for name, each in sums.items()}
        ends.append({"element": "end", "seed": seed, **totals, **own})
        if seed == seeds[0]:
            ones = np.ones(settings.steps)
            part = {"pre": signals[0], "post": signals[1]}
            for side, name in enumerate(("pre", "post")):
                part[f"{name}_spike"] = spikes[side]
                part[f"{name}_reconstruction"] = decoded[side]
            part["post_rate"] = dynamics_updates(ones, signals[1])
            part["post_reconstruction_rate"] = dynamics_updates(ones, decoded[1])
            trace = pd.DataFrame(part | sums).round(4)
            trace = trace.assign(element="trace", seed=seed, step=np.arange(settings.steps))
    return pd.concat([pd.DataFrame(ends), trace], ignore_index=True)


class Block(NamedTuple):
    """A block of figure 6.3, what goes into it, and where it is drawn."""

    name: str
    label: str
    inputs: tuple[str, ...]
    x: float
    y: float


BLOCKS = (
    Block("signal", "x", (), 0.0, 0.0),
    Block("difference", "−", ("signal", "prediction"), 1.2, 0.0),
    Block("quantizer", "Q", ("difference",), 2.4, 0.0),
    Block("sum", "+", ("quantizer", "prediction"), 3.2, -1.0),
    Block("delay", "Δt", ("sum",), 2.2, -1.8),
    Block("prediction", "P", ("delay",), 1.2, -1.0),
    Block("receiver_sum", "+", ("quantizer", "receiver_prediction"), 5.0, 0.0),
    Block("receiver_delay", "Δt", ("receiver_sum",), 6.2, -1.0),
    Block("receiver_prediction", "P", ("receiver_delay",), 5.0, -1.0),
    Block("reconstruction", "x^R", ("receiver_sum",), 6.85, 0.0),
)
"""Sender and receiver: both predict from their own reconstruction, which is the same."""


def circuit(settings: Circuit, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 6.3: the blocks that are drawn, run block by block, against the implementation.

    Columns: block, label, inputs (separated by semicolons), x, y, seed, deviation (largest over
    time of |signal of the drawn block - that of the implementation|, of the blocks that it has a
    signal for), longer_delay (the same where the delays are of two steps).
    """
    rows = []
    for seed in seeds:
        rng = generator("circuit", seed)
        signal = smooth_signals(rng, 1, settings.steps, settings.width)[0]
        signal = (0.1 + 0.8 * signal) / (1.0 - settings.alpha)
        coded = encode(signal, settings.alpha)
        known = {
            "signal": signal,
            "difference": coded.encoded,
            "quantizer": coded.sent,
            "sum": coded.reconstruction,
            "receiver_sum": coded.reconstruction,
            "reconstruction": coded.reconstruction,
        }
        runs = [_run_blocks(signal, settings.alpha, delay) for delay in (1, 2)]
        for block in BLOCKS:
            off = [
                float(np.abs(run[block.name] - known[block.name]).max())
                if block.name in known
                else np.nan
                for run in runs
            ]
            inputs = "; ".join(block.inputs)
            rows.append((block.name, block.label, inputs, block.x, block.y, seed, *off))
    columns = ["block", "label", "inputs", "x", "y", "seed", "deviation", "longer_delay"]
    return pd.DataFrame(rows, columns=columns)


def _run_blocks(signal: np.ndarray, alpha: float, delay: int) -> dict[str, np.ndarray]:
    """Signals of all blocks, from step to step, with delays of so many steps."""
    found = {block.name: np.zeros(len(signal)) for block in BLOCKS}
    inputs = {block.name: block.inputs for block in BLOCKS}
    labels = {block.name: block.label for block in BLOCKS}
    potential = 0.0
    for time, value in enumerate(signal):
        for name in _ORDER:
            given = [found[source][time] for source in inputs[name]]
            match labels[name]:
                case "x":
                    new = float(value)
                case "−":
                    new = given[0] - given[1]
                case "Q":
                    potential += given[0]
                    new = float(potential > 0.5)
                    potential -= new
                case "P":
                    new = alpha * given[0]
                case "Δt":
                    (source,) = inputs[name]
                    new = found[source][time - delay] if time >= delay else 0.0
                case _:
                    new = sum(given)
            found[name][time] = new
    return found


_ORDER = (
    *("signal", "delay", "prediction", "difference", "quantizer", "sum"),
    *("receiver_delay", "receiver_prediction", "receiver_sum", "reconstruction"),
)
"""Order in which the blocks of a step can be computed: delays first, which need none of it."""


def rising_rate(settings: RisingRate, seeds, dataset, networks) -> pd.DataFrame:
    """Figure 6.2: spikes around a presynaptic spike of a neuron whose rate rises, falls or stays.

    Spikes are an inhomogeneous Poisson process, a draw for each millisecond. Columns: element,
    slope_hz_per_s; of ``mean`` (over the trials of a seed): seed, after_less_before (spikes after
    the presynaptic spike less those before it), weight_change (window of STDP summed over spikes);
    of ``curve``: lag_ms, rate_hz (of the process), spikes_per_s (counted, mean over all seeds),
    stdp (the window of eq. 1.11 at that lag).
    """
    at = lags(settings.window_ms)
    window = DoubleExponential(1.0, 1.0, 1e-3 * settings.tau_ms, 1e-3 * settings.tau_ms)
    weights = np.where(at == 0, 0.0, stdp(1e-3 * at, window))
    means, curves = [], []
    for slope in settings.slopes_hz_per_s:
        rate = np.maximum(settings.middle_hz + slope * 1e-3 * at, 0.0)
        counted = np.zeros(len(at))
        for seed in seeds:
            rng = generator("rising_rate", seed, round(slope))
            spikes = rng.random((settings.trials, len(at))) < 1e-3 * rate
            sides = spikes[:, at > 0].sum(axis=1) - spikes[:, at < 0].sum(axis=1)
            counted += 1e3 * spikes.mean(axis=0) / len(seeds)
            row = {"element": "mean", "slope_hz_per_s": slope, "seed": seed}
            change = float((spikes @ weights).mean())
            means.append(row | {"after_less_before": sides.mean(), "weight_change": change})
        curve = {"lag_ms": at, "rate_hz": rate, "spikes_per_s": counted, "stdp": weights}
        curves.append(pd.DataFrame(curve).assign(element="curve", slope_hz_per_s=slope))
    return pd.concat([pd.DataFrame(means), *curves], ignore_index=True)
